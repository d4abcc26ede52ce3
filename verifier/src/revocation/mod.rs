//! The status of a certificate by CRLs (RFC 5280 §6.3) and OCSP responses (RFC 6960), at a past time if asked.
//!
//! RFC 5280 asks "is it revoked now?". Evidence is judged later: information that was issued after the time in question also answers it, and better,
//! because it says *when* the certificate was revoked; but only as long as revoked certificates stay listed, which is until their end (§5.1.2.6).
//! Of several answers the worst counts, and among good ones the best informed.

mod answer;
mod crl;
mod ocsp;
mod scope;

use time::OffsetDateTime;

pub(crate) use answer::{Answer, Moment, Saying, Source, Status};
pub use crl::Reason;
use crl::{ALL_REASONS, Lookup};
pub(crate) use crl::{Crl, Entry};
pub(crate) use ocsp::{Ocsp, Responders, answers};

use crate::budget::{Budget, Exhausted};
use crate::certificate::Certificate;
use crate::finding::{Finding, Place, revocation as code};
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
}

impl Question<'_, '_> {
    /// How information that was issued at this time stands to the question; `None` if it says nothing about it.
    fn moment(
        &self,
        issued: OffsetDateTime,
        next_update: Option<OffsetDateTime>,
    ) -> Option<Moment> {
        if issued > self.time {
            return Some(Moment::After);
        }
        if next_update.is_some_and(|next| next >= self.time) {
            return Some(Moment::Current);
        }
        let is_enough = self.enough_since.is_some_and(|since| since <= issued);
        is_enough.then_some(Moment::SinceMade)
    }
}

/// Who may sign a CRL: answered by path validation (§6.3.3 (f), (g)).
pub(crate) trait Authority<'a> {
    /// Does the signature on the CRL with this number verify under the key of somebody who may sign it? If not, the finding says why.
    fn vouches_for(&mut self, crl: usize) -> Result<Result<(), Finding>, Exhausted>;

    /// Do two CRLs, one a delta of the other, come from the same key?
    fn same_signer(&self, one: usize, other: usize) -> bool;

    /// The budget.
    fn budget(&mut self) -> &mut Budget;
}

/// Asks the CRLs (§6.3.3). Findings tell which were left out, and why.
pub(crate) fn status<'a>(
    question: Question<'_, 'a>,
    crls: &[Crl<'a>],
    authority: &mut impl Authority<'a>,
    findings: &mut Vec<Finding>,
) -> Result<Option<Answer>, Exhausted> {
    let mut covered: u16 = 0;
    let mut good: Option<Answer> = None;
    for point in scope::points(question.certificate) {
        for (number, crl) in crls.iter().enumerate() {
            if crl.delta_base.is_some() {
                continue;
            }
            let Some(reasons) = scope::reasons_covered(question.certificate, &point, crl) else {
                continue;
            };
            // (e) Only a CRL that adds reasons is worth a look.
            if reasons & !covered == 0 {
                continue;
            }
            match ask(question, crls, number, authority, findings)? {
                Some(answer) if matches!(answer.saying, Saying::Listed(_)) => {
                    return Ok(Some(answer));
                }
                Some(answer) => {
                    covered |= reasons;
                    // Of lists that cover a part of the reasons each, the oldest tells how much is known.
                    good = Some(good.map_or(answer, |other| other.less_informed(answer)));
                }
                None => {}
            }
            if covered == ALL_REASONS && good.is_some() {
                return Ok(good);
            }
        }
    }
    note_unused(question, crls, covered, findings);
    Ok(None)
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

/// Asks one complete CRL, together with a delta CRL if one fits. `None` if it is not usable.
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
        findings.push(
            Finding::new(code::CRL_UNKNOWN_CRITICAL, Place::root())
                .with(&crl.issuer)
                .with(oid),
        );
        return Ok(None);
    }
    let base = current(question, crl);
    let delta = delta_of(question, crls, number, authority)?;
    let (moment, issued) = match (base, delta) {
        (_, Some((delta, moment))) => {
            let issued = crls.get(delta).map(|delta| delta.this_update);
            (moment, issued.unwrap_or(crl.this_update))
        }
        (Ok(moment), None) => (moment, crl.this_update),
        (Err(reason), None) => {
            findings.push(reason);
            return Ok(None);
        }
    };
    if let Err(reason) = authority.vouches_for(number)? {
        findings.push(reason);
        return Ok(None);
    }
    let delta = delta.and_then(|(delta, _)| crls.get(delta));
    let saying = look_up(question, crl, delta, authority)?;
    Ok(saying.map(|saying| Answer {
        source: Source::Crl(number),
        saying,
        issued,
        moment,
    }))
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

/// Does the CRL say something about the time in question?
fn current(question: Question<'_, '_>, crl: &Crl<'_>) -> Result<Moment, Finding> {
    let finding = |code| Finding::new(code, Place::root()).with(&crl.issuer);
    if crl.this_update > question.material_time {
        return Err(finding(code::CRL_NOT_YET_ISSUED)
            .with(civil_time(crl.this_update))
            .with(civil_time(question.material_time)));
    }
    let end = question.certificate.not_after();
    let kept = crl.expired_kept_since.is_some_and(|since| since <= end);
    if crl.this_update > question.time && crl.this_update > end && !kept {
        return Err(finding(code::CRL_AFTER_CERTIFICATE).with(civil_time(crl.this_update)));
    }
    let moment = question.moment(crl.this_update, crl.next_update);
    moment.ok_or_else(|| match crl.next_update {
        None => finding(code::CRL_WITHOUT_NEXT_UPDATE),
        Some(next) => finding(code::CRL_OUT_OF_DATE)
            .with(civil_time(next))
            .with(civil_time(question.time)),
    })
}

/// The newest delta CRL that can be combined with a complete one (§5.2.4, §6.3.3 (c), (h)).
fn delta_of<'a>(
    question: Question<'_, 'a>,
    crls: &[Crl<'a>],
    number: usize,
    authority: &mut impl Authority<'a>,
) -> Result<Option<(usize, Moment)>, Exhausted> {
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
                && current(question, delta).is_ok()
        })
        .collect();
    fitting.sort_by_key(|(_, delta)| std::cmp::Reverse(delta.this_update));
    if fitting.is_empty() || authority.vouches_for(number)?.is_err() {
        return Ok(None);
    }
    for (candidate, _) in fitting {
        if authority.vouches_for(candidate)?.is_ok() && authority.same_signer(candidate, number) {
            let moment = crls.get(candidate).map(|delta| current(question, delta));
            return Ok(moment
                .and_then(Result::ok)
                .map(|moment| (candidate, moment)));
        }
    }
    Ok(None)
}

/// Compares CRL numbers: magnitudes without leading zeros.
fn below(number: &[u8], limit: &[u8]) -> bool {
    (number.len(), number) < (limit.len(), limit)
}
