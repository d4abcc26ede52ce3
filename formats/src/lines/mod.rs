//! Lines of a log, each of which can be proven without showing another (DESIGN §11).
//!
//! A line ends with LF, which belongs to it; what follows the last LF is a line too, unless it is empty. Lines are numbered from 1.
//! The tree over them is the Merkle tree of RFC 9162 §2.1.1, whose entries are
//!
//! ```text
//! entry = line salt 16 ‖ line number u64 ‖ bytes of the line
//! leaf  = H(0x00 ‖ entry)
//! node  = H(0x01 ‖ left ‖ right)
//! ```
//!
//! so a leaf can never be taken for a node, and the number in the leaf fixes its place. The salt of a line is the beginning of
//! HMAC-SHA-256(line key, line number): a neighbour's hash tells nothing about a line that could be guessed, and the salts that are
//! shown tell nothing about the others.
//!
//! [`BLOCK_LINES`] lines are a block. Since that is a power of two, the tree over the roots of the blocks is the tree over all lines:
//! whoever has the blocks' roots ([`LineIndex`]) needs to read only the blocks of the lines asked for.

mod index;
mod proof;
mod split;
mod tree;

#[cfg(test)]
mod tests;

pub use self::index::{IndexBlock, LineIndex, LineIndexWriter};
pub use self::proof::{LineProof, RangeHashes, SCHEMA, SCHEMA_TEXT};
pub use self::split::{LineSplitter, split_lines};
pub use self::tree::{LineLevels, TreeBuilder, leaf, range_root, range_siblings};

use crate::digest::DigestAlgorithm;
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::LINES_MAX;
use crate::manifest::Digests;

/// Lines of a block; the last block of a tree may have fewer. A power of two, see above.
pub const BLOCK_LINES: u32 = 1024;

/// Bytes of a line salt: as many as the salt of a manifest.
pub const LINE_SALT_BYTES: usize = 16;

/// The functions under which this version of the format makes trees. Two, because the renewal of a hash tree (RFC 4998 §5.3) must do
/// without reading the content: the manifest holds both roots.
pub const LINE_ALGORITHMS: [DigestAlgorithm; 2] =
    [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512];

/// The salt of one line.
pub type LineSalt = [u8; LINE_SALT_BYTES];

/// What a manifest says about the lines of a content object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineTree {
    /// Number of lines, from 1.
    pub lines: u64,
    /// Roots of the tree, under at least two functions.
    pub roots: Digests,
}

impl LineTree {
    /// Whether content of `size` bytes can have these lines: each has at least one byte.
    pub(crate) fn check(&self, size: u64) -> Result<()> {
        let fail = |kind| Err(FormatError::new(kind, STRUCTURE));
        if self.lines == 0 || self.lines > size {
            return fail(ErrorKind::InvalidValue);
        }
        if self.lines > LINES_MAX {
            return fail(ErrorKind::LimitExceeded);
        }
        Ok(())
    }
}

/// Number of blocks of a tree of `lines` lines.
#[must_use]
pub const fn block_count(lines: u64) -> u64 {
    // The width of the cast is that of the constant.
    #[allow(clippy::as_conversions, reason = "u32 to u64 in a constant function")]
    lines.div_ceil(BLOCK_LINES as u64)
}

pub(crate) const STRUCTURE: &str = "manifest.objects.line-tree";
