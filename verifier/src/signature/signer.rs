//! The judgement of one signer, or of one countersigner: EN 319 102-1 §5.3, §5.5 and §5.6 in one run.
//!
//! Form and mathematics first; then the proofs from the newest inwards (what stands around the file, evidence records, time-stamps); then the trust in the
//! certificate with what they have proven; at last the countersignatures.

use formats::cades::{Level, level_of};
use formats::cms::SignerInfo;
use formats::oid;
use time::OffsetDateTime;

use super::basic::{self, Basic};
use super::material::SignatureMaterial;
use super::stamps::{self, Stamps};
use super::subject::Subject;
use super::{counter, records, trust};
use crate::context::Context;
use crate::finding::{Finding, Place, signature as codes};
use crate::judgement::Judgement;
use crate::notes::Notes;
use crate::poe::PoeSet;
use crate::report::text::civil_time;
use crate::report::{ObjectKind, ObjectReport, ValidationProcess, facts};
use crate::timestamp::Standing;

/// Where a signature stands.
pub(super) struct Circumstances<'a> {
    pub(super) standing: Standing,
    pub(super) context: &'a Context<'a>,
    /// The whole file.
    pub(super) bytes: &'a [u8],
}

/// What may still be judged in one file.
pub(super) struct Limits {
    pub(super) signers: usize,
    pub(super) stamps: usize,
    pub(super) records: usize,
}

impl Limits {
    /// Takes one signer, if any is left.
    pub(super) const fn take_signer(&mut self) -> bool {
        let left = self.signers > 0;
        self.signers = self.signers.saturating_sub(1);
        left
    }

    /// Takes one evidence record, if any is left.
    pub(super) const fn take_record(&mut self) -> bool {
        let left = self.records > 0;
        self.records = self.records.saturating_sub(1);
        left
    }
}

/// What was found about one signer.
pub(super) struct SignerAnswer {
    /// With its time-stamps, evidence records and countersignatures.
    pub(super) judgement: Judgement,
    /// Since when the signature is proven to exist.
    pub(super) proven: Option<OffsetDateTime>,
    pub(super) level: Option<Level>,
    pub(super) findings: Vec<Finding>,
    /// The signature itself first.
    pub(super) objects: Vec<ObjectReport>,
}

impl SignerAnswer {
    pub(super) fn without_object(judgement: Judgement, finding: Finding) -> Self {
        Self {
            judgement,
            proven: None,
            level: None,
            findings: vec![finding],
            objects: Vec::new(),
        }
    }
}

/// Judges one signer with what is `known` to exist already.
pub(super) fn judge_signer(
    subject: &Subject<'_>,
    circumstances: &Circumstances<'_>,
    known: &PoeSet,
    place: &Place,
    limits: &mut Limits,
) -> SignerAnswer {
    let material = SignatureMaterial::collect(subject, circumstances.context);
    let context = &material.extend(circumstances.context);
    let circumstances = Circumstances {
        context,
        standing: circumstances.standing,
        bytes: circumstances.bytes,
    };
    let mut notes = Notes::new(place);
    material.tell(&mut notes);
    let target = subject.target();
    let basic = basic::check(&mut notes, subject, target, context);
    let mut proofs = known.clone();
    // What covers a countersignature need not cover the certificates beside the signer; what does is known already.
    if !subject.is_countersignature() {
        add_outer(&mut proofs, subject, circumstances.standing, place);
    }
    let records = if subject.is_countersignature() {
        if subject
            .cuts
            .unsigned_attributes
            .iter()
            .any(records::is_record)
        {
            notes.judgement.add(Judgement::NOT_JUDGED);
            notes.note(codes::SIGNATURE_PART_NOT_JUDGED, ["evidence record"]);
        }
        Vec::new()
    } else {
        records::judge(subject, &circumstances, &mut proofs, place, limits)
    };
    let of_records = records.iter().filter_map(|record| record.proves).min();
    let mut stamps = stamps::judge(
        &mut notes,
        subject,
        target,
        &circumstances,
        &mut proofs,
        limits,
    );
    stamps.proven = stamps.proven.into_iter().chain(of_records).min();
    let path = basic
        .as_ref()
        .map(|basic| trust::judge(&mut notes, basic, &stamps, &proofs, context));
    let mut answer = assemble(subject, basic.as_ref(), &notes, &stamps, place);
    answer.findings = notes.findings;
    if let Some(object) = answer.objects.first_mut() {
        facts::fill(object, subject.signer);
        object.add_path(path.unwrap_or_default());
    }
    for report in records.into_iter().chain(stamps.reports) {
        answer.judgement.add(report.binding);
        answer.findings.extend(report.findings);
        answer.objects.extend(report.objects);
    }
    if let Some(object) = answer.objects.first_mut() {
        object.judgement = answer.judgement;
    }
    for counter in counter::judge(subject, &proofs, &circumstances, place, limits) {
        answer.judgement.add(counter.judgement);
        answer.findings.extend(counter.findings);
        answer.objects.extend(counter.objects);
    }
    answer
}

