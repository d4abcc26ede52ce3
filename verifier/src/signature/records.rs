//! Evidence records in a signature (RFC 4998 appendix A, ETSI TS 119 122-3): internal ones are over the signature as it was before they were put in,
//! external ones over that and over the data that is signed.
//!
//! "As it was before" can be read in several ways where there are several records; the digest is taken in the coding in which the signature stands, and if that
//! leads nowhere in DER. A reading counts if its bytes stand in the record, so trying several can prove nothing that was not there.

use formats::cades::{Kept, to_der, without_attributes};
use formats::cms::Attribute;
use formats::oid;

use super::signer::{Circumstances, Limits};
use super::stamps::StampReport;
use super::subject::Subject;
use crate::alternatives::set_aside;
use crate::evidence::{EvidenceReport, Group, covers_any, verify_any_record_standing};
use crate::finding::{Finding, Place, evidence, signature as codes, xmlers};
use crate::judgement::Judgement;
use crate::poe::PoeSet;
use crate::source::{DataBytes, DigestSource};
use crate::verdict::SubIndication;

/// Whether an attribute holds evidence records.
pub(super) fn is_record(attribute: &Attribute) -> bool {
    attribute.oid == oid::EVIDENCE_RECORD_INTERNAL || attribute.oid == oid::EVIDENCE_RECORD_EXTERNAL
}

/// One evidence record with its place in the signature.
struct Embedded<'a> {
    bytes: &'a [u8],
    /// The attribute and the value of it.
    at: (usize, usize),
    is_external: bool,
    place: Place,
}

impl Embedded<'_> {
    const fn kind(&self) -> &'static str {
        if self.is_external {
            "external"
        } else {
            "internal"
        }
    }
}

/// Judges every evidence record in a signature; what one proves that has passed is added to the proofs.
pub(super) fn judge(
    subject: &Subject<'_>,
    circumstances: &Circumstances<'_>,
    proofs: &mut PoeSet,
    place: &Place,
    limits: &mut Limits,
) -> Vec<StampReport> {
    let mut reports = Vec::new();
    for record in all(subject, place) {
        if !limits.take_record() {
            reports.push(StampReport::left_out(&record.place));
            break;
        }
        reports.push(judge_one(subject, &record, circumstances, proofs));
    }
    reports
}

fn all<'s>(subject: &Subject<'s>, place: &Place) -> Vec<Embedded<'s>> {
    let attributes = subject.cuts.unsigned_attributes.iter().enumerate();
    let values = attributes
        .filter(|(_, attribute)| is_record(attribute))
        .flat_map(|(number, attribute)| {
            let values = attribute.values.iter().enumerate();
            values.map(move |(value, bytes)| (number, value, attribute, bytes))
        });
    values
        .enumerate()
        .map(|(count, (attribute, value, of, bytes))| Embedded {
            bytes,
            at: (attribute, value),
            is_external: of.oid == oid::EVIDENCE_RECORD_EXTERNAL,
            place: place.item("evidence-record", count),
        })
        .collect()
}

fn judge_one(
    subject: &Subject<'_>,
    record: &Embedded<'_>,
    circumstances: &Circumstances<'_>,
    proofs: &mut PoeSet,
) -> StampReport {
    let readings = readings(subject, record, circumstances.bytes);
    let own = readings
        .iter()
        .map(|bytes| DataBytes::new("signature", bytes.as_slice()));
    let own: Vec<DataBytes<'_>> = own.collect();
    let found = own
        .iter()
        .find(|reading| covers_any(record.bytes, *reading));
    let mut data: Vec<&dyn DigestSource> = Vec::new();
    if let Some(reading) = found.or(own.first()) {
        data.push(reading);
    }
    // Without the signature a record over the document would prove it all the same.
    let mut missing = own
        .is_empty()
        .then(|| Finding::new(codes::SIGNATURE_DATA_MISSING, record.place.clone()));
    if record.is_external {
        match subject.target() {
            Some(target) if subject.content.is_none() => data.push(target),
            Some(_) => {}
            None => {
                missing = Some(Finding::new(
                    codes::SIGNATURE_DATA_MISSING,
                    record.place.clone(),
                ));
            }
        }
    }
    let mut report = verify_any_record_standing(
        record.bytes,
        &data,
        Group::Members,
        circumstances.standing,
        circumstances.context,
        &record.place,
    );
    check_form(subject, record, &mut report);
    if let Some(finding) = missing {
        let reason = Judgement::unknown(SubIndication::SignedDataNotFound);
        report.judgement.add(reason);
        report.findings.push(finding);
    }
    let time = report.existence.filter(|_| report.judgement.is_passed());
    if let Some(time) = time {
        add_proofs(subject, proofs, time, &record.place);
    }
    let mut binding = report.judgement;
    if binding.can_be_passed_over() {
        let code = codes::SIGNATURE_STAMP_NOT_COUNTED;
        set_aside(code, binding, &record.place, &mut report.findings);
        binding = Judgement::PASSED;
    }
    if let Some(object) = report.objects.first_mut() {
        object.judgement = report.judgement;
        object.set("kind", record.kind());
    }
    StampReport {
        binding,
        findings: report.findings,
        objects: report.objects,
        proves: time,
    }
}

