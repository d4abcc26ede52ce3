//! One decision each.

use super::*;
use crate::evidence::calendar::forecast;
use crate::evidence::calendar::forecast::{Assumptions, carry_out};
use crate::evidence::calendar::options::RenewalOptions;
use crate::evidence::calendar::plan::{Cause, Obstacle, RenewalPlan, plan};
use crate::evidence::renew::RenewalAction;

fn planned(chains: &[ChainFacts], policy: &Policy) -> RenewalPlan {
    plan(chains, policy, &RenewalOptions::default(), NOW)
}

fn names(plan: &RenewalPlan) -> Vec<&'static str> {
    plan.due.iter().map(|one| one.action.name()).collect()
}

#[test]
fn nothing_is_due_long_before_every_end() {
    assert!(planned(&[], &Policy::default()).is_quiet());
    let plan = planned(
        &[chain(1, vec![path(NOW + days(4000))]), chain(2, vec![])],
        &Policy::default(),
    );
    assert!(plan.is_quiet());
    assert_eq!(plan.requests(), 0);
    assert_eq!(plan.next_due(), Some(NOW + days(4000 - 180)));
}

#[test]
fn leads_decide_the_day() {
    for (end, lead) in [
        (path as fn(OffsetDateTime) -> End, 180),
        (rsa as fn(OffsetDateTime) -> End, 365),
    ] {
        for (left, due) in [(lead + 1, false), (lead, true), (0, true)] {
            let plan = planned(&[chain(1, vec![end(NOW + days(left))])], &Policy::default());
            assert_eq!(!plan.due.is_empty(), due, "{left} of {lead} days");
            assert!(plan.lost.is_empty());
        }
    }
}

#[test]
fn one_token_serves_all_chains_of_a_track_and_an_algorithm() {
    let due = NOW + days(100);
    let mut chains: Vec<ChainFacts> = (1..=5)
        .map(|n| chain(n, vec![path(due + days(i64::try_from(n).expect("small")))]))
        .collect();
    // Due in ten months: joins. Due in three years: does not.
    chains.push(chain(6, vec![path(NOW + days(180 + 300))]));
    chains.push(chain(7, vec![path(NOW + days(180 + 1000))]));
    let plan = planned(&chains, &Policy::default());
    assert_eq!(names(&plan), ["time-stamp-renewal"]);
    assert_eq!(plan.requests(), 1);
    assert_eq!(
        plan.due[0].action.heads(),
        (1..=6).map(batch).collect::<Vec<_>>()
    );
    assert_eq!(plan.due[0].versions, 600);
    assert_eq!(plan.due[0].latest, Some(due + days(1)));
    assert_eq!(plan.later.len(), 1);
    assert_eq!(plan.later[0].action.heads(), [batch(7)]);
    // Another track is another authority.
    for chain in &mut chains {
        chain.track = u8::from(chain.head == batch(2));
    }
    assert_eq!(planned(&chains, &Policy::default()).requests(), 2);
}

#[test]
fn chains_of_different_digests_cannot_share_a_token() {
    let mut other = chain(2, vec![path(NOW + days(10))]);
    other.algorithm = SHA512;
    let plan = planned(
        &[chain(1, vec![path(NOW + days(10))]), other],
        &Policy::default(),
    );
    assert_eq!(plan.requests(), 2);
}

#[test]
fn the_end_of_the_tree_asks_for_a_new_tree_alone() {
    let end = NOW + days(300);
    let policy = policy(&[("sha256", end)]);
    let chains = [
        chain(1, vec![path(NOW + days(20)), tree(end, SHA256)]),
        chain(2, vec![path(NOW + days(2000)), tree(end, SHA256)]),
    ];
    let plan = planned(&chains, &policy);
    assert_eq!(names(&plan), ["hash-tree-renewal"]);
    let RenewalAction::HashTree {
        from, to, heads, ..
    } = &plan.due[0].action
    else {
        panic!("{plan:?}");
    };
    assert_eq!((*from, *to, heads.len()), (SHA256, SHA512, 2));
    assert!(plan.due[0].cause.is_tree());
    assert_eq!(
        plan.due[0].latest,
        Some(NOW + days(20)),
        "the first end of all"
    );
    assert!(plan.later.is_empty(), "{:?}", plan.later);
}

