//! The status of a certificate by CRLs (RFC 5280 §6.3) and OCSP responses (RFC 6960), at a past time if asked.
//!
//! RFC 5280 asks "is it revoked now?". Evidence is judged later: information that was issued after the time in question also answers it, and better,
//! because it says *when* the certificate was revoked; but only as long as revoked certificates stay listed, which is until their end (§5.1.2.6).
//! Of several answers the worst counts, and among good ones the best informed.

mod answer;
mod crl;
mod ocsp;
mod scope;
mod services;

use time::OffsetDateTime;

pub(crate) use answer::{Answer, Moment, Saying, Source, Status};
pub use crl::Reason;
use crl::{ALL_REASONS, Lookup};
pub(crate) use crl::{Crl, Entry};
pub(crate) use ocsp::{Ocsp, Responders, answers};
pub use services::{Service, ServiceKind, services};

use formats::oid;

use crate::budget::{Budget, Exhausted};
use crate::certificate::Certificate;
use crate::finding::{Finding, Place, revocation as code};
use crate::path::ProfileRule;
use crate::report::text::civil_time;

/// The question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'q, 'a> {
    pub(crate) certificate: &'q Certificate<'a>,
    /// The time for which the status is asked.
    pub(crate) time: OffsetDateTime,
    /// The time until which information may have been issued.
    pub(crate) material_time: OffsetDateTime,
    /// Information that was issued since this time is enough, however old.
    pub(crate) enough_since: Option<OffsetDateTime>,
    /// What to do about CRLs that are not made as they should be.
    pub(crate) profile: ProfileRule,
}

impl Question<'_, '_> {
    /// How information that was issued at this time stands to the question.
    fn moment(&self, issued: OffsetDateTime, next_update: Option<OffsetDateTime>) -> Moment {
        if issued > self.time {
            return Moment::After;
        }
        if next_update.is_some_and(|next| next >= self.time) {
            return Moment::Current;
        }
        if self.enough_since.is_some_and(|since| since <= issued) {
            Moment::SinceMade
        } else {
            Moment::OutOfDate
        }
    }
}

/// Who may sign a CRL: answered by path validation (§6.3.3 (f), (g)).
pub(crate) trait Authority<'a> {
    /// Does the signature on the CRL with this number verify under the key of somebody who may sign it? If not, the finding says why.
    fn vouches_for(&mut self, crl: usize) -> Result<Result<(), Finding>, Exhausted>;

    /// May "not revoked" rest on the algorithm by which the CRL with this number is signed? To be asked after `vouches_for`.
    fn trusts(&self, crl: usize) -> bool;

    /// The answer rests on the CRL with this number.
    fn rely_on(&mut self, crl: usize);

    /// Do two CRLs, one a delta of the other, come from the same key?
    fn same_signer(&self, one: usize, other: usize) -> bool;

    /// The budget.
    fn budget(&mut self) -> &mut Budget;
}

/// Asks the CRLs (§6.3.3), every one: a revocation may stand in any. Findings tell which were left out, and why.
pub(crate) fn status<'a>(
    question: Question<'_, 'a>,
    crls: &[Crl<'a>],
    authority: &mut impl Authority<'a>,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Answer>, Exhausted> {
    let points = scope::points(question.certificate);
    let mut covered = Covered::default();
    for (number, crl) in crls.iter().enumerate() {
        // By several points a list may cover several parts of the reasons.
        let reasons = points
            .iter()
            .filter_map(|point| scope::reasons_covered(question.certificate, point, crl))
            .reduce(|some, others| some | others);
        let Some(reasons) = reasons else {
            continue;
        };
        let mut noticed = Vec::new();
        let answer = ask(question, crls, number, authority, &mut noticed)?;
        // What is known already needs no other list; why one says nothing is of no interest then.
        if !covered.all() {
            findings.append(&mut noticed);
        }
        if let Some(answer) = answer {
            covered.add(answer, number, reasons, authority);
        }
    }
    if !covered.all() && covered.answers.is_empty() {
        note_unused(question, crls, covered.reasons, findings);
    }
    Ok(covered.answers)
}

/// What the lists that were asked say together.
#[derive(Default)]
struct Covered {
    answers: Vec<Answer>,
    /// The reasons for which lists say "not revoked".
    reasons: u16,
    /// Of lists that cover a part of the reasons each, the one that knows least: it tells how much is known.
    parts: Option<Answer>,
}

impl Covered {
    const fn all(&self) -> bool {
        self.reasons == ALL_REASONS
    }

