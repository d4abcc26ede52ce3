//! Certification path validation (RFC 5280 §6), at any time, past times included.
//!
//! [`validate_path`] searches (`search`), puts complete paths through the algorithm of §6.1 (`validate`), and asks CRLs and OCSP
//! responses about each certificate (`signers`, `responders`, [`crate::revocation`]). Everything foreign is bounded by the [`Budget`].

mod failure;
mod name_constraints;
mod policy_graph;
mod profile;
mod purpose;
pub mod report;
mod responders;
mod search;
mod signers;
mod state;
mod step;
mod validate;
mod world;

pub use self::step::{PathStep, StatusKind, StatusSource};
use formats::oid::Oid;
use time::OffsetDateTime;

use crate::algorithm::SignatureAlgorithm;
use crate::budget::Budget;
use crate::bulk::Cache;
use crate::certificate::Certificate;
use crate::finding::Finding;
use crate::policy::{Policy, RevocationRule};
use crate::revocation::Reason;
use crate::verdict::{SubIndication, Verdict};

/// A key that is trusted by decision (RFC 5280 §6.1.1 (d)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustAnchor {
    certificate: Vec<u8>,
}

/// Why a certificate cannot be a trust anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnchorError {
    /// The bytes are not a certificate (RFC 5280 §4.1). Give a DER certificate.
    Malformed,
}

/// Certificates and revocation information that may help; nothing in it is trusted. Each is DER.
#[derive(Debug, Clone, Default)]
pub struct Material<'a> {
    /// Certificates, in any order, needed or not.
    pub certificates: Vec<&'a [u8]>,
    /// CRLs.
    pub crls: Vec<&'a [u8]>,
    /// OCSP responses, each an `OCSPResponse` or a `BasicOCSPResponse`.
    pub ocsp_responses: Vec<&'a [u8]>,
}

/// What the target certificate is used for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Purpose {
    /// Anything.
    #[default]
    Any,
    /// A purpose that the extended key usage must allow, if the extension is there (RFC 5280 §4.2.1.12).
    ExtendedKeyUsage(Oid),
    /// Time-stamping: the extended key usage must be there, critical, and hold nothing else (RFC 3161 §2.3), and a revocation that is for a
    /// compromised key or gives no reason reaches back (RFC 3161 §4).
    TimeStamping,
}

/// What to do about algorithms that are not trusted at the time.
#[derive(Debug, Clone, Copy, Default)]
pub enum AlgorithmRule<'a> {
    /// Nothing: RFC 5280 has no opinion.
    #[default]
    Ignore,
    /// A finding.
    Report(&'a Policy),
    /// The path does not pass.
    Enforce(&'a Policy),
}

/// What to do about certificates and CRLs that are not made as RFC 5280 §4 and §5 demand of their issuers.
///
/// The algorithm of §6 does not look at these demands, and evidence of decades is full of small departures from them: they are not a reason to doubt who
/// signed. Whoever asks whether a path follows RFC 5280 wants to know all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProfileRule {
    /// Nothing: only §6 counts.
    #[default]
    Ignore,
    /// What contradicts itself, or takes a constraint off those who do not read it, is an error (names that are empty, authority without the CA flag,
    /// constraints that are not critical or whose form RFC 5280 does not know). The rest is a warning.
    Contradictions,
    /// Every departure is an error: missing key identifiers and CRL numbers, serial numbers, basic constraints that are not critical, and a trust anchor
    /// whose certificate is out of its period.
    Everything,
}

/// The inputs of RFC 5280 §6.1.1 and what goes beyond them. The default is a plain RFC 5280 validation that accepts any policy.
#[derive(Debug, Clone, Default)]
pub struct PathOptions<'a> {
    /// What the target is used for.
    pub purpose: Purpose,
    /// The user-initial-policy-set; empty means any-policy.
    pub policies: Vec<Oid>,
    /// initial-explicit-policy.
    pub require_explicit_policy: bool,
    /// initial-policy-mapping-inhibit.
    pub inhibit_policy_mapping: bool,
    /// initial-any-policy-inhibit.
    pub inhibit_any_policy: bool,
    /// When revocation information is needed.
    pub revocation: RevocationRule,
    /// What to do about algorithms.
    pub algorithms: AlgorithmRule<'a>,
    /// What to do about certificates and CRLs that are not made as they should be.
    pub profile: ProfileRule,
    /// Until when revocation information may have been issued: the time of verification. `None` means the time that is judged, so that later CRLs are left out.
    pub material_time: Option<OffsetDateTime>,
    /// When the target signed, by the word of what it signed. Revocation information that was issued since then is enough, though newer was due before the
    /// time that is judged; a finding says so. `None`: only current information is enough.
    pub signed_at: Option<OffsetDateTime>,
    /// The time at which what the target signed is proven to exist by something else, for the reach of a revocation (RFC 3161 §4).
    pub proof_of_existence: Option<OffsetDateTime>,
    /// What was computed before in the same run. It changes no answer.
    pub cache: Option<&'a Cache<'a>>,
}

/// The answer about a path.
#[derive(Debug, Clone)]
pub enum PathOutcome {
    /// A path holds.
    Verified(VerifiedPath),
    /// No path holds.
    Refused(PathFailure),
}

impl PathOutcome {
    /// The path, if one holds.
    #[must_use]
    pub const fn verified(&self) -> Option<&VerifiedPath> {
        match self {
            Self::Verified(path) => Some(path),
            Self::Refused(_) => None,
        }
    }

