//! Validation of one complete path (RFC 5280 §6.1), and what the purpose and the policy of this program add to it.

use time::OffsetDateTime;

use super::failure::{Problem, Stop};
use super::policy_graph::PolicyGraph;
use super::search::{Query, Role};
use super::signers;
use super::world::{Who, World};
use super::{AlgorithmRule, PathOptions, Purpose, ValidPolicies, name_constraints};
use crate::algorithm::{AlgorithmJudgement, SignatureAlgorithm};
use crate::budget::Budget;
use crate::certificate::{Certificate, NameConstraints, key_usage};
use crate::crypto::{self, SignatureCheck};
use crate::finding::{Finding, Place, Severity, crypto as crypto_code, path as code};
use crate::report::text::civil_time;
use crate::verdict::SubIndication;
use formats::oid::{self, Oid};

/// A path that holds.
#[derive(Debug, Clone)]
pub(super) struct Held {
    /// Target first, without the trust anchor; empty if the target is the trust anchor.
    pub(super) path: Vec<usize>,
    pub(super) anchor: usize,
    pub(super) period: (OffsetDateTime, OffsetDateTime),
    pub(super) policies: ValidPolicies,
    pub(super) algorithms: Vec<SignatureAlgorithm>,
    pub(super) findings: Vec<Finding>,
}

/// A key on the way down (working_public_key and its parameters).
#[derive(Debug, Clone, Copy)]
pub(super) struct WorkingKey<'a> {
    pub(super) who: Who,
    /// DSA parameters from above, if the key has none of its own (§6.1.4 (d) to (f)).
    pub(super) inherited: Option<&'a [u8]>,
}

/// The state variables of §6.1.2, but for name and key.
struct State<'c, 'a> {
    graph: PolicyGraph,
    explicit_policy: usize,
    policy_mapping: usize,
    inhibit_any_policy: usize,
    max_path_length: usize,
    constraints: Vec<&'c NameConstraints<'a>>,
}

/// Validates `path` (target first) below `anchor`. On failure: how many certificates were in order, and what was wrong then.
pub(super) fn path(
    world: &mut World<'_>,
    query: Query,
    path: &[usize],
    anchor: usize,
    findings: &mut Vec<Finding>,
) -> Result<Held, (usize, Stop)> {
    let keys = working_keys(world, path, anchor);
    let mut checks = Vec::with_capacity(path.len());
    for (number, key) in path.iter().rev().zip(&keys) {
        let check = world
            .check_certificate(key.who, key.inherited, *number)
            .map_err(|error| (0, error.into()))?;
        checks.push(check);
    }
    let policies = rules(world, query, path, anchor, &checks)?;
    let mut algorithms: Vec<SignatureAlgorithm> = checks
        .iter()
        .filter_map(|check| match check {
            SignatureCheck::Valid(algorithm) => Some(*algorithm),
            SignatureCheck::Invalid | SignatureCheck::Unsupported(_) => None,
        })
        .collect();
    let place = signers::Place {
        query,
        anchor,
        keys: &keys,
    };
    signers::revocation(world, place, path, &mut algorithms, findings)?;
    algorithms.sort_unstable();
    algorithms.dedup();
    if query.role == Role::Target {
        judge_algorithms(world.options, query.time, &algorithms, findings)
            .map_err(|problem| (path.len(), problem.into()))?;
        note_success(world, query, path, anchor, findings);
    }
    Ok(Held {
        path: path.to_vec(),
        anchor,
        period: period(world, path),
        policies,
        algorithms,
        findings: std::mem::take(findings),
    })
}

/// The key that signs each certificate, from the trust anchor downwards; the last one is that of the target.
fn working_keys<'a>(world: &World<'a>, path: &[usize], anchor: usize) -> Vec<WorkingKey<'a>> {
    let places = std::iter::once(Who::Anchor(anchor))
        .chain(path.iter().rev().map(|number| Who::Candidate(*number)));
    let mut keys: Vec<WorkingKey<'a>> = Vec::with_capacity(path.len().saturating_add(1));
    let mut parameters: Option<&'a [u8]> = None;
    for who in places {
        let own = world
            .get(who)
            .and_then(|certificate| crypto::dsa_parameters(certificate.spki()));
        let inherited = match own {
            // (f) Another algorithm, or (e) own parameters: what was above is forgotten.
            None => {
                parameters = None;
                None
            }
            Some(Some(own)) => {
                parameters = Some(own);
                None
            }
            Some(None) => parameters,
        };
        keys.push(WorkingKey { who, inherited });
    }
    keys
}