    fn add<'a>(
        &mut self,
        answer: Answer,
        number: usize,
        reasons: u16,
        authority: &mut impl Authority<'a>,
    ) {
        if matches!(answer.saying, Saying::Listed(_)) {
            self.answers.push(answer);
        } else if reasons == ALL_REASONS {
            if !self.all() || authority.trusts(number) {
                authority.rely_on(number);
                self.answers.push(answer);
            }
            self.reasons = ALL_REASONS;
        } else if reasons & !self.reasons != 0 {
            authority.rely_on(number);
            self.reasons |= reasons;
            let parts = self
                .parts
                .map_or(answer, |other| other.less_informed(answer));
            self.parts = Some(parts);
            if self.all() {
                self.answers.push(parts);
            }
        }
    }
}

/// Says why nothing answered: CRLs of the right issuer with another scope, deltas alone, or a part of the reasons.
fn note_unused(
    question: Question<'_, '_>,
    crls: &[Crl<'_>],
    covered: u16,
    findings: &mut Vec<Finding>,
) {
    let certificate = question.certificate;
    if covered != 0 {
        findings.push(
            Finding::new(code::CRL_REASONS_INCOMPLETE, Place::root()).with(certificate.title()),
        );
    }
    let points = scope::points(certificate);
    for crl in crls
        .iter()
        .filter(|crl| crl.issuer == *certificate.issuer())
    {
        if crl.delta_base.is_some() {
            findings
                .push(Finding::new(code::CRL_DELTA_WITHOUT_BASE, Place::root()).with(&crl.issuer));
        } else if points
            .iter()
            .all(|point| scope::reasons_covered(certificate, point, crl).is_none())
        {
            findings.push(
                Finding::new(code::CRL_OUT_OF_SCOPE, Place::root())
                    .with(&crl.issuer)
                    .with(certificate.title()),
            );
        }
    }
}

/// Asks one CRL, a complete one together with a delta CRL if one fits. `None` if it says nothing about the time in question.
fn ask<'a>(
    question: Question<'_, 'a>,
    crls: &[Crl<'a>],
    number: usize,
    authority: &mut impl Authority<'a>,
    findings: &mut Vec<Finding>,
) -> Result<Option<Answer>, Exhausted> {
    let Some(crl) = crls.get(number) else {
        return Ok(None);
    };
    if let Some(oid) = &crl.unknown_critical {
        let finding = Finding::new(code::CRL_UNKNOWN_CRITICAL, Place::root());
        findings.push(finding.with(&crl.issuer).with(oid));
        return Ok(None);
    }
    if let Some(reason) = not_yet_issued(question, crl) {
        findings.push(reason);
        return Ok(None);
    }
    let complete = crl.delta_base.is_none();
    let delta = if complete {
        delta_of(question, crls, number, authority)?
    } else {
        None
    };
    let own = question.moment(crl.this_update, crl.next_update);
    let (moment, issued) = match delta.and_then(|delta| crls.get(delta)) {
        Some(delta) => (
            question.moment(delta.this_update, delta.next_update),
            delta.this_update,
        ),
        None => (own, crl.this_update),
    };
    if let Err(reason) = authority.vouches_for(number)? {
        findings.push(reason);
        return Ok(None);
    }
    let delta = delta.and_then(|delta| crls.get(delta));
    let answer = look_up(question, crl, delta, authority)?.map(|saying| Answer {
        source: Source::Crl(number),
        saying,
        issued,
        moment,
    });
    let good = answer.is_some_and(|answer| answer.saying == Saying::Good);
    // A list that is badly made is not believed where it leaves somebody out; whom it lists, it lists.
    if let Some(reason) = badly_made(question, crl) {
        findings.push(reason);
        return Ok(answer.filter(Answer::is_final));
    }
    if let Some(reason) = says_nothing_good(question, crl).filter(|_| delta.is_none()) {
        if answer.is_none_or(|answer| !answer.is_final()) {
            findings.push(reason);
        }
        return Ok(answer.filter(|_| !good));
    }
    // A delta alone tells only what was revoked since its base.
    Ok(answer.filter(|answer| complete || answer.is_final()))
}

/// (i) The delta first, (k) unless it takes the certificate off the list.
fn look_up<'a>(
    question: Question<'_, 'a>,
    crl: &Crl<'a>,
    delta: Option<&Crl<'a>>,
    authority: &mut impl Authority<'a>,
) -> Result<Option<Saying>, Exhausted> {
    let certificate = question.certificate;
    let (issuer, serial) = (certificate.issuer(), certificate.serial());
    if let Some(delta) = delta {
        match delta.look_up(issuer, serial, authority.budget()) {
            Lookup::Listed(entry) if entry.reason == Reason::RemoveFromCrl => {
                return Ok(Some(Saying::Good));
            }
            Lookup::Absent => {}
            answer @ (Lookup::Listed(_) | Lookup::Unusable | Lookup::Exhausted(_)) => {
                return settled(answer);
            }
        }
    }
    settled(crl.look_up(issuer, serial, authority.budget()))
}

