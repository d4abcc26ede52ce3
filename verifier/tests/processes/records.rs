//! Evidence records inside of signatures, and what signed attributes bind.

use super::*;

/// A record over these objects, each a member of one group.
pub(crate) fn record_over(objects: &[&[u8]], time: OffsetDateTime) -> Vec<u8> {
    let digests: Vec<_> = objects
        .iter()
        .map(|object| ALGORITHM.digest(object))
        .collect();
    let tree = reduced_hash_tree(&digests, &[]);
    let root = group_hash(ALGORITHM, &digests).unwrap();
    let token = clock().token(&root, time);
    record_of(stamp(Some(ALGORITHM), Some(tree), token))
        .encode()
        .unwrap()
}

#[test]
fn evidence_records_in_a_signature_prove_it() {
    let t = stamped(&signer().signature(CONTENT, true), SIGNED);
    let internal = oid::EVIDENCE_RECORD_INTERNAL;
    let good = with(&t, internal.clone(), vec![record_over(&[&t], ARCHIVED)]);
    let report = judge(&good, &[]);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    assert_eq!(
        process_of(&report, 0),
        Some(ValidationProcess::ArchiveMaterial)
    );
    let records = report
        .objects
        .iter()
        .filter(|object| object.kind == ObjectKind::EvidenceRecord);
    assert_eq!(records.count(), 1);
    // A second one, over the signature with the first or without it.
    for covered in [&good, &t] {
        let two = with(
            &good,
            internal.clone(),
            vec![record_over(&[covered], REVOKED)],
        );
        assert!(judge(&two, &[]).judgement.is_passed());
    }
    // Over another signature.
    let other = record_over(&[b"another"], ARCHIVED);
    let report = judge(&with(&t, internal, vec![other]), &[]);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
}

#[test]
fn an_evidence_record_saves_a_signature_from_a_later_revocation() {
    let b = signer().signature(CONTENT, true);
    let reason = Some(RevocationReason::KeyCompromise);
    let crls = [signer().crl(
        NOW,
        Some(Revoked {
            at: REVOKED,
            reason,
        }),
    )];
    let recorded = |time| {
        with(
            &b,
            oid::EVIDENCE_RECORD_INTERNAL,
            vec![record_over(&[&b], time)],
        )
    };
    assert_eq!(
        judge(&b, &crls).judgement.sub_indication(),
        Some(SubIndication::RevokedNoPoe)
    );
    assert!(judge(&recorded(ARCHIVED), &crls).judgement.is_passed());
    let late = judge(&recorded(REVOKED + Duration::days(1)), &crls);
    assert_eq!(
        late.judgement.sub_indication(),
        Some(SubIndication::RevokedNoPoe)
    );
}

#[test]
fn a_record_in_a_signature_fits_by_the_rule_or_not_at_all() {
    let t = stamped(&signer().signature(CONTENT, true), SIGNED);
    let digest = ALGORITHM.digest(&t);
    let twice = ALGORITHM.digest(digest.as_bytes());
    for (root, holds) in [(digest, true), (twice, false)] {
        let tree = reduced_hash_tree(&[digest], &[]);
        let token = clock().token(&root, ARCHIVED);
        let record = record_of(stamp(Some(ALGORITHM), Some(tree), token));
        let record = record.encode().unwrap();
        let report = judge(&with(&t, oid::EVIDENCE_RECORD_INTERNAL, vec![record]), &[]);
        assert_eq!(report.judgement.is_passed(), holds);
        assert_eq!(report.judgement.integrity() == Integrity::Broken, !holds);
    }
}

#[test]
fn a_record_stands_in_the_attribute_of_its_kind() {
    let t = stamped(&signer().signature(CONTENT, true), SIGNED);
    let record = record_over(&[&t], ARCHIVED);
    let held = judge(&with(&t, oid::EVIDENCE_RECORD_EXTERNAL, vec![record]), &[]);
    let (detached, content) = detach(&t).unwrap();
    let data = DataBytes::new("contract", content);
    let record = record_over(&[&detached], ARCHIVED);
    let beside = with(&detached, oid::EVIDENCE_RECORD_INTERNAL, vec![record]);
    let anchors = [signer().anchor(), clock().anchor()];
    let beside = judge_with(&beside, &[&data], &anchors, &[], NOW);
    for report in [held, beside] {
        assert!(report.has(codes::SIGNATURE_RECORD_MISPLACED));
        assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
        assert_eq!(
            report.judgement.sub_indication(),
            Some(SubIndication::SigConstraintsFailure)
        );
        assert_eq!(report.judgement.integrity(), Integrity::Intact);
    }
}

