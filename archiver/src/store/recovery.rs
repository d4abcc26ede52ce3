//! What opening finds at the end of the archive, and how it is put right.

use std::path::PathBuf;

/// What opening found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Bytes after the last commit mark that were cut off: they were never acknowledged.
    pub bytes_cut: u64,
    /// Bytes after the last commit mark that were kept after a power cut: they may have been acknowledged.
    pub bytes_kept: u64,
    /// Bytes that were put right on a replica from another one.
    pub bytes_repaired: u64,
    /// Segment files that are absent, or of another size, on this replica: a scrub restores them.
    pub incomplete: Vec<(PathBuf, u32)>,
}
