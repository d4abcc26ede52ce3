//! The chains of one track and one digest algorithm: what one token can renew together.

use std::collections::BTreeMap;

use formats::digest::DigestAlgorithm;
use formats::id::BatchId;
use time::OffsetDateTime;

use super::digests::Next;
use super::facts::{ChainFacts, End};
use super::options::RenewalOptions;
use super::plan::{Blocked, Cause, Obstacle, PlannedAction};
use crate::evidence::renew::RenewalAction;

/// What a chain needs, apart from what its tree's digest needs.
#[derive(Debug)]
pub(super) struct Need<'a> {
    pub(super) chain: &'a ChainFacts,
    /// When its newest token is to be renewed; `None` if nothing about it ends.
    pub(super) due: Option<OffsetDateTime>,
    /// Why, where there is a due time.
    cause: Option<Cause>,
}

/// Chains that one token can renew together.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) track: u8,
    pub(super) algorithm: DigestAlgorithm,
    pub(super) needs: Vec<Need<'a>>,
    /// The chain with the most recent token of the track, if that is recent.
    pub(super) fresh: Option<&'a ChainFacts>,
    pub(super) options: &'a RenewalOptions,
    pub(super) now: OffsetDateTime,
}

/// When and why a hash-tree renewal is due.
#[derive(Debug)]
pub(super) struct TreeDue {
    /// When it is due.
    pub(super) due: OffsetDateTime,
    /// When it would be due if nothing else were.
    pub(super) due_alone: OffsetDateTime,
    /// What ends.
    pub(super) end: End,
}

impl<'a> Need<'a> {
    pub(super) fn of(chain: &'a ChainFacts, options: &RenewalOptions) -> Self {
        let ends = chain.newest.token_ends();
        let end = ends
            .map(|end| (due_before(end, options), Cause::End(end.clone())))
            .min_by_key(|(due, _)| *due);
        let age = options.age_max.map(|age| {
            let stamped_at = chain.newest.stamped_at;
            (stamped_at.saturating_add(age), Cause::Age { stamped_at })
        });
        let first = [end, age].into_iter().flatten().min_by_key(|(due, _)| *due);
        let (due, cause) = first.unzip();
        Self { chain, due, cause }
    }

    /// When the newest token ends.
    fn token_end(&self) -> Option<&End> {
        self.chain.newest.token_ends().min()
    }
}

impl<'a> Group<'a> {
    /// When the tree's digest makes a hash-tree renewal due. One that comes soon after a renewal for another reason is done in its place:
    /// one token instead of two.
    pub(super) fn tree_due(&self) -> Option<TreeDue> {
        let ends = self
            .needs
            .iter()
            .filter_map(|need| need.chain.newest.tree_end());
        let end = ends.min()?.clone();
        let due_alone = due_before(&end, self.options);
        let other = self
            .needs
            .iter()
            .filter(|need| !self.is_hopeless(need))
            .filter_map(|need| need.due)
            .min()
            .filter(|other| *other.max(&self.now) + self.options.join >= due_alone);
        Some(TreeDue {
            due: other.map_or(due_alone, |other| other.min(due_alone)),
            due_alone,
            end,
        })
    }

    /// Chains of which the verifier cannot say whether they hold, by the reason.
    pub(super) fn doubts(&self) -> Vec<Blocked> {
        let mut by_reason: BTreeMap<&str, Vec<&Need<'a>>> = BTreeMap::new();
        for need in &self.needs {
            if let Some(doubt) = &need.chain.newest.doubt {
                by_reason.entry(doubt).or_default().push(need);
            }
        }
        by_reason
            .into_iter()
            .map(|(doubt, needs)| {
                let end = needs
                    .iter()
                    .filter_map(|need| need.chain.newest.first_end());
                let end = end.min().cloned();
                self.blocked(&needs, end, Obstacle::Doubt(doubt.to_owned()))
            })
            .collect()
    }

