//! Why an answer of a timestamp authority was not accepted, and what the operator should do.

use std::fmt;

use formats::error::FormatError;
use formats::tsp::Failure;
use time::{Duration, OffsetDateTime};
use verifier::finding::Finding;

use super::material::MaterialFailure;
use super::transport::TransportError;
use crate::cli::lang::Lang;

/// No timestamp. In each case the records stay queued and nothing was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TsaError {
    /// No answer arrived.
    Transport(TransportError),
    /// An answer arrived, and was refused.
    Refused(Refusal),
    /// No request could be made (the random source of the machine failed, or a value does not fit the structure).
    Request,
    /// The authority asked to be left alone until then (HTTP `Retry-After`), and it is not then yet.
    Waiting {
        /// When it may be asked again.
        until: OffsetDateTime,
    },
    /// Each of the configured authorities failed, for its own reason; or none is configured.
    All(Vec<(String, TsaError)>),
    /// The asynchronous runtime for the exchange could not be started. The machine is out of threads or file descriptors.
    Runtime,
}

/// Why an answer was refused. The order is that of the checks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The answer is not a `TimeStampResp`: garbage, cut off, or another structure.
    Malformed(FormatError),
    /// The response is one, but what it carries is no time-stamp token of version 1 (RFC 3161 §2.4.2).
    TokenMalformed(FormatError),
    /// The authority rejected the request, or named a failure beside a grant (RFC 3161 §2.4.2). Its reason says what it wants.
    Rejected {
        /// `PKIStatus`.
        status: u32,
        /// `PKIFailureInfo`.
        failures: Vec<Failure>,
        /// `PKIFreeText`, cut to a printable line.
        text: String,
    },
    /// The status grants a token, but there is none.
    NoToken,
    /// The token names another hash algorithm than the one asked for.
    DigestAlgorithm,
    /// The imprint in the token is over another value than the one sent.
    Imprint,
    /// The request had a nonce and the token has none: it may be an old one, replayed.
    NonceMissing,
    /// The token has another nonce: it is the answer to another request.
    NonceMismatch,
    /// The token was made under another policy than the one asked for.
    Policy,
    /// The token's time is too far from our clock. Either our clock or the authority's is wrong; check ours first.
    ClockDisagrees {
        /// The time in the token.
        gen_time: OffsetDateTime,
        /// Our clock when the answer arrived.
        now: OffsetDateTime,
    },
    /// The token states a worse accuracy than the configuration allows.
    Inaccurate {
        /// What the token states.
        stated: Duration,
        /// The limit.
        limit: Duration,
    },
    /// The token states no accuracy, and the configuration demands one.
    AccuracyMissing,
    /// The token's time lies before that of an earlier token of this authority: its clock was set back, or the token is an old one.
    OutOfOrder {
        /// The time in the token.
        gen_time: OffsetDateTime,
        /// The time in the earlier token.
        earlier: OffsetDateTime,
    },
    /// There is not exactly one signer (RFC 3161 §2.4.2).
    SignerCount {
        /// How many there are.
        count: usize,
    },
    /// The answer carries no certificate of the signer, though it was asked for.
    CertificateMissing,
    /// The signing-certificate attribute is missing or names another certificate (RFC 3161 §2.4.2, RFC 5816 §2.2.1).
    CertificateBinding,
    /// The signed digest is not that of the content: the token was changed after it was signed (RFC 5652 §11.2).
    ContentChanged,
    /// The signed attributes are missing, repeated, or say that the content is something else (RFC 5652 §11).
    SignedAttributes,
    /// The signature does not hold: the token is damaged or forged.
    Signature,
    /// An algorithm of the token or its certificates is not known to this program or no longer trusted; the finding says which.
    Algorithm(Box<Finding>),
    /// The signer's certificate has no extended key usage (RFC 3161 §2.3).
    UsageMissing,
    /// The signer's extended key usage is not critical (RFC 3161 §2.3).
    UsageNotCritical,
    /// The signer's extended key usage is not for timestamping alone (RFC 3161 §2.3).
    UsageNotAlone,
    /// The signer's certificate was not yet, or no longer, valid at the time in the token.
    CertificateNotValidThen,
    /// No path leads from the signer's certificate to a configured trust anchor.
    NotTrusted,
    /// Whether a certificate of the path was revoked cannot be told: it names a service whose answer is not at hand.
    RevocationUnknown {
        /// What could not be had.
        tried: Vec<MaterialFailure>,
        /// Why the verifier left out what was there.
        left_out: Vec<Finding>,
    },
    /// A certificate of the path is revoked; the finding says since when and why.
    Revoked(Box<Finding>),
    /// Another check of the verifier failed; the finding says which. `None` where the verifier came to no conclusion.
    Verification(Option<Box<Finding>>),
    /// The token would have to be renewed sooner than the configuration allows.
    EndsTooSoon {
        /// When the first of its certificates or algorithms ends.
        until: OffsetDateTime,
        /// The algorithm that ends; empty where it is a certificate.
        because: String,
        /// How many days are demanded.
        days_min: i64,
    },
    /// The second token of a batch was made with the key of the first one: it would end together with it.
    NotIndependent,
}

impl TsaError {
    /// Whether the same request may succeed a moment later: the network or the authority is in trouble, and nothing says that the
    /// request or the configuration is wrong.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport(error) => error.is_transient(),
            Self::Refused(Refusal::Rejected { failures, .. }) => {
                let passing = |failure: &Failure| {
                    matches!(failure, Failure::SystemFailure | Failure::TimeNotAvailable)
                };
                !failures.is_empty() && failures.iter().all(passing)
            }
            // The service that tells it may come back; the token itself is sound.
            Self::Refused(Refusal::RevocationUnknown { .. }) => true,
            Self::Refused(_) | Self::Request | Self::Waiting { .. } | Self::All(_) => false,
            Self::Runtime => true,
        }
    }

    /// How long the authority wants to be left alone, where it says so.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transport(TransportError::HttpStatus { retry_after, .. }) => *retry_after,
            Self::Transport(_)
            | Self::Refused(_)
            | Self::Request
            | Self::Waiting { .. }
            | Self::All(_)
            | Self::Runtime => None,
        }
    }
}

impl From<TransportError> for TsaError {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}

impl From<Refusal> for TsaError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Display for TsaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

impl std::error::Error for TsaError {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}
