//! Why no evidence could be put together.

use std::fmt;

use formats::digest::DigestAlgorithm;
use formats::error::FormatError;
use formats::segment::FrameAddress;

use crate::store::StoreError;

/// Why no evidence record could be put together.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AssembleError {
    /// A page or the archive timestamp could not be read.
    Store(StoreError),
    /// What stands at an address of the batch is not the page that should stand there. Restore the segment from another copy.
    WrongFrame {
        /// The address.
        address: FrameAddress,
    },
    /// The batch has no such leaf.
    NoSuchLeaf,
    /// The version's digests do not lead to what the token covers: the content, the tree or the index was changed.
    NotCovered,
    /// The token or the record cannot be read or written.
    Format(FormatError),
    /// No archive timestamp covers the version on this track. Stamp first.
    NotStamped,
    /// The version has no digests under the algorithm of one of its chains. If they were taken by a re-hash, restore the segment that
    /// holds them from another copy, and rebuild the index.
    NoDigests {
        /// The algorithm.
        algorithm: DigestAlgorithm,
    },
}

impl AssembleError {
    /// Whether the archive holds something else than what was stamped, as against not being able to look.
    #[must_use]
    pub const fn is_integrity_failure(&self) -> bool {
        match self {
            Self::Store(error) => matches!(
                error,
                StoreError::Damaged { .. }
                    | StoreError::SegmentDamaged { .. }
                    | StoreError::NotFound { .. }
            ),
            Self::NotStamped => false,
            Self::WrongFrame { .. }
            | Self::NoSuchLeaf
            | Self::NotCovered
            | Self::Format(_)
            | Self::NoDigests { .. } => true,
        }
    }
}

impl From<StoreError> for AssembleError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<FormatError> for AssembleError {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::WrongFrame { address } => write!(
                f,
                "the frame at {address} is not the page that the batch names: restore the segment from another copy"
            ),
            Self::NoSuchLeaf => f.write_str("the batch has no such leaf: run `archiver rebuild`"),
            Self::NotCovered => f.write_str(
                "the record's digests do not lead to what its timestamp covers: it was changed",
            ),
            Self::Format(error) => write!(f, "the evidence record cannot be made: {error}"),
            Self::NotStamped => f.write_str("it has no timestamp yet: run `archiver stamp` first"),
            Self::NoDigests { algorithm } => write!(
                f,
                "the record's {algorithm} digests are missing: restore the segments from another copy and run `archiver rebuild`"
            ),
        }
    }
}

impl std::error::Error for AssembleError {}