/// A proof that covers the whole file proves all that stands in it.
fn add_outer(proofs: &mut PoeSet, subject: &Subject<'_>, standing: Standing, place: &Place) {
    if !standing.protected {
        return;
    }
    let time = standing.judged_at;
    proofs.add(&subject.cuts.signature, time, place);
    proofs.add_members(subject.signed_data, time, place);
    for attribute in &subject.cuts.unsigned_attributes {
        proofs.add_attribute(attribute, time, place);
    }
}

fn assemble(
    subject: &Subject<'_>,
    basic: Option<&Basic>,
    notes: &Notes<'_>,
    stamps: &Stamps,
    place: &Place,
) -> SignerAnswer {
    let level = level_of(subject.signed_data, subject.signer);
    let mut object = object_of(subject, basic, level, stamps.proven, notes.judgement, place);
    object.process = Some(process_of(subject.signer, level, stamps));
    SignerAnswer {
        judgement: notes.judgement,
        proven: stamps.proven,
        level,
        findings: Vec::new(),
        objects: vec![object],
    }
}

/// The process that the material in the signature calls for (EN 319 102-1 §5.3, §5.5, §5.6).
fn process_of(signer: &SignerInfo, level: Option<Level>, stamps: &Stamps) -> ValidationProcess {
    let has = |oid| signer.unsigned(&oid).next().is_some();
    let recorded = has(oid::EVIDENCE_RECORD_INTERNAL) || has(oid::EVIDENCE_RECORD_EXTERNAL);
    let archived = [
        oid::ARCHIVE_TIME_STAMP_V1,
        oid::ARCHIVE_TIME_STAMP_V2,
        oid::ARCHIVE_TIME_STAMP_V3,
    ];
    if recorded || stamps.is_protected || archived.into_iter().any(has) {
        ValidationProcess::ArchiveMaterial
    } else if level.is_some_and(|level| level > Level::Bes) || has(oid::SIGNATURE_TIME_STAMP) {
        ValidationProcess::LongTermMaterial
    } else {
        ValidationProcess::Basic
    }
}

fn object_of(
    subject: &Subject<'_>,
    basic: Option<&Basic>,
    level: Option<Level>,
    proven: Option<OffsetDateTime>,
    judgement: Judgement,
    place: &Place,
) -> ObjectReport {
    let mut object = ObjectReport::new(ObjectKind::Signature, place.clone(), judgement);
    object.time = proven;
    let data = subject.data.iter().enumerate();
    object.covers = data
        .filter(|(number, _)| subject.covers(*number))
        .map(|(_, data)| data.name().to_owned())
        .collect();
    if let Some(level) = level {
        object = object.with("level", level.es_name());
        let baseline = level.baseline_name();
        if let Some(name) = baseline.and_then(|name| name.strip_prefix("B-")) {
            object = object.with("baseline-level", format!("CAdES-BASELINE-{name}"));
        }
    }
    if let Ok(Some(claimed)) = subject.signer.signing_time() {
        object = object.with("claimed-signing-time", civil_time(claimed));
    }
    if let Some(policy) = basic::policy_of(subject.signer) {
        object = object.with("signature-policy", policy);
    }
    if let Some(basic) = basic {
        object = object
            .with("signer", basic.certificate.subject_text())
            .with("issuer", basic.certificate.issuer_text());
        if let Some(name) = basic.certificate.subject_common_name() {
            object = object.with("signer-name", name);
        }
        if let Some(algorithm) = basic.algorithm {
            object = object.with("signature-algorithm", algorithm.to_string());
        }
    }
    object
}
