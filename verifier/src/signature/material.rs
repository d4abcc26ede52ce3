//! Certificates and revocation information that a signature carries: SignedData, certificate-values, revocation-values.

use formats::cades::{RevocationValues, parse_certificate_values};
use formats::cms::{Attribute, RevocationInfo};
use formats::oid;

use super::subject::Subject;
use crate::context::Context;
use crate::finding::signature as codes;
use crate::notes::Notes;

/// What is at hand for paths, from the signature and from the caller. None of it is trusted.
pub(super) struct SignatureMaterial {
    certificates: Vec<Vec<u8>>,
    crls: Vec<Vec<u8>>,
    ocsp_responses: Vec<Vec<u8>>,
    /// Attributes that could not be read.
    unreadable: Vec<String>,
}

impl SignatureMaterial {
    /// Collects everything. What the attributes of one signer hold may help with the paths of its time-stamps too.
    pub(super) fn collect(subject: &Subject<'_>, context: &Context<'_>) -> Self {
        let signed_data = subject.signed_data;
        let mut material = Self {
            certificates: signed_data
                .x509_certificates()
                .map(<[u8]>::to_vec)
                .collect(),
            crls: signed_data.crls().map(<[u8]>::to_vec).collect(),
            ocsp_responses: Vec::new(),
            unreadable: Vec::new(),
        };
        for info in &signed_data.revocations {
            if let RevocationInfo::Ocsp { bytes, .. } = info {
                material.ocsp_responses.push(bytes.clone());
            }
        }
        for value in values(subject, &oid::CERTIFICATE_VALUES) {
            match parse_certificate_values(value) {
                Ok(certificates) => material.certificates.extend(certificates),
                Err(error) => material.unreadable.push(error.to_string()),
            }
        }
        for value in values(subject, &oid::REVOCATION_VALUES) {
            match RevocationValues::parse(value) {
                Ok(values) => {
                    material.crls.extend(values.crls);
                    material.ocsp_responses.extend(values.ocsp_responses);
                }
                Err(error) => material.unreadable.push(error.to_string()),
            }
        }
        material
            .certificates
            .extend_from_slice(context.certificates);
        material.crls.extend_from_slice(context.crls);
        material
            .ocsp_responses
            .extend_from_slice(context.ocsp_responses);
        for list in [
            &mut material.certificates,
            &mut material.crls,
            &mut material.ocsp_responses,
        ] {
            let mut seen = std::collections::HashSet::new();
            list.retain(|bytes| seen.insert(bytes.clone()));
        }
        material
    }

    /// Names what could not be read: it helps nobody and harms nothing.
    pub(super) fn tell(&self, notes: &mut Notes<'_>) {
        for why in &self.unreadable {
            notes.note(codes::SIGNATURE_MATERIAL_UNREADABLE, [why]);
        }
    }

    /// The caller's context with this material.
    pub(super) fn extend<'c>(&'c self, context: &Context<'c>) -> Context<'c> {
        Context {
            certificates: &self.certificates,
            crls: &self.crls,
            ocsp_responses: &self.ocsp_responses,
            ..*context
        }
    }
}

fn values<'s>(
    subject: &Subject<'s>,
    attribute: &'s oid::Oid,
) -> impl Iterator<Item = &'s [u8]> + use<'s> {
    let attributes = subject.cuts.unsigned_attributes.iter();
    attributes
        .filter(move |candidate: &&Attribute| candidate.oid == *attribute)
        .flat_map(|attribute| attribute.values.iter().map(Vec::as_slice))
}