    /// Takes away what a new token would not help although it is due, and says why.
    pub(super) fn take_hopeless(&self, left: &mut Vec<&Need<'a>>) -> Option<Blocked> {
        let fresh = self.fresh?;
        let ends_at = fresh.newest.token_ends().min()?.at;
        let mut hopeless: Vec<&Need<'a>> = Vec::new();
        left.retain(|need| {
            let stays = !self.is_hopeless(need);
            if !stays {
                hopeless.push(need);
            }
            stays
        });
        let end = hopeless.iter().filter_map(|need| need.token_end()).min()?;
        let why = Obstacle::NewTokenEndsNoLater {
            tsa: fresh.newest.tsa.clone(),
            stamped_at: fresh.newest.stamped_at,
            ends_at,
        };
        Some(self.blocked(&hopeless, Some(end.clone()), why))
    }

    /// Due because of an end, and a token that was made lately ends no later.
    fn is_hopeless(&self, need: &Need<'_>) -> bool {
        let fresh = self.fresh.and_then(|fresh| fresh.newest.token_ends().min());
        let ends = matches!(need.cause, Some(Cause::End(_)));
        let due = need.due.is_some_and(|due| due <= self.now);
        match (fresh, need.token_end()) {
            (Some(fresh), Some(own)) => due && ends && fresh.at <= own.at,
            _ => false,
        }
    }

    pub(super) fn blocked(&self, needs: &[&Need<'_>], end: Option<End>, why: Obstacle) -> Blocked {
        Blocked {
            heads: heads(needs),
            track: self.track,
            versions: versions(needs),
            end,
            why,
        }
    }

    /// Time-stamp renewal of some of the chains.
    pub(super) fn time_stamp(&self, due: OffsetDateTime, needs: &[&Need<'_>]) -> PlannedAction {
        let heads = heads(needs);
        let count = u64::try_from(heads.len()).unwrap_or(u64::MAX);
        let first = needs.iter().min_by_key(|need| need.due);
        let cause = first.and_then(|need| need.cause.clone());
        PlannedAction {
            bytes: TOKEN_BYTES.saturating_add(count.saturating_mul(16 + self.node_bytes())),
            action: RenewalAction::TimeStamp {
                track: self.track,
                algorithm: self.algorithm,
                heads,
            },
            due,
            latest: latest(needs),
            cause: cause.unwrap_or(Cause::Age {
                stamped_at: self.now,
            }),
            versions: versions(needs),
        }
    }

    /// Hash-tree renewal of all of the chains.
    pub(super) fn hash_tree(&self, tree: &TreeDue, next: Next) -> Option<PlannedAction> {
        let needs: Vec<&Need<'_>> = self.needs.iter().collect();
        let versions = versions(&needs);
        let per_version = 20 + 2 * length(next.algorithm);
        (!needs.is_empty()).then(|| PlannedAction {
            action: RenewalAction::HashTree {
                track: self.track,
                from: self.algorithm,
                to: next.algorithm,
                heads: heads(&needs),
            },
            due: tree.due,
            // By then the tokens that end earlier were renewed.
            latest: latest(&needs)
                .filter(|latest| *latest >= tree.due)
                .or(Some(tree.end.at)),
            cause: Cause::End(tree.end.clone()),
            versions,
            bytes: TOKEN_BYTES.saturating_add(versions.saturating_mul(per_version)),
        })
    }

    fn node_bytes(&self) -> u64 {
        2 * length(self.algorithm)
    }
}

/// A renewal is due some time before an end: longer before that of an algorithm, since everybody needs the same help then.
pub(super) fn due_before(end: &End, options: &RenewalOptions) -> OffsetDateTime {
    end.at.saturating_sub(if end.reason.is_algorithm() {
        options.algorithm_lead
    } else {
        options.path_lead
    })
}

fn heads(needs: &[&Need<'_>]) -> Vec<BatchId> {
    let mut heads: Vec<BatchId> = needs.iter().map(|need| need.chain.head).collect();
    heads.sort_unstable();
    heads
}

fn versions(needs: &[&Need<'_>]) -> u64 {
    needs.iter().map(|need| need.chain.live).sum()
}

fn latest(needs: &[&Need<'_>]) -> Option<OffsetDateTime> {
    let ends = needs
        .iter()
        .filter_map(|need| need.chain.newest.first_end());
    ends.map(|end| end.at).min()
}

fn length(algorithm: DigestAlgorithm) -> u64 {
    u64::try_from(algorithm.len()).unwrap_or(0)
}

/// About how many bytes a token takes with its certificates and its frame.
const TOKEN_BYTES: u64 = 8 * 1024;
