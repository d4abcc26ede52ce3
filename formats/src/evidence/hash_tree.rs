//! Hash trees (RFC 4998 §4.2) and the way from a leaf to the root (§4.3).
//!
//! The trees built here are binary: each node is the digest of its two children in binary ascending order, and a node without a
//! neighbour moves up unchanged. RFC 4998 allows any shape; a binary tree gives the shortest proofs with the fewest hashes.
//!
//! Neither RFC 4998 nor this tree separates leaves from nodes: whoever knows two neighbouring digests can present their concatenation
//! as a "document" with a valid proof. Leaves here are digests of groups that begin with a manifest, and a verifier must never take a bare
//! digest for a document.

mod stream;

use std::num::NonZeroUsize;

use digest::Digest;

use super::PartialHashTree;
use crate::digest::{DigestAlgorithm, DigestValue};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::HASH_TREE_LEAVES_MAX;

pub use stream::{Node, TreeStream};

/// The digest of a data object group, or of one list of hashes (RFC 4998 §4.2.1, steps 2 and 3): values are sorted in binary ascending
/// order, concatenated and hashed. Duplicates stay. A single value is not hashed again. `None` for an empty group.
#[must_use]
pub fn group_hash(algorithm: DigestAlgorithm, values: &[DigestValue]) -> Option<DigestValue> {
    if let [single] = values {
        return Some(*single);
    }
    let mut sorted: Vec<&[u8]> = values.iter().map(DigestValue::as_bytes).collect();
    sorted_hash(algorithm, &mut sorted)
}

/// The root that a reduced hash tree leads to (RFC 4998 §4.3, steps 2 and 3).
///
/// Whether the document's digest is in the first list, and whether the time-stamp covers the root, is for the caller.
///
/// # Errors
///
/// [`ErrorKind::MissingElement`] if there is no list or the first one is empty, [`ErrorKind::WrongDigestLength`] if a value does not
/// have the length of the algorithm.
pub fn root_of(algorithm: DigestAlgorithm, lists: &[PartialHashTree]) -> Result<DigestValue> {
    climb(algorithm, lists, false)
}

/// The same with duplicates dropped from each list.
///
/// RFC 4998 does not say so, yet some records carry the value of the list before in the next list already, and their time-stamps cover
/// the root of this reading only. A verifier that accepts it must say so.
///
/// # Errors
///
/// Those of [`root_of`].
pub fn root_of_sets(algorithm: DigestAlgorithm, lists: &[PartialHashTree]) -> Result<DigestValue> {
    climb(algorithm, lists, true)
}

fn climb(algorithm: DigestAlgorithm, lists: &[PartialHashTree], sets: bool) -> Result<DigestValue> {
    let error = |kind| FormatError::new(kind, "reducedHashtree");
    let mut carried: Option<DigestValue> = None;
    for list in lists {
        let mut values: Vec<&[u8]> = list.0.iter().map(Vec::as_slice).collect();
        if values.iter().any(|value| value.len() != algorithm.len()) {
            return Err(error(ErrorKind::WrongDigestLength));
        }
        if let Some(value) = &carried {
            values.push(value.as_bytes());
        }
        if sets {
            values.sort_unstable();
            values.dedup();
        }
        let hash = match values.as_slice() {
            [single] => DigestValue::from_bytes(algorithm, single),
            _ => sorted_hash(algorithm, &mut values),
        };
        carried = Some(hash.ok_or(error(ErrorKind::MissingElement))?);
    }
    carried.ok_or(error(ErrorKind::MissingElement))
}

/// The reduced hash tree of one group (RFC 4998 §4.2.2): its members' digests, sorted, then one list per neighbour on the way up.
#[must_use]
pub fn reduced_hash_tree(group: &[DigestValue], siblings: &[DigestValue]) -> Vec<PartialHashTree> {
    let mut members: Vec<Vec<u8>> = group.iter().map(|v| v.as_bytes().to_vec()).collect();
    members.sort_unstable();
    let first = PartialHashTree(members);
    let rest = siblings
        .iter()
        .map(|v| PartialHashTree(vec![v.as_bytes().to_vec()]));
    std::iter::once(first).chain(rest).collect()
}

/// The nodes of a tree, wherever they are stored. Level 0 holds the leaves, the last level the root alone.
pub trait TreeLevels {
    /// Why a node could not be read.
    type Error;