/// §6.1.2 to §6.1.5 over the whole path.
fn rules(
    world: &mut World<'_>,
    query: Query,
    path: &[usize],
    anchor: usize,
    checks: &[SignatureCheck],
) -> Result<ValidPolicies, (usize, Stop)> {
    let World {
        candidates,
        anchors,
        options,
        budget,
        ..
    } = world;
    let defaults = PathOptions::default();
    // The policies and the purpose are those of the target, not of the signer of a CRL.
    let options = match query.role {
        Role::Target => *options,
        Role::CrlSigner(_) => &defaults,
    };
    let Some((_, anchor)) = anchors.get(anchor) else {
        return Ok(ValidPolicies::Only(Vec::new()));
    };
    let mut state =
        State::new(anchor, path.len(), options).map_err(|problem| (0, problem.into()))?;
    ca_purpose(anchor, options).map_err(|problem| (0, problem.into()))?;
    let mut issuer = anchor;
    let last = path.len().saturating_sub(1);
    for (position, (number, check)) in path.iter().rev().zip(checks).enumerate() {
        let Some(certificate) = candidates.get(*number) else {
            break;
        };
        let is_target = position == last;
        let failed = |stop: Stop| (position, stop);
        basic(certificate, issuer, *check, query.time, is_target)
            .map_err(|problem| failed(problem.into()))?;
        state
            .certificate(certificate, is_target, budget)
            .map_err(failed)?;
        if is_target {
            purpose(certificate, options).map_err(|problem| failed(problem.into()))?;
        } else {
            ca_purpose(certificate, options).map_err(|problem| failed(problem.into()))?;
            state.prepare(certificate, budget).map_err(failed)?;
        }
        issuer = certificate;
    }
    let title = path
        .first()
        .and_then(|number| candidates.get(*number))
        .map(Certificate::title)
        .unwrap_or_default();
    state
        .conclude(
            path.first().and_then(|number| candidates.get(*number)),
            options,
        )
        .ok_or_else(|| (last, Problem::rule(code::POLICY_REQUIRED, &title).into()))
}

/// §6.1.3 (a)(1), (2), (4), the form of the certificate, and its extensions ((o), (f)).
fn basic(
    certificate: &Certificate<'_>,
    issuer: &Certificate<'_>,
    check: SignatureCheck,
    time: OffsetDateTime,
    is_target: bool,
) -> Result<(), Problem> {
    let title = certificate.title();
    if issuer.subject() != certificate.issuer() {
        return Err(Problem::chain(code::ISSUER_NAME_MISMATCH, &title));
    }
    match check {
        SignatureCheck::Valid(_) => {}
        SignatureCheck::Invalid => {
            let problem = Problem::chain(code::CERTIFICATE_SIGNATURE_INVALID, &title);
            return Err(problem.with(issuer.title()));
        }
        SignatureCheck::Unsupported(reason) => {
            let sub_indication = SubIndication::CertificateChainGeneralFailure;
            let code = code::CERTIFICATE_SIGNATURE_UNSUPPORTED;
            return Err(Problem::open(code, &title, sub_indication).with(reason.text()));
        }
    }
    if !certificate.algorithms_agree() {
        return Err(Problem::chain(code::CERTIFICATE_ALGORITHM_MISMATCH, &title));
    }
    in_period(certificate, time, is_target)?;
    known_extensions(certificate)
}

fn in_period(
    certificate: &Certificate<'_>,
    time: OffsetDateTime,
    is_target: bool,
) -> Result<(), Problem> {
    let title = certificate.title();
    let (code, bound, of_target) = if time < certificate.not_before() {
        let sub_indication = SubIndication::NotYetValid;
        (
            code::CERTIFICATE_NOT_YET_VALID,
            certificate.not_before(),
            sub_indication,
        )
    } else if time > certificate.not_after() {
        let sub_indication = SubIndication::Expired;
        (
            code::CERTIFICATE_EXPIRED,
            certificate.not_after(),
            sub_indication,
        )
    } else {
        return Ok(());
    };
    let sub_indication = if is_target {
        of_target
    } else {
        SubIndication::CertificateChainGeneralFailure
    };
    Err(Problem::new(code, &title, sub_indication, true)
        .with(civil_time(bound))
        .with(civil_time(time)))
}

