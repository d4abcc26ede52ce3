//! Validation of one complete path (RFC 5280 §6.1), and what the purpose and the policy of this program add to it.

use time::OffsetDateTime;

use super::failure::{Problem, Stop};
use super::profile::{self, Position};
use super::search::{Query, Role};
use super::state::{State, known_extensions};
use super::step::PathStep;
use super::world::{Who, World};
use super::{AlgorithmRule, PathOptions, ValidPolicies, purpose, signers};
use crate::algorithm::{AlgorithmJudgement, SignatureAlgorithm};
use crate::certificate::Certificate;
use crate::crypto::{self, SignatureCheck};
use crate::finding::{Finding, Place, Severity, crypto as crypto_code, path as code};
use crate::report::text::civil_time;
use crate::verdict::SubIndication;

/// A path that holds.
#[derive(Debug, Clone)]
pub(super) struct Held {
    /// Target first, without the trust anchor; empty if the target is the trust anchor.
    pub(super) path: Vec<usize>,
    pub(super) anchor: usize,
    pub(super) period: (OffsetDateTime, OffsetDateTime),
    pub(super) policies: ValidPolicies,
    pub(super) algorithms: Vec<SignatureAlgorithm>,
    /// From the trust anchor downwards.
    pub(super) steps: Vec<PathStep>,
    pub(super) findings: Vec<Finding>,
}

/// A key on the way down (working_public_key and its parameters).
#[derive(Debug, Clone, Copy)]
pub(super) struct WorkingKey<'a> {
    pub(super) who: Who,
    /// DSA parameters from above, if the key has none of its own (§6.1.4 (d) to (f)).
    pub(super) inherited: Option<&'a [u8]>,
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
    if query.role == Role::Target {
        profiles(world, query, path, anchor, findings)?;
    }
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
    let mut steps = signers::revocation(world, place, path, &mut algorithms, findings)?;
    for (step, check) in steps.iter_mut().zip(&checks) {
        if let SignatureCheck::Valid(algorithm) = check {
            step.algorithm = Some(*algorithm);
        }
    }
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
        steps,
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
    // The policies and the purpose are those of the target, not of the signer of a CRL or OCSP response.
    let options = match query.role {
        Role::Target => *options,
        Role::CrlSigner(_) | Role::Responder(_) => &defaults,
    };
    let Some((_, anchor)) = anchors.get(anchor) else {
        return Err((0, lost()));
    };
    let mut state =
        State::new(anchor, path.len(), options).map_err(|problem| (0, problem.into()))?;
    purpose::of_authority(anchor, options).map_err(|problem| (0, problem.into()))?;
    let mut issuer = anchor;
    let last = path.len().saturating_sub(1);
    if path.is_empty() || checks.len() != path.len() {
        return Err((0, lost()));
    }
    for (position, (number, check)) in path.iter().rev().zip(checks).enumerate() {
        let Some(certificate) = candidates.get(*number) else {
            return Err((position, lost()));
        };
        let is_target = position == last;
        let failed = |stop: Stop| (position, stop);
        basic(certificate, issuer, *check, query.time, is_target)
            .map_err(|problem| failed(problem.into()))?;
        state
            .certificate(certificate, is_target, budget)
            .map_err(failed)?;
        if is_target {
            purpose::of_target(certificate, options).map_err(|problem| failed(problem.into()))?;
        } else {
            purpose::of_authority(certificate, options)
                .map_err(|problem| failed(problem.into()))?;
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

/// How the certificates are made (§4), where somebody wants to know.
fn profiles(
    world: &World<'_>,
    query: Query,
    path: &[usize],
    anchor: usize,
    findings: &mut Vec<Finding>,
) -> Result<(), (usize, Stop)> {
    let last = path.len().saturating_sub(1);
    let rule = world.options.profile;
    let mut check = |who, at, position| match world.get(who) {
        Some(certificate) => profile::check(certificate, at, query.time, rule, findings)
            .map_err(|problem| (position, problem.into())),
        None => Err((position, lost())),
    };
    check(Who::Anchor(anchor), Position::Anchor, 0)?;
    for (position, number) in path.iter().rev().enumerate() {
        let at = if position == last {
            Position::Target
        } else {
            Position::Authority
        };
        check(Who::Candidate(*number), at, position)?;
    }
    Ok(())
}

/// A certificate that is not where it was: cannot happen, and must not pass if it does.
fn lost() -> Stop {
    Problem::open(
        code::NO_PATH_FOUND,
        "",
        SubIndication::CertificateChainGeneralFailure,
    )
    .into()
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
    if certificate.is_in_period(time) {
        return Ok(());
    }
    let (code, bound, of_target) = if time < certificate.not_before() {
        let sub_indication = SubIndication::NotYetValid;
        (
            code::CERTIFICATE_NOT_YET_VALID,
            certificate.not_before(),
            sub_indication,
        )
    } else {
        let sub_indication = SubIndication::Expired;
        (
            code::CERTIFICATE_EXPIRED,
            certificate.not_after(),
            sub_indication,
        )
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

/// A target that is a trust anchor: its period, extensions and purpose are all there is to check.
pub(super) fn anchor_as_target(
    world: &World<'_>,
    query: Query,
    anchor: usize,
) -> Result<Held, Box<Problem>> {
    let Some(certificate) = world.get(Who::Anchor(anchor)) else {
        let general = SubIndication::CertificateChainGeneralFailure;
        return Err(Problem::open(code::NO_PATH_FOUND, "", general).into());
    };
    let mut findings = Vec::new();
    if query.role == Role::Target {
        in_period(certificate, query.time, true)?;
        known_extensions(certificate)?;
        purpose::of_target(certificate, world.options)?;
        let finding = Finding::new(code::ANCHOR_IS_TARGET, Place::root());
        findings.push(finding.with(certificate.title()));
    }
    Ok(Held {
        path: Vec::new(),
        anchor,
        period: (certificate.not_before(), certificate.not_after()),
        policies: ValidPolicies::Any,
        algorithms: Vec::new(),
        steps: Vec::new(),
        findings,
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
pub(super) fn judge_algorithms(
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
