//! Why an answer of a timestamp authority was not accepted, and what the operator should do.

use std::fmt;

use formats::error::FormatError;
use formats::tsp::Failure;
use time::OffsetDateTime;

use super::transport::TransportError;

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
    /// The authority rejected the request (RFC 3161 §2.4.2). Its reason says what it wants.
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
    /// There is not exactly one signer (RFC 3161 §2.4.2).
    SignerCount {
        /// How many there are.
        count: usize,
    },
    /// The answer carries no certificate of the signer, though it was asked for.
    CertificateMissing,
    /// The signing-certificate attribute is missing or names another certificate (RFC 3161 §2.4.2, RFC 5816 §2.2.1).
    CertificateBinding,
    /// The signature does not hold: the token is damaged or forged.
    Signature,
    /// The signature uses an algorithm that this program does not know or no longer accepts.
    Algorithm,
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
    RevocationUnknown,
    /// A certificate of the path is revoked.
    Revoked,
    /// Another check of the verifier failed; its code and clause say which.
    Verification {
        /// The code of the verifier's first error.
        code: &'static str,
    },
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
        match self {
            Self::Transport(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Request => f.write_str("no timestamp request could be made: check the machine's random source"),
            Self::All(failures) if failures.is_empty() => {
                f.write_str("no TSA is configured: add one to the configuration")
            }
            Self::All(failures) => {
                for (position, (name, error)) in failures.iter().enumerate() {
                    let separator = if position == 0 { "" } else { "; " };
                    write!(f, "{separator}{name}: {error}")?;
                }
                Ok(())
            }
            Self::Runtime => f.write_str("no connection could be prepared: the machine is out of threads or file descriptors"),
        }
    }
}

impl std::error::Error for TsaError {}

impl fmt::Display for Refusal {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the variants without fields have a fixed text"
    )]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(
                f,
                "the TSA's answer is not a timestamp response ({error}): check the address"
            ),
            Self::Rejected {
                status,
                failures,
                text,
            } => rejected(f, *status, failures, text),
            Self::ClockDisagrees { gen_time, now } => write!(
                f,
                "the token says {gen_time}, our clock says {now}: check this machine's clock, then the TSA's"
            ),
            Self::SignerCount { count } => write!(
                f,
                "the token has {count} signers instead of one: ask the TSA's operator"
            ),
            Self::Verification { code } => write!(
                f,
                "the token does not verify ({code}): ask the TSA's operator"
            ),
            plain => f.write_str(plain.plain_text()),
        }
    }
}

impl Refusal {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the variants with fields are written by Display"
    )]
    const fn plain_text(&self) -> &'static str {
        match self {
            Self::NoToken => "the TSA granted the request but sent no token: ask its operator",
            Self::Imprint => {
                "the token is over another digest than the one sent: do not use this TSA until its operator has explained it"
            }
            Self::DigestAlgorithm => {
                "the token names another hash algorithm than the request: ask the TSA's operator"
            }
            Self::NonceMissing => {
                "the token lacks the nonce, so it may be an old one: ask the TSA's operator to echo nonces"
            }
            Self::NonceMismatch => {
                "the token has another nonce: it answers another request; try again, then ask the TSA's operator"
            }
            Self::Policy => {
                "the token was made under another policy: correct the policy in the configuration, or ask the TSA's operator"
            }
            Self::CertificateMissing => {
                "the token lacks the TSA's certificate: ask the TSA's operator to honour certReq"
            }
            Self::CertificateBinding => {
                "the token does not name its signer's certificate (ESSCertID): ask the TSA's operator"
            }
            Self::Signature => {
                "the token's signature does not hold: it is damaged or forged; try again, then ask the TSA's operator"
            }
            Self::Algorithm => {
                "the token's signature algorithm is not accepted: ask the TSA's operator for a newer one"
            }
            Self::UsageMissing => {
                "the TSA's certificate has no extended key usage: this is not a timestamping certificate"
            }
            Self::UsageNotCritical => {
                "the TSA's extended key usage is not critical, which RFC 3161 demands: ask its operator"
            }
            Self::UsageNotAlone => {
                "the TSA's certificate is not for timestamping alone, which RFC 3161 demands: ask its operator"
            }
            Self::CertificateNotValidThen => {
                "the TSA's certificate was not valid at the time of the token: ask its operator"
            }
            Self::NotTrusted => {
                "no path leads from the TSA's certificate to a configured trust anchor: add its root to the configuration if you trust it"
            }
            Self::RevocationUnknown => {
                "whether the TSA's certificate is revoked is unknown: add its revocation list, or try later"
            }
            Self::Revoked => "a certificate of the TSA is revoked: do not use this TSA",
            _ => "the token is not accepted",
        }
    }
}

fn rejected(
    f: &mut fmt::Formatter<'_>,
    status: u32,
    failures: &[Failure],
    text: &str,
) -> fmt::Result {
    write!(f, "the TSA rejected the request (status {status}")?;
    for failure in failures {
        write!(f, ", {}", failure.name())?;
    }
    if !text.is_empty() {
        write!(f, ": {text}")?;
    }
    f.write_str(")")
}
