//! Proving some lines of a log without showing the others: what is read, and what is handed out.
//!
//! Only the blocks of the lines asked for are read. Their trees are computed again from the content; the roots of all other blocks
//! come from the sealed line index. What comes out is led to the roots in the manifest before it is given to anybody.

use std::fmt;
use std::io::{self, Write};
use std::ops::RangeInclusive;

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::error::{ErrorKind, FormatError};
use formats::limits::LINE_PROOF_LINES_MAX;
use formats::lines::{
    BLOCK_LINES, LINE_ALGORITHMS, LineIndex, LineLevels, LineProof, LineSplitter, LineTree,
    RangeHashes, block_count, leaf, range_root, range_siblings,
};
use zeroize::Zeroizing;

use super::package::ExportError;
use crate::content::LineKey;
use crate::record::error::RetrieveError;
use crate::record::retrieve::OpenedVersion;

/// Which lines are wanted, from 1; an open end is the log's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRange {
    first: Option<u64>,
    last: Option<u64>,
}

/// Lines, and what proves them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// The bytes of the lines.
    pub bytes: Vec<u8>,
    /// The proof.
    pub proof: LineProof,
    /// How many lines the log has.
    pub lines: u64,
}

/// Why no lines can be proven.
#[derive(Debug)]
#[non_exhaustive]
pub enum LinesError {
    /// The object has no line tree: only classes that ask for one give it. Hand over the whole record.
    NoTree {
        /// What its manifest says about it, where it says anything.
        reason: Option<String>,
    },
    /// There are fewer lines.
    BeyondEnd {
        /// How many there are.
        lines: u64,
    },
    /// More lines or bytes than one package may show. Ask for fewer, or hand over the whole record.
    TooMuch {
        /// How many lines there are.
        lines: u64,
    },
    /// As for a package of the whole.
    Export(ExportError),
}

impl LineRange {
    /// `A..B`, `A..`, `..B` or `A`, numbers from 1; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u64>()
                .ok()
                .filter(|number| plain && *number > 0)
        };
        let end = |text: &str| match text {
            "" => Some(None),
            text => number(text).map(Some),
        };
        let range = match text.split_once("..") {
            None => {
                let only = number(text);
                only?;
                Self {
                    first: only,
                    last: only,
                }
            }
            Some((first, last)) => Self {
                first: end(first)?,
                last: end(last)?,
            },
        };
        let ordered = match (range.first, range.last) {
            (Some(first), Some(last)) => first <= last,
            (None, None) => false,
            (Some(_), None) | (None, Some(_)) => true,
        };
        ordered.then_some(range)
    }

    /// The lines of a log with this many; `None` if it ends before.
    #[must_use]
    pub fn within(self, lines: u64) -> Option<RangeInclusive<u64>> {
        let (first, last) = (self.first.unwrap_or(1), self.last.unwrap_or(lines));
        (first <= last && last <= lines).then_some(first..=last)
    }
}

/// Reads the lines of an object and proves them.
///
/// # Errors
/// [`LinesError`].
pub fn disclose(
    opened: &mut OpenedVersion<'_>,
    object: u32,
    range: LineRange,
) -> Result<Disclosure, LinesError> {
    let version = opened.version();
    let content = usize::try_from(object)
        .ok()
        .and_then(|place| opened.manifest().objects.get(place))
        .ok_or(RetrieveError::NoObject { version })?;
    let size = content.size;
    let Some(tree) = content.lines.clone() else {
        let reason = opened.manifest().facts.get("line-tree").cloned();
        return Err(LinesError::NoTree { reason });
    };
    let lines = tree.lines;
    let wanted = range.within(lines).ok_or(LinesError::BeyondEnd { lines })?;
    let count = wanted.end() - wanted.start() + 1;
    if usize::try_from(count).map_or(true, |count| count > LINE_PROOF_LINES_MAX) {
        return Err(LinesError::TooMuch { lines });
    }
    let broken = |kind| RetrieveError::LineIndex {
        version,
        error: Some(FormatError::new(kind, "line tree")),
    };
    let index = opened
        .line_index(object)?
        .ok_or(broken(ErrorKind::MissingElement))?;
    let request = Request {
        object,
        size,
        tree,
        wanted,
    };
    let disclosed = request.read(opened, &index);
    drop(Zeroizing::new(index.into_bytes()));
    disclosed
}

/// What is to be read of which object.
struct Request {
    object: u32,
    size: u64,
    tree: LineTree,
    wanted: RangeInclusive<u64>,
}

