//! The years ahead: the plan, carried out at every moment at which it is due, with assumptions in place of the tokens to come.

use std::collections::{BTreeMap, BTreeSet};

use formats::digest::DigestAlgorithm;
use formats::id::BatchId;
use time::{Duration, OffsetDateTime};
use verifier::policy::Policy;

use super::facts::{ChainFacts, End, EndReason, TokenFacts};
use super::options::RenewalOptions;
use super::plan::{Blocked, Lost, PlannedAction, plan};
use crate::evidence::renew::RenewalAction;

/// What is assumed of tokens that nobody has made yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumptions {
    /// For how long a new token's certificates hold. Its authority renews them in time.
    pub certificates_hold: Duration,
    /// The name of the authority.
    pub tsa: String,
}

/// What the years ahead will bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// From when.
    pub from: OffsetDateTime,
    /// Until when.
    pub until: OffsetDateTime,
    /// What was assumed.
    pub assumptions: Assumptions,
    /// What ends of the evidence as it is today, the earliest first.
    pub ends: Vec<EndGroup>,
    /// What will be done, in order.
    pub steps: Vec<Step>,
    /// What will be lost although everything is done when it is due.
    pub lost: Vec<Lost>,
    /// What cannot be done, as it is seen today.
    pub blocked: Vec<Blocked>,
}

/// The same end, of several chains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndGroup {
    /// The end.
    pub end: End,
    /// How many chains' newest tokens have it.
    pub chains: u64,
    /// How many versions they protect.
    pub versions: u64,
}

/// One day's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: OffsetDateTime,
    /// What.
    pub action: PlannedAction,
}

impl Forecast {
    /// How many tokens will be asked for.
    #[must_use]
    pub fn requests(&self) -> u64 {
        let actions = self.steps.iter().map(|step| &step.action.action);
        actions.map(RenewalAction::requests).sum()
    }

    /// About how many bytes will be written to each data medium.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.steps.iter().map(|step| step.action.bytes).sum()
    }
}

impl Assumptions {
    /// What the tokens of the archive suggest: the longest time for which one of them was made to hold, and one year at least.
    #[must_use]
    pub fn from_facts(chains: &[ChainFacts]) -> Self {
        let holds = |facts: &TokenFacts| {
            let path = facts
                .ends
                .iter()
                .filter(|end| end.reason == EndReason::CertificatePath);
            path.map(|end| end.at - facts.stamped_at).min()
        };
        let longest = chains
            .iter()
            .filter_map(|chain| holds(&chain.newest))
            .max()
            .unwrap_or(YEAR);
        let newest = chains.iter().max_by_key(|chain| chain.newest.stamped_at);
        Self {
            certificates_hold: longest.max(YEAR),
            tsa: newest.map_or_else(String::new, |chain| chain.newest.tsa.clone()),
        }
    }
}

