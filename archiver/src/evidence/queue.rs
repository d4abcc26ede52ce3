//! What waits for a timestamp, gone through block by block.

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::id::VersionId;
use time::OffsetDateTime;

use super::batch::StampError;
use super::leaves;
use super::plan::{BatchLeaves, BatchOptions, Cutter, EachLeaf, Run, TreeRoot};
use crate::record::retrieve::Retriever;
use crate::store::StoreError;
use crate::store::catalog::Unstamped;

/// The versions of an archive that no archive time-stamp covers yet, in the order of ids.
///
/// One whose key was destroyed before waits for nothing: nobody can open what would be hashed (RFC 4998 §4.2).
#[derive(Debug, Clone, Copy)]
pub struct Queue<'a> {
    retriever: Retriever<'a>,
}

/// How many wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Number of versions that can be stamped.
    pub count: u64,
    /// Since when the first of them waits.
    pub since: Option<OffsetDateTime>,
    /// Number of versions whose manifest could not be opened: their keys come from an intake host and were not accepted yet, or they are
    /// damaged. No timestamp can be had for them.
    pub unopened: u64,
    /// Since when the first of them is there, as far as its id says.
    pub unopened_since: Option<OffsetDateTime>,
}

/// The batches to be made, one token each. Empty when nothing waits.
#[derive(Debug, Clone)]
pub struct StampPlan<'a> {
    /// The batches.
    pub batches: Vec<QueuedBatch<'a>>,
    /// Versions whose leaf under the algorithm is not known, because their manifest could not be opened. They stay queued and are named.
    pub unreadable: Vec<VersionId>,
}

/// Waiting versions that go under one token. Its leaves are read from the index each time.
#[derive(Debug, Clone, Copy)]
pub struct QueuedBatch<'a> {
    queue: Queue<'a>,
    algorithm: DigestAlgorithm,
    run: Run,
}

impl Waiting {
    /// Counts one. The manifest of what was not opened says nothing, its id says when it was made (RFC 9562 §5.7).
    fn add(&mut self, one: &Unstamped) {
        let (count, since, at) = match one.leaf {
            Some(_) => (&mut self.count, &mut self.since, one.received_at),
            None => {
                let nanos = i128::from(one.version.record().unix_ms()) * 1_000_000;
                let at = OffsetDateTime::from_unix_timestamp_nanos(nanos);
                let at = at.unwrap_or(one.received_at);
                (&mut self.unopened, &mut self.unopened_since, at)
            }
        };
        *count += 1;
        *since = Some(since.map_or(at, |first| first.min(at)));
    }
}

impl<'a> Queue<'a> {
    /// What waits in the archive that `retriever` reads.
    #[must_use]
    pub const fn new(retriever: Retriever<'a>) -> Self {
        Self { retriever }
    }

    /// How many wait.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn waiting(&self) -> Result<Waiting, StoreError> {
        let mut waiting = Waiting::default();
        self.blocks(None, None, &mut |block| {
            for one in block {
                waiting.add(&one);
            }
            Ok::<(), StoreError>(())
        })?;
        Ok(waiting)
    }

    /// Goes through all that wait, and cuts them into as few batches as allowed, of nearly equal size.
    ///
    /// The index keeps leaves under SHA-256. For another algorithm each manifest is opened, but no content: the manifest holds its digest.
    ///
    /// # Errors
    /// [`StampError::Store`] when the index cannot be read.
    pub fn plan(&self, options: BatchOptions) -> Result<StampPlan<'a>, StampError> {
        let algorithm = options.algorithm;
        // Those whose key was destroyed are counted, too: a few batches may be smaller.
        let mut cutter = Cutter::new(options, self.retriever.catalog().counts()?.unstamped);
        self.leaves(algorithm, None, None, &mut |version, leaf| {
            cutter.add(version, leaf)
        })?;
        let (runs, unreadable) = cutter.finish()?;
        let batches = runs.into_iter().map(|run| QueuedBatch {
            queue: *self,
            algorithm,
            run,
        });
        Ok(StampPlan {
            batches: batches.collect(),
            unreadable,
        })
    }

    /// Gives those behind `after`, up to `last`, with their leaves.
    fn leaves(
        &self,
        algorithm: DigestAlgorithm,
        after: Option<VersionId>,
        last: Option<VersionId>,
        each: &mut dyn FnMut(VersionId, Option<DigestValue>) -> Result<(), StampError>,
    ) -> Result<(), StampError> {
        self.blocks(after, last, &mut |block| {
            for one in leaves::under(algorithm, block, &self.retriever) {
                each(one.version, one.leaf)?;
            }
            Ok(())
        })
    }

    fn blocks<E: From<StoreError>>(
        &self,
        mut after: Option<VersionId>,
        last: Option<VersionId>,
        each: &mut dyn FnMut(Vec<Unstamped>) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            let catalog = self.retriever.catalog();
            let mut block = catalog.unstamped_after(after, BLOCK_VERSIONS)?;
            let Some(end) = block.last().map(|one| one.version) else {
                return Ok(());
            };
            after = Some(end);
            block.retain(|one| {
                last.is_none_or(|last| one.version <= last)
                    && self.retriever.ledger().destroyed_at(one.version).is_none()
            });
            each(block)?;
            if last.is_some_and(|last| end >= last) {
                return Ok(());
            }
        }
    }
}

impl BatchLeaves for QueuedBatch<'_> {
    fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    fn for_each(&self, each: &mut EachLeaf<'_>) -> Result<(), StampError> {
        let Run { after, last, .. } = self.run;
        let algorithm = self.algorithm;
        self.queue.leaves(
            algorithm,
            after,
            Some(last),
            &mut |version, leaf| match leaf.filter(|leaf| leaf.algorithm() == algorithm) {
                Some(leaf) => each(version, leaf),
                None => Ok(()),
            },
        )
    }

    fn root(&self) -> Result<TreeRoot, StampError> {
        Ok(self.run.root)
    }
}

/// So many are in memory at a time.
const BLOCK_VERSIONS: usize = 1024;
