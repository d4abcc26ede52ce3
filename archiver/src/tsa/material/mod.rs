//! Validation material: the certificates, CRLs and OCSP responses that a token needs to be verified when nobody can be asked any more.
//!
//! It is collected while it can still be had: at stamping, and again before a renewal freezes the token's bytes. A CRL or OCSP response that
//! was issued after the token's time is *final* for that token, since it would say so if the certificate had been revoked before; an older one
//! is *provisional* and is asked for again later ([`missing_or_provisional`]). What comes in is checked so far that a useless answer is named to
//! the operator; nothing of it is trusted: the verifier judges all of it. ADR 0012 says where it is kept.

mod addresses;
mod answer;
mod cache;
mod collected;
mod collector;
mod fetch;
mod gaps;
mod revocation;

use std::fmt;

use time::OffsetDateTime;

pub use collected::{Collected, MaterialError, MaterialFailure};
pub use collector::HttpMaterial;
pub use fetch::MaterialOptions;
pub use gaps::{Gap, GapKind, missing_or_provisional};

/// Where validation material comes from.
pub trait MaterialSource: Send + Sync + fmt::Debug {
    /// Collects what is needed to judge a signature of `moment`: the missing certificates on the way from `certificates` (DER, the signer's among them) to
    /// `anchors` (DER), and for each one below an anchor that names a service, its revocation information. What cannot be had is a failure in the answer.
    fn collect(
        &self,
        certificates: &[Vec<u8>],
        anchors: &[Vec<u8>],
        moment: OffsetDateTime,
    ) -> Collected;
}

/// A source that has nothing: for authorities that name no service, and for archives that may not connect to anybody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMaterial;

impl MaterialSource for NoMaterial {
    fn collect(&self, _: &[Vec<u8>], _: &[Vec<u8>], _: OffsetDateTime) -> Collected {
        Collected::default()
    }
}
