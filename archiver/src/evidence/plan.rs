//! Which versions go under the next tokens: a pure decision, made before anything is asked or written.

use formats::digest::DigestAlgorithm;
use formats::id::VersionId;

/// How batches are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOptions {
    /// Digest algorithm of the tree; one of the two that every manifest holds.
    pub algorithm: DigestAlgorithm,
    /// Most leaves under one token. The tree is held in memory while it is built: 2 × 32 bytes and 20 bytes per leaf.
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

/// The batches to be made, one token each. Empty when nothing waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampPlan {
    /// Digest algorithm of the trees.
    pub algorithm: DigestAlgorithm,
    /// The leaves of each batch, in order.
    pub batches: Vec<Vec<VersionId>>,
}

impl StampPlan {
    /// How many versions will be stamped.
    #[must_use]
    pub fn version_count(&self) -> usize {
        self.batches.iter().map(Vec::len).sum()
    }
}

/// Cuts the waiting versions into as few batches as allowed, of nearly equal size, in the order of their identifiers (which is
/// that of their intake). A version that is named twice becomes one leaf.
#[must_use]
pub fn plan(waiting: impl IntoIterator<Item = VersionId>, options: BatchOptions) -> StampPlan {
    let mut versions: Vec<VersionId> = waiting.into_iter().collect();
    versions.sort_unstable();
    versions.dedup();
    let batch_count = versions.len().div_ceil(options.leaves_max.max(1));
    let batches = match versions.len().checked_div(batch_count) {
        None => Vec::new(),
        Some(_) if batch_count == 1 => vec![versions],
        Some(_) => {
            let size = versions.len().div_ceil(batch_count);
            versions.chunks(size).map(<[VersionId]>::to_vec).collect()
        }
    };
    StampPlan {
        algorithm: options.algorithm,
        batches,
    }
}

#[cfg(test)]
mod tests {
    use formats::id::RecordId;
    use proptest::prelude::*;

    use super::*;

    fn version(number: u64) -> VersionId {
        VersionId::first(RecordId::new(number, &[0; 10]))
    }

    #[test]
    fn nothing_waiting_is_no_batch() {
        let plan = plan([], BatchOptions::default());
        assert!(plan.batches.is_empty());
        assert_eq!(plan.version_count(), 0);
    }

    #[test]
    fn one_token_serves_all_that_fit() {
        let plan = plan([3, 1, 2, 3].map(version), BatchOptions::default());
        assert_eq!(plan.batches, vec![[1, 2, 3].map(version).to_vec()]);
    }

    proptest! {
        #[test]
        fn every_version_is_in_exactly_one_batch(count in 0u64..300, leaves_max in 0usize..50) {
            let options = BatchOptions { leaves_max, ..BatchOptions::default() };
            let plan = plan((0..count).rev().map(version), options);
            let all: Vec<VersionId> = plan.batches.iter().flatten().copied().collect();
            prop_assert_eq!(all, (0..count).map(version).collect::<Vec<_>>());
            for batch in &plan.batches {
                prop_assert!(!batch.is_empty() && batch.len() <= leaves_max.max(1));
            }
        }
    }
}
