//! Which versions go under the next tokens: decided before anything is asked or written.
//!
//! However many wait, a few of them are in memory: leaves are read from the index when they are needed, once for the root that goes to the
//! authority, and once for the pages of the tree.

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::error::{ErrorKind, FormatError};
use formats::evidence::hash_tree::TreeStream;
use formats::id::VersionId;

use super::batch::StampError;

/// How batches are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOptions {
    /// Digest algorithm of the tree: one of the two that every manifest holds.
    pub algorithm: DigestAlgorithm,
    /// Most leaves under one token.
    pub leaves_max: usize,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            algorithm: DigestAlgorithm::Sha256,
            leaves_max: 4 * 1024 * 1024,
        }
    }
}

/// What a token is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeRoot {
    /// The root of the tree.
    pub root: DigestValue,
    /// Number of leaves.
    pub leaf_count: u64,
}

/// The leaves of one batch to be made. They are gone through more than once, and must be the same each time.
pub trait BatchLeaves {
    /// Digest algorithm of the tree.
    fn algorithm(&self) -> DigestAlgorithm;

    /// Gives each version with its group hash (RFC 4998 §4.2), in the order of the leaves.
    ///
    /// # Errors
    /// [`StampError`] when they cannot be read; those of `each`.
    fn for_each(&self, each: &mut EachLeaf<'_>) -> Result<(), StampError>;

    /// The root of their tree.
    ///
    /// # Errors
    /// As [`BatchLeaves::for_each`]; [`StampError::Tree`] when there are no leaves or too many.
    fn root(&self) -> Result<TreeRoot, StampError> {
        let mut tree = TreeStream::new(self.algorithm());
        self.for_each(&mut |_, leaf| tree.push(leaf, &mut |_| Ok(())))?;
        root_of(tree)
    }
}

/// Is given a version and its leaf.
pub type EachLeaf<'a> = dyn FnMut(VersionId, DigestValue) -> Result<(), StampError> + 'a;

/// A batch whose leaves are at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedBatch {
    /// Digest algorithm of the tree.
    pub algorithm: DigestAlgorithm,
    /// The versions, in the order of their leaves.
    pub versions: Vec<VersionId>,
    /// Their group hashes (RFC 4998 §4.2), one after the other.
    pub leaves: Vec<u8>,
}

impl BatchLeaves for PlannedBatch {
    fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    fn for_each(&self, each: &mut EachLeaf<'_>) -> Result<(), StampError> {
        let leaves = self.leaves.chunks(self.algorithm.len());
        if leaves.len() != self.versions.len() {
            return Err(wrong_length());
        }
        for (version, leaf) in self.versions.iter().zip(leaves) {
            let leaf = DigestValue::from_bytes(self.algorithm, leaf).ok_or_else(wrong_length)?;
            each(*version, leaf)?;
        }
        Ok(())
    }
}

/// A run of waiting versions that go under one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// It begins behind this version.
    pub(super) after: Option<VersionId>,
    /// It ends with this one.
    pub(super) last: VersionId,
    pub(super) root: TreeRoot,
}

/// Cuts the waiting versions, as they come, into as few runs as allowed, of nearly equal size.
#[derive(Debug)]
pub(super) struct Cutter {
    algorithm: DigestAlgorithm,
    size: u64,
    tree: TreeStream,
    after: Option<VersionId>,
    last: Option<VersionId>,
    runs: Vec<Run>,
    /// Versions whose leaf is not known.
    unreadable: Vec<VersionId>,
}

impl Cutter {
    /// `waiting`: how many there are, or a few more.
    pub(super) const fn new(options: BatchOptions, waiting: u64) -> Self {
        let most = if options.leaves_max == 0 {
            1
        } else {
            options.leaves_max as u64
        };
        let runs = waiting.div_ceil(most);
        let size = if runs == 0 {
            most
        } else {
            waiting.div_ceil(runs)
        };
        Self {
            algorithm: options.algorithm,
            size,
            tree: TreeStream::new(options.algorithm),
            after: None,
            last: None,
            runs: Vec::new(),
            unreadable: Vec::new(),
        }
    }

