//! What a token rests on, and when each of it ends.

use std::fmt;

use formats::digest::DigestAlgorithm;
use time::OffsetDateTime;

use crate::algorithm::SignatureAlgorithm;

/// The end of something that a token rests on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// The last moment at which it holds.
    pub at: OffsetDateTime,
    /// What ends.
    pub reason: EndReason,
    /// Who says so: the publication that the policy names, or the certificate.
    pub source: String,
}

/// What a token can lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EndReason {
    /// The certificates from the signer to the trust anchor.
    CertificatePath,
    /// The algorithm of the token's signature, or of one in its path.
    Signature(SignatureAlgorithm),
    /// The digest that the signature is over.
    Digest(DigestAlgorithm),
    /// The digest of the message imprint.
    Imprint(DigestAlgorithm),
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CertificatePath => f.write_str("certificate path"),
            Self::Signature(algorithm) => algorithm.fmt(f),
            Self::Digest(digest) | Self::Imprint(digest) => f.write_str(digest.name()),
        }
    }
}
