//! Are the stored bytes the ones that were written? No key is needed to tell.

use std::path::PathBuf;

use formats::id::VersionId;

/// What was found in one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentFixity {
    /// Number of the segment.
    pub segment: u32,
    /// Each replica's copy.
    pub replicas: Vec<ReplicaFixity>,
}

/// What was found in one copy of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaFixity {
    /// The medium's directory.
    pub directory: PathBuf,
    /// Whether the copy ends with a seal.
    pub sealed: bool,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong. Empty: nothing.
    pub problems: Vec<FixityProblem>,
}

/// Something wrong in a copy of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixityProblem {
    /// Where in the file.
    pub offset: u64,
    /// What.
    pub kind: FixityProblemKind,
    /// Whose frame it is, as far as the damaged bytes or another replica tell.
    pub version: Option<VersionId>,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FixityProblemKind {
    /// The file is not there.
    Missing,
    /// The file cannot be read.
    Unreadable,
    /// The first frame is not the header of this segment of this archive.
    Header,
    /// A frame does not match its checksum, or is malformed.
    Frame,
    /// The frames end before the file does, without a seal.
    Tail,
    /// The stored bytes do not match the digest in the seal.
    Digest,
    /// Bytes follow the seal.
    AfterSeal,
    /// A segment that must be sealed is not.
    NotSealed,
    /// The copies are whole, but not the same.
    Differs,
}

impl SegmentFixity {
    /// Whether every copy is whole.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.replicas.iter().all(|copy| copy.problems.is_empty())
    }
}