fn known_extensions(certificate: &Certificate<'_>) -> Result<(), Problem> {
    let title = certificate.title();
    if let Some(oid) = &certificate.extensions().malformed {
        return Err(Problem::chain(code::EXTENSION_MALFORMED, &title).with(oid));
    }
    if let Some(oid) = &certificate.extensions().unknown_critical {
        return Err(Problem::rule(code::EXTENSION_UNKNOWN_CRITICAL, &title).with(oid));
    }
    Ok(())
}

impl<'c, 'a> State<'c, 'a> {
    /// §6.1.2, with the constraints that the certificate of the trust anchor sets on itself (RFC 5937 §3.2).
    fn new(
        anchor: &'c Certificate<'a>,
        length: usize,
        options: &PathOptions<'_>,
    ) -> Result<Self, Problem> {
        let title = anchor.title();
        let extensions = anchor.extensions();
        known_extensions(anchor)?;
        if extensions
            .basic_constraints
            .is_some_and(|constraints| !constraints.ca)
        {
            return Err(Problem::rule(code::ISSUER_NOT_CA, &title));
        }
        if !anchor.allows_key_usage(key_usage::KEY_CERT_SIGN) {
            return Err(Problem::rule(code::KEY_CERT_SIGN_MISSING, &title));
        }
        let skip = |now: bool| if now { 0 } else { length.saturating_add(1) };
        let mut state = Self {
            graph: PolicyGraph::new(),
            explicit_policy: skip(options.require_explicit_policy),
            policy_mapping: skip(options.inhibit_policy_mapping),
            inhibit_any_policy: skip(options.inhibit_any_policy),
            max_path_length: length,
            constraints: extensions.name_constraints.iter().collect(),
        };
        state.limit_path_length(anchor);
        Ok(state)
    }

    /// §6.1.4 (m).
    fn limit_path_length(&mut self, certificate: &Certificate<'_>) {
        let limit = certificate
            .extensions()
            .basic_constraints
            .and_then(|constraints| constraints.path_length)
            .and_then(|limit| usize::try_from(limit).ok());
        if let Some(limit) = limit {
            self.max_path_length = self.max_path_length.min(limit);
        }
    }

    /// §6.1.3 (b) to (f): names and policies.
    fn certificate(
        &mut self,
        certificate: &Certificate<'_>,
        is_target: bool,
        budget: &mut Budget,
    ) -> Result<(), Stop> {
        let self_issued = certificate.is_self_issued();
        if is_target || !self_issued {
            name_constraints::check(certificate, &self.constraints, budget)
                .map_err(|refusal| name_problem(certificate, refusal))?;
        }
        match &certificate.extensions().policies {
            Some(policies) => {
                let any_counts = self.inhibit_any_policy > 0 || (!is_target && self_issued);
                self.graph.descend(policies, any_counts, budget)?;
            }
            None => self.graph.clear(),
        }
        if self.explicit_policy == 0 && self.graph.is_null() {
            let title = certificate.title();
            return Err(Problem::rule(code::POLICY_REQUIRED, &title).into());
        }
        Ok(())
    }

    /// §6.1.4: preparation for the certificate below.
    fn prepare(
        &mut self,
        certificate: &'c Certificate<'a>,
        budget: &mut Budget,
    ) -> Result<(), Stop> {
        let title = certificate.title();
        let extensions = certificate.extensions();
        // (a), (b)
        let mappings = &extensions.policy_mappings;
        if mappings
            .iter()
            .any(|(issuer, subject)| *issuer == oid::ANY_POLICY || *subject == oid::ANY_POLICY)
        {
            return Err(Problem::rule(code::POLICY_MAPPING_ANY, &title).into());
        }
        if !mappings.is_empty() {
            self.graph.map(mappings, self.policy_mapping > 0, budget)?;
        }
        // (g)
        self.constraints.extend(extensions.name_constraints.iter());
        self.count_down(certificate);
        // (k)
        if certificate.version() != 3 {
            return Err(Problem::rule(code::ISSUER_NOT_VERSION_3, &title).into());
        }
        if !certificate.is_ca() {
            return Err(Problem::rule(code::ISSUER_NOT_CA, &title).into());
        }
        // (l), (m)
        if !certificate.is_self_issued() {
            self.max_path_length = self
                .max_path_length
                .checked_sub(1)
                .ok_or_else(|| Problem::rule(code::PATH_LENGTH_EXCEEDED, &title))?;
        }
        self.limit_path_length(certificate);
        // (n)
        if !certificate.allows_key_usage(key_usage::KEY_CERT_SIGN) {
            return Err(Problem::rule(code::KEY_CERT_SIGN_MISSING, &title).into());
        }
        Ok(())
    }

