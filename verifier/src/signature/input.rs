//! What each kind of time-stamp in a signature is over (EN 319 122-1 §5.2 to §5.5, RFC 5126 §6, RFC 3126).

use std::borrow::Cow;

use formats::cades::{
    archive_time_stamp_input, archive_time_stamp_v1_inputs, archive_time_stamp_v2_input,
    c_time_stamp_input, references_time_stamp_input, time_stamp_inputs_as_stored,
};
use formats::cms::Attribute;
use formats::error::ErrorKind;

use super::stamps::{Kind, Stamp, stands_before};
use super::subject::Subject;
use crate::finding::signature as codes;
use crate::notes::{NONE, Notes};
use crate::source::{DataBytes, DigestSource};
use crate::verdict::SubIndication;

/// What a token's imprint is compared with.
pub(super) enum Input<'a> {
    Bytes(DataBytes<'a>),
    /// The signed content, of which perhaps only digests are known.
    Content,
    /// It cannot be put together; the finding says why.
    Unknown,
}

pub(super) fn input_of<'s>(
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
        Kind::CadesC => {
            let [stored, _] = time_stamp_inputs_as_stored(subject.cuts);
            either(
                notes,
                stamp,
                &mut [c_time_stamp_input(subject.cuts), stored],
            )
        }
        Kind::References => {
            let [_, stored] = time_stamp_inputs_as_stored(subject.cuts);
            let ordered = references_time_stamp_input(subject.cuts);
            either(notes, stamp, &mut [ordered, stored])
        }
        Kind::ArchiveV1 | Kind::ArchiveV2 => archive_v2(notes, subject, target, stamp),
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
    let index = match stamp.index() {
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

/// RFC 5126 §6.4.1. Signers disagree about the tag and length of the unsigned attributes, so both readings are tried. The first archive-time-stamp came to be
/// computed in the same way; before, it was as in RFC 3126 §6.4.1, whose readings are tried too.
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
    if let (Kind::ArchiveV1, Some(attributes)) = (stamp.kind, &subject.signer.signed_attributes) {
        let own = subject.octets.map(Cow::Borrowed);
        if let Some(content) = own.or_else(|| target.and_then(DigestSource::content)) {
            let signed = attributes.signed_bytes();
            let cuts = subject.cuts;
            inputs.extend(archive_time_stamp_v1_inputs(
                cuts, &content, signed, &before,
            ));
        }
    }
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
