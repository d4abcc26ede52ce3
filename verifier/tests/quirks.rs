//! What RFC 4998 records of other tools do, and what they must not do: each deviation that is recognised is a named finding.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::hash_tree::{group_hash, reduced_hash_tree};
use formats::evidence::{EvidenceRecord, PartialHashTree};
use support::authority::{Authority, Profile};
use support::judging;
use support::record::{
    ALGORITHM, RECEIVED, batch, last_token, record_of, renew_over, renew_time_stamp, renew_tree,
    stamp, with_chain, with_stamp,
};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use verifier::evidence::{EvidenceReport, Group, verify_record};
use verifier::finding::{Place, Severity, evidence as codes};
use verifier::policy::Policy;
use verifier::source::{DataBytes, DigestSource};
use verifier::verdict::{Conclusion, Integrity, SubIndication};

const DOCUMENT: &[u8] = b"a document";
const NOW: OffsetDateTime = datetime!(2033-01-01 00:00 UTC);
const RENEWED: OffsetDateTime = datetime!(2029-06-01 00:00 UTC);

fn authority() -> Authority {
    Authority::new(Profile {
        seed: 1,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2040-01-01 00:00 UTC),
        for_time_stamps: true,
    })
}

fn judge(record: &EvidenceRecord) -> EvidenceReport {
    let document = DataBytes::new("document", DOCUMENT);
    judge_over(record, &[&document], Group::Members)
}

fn judge_over(record: &EvidenceRecord, data: &[&dyn DigestSource], group: Group) -> EvidenceReport {
    let policy = Policy::default();
    let anchors = [authority().anchor()];
    let bytes = record.encode().unwrap();
    let context = judging(&anchors, &policy, NOW);
    verify_record(&bytes, data, group, &context, &Place::root())
}

fn passed(report: &EvidenceReport) -> bool {
    let error = report
        .findings
        .iter()
        .any(|finding| finding.severity() == Severity::Error);
    assert_eq!(
        report.judgement.is_passed(),
        !error,
        "{:?}",
        report.findings
    );
    report.judgement.is_passed()
}

fn own() -> DigestValue {
    ALGORITHM.digest(DOCUMENT)
}

fn foreign() -> DigestValue {
    ALGORITHM.digest(b"the token of another record")
}

fn initial() -> EvidenceRecord {
    batch(&[vec![own()], vec![foreign()]], &authority(), RECEIVED).remove(0)
}

/// Lists of values as they stand, without sorting.
fn lists(lists: &[&[Vec<u8>]]) -> Option<Vec<PartialHashTree>> {
    Some(
        lists
            .iter()
            .map(|list| PartialHashTree(list.to_vec()))
            .collect(),
    )
}

fn bytes(value: &DigestValue) -> Vec<u8> {
    value.as_bytes().to_vec()
}

/// A record over one tree whose root the caller gives.
fn over(tree: Option<Vec<PartialHashTree>>, root: &DigestValue) -> EvidenceRecord {
    let token = authority().token(root, RECEIVED);
    record_of(stamp(Some(ALGORITHM), tree, token))
}

#[test]
fn a_tree_may_be_left_out() {
    let plain = over(None, &own());
    assert!(passed(&judge(&plain)));
    // A renewal without a tree is over the token before it; a renewed chain without one over document and sequence.
    let digest = ALGORITHM.digest(&last_token(&plain));
    let token = authority().token(&digest, RENEWED);
    let renewed = with_stamp(&plain, stamp(None, None, token));
    assert!(passed(&judge(&renewed)));
    let algorithm = DigestAlgorithm::Sha512;
    let sequence = algorithm.digest(&renewed.sequence_bytes(1));
    let both = [algorithm.digest(DOCUMENT).as_bytes(), sequence.as_bytes()].concat();
    let token = authority().token(&algorithm.digest(&both), RENEWED + Duration::days(1));
    assert!(passed(&judge(&with_chain(
        &renewed,
        stamp(None, None, token)
    ))));

    let wrong = authority().token(&own(), RENEWED);
    let report = judge(&with_stamp(&plain, stamp(None, None, wrong)));
    assert!(report.has(codes::EVIDENCE_LINK_BROKEN));
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
}

#[test]
fn a_single_value_that_is_hashed_again_proves_nothing() {
    let twice = ALGORITHM.digest(own().as_bytes());
    let report = judge(&over(lists(&[&[bytes(&own())]]), &twice));
    assert!(report.has(codes::EVIDENCE_READ_DOUBLE_HASH));
    assert!(!passed(&report));
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    assert_eq!(report.judgement.integrity(), Integrity::Unknown);
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::HashFailure)
    );
    let thrice = ALGORITHM.digest(twice.as_bytes());
    let report = judge(&over(lists(&[&[bytes(&own())]]), &thrice));
    assert!(report.has(codes::EVIDENCE_ROOT_MISMATCH));
}

#[test]
fn the_carried_value_joins_the_next_list_and_duplicates_stay() {
    let first = group_hash(ALGORITHM, &[own(), foreign()]).unwrap();
    let second = [ALGORITHM.digest(b"x"), ALGORITHM.digest(b"y")];
    let root = group_hash(ALGORITHM, &[first, second[0], second[1]]).unwrap();
    let tree = [
        vec![bytes(&own()), bytes(&foreign())],
        second.iter().map(bytes).collect(),
    ];
    assert!(passed(&judge(&over(lists(&[&tree[0], &tree[1]]), &root))));
    // What Bouncy Castle computes: the later list by itself first. No other tool does, so it is refused.
    let alone = group_hash(ALGORITHM, &second).unwrap();
    let root = group_hash(ALGORITHM, &[first, alone]).unwrap();
    let report = judge(&over(lists(&[&tree[0], &tree[1]]), &root));
    assert!(report.has(codes::EVIDENCE_ROOT_MISMATCH));

    let both = [own(), own()];
    let root = group_hash(ALGORITHM, &both).unwrap();
    let report = judge(&over(lists(&[&[bytes(&own()), bytes(&own())]]), &root));
    assert!(passed(&report));
    assert!(!report.has(codes::EVIDENCE_READ_AS_SET));
}

