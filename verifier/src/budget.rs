//! Bounds on the work that foreign input can cause.
//!
//! A certificate bag can describe more paths than there are atoms (CVE-2018-0733 and its kin in other path builders), so every loop over
//! foreign input spends from a budget. What is spent never comes back. An exhausted budget is never a reason to pass: the
//! answer is `INDETERMINATE`, with a finding that names the limit.

use std::fmt;

/// The limits of a [`Budget`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Signatures verified. See [`SIGNATURES_MAX`].
    pub signatures_max: u32,
    /// Steps from a certificate to a candidate issuer while paths are searched. See [`PATH_STEPS_MAX`].
    pub path_steps_max: u32,
    /// Complete paths put through RFC 5280 §6.1. See [`PATHS_MAX`].
    pub paths_max: u32,
    /// Certificates considered as issuers. See [`CERTIFICATES_MAX`].
    pub certificates_max: u32,
    /// Comparisons of a name with a name constraint. See [`NAME_COMPARISONS_MAX`].
    pub name_comparisons_max: u32,
    /// Steps in the graph of certificate policies. See [`POLICY_STEPS_MAX`].
    pub policy_steps_max: u32,
    /// Entries read in CRLs. See [`CRL_ENTRIES_MAX`].
    pub crl_entries_max: u32,
}

/// Signatures verified for one judgement. `rustls-webpki` allows 100 for one path (`Budget`, after mozilla::pkix); a path here
/// also verifies CRLs and the paths of their signers, so four times as many. Large keys and signatures count several times ([`crate::crypto`]).
pub const SIGNATURES_MAX: u32 = 400;

/// Steps while paths are searched: the number of `rustls-webpki` (`build_chain_calls`).
pub const PATH_STEPS_MAX: u32 = 200_000;

/// Complete paths tried. Bouncy Castle and NIST PKITS never need more than 4; the step count bounds the rest of the search.
pub const PATHS_MAX: u32 = 256;

/// Certificates considered. A SignedData may hold 1,024 (`formats::limits`), a file of trust anchors 4,096; this takes both twice.
pub const CERTIFICATES_MAX: u32 = 10_240;

/// Comparisons of names with name constraints: the number of `rustls-webpki` (`name_constraint_comparisons`).
pub const NAME_COMPARISONS_MAX: u32 = 250_000;

/// Steps in the policy graph. RFC 9618 §5 shows it to be at most (certificates × policies × mappings); 16 certificates with the
/// 32 policies of the largest public chains, each mapped to each, take 16 × 32 × 32 = 16,384.
pub const POLICY_STEPS_MAX: u32 = 65_536;

/// Entries read in CRLs. The largest public CRLs have 1 to 2 million entries in 60 MB; the paths of a token may need several.
pub const CRL_ENTRIES_MAX: u32 = 10_000_000;

/// Certificates in one path, target and trust anchor included. The deepest path of NIST PKITS has 7, public time-stamping chains have 2 to 5.
pub const PATH_CERTIFICATES_MAX: usize = 16;

impl Default for Limits {
    fn default() -> Self {
        Self {
            signatures_max: SIGNATURES_MAX,
            path_steps_max: PATH_STEPS_MAX,
            paths_max: PATHS_MAX,
            certificates_max: CERTIFICATES_MAX,
            name_comparisons_max: NAME_COMPARISONS_MAX,
            policy_steps_max: POLICY_STEPS_MAX,
            crl_entries_max: CRL_ENTRIES_MAX,
        }
    }
}

/// What is left of the limits of one judgement.
///
/// One budget serves one token or one certificate. A caller that judges many takes a fresh one for each and bounds their number itself.
#[derive(Debug, Clone)]
pub struct Budget {
    limits: Limits,
    left: Limits,
}

/// A limit was reached: the input is hostile, or larger than anything that was known when the limit was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// What there was too much of.
    pub resource: Resource,
    /// The limit that was reached.
    pub limit: u32,
}

/// What a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// Signatures verified.
    Signatures,
    /// Steps from certificate to issuer.
    PathSteps,
    /// Complete paths.
    Paths,
    /// Certificates considered.
    Certificates,
    /// Comparisons of names with constraints.
    NameComparisons,
    /// Steps in the policy graph.
    PolicySteps,
    /// CRL entries read.
    CrlEntries,
}

impl Resource {
    /// The name in findings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signatures => "signatures",
            Self::PathSteps => "path steps",
            Self::Paths => "paths",
            Self::Certificates => "certificates",
            Self::NameComparisons => "name comparisons",
            Self::PolicySteps => "policy steps",
            Self::CrlEntries => "CRL entries",
        }
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {} {}", self.limit, self.resource.name())
    }
}

impl std::error::Error for Exhausted {}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Budget {
    /// A budget with everything left.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            left: limits,
        }
    }

    /// Spends `count` of `resource`.
    ///
    /// # Errors
    ///
    /// [`Exhausted`] if less is left. Then nothing is left: a later, cheaper attempt fails too.
    pub fn spend(&mut self, resource: Resource, count: u32) -> Result<(), Exhausted> {
        let limit = *field(&mut self.limits, resource);
        let left = field(&mut self.left, resource);
        match left.checked_sub(count) {
            Some(rest) => {
                *left = rest;
                Ok(())
            }
            None => {
                *left = 0;
                Err(Exhausted { resource, limit })
            }
        }
    }

    /// How much of `resource` was spent.
    #[must_use]
    pub fn spent(&self, resource: Resource) -> u32 {
        let (mut limits, mut left) = (self.limits, self.left);
        field(&mut limits, resource).saturating_sub(*field(&mut left, resource))
    }
}

fn field(limits: &mut Limits, resource: Resource) -> &mut u32 {
    match resource {
        Resource::Signatures => &mut limits.signatures_max,
        Resource::PathSteps => &mut limits.path_steps_max,
        Resource::Paths => &mut limits.paths_max,
        Resource::Certificates => &mut limits.certificates_max,
        Resource::NameComparisons => &mut limits.name_comparisons_max,
        Resource::PolicySteps => &mut limits.policy_steps_max,
        Resource::CrlEntries => &mut limits.crl_entries_max,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_than_the_limit_is_refused() {
        let mut budget = Budget::new(Limits {
            paths_max: 3,
            ..Limits::default()
        });
        assert_eq!(budget.spend(Resource::Paths, 2), Ok(()));
        assert_eq!(budget.spend(Resource::Paths, 1), Ok(()));
        assert_eq!(budget.spent(Resource::Paths), 3);
        let exhausted = budget.spend(Resource::Paths, 1).unwrap_err();
        assert_eq!(exhausted.to_string(), "more than 3 paths");
    }

    #[test]
    fn an_exhausted_budget_stays_exhausted() {
        let mut budget = Budget::new(Limits {
            signatures_max: 5,
            ..Limits::default()
        });
        assert!(budget.spend(Resource::Signatures, 6).is_err());
        assert!(budget.spend(Resource::Signatures, 1).is_err());
        assert!(budget.spend(Resource::Paths, 1).is_ok(), "others go on");
    }
}