    /// Number of leaves.
    fn leaf_count(&self) -> u64;

    /// The node at `index` of `level`.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or there is none.
    fn node(&self, level: u8, index: u64) -> std::result::Result<DigestValue, Self::Error>;
}

/// Number of nodes on each level of a tree of `leaf_count` leaves, leaves first. Empty for no leaves.
#[must_use]
pub fn level_lengths(leaf_count: u64) -> Vec<u64> {
    let mut lengths = Vec::new();
    let mut length = leaf_count;
    while length > 0 {
        lengths.push(length);
        if length == 1 {
            break;
        }
        length = length.div_ceil(2);
    }
    lengths
}

/// The neighbours on the way from a leaf to the root, lowest first.
///
/// # Errors
///
/// Those of [`TreeLevels::node`].
pub fn siblings<L: TreeLevels + ?Sized>(
    levels: &L,
    leaf_index: u64,
) -> std::result::Result<Vec<DigestValue>, L::Error> {
    let mut found = Vec::new();
    let mut index = leaf_index;
    for (level, length) in (0_u8..).zip(level_lengths(levels.leaf_count())) {
        let neighbour = index ^ 1;
        if neighbour < length {
            found.push(levels.node(level, neighbour)?);
        }
        index >>= 1_u32;
    }
    Ok(found)
}

/// A tree in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashTree {
    algorithm: DigestAlgorithm,
    leaf_count: usize,
    /// Each level's nodes one after the other, leaves first.
    levels: Vec<Vec<u8>>,
}

impl HashTree {
    /// Builds a tree from leaves that stand one after the other in `leaves`, with at most `threads` threads.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingElement`] for no leaves, [`ErrorKind::WrongDigestLength`] if `leaves` is not a whole number of digests,
    /// [`ErrorKind::LimitExceeded`] for more than [`HASH_TREE_LEAVES_MAX`].
    pub fn build(
        algorithm: DigestAlgorithm,
        leaves: Vec<u8>,
        threads: NonZeroUsize,
    ) -> Result<Self> {
        let error = |kind| FormatError::new(kind, "hash tree");
        let len = NonZeroUsize::new(algorithm.len()).ok_or(error(ErrorKind::UnknownAlgorithm))?;
        let leaf_count = leaves.len().div_euclid(len.get());
        if leaves.len().checked_rem(len.get()) != Some(0) {
            return Err(error(ErrorKind::WrongDigestLength));
        }
        match leaf_count {
            0 => return Err(error(ErrorKind::MissingElement)),
            count if count > HASH_TREE_LEAVES_MAX => return Err(error(ErrorKind::LimitExceeded)),
            _ => {}
        }
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > len.get()) {
            let above = next_level(algorithm, below, threads);
            levels.push(above);
        }
        Ok(Self {
            algorithm,
            leaf_count,
            levels,
        })
    }

    /// Builds a tree from digest values with one thread.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build), and [`ErrorKind::InvalidValue`] if a value has another algorithm.
    pub fn from_values(algorithm: DigestAlgorithm, leaves: &[DigestValue]) -> Result<Self> {
        if leaves.iter().any(|leaf| leaf.algorithm() != algorithm) {
            return Err(FormatError::new(ErrorKind::InvalidValue, "hash tree"));
        }
        let flat: Vec<u8> = leaves
            .iter()
            .flat_map(|leaf| leaf.as_bytes())
            .copied()
            .collect();
        Self::build(algorithm, flat, NonZeroUsize::MIN)
    }

    /// The digest algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// Number of leaves.
    #[must_use]
    pub const fn leaf_count(&self) -> usize {
        self.leaf_count
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> DigestValue {
        // A tree is never without a root, so the fallback is never seen.
        let root = self.levels.last().map(Vec::as_slice).unwrap_or_default();
        DigestValue::from_bytes(self.algorithm, root).unwrap_or(self.algorithm.digest(&[]))
    }

    /// The levels, leaves first: each level's nodes one after the other.
    #[must_use]
    pub fn levels(&self) -> &[Vec<u8>] {
        &self.levels
    }

    /// The neighbours on the way from a leaf to the root, lowest first; `None` if there is no such leaf.
    #[must_use]
    pub fn siblings(&self, leaf_index: usize) -> Option<Vec<DigestValue>> {
        if leaf_index >= self.leaf_count {
            return None;
        }
        siblings(self, u64::try_from(leaf_index).ok()?).ok()
    }

    /// The node at `index` of `level`.
    #[must_use]
    pub fn node(&self, level: usize, index: usize) -> Option<DigestValue> {
        let len = self.algorithm.len();
        let start = index.checked_mul(len)?;
        let bytes = self
            .levels
            .get(level)?
            .get(start..start.checked_add(len)?)?;
        DigestValue::from_bytes(self.algorithm, bytes)
    }
}

