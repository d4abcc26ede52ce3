//! The processes of EN 319 102-1 one by one, and what an attacker might try at each: time-stamps over other signatures, countersignatures and evidence
//! records inside of signatures, orders that cannot be, roots that only have the right name, requests and their answers.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod records;
mod requests;
#[path = "../support/mod.rs"]
mod support;

use formats::cades::{
    HashIndex, SignatureParts, add_unsigned_attributes, archive_time_stamp_input, detach,
};
use formats::cms::{AlgorithmIdentifier, AlgorithmProtection, Attribute};
use formats::der::{Tag, Writer};
use formats::digest::DigestAlgorithm;
use formats::evidence::hash_tree::{group_hash, reduced_hash_tree};
use formats::oid;
use rcgen::RevocationReason;
use support::authority::{Authority, Profile, Revoked};
use support::judging;
use support::record::{record_of, stamp};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use verifier::context::Context;
use verifier::finding::{Place, poe, signature as codes, timestamp as token_codes};
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::{ObjectKind, ValidationProcess};
use verifier::signature::{SignatureReport, verify_signature_file};
use verifier::source::{DataBytes, DigestSource, InputFile};
use verifier::verdict::{Conclusion, Integrity, SubIndication};

const CONTENT: &[u8] = b"a contract";
const ALGORITHM: DigestAlgorithm = DigestAlgorithm::Sha256;
const BEFORE: OffsetDateTime = datetime!(2026-10-01 00:00 UTC);
const SIGNED: OffsetDateTime = datetime!(2026-11-22 03:48:30 UTC);
const ARCHIVED: OffsetDateTime = datetime!(2027-06-01 00:00 UTC);
const REVOKED: OffsetDateTime = datetime!(2027-09-01 00:00 UTC);
const NOW: OffsetDateTime = datetime!(2027-11-22 00:00 UTC);

fn authority(seed: u8) -> Authority {
    Authority::new(Profile {
        seed,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2030-01-01 00:00 UTC),
        for_time_stamps: true,
    })
}

fn signer() -> Authority {
    authority(3)
}

fn clock() -> Authority {
    authority(1)
}

fn witness() -> Authority {
    authority(4)
}

/// Judges with these anchors, lists and certificates beside.
fn judge_with(
    signature: &[u8],
    data: &[&dyn DigestSource],
    anchors: &[TrustAnchor],
    crls: &[Vec<u8>],
    time: OffsetDateTime,
) -> SignatureReport {
    let policy = Policy::default();
    let certificates = [witness().certificate().to_vec()];
    let context = Context {
        crls,
        certificates: &certificates,
        ..judging(anchors, &policy, time)
    };
    verify_signature_file(signature, data, &context, &Place::root())
}

fn judge(signature: &[u8], crls: &[Vec<u8>]) -> SignatureReport {
    let anchors = [signer().anchor(), clock().anchor(), witness().anchor()];
    judge_with(signature, &[], &anchors, crls, NOW)
}

fn with(signature: &[u8], attribute: oid::Oid, values: Vec<Vec<u8>>) -> Vec<u8> {
    add_unsigned_attributes(signature, 0, &[Attribute::new(attribute, values)]).unwrap()
}

fn value_of(signature: &[u8]) -> Vec<u8> {
    SignatureParts::parse(signature).unwrap().signers[0]
        .signature
        .clone()
}

fn stamped(signature: &[u8], time: OffsetDateTime) -> Vec<u8> {
    let token = clock().token(&ALGORITHM.digest(&value_of(signature)), time);
    with(signature, oid::SIGNATURE_TIME_STAMP, vec![token])
}

fn archived(signature: &[u8], time: OffsetDateTime) -> Vec<u8> {
    let parts = SignatureParts::parse(signature).unwrap();
    let cuts = &parts.signers[0];
    let index = HashIndex::over(&parts, cuts, ALGORITHM);
    let input = archive_time_stamp_input(&parts, cuts, &ALGORITHM.digest(CONTENT), &index);
    let token = clock().token(&ALGORITHM.digest(&input), time);
    let token = add_unsigned_attributes(&token, 0, &[index.to_attribute()]).unwrap();
    with(signature, oid::ARCHIVE_TIME_STAMP_V3, vec![token])
}

/// A countersignature over some octets, as it stands in an attribute.
fn countersignature(octets: &[u8]) -> Vec<u8> {
    cut_out(&witness().signature(octets, true))
}

/// The signer of a signature, as it stands in the attribute of another.
fn cut_out(signature: &[u8]) -> Vec<u8> {
    let parts = SignatureParts::parse(signature).unwrap();
    let cuts = &parts.signers[0];
    Writer::single(Tag::SEQUENCE, |w| {
        w.raw(&cuts.signed_fields);
        if !cuts.unsigned_attributes.is_empty() {
            w.constructed(Tag::context(1), |w| {
                for attribute in &cuts.unsigned_attributes {
                    w.raw(&attribute.raw);
                }
            });
        }
    })
}

fn process_of(report: &SignatureReport, number: usize) -> Option<ValidationProcess> {
    report.objects[number].process
}

