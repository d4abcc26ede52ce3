//! SignatureValidationObjects: every object with its bytes or digests, its proof of existence, what it proves, and its own report.

use formats::digest::{DigestAlgorithm, DigestValue};

use super::table::{Entry, Proven, Representation};
use super::xml::{Xml, uri};
use super::{View, names, signature, status};
use crate::report::{ObjectKind, ObjectReport, UsedRole};

/// Writes all of them; without any the element may not stand.
pub(super) fn write_all(xml: &mut Xml, view: &View<'_>) {
    if view.table.entries.is_empty() {
        return;
    }
    xml.element("SignatureValidationObjects", |xml| {
        for entry in &view.table.entries {
            write(xml, view, entry);
        }
    });
}

fn write(xml: &mut Xml, view: &View<'_>, entry: &Entry<'_>) {
    xml.with("ValidationObject", &[("id", &entry.id)], |xml| {
        xml.text("ObjectType", entry.object_type);
        xml.element("ValidationObjectRepresentation", |xml| {
            match &entry.representation {
                Representation::Bytes(bytes) => xml.base64("base64", bytes),
                Representation::Digests(digests) => {
                    for digest in digests {
                        write_digest(xml, digest);
                    }
                }
                Representation::Place(place) => xml.text("URI", &uri(place)),
            }
        });
        write_proof(xml, "POE", &entry.proven);
        let judged = entry
            .judged
            .and_then(|number| Some((number, view.object(number)?)));
        if let Some((number, object)) = judged {
            write_provisioning(xml, view, number, object);
            xml.element("ValidationReport", |xml| {
                write_report(xml, view, number, object, &entry.id);
            });
        }
    });
}

/// POEType.
pub(super) fn write_proof(xml: &mut Xml, name: &str, proven: &Proven) {
    xml.element(name, |xml| {
        xml.time("POETime", proven.time);
        xml.text("TypeOfProof", names::PROVEN_BY_VALIDATION);
        if let Some(by) = &proven.by {
            reference(xml, "POEObject", by);
        }
    });
}

/// VOReferenceType.
pub(super) fn reference(xml: &mut Xml, name: &str, id: &str) {
    xml.empty(name, &[("VOReference", id)]);
}

/// DigestAlgAndValueType of XAdES.
pub(super) fn write_digest(xml: &mut Xml, digest: &DigestValue) {
    xml.element("DigestAlgAndValue", |xml| {
        let algorithm = names::digest(digest.algorithm());
        xml.empty("ds:DigestMethod", &[("Algorithm", &algorithm)]);
        xml.base64("ds:DigestValue", digest.as_bytes());
    });
}

/// What a time-stamp that has passed proves to have existed: the data under its imprint, or the signature that it stands in.
fn write_provisioning(xml: &mut Xml, view: &View<'_>, number: usize, object: &ObjectReport) {
    let is_proof = matches!(
        object.kind,
        ObjectKind::Timestamp | ObjectKind::EvidenceRecord
    );
    let (true, true, Some(time)) = (is_proof, object.judgement.is_passed(), object.time) else {
        return;
    };
    xml.element("POEProvisioning", |xml| {
        xml.time("POETime", time);
        let data = object.used_as(UsedRole::SignedData);
        if let Some(id) = data.and_then(|data| view.table.id_of(data)) {
            reference(xml, "ValidationObject", id);
        }
        if let Some(value) = stamped_signature(view, number, object) {
            xml.element("SignatureReference", |xml| {
                let digest = DigestAlgorithm::Sha256.digest(value);
                xml.text("DigestMethod", &names::digest(digest.algorithm()));
                xml.base64("DigestValue", digest.as_bytes());
            });
        }
    });
}

/// The value of the signature that the time-stamp covers. One over the content alone, or over references alone, covers none.
fn stamped_signature<'r>(view: &View<'r>, number: usize, stamp: &ObjectReport) -> Option<&'r [u8]> {
    let kind = stamp.detail("kind")?;
    if matches!(
        kind,
        "content-time-stamp" | "time-stamped-certs-crls-references"
    ) {
        return None;
    }
    let outer = view.outer.get(number).copied().flatten()?;
    let signature = view.object(outer)?.used_as(UsedRole::Signature)?;
    signature.bytes().map(|bytes| &**bytes)
}

/// The report of one validation object: SignatureValidationReportType again.
fn write_report(xml: &mut Xml, view: &View<'_>, number: usize, object: &ObjectReport, id: &str) {
    status::write_constraints(xml, view, number, object);
    signature::write_signer(xml, view, object);
    if let Some(process) = signature::process_of(view, object, number) {
        xml.element("SignatureValidationProcess", |xml| {
            xml.text("SignatureValidationProcessID", names::process(process));
        });
    }
    let indication = names::indication(object.judgement);
    status::write(xml, view, number, object, (indication, id));
}
