//! What the planner knows of each chain of archive time-stamps.

use std::fmt;

use formats::digest::DigestAlgorithm;
use formats::id::BatchId;
use time::OffsetDateTime;
use verifier::algorithm::SignatureAlgorithm;
use verifier::timestamp;

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
    /// The batch of its newest token.
    pub newest_batch: BatchId,
    /// Its newest token: the one that must hold.
    pub newest: TokenFacts,
    /// How many of its versions nothing proves any more, no other track either; looked at only where its own proof has ended. A version that
    /// has lost several chains is counted at one of them.
    pub unproven: u64,
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
    /// Why the verifier could not say now whether it holds: a code. What its certificates need can often still be collected.
    pub doubt: Option<String>,
    /// About which certificates nothing final is at hand. Empty: nobody has to be asked about it again.
    pub lacks: Vec<Lack>,
}

/// A certificate about which the validation material of a token holds nothing that was issued since the token's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// The subject of the certificate.
    pub certificate: String,
    /// When the newest information at hand was issued; `None` where there is none.
    pub issued: Option<OffsetDateTime>,
    /// Since or from when something better can be had.
    pub since: OffsetDateTime,
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
    /// A signature algorithm that it or its certificates were signed with.
    Signature(SignatureAlgorithm),
    /// The digest algorithm in its signature.
    SignatureDigest(DigestAlgorithm),
    /// The digest algorithm of the hash tree and of the token's imprint: only a hash-tree renewal helps.
    TreeDigest(DigestAlgorithm),
    /// It does not verify, for this reason in the verifier's words: a code. It counts as ended since it was made.
    DoesNotVerify(String),
}

impl EndReason {
    /// Whether an algorithm ends, and not certificates.
    #[must_use]
    pub const fn is_algorithm(&self) -> bool {
        match self {
            Self::Signature(_) | Self::SignatureDigest(_) | Self::TreeDigest(_) => true,
            Self::CertificatePath | Self::DoesNotVerify(_) => false,
        }
    }

    /// A short name for machines.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CertificatePath => "certificate-path",
            Self::Signature(_) => "signature-algorithm",
            Self::SignatureDigest(_) => "signature-digest",
            Self::TreeDigest(_) => "tree-digest",
            Self::DoesNotVerify(_) => "does-not-verify",
        }
    }
}

impl fmt::Display for EndReason {
    /// What ends, by its own name; empty for certificates, whose words depend on the language.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CertificatePath => Ok(()),
            Self::Signature(algorithm) => algorithm.fmt(f),
            Self::SignatureDigest(digest) | Self::TreeDigest(digest) => f.write_str(digest.name()),
            Self::DoesNotVerify(code) => f.write_str(code),
        }
    }
}

impl End {
    /// What the verifier says about a token, in the words of the calendar.
    #[must_use]
    pub fn of(end: &timestamp::End) -> Option<Self> {
        let reason = match end.reason {
            timestamp::EndReason::CertificatePath => EndReason::CertificatePath,
            timestamp::EndReason::Signature(algorithm) => EndReason::Signature(algorithm),
            timestamp::EndReason::Digest(digest) => EndReason::SignatureDigest(digest),
            timestamp::EndReason::Imprint(digest) => EndReason::TreeDigest(digest),
            // What a later verifier adds is no known reason here, and so has no known remedy.
            _ => return None,
        };
        Some(Self {
            at: end.at,
            reason,
            source: end.source.clone(),
        })
    }
}

impl TokenFacts {
    /// The first thing to end.
    #[must_use]
    pub fn first_end(&self) -> Option<&End> {
        self.ends.iter().min()
    }

    /// The lack that can be remedied first.
    #[must_use]
    pub fn first_lack(&self) -> Option<&Lack> {
        self.lacks.iter().min_by_key(|lack| lack.since)
    }

    /// The ends that a new token over the same tree would put off: all but that of the tree's digest.
    pub fn token_ends(&self) -> impl Iterator<Item = &End> {
        self.ends
            .iter()
            .filter(|end| !matches!(end.reason, EndReason::TreeDigest(_)))
    }

    /// The end of the tree's digest.
    #[must_use]
    pub fn tree_end(&self) -> Option<&End> {
        self.ends
            .iter()
            .filter(|end| matches!(end.reason, EndReason::TreeDigest(_)))
            .min()
    }
}