#[test]
fn a_tree_that_ends_soon_is_renewed_in_place_of_its_token() {
    // The token is due now, the tree in eleven months: one token instead of two.
    let end = NOW + days(365 + 330);
    let policy = policy(&[("sha256", end)]);
    let both = vec![path(NOW + days(20)), tree(end, SHA256)];
    assert_eq!(
        names(&planned(&[chain(1, both)], &policy)),
        ["hash-tree-renewal"]
    );
    // The tree in three years: the token alone, now; the tree later.
    let end = NOW + days(4 * 365);
    let policy = super::policy(&[("sha256", end)]);
    let both = vec![path(NOW + days(20)), tree(end, SHA256)];
    let plan = planned(&[chain(1, both)], &policy);
    assert_eq!(names(&plan), ["time-stamp-renewal"]);
    assert_eq!(plan.later.len(), 1);
    assert_eq!(plan.later[0].action.name(), "hash-tree-renewal");
    assert_eq!(plan.later[0].due, end - days(365));
}

#[test]
fn a_third_digest_needs_the_content_first() {
    let end = NOW + days(100);
    let policy = policy(&[("sha256", end), ("sha512", end)]);
    let mut second = chain(2, vec![tree(end, SHA256)]);
    second.track = 1;
    let plan = planned(&[chain(1, vec![tree(end, SHA256)]), second], &policy);
    assert_eq!(
        names(&plan),
        ["re-hash", "hash-tree-renewal", "hash-tree-renewal"]
    );
    assert_eq!(
        plan.due[0].action,
        RenewalAction::ReHash {
            algorithm: DigestAlgorithm::Sha3_512,
            versions: 100
        }
    );
}

#[test]
fn without_any_digest_it_is_said_and_tokens_are_renewed_all_the_same() {
    let end = NOW + days(100);
    let policy = policy(&[("sha256", end), ("sha512", end), ("sha3-512", end)]);
    let plan = planned(
        &[chain(1, vec![tree(end, SHA256), path(NOW + days(50))])],
        &policy,
    );
    assert_eq!(names(&plan), ["time-stamp-renewal"]);
    assert_eq!(plan.blocked[0].why, Obstacle::NoDigest { from: SHA256 });
}

#[test]
fn what_has_ended_is_lost_and_asks_for_nothing() {
    let gone = path(NOW - days(1));
    let plan = planned(
        &[
            chain(1, vec![gone.clone(), rsa(NOW + days(9))]),
            chain(2, vec![path(NOW)]),
        ],
        &Policy::default(),
    );
    assert_eq!(plan.lost.len(), 1);
    assert_eq!(plan.lost[0].end, gone);
    assert_eq!(plan.lost[0].versions, 100);
    assert_eq!(plan.due[0].action.heads(), [batch(2)]);
}

#[test]
fn a_chain_that_nothing_lives_in_is_left_alone() {
    let mut dead = chain(1, vec![path(NOW - days(1))]);
    dead.live = 0;
    assert!(planned(&[dead], &Policy::default()).is_quiet());
}

#[test]
fn a_token_that_would_end_no_later_is_not_asked_for() {
    let end = NOW + days(100);
    let old = chain(1, vec![path(end)]);
    let mut fresh = chain(2, vec![path(end)]);
    fresh.newest.stamped_at = NOW - days(3);
    fresh.newest.tsa = "fresh".to_owned();
    let plan = planned(&[old.clone(), fresh.clone()], &Policy::default());
    assert!(plan.due.is_empty());
    assert_eq!(plan.blocked.len(), 1);
    assert_eq!(plan.blocked[0].heads.len(), 2);
    assert_eq!(
        plan.blocked[0].why,
        Obstacle::NewTokenEndsNoLater {
            tsa: "fresh".to_owned(),
            stamped_at: NOW - days(3),
            ends_at: end
        }
    );
    // The same authority with a new certificate, or a token too old to show what it gives: it is asked.
    let mut renewed = fresh.clone();
    renewed.newest.ends = vec![path(end + days(3650))];
    assert_eq!(
        planned(&[old.clone(), renewed], &Policy::default()).requests(),
        1
    );
    fresh.newest.stamped_at = NOW - days(31);
    assert_eq!(planned(&[old, fresh], &Policy::default()).requests(), 1);
}

