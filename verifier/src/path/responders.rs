//! Who may answer by OCSP for a certificate authority (RFC 6960 §4.2.2.2).
//!
//! The authority itself, by the key that signed the certificate in question; or a responder whose certificate was issued with that key for id-kp-OCSPSigning.
//! A responder that is trusted by local decision alone is not known here: the trust anchors are for certification paths.

use std::collections::HashMap;

use super::search::{self, Query, Role};
use super::signers::Place;
use super::step::{StatusKind, StatusSource};
use super::validate::{WorkingKey, judge_algorithms};
use super::world::{Who, World};
use crate::algorithm::SignatureAlgorithm;
use crate::budget::Exhausted;
use crate::certificate::{Certificate, key_usage};
use crate::crypto::SignatureCheck;
use crate::finding::{self, Code, Finding, Severity, revocation as code};
use crate::revocation::{Answer, Ocsp, Responders, Source};
use formats::oid;

/// How many steps of "the signer of the revocation information about the signer of the revocation information" are taken. NIST PKITS needs 1.
pub(super) const SIGNER_STEPS_MAX: u8 = 3;

/// Finds out whose key signed an OCSP response.
pub(super) struct Answerers<'w, 'p, 'a> {
    pub(super) world: &'w mut World<'a>,
    pub(super) place: Place<'p, 'p>,
    /// The key that signed the certificate in question.
    pub(super) key: WorkingKey<'p>,
    /// The certificate in question.
    pub(super) number: usize,
    pub(super) known: HashMap<usize, Result<Vec<SignatureAlgorithm>, Finding>>,
    /// Whose key signed a response that counts.
    pub(super) signed_by: HashMap<usize, Who>,
}

impl<'a> Responders<'a> for Answerers<'_, '_, 'a> {
    fn issuer(&self) -> Option<Certificate<'a>> {
        self.world.get(self.key.who).cloned()
    }

    fn vouches_for(&mut self, response: usize) -> Result<Result<(), Finding>, Exhausted> {
        if let Some(known) = self.known.get(&response) {
            return Ok(known.clone().map(|_| ()));
        }
        let answer = self.signer_of(response)?;
        let result = answer.clone().map(|_| ());
        self.known.insert(response, answer);
        Ok(result)
    }
}

