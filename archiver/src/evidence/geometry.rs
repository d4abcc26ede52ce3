//! Where the nodes of a batch's tree stand in its pages: pure arithmetic.
//!
//! Level 0 are the leaves. Each level above has half as many nodes, an odd last node is carried up unchanged, and the level with
//! one node holds the root. Each level is cut into pages of [`PAGE_NODES_MAX`] nodes, and pages are listed level by level.

use formats::evidence::hash_tree::level_lengths;

/// The levels of a tree and their pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeGeometry {
    level_sizes: Vec<u64>,
}

/// A run of nodes of one level that make up one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSpan {
    /// The level.
    pub level: u8,
    /// Index in the level of its first node.
    pub first: u64,
    /// How many nodes.
    pub count: u64,
}

impl TreeGeometry {
    /// The geometry of a tree over `leaf_count` leaves. A tree without leaves has no levels.
    #[must_use]
    pub fn new(leaf_count: u64) -> Self {
        Self {
            level_sizes: level_lengths(leaf_count),
        }
    }

    /// Number of nodes of each level, leaves first.
    #[must_use]
    pub fn level_sizes(&self) -> &[u64] {
        &self.level_sizes
    }

    /// The position in the list of pages of the page that holds a node, `None` when there is no such node.
    #[must_use]
    pub fn page_of(&self, level: usize, index: u64) -> Option<usize> {
        let size = *self.level_sizes.get(level)?;
        if index >= size {
            return None;
        }
        let below: u64 = self
            .level_sizes
            .iter()
            .take(level)
            .map(|size| size.div_ceil(PAGE_NODES_MAX))
            .sum();
        usize::try_from(below.saturating_add(index / PAGE_NODES_MAX)).ok()
    }

    /// All pages, in the order of the list.
    pub fn pages(&self) -> impl Iterator<Item = PageSpan> + '_ {
        self.level_sizes
            .iter()
            .zip(0u8..)
            .flat_map(|(&size, level)| {
                (0..size.div_ceil(PAGE_NODES_MAX)).map(move |page| {
                    let first = page.saturating_mul(PAGE_NODES_MAX);
                    let count = size.saturating_sub(first).min(PAGE_NODES_MAX);
                    PageSpan {
                        level,
                        first,
                        count,
                    }
                })
            })
    }
}

/// Nodes of a full page: that of the segment format.
pub const PAGE_NODES_MAX: u64 = formats::segment::PAGE_NODES_MAX as u64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_trees() {
        assert_eq!(TreeGeometry::new(0).level_sizes(), [0u64; 0]);
        assert_eq!(TreeGeometry::new(1).level_sizes(), [1]);
        assert_eq!(TreeGeometry::new(3).level_sizes(), [3, 2, 1]);
        assert_eq!(TreeGeometry::new(5).level_sizes(), [5, 3, 2, 1]);
        assert_eq!(TreeGeometry::new(0).page_of(0, 0), None);
        assert_eq!(TreeGeometry::new(3).page_of(0, 3), None);
        assert_eq!(TreeGeometry::new(3).page_of(3, 0), None);
        assert_eq!(TreeGeometry::new(3).page_of(2, 0), Some(2));
    }

    proptest! {
        #[test]
        fn every_node_stands_on_exactly_the_page_that_is_named(leaves in 1u64..5_000_000, level in 0usize..24, index: u64) {
            let geometry = TreeGeometry::new(leaves);
            let pages: Vec<PageSpan> = geometry.pages().collect();
            let nodes: u64 = pages.iter().map(|page| page.count).sum();
            prop_assert_eq!(nodes, geometry.level_sizes().iter().sum::<u64>());
            if let Some(&size) = geometry.level_sizes().get(level) {
                let index = index % size;
                let page = pages[geometry.page_of(level, index).unwrap()];
                prop_assert_eq!(usize::from(page.level), level);
                prop_assert!(page.first <= index && index < page.first + page.count);
                prop_assert!(page.count <= PAGE_NODES_MAX);
            }
        }
    }
}
