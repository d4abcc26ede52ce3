//! Revocation of the certificates of a path (RFC 5280 §6.1.3 (a)(3)), and who may sign the CRLs (§6.3.3 (f), (g)).

use std::collections::HashMap;
use std::rc::Rc;

use super::Purpose;
use super::failure::{Problem, Stop};
use super::responders::{Answerers, SIGNER_STEPS_MAX};
use super::search::{self, Query, Role};
use super::step::{PathStep, StatusKind, StatusSource};
use super::validate::{WorkingKey, judge_algorithms};
use super::world::{Who, World};
use crate::algorithm::SignatureAlgorithm;
use crate::budget::{Budget, Exhausted};
use crate::certificate::{Certificate, key_usage};
use crate::crypto::SignatureCheck;
use crate::finding::{self, Finding, path as path_code, revocation as code};
use crate::policy::RevocationRule;
use crate::report::text::civil_time;
use crate::revocation::{
    Answer, Authority, Entry, Moment, Ocsp, Question, Reason, Source, Status, answers, status,
};
use crate::verdict::SubIndication;

/// Where on which path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'k, 'a> {
    pub(super) query: Query,
    pub(super) anchor: usize,
    /// The key that signs each certificate, from the trust anchor downwards.
    pub(super) keys: &'k [WorkingKey<'a>],
}

/// Checks every certificate of the path, from the trust anchor downwards. On failure: how many were in order.
pub(super) fn revocation(
    world: &mut World<'_>,
    place: Place<'_, '_>,
    path: &[usize],
    algorithms: &mut Vec<SignatureAlgorithm>,
    findings: &mut Vec<Finding>,
) -> Result<Vec<PathStep>, (usize, Stop)> {
    let mut steps = Vec::with_capacity(path.len());
    let is_asked_for = place.query.role == Role::Target;
    let last = path.len().saturating_sub(1);
    for (position, (number, key)) in path.iter().rev().zip(place.keys).enumerate() {
        let is_target = is_asked_for && position == last;
        let title = world
            .candidates
            .get(*number)
            .map(Certificate::title)
            .unwrap_or_default();
        if world.options.revocation == RevocationRule::Off {
            if is_asked_for {
                let root = finding::Place::root();
                findings.push(Finding::new(code::REVOCATION_NOT_CHECKED, root).with(title));
            }
            steps.push(PathStep::of(world, *number));
            continue;
        }
        let is_end = position == last;
        if is_end && matches!(place.query.role, Role::Responder(_)) && is_exempt(world, *number) {
            continue;
        }
        let mut noticed = Vec::new();
        let mut step = PathStep::of(world, *number);
        let answers = ask(
            world,
            place,
            *key,
            *number,
            algorithms,
            &mut noticed,
            &mut step,
        );
        let judged = answers.map_err(Stop::from).and_then(|answers| {
            let counts = |entry, current| counts(world, place.query, is_target, entry, current);
            let status = Status::of(&answers, counts);
            if is_asked_for {
                world.rely_on(*number, &answers, status);
            }
            judge(world, place.query, *number, is_target, status)
        });
        if is_asked_for {
            findings.extend(noticed);
        }
        match judged {
            Ok(finding) if is_asked_for => findings.extend(finding),
            Ok(_) => {}
            Err(stop) => return Err((position, stop)),
        }
        steps.push(step);
    }
    Ok(steps)
}

/// A responder of which its issuer says that it need not be asked about (RFC 6960 §4.2.2.2.1).
fn is_exempt(world: &World<'_>, number: usize) -> bool {
    let certificate = world.candidates.get(number);
    certificate.is_some_and(|certificate| certificate.extensions().ocsp_no_check)
}

/// Everything that the material says about one certificate.
fn ask(
    world: &mut World<'_>,
    place: Place<'_, '_>,
    key: WorkingKey<'_>,
    number: usize,
    algorithms: &mut Vec<SignatureAlgorithm>,
    findings: &mut Vec<Finding>,
    step: &mut PathStep,
) -> Result<Vec<Answer>, Exhausted> {
    let Some(certificate) = world.candidates.get(number).cloned() else {
        return Ok(Vec::new());
    };
    let question = Question {
        certificate: &certificate,
        time: place.query.time,
        material_time: world.material_time,
        // CRLs and responses state whole seconds: one of the same second may be later.
        enough_since: world
            .options
            .signed_at
            .map(|time| time.truncate_to_second()),
        profile: world.options.profile,
    };
    let mut all = Vec::new();
    let crls = Rc::clone(&world.crls);
    if !crls.is_empty() {
        let mut signers = Signers {
            world,
            place,
            key,
            number,
            known: HashMap::new(),
            signed_with: HashMap::new(),
            algorithms,
        };
        all.extend(status(question, &crls, &mut signers, findings)?);
        let told = all.iter().filter_map(|answer| signers.source(answer));
        step.sources.extend(told);
    }
    let responses = Rc::clone(&world.ocsp);
    if responses.is_empty() {
        return Ok(all);
    }
    let mut answerers = Answerers {
        world,
        place,
        key,
        number,
        known: HashMap::new(),
        signed_by: HashMap::new(),
    };
    let answers = answers(question, &responses, &mut answerers, findings)?;
    for answer in &answers {
        if let Source::Ocsp(response) = answer.source
            && let Some(Ok(used)) = answerers.known.get(&response)
        {
            algorithms.extend(used);
        }
    }
    let told = answers.iter().filter_map(|answer| answerers.source(answer));
    step.sources.extend(told);
    all.extend(answers);
    Ok(all)
}