#[test]
fn the_process_follows_from_the_material() {
    let b = signer().signature(CONTENT, true);
    let t = stamped(&b, SIGNED);
    let a = archived(&t, ARCHIVED);
    for (signature, process) in [
        (&b, ValidationProcess::Basic),
        (&t, ValidationProcess::LongTermMaterial),
        (&a, ValidationProcess::ArchiveMaterial),
    ] {
        let report = judge(signature, &[]);
        assert!(report.judgement.is_passed(), "{:?}", report.findings);
        assert_eq!(process_of(&report, 0), Some(process));
    }
    assert_eq!(
        process_of(&judge(&t, &[]), 1),
        Some(ValidationProcess::Timestamp)
    );
}

#[test]
fn a_root_that_only_has_the_right_name_decides_nothing() {
    let t = stamped(&signer().signature(CONTENT, true), SIGNED);
    let anchors = [signer().impostor(), clock().anchor()];
    let report = judge_with(&t, &[], &anchors, &[], NOW);
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::CertificateChainGeneralFailure)
    );
    let anchors = [signer().anchor(), clock().impostor()];
    let report = judge_with(&t, &[], &anchors, &[], NOW);
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
}

#[test]
fn a_time_stamp_over_another_signature_breaks_the_whole() {
    let other = signer().signature(b"another contract", true);
    let token = clock().token(&ALGORITHM.digest(&value_of(&other)), SIGNED);
    let b = signer().signature(CONTENT, true);
    let report = judge(&with(&b, oid::SIGNATURE_TIME_STAMP, vec![token]), &[]);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    assert_eq!(report.existence, None);
}

#[test]
fn countersignatures_are_judged_as_signatures() {
    let b = signer().signature(CONTENT, true);
    let counter = countersignature(&value_of(&b));
    let good = with(&b, oid::COUNTERSIGNATURE, vec![counter.clone()]);
    let report = judge(&good, &[]);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    let signatures = report
        .objects
        .iter()
        .filter(|object| object.kind == ObjectKind::Signature);
    assert_eq!(signatures.count(), 2);
    // Over another signature, and one that is no SignerInfo.
    for wrong in [countersignature(b"another signature"), vec![0x30, 0x00]] {
        let report = judge(&with(&b, oid::COUNTERSIGNATURE, vec![wrong]), &[]);
        assert_eq!(report.judgement.integrity(), Integrity::Broken);
        assert_eq!(report.judgement.conclusion(), Conclusion::TotalFailed);
    }
    // By somebody who is not trusted: the signature itself holds all the same.
    let anchors = [signer().anchor(), clock().anchor()];
    let report = judge_with(&good, &[], &anchors, &[], NOW);
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    assert!(report.objects[0].judgement.is_passed());
}

#[test]
fn an_archive_time_stamp_proves_the_countersignature_too() {
    let b = stamped(&signer().signature(CONTENT, true), SIGNED);
    let counter = countersignature(&value_of(&b));
    let countersigned = with(&b, oid::COUNTERSIGNATURE, vec![counter]);
    let reason = Some(RevocationReason::KeyCompromise);
    let crls = [witness().crl(
        NOW,
        Some(Revoked {
            at: REVOKED,
            reason,
        }),
    )];
    let report = judge(&countersigned, &crls);
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::RevokedNoPoe)
    );
    let report = judge(&archived(&countersigned, ARCHIVED), &crls);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
}

/// The same countersignature twice, the second time with a time-stamp that came later: the archive time-stamp proves the octets of both, and
/// nothing of that time-stamp, whose authority has ended meanwhile.
#[test]
fn what_stands_beside_a_proven_countersignature_is_not_proven_with_it() {
    let ended = Authority::new(Profile {
        seed: 5,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2027-08-01 00:00 UTC),
        for_time_stamps: true,
    });
    let b = signer().signature(CONTENT, true);
    let counter = witness().signature(&value_of(&b), true);
    let token = ended.token(&ALGORITHM.digest(&value_of(&counter)), BEFORE);
    let counter_stamped = with(&counter, oid::SIGNATURE_TIME_STAMP, vec![token]);
    let adding = |signature: &[u8], counter: &[u8]| {
        with(signature, oid::COUNTERSIGNATURE, vec![cut_out(counter)])
    };
    let anchors = [signer(), clock(), witness(), ended].map(|one| one.anchor());
    let stamp_of = |signature: &[u8]| {
        let report = judge_with(signature, &[], &anchors, &[], NOW);
        let stamp = report
            .objects
            .iter()
            .find(|object| object.kind == ObjectKind::Timestamp && object.time == Some(BEFORE));
        let stamp = stamp.unwrap();
        (stamp.judged_at.unwrap(), stamp.judgement.is_passed())
    };
    let copied = adding(&archived(&adding(&b, &counter), ARCHIVED), &counter_stamped);
    assert_eq!(stamp_of(&copied), (NOW, false));
    let covered = archived(&adding(&b, &counter_stamped), ARCHIVED);
    assert_eq!(stamp_of(&covered), (ARCHIVED, true));
}

