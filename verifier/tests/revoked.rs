//! Revoked authorities: what a renewal saves, and what nothing saves (EN 319 102-1 §5.6.2, RFC 3161 §4).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use formats::evidence::EvidenceRecord;
use rcgen::RevocationReason;
use support::authority::{Authority, Profile, Revoked};
use support::judging;
use support::record::{ALGORITHM, RECEIVED, batch, renew_time_stamp};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use verifier::context::Context;
use verifier::evidence::{EvidenceReport, Group, verify_record};
use verifier::finding::{Place, timestamp as codes};
use verifier::policy::Policy;
use verifier::source::DataBytes;
use verifier::verdict::{Conclusion, Integrity, SubIndication};

const DOCUMENT: &[u8] = b"a document";
const RENEWED: OffsetDateTime = datetime!(2029-06-01 00:00 UTC);
const NOW: OffsetDateTime = datetime!(2029-12-01 00:00 UTC);
const COMPROMISED: Option<RevocationReason> = Some(RevocationReason::KeyCompromise);
const SUPERSEDED: Option<RevocationReason> = Some(RevocationReason::Superseded);

fn authority(seed: u8) -> Authority {
    Authority::new(Profile {
        seed,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2040-01-01 00:00 UTC),
        for_time_stamps: true,
    })
}

fn initial() -> EvidenceRecord {
    batch(&[vec![ALGORITHM.digest(DOCUMENT)]], &authority(1), RECEIVED).remove(0)
}

fn renewed() -> EvidenceRecord {
    renew_time_stamp(&initial(), &authority(2), RENEWED)
}

/// Judges while the first authority's certificate is on a list of today.
fn judge(
    record: &EvidenceRecord,
    revoked: Option<Revoked>,
    time: OffsetDateTime,
) -> EvidenceReport {
    let policy = Policy::default();
    let anchors = [authority(1).anchor(), authority(2).anchor()];
    let crls = [
        authority(1).crl(time, revoked),
        authority(2).crl(time, None),
    ];
    let context = Context {
        crls: &crls,
        ..judging(&anchors, &policy, time)
    };
    let document = DataBytes::new("document", DOCUMENT);
    let bytes = record.encode().unwrap();
    verify_record(&bytes, &[&document], Group::Whole, &context, &Place::root())
}

fn sub_indication(record: &EvidenceRecord, revoked: Revoked) -> Option<SubIndication> {
    let report = judge(record, Some(revoked), NOW);
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
    assert_eq!(report.judgement.is_passed(), report.existence.is_some());
    report.judgement.sub_indication()
}

fn at(at: OffsetDateTime, reason: Option<RevocationReason>) -> Revoked {
    Revoked { at, reason }
}

#[test]
fn a_revocation_after_the_renewal_does_no_harm() {
    assert!(judge(&renewed(), None, NOW).judgement.is_passed());
    for reason in [COMPROMISED, SUPERSEDED, None] {
        let revoked = at(RENEWED + Duration::days(30), reason);
        assert_eq!(sub_indication(&renewed(), revoked), None, "{reason:?}");
    }
}

#[test]
fn a_revocation_before_the_renewal_leaves_the_question_open() {
    for reason in [COMPROMISED, SUPERSEDED, None] {
        let revoked = at(RENEWED - Duration::days(30), reason);
        let found = sub_indication(&renewed(), revoked);
        assert_eq!(found, Some(SubIndication::RevokedNoPoe), "{reason:?}");
    }
}

#[test]
fn without_a_renewal_every_revocation_counts() {
    for reason in [COMPROMISED, SUPERSEDED, None] {
        let revoked = at(NOW - Duration::days(30), reason);
        let report = judge(&initial(), Some(revoked), NOW);
        assert_eq!(
            report.judgement.sub_indication(),
            Some(SubIndication::RevokedNoPoe)
        );
        assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
        assert!(report.has(codes::TOKEN_REVOKED_NO_POE));
    }
}

#[test]
fn a_token_of_a_revoked_authority_fails() {
    for reason in [COMPROMISED, SUPERSEDED, None] {
        let revoked = at(RECEIVED - Duration::days(1), reason);
        for record in [initial(), renewed()] {
            let report = judge(&record, Some(revoked), NOW);
            assert_eq!(
                report.judgement.sub_indication(),
                Some(SubIndication::Revoked)
            );
            assert_eq!(report.judgement.conclusion(), Conclusion::TotalFailed);
        }
    }
}

#[test]
fn an_expired_and_revoked_certificate_is_told_as_revoked() {
    let ended = Authority::new(Profile {
        seed: 1,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2028-01-01 00:00 UTC),
        for_time_stamps: true,
    });
    let record = batch(&[vec![ALGORITHM.digest(DOCUMENT)]], &ended, RECEIVED).remove(0);
    let revoked = at(RECEIVED + Duration::days(90), COMPROMISED);
    let issued = RECEIVED + Duration::days(100);
    let policy = Policy::default();
    let anchors = [ended.anchor()];
    let crls = [ended.crl(issued, Some(revoked))];
    let context = Context {
        crls: &crls,
        ..judging(&anchors, &policy, NOW)
    };
    let document = DataBytes::new("document", DOCUMENT);
    let bytes = record.encode().unwrap();
    let report = verify_record(&bytes, &[&document], Group::Whole, &context, &Place::root());
    assert_eq!(
        report.judgement.sub_indication(),
        Some(SubIndication::RevokedNoPoe),
        "{:?}",
        report.findings
    );
}
