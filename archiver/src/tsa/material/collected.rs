//! What was collected, and what could not be had.

use std::fmt;
use std::time::Duration;

use formats::cms::with_validation_material;
use formats::error::FormatError;

/// Validation material, each part DER, without duplicates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Certificates that were not given, those of OCSP responders not included: they stand in the responses.
    pub certificates: Vec<Vec<u8>>,
    /// CRLs.
    pub crls: Vec<Vec<u8>>,
    /// OCSP responses (`OCSPResponse`).
    pub ocsp_responses: Vec<Vec<u8>>,
    /// What could not be had. Another source may have given the same all the same.
    pub failures: Vec<MaterialFailure>,
}

/// One thing that could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaterialFailure {
    /// The subject of the certificate that it is about.
    pub certificate: String,
    /// The address that was asked; empty if there is none.
    pub address: String,
    /// Why.
    pub error: MaterialError,
}

/// Why a piece of material could not be had, or was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MaterialError {
    /// The certificate names no usable address: other schemes than http (ldap, https inside of AIA or CDP) are not followed. Give its CRL by hand.
    NoAddress,
    /// No connection. Check network, proxy and firewall.
    Connect {
        /// What the operating system said.
        reason: String,
    },
    /// No complete answer in time. It is tried again before the next renewal.
    TimeOut {
        /// How long was waited.
        waited: Duration,
    },
    /// The connection broke before the answer was complete. It is tried again.
    Interrupted {
        /// What the HTTP library said.
        reason: String,
    },
    /// An HTTP status other than 200. Ask the operator of the service.
    HttpStatus {
        /// The status code.
        status: u16,
    },
    /// The answer is longer than allowed. Ask the operator of the service.
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// More redirections than allowed, or one without a usable address.
    Redirection,
    /// The answer is not what the address is for: no certificate, CRL or OCSP response.
    Malformed {
        /// What is wrong, and where.
        reason: String,
    },
    /// The OCSP responder did not answer the question (RFC 6960 §2.3): its status says why.
    Responder {
        /// `tryLater`, `unauthorized` and so on.
        status: &'static str,
    },
    /// The OCSP response has another nonce than the request, so it is the answer to another question. Try again.
    NonceMismatch,
    /// The CRL or response is of another issuer, or about another certificate. Ask the operator of the service.
    WrongIssuer,
    /// The CRL or response was due for renewal long ago: it says nothing about the token's time. Ask the operator of the service.
    Stale,
    /// The signature does not verify, so it was left out: damaged on the way, or forged. Try again, then ask the operator.
    Signature,
    /// The asynchronous runtime could not be started, or its thread died. The machine is out of threads or file descriptors.
    Runtime,
}

impl Collected {
    /// Whether nothing was collected. There may be failures all the same.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.crls.is_empty() && self.ocsp_responses.is_empty()
    }

    /// Takes over what `other` has more.
    pub fn merge(&mut self, other: Self) {
        for (own, more) in [
            (&mut self.certificates, other.certificates),
            (&mut self.crls, other.crls),
            (&mut self.ocsp_responses, other.ocsp_responses),
        ] {
            for item in more {
                if !own.contains(&item) {
                    own.push(item);
                }
            }
        }
        self.failures.extend(other.failures);
    }

    /// The token with all of this in it, in DER ([`with_validation_material`]).
    ///
    /// # Errors
    /// [`FormatError`] if the token or a part of the material cannot be read.
    pub fn put_into(&self, token: &[u8]) -> Result<Vec<u8>, FormatError> {
        with_validation_material(token, &self.certificates, &self.crls, &self.ocsp_responses)
    }
}

impl fmt::Display for MaterialFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.certificate)?;
        if !self.address.is_empty() {
            write!(f, ", {}", self.address)?;
        }
        write!(f, ": {}", self.error)
    }
}

impl fmt::Display for MaterialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => f.write_str("no http address is named: add its CRL to the configuration"),
            Self::Connect { reason } => write!(f, "no connection ({reason}): check network, proxy and firewall"),
            Self::TimeOut { waited } => write!(f, "no answer within {} s: it is tried again", waited.as_secs()),
            Self::Interrupted { reason } => write!(f, "the answer broke off ({reason}): it is tried again"),
            Self::HttpStatus { status } => write!(f, "HTTP status {status}: ask the operator of the service"),
            Self::TooLong { limit } => write!(f, "the answer is longer than {limit} bytes: ask the operator of the service"),
            Self::Redirection => f.write_str("redirected in a way that is not followed (loop, no address, or no http): ask the operator of the service"),
            Self::Malformed { reason } => write!(f, "the answer cannot be read ({reason}): ask the operator of the service"),
            Self::Responder { status } => write!(f, "the OCSP responder gave no answer ({status}): it is tried again"),
            Self::NonceMismatch => f.write_str("the OCSP response answers another request: it is tried again"),
            Self::WrongIssuer => f.write_str("the answer is about another authority or certificate: ask the operator of the service"),
            Self::Stale => f.write_str("the answer is out of date: ask the operator of the service"),
            Self::Signature => f.write_str("the signature of the answer does not verify: it was left out"),
            Self::Runtime => f.write_str("no connection could be prepared: the machine is out of threads or file descriptors"),
        }
    }
}

impl std::error::Error for MaterialError {}
