//! When validation material is collected: provisional information, renewals, what cannot be had, what is lost.

use verifier::policy::Policy;

use super::*;
use crate::evidence::calendar::facts::Lack;
use crate::evidence::calendar::forecast::{Assumptions, forecast};
use crate::evidence::calendar::options::RenewalOptions;
use crate::evidence::calendar::plan::{Cause, Obstacle, RenewalPlan, plan};
use crate::evidence::renew::RenewalAction;

fn lack(certificate: &str, since: OffsetDateTime) -> Lack {
    Lack {
        certificate: certificate.to_owned(),
        issued: Some(since - days(7)),
        since,
    }
}

/// A chain that ends in nine years, or as said, and lacks this.
fn lacking(number: u64, end_in: i64, lacks: Vec<Lack>) -> ChainFacts {
    let mut chain = chain(number, vec![path(NOW + days(end_in))]);
    chain.newest.lacks = lacks;
    chain
}

fn planned(chains: &[ChainFacts]) -> RenewalPlan {
    plan(chains, &Policy::default(), &RenewalOptions::default(), NOW)
}

/// The batches of the only collection among the actions.
fn collected(plan: &RenewalPlan) -> Vec<BatchId> {
    let mut found = plan.due.iter().filter_map(|one| {
        let RenewalAction::Material { batches } = &one.action else {
            return None;
        };
        Some(batches.clone())
    });
    let first = found.next().unwrap_or_default();
    assert_eq!(found.next(), None);
    first
}

#[test]
fn provisional_information_is_replaced_as_soon_as_better_is_due() {
    let chains = [
        lacking(1, 3000, vec![lack("A", NOW + days(9)), lack("B", NOW)]),
        lacking(2, 3000, vec![lack("A", NOW + days(2))]),
        lacking(3, 3000, vec![]),
    ];
    let made = planned(&chains);
    assert_eq!(collected(&made), [batch(1)]);
    assert_eq!(made.due.len(), 1, "no renewal is due");
    assert_eq!(made.due[0].cause, Cause::Material(lack("B", NOW)));
    assert_eq!((made.due[0].due, made.due[0].versions), (NOW, 100));
    assert_eq!(made.requests(), 0);
    let later = &made.later[0];
    assert_eq!(later.action.name(), "material");
    assert_eq!(made.next_due(), Some(NOW + days(2)));
    assert_eq!(made.blocked, []);
}

#[test]
fn a_token_with_final_information_is_not_asked_for_again_not_even_before_a_renewal() {
    let soon = NOW + days(30);
    let chains = [
        lacking(1, 100, vec![]),
        lacking(2, 100, vec![lack("A", soon)]),
    ];
    let made = planned(&chains);
    assert_eq!(collected(&made), [batch(2)], "the renewal freezes it");
    let names: Vec<&str> = made.due.iter().map(|one| one.action.name()).collect();
    assert_eq!(names, ["material", "time-stamp-renewal"]);
    assert_eq!(collected(&planned(&chains[..1])), []);
}

#[test]
fn what_cannot_be_had_for_a_week_is_named_for_each_track_and_certificate() {
    let old = NOW - days(7);
    let mut second = lacking(3, 3000, vec![lack("A", old)]);
    second.track = 1;
    let chains = [
        lacking(1, 3000, vec![lack("A", old - days(1)), lack("B", NOW)]),
        lacking(2, 3000, vec![lack("A", old)]),
        second,
        lacking(4, 3000, vec![lack("A", old + Duration::SECOND)]),
    ];
    let made = planned(&chains);
    assert_eq!(collected(&made).len(), 4, "all are asked for again");
    let named: Vec<_> = made
        .blocked
        .iter()
        .map(|one| (one.track, one.versions, one.why.clone()))
        .collect();
    let why = |since| Obstacle::NoMaterial {
        certificate: "A".to_owned(),
        since,
    };
    assert_eq!(named, [(0, 200, why(old - days(1))), (1, 100, why(old))]);
}

#[test]
fn for_a_lost_chain_nothing_is_asked_and_what_nothing_proves_is_reported() {
    let revoked = EndReason::DoesNotVerify("CERTIFICATE_REVOKED".to_owned());
    let mut lost = lacking(1, 3000, vec![lack("A", NOW - days(30))]);
    lost.newest.ends.insert(0, end(NOW - days(400), revoked));
    lost.unproven = 40;
    let mut other = lacking(2, 3000, vec![]);
    other.track = 1;
    let made = planned(&[lost, other]);
    assert_eq!((made.due.len(), made.blocked.len()), (0, 0));
    assert_eq!(made.lost.len(), 1);
    assert_eq!((made.lost[0].versions, made.unproven()), (100, 40));
    assert!(!made.is_quiet());
}

#[test]
fn a_forecast_collects_once() {
    let chains = [lacking(1, 3000, vec![lack("A", NOW + days(9))])];
    let seen = forecast(
        &chains,
        &Policy::default(),
        &RenewalOptions::default(),
        Assumptions::from_facts(&chains),
        NOW,
        NOW + days(1000),
    );
    let steps: Vec<_> = seen.steps.iter().map(|step| step.at).collect();
    assert_eq!(steps, [NOW + days(9)]);
}
