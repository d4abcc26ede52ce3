//! What several test files share.
#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod authority;
pub(crate) mod log;
pub(crate) mod record;
pub(crate) mod vectors;

use time::OffsetDateTime;
use verifier::context::Context;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;

/// A judgement with these trust anchors and nothing beside the evidence.
pub(crate) fn judging<'a>(
    anchors: &'a [TrustAnchor],
    policy: &'a Policy,
    time: OffsetDateTime,
) -> Context<'a> {
    Context {
        anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy,
        time,
        cache: None,
        registry: None,
    }
}
