//! The line tree of a content, built while the content streams by ([`formats::lines`]).
//!
//! Memory is that of the index, 104 bytes for each block of 1,024 lines, and of one line.

use std::fmt;

use formats::digest::DigestAlgorithm;
use formats::limits::{LINE_BYTES_MAX, LINES_MAX};
use formats::lines::{
    BLOCK_LINES, IndexBlock, LINE_ALGORITHMS, LineIndex, LineIndexWriter, LineSalt, LineSplitter,
    LineTree, TreeBuilder, leaf,
};
use formats::manifest::Digests;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The secret of one content from which the salts of its lines are derived. It stands in the sealed line index and nowhere else.
pub struct LineKey {
    bytes: Zeroizing<[u8; LineIndex::KEY_BYTES]>,
    mac: Hmac<Sha256>,
}

/// The line tree of a content: for its manifest, and for the index beside it.
#[derive(Debug)]
pub struct BuiltLines {
    /// Number of lines and roots.
    pub tree: LineTree,
    /// The index. It holds the line key: wipe it when it is sealed.
    pub index: LineIndex,
}

/// Why a content has no line tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoLines {
    /// It is empty.
    Empty,
    /// A line is longer than [`LINE_BYTES_MAX`]: this is no log.
    LineTooLong {
        /// Its number, from 1.
        line: u64,
    },
    /// It has more lines than [`LINES_MAX`].
    TooMany,
}

impl LineKey {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: &[u8; LineIndex::KEY_BYTES]) -> Self {
        // RFC 2104 §2: a key shorter than the block is filled with zeros.
        let mut block = Zeroizing::new([0; 64]);
        for (place, byte) in block.iter_mut().zip(bytes) {
            *place = *byte;
        }
        Self {
            bytes: Zeroizing::new(*bytes),
            mac: <Hmac<Sha256> as KeyInit>::new((&*block).into()),
        }
    }

    /// The key of an index; `None` when it holds none.
    #[must_use]
    pub fn of(index: &LineIndex) -> Option<Self> {
        index.key().try_into().ok().map(Self::new)
    }

    /// The salt of the line with this number.
    #[must_use]
    pub fn salt(&self, number: u64) -> LineSalt {
        let mut mac = self.mac.clone();
        mac.update(&number.to_be_bytes());
        let code: [u8; 32] = mac.finalize().into_bytes().into();
        let mut salt = LineSalt::default();
        for (place, byte) in salt.iter_mut().zip(code) {
            *place = byte;
        }
        salt
    }
}

/// Compares a content, which is written to it, with a line index that was stored beside it.
pub struct LineCheck(LineBuilder);

impl LineCheck {
    /// A check of this index; `None` when it holds no key.
    #[must_use]
    pub fn new(index: &LineIndex) -> Option<Self> {
        LineKey::of(index).map(|key| Self(LineBuilder::new(key)))
    }

    /// Whether the index and the tree in the manifest are those of the content that was written.
    #[must_use]
    pub fn holds(self, tree: &LineTree, index: &LineIndex) -> bool {
        self.0.finish().is_ok_and(|built| {
            let same = built.tree == *tree && built.index.bytes() == index.bytes();
            drop(Zeroizing::new(built.index.into_bytes()));
            same
        })
    }
}

impl std::io::Write for LineCheck {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.0.update(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for LineCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LineCheck")
    }
}

/// Takes a content piece by piece.
pub(super) struct LineBuilder {
    key: LineKey,
    splitter: LineSplitter,
    /// The beginning of a line whose end is in a later piece.
    begun: Zeroizing<Vec<u8>>,
    /// Bytes of the lines that have ended.
    offset: u64,
    lines: u64,
    block_offset: u64,
    trees: [Trees; 2],
    index: LineIndexWriter,
    stopped: Option<NoLines>,
}

/// The trees under one function.
struct Trees {
    algorithm: DigestAlgorithm,
    /// Over the lines of the present block.
    block: TreeBuilder,
    /// Over the blocks before.
    top: TreeBuilder,
}

impl LineBuilder {
    pub(super) fn new(key: LineKey) -> Self {
        Self {
            key,
            splitter: LineSplitter::default(),
            begun: Zeroizing::new(Vec::new()),
            offset: 0,
            lines: 0,
            block_offset: 0,
            trees: LINE_ALGORITHMS.map(|algorithm| Trees {
                algorithm,
                block: TreeBuilder::new(algorithm),
                top: TreeBuilder::new(algorithm),
            }),
            index: LineIndexWriter::new(),
            stopped: None,
        }
    }

    /// Takes the next piece.
    pub(super) fn update(&mut self, mut piece: &[u8]) {
        while self.stopped.is_none() {
            let Some((part, ends)) = self.splitter.take(&mut piece) else {
                return;
            };
            if self.begun.len() + part.len() > LINE_BYTES_MAX {
                let line = self.lines + 1;
                self.stopped = Some(NoLines::LineTooLong { line });
            } else if !ends {
                self.keep(part);
            } else if self.begun.is_empty() {
                self.line(part);
            } else {
                self.keep(part);
                let whole = std::mem::take(&mut *self.begun);
                self.line(&whole);
                *self.begun = whole;
                self.begun.clear();
            }
        }
    }

