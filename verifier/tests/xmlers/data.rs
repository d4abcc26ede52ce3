//! Data objects: XML and other, at hand and not.

use std::path::Path;
use std::process::{Command, Stdio};

use formats::digest::DigestValue;
use verifier::evidence::Group;
use verifier::finding::{Language, xmlers as codes};
use verifier::judge::verify;
use verifier::policy::Policy;
use verifier::report::document::{Depth, Document};
use verifier::report::text;
use verifier::source::{DataBytes, DigestSource, InputFile, KnownDigests};
use verifier::verdict::{Conclusion, Integrity, SubIndication};

use crate::record::{
    C14N, Chain, SHA256, STAMPED, Stamp, anchors, digest, first, initial, judge, renewed_in_tree,
    write,
};
use crate::support::judging;

const DOCUMENT: &[u8] = b"a document";

fn data(bytes: &[u8]) -> DataBytes<'_> {
    DataBytes::new("data", bytes)
}

/// A record over these digests, as one group without neighbours.
fn over(digests: Vec<Vec<u8>>) -> String {
    write(&[Chain {
        algorithm: SHA256,
        method: C14N,
        stamps: vec![Stamp::new(&first(), SHA256, vec![digests], STAMPED)],
    }])
}

#[test]
fn a_record_proves_its_data_and_nothing_else() {
    let record = write(&initial(DOCUMENT));
    let report = judge(&record, &[&data(DOCUMENT)], Group::Whole, STAMPED);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    assert_eq!(report.existence, Some(STAMPED));
    assert_eq!(report.covered, [true]);
    let other = judge(&record, &[&data(b"another")], Group::Members, STAMPED);
    assert_eq!(other.judgement.integrity(), Integrity::Broken);
    assert!(other.has(codes::XML_EVIDENCE_DATA_NOT_COVERED));
    let none = judge(&record, &[], Group::Members, STAMPED);
    assert_eq!(
        none.judgement.sub_indication(),
        Some(SubIndication::SignedDataNotFound)
    );
    assert!(!none.judgement.is_passed() && none.existence.is_none());
}

#[test]
fn every_door_gives_the_same_answer() {
    let record = write(&initial(DOCUMENT));
    let policy = Policy::default();
    let anchors = anchors();
    let context = judging(&anchors, &policy, STAMPED);
    let files = [InputFile::new("record.xml", record.as_bytes())];
    let (good, other) = (data(DOCUMENT), data(b"another"));
    assert!(verify(&files, &[&good], &context).judgement.is_passed());
    let bad = verify(&files, &[&other], &context);
    assert_eq!(bad.judgement.integrity(), Integrity::Broken);
}

#[test]
fn members_of_a_group_are_proven_and_a_whole_group_is_exact() {
    let record = over(vec![digest(SHA256, b"one"), digest(SHA256, b"two")]);
    let (one, two, three) = (data(b"one"), data(b"two"), data(b"three"));
    let member = judge(&record, &[&one], Group::Members, STAMPED);
    assert!(member.judgement.is_passed());
    assert!(member.has(codes::XML_EVIDENCE_GROUP_INCOMPLETE));
    let whole = judge(&record, &[&one, &two], Group::Whole, STAMPED);
    assert!(whole.judgement.is_passed());
    for wrong in [
        &[&one as &dyn DigestSource][..],
        &[&one, &two, &three],
        &[&one, &three],
    ] {
        let report = judge(&record, wrong, Group::Whole, STAMPED);
        assert_eq!(report.judgement.integrity(), Integrity::Broken);
        assert!(report.has(codes::XML_EVIDENCE_GROUP_NOT_EXACT));
    }
}

#[test]
fn of_xml_the_canonical_form_is_covered() {
    let record = over(vec![digest(SHA256, b"<a b=\"1\" c=\"2\">x</a>")]);
    let same = data(b"<?xml version='1.0'?>\n<a  c='2' b='1' >x</a>\n");
    let report = judge(&record, &[&same], Group::Whole, STAMPED);
    assert!(report.judgement.is_passed());
    assert!(report.has(codes::XML_EVIDENCE_DATA_CANONICAL));
    let changed = data(b"<a b='1' c='2'>y</a>");
    let report = judge(&record, &[&changed], Group::Members, STAMPED);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
}

