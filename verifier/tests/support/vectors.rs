//! Reads the table of foreign vectors and the data objects that it names.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formats::asic::AsicReader;
use formats::cms::SignedData;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::EvidenceRecord;
use formats::raw::Raw;
use formats::tsp::{TimeStampResponse, TimeStampToken};
use formats::x509::read_certificates;
use formats::xmlers::{XmlEvidenceRecord, XmlToken};
use time::{Duration, OffsetDateTime};
use verifier::path::TrustAnchor;
use verifier::source::{DataBytes, DigestSource, KnownDigests};

/// One row of the table.
pub(crate) struct Vector {
    /// File below the folder of the vectors.
    pub(crate) path: String,
    /// What kind of evidence it is.
    pub(crate) kind: String,
    /// The verdict that its author states.
    pub(crate) expected: String,
    /// The data that it covers, in words.
    pub(crate) covers: String,
    /// What whoever collected it has found.
    pub(crate) notes: String,
}

/// What the stated verdict demands of ours.
#[derive(Debug)]
pub(crate) enum Expectation {
    /// Integrity INTACT, and never TOTAL-FAILED.
    Holds,
    /// Never TOTAL-PASSED; BROKEN where a digest or signature is the reason.
    Fails {
        /// Whether a digest, link or signature is the stated reason.
        cryptographic: bool,
    },
    /// Nothing but an answer.
    Unstated,
}

impl Vector {
    /// Reads the column `expected`.
    pub(crate) fn expectation(&self) -> Expectation {
        let text = self.expected.as_str();
        let strict = text.contains("strict FAIL");
        let conditional = [
            "INDETERMINATE",
            " only ",
            "some reference not",
            "NO_SIGNATURE",
        ]
        .iter()
        .any(|word| text.contains(word));
        if strict
            || text.starts_with("FAIL")
            || text.starts_with("INVALID")
            || text.starts_with("TOTAL_FAILED")
        {
            let cryptographic = ["root", "imprint", "hash", "HASH_FAILURE", "broken TST"]
                .iter()
                .any(|word| text.contains(word));
            // What these say of a part that other programs look at and this one names only.
            let elsewhere = ["B-level", "A-level", "SIGNED_DATA_NOT_FOUND"]
                .iter()
                .any(|word| text.contains(word));
            return Expectation::Fails {
                cryptographic: cryptographic && !elsewhere,
            };
        }
        if conditional {
            return Expectation::Unstated;
        }
        let holds = [
            "PASS",
            "INTACT",
            "VALID",
            "signature intact",
            "TOTAL_PASSED",
            "both TOTAL_PASSED",
        ]
        .iter()
        .any(|word| text.starts_with(word));
        if holds {
            Expectation::Holds
        } else {
            Expectation::Unstated
        }
    }
}

/// Every row of the table.
pub(crate) fn read_manifest(folder: &Path) -> Vec<Vector> {
    let table = std::fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    table
        .lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            Vector {
                path: columns[0].to_owned(),
                kind: columns[3].to_owned(),
                expected: columns[4].to_owned(),
                covers: columns[5].to_owned(),
                notes: columns.get(6).copied().unwrap_or_default().to_owned(),
            }
        })
        .filter(|vector| folder.join(&vector.path).is_file())
        .collect()
}

/// The data objects that a row names, in its own words or in those of the row that it refers to ("as other.xml").
pub(crate) fn data_of(folder: &Path, vector: &Vector) -> Vec<Box<dyn DigestSource>> {
    let Some(other) = vector.covers.strip_prefix("as ") else {
        return named_data(folder, vector);
    };
    let path = Path::new(&vector.path).with_file_name(other.trim());
    let rows = read_manifest(folder);
    rows.iter()
        .find(|row| Path::new(&row.path) == path)
        .map(|row| named_data(folder, row))
        .unwrap_or_default()
}

