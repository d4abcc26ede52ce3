//! The time-stamps in a signature, judged from the newest inwards (EN 319 102-1 §5.6.2, EN 319 122-1 §5.3, §5.5).
//!
//! An archive time-stamp that has passed proves that what it covers existed at its time: older time-stamps are judged as of then, and the
//! signature itself as of the earliest time that any time-stamp of it proves.

use std::borrow::Cow;

use formats::cades::{
    HashIndex, archive_time_stamp_input, archive_time_stamp_v2_input, c_time_stamp_input,
    references_time_stamp_input,
};
use formats::cms::Attribute;
use formats::der::{Reader, Tag};
use formats::error::ErrorKind;
use formats::oid::{self, Oid};
use formats::tsp::TimeStampToken;
use time::OffsetDateTime;

use super::Subject;
use crate::alternatives::set_aside;
use crate::context::Context;
use crate::finding::{Finding, Place, signature as codes};
use crate::judgement::Judgement;
use crate::notes::{NONE, Notes};
use crate::report::ObjectReport;
use crate::report::text::civil_time;
use crate::source::{DataBytes, DigestSource};
use crate::timestamp::{Standing, verify_embedded_token};
use crate::verdict::SubIndication;

/// What the time-stamps say together.
pub(super) struct Stamps {
    /// The earliest time at which the signature is proven to exist.
    pub(super) proven: Option<OffsetDateTime>,
    pub(super) reports: Vec<StampReport>,
    /// The number of objects in the report.
    pub(super) count: usize,
}

/// What one time-stamp says.
pub(super) struct StampReport {
    /// What counts for the signature: nothing, where the time-stamp has only aged.
    pub(super) binding: Judgement,
    pub(super) findings: Vec<Finding>,
    pub(super) object: ObjectReport,
}

/// What a time-stamp is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// content-time-stamp: the content, before it was signed.
    Content,
    /// signature-time-stamp.
    Signature,
    /// CAdES-C-time-stamp: signature, its time-stamps and the references.
    CadesC,
    /// time-stamped-certs-crls-references: the references alone.
    References,
    /// archive-time-stamp-v2.
    ArchiveV2,
    /// archive-time-stamp-v3.
    ArchiveV3,
}

impl Kind {
    const UNSIGNED: [(Oid, Self); 5] = [
        (oid::SIGNATURE_TIME_STAMP, Self::Signature),
        (oid::CADES_C_TIME_STAMP, Self::CadesC),
        (oid::CERTS_CRLS_TIME_STAMP, Self::References),
        (oid::ARCHIVE_TIME_STAMP_V2, Self::ArchiveV2),
        (oid::ARCHIVE_TIME_STAMP_V3, Self::ArchiveV3),
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Content => "content-time-stamp",
            Self::Signature => "signature-time-stamp",
            Self::CadesC => "CAdES-C-time-stamp",
            Self::References => "time-stamped-certs-crls-references",
            Self::ArchiveV2 => "archive-time-stamp-v2",
            Self::ArchiveV3 => "archive-time-stamp-v3",
        }
    }

    /// Whether it proves that the signature existed.
    const fn proves_signature(self) -> bool {
        matches!(
            self,
            Self::Signature | Self::CadesC | Self::ArchiveV2 | Self::ArchiveV3
        )
    }
}

/// One time-stamp with its place in the signature.
struct Stamp<'a> {
    kind: Kind,
    bytes: &'a [u8],
    token: Option<TimeStampToken>,
    /// The unsigned attribute that it stands in.
    attribute: Option<usize>,
    place: Place,
    /// Whether it stands inside an OCTET STRING.
    wrapped: bool,
    /// Which unsigned attributes it covers.
    covers: Vec<bool>,
}

impl Stamp<'_> {
    fn time(&self) -> Option<OffsetDateTime> {
        self.token.as_ref().map(|token| token.info.gen_time)
    }
}

