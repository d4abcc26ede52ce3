//! A batch whose tree is written while it grows: however many leaves it has, one page of each level is in memory.
//!
//! The pages are appended before there is a token. Without one they are in no batch: closing the archive cuts them off, or, if something else was
//! committed behind them, they stay as pages that nothing refers to.

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::hash_tree::{Node, TreeStream};
use formats::id::{BatchId, VersionId};
use formats::segment::{Frame, FrameAddress, LeafPage, Leaves, PAGE_NODES_MAX, TreePage};

use super::batch::StampError;
use super::batch_writer::{BatchWriter, Pages};

/// A batch on its way.
pub(super) struct BatchStream<'a> {
    tree: TreeStream,
    leaves: Vec<VersionId>,
    leaf_pages: Vec<FrameAddress>,
    pages: TreePages<'a>,
}

/// A tree whose pages are appended.
pub(super) struct StreamedTree {
    pub(super) id: BatchId,
    pub(super) algorithm: DigestAlgorithm,
    pub(super) root: DigestValue,
    pub(super) pages: Pages,
}

/// The pages of the tree.
struct TreePages<'a> {
    writer: BatchWriter<'a>,
    id: BatchId,
    algorithm: DigestAlgorithm,
    levels: Vec<LevelPages>,
}

#[derive(Default)]
struct LevelPages {
    /// Index of the first node of the page that is being filled.
    first: u64,
    nodes: Vec<u8>,
    written: Vec<FrameAddress>,
}

impl<'a> BatchStream<'a> {
    /// A batch without leaves.
    pub(super) fn begin(
        writer: BatchWriter<'a>,
        algorithm: DigestAlgorithm,
    ) -> Result<Self, StampError> {
        let id = writer.new_id()?;
        Ok(Self {
            tree: TreeStream::new(algorithm),
            leaves: Vec::new(),
            leaf_pages: Vec::new(),
            pages: TreePages {
                writer,
                id,
                algorithm,
                levels: Vec::new(),
            },
        })
    }

    pub(super) fn leaf_count(&self) -> u64 {
        self.tree.leaf_count()
    }

    /// Adds a version with its leaf.
    pub(super) fn push(&mut self, version: VersionId, leaf: DigestValue) -> Result<(), StampError> {
        if self.leaves.len() >= PAGE_NODES_MAX {
            self.write_leaves()?;
        }
        let Self { tree, pages, .. } = self;
        tree.push(leaf, &mut |node| pages.add(node))?;
        self.leaves.push(version);
        Ok(())
    }

    /// Completes the tree. Few leaves stay in the archive timestamp.
    pub(super) fn close(mut self) -> Result<StreamedTree, StampError> {
        let leaf_count = self.leaf_count();
        if !self.leaf_pages.is_empty() {
            self.write_leaves()?;
        }
        let Self {
            tree,
            leaves,
            leaf_pages,
            mut pages,
        } = self;
        let root = tree.finish(&mut |node| pages.add(node))?;
        let (id, algorithm) = (pages.id, pages.algorithm);
        Ok(StreamedTree {
            id,
            algorithm,
            root,
            pages: Pages {
                tree: id,
                tree_pages: pages.close()?,
                leaf_pages,
                leaves: Leaves::Versions(leaves),
                leaf_count,
            },
        })
    }

    fn write_leaves(&mut self) -> Result<(), StampError> {
        let page = LeafPage {
            batch: self.pages.id,
            first: (self.leaf_pages.len() * PAGE_NODES_MAX) as u64,
            leaves: Leaves::Versions(std::mem::take(&mut self.leaves)),
        };
        let address = self.pages.writer.log.append(Frame::LeafPage(page))?;
        self.leaf_pages.push(address);
        Ok(())
    }
}

impl TreePages<'_> {
    fn add(&mut self, node: Node) -> Result<(), StampError> {
        let level = usize::from(node.level);
        if self.levels.len() <= level {
            self.levels.resize_with(level + 1, LevelPages::default);
        }
        let page_bytes = PAGE_NODES_MAX * self.algorithm.len();
        if self
            .levels
            .get(level)
            .is_some_and(|pages| pages.nodes.len() >= page_bytes)
        {
            self.write(node.level)?;
        }
        if let Some(pages) = self.levels.get_mut(level) {
            if pages.nodes.is_empty() {
                pages.first = node.index;
            }
            pages.nodes.extend_from_slice(node.value.as_bytes());
        }
        Ok(())
    }

    fn write(&mut self, level: u8) -> Result<(), StampError> {
        let Some(pages) = self.levels.get_mut(usize::from(level)) else {
            return Ok(());
        };
        let page = TreePage {
            batch: self.id,
            algorithm: self.algorithm,
            level,
            first: pages.first,
            nodes: std::mem::take(&mut pages.nodes),
        };
        pages
            .written
            .push(self.writer.log.append(Frame::TreePage(page))?);
        Ok(())
    }

    /// The addresses by level, and in a level by index, as [`super::geometry`] finds them again.
    fn close(mut self) -> Result<Vec<FrameAddress>, StampError> {
        for level in (0u8..).take(self.levels.len()) {
            self.write(level)?;
        }
        let levels = self.levels.into_iter();
        Ok(levels.flat_map(|pages| pages.written).collect())
    }
}
