//! The plan and the forecast over made-up chains.

mod decisions;
mod material;
mod properties;

use formats::digest::DigestAlgorithm;
use formats::id::BatchId;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use verifier::algorithm::{SignatureAlgorithm, SignatureFamily};
use verifier::policy::Policy;

use super::facts::{ChainFacts, End, EndReason, TokenFacts};

const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;
const SHA512: DigestAlgorithm = DigestAlgorithm::Sha512;

const NOW: OffsetDateTime = datetime!(2030-01-01 0:00 UTC);

fn batch(number: u64) -> BatchId {
    BatchId::new(number, &[0; 10])
}

fn days(days: i64) -> Duration {
    Duration::days(days)
}

fn end(at: OffsetDateTime, reason: EndReason) -> End {
    End {
        at,
        reason,
        source: "test".to_owned(),
    }
}

fn path(at: OffsetDateTime) -> End {
    end(at, EndReason::CertificatePath)
}

fn tree(at: OffsetDateTime, digest: DigestAlgorithm) -> End {
    end(at, EndReason::TreeDigest(digest))
}

fn rsa(at: OffsetDateTime) -> End {
    end(
        at,
        EndReason::Signature(SignatureAlgorithm {
            family: SignatureFamily::RsaPkcs1,
            key_bits: 2048,
            digest: Some(SHA256),
        }),
    )
}

/// A chain of a hundred versions, stamped five years before [`NOW`].
fn chain(number: u64, ends: Vec<End>) -> ChainFacts {
    ChainFacts {
        head: batch(number),
        track: 0,
        algorithm: SHA256,
        live: 100,
        started_at: NOW - days(5 * 365),
        newest_batch: batch(number),
        newest: TokenFacts {
            stamped_at: NOW - days(5 * 365),
            tsa: "tsa".to_owned(),
            ends,
            doubt: None,
            lacks: Vec::new(),
        },
        unproven: 0,
    }
}

/// The built-in policy with other ends.
fn policy(ends: &[(&str, OffsetDateTime)]) -> Policy {
    ends.iter()
        .fold(Policy::default(), |policy, (algorithm, end)| {
            let set = algorithm.parse().expect("an algorithm");
            policy.with_end(&set, *end, "test")
        })
}