impl Request {
    fn read(
        &self,
        opened: &mut OpenedVersion<'_>,
        index: &LineIndex,
    ) -> Result<Disclosure, LinesError> {
        let version = opened.version();
        let lines = self.tree.lines;
        let broken = |kind| RetrieveError::LineIndex {
            version,
            error: Some(FormatError::new(kind, "line tree")),
        };
        let key = LineKey::of(index).ok_or(broken(ErrorKind::MissingElement))?;
        let blocks =
            Blocks::of(&self.wanted, index, self.size).ok_or(broken(ErrorKind::Inconsistent))?;
        let mut reader = LineReader::new(&key, &blocks, self.wanted.clone());
        let read = opened.write_range(self.object, blocks.bytes.clone(), &mut reader);
        if reader.too_much {
            return Err(LinesError::TooMuch { lines });
        }
        read?;
        reader.end();
        let proofs = reader
            .prove(index, &self.tree)
            .ok_or(broken(ErrorKind::DigestMismatch))?;
        let salts = self.wanted.clone().map(|number| key.salt(number));
        Ok(Disclosure {
            bytes: std::mem::take(&mut reader.shown),
            proof: LineProof {
                version,
                object: self.object,
                first: *self.wanted.start(),
                salts: salts.collect(),
                proofs,
            },
            lines,
        })
    }
}

/// The blocks in which the wanted lines stand.
struct Blocks {
    /// Number of the first one.
    first: u64,
    /// Number of the last one.
    last: u64,
    /// Where they stand in the content.
    bytes: std::ops::Range<u64>,
}

impl Blocks {
    fn of(wanted: &RangeInclusive<u64>, index: &LineIndex, size: u64) -> Option<Self> {
        let block_lines = u64::from(BLOCK_LINES);
        let first = (wanted.start() - 1) / block_lines;
        let last = (wanted.end() - 1) / block_lines;
        let start = index.block(first)?.offset;
        let end = if last + 1 < block_count(index.lines()) {
            index.block(last + 1)?.offset
        } else {
            size
        };
        Some(Self {
            first,
            last,
            bytes: start..end,
        })
    }
}

/// Takes the content of some blocks: keeps the wanted lines, and the leaves of all lines that a proof may need.
struct LineReader<'a> {
    key: &'a LineKey,
    blocks: &'a Blocks,
    wanted: RangeInclusive<u64>,
    splitter: LineSplitter,
    /// The line that has not ended yet.
    line: Zeroizing<Vec<u8>>,
    /// Its number.
    number: u64,
    shown: Vec<u8>,
    too_much: bool,
    /// For each function: the leaves of the first block, of the last one, and of the wanted lines.
    leaves: [Leaves; 2],
}

#[derive(Default)]
struct Leaves {
    first: Vec<DigestValue>,
    last: Vec<DigestValue>,
    wanted: Vec<DigestValue>,
}

impl<'a> LineReader<'a> {
    fn new(key: &'a LineKey, blocks: &'a Blocks, wanted: RangeInclusive<u64>) -> Self {
        Self {
            key,
            blocks,
            wanted,
            splitter: LineSplitter::default(),
            line: Zeroizing::new(Vec::new()),
            number: blocks.first * u64::from(BLOCK_LINES) + 1,
            shown: Vec::new(),
            too_much: false,
            leaves: Default::default(),
        }
    }

    /// The content of the blocks has ended, and with it the last line.
    fn end(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let is_wanted = self.wanted.contains(&self.number);
        let block = (self.number - 1) / u64::from(BLOCK_LINES);
        let salt = self.key.salt(self.number);
        for (algorithm, leaves) in LINE_ALGORITHMS.into_iter().zip(&mut self.leaves) {
            let leaf = leaf(algorithm, &salt, self.number, &self.line);
            if is_wanted {
                leaves.wanted.push(leaf);
            }
            if block == self.blocks.first {
                leaves.first.push(leaf);
            }
            if block == self.blocks.last {
                leaves.last.push(leaf);
            }
        }
        if is_wanted {
            self.too_much |= self.shown.len() + self.line.len() > SHOWN_BYTES_MAX;
            if !self.too_much {
                self.shown.extend_from_slice(&self.line);
            }
        }
        self.line.clear();
        self.number += 1;
    }

