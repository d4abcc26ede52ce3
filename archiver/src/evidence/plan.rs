//! Which versions go under the next tokens: a pure decision, made before anything is asked or written.

use formats::digest::DigestAlgorithm;
use formats::id::VersionId;

use crate::store::catalog::Unstamped;

/// How batches are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOptions {
    /// Digest algorithm of the tree: one of the two that every manifest holds.
    pub algorithm: DigestAlgorithm,
    /// Most leaves under one token. While a batch is made, its tree is in memory: 84 bytes per leaf.
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StampPlan {
    /// The batches.
    pub batches: Vec<PlannedBatch>,
    /// Versions whose leaf under the algorithm is not known, because their manifest could not be opened. They stay queued and are named.
    pub unreadable: Vec<VersionId>,
}

/// One batch to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedBatch {
    /// Digest algorithm of the tree.
    pub algorithm: DigestAlgorithm,
    /// The versions, in the order of their leaves.
    pub versions: Vec<VersionId>,
    /// Their group hashes (RFC 4998 §4.2), one after the other.
    pub leaves: Vec<u8>,
}

impl StampPlan {
    /// How many versions will be stamped.
    #[must_use]
    pub fn version_count(&self) -> usize {
        self.batches.iter().map(|batch| batch.versions.len()).sum()
    }
}

/// Cuts the waiting versions into as few batches as allowed, of nearly equal size, in the order of their identifiers (which is
/// that of their intake). A version that is named twice becomes one leaf.
#[must_use]
pub fn plan(mut waiting: Vec<Unstamped>, options: BatchOptions) -> StampPlan {
    waiting.sort_unstable_by_key(|one| one.version);
    waiting.dedup_by_key(|one| one.version);
    let mut plan = StampPlan::default();
    waiting.retain(|one| {
        let readable = one
            .leaf
            .is_some_and(|leaf| leaf.algorithm() == options.algorithm);
        if !readable {
            plan.unreadable.push(one.version);
        }
        readable
    });
    let batch_count = waiting.len().div_ceil(options.leaves_max.max(1)).max(1);
    let size = waiting.len().div_ceil(batch_count).max(1);
    plan.batches = waiting
        .chunks(size)
        .map(|members| PlannedBatch::of(options.algorithm, members))
        .collect();
    plan
}

impl PlannedBatch {
    fn of(algorithm: DigestAlgorithm, members: &[Unstamped]) -> Self {
        let mut batch = Self {
            algorithm,
            versions: Vec::with_capacity(members.len()),
            leaves: Vec::with_capacity(members.len() * algorithm.len()),
        };
        for member in members {
            if let Some(leaf) = member.leaf {
                batch.versions.push(member.version);
                batch.leaves.extend_from_slice(leaf.as_bytes());
            }
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use formats::id::RecordId;
    use formats::segment::FrameAddress;
    use proptest::prelude::*;
    use time::OffsetDateTime;

    use super::*;

    const TREE_ALGORITHM: DigestAlgorithm = DigestAlgorithm::Sha256;

    fn version(number: u64) -> VersionId {
        VersionId::first(RecordId::new(number, &[0; 10]))
    }

    fn waiting(number: u64) -> Unstamped {
        Unstamped {
            version: version(number),
            address: FrameAddress::new(1, number),
            received_at: OffsetDateTime::UNIX_EPOCH,
            leaf: Some(TREE_ALGORITHM.digest(&number.to_be_bytes())),
        }
    }

    #[test]
    fn nothing_waiting_is_no_batch() {
        assert_eq!(
            plan(Vec::new(), BatchOptions::default()),
            StampPlan::default()
        );
    }

    #[test]
    fn one_token_serves_all_that_fit() {
        let plan = plan([3, 1, 2, 3].map(waiting).to_vec(), BatchOptions::default());
        assert_eq!(plan.batches.len(), 1);
        assert_eq!(plan.batches[0].versions, [1, 2, 3].map(version));
        let leaves =
            [1u64, 2, 3].map(|n| TREE_ALGORITHM.digest(&n.to_be_bytes()).as_bytes().to_vec());
        assert_eq!(plan.batches[0].leaves, leaves.concat());
    }

    #[test]
    fn what_cannot_be_opened_is_named_and_left_waiting() {
        let mut other_algorithm = waiting(2);
        other_algorithm.leaf = Some(DigestAlgorithm::Sha512.digest(b""));
        let closed = Unstamped {
            leaf: None,
            ..waiting(1)
        };
        let plan = plan(
            vec![other_algorithm, waiting(3), closed],
            BatchOptions::default(),
        );
        assert_eq!(plan.unreadable, [1, 2].map(version));
        assert_eq!(plan.version_count(), 1);
    }

    proptest! {
        #[test]
        fn every_version_is_in_exactly_one_batch(count in 0u64..300, leaves_max in 0usize..50) {
            let plan = plan((0..count).rev().map(waiting).collect(), BatchOptions { leaves_max, ..BatchOptions::default() });
            let all: Vec<VersionId> = plan.batches.iter().flat_map(|batch| &batch.versions).copied().collect();
            prop_assert_eq!(all, (0..count).map(version).collect::<Vec<_>>());
            for batch in &plan.batches {
                prop_assert!(!batch.versions.is_empty() && batch.versions.len() <= leaves_max.max(1));
                prop_assert_eq!(batch.leaves.len(), batch.versions.len() * TREE_ALGORITHM.len());
            }
        }
    }
}
