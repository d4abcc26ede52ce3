//! Renewals of evidence records, and what they prove about the time-stamps before them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use formats::digest::DigestAlgorithm;
use formats::evidence::EvidenceRecord;
use support::authority::{Authority, Profile, TokenOptions};
use support::record::{ALGORITHM, RECEIVED, batch, renew_time_stamp, renew_tree};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use verifier::context::Context;
use verifier::evidence::{EvidenceReport, Group, verify_record};
use verifier::finding::{Place, evidence as codes, timestamp as timestamp_codes};
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::source::{DataBytes, DigestSource, KnownDigests};
use verifier::timestamp::{TimestampReport, verify_token};
use verifier::verdict::{Conclusion, Integrity, SubIndication};

const DOCUMENT: &[u8] = b"a document";
const FIRST_ENDS: OffsetDateTime = datetime!(2030-01-01 00:00 UTC);
const RENEWED: OffsetDateTime = datetime!(2029-06-01 00:00 UTC);
const AFTER: OffsetDateTime = datetime!(2031-01-01 00:00 UTC);

/// An authority whose certificate ends in 2030.
fn first() -> Authority {
    authority(1, datetime!(2026-01-01 00:00 UTC), FIRST_ENDS)
}

/// One that takes over.
fn second() -> Authority {
    authority(
        2,
        datetime!(2029-01-01 00:00 UTC),
        datetime!(2040-01-01 00:00 UTC),
    )
}

fn authority(seed: u8, from: OffsetDateTime, to: OffsetDateTime) -> Authority {
    Authority::new(Profile {
        seed,
        from,
        to,
        for_time_stamps: true,
    })
}

fn anchors() -> Vec<TrustAnchor> {
    vec![first().anchor(), second().anchor()]
}

fn judge(
    record: &EvidenceRecord,
    data: &[&dyn DigestSource],
    group: Group,
    time: OffsetDateTime,
) -> EvidenceReport {
    let policy = Policy::default();
    let anchors = anchors();
    let context = Context {
        anchors: &anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time,
        cache: None,
        registry: None,
    };
    let bytes = record.encode().unwrap();
    verify_record(&bytes, data, group, &context, &Place::root())
}

fn initial() -> EvidenceRecord {
    let groups = [
        vec![ALGORITHM.digest(DOCUMENT)],
        vec![ALGORITHM.digest(b"another")],
        vec![ALGORITHM.digest(b"third")],
    ];
    batch(&groups, &first(), RECEIVED).remove(0)
}

fn document() -> DataBytes<'static> {
    DataBytes::new("document", DOCUMENT)
}

#[test]
fn an_expired_certificate_leaves_the_question_open() {
    let report = judge(&initial(), &[&document()], Group::Whole, AFTER);
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::OutOfBoundsNoPoe)
    );
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
    assert!(report.has(timestamp_codes::TOKEN_EXPIRED_NO_POE));
    assert_eq!(report.existence, None);
}

#[test]
fn a_renewal_in_time_keeps_the_proof_alive() {
    let renewed = renew_time_stamp(&initial(), &second(), RENEWED);
    let report = judge(&renewed, &[&document()], Group::Whole, AFTER);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    assert_eq!(report.existence, Some(RECEIVED));
    let judged: Vec<_> = report
        .objects
        .iter()
        .skip(1)
        .map(|object| object.judged_at)
        .collect();
    assert_eq!(judged, [Some(RENEWED), Some(AFTER)]);
}

#[test]
fn a_renewal_that_came_too_late_does_not() {
    let late = FIRST_ENDS + Duration::days(1);
    let renewed = renew_time_stamp(&initial(), &second(), late);
    let report = judge(&renewed, &[&document()], Group::Whole, AFTER);
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::OutOfBoundsNoPoe)
    );
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
}

#[test]
fn a_renewal_that_nobody_trusts_proves_nothing() {
    let stranger = authority(
        9,
        datetime!(2029-01-01 00:00 UTC),
        datetime!(2040-01-01 00:00 UTC),
    );
    let renewed = renew_time_stamp(&initial(), &stranger, RENEWED);
    let report = judge(&renewed, &[&document()], Group::Whole, AFTER);
    assert!(!report.judgement.is_passed());
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
}

#[test]
fn times_must_ascend() {
    let renewed = renew_time_stamp(&initial(), &first(), RECEIVED - Duration::days(1));
    let report = judge(&renewed, &[&document()], Group::Whole, RENEWED);
    assert!(!report.judgement.is_passed());
    assert!(report.has(codes::EVIDENCE_ORDER_WRONG));
}

#[test]
fn a_renewal_of_something_else_is_a_broken_link() {
    let other = batch(&[vec![ALGORITHM.digest(b"x")]], &first(), RECEIVED).remove(0);
    let renewed = renew_time_stamp(&other, &second(), RENEWED);
    let mut mixed = initial();
    let mut stamps = mixed.sequence.remove(0).time_stamps.clone();
    stamps.push(renewed.sequence[0].time_stamps[1].clone());
    let chain = formats::evidence::ArchiveTimeStampChain::new(stamps).unwrap();
    let mixed = EvidenceRecord::new(vec![chain]).unwrap();
    let report = judge(&mixed, &[&document()], Group::Whole, AFTER);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    assert!(report.has(codes::EVIDENCE_LINK_BROKEN));
}

