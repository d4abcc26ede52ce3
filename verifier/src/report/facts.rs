//! What a signature says about itself in its attributes (EN 319 122-1 §5.2; TS 119 102-2 annex A).

use formats::cades::{Commitment, SignaturePolicy};
use formats::cms::{EssCertId, SignerInfo};
use formats::digest::DigestValue;
use formats::oid::{self, Oid};
use time::OffsetDateTime;

use super::{ObjectReport, UsedObject, UsedRole};

/// The attributes of one signer that reports show.
#[derive(Clone, Debug)]
pub struct SignatureFacts {
    /// signing-time: claimed, proven by nothing.
    pub signing_time: Option<OffsetDateTime>,
    /// signing-certificate and signing-certificate-v2: the signer's own.
    pub signing_certificates: Vec<EssCertId>,
    /// content-type.
    pub content_type: Option<Oid>,
    /// message-digest.
    pub message_digest: Option<Vec<u8>>,
    /// commitment-type-indication.
    pub commitments: Vec<Oid>,
    /// signature-policy-identifier, where it names a policy.
    pub policy: Option<Oid>,
    /// Unsigned attributes, by their identifiers, each once.
    pub unsigned: Vec<Oid>,
}

impl SignatureFacts {
    /// What can be read of a signer's attributes; what cannot is left out here and told by findings.
    #[must_use]
    pub fn of(signer: &SignerInfo) -> Self {
        let references = signer.signing_certificates();
        let references = references.map(|list| list.signer_ids().cloned().collect());
        let signed = signer.signed_attributes.as_ref();
        let commitments = signed.and_then(|signed| Commitment::all(signed).ok());
        let policy = signed.and_then(|signed| SignaturePolicy::of(signed).ok().flatten());
        let mut unsigned: Vec<Oid> = Vec::new();
        for attribute in &signer.unsigned_attributes {
            if !unsigned.contains(&attribute.oid) {
                unsigned.push(attribute.oid.clone());
            }
        }
        Self {
            signing_time: signer.signing_time().ok().flatten(),
            signing_certificates: references.unwrap_or_default(),
            content_type: signer.content_type().ok().flatten(),
            message_digest: signer.message_digest().ok().flatten(),
            commitments: commitments
                .unwrap_or_default()
                .into_iter()
                .map(|commitment| commitment.0)
                .collect(),
            policy: match policy {
                Some(SignaturePolicy::Explicit { oid, .. }) => Some(oid),
                Some(SignaturePolicy::Implied) | None => None,
            },
            unsigned,
        }
    }

    /// Whether the unsigned attribute is there.
    #[must_use]
    pub fn has(&self, attribute: &Oid) -> bool {
        self.unsigned.contains(attribute)
    }

    /// Whether archive time-stamps or other archive material are there.
    #[must_use]
    pub fn has_archive_material(&self) -> bool {
        [
            oid::ARCHIVE_TIME_STAMP_V1,
            oid::ARCHIVE_TIME_STAMP_V2,
            oid::ARCHIVE_TIME_STAMP_V3,
            oid::EVIDENCE_RECORD_INTERNAL,
            oid::EVIDENCE_RECORD_EXTERNAL,
        ]
        .iter()
        .any(|attribute| self.has(attribute))
    }
}

/// Adds what a signer's own structure says: its attributes, value and digests.
pub(crate) fn fill(object: &mut ObjectReport, signer: &SignerInfo) {
    object.add_used(UsedObject::new(UsedRole::Signature, &signer.signature));
    let algorithm = signer.digest_algorithm.digest_algorithm();
    if let (Some(algorithm), Some(signed)) = (algorithm, &signer.signed_attributes) {
        let digest = algorithm.digest(signed.signed_bytes());
        object.add_used(UsedObject::of_digest(UsedRole::ToBeSigned, digest));
    }
    let facts = SignatureFacts::of(signer);
    let stated = facts.message_digest.as_deref();
    let stated = stated.zip(algorithm);
    if let Some(digest) =
        stated.and_then(|(bytes, algorithm)| DigestValue::from_bytes(algorithm, bytes))
    {
        object.add_used(UsedObject::of_digest(UsedRole::SignedData, digest));
    }
    object.signature = Some(Box::new(facts));
}
