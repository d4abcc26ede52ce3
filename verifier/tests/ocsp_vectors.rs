//! OCSP responses in the tokens of real authorities: their signatures, and what they say about the authority.
//!
//! The vectors are not part of the project. Where the folder is absent (FUMIKURA_VECTORS, by default `shared/vectors` beside
//! the workspace), the test says so in one line and passes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

use std::path::{Path, PathBuf};

use formats::cms::{RevocationInfo, SignedData};
use formats::evidence::EvidenceRecord;
use formats::ocsp::BasicOcspResponse;
use formats::tsp::TimeStampToken;
use formats::x509::{AlgorithmIdentifier, Certificate};
use time::Duration;
use verifier::context::Context;
use verifier::crypto::verify_signature;
use verifier::finding::{Place, revocation as codes};
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::timestamp::verify_token;

/// Every token in the files of these folders, with the name of its file.
fn tokens() -> Vec<(String, Vec<u8>)> {
    let root = std::env::var_os("FUMIKURA_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    let mut found = Vec::new();
    for folder in ["ers", "tst"] {
        let Ok(families) = std::fs::read_dir(root.join(folder)) else {
            println!("left out: no vectors at {}", root.display());
            return found;
        };
        for family in families {
            for file in std::fs::read_dir(family.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let Ok(bytes) = std::fs::read(&path) else {
                    continue;
                };
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if SignedData::parse(&bytes).is_ok() {
                    found.push((name, bytes));
                } else if let Ok(record) = EvidenceRecord::parse(&bytes) {
                    let stamps = record.time_stamps();
                    found.extend(
                        stamps.map(|(_, _, stamp)| (name.clone(), stamp.time_stamp.clone())),
                    );
                }
            }
        }
    }
    found
}

/// Whether a certificate in the token or in the response itself signed the response; `None` if none of them is meant.
fn is_signed(response: &BasicOcspResponse<'_>, token: &SignedData) -> Option<bool> {
    let algorithm = AlgorithmIdentifier::parse(response.signature_algorithm).unwrap();
    let brought = response.certificates.iter().copied();
    let candidates: Vec<Certificate> = brought
        .chain(token.x509_certificates())
        .filter_map(|bytes| Certificate::parse(bytes).ok())
        .filter(|one| response.responder.names(one.subject(), one.spki()) == Ok(true))
        .collect();
    let verifies = |signer: &Certificate| {
        verify_signature(
            signer.spki(),
            &algorithm.oid,
            algorithm.parameters.as_deref(),
            None,
            response.signed,
            response.signature,
        )
        .is_valid()
    };
    (!candidates.is_empty()).then(|| candidates.iter().any(verifies))
}

/// Whether the verifier relies on an OCSP response when it judges the token, shortly after it was made, with all of its issuers trusted.
fn is_relied_on(token: &TimeStampToken) -> bool {
    let policy = include_str!("data/permissive-policy.json");
    let policy = policy.replace(r#""revocation": "off""#, r#""revocation": "if-named""#);
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    let issuers = token.signed_data.x509_certificates().filter(|bytes| {
        let parsed = verifier::certificate::Certificate::parse(bytes);
        parsed.is_ok_and(|certificate| certificate.is_ca())
    });
    let anchors: Vec<TrustAnchor> = issuers
        .filter_map(|bytes| TrustAnchor::from_certificate(bytes).ok())
        .collect();
    let context = Context {
        anchors: &anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time: token.info.gen_time + Duration::hours(1),
        cache: None,
        registry: None,
    };
    let report = verify_token(token.raw(), None, &context, &Place::root());
    report.has(codes::REVOCATION_CHECKED_OCSP) || report.has(codes::REVOCATION_KNOWN_UNTIL)
}

#[test]
fn responses_of_real_authorities_verify_and_answer() {
    let (mut signed, mut unknown, mut relied, mut with) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    let tokens = tokens();
    for (name, bytes) in &tokens {
        let Ok(token) = TimeStampToken::parse(bytes) else {
            continue;
        };
        let mut responses = Vec::new();
        for info in &token.signed_data.revocations {
            if let RevocationInfo::Ocsp { bytes, .. } = info {
                responses.extend(BasicOcspResponse::parse_either(bytes).ok());
            }
        }
        for response in &responses {
            match is_signed(response, &token.signed_data) {
                Some(true) => signed += 1,
                Some(false) => wrong.push(name),
                None => unknown += 1,
            }
        }
        if !responses.is_empty() {
            with += 1;
            relied += usize::from(is_relied_on(&token));
        }
    }
    println!(
        "{with} tokens with OCSP: {signed} responses verify, {unknown} lack their responder; {relied} tokens are answered for"
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tokens.is_empty() || (signed > 20 && relied > 0));
}
