//! Evidence packages: a good one passes, and every way of tampering with one is found.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use std::io::Cursor;

use formats::asic::{AsicReader, AsicWriter, MIMETYPE_ASIC_E};
use formats::package::{AUDIT, EVIDENCE_RECORD, EVIDENCE_RECORD_MANIFEST, MANIFEST};
use support::authority::{Authority, Profile};
use support::record::{ALGORITHM, RECEIVED, Record, batch, package};
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::context::Context;
use verifier::finding::{Code, Severity, evidence as evidence_codes, package as codes};
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::Report;
use verifier::source::{DataBytes, DigestSource, InputFile};
use verifier::verdict::{Conclusion, Integrity, SubIndication};

const NOW: OffsetDateTime = datetime!(2027-06-01 00:00 UTC);

fn authority() -> Authority {
    Authority::new(Profile {
        seed: 1,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2036-01-01 00:00 UTC),
        for_time_stamps: true,
    })
}

fn records() -> Vec<Record> {
    vec![
        Record::new(
            1,
            &[
                ("請求書.xml", b"<Invoice/>".as_slice()),
                ("写し.txt", b"copy"),
            ],
        ),
        Record::new(2, &[("other.txt", b"another document")]),
        Record::new(3, &[("third.txt", b"")]),
    ]
}

/// A good package, the evidence record of another record of the batch, and the trust anchor.
fn good() -> (Vec<u8>, Vec<u8>, TrustAnchor) {
    let authority = authority();
    let records = records();
    let groups: Vec<_> = records
        .iter()
        .map(|record| record.group(ALGORITHM))
        .collect();
    let evidence = batch(&groups, &authority, RECEIVED);
    let own = evidence[0].encode().unwrap();
    let other = evidence[1].encode().unwrap();
    (package(&records[0], &own), other, authority.anchor())
}

fn judge(bytes: &[u8], anchors: &[TrustAnchor], data: &[&dyn DigestSource]) -> Report {
    let policy = Policy::default();
    let context = Context {
        anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time: NOW,
        cache: None,
        registry: None,
    };
    verify(&[InputFile::new("RECORD.asice", bytes)], data, &context)
}

fn has(report: &Report, code: Code) -> bool {
    report.findings.iter().any(|finding| finding.code() == code)
}

/// The members of a package.
fn members(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let reader = AsicReader::open(bytes).unwrap();
    let entries = reader.entries().iter();
    entries
        .map(|entry| (entry.name().to_owned(), entry.read().unwrap().into_owned()))
        .collect()
}

/// A package of these members, in the archive's own form.
fn packed(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let sink = Cursor::new(Vec::new());
    let mut writer = AsicWriter::new(sink, MIMETYPE_ASIC_E).unwrap();
    for (name, content) in members.iter().filter(|(name, _)| name != "mimetype") {
        writer.add_bytes(name, content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_good_package_passes() {
    let (bytes, _, anchor) = good();
    let report = judge(&bytes, &[anchor], &[]);
    let errors: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.severity() == Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(report.judgement.conclusion(), Conclusion::TotalPassed);
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
    assert_eq!(report.best_signature_time, Some(RECEIVED));
    assert!(
        report
            .objects
            .iter()
            .all(|object| object.judgement.is_passed())
    );
}

#[test]
fn without_trust_it_is_intact_and_undecided() {
    let (bytes, _, _) = good();
    let report = judge(&bytes, &[], &[]);
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::NoCertificateChainFound)
    );
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
    assert_eq!(report.best_signature_time, None);
}

#[test]
fn a_file_beside_it_is_recognised_as_its_document_or_not() {
    let (bytes, _, anchor) = good();
    let anchors = [anchor];
    let document = DataBytes::new("copy.txt", b"copy".as_slice());
    assert!(judge(&bytes, &anchors, &[&document]).judgement.is_passed());
    let other = DataBytes::new("copy.txt", b"Copy".as_slice());
    let report = judge(&bytes, &anchors, &[&other]);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    assert!(has(&report, codes::DATA_NOT_COVERED));
}

/// One way of tampering, and a finding that must name it.
type Tampering = (&'static str, fn(&mut Vec<(String, Vec<u8>)>, &[u8]), Code);

fn content<'m>(members: &'m mut [(String, Vec<u8>)], name: &str) -> &'m mut Vec<u8> {
    let member = members.iter_mut().find(|(member, _)| member == name);
    &mut member.unwrap().1
}

const FIRST: &str = "documents/請求書.xml";
const SECOND: &str = "documents/写し.txt";