#[test]
fn age_alone_can_ask_for_a_renewal() {
    let options = RenewalOptions {
        age_max: Some(days(5 * 365)),
        ..RenewalOptions::default()
    };
    let plan = plan(&[chain(1, vec![])], &Policy::default(), &options, NOW);
    assert_eq!(plan.requests(), 1);
    assert!(matches!(plan.due[0].cause, Cause::Age { .. }));
    assert_eq!(plan.due[0].latest, None);
}

#[test]
fn doubt_is_told_and_renewed_all_the_same() {
    let mut doubtful = chain(1, vec![path(NOW + days(10))]);
    doubtful.newest.doubt = Some("REVOCATION_UNKNOWN".to_owned());
    let plan = planned(&[doubtful], &Policy::default());
    assert_eq!(plan.requests(), 1);
    assert_eq!(
        plan.blocked[0].why,
        Obstacle::Doubt("REVOCATION_UNKNOWN".to_owned())
    );
}

#[test]
fn when_all_is_done_nothing_is_left() {
    let end = NOW + days(200);
    let policy = policy(&[("sha256", end)]);
    let mut other = chain(3, vec![path(NOW + days(9))]);
    other.algorithm = SHA512;
    let mut chains = vec![
        chain(1, vec![path(NOW + days(30)), tree(end, SHA256)]),
        chain(2, vec![tree(end, SHA256)]),
        other,
    ];
    let assumptions = Assumptions::from_facts(&chains);
    for planned in planned(&chains, &policy).due {
        carry_out(&mut chains, &planned.action, &policy, &assumptions, NOW);
    }
    assert!(planned(&chains, &policy).is_quiet());
    assert_eq!(chains.iter().map(|chain| chain.live).sum::<u64>(), 300);
    assert!(chains.iter().all(|chain| chain.algorithm == SHA512));
}

#[test]
fn a_forecast_tells_the_years_ahead() {
    let chains = [chain(
        1,
        vec![
            path(NOW + days(5 * 365)),
            tree(datetime!(2050-12-31 14:59:59 UTC), SHA256),
        ],
    )];
    let until = NOW + days(30 * 365);
    let options = RenewalOptions::default();
    let policy = Policy::default();
    let assumptions = Assumptions::from_facts(&chains);
    assert_eq!(assumptions.certificates_hold, days(10 * 365));
    let found = forecast(&chains, &policy, &options, assumptions, NOW, until);
    assert_eq!(found.ends.len(), 2);
    assert!(found.lost.is_empty() && found.blocked.is_empty());
    let years: Vec<(i32, &str)> = found
        .steps
        .iter()
        .filter(|step| step.action.action.requests() > 0)
        .map(|step| (step.at.year(), step.action.action.name()))
        .collect();
    assert_eq!(
        years,
        [
            (2034, "time-stamp-renewal"),
            (2044, "time-stamp-renewal"),
            (2049, "hash-tree-renewal"),
            (2059, "time-stamp-renewal")
        ]
    );
    assert_eq!(found.requests(), 4);
    assert!(found.bytes() > 0);
}

#[test]
fn a_forecast_names_what_no_renewal_can_save() {
    let end = NOW + days(800);
    let policy = policy(&[("sha256", end), ("sha512", end), ("sha3-512", end)]);
    let chains = [chain(1, vec![tree(end, SHA256)])];
    let assumptions = Assumptions::from_facts(&chains);
    let options = RenewalOptions::default();
    let found = forecast(
        &chains,
        &policy,
        &options,
        assumptions,
        NOW,
        NOW + days(3650),
    );
    assert_eq!(found.lost.len(), 1);
    assert_eq!(found.lost[0].versions, 100);
}