/// An internal record belongs in a signature that holds its content, an external one in a detached signature (TS 119 122-3): in the other attribute
/// the reader is told wrongly what is covered. Of what stands inside of a signature nothing else says what it is over, so a tree that fits only by a
/// reading that the standard does not have is broken.
fn check_form(subject: &Subject<'_>, record: &Embedded<'_>, report: &mut EvidenceReport) {
    let double = [
        evidence::EVIDENCE_READ_DOUBLE_HASH,
        xmlers::XML_EVIDENCE_READ_DOUBLE_HASH,
    ];
    if double.into_iter().any(|code| report.has(code)) {
        let reason = Judgement::broken(SubIndication::HashFailure);
        report.judgement.add(reason);
    }
    if record.is_external == subject.content.is_some() {
        let reason = Judgement::because(SubIndication::SigConstraintsFailure);
        report.judgement.add(reason);
        let finding = Finding::new(codes::SIGNATURE_RECORD_MISPLACED, record.place.clone());
        report.findings.push(finding.with(record.kind()));
    }
}

/// The signature and all that stands in it, but the records themselves.
fn add_proofs(subject: &Subject<'_>, proofs: &mut PoeSet, time: time::OffsetDateTime, by: &Place) {
    proofs.add(&subject.cuts.signature, time, by);
    proofs.add_members(subject.signed_data, time, by);
    let attributes = subject.cuts.unsigned_attributes.iter();
    for attribute in attributes.filter(|attribute| !is_record(attribute)) {
        proofs.add_attribute(attribute, time, by);
    }
}

/// The signature as it may have been when the record was made, the likeliest first. Records that came before it may be there or not.
fn readings(subject: &Subject<'_>, record: &Embedded<'_>, bytes: &[u8]) -> Vec<Vec<u8>> {
    let position = subject.position.unwrap_or(usize::MAX);
    let (attribute, value) = record.at;
    let of_record = |one: &Attribute| {
        if is_record(one) {
            Kept::Nothing
        } else {
            Kept::Whole
        }
    };
    let itself = |signer: usize, at: usize| signer == position && at == attribute;
    let mut readings: Vec<Vec<u8>> = Vec::new();
    let mut add = |reading: formats::error::Result<Vec<u8>>| {
        if let Ok(reading) = reading
            && !readings.contains(&reading)
        {
            readings.push(reading);
        }
    };
    // Without any record of this signer, of any signer; with those before it; with all others.
    add(without_attributes(bytes, |signer, _, one| {
        if signer == position {
            of_record(one)
        } else {
            Kept::Whole
        }
    }));
    add(without_attributes(bytes, |_, _, one| of_record(one)));
    add(without_attributes(bytes, |signer, at, one| match at {
        _ if !is_record(one) || signer != position => Kept::Whole,
        at if at < attribute => Kept::Whole,
        at if at == attribute && value > 0 => Kept::FirstValues(value),
        _ => Kept::Nothing,
    }));
    add(without_attributes(bytes, |signer, at, _| {
        if itself(signer, at) {
            Kept::Nothing
        } else {
            Kept::Whole
        }
    }));
    let in_der: Vec<Vec<u8>> = readings
        .iter()
        .filter_map(|reading| to_der(reading).ok())
        .collect();
    readings.extend(in_der);
    readings
}