/// Judges every time-stamp, the newest first.
pub(super) fn judge(
    notes: &mut Notes<'_>,
    subject: &Subject<'_>,
    target: Option<&dyn DigestSource>,
    (outer, context): (Standing, &Context<'_>),
    left: &mut usize,
) -> Stamps {
    let mut stamps = all(notes, subject, left);
    for stamp in &mut stamps {
        stamp.covers = covered_by(subject, stamp);
    }
    stamps.sort_by_key(|stamp| std::cmp::Reverse(stamp.time()));
    check_order(notes, &stamps);
    let mut passed: Vec<(OffsetDateTime, usize)> = Vec::new();
    let mut reports = Vec::with_capacity(stamps.len());
    let mut proven = outer.protected.then_some(outer.judged_at);
    for (number, stamp) in stamps.iter().enumerate() {
        let covering = passed
            .iter()
            .filter(|(_, other)| {
                let attribute = stamp.attribute.unwrap_or(usize::MAX);
                let other = stamps.get(*other);
                other.is_some_and(|other| other.covers.get(attribute) == Some(&true))
            })
            .map(|(time, _)| *time)
            .min();
        // The content-time-stamp is signed: whatever proves the signature proves it.
        let covering = if stamp.kind == Kind::Content {
            proven
        } else {
            covering
        };
        let standing = Standing {
            judged_at: covering.unwrap_or(outer.judged_at).min(outer.judged_at),
            protected: covering.is_some() || outer.protected,
        };
        let (report, is_passed) = judge_one(subject, target, stamp, standing, context);
        if let (true, Some(time)) = (is_passed, stamp.time()) {
            passed.push((time, number));
            if stamp.kind.proves_signature() {
                proven = Some(proven.map_or(time, |known| known.min(time)));
            }
        }
        reports.push(report);
    }
    Stamps {
        proven,
        count: reports.len(),
        reports,
    }
}

/// The time-stamps of the signature, as many as may be judged.
fn all<'s>(notes: &mut Notes<'_>, subject: &Subject<'s>, left: &mut usize) -> Vec<Stamp<'s>> {
    let mut found: Vec<(Kind, Option<usize>, &'s [u8])> = Vec::new();
    if let Some(attributes) = &subject.signer.signed_attributes {
        for attribute in attributes.all(&oid::CONTENT_TIME_STAMP) {
            found.extend(values(attribute).map(|value| (Kind::Content, None, value)));
        }
    }
    for (number, attribute) in subject.cuts.unsigned_attributes.iter().enumerate() {
        let mut kinds = Kind::UNSIGNED.iter();
        if let Some((_, kind)) = kinds.find(|(oid, _)| *oid == attribute.oid) {
            found.extend(values(attribute).map(|value| (*kind, Some(number), value)));
        }
    }
    if found.len() > *left {
        notes.unknown(
            SubIndication::Custom,
            codes::SIGNATURE_TOO_MANY,
            [super::TIMESTAMPS_JUDGED_MAX],
        );
        found.truncate(*left);
    }
    *left = left.saturating_sub(found.len());
    let mut counts = std::collections::BTreeMap::new();
    found
        .into_iter()
        .map(|(kind, attribute, bytes)| {
            let count = counts.entry(kind.name()).or_insert(0_usize);
            let place = notes.place.item(kind.name(), *count);
            *count = count.saturating_add(1);
            let inner = unwrapped(bytes);
            let bytes = inner.unwrap_or(bytes);
            Stamp {
                kind,
                bytes,
                token: TimeStampToken::parse(bytes).ok(),
                attribute,
                place,
                wrapped: inner.is_some(),
                covers: Vec::new(),
            }
        })
        .collect()
}

/// The content of an OCTET STRING.
fn unwrapped(bytes: &[u8]) -> Option<&[u8]> {
    let element = Reader::single(bytes, Tag::OCTET_STRING, "TimeStampToken").ok()?;
    (!element.is_constructed()).then(|| element.content())
}

fn values(attribute: &Attribute) -> impl Iterator<Item = &[u8]> {
    attribute.values.iter().map(Vec::as_slice)
}

/// Which unsigned attributes a time-stamp covers. The mathematics is checked with the imprint.
fn covered_by(subject: &Subject<'_>, stamp: &Stamp<'_>) -> Vec<bool> {
    let attributes = &subject.cuts.unsigned_attributes;
    match stamp.kind {
        Kind::ArchiveV3 => stamp
            .token
            .as_ref()
            .and_then(|token| index_of(token).ok().flatten())
            .and_then(|index| index.coverage(subject.parts, subject.cuts).ok())
            .map(|coverage| coverage.attributes)
            .unwrap_or_default(),
        Kind::ArchiveV2 => (0..attributes.len())
            .map(|number| stands_before(attributes, number, stamp))
            .collect(),
        Kind::CadesC => attributes
            .iter()
            .map(|attribute| attribute.oid == oid::SIGNATURE_TIME_STAMP)
            .collect(),
        Kind::Content | Kind::Signature | Kind::References => Vec::new(),
    }
}

/// archive-time-stamp-v2 covers every other unsigned attribute but the archive time-stamps that came later.
fn stands_before(attributes: &[Attribute], number: usize, stamp: &Stamp<'_>) -> bool {
    let Some(attribute) = attributes.get(number) else {
        return false;
    };
    let archive = [oid::ARCHIVE_TIME_STAMP_V2, oid::ARCHIVE_TIME_STAMP_V3];
    if !archive.contains(&attribute.oid) {
        return true;
    }
    let time = |value: &Vec<u8>| Some(TimeStampToken::parse(value).ok()?.info.gen_time);
    let first = attribute.values.iter().filter_map(time).min();
    Some(number) != stamp.attribute && first.is_some() && first < stamp.time()
}

fn index_of(token: &TimeStampToken) -> formats::error::Result<Option<HashIndex>> {
    match token.signed_data.signers.as_slice() {
        [signer] => HashIndex::of_token(signer),
        _ => Ok(None),
    }
}

/// A time-stamp cannot cover one that is younger than itself (EN 319 102-1 §5.6.2.1).
fn check_order(notes: &mut Notes<'_>, stamps: &[Stamp<'_>]) {
    for stamp in stamps {
        for other in stamps {
            let covers = other
                .attribute
                .is_some_and(|number| stamp.covers.get(number) == Some(&true));
            if let (true, Some(time), Some(later)) = (covers, stamp.time(), other.time())
                && time < later
            {
                notes.because(
                    SubIndication::TimestampOrderFailure,
                    codes::SIGNATURE_STAMP_ORDER,
                    [civil_time(time), civil_time(later)],
                );
                return;
            }
        }
    }
}

fn judge_one(
    subject: &Subject<'_>,
    target: Option<&dyn DigestSource>,
    stamp: &Stamp<'_>,
    standing: Standing,
    context: &Context<'_>,
) -> (StampReport, bool) {
    let mut own = Notes::new(&stamp.place);
    if stamp.wrapped {
        let reason = SubIndication::SigConstraintsFailure;
        own.because(reason, codes::SIGNATURE_STAMP_WRAPPED, NONE);
    }
    let input = input_of(&mut own, subject, target, stamp);
    let data: Option<&dyn DigestSource> = match &input {
        Input::Bytes(input) => Some(input),
        Input::Content => target,
        Input::Unknown => None,
    };
    let archive = stamp.token.as_ref();
    let index = archive
        .filter(|_| stamp.kind == Kind::ArchiveV3)
        .and_then(|token| index_of(token).ok().flatten());
    let covered = index.as_ref().map(|index| index.version.oid());
    let mut report = verify_embedded_token(
        stamp.bytes,
        data,
        covered.as_ref(),
        standing,
        context,
        &stamp.place,
    );
    report.judgement.add(own.judgement);
    report.findings.append(&mut own.findings);
    let is_passed = report.judgement.is_passed();
    let mut binding = report.judgement;
    if binding.can_be_passed_over() {
        let code = codes::SIGNATURE_STAMP_NOT_COUNTED;
        set_aside(code, report.judgement, &stamp.place, &mut report.findings);
        binding = Judgement::PASSED;
    }
    report.object.judgement = report.judgement;
    let object = report.object.with("kind", stamp.kind.name());
    let report = StampReport {
        binding,
        findings: report.findings,
        object,
    };
    (report, is_passed)
}

/// What a token's imprint is compared with.
enum Input<'a> {
    Bytes(DataBytes<'a>),
    /// The signed content, of which perhaps only digests are known.
    Content,
    /// It cannot be put together; the finding says why.
    Unknown,
}

fn input_of<'s>(
    notes: &mut Notes<'_>,
    subject: &Subject<'s>,
    target: Option<&dyn DigestSource>,
    stamp: &Stamp<'_>,
) -> Input<'s> {
    match stamp.kind {
        Kind::Content => Input::Content,
        Kind::Signature => Input::Bytes(DataBytes::new(
            "signature",
            subject.cuts.signature.as_slice(),
        )),
        Kind::CadesC => either(notes, stamp, &mut [c_time_stamp_input(subject.cuts)]),
        Kind::References => either(
            notes,
            stamp,
            &mut [references_time_stamp_input(subject.cuts)],
        ),
        Kind::ArchiveV2 => archive_v2(notes, subject, target, stamp),
        Kind::ArchiveV3 => archive_v3(notes, subject, target, stamp),
    }
}

