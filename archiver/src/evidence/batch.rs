//! Making a batch: one hash tree, one token, and the frames that hold them.
//!
//! The order makes every failure harmless:
//!
//! 1. the root of the tree is computed; leaves and nodes are not kept;
//! 2. the authority is asked. When it fails, nothing was written and the versions stay queued;
//! 3. the tree is computed once more. Its pages of nodes and of leaves are appended while it grows, then the validation material of the
//!    token. A crash here leaves frames that no archive timestamp names: dead weight, not evidence;
//! 4. the `ArchiveTimeStamp` frame is appended and committed: from now on the versions are stamped;
//! 5. where a second, independent authority is configured, it is asked for a token over the same root, which becomes a frame over the same
//!    pages. When it fails, the next stamping catches up.

use std::fmt;

use firmware::clock::Clock;
use firmware::entropy::Entropy;
use formats::error::{ErrorKind, FormatError};
use formats::id::{BatchId, VersionId};
use formats::segment::{ArchiveTimeStamp, Frame, FrameAddress, Leaves, TimeStampKind};
use formats::tsp::TimeStampToken;
use time::OffsetDateTime;

use super::batch_stream::{BatchStream, StreamedTree};
use super::batch_writer::{BatchWriter, NewBatch, Tree};
use super::log::{FrameLog, FrameSource};
use super::plan::BatchLeaves;
use crate::store::StoreError;
use crate::store::catalog::{BatchEntry, Catalog};
use crate::tsa::client::{FirstToken, Timestamper};
use crate::tsa::refusal::TsaError;

/// What making a batch needs beside the batch.
#[derive(Clone, Copy)]
pub struct BatchMaker<'a> {
    /// The authority.
    pub authority: &'a dyn Timestamper,
    /// An authority that is independent of it, for a second token over the same tree.
    pub second: Option<&'a dyn Timestamper>,
    /// Where the frames go.
    pub log: &'a dyn FrameLog,
    /// For the batch's identifier.
    pub clock: &'a dyn Clock,
    /// For the batch's identifier.
    pub entropy: &'a dyn Entropy,
}

/// A batch that was made and committed.
#[derive(Debug, Clone)]
pub struct MadeBatch {
    /// Where its archive timestamp stands.
    pub address: FrameAddress,
    /// The frame itself.
    pub frame: ArchiveTimeStamp,
    /// The frames with validation material of its token.
    pub material: Vec<(FrameAddress, Frame)>,
    /// What the second authority said.
    pub second: SecondToken,
}

/// What the second authority said.
#[derive(Debug, Clone, Default)]
pub enum SecondToken {
    /// Nobody asked it.
    #[default]
    NotAsked,
    /// It gave a token. Its frame names the same pages.
    Made(Box<MadeBatch>),
    /// It gave none, or it could not be written: the next stamping catches up.
    Missing(Box<StampError>),
}

/// How far a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchStep {
    /// The root of the tree is known; the authority is asked now.
    TreeBuilt {
        /// Number of leaves.
        leaves: u64,
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
    /// Leaves came or went while the authority was asked: the token is for another tree, and is not used. The next stamping takes them as they are.
    Changed,
    /// The random source of the machine failed: look at the kernel log.
    Entropy,
}

