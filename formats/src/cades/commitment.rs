//! Signed attributes that say what a signature is for.

use crate::cms::{Attribute, SignedAttributes};
use crate::der::typed::decode;
use crate::der::{Reader, Tag, Writer};
use crate::error::{ErrorKind, Result};
use crate::oid::{self, Oid};
use crate::x509::AlgorithmIdentifier;
use rasn::{AsnType, Decode, Decoder as _};

/// commitment-type-indication (EN 319 122-1 §5.2.3): what the signer commits to by the signature.
///
/// ```text
/// CommitmentTypeIndication ::= SEQUENCE {
///   commitmentTypeId CommitmentTypeIdentifier,
///   commitmentTypeQualifier SEQUENCE SIZE (1..MAX) OF CommitmentTypeQualifier OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Commitment(pub Oid);

/// signature-policy-identifier (EN 319 122-1 §5.2.9).
///
/// ```text
/// SignaturePolicyIdentifier ::= CHOICE {
///   signaturePolicyId          SignaturePolicyId,
///   signaturePolicyImplied     SignaturePolicyImplied -- NULL, not used in this version }
///
/// SignaturePolicyId ::= SEQUENCE {
///   sigPolicyId           SigPolicyId,
///   sigPolicyHash         SigPolicyHash,
///   sigPolicyQualifiers   SEQUENCE SIZE (1..MAX) OF SigPolicyQualifierInfo OPTIONAL }
///
/// SigPolicyHash ::= OtherHashAlgAndValue ::= SEQUENCE {
///   hashAlgorithm   AlgorithmIdentifier,
///   hashValue       OCTET STRING }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SignaturePolicy {
    /// A policy by identifier and digest.
    Explicit {
        /// The policy.
        oid: Oid,
        /// The algorithm of its digest; `None` if the digest is absent, as old signatures have it.
        algorithm: Option<AlgorithmIdentifier>,
        /// The digest of the policy document.
        hash: Vec<u8>,
    },
    /// Implied by what is signed.
    Implied,
}

impl Commitment {
    /// The attribute to be signed.
    #[must_use]
    pub fn to_attribute(&self) -> Attribute {
        let value = Writer::single(Tag::SEQUENCE, |w| {
            w.oid(&self.0);
        });
        Attribute::new(oid::COMMITMENT_TYPE_INDICATION, vec![value])
    }

    /// Every commitment of a signer.
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if one is malformed.
    pub fn all(attributes: &SignedAttributes) -> Result<Vec<Self>> {
        let values = attributes.all(&oid::COMMITMENT_TYPE_INDICATION);
        values
            .flat_map(|attribute| &attribute.values)
            .map(|value| {
                let element = Reader::single(value, Tag::SEQUENCE, "CommitmentTypeIndication")?;
                let mut reader = element.children("CommitmentTypeIndication")?;
                let commitment = reader.expect(Tag::OID)?.oid()?;
                reader.optional(Tag::SEQUENCE)?;
                reader.finish()?;
                Ok(Self(commitment))
            })
            .collect()
    }
}

impl SignaturePolicy {
    /// The policy of a signer, if it names one.
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if the attribute is malformed or stands twice.
    pub fn of(attributes: &SignedAttributes) -> Result<Option<Self>> {
        match attributes.single_value(&oid::SIGNATURE_POLICY_IDENTIFIER)? {
            Some(value) => Self::parse(value).map(Some),
            None => Ok(None),
        }
    }

    /// The attribute to be signed.
    #[must_use]
    pub fn to_attribute(&self) -> Attribute {
        let mut writer = Writer::new();
        match self {
            Self::Implied => {
                writer.primitive(Tag::NULL, &[]);
            }
            Self::Explicit {
                oid,
                algorithm,
                hash,
            } => {
                writer.sequence(|w| {
                    w.oid(oid);
                    if let Some(algorithm) = algorithm {
                        w.sequence(|w| {
                            algorithm.write(w);
                            w.octet_string(hash);
                        });
                    }
                });
            }
        }
        Attribute::new(oid::SIGNATURE_POLICY_IDENTIFIER, vec![writer.into_bytes()])
    }

    fn parse(value: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(value, STRUCTURE)?;
        let element = reader.read()?;
        reader.finish()?;
        match element.tag() {
            Tag::NULL => return Ok(Self::Implied),
            Tag::SEQUENCE => {}
            _ => return Err(element.error(ErrorKind::UnexpectedTag)),
        }
        let mut members = element.children(STRUCTURE)?;
        let oid = members.expect(Tag::OID)?.oid()?;
        let digest = members.optional(Tag::SEQUENCE)?;
        members.optional(Tag::SEQUENCE)?;
        members.finish()?;
        let Some(digest) = digest else {
            return Ok(Self::Explicit {
                oid,
                algorithm: None,
                hash: Vec::new(),
            });
        };
        let digest: OtherHashAlgAndValue = decode(&digest, "OtherHashAlgAndValue")?;
        Ok(Self::Explicit {
            oid,
            algorithm: Some(digest.hash_algorithm),
            hash: digest.hash_value.to_vec(),
        })
    }
}

#[derive(AsnType, Decode)]
struct OtherHashAlgAndValue {
    hash_algorithm: AlgorithmIdentifier,
    hash_value: rasn::types::OctetString,
}

const STRUCTURE: &str = "SignaturePolicyIdentifier";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::DigestAlgorithm;

    fn policy() -> SignaturePolicy {
        SignaturePolicy::Explicit {
            oid: "1.3.6.1.4.1.32473.2".parse().unwrap(),
            algorithm: Some(AlgorithmIdentifier::of_digest(DigestAlgorithm::Sha256)),
            hash: vec![7; 32],
        }
    }

    #[test]
    fn policies_are_written_and_read() {
        let absent = SignaturePolicy::Explicit {
            oid: oid::DATA,
            algorithm: None,
            hash: Vec::new(),
        };
        for policy in [policy(), SignaturePolicy::Implied, absent] {
            let attributes = SignedAttributes::new(vec![policy.to_attribute()]);
            assert_eq!(SignaturePolicy::of(&attributes), Ok(Some(policy)));
        }
        let none = SignedAttributes::new(Vec::new());
        assert_eq!(SignaturePolicy::of(&none), Ok(None));
    }

    #[test]
    fn commitments_are_written_and_read() {
        let commitment = Commitment(oid::PROOF_OF_RECEIPT);
        let attributes = SignedAttributes::new(vec![commitment.to_attribute()]);
        assert_eq!(Commitment::all(&attributes), Ok(vec![commitment]));
    }

    #[test]
    fn malformed_ones_are_refused_and_damage_does_no_harm() {
        for value in [
            &[0x30, 0x00][..],
            &[0x04, 0x00],
            &[],
            &[0x30, 0x02, 0x05, 0x00],
        ] {
            assert!(SignaturePolicy::parse(value).is_err(), "{value:x?}");
            let attribute = Attribute::new(oid::COMMITMENT_TYPE_INDICATION, vec![value.to_vec()]);
            let attributes = SignedAttributes::new(vec![attribute]);
            assert!(Commitment::all(&attributes).is_err(), "{value:x?}");
        }
        let value = policy().to_attribute().values.remove(0);
        crate::samples::each_damage(&value, |damaged| drop(SignaturePolicy::parse(damaged)));
    }
}
