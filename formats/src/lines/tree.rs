//! The Merkle tree of RFC 9162 §2.1.1 and proofs for ranges of its leaves.

use super::{LINE_SALT_BYTES, LineSalt};
use crate::digest::{DigestAlgorithm, DigestValue};
use crate::error::{ErrorKind, FormatError, Result};
use crate::evidence::hash_tree::level_lengths;

/// The leaf of a line.
#[must_use]
pub fn leaf(algorithm: DigestAlgorithm, salt: &LineSalt, number: u64, line: &[u8]) -> DigestValue {
    // One update for the fixed part: it is shorter than a block of every function.
    let mut head = [0_u8; 1 + LINE_SALT_BYTES + 8];
    let fields = salt.iter().copied().chain(number.to_be_bytes());
    for (place, byte) in head.iter_mut().skip(1).zip(fields) {
        *place = byte;
    }
    let mut hasher = algorithm.hasher();
    hasher.update(&head);
    hasher.update(line);
    hasher.finish()
}

fn node(algorithm: DigestAlgorithm, left: &[u8], right: &[u8]) -> DigestValue {
    let mut hasher = algorithm.hasher();
    hasher.update(&[0x01]);
    hasher.update(left);
    hasher.update(right);
    hasher.finish()
}

/// Computes the root of a tree whose leaves come one after the other. It holds one node for each level.
#[derive(Debug, Clone)]
pub struct TreeBuilder {
    algorithm: DigestAlgorithm,
    /// Roots of the full subtrees so far, largest first, each with the level on which it stands.
    subtrees: Vec<(u32, DigestValue)>,
}

impl TreeBuilder {
    /// A tree without leaves.
    #[must_use]
    pub const fn new(algorithm: DigestAlgorithm) -> Self {
        Self {
            algorithm,
            subtrees: Vec::new(),
        }
    }

    /// Adds the next leaf.
    pub fn push(&mut self, leaf: DigestValue) {
        let (mut level, mut carried) = (0_u32, leaf);
        while let Some((_, left)) = self.subtrees.pop_if(|(other, _)| *other == level) {
            carried = node(self.algorithm, left.as_bytes(), carried.as_bytes());
            level = level.saturating_add(1);
        }
        self.subtrees.push((level, carried));
    }

    /// The root, and the builder as it was at first; `None` without leaves.
    pub fn take_root(&mut self) -> Option<DigestValue> {
        let (_, mut root) = self.subtrees.pop()?;
        while let Some((_, left)) = self.subtrees.pop() {
            root = node(self.algorithm, left.as_bytes(), root.as_bytes());
        }
        Some(root)
    }
}

/// All nodes of a tree in memory, level by level; a node without a neighbour moves up unchanged.
#[derive(Debug, Clone)]
pub struct LineLevels {
    algorithm: DigestAlgorithm,
    /// Each level's nodes one after the other, leaves first.
    levels: Vec<Vec<u8>>,
}

impl LineLevels {
    /// A tree over leaves of `algorithm`.
    #[must_use]
    pub fn new(algorithm: DigestAlgorithm, leaves: impl IntoIterator<Item = DigestValue>) -> Self {
        let mut level = Vec::new();
        for leaf in leaves {
            level.extend_from_slice(leaf.as_bytes());
        }
        let len = algorithm.len();
        let mut levels = Vec::new();
        while level.len() > len {
            let mut above = Vec::with_capacity(level.len().div_ceil(2));
            for pair in level.chunks(len.saturating_mul(2)) {
                match pair.split_at_checked(len) {
                    Some((left, right)) if !right.is_empty() => {
                        above.extend_from_slice(node(algorithm, left, right).as_bytes());
                    }
                    Some(_) | None => above.extend_from_slice(pair),
                }
            }
            levels.push(std::mem::replace(&mut level, above));
        }
        levels.push(level);
        Self { algorithm, levels }
    }