/// EN 319 122-1 §5.5.3; the index must name nothing that is not there.
fn archive_v3<'s>(
    notes: &mut Notes<'_>,
    subject: &Subject<'s>,
    target: Option<&dyn DigestSource>,
    stamp: &Stamp<'_>,
) -> Input<'s> {
    let Some(token) = &stamp.token else {
        return Input::Unknown;
    };
    let index = match index_of(token) {
        Ok(Some(index)) => index,
        Ok(None) => {
            let code = codes::SIGNATURE_INDEX_MISSING;
            notes.broken(SubIndication::FormatFailure, code, NONE);
            return Input::Unknown;
        }
        Err(error) => {
            let code = codes::SIGNATURE_INDEX_MALFORMED;
            notes.broken(SubIndication::FormatFailure, code, [error]);
            return Input::Unknown;
        }
    };
    match index.coverage(subject.parts, subject.cuts) {
        Ok(coverage) if coverage.unmatched > 0 => notes.broken(
            SubIndication::HashFailure,
            codes::SIGNATURE_INDEX_UNMATCHED,
            [coverage.unmatched],
        ),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::UnknownAlgorithm => notes.unknown(
            SubIndication::Custom,
            codes::SIGNATURE_DIGEST_UNKNOWN,
            [error],
        ),
        Err(error) => notes.broken(
            SubIndication::FormatFailure,
            codes::SIGNATURE_INDEX_MALFORMED,
            [error],
        ),
    }
    let imprint = &token.info.imprint;
    let digest = imprint.algorithm.digest_algorithm();
    let content = digest.and_then(|algorithm| target?.digest(algorithm));
    match content {
        Some(content) => Input::Bytes(DataBytes::new(
            "signature and index",
            archive_time_stamp_input(subject.parts, subject.cuts, &content, &index),
        )),
        None => Input::Unknown,
    }
}

