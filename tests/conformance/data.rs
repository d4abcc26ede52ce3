//! The data that a row of the table names in words, as files, texts or digests that every verifier can be given.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formats::cms::SignedData;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::EvidenceRecord;
use formats::tsp::{TimeStampResponse, TimeStampToken};
use verifier::source::{DataBytes, DigestSource, KnownDigests};

use crate::vectors::Vector;

/// One data object.
#[derive(Debug, Clone)]
pub(crate) enum Datum {
    /// A file.
    File(PathBuf),
    /// Bytes that are given in the table itself.
    Text(Vec<u8>),
    /// Only its digests are known.
    Digests(Vec<DigestValue>),
}

impl Datum {
    /// As the library takes it.
    pub(crate) fn source(&self, name: &str) -> Box<dyn DigestSource> {
        match self {
            Self::File(path) => {
                let content = std::fs::read(path).expect("a file");
                Box::new(DataBytes::new(name, content))
            }
            Self::Text(text) => Box::new(DataBytes::new(name, text.clone())),
            Self::Digests(digests) => Box::new(KnownDigests::stated(name, digests.clone())),
        }
    }
}

/// The data objects that a row may be over, the likeliest first: the table sometimes names one file or another. Never empty; an empty
/// list of objects where the table names none that is there.
pub(crate) fn candidates(folder: &Path, vector: &Vector, rows: &[Vector]) -> Vec<Vec<Datum>> {
    let text = vector.covers.as_str();
    let file = |path: PathBuf| path.is_file().then(|| vec![Datum::File(path)]);
    if let Some(other) = text.strip_prefix("as ") {
        let name = other.split_whitespace().next().unwrap_or_default();
        let path = vector.beside(name).to_string_lossy().into_owned();
        let row = rows.iter().find(|row| row.path == path);
        return row.map_or_else(|| vec![Vec::new()], |row| candidates(folder, row, rows));
    }
    let found: Vec<Vec<Datum>> = if text.starts_with("the CAdES file of same stem") {
        let target = target(vector, rows);
        target
            .and_then(|target| file(folder.join(&target.path)))
            .into_iter()
            .collect()
    } else if text.starts_with("objects inside") {
        inside(&folder.join(vector.beside(text.rsplit(' ').next().unwrap_or_default())))
    } else if vector.kind.starts_with("CAdES") {
        let prefix = vector
            .path
            .rsplit_once("__")
            .map_or("", |(prefix, _)| prefix);
        let words = text
            .split([' ', ',', '/'])
            .filter(|word| word.contains('.'));
        let names = words.flat_map(|word| {
            let beside = folder.join(vector.beside(word));
            [beside, folder.join(format!("{prefix}__{word}"))]
        });
        names.filter_map(file).collect()
    } else {
        vec![words_of(folder, vector)]
    };
    let mut found = if found.is_empty() {
        vec![Vec::new()]
    } else {
        found
    };
    if vector.expected.contains("only with CRLF data") {
        for datum in found.iter_mut().flatten() {
            if let Datum::File(path) = datum {
                *datum = Datum::Text(with_line_ends(&std::fs::read(path).expect("a file")));
            }
        }
    }
    found
}

/// Each text in base64 in an XML container: the evidence that was split out of it is over one or some of them.
fn inside(container: &Path) -> Vec<Vec<Datum>> {
    let Ok(text) = std::fs::read_to_string(container) else {
        return Vec::new();
    };
    let pieces = text
        .split(['<', '>'])
        .map(|piece| piece.split_whitespace().collect::<String>());
    pieces
        .filter(|piece| piece.len() >= 8)
        .filter_map(|piece| STANDARD.decode(piece).ok())
        .map(|bytes| vec![Datum::Text(bytes)])
        .collect()
}

/// Where the data is not there: the digest that the evidence itself names, in its place. Everything but the data is judged then, and the
/// report says that it had nothing better.
pub(crate) fn stand_in(bytes: &[u8]) -> Option<Datum> {
    let of_token = |bytes: &[u8]| TimeStampToken::parse(bytes).ok()?.info.imprint.value();
    let digest = if let Ok(record) = EvidenceRecord::parse(bytes) {
        let (_, _, first) = record.time_stamps().next()?;
        let token = of_token(&first.time_stamp);
        let algorithm = first
            .digest_algorithm
            .as_ref()
            .and_then(|named| named.digest_algorithm());
        let algorithm = algorithm.or(token.map(|value| value.algorithm()))?;
        let lists = first.reduced_hash_tree.as_deref().unwrap_or_default();
        let first = lists.first().and_then(|list| list.0.first());
        match first {
            Some(value) => DigestValue::from_bytes(algorithm, value),
            None => token,
        }
    } else if let Ok(response) = TimeStampResponse::parse(bytes) {
        of_token(response.token.as_deref()?)
    } else if let Some(imprint) = of_token(bytes) {
        Some(imprint)
    } else {
        let signed_data = SignedData::parse(bytes)
            .ok()
            .filter(|it| it.content.is_none())?;
        let signer = signed_data.signers.first()?;
        let algorithm = signer.digest_algorithm.digest_algorithm()?;
        DigestValue::from_bytes(algorithm, &signer.message_digest().ok()??)
    };
    digest.map(|digest| Datum::Digests(vec![digest]))
}

