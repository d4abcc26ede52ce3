//! Everything beside the evidence that a judgement depends on.

use time::OffsetDateTime;

use crate::bulk::Cache;
use crate::path::TrustAnchor;
use crate::policy::Policy;
use crate::registry::Registry;

/// Trust, material, policy and time of a judgement. All of it comes from the caller; nothing is looked up.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What is trusted. With none, no time-stamp can pass; integrity is judged all the same.
    pub anchors: &'a [TrustAnchor],
    /// More certificates (DER) that paths may need. They are not trusted.
    pub certificates: &'a [Vec<u8>],
    /// More CRLs (DER).
    pub crls: &'a [Vec<u8>],
    /// More OCSP responses (DER, `OCSPResponse` or `BasicOCSPResponse`).
    pub ocsp_responses: &'a [Vec<u8>],
    /// Which algorithms are trusted until when, and what is demanded of certificates.
    pub policy: &'a Policy,
    /// The time as of which the newest proof is judged.
    pub time: OffsetDateTime,
    /// What was computed before in the same run. It changes no answer; see [`Cache`].
    pub cache: Option<&'a Cache<'a>>,
    /// Which time-stamping services were accredited when: with it, reports say of each time-stamp whether it counts as statutory. It
    /// changes no verdict.
    pub registry: Option<&'a Registry>,
}
