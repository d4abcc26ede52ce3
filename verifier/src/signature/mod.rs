//! Judges CMS and CAdES signatures (RFC 5652, EN 319 122-1, RFC 5126) after EN 319 102-1 §5.2 to §5.6.
//!
//! Each signer is judged apart: form and mathematics of the signature (`basic`), the time-stamps in it from the newest inwards (`stamps`),
//! then the trust in the signer as of the earliest time at which the signature is proven to exist (`trust`). Time-stamps over the same
//! signature are alternatives as proofs are elsewhere (ADR 0015): one that has aged proves nothing, one that is broken fails the whole.

mod basic;
mod material;
mod stamps;
mod trust;

use formats::cades::{Level, SignatureParts, SignerParts, level_of};
use formats::cms::{SignedData, SignerInfo};
use formats::der::Reader;
use formats::digest::DigestAlgorithm;
use formats::oid;
use formats::raw::Raw;
use time::OffsetDateTime;

use self::material::SignatureMaterial;
use crate::context::Context;
use crate::finding::{Code, Finding, Place, signature as codes};
use crate::judgement::Judgement;
use crate::notes::Notes;
use crate::report::text::civil_time;
use crate::report::{ObjectKind, ObjectReport, facts};
use crate::source::{DataBytes, DigestSource};
use crate::timestamp::Standing;
use crate::verdict::SubIndication;

/// Signers that are judged. The largest collected file has 6; each may take the whole budget of a path.
pub const SIGNERS_JUDGED_MAX: usize = 32;

/// Time-stamps that are judged in one file. One archive time-stamp a year for a hundred years, and the others of several signers.
pub const TIMESTAMPS_JUDGED_MAX: usize = 256;

/// What was found about one file of signatures.
#[derive(Clone, Debug)]
pub struct SignatureReport {
    /// The judgement: every signer has to pass.
    pub judgement: Judgement,
    /// Since when every signature is proven to exist; only if the judgement has passed and time-stamps say so.
    pub existence: Option<OffsetDateTime>,
    /// The earliest such time, whatever the judgement; from time-stamps that passed.
    pub stated: Option<OffsetDateTime>,
    /// Per data object, in the order given: whether every signer signed it.
    pub covered: Vec<bool>,
    /// Per signer, the level of its attributes; `None` where nothing binds the certificate, so that it is CMS and not CAdES.
    pub levels: Vec<Option<Level>>,
    /// What was noticed.
    pub findings: Vec<Finding>,
    /// Each signature and each of its time-stamps, for the report.
    pub objects: Vec<ObjectReport>,
}

impl SignatureReport {
    /// Whether `code` is among the findings.
    #[must_use]
    pub fn has(&self, code: Code) -> bool {
        self.findings.iter().any(|finding| finding.code() == code)
    }
}

/// Judges a file of signatures over `data` (for a detached signature), as of `context.time`.
///
/// A signature that holds its content needs no data; what is given is compared with it.
#[must_use]
pub fn verify_signature_file(
    bytes: &[u8],
    data: &[&dyn DigestSource],
    context: &Context<'_>,
    place: &Place,
) -> SignatureReport {
    let standing = Standing {
        judged_at: context.time,
        protected: false,
    };
    verify_signature_standing(bytes, data, standing, context, place)
}

/// Judges a file of signatures where it stands: a later proof may cover it.
#[must_use]
pub fn verify_signature_standing(
    bytes: &[u8],
    data: &[&dyn DigestSource],
    standing: Standing,
    context: &Context<'_>,
    place: &Place,
) -> SignatureReport {
    let (bytes, padding) = without_padding(bytes);
    let parsed = SignedData::parse(bytes)
        .and_then(|signed_data| Ok((signed_data, SignatureParts::parse(bytes)?)));
    let (signed_data, parts) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return malformed(place, data, &error.to_string()),
    };
    let mut report = SignatureReport {
        judgement: Judgement::PASSED,
        existence: None,
        stated: None,
        covered: vec![true; data.len()],
        levels: Vec::with_capacity(signed_data.signers.len()),
        findings: Vec::new(),
        objects: Vec::new(),
    };
    if padding > 0 {
        let finding = Finding::new(codes::SIGNATURE_PADDED, place.clone());
        report.findings.push(finding.with(padding));
    }
    if signed_data.signers.is_empty() {
        let finding = Finding::new(codes::SIGNATURE_WITHOUT_SIGNER, place.clone());
        report.refuse(SubIndication::FormatFailure, finding);
        report.covered = vec![false; data.len()];
    }
    let content = parts
        .content
        .as_deref()
        .map(|octets| DataBytes::new("content", octets));
    let mut stamps_left = TIMESTAMPS_JUDGED_MAX;
    let mut times = Vec::new();
    for (number, (signer, cuts)) in signed_data.signers.iter().zip(&parts.signers).enumerate() {
        let place = place.item("signer", number);
        if number >= SIGNERS_JUDGED_MAX {
            let finding = Finding::new(codes::SIGNATURE_TOO_MANY, place).with(SIGNERS_JUDGED_MAX);
            report.undecided(finding);
            break;
        }
        let subject = Subject {
            signed_data: &signed_data,
            parts: &parts,
            signer,
            cuts,
            content: content
                .as_ref()
                .map(|content| -> &dyn DigestSource { content }),
            data,
        };
        let circumstances = (standing, context);
        times.push(report.add_signer(&subject, circumstances, &place, &mut stamps_left));
    }
    let all: Option<Vec<OffsetDateTime>> = times.iter().copied().collect();
    report.stated = all.and_then(|times| times.into_iter().max());
    report.existence = report.stated.filter(|_| report.judgement.is_passed());
    report
}

