//! The time-stamps in a signature, judged from the newest inwards (EN 319 102-1 §5.6.2, EN 319 122-1 §5.3, §5.5).
//!
//! An archive time-stamp that has passed proves that what it covers existed at its time: older time-stamps are judged as of then, and the
//! signature itself as of the earliest time that any time-stamp of it proves.

use formats::cades::HashIndex;
use formats::cms::Attribute;
use formats::der::{Reader, Tag};
use formats::oid::{self, Oid};
use formats::tsp::TimeStampToken;
use time::OffsetDateTime;

use super::existence::add_proofs;
use super::input::{Input, input_of};
use super::order;
use super::signer::{Circumstances, Limits};
use super::subject::Subject;
use crate::alternatives::set_aside;
use crate::context::Context;
use crate::finding::{Finding, Place, signature as codes};
use crate::judgement::Judgement;
use crate::notes::{NONE, Notes};
use crate::poe::PoeSet;
use crate::report::ObjectReport;
use crate::source::DigestSource;
use crate::timestamp::{Embedding, Standing, algorithm_finding, verify_embedded_token};
use crate::verdict::SubIndication;

/// What the time-stamps say together.
pub(super) struct Stamps {
    /// The earliest time at which the signature is proven to exist.
    pub(super) proven: Option<OffsetDateTime>,
    /// The latest time before which the signature cannot have been made: that of its content-time-stamps.
    pub(super) made_after: Option<OffsetDateTime>,
    /// Whether something around the file proves all of it.
    pub(super) is_protected: bool,
    pub(super) reports: Vec<StampReport>,
}

/// What one time-stamp or evidence record says.
pub(super) struct StampReport {
    /// What counts for the signature: nothing, where the time-stamp has only aged.
    pub(super) binding: Judgement,
    pub(super) findings: Vec<Finding>,
    pub(super) objects: Vec<ObjectReport>,
    /// Since when the signature exists by its word, if it has passed.
    pub(super) proves: Option<OffsetDateTime>,
}

impl StampReport {
    /// More than may be judged.
    pub(super) fn left_out(place: &Place) -> Self {
        let finding = Finding::new(codes::SIGNATURE_TOO_MANY, place.clone());
        Self {
            binding: Judgement::unknown(SubIndication::Custom),
            findings: vec![finding.with(super::RECORDS_JUDGED_MAX)],
            objects: Vec::new(),
            proves: None,
        }
    }
}

/// What a time-stamp is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// content-time-stamp: the content, before it was signed.
    Content,
    /// signature-time-stamp.
    Signature,
    /// CAdES-C-time-stamp: signature, its time-stamps and the references.
    CadesC,
    /// time-stamped-certs-crls-references: the references alone.
    References,
    /// The first archive-time-stamp.
    ArchiveV1,
    /// archive-time-stamp-v2.
    ArchiveV2,
    /// archive-time-stamp-v3.
    ArchiveV3,
}

impl Kind {
    const UNSIGNED: [(Oid, Self); 6] = [
        (oid::SIGNATURE_TIME_STAMP, Self::Signature),
        (oid::CADES_C_TIME_STAMP, Self::CadesC),
        (oid::CERTS_CRLS_TIME_STAMP, Self::References),
        (oid::ARCHIVE_TIME_STAMP_V1, Self::ArchiveV1),
        (oid::ARCHIVE_TIME_STAMP_V2, Self::ArchiveV2),
        (oid::ARCHIVE_TIME_STAMP_V3, Self::ArchiveV3),
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Content => "content-time-stamp",
            Self::Signature => "signature-time-stamp",
            Self::CadesC => "CAdES-C-time-stamp",
            Self::References => "time-stamped-certs-crls-references",
            Self::ArchiveV1 => "archive-time-stamp",
            Self::ArchiveV2 => "archive-time-stamp-v2",
            Self::ArchiveV3 => "archive-time-stamp-v3",
        }
    }

    /// Whether it proves that the signature existed.
    pub(super) const fn proves_signature(self) -> bool {
        matches!(self, Self::Signature | Self::CadesC) || self.is_archive()
    }

    const fn is_archive(self) -> bool {
        matches!(self, Self::ArchiveV1 | Self::ArchiveV2 | Self::ArchiveV3)
    }
}

/// One time-stamp with its place in the signature.
pub(super) struct Stamp<'a> {
    pub(super) kind: Kind,
    bytes: &'a [u8],
    pub(super) token: Option<TimeStampToken>,
    /// The unsigned attribute that it stands in.
    pub(super) attribute: Option<usize>,
    pub(super) place: Place,
    /// Whether it stands inside an OCTET STRING.
    wrapped: bool,
    /// Which unsigned attributes it covers.
    pub(super) covers: Vec<bool>,
}

impl Stamp<'_> {
    /// The hash index in its token.
    pub(super) fn index(&self) -> formats::error::Result<Option<HashIndex>> {
        self.token.as_ref().map_or(Ok(None), index_of)
    }

    pub(super) fn time(&self) -> Option<OffsetDateTime> {
        self.token.as_ref().map(|token| token.info.gen_time)
    }
}

