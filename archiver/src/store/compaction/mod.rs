//! Freeing the room of destroyed records: sealed segments are written anew without their contents.
//!
//! Only these are ever dropped: content chunks of versions whose key was destroyed; chunks that no record version names and for whose version
//! there is no key, left by deposits that an earlier process did not complete; tree and leaf pages of batches that were not completed. Every
//! other frame stays, byte for byte, and keeps its address (`SPEC.md` §2.1). Nothing is dropped unless every segment is there.
//!
//! **Order, for each segment.** All copies are read and checked. The new file is written beside the old one of the first replica,
//! synchronised, made read-only, read back and checked frame by frame; then it takes the old one's name, and the directory is
//! synchronised. Only then is it copied to the next replica, in the same way. So at every moment each replica has the old file or the
//! new one, whole; a crash leaves at most a file `….seg.new`, and a replica whose copy is behind, which the next run brings up.

mod new_file;
mod replace;
mod survey;

use std::path::PathBuf;

use formats::id::VersionId;
use formats::segment::FrameAddress;

use super::{FixityProblemKind, Store, StoreError};
use survey::Dropped;

pub(in crate::store) use replace::remove_leftovers;

/// What the key ledger says of versions.
pub trait KeyFacts {
    /// Whether the key of a version was destroyed, on record. Its contents may then be dropped.
    fn is_destroyed(&self, version: VersionId) -> bool;

    /// Whether there is a key for a version. Its contents then stay even if no record version names them: that may stand in a segment that is
    /// not at hand.
    fn is_held(&self, version: VersionId) -> bool;
}

/// The share of a segment, in percent, below which it is written anew unless told otherwise.
pub const THRESHOLD_PERCENT: u8 = 70;

/// What there is to be freed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactionPlan {
    /// Sealed segments of which something can be dropped, and segments of which a copy is behind, in order.
    pub segments: Vec<SegmentPlan>,
    /// How many sealed segments there are.
    pub sealed: u64,
    /// Frames that are damaged in the copy that was looked at. A scrub heals them; until then their segments stay as they are.
    pub damaged: Vec<FrameAddress>,
}

/// What can be freed of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentPlan {
    /// Number of the segment.
    pub segment: u32,
    /// How often it was compacted so far.
    pub generation: u32,
    /// Bytes of its file, on each replica.
    pub bytes: u64,
    /// Bytes that its file would have.
    pub bytes_after: u64,
    /// Content chunks of destroyed versions.
    pub destroyed_chunks: u64,
    /// Chunks that no version names, and pages of batches that were not completed.
    pub orphans: u64,
    /// Replicas that have a copy of a lower generation, or none, beside a compacted one.
    pub behind: Vec<PathBuf>,
}

/// How far a compaction is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompactionStep {
    /// All copies of a segment are being read.
    Checking {
        /// The segment.
        segment: u32,
    },
    /// A replica has the new file.
    Replaced {
        /// The segment.
        segment: u32,
        /// The medium's directory.
        directory: PathBuf,
    },
}

/// What became of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compacted {
    /// It has the new file on each replica.
    Done(SegmentResult),
    /// Nothing of it can be dropped any more, and no copy is behind.
    Nothing,
    /// Nothing of it was dropped, and the copies that were behind are not any more.
    BroughtUp,
    /// Not touched: a copy is damaged or absent. A scrub heals it.
    Unhealthy {
        /// The medium's directory.
        directory: PathBuf,
        /// What is wrong there.
        problem: FixityProblemKind,
    },
}

/// What was dropped of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentResult {
    /// How often it was compacted, now.
    pub generation: u32,
    /// Bytes of the file before and after, on each replica.
    pub bytes_before: u64,
    /// Bytes now.
    pub bytes_after: u64,
    /// The destroyed versions whose contents were dropped.
    pub versions: Vec<VersionId>,
    /// Content chunks dropped, those without a version among them.
    pub chunks: u64,
    /// Pages dropped.
    pub pages: u64,
}

impl SegmentPlan {
    /// The share that stays, in percent.
    #[must_use]
    pub fn live_percent(&self) -> u8 {
        let percent = self.bytes_after.saturating_mul(100) / self.bytes.max(1);
        u8::try_from(percent.min(100)).unwrap_or(100)
    }

    /// Bytes that are freed on each replica.
    #[must_use]
    pub const fn freed_bytes(&self) -> u64 {
        self.bytes.saturating_sub(self.bytes_after)
    }

    /// Whether it is written anew at a threshold, in percent.
    #[must_use]
    pub fn is_due(&self, threshold_percent: u8) -> bool {
        !self.behind.is_empty()
            || (self.freed_bytes() > 0 && self.live_percent() < threshold_percent)
    }
}

impl Store {
    /// Finds what can be freed. Nothing is changed. `progress` is told of each segment looked at.
    ///
    /// # Errors
    /// Errors of reading. Damaged record versions and archive time-stamps, and segments that no medium has ([`StoreError::SegmentMissing`]),
    /// are errors, too: what they name is not known then.
    pub fn plan_compaction(
        &self,
        keys: &dyn KeyFacts,
        progress: &mut dyn FnMut(u32),
    ) -> Result<CompactionPlan, StoreError> {
        let mut plan = CompactionPlan::default();
        let mut each = |segment: u32, dropped: &Dropped| {
            plan.sealed += 1;
            progress(segment);
            plan.damaged.extend(dropped.damaged);
            let planned = dropped.plan(segment);
            if planned.freed_bytes() > 0 || !planned.behind.is_empty() {
                plan.segments.push(planned);
            }
            Ok(())
        };
        survey::survey::<StoreError>(
            &self.shared.reader,
            self.orphans_before(),
            None,
            keys,
            &mut each,
        )?;
        Ok(plan)
    }

    /// Writes segments anew, without what may be dropped. Call it with what [`Store::plan_compaction`] found due.
    ///
    /// `before` is told what is about to be dropped from a segment, and `after` what became of it; an error of either stops the run. A run that
    /// was interrupted is started again.
    ///
    /// # Errors
    /// Those of [`Store::plan_compaction`]; [`StoreError::ReadOnly`]; [`StoreError::MediumFull`] and other errors of a medium, after which each replica has the old file or the
    /// new one.
    pub fn compact<E: From<StoreError>>(
        &self,
        segments: &[u32],
        keys: &dyn KeyFacts,
        progress: &mut dyn FnMut(&CompactionStep),
        before: &mut dyn FnMut(u32, &SegmentResult) -> Result<(), E>,
        after: &mut dyn FnMut(u32, &Compacted) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.shared.writing.is_none() {
            return Err(StoreError::ReadOnly.into());
        }
        let reader = &self.shared.reader;
        for replica in &reader.replicas {
            remove_leftovers(replica)?;
        }
        let mut each = |segment: u32, dropped: &Dropped| {
            let compacted = replace::compact_segment(
                reader,
                self.shared.archive,
                segment,
                dropped,
                progress,
                &mut |result| before(segment, result),
            )?;
            after(segment, &compacted)
        };
        survey::survey(
            reader,
            self.orphans_before(),
            Some(segments),
            keys,
            &mut each,
        )
    }

    /// What stands before was appended by processes that have ended: none of their deposits will be completed.
    fn orphans_before(&self) -> FrameAddress {
        // Where this process only reads, nobody writes.
        let writing = self.shared.writing.as_ref();
        writing.map_or(FrameAddress::new(u32::MAX, 0), |writing| writing.opened_at)
    }
}