/// What the first page says of it: that no bit was changed is true of bytes alone.
#[test]
fn the_first_page_promises_no_more_than_the_canonical_form() {
    let policy = Policy::default();
    let anchors = anchors();
    let context = judging(&anchors, &policy, STAMPED);
    let page = |covered: &[u8], bytes: &'static [u8], language| {
        let record = over(vec![digest(SHA256, covered)]);
        let files = [InputFile::new("data.xml.ers", record.into_bytes())];
        let report = verify(&files, &[&data(bytes)], &context);
        assert!(report.judgement.is_passed(), "{:?}", report.findings);
        text::write(&Document::of(&report, None, language), Depth::Brief)
    };
    for (language, bit, limit) in [
        (
            Language::Japanese,
            "1 ビットも変更されていない",
            "正規形に現れないもの",
        ),
        (
            Language::English,
            "not one bit was changed",
            "its canonical form leaves out",
        ),
    ] {
        for (covered, bytes, is_canonical) in [
            (
                &b"<a b=\"1\"></a>"[..],
                &b"<a  b='1'/><!-- more -->"[..],
                true,
            ),
            (b"<a  b='1'/>", b"<a  b='1'/>", false),
            (b"text", b"text", false),
        ] {
            let page = page(covered, bytes, language).replace(['\n', ' '], "");
            let says = |words: &str| page.contains(&words.replace(' ', ""));
            assert_eq!(says(bit), !is_canonical, "{page}");
            assert_eq!(says(limit), is_canonical, "{page}");
        }
    }
}

#[test]
fn a_record_over_the_bytes_of_xml_is_read_as_such() {
    let bytes = b"<a  b='1'/>";
    let record = over(vec![digest(SHA256, bytes)]);
    let report = judge(&record, &[&data(bytes)], Group::Whole, STAMPED);
    assert!(report.judgement.is_passed());
    assert!(report.has(codes::XML_EVIDENCE_DATA_AS_IS));
    // The same content written otherwise is other bytes.
    let report = judge(&record, &[&data(b"<a b='1'/>")], Group::Whole, STAMPED);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
}

/// What may be XML but has no canonical form here is covered or not, who knows.
#[test]
fn what_cannot_be_made_canonical_leaves_the_question_open() {
    let unread: [&[u8]; 3] = [
        b"<!DOCTYPE a><a/>",
        b"<?xml version='1.0' encoding='UTF-16'?><a/>",
        b"<a xmlns='relative'/>",
    ];
    for bytes in unread {
        let covered = over(vec![digest(SHA256, bytes)]);
        let report = judge(&covered, &[&data(bytes)], Group::Whole, STAMPED);
        assert!(report.judgement.is_passed(), "{:?}", report.findings);
        let other = over(vec![digest(SHA256, b"<a></a>")]);
        let report = judge(&other, &[&data(bytes)], Group::Members, STAMPED);
        assert_eq!(report.judgement.integrity(), Integrity::Unknown);
        assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
        assert!(report.has(codes::XML_EVIDENCE_DATA_NOT_CANONICAL));
    }
    // What is not well-formed is no XML, and its bytes are what counts.
    let other = over(vec![digest(SHA256, b"<a></a>")]);
    let report = judge(&other, &[&data(b"<a></b>")], Group::Members, STAMPED);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
}

#[test]
fn digests_count_as_they_are_given() {
    let of = |bytes: &[u8]| vec![DigestValue::from_bytes(SHA256, &digest(SHA256, bytes)).unwrap()];
    let record = over(vec![digest(SHA256, b"one")]);
    let stated = KnownDigests::stated("stated", of(b"one"));
    let report = judge(&record, &[&stated], Group::Whole, STAMPED);
    assert!(report.judgement.is_passed());
    assert!(report.has(codes::XML_EVIDENCE_BARE_DIGEST));
    let wrong = KnownDigests::stated("wrong", of(b"two"));
    let report = judge(&record, &[&wrong], Group::Members, STAMPED);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    // Too large to be looked at: whether it is XML is not known.
    let large = KnownDigests::computed("large", of(b"two"));
    let report = judge(&record, &[&large], Group::Members, STAMPED);
    assert!(report.has(codes::XML_EVIDENCE_DATA_NOT_AT_HAND));
    assert_eq!(report.judgement.integrity(), Integrity::Unknown);
    // Under one algorithm only.
    let renewed = write(&renewed_in_tree(b"one"));
    let report = judge(&renewed, &[&stated], Group::Members, crate::record::RENEWED);
    assert!(report.has(codes::XML_EVIDENCE_DIGEST_NOT_GIVEN));
    assert_eq!(report.judgement.integrity(), Integrity::Unknown);
}

/// The records of these tests follow the schema of RFC 6283. Where it or `xmllint` is not at hand, the test says so.
#[test]
fn the_records_of_these_tests_follow_the_schema() {
    let folder = std::env::var_os("FUMIKURA_SCHEMAS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/schemas"),
        Into::into,
    );
    let schema = folder.join("rfc6283_ers.xsd");
    let is_installed = Command::new("xmllint").arg("--version").output().is_ok();
    if !schema.is_file() || !is_installed {
        println!("left out: no schema at {} or no xmllint", folder.display());
        return;
    }
    let mut chains = renewed_in_tree(DOCUMENT);
    chains[0].stamps[0].information = vec![("CERT", vec![0x30, 0]), ("CRL", vec![0x30, 0])];
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), write(&chains)).unwrap();
    let status = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .args([schema.as_path(), file.path()])
        .stderr(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}