/// Judges every time-stamp, the newest first, each with what the newer ones have proven; adds what it proves itself.
pub(super) fn judge(
    notes: &mut Notes<'_>,
    subject: &Subject<'_>,
    target: Option<&dyn DigestSource>,
    circumstances: &Circumstances<'_>,
    proofs: &mut PoeSet,
    limits: &mut Limits,
) -> Stamps {
    let outer = circumstances.standing;
    let mut stamps = all(notes, subject, &mut limits.stamps);
    for stamp in &mut stamps {
        stamp.covers = covered_by(subject, stamp);
    }
    stamps.sort_by_key(|stamp| std::cmp::Reverse(stamp.time()));
    order::check(notes, subject, &stamps);
    let mut answer = Stamps {
        proven: outer.protected.then_some(outer.judged_at),
        made_after: None,
        is_protected: outer.protected,
        reports: Vec::with_capacity(stamps.len()),
    };
    for stamp in &stamps {
        if subject.is_countersignature() && stamp.kind.is_archive() {
            // No standard says what one is over there.
            notes.judgement.add(Judgement::NOT_JUDGED);
            notes.note(codes::SIGNATURE_PART_NOT_JUDGED, [stamp.kind.name()]);
            continue;
        }
        let standing = standing_of(stamp, proofs, answer.proven, outer);
        let mut report = judge_one(subject, target, stamp, standing, circumstances, proofs);
        if let Some(time) = report.proves {
            if stamp.kind == Kind::Content {
                answer.made_after = answer.made_after.max(Some(time));
            }
            if !stamp.kind.proves_signature() {
                report.proves = None;
            }
            add_proofs(subject, stamp, time, circumstances.context, proofs);
            let earliest = answer.proven.into_iter().chain(report.proves).min();
            answer.proven = earliest;
        }
        answer.reports.push(report);
    }
    answer
}

/// As of when a time-stamp is judged: when it is proven to have existed. The content-time-stamp is signed: whatever proves the signature proves it.
fn standing_of(
    stamp: &Stamp<'_>,
    proofs: &PoeSet,
    proven: Option<OffsetDateTime>,
    outer: Standing,
) -> Standing {
    let since = if matches!(stamp.kind, Kind::Content) {
        proven
    } else {
        proofs.since(stamp.bytes)
    };
    Standing {
        judged_at: since.unwrap_or(outer.judged_at).min(outer.judged_at),
        protected: since.is_some() || outer.protected,
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
        Kind::ArchiveV1 => attributes
            .iter()
            .enumerate()
            .map(|(number, attribute)| {
                covered_by_v1(&attribute.oid) && stands_before(attributes, number, stamp)
            })
            .collect(),
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

/// What every reading of the first archive-time-stamp is over (RFC 3126 §6.4.1).
fn covered_by_v1(attribute: &Oid) -> bool {
    [
        oid::SIGNATURE_TIME_STAMP,
        oid::COMPLETE_CERTIFICATE_REFERENCES,
        oid::COMPLETE_REVOCATION_REFERENCES,
        oid::CERTIFICATE_VALUES,
        oid::REVOCATION_VALUES,
        oid::CADES_C_TIME_STAMP,
        oid::CERTS_CRLS_TIME_STAMP,
        oid::ARCHIVE_TIME_STAMP_V1,
    ]
    .contains(attribute)
}

/// The older archive time-stamps cover every other unsigned attribute but the archive time-stamps that came later.
pub(super) fn stands_before(attributes: &[Attribute], number: usize, stamp: &Stamp<'_>) -> bool {
    let Some(attribute) = attributes.get(number) else {
        return false;
    };
    let archive = [
        oid::ARCHIVE_TIME_STAMP_V1,
        oid::ARCHIVE_TIME_STAMP_V2,
        oid::ARCHIVE_TIME_STAMP_V3,
    ];
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

fn judge_one(
    subject: &Subject<'_>,
    target: Option<&dyn DigestSource>,
    stamp: &Stamp<'_>,
    standing: Standing,
    circumstances: &Circumstances<'_>,
    proofs: &PoeSet,
) -> StampReport {
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
    let index = if matches!(stamp.kind, Kind::ArchiveV3) {
        stamp.index().ok().flatten()
    } else {
        None
    };
    if let Some(index) = &index {
        check_index_algorithm(&mut own, index, standing, circumstances.context);
    }
    let embedding = Embedding {
        covered_attribute: index.map(|index| index.version.oid()),
        proofs: Some(proofs),
    };
    let context = circumstances.context;
    let mut report = verify_embedded_token(
        stamp.bytes,
        data,
        embedding,
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
    StampReport {
        binding,
        findings: report.findings,
        objects: vec![report.object.with("kind", stamp.kind.name())],
        proves: stamp.time().filter(|_| is_passed),
    }
}

/// What is named by the hash index is proven only as long as its digest is trusted.
fn check_index_algorithm(
    notes: &mut Notes<'_>,
    index: &HashIndex,
    standing: Standing,
    context: &Context<'_>,
) {
    let Some(algorithm) = index.algorithm.digest_algorithm() else {
        return;
    };
    let judged = context.policy.judge_digest(algorithm, standing.judged_at);
    if let Err(finding) =
        algorithm_finding(algorithm.name(), judged, standing.judged_at, notes.place)
    {
        let reason = SubIndication::CryptoConstraintsFailureNoPoe;
        notes.judgement.add(Judgement::because(reason));
        notes.findings.push(finding);
    }
}
