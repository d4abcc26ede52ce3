//! What the planner knows of each chain of archive time-stamps.

use formats::digest::DigestAlgorithm;
use formats::id::BatchId;
use time::OffsetDateTime;

/// A live chain (RFC 4998 §5): one whose time-stamps protect at least one version that no later chain protects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainFacts {
    /// The batch that started it.
    pub head: BatchId,
    /// 0: the first authority's. 1: that of the second, independent one.
    pub track: u8,
    /// Digest algorithm of its trees.
    pub algorithm: DigestAlgorithm,
    /// How many versions it protects that no later chain protects.
    pub live: u64,
    /// The time in its first token.
    pub started_at: OffsetDateTime,
    /// Its newest token: the one that must hold.
    pub newest: TokenFacts,
}

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFacts {
    /// The time that it states.
    pub stamped_at: OffsetDateTime,
    /// The name of the authority in the configuration.
    pub tsa: String,
    /// Everything that it rests on and that has a known end, in the order of the ends.
    pub ends: Vec<End>,
}

/// The end of something that a token rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// The last moment at which it holds.
    pub at: OffsetDateTime,
    /// What ends.
    pub reason: EndReason,
    /// Who says so: the publication that the policy names, or the certificate.
    pub source: String,
}

/// What a token can lose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EndReason {
    /// The certificates from its signer to the trust anchor.
    CertificatePath,
    /// A signature algorithm that it or its certificates were signed with, as the policy names it, with the size of the key.
    SignatureAlgorithm(String),
    /// A digest algorithm in its signature.
    SignatureDigest(DigestAlgorithm),
    /// The digest algorithm of the hash tree and of the token's imprint: only a hash-tree renewal helps.
    TreeDigest(DigestAlgorithm),
    /// It does not verify, for the reason that stands in the verifier's report.
    DoesNotVerify(String),
}

impl TokenFacts {
    /// The first thing to end.
    #[must_use]
    pub fn first_end(&self) -> Option<&End> {
        self.ends.first()
    }
}
