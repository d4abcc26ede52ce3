//! A hash tree that grows leaf by leaf and keeps no level: its nodes are given away as soon as they are known.

use super::{HASH_TREE_LEAVES_MAX, sorted_hash};
use crate::digest::{DigestAlgorithm, DigestValue};
use crate::error::{ErrorKind, FormatError};

/// The same tree as [`HashTree`](super::HashTree), of any number of leaves in constant memory (RFC 4998 §4.2).
#[derive(Debug)]
pub struct TreeStream {
    algorithm: DigestAlgorithm,
    levels: Vec<Level>,
}

/// A node that will not change any more. The nodes of one level come in the order of their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// 0 are the leaves.
    pub level: u8,
    /// Index in the level.
    pub index: u64,
    /// The digest.
    pub value: DigestValue,
}

#[derive(Debug, Default)]
struct Level {
    length: u64,
    /// The last node, while it has no neighbour.
    single: Option<DigestValue>,
}

impl TreeStream {
    /// A tree without leaves.
    #[must_use]
    pub const fn new(algorithm: DigestAlgorithm) -> Self {
        Self {
            algorithm,
            levels: Vec::new(),
        }
    }

    /// The digest algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// Number of leaves so far.
    #[must_use]
    pub fn leaf_count(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.length)
    }

    /// Adds a leaf, and gives every node that it completes to `each`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidValue`] for a leaf of another algorithm, [`ErrorKind::LimitExceeded`] for more than
    /// [`HASH_TREE_LEAVES_MAX`]; those of `each`.
    pub fn push<E: From<FormatError>>(
        &mut self,
        leaf: DigestValue,
        each: &mut dyn FnMut(Node) -> Result<(), E>,
    ) -> Result<(), E> {
        if leaf.algorithm() != self.algorithm {
            return Err(error(ErrorKind::InvalidValue).into());
        }
        let count = usize::try_from(self.leaf_count()).unwrap_or(usize::MAX);
        if count >= HASH_TREE_LEAVES_MAX {
            return Err(error(ErrorKind::LimitExceeded).into());
        }
        self.put(0, leaf, each)
    }

    /// Completes the tree: a last node without a neighbour goes up unchanged, level by level. Answers the root.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingElement`] for no leaves; those of `each`.
    pub fn finish<E: From<FormatError>>(
        mut self,
        each: &mut dyn FnMut(Node) -> Result<(), E>,
    ) -> Result<DigestValue, E> {
        let mut level = 0;
        while let Some(known) = self.levels.get_mut(level) {
            let single = known.single.take();
            match single {
                Some(root) if known.length == 1 => return Ok(root),
                Some(last) => self.put(level.saturating_add(1), last, each)?,
                None => {}
            }
            level = level.saturating_add(1);
        }
        Err(error(ErrorKind::MissingElement).into())
    }

    fn put<E: From<FormatError>>(
        &mut self,
        level: usize,
        value: DigestValue,
        each: &mut dyn FnMut(Node) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut level, mut value) = (level, value);
        loop {
            if self.levels.len() <= level {
                self.levels.push(Level::default());
            }
            let place = u8::try_from(level).map_err(|_| error(ErrorKind::LimitExceeded))?;
            let Some(known) = self.levels.get_mut(level) else {
                return Err(error(ErrorKind::LimitExceeded).into());
            };
            let index = known.length;
            known.length = index.saturating_add(1);
            let single = known.single.take();
            if single.is_none() {
                known.single = Some(value);
            }
            each(Node {
                level: place,
                index,
                value,
            })?;
            let Some(left) = single else {
                return Ok(());
            };
            let mut pair = [left.as_bytes(), value.as_bytes()];
            value = sorted_hash(self.algorithm, &mut pair)
                .ok_or_else(|| error(ErrorKind::MissingElement))?;
            level = level.saturating_add(1);
        }
    }
}

fn error(kind: ErrorKind) -> FormatError {
    FormatError::new(kind, "hash tree")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::HashTree;
    use super::*;

    const ALGORITHM: DigestAlgorithm = DigestAlgorithm::Sha256;

    fn streamed(leaves: &[DigestValue]) -> Result<(DigestValue, Vec<Vec<u8>>), FormatError> {
        let mut levels: Vec<Vec<u8>> = Vec::new();
        let mut each = |node: Node| {
            let level = usize::from(node.level);
            if levels.len() <= level {
                levels.push(Vec::new());
            }
            assert_eq!(
                levels[level].len(),
                usize::try_from(node.index).unwrap() * ALGORITHM.len()
            );
            levels[level].extend_from_slice(node.value.as_bytes());
            Ok::<(), FormatError>(())
        };
        let mut stream = TreeStream::new(ALGORITHM);
        for leaf in leaves {
            stream.push(*leaf, &mut each)?;
        }
        let root = stream.finish(&mut each)?;
        Ok((root, levels))
    }

    proptest! {
        #[test]
        fn it_is_the_tree_in_memory(count in 1_u32..600) {
            let leaves: Vec<DigestValue> =
                (0..count).map(|number| ALGORITHM.digest(&number.to_be_bytes())).collect();
            let whole = HashTree::from_values(ALGORITHM, &leaves).unwrap();
            let (root, levels) = streamed(&leaves).unwrap();
            prop_assert_eq!(root, whole.root());
            prop_assert_eq!(&levels[..], whole.levels());
        }
    }

    #[test]
    fn no_leaves_and_strange_leaves_are_refused() {
        assert_eq!(streamed(&[]).unwrap_err().kind(), ErrorKind::MissingElement);
        let strange = DigestAlgorithm::Sha512.digest(b"");
        assert_eq!(
            streamed(&[strange]).unwrap_err().kind(),
            ErrorKind::InvalidValue
        );
    }

    #[test]
    fn a_failure_of_the_receiver_ends_it() {
        let mut stream = TreeStream::new(ALGORITHM);
        let mut full = |_: Node| Err(error(ErrorKind::NotEncodable));
        assert!(stream.push(ALGORITHM.digest(b"x"), &mut full).is_err());
    }
}
