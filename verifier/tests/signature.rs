//! CAdES signatures made here, level by level, and what the time-stamps in them save.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use formats::cades::{
    HashIndex, Level, SignatureParts, add_unsigned_attributes, archive_time_stamp_input, detach,
};
use formats::cms::Attribute;
use formats::digest::DigestAlgorithm;
use formats::oid;
use rcgen::RevocationReason;
use support::authority::{Authority, Profile, Revoked};
use support::judging;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use verifier::context::Context;
use verifier::finding::{Place, path, revocation, signature as codes};
use verifier::judge::verify;
use verifier::policy::Policy;
use verifier::signature::{STAMPED_BYTES_MAX, SignatureReport, verify_signature_file};
use verifier::source::{DataBytes, DigestSource, InputFile};
use verifier::verdict::{Conclusion, Integrity, SubIndication};

const CONTENT: &[u8] = b"a contract";
const ALGORITHM: DigestAlgorithm = DigestAlgorithm::Sha256;
const SIGNED: OffsetDateTime = datetime!(2026-11-22 03:48:30 UTC);
const ARCHIVED: OffsetDateTime = datetime!(2027-11-22 00:00 UTC);
const AGAIN: OffsetDateTime = datetime!(2029-06-01 00:00 UTC);
/// When the certificates of the signer (2028) and of the first time-stamping authority (2030) have ended.
const LATER: OffsetDateTime = datetime!(2033-01-01 00:00 UTC);

fn authority(seed: u8, to: OffsetDateTime) -> Authority {
    Authority::new(Profile {
        seed,
        from: datetime!(2026-01-01 00:00 UTC),
        to,
        for_time_stamps: true,
    })
}

fn signer() -> Authority {
    authority(3, datetime!(2028-01-01 00:00 UTC))
}

fn first() -> Authority {
    authority(1, datetime!(2030-01-01 00:00 UTC))
}

fn second() -> Authority {
    authority(2, datetime!(2040-01-01 00:00 UTC))
}

fn judge_with(
    signature: &[u8],
    data: &[&dyn DigestSource],
    crls: &[Vec<u8>],
    time: OffsetDateTime,
) -> SignatureReport {
    let policy = Policy::default();
    let anchors = [signer().anchor(), first().anchor(), second().anchor()];
    let context = Context {
        crls,
        ..judging(&anchors, &policy, time)
    };
    verify_signature_file(signature, data, &context, &Place::root())
}

fn judge(signature: &[u8], time: OffsetDateTime) -> SignatureReport {
    judge_with(signature, &[], &[], time)
}

fn basic() -> Vec<u8> {
    signer().signature(CONTENT, true)
}

fn with_attribute(signature: &[u8], attribute: oid::Oid, value: Vec<u8>) -> Vec<u8> {
    add_unsigned_attributes(signature, 0, &[Attribute::new(attribute, vec![value])]).unwrap()
}

/// The signature with a signature-time-stamp.
fn stamped(signature: &[u8], authority: &Authority, time: OffsetDateTime) -> Vec<u8> {
    let parts = SignatureParts::parse(signature).unwrap();
    let token = authority.token(&ALGORITHM.digest(&parts.signers[0].signature), time);
    with_attribute(signature, oid::SIGNATURE_TIME_STAMP, token)
}

/// The signature with an archive-time-stamp-v3 over `content`.
fn archived_over(
    signature: &[u8],
    content: &[u8],
    authority: &Authority,
    time: OffsetDateTime,
) -> Vec<u8> {
    let parts = SignatureParts::parse(signature).unwrap();
    let cuts = &parts.signers[0];
    let index = HashIndex::over(&parts, cuts, ALGORITHM);
    let input = archive_time_stamp_input(&parts, cuts, &ALGORITHM.digest(content), &index);
    let token = authority.token(&ALGORITHM.digest(&input), time);
    let token = add_unsigned_attributes(&token, 0, &[index.to_attribute()]).unwrap();
    with_attribute(signature, oid::ARCHIVE_TIME_STAMP_V3, token)
}

fn archived(signature: &[u8], authority: &Authority, time: OffsetDateTime) -> Vec<u8> {
    archived_over(signature, CONTENT, authority, time)
}

#[test]
fn each_level_is_found_and_passes_while_everything_is_valid() {
    let b = basic();
    let t = stamped(&b, &first(), SIGNED);
    let a = archived(&t, &first(), ARCHIVED);
    let again = archived(&a, &second(), AGAIN);
    let now = ARCHIVED + Duration::days(1);
    for (signature, level, time, existence) in [
        (&b, Level::Bes, now, None),
        (&t, Level::T, now, Some(SIGNED)),
        (&a, Level::A, now, Some(SIGNED)),
        (&again, Level::A, AGAIN + Duration::days(1), Some(SIGNED)),
    ] {
        let report = judge(signature, time);
        assert!(report.judgement.is_passed(), "{:?}", report.findings);
        assert_eq!(report.levels, [Some(level)]);
        assert_eq!(report.existence, existence);
    }
    let object = &judge(&a, now).objects[0];
    let detail = |name| object.details.iter().find(|(known, _)| *known == name);
    assert_eq!(detail("level").unwrap().1, "ES-A");
    assert_eq!(detail("baseline-level").unwrap().1, "CAdES-BASELINE-LTA");
}

