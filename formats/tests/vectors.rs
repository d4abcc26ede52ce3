//! Reads evidence made by other programs.
//!
//! The vectors stand outside of the project (`FUMIKURA_VECTORS`, by default `../shared/vectors` beside the workspace). Without them these
//! tests say so in one line and pass.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::panic
)] // Test code: a panic is the report.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use formats::cms::{SignedData, SignerInfo};
use formats::der::{has_indefinite_length, to_der_lengths};
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::error::ErrorKind;
use formats::evidence::{ArchiveTimeStamp, EvidenceRecord, hash_tree};
use formats::tsp::{Status, TimeStampRequest, TimeStampResponse, TimeStampToken, TstInfo};
use formats::x509;

#[derive(Debug)]
struct Vector {
    name: String,
    extension: String,
    bytes: Vec<u8>,
}

#[test]
fn every_evidence_record_is_read_and_written_again() {
    let mut count = 0;
    for vector in evidence_records() {
        let name = &vector.name;
        let record = EvidenceRecord::parse(&vector.bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(record.raw(), vector.bytes, "{name}");
        assert_eq!(record.encode().as_ref(), Ok(&vector.bytes), "{name}");
        for (_, _, time_stamp) in record.time_stamps() {
            assert_eq!(
                time_stamp.encode().as_deref(),
                Ok(time_stamp.raw()),
                "{name}"
            );
            let again = ArchiveTimeStamp::parse(time_stamp.raw()).unwrap();
            assert_eq!(&again, time_stamp, "{name}");
        }
        count += 1;
    }
    eprintln!("{count} evidence records");
}

#[test]
fn only_the_record_of_version_0_has_another_version() {
    for vector in evidence_records() {
        let record = EvidenceRecord::parse(&vector.bytes).unwrap();
        let expected = u32::from(vector.name != "er_nok_wrong_version.er");
        assert_eq!(record.version, expected, "{}", vector.name);
    }
}

#[test]
fn reduced_hash_trees_lead_to_what_the_time_stamps_cover() {
    let mut differs = BTreeSet::new();
    let mut holds = 0;
    for vector in vectors("ers").iter().filter(|v| is_record(v)) {
        let record = EvidenceRecord::parse(&vector.bytes).unwrap();
        for (_, _, time_stamp) in record.time_stamps() {
            let imprint = time_stamp.token().unwrap().info.imprint.value().unwrap();
            let Some(lists) = &time_stamp.reduced_hash_tree else {
                continue;
            };
            if hash_tree::root_of(imprint.algorithm(), lists) == Ok(imprint) {
                holds += 1;
            } else {
                differs.insert(vector.name.clone());
            }
            if vector.name == "xaip_ok_ers_intermediate_hash.0.ers" {
                let root = hash_tree::root_of_sets(imprint.algorithm(), lists);
                assert_eq!(root, Ok(imprint));
            }
        }
    }
    if holds == 0 {
        return;
    }
    let expected = BTreeSet::from(BROKEN_TREES.map(str::to_owned));
    assert_eq!(differs, expected);
    eprintln!("{holds} reduced hash trees");
}

#[test]
fn first_time_stamps_cover_the_data() {
    let all = vectors("ers");
    let find = |name: &str| all.iter().find(|v| v.name == name);
    for (record, data) in RECORDS_WITH_DATA {
        let (Some(vector), Some(data)) = (find(record), find(data)) else {
            assert!(all.is_empty(), "{record} is missing");
            return;
        };
        let record = EvidenceRecord::parse(&vector.bytes).unwrap();
        let first = &record.sequence[0].time_stamps[0];
        let imprint = first.token().unwrap().info.imprint.value().unwrap();
        let digest = imprint.algorithm().digest(&data.bytes);
        match &first.reduced_hash_tree {
            Some(lists) => {
                assert!(lists[0].0.iter().any(|hash| hash == digest.as_bytes()));
                assert_eq!(hash_tree::root_of(imprint.algorithm(), lists), Ok(imprint));
            }
            None => assert_eq!(imprint, digest, "{}", vector.name),
        }
    }
}

/// RFC 4998 §5.2: a time-stamp renewal covers the exact bytes of the token before it.
#[test]
fn time_stamp_renewals_cover_the_exact_token_before() {
    let mut links = 0;
    for vector in vectors("ers").iter().filter(|v| is_record(v)) {
        let record = EvidenceRecord::parse(&vector.bytes).unwrap();
        for chain in &record.sequence {
            for pair in chain.time_stamps.windows(2) {
                let imprint = pair[1].token().unwrap().info.imprint.value().unwrap();
                let digest = imprint.algorithm().digest(&pair[0].time_stamp);
                assert!(
                    covers(&pair[1], digest, imprint),
                    "{}: time-stamp renewal",
                    vector.name
                );
                links += 1;
            }
        }
    }
    eprintln!("{links} time-stamp renewals");
}

/// RFC 4998 §5.2: a hash-tree renewal covers H(H(d) ‖ H(sequence before it)).
#[test]
fn hash_tree_renewals_cover_data_and_sequence() {
    let all = vectors("ers");
    let find = |name: &str| all.iter().find(|v| v.name == name);
    let mut links = 0;
    for (name, data) in RECORDS_WITH_DATA {
        let (Some(vector), Some(data)) = (find(name), find(data)) else {
            return;
        };
        let record = EvidenceRecord::parse(&vector.bytes).unwrap();
        for (position, chain) in record.sequence.iter().enumerate().skip(1) {
            let first = &chain.time_stamps[0];
            let imprint = first.token().unwrap().info.imprint.value().unwrap();
            let algorithm = imprint.algorithm();
            let mut hasher = algorithm.hasher();
            hasher.update(algorithm.digest(&data.bytes).as_bytes());
            hasher.update(
                algorithm
                    .digest(&record.sequence_bytes(position))
                    .as_bytes(),
            );
            assert!(covers(first, hasher.finish(), imprint), "{name} {position}");
            links += 1;
        }
    }
    assert!(all.is_empty() || links > 10);
}

#[test]
fn tokens_requests_and_responses_are_read() {
    for vector in vectors("tst") {
        let Vector { name, bytes, .. } = &vector;
        match kind_of(name) {
            Kind::Token => {
                let token = TimeStampToken::parse(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
                assert_eq!(token.raw(), bytes, "{name}");
                check_token(name, &token);
            }
            Kind::NotAToken(expected) => {
                let error = TimeStampToken::parse(bytes).unwrap_err();
                assert_eq!(error.kind(), expected, "{name}");
                SignedData::parse(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
            }
            Kind::Response => {
                let response = TimeStampResponse::parse(bytes).unwrap();
                assert_eq!(response.raw(), bytes, "{name}");
                assert_eq!(&response.encode(), bytes, "{name}");
                assert_eq!(response.is_granted(), name != "rejection.tsq", "{name}");
                if let Some(token) = &response.token {
                    check_token(name, &TimeStampToken::parse(token).unwrap());
                } else {
                    assert_eq!(response.status, Status::Rejection);
                }
            }
            Kind::Request => {
                let request = TimeStampRequest::parse(bytes).unwrap();
                assert_eq!(request.raw(), bytes, "{name}");
                assert_eq!(&request.encode(), bytes, "{name}");
            }
            Kind::Pem => {
                assert!(
                    !x509::read_certificates(bytes).unwrap().is_empty(),
                    "{name}"
                );
            }
            Kind::Malformed => assert!(TimeStampResponse::parse(bytes).is_err(), "{name}"),
            Kind::Data => assert!(TimeStampToken::parse(bytes).is_err(), "{name}"),
        }
    }
}

#[test]
fn signed_data_is_read_whatever_its_encoding() {
    let mut count = 0;
    let mut indefinite = 0;
    for vector in vectors("cades").iter().filter(|v| is_cms(v)) {
        let Vector { name, bytes, .. } = vector;
        let parsed = SignedData::parse(bytes);
        if name == "cades-double-signing-certificate.p7m" {
            // A line end follows the structure.
            assert_eq!(parsed.unwrap_err().kind(), ErrorKind::TrailingBytes);
            continue;
        }
        let signed_data = parsed.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(signed_data.raw(), bytes, "{name}");
        let definite = to_der_lengths(bytes).unwrap();
        let again = SignedData::parse(&definite).unwrap();
        assert_eq!(again.content, signed_data.content, "{name}");
        let signed = |signer: &SignerInfo| {
            let attributes = signer.signed_attributes.clone();
            attributes.map(|a| a.signed_bytes().to_vec())
        };
        for (before, after) in signed_data.signers.iter().zip(&again.signers) {
            assert_eq!(signed(before), signed(after), "{name}");
            assert_eq!(before.signature, after.signature, "{name}");
        }
        if has_indefinite_length(bytes).unwrap() {
            assert_ne!(&definite, bytes, "{name}");
            indefinite += 1;
        } else {
            assert_eq!(&definite, bytes, "{name}");
        }
        count += 1;
    }
    eprintln!("{count} SignedData, {indefinite} with indefinite lengths");
}

#[test]
fn digests_of_content_are_those_that_signers_signed() {
    let mut holds = 0;
    for vector in vectors("ers").iter().filter(|v| is_record(v)) {
        let record = EvidenceRecord::parse(&vector.bytes).unwrap();
        for (_, _, time_stamp) in record.time_stamps() {
            let token = time_stamp.token().unwrap();
            let signer = &token.signed_data.signers[0];
            let algorithm = signer.digest_algorithm.digest_algorithm().unwrap();
            let digest = algorithm.digest(token.info.raw());
            let attribute = signer.message_digest().unwrap().unwrap();
            assert_eq!(digest.as_bytes(), attribute, "{}", vector.name);
            assert_eq!(signer.content_type(), Ok(Some(formats::oid::TST_INFO)));
            let ids = signer.signing_certificates().unwrap();
            for id in ids.signer_ids() {
                let mut bag = token.signed_data.x509_certificates();
                assert!(
                    bag.any(|certificate| id.matches(certificate) == Some(true)),
                    "{}: the signer's certificate",
                    vector.name
                );
            }
            holds += 1;
        }
    }
    eprintln!("{holds} tokens in evidence records");
}

#[test]
fn evidence_inside_of_containers_is_read() {
    let mut count = 0;
    for vector in vectors("asic") {
        for (member, bytes) in members(&vector.bytes) {
            let name = format!("{} {member}", vector.name);
            let lower = member.to_lowercase();
            if bytes.first() != Some(&0x30) {
                continue;
            }
            if lower.ends_with(".ers") {
                let record =
                    EvidenceRecord::parse(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
                assert_eq!(record.encode().as_ref(), Ok(&bytes), "{name}");
                count += 1;
            } else if lower.ends_with(".tst") || lower.ends_with(".p7s") {
                let signed_data =
                    SignedData::parse(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
                assert_eq!(signed_data.raw(), bytes, "{name}");
                count += 1;
            }
        }
    }
    eprintln!("{count} structures in containers");
}

#[test]
fn certificates_in_bags_agree_with_another_parser() {
    let mut count = 0;
    for vector in evidence_records() {
        let record = EvidenceRecord::parse(&vector.bytes).unwrap();
        for (_, _, time_stamp) in record.time_stamps() {
            let token = time_stamp.token().unwrap();
            for bytes in token.signed_data.x509_certificates() {
                let certificate = x509::Certificate::parse(bytes).unwrap();
                let other = certificate.x509().unwrap();
                assert_eq!(certificate.serial().as_bytes(), other.raw_serial());
                assert_eq!(certificate.issuer(), other.issuer().as_raw());
                assert_eq!(certificate.subject(), other.subject().as_raw());
                assert_eq!(certificate.spki(), other.public_key().raw);
                assert_eq!(certificate.tbs(), other.tbs_certificate.as_ref());
                count += 1;
            }
        }
    }
    eprintln!("{count} certificates");
}

/// Cut off anywhere, or with a bit turned anywhere, nothing panics, and what is still read is kept byte for byte.
#[test]
fn damaged_evidence_does_no_harm() {
    let mut files = evidence_records();
    files.extend(vectors("tst"));
    files.extend(vectors("cades").into_iter().filter(is_cms));
    for vector in files.iter().filter(|v| v.bytes.len() < 20_000) {
        // A prime step meets every kind of byte over the files without taking minutes.
        for position in (0..vector.bytes.len()).step_by(211) {
            read_all(&vector.bytes[..position]);
            let mut flipped = vector.bytes.clone();
            flipped[position] ^= 1 << (position % 8);
            read_all(&flipped);
        }
    }
}

fn read_all(bytes: &[u8]) {
    if let Ok(record) = EvidenceRecord::parse(bytes) {
        assert_eq!(record.raw(), bytes);
        for (_, _, time_stamp) in record.time_stamps() {
            if let Ok(token) = time_stamp.token() {
                read_signers(&token.signed_data);
            }
            if let Some(lists) = &time_stamp.reduced_hash_tree {
                let _root = hash_tree::root_of(DigestAlgorithm::Sha256, lists);
            }
        }
    }
    if let Ok(signed_data) = SignedData::parse(bytes) {
        assert_eq!(signed_data.raw(), bytes);
        read_signers(&signed_data);
        if let Some(content) = &signed_data.content {
            let _info = TstInfo::parse(content);
        }
    }
    if let Ok(response) = TimeStampResponse::parse(bytes) {
        assert_eq!(response.raw(), bytes);
        if let Some(token) = &response.token {
            let _token = TimeStampToken::parse(token);
        }
    }
    if let Ok(request) = TimeStampRequest::parse(bytes) {
        assert_eq!(request.raw(), bytes);
    }
    let _definite = to_der_lengths(bytes);
    let _certificates = x509::read_certificates(bytes);
}

fn read_signers(signed_data: &SignedData) {
    for signer in &signed_data.signers {
        let _ids = signer.signing_certificates();
        let _time = signer.signing_time();
        let _digest = signer.message_digest();
        let _type = signer.content_type();
        if let Some(attributes) = &signer.signed_attributes {
            assert_eq!(attributes.signed_bytes()[0], 0x31);
            let _sorted = attributes.signed_bytes_der_sorted();
        }
    }
    for revocation in &signed_data.revocations {
        let _response = revocation.basic_ocsp_response();
    }
    for bytes in signed_data.x509_certificates() {
        if let Ok(certificate) = x509::Certificate::parse(bytes) {
            let _subject = certificate.subject_text();
            let _other = certificate.x509();
        }
    }
}

fn check_token(name: &str, token: &TimeStampToken) {
    assert!(!token.info.gen_time_text.is_empty(), "{name}");
    let again = TstInfo::parse(&token.info.encode().unwrap()).unwrap();
    assert_eq!(again.gen_time, token.info.gen_time, "{name}");
    assert_eq!(again.serial, token.info.serial, "{name}");
    assert_eq!(again.imprint, token.info.imprint, "{name}");
    for signer in &token.signed_data.signers {
        assert_eq!(
            signer.signing_certificates().is_err(),
            BROKEN_SIGNING_CERTIFICATES.contains(&name),
            "{name}"
        );
    }
}

/// Whether a time-stamp covers a digest, directly or through its tree.
fn covers(time_stamp: &ArchiveTimeStamp, digest: DigestValue, imprint: DigestValue) -> bool {
    match &time_stamp.reduced_hash_tree {
        Some(lists) => {
            let listed = lists[0].0.iter().any(|hash| hash == digest.as_bytes());
            listed && hash_tree::root_of(imprint.algorithm(), lists) == Ok(imprint)
        }
        None => digest == imprint,
    }
}

enum Kind {
    Token,
    NotAToken(ErrorKind),
    Response,
    Request,
    Pem,
    Malformed,
    Data,
}

fn kind_of(name: &str) -> Kind {
    match name {
        "TimeStampTokenWithInvalidTSTInfo.p7s" => Kind::NotAToken(ErrorKind::UnexpectedTag),
        "TimeStampTokenWithInvalideContentType.p7s"
        | "cms__Sha1SignedData.p7s"
        | "cms__SignedDataWithoutSignedAttributes.p7s"
        | "cms__TimeStampTokenWithInvalidContentType.p7s" => Kind::NotAToken(ErrorKind::WrongType),
        "malformed.tsq" => Kind::Malformed,
        "granted.tsq" | "rejection.tsq" | "tsp_response.der" => Kind::Response,
        "d-trust.tsr" | "BIN_ER.ers.0.0.tsr" => Kind::Token,
        "GlobalSignRootCA.crt" => Kind::Pem,
        "FileDaFirmare.txt.tsd.der" => Kind::Data,
        _ if name.ends_with(".tsr") => Kind::Response,
        _ if name.ends_with(".p7s") || name.ends_with(".tst") => Kind::Token,
        _ if name.ends_with("request.der") => Kind::Request,
        _ if name.ends_with(".pem") => Kind::Pem,
        _ => Kind::Data,
    }
}

/// Every file in the folders below `folder`, sorted; empty without vectors.
fn vectors(folder: &str) -> Vec<Vector> {
    let root = std::env::var_os("FUMIKURA_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    let Ok(folders) = std::fs::read_dir(root.join(folder)) else {
        eprintln!("left out: no vectors at {}", root.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = folders
        .flat_map(|entry| std::fs::read_dir(entry.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    let text =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let read = |path: PathBuf| Vector {
        name: text(path.file_name()),
        extension: text(path.extension()),
        bytes: std::fs::read(&path).unwrap(),
    };
    paths.into_iter().map(read).collect()
}

fn is_record(vector: &Vector) -> bool {
    matches!(vector.extension.as_str(), "ers" | "er")
}

fn is_cms(vector: &Vector) -> bool {
    !is_record(vector)
        && vector.bytes.first() == Some(&0x30)
        && vector.name != "signature-policy.der"
        && vector.extension != "bin"
}

fn evidence_records() -> Vec<Vector> {
    let mut all = vectors("ers");
    all.extend(vectors("cades"));
    all.retain(|vector| is_record(vector) && vector.bytes.first() == Some(&0x30));
    all
}

fn members(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    use std::io::Read as _;
    let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(archive)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let Ok(mut member) = archive.by_index(index) else {
            continue;
        };
        let name = member.name().map(std::borrow::Cow::into_owned);
        let mut bytes = Vec::new();
        if member.size() < 4_000_000 && member.read_to_end(&mut bytes).is_ok() {
            found.extend(name.map(|name| (name, bytes)));
        }
    }
    found
}

/// Records whose trees do not lead to what their time-stamps cover: made so (NOK), or valid in another reading only.
const BROKEN_TREES: [&str; 12] = [
    "ER_DOUBLE_HASHED_FOR_TXT_DATA.ers",
    "ER_NOK_SHA224_DFN_XAIP_OK_SIG_OK.ers",
    "ER_NOK_SHA256_DGN_XAIP_OK_SIG_OK.ers",
    "ER_NOK_SHA3-224_OPENSSL_XAIP_OK_SIG_OK.ers",
    "ER_NOK_SHA3-256_OPENSSL_XAIP_OK_SIG_OK.ers",
    "ER_NOK_SHA3-384_OPENSSL_XAIP_OK_SIG_OK.ers",
    "ER_NOK_SHA3-512_OPENSSL_XAIP_OK_SIG_OK.ers",
    "ER_NOK_SHA512_DGN_XAIP_OK_SIG_OK.ers",
    "ER_SHA256-DGN_XAIP_OK_SC3.ers",
    "xaip_nok.ers",
    "xaip_nok_ers_wrong_intermediate_hash.0.ers",
    "xaip_ok_ers_intermediate_hash.0.ers",
];

/// Records and one document that they cover.
const RECORDS_WITH_DATA: [(&str, &str); 16] = [
    ("1Chain2ATS_BIN_ER.ers", "1Chain2ATS_BIN.bin"),
    ("2Chains3ATS_BIN_ER.ers", "2Chains3ATS_BIN.bin"),
    ("ER_OK_SHA224_DFN_XAIP_OK_SIG_OK.ers", "TXT_DATA.txt"),
    ("ER_OK_SHA3-512_OPENSSL_XAIP_OK_SIG_OK.ers", "TXT_DATA.txt"),
    ("ER_SHA256-DGN_XAIP_OK_SC1.ers", "TXT_DATA.txt"),
    ("ER_SHA256-DGN_XAIP_OK_SC2.ers", "TXT_DATA.txt"),
    ("1_0_Initial.er", "data_123456.bin"),
    ("1_1_Renew_Unsorted.er", "data_123456.bin"),
    ("1_2_Renew_Unsorted.er", "data_123456.bin"),
    ("1_3_Renew_Unsorted.er", "data_123456.bin"),
    ("BIN-3_ER.ers", "BIN-3.bin"),
    ("ER-2Chains3ATS.ers", "data_DO-01.bin"),
    ("er-asn1-full-renewal.ers", "data_x03.bin"),
    ("er-asn1-full-renewal-five-ats-chain.ers", "data_x03.bin"),
    ("er-asn1-one-level-hashtree.ers", "data_x02.bin"),
    (
        "xaip_ok_single_protected_data_object_resigned_and_rehased.0.ers",
        "xaip_ok_single_protected_data_object_resigned_and_rehased.bin",
    ),
];

/// Tokens whose signingCertificateV2 attribute was cut off or emptied.
const BROKEN_SIGNING_CERTIFICATES: [&str; 2] = [
    "TimeStampTokenWithInvalidSigningCertificateV2.p7s",
    "TimeStampTokenWithSigningCertificateV2NoCert.p7s",
];