impl BatchMaker<'_> {
    /// Makes one batch.
    ///
    /// # Errors
    /// [`StampError`]. That the second authority gave no token is no error.
    pub fn make(
        &self,
        batch: &dyn BatchLeaves,
        progress: &mut dyn FnMut(BatchStep),
    ) -> Result<MadeBatch, StampError> {
        let asked = batch.root()?;
        progress(BatchStep::TreeBuilt {
            leaves: asked.leaf_count,
        });
        let token = self.authority.timestamp(&asked.root)?;
        progress(BatchStep::Stamped {
            gen_time: token.gen_time(),
        });
        let tree = self.append_tree(batch)?;
        if tree.root != asked.root || tree.pages.leaf_count != asked.leaf_count {
            return Err(StampError::Changed);
        }
        let mut made = self.writer().write(NewBatch {
            kind: TimeStampKind::Initial,
            track: 0,
            tree: Tree::Streamed(tree),
            token: &token,
        })?;
        progress(BatchStep::Committed);
        if self.second.is_some() {
            made.second = match self.make_second(&made.frame) {
                Ok(second) => SecondToken::Made(Box::new(second)),
                Err(error) => SecondToken::Missing(Box::new(error)),
            };
        }
        Ok(made)
    }

    /// Puts the tree of a batch under a token of the second authority, too.
    ///
    /// # Errors
    /// [`StampError`]; the batch keeps the evidence that it has.
    pub fn make_second(&self, first: &ArchiveTimeStamp) -> Result<MadeBatch, StampError> {
        let second = self.second.ok_or(TsaError::All(Vec::new()))?;
        let stamped = TimeStampToken::parse(&first.token).map_err(StampError::Tree)?;
        let unknown = FormatError::new(ErrorKind::UnknownAlgorithm, "MessageImprint");
        let root = stamped.info.imprint.value();
        let root = root.ok_or(StampError::Tree(unknown))?;
        let beside = FirstToken {
            authority: &first.tsa,
            token: &first.token,
        };
        let token = second.timestamp_beside(&root, &beside)?;
        self.writer().write(NewBatch {
            kind: TimeStampKind::Initial,
            track: 1,
            tree: Tree::Of(first),
            token: &token,
        })
    }

    /// Reads a batch that [`missing_second`] named, and does the same.
    ///
    /// # Errors
    /// [`StampError`].
    pub fn catch_up(
        &self,
        frames: &dyn FrameSource,
        batch: &BatchEntry,
    ) -> Result<MadeBatch, StampError> {
        let address = batch.address;
        let Frame::ArchiveTimeStamp(first) = frames.read(address)? else {
            return Err(StoreError::NotFound { address }.into());
        };
        self.make_second(&first)
    }

    fn append_tree(&self, batch: &dyn BatchLeaves) -> Result<StreamedTree, StampError> {
        let mut tree = BatchStream::begin(self.writer(), batch.algorithm())?;
        batch.for_each(&mut |version, leaf| tree.push(version, leaf))?;
        tree.close()
    }

    fn writer(&self) -> BatchWriter<'_> {
        BatchWriter {
            log: self.log,
            clock: self.clock,
            entropy: self.entropy,
        }
    }
}

/// The batches of the first authority that have no token of the second one, though their first chains are still in use; oldest first.
///
/// # Errors
/// [`StoreError::IndexDamaged`].
pub fn missing_second(catalog: &Catalog) -> Result<Vec<BatchEntry>, StoreError> {
    let mut missing: Vec<BatchEntry> = Vec::new();
    let mut stamped: Vec<BatchId> = Vec::new();
    catalog.for_each_head(&mut |head| {
        if head.entry.kind == TimeStampKind::Initial {
            match head.track {
                0 if head.live > 0 => missing.push(head.entry),
                0 => {}
                _ => stamped.push(head.entry.tree),
            }
        }
        true
    })?;
    stamped.sort_unstable();
    missing.retain(|entry| stamped.binary_search(&entry.batch).is_err());
    Ok(missing)
}

impl MadeBatch {
    /// Everything that the index must learn, in the order in which it was written.
    #[must_use]
    pub fn frames(&self) -> Vec<(FrameAddress, Frame)> {
        let mut frames = self.material.clone();
        frames.push((self.address, Frame::ArchiveTimeStamp(self.frame.clone())));
        if let SecondToken::Made(second) = &self.second {
            frames.extend(second.frames());
        }
        frames
    }

    /// Calls `each` for the versions under the token, some thousands at a time.
    ///
    /// # Errors
    /// Those of reading pages of leaves; those of `each`.
    pub fn for_each_page<E: From<StoreError>>(
        &self,
        frames: &dyn FrameSource,
        each: &mut dyn FnMut(&[VersionId]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut give = |leaves: &Leaves| match leaves {
            Leaves::Versions(versions) if !versions.is_empty() => each(versions),
            Leaves::Versions(_) | Leaves::Heads(_) => Ok(()),
        };
        give(&self.frame.leaves)?;
        for address in &self.frame.leaf_pages {
            let Frame::LeafPage(page) = frames.read(*address)? else {
                return Err(StoreError::NotFound { address: *address }.into());
            };
            give(&page.leaves)?;
        }
        Ok(())
    }

    /// Tells the index. The batch is durable whatever comes of it: the next opening reads it from the segments.
    ///
    /// # Errors
    /// As [`Catalog::apply`].
    pub fn apply(&self, catalog: &Catalog) -> Result<(), StoreError> {
        for (address, frame) in self.frames() {
            catalog.apply(address, &frame)?;
        }
        Ok(())
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

impl From<FormatError> for StampError {
    fn from(error: FormatError) -> Self {
        Self::Tree(error)
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
            Self::Changed => f.write_str(
                "records came in while the authority was asked: the records stay queued, stamp again",
            ),
            Self::Entropy => {
                f.write_str("the machine's random source failed: look at the kernel log")
            }
        }
    }
}

impl std::error::Error for StampError {}
