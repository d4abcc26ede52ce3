//! The search for a path: depth first from the target to the trust anchors (RFC 4158), bounded by the budget.
//!
//! It goes twice. First strictly: a step is taken only to a certificate whose signature, period and authority hold, which finds a good path
//! among many bad ones. If there is none, leniently: every path of fitting names is put through §6.1, to find out what is wrong.

use time::OffsetDateTime;

use super::failure::{Problem, Stop, exhausted};
use super::validate::{self, Held};
use super::world::{Who, World};
use super::{Material, PathFailure, PathOptions, PathOutcome, TrustAnchor, VerifiedPath};
use crate::budget::{Budget, Exhausted, PATH_CERTIFICATES_MAX, Resource};
use crate::certificate::{Certificate, key_usage};
use crate::crypto::{self, SignatureCheck};
use crate::finding::{Finding, Place, path as code};
use crate::verdict::SubIndication;

/// Whose path is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The certificate that the caller asked about.
    Target,
    /// The signer of a CRL, this many steps away from the target.
    CrlSigner(u8),
    /// The signer of an OCSP response, this many steps away from the target.
    Responder(u8),
}

impl Role {
    /// How many steps away from the target a signer for this one is.
    pub(super) const fn next_step(self) -> u8 {
        match self {
            Self::Target => 1,
            Self::CrlSigner(step) | Self::Responder(step) => step.saturating_add(1),
        }
    }
}

/// The question of one search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query {
    pub(super) target: usize,
    pub(super) role: Role,
    pub(super) time: OffsetDateTime,
    /// Only this trust anchor (RFC 5280 §6.3.3 (f)).
    pub(super) anchor: Option<usize>,
}

/// One path that was tried and does not hold.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    path: Vec<usize>,
    anchor: Option<usize>,
    /// How many certificates, from the trust anchor downwards, were in order. Complete paths before broken off ones.
    progress: (bool, usize),
    problem: Problem,
    findings: Vec<Finding>,
}

/// The answer of one search.
pub(super) type Found = Result<Held, Option<Box<Attempt>>>;

struct Search<'w, 'a> {
    world: &'w mut World<'a>,
    query: Query,
    strict: bool,
    best: Option<Box<Attempt>>,
}

/// The whole judgement of a target.
pub(super) fn run(
    target: &[u8],
    material: &Material<'_>,
    anchors: &[TrustAnchor],
    time: OffsetDateTime,
    options: &PathOptions<'_>,
    budget: &mut Budget,
) -> PathOutcome {
    let parsed = match Certificate::parse(target) {
        Ok(parsed) => parsed,
        Err(error) => {
            let finding = Finding::new(code::CERTIFICATE_MALFORMED, Place::root()).with(error);
            return refused(
                SubIndication::CertificateChainGeneralFailure,
                target,
                vec![finding],
            );
        }
    };
    let title = parsed.title();
    let mut world = match World::new(parsed, material, anchors, time, options, budget) {
        Ok(world) => world,
        Err(error) => return out_of_budget(target, error),
    };
    if world.anchors.is_empty() {
        let finding = Finding::new(code::NO_TRUST_ANCHORS, Place::root()).with(title);
        return refused(
            SubIndication::NoCertificateChainFound,
            target,
            vec![finding],
        );
    }
    let query = Query {
        target: 0,
        role: Role::Target,
        time,
        anchor: None,
    };
    match find(&mut world, query) {
        Err(error) => out_of_budget(target, error),
        Ok(Ok(held)) => PathOutcome::Verified(verified(&world, held, time)),
        Ok(Err(attempt)) => PathOutcome::Refused(failure(&world, attempt, target)),
    }
}

fn refused(sub_indication: SubIndication, target: &[u8], findings: Vec<Finding>) -> PathOutcome {
    PathOutcome::Refused(PathFailure {
        sub_indication,
        definite: false,
        certificates: vec![target.to_vec()],
        revocation: Vec::new(),
        findings,
    })
}

fn out_of_budget(target: &[u8], error: Exhausted) -> PathOutcome {
    refused(
        SubIndication::CertificateChainGeneralFailure,
        target,
        vec![exhausted(error)],
    )
}

