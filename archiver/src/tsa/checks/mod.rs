//! The checks that every answer passes before it becomes evidence (RFC 3161 §2.2: "Upon receiving the response … the requesting
//! entity SHALL verify").
//!
//! A token that was accepted once will be asked for in 30 years, and the authority cannot be asked again then. So what a verifier
//! would hold against it later is held against it now, while another one can still be had. ADR 0013 lists the checks.

mod examination;
mod judged;
mod kind;
mod signer;

use std::fmt;
use std::sync::Arc;

use formats::tsp::TimeStampRequest;
use time::{Duration, OffsetDateTime};
use verifier::policy::Policy;

pub use examination::{CheckResult, Examination, examine};
pub use kind::Check;
pub use signer::{same_signer, signer_certificate};

use super::material::{Collected, MaterialSource};
use super::refusal::Refusal;
use super::registry::{Registry, Statutory, Unstatutory};

/// A token that passed every check, byte for byte as the authority sent it.
#[derive(Clone, PartialEq, Eq)]
pub struct AcceptedToken {
    bytes: Vec<u8>,
    gen_time: OffsetDateTime,
    accuracy: Option<Duration>,
    ordering: bool,
    authority: String,
    holds_until: Option<OffsetDateTime>,
    material: Collected,
    statutory: Statutory,
}

/// Whom and what a client trusts.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Root certificates, DER.
    pub anchors: Vec<Vec<u8>>,
    /// Further certificates for the path, DER.
    pub certificates: Vec<Vec<u8>>,
    /// Certificate revocation lists, DER.
    pub crls: Vec<Vec<u8>>,
    /// Which algorithms are trusted, and what is demanded of certificates.
    pub policy: Policy,
    /// Which authorities are accredited; it decides no acceptance, only whether a token counts as statutory.
    pub registry: Option<Arc<Registry>>,
    /// Where revocation information and missing certificates come from; `None` asks nobody.
    pub material: Option<Arc<dyn MaterialSource>>,
}

/// What is demanded of a token beside what RFC 3161 demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demands {
    /// How far the token's time may lie from our clock, beside its own accuracy.
    pub clock_tolerance: Duration,
    /// The worst accuracy that a token may state; `None` takes any.
    pub accuracy_max: Option<Duration>,
    /// Whether a token may state no accuracy at all. RFC 3161 §2.4.2 lets an authority state it in its policy instead.
    pub accuracy_may_miss: bool,
    /// For how long, at least, a token must hold before its certificates or algorithms end.
    pub holds_min: Duration,
}

/// What the same authority said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// The time in its last accepted token.
    pub gen_time: OffsetDateTime,
    /// How far that time may be off.
    pub accuracy: Duration,
}

/// What an answer is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    /// The request.
    pub request: &'a TimeStampRequest,
    /// Our clock when it was sent.
    pub sent_at: OffsetDateTime,
    /// Our clock when the answer was there.
    pub answered_at: OffsetDateTime,
    /// What is demanded of the token.
    pub demands: Demands,
    /// The last token of the same authority, where it is remembered.
    pub earlier: Option<Earlier>,
}

impl Default for Demands {
    /// The demands for a public authority: five minutes for clocks that are set by hand, an accuracy of one second where one is
    /// stated (what Japan's accredited services keep to UTC), and no demand on what remains.
    fn default() -> Self {
        Self {
            clock_tolerance: CLOCK_TOLERANCE,
            accuracy_max: Some(Duration::SECOND),
            accuracy_may_miss: true,
            holds_min: Duration::ZERO,
        }
    }
}

impl Trust {
    /// Trust in some roots, with nothing else at hand.
    #[must_use]
    pub fn anchors(anchors: Vec<Vec<u8>>) -> Self {
        Self {
            anchors,
            certificates: Vec::new(),
            crls: Vec::new(),
            policy: Policy::default(),
            registry: None,
            material: None,
        }
    }
}

impl AcceptedToken {
    /// Checks an answer of the authority with this name in the configuration.
    ///
    /// # Errors
    /// The first check that fails, in the order of [`Check`].
    pub fn check(
        answer: &[u8],
        expectation: &Expectation<'_>,
        trust: &Trust,
        authority: &str,
    ) -> Result<Self, Refusal> {
        Self::from_examination(examine(answer, expectation, trust), trust, authority)
    }

    /// Accepts what an examination found without fault.
    ///
    /// # Errors
    /// The first check that failed.
    pub fn from_examination(
        examination: Examination,
        trust: &Trust,
        authority: &str,
    ) -> Result<Self, Refusal> {
        if let Some(refusal) = examination.first_failure() {
            return Err(refusal.clone());
        }
        let token = examination.token.ok_or(Refusal::NoToken)?;
        let statutory = trust
            .registry
            .as_ref()
            .map_or(Statutory::No(Unstatutory::NoRegistry), |registry| {
                registry.judge(&token)
            });
        Ok(Self {
            gen_time: token.info.gen_time,
            accuracy: token.info.accuracy.map(|accuracy| accuracy.duration()),
            ordering: token.info.ordering,
            bytes: token.raw().to_vec(),
            authority: authority.to_owned(),
            holds_until: examination.holds_until,
            material: examination.material,
            statutory,
        })
    }

    /// The exact bytes of the token (`ContentInfo`).
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name of the authority in the configuration.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The time in the token.
    #[must_use]
    pub const fn gen_time(&self) -> OffsetDateTime {
        self.gen_time
    }

    /// How far that time may be off, where the token states it.
    #[must_use]
    pub const fn accuracy(&self) -> Option<Duration> {
        self.accuracy
    }

    /// Whether the authority promises that its tokens can be ordered by their times alone (RFC 3161 §2.4.2, `ordering`).
    #[must_use]
    pub const fn is_ordered(&self) -> bool {
        self.ordering
    }

    /// When the first of its certificates or algorithms ends; it must be renewed before.
    #[must_use]
    pub const fn holds_until(&self) -> Option<OffsetDateTime> {
        self.holds_until
    }

    /// What was collected from others to judge it. It is needed again whenever the token is judged, so it is kept with it.
    #[must_use]
    pub const fn material(&self) -> &Collected {
        &self.material
    }

    /// Whether the registry knows the authority as accredited at the time of the token.
    #[must_use]
    pub const fn statutory(&self) -> &Statutory {
        &self.statutory
    }
}

impl fmt::Debug for AcceptedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptedToken")
            .field("authority", &self.authority)
            .field("gen_time", &self.gen_time)
            .field("statutory", &self.statutory)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Enough for clocks that are set by hand; authorities keep theirs to a second.
pub const CLOCK_TOLERANCE: Duration = Duration::minutes(5);