    /// What was noticed.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Verified(path) => path.findings(),
            Self::Refused(failure) => failure.findings(),
        }
    }

    /// The certificates of the path that holds, or of the best one that was tried; the target first.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        match self {
            Self::Verified(path) => path.certificates(),
            Self::Refused(failure) => failure.certificates(),
        }
    }

    /// The CRLs and OCSP responses on which the answers about these certificates rest.
    #[must_use]
    pub fn revocation(&self) -> &[PathRevocation] {
        match self {
            Self::Verified(path) => path.revocation(),
            Self::Refused(failure) => failure.revocation(),
        }
    }

    /// The verdict about the path alone.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Verified(_) => Verdict::PASSED,
            Self::Refused(failure) => failure.verdict(),
        }
    }
}

/// The policies under which a path is valid (RFC 5280 §6.1.6, valid_policy_tree).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValidPolicies {
    /// Any of those that the user accepts.
    Any,
    /// These; may be empty if no explicit policy was demanded.
    Only(Vec<Oid>),
}

/// A CRL or OCSP response on which the answer about one certificate of a path rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathRevocation {
    position: usize,
    is_ocsp: bool,
    bytes: Vec<u8>,
    revoked: Option<(OffsetDateTime, Reason)>,
}

impl PathRevocation {
    /// The position of the certificate in the path.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Whether it is an OCSP response, not a CRL.
    #[must_use]
    pub const fn is_ocsp(&self) -> bool {
        self.is_ocsp
    }

    /// Its exact bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// When and why the certificate was revoked, if it says so.
    #[must_use]
    pub const fn revoked(&self) -> Option<(OffsetDateTime, Reason)> {
        self.revoked
    }
}

/// A path that was validated. Only [`validate_path`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedPath {
    certificates: Vec<Vec<u8>>,
    anchor: usize,
    time: OffsetDateTime,
    period: (OffsetDateTime, OffsetDateTime),
    policies: ValidPolicies,
    algorithms: Vec<SignatureAlgorithm>,
    steps: Vec<PathStep>,
    revocation: Vec<PathRevocation>,
    findings: Vec<Finding>,
}

impl VerifiedPath {
    /// The certificates, target first; the last one is that of the trust anchor.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// The position of the trust anchor in the list that was given.
    #[must_use]
    pub const fn anchor(&self) -> usize {
        self.anchor
    }

    /// The time for which the path was validated.
    #[must_use]
    pub const fn time(&self) -> OffsetDateTime {
        self.time
    }

    /// The first and last moment at which every certificate below the trust anchor is in its period.
    #[must_use]
    pub const fn period(&self) -> (OffsetDateTime, OffsetDateTime) {
        self.period
    }

    /// The policies for which the path is valid.
    #[must_use]
    pub const fn policies(&self) -> &ValidPolicies {
        &self.policies
    }

    /// The algorithms of the signatures on the certificates, CRLs and OCSP responses that were relied on.
    #[must_use]
    pub fn algorithms(&self) -> &[SignatureAlgorithm] {
        &self.algorithms
    }

    /// The CRLs and OCSP responses on which the answers about its certificates rest.
    #[must_use]
    pub fn revocation(&self) -> &[PathRevocation] {
        &self.revocation
    }

    /// The certificates below the trust anchor, from it downwards, each with what told its status.
    #[must_use]
    pub fn steps(&self) -> &[PathStep] {
        &self.steps
    }

    /// What was noticed. None of it has severity error.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

/// Why no path holds: the findings of the best one that was tried.
#[derive(Debug, Clone)]
pub struct PathFailure {
    sub_indication: SubIndication,
    definite: bool,
    certificates: Vec<Vec<u8>>,
    revocation: Vec<PathRevocation>,
    findings: Vec<Finding>,
}

impl PathFailure {
    /// The reason, by its name in EN 319 102-1.
    #[must_use]
    pub const fn sub_indication(&self) -> SubIndication {
        self.sub_indication
    }

    /// Does a complete path exist that breaks a rule, so that more material would not repair it?
    #[must_use]
    pub const fn is_definite(&self) -> bool {
        self.definite
    }

    /// The verdict about the path alone: failed if definite, otherwise indeterminate.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        if self.definite {
            Verdict::failed(self.sub_indication)
        } else {
            Verdict::indeterminate(self.sub_indication)
        }
    }

    /// The best path that was tried, target first; just the target if none was found.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// The CRLs and OCSP responses on which the answers about its certificates rest, as far as they were asked.
    #[must_use]
    pub fn revocation(&self) -> &[PathRevocation] {
        &self.revocation
    }

    /// What was noticed; at least one has severity error.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

impl TrustAnchor {
    /// The name and key of a certificate, which is trusted from now on. What it says about its own constraints is honoured (RFC 5937); its period and
    /// its own signature are not regarded.
    ///
    /// # Errors
    ///
    /// [`AnchorError`] if the bytes are not a certificate.
    pub fn from_certificate(der: &[u8]) -> Result<Self, AnchorError> {
        Certificate::parse(der).map_err(|_| AnchorError::Malformed)?;
        Ok(Self {
            certificate: der.to_vec(),
        })
    }

    /// The certificate that it was made from.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }
}

/// Searches and validates a path from `target` (a DER certificate) to one of the `anchors` at `time`.
///
/// If several paths exist, the first that holds is the answer; if none holds, the findings are those of the one that came furthest.
/// A target that is itself a trust anchor is accepted if it is in its period and fits the purpose.
#[must_use]
pub fn validate_path(
    target: &[u8],
    material: &Material<'_>,
    anchors: &[TrustAnchor],
    time: OffsetDateTime,
    options: &PathOptions<'_>,
    budget: &mut Budget,
) -> PathOutcome {
    search::run(target, material, anchors, time, options, budget)
}
