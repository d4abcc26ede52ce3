//! The plan: what is due now, what will be due, what is lost, and what cannot be done. A pure decision.
//!
//! Everything that exists is renewed: whether a record's retention has ended or a hold lies on it makes no difference. What is to end
//! is disposed of; until then its proof holds.

use std::collections::BTreeMap;

use formats::digest::DigestAlgorithm;
use formats::id::BatchId;
use time::OffsetDateTime;
use verifier::policy::Policy;

use super::digests::{Next, next_digest};
use super::facts::{ChainFacts, End, EndReason, Lack};
use super::group::{Group, Need};
use super::material;
use super::options::RenewalOptions;
use crate::evidence::renew::RenewalAction;

/// What is to be done, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenewalPlan {
    /// As of when it was decided.
    pub made_at: OffsetDateTime,
    /// What is due, in the order in which it must be done.
    pub due: Vec<PlannedAction>,
    /// What will be due, the earliest first, as far as it can be said without knowing the tokens to come.
    pub later: Vec<PlannedAction>,
    /// Chains whose proof has ended. No renewal brings it back.
    pub lost: Vec<Lost>,
    /// What should be done and cannot be.
    pub blocked: Vec<Blocked>,
}

/// One action of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAction {
    /// What is done.
    pub action: RenewalAction,
    /// Since or from when it is due.
    pub due: OffsetDateTime,
    /// The last moment at which it helps; `None` where nothing ends that is known.
    pub latest: Option<OffsetDateTime>,
    /// Why.
    pub cause: Cause,
    /// How many record versions it is for.
    pub versions: u64,
    /// About how many bytes it writes to each data medium.
    pub bytes: u64,
}

/// Why something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Something that the newest token rests on ends.
    End(End),
    /// The newest token is as old as a token may be.
    Age {
        /// When it was made.
        stamped_at: OffsetDateTime,
    },
    /// Nothing final is at hand about a certificate.
    Material(Lack),
}

/// A chain whose proof has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Its head.
    pub head: BatchId,
    /// Its track. The other track may still prove its versions.
    pub track: u8,
    /// How many versions it protected last.
    pub versions: u64,
    /// How many of them nothing proves any more, no other track either. The sum over all lost chains counts none twice.
    pub unproven: u64,
    /// What ended.
    pub end: End,
}

/// Something that should be done and cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The heads of the chains.
    pub heads: Vec<BatchId>,
    /// Their track.
    pub track: u8,
    /// How many versions they protect.
    pub versions: u64,
    /// What will end first; `None` where nothing is known to.
    pub end: Option<End>,
    /// Why nothing can be done.
    pub why: Obstacle,
}

/// Why nothing can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// A new token of the authority would end no later: a recent one shows it. The authority needs a new certificate or algorithm, or
    /// another authority is needed.
    NewTokenEndsNoLater {
        /// The authority of the recent token.
        tsa: String,
        /// When the recent token was made.
        stamped_at: OffsetDateTime,
        /// When it ends.
        ends_at: OffsetDateTime,
    },
    /// Whether the token holds cannot be said now, for the reason with this code. It is renewed all the same; with the missing validation
    /// material it may hold.
    Doubt(String),
    /// What tells whether a certificate was revoked could have been had for long, and was not. It is asked for again at each visit; an operator
    /// whose authority has closed adds a CRL by hand.
    NoMaterial {
        /// The subject of the certificate.
        certificate: String,
        /// Since when it could have been had.
        since: OffsetDateTime,
    },
    /// No digest algorithm at hand is trusted for longer. The policy or `renewal.third_digest` must name one.
    NoDigest {
        /// The algorithm that ends.
        from: DigestAlgorithm,
    },
}

impl RenewalPlan {
    /// How many tokens the due actions ask for.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.due.iter().map(|one| one.action.requests()).sum()
    }

    /// About how many bytes the due actions write to each data medium.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.due.iter().map(|one| one.bytes).sum()
    }

    /// Whether nothing is due, lost or blocked.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.due.is_empty() && self.lost.is_empty() && self.blocked.is_empty()
    }

    /// How many versions nothing proves any more. No new first token is made for them: it would prove that they exist from then on, and look
    /// as if that were all that was ever promised. An operator has to know.
    #[must_use]
    pub fn unproven(&self) -> u64 {
        self.lost.iter().map(|lost| lost.unproven).sum()
    }

    /// The next moment at which something will be due that is not now.
    #[must_use]
    pub fn next_due(&self) -> Option<OffsetDateTime> {
        self.later.iter().map(|one| one.due).min()
    }
}

