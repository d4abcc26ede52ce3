//! The status of a certificate by CRLs (RFC 5280 §6.3), at a past time if asked.
//!
//! RFC 5280 asks "is it revoked now?". Evidence is judged later: a CRL that was issued after the time in question also answers it, and better, because
//! it says *when* the certificate was revoked; but only as long as revoked certificates stay listed, which is until their end (§5.1.2.6).
//! OCSP is not judged yet; [`crate::path::Material`] takes the responses, and a finding says so.

mod crl;
mod scope;

use time::OffsetDateTime;

pub use crl::Reason;
use crl::{ALL_REASONS, Lookup};
pub(crate) use crl::{Crl, Entry};

use crate::budget::{Budget, Exhausted};
use crate::certificate::Certificate;
use crate::finding::{Finding, Place, revocation as code};
use crate::report::text::civil_time;

/// What is known about the revocation of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Not revoked, for every reason; by the CRL with this number, issued at this time.
    Good(usize, OffsetDateTime),
    /// On a list, perhaps since a time after the one in question.
    Listed(Entry),
    /// The material does not tell.
    Unknown,
}

/// The question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'q, 'a> {
    pub(crate) certificate: &'q Certificate<'a>,
    /// The time for which the status is asked.
    pub(crate) time: OffsetDateTime,
    /// The time until which CRLs may have been issued.
    pub(crate) material_time: OffsetDateTime,
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
) -> Result<Status, Exhausted> {
    let mut covered: u16 = 0;
    let mut good = None;
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
                Some(Lookup::Listed(entry)) => return Ok(Status::Listed(entry)),
                Some(Lookup::Absent) => {
                    covered |= reasons;
                    good.get_or_insert((number, crl.this_update));
                }
                Some(Lookup::Unusable | Lookup::Exhausted(_)) | None => {}
            }
            if covered == ALL_REASONS
                && let Some((number, this_update)) = good
            {
                return Ok(Status::Good(number, this_update));
            }
        }
    }
    note_unused(question, crls, covered, findings);
    Ok(Status::Unknown)
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
) -> Result<Option<Lookup>, Exhausted> {
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
    let stale = current(question, crl).err();
    let delta = delta_of(question, crls, number, authority)?;
    if let (Some(reason), None) = (stale, delta) {
        findings.push(reason);
        return Ok(None);
    }
    if let Err(reason) = authority.vouches_for(number)? {
        findings.push(reason);
        return Ok(None);
    }
    let certificate = question.certificate;
    let (issuer, serial) = (certificate.issuer(), certificate.serial());
    // (i) The delta first, (k) unless it takes the certificate off the list.
    if let Some(delta) = delta.and_then(|delta| crls.get(delta)) {
        match delta.look_up(issuer, serial, authority.budget()) {
            Lookup::Listed(entry) if entry.reason == Reason::RemoveFromCrl => {
                return Ok(Some(Lookup::Absent));
            }
            Lookup::Absent => {}
            answer @ (Lookup::Listed(_) | Lookup::Unusable | Lookup::Exhausted(_)) => {
                return settled(answer);
            }
        }
    }
    settled(crl.look_up(issuer, serial, authority.budget()))
}

fn settled(answer: Lookup) -> Result<Option<Lookup>, Exhausted> {
    match answer {
        Lookup::Exhausted(exhausted) => Err(exhausted),
        Lookup::Unusable => Ok(None),
        Lookup::Absent | Lookup::Listed(_) => Ok(Some(answer)),
    }
}

/// Does the CRL say something about the time in question?
fn current(question: Question<'_, '_>, crl: &Crl<'_>) -> Result<(), Finding> {
    let finding = |code| Finding::new(code, Place::root()).with(&crl.issuer);
    if crl.this_update > question.material_time {
        return Err(finding(code::CRL_NOT_YET_ISSUED)
            .with(civil_time(crl.this_update))
            .with(civil_time(question.material_time)));
    }
    if crl.this_update > question.time {
        let end = question.certificate.not_after();
        let kept = crl.expired_kept_since.is_some_and(|since| since <= end);
        if crl.this_update > end && !kept {
            return Err(finding(code::CRL_AFTER_CERTIFICATE).with(civil_time(crl.this_update)));
        }
        return Ok(());
    }
    match crl.next_update {
        None => Err(finding(code::CRL_WITHOUT_NEXT_UPDATE)),
        Some(next) if next < question.time => Err(finding(code::CRL_OUT_OF_DATE)
            .with(civil_time(next))
            .with(civil_time(question.time))),
        Some(_) => Ok(()),
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
                && current(question, delta).is_ok()
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
