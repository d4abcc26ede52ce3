//! Everything that one judgement may use, read once.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use time::OffsetDateTime;

use formats::ocsp::{BasicOcspResponse, OcspResponse, ResponseStatus};

use super::{Material, PathOptions, PathRevocation, TrustAnchor};
use crate::budget::{Budget, Exhausted, Resource};
use crate::bulk::cache;
use crate::certificate::Certificate;
use crate::crypto::{self, SignatureCheck};
use crate::finding::{Finding, Place, path as path_code, revocation as revocation_code};
use crate::revocation::{Answer, Crl, Entry, Ocsp, Saying, Source, Status};

/// A certificate by its place: among the candidates, or among the trust anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Who {
    Candidate(usize),
    Anchor(usize),
}

/// What was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Certificate(usize),
    Crl(usize),
    Ocsp(usize),
}

/// On what the answer about one certificate rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reliance {
    certificate: usize,
    source: Source,
    entry: Option<Entry>,
}

/// The material, parsed, with what was computed about it.
#[derive(Debug)]
pub(super) struct World<'a> {
    /// The target first.
    pub(super) candidates: Vec<Certificate<'a>>,
    /// With their place in the list that was given.
    pub(super) anchors: Vec<(usize, Certificate<'a>)>,
    pub(super) crls: Rc<[Crl<'a>]>,
    pub(super) ocsp: Rc<[Ocsp<'a>]>,
    /// The bytes of `crls` and `ocsp`, by the same numbers.
    bytes: (Vec<&'a [u8]>, Vec<&'a [u8]>),
    /// What the answers about the certificates of the asked path rest on.
    pub(super) relied_on: Vec<Reliance>,
    by_subject: BTreeMap<Vec<u8>, Vec<usize>>,
    anchors_by_subject: BTreeMap<Vec<u8>, Vec<usize>>,
    pub(super) material_time: OffsetDateTime,
    pub(super) options: &'a PathOptions<'a>,
    /// About the material as a whole.
    pub(super) findings: Vec<Finding>,
    checks: HashMap<(Who, What), SignatureCheck>,
    pub(super) budget: &'a mut Budget,
}

impl<'a> World<'a> {
    /// Reads the material. What cannot be read is left out, with a finding.
    pub(super) fn new(
        target: Certificate<'a>,
        material: &Material<'a>,
        anchors: &'a [TrustAnchor],
        time: OffsetDateTime,
        options: &'a PathOptions<'a>,
        budget: &'a mut Budget,
    ) -> Result<Self, Exhausted> {
        let mut world = Self {
            candidates: vec![target],
            anchors: Vec::new(),
            crls: Rc::from([]),
            ocsp: Rc::from([]),
            bytes: (Vec::new(), Vec::new()),
            relied_on: Vec::new(),
            by_subject: BTreeMap::new(),
            anchors_by_subject: BTreeMap::new(),
            material_time: options.material_time.unwrap_or(time).max(time),
            options,
            findings: Vec::new(),
            checks: HashMap::new(),
            budget,
        };
        world.read_anchors(anchors)?;
        world.read_ocsp(&material.ocsp_responses);
        // The certificates of responders stand in their responses.
        let ocsp = Rc::clone(&world.ocsp);
        let given = material.certificates.iter();
        let responders = ocsp.iter().flat_map(|ocsp| &ocsp.response.certificates);
        let certificates: Vec<&'a [u8]> = given.chain(responders).copied().collect();
        world.read_certificates(&certificates)?;
        let mut crls = Vec::new();
        let mut seen = std::collections::HashSet::new();
        // Each list is asked, and they may be long: the same one is not asked twice.
        for der in material.crls.iter().filter(|der| seen.insert(**der)) {
            match Crl::parse(der) {
                Ok(crl) => {
                    crls.push(crl);
                    world.bytes.0.push(der);
                }
                Err(error) => world
                    .findings
                    .push(Finding::new(revocation_code::CRL_MALFORMED, Place::root()).with(error)),
            }
        }
        world.crls = Rc::from(crls);
        Ok(world)
    }

    /// Remembers on what the answer about a certificate rests.
    pub(super) fn rely_on(&mut self, certificate: usize, answers: &[Answer], status: Status) {
        let (source, entry) = match status {
            Status::Good(answer) => (Some(answer.source), None),
            Status::Revoked(entry) | Status::RevokedLater(entry) => {
                let said = Saying::Listed(entry);
                let source = answers.iter().find(|answer| answer.saying == said);
                (source.map(|answer| answer.source), Some(entry))
            }
            Status::Unknown => (None, None),
        };
        if let Some(source) = source {
            let reliance = Reliance {
                certificate,
                source,
                entry,
            };
            if !self.relied_on.contains(&reliance) {
                self.relied_on.push(reliance);
            }
        }
    }

    /// What the answers about the certificates of `path` rest on.
    pub(super) fn revocation_of(&self, path: &[usize]) -> Vec<PathRevocation> {
        let on_path = self.relied_on.iter().filter_map(|reliance| {
            let position = path
                .iter()
                .position(|number| *number == reliance.certificate)?;
            let (is_ocsp, bytes) = match reliance.source {
                Source::Crl(number) => (false, self.bytes.0.get(number)?),
                Source::Ocsp(number) => (true, self.bytes.1.get(number)?),
            };
            Some(PathRevocation {
                position,
                is_ocsp,
                bytes: bytes.to_vec(),
                revoked: reliance.entry.map(|entry| (entry.time, entry.reason)),
            })
        });
        on_path.collect()
    }

    fn read_ocsp(&mut self, responses: &[&'a [u8]]) {
        let mut read = Vec::new();
        for der in responses {
            // A status without an answer is no damage.
            if let Ok(OcspResponse {
                status,
                basic: None,
            }) = OcspResponse::parse(der)
                && status != ResponseStatus::Successful
            {
                let finding = Finding::new(revocation_code::OCSP_NO_ANSWER, Place::root());
                self.findings.push(finding.with(status.name()));
                continue;
            }
            let finding = || Finding::new(revocation_code::OCSP_MALFORMED, Place::root());
            match BasicOcspResponse::parse_either(der) {
                Ok(basic) => match Ocsp::new(basic) {
                    Ok(ocsp) => {
                        read.push(ocsp);
                        self.bytes.1.push(der);
                    }
                    Err(error) => self.findings.push(finding().with(error)),
                },
                Err(error) => self.findings.push(finding().with(error)),
            }
        }
        self.ocsp = Rc::from(read);
    }

    fn read_anchors(&mut self, anchors: &'a [TrustAnchor]) -> Result<(), Exhausted> {
        for (place, anchor) in anchors.iter().enumerate() {
            self.budget.spend(Resource::Certificates, 1)?;
            // Read once already by `TrustAnchor::from_certificate`.
            let Ok(certificate) = Certificate::parse(&anchor.certificate) else {
                continue;
            };
            self.anchors_by_subject
                .entry(certificate.subject().key())
                .or_default()
                .push(self.anchors.len());
            self.anchors.push((place, certificate));
        }
        Ok(())
    }

    fn read_certificates(&mut self, certificates: &[&'a [u8]]) -> Result<(), Exhausted> {
        let mut seen: std::collections::HashSet<&[u8]> =
            self.candidates.iter().map(Certificate::raw).collect();
        // A path that reaches a trust anchor ends there.
        seen.extend(self.anchors.iter().map(|(_, anchor)| anchor.raw()));
        for der in certificates {
            self.budget.spend(Resource::Certificates, 1)?;
            if !seen.insert(der) {
                continue;
            }
            match Certificate::parse(der) {
                Ok(certificate) => {
                    self.by_subject
                        .entry(certificate.subject().key())
                        .or_default()
                        .push(self.candidates.len());
                    self.candidates.push(certificate);
                }
                Err(error) => self
                    .findings
                    .push(Finding::new(path_code::CERTIFICATE_LEFT_OUT, Place::root()).with(error)),
            }
        }
        Ok(())
    }

    /// The certificate at a place.
    pub(super) fn get(&self, who: Who) -> Option<&Certificate<'a>> {
        match who {
            Who::Candidate(number) => self.candidates.get(number),
            Who::Anchor(number) => self.anchors.get(number).map(|(_, certificate)| certificate),
        }
    }

    /// The trust anchors with this name.
    pub(super) fn anchors_named(&self, key: &[u8]) -> Vec<usize> {
        self.anchors_by_subject
            .get(key)
            .cloned()
            .unwrap_or_default()
    }

    /// The candidates with this name, the likeliest first: key identifier fits, in its period, youngest.
    pub(super) fn candidates_named(
        &self,
        key: &[u8],
        key_identifier: Option<&[u8]>,
        time: OffsetDateTime,
    ) -> Vec<usize> {
        let mut numbers = self.by_subject.get(key).cloned().unwrap_or_default();
        numbers.sort_by_key(|number| {
            self.candidates.get(*number).map(|candidate| {
                let own = candidate.extensions().subject_key_identifier;
                let fits = match (key_identifier, own) {
                    (Some(wanted), Some(own)) if wanted == own => 0_u8,
                    (Some(_), Some(_)) => 2,
                    _ => 1,
                };
                (
                    fits,
                    !candidate.is_in_period(time),
                    std::cmp::Reverse(candidate.not_before()),
                )
            })
        });
        numbers
    }

    /// The candidates that an OCSP response may mean as its signer.
    pub(super) fn responders_named(&self, ocsp: &Ocsp<'_>, time: OffsetDateTime) -> Vec<usize> {
        if let Some(name) = &ocsp.responder {
            return self.candidates_named(&name.key(), None, time);
        }
        // By the digest of its key; the responses bring few certificates, so all of them are looked at.
        let numbered = self.candidates.iter().enumerate();
        numbered
            .filter(|(_, candidate)| {
                candidate.extensions().extended_key_usage.is_some() && ocsp.is_by(candidate)
            })
            .map(|(number, _)| number)
            .collect()
    }

    /// The signature on a candidate under the key of `signer`. Computed once for each pair, except with inherited DSA parameters.
    pub(super) fn check_certificate(
        &mut self,
        signer: Who,
        inherited: Option<&[u8]>,
        number: usize,
    ) -> Result<SignatureCheck, Exhausted> {
        self.check(signer, inherited, What::Certificate(number))
    }

    /// The signature on a CRL under the key of `signer`.
    pub(super) fn check_crl(
        &mut self,
        signer: Who,
        inherited: Option<&[u8]>,
        number: usize,
    ) -> Result<SignatureCheck, Exhausted> {
        self.check(signer, inherited, What::Crl(number))
    }

    /// The signature on an OCSP response under the key of `signer`.
    pub(super) fn check_ocsp(
        &mut self,
        signer: Who,
        inherited: Option<&[u8]>,
        number: usize,
    ) -> Result<SignatureCheck, Exhausted> {
        self.check(signer, inherited, What::Ocsp(number))
    }

    fn check(
        &mut self,
        signer: Who,
        inherited: Option<&[u8]>,
        what: What,
    ) -> Result<SignatureCheck, Exhausted> {
        if inherited.is_none()
            && let Some(check) = self.checks.get(&(signer, what))
        {
            return Ok(*check);
        }
        let spki = self.get(signer).map(|certificate| certificate.spki());
        let signed = match what {
            What::Certificate(number) => self.candidates.get(number).map(Certificate::signed),
            What::Crl(number) => self.crls.get(number).map(|crl| &crl.signed),
            What::Ocsp(number) => self.ocsp.get(number).map(|ocsp| &ocsp.signed),
        };
        let (Some(spki), Some(signed)) = (spki, signed) else {
            return Ok(SignatureCheck::Invalid);
        };
        let cost = crypto::cost(spki, signed.signature);
        self.budget.spend(Resource::Signatures, cost)?;
        let check = cache::verify_signed(self.options.cache, spki, inherited, signed);
        if inherited.is_none() {
            self.checks.insert((signer, what), check);
        }
        Ok(check)
    }
}