#[test]
fn archive_time_stamps_keep_a_signature_alive() {
    let t = stamped(&basic(), &first(), SIGNED);
    let a = archived(&t, &first(), ARCHIVED);
    let again = archived(&a, &second(), AGAIN);
    for ended in [&basic(), &t, &a] {
        let report = judge(ended, LATER);
        assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
        assert_eq!(report.judgement.integrity(), Integrity::Intact);
        assert_eq!(
            report.judgement.sub_indication(),
            Some(SubIndication::OutOfBoundsNoPoe)
        );
    }
    let report = judge(&again, LATER);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    assert_eq!(report.existence, Some(SIGNED));
    let judged: Vec<_> = report
        .objects
        .iter()
        .skip(1)
        .map(|object| (object.time, object.judged_at))
        .collect();
    let expected = [
        (Some(AGAIN), Some(LATER)),
        (Some(ARCHIVED), Some(AGAIN)),
        (Some(SIGNED), Some(ARCHIVED)),
    ];
    assert_eq!(judged, expected);
}

#[test]
fn detached_signatures_need_their_data() {
    let t = stamped(&basic(), &first(), SIGNED);
    let (detached, content) = detach(&t).unwrap();
    let detached = archived_over(&detached, &content, &first(), ARCHIVED);
    let now = ARCHIVED + Duration::days(1);
    let data = DataBytes::new("contract", content);
    let other = DataBytes::new("other", b"another contract".as_slice());
    let report = judge_with(&detached, &[&other, &data], &[], now);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    assert_eq!(report.covered, [false, true]);
    let report = judge_with(&detached, &[&other], &[], now);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    assert!(report.has(codes::SIGNATURE_DIGEST_MISMATCH));
    let report = judge_with(&detached, &[], &[], now);
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::SignedDataNotFound)
    );
    assert_eq!(report.judgement.integrity(), Integrity::Unknown);
}

#[test]
fn the_program_recognises_it_and_compares_it_with_the_data() {
    let policy = Policy::default();
    let anchors = [signer().anchor(), first().anchor()];
    let context = judging(&anchors, &policy, ARCHIVED);
    let file = [InputFile::new(
        "contract.p7m",
        stamped(&basic(), &first(), SIGNED),
    )];
    let data = DataBytes::new("contract", CONTENT);
    let report = verify(&file, &[&data], &context);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    assert_eq!(report.best_signature_time, Some(SIGNED));
    let other = DataBytes::new("contract", b"another".as_slice());
    let report = verify(&file, &[&other], &context);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
}

#[test]
fn a_revocation_counts_only_if_nothing_proves_the_signature_older() {
    let revoked = |at| {
        let reason = Some(RevocationReason::KeyCompromise);
        vec![signer().crl(ARCHIVED, Some(Revoked { at, reason }))]
    };
    let t = stamped(&basic(), &first(), SIGNED);
    let now = ARCHIVED;
    let after = revoked(SIGNED + Duration::days(30));
    assert!(judge_with(&t, &[], &after, now).judgement.is_passed());
    let before = revoked(SIGNED - Duration::days(30));
    for (signature, crls) in [(&basic(), &after), (&t, &before)] {
        let report = judge_with(signature, &[], crls, now);
        assert_eq!(
            report.judgement.sub_indication(),
            Some(SubIndication::RevokedNoPoe)
        );
        assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    }
}

#[test]
fn what_is_altered_is_broken() {
    let t = stamped(&basic(), &first(), SIGNED);
    let a = archived(&t, &first(), ARCHIVED);
    let now = ARCHIVED + Duration::days(1);
    let altered = |needle: &[u8]| {
        let mut bytes = a.clone();
        let at = bytes
            .windows(needle.len())
            .position(|window| window == needle);
        bytes[at.unwrap()] ^= 1;
        judge(&bytes, now)
    };
    let parts = SignatureParts::parse(&a).unwrap();
    let cuts = &parts.signers[0];
    for needle in [CONTENT, &cuts.signature] {
        let report = altered(needle);
        assert_eq!(report.judgement.conclusion(), Conclusion::TotalFailed);
        assert_eq!(report.judgement.integrity(), Integrity::Broken);
    }
    // A certificate that the index names is gone.
    let other = first().signature(CONTENT, true);
    let foreign = SignatureParts::parse(&a).unwrap().signers[0]
        .unsigned_attributes
        .clone();
    let copied = add_unsigned_attributes(&other, 0, &foreign).unwrap();
    let report = judge(&copied, now);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    assert!(report.has(codes::SIGNATURE_INDEX_UNMATCHED));
}