    /// §6.1.4 (h) to (j): the counters of policy processing.
    fn count_down(&mut self, certificate: &Certificate<'_>) {
        if !certificate.is_self_issued() {
            for counter in [
                &mut self.explicit_policy,
                &mut self.policy_mapping,
                &mut self.inhibit_any_policy,
            ] {
                *counter = counter.saturating_sub(1);
            }
        }
        let extensions = certificate.extensions();
        let constraints = extensions.policy_constraints;
        let limit = |counter: &mut usize, skip: Option<u32>| {
            if let Some(skip) = skip.and_then(|skip| usize::try_from(skip).ok()) {
                *counter = skip.min(*counter);
            }
        };
        limit(
            &mut self.explicit_policy,
            constraints.and_then(|constraints| constraints.require_explicit_policy),
        );
        limit(
            &mut self.policy_mapping,
            constraints.and_then(|constraints| constraints.inhibit_policy_mapping),
        );
        limit(&mut self.inhibit_any_policy, extensions.inhibit_any_policy);
    }

    /// §6.1.5 (a), (b), (g): the policies of the whole path; `None` if one is demanded and none is acceptable.
    fn conclude(
        mut self,
        target: Option<&Certificate<'_>>,
        options: &PathOptions<'_>,
    ) -> Option<ValidPolicies> {
        self.explicit_policy = self.explicit_policy.saturating_sub(1);
        let require = target
            .and_then(|target| target.extensions().policy_constraints)
            .and_then(|constraints| constraints.require_explicit_policy);
        if require == Some(0) {
            self.explicit_policy = 0;
        }
        let policies = self.graph.conclude(&options.policies);
        let none = matches!(&policies, ValidPolicies::Only(list) if list.is_empty());
        (self.explicit_policy > 0 || !none).then_some(policies)
    }
}

fn name_problem(certificate: &Certificate<'_>, refusal: name_constraints::Refusal) -> Stop {
    use name_constraints::Refusal;
    let title = certificate.title();
    let (code, name) = match refusal {
        Refusal::Exhausted(error) => return error.into(),
        Refusal::NotPermitted(name) => (code::NAME_NOT_PERMITTED, name),
        Refusal::Excluded(name) => (code::NAME_EXCLUDED, name),
        Refusal::Unsupported(name) => (code::NAME_CONSTRAINT_UNSUPPORTED, name),
    };
    Problem::rule(code, &title).with(name).into()
}

/// The purpose of the target.
fn purpose(certificate: &Certificate<'_>, options: &PathOptions<'_>) -> Result<(), Problem> {
    let title = certificate.title();
    let usage = certificate.extensions().extended_key_usage.as_ref();
    match &options.purpose {
        Purpose::Any => Ok(()),
        Purpose::ExtendedKeyUsage(wanted) => {
            if usage.is_none_or(|usage| allows(&usage.purposes, wanted)) {
                Ok(())
            } else {
                Err(Problem::rule(code::EXTENDED_KEY_USAGE_MISSING, &title).with(wanted))
            }
        }
        Purpose::TimeStamping => {
            let wanted = oid::KP_TIME_STAMPING;
            let Some(usage) = usage.filter(|usage| usage.purposes.contains(&wanted)) else {
                return Err(Problem::rule(code::EXTENDED_KEY_USAGE_MISSING, &title).with(wanted));
            };
            if usage.purposes.iter().any(|purpose| *purpose != wanted) {
                return Err(Problem::rule(code::EXTENDED_KEY_USAGE_NOT_SOLE, &title));
            }
            if !usage.critical {
                return Err(Problem::rule(code::EXTENDED_KEY_USAGE_NOT_CRITICAL, &title));
            }
            let signs = key_usage::DIGITAL_SIGNATURE | key_usage::NON_REPUDIATION;
            if !certificate.allows_key_usage(signs) {
                return Err(Problem::rule(code::KEY_USAGE_NOT_SIGNATURE, &title));
            }
            Ok(())
        }
    }
}

