//! Containers as other programs make them: chains of archive time-stamps, and everything that may be wrong with what covers what.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod medium;
#[path = "../support/mod.rs"]
mod support;

use std::io::Cursor;

use formats::asic::{
    AsicManifest, AsicWriter, DataObjectReference, MIMETYPE_ASIC_E, MIMETYPE_ASIC_S,
    SignatureReference,
};
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::limits::ASIC_EVIDENCE_MAX;
use formats::x509::encode_pem;
use support::authority::{Authority, Profile};
use support::judging;
use support::record::batch;
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::finding::{Code, crypto as crypto_codes, package as codes};
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::{ObjectKind, Report};
use verifier::source::{DataBytes, InputFile};
use verifier::verdict::{Conclusion, Integrity};

/// The certificate of the first authority has ended, that of the second has not.
const NOW: OffsetDateTime = datetime!(2031-01-01 00:00 UTC);
const STAMPED: OffsetDateTime = datetime!(2026-11-22 00:00 UTC);
const RENEWED: OffsetDateTime = datetime!(2029-06-01 00:00 UTC);

const DOCUMENT: &str = "document.txt";
const MANIFEST: &str = "META-INF/ASiCManifest001.xml";
const STAMP: &str = "META-INF/timestamp001.tst";
const ARCHIVE_MANIFEST: &str = "META-INF/ASiCArchiveManifest001.xml";
const ARCHIVE_STAMP: &str = "META-INF/timestamp002.tst";

type Members = Vec<(String, Vec<u8>)>;

fn authority(seed: u8) -> Authority {
    let year = if seed == 1 { 2030 } else { 2036 };
    Authority::new(Profile {
        seed,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2030-01-01 00:00 UTC).replace_year(year).unwrap(),
        for_time_stamps: true,
    })
}

fn token(seed: u8, over: &[u8], time: OffsetDateTime) -> Vec<u8> {
    authority(seed).token(&DigestAlgorithm::Sha256.digest(over), time)
}

fn find<'m>(members: &'m Members, name: &str) -> &'m [u8] {
    let found = members.iter().find(|(known, _)| known == name);
    &found.unwrap().1
}

/// A manifest that names `evidence` and lists members with their present digests.
fn manifest(
    members: &Members,
    evidence: &str,
    listed: &[&str],
    algorithm: DigestAlgorithm,
) -> Vec<u8> {
    let reference = |name: &&str| {
        let digest = algorithm.digest(find(members, name));
        DataObjectReference::new(name, "text/plain", digest).unwrap()
    };
    let manifest = AsicManifest {
        signature: SignatureReference {
            uri: evidence.to_owned(),
            mime_type: None,
        },
        references: listed.iter().map(reference).collect(),
        has_critical_extension: false,
    };
    manifest.encode().unwrap()
}

fn add(members: &mut Members, name: &str, content: impl Into<Vec<u8>>) {
    members.push((name.to_owned(), content.into()));
}

/// One document, a time-stamp over its manifest.
fn stamped() -> Members {
    stamped_under(DigestAlgorithm::Sha256)
}

fn stamped_under(algorithm: DigestAlgorithm) -> Members {
    let mut members = Members::new();
    add(&mut members, DOCUMENT, *b"text");
    let covered = manifest(&members, STAMP, &[DOCUMENT], algorithm);
    let token = token(1, &covered, STAMPED);
    add(&mut members, MANIFEST, covered);
    add(&mut members, STAMP, token);
    members
}

/// The same with an archive time-stamp over `listed` at `time`.
fn renewed(listed: &[&str], time: OffsetDateTime) -> Members {
    let mut members = stamped();
    let covered = manifest(&members, ARCHIVE_STAMP, listed, DigestAlgorithm::Sha512);
    let token = token(2, &covered, time);
    add(&mut members, ARCHIVE_MANIFEST, covered);
    add(&mut members, ARCHIVE_STAMP, token);
    members
}