/// What the status means for the path.
fn judge(
    world: &World<'_>,
    query: Query,
    number: usize,
    is_target: bool,
    status: Status,
) -> Result<Option<Finding>, Stop> {
    let Some(certificate) = world.candidates.get(number) else {
        return Err(Problem::open(code::REVOCATION_UNKNOWN, "", SubIndication::TryLater).into());
    };
    let title = certificate.title();
    let root = finding::Place::root();
    match status {
        Status::Good(answer) => Ok(Some(good(world, query, &title, answer))),
        Status::Revoked(entry) => {
            let sub_indication = if is_target {
                SubIndication::Revoked
            } else {
                SubIndication::RevokedCaNoPoe
            };
            let code = path_code::CERTIFICATE_REVOKED;
            Err(Problem::new(code, &title, sub_indication, true)
                .with(civil_time(entry.time))
                .with(entry.reason.name())
                .into())
        }
        Status::RevokedLater(entry) => Ok(Some(
            Finding::new(code::REVOKED_LATER, root)
                .with(title)
                .with(civil_time(entry.time)),
        )),
        Status::Unknown if needs_material(world.options.revocation, certificate) => {
            let code = code::REVOCATION_UNKNOWN;
            let problem = Problem::open(code, &title, SubIndication::TryLater);
            Err(problem.with(civil_time(query.time)).into())
        }
        Status::Unknown => Ok(Some(
            Finding::new(code::REVOCATION_NOT_NAMED, root).with(title),
        )),
    }
}

/// Who says that a certificate is not revoked, and since when that may be out of date.
fn good(world: &World<'_>, query: Query, title: &str, answer: Answer) -> Finding {
    let root = finding::Place::root();
    let issued = civil_time(answer.issued);
    if answer.moment == Moment::SinceMade {
        let finding = Finding::new(code::REVOCATION_KNOWN_UNTIL, root).with(title);
        return finding.with(issued).with(civil_time(query.time));
    }
    let (code, by) = match answer.source {
        Source::Crl(number) => {
            let crl = world.crls.get(number);
            let issuer = crl.map(|crl| crl.issuer.to_string());
            (code::REVOCATION_CHECKED, issuer)
        }
        Source::Ocsp(number) => {
            let responder = world.ocsp.get(number).map(Ocsp::title);
            (code::REVOCATION_CHECKED_OCSP, responder)
        }
    };
    Finding::new(code, root)
        .with(title)
        .with(civil_time(query.time))
        .with(by.unwrap_or_default())
        .with(issued)
}

fn needs_material(rule: RevocationRule, certificate: &Certificate<'_>) -> bool {
    let extensions = certificate.extensions();
    match rule {
        RevocationRule::Required => true,
        RevocationRule::IfNamed => {
            !extensions.crl_distribution_points.is_empty() || extensions.names_ocsp
        }
        RevocationRule::Off => false,
    }
}

/// Does an entry mean "revoked" at the time in question? `current`: in information that was the newest due by then.
fn counts(world: &World<'_>, query: Query, is_target: bool, entry: Entry, current: bool) -> bool {
    let compromise = entry.reason.is_compromise();
    // What is listed now is revoked, whatever date stands beside it (RFC 5280 §6.3.3 (j) does not look at the date).
    if entry.time <= query.time
        || current
        || (compromise && entry.invalid_since.is_some_and(|since| since <= query.time))
    {
        return true;
    }
    // Nothing proves here that a CRL or response is older than the compromise of the key that signed it: whoever has the key dates it back.
    if query.role != Role::Target && compromise {
        return true;
    }
    // RFC 3161 §4: without a reason, and for a compromised key, every token of the key is invalid, unless it is proven to be older. A time-stamp
    // states its own time, so whoever has the key of an authority above can make one of the past too.
    query.role == Role::Target
        && world.options.purpose == Purpose::TimeStamping
        && (compromise || (is_target && entry.reason == Reason::Absent))
        && world
            .options
            .proof_of_existence
            .is_none_or(|proof| entry.time <= proof)
}

/// Finds out whose key signed a CRL.
struct Signers<'w, 'p, 'a> {
    world: &'w mut World<'a>,
    place: Place<'p, 'p>,
    /// The key that signed the certificate in question.
    key: WorkingKey<'p>,
    /// The certificate in question.
    number: usize,
    known: HashMap<usize, Result<Who, Finding>>,
    /// The algorithms of the CRLs that were signed by whom they should be.
    signed_with: HashMap<usize, SignatureAlgorithm>,
    /// Those that the path rests on.
    algorithms: &'w mut Vec<SignatureAlgorithm>,
}

