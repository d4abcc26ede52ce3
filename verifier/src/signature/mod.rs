//! Judges CMS and CAdES signatures (RFC 5652, EN 319 122-1, RFC 5126) after EN 319 102-1 §5.2 to §5.6.
//!
//! Each signer is judged apart (`signer`): form and mathematics of the signature (`basic`), the evidence records and time-stamps in it from the newest
//! inwards (`records`, `stamps`), the trust in the signer with what they prove to have existed since when (`trust`, [`crate::poe`]), and its countersignatures
//! (`counter`). Proofs of the same signature are alternatives as proofs are elsewhere (ADR 0015): one that has aged proves nothing, one that is
//! broken fails the whole.

mod basic;
mod counter;
mod existence;
mod input;
mod material;
mod order;
mod records;
mod signer;
mod stamps;
mod subject;
mod trust;

use formats::cades::{Level, SignatureParts};
use formats::cms::SignedData;
use formats::der::Reader;
use formats::raw::Raw;
use time::OffsetDateTime;

pub use self::counter::COUNTERSIGNATURE_DEPTH_MAX;
use self::signer::{Circumstances, Limits, judge_signer};
use self::subject::Subject;
use crate::context::Context;
use crate::finding::{Code, Finding, Place, signature as codes};
use crate::judgement::Judgement;
use crate::poe::PoeSet;
use crate::report::{ObjectKind, ObjectReport};
use crate::source::{DataBytes, DigestSource};
use crate::timestamp::Standing;
use crate::verdict::SubIndication;

/// Signers that are judged. The largest collected file has 6; each may take the whole budget of a path.
pub const SIGNERS_JUDGED_MAX: usize = 32;

/// Time-stamps that are judged in one file. One archive time-stamp a year for a hundred years, and the others of several signers.
pub const TIMESTAMPS_JUDGED_MAX: usize = 256;

/// Bytes of a file times its time-stamps: each archive time-stamp is over most of the file, in several readings. 16 of them in a file of the
/// largest size, all 256 in one of 4 MiB.
pub const STAMPED_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Evidence records that are judged in one file. The most in a collected file are 2; each may hold a time-stamp for every year.
pub const RECORDS_JUDGED_MAX: usize = 32;

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
    let file = File {
        signed_data: &signed_data,
        parts: &parts,
        data,
    };
    let circumstances = Circumstances {
        standing,
        context,
        bytes,
    };
    let times = report.add_signers(&file, &circumstances, place);
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

/// One file of signatures, read.
struct File<'a> {
    signed_data: &'a Raw<SignedData>,
    parts: &'a SignatureParts,
    data: &'a [&'a dyn DigestSource],
}

impl SignatureReport {
    /// Judges each signer; gives the earliest time at which each signature is proven to exist.
    fn add_signers(
        &mut self,
        file: &File<'_>,
        circumstances: &Circumstances<'_>,
        place: &Place,
    ) -> Vec<Option<OffsetDateTime>> {
        let octets = file.parts.content.as_deref();
        let content = octets.map(|octets| DataBytes::new("content", octets));
        let mut limits = Limits {
            signers: SIGNERS_JUDGED_MAX,
            stamps: TIMESTAMPS_JUDGED_MAX.min(
                STAMPED_BYTES_MAX
                    .checked_div(circumstances.bytes.len())
                    .unwrap_or(usize::MAX),
            ),
            records: RECORDS_JUDGED_MAX,
        };
        let mut times = Vec::new();
        let signers = file.signed_data.signers.iter().zip(&file.parts.signers);
        for (number, (signer, cuts)) in signers.enumerate() {
            let place = place.item("signer", number);
            if !limits.take_signer() {
                let finding = Finding::new(codes::SIGNATURE_TOO_MANY, place);
                self.undecided(finding.with(SIGNERS_JUDGED_MAX));
                break;
            }
            let content = content.as_ref();
            let subject = Subject {
                signed_data: file.signed_data,
                parts: file.parts,
                signer,
                cuts,
                content: content.map(|content| -> &dyn DigestSource { content }),
                octets,
                data: file.data,
                position: Some(number),
                depth: 0,
            };
            for (number, covered) in self.covered.iter_mut().enumerate() {
                *covered &= subject.covers(number);
            }
            let known = PoeSet::default();
            let answer = judge_signer(&subject, circumstances, &known, &place, &mut limits);
            self.judgement.add(answer.judgement);
            self.levels.push(answer.level);
            self.findings.extend(answer.findings);
            self.objects.extend(answer.objects);
            times.push(answer.proven);
        }
        times
    }

    fn refuse(&mut self, reason: SubIndication, finding: Finding) {
        self.judgement.add(Judgement::broken(reason));
        self.findings.push(finding);
    }

    fn undecided(&mut self, finding: Finding) {
        self.judgement
            .add(Judgement::unknown(SubIndication::Custom));
        self.findings.push(finding);
    }
}
