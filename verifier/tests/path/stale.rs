//! Information that is out of date: it cannot say "good" any more, but what it has called revoked stays revoked.

use crate::ocsp::{Case, hours};
use crate::ocsp_response::Status;
use crate::revocation::{AFTER, BEFORE, LATER, Revocation, crl, entry};
use crate::support::*;
use rcgen::{RevocationReason, SerialNumber};
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::finding::{path as code, revocation as revocation_code};
use verifier::path::{Material, PathOptions, PathOutcome};
use verifier::policy::RevocationRule;
use verifier::verdict::SubIndication;

const SUPERSEDED: Option<RevocationReason> = Some(RevocationReason::Superseded);
const HOLD: Option<RevocationReason> = Some(RevocationReason::CertificateHold);

fn is_revoked(outcome: &PathOutcome) {
    let (code, reason) = (code::CERTIFICATE_REVOKED, SubIndication::Revoked);
    refuses(outcome, code, reason, true);
}

fn is_unknown(outcome: &PathOutcome) {
    let code = revocation_code::REVOCATION_UNKNOWN;
    refuses(outcome, code, SubIndication::TryLater, false);
}

/// A list from well before the time in question, that was to be replaced well before it.
fn old_list(root: &Issuer, revoked: OffsetDateTime, reason: Option<RevocationReason>) -> Vec<u8> {
    crl(root, BEFORE, BEFORE + hours(24), entry(revoked, reason))
}

#[test]
fn a_list_that_is_out_of_date_still_revokes() {
    let case = Revocation::new();
    for reason in [None, SUPERSEDED, Some(RevocationReason::KeyCompromise)] {
        let old = old_list(&case.root, START, reason);
        is_revoked(&case.judge(&[&old], |_| ()));
        // Whatever newer lists say, in any order.
        let newer = crl(&case.root, BEFORE + hours(48), AFTER, None);
        let newest = crl(&case.root, AFTER, LATER, None);
        for lists in [[&old, &newer, &newest], [&newest, &newer, &old]] {
            let lists = lists.map(Vec::as_slice);
            let change = |options: &mut PathOptions<'_>| options.material_time = Some(LATER);
            is_revoked(&case.judge(&lists, change));
        }
    }
}

#[test]
fn where_no_list_is_named_one_that_is_out_of_date_still_revokes() {
    let root = root();
    let mut params = params("Leaf");
    params.serial_number = Some(SerialNumber::from(77_u64));
    let target = leaf(&root, &params);
    let judge = |list: &[u8], revocation| {
        let material = Material {
            crls: vec![list],
            ..Material::default()
        };
        let options = PathOptions {
            revocation,
            ..PathOptions::default()
        };
        judge_with(&target, &material, &anchor(&root), NOW, &options)
    };
    let listed = old_list(&root, START, SUPERSEDED);
    is_revoked(&judge(&listed, RevocationRule::IfNamed));
    passes(&judge(&listed, RevocationRule::Off));
    passes(&judge(
        &old_list(&root, START, HOLD),
        RevocationRule::IfNamed,
    ));
}

#[test]
fn a_list_that_is_out_of_date_says_nothing_else() {
    let case = Revocation::new();
    // A hold may have been lifted since; and what was to be revoked later may have been thought better of.
    for (revoked, reason) in [(START, HOLD), (AFTER, SUPERSEDED)] {
        let old = old_list(&case.root, revoked, reason);
        is_unknown(&case.judge(&[&old], |_| ()));
        let newer = crl(&case.root, BEFORE + hours(48), AFTER, None);
        for lists in [[&old, &newer], [&newer, &old]] {
            passes(&case.judge(&lists.map(Vec::as_slice), |_| ()));
        }
    }
    // Nobody's list.
    is_unknown(&case.judge(&[&old_list(&root(), START, SUPERSEDED)], |_| ()));
}

#[test]
fn every_list_is_asked() {
    let case = Revocation::new();
    let good = crl(&case.root, BEFORE, AFTER, None);
    let bad = crl(&case.root, AFTER, LATER, entry(START, SUPERSEDED));
    let change = |options: &mut PathOptions<'_>| options.material_time = Some(LATER);
    for lists in [[&good, &bad], [&bad, &good]] {
        is_revoked(&case.judge(&lists.map(Vec::as_slice), change));
    }
    let hold = crl(&case.root, BEFORE, AFTER, entry(START, HOLD));
    let released = crl(&case.root, BEFORE + hours(48), AFTER, None);
    for lists in [[&hold, &released], [&released, &hold]] {
        passes(&case.judge(&lists.map(Vec::as_slice), change));
    }
    let earlier = crl(&case.root, BEFORE - hours(48), AFTER, None);
    for lists in [[&hold, &earlier], [&earlier, &hold]] {
        is_revoked(&case.judge(&lists.map(Vec::as_slice), change));
    }
}

#[test]
fn a_list_from_after_the_end_still_revokes() {
    let case = Revocation::new();
    let (issued, next) = (
        datetime!(2030-02-01 0:00 UTC),
        datetime!(2030-03-01 0:00 UTC),
    );
    let change = |options: &mut PathOptions<'_>| options.material_time = Some(next);
    let listed = crl(&case.root, issued, next, entry(START, SUPERSEDED));
    is_revoked(&case.judge(&[&listed], change));
    is_unknown(&case.judge(&[&crl(&case.root, issued, next, None)], change));
}

#[test]
fn a_response_that_is_out_of_date_still_revokes() {
    let case = Case::new();
    let newer = crl(&case.inner.root, BEFORE + hours(48), AFTER, None);
    for next in [Some(BEFORE + hours(24)), None] {
        let old = |time, reason| {
            case.answered(|answer| {
                answer.status = Status::Revoked(time, reason);
                answer.next_update = next;
            })
        };
        for reason in [None, Some(1), Some(4)] {
            let revoked = old(START, reason);
            is_revoked(&case.judge(std::slice::from_ref(&revoked), &[], |_| ()));
            is_revoked(&case.judge(&[revoked], std::slice::from_ref(&newer), |_| ()));
        }
        for (time, reason) in [(START, Some(6)), (AFTER, Some(4))] {
            let nothing = old(time, reason);
            is_unknown(&case.judge(std::slice::from_ref(&nothing), &[], |_| ()));
            passes(&case.judge(&[nothing], std::slice::from_ref(&newer), |_| ()));
        }
        let good = case.answered(|answer| answer.next_update = Some(BEFORE + hours(24)));
        is_unknown(&case.judge(&[good], &[], |_| ()));
    }
}
