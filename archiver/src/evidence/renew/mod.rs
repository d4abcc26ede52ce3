//! Renewal of evidence before it ends (RFC 4998 §5).
//!
//! Every action commits with one `ArchiveTimeStamp` frame. A crash before it leaves pages that nothing names; after it, the index learns of
//! the renewal from the segments. What a renewal could not take (a chain whose pages are damaged, a version whose manifest cannot be
//! opened) stays as it is and is named: no record ever has less proof than before.

pub mod action;
mod error;
mod hash_tree;
mod material;
mod re_hash;
mod time_stamp;

use std::fmt;
use std::num::NonZeroUsize;

use firmware::clock::Clock;
use firmware::entropy::Entropy;
use formats::digest::DigestValue;
use formats::error::FormatError;
use formats::id::{BatchId, VersionId};
use formats::segment::{Frame, TimeStampKind};
use time::OffsetDateTime;

pub use action::RenewalAction;
pub use error::RenewError;

use super::assemble::AssembleError;
use super::batch::MadeBatch;
use super::batch_writer::{BatchWriter, NewBatch, Tree};
use super::log::{FrameLog, FrameSource};
use crate::record::error::RetrieveError;
use crate::record::retrieve::Retriever;
use crate::store::catalog::{BatchEntry, Catalog, ChainHead};
use crate::tsa::checks::AcceptedToken;
use crate::tsa::client::{FirstToken, Timestamper};
use crate::tsa::material::{MaterialFailure, MaterialSource};

/// Carries out what the planner decided.
#[derive(Clone, Copy)]
pub struct Renewer<'a> {
    /// Who gives the tokens.
    pub authorities: RenewalAuthorities<'a>,
    /// Where the frames go.
    pub log: &'a dyn FrameLog,
    /// Where they are read.
    pub frames: &'a (dyn FrameSource + Sync),
    /// Knows the chains.
    pub catalog: &'a Catalog,
    /// Opens manifests, and contents for a re-hash.
    pub retriever: Retriever<'a>,
    /// For the batches' identifiers.
    pub clock: &'a dyn Clock,
    /// For the batches' identifiers.
    pub entropy: &'a dyn Entropy,
    /// Threads that open manifests, read contents and hash.
    pub threads: NonZeroUsize,
    /// Where validation material comes from.
    pub material: &'a dyn MaterialSource,
    /// The root certificates, DER, that tokens chain to.
    pub anchors: &'a [Vec<u8>],
    /// Limits.
    pub options: RenewOptions,
}

/// The authorities of the tracks.
#[derive(Debug, Clone, Copy)]
pub struct RenewalAuthorities<'a> {
    /// For track 0.
    pub first: &'a dyn Timestamper,
    /// For track 1.
    pub second: Option<&'a dyn Timestamper>,
}

/// Limits of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewOptions {
    /// Most leaves under one token.
    pub leaves_max: usize,
    /// Most versions whose contents one run of a re-hash reads; the next run goes on.
    pub re_hash_versions_max: Option<u64>,
}

/// What an action did.
#[derive(Debug, Default)]
pub struct RenewedChains {
    /// The archive timestamps that were made, each with its token, and the frames of material.
    pub batches: Vec<MadeBatch>,
    /// Chains that were renewed, or whose versions were.
    pub chains: u64,
    /// Versions that a hash-tree renewal or a re-hash took.
    pub versions: u64,
    /// Batches that got new validation material.
    pub materials: u64,
    /// Chains that stay as they were.
    pub chains_left: Vec<(BatchId, LeftOut)>,
    /// Versions that stay as they were.
    pub versions_left: Vec<(VersionId, LeftOut)>,
    /// Validation material that could not be had.
    pub material_failures: Vec<MaterialFailure>,
    /// Whether a limit ended the run before everything was done: run it again.
    pub is_partial: bool,
}

/// Why something was left as it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum LeftOut {
    /// There is no such chain, or it is not the kind of chain that the action is for: the plan is old.
    NotInPlan,
    /// None of its versions needs it any more.
    NotLive,
    /// Its evidence cannot be put together.
    Evidence(AssembleError),
    /// The version cannot be opened or read.
    Unreadable(Box<RetrieveError>),
    /// The version has no digests under the new algorithm: a re-hash has to take them first.
    NoDigests,
    /// The material does not fit the token.
    Material(FormatError),
}

/// How far an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RenewStep {
    /// Leaves are computed, contents are read, or material is collected.
    Computed {
        /// So many chains, versions or tokens are done.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// The tree is built; the authority is asked now.
    TreeBuilt {
        /// Number of leaves.
        leaves: u64,
    },
    /// The authority answered.
    Stamped {
        /// The time in the token.
        gen_time: OffsetDateTime,
    },
    /// A batch is durable, and known to the index.
    Committed,
}

/// Is told how far an action is.
pub type RenewProgress<'p> = &'p mut dyn FnMut(RenewStep);

impl Default for RenewOptions {
    fn default() -> Self {
        Self {
            leaves_max: 1024 * 1024,
            re_hash_versions_max: None,
        }
    }
}