#[test]
fn a_new_hash_tree_takes_over_from_an_old_algorithm() {
    let algorithm = DigestAlgorithm::Sha512;
    let renewed = renew_time_stamp(&initial(), &second(), RENEWED);
    let group = [algorithm.digest(DOCUMENT)];
    for sorted in [false, true] {
        let renewed = renew_tree(
            &renewed,
            &group,
            sorted,
            &second(),
            RENEWED + Duration::days(1),
        );
        let report = judge(&renewed, &[&document()], Group::Whole, AFTER);
        assert!(report.judgement.is_passed(), "{:?}", report.findings);
        let sequence = algorithm.digest(&renewed.sequence_bytes(1));
        let differs = sequence.as_bytes() < group[0].as_bytes();
        assert_eq!(report.has(codes::EVIDENCE_READ_SORTED), sorted && differs);
    }
}

#[test]
fn a_new_hash_tree_over_other_data_is_broken() {
    let group = [DigestAlgorithm::Sha512.digest(b"something else")];
    let renewed = renew_tree(&initial(), &group, false, &second(), RENEWED);
    let report = judge(&renewed, &[&document()], Group::Members, AFTER);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    assert!(report.has(codes::EVIDENCE_DATA_NOT_RENEWED));
}

#[test]
fn a_new_hash_tree_needs_the_new_digest() {
    let group = [DigestAlgorithm::Sha512.digest(DOCUMENT)];
    let renewed = renew_tree(&initial(), &group, false, &second(), RENEWED);
    let known = KnownDigests::stated("digest", vec![ALGORITHM.digest(DOCUMENT)]);
    let report = judge(&renewed, &[&known], Group::Members, AFTER);
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    assert_eq!(report.judgement.integrity(), Integrity::Unknown);
    assert!(report.has(codes::EVIDENCE_DIGEST_NOT_GIVEN));
    assert!(report.has(codes::EVIDENCE_BARE_DIGEST));
}

#[test]
fn one_of_a_group_is_proven_and_its_completeness_is_not() {
    let group = vec![ALGORITHM.digest(DOCUMENT), ALGORITHM.digest(b"companion")];
    let record = batch(&[group], &first(), RECEIVED).remove(0);
    let report = judge(&record, &[&document()], Group::Members, RENEWED);
    assert!(report.judgement.is_passed());
    assert!(report.has(codes::EVIDENCE_GROUP_INCOMPLETE));
    let report = judge(&record, &[&document()], Group::Whole, RENEWED);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    assert!(report.has(codes::EVIDENCE_GROUP_NOT_EXACT));
}

#[test]
fn an_inner_node_is_no_document() {
    let record = initial();
    let tree = record.sequence[0].time_stamps[0]
        .reduced_hash_tree
        .clone()
        .unwrap();
    let mut pair = [tree[0].0[0].clone(), tree[1].0[0].clone()];
    pair.sort();
    // The two leaves, put together as the tree does it, are no data object of the record, though they lead to its root.
    let forged = DataBytes::new("forged", pair.concat());
    let report = judge(&record, &[&forged], Group::Members, RENEWED);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
}

#[test]
fn without_data_nothing_is_proven() {
    let report = judge(&initial(), &[], Group::Members, RENEWED);
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::SignedDataNotFound)
    );
    assert_eq!(report.judgement.integrity(), Integrity::Unknown);
}

fn judge_token(token: &[u8], time: OffsetDateTime) -> TimestampReport {
    let policy = Policy::default();
    let anchors = anchors();
    let context = Context {
        anchors: &anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time,
        cache: None,
        registry: None,
    };
    verify_token(token, Some(&document()), &context, &Place::root())
}

#[test]
fn tokens_that_are_wrong_in_form_or_trust() {
    let digest = ALGORITHM.digest(DOCUMENT);
    let good = first().token(&digest, RECEIVED);
    assert!(judge_token(&good, RENEWED).judgement.is_passed());

    let other = judge_token(&first().token(&ALGORITHM.digest(b"x"), RECEIVED), RENEWED);
    assert!(other.has(timestamp_codes::IMPRINT_MISMATCH));
    assert_eq!(other.judgement.integrity(), Integrity::Broken);

    let options = TokenOptions {
        with_reference: false,
        ..TokenOptions::at(RECEIVED)
    };
    let unbound = judge_token(&first().token_with(&digest, options), RENEWED);
    assert!(unbound.has(timestamp_codes::SIGNING_CERTIFICATE_ATTRIBUTE_MISSING));
    assert!(!unbound.judgement.is_passed());

    let options = TokenOptions {
        with_certificate: false,
        ..TokenOptions::at(RECEIVED)
    };
    let bare = judge_token(&first().token_with(&digest, options), RENEWED);
    assert_eq!(
        bare.judgement.sub_indication(),
        Some(SubIndication::NoSigningCertificateFound)
    );
    assert_eq!(bare.judgement.integrity(), Integrity::Unknown);

    let future = judge_token(&good, RECEIVED - Duration::hours(1));
    assert!(future.has(timestamp_codes::TOKEN_TIME_IN_FUTURE));
    assert!(!future.judgement.is_passed());

    let expired = first().token(&digest, FIRST_ENDS + Duration::days(1));
    let expired = judge_token(&expired, AFTER);
    assert_eq!(expired.judgement.conclusion(), Conclusion::TotalFailed);
    assert!(expired.has(timestamp_codes::TOKEN_BEFORE_CERTIFICATE));
}

#[test]
fn a_certificate_for_another_purpose_issues_no_time_stamps() {
    let wrong = Authority::new(Profile {
        seed: 1,
        from: datetime!(2026-01-01 00:00 UTC),
        to: FIRST_ENDS,
        for_time_stamps: false,
    });
    let report = judge_token(&wrong.token(&ALGORITHM.digest(DOCUMENT), RECEIVED), RENEWED);
    assert!(!report.judgement.is_passed());
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
}