    /// Takes the next version. Without a leaf under the algorithm it stays queued and is named.
    pub(super) fn add(
        &mut self,
        version: VersionId,
        leaf: Option<DigestValue>,
    ) -> Result<(), StampError> {
        let Some(leaf) = leaf.filter(|leaf| leaf.algorithm() == self.algorithm) else {
            self.unreadable.push(version);
            return Ok(());
        };
        self.tree.push(leaf, &mut |_| Ok::<(), StampError>(()))?;
        self.last = Some(version);
        if self.tree.leaf_count() >= self.size {
            self.cut()?;
        }
        Ok(())
    }

    fn cut(&mut self) -> Result<(), StampError> {
        let Some(last) = self.last.take() else {
            return Ok(());
        };
        let tree = std::mem::replace(&mut self.tree, TreeStream::new(self.algorithm));
        self.runs.push(Run {
            after: self.after.replace(last),
            last,
            root: root_of(tree)?,
        });
        Ok(())
    }

    /// The runs, and the versions that were left out.
    pub(super) fn finish(mut self) -> Result<(Vec<Run>, Vec<VersionId>), StampError> {
        self.cut()?;
        Ok((self.runs, self.unreadable))
    }
}

fn root_of(tree: TreeStream) -> Result<TreeRoot, StampError> {
    let leaf_count = tree.leaf_count();
    let root = tree.finish(&mut |_| Ok::<(), StampError>(()))?;
    Ok(TreeRoot { root, leaf_count })
}

fn wrong_length() -> StampError {
    FormatError::new(ErrorKind::WrongDigestLength, "leaves of a batch").into()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use formats::evidence::hash_tree::HashTree;
    use formats::id::RecordId;
    use proptest::prelude::*;

    use super::*;

    const ALGORITHM: DigestAlgorithm = DigestAlgorithm::Sha256;

    fn version(number: u64) -> VersionId {
        VersionId::first(RecordId::new(number, &[0; 10]))
    }

    fn leaf(number: u64) -> DigestValue {
        ALGORITHM.digest(&number.to_be_bytes())
    }

    fn cut(leaves_max: usize, expected: u64, count: u64) -> Vec<Run> {
        let options = BatchOptions {
            leaves_max,
            ..BatchOptions::default()
        };
        let mut cutter = Cutter::new(options, expected);
        for number in 0..count {
            cutter.add(version(number), Some(leaf(number))).unwrap();
        }
        cutter.finish().unwrap().0
    }

    #[test]
    fn nothing_waiting_is_no_batch() {
        assert_eq!(cut(4, 0, 0), []);
        assert_eq!(cut(4, 3, 0), []);
    }

    #[test]
    fn one_token_serves_all_that_fit() {
        let leaves = (0..3).flat_map(|number| leaf(number).as_bytes().to_vec());
        let tree = HashTree::build(ALGORITHM, leaves.collect(), NonZeroUsize::MIN).unwrap();
        let run = Run {
            after: None,
            last: version(2),
            root: TreeRoot {
                root: tree.root(),
                leaf_count: 3,
            },
        };
        assert_eq!(cut(4, 3, 3), [run]);
    }

    #[test]
    fn what_cannot_be_opened_is_named_and_left_waiting() {
        let mut cutter = Cutter::new(BatchOptions::default(), 3);
        cutter.add(version(1), None).unwrap();
        let other = DigestAlgorithm::Sha512.digest(b"");
        cutter.add(version(2), Some(other)).unwrap();
        cutter.add(version(3), Some(leaf(3))).unwrap();
        let (runs, unreadable) = cutter.finish().unwrap();
        assert_eq!(unreadable, [1, 2].map(version));
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0].root.leaf_count, 1);
    }

    proptest! {
        #[test]
        fn every_version_is_in_exactly_one_batch(count in 0u64..300, more in 0u64..9, leaves_max in 0usize..50) {
            let runs = cut(leaves_max, count + more, count);
            let most = leaves_max.max(1) as u64;
            prop_assert!(runs.len() as u64 <= (count + more).div_ceil(most));
            let mut done = 0u64;
            for run in &runs {
                prop_assert!((1..=most).contains(&run.root.leaf_count));
                prop_assert_eq!(run.after, done.checked_sub(1).map(version));
                done += run.root.leaf_count;
                prop_assert_eq!(run.last, version(done - 1));
            }
            prop_assert_eq!(done, count);
        }
    }
}
