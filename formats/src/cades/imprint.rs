//! What the timestamps inside a CAdES signature are over.
//!
//! Each function answers the octets that are hashed to the token's message imprint.

use crate::cms::Attribute;
use crate::der::{Reader, Tag, Writer};
use crate::digest::DigestValue;
use crate::oid;

use super::hash_index::HashIndex;
use super::parts::{SignatureParts, SignerParts};

/// The input of archive-time-stamp-v3 (EN 319 122-1 §5.5.3):
///
/// 1. eContentType with tag and length;
/// 2. the hash of the signed content, by the algorithm of the imprint. `content` is that hash, over eContent or the detached content;
/// 3. version, sid, digestAlgorithm, signedAttrs, signatureAlgorithm and signature as they stand in the SignerInfo;
/// 4. the value of the ats-hash-index attribute.
#[must_use]
pub fn archive_time_stamp_input(
    parts: &SignatureParts,
    signer: &SignerParts,
    content: &DigestValue,
    index: &HashIndex,
) -> Vec<u8> {
    [
        parts.content_type.as_slice(),
        content.as_bytes(),
        &signer.signed_fields,
        &index.raw,
    ]
    .concat()
}

/// The input of archive-time-stamp-v2 (RFC 5126 §6.4.1): encapContentInfo, the detached content if there is one, certificates, crls, and all
/// of the SignerInfo, with the unsigned attributes `before` which the timestamp stood.
///
/// Signers disagree on whether the unsigned attributes keep the tag and length of their set; `with_set_header` chooses.
#[must_use]
pub fn archive_time_stamp_v2_input(
    parts: &SignatureParts,
    signer: &SignerParts,
    detached: &[u8],
    before: &[&Attribute],
    with_set_header: bool,
) -> Vec<u8> {
    let attributes: Vec<u8> = before.iter().flat_map(|a| a.raw.clone()).collect();
    let unsigned = if with_set_header && !before.is_empty() {
        Writer::single(Tag::context(1), |w| {
            w.raw(&attributes);
        })
    } else {
        attributes
    };
    let content = if parts.content.is_some() {
        &[][..]
    } else {
        detached
    };
    [
        parts.encapsulated.as_slice(),
        content,
        parts.certificate_set.as_deref().unwrap_or_default(),
        parts.revocation_set.as_deref().unwrap_or_default(),
        &signer.signed_fields,
        &unsigned,
    ]
    .concat()
}

/// The possible inputs of the first archive-time-stamp (RFC 3126 §6.4.1): the content, the signed attributes, the signature, then the unsigned attributes `before` in
/// the order of that clause, each "without the type or length encoding".
///
/// What that phrase leaves of an attribute has been read in four ways, and of the signed attributes in two. `signed_attributes` are with tag and length.
#[must_use]
pub fn archive_time_stamp_v1_inputs(
    signer: &SignerParts,
    content: &[u8],
    signed_attributes: &[u8],
    before: &[&Attribute],
) -> Vec<Vec<u8>> {
    let signed_content = content_of(signed_attributes);
    let ordered: Vec<&Attribute> = V1_ORDER
        .iter()
        .flat_map(|oid| before.iter().filter(move |one| one.oid == *oid))
        .copied()
        .collect();
    let readings: [fn(&Attribute) -> Vec<u8>; 4] = [
        |one| {
            one.values
                .iter()
                .flat_map(|value| content_of(value).to_vec())
                .collect()
        },
        |one| one.values.concat(),
        type_and_values,
        |one| one.raw.clone(),
    ];
    let mut inputs = Vec::new();
    for signed in [signed_content, signed_attributes] {
        for reading in readings {
            let attributes: Vec<u8> = ordered.iter().flat_map(|one| reading(one)).collect();
            inputs.push([content, signed, &signer.signature, &attributes].concat());
        }
    }
    inputs
}

/// The unsigned attributes in the order of RFC 3126 §6.4.1.
const V1_ORDER: [oid::Oid; 8] = [
    oid::SIGNATURE_TIME_STAMP,
    oid::COMPLETE_CERTIFICATE_REFERENCES,
    oid::COMPLETE_REVOCATION_REFERENCES,
    oid::CERTIFICATE_VALUES,
    oid::REVOCATION_VALUES,
    oid::CADES_C_TIME_STAMP,
    oid::CERTS_CRLS_TIME_STAMP,
    oid::ARCHIVE_TIME_STAMP_V1,
];

/// The contents of one element.
fn content_of(element: &[u8]) -> &[u8] {
    let mut reader = Reader::new(element, "archive-time-stamp").ok();
    let read = reader.as_mut().and_then(|reader| reader.read().ok());
    read.map_or(&[], |element| element.content())
}

/// The input of CAdES-C-time-stamp (RFC 5126 §6.3.5): the signature's octets, signature-time-stamp, and both references.
#[must_use]
pub fn c_time_stamp_input(signer: &SignerParts) -> Vec<u8> {
    let mut input = signer.signature.clone();
    for attribute in of_types(
        signer,
        &[
            oid::SIGNATURE_TIME_STAMP,
            oid::COMPLETE_CERTIFICATE_REFERENCES,
            oid::COMPLETE_REVOCATION_REFERENCES,
        ],
    ) {
        input.extend(type_and_values(attribute));
    }
    input
}

/// The input of time-stamped-certs-crls-references (RFC 5126 §6.3.6): both references.
#[must_use]
pub fn references_time_stamp_input(signer: &SignerParts) -> Vec<u8> {
    let types = [
        oid::COMPLETE_CERTIFICATE_REFERENCES,
        oid::COMPLETE_REVOCATION_REFERENCES,
    ];
    of_types(signer, &types).flat_map(type_and_values).collect()
}

/// The same inputs with the attributes in the order in which they stand in the signature, as some makers take them: first that of CAdES-C-time-stamp, then that of
/// time-stamped-certs-crls-references.
#[must_use]
pub fn time_stamp_inputs_as_stored(signer: &SignerParts) -> [Vec<u8>; 2] {
    let references = [
        oid::COMPLETE_CERTIFICATE_REFERENCES,
        oid::COMPLETE_REVOCATION_REFERENCES,
    ];
    let (mut all, mut some) = (signer.signature.clone(), Vec::new());
    for attribute in &signer.unsigned_attributes {
        let is_reference = references.contains(&attribute.oid);
        if is_reference || attribute.oid == oid::SIGNATURE_TIME_STAMP {
            all.extend(type_and_values(attribute));
        }
        if is_reference {
            some.extend(type_and_values(attribute));
        }
    }
    [all, some]
}

fn of_types<'a>(
    signer: &'a SignerParts,
    types: &'a [oid::Oid],
) -> impl Iterator<Item = &'a Attribute> {
    types.iter().flat_map(|oid| {
        let attributes = signer.unsigned_attributes.iter();
        attributes.filter(move |attribute| attribute.oid == *oid)
    })
}

/// attrType and attrValues without the tag and length of the Attribute (RFC 5126 §6.3.5).
fn type_and_values(attribute: &Attribute) -> Vec<u8> {
    let content = Reader::single(&attribute.raw, Tag::SEQUENCE, "Attribute");
    content.map_or_else(|_| Vec::new(), |element| element.content().to_vec())
}
