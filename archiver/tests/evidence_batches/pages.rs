//! The pages of leaves and of the tree, written while the tree grows.

use std::cell::Cell;
use std::num::NonZeroUsize;

use super::support::log::MemoryLog;
use super::{World, batch};
use archiver::evidence::batch::{BatchMaker, StampError};
use archiver::evidence::plan::{BatchLeaves, EachLeaf, PlannedBatch};
use formats::digest::DigestAlgorithm;
use formats::evidence::hash_tree::HashTree;
use formats::id::VersionId;
use formats::segment::{Frame, Leaves, PAGE_NODES_MAX};

fn versions(leaves: Leaves) -> Vec<VersionId> {
    match leaves {
        Leaves::Versions(versions) => versions,
        Leaves::Heads(heads) => panic!("{heads:?}"),
    }
}

#[test]
fn leaves_are_listed_in_pages_when_they_are_many() {
    let world = World::new();
    for (count, pages) in [(4096u64, 0), (4097, 2)] {
        let log = MemoryLog::default();
        let planned = batch(DigestAlgorithm::Sha256, count);
        let made = world.make(&log, planned.clone());
        assert_eq!(made.frame.leaf_pages.len(), pages);
        let mut listed = versions(made.frame.leaves.clone());
        for frame in log.committed() {
            if let Frame::LeafPage(page) = frame {
                assert_eq!(page.first, listed.len() as u64);
                listed.extend(versions(page.leaves));
            }
        }
        assert_eq!(listed, planned.versions);
    }
}

/// The tree is written while it grows; its pages and its archive timestamp are those of the tree that is built in memory.
#[test]
fn the_pages_are_those_of_the_whole_tree() {
    let world = World::new();
    for algorithm in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
        for count in [1u64, 2, 5, 4096, 4097, 8191, 8192, 8193, 20_001] {
            let log = MemoryLog::default();
            let planned = batch(algorithm, count);
            let two = NonZeroUsize::new(2).unwrap();
            let tree = HashTree::build(algorithm, planned.leaves.clone(), two).unwrap();
            assert_eq!(planned.root().unwrap().root, tree.root());
            let made = world.make(&log, planned);
            let mut stored = made.frame.tree_pages.iter();
            for (level, nodes) in (0u8..).zip(tree.levels()) {
                let pages = nodes.chunks(PAGE_NODES_MAX * algorithm.len());
                for (first, nodes) in (0u64..).step_by(PAGE_NODES_MAX).zip(pages) {
                    let address = *stored.next().unwrap();
                    let frame = archiver::evidence::log::FrameSource::read(&log, address).unwrap();
                    let Frame::TreePage(page) = frame else {
                        panic!("{frame:?}");
                    };
                    assert_eq!(
                        (page.batch, page.level, page.first),
                        (made.frame.tree, level, first)
                    );
                    assert!(page.algorithm == algorithm && page.nodes == nodes);
                }
            }
            assert!(stored.next().is_none(), "{count}");
        }
    }
}

/// Leaves of which one is another one when they are gone through again.
struct Moving {
    batch: PlannedBatch,
    passes: Cell<u8>,
}

impl BatchLeaves for Moving {
    fn algorithm(&self) -> DigestAlgorithm {
        self.batch.algorithm
    }

    fn for_each(&self, each: &mut EachLeaf<'_>) -> Result<(), StampError> {
        self.passes.set(self.passes.get() + 1);
        let mut batch = self.batch.clone();
        batch.leaves[0] ^= self.passes.get();
        batch.for_each(each)
    }
}

#[test]
fn a_token_for_other_leaves_is_not_used() {
    let world = World::new();
    let log = MemoryLog::default();
    let moving = Moving {
        batch: batch(DigestAlgorithm::Sha256, 5),
        passes: Cell::new(0),
    };
    let maker = BatchMaker {
        authority: &world.client,
        second: None,
        log: &log,
        clock: world.clock.as_ref(),
        entropy: world.entropy.as_ref(),
    };
    let failed = maker.make(&moving, &mut |_| {});
    assert!(matches!(failed, Err(StampError::Changed)), "{failed:?}");
    assert!(log.committed().is_empty());
}
