//! OCSP responses (RFC 6960): what they say about one certificate.
//!
//! As with CRLs, a response that was issued after the time in question answers too, and better. Whether its signer may speak for the
//! certificate authority (§4.2.2.2) is a question of paths, answered by [`Responders`].

use formats::ocsp::{BasicOcspResponse, CertificateStatus, ResponderId, SingleResponse};

use super::crl::Reason;
use super::{Answer, Entry, Moment, Question, Saying, Source};
use crate::budget::Exhausted;
use crate::certificate::{Algorithm, Certificate, Name, Signed};
use crate::der::{Malformed, Result};
use crate::finding::{Code, Finding, Place, revocation as code};
use crate::report::text::civil_time;

/// A response that could be read.
#[derive(Debug, Clone)]
pub(crate) struct Ocsp<'a> {
    pub(crate) signed: Signed<'a>,
    pub(crate) response: BasicOcspResponse<'a>,
    /// The responder's name, if it names itself by name.
    pub(crate) responder: Option<Name<'a>>,
}

impl<'a> Ocsp<'a> {
    /// Takes over a response that `formats` has read.
    pub(crate) fn new(response: BasicOcspResponse<'a>) -> Result<Self> {
        let responder = match response.responder {
            ResponderId::ByName(name) => Some(Name::parse(name)?),
            ResponderId::ByKey(_) => None,
        };
        if response.answers.is_empty() {
            return Err(Malformed {
                structure: "ResponseData.responses",
            });
        }
        Ok(Self {
            signed: Signed {
                message: response.signed,
                algorithm: Algorithm::parse(response.signature_algorithm)?,
                signature: response.signature,
            },
            responder,
            response,
        })
    }

    /// Does the responder name itself as this certificate?
    pub(crate) fn is_by(&self, certificate: &Certificate<'_>) -> bool {
        match &self.responder {
            Some(name) => name == certificate.subject(),
            None => {
                let responder = self.response.responder;
                // The name is not looked at.
                responder.names(&[], certificate.spki()) == Ok(true)
            }
        }
    }

    /// How the responder is named in findings.
    pub(crate) fn title(&self) -> String {
        match (&self.responder, self.response.responder) {
            (Some(name), _) => name.to_string(),
            (None, ResponderId::ByKey(digest)) => format!("key {}", hex::encode(digest)),
            (None, ResponderId::ByName(_)) => String::new(),
        }
    }
}

/// Who may answer for a certificate authority: answered by path validation (§4.2.2.2).
pub(crate) trait Responders<'a> {
    /// The certificate whose key signed the certificate in question.
    fn issuer(&self) -> Option<Certificate<'a>>;

    /// Is the response with this number signed by somebody who may answer for the issuer? If not, the finding says why.
    fn vouches_for(
        &mut self,
        response: usize,
    ) -> std::result::Result<std::result::Result<(), Finding>, Exhausted>;
}

/// Asks every response. Findings tell which were left out, and why.
pub(crate) fn answers<'a>(
    question: Question<'_, 'a>,
    responses: &[Ocsp<'a>],
    responders: &mut impl Responders<'a>,
    findings: &mut Vec<Finding>,
) -> std::result::Result<Vec<Answer>, Exhausted> {
    let mut answers = Vec::new();
    let Some(issuer) = responders.issuer() else {
        return Ok(answers);
    };
    let mut is_named = false;
    for (number, ocsp) in responses.iter().enumerate() {
        for single in &ocsp.response.answers {
            if !is_about(single, question.certificate, &issuer) {
                continue;
            }
            is_named = true;
            let (moment, reason) = match current(question, ocsp, single) {
                Ok(current) => current,
                Err(reason) => {
                    findings.push(reason);
                    continue;
                }
            };
            if let Err(reason) = responders.vouches_for(number)? {
                findings.push(reason);
                continue;
            }
            let Some(saying) = saying(single) else {
                let finding = finding(code::OCSP_STATUS_UNKNOWN, ocsp);
                findings.push(finding.with(question.certificate.title()));
                continue;
            };
            let answer = Answer {
                source: Source::Ocsp(number),
                saying,
                issued: single.this_update,
                moment,
            };
            findings.extend(reason.filter(|_| !answer.is_final()));
            answers.push(answer);
        }
    }
    if !is_named && !responses.is_empty() {
        let finding = Finding::new(code::OCSP_OTHER_CERTIFICATE, Place::root());
        findings.push(
            finding
                .with(responses.len())
                .with(question.certificate.title()),
        );
    }
    Ok(answers)
}

/// §3.2 (1): the response names the certificate by digests of its issuer's name and key, and by its serial number.
fn is_about(
    single: &SingleResponse,
    certificate: &Certificate<'_>,
    issuer: &Certificate<'_>,
) -> bool {
    let (name, serial) = (certificate.issuer().raw(), certificate.serial());
    single.certificate.matches(name, issuer.spki(), serial) == Ok(Some(true))
}

fn saying(single: &SingleResponse) -> Option<Saying> {
    match single.status {
        CertificateStatus::Good => Some(Saying::Good),
        CertificateStatus::Revoked { time, reason } => Some(Saying::Listed(Entry {
            time,
            reason: reason.map_or(Reason::Absent, Reason::of),
            invalid_since: None,
        })),
        CertificateStatus::Unknown => None,
    }
}

fn finding(code: Code, ocsp: &Ocsp<'_>) -> Finding {
    Finding::new(code, Place::root()).with(ocsp.title())
}

/// How the answer stands to the time in question (§3.2 (5), (6), §4.2.2.1, §4.4.4), and what is noticed where it is out of date.
fn current(
    question: Question<'_, '_>,
    ocsp: &Ocsp<'_>,
    single: &SingleResponse,
) -> std::result::Result<(Moment, Option<Finding>), Finding> {
    let unknown = ocsp.response.unknown_critical.as_ref();
    if let Some(oid) = unknown.or(single.unknown_critical.as_ref()) {
        return Err(finding(code::OCSP_UNKNOWN_CRITICAL, ocsp).with(oid));
    }
    let issued = single.this_update;
    let latest = issued.max(ocsp.response.produced_at);
    if latest > question.material_time {
        return Err(finding(code::OCSP_NOT_YET_ISSUED, ocsp)
            .with(civil_time(latest))
            .with(civil_time(question.material_time)));
    }
    if single.next_update.is_some_and(|next| next < issued) {
        return Err(finding(code::OCSP_TIMES_CONTRADICT, ocsp));
    }
    let end = question.certificate.not_after();
    let remembers = single.archive_cutoff.is_some_and(|cutoff| cutoff <= end);
    let is_good = single.status == CertificateStatus::Good;
    if issued > end && is_good && !remembers {
        return Err(finding(code::OCSP_AFTER_CERTIFICATE, ocsp).with(civil_time(issued)));
    }
    let moment = question.moment(issued, single.next_update);
    let reason = || match single.next_update {
        None => finding(code::OCSP_WITHOUT_NEXT_UPDATE, ocsp).with(civil_time(issued)),
        Some(next) => finding(code::OCSP_OUT_OF_DATE, ocsp)
            .with(civil_time(next))
            .with(civil_time(question.time)),
    };
    let reason = (moment == Moment::OutOfDate).then(reason);
    Ok((moment, reason))
}
