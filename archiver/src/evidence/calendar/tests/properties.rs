//! What holds for every archive: no end is passed as long as each action is done when it is due.

use proptest::prelude::*;

use super::*;
use crate::evidence::calendar::forecast::{Assumptions, carry_out};
use crate::evidence::calendar::options::RenewalOptions;
use crate::evidence::calendar::plan::plan;
use crate::evidence::renew::RenewalAction;

/// Days until something ends: far enough that it can still be done in time.
fn ahead() -> impl Strategy<Value = i64> {
    1_i64..6000
}

fn chains() -> impl Strategy<Value = Vec<ChainFacts>> {
    let one = (
        ahead(),
        proptest::option::of(ahead()),
        0_u8..2,
        1_u64..1000,
        31_i64..3000,
        any::<bool>(),
    );
    proptest::collection::vec(one, 1..12).prop_map(|drawn| {
        drawn
            .into_iter()
            .zip(1..)
            .map(|((path_in, rsa_in, track, live, age, strong), number)| {
                let mut ends = vec![path(NOW + days(path_in))];
                ends.extend(rsa_in.map(|rsa_in| rsa(NOW + days(rsa_in))));
                let mut chain = chain(number, ends);
                chain.track = track;
                chain.live = live;
                chain.algorithm = if strong { SHA512 } else { SHA256 };
                chain.newest.stamped_at = NOW - days(age);
                chain
            })
            .collect()
    })
}

/// The trees' ends are those of the policy.
fn rooted(mut chains: Vec<ChainFacts>, policy: &Policy) -> Vec<ChainFacts> {
    for chain in &mut chains {
        let until = policy
            .digest_trust(chain.algorithm)
            .and_then(|trust| trust.until);
        chain
            .newest
            .ends
            .extend(until.map(|at| tree(at, chain.algorithm)));
        chain.newest.ends.sort();
    }
    chains
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_end_is_ever_passed(
        drawn in chains(),
        sha256_in in ahead(),
        sha512_in in proptest::option::of(ahead()),
        hold_days in 400_i64..5000,
        join_days in 0_i64..800,
        age_days in proptest::option::of(300_i64..2000),
    ) {
        let mut ends = vec![("sha256", NOW + days(sha256_in))];
        ends.extend(sha512_in.map(|days_in| ("sha512", NOW + days(days_in))));
        let policy = policy(&ends);
        let mut chains = rooted(drawn, &policy);
        let live: u64 = chains.iter().filter(|chain| chain.track == 0).map(|chain| chain.live).sum();
        let options = RenewalOptions { join: days(join_days), age_max: age_days.map(days), ..RenewalOptions::default() };
        let assumptions = Assumptions { certificates_hold: days(hold_days), tsa: "tsa".to_owned() };
        let until = NOW + days(30 * 365);
        let mut at = NOW;
        let mut turns = 0;
        loop {
            let made = plan(&chains, &policy, &options, at);
            prop_assert!(made.lost.is_empty(), "lost at {at}: {:?}", made.lost);
            let requests = made.requests();
            for planned in &made.due {
                prop_assert!(planned.due <= at);
                prop_assert!(planned.latest.is_none_or(|latest| at <= latest));
                carry_out(&mut chains, &planned.action, &policy, &assumptions, at);
            }
            let after = plan(&chains, &policy, &options, at);
            prop_assert!(after.due.is_empty(), "left at {at}: {:?}", after.due);
            // At most one token for each track and digest algorithm.
            prop_assert!(requests <= 4);
            let next = after.next_due().filter(|next| *next <= until);
            let Some(next) = next else { break };
            prop_assert!(next > at, "{next} follows {at}");
            at = next;
            turns += 1;
            prop_assert!(turns < 400);
        }
        let kept: u64 = chains.iter().filter(|chain| chain.track == 0).map(|chain| chain.live).sum();
        prop_assert_eq!(kept, live);
    }

    #[test]
    fn every_chain_that_is_due_is_in_exactly_one_renewal(drawn in chains(), sha256_in in ahead()) {
        let policy = policy(&[("sha256", NOW + days(sha256_in))]);
        let chains = rooted(drawn, &policy);
        let made = plan(&chains, &policy, &RenewalOptions::default(), NOW);
        for chain in &chains {
            let named = made.due.iter().filter(|planned| match &planned.action {
                RenewalAction::TimeStamp { track, algorithm, heads } => {
                    *track == chain.track && *algorithm == chain.algorithm && heads.contains(&chain.head)
                }
                RenewalAction::HashTree { track, from, heads, .. } => {
                    *track == chain.track && *from == chain.algorithm && heads.contains(&chain.head)
                }
                RenewalAction::ReHash { .. } | RenewalAction::Material { .. } => false,
            }).count();
            let due = chain.newest.ends.iter().any(|end| {
                let lead = if end.reason.is_algorithm() { 365 } else { 180 };
                end.at - days(lead) <= NOW
            });
            prop_assert!(named <= 1);
            prop_assert!(!due || named == 1, "{chain:?} is due and not in {made:?}");
        }
    }
}