/// Decides what has to be done about `chains` at `now`.
#[must_use]
pub fn plan(
    chains: &[ChainFacts],
    policy: &Policy,
    options: &RenewalOptions,
    now: OffsetDateTime,
) -> RenewalPlan {
    let mut made = RenewalPlan {
        made_at: now,
        due: Vec::new(),
        later: Vec::new(),
        lost: Vec::new(),
        blocked: Vec::new(),
    };
    let mut groups: BTreeMap<(u8, DigestAlgorithm), Vec<&ChainFacts>> = BTreeMap::new();
    for chain in chains.iter().filter(|chain| chain.live > 0) {
        match chain.newest.first_end().filter(|end| end.at < now) {
            Some(end) => made.lost.push(Lost {
                head: chain.head,
                track: chain.track,
                versions: chain.live,
                unproven: chain.unproven,
                end: end.clone(),
            }),
            None => groups
                .entry((chain.track, chain.algorithm))
                .or_default()
                .push(chain),
        }
    }
    for ((track, algorithm), members) in groups {
        let group = Group {
            track,
            algorithm,
            needs: members
                .iter()
                .map(|chain| Need::of(chain, options))
                .collect(),
            fresh: freshest(chains, track, now, options),
            options,
            now,
        };
        let next = next_digest(algorithm, policy, options, now);
        decide(&group, next, &mut made);
    }
    prepare(&mut made, chains, options);
    made.later.sort_by_key(|one| (one.due, one.action.name()));
    made
}

/// The most recent token of a track, if it is recent enough to show what its authority gives now.
fn freshest<'a>(
    chains: &'a [ChainFacts],
    track: u8,
    now: OffsetDateTime,
    options: &RenewalOptions,
) -> Option<&'a ChainFacts> {
    let since = now.saturating_sub(options.retry);
    chains
        .iter()
        .filter(|chain| chain.track == track && chain.newest.stamped_at > since)
        .max_by_key(|chain| chain.newest.stamped_at)
}

/// Decides for the chains of one track and one algorithm.
fn decide(group: &Group<'_>, next: Option<Next>, made: &mut RenewalPlan) {
    made.blocked.extend(group.doubts());
    let mut left: Vec<&Need<'_>> = group.needs.iter().collect();
    if let Some(tree) = group.tree_due() {
        match next {
            Some(next) if tree.due <= group.now => {
                made.due.extend(group.hash_tree(&tree, next));
                return;
            }
            Some(next) => {
                made.later.extend(group.hash_tree(&tree, next));
                // From then on the new chain counts.
                left.retain(|need| need.due.is_some_and(|due| due < tree.due));
            }
            None if tree.due_alone <= group.now => {
                let from = group.algorithm;
                let why = Obstacle::NoDigest { from };
                made.blocked.push(group.blocked(&left, Some(tree.end), why));
            }
            None => {}
        }
    }
    let hopeless = group.take_hopeless(&mut left);
    made.blocked.extend(hopeless);
    left.retain(|need| need.due.is_some());
    left.sort_by_key(|need| need.due);
    while let Some(first) = left.first().and_then(|need| need.due) {
        let until = first.max(group.now).saturating_add(group.options.join);
        let (joined, rest): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|need| need.due <= Some(until));
        left = rest;
        let action = group.time_stamp(first, &joined);
        if first <= group.now {
            made.due.push(action);
        } else {
            made.later.push(action);
        }
    }
}

/// Puts before the due renewals what they need: digests that are not at hand, and fresh validation material.
fn prepare(made: &mut RenewalPlan, chains: &[ChainFacts], options: &RenewalOptions) {
    material::collect(made, chains, options);
    let mut first: Vec<PlannedAction> = Vec::new();
    let mut digests: BTreeMap<DigestAlgorithm, PlannedAction> = BTreeMap::new();
    for planned in made.due.iter().chain(&made.later) {
        let RenewalAction::HashTree { to, .. } = planned.action else {
            continue;
        };
        if !super::options::MANIFEST_DIGESTS.contains(&to) {
            let entry = digests.entry(to).or_insert_with(|| PlannedAction {
                action: RenewalAction::ReHash {
                    algorithm: to,
                    versions: planned.versions,
                },
                bytes: planned.versions.saturating_mul(REHASH_BYTES),
                ..planned.clone()
            });
            // Both tracks prove the same versions: the greater number is the number of versions.
            if planned.versions > entry.versions {
                entry.versions = planned.versions;
                entry.bytes = planned.versions.saturating_mul(REHASH_BYTES);
                entry.action = RenewalAction::ReHash {
                    algorithm: to,
                    versions: planned.versions,
                };
            }
            entry.due = entry.due.min(planned.due);
            entry.latest = entry.latest.min(planned.latest);
        }
    }
    for planned in digests.into_values() {
        if planned.due <= made.made_at {
            first.push(planned);
        } else {
            made.later.push(planned);
        }
    }
    first.append(&mut made.due);
    first.sort_by_key(|one| match one.action {
        RenewalAction::ReHash { .. } => 0,
        RenewalAction::Material { .. } => 1,
        RenewalAction::HashTree { .. } => 2,
        RenewalAction::TimeStamp { .. } => 3,
    });
    made.due = first;
}

impl Cause {
    /// The end, where it is one.
    #[must_use]
    pub const fn end(&self) -> Option<&End> {
        match self {
            Self::End(end) => Some(end),
            Self::Age { .. } | Self::Material(_) => None,
        }
    }

    /// Whether it is the end of the trees' digest.
    #[must_use]
    pub fn is_tree(&self) -> bool {
        self.end()
            .is_some_and(|end| matches!(end.reason, EndReason::TreeDigest(_)))
    }
}

/// About how many bytes further digests of one version take: frame, seal, one digest for each of a few contents.
const REHASH_BYTES: u64 = 200;