impl TreeLevels for HashTree {
    type Error = FormatError;

    fn leaf_count(&self) -> u64 {
        u64::try_from(self.leaf_count).unwrap_or(u64::MAX)
    }

    fn node(&self, level: u8, index: u64) -> Result<DigestValue> {
        usize::try_from(index)
            .ok()
            .and_then(|index| Self::node(self, usize::from(level), index))
            .ok_or(FormatError::new(ErrorKind::MissingElement, "hash tree"))
    }
}

fn sorted_hash(algorithm: DigestAlgorithm, values: &mut [&[u8]]) -> Option<DigestValue> {
    if values.is_empty() {
        return None;
    }
    values.sort_unstable();
    let mut hasher = algorithm.hasher();
    for value in values {
        hasher.update(value);
    }
    Some(hasher.finish())
}

/// The level above `below`.
fn next_level(algorithm: DigestAlgorithm, below: &[u8], threads: NonZeroUsize) -> Vec<u8> {
    let hash_pairs: fn(&[u8], &mut [u8]) = match algorithm {
        DigestAlgorithm::Md5 => hash_pairs::<md5::Md5>,
        DigestAlgorithm::Sha1 => hash_pairs::<sha1::Sha1>,
        DigestAlgorithm::Ripemd160 => hash_pairs::<ripemd::Ripemd160>,
        DigestAlgorithm::Sha224 => hash_pairs::<sha2::Sha224>,
        DigestAlgorithm::Sha256 => hash_pairs::<sha2::Sha256>,
        DigestAlgorithm::Sha384 => hash_pairs::<sha2::Sha384>,
        DigestAlgorithm::Sha512 => hash_pairs::<sha2::Sha512>,
        DigestAlgorithm::Sha512_256 => hash_pairs::<sha2::Sha512_256>,
        DigestAlgorithm::Sha3_224 => hash_pairs::<sha3::Sha3_224>,
        DigestAlgorithm::Sha3_256 => hash_pairs::<sha3::Sha3_256>,
        DigestAlgorithm::Sha3_384 => hash_pairs::<sha3::Sha3_384>,
        DigestAlgorithm::Sha3_512 => hash_pairs::<sha3::Sha3_512>,
    };
    let len = algorithm.len();
    let nodes = below.len().div_ceil(len.saturating_mul(2));
    let mut above = vec![0; nodes.saturating_mul(len)];
    let nodes_per_thread = nodes.div_ceil(threads.get()).max(NODES_PER_THREAD_MIN);
    let above_chunk = nodes_per_thread.saturating_mul(len);
    let parts = below
        .chunks(above_chunk.saturating_mul(2))
        .zip(above.chunks_mut(above_chunk));
    if nodes <= nodes_per_thread {
        parts.for_each(|(below, above)| hash_pairs(below, above));
    } else {
        std::thread::scope(|scope| {
            for (below, above) in parts {
                scope.spawn(move || hash_pairs(below, above));
            }
        });
    }
    above
}

/// Fills `above` with the digests of the pairs in `below`; a last node without a neighbour is copied.
fn hash_pairs<D: Digest>(below: &[u8], above: &mut [u8]) {
    let len = <D as Digest>::output_size();
    let pairs = below.chunks(len.saturating_mul(2));
    for (pair, node) in pairs.zip(above.chunks_mut(len)) {
        let (left, right) = pair.split_at_checked(len).unwrap_or((pair, &[]));
        if right.is_empty() {
            copy(left, node);
            continue;
        }
        let (low, high) = if left <= right {
            (left, right)
        } else {
            (right, left)
        };
        let hash = D::new().chain_update(low).chain_update(high).finalize();
        copy(&hash, node);
    }
}

fn copy(from: &[u8], to: &mut [u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Fewer nodes than this take less time than the start of a thread.
const NODES_PER_THREAD_MIN: usize = 1024;

#[cfg(test)]
mod tests;