#[test]
fn countersignatures_inside_of_each_other_are_bounded() {
    let b = signer().signature(CONTENT, true);
    let nested = |depth: usize| {
        let mut octets = value_of(&b);
        let mut stack = Vec::new();
        for _ in 0..depth {
            let signature = witness().signature(&octets, true);
            octets = value_of(&signature);
            stack.push(
                SignatureParts::parse(&signature).unwrap().signers[0]
                    .signed_fields
                    .clone(),
            );
        }
        let mut inner: Option<Vec<u8>> = None;
        for fields in stack.iter().rev() {
            let attribute = inner.map(|value| Attribute::new(oid::COUNTERSIGNATURE, vec![value]));
            inner = Some(Writer::single(Tag::SEQUENCE, |w| {
                w.raw(fields);
                if let Some(attribute) = &attribute {
                    w.constructed(Tag::context(1), |w| {
                        w.raw(&attribute.raw);
                    });
                }
            }));
        }
        judge(&with(&b, oid::COUNTERSIGNATURE, vec![inner.unwrap()]), &[])
    };
    assert!(nested(4).judgement.is_passed());
    let report = nested(5);
    assert!(report.has(codes::SIGNATURE_TOO_MANY));
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
}

fn with_content_stamp(time: OffsetDateTime) -> Vec<u8> {
    let token = clock().token(&ALGORITHM.digest(CONTENT), time);
    let attribute = Attribute::new(oid::CONTENT_TIME_STAMP, vec![token]);
    signer().signature_with(CONTENT, true, &[attribute])
}

#[test]
fn a_content_time_stamp_says_that_the_signature_is_not_older() {
    let crls = |at| {
        let reason = Some(RevocationReason::Superseded);
        [signer().crl(NOW, Some(Revoked { at, reason }))]
    };
    let good = stamped(&with_content_stamp(BEFORE), SIGNED);
    assert!(judge(&good, &[]).judgement.is_passed());
    // Signed after the revocation, beyond doubt; before it, perhaps.
    let report = judge(&with_content_stamp(SIGNED), &crls(BEFORE));
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::Revoked)
    );
    assert_eq!(report.judgement.conclusion(), Conclusion::TotalFailed);
    assert!(report.has(codes::SIGNED_TOO_LATE));
    let report = judge(&with_content_stamp(BEFORE), &crls(SIGNED));
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::RevokedNoPoe)
    );
    // It cannot be younger than what proves the signature.
    let report = judge(&stamped(&with_content_stamp(ARCHIVED), SIGNED), &[]);
    assert!(report.has(codes::SIGNATURE_CONTENT_STAMP_LATE));
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::TimestampOrderFailure)
    );
}

#[test]
fn an_archive_time_stamp_that_is_older_than_what_it_covers_proves_nothing() {
    let t = stamped(&signer().signature(CONTENT, true), ARCHIVED);
    let report = judge(&archived(&t, SIGNED), &[]);
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::TimestampOrderFailure)
    );
    assert_eq!(report.existence, None);
}

/// The signer's authority is revoked later: without proofs, whoever took its key could have made the certificate of the signer.
#[test]
fn an_authority_that_was_revoked_later_needs_proofs_of_all_below_it() {
    let upper = authority(9);
    let between = signer().root_under(&upper);
    let parts = |signature: &[u8]| {
        let certificates = [between.clone()];
        formats::cms::with_validation_material(signature, &certificates, &[], &[]).unwrap()
    };
    let t = parts(&stamped(&signer().signature(CONTENT, true), SIGNED));
    let anchors = [upper.anchor_above(), clock().anchor()];
    let crl = upper.crl_of(&[77, 1], NOW, REVOKED);
    let report = judge_with(&t, &[], &anchors, &[], NOW);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    let report = judge_with(&t, &[], &anchors, std::slice::from_ref(&crl), NOW);
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::RevokedCaNoPoe)
    );
    assert!(
        report.has(poe::POE_CERTIFICATE_TOO_LATE),
        "{:?}",
        report.findings
    );
    let a = archived(&t, ARCHIVED);
    let report = judge_with(&a, &[], &anchors, &[crl], NOW);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
}

#[test]
fn a_policy_is_named_and_one_that_cannot_be_read_keeps_the_answer_open() {
    let policy = |value: Vec<u8>| {
        let attribute = Attribute::new(oid::SIGNATURE_POLICY_IDENTIFIER, vec![value]);
        judge(&signer().signature_with(CONTENT, true, &[attribute]), &[])
    };
    let named = policy(Writer::single(Tag::SEQUENCE, |w| {
        w.oid(&"2.999.5".parse().unwrap());
    }));
    assert!(named.judgement.is_passed() && named.has(codes::SIGNATURE_POLICY_NAMED));
    assert_eq!(named.objects[0].detail("signature-policy"), Some("2.999.5"));
    for value in [vec![0x30, 0x00], vec![0x04, 0x00]] {
        let report = policy(value);
        assert_eq!(
            report.judgement.sub_indication(),
            Some(SubIndication::PolicyProcessingError)
        );
    }
}