/// Looks from `now` to `until`, with everything done when it is due.
#[must_use]
pub fn forecast(
    chains: &[ChainFacts],
    policy: &Policy,
    options: &RenewalOptions,
    assumptions: Assumptions,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Forecast {
    let mut chains = chains.to_vec();
    let mut at = now;
    let first = plan(&chains, policy, options, now);
    let mut found = Forecast {
        from: now,
        until,
        ends: end_groups(&chains, until),
        steps: Vec::new(),
        lost: Vec::new(),
        blocked: first.blocked,
        assumptions,
    };
    for _ in 0..STEPS_MAX {
        let planned = plan(&chains, policy, options, at);
        for lost in planned.lost {
            chains.retain(|chain| (chain.head, chain.track) != (lost.head, lost.track));
            found.lost.push(lost);
        }
        for action in planned.due {
            carry_out(&mut chains, &action.action, policy, &found.assumptions, at);
            found.steps.push(Step { at, action });
        }
        let after = plan(&chains, policy, options, at);
        let ends = chains.iter().filter_map(|chain| chain.newest.first_end());
        let next_end = ends
            .map(|end| end.at.saturating_add(Duration::SECOND))
            .filter(|end| *end > at)
            .min();
        let next = after.next_due().into_iter().chain(next_end).min();
        match next.filter(|next| *next <= until && !chains.is_empty()) {
            // Something that is due at once after it was done shows an assumption that cannot be: a day passes.
            Some(next) => at = next.max(at.saturating_add(Duration::DAY)),
            None => break,
        }
    }
    found
}

/// What an action makes of the facts, as far as it can be known.
pub(super) fn carry_out(
    chains: &mut Vec<ChainFacts>,
    action: &RenewalAction,
    policy: &Policy,
    assumptions: &Assumptions,
    at: OffsetDateTime,
) {
    match action {
        RenewalAction::TimeStamp { track, heads, .. } => {
            let renewed: BTreeSet<BatchId> = heads.iter().copied().collect();
            let batch = simulated_batch(chains, at);
            for chain in chains.iter_mut() {
                if chain.track == *track && renewed.contains(&chain.head) {
                    chain.newest =
                        token_made_at(at, chain.algorithm, &chain.newest, policy, assumptions);
                    chain.newest_batch = batch;
                }
            }
        }
        RenewalAction::HashTree {
            track, to, heads, ..
        } => {
            let replaced: BTreeSet<BatchId> = heads.iter().copied().collect();
            let of_old =
                |chain: &ChainFacts| chain.track == *track && replaced.contains(&chain.head);
            let old: Vec<ChainFacts> = chains
                .iter()
                .filter(|chain| of_old(chain))
                .cloned()
                .collect();
            let Some(model) = old.iter().max_by_key(|chain| chain.newest.stamped_at) else {
                return;
            };
            let head = simulated_batch(chains, at);
            chains.retain(|chain| !of_old(chain));
            chains.push(ChainFacts {
                head,
                track: *track,
                algorithm: *to,
                live: old.iter().map(|chain| chain.live).sum(),
                started_at: at,
                newest_batch: head,
                newest: token_made_at(at, *to, &model.newest, policy, assumptions),
                unproven: 0,
            });
        }
        RenewalAction::Material { batches } => {
            for chain in chains.iter_mut() {
                if batches.contains(&chain.newest_batch) {
                    chain.newest.lacks.clear();
                }
            }
        }
        RenewalAction::ReHash { .. } => {}
    }
}

/// A token that will be made: its certificates hold as long as is assumed; its signature is as the one before it, unless that would
/// end within the life of the certificates: then the authority is assumed to have moved on.
fn token_made_at(
    at: OffsetDateTime,
    tree: DigestAlgorithm,
    before: &TokenFacts,
    policy: &Policy,
    assumptions: &Assumptions,
) -> TokenFacts {
    let path = End {
        at: at.saturating_add(assumptions.certificates_hold),
        reason: EndReason::CertificatePath,
        source: "assumed".to_owned(),
    };
    let mut ends: Vec<End> = before
        .token_ends()
        .filter(|end| end.reason.is_algorithm() && end.at > path.at)
        .cloned()
        .collect();
    if let Some(trust) = policy.digest_trust(tree)
        && let Some(until) = trust.until
    {
        ends.push(End {
            at: until,
            reason: EndReason::TreeDigest(tree),
            source: trust.source.clone(),
        });
    }
    ends.push(path);
    ends.sort();
    TokenFacts {
        stamped_at: at,
        tsa: assumptions.tsa.clone(),
        ends,
        doubt: None,
        lacks: Vec::new(),
    }
}

/// An identifier for a batch that does not exist, apart from those that do.
fn simulated_batch(chains: &[ChainFacts], at: OffsetDateTime) -> BatchId {
    let used: BTreeSet<BatchId> = chains
        .iter()
        .flat_map(|chain| [chain.head, chain.newest_batch])
        .collect();
    let millis = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
    let mut number = 0_u64;
    loop {
        let mut random = [0_u8; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        let id = BatchId::new(millis, &random);
        if !used.contains(&id) {
            return id;
        }
        number += 1;
    }
}

/// What ends until then, with how much rests on it.
fn end_groups(chains: &[ChainFacts], until: OffsetDateTime) -> Vec<EndGroup> {
    let mut groups: BTreeMap<&End, (u64, u64)> = BTreeMap::new();
    for chain in chains.iter().filter(|chain| chain.live > 0) {
        for end in chain.newest.ends.iter().filter(|end| end.at <= until) {
            let group = groups.entry(end).or_default();
            group.0 += 1;
            group.1 += chain.live;
        }
    }
    groups
        .into_iter()
        .map(|(end, (chains, versions))| EndGroup {
            end: end.clone(),
            chains,
            versions,
        })
        .collect()
}

const YEAR: Duration = Duration::days(365);

/// More moments than these within a forecast come from options that renew every few days for decades.
const STEPS_MAX: usize = 4096;