impl<'a> Renewer<'a> {
    /// Carries out one action. It may be repeated after any failure: what was committed is not done again.
    ///
    /// Renewals of one archive take turns, in whichever thread they run.
    ///
    /// # Errors
    /// [`RenewError`]; what was committed before is kept.
    pub fn run(
        &self,
        action: &RenewalAction,
        progress: RenewProgress<'_>,
    ) -> Result<RenewedChains, RenewError> {
        let _turn = self.catalog.renewal_turn()?;
        let mut renewed = RenewedChains::default();
        match action {
            RenewalAction::TimeStamp {
                track,
                algorithm,
                heads,
            } => self.renew_time_stamps(*track, *algorithm, heads, &mut renewed, progress)?,
            RenewalAction::HashTree {
                track,
                from,
                to,
                heads,
            } => self.renew_hash_trees(*track, (*from, *to), heads, &mut renewed, progress)?,
            RenewalAction::ReHash { algorithm, .. } => {
                self.re_hash(*algorithm, &mut renewed, progress)?;
            }
            RenewalAction::Material { batches } => {
                self.collect_material(batches, &mut renewed, progress)?;
            }
        }
        Ok(renewed)
    }

    /// One token over the root of a tree, written and known to the index.
    fn commit(
        &self,
        batch: Renewal,
        root: &DigestValue,
        tree: Tree<'_>,
        renewed: &mut RenewedChains,
        progress: RenewProgress<'_>,
    ) -> Result<(), RenewError> {
        let token = self.timestamp(batch.track, root)?;
        // RFC 4998 §5.2: time-stamps are in ascending order of time. A token of an authority whose clock is behind would break the chain.
        if let Some(newest) = batch.newest.filter(|newest| token.gen_time() < *newest) {
            return Err(RenewError::TimeRunsBack {
                authority: token.authority().to_owned(),
                gen_time: token.gen_time(),
                newest,
            });
        }
        progress(RenewStep::Stamped {
            gen_time: token.gen_time(),
        });
        let made = self.writer().write(NewBatch {
            kind: batch.kind,
            track: batch.track,
            tree,
            token: &token,
        })?;
        made.apply(self.catalog)?;
        renewed.batches.push(made);
        progress(RenewStep::Committed);
        Ok(())
    }

    fn writer(&self) -> BatchWriter<'a> {
        BatchWriter {
            log: self.log,
            clock: self.clock,
            entropy: self.entropy,
        }
    }

    /// A token for a track. That of the second one is by another authority than the newest of the first one.
    fn timestamp(&self, track: u8, root: &DigestValue) -> Result<AcceptedToken, RenewError> {
        if track == 0 {
            return Ok(self.authorities.first.timestamp(root)?);
        }
        let second = self.authorities.second.ok_or(RenewError::NoAuthority)?;
        match self.newest_of_first_track()? {
            Some((authority, token)) => {
                let beside = FirstToken {
                    authority: &authority,
                    token: &token,
                };
                Ok(second.timestamp_beside(root, &beside)?)
            }
            None => Ok(second.timestamp(root)?),
        }
    }

    fn newest_of_first_track(&self) -> Result<Option<(String, Vec<u8>)>, RenewError> {
        let mut newest: Option<BatchEntry> = None;
        let mut links = Vec::new();
        self.catalog.for_each_head(&mut |head| {
            if head.track == 0 && head.live > 0 {
                links.push(head.newest());
            }
            true
        })?;
        links.sort_unstable();
        links.dedup();
        for batch in links {
            let entry = self.catalog.batch(batch)?;
            let is_newer = |entry: &BatchEntry| {
                newest
                    .as_ref()
                    .is_none_or(|newest| entry.stamped_at > newest.stamped_at)
            };
            if entry.as_ref().is_some_and(is_newer) {
                newest = entry;
            }
        }
        let Some(entry) = newest else {
            return Ok(None);
        };
        // A frame that cannot be read says nothing about its authority; its damage is told by those who need it.
        let Ok(Frame::ArchiveTimeStamp(stamp)) = self.frames.read(entry.address) else {
            return Ok(None);
        };
        Ok(Some((stamp.tsa, stamp.token)))
    }

    /// The chain of a head, when it is one for the action.
    fn head_for(
        &self,
        head: BatchId,
        is_meant: impl Fn(&ChainHead) -> bool,
    ) -> Result<Result<ChainHead, LeftOut>, RenewError> {
        Ok(match self.catalog.head(head)? {
            Some(known) if !is_meant(&known) => Err(LeftOut::NotInPlan),
            Some(known) if known.live == 0 => Err(LeftOut::NotLive),
            Some(known) => Ok(known),
            None => Err(LeftOut::NotInPlan),
        })
    }

    /// When the newest token of a chain was made.
    fn newest_time(&self, head: &ChainHead) -> Result<Option<OffsetDateTime>, RenewError> {
        let newest = self.catalog.batch(head.newest())?;
        Ok(newest.map(|entry| entry.stamped_at))
    }
}

/// A batch before its token.
struct Renewal {
    kind: TimeStampKind,
    track: u8,
    /// The time of the newest token that it covers.
    newest: Option<OffsetDateTime>,
}

impl RenewedChains {
    /// Whether nothing was left as it was.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.chains_left.is_empty() && self.versions_left.is_empty() && !self.is_partial
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInPlan => f.write_str("the plan is old: make a new one"),
            Self::NotLive => f.write_str("its versions have newer evidence"),
            Self::Evidence(error) => error.fmt(f),
            Self::Unreadable(error) => error.fmt(f),
            Self::NoDigests => {
                f.write_str("it has no digests under the new algorithm: re-hash first")
            }
            Self::Material(error) => {
                write!(f, "what was collected does not fit the token: {error}")
            }
        }
    }
}

impl fmt::Debug for Renewer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewer")
            .field("authorities", &self.authorities)
            .finish_non_exhaustive()
    }
}