    /// The hashes beside the wanted lines, if these lead to the roots of the manifest.
    fn prove(&mut self, index: &LineIndex, tree: &LineTree) -> Option<Vec<RangeHashes>> {
        let (first, last) = (self.wanted.start() - 1, self.wanted.end() - 1);
        let places = range_siblings(tree.lines, first, last).ok()?;
        let mut proofs = Vec::with_capacity(LINE_ALGORITHMS.len());
        for (place, algorithm) in LINE_ALGORITHMS.into_iter().enumerate() {
            let leaves = std::mem::take(self.leaves.get_mut(place)?);
            let nodes = Nodes {
                first: LineLevels::new(algorithm, leaves.first),
                last: LineLevels::new(algorithm, leaves.last),
                top: top_levels(algorithm, place, index),
                blocks: self.blocks,
            };
            let hashes: Option<Vec<DigestValue>> =
                places.iter().map(|place| nodes.node(*place)).collect();
            let hashes = hashes?;
            let root = range_root(algorithm, tree.lines, first, leaves.wanted, &hashes).ok()?;
            if tree.roots.under(algorithm) != Some(root) {
                return None;
            }
            proofs.push(RangeHashes { algorithm, hashes });
        }
        Some(proofs)
    }
}

fn top_levels(algorithm: DigestAlgorithm, place: usize, index: &LineIndex) -> LineLevels {
    let roots = index
        .blocks()
        .filter_map(|block| block.roots.get(place).copied());
    LineLevels::new(algorithm, roots)
}

impl Write for LineReader<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut piece = bytes;
        while let Some((part, ends)) = self.splitter.take(&mut piece) {
            self.line.extend_from_slice(part);
            if ends {
                self.end_line();
            }
            if self.too_much {
                return Err(io::Error::other("more lines than a package may show"));
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The nodes that a proof for the wanted lines can need.
struct Nodes<'a> {
    first: LineLevels,
    last: LineLevels,
    /// Over the blocks.
    top: LineLevels,
    blocks: &'a Blocks,
}

impl Nodes<'_> {
    /// The node at level and index of the tree over all lines. What stands beside a line inside its block is of that block.
    fn node(&self, (level, index): (u32, u64)) -> Option<DigestValue> {
        let Some(below_top) = BLOCK_LEVELS.checked_sub(level).filter(|levels| *levels > 0) else {
            return self.top.node(level - BLOCK_LEVELS, index);
        };
        let block = index >> below_top;
        let within = index - (block << below_top);
        if block == self.blocks.first {
            self.first.node(level, within)
        } else if block == self.blocks.last {
            self.last.node(level, within)
        } else {
            None
        }
    }
}

/// Levels of the tree over a full block, without its root.
const BLOCK_LEVELS: u32 = BLOCK_LINES.ilog2();

/// Most bytes of lines in one package: they are held in memory, and a reader of the package must be able to open them.
const SHOWN_BYTES_MAX: usize = 64 * 1024 * 1024;

impl<E: Into<ExportError>> From<E> for LinesError {
    fn from(error: E) -> Self {
        Self::Export(error.into())
    }
}

impl fmt::Display for LinesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTree { reason: None } => f.write_str(
                "single lines of this record cannot be proven: its class does not ask for a line tree",
            ),
            Self::NoTree {
                reason: Some(reason),
            } => write!(f, "single lines of this record cannot be proven ({reason})"),
            Self::BeyondEnd { lines } => write!(f, "there are {lines} lines"),
            Self::TooMuch { lines } => write!(
                f,
                "these are more lines than one package shows, of {lines}: ask for fewer, or hand over the whole record"
            ),
            Self::Export(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LinesError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Export(error) => Some(error),
            Self::NoTree { .. } | Self::BeyondEnd { .. } | Self::TooMuch { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_in_every_form() {
        let of = |text| LineRange::parse(text).and_then(|range| range.within(2000));
        assert_eq!(of("1200..1203"), Some(1200..=1203));
        assert_eq!(of("1200"), Some(1200..=1200));
        assert_eq!(of("1999.."), Some(1999..=2000));
        assert_eq!(of("..3"), Some(1..=3));
        assert_eq!(of("1..2000"), Some(1..=2000));
        assert_eq!(of("2000..2001"), None);
        assert_eq!(of("2001.."), None);
        for text in [
            "",
            "..",
            "0",
            "0..3",
            "3..2",
            "-1",
            "+1",
            "1...3",
            "1-3",
            "1..3..5",
            "a",
            "１",
            "99999999999999999999",
        ] {
            assert_eq!(LineRange::parse(text), None, "{text}");
        }
    }
}
