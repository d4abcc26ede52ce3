//! SignatureValidationReport: one for each signature, or one that says that there is none.

use formats::oid::{self, Oid};

use super::objects::{reference, write_digest, write_proof};
use super::table::Proven;
use super::xml::{Xml, uri};
use super::{View, names, status};
use crate::finding::signature as codes;
use crate::report::{ObjectKind, ObjectReport, SignatureFacts, UsedRole, ValidationProcess};

/// Writes the reports of all signatures. What is named but not judged may be one, so it has a report too.
pub(super) fn write_all(xml: &mut Xml, view: &View<'_>) {
    let mut count = 0_usize;
    for (number, object) in view.report.objects.iter().enumerate() {
        if object.kind == ObjectKind::Signature {
            count = count.saturating_add(1);
            xml.element("SignatureValidationReport", |xml| {
                write(xml, view, number, object);
            });
        }
    }
    if count == 0 {
        xml.element("SignatureValidationReport", |xml| {
            xml.element("SignatureValidationStatus", |xml| {
                xml.text("MainIndication", names::NO_SIGNATURE_FOUND);
            });
        });
    }
}

fn write(xml: &mut Xml, view: &View<'_>, number: usize, object: &ObjectReport) {
    let id = view.table.id(number).unwrap_or_default();
    write_identifier(xml, view, number, object, id);
    status::write_constraints(xml, view, number, object);
    xml.element("ValidationTimeInfo", |xml| {
        xml.time("ValidationTime", view.report.verified_at);
        write_proof(xml, "BestSignatureTime", &best_time(view, number, object));
    });
    write_document(xml, view, object);
    if let Some(facts) = &object.signature {
        write_attributes(xml, view, number, object, facts);
    }
    write_signer(xml, view, object);
    if let Some(process) = process_of(view, object, number) {
        xml.element("SignatureValidationProcess", |xml| {
            xml.text("SignatureValidationProcessID", names::process(process));
        });
    }
    let indication = names::total_indication(view.judgement(object));
    status::write(xml, view, number, object, (indication, id));
}

fn write_identifier(
    xml: &mut Xml,
    view: &View<'_>,
    number: usize,
    object: &ObjectReport,
    id: &str,
) {
    xml.with("SignatureIdentifier", &[("id", id)], |xml| {
        if let Some(signed) = object.used_as(UsedRole::ToBeSigned) {
            write_digest(xml, &signed.digest());
        }
        let value = object.used_as(UsedRole::Signature);
        if let Some(value) = value.and_then(|value| value.bytes()) {
            xml.base64("ds:SignatureValue", value);
        }
        // The signature itself was always at hand; of its document perhaps only a digest.
        xml.text("HashOnly", "false");
        let mut findings = view.findings(number).iter();
        let bare = findings.any(|finding| finding.code() == codes::SIGNATURE_BARE_DIGEST);
        xml.text("DocHashOnly", if bare { "true" } else { "false" });
        xml.text("DAIdentifier", object.place.as_str());
    });
}

/// The earliest proof that the signature existed; without one, that it exists now.
fn best_time(view: &View<'_>, number: usize, object: &ObjectReport) -> Proven {
    let now = view.report.verified_at;
    match object.time.filter(|time| *time < now) {
        Some(time) => Proven {
            time,
            by: view.table.prover(view.report, view.stamps(number), time),
        },
        None => Proven {
            time: now,
            by: None,
        },
    }
}

fn write_document(xml: &mut Xml, view: &View<'_>, object: &ObjectReport) {
    let Some(data) = object.used_as(UsedRole::SignedData) else {
        return;
    };
    xml.element("SignersDocument", |xml| {
        write_digest(xml, &data.digest());
        if let Some(id) = view.table.id_of(data) {
            reference(xml, "SignersDocumentRepresentation", id);
        }
    });
}

/// SignerInformation, where the certificate of the signer is known.
pub(super) fn write_signer(xml: &mut Xml, view: &View<'_>, object: &ObjectReport) {
    let signer = object.used_as(UsedRole::SigningCertificate);
    let Some(id) = signer.and_then(|signer| view.table.id_of(signer)) else {
        return;
    };
    xml.element("SignerInformation", |xml| {
        reference(xml, "SignerCertificate", id);
        if let Some(name) = object.detail("signer") {
            xml.text("Signer", name);
        }
    });
}

/// The process by which the object was judged: as its judge tells, or by what the signature holds.
pub(super) fn process_of(
    view: &View<'_>,
    object: &ObjectReport,
    number: usize,
) -> Option<ValidationProcess> {
    let by_content = || match object.kind {
        ObjectKind::Timestamp => Some(ValidationProcess::Timestamp),
        ObjectKind::Signature => {
            let facts = object.signature.as_deref();
            let has_material = |facts: &SignatureFacts| {
                facts.has(&oid::CERTIFICATE_VALUES) || facts.has(&oid::REVOCATION_VALUES)
            };
            Some(if facts.is_some_and(SignatureFacts::has_archive_material) {
                ValidationProcess::ArchiveMaterial
            } else if facts.is_some_and(has_material) || !view.stamps(number).is_empty() {
                ValidationProcess::LongTermMaterial
            } else {
                ValidationProcess::Basic
            })
        }
        ObjectKind::Package
        | ObjectKind::Manifest
        | ObjectKind::Document
        | ObjectKind::Lines
        | ObjectKind::EvidenceRecord
        | ObjectKind::Request
        | ObjectKind::Response
        | ObjectKind::NotJudged => None,
    };
    object.process.or_else(by_content)
}