/// The data objects that a row names in words: files, `utf8:"…"`, `hex:…`, `sha256:…` in base64.
fn named_data(folder: &Path, vector: &Vector) -> Vec<Box<dyn DigestSource>> {
    let mut data: Vec<Box<dyn DigestSource>> = Vec::new();
    let text = vector.covers.as_str();
    if text.starts_with("objects inside") {
        // Split out of an XML container; where the container has one object, that stands beside it.
        let stem = vector
            .path
            .split_once(".xml")
            .or(vector.path.rsplit_once(".0."))
            .unwrap_or((&vector.path, ""))
            .0;
        let object = folder.join(format!("{stem}.bin"));
        if let Ok(content) = std::fs::read(object) {
            data.push(Box::new(DataBytes::new("object", content)));
        }
        return data;
    }
    let mut digests: Vec<DigestValue> = Vec::new();
    let mut joined = false;
    for word in split(text) {
        if let Some(literal) = word.strip_prefix("utf8:") {
            let literal = literal.trim_matches('"').to_owned();
            data.push(Box::new(DataBytes::new(word.clone(), literal.into_bytes())));
        } else if let Some(literal) = word.strip_prefix("hex:") {
            data.push(Box::new(DataBytes::new(
                word.clone(),
                hex::decode(literal).unwrap(),
            )));
        } else if let Some((name, value)) = word.split_once(':') {
            let Some(algorithm) =
                DigestAlgorithm::from_name(&name.to_uppercase().replace("SHA", "SHA-"))
            else {
                continue;
            };
            let value = STANDARD.decode(value).unwrap();
            if !joined && !digests.is_empty() {
                data.push(Box::new(KnownDigests::stated(
                    "digest",
                    std::mem::take(&mut digests),
                )));
            }
            digests.push(DigestValue::from_bytes(algorithm, &value).unwrap());
            joined = false;
        } else if word == "/" {
            joined = true;
        } else if data.is_empty() && !text.contains("same stem") {
            let file = Path::new(&vector.path).parent().unwrap().join(&word);
            let beside = folder.join(file);
            let whole = folder.join("tst/rfc").join(&word);
            for path in [beside, whole] {
                if path.is_file() && data.is_empty() {
                    data.push(Box::new(DataBytes::new(
                        word.clone(),
                        std::fs::read(&path).unwrap(),
                    )));
                }
            }
        }
    }
    if !digests.is_empty() {
        data.push(Box::new(KnownDigests::stated("digest", digests)));
    }
    data
}

/// Words, where a quoted text is one.
fn split(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in text.chars() {
        if character == '"' {
            quoted = !quoted;
        }
        if !quoted && (character == ' ' || character == ',') {
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Certificates that belong to a vector and are not in it, for tokens without certificates.
pub(crate) fn chain_of(folder: &Path, vector: &Vector) -> Vec<Vec<u8>> {
    let Some((prefix, _)) = vector.path.split_once("__") else {
        return Vec::new();
    };
    let chain = folder.join(format!("{prefix}__ts_chain.pem"));
    let Ok(pem) = std::fs::read(chain) else {
        return Vec::new();
    };
    let certificates = read_certificates(&pem).unwrap_or_default();
    certificates
        .iter()
        .map(|certificate| certificate.raw().to_vec())
        .collect()
}

/// All certificates of all tokens in `bytes` as trust anchors, and a time shortly after the newest token.
pub(crate) fn trust_everything(bytes: &[u8]) -> (Vec<TrustAnchor>, Option<OffsetDateTime>) {
    let mut tokens = Vec::new();
    let mut signatures = Vec::new();
    collect(bytes, &mut tokens, &mut signatures);
    let in_tokens = tokens.iter().map(|token| &*token.signed_data);
    let anchors = in_tokens
        .chain(signatures.iter().map(|signed_data| &**signed_data))
        .flat_map(SignedData::x509_certificates)
        .filter_map(|certificate| TrustAnchor::from_certificate(certificate).ok())
        .collect();
    let stated = tokens.iter().map(|token| token.info.gen_time);
    let claimed = signatures
        .iter()
        .flat_map(|signed_data| &signed_data.signers)
        .filter_map(|signer| signer.signing_time().ok()?);
    let newest = stated.chain(claimed).max();
    (anchors, newest.map(|time| time + Duration::seconds(1)))
}

fn collect(bytes: &[u8], tokens: &mut Vec<TimeStampToken>, signatures: &mut Vec<Raw<SignedData>>) {
    if let Ok(token) = TimeStampToken::parse(bytes) {
        tokens.push(token);
    } else if let Ok(response) = TimeStampResponse::parse(bytes) {
        if let Some(token) = &response.token {
            tokens.extend(TimeStampToken::parse(token).ok());
        }
    } else if let Ok(record) = EvidenceRecord::parse(bytes) {
        tokens.extend(
            record
                .time_stamps()
                .filter_map(|(_, _, stamp)| stamp.token().ok()),
        );
    } else if let Ok(record) = XmlEvidenceRecord::parse(bytes) {
        for (_, _, stamp) in record.time_stamps() {
            if let XmlToken::Rfc3161(token) = &stamp.token {
                tokens.extend(TimeStampToken::parse(token).ok());
            }
        }
    } else if let Ok(reader) = AsicReader::open(bytes) {
        for entry in reader.entries() {
            if entry.name().starts_with("META-INF/")
                && let Ok(content) = entry.read()
                && !content.starts_with(b"PK")
            {
                collect(&content, tokens, signatures);
            }
        }
    } else if let Ok(signed_data) = SignedData::parse(bytes) {
        for signer in &signed_data.signers {
            for value in signer.unsigned_attributes.iter().flat_map(|a| &a.values) {
                tokens.extend(TimeStampToken::parse(value).ok());
            }
        }
        signatures.push(signed_data);
    }
}
