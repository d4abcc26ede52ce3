//! Self-healing: a damaged, misdirected, cut or missing segment of one replica is made anew from what the others hold.
//!
//! A sealed segment is never written into: a new file is written beside it, synchronised, read back from the medium, compared with the
//! digest in the seal, and renamed. A crash leaves the old file or the new one. The source is, in this order: a copy that is whole; the
//! frames that the damaged copies have between them; what parity gives back. Only where none of these gives a segment that matches its
//! seal, the frames that some copy has are put together all the same, and the rest is named.
//!
//! The segment that grows has no seal. Its damaged frames before the last commit mark are written in place from another copy: bytes
//! that are half written are as damaged as before, and are found again.

mod gather;
mod merge;
mod ranges;
mod reference;
mod replacement;
mod replica;
mod segment;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use formats::id::{MediumId, VersionId};
use formats::segment::FrameAddress;

use super::replica::Replica;
use super::{FixityProblem, Store, StoreError};

pub(super) use gather::gather;
pub(super) use replacement::{Replacement, copy_segment, whole};
pub use replica::{HealProgress, ReplicaHealing, heal_replica};
pub(super) use segment::{Patient, heal_segment};

/// A replica and the medium that it stands on.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) medium: MediumId,
    pub(super) replica: Arc<Replica>,
}

/// Frames that match their checksums and are wrong all the same, as somebody with keys found: number of the site, offset.
pub(super) type Suspects = BTreeSet<(usize, u64)>;

/// What was found in one segment, and what became of it.
#[derive(Debug, Clone)]
pub struct SegmentHealing {
    /// Number of the segment.
    pub segment: u32,
    /// Each copy.
    pub copies: Vec<CopyHealing>,
    /// What no copy has any more.
    pub losses: Vec<Loss>,
}

/// What was found in one copy of a segment, and what became of it.
#[derive(Debug, Clone)]
pub struct CopyHealing {
    /// The medium.
    pub medium: MediumId,
    /// Its directory.
    pub directory: PathBuf,
    /// What was wrong. Empty: nothing.
    pub problems: Vec<FixityProblem>,
    /// What became of it.
    pub outcome: CopyOutcome,
    /// Bytes of the copy when it was examined.
    pub bytes: u64,
    /// The end of what was proven to be whole, when it was examined.
    pub committed: u64,
    /// Whether it ended with a seal, when it was examined.
    pub sealed: bool,
}

/// What became of a copy.
#[derive(Debug, Clone)]
pub enum CopyOutcome {
    /// It was whole.
    Whole,
    /// It was damaged, was written anew, and is whole.
    Healed {
        /// Bytes written.
        bytes: u64,
        /// From what.
        source: HealSource,
    },
    /// It is damaged. What could be put right, if anything, was.
    Damaged,
    /// It is damaged, and the medium refused to be put right.
    Failed(StoreError),
}

/// From what a copy was put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealSource {
    /// The whole copy on this medium.
    Medium(MediumId),
    /// Frames of several copies, none of which was whole.
    Frames,
    /// The parity of the segment.
    Parity,
}

/// Bytes that no copy has whole, or of which nobody can say which copy is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// Where they begin.
    pub address: FrameAddress,
    /// Where they end in the segment.
    pub end: u64,
    /// Whose frame stood there, as far as the bytes tell.
    pub version: Option<VersionId>,
}

impl SegmentHealing {
    /// Whether every copy is whole now.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.copies.iter().all(|copy| copy.outcome.is_whole())
    }

    /// Whether every copy was whole when it was examined.
    #[must_use]
    pub fn was_whole(&self) -> bool {
        self.copies.iter().all(|copy| copy.problems.is_empty())
    }
}

impl CopyOutcome {
    /// Whether the copy is whole now.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole | Self::Healed { .. })
    }
}

/// The replicas of a store with their media.
pub(super) fn sites(store: &Store) -> Result<Vec<Site>, StoreError> {
    let replicas = store.shared.reader.replicas.iter();
    replicas
        .map(|replica| {
            Ok(Site {
                medium: replica.medium,
                replica: Arc::clone(replica),
            })
        })
        .collect()
}
