//! Several proofs over the same data: one that has passed is enough, and nothing broken is passed over (ADR 0015).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use std::io::Cursor;

use formats::asic::{AsicReader, AsicWriter, MIMETYPE_ASIC_E};
use formats::package::{
    EVIDENCE_RECORD, EVIDENCE_RECORD_MANIFEST, SECOND_EVIDENCE_RECORD,
    SECOND_EVIDENCE_RECORD_MANIFEST,
};
use support::authority::{Authority, Profile};
use support::judging;
use support::record::{ALGORITHM, RECEIVED, Record, batch, package};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use verifier::finding::{Code, Severity, package as codes};
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::{ObjectKind, Report};
use verifier::source::{DataBytes, DigestSource, InputFile};
use verifier::verdict::{Conclusion, Integrity, SubIndication};

const NOW: OffsetDateTime = datetime!(2027-01-01 00:00 UTC);
/// When the first authority's certificate has ended, and the second's has not.
const LATER: OffsetDateTime = datetime!(2031-01-01 00:00 UTC);
/// The second authority answers a moment later.
const SECOND: OffsetDateTime = datetime!(2026-11-22 03:48:40 UTC);

fn authority(seed: u8, to: OffsetDateTime) -> Authority {
    Authority::new(Profile {
        seed,
        from: datetime!(2026-01-01 00:00 UTC),
        to,
        for_time_stamps: true,
    })
}

fn first() -> Authority {
    authority(1, datetime!(2030-01-01 00:00 UTC))
}

fn second() -> Authority {
    authority(2, datetime!(2036-01-01 00:00 UTC))
}

fn anchors() -> Vec<TrustAnchor> {
    vec![first().anchor(), second().anchor()]
}

fn judge(
    files: &[InputFile<'_>],
    data: &[&dyn DigestSource],
    anchors: &[TrustAnchor],
    time: OffsetDateTime,
) -> Report {
    let policy = Policy::default();
    verify(files, data, &judging(anchors, &policy, time))
}

fn has(report: &Report, code: Code) -> bool {
    report.findings.iter().any(|finding| finding.code() == code)
}

/// Members of a package with the evidence records of two authorities; and those of another record.
fn members_of_two() -> (Vec<(String, Vec<u8>)>, Vec<u8>) {
    let records = [
        Record::new(1, &[("a.txt", b"text"), ("b.txt", b"more")]),
        Record::new(2, &[("c.txt", b"other")]),
    ];
    let groups: Vec<_> = records
        .iter()
        .map(|record| record.group(ALGORITHM))
        .collect();
    let one = batch(&groups, &first(), RECEIVED);
    let two = batch(&groups, &second(), SECOND);
    let bytes = package(&records[0], &one[0].encode().unwrap());
    let reader = AsicReader::open(&bytes).unwrap();
    let mut members: Vec<(String, Vec<u8>)> = reader
        .entries()
        .iter()
        .map(|entry| (entry.name().to_owned(), entry.read().unwrap().into_owned()))
        .collect();
    let manifest = content(&mut members, EVIDENCE_RECORD_MANIFEST).clone();
    let manifest = String::from_utf8(manifest)
        .unwrap()
        .replace(EVIDENCE_RECORD, SECOND_EVIDENCE_RECORD);
    let at = members
        .iter()
        .position(|(name, _)| name == EVIDENCE_RECORD)
        .unwrap();
    let added = [
        (
            SECOND_EVIDENCE_RECORD_MANIFEST.to_owned(),
            manifest.into_bytes(),
        ),
        (SECOND_EVIDENCE_RECORD.to_owned(), two[0].encode().unwrap()),
    ];
    members.splice(at + 1..at + 1, added);
    (members, two[1].encode().unwrap())
}

fn content<'m>(members: &'m mut [(String, Vec<u8>)], name: &str) -> &'m mut Vec<u8> {
    let member = members.iter_mut().find(|(member, _)| member == name);
    &mut member.unwrap().1
}