/// A certificate authority with an extended key usage vouches for these purposes only. RFC 5280 leaves that open; everybody does it.
fn ca_purpose(certificate: &Certificate<'_>, options: &PathOptions<'_>) -> Result<(), Problem> {
    let wanted = match &options.purpose {
        Purpose::Any => return Ok(()),
        Purpose::ExtendedKeyUsage(wanted) => wanted,
        Purpose::TimeStamping => &oid::KP_TIME_STAMPING,
    };
    match &certificate.extensions().extended_key_usage {
        Some(usage) if !allows(&usage.purposes, wanted) => {
            let title = certificate.title();
            Err(Problem::rule(code::EXTENDED_KEY_USAGE_CA, &title).with(wanted))
        }
        _ => Ok(()),
    }
}

fn allows(purposes: &[Oid], wanted: &Oid) -> bool {
    purposes.contains(wanted) || purposes.contains(&oid::ANY_EXTENDED_KEY_USAGE)
}

/// A target that is a trust anchor: its period, extensions and purpose are all there is to check.
pub(super) fn anchor_as_target(
    world: &World<'_>,
    query: Query,
    anchor: usize,
) -> Result<Held, Box<Problem>> {
    let held = |findings| Held {
        path: Vec::new(),
        anchor,
        period: (query.time, query.time),
        policies: ValidPolicies::Any,
        algorithms: Vec::new(),
        findings,
    };
    let Some(certificate) = world.get(Who::Anchor(anchor)) else {
        return Ok(held(Vec::new()));
    };
    if query.role != Role::Target {
        return Ok(held(Vec::new()));
    }
    in_period(certificate, query.time, true)?;
    known_extensions(certificate)?;
    purpose(certificate, world.options)?;
    let finding = Finding::new(code::ANCHOR_IS_TARGET, Place::root()).with(certificate.title());
    Ok(Held {
        period: (certificate.not_before(), certificate.not_after()),
        ..held(vec![finding])
    })
}

/// The time in which every certificate of the path is in its period.
fn period(world: &World<'_>, path: &[usize]) -> (OffsetDateTime, OffsetDateTime) {
    let certificates = || {
        path.iter()
            .filter_map(|number| world.candidates.get(*number))
    };
    let start = certificates().map(Certificate::not_before).max();
    let end = certificates().map(Certificate::not_after).min();
    let epoch = OffsetDateTime::UNIX_EPOCH;
    (start.unwrap_or(epoch), end.unwrap_or(epoch))
}

/// EN 319 102-1 §5.2.8: the algorithms of the path at the time for which it is judged.
fn judge_algorithms(
    options: &PathOptions<'_>,
    time: OffsetDateTime,
    algorithms: &[SignatureAlgorithm],
    findings: &mut Vec<Finding>,
) -> Result<(), Problem> {
    let (policy, enforce) = match options.algorithms {
        AlgorithmRule::Ignore => return Ok(()),
        AlgorithmRule::Report(policy) => (policy, false),
        AlgorithmRule::Enforce(policy) => (policy, true),
    };
    for algorithm in algorithms {
        let code = match policy.judge_signature(*algorithm, time) {
            AlgorithmJudgement::Trusted(_) => continue,
            AlgorithmJudgement::Ended(_) => crypto_code::ALGORITHM_NOT_TRUSTED,
            AlgorithmJudgement::NotListed => crypto_code::ALGORITHM_NOT_LISTED,
        };
        let mut problem = Problem::open(
            code,
            &algorithm.to_string(),
            SubIndication::CryptoConstraintsFailureNoPoe,
        );
        if let Some(trust) = policy.signature_trust(*algorithm)
            && let Some(until) = trust.until
        {
            problem = problem
                .with(civil_time(until))
                .with(civil_time(time))
                .with(&trust.source);
        }
        if enforce {
            return Err(problem);
        }
        findings.push(problem.finding.with_severity(Severity::Warning));
    }
    Ok(())
}

fn note_success(
    world: &World<'_>,
    query: Query,
    path: &[usize],
    anchor: usize,
    findings: &mut Vec<Finding>,
) {
    let target = path.first().and_then(|first| world.candidates.get(*first));
    let (Some(target), Some(anchor)) = (target, world.get(Who::Anchor(anchor))) else {
        return;
    };
    findings.insert(
        0,
        Finding::new(code::PATH_VALID, Place::root())
            .with(target.title())
            .with(anchor.title())
            .with(civil_time(query.time)),
    );
    if !anchor.is_in_period(query.time) {
        findings.push(
            Finding::new(code::ANCHOR_OUT_OF_PERIOD, Place::root())
                .with(anchor.title())
                .with(civil_time(query.time)),
        );
    }
}