impl Answerers<'_, '_, '_> {
    /// What a response told, for whoever asks since when it exists.
    pub(super) fn source(&self, answer: &Answer) -> Option<StatusSource> {
        let Source::Ocsp(number) = answer.source else {
            return None;
        };
        let algorithms = self.known.get(&number)?.as_ref().ok()?.clone();
        let who = self.signed_by.get(&number)?;
        let bytes = self.world.ocsp.get(number)?.response.raw;
        let source = StatusSource::new(StatusKind::Ocsp, bytes, answer);
        Some(source.signed(algorithms, self.world, *who))
    }

    /// The algorithms on which the response with this number rests, if somebody signed it who may.
    fn signer_of(
        &mut self,
        number: usize,
    ) -> Result<Result<Vec<SignatureAlgorithm>, Finding>, Exhausted> {
        let responses = std::rc::Rc::clone(&self.world.ocsp);
        let Some(ocsp) = responses.get(number) else {
            return Ok(Err(told(code::OCSP_RESPONDER_UNKNOWN, "")));
        };
        let title = ocsp.title();
        let mut worst = code::OCSP_RESPONDER_UNKNOWN;
        for who in self.candidates(ocsp) {
            let inherited = (who == self.key.who)
                .then_some(self.key.inherited)
                .flatten();
            let algorithm = match self.world.check_ocsp(who, inherited, number)? {
                SignatureCheck::Valid(algorithm) => algorithm,
                SignatureCheck::Invalid => {
                    worst = code::OCSP_SIGNATURE_INVALID;
                    continue;
                }
                SignatureCheck::Unsupported(reason) => {
                    let finding = told(code::OCSP_SIGNATURE_UNSUPPORTED, &title);
                    return Ok(Err(finding.with(reason.text())));
                }
            };
            match self.algorithms_of(who, ocsp)? {
                Ok(mut algorithms) => {
                    algorithms.push(algorithm);
                    self.signed_by.insert(number, who);
                    return Ok(self.judged(algorithms));
                }
                Err(reason) => worst = reason,
            }
        }
        Ok(Err(told(worst, &title)))
    }

    /// Those that the response may mean as its signer, the issuer itself first.
    fn candidates(&mut self, ocsp: &Ocsp<'_>) -> Vec<Who> {
        let mut candidates = Vec::new();
        if self
            .world
            .get(self.key.who)
            .is_some_and(|issuer| ocsp.is_by(issuer))
        {
            candidates.push(self.key.who);
        }
        let named = self.world.responders_named(ocsp, self.place.query.time);
        candidates.extend(
            named
                .into_iter()
                // Nobody answers for himself.
                .filter(|candidate| *candidate != self.number)
                .map(Who::Candidate)
                .filter(|who| *who != self.key.who),
        );
        candidates
    }

    /// The algorithms of the responder's own path, if it may answer for the issuer; otherwise what is wrong.
    fn algorithms_of(
        &mut self,
        who: Who,
        ocsp: &Ocsp<'_>,
    ) -> Result<Result<Vec<SignatureAlgorithm>, Code>, Exhausted> {
        if who == self.key.who {
            return Ok(Ok(Vec::new()));
        }
        let Who::Candidate(candidate) = who else {
            return Ok(Err(code::OCSP_RESPONDER_NOT_AUTHORIZED));
        };
        if !self.is_designated(candidate)? {
            return Ok(Err(code::OCSP_RESPONDER_NOT_AUTHORIZED));
        }
        let step = self.place.query.role.next_step();
        if step > SIGNER_STEPS_MAX {
            return Ok(Err(code::OCSP_RESPONDER_INVALID));
        }
        let query = Query {
            target: candidate,
            role: Role::Responder(step),
            // It answers for what it said when it said it; its own end comes soon, and says nothing about that.
            time: ocsp.response.produced_at,
            anchor: Some(self.place.anchor),
        };
        let found = search::find(self.world, query)?;
        Ok(found
            .map(|held| held.algorithms)
            .map_err(|_| code::OCSP_RESPONDER_INVALID))
    }

    /// Is the candidate's certificate issued with the key of the issuer, for signing OCSP responses (§4.2.2.2)?
    fn is_designated(&mut self, candidate: usize) -> Result<bool, Exhausted> {
        let (Some(issuer), Some(responder)) = (
            self.world.get(self.key.who),
            self.world.candidates.get(candidate),
        ) else {
            return Ok(false);
        };
        let signs = key_usage::DIGITAL_SIGNATURE | key_usage::NON_REPUDIATION;
        let usage = responder.extensions().extended_key_usage.as_ref();
        if responder.issuer() != issuer.subject()
            || !usage.is_some_and(|usage| usage.purposes.contains(&oid::KP_OCSP_SIGNING))
            || !responder.allows_key_usage(signs)
        {
            return Ok(false);
        }
        let (who, inherited) = (self.key.who, self.key.inherited);
        let check = self.world.check_certificate(who, inherited, candidate)?;
        Ok(check.is_valid())
    }

    /// A response that rests on an algorithm that is not trusted any more is as good as none.
    fn judged(
        &self,
        algorithms: Vec<SignatureAlgorithm>,
    ) -> Result<Vec<SignatureAlgorithm>, Finding> {
        let mut unused = Vec::new();
        let (options, time) = (self.world.options, self.place.query.time);
        match judge_algorithms(options, time, &algorithms, &mut unused) {
            Ok(()) => Ok(algorithms),
            Err(problem) => Err(problem.finding.with_severity(Severity::Info)),
        }
    }
}

fn told(code: Code, title: &str) -> Finding {
    Finding::new(code, finding::Place::root()).with(title)
}
