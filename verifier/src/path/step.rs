//! What a path rests on, certificate by certificate: the input of validation time sliding (EN 319 102-1 §5.6.2.2).

use time::OffsetDateTime;

use super::world::{Who, World};
use crate::algorithm::SignatureAlgorithm;
use crate::certificate::Certificate;
use crate::revocation::{Answer, Moment, Reason};

/// One certificate below the trust anchor.
#[derive(Debug, Clone)]
pub struct PathStep {
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// The algorithm of the signature on it.
    pub algorithm: Option<SignatureAlgorithm>,
    /// Everything that told its status; nothing where it need not be told.
    pub sources: Vec<StatusSource>,
}

/// One piece of revocation information about a certificate.
#[derive(Debug, Clone)]
pub struct StatusSource {
    /// What it is.
    pub kind: StatusKind,
    /// The CRL, or the BasicOCSPResponse.
    pub bytes: Vec<u8>,
    /// When it was right (thisUpdate).
    pub issued: OffsetDateTime,
    /// When and why the certificate was revoked, if it says so.
    pub revoked: Option<(OffsetDateTime, Reason)>,
    /// Whether it tells about the time for which the path was validated: nothing newer was due by then.
    pub is_current: bool,
    /// The algorithms that it rests on.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// The end of the certificate of its signer; `None` for a trust anchor.
    pub signer_until: Option<OffsetDateTime>,
}

/// The two kinds of revocation information.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusKind {
    /// A certificate revocation list (RFC 5280 §5).
    Crl,
    /// An OCSP response (RFC 6960).
    Ocsp,
}

impl PathStep {
    /// A certificate of which nothing is told yet.
    pub(super) fn of(world: &World<'_>, number: usize) -> Self {
        let certificate = world.candidates.get(number);
        let bytes = certificate.map(|found| found.raw().to_vec());
        Self {
            certificate: bytes.unwrap_or_default(),
            algorithm: None,
            sources: Vec::new(),
        }
    }
}

impl StatusSource {
    pub(super) fn new(kind: StatusKind, bytes: &[u8], answer: &Answer) -> Self {
        Self {
            kind,
            bytes: bytes.to_vec(),
            issued: answer.issued,
            revoked: answer.revoked(),
            is_current: answer.moment != Moment::OutOfDate,
            algorithms: Vec::new(),
            signer_until: None,
        }
    }

    /// With what its signature rests on; a trust anchor has no end.
    pub(super) fn signed(
        mut self,
        algorithms: Vec<SignatureAlgorithm>,
        world: &World<'_>,
        who: Who,
    ) -> Self {
        self.algorithms = algorithms;
        self.signer_until = match who {
            Who::Anchor(_) => None,
            Who::Candidate(number) => world.candidates.get(number).map(Certificate::not_after),
        };
        self
    }
}
