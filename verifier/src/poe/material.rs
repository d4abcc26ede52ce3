//! What a proof proves beside the bytes that it is over: the members of tokens, of attributes and of whole signatures
//! (EN 319 102-1 §5.6.2.3.4).

use std::collections::{BTreeMap, HashSet};

use formats::cades::{
    OtherHash, RevocationReferences, RevocationValues, parse_certificate_references,
    parse_certificate_values,
};
use formats::cms::{Attribute, RevocationInfo, SignedData, SignerInfo};
use formats::digest::DigestAlgorithm;
use formats::oid;
use formats::tsp::TimeStampToken;
use time::OffsetDateTime;

use super::PoeSet;
use crate::finding::Place;
use crate::policy::Policy;

/// Countersignatures inside of countersignatures that are followed.
const DEPTH_MAX: usize = 4;

/// Attributes whose values are time-stamp tokens.
const TOKENS: [oid::Oid; 6] = [
    oid::SIGNATURE_TIME_STAMP,
    oid::CADES_C_TIME_STAMP,
    oid::CERTS_CRLS_TIME_STAMP,
    oid::ARCHIVE_TIME_STAMP_V1,
    oid::ARCHIVE_TIME_STAMP_V2,
    oid::ARCHIVE_TIME_STAMP_V3,
];

impl PoeSet {
    /// A time-stamp token with all that stands in it.
    pub(crate) fn add_token(&mut self, token: &[u8], time: OffsetDateTime, by: &Place) {
        self.add(token, time, by);
        if let Ok(parsed) = TimeStampToken::parse(token) {
            self.add_members(&parsed.signed_data, time, by);
        }
    }

    /// The certificates, CRLs and OCSP responses of a SignedData.
    pub(crate) fn add_members(&mut self, signed: &SignedData, time: OffsetDateTime, by: &Place) {
        for certificate in signed.x509_certificates() {
            self.add(certificate, time, by);
        }
        for information in &signed.revocations {
            match information {
                RevocationInfo::Crl(bytes) => self.add(bytes, time, by),
                RevocationInfo::Ocsp { bytes, .. } => self.add_ocsp(bytes, time, by),
                RevocationInfo::Other { .. } => {}
            }
        }
    }

    /// An unsigned attribute with all that stands in it.
    pub(crate) fn add_attribute(
        &mut self,
        attribute: &Attribute,
        time: OffsetDateTime,
        by: &Place,
    ) {
        self.add_nested(attribute, time, by, 0);
    }

    fn add_nested(
        &mut self,
        attribute: &Attribute,
        time: OffsetDateTime,
        by: &Place,
        depth: usize,
    ) {
        for value in &attribute.values {
            if TOKENS.contains(&attribute.oid) {
                self.add_token(value, time, by);
            } else if attribute.oid == oid::CERTIFICATE_VALUES {
                for certificate in parse_certificate_values(value).unwrap_or_default() {
                    self.add(&certificate, time, by);
                }
            } else if attribute.oid == oid::REVOCATION_VALUES {
                let Ok(values) = RevocationValues::parse(value) else {
                    continue;
                };
                for crl in &values.crls {
                    self.add(crl, time, by);
                }
                for response in &values.ocsp_responses {
                    self.add_ocsp(response, time, by);
                }
            } else if attribute.oid == oid::COUNTERSIGNATURE && depth < DEPTH_MAX {
                let Ok(signer) = SignerInfo::parse(value) else {
                    continue;
                };
                self.add(value, time, by);
                self.add(&signer.signature, time, by);
                for inner in &signer.unsigned_attributes {
                    self.add_nested(inner, time, by, depth.saturating_add(1));
                }
            }
        }
    }

    /// What references name by digest: an object with that digest existed when the references did.
    pub(crate) fn add_referenced(
        &mut self,
        attribute: &Attribute,
        material: &Referable<'_>,
        time: OffsetDateTime,
        by: &Place,
    ) {
        let mut named = Named::default();
        if attribute.oid == oid::COMPLETE_CERTIFICATE_REFERENCES {
            for value in &attribute.values {
                for reference in parse_certificate_references(value).unwrap_or_default() {
                    named.add(&reference.hash, material);
                }
            }
            for object in material.certificates.iter().filter(|one| named.holds(one)) {
                self.add(object, time, by);
            }
        } else if attribute.oid == oid::COMPLETE_REVOCATION_REFERENCES {
            for value in &attribute.values {
                for entry in RevocationReferences::parse(value).unwrap_or_default() {
                    let crls = entry.crls.iter().map(|one| &one.hash);
                    let responses = entry.ocsp_responses.iter();
                    for hash in crls.chain(responses.filter_map(|one| one.hash.as_ref())) {
                        named.add(hash, material);
                    }
                }
            }
            for object in material.crls.iter().filter(|one| named.holds(one)) {
                self.add(object, time, by);
            }
            let responses = material.ocsp_responses.iter();
            for object in responses.filter(|one| named.holds(one)) {
                self.add_ocsp(object, time, by);
            }
        }
    }
}

/// Objects that references may name.
pub(crate) struct Referable<'a> {
    pub(crate) certificates: &'a [Vec<u8>],
    pub(crate) crls: &'a [Vec<u8>],
    pub(crate) ocsp_responses: &'a [Vec<u8>],
    pub(crate) policy: &'a Policy,
    pub(crate) now: OffsetDateTime,
}

/// The digests by which references name objects. However many there are, each object is hashed once for each algorithm.
#[derive(Default)]
struct Named(BTreeMap<DigestAlgorithm, HashSet<Vec<u8>>>);

impl Named {
    /// Under a digest that is not trusted any more another object could have been found.
    fn add(&mut self, hash: &OtherHash, material: &Referable<'_>) {
        let algorithm = hash.algorithm.digest_algorithm();
        let is_trusted = |algorithm: &DigestAlgorithm| {
            let judgement = material.policy.judge_digest(*algorithm, material.now);
            judgement.is_trusted()
        };
        if let Some(algorithm) = algorithm.filter(is_trusted) {
            self.0
                .entry(algorithm)
                .or_default()
                .insert(hash.hash.clone());
        }
    }

    fn holds(&self, object: &[u8]) -> bool {
        let mut known = self.0.iter();
        known.any(|(algorithm, hashes)| hashes.contains(algorithm.digest(object).as_bytes()))
    }
}