#[test]
fn values_that_count_once_are_named() {
    let first = group_hash(ALGORITHM, &[own(), foreign()]).unwrap();
    let other = ALGORITHM.digest(b"x");
    let root = group_hash(ALGORITHM, &[first, other]).unwrap();
    let tree = [
        vec![bytes(&own()), bytes(&foreign())],
        vec![bytes(&first), bytes(&other)],
    ];
    let report = judge(&over(lists(&[&tree[0], &tree[1]]), &root));
    assert!(passed(&report));
    assert!(report.has(codes::EVIDENCE_READ_AS_SET));
}

#[test]
fn a_renewal_covers_the_last_token_or_all_of_them() {
    let once = renew_time_stamp(&initial(), &authority(), RENEWED);
    let tokens: Vec<DigestValue> = once.sequence[0]
        .time_stamps
        .iter()
        .map(|stamp| ALGORITHM.digest(&stamp.time_stamp))
        .collect();
    let later = RENEWED + Duration::days(30);
    for (values, foreign_values) in [
        (vec![tokens[1]], false),
        (tokens.clone(), false),
        (vec![tokens[1], foreign()], true),
        (vec![tokens[0], tokens[1], foreign()], true),
    ] {
        let report = judge(&renew_over(&once, &values, &authority(), later));
        assert!(passed(&report));
        assert_eq!(report.has(codes::EVIDENCE_FOREIGN_VALUES), foreign_values);
    }
    let only_first = renew_over(&once, &tokens[..1], &authority(), later);
    assert!(judge(&only_first).has(codes::EVIDENCE_LINK_BROKEN));
}

#[test]
fn a_renewal_needs_a_new_token() {
    let initial = initial();
    let again = last_token(&initial);
    let tree = reduced_hash_tree(&[ALGORITHM.digest(&again)], &[]);
    for repeated in [
        with_stamp(&initial, stamp(Some(ALGORITHM), Some(tree), again.clone())),
        with_stamp(&initial, stamp(None, None, again.clone())),
        with_chain(&initial, stamp(None, None, again)),
    ] {
        let report = judge(&repeated);
        assert!(report.has(codes::EVIDENCE_TOKEN_REPEATED));
        assert_eq!(report.judgement.integrity(), Integrity::Broken);
    }
}

#[test]
fn the_sequence_is_hashed_together_with_the_document() {
    // RFC 6283 lets the digest of the sequence stand beside that of the document; RFC 4998 does not.
    let initial = initial();
    let algorithm = DigestAlgorithm::Sha512;
    let sequence = algorithm.digest(&initial.sequence_bytes(1));
    let document = algorithm.digest(DOCUMENT);
    for values in [vec![document, sequence], vec![sequence], vec![document]] {
        let root = group_hash(algorithm, &values).unwrap();
        let tree = reduced_hash_tree(&values, &[]);
        let token = authority().token(&root, RENEWED);
        let report = judge(&with_chain(
            &initial,
            stamp(Some(algorithm), Some(tree), token),
        ));
        assert!(report.has(codes::EVIDENCE_DATA_NOT_RENEWED));
        assert_eq!(report.judgement.integrity(), Integrity::Broken);
    }
}

#[test]
fn a_later_digest_that_is_not_stronger_is_legal_and_named() {
    let initial = over(None, &own());
    for (algorithm, named) in [
        (DigestAlgorithm::Sha512, false),
        (DigestAlgorithm::Sha3_256, true),
        (DigestAlgorithm::Sha256, true),
    ] {
        let group = [algorithm.digest(DOCUMENT)];
        let report = judge(&renew_tree(&initial, &group, false, &authority(), RENEWED));
        assert!(passed(&report), "{:?}", report.findings);
        assert_eq!(report.has(codes::EVIDENCE_DIGEST_NOT_STRONGER), named);
    }
}

#[test]
fn times_ascend_over_chains_too() {
    let algorithm = DigestAlgorithm::Sha512;
    let group = [algorithm.digest(DOCUMENT)];
    let earlier = RECEIVED - Duration::days(1);
    let report = judge(&renew_tree(
        &initial(),
        &group,
        false,
        &authority(),
        earlier,
    ));
    assert!(report.has(codes::EVIDENCE_ORDER_WRONG));
    assert!(!report.judgement.is_passed());
}

#[test]
fn one_of_a_group_is_told_apart_from_the_whole() {
    let companion = ALGORITHM.digest(b"companion");
    let record = batch(&[vec![own(), companion]], &authority(), RECEIVED).remove(0);
    let document = DataBytes::new("document", DOCUMENT);
    let other = DataBytes::new("companion", b"companion".as_slice());
    let report = judge_over(&record, &[&document], Group::Members);
    assert!(passed(&report) && report.has(codes::EVIDENCE_GROUP_INCOMPLETE));
    let report = judge_over(&record, &[&document, &other], Group::Whole);
    assert!(passed(&report) && !report.has(codes::EVIDENCE_GROUP_INCOMPLETE));
    let report = judge_over(&record, &[&document], Group::Whole);
    assert!(report.has(codes::EVIDENCE_GROUP_NOT_EXACT));
}