#[test]
fn form_is_demanded() {
    let now = ARCHIVED;
    let unbound = judge(&signer().signature(CONTENT, false), now);
    assert!(unbound.has(codes::SIGNING_REFERENCE_MISSING));
    assert_eq!(unbound.levels, [None]);
    assert!(!unbound.judgement.is_passed());
    let bare = with_attribute(
        &basic(),
        oid::ARCHIVE_TIME_STAMP_V3,
        first().token(&ALGORITHM.digest(b"x"), SIGNED),
    );
    let report = judge(&bare, now);
    assert!(report.has(codes::SIGNATURE_INDEX_MISSING));
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    let malformed = with_attribute(&basic(), oid::COUNTERSIGNATURE, vec![0x30, 0]);
    assert!(judge(&malformed, now).has(codes::SIGNATURE_MALFORMED));
    let old = with_attribute(
        &basic(),
        oid::ARCHIVE_TIME_STAMP_V2,
        first().token(&ALGORITHM.digest(b"x"), SIGNED),
    );
    let report = judge(&old, now);
    assert!(report.has(codes::SIGNATURE_STAMP_OPEN));
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    for bytes in [&b""[..], b"0", &basic()[..40]] {
        let report = judge(bytes, now);
        assert_eq!(report.judgement.integrity(), Integrity::Broken);
    }
}

#[test]
fn a_time_stamp_that_has_aged_proves_nothing_and_breaks_nothing() {
    let ended = authority(1, datetime!(2027-01-01 00:00 UTC));
    let t = stamped(&basic(), &ended, SIGNED);
    let policy = Policy::default();
    let anchors = [signer().anchor(), ended.anchor()];
    let report = verify_signature_file(
        &t,
        &[],
        &judging(&anchors, &policy, ARCHIVED),
        &Place::root(),
    );
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    assert!(report.has(codes::SIGNATURE_STAMP_NOT_COUNTED));
    assert_eq!(report.existence, None);
}

#[test]
fn hostile_numbers_leave_the_answer_open() {
    let mut many = basic();
    let token = first().token(&ALGORITHM.digest(b"x"), SIGNED);
    for _ in 0..2 {
        let attribute = Attribute::new(oid::SIGNATURE_TIME_STAMP, vec![token.clone(); 200]);
        many = add_unsigned_attributes(&many, 0, &[attribute]).unwrap();
    }
    let report = judge(&many, ARCHIVED);
    assert!(report.has(codes::SIGNATURE_TOO_MANY));
    assert!(!report.judgement.is_passed());
}

/// Each time-stamp may be over the whole file, so the larger the file is, the fewer of them are judged.
#[test]
fn many_time_stamps_in_a_large_file_leave_the_answer_open() {
    let content = vec![0x20; 12 * 1024 * 1024];
    let large = signer().signature(&content, true);
    let parts = SignatureParts::parse(&large).unwrap();
    let token = first().token(&ALGORITHM.digest(&parts.signers[0].signature), SIGNED);
    let stamped = |signature: &[u8], count: usize| {
        let attribute = Attribute::new(oid::SIGNATURE_TIME_STAMP, vec![token.clone(); count]);
        add_unsigned_attributes(signature, 0, &[attribute]).unwrap()
    };
    let most = STAMPED_BYTES_MAX / stamped(&large, 85).len();
    assert!((80..85).contains(&most), "{most}");
    for (count, passes) in [(most, true), (most + 1, false)] {
        let report = judge(&stamped(&large, count), ARCHIVED);
        assert_eq!(report.has(codes::SIGNATURE_TOO_MANY), !passes, "{count}");
        assert_eq!(report.judgement.is_passed(), passes, "{count}");
    }
}

/// "Final is enough" (ADR 0012) holds for a signer as for a token: what was known in the second of the time-stamp stays known.
#[test]
fn information_since_the_time_stamp_is_enough_for_the_signer() {
    let strict = include_str!("../policy/default.json").replace("\"if-named\"", "\"required\"");
    let policy = Policy::parse(strict.as_bytes()).unwrap();
    let anchors = [signer().anchor(), first().anchor()];
    let moment = Duration::milliseconds(1);
    // The time states fractions of a second, the list whole ones.
    let t = stamped(&basic(), &first(), SIGNED + Duration::milliseconds(500));
    let judge = |issued: OffsetDateTime, revoked| {
        let crls = [
            signer().crl_until(issued, issued + moment, revoked),
            first().crl(ARCHIVED, None),
        ];
        let context = Context {
            crls: &crls,
            ..judging(&anchors, &policy, ARCHIVED)
        };
        verify_signature_file(&t, &[], &context, &Place::root())
    };
    let report = judge(SIGNED, None);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    assert!(report.has(revocation::REVOCATION_KNOWN_UNTIL));
    let earlier = judge(SIGNED - Duration::seconds(1), None);
    assert_eq!(
        earlier.judgement.sub_indication(),
        Some(SubIndication::TryLater)
    );
    let revoked = Revoked {
        at: SIGNED - Duration::days(9),
        reason: Some(RevocationReason::Superseded),
    };
    let old = judge(SIGNED - Duration::days(8), Some(revoked));
    assert!(!old.judgement.is_passed(), "a list of long ago");
    assert!(old.has(path::CERTIFICATE_REVOKED));
}