const SIGNED: &[(&str, &str)] = &[("Signed", "true")];
const UNSIGNED: &[(&str, &str)] = &[("Signed", "false")];

/// Where a time-stamp stands among the elements of TS 119 102-2 annex A.
const STAMPS: [(&str, &str, bool); 6] = [
    ("content-time-stamp", "AllDataObjectsTimeStamp", true),
    ("signature-time-stamp", "SignatureTimeStamp", false),
    ("CAdES-C-time-stamp", "SigAndRefsTimeStamp", false),
    (
        "time-stamped-certs-crls-references",
        "RefsOnlyTimeStamp",
        false,
    ),
    ("archive-time-stamp-v2", "ArchiveTimeStamp", false),
    ("archive-time-stamp-v3", "ArchiveTimeStamp", false),
];

/// Attributes that are named without their content, which the certificates and lists in the report show.
const VALUES: [(Oid, &str); 4] = [
    (
        oid::COMPLETE_CERTIFICATE_REFERENCES,
        "CompleteCertificateRefs",
    ),
    (
        oid::COMPLETE_REVOCATION_REFERENCES,
        "CompleteRevocationRefs",
    ),
    (oid::CERTIFICATE_VALUES, "CertificateValues"),
    (oid::REVOCATION_VALUES, "RevocationValues"),
];

fn write_attributes(
    xml: &mut Xml,
    view: &View<'_>,
    number: usize,
    object: &ObjectReport,
    facts: &SignatureFacts,
) {
    let stamps = stamps_of(view, number);
    let values: Vec<&str> = VALUES
        .iter()
        .filter(|(attribute, _)| facts.has(attribute))
        .map(|(_, name)| *name)
        .collect();
    let has_signed = facts.signing_time.is_some()
        || !facts.signing_certificates.is_empty()
        || facts.content_type.is_some()
        || facts.message_digest.is_some();
    if !has_signed && stamps.is_empty() && values.is_empty() {
        return;
    }
    xml.element("SignatureAttributes", |xml| {
        write_signed(xml, view, object, facts);
        for (name, attributes, stamp) in stamps {
            let (Some(time), Some(id)) = (
                view.object(stamp).and_then(|stamp| stamp.time),
                view.table.id(stamp),
            ) else {
                continue;
            };
            xml.with(name, attributes, |xml| {
                reference(xml, "AttributeObject", id);
                xml.time("TimeStampValue", time);
            });
        }
        for name in values {
            xml.empty(name, UNSIGNED);
        }
    });
}

/// An element, its attributes, and the time-stamp that stands in it.
type StampElement = (&'static str, &'static [(&'static str, &'static str)], usize);

/// The time-stamps of a signature that state a time, with the elements that they stand in.
fn stamps_of(view: &View<'_>, number: usize) -> Vec<StampElement> {
    let stamps = view.stamps(number).iter().filter_map(|stamp| {
        let object = view.object(*stamp)?;
        object.time?;
        let kind = object.detail("kind")?;
        let (_, name, signed) = STAMPS.iter().find(|(known, _, _)| *known == kind)?;
        Some((*name, if *signed { SIGNED } else { UNSIGNED }, *stamp))
    });
    stamps.collect()
}

fn write_signed(xml: &mut Xml, view: &View<'_>, object: &ObjectReport, facts: &SignatureFacts) {
    if let Some(time) = facts.signing_time {
        xml.with("SigningTime", SIGNED, |xml| xml.time("Time", time));
    }
    if !facts.signing_certificates.is_empty() {
        xml.with("SigningCertificate", SIGNED, |xml| {
            let signer = object.used_as(UsedRole::SigningCertificate);
            if let Some(id) = signer.and_then(|signer| view.table.id_of(signer)) {
                reference(xml, "AttributeObject", id);
            }
            for id in &facts.signing_certificates {
                xml.element("CertID", |xml| {
                    let algorithm = id.algorithm.digest_algorithm();
                    let algorithm = algorithm
                        .map_or_else(|| format!("urn:oid:{}", id.algorithm.oid), names::digest);
                    xml.empty("ds:DigestMethod", &[("Algorithm", &algorithm)]);
                    xml.base64("ds:DigestValue", &id.hash);
                });
            }
        });
    }
    if let Some(content_type) = &facts.content_type {
        xml.with("DataObjectFormat", SIGNED, |xml| {
            xml.text("ContentType", &uri(&format!("urn:oid:{content_type}")));
        });
    }
    for commitment in &facts.commitments {
        xml.with("CommitmentTypeIndication", SIGNED, |xml| {
            xml.text(
                "CommitmentTypeIdentifier",
                &uri(&format!("urn:oid:{commitment}")),
            );
        });
    }
    if let Some(policy) = &facts.policy {
        xml.with("SigPolicyIdentifier", SIGNED, |xml| {
            xml.text("SigPolicyId", &uri(&format!("urn:oid:{policy}")));
        });
    }
    if let Some(digest) = &facts.message_digest {
        xml.with("MessageDigest", SIGNED, |xml| xml.base64("Digest", digest));
    }
}