fn settled(answer: Lookup) -> Result<Option<Saying>, Exhausted> {
    match answer {
        Lookup::Exhausted(exhausted) => Err(exhausted),
        Lookup::Unusable => Ok(None),
        Lookup::Absent => Ok(Some(Saying::Good)),
        Lookup::Listed(entry) => Ok(Some(Saying::Listed(entry))),
    }
}

/// Is the CRL not made as §5.2 demands? Somebody who does not read its scope would take it for a full one.
fn badly_made(question: Question<'_, '_>, crl: &Crl<'_>) -> Option<Finding> {
    let oid = match question.profile {
        ProfileRule::Ignore => None,
        ProfileRule::Contradictions => crl.wrong_criticality.clone(),
        ProfileRule::Everything => crl.wrong_criticality.clone().or_else(|| {
            let missing = crl.number.is_none();
            missing.then_some(oid::CE_CRL_NUMBER)
        }),
    };
    let finding = Finding::new(code::CRL_FORM, Place::root()).with(&crl.issuer);
    oid.map(|oid| finding.with(oid))
}

/// Was the CRL issued after everything that may be used?
fn not_yet_issued(question: Question<'_, '_>, crl: &Crl<'_>) -> Option<Finding> {
    let finding = Finding::new(code::CRL_NOT_YET_ISSUED, Place::root()).with(&crl.issuer);
    (crl.this_update > question.material_time).then(|| {
        finding
            .with(civil_time(crl.this_update))
            .with(civil_time(question.material_time))
    })
}

/// Why it says nothing about the time in question that a certificate is not on the CRL.
fn says_nothing_good(question: Question<'_, '_>, crl: &Crl<'_>) -> Option<Finding> {
    let finding = |code| Finding::new(code, Place::root()).with(&crl.issuer);
    let end = question.certificate.not_after();
    let kept = crl.expired_kept_since.is_some_and(|since| since <= end);
    if crl.this_update > question.time && crl.this_update > end && !kept {
        return Some(finding(code::CRL_AFTER_CERTIFICATE).with(civil_time(crl.this_update)));
    }
    match (
        question.moment(crl.this_update, crl.next_update),
        crl.next_update,
    ) {
        (Moment::OutOfDate, None) => Some(finding(code::CRL_WITHOUT_NEXT_UPDATE)),
        (Moment::OutOfDate, Some(next)) => Some(
            finding(code::CRL_OUT_OF_DATE)
                .with(civil_time(next))
                .with(civil_time(question.time)),
        ),
        _ => None,
    }
}

/// The newest delta CRL that can be combined with a complete one (§5.2.4, §6.3.3 (c), (h)).
fn delta_of<'a>(
    question: Question<'_, 'a>,
    crls: &[Crl<'a>],
    number: usize,
    authority: &mut impl Authority<'a>,
) -> Result<Option<usize>, Exhausted> {
    let Some(base) = crls.get(number) else {
        return Ok(None);
    };
    let Some(base_number) = base.number else {
        return Ok(None);
    };
    let mut fitting: Vec<(usize, &Crl<'a>)> = crls
        .iter()
        .enumerate()
        .filter(|(_, delta)| {
            // (c)(1) issuer, (2) scope, (3) key; §5.2.4: the base is not older than the delta's base, and older than the delta.
            delta.issuer == base.issuer
                && delta.scope.raw == base.scope.raw
                && delta.authority_key_identifier == base.authority_key_identifier
                && delta.unknown_critical.is_none()
                && delta
                    .delta_base
                    .is_some_and(|least| !below(base_number, least))
                && delta
                    .number
                    .is_some_and(|number| below(base_number, number))
                && not_yet_issued(question, delta).is_none()
                && says_nothing_good(question, delta).is_none()
        })
        .collect();
    fitting.sort_by_key(|(_, delta)| std::cmp::Reverse(delta.this_update));
    if fitting.is_empty() || authority.vouches_for(number)?.is_err() {
        return Ok(None);
    }
    for (candidate, _) in fitting {
        if authority.vouches_for(candidate)?.is_ok() && authority.same_signer(candidate, number) {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// Compares CRL numbers: magnitudes without leading zeros.
fn below(number: &[u8], limit: &[u8]) -> bool {
    (number.len(), number) < (limit.len(), limit)
}