impl<'a> Authority<'a> for Signers<'_, '_, 'a> {
    fn vouches_for(&mut self, crl: usize) -> Result<Result<(), Finding>, Exhausted> {
        if let Some(known) = self.known.get(&crl) {
            return Ok(known.clone().map(|_| ()));
        }
        let answer = self.signer_of(crl)?;
        let result = answer.clone().map(|_| ());
        self.known.insert(crl, answer);
        Ok(result)
    }

    fn trusts(&self, crl: usize) -> bool {
        let (options, time) = (self.world.options, self.place.query.time);
        self.signed_with.get(&crl).is_some_and(|algorithm| {
            judge_algorithms(options, time, &[*algorithm], &mut Vec::new()).is_ok()
        })
    }

    fn rely_on(&mut self, crl: usize) {
        self.algorithms.extend(self.signed_with.get(&crl));
    }

    fn same_signer(&self, one: usize, other: usize) -> bool {
        let spki = |crl| match self.known.get(&crl) {
            Some(Ok(who)) => self.world.get(*who).map(|certificate| certificate.spki()),
            _ => None,
        };
        spki(one).is_some() && spki(one) == spki(other)
    }

    fn budget(&mut self) -> &mut Budget {
        self.world.budget
    }
}

impl Signers<'_, '_, '_> {
    /// What a CRL told, for whoever asks since when it exists.
    fn source(&self, answer: &Answer) -> Option<StatusSource> {
        let Source::Crl(number) = answer.source else {
            return None;
        };
        let Some(Ok(who)) = self.known.get(&number) else {
            return None;
        };
        let bytes = self.world.crls.get(number)?.raw;
        let algorithms = self.signed_with.get(&number).copied();
        let source = StatusSource::new(StatusKind::Crl, bytes, answer);
        Some(source.signed(algorithms.into_iter().collect(), self.world, *who))
    }

    /// The issuer of the certificate by the same key, the trust anchor, or somebody of the CRL issuer's name with a path to the same trust anchor.
    fn signer_of(&mut self, number: usize) -> Result<Result<Who, Finding>, Exhausted> {
        let Some(crl) = self.world.crls.get(number) else {
            let root = finding::Place::root();
            return Ok(Err(Finding::new(code::CRL_MALFORMED, root)));
        };
        let (name, issuer) = (crl.issuer.to_string(), crl.issuer.key());
        let identifier = crl.authority_key_identifier;
        let anchor = Who::Anchor(self.place.anchor);
        let mut worst = code::CRL_ISSUER_UNTRUSTED;
        let mut detail = None;
        for (who, inherited) in [(self.key.who, self.key.inherited), (anchor, None)] {
            if !self.may_sign(who, &issuer) {
                continue;
            }
            match self.verify(who, inherited, number)? {
                SignatureCheck::Valid(_) => return Ok(Ok(who)),
                SignatureCheck::Invalid => worst = code::CRL_SIGNATURE_INVALID,
                SignatureCheck::Unsupported(reason) => detail = Some(reason),
            }
        }
        let time = self.place.query.time;
        for candidate in self.world.candidates_named(&issuer, identifier, time) {
            let who = Who::Candidate(candidate);
            if who == self.key.who || candidate == self.number || !self.may_sign(who, &issuer) {
                continue;
            }
            match self.verify(who, None, number)? {
                SignatureCheck::Valid(_) if self.has_path(candidate)? => return Ok(Ok(who)),
                SignatureCheck::Valid(_) => worst = code::CRL_ISSUER_UNTRUSTED,
                SignatureCheck::Invalid => {}
                SignatureCheck::Unsupported(reason) => detail = Some(reason),
            }
        }
        let root = finding::Place::root();
        Ok(Err(match detail {
            Some(reason) => Finding::new(code::CRL_SIGNATURE_UNSUPPORTED, root)
                .with(name)
                .with(reason.text()),
            None => Finding::new(worst, root).with(name),
        }))
    }

    /// Name and key usage (§6.3.3 (f): cRLSign, if the extension is there).
    fn may_sign(&self, who: Who, issuer: &[u8]) -> bool {
        self.world.get(who).is_some_and(|certificate| {
            certificate.subject().key() == issuer
                && certificate.allows_key_usage(key_usage::CRL_SIGN)
        })
    }

    fn verify(
        &mut self,
        who: Who,
        inherited: Option<&[u8]>,
        crl: usize,
    ) -> Result<SignatureCheck, Exhausted> {
        let check = self.world.check_crl(who, inherited, crl)?;
        if let SignatureCheck::Valid(algorithm) = check {
            self.signed_with.insert(crl, algorithm);
        }
        Ok(check)
    }

    /// Is there a valid path from the signer to the trust anchor of the certificate?
    fn has_path(&mut self, candidate: usize) -> Result<bool, Exhausted> {
        let step = self.place.query.role.next_step();
        if step > SIGNER_STEPS_MAX {
            return Ok(false);
        }
        let query = Query {
            target: candidate,
            role: Role::CrlSigner(step),
            time: self.place.query.time,
            anchor: Some(self.place.anchor),
        };
        Ok(search::find(self.world, query)?.is_ok())
    }
}