/// RFC 5126 §6.4.1. Signers disagree about the tag and length of the unsigned attributes, so both readings are tried.
fn archive_v2<'s>(
    notes: &mut Notes<'_>,
    subject: &Subject<'s>,
    target: Option<&dyn DigestSource>,
    stamp: &Stamp<'_>,
) -> Input<'s> {
    let attributes = &subject.cuts.unsigned_attributes;
    let before: Vec<&Attribute> = attributes
        .iter()
        .enumerate()
        .filter(|(number, _)| stands_before(attributes, *number, stamp))
        .map(|(_, attribute)| attribute)
        .collect();
    let detached = match &subject.parts.content {
        Some(_) => Some(Cow::Borrowed(&[][..])),
        None => target.and_then(DigestSource::content),
    };
    let mut inputs: Vec<Vec<u8>> = detached
        .into_iter()
        .flat_map(|detached| {
            [true, false].map(|with_set_header| {
                let (parts, cuts) = (subject.parts, subject.cuts);
                archive_time_stamp_v2_input(parts, cuts, &detached, &before, with_set_header)
            })
        })
        .collect();
    either(notes, stamp, &mut inputs)
}

/// The one of several inputs that leads to the imprint. Makers of these older time-stamps take the attributes in different ways; where no
/// known way leads to the imprint, it cannot be told whether something was changed.
fn either<'s>(notes: &mut Notes<'_>, stamp: &Stamp<'_>, inputs: &mut [Vec<u8>]) -> Input<'s> {
    let Some(token) = &stamp.token else {
        return Input::Unknown;
    };
    let imprint = &token.info.imprint;
    if let Some(algorithm) = imprint.algorithm.digest_algorithm() {
        for input in inputs {
            if algorithm.digest(input).as_bytes() == imprint.bytes {
                return Input::Bytes(DataBytes::new(stamp.kind.name(), std::mem::take(input)));
            }
        }
    }
    let name = stamp.kind.name();
    notes.unknown(SubIndication::Custom, codes::SIGNATURE_STAMP_OPEN, [name]);
    Input::Unknown
}
