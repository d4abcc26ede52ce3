//! Where a frame stands.

use std::fmt;

/// The place of a frame: its segment and the offset of its first header byte in the segment file.
///
/// Addresses order as the frames were appended. The same frame has the same address on every replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameAddress {
    /// Number of the segment, from 1.
    pub segment: u32,
    /// Offset of the frame header in the segment file.
    pub offset: u64,
}

impl FrameAddress {
    /// The address of a frame.
    #[must_use]
    pub const fn new(segment: u32, offset: u64) -> Self {
        Self { segment, offset }
    }
}

impl fmt::Display for FrameAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}:{}", self.segment, self.offset)
    }
}