const TAMPERINGS: &[Tampering] = &[
    (
        "a document is changed",
        |members, _| {
            content(members, FIRST)[0] = b'[';
        },
        codes::PACKAGE_DIGEST_MISMATCH,
    ),
    (
        "a document is longer",
        |members, _| {
            content(members, SECOND).push(b' ');
        },
        codes::PACKAGE_SIZE_MISMATCH,
    ),
    (
        "two documents are swapped",
        |members, _| {
            let first = content(members, FIRST).clone();
            let second = std::mem::replace(content(members, SECOND), first);
            *content(members, FIRST) = second;
        },
        codes::PACKAGE_DIGEST_MISMATCH,
    ),
    (
        "a document is removed",
        |members, _| {
            members.retain(|(name, _)| name != SECOND);
        },
        codes::PACKAGE_MEMBER_MISSING,
    ),
    (
        "a document is added",
        |members, _| {
            members.push(("documents/added.txt".to_owned(), b"added".to_vec()));
        },
        codes::PACKAGE_MEMBER_UNLISTED,
    ),
    (
        "a file is added outside of the documents",
        |members, _| {
            members.push(("readme.txt".to_owned(), b"added".to_vec()));
        },
        codes::PACKAGE_MEMBER_UNLISTED,
    ),
    (
        "evidence is added",
        |members, other| {
            members.push(("META-INF/evidencerecord2.ers".to_owned(), other.to_vec()));
        },
        codes::PACKAGE_MEMBER_UNLISTED,
    ),
    (
        "the manifest is changed within its form",
        |members, _| {
            let text = String::from_utf8(content(members, MANIFEST).clone()).unwrap();
            *content(members, MANIFEST) = text.replace("tester", "Tester").into_bytes();
        },
        codes::PACKAGE_DIGEST_MISMATCH,
    ),
    (
        "the manifest is not canonical any more",
        |members, _| {
            content(members, MANIFEST).push(b'\n');
        },
        codes::RECORD_MANIFEST_MALFORMED,
    ),
    (
        "the manifest is removed",
        |members, _| {
            members.retain(|(name, _)| name != MANIFEST);
        },
        codes::PACKAGE_MEMBER_MISSING,
    ),
    (
        "the evidence manifest is removed",
        |members, _| {
            members.retain(|(name, _)| name != EVIDENCE_RECORD_MANIFEST);
        },
        codes::PACKAGE_MEMBER_MISSING,
    ),
    (
        "the evidence manifest names another record",
        |members, _| {
            let text =
                String::from_utf8(content(members, EVIDENCE_RECORD_MANIFEST).clone()).unwrap();
            let text = text.replace(
                "META-INF/evidencerecord.ers",
                "META-INF/fumikura/audit.json",
            );
            *content(members, EVIDENCE_RECORD_MANIFEST) = text.into_bytes();
        },
        codes::PACKAGE_MANIFEST_WITHOUT_EVIDENCE,
    ),
    (
        "the evidence manifest is not XML any more",
        |members, _| {
            content(members, EVIDENCE_RECORD_MANIFEST)[0] = b'x';
        },
        codes::PACKAGE_MANIFEST_MALFORMED,
    ),
    (
        "the evidence record is removed",
        |members, _| {
            members.retain(|(name, _)| name != EVIDENCE_RECORD);
        },
        codes::PACKAGE_MEMBER_MISSING,
    ),
    (
        "the evidence record is that of another record",
        |members, other| {
            *content(members, EVIDENCE_RECORD) = other.to_vec();
        },
        evidence_codes::EVIDENCE_DATA_NOT_COVERED,
    ),
    (
        "the evidence record is cut off",
        |members, _| {
            content(members, EVIDENCE_RECORD).pop();
        },
        evidence_codes::EVIDENCE_RECORD_MALFORMED,
    ),
    (
        "the evidence record has a tail",
        |members, _| {
            content(members, EVIDENCE_RECORD).push(0);
        },
        evidence_codes::EVIDENCE_RECORD_MALFORMED,
    ),
    (
        "document and manifest are changed together",
        |members, _| {
            let digests = |content: &[u8]| {
                [
                    hex::encode(
                        formats::digest::DigestAlgorithm::Sha256
                            .digest(content)
                            .as_bytes(),
                    ),
                    hex::encode(
                        formats::digest::DigestAlgorithm::Sha512
                            .digest(content)
                            .as_bytes(),
                    ),
                ]
            };
            let mut text = String::from_utf8(content(members, MANIFEST).clone()).unwrap();
            for (old, new) in digests(b"copy").iter().zip(digests(b"Copy")) {
                text = text.replace(old, &new);
            }
            *content(members, MANIFEST) = text.into_bytes();
            *content(members, SECOND) = b"Copy".to_vec();
        },
        evidence_codes::EVIDENCE_DATA_NOT_COVERED,
    ),
];

#[test]
fn every_tampering_is_found() {
    let (bytes, other, anchor) = good();
    let anchors = [anchor];
    for (what, tamper, code) in TAMPERINGS {
        let mut members = members(&bytes);
        tamper(&mut members, &other);
        let report = judge(&packed(&members), &anchors, &[]);
        assert!(!report.judgement.is_passed(), "{what}");
        assert_ne!(report.judgement.integrity(), Integrity::Intact, "{what}");
        assert!(has(&report, *code), "{what}: {:?}", report.findings);
        assert_eq!(report.best_signature_time, None, "{what}");
    }
}

#[test]
fn what_is_only_for_the_reader_is_told_and_not_judged() {
    let (bytes, _, anchor) = good();
    let mut members = members(&bytes);
    *content(&mut members, AUDIT) = b"{\"changed\":true}".to_vec();
    let report = judge(&packed(&members), &[anchor], &[]);
    assert!(report.judgement.is_passed());
    assert!(has(&report, codes::PACKAGE_INFORMATIVE));
}

#[test]
fn a_truncated_package_fails() {
    let (bytes, _, anchor) = good();
    let anchors = [anchor];
    for length in [0, 1, 4, 30, bytes.len() / 2, bytes.len() - 1] {
        let report = judge(&bytes[..length], &anchors, &[]);
        assert!(!report.judgement.is_passed(), "{length}");
    }
}
