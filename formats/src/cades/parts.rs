//! The exact bytes of a SignedData that archive timestamps cover.

use crate::cms::{Attribute, SignedData};
use crate::der::typed::FromElement as _;
use crate::der::{Element, Reader, Tag, to_der_lengths};
use crate::error::{ErrorKind, Result};
use crate::limits::{ATTRIBUTES_MAX, CMS_CERTIFICATES_MAX, CMS_REVOCATIONS_MAX, CMS_SIGNERS_MAX};

/// A SignedData cut into the byte strings that EN 319 122-1 §5.5.3 takes together.
///
/// Lengths are definite everywhere: a clause that speaks of DER is met for BER input by the change of lengths alone, since order and contents
/// are those that the signer and the timestamp authority saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureParts {
    /// The eContentType with tag and length.
    pub content_type: Vec<u8>,
    /// The whole encapContentInfo.
    pub encapsulated: Vec<u8>,
    /// The octets of eContent; `None` if the signature is detached.
    pub content: Option<Vec<u8>>,
    /// The whole certificates member, with its tag.
    pub certificate_set: Option<Vec<u8>>,
    /// Each CertificateChoices, in the order received.
    pub certificates: Vec<Vec<u8>>,
    /// The whole crls member, with its tag.
    pub revocation_set: Option<Vec<u8>>,
    /// Each RevocationInfoChoice, in the order received.
    pub revocations: Vec<Vec<u8>>,
    /// The signers, in the order received.
    pub signers: Vec<SignerParts>,
}

/// One signer of [`SignatureParts`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerParts {
    /// version, sid, digestAlgorithm, signedAttrs, signatureAlgorithm and signature, one after the other.
    pub signed_fields: Vec<u8>,
    /// The octets of the signature, without tag and length.
    pub signature: Vec<u8>,
    /// The unsigned attributes, in the order received.
    pub unsigned_attributes: Vec<Attribute>,
}

impl SignatureParts {
    /// Cuts a ContentInfo with a SignedData.
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        // The typed parser decides what a SignedData is; the cuts below then only follow its members.
        SignedData::parse(bytes)?;
        let definite = to_der_lengths(bytes)?;
        let mut reader =
            Reader::single(&definite, Tag::SEQUENCE, STRUCTURE)?.children(STRUCTURE)?;
        reader.expect(Tag::OID)?;
        let wrapped = reader.expect(Tag::context(0))?;
        Self::from_element(&wrapped.explicit(Tag::SEQUENCE, STRUCTURE)?)
    }

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let mut reader = element.children(STRUCTURE)?;
        reader.expect(Tag::INTEGER)?;
        reader.expect(Tag::SET)?;
        let encapsulated = reader.expect(Tag::SEQUENCE)?;
        let (content_type, content) = content_of(&encapsulated)?;
        let certificates = reader.optional(Tag::context(0))?;
        let revocations = reader.optional(Tag::context(1))?;
        let signers = reader.expect(Tag::SET)?;
        reader.finish()?;
        let signers = signers.children(STRUCTURE)?.all(CMS_SIGNERS_MAX)?;
        Ok(Self {
            content_type,
            encapsulated: encapsulated.raw().to_vec(),
            content,
            certificates: members(certificates.as_ref(), CMS_CERTIFICATES_MAX)?,
            certificate_set: certificates.map(|set| set.raw().to_vec()),
            revocations: members(revocations.as_ref(), CMS_REVOCATIONS_MAX)?,
            revocation_set: revocations.map(|set| set.raw().to_vec()),
            signers: signers
                .iter()
                .map(SignerParts::from_element)
                .collect::<Result<_>>()?,
        })
    }

    /// One signer, by its place.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingElement`] if there are fewer.
    pub fn signer(&self, position: usize) -> Result<&SignerParts> {
        self.signers
            .get(position)
            .ok_or(crate::error::FormatError::new(
                ErrorKind::MissingElement,
                "SignedData.signerInfos",
            ))
    }
}

impl SignerParts {
    /// Cuts one SignerInfo that stands alone: a countersignature (RFC 5652 §11.4).
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let definite = to_der_lengths(bytes)?;
        Self::from_element(&Reader::single(&definite, Tag::SEQUENCE, "SignerInfo")?)
    }

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let mut reader = element.children("SignerInfo")?;
        let mut signed_fields = Vec::new();
        let mut signature = Vec::new();
        let mut unsigned_attributes = Vec::new();
        while !reader.is_empty() {
            let field = reader.read()?;
            if field.tag() == Tag::context(1) {
                let attributes = field.children("SignerInfo.unsignedAttrs")?;
                for attribute in attributes.all(ATTRIBUTES_MAX)? {
                    unsigned_attributes.push(Attribute::from_tagged(&attribute)?);
                }
                continue;
            }
            if field.tag() == Tag::OCTET_STRING {
                signature = field.octets()?.into_owned();
            }
            signed_fields.extend_from_slice(field.raw());
        }
        Ok(Self {
            signed_fields,
            signature,
            unsigned_attributes,
        })
    }
}

fn content_of(encapsulated: &Element<'_>) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
    let mut reader = encapsulated.children("EncapsulatedContentInfo")?;
    let content_type = reader.expect(Tag::OID)?.raw().to_vec();
    let content = match reader.optional(Tag::context(0))? {
        Some(wrapped) => {
            let octets = wrapped.explicit(Tag::OCTET_STRING, "EncapsulatedContentInfo.eContent")?;
            Some(octets.octets()?.into_owned())
        }
        None => None,
    };
    Ok((content_type, content))
}

fn members(set: Option<&Element<'_>>, max: usize) -> Result<Vec<Vec<u8>>> {
    let Some(set) = set else {
        return Ok(Vec::new());
    };
    let members = set.children(STRUCTURE)?.all(max)?;
    Ok(members.iter().map(|member| member.raw().to_vec()).collect())
}

const STRUCTURE: &str = "SignedData";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn the_cuts_are_slices_of_the_input() {
        let bytes = samples::token(b"data");
        let parts = SignatureParts::parse(&bytes).unwrap();
        let stands_in = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(stands_in(&parts.content_type));
        assert!(stands_in(&parts.encapsulated));
        assert!(stands_in(&parts.signers[0].signed_fields));
        assert_eq!(parts.certificates, [samples::certificate(128).raw()]);
        assert!(parts.revocations.is_empty() && parts.revocation_set.is_none());
        assert!(parts.signer(0).is_ok() && parts.signer(1).is_err());
        let typed = SignedData::parse(&bytes).unwrap();
        assert_eq!(parts.content, typed.content);
        assert_eq!(parts.signers[0].signature, typed.signers[0].signature);
    }

    #[test]
    fn what_is_no_signed_data_is_refused_and_damage_does_no_harm() {
        let bytes = samples::token(b"data");
        assert!(SignatureParts::parse(&[]).is_err());
        assert!(SignatureParts::parse(&[0x30, 0x00]).is_err());
        samples::each_damage(&bytes, |damaged| drop(SignatureParts::parse(damaged)));
    }
}
