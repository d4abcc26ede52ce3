//! Making a batch: one hash tree, one token, and the frames that hold them.
//!
//! The order makes every failure harmless:
//!
//! 1. the tree is built in memory;
//! 2. the authority is asked. When it fails, nothing was written and the versions stay queued;
//! 3. pages of nodes and of leaves are appended. A crash here leaves pages that no archive timestamp names: dead weight, not evidence;
//! 4. the `ArchiveTimeStamp` frame is appended and committed: from now on the versions are stamped.

use std::fmt;
use std::num::NonZeroUsize;

use firmware::clock::Clock;
use firmware::entropy::Entropy;
use formats::error::FormatError;
use formats::evidence::hash_tree::HashTree;
use formats::id::{BatchId, VersionId};
use formats::segment::{
    ArchiveTimeStamp, Frame, FrameAddress, LeafPage, Leaves, PAGE_NODES_MAX, TimeStampKind,
    TreePage,
};
use time::OffsetDateTime;

use super::log::FrameLog;
use super::plan::PlannedBatch;
use crate::store::StoreError;
use crate::tsa::client::Timestamper;
use crate::tsa::refusal::TsaError;

/// What making a batch needs beside the batch.
#[derive(Clone, Copy)]
pub struct BatchMaker<'a> {
    /// The authority.
    pub authority: &'a dyn Timestamper,
    /// Where the frames go.
    pub log: &'a dyn FrameLog,
    /// For the batch's identifier.
    pub clock: &'a dyn Clock,
    /// For the batch's identifier.
    pub entropy: &'a dyn Entropy,
    /// Threads for the tree.
    pub threads: NonZeroUsize,
}

/// A batch that was made and committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeBatch {
    /// Where its archive timestamp stands.
    pub address: FrameAddress,
    /// The frame itself, for the index.
    pub frame: ArchiveTimeStamp,
}

/// How far a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchStep {
    /// The tree is built; the authority is asked now.
    TreeBuilt {
        /// Number of leaves.
        leaves: usize,
    },
    /// The authority answered.
    Stamped {
        /// The time in the token.
        gen_time: OffsetDateTime,
    },
    /// Everything is durable.
    Committed,
}

/// Why there is no batch. The versions stay queued in each case.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum StampError {
    /// The authority gave no acceptable token. The error says what to do.
    Authority(TsaError),
    /// The frames could not be written. The error says what to do.
    Store(StoreError),
    /// The tree could not be built: the plan is empty or larger than a tree may be.
    Tree(FormatError),
    /// The random source of the machine failed: look at the kernel log.
    Entropy,
}

impl BatchMaker<'_> {
    /// Makes one batch.
    ///
    /// # Errors
    /// [`StampError`].
    pub fn make(
        &self,
        batch: PlannedBatch,
        progress: &mut dyn FnMut(BatchStep),
    ) -> Result<MadeBatch, StampError> {
        let PlannedBatch {
            algorithm,
            versions,
            leaves,
        } = batch;
        let tree = HashTree::build(algorithm, leaves, self.threads).map_err(StampError::Tree)?;
        progress(BatchStep::TreeBuilt {
            leaves: tree.leaf_count(),
        });
        let token = self.authority.timestamp(&tree.root())?;
        progress(BatchStep::Stamped {
            gen_time: token.gen_time(),
        });
        let id = self.new_id()?;
        let tree_pages = self.append_tree(id, &tree)?;
        let (leaf_pages, inline) = self.append_leaves(id, versions)?;
        let frame = ArchiveTimeStamp {
            batch: id,
            kind: TimeStampKind::Initial,
            track: 0,
            tree: id,
            algorithm,
            stamped_at: token.gen_time(),
            leaf_count: tree.leaf_count() as u64,
            tree_pages,
            leaf_pages,
            leaves: inline,
            tsa: token.authority().to_owned(),
            token: token.bytes().to_vec(),
        };
        let address = self.log.append(Frame::ArchiveTimeStamp(frame.clone()))?;
        self.log.commit(address)?;
        progress(BatchStep::Committed);
        Ok(MadeBatch { address, frame })
    }

    fn new_id(&self) -> Result<BatchId, StampError> {
        let mut random = [0u8; 10];
        self.entropy
            .fill(&mut random)
            .map_err(|_| StampError::Entropy)?;
        let millis = self.clock.now().unix_timestamp_nanos() / 1_000_000;
        Ok(BatchId::new(u64::try_from(millis).unwrap_or(0), &random))
    }

    /// Pages level by level, as [`super::geometry`] finds them again.
    fn append_tree(
        &self,
        batch: BatchId,
        tree: &HashTree,
    ) -> Result<Vec<FrameAddress>, StampError> {
        let page_bytes = PAGE_NODES_MAX * tree.algorithm().len();
        let mut pages = Vec::new();
        for (level, nodes) in (0u8..).zip(tree.levels()) {
            for (first, nodes) in (0u64..)
                .step_by(PAGE_NODES_MAX)
                .zip(nodes.chunks(page_bytes))
            {
                let page = TreePage {
                    batch,
                    algorithm: tree.algorithm(),
                    level,
                    first,
                    nodes: nodes.to_vec(),
                };
                pages.push(self.log.append(Frame::TreePage(page))?);
            }
        }
        Ok(pages)
    }

    fn append_leaves(
        &self,
        batch: BatchId,
        versions: Vec<VersionId>,
    ) -> Result<(Vec<FrameAddress>, Leaves), StampError> {
        let leaves = Leaves::Versions(versions);
        if leaves.len() <= PAGE_NODES_MAX {
            return Ok((Vec::new(), leaves));
        }
        let mut pages = Vec::new();
        for (first, leaves) in (0u64..).step_by(PAGE_NODES_MAX).zip(leaves.pages()) {
            let page = LeafPage {
                batch,
                first,
                leaves,
            };
            pages.push(self.log.append(Frame::LeafPage(page))?);
        }
        Ok((pages, Leaves::none(TimeStampKind::Initial)))
    }
}

impl fmt::Debug for BatchMaker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchMaker")
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

impl From<TsaError> for StampError {
    fn from(error: TsaError) -> Self {
        Self::Authority(error)
    }
}

impl From<StoreError> for StampError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for StampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authority(error) => write!(f, "{error}; the records stay queued"),
            Self::Store(error) => error.fmt(f),
            Self::Tree(error) => write!(f, "the hash tree cannot be built: {error}"),
            Self::Entropy => {
                f.write_str("the machine's random source failed: look at the kernel log")
            }
        }
    }
}

impl std::error::Error for StampError {}