fn packed(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = AsicWriter::new(Cursor::new(Vec::new()), MIMETYPE_ASIC_E).unwrap();
    for (name, content) in members.iter().filter(|(name, _)| name != "mimetype") {
        writer.add_bytes(name, content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn judge_package(
    members: &[(String, Vec<u8>)],
    anchors: &[TrustAnchor],
    time: OffsetDateTime,
) -> Report {
    let bytes = packed(members);
    judge(&[InputFile::new("RECORD.asice", bytes)], &[], anchors, time)
}

#[test]
fn the_earliest_of_two_passed_proofs_counts() {
    let (members, _) = members_of_two();
    let report = judge_package(&members, &anchors(), NOW);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    assert_eq!(report.best_signature_time, Some(RECEIVED));
    assert!(!has(&report, codes::PROOF_PASSED_OVER));
}

#[test]
fn a_proof_that_is_not_trusted_or_has_aged_is_passed_over() {
    let (members, _) = members_of_two();
    for (anchors, time, reason) in [
        (vec![second().anchor()], NOW, "NO_CERTIFICATE_CHAIN_FOUND"),
        (anchors(), LATER, "OUT_OF_BOUNDS_NO_POE"),
    ] {
        let report = judge_package(&members, &anchors, time);
        assert!(report.judgement.is_passed(), "{:?}", report.findings);
        assert_eq!(report.best_signature_time, Some(SECOND));
        let finding = report
            .findings
            .iter()
            .find(|finding| finding.code() == codes::PROOF_PASSED_OVER)
            .unwrap();
        assert_eq!(finding.severity(), Severity::Warning);
        assert!(finding.details()[0].ends_with(EVIDENCE_RECORD));
        assert_eq!(finding.details()[1..], ["INDETERMINATE", reason]);
        let stamps: Vec<Conclusion> = report
            .objects
            .iter()
            .filter(|object| object.kind == ObjectKind::Timestamp)
            .map(|object| object.judgement.conclusion())
            .collect();
        assert_eq!(stamps, [Conclusion::Indeterminate, Conclusion::TotalPassed]);
    }
}

#[test]
fn without_a_passed_proof_the_package_does_not_pass() {
    let (members, _) = members_of_two();
    let report = judge_package(&members, &[], NOW);
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::NoCertificateChainFound)
    );
    assert_eq!(report.best_signature_time, None);
}

#[test]
fn a_broken_proof_is_never_passed_over() {
    let (good, other) = members_of_two();
    type Damage = (&'static str, fn(&mut Vec<u8>, &[u8]));
    let damages: [Damage; 3] = [
        ("another record's", |content, other| {
            *content = other.to_vec();
        }),
        ("cut off", |content, _| {
            content.pop();
        }),
        ("changed", |content, _| {
            let last = content.len() - 1;
            content[last] ^= 1;
        }),
    ];
    for name in [EVIDENCE_RECORD, SECOND_EVIDENCE_RECORD] {
        for (what, damage) in damages {
            let mut members = good.clone();
            damage(content(&mut members, name), &other);
            for anchors in [anchors(), vec![]] {
                let report = judge_package(&members, &anchors, NOW);
                assert_eq!(
                    report.judgement.conclusion(),
                    Conclusion::TotalFailed,
                    "{name}: {what}"
                );
                assert_eq!(report.judgement.integrity(), Integrity::Broken);
            }
        }
    }
}

#[test]
fn half_of_a_second_proof_is_no_package_of_ours() {
    let (good, _) = members_of_two();
    for (missing, others_too) in [
        (SECOND_EVIDENCE_RECORD, false),
        (SECOND_EVIDENCE_RECORD_MANIFEST, false),
        (EVIDENCE_RECORD, false),
        (EVIDENCE_RECORD_MANIFEST, false),
        (SECOND_EVIDENCE_RECORD, true),
    ] {
        let mut members = good.clone();
        members.retain(|(name, _)| {
            name != missing && !(others_too && name == SECOND_EVIDENCE_RECORD_MANIFEST)
        });
        let report = judge_package(&members, &anchors(), NOW);
        assert_eq!(report.judgement.is_passed(), others_too, "{missing}");
    }
}

#[test]
fn detached_proofs_of_one_document_are_alternatives() {
    let document = DataBytes::new("document", b"a document".as_slice());
    let digest = ALGORITHM.digest(b"a document");
    let record = batch(&[vec![digest]], &first(), RECEIVED).remove(0);
    let record = InputFile::new("proof.ers", record.encode().unwrap());
    let token = InputFile::new("proof.tst", second().token(&digest, SECOND));
    let data: [&dyn DigestSource; 1] = [&document];
    let files = [record.clone(), token.clone()];
    let report = judge(&files, &data, &anchors(), NOW);
    assert!(report.judgement.is_passed());
    assert_eq!(report.best_signature_time, Some(RECEIVED));
    let report = judge(&files, &data, &anchors(), LATER);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    assert_eq!(report.best_signature_time, Some(SECOND));
    assert!(has(&report, codes::PROOF_PASSED_OVER));

    // A proof of something else, and one that could not be computed, are no alternatives.
    let other = second().token(&ALGORITHM.digest(b"other"), SECOND);
    let other = InputFile::new("other.tst", other);
    let report = judge(&[record, other], &data, &anchors(), NOW);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    let unknown = InputFile::new("unknown", b"nothing".as_slice());
    let report = judge(&[token, unknown], &data, &anchors(), NOW);
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
}

#[test]
fn each_document_needs_a_proof_that_passes() {
    let documents = [
        DataBytes::new("one", b"one".as_slice()),
        DataBytes::new("two", b"two".as_slice()),
    ];
    let data: Vec<&dyn DigestSource> = documents.iter().map(|data| data as _).collect();
    let both = vec![ALGORITHM.digest(b"one"), ALGORITHM.digest(b"two")];
    let aged = batch(&[both], &first(), RECEIVED).remove(0);
    let aged = InputFile::new("both.ers", aged.encode().unwrap());
    let one = second().token(&ALGORITHM.digest(b"one"), SECOND);
    let one = InputFile::new("one.tst", one);
    let report = judge(&[aged, one], &data, &anchors(), LATER);
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    let passed: Vec<bool> = report.objects[..2]
        .iter()
        .map(|object| object.judgement.is_passed())
        .collect();
    assert_eq!(passed, [true, false]);
    assert!(LATER - Duration::days(1) > SECOND);
}
