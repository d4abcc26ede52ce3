//! What a renewal does, as data: the planner decides it, the renewer carries it out.

use formats::digest::DigestAlgorithm;
use formats::id::BatchId;

/// One piece of renewal work. Each but [`RenewalAction::ReHash`] and [`RenewalAction::Material`] asks for one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenewalAction {
    /// Time-stamp renewal (RFC 4998 §5.2): one token over the newest tokens of all these chains, under the digest algorithm that they have.
    TimeStamp {
        /// The track: 0 is the first authority's, 1 that of the second one.
        track: u8,
        /// Digest algorithm of the chains, and so of the new time-stamp.
        algorithm: DigestAlgorithm,
        /// The heads of the chains, in ascending order.
        heads: Vec<BatchId>,
    },
    /// Hash-tree renewal (RFC 4998 §5.3): a new chain, under a new digest algorithm, over all versions that live in these chains.
    HashTree {
        /// The track.
        track: u8,
        /// Digest algorithm of the chains that are replaced.
        from: DigestAlgorithm,
        /// Digest algorithm of the new chain.
        to: DigestAlgorithm,
        /// The heads of the chains that are replaced, in ascending order.
        heads: Vec<BatchId>,
    },
    /// Reads content and takes a digest that the manifests do not hold; a hash-tree renewal to this algorithm needs it first.
    ReHash {
        /// The digest to be taken.
        algorithm: DigestAlgorithm,
        /// About how many versions lack it.
        versions: u64,
    },
    /// Collects validation material anew for the newest tokens of chains, before a renewal freezes them (RFC 4998 §5.2).
    Material {
        /// The batches whose tokens are meant, in ascending order.
        batches: Vec<BatchId>,
    },
}

impl RenewalAction {
    /// How many tokens it asks an authority for.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        match self {
            Self::TimeStamp { .. } | Self::HashTree { .. } => 1,
            Self::ReHash { .. } | Self::Material { .. } => 0,
        }
    }

    /// A short name for reports, logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TimeStamp { .. } => "time-stamp-renewal",
            Self::HashTree { .. } => "hash-tree-renewal",
            Self::ReHash { .. } => "re-hash",
            Self::Material { .. } => "material",
        }
    }

    /// The heads of the chains that it renews.
    #[must_use]
    pub fn heads(&self) -> &[BatchId] {
        match self {
            Self::TimeStamp { heads, .. } | Self::HashTree { heads, .. } => heads,
            Self::ReHash { .. } | Self::Material { .. } => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_renewals_ask_for_a_token() {
        let head = BatchId::new(1, &[0; 10]);
        let (from, to) = (DigestAlgorithm::Sha256, DigestAlgorithm::Sha512);
        let heads = vec![head];
        let (track, algorithm) = (0, from);
        for (action, requests, named) in [
            (
                RenewalAction::TimeStamp {
                    track,
                    algorithm,
                    heads: heads.clone(),
                },
                1,
                1,
            ),
            (
                RenewalAction::HashTree {
                    track,
                    from,
                    to,
                    heads: heads.clone(),
                },
                1,
                1,
            ),
            (
                RenewalAction::ReHash {
                    algorithm: to,
                    versions: 3,
                },
                0,
                0,
            ),
            (RenewalAction::Material { batches: heads }, 0, 0),
        ] {
            assert_eq!(action.requests(), requests, "{}", action.name());
            assert_eq!(action.heads().len(), named, "{}", action.name());
        }
    }
}