    /// The tree of the whole content.
    pub(super) fn finish(mut self) -> Result<BuiltLines, NoLines> {
        if self.stopped.is_none() && !self.begun.is_empty() {
            let last = std::mem::take(&mut *self.begun);
            self.line(&last);
            *self.begun = last;
        }
        if let Some(reason) = self.stopped {
            return Err(reason);
        }
        if self.lines > 0 && !self.lines.is_multiple_of(u64::from(BLOCK_LINES)) {
            self.end_block();
        }
        let roots = self.trees.iter_mut().map(|trees| trees.top.take_root());
        let roots: Option<Vec<_>> = roots.collect();
        let roots = roots.and_then(|roots| Digests::new(roots).ok());
        let index = self.index.finish(&self.key.bytes, self.lines).ok();
        match roots.zip(index) {
            Some((roots, index)) => Ok(BuiltLines {
                tree: LineTree {
                    lines: self.lines,
                    roots,
                },
                index,
            }),
            None => Err(NoLines::Empty),
        }
    }

    /// Keeps the beginning of a line. A new buffer instead of a longer one: moving would leave a copy behind.
    fn keep(&mut self, part: &[u8]) {
        let length = self.begun.len() + part.len();
        if self.begun.capacity() < length {
            let mut longer = Zeroizing::new(Vec::with_capacity(length.next_power_of_two()));
            longer.extend_from_slice(&self.begun);
            self.begun = longer;
        }
        self.begun.extend_from_slice(part);
    }

    fn line(&mut self, line: &[u8]) {
        if self.lines == LINES_MAX {
            self.stopped = Some(NoLines::TooMany);
            return;
        }
        self.lines += 1;
        let salt = self.key.salt(self.lines);
        for trees in &mut self.trees {
            let leaf = leaf(trees.algorithm, &salt, self.lines, line);
            trees.block.push(leaf);
        }
        self.offset += line.len() as u64;
        if self.lines.is_multiple_of(u64::from(BLOCK_LINES)) {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        let offset = std::mem::replace(&mut self.block_offset, self.offset);
        let [first, second] = &mut self.trees;
        // A block is never without a line; what could not be would show as an index of the wrong length.
        if let (Some(one), Some(two)) = (first.block.take_root(), second.block.take_root()) {
            first.top.push(one);
            second.top.push(two);
            let roots = [one, two];
            self.index.push(&IndexBlock { offset, roots });
        }
    }
}

impl fmt::Debug for LineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use formats::lines::{LineLevels, split_lines};
    use proptest::prelude::*;

    use super::*;

    fn build(content: &[u8], piece: usize) -> Result<BuiltLines, NoLines> {
        let mut builder = LineBuilder::new(LineKey::new(&[7; 32]));
        content
            .chunks(piece)
            .for_each(|piece| builder.update(piece));
        builder.finish()
    }

    /// The same tree without blocks.
    fn reference(
        content: &[u8],
        algorithm: DigestAlgorithm,
    ) -> Option<formats::digest::DigestValue> {
        let key = LineKey::new(&[7; 32]);
        let lines = (1..).zip(split_lines(content));
        let leaves = lines.map(|(number, line)| leaf(algorithm, &key.salt(number), number, line));
        LineLevels::new(algorithm, leaves).root()
    }

    #[test]
    fn the_salt_is_the_beginning_of_the_hmac() {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&[7; 32]).unwrap();
        mac.update(&[0, 0, 0, 0, 0, 0, 4, 0]);
        let code = mac.finalize().into_bytes();
        assert_eq!(LineKey::new(&[7; 32]).salt(1024), code[..16]);
    }

    #[test]
    fn blocks_begin_where_their_first_line_begins() {
        let content: String = (0..3000)
            .map(|number| format!("line {number}\r\n"))
            .collect();
        let built = build(content.as_bytes(), 1000).unwrap();
        assert_eq!(built.tree.lines, 3000);
        let offsets: Vec<u64> = built.index.blocks().map(|block| block.offset).collect();
        let begins = |line: &str| content.find(line).unwrap() as u64;
        assert_eq!(offsets, [0, begins("line 1024\r"), begins("line 2048\r")]);
        let whole = LineIndex::parse(
            built.index.bytes().to_vec(),
            &built.tree,
            content.len() as u64,
        );
        assert_eq!(whole.unwrap(), built.index);
    }

    #[test]
    fn what_is_no_log_has_no_tree() {
        assert_eq!(build(b"", 1).unwrap_err(), NoLines::Empty);
        let mut longest = vec![b'x'; LINE_BYTES_MAX];
        assert_eq!(build(&longest, 4096).unwrap().tree.lines, 1);
        longest[LINE_BYTES_MAX - 1] = b'\n';
        let two = [longest.as_slice(), b"y"].concat();
        assert_eq!(build(&two, 999).unwrap().tree.lines, 2);
        let long = [b"a\n".as_slice(), &vec![b'x'; LINE_BYTES_MAX], b"\n"].concat();
        for piece in [1000, LINE_BYTES_MAX, usize::MAX / 2] {
            let refused = build(&long, piece).unwrap_err();
            assert_eq!(refused, NoLines::LineTooLong { line: 2 });
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_content_in_any_pieces(
            lines in proptest::collection::vec(0_u8..4, 0..5000), tail in any::<bool>(), piece in 1_usize..3000,
        ) {
            let mut content: Vec<u8> = lines.iter().flat_map(|length| {
                let mut line = vec![b'x'; usize::from(*length)];
                line.push(b'\n');
                line
            }).collect();
            if tail {
                content.extend_from_slice(b"no end");
            }
            let built = build(&content, piece);
            prop_assume!(!content.is_empty());
            let built = built.unwrap();
            prop_assert_eq!(built.tree.lines, split_lines(&content).count() as u64);
            for algorithm in LINE_ALGORITHMS {
                prop_assert_eq!(built.tree.roots.under(algorithm), reference(&content, algorithm));
            }
        }
    }
}