/// A signature that was cut out of a PDF brings the zeros along that fill its place there.
fn without_padding(bytes: &[u8]) -> (&[u8], usize) {
    let own = || {
        let mut reader = Reader::new(bytes, "ContentInfo").ok()?;
        let own = reader.read().ok()?.raw();
        let rest = bytes.get(own.len()..)?;
        rest.iter()
            .all(|byte| *byte == 0)
            .then_some((own, rest.len()))
    };
    own().unwrap_or((bytes, 0))
}

fn malformed(place: &Place, data: &[&dyn DigestSource], why: &str) -> SignatureReport {
    let judgement = Judgement::broken(SubIndication::FormatFailure);
    SignatureReport {
        judgement,
        existence: None,
        stated: None,
        covered: vec![false; data.len()],
        levels: Vec::new(),
        findings: vec![Finding::new(codes::SIGNATURE_MALFORMED, place.clone()).with(why)],
        objects: vec![ObjectReport::new(
            ObjectKind::Signature,
            place.clone(),
            judgement,
        )],
    }
}

impl SignatureReport {
    fn refuse(&mut self, reason: SubIndication, finding: Finding) {
        self.judgement.add(Judgement::broken(reason));
        self.findings.push(finding);
    }

    fn undecided(&mut self, finding: Finding) {
        self.judgement
            .add(Judgement::unknown(SubIndication::Custom));
        self.findings.push(finding);
    }

    /// Judges one signer; gives the earliest time at which its signature is proven to exist.
    fn add_signer(
        &mut self,
        subject: &Subject<'_>,
        (standing, context): (Standing, &Context<'_>),
        place: &Place,
        stamps_left: &mut usize,
    ) -> Option<OffsetDateTime> {
        let material = SignatureMaterial::collect(subject, context);
        let context = &material.extend(context);
        let mut notes = Notes::new(place);
        material.tell(&mut notes);
        let target = subject.target();
        let basic = basic::check(&mut notes, subject, target, context);
        for (number, covered) in self.covered.iter_mut().enumerate() {
            *covered &= subject.covers(number);
        }
        note_what_is_not_judged(&mut notes, subject.signer);
        let stamps = stamps::judge(
            &mut notes,
            subject,
            target,
            (standing, context),
            stamps_left,
        );
        let path = basic
            .as_ref()
            .map(|basic| trust::judge(&mut notes, basic, stamps.proven, context));
        // A time-stamp that has aged is passed over; whatever else is wrong with one counts.
        let mut findings = notes.findings;
        for stamp in stamps.reports {
            findings.extend(stamp.findings);
            self.objects.push(stamp.object);
            notes.judgement.add(stamp.binding);
        }
        let level = level_of(subject.signed_data, subject.signer);
        let mut object = object_of(
            subject,
            basic.as_ref(),
            level,
            stamps.proven,
            notes.judgement,
            place,
        );
        facts::fill(&mut object, subject.signer);
        object.add_path(path.unwrap_or_default());
        self.levels.push(level);
        self.judgement.add(notes.judgement);
        self.findings.extend(findings);
        let at = self.objects.len().saturating_sub(stamps.count);
        self.objects.insert(at, object);
        stamps.proven
    }
}

fn object_of(
    subject: &Subject<'_>,
    basic: Option<&basic::Basic>,
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
    if let Some(basic) = basic {
        object = object
            .with("signer", basic.certificate.subject_text())
            .with("issuer", basic.certificate.issuer_text());
        if let Some(algorithm) = basic.algorithm {
            object = object.with("signature-algorithm", algorithm.to_string());
        }
    }
    object
}

/// Parts of a signature that this version does not judge keep the answer open: something may be wrong with them.
fn note_what_is_not_judged(notes: &mut Notes<'_>, signer: &SignerInfo) {
    for (attribute, name) in [
        (oid::COUNTERSIGNATURE, "countersignature"),
        (oid::EVIDENCE_RECORD_INTERNAL, "evidence record (internal)"),
        (oid::EVIDENCE_RECORD_EXTERNAL, "evidence record (external)"),
        (oid::ARCHIVE_TIME_STAMP_V1, "archive-time-stamp"),
    ] {
        if signer.unsigned(&attribute).next().is_some() {
            notes.judgement.add(Judgement::NOT_JUDGED);
            notes.note(codes::SIGNATURE_PART_NOT_JUDGED, [name]);
        }
    }
}

/// One signer with what its signature is over.
struct Subject<'a> {
    signed_data: &'a Raw<SignedData>,
    parts: &'a SignatureParts,
    signer: &'a SignerInfo,
    cuts: &'a SignerParts,
    /// The content, if the signature holds it.
    content: Option<&'a dyn DigestSource>,
    /// What was given beside the file.
    data: &'a [&'a dyn DigestSource],
}

impl<'a> Subject<'a> {
    /// What the signature is compared with: its content, or the data object that has the signed digest, or the first one.
    fn target(&self) -> Option<&'a dyn DigestSource> {
        let first = self.data.first().copied();
        self.content
            .or_else(|| self.data.iter().copied().find(|data| self.signs(*data)))
            .or(first)
    }

    fn signs(&self, data: &dyn DigestSource) -> bool {
        let digest = || {
            let algorithm = self.signer.digest_algorithm.digest_algorithm()?;
            let signed = self.signer.message_digest().ok()??;
            (data.digest(algorithm)?.as_bytes() == signed).then_some(())
        };
        digest().is_some()
    }

    /// Whether the data object with this number is what was signed.
    fn covers(&self, number: usize) -> bool {
        let Some(data) = self.data.get(number) else {
            return false;
        };
        match self.content {
            None => self.signs(*data),
            Some(content) => {
                let algorithm = DigestAlgorithm::Sha256;
                let own = content.digest(algorithm);
                own.is_some() && own == data.digest(algorithm)
            }
        }
    }
}