/// Whether evidence is a signature that holds what it signs, so that nothing beside it can be data of it.
pub(crate) fn holds_its_content(bytes: &[u8]) -> bool {
    TimeStampToken::parse(bytes).is_err()
        && SignedData::parse(bytes).is_ok_and(|signed_data| signed_data.content.is_some())
}

fn words_of(folder: &Path, vector: &Vector) -> Vec<Datum> {
    let mut data: Vec<Datum> = Vec::new();
    // A slash joins digests of the same object.
    let mut joined = false;
    for word in words(&vector.covers) {
        if let Some(literal) = word.strip_prefix("utf8:") {
            data.push(Datum::Text(literal.trim_matches('"').as_bytes().to_vec()));
        } else if let Some(literal) = word.strip_prefix("hex:") {
            data.push(Datum::Text(hex::decode(literal).expect("hexadecimal")));
        } else if let Some(digest) = digest_of(&word) {
            match data.last_mut() {
                Some(Datum::Digests(digests)) if joined || is_other(digests, digest) => {
                    digests.push(digest);
                }
                _ => data.push(Datum::Digests(vec![digest])),
            }
        } else if data.is_empty() && word != "/" {
            let path = folder.join(vector.beside(&word));
            data.extend(path.is_file().then_some(Datum::File(path)));
        }
        joined = word == "/";
    }
    data
}

/// Digests under different functions, one after the other, are of one object.
fn is_other(digests: &[DigestValue], digest: DigestValue) -> bool {
    let mut known = digests.iter().map(DigestValue::algorithm);
    known.all(|algorithm| algorithm != digest.algorithm())
}

fn digest_of(word: &str) -> Option<DigestValue> {
    let (name, value) = word.split_once(':')?;
    let name = name.to_uppercase().replace("SHA", "SHA-");
    let algorithm = DigestAlgorithm::from_name(&name)?;
    let bytes = STANDARD
        .decode(value)
        .ok()
        .or_else(|| hex::decode(value).ok());
    DigestValue::from_bytes(algorithm, &bytes?)
}

/// Words, where a quoted text is one.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in text.chars() {
        quoted ^= character == '"';
        if !quoted && (character == ' ' || character == ',') {
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The signature that an evidence record beside it is over: the one that `expected` names, or that of the same stem.
fn target<'a>(vector: &Vector, rows: &'a [Vector]) -> Option<&'a Vector> {
    let here =
        |row: &&Vector| row.kind.contains("(ER target)") && row.beside("") == vector.beside("");
    if let Some((_, named)) = vector.expected.split_once(" over ") {
        let start = named.split("...").next().unwrap_or_default();
        return rows
            .iter()
            .filter(here)
            .find(|row| row.path.contains(start));
    }
    let stem = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let name = name
            .replace("evidence-record-", "")
            .replace("evidence-record__", "");
        let stem = name.rsplit_once('.').map(|(stem, _)| stem.to_owned());
        stem.unwrap_or(name).trim_start_matches('_').to_owned()
    };
    let own = stem(&vector.path);
    let own = own.strip_suffix("-no-hashtree").unwrap_or(&own);
    rows.iter().filter(here).find(|row| stem(&row.path) == own)
}

fn with_line_ends(content: &[u8]) -> Vec<u8> {
    let mut changed = Vec::with_capacity(content.len() * 2);
    for byte in content.iter().filter(|byte| **byte != b'\r') {
        if *byte == b'\n' {
            changed.push(b'\r');
        }
        changed.push(*byte);
    }
    changed
}

#[test]
fn covered_data_is_read_from_words() {
    let vector = |covers: &str| Vector {
        path: "ers/a.ers".to_owned(),
        kind: "ERS-RFC4998".to_owned(),
        expected: "PASS".to_owned(),
        covers: covers.to_owned(),
    };
    let nowhere = Path::new("/nowhere");
    let data = |covers: &str| candidates(nowhere, &vector(covers), &[]).swap_remove(0);
    assert!(matches!(&data("utf8:\"a, b\"")[..], [Datum::Text(text)] if text == b"a, b"));
    assert!(matches!(
        &data("hex:03 and hex:01")[..],
        [Datum::Text(_), Datum::Text(_)]
    ));
    let one = "sha256:nOLX01D5QYQHQ58MoR3MEquffNsV+ezF7Kk1SCYCuHI=";
    let other = "sha256:7sxNM1LA6WX9iHle39GmDFrAmzwRAMBS67auC9NDKyY=";
    assert_eq!(data(&format!("{one} , {other} (and a remark)")).len(), 2);
    assert!(data("-").is_empty());
    assert!(data("see test").is_empty());
    assert_eq!(with_line_ends(b"a\nb\r\n"), b"a\r\nb\r\n");
}
