//! Flips single bits of good evidence: none of it may pass any more, and every answer must have a finding of severity error.
//!
//! FUMIKURA_FLIPS=all flips every bit; otherwise one bit of every byte is flipped, a different one from byte to byte.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use formats::evidence::EvidenceRecord;
use formats::tsp::TimeStampResponse;
use support::authority::{Authority, Profile, TokenOptions};
use support::record::{ALGORITHM, RECEIVED, Record, batch, package, renew_time_stamp};
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::context::Context;
use verifier::finding::Severity;
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::Report;
use verifier::source::{DataBytes, DigestSource, InputFile};

const NOW: OffsetDateTime = datetime!(2027-06-01 00:00 UTC);
const DOCUMENT: &[u8] = b"a document";

fn authority() -> Authority {
    Authority::new(Profile {
        seed: 1,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2036-01-01 00:00 UTC),
        for_time_stamps: true,
    })
}

fn judge(
    bytes: &[u8],
    data: &[&dyn DigestSource],
    anchors: &[TrustAnchor],
    policy: &Policy,
) -> Report {
    let context = Context {
        anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy,
        time: NOW,
        cache: None,
        registry: None,
    };
    verify(&[InputFile::new("evidence", bytes)], data, &context)
}

/// Flips bits one at a time and gives those after which the evidence still passes.
fn surviving_flips(bytes: &[u8], data: &[&dyn DigestSource]) -> Vec<(usize, u8)> {
    let anchors = [authority().anchor()];
    let policy = Policy::default();
    let report = judge(bytes, data, &anchors, &policy);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    let every_bit = std::env::var_os("FUMIKURA_FLIPS").is_some_and(|value| value == "all");
    let mut survivors = Vec::new();
    let mut flipped = bytes.to_vec();
    for position in 0..bytes.len() {
        for bit in 0..8_u8 {
            if !every_bit && usize::from(bit) != position.wrapping_mul(5) % 8 {
                continue;
            }
            flipped[position] ^= 1 << bit;
            let report = judge(&flipped, data, &anchors, &policy);
            let told = report
                .findings
                .iter()
                .any(|finding| finding.severity() == Severity::Error);
            if report.judgement.is_passed() || !told {
                survivors.push((position, bit));
            }
            flipped[position] ^= 1 << bit;
        }
    }
    survivors
}

fn assert_no_survivor(bytes: &[u8], data: &[&dyn DigestSource]) {
    let survivors = surviving_flips(bytes, data);
    assert!(
        survivors.is_empty(),
        "{} of {} bytes: {survivors:?}",
        survivors.len(),
        bytes.len()
    );
}

fn evidence() -> (Record, EvidenceRecord) {
    let record = Record::new(1, &[("a.txt", DOCUMENT), ("b.txt", b"")]);
    let groups = [
        record.group(ALGORITHM),
        Record::new(2, &[("c", b"c")]).group(ALGORITHM),
    ];
    let evidence = batch(&groups, &authority(), RECEIVED).remove(0);
    (record, evidence)
}

#[test]
fn no_bit_of_a_token_can_be_flipped() {
    let digest = ALGORITHM.digest(DOCUMENT);
    let token = authority().token(&digest, RECEIVED);
    assert_no_survivor(&token, &[&DataBytes::new("document", DOCUMENT)]);
}

#[test]
fn no_bit_of_a_response_with_a_whole_chain_can_be_flipped() {
    let authority = authority();
    let options = TokenOptions {
        certificates: vec![authority.root().to_vec()],
        ..TokenOptions::at(RECEIVED)
    };
    let token = authority.token_with(&ALGORITHM.digest(DOCUMENT), options);
    let response = TimeStampResponse::granted(token).encode();
    assert_no_survivor(&response, &[&DataBytes::new("document", DOCUMENT)]);
}

#[test]
fn no_bit_of_an_evidence_record_can_be_flipped() {
    let (record, evidence) = evidence();
    let renewed = renew_time_stamp(&evidence, &authority(), datetime!(2027-01-01 00:00 UTC));
    let manifest = DataBytes::new("manifest", record.manifest.raw());
    let first = DataBytes::new("a", DOCUMENT);
    let second = DataBytes::new("b", b"".as_slice());
    for evidence in [evidence, renewed] {
        let bytes = evidence.encode().unwrap();
        assert_no_survivor(&bytes, &[&manifest, &first, &second]);
    }
}

#[test]
fn no_bit_of_a_package_can_be_flipped() {
    let (record, evidence) = evidence();
    let bytes = package(&record, &evidence.encode().unwrap());
    assert_no_survivor(&bytes, &[]);
}