#[test]
fn signed_attributes_are_signed_in_the_order_of_der() {
    let by_rule = judge(&signer().signature_unsorted(CONTENT, false), &[]);
    assert!(by_rule.judgement.is_passed(), "{:?}", by_rule.findings);
    assert!(by_rule.has(codes::SIGNATURE_ATTRIBUTES_UNSORTED));
    let as_stored = signer().signature_unsorted(CONTENT, true);
    let report = judge(&as_stored, &[]);
    assert!(report.has(codes::SIGNATURE_OVER_UNSORTED));
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
    let mut altered = as_stored;
    *altered.last_mut().unwrap() ^= 1;
    let report = judge(&altered, &[]);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    // The same of a time-stamp.
    let b = signer().signature(CONTENT, true);
    let digest = ALGORITHM.digest(&value_of(&b));
    for (as_stored, code) in [
        (false, token_codes::SIGNED_ATTRIBUTES_SORTED),
        (true, token_codes::SIGNED_ATTRIBUTES_UNSORTED),
    ] {
        let token = clock().token_unsorted(&digest, SIGNED, as_stored);
        let report = judge(&with(&b, oid::SIGNATURE_TIME_STAMP, vec![token]), &[]);
        assert!(report.has(code), "{:?}", report.findings);
        assert_eq!(report.judgement.is_passed(), !as_stored);
        assert_eq!(report.judgement.integrity(), Integrity::Intact);
    }
}

#[test]
fn signed_algorithms_are_those_that_are_stated() {
    let of = |digest, signature| AlgorithmProtection {
        digest_algorithm: AlgorithmIdentifier::of_digest(digest),
        signature_algorithm: AlgorithmIdentifier::bare(signature),
    };
    let signed = |values: Vec<Vec<u8>>| {
        let attribute = Attribute::new(oid::CMS_ALGORITHM_PROTECTION, values);
        judge(&signer().signature_with(CONTENT, true, &[attribute]), &[])
    };
    let good = of(ALGORITHM, oid::ECDSA_WITH_SHA256).encode();
    assert!(signed(vec![good.clone()]).judgement.is_passed());
    for wrong in [
        of(DigestAlgorithm::Sha512, oid::ECDSA_WITH_SHA256),
        of(ALGORITHM, oid::ECDSA_WITH_SHA512),
    ] {
        let report = signed(vec![wrong.encode()]);
        assert!(report.has(codes::SIGNED_ALGORITHMS_DIFFER));
        assert_eq!(report.judgement.conclusion(), Conclusion::TotalFailed);
    }
    for malformed in [vec![vec![0x30, 0x00]], vec![good.clone(), good]] {
        let report = signed(malformed);
        assert!(report.has(codes::SIGNED_ALGORITHMS_MALFORMED));
        assert!(!report.judgement.is_passed());
    }
}

#[test]
fn an_external_evidence_record_is_over_the_data_too() {
    let (detached, content) = detach(&signer().signature(CONTENT, true)).unwrap();
    let data = DataBytes::new("contract", content.clone());
    let anchors = [signer().anchor(), clock().anchor()];
    let judge = |objects: &[&[u8]], data: &[&dyn DigestSource]| {
        let record = record_over(objects, ARCHIVED);
        let signature = with(&detached, oid::EVIDENCE_RECORD_EXTERNAL, vec![record]);
        judge_with(&signature, data, &anchors, &[], NOW)
    };
    let report = judge(&[&detached, &content], &[&data]);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    let report = judge(&[&detached], &[&data]);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    let report = judge(&[&detached, &content], &[]);
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::SignedDataNotFound)
    );
}