    /// The node at `index` of `level`. Above the root's level, index 0 is the root: a short last block of a larger tree.
    #[must_use]
    pub fn node(&self, level: u32, index: u64) -> Option<DigestValue> {
        let wanted = usize::try_from(level).ok()?;
        let highest = self.levels.len().checked_sub(1)?;
        if wanted > highest && index != 0 {
            return None;
        }
        let len = self.algorithm.len();
        let start = usize::try_from(index).ok()?.checked_mul(len)?;
        let nodes = self.levels.get(wanted.min(highest))?;
        let bytes = nodes.get(start..start.checked_add(len)?)?;
        DigestValue::from_bytes(self.algorithm, bytes)
    }

    /// The root; `None` without leaves.
    #[must_use]
    pub fn root(&self) -> Option<DigestValue> {
        let root = self.levels.last()?;
        DigestValue::from_bytes(self.algorithm, root)
    }
}

/// Which nodes prove the leaves `first` to `last` (from 0, both in it) of a tree of `leaves` leaves: level and index of each, lowest level first,
/// and on one level the left one first. No fewer nodes would do.
///
/// # Errors
///
/// [`ErrorKind::InvalidValue`] if the range is empty or ends beyond the tree.
pub fn range_siblings(leaves: u64, first: u64, last: u64) -> Result<Vec<(u32, u64)>> {
    if first > last || last >= leaves {
        return Err(FormatError::new(ErrorKind::InvalidValue, RANGE));
    }
    let mut found = Vec::new();
    let (mut first, mut last) = (first, last);
    for (level, length) in (0_u32..).zip(level_lengths(leaves)) {
        if first & 1 == 1 {
            found.push((level, first ^ 1));
        }
        if last & 1 == 0 && last ^ 1 < length {
            found.push((level, last ^ 1));
        }
        first >>= 1_u32;
        last >>= 1_u32;
    }
    Ok(found)
}

/// The root of a tree of `leaves` leaves, from the leaves beginning at `first` (from 0) and the nodes that [`range_siblings`] names.
///
/// # Errors
///
/// [`ErrorKind::InvalidValue`] if the range is empty or ends beyond the tree, [`ErrorKind::Truncated`] or [`ErrorKind::TrailingBytes`] for
/// fewer or more nodes than the range needs, [`ErrorKind::WrongType`] for a node or leaf of another function.
pub fn range_root(
    algorithm: DigestAlgorithm,
    leaves: u64,
    first: u64,
    range: Vec<DigestValue>,
    siblings: &[DigestValue],
) -> Result<DigestValue> {
    let fail = |kind| FormatError::new(kind, RANGE);
    let count = u64::try_from(range.len()).map_err(|_| fail(ErrorKind::LimitExceeded))?;
    let beyond = first.checked_add(count);
    if count == 0 || beyond.is_none_or(|beyond| beyond > leaves) {
        return Err(fail(ErrorKind::InvalidValue));
    }
    let foreign = |value: &DigestValue| value.algorithm() != algorithm;
    if range.iter().chain(siblings).any(foreign) {
        return Err(fail(ErrorKind::WrongType));
    }
    let mut siblings = siblings.iter().copied();
    let (mut first, mut nodes) = (first, range);
    for length in level_lengths(leaves) {
        if length == 1 {
            break;
        }
        let mut level = Vec::with_capacity(nodes.len().saturating_add(2));
        if first & 1 == 1 {
            level.push(siblings.next().ok_or(fail(ErrorKind::Truncated))?);
            first ^= 1;
        }
        level.append(&mut nodes);
        let reached = u64::try_from(level.len())
            .ok()
            .and_then(|count| first.checked_add(count));
        if level.len() & 1 == 1 && reached.is_some_and(|reached| reached < length) {
            level.push(siblings.next().ok_or(fail(ErrorKind::Truncated))?);
        }
        nodes = level
            .chunks(2)
            .filter_map(|pair| above(algorithm, pair))
            .collect();
        first >>= 1_u32;
    }
    if siblings.next().is_some() {
        return Err(fail(ErrorKind::TrailingBytes));
    }
    match nodes.as_slice() {
        [root] => Ok(*root),
        _ => Err(fail(ErrorKind::Inconsistent)),
    }
}

fn above(algorithm: DigestAlgorithm, pair: &[DigestValue]) -> Option<DigestValue> {
    match pair {
        [left, right] => Some(node(algorithm, left.as_bytes(), right.as_bytes())),
        [alone] => Some(*alone),
        _ => None,
    }
}

const RANGE: &str = "range of lines";