fn verified(world: &World<'_>, held: Held, time: OffsetDateTime) -> VerifiedPath {
    let certificates = held
        .path
        .iter()
        .map(|number| Who::Candidate(*number))
        .chain([Who::Anchor(held.anchor)]);
    let mut list: Vec<Vec<u8>> = certificates
        .filter_map(|who| world.get(who))
        .map(|certificate| certificate.raw().to_vec())
        .collect();
    // A target that is the trust anchor stands once.
    list.dedup();
    let mut findings = held.findings;
    findings.extend(world.findings.iter().cloned());
    VerifiedPath {
        certificates: list,
        anchor: world
            .anchors
            .get(held.anchor)
            .map_or(0, |(place, _)| *place),
        time,
        period: held.period,
        policies: held.policies,
        algorithms: held.algorithms,
        steps: held.steps,
        revocation: world.revocation_of(&held.path),
        findings,
    }
}

fn failure(world: &World<'_>, attempt: Option<Box<Attempt>>, target: &[u8]) -> PathFailure {
    let Some(attempt) = attempt else {
        // Nobody of the issuer's name is among the anchors and candidates.
        let mut findings = Vec::new();
        if let Some(certificate) = world.candidates.first() {
            findings.push(
                Finding::new(code::NO_PATH_FOUND, Place::root())
                    .with(certificate.title())
                    .with(certificate.issuer()),
            );
        }
        findings.extend(world.findings.iter().cloned());
        return PathFailure {
            sub_indication: SubIndication::NoCertificateChainFound,
            definite: false,
            certificates: vec![target.to_vec()],
            revocation: Vec::new(),
            findings,
        };
    };
    let revocation = world.revocation_of(&attempt.path);
    let path = attempt.path.iter().map(|number| Who::Candidate(*number));
    let certificates = path
        .chain(attempt.anchor.map(Who::Anchor))
        .filter_map(|who| world.get(who))
        .map(|certificate| certificate.raw().to_vec())
        .collect();
    let mut findings = vec![attempt.problem.finding];
    findings.extend(attempt.findings);
    findings.extend(world.findings.iter().cloned());
    PathFailure {
        sub_indication: attempt.problem.sub_indication,
        definite: attempt.problem.definite,
        certificates,
        revocation,
        findings,
    }
}

/// Searches strictly, then leniently.
pub(super) fn find(world: &mut World<'_>, query: Query) -> Result<Found, Exhausted> {
    if let Some(held) = anchor_itself(world, query)? {
        return Ok(held);
    }
    let mut best = None;
    for strict in [true, false] {
        let mut search = Search {
            world,
            query,
            strict,
            best: None,
        };
        if let Some(held) = search.extend(&mut vec![query.target])? {
            return Ok(Ok(held));
        }
        best = search.best;
        if query.role != Role::Target {
            // Nobody reads why a signer of revocation information has no path.
            break;
        }
    }
    Ok(Err(best))
}

/// A target that is itself a trust anchor.
fn anchor_itself(world: &mut World<'_>, query: Query) -> Result<Option<Found>, Exhausted> {
    let raw = world.candidates.get(query.target).map(Certificate::raw);
    let anchor = world
        .anchors
        .iter()
        .position(|(_, anchor)| Some(anchor.raw()) == raw);
    let Some(anchor) = anchor.filter(|anchor| query.anchor.is_none_or(|only| only == *anchor))
    else {
        return Ok(None);
    };
    Ok(Some(
        validate::anchor_as_target(world, query, anchor).map_err(|problem| {
            Some(Box::new(Attempt {
                path: vec![query.target],
                anchor: None,
                progress: (true, 0),
                problem: *problem,
                findings: Vec::new(),
            }))
        }),
    ))
}