fn packed(members: &Members, mimetype: &str) -> Vec<u8> {
    let mut writer = AsicWriter::new(Cursor::new(Vec::new()), mimetype).unwrap();
    for (name, content) in members {
        writer.add_bytes(name, content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn anchors() -> Vec<TrustAnchor> {
    vec![authority(1).anchor(), authority(2).anchor()]
}

fn judge_at(file: InputFile<'_>, time: OffsetDateTime) -> Report {
    let (anchors, policy) = (anchors(), Policy::default());
    verify(&[file], &[], &judging(&anchors, &policy, time))
}

fn judge(members: &Members, time: OffsetDateTime) -> Report {
    let bytes = packed(members, MIMETYPE_ASIC_E);
    judge_at(InputFile::new("container.asice", bytes), time)
}

fn has(report: &Report, code: Code) -> bool {
    report.findings.iter().any(|finding| finding.code() == code)
}

fn told(report: &Report) -> String {
    let judgement = report.judgement;
    let codes = report.findings.iter().map(|finding| finding.code().id());
    let codes: Vec<&str> = codes.collect();
    format!(
        "{} {} {codes:?}",
        judgement.conclusion(),
        judgement.integrity()
    )
}

/// Integrity is known and nothing passes; `code` says why.
fn assert_open(report: &Report, code: Code) {
    assert!(!report.judgement.is_passed(), "{}", told(report));
    assert!(
        has(report, code),
        "{} is not in {}",
        code.id(),
        told(report)
    );
}

#[test]
fn a_time_stamp_over_a_manifest_covers_what_it_lists() {
    let report = judge(&stamped(), datetime!(2027-01-01 00:00 UTC));
    assert!(report.judgement.is_passed(), "{}", told(&report));
    assert_eq!(report.best_signature_time, Some(STAMPED));
    let report = judge(&stamped(), NOW);
    assert!(!report.judgement.is_passed());
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
}

#[test]
fn an_archive_time_stamp_proves_that_what_it_lists_existed() {
    let report = judge(&renewed(&[DOCUMENT, MANIFEST, STAMP], RENEWED), NOW);
    assert!(report.judgement.is_passed(), "{}", told(&report));
    assert_eq!(report.best_signature_time, Some(STAMPED));
    let stamps = report
        .objects
        .iter()
        .filter(|object| object.kind == ObjectKind::Timestamp);
    let judged: Vec<_> = stamps.map(|object| object.judged_at).collect();
    assert_eq!(judged, [Some(RENEWED), Some(NOW)]);
}

#[test]
fn what_the_archive_time_stamp_does_not_list_is_not_renewed() {
    // The document is proven by the newer time-stamp; the older one has aged and is passed over.
    let report = judge(&renewed(&[DOCUMENT, MANIFEST], RENEWED), NOW);
    assert_eq!(
        report.best_signature_time,
        Some(RENEWED),
        "{}",
        told(&report)
    );
    assert!(has(&report, codes::PROOF_PASSED_OVER));
    // Neither the document nor the older time-stamp.
    let report = judge(&renewed(&[MANIFEST], RENEWED), NOW);
    assert!(!report.judgement.is_passed());
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
}

#[test]
fn an_archive_time_stamp_that_came_too_late_proves_nothing_of_the_earlier_one() {
    let late = datetime!(2030-06-01 00:00 UTC);
    let report = judge(&renewed(&[MANIFEST, STAMP], late), NOW);
    assert!(!report.judgement.is_passed(), "{}", told(&report));
}

#[test]
fn an_archive_time_stamp_before_the_one_that_it_covers_contradicts_it() {
    let early = datetime!(2026-06-01 00:00 UTC);
    let report = judge(
        &renewed(&[DOCUMENT, MANIFEST, STAMP], early),
        datetime!(2027-01-01 00:00 UTC),
    );
    assert_open(&report, codes::PACKAGE_ORDER_WRONG);
}

#[test]
fn an_altered_member_breaks_every_proof_of_it() {
    let good = renewed(&[DOCUMENT, MANIFEST, STAMP], RENEWED);
    for at in 0..good.len() {
        let mut members = good.clone();
        members[at].1.push(b' ');
        let report = judge(&members, NOW);
        assert_eq!(
            report.judgement.conclusion(),
            Conclusion::TotalFailed,
            "{}",
            good[at].0
        );
        assert_eq!(report.judgement.integrity(), Integrity::Broken);
    }
    let mut members = good.clone();
    members[0].1 = b"other".to_vec();
    let report = judge(&members, NOW);
    let mut documents = report.objects.iter();
    let document = documents
        .find(|object| object.kind == ObjectKind::Document)
        .unwrap();
    assert_eq!(document.judgement.integrity(), Integrity::Broken);
}

/// With neither a media type of ASiC nor a manifest: one document could be in an ASiC-S container, and nothing tells of another that was taken away.
#[test]
fn a_record_without_a_manifest_has_to_cover_the_only_document_and_nothing_else() {
    let algorithm = DigestAlgorithm::Sha256;
    let [first, second] = [algorithm.digest(b"first"), algorithm.digest(b"second")];
    let over = |group: &[DigestValue]| {
        let mut records = batch(&[group.to_vec()], &authority(2), STAMPED);
        records.remove(0).encode().unwrap()
    };
    let judge = |documents: &[&str], group: &[DigestValue]| {
        let mut members = Members::new();
        for name in documents {
            add(&mut members, name, name.as_bytes());
        }
        add(&mut members, "META-INF/evidencerecord.ers", over(group));
        let bytes = packed(&members, "application/zip");
        judge_at(InputFile::new("container.asice", bytes), NOW)
    };
    // The media type is held against it; nothing else is.
    let report = judge(&["first"], &[first]);
    assert_open(&report, codes::PACKAGE_MIMETYPE_WRONG);
    assert!(has(&report, codes::PACKAGE_RECORD_UNLISTED));
    assert!(!has(&report, codes::PACKAGE_EVIDENCE_UNLISTED));
    for report in [
        judge(&["first"], &[first, second]),
        judge(&["first", "second"], &[first, second]),
    ] {
        assert_open(&report, codes::PACKAGE_EVIDENCE_UNLISTED);
        assert_eq!(report.judgement.integrity(), Integrity::Intact);
    }
}

#[test]
fn a_missing_member_leaves_the_question_open() {
    let good = renewed(&[DOCUMENT, MANIFEST, STAMP], RENEWED);
    for at in 0..good.len() {
        let mut members = good.clone();
        members.remove(at);
        let report = judge(&members, NOW);
        assert!(
            !report.judgement.is_passed(),
            "{}: {}",
            good[at].0,
            told(&report)
        );
    }
}

#[test]
fn what_no_evidence_covers_is_told() {
    let mut members = stamped();
    add(&mut members, "more.txt", *b"more");
    assert_open(&judge(&members, STAMPED), codes::PACKAGE_MEMBER_UNCOVERED);
    let mut members = stamped();
    add(&mut members, "META-INF/note.txt", *b"more");
    let report = judge(&members, datetime!(2027-01-01 00:00 UTC));
    assert!(report.judgement.is_passed(), "{}", told(&report));
    assert!(has(&report, codes::PACKAGE_META_OTHER));
}

#[test]
fn two_manifests_for_one_time_stamp_are_refused() {
    for name in [
        "META-INF/ASiCManifest000.xml",
        "META-INF/ASiCManifest002.xml",
    ] {
        let mut members = stamped();
        add(&mut members, "more.txt", *b"more");
        let other = manifest(&members, STAMP, &["more.txt"], DigestAlgorithm::Sha256);
        add(&mut members, name, other);
        assert_open(
            &judge(&members, STAMPED),
            codes::PACKAGE_EVIDENCE_NAMED_TWICE,
        );
    }
}

#[test]
fn digests_of_a_manifest_need_a_trusted_algorithm() {
    for algorithm in [DigestAlgorithm::Sha1, DigestAlgorithm::Md5] {
        let members = stamped_under(algorithm);
        let report = judge(&members, datetime!(2027-01-01 00:00 UTC));
        assert_open(&report, crypto_codes::ALGORITHM_NOT_TRUSTED);
        assert_eq!(report.judgement.integrity(), Integrity::Intact);
    }
    for algorithm in [DigestAlgorithm::Sha384, DigestAlgorithm::Sha3_256] {
        let members = stamped_under(algorithm);
        let report = judge(&members, datetime!(2027-01-01 00:00 UTC));
        assert!(report.judgement.is_passed(), "{}", told(&report));
    }
}

#[test]
fn evidence_that_is_only_named_keeps_the_whole_open() {
    let signature = "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/>";
    for name in ["META-INF/signatures.xml", "META-INF/anything.xml"] {
        let mut members = stamped();
        add(&mut members, name, signature);
        let report = judge(&members, datetime!(2027-01-01 00:00 UTC));
        assert_open(&report, codes::NOT_JUDGED_YET);
        assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    }
    for name in ["META-INF/signature.p7s", "META-INF/evidencerecord.ers"] {
        let mut members = stamped();
        add(&mut members, name, *b"no evidence");
        assert!(!judge(&members, STAMPED).judgement.is_passed());
    }
}

#[test]
fn a_container_in_a_container_is_a_document() {
    let inner = packed(&stamped(), MIMETYPE_ASIC_E);
    let token = token(2, &inner, STAMPED);
    let members = vec![
        ("inner.asice".to_owned(), inner),
        ("META-INF/timestamp.tst".to_owned(), token),
    ];
    let bytes = packed(&members, MIMETYPE_ASIC_S);
    let report = judge_at(InputFile::new("outer.asics", bytes), NOW);
    assert!(report.judgement.is_passed(), "{}", told(&report));
    assert!(has(&report, codes::PACKAGE_NESTED));
}

#[test]
fn evidence_as_text_is_unwrapped() {
    let bytes = token(2, b"text", STAMPED);
    let pem = encode_pem("CMS", &bytes);
    let body = pem.lines().filter(|line| !line.starts_with('-'));
    let plain: String = body.collect::<Vec<_>>().join("\r\n");
    let (anchors, policy) = (anchors(), Policy::default());
    let context = judging(&anchors, &policy, NOW);
    let data = DataBytes::new("text", b"text".as_slice());
    for text in [pem.clone(), plain] {
        let report = verify(
            &[InputFile::new("t.pem", text.into_bytes())],
            &[&data],
            &context,
        );
        assert!(report.judgement.is_passed(), "{}", told(&report));
        assert!(has(&report, codes::INPUT_UNWRAPPED));
    }
    for text in [
        format!("{pem}{pem}"),
        format!("{pem}more"),
        format!("see:\n{pem}"),
    ] {
        let report = verify(
            &[InputFile::new("t.pem", text.into_bytes())],
            &[&data],
            &context,
        );
        assert!(!report.judgement.is_passed(), "{}", told(&report));
    }
    let members = vec![
        (DOCUMENT.to_owned(), b"text".to_vec()),
        ("META-INF/timestamp.tst".to_owned(), pem.into_bytes()),
    ];
    let bytes = packed(&members, MIMETYPE_ASIC_S);
    let report = judge_at(InputFile::new("text.asics", bytes), NOW);
    assert!(report.judgement.is_passed(), "{}", told(&report));
}

/// What is shown where the container is unpacked would be another file than the one that is judged.
#[test]
fn a_member_that_is_unpacked_as_a_link_keeps_the_whole_open() {
    const CENTRAL: [u8; 4] = *b"PK\x01\x02";
    let now = datetime!(2027-01-01 00:00 UTC);
    for (mode, passes) in [
        (0o100_644_u16, true),
        (0o120_777, false),
        (0o020_666, false),
    ] {
        let mut bytes = packed(&stamped(), MIMETYPE_ASIC_E);
        let headers = bytes.windows(4).enumerate();
        let mut headers = headers.filter(|(_, bytes)| *bytes == CENTRAL);
        let (document, _) = headers.nth(1).unwrap();
        drop(headers);
        bytes[document + 40..document + 42].copy_from_slice(&mode.to_le_bytes());
        let report = judge_at(InputFile::new("container.asice", bytes), now);
        assert_eq!(report.judgement.is_passed(), passes, "{}", told(&report));
        assert_eq!(has(&report, codes::PACKAGE_AMBIGUOUS), !passes, "{mode:o}");
    }
}

#[test]
fn a_container_with_something_in_front_is_refused() {
    let bytes = packed(&stamped(), MIMETYPE_ASIC_E);
    for front in [b"MZ".as_slice(), b"%PDF-1.7\n", b"0\x82", b"<html>"] {
        let file = [front, &bytes].concat();
        let report = judge_at(InputFile::new("file", file), STAMPED);
        assert!(!report.judgement.is_passed(), "{front:?}");
    }
    let file = [b"MZ".as_slice(), &bytes].concat();
    let report = judge_at(InputFile::new("file", file), STAMPED);
    assert_open(&report, codes::PACKAGE_MALFORMED);
}

#[test]
fn more_evidence_than_is_judged_leaves_the_question_open() {
    let mut members = vec![(DOCUMENT.to_owned(), b"text".to_vec())];
    for number in 0..=ASIC_EVIDENCE_MAX {
        // Nothing of it can be read, so that the test takes no time.
        let bytes = [
            0x30, 0x0d, 2, 1, 1, 0x30, 6, 0x30, 4, 6, 2, 0x2a, 3, 0x30, 0,
        ];
        add(&mut members, &format!("META-INF/{number}.ers"), bytes);
    }
    let report = judge(&members, NOW);
    assert_open(&report, codes::PACKAGE_TOO_MUCH_EVIDENCE);
}

#[test]
fn a_manifest_whose_evidence_was_taken_away_is_told() {
    let mut members = stamped();
    let covered = manifest(
        &members,
        "META-INF/signature001.p7s",
        &[DOCUMENT],
        DigestAlgorithm::Sha256,
    );
    add(&mut members, "META-INF/ASiCManifest002.xml", covered);
    let report = judge(&members, datetime!(2027-01-01 00:00 UTC));
    assert_open(&report, codes::PACKAGE_MANIFEST_WITHOUT_EVIDENCE);
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
}

#[test]
fn a_container_that_is_wrong_everywhere_is_told_in_short() {
    let mut members = stamped();
    for number in 0..12_000 {
        add(&mut members, &format!("{number}.txt"), *b"more");
    }
    let report = judge(&members, datetime!(2027-01-01 00:00 UTC));
    assert_open(&report, codes::FINDINGS_OMITTED);
    assert!(report.findings.len() < 11_000);
    assert!(report.objects.len() > 12_000);
}
