//! The line index: what proofs of lines need beside the content, sealed beside it.

use super::{BLOCK_LINES, LINE_ALGORITHMS, LineTree, block_count};
use crate::digest::{DigestAlgorithm, DigestValue};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::LINES_MAX;
use crate::segment::{Reader, Writer};

/// The line index of one content object.
///
/// ```text
/// FUMILINE 8 | version u16 (1) | line key 32 | number of lines u64 | lines of a block u32 (1024) |
/// for each block: offset of its first line in the content u64 | root under SHA-256 32 | root under SHA-512 64
/// ```
///
/// It is a secret: with the line key, a line that can be guessed can be recognised by its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct LineIndex {
    bytes: Vec<u8>,
    lines: u64,
}

/// One block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexBlock {
    /// Where its first line begins in the content.
    pub offset: u64,
    /// Its roots, in the order of [`LINE_ALGORITHMS`].
    pub roots: [DigestValue; 2],
}

/// Collects the blocks of an index.
pub struct LineIndexWriter {
    writer: Writer,
}

impl Default for LineIndexWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl LineIndexWriter {
    /// An index without blocks.
    #[must_use]
    pub fn new() -> Self {
        let mut writer = Writer::with_capacity(HEAD_BYTES);
        writer.raw(&MAGIC);
        writer.u16(VERSION);
        writer.raw(&[0; LineIndex::KEY_BYTES]);
        writer.u64(0);
        writer.u32(BLOCK_LINES);
        Self { writer }
    }

    /// Adds the next block.
    pub fn push(&mut self, block: &IndexBlock) {
        self.writer.u64(block.offset);
        for root in &block.roots {
            self.writer.raw(root.as_bytes());
        }
    }

    /// The index of content with this many lines and this key. The key comes last, so that no buffer that was outgrown holds it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotEncodable`] if the blocks are not those of so many lines.
    pub fn finish(self, key: &[u8; LineIndex::KEY_BYTES], lines: u64) -> Result<LineIndex> {
        let mut bytes = self.writer.finish();
        if LineIndex::bytes_of(lines) != u64::try_from(bytes.len()).ok() {
            return Err(FormatError::new(ErrorKind::NotEncodable, STRUCTURE));
        }
        let fields = key.iter().copied().chain(lines.to_be_bytes());
        for (place, byte) in bytes.iter_mut().skip(KEY_OFFSET).zip(fields) {
            *place = byte;
        }
        Ok(LineIndex { bytes, lines })
    }
}

impl LineIndex {
    /// Bytes of a line key.
    pub const KEY_BYTES: usize = 32;

    /// Bytes of the index of content with this many lines; `None` for none, or more than [`LINES_MAX`].
    #[must_use]
    pub fn bytes_of(lines: u64) -> Option<u64> {
        if lines == 0 || lines > LINES_MAX {
            return None;
        }
        let head = u64::try_from(HEAD_BYTES).ok()?;
        let block = u64::try_from(BLOCK_BYTES).ok()?;
        block_count(lines).checked_mul(block)?.checked_add(head)
    }

    /// Reads the index of content of `size` bytes with this tree.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Truncated`], [`ErrorKind::TrailingBytes`], [`ErrorKind::WrongType`], [`ErrorKind::UnsupportedVersion`];
    /// [`ErrorKind::Inconsistent`] if it is not of this content: another number of lines, or offsets that do not grow.
    /// Whether its roots lead to the tree's is for the caller.
    pub fn parse(bytes: Vec<u8>, tree: &LineTree, size: u64) -> Result<Self> {
        let mut reader = Reader::new(STRUCTURE, &bytes);
        if reader.array()? != MAGIC {
            return Err(reader.error(ErrorKind::WrongType));
        }
        if reader.u16()? != VERSION {
            return Err(reader.error(ErrorKind::UnsupportedVersion));
        }
        reader.raw(Self::KEY_BYTES)?;
        if reader.u64()? != tree.lines || reader.u32()? != BLOCK_LINES {
            return Err(reader.error(ErrorKind::Inconsistent));
        }
        let mut expected = 0;
        for _ in 0..block_count(tree.lines) {
            let offset = reader.u64()?;
            if offset < expected || offset >= size || (expected == 0 && offset != 0) {
                return Err(reader.error(ErrorKind::Inconsistent));
            }
            expected = offset.saturating_add(u64::from(BLOCK_LINES));
            reader.raw(ROOTS_BYTES)?;
        }
        reader.finish()?;
        let lines = tree.lines;
        Ok(Self { bytes, lines })
    }

    /// Number of lines.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// The line key.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        let end = KEY_OFFSET.saturating_add(Self::KEY_BYTES);
        self.bytes.get(KEY_OFFSET..end).unwrap_or_default()
    }

    /// The block with this number, from 0.
    #[must_use]
    pub fn block(&self, number: u64) -> Option<IndexBlock> {
        let start = usize::try_from(number)
            .ok()?
            .checked_mul(BLOCK_BYTES)?
            .checked_add(HEAD_BYTES)?;
        let mut reader = Reader::new(STRUCTURE, self.bytes.get(start..)?);
        let offset = reader.u64().ok()?;
        let mut root = |algorithm: DigestAlgorithm| {
            DigestValue::from_bytes(algorithm, reader.raw(algorithm.len()).ok()?)
        };
        let [first, second] = LINE_ALGORITHMS;
        Some(IndexBlock {
            offset,
            roots: [root(first)?, root(second)?],
        })
    }

    /// Every block, in order.
    pub fn blocks(&self) -> impl Iterator<Item = IndexBlock> {
        (0..block_count(self.lines)).filter_map(|number| self.block(number))
    }

    /// The bytes, to be sealed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes the bytes out, so that they can be wiped.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Shows no key.
impl std::fmt::Debug for LineIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LineIndex")
            .field("lines", &self.lines)
            .finish_non_exhaustive()
    }
}

/// Shows no key.
impl std::fmt::Debug for LineIndexWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LineIndexWriter").finish_non_exhaustive()
    }
}

const MAGIC: [u8; 8] = *b"FUMILINE";
const VERSION: u16 = 1;
const KEY_OFFSET: usize = 10;
const HEAD_BYTES: usize = 54;
const ROOTS_BYTES: usize = 96;
const BLOCK_BYTES: usize = 104;
const STRUCTURE: &str = "line index";