impl Search<'_, '_> {
    /// Goes on from the last certificate of `path`.
    fn extend(&mut self, path: &mut Vec<usize>) -> Result<Option<Held>, Exhausted> {
        self.world.budget.spend(Resource::PathSteps, 1)?;
        let Some(last) = path.last().copied() else {
            return Ok(None);
        };
        let Some(certificate) = self.world.candidates.get(last) else {
            return Ok(None);
        };
        let issuer = certificate.issuer().key();
        let identifier = certificate.extensions().authority_key_identifier;
        let time = self.query.time;
        let candidates = self.world.candidates_named(&issuer, identifier, time);
        for anchor in self.world.anchors_named(&issuer) {
            if self.query.anchor.is_some_and(|only| only != anchor)
                || (self.strict && !self.is_signed_by(last, Who::Anchor(anchor))?)
            {
                continue;
            }
            if let Some(held) = self.complete(path, anchor)? {
                return Ok(Some(held));
            }
        }
        if path.len().saturating_add(2) > PATH_CERTIFICATES_MAX {
            self.give_up(path, &candidates);
            return Ok(None);
        }
        for candidate in candidates {
            if self.closes_loop(path, candidate)
                || (self.strict
                    && !(self.may_issue(candidate)
                        && self.is_signed_by(last, Who::Candidate(candidate))?))
            {
                continue;
            }
            path.push(candidate);
            let found = self.extend(path)?;
            path.pop();
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Name and key are on the path already (RFC 4158 §2.4.2).
    fn closes_loop(&self, path: &[usize], candidate: usize) -> bool {
        let Some(candidate) = self.world.candidates.get(candidate) else {
            return true;
        };
        path.iter()
            .filter_map(|number| self.world.candidates.get(*number))
            .any(|other| other.spki() == candidate.spki() && other.subject() == candidate.subject())
    }

    /// The cheap conditions of §6.1.3 and §6.1.4 for a certificate authority.
    fn may_issue(&self, number: usize) -> bool {
        self.world.candidates.get(number).is_some_and(|candidate| {
            candidate.version() == 3
                && candidate.is_ca()
                && candidate.allows_key_usage(key_usage::KEY_CERT_SIGN)
                && candidate.is_in_period(self.query.time)
                && candidate.extensions().unknown_critical.is_none()
                && candidate.extensions().malformed.is_none()
        })
    }

    fn is_signed_by(&mut self, number: usize, signer: Who) -> Result<bool, Exhausted> {
        // A DSA key without parameters inherits them from above, where the search has not been yet.
        let inherits = self
            .world
            .get(signer)
            .is_some_and(|signer| crypto::dsa_parameters(signer.spki()) == Some(None));
        if inherits {
            return Ok(true);
        }
        let check = self.world.check_certificate(signer, None, number)?;
        Ok(matches!(check, SignatureCheck::Valid(_)))
    }

    /// Puts a complete path through §6.1.
    fn complete(&mut self, path: &[usize], anchor: usize) -> Result<Option<Held>, Exhausted> {
        self.world.budget.spend(Resource::Paths, 1)?;
        let mut findings = Vec::new();
        match validate::path(self.world, self.query, path, anchor, &mut findings) {
            Ok(held) => Ok(Some(held)),
            Err((_, Stop::Exhausted(error))) => Err(error),
            Err((progress, Stop::Problem(problem))) => {
                self.remember(Attempt {
                    path: path.to_vec(),
                    anchor: Some(anchor),
                    progress: (true, progress),
                    problem: *problem,
                    findings,
                });
                Ok(None)
            }
        }
    }

    /// A path that is too long is one reason among others.
    fn give_up(&mut self, path: &[usize], candidates: &[usize]) {
        let target = path
            .first()
            .and_then(|first| self.world.candidates.get(*first));
        if let (Some(target), false) = (target, candidates.is_empty()) {
            let problem = Problem::open(
                code::PATH_TOO_LONG,
                &target.title(),
                SubIndication::NoCertificateChainFound,
            )
            .with(path.len());
            self.remember(Attempt {
                path: path.to_vec(),
                anchor: None,
                progress: (false, 0),
                problem,
                findings: Vec::new(),
            });
        }
    }

    fn remember(&mut self, attempt: Attempt) {
        let better = self
            .best
            .as_ref()
            .is_none_or(|best| attempt.progress > best.progress);
        if better {
            self.best = Some(Box::new(attempt));
        }
    }
}
