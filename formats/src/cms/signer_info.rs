//! SignerInfo.

use super::attributes::{Attribute, SignedAttributes};
use super::ess::SigningCertificates;
use super::protection::AlgorithmProtection;
use crate::der::typed::{FromElement as _, RawSequence, decode};
use crate::der::{Element, Integer, Reader, Tag, Writer};
use crate::error::{ErrorKind, FormatError, Result};
use crate::oid;
use crate::x509::AlgorithmIdentifier;
use ::time::OffsetDateTime;
use rasn::{AsnType, Decode, Decoder as _};

/// One signer (RFC 5652 §5.3).
///
/// ```text
/// SignerInfo ::= SEQUENCE {
///   version CMSVersion,
///   sid SignerIdentifier,
///   digestAlgorithm DigestAlgorithmIdentifier,
///   signedAttrs [0] IMPLICIT SignedAttributes OPTIONAL,
///   signatureAlgorithm SignatureAlgorithmIdentifier,
///   signature SignatureValue,
///   unsignedAttrs [1] IMPLICIT UnsignedAttributes OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SignerInfo {
    /// 1 with issuer and serial number, 3 with a key identifier.
    pub version: u32,
    /// Which certificate.
    pub identifier: SignerIdentifier,
    /// The digest over content and signed attributes.
    pub digest_algorithm: AlgorithmIdentifier,
    /// The signed attributes.
    pub signed_attributes: Option<SignedAttributes>,
    /// The algorithm of the signature.
    pub signature_algorithm: AlgorithmIdentifier,
    /// The octets of the signature.
    pub signature: Vec<u8>,
    /// The unsigned attributes, in the order received.
    pub unsigned_attributes: Vec<Attribute>,
}

/// Which certificate belongs to a signer (RFC 5652 §5.3).
///
/// ```text
/// SignerIdentifier ::= CHOICE {
///   issuerAndSerialNumber IssuerAndSerialNumber,
///   subjectKeyIdentifier [0] SubjectKeyIdentifier }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SignerIdentifier {
    /// By issuer and serial number.
    IssuerAndSerial {
        /// The exact bytes of the issuer's Name.
        issuer: Vec<u8>,
        /// The serial number.
        serial: Integer,
    },
    /// By the subjectKeyIdentifier extension.
    KeyIdentifier(Vec<u8>),
}

impl SignerInfo {
    /// The value of the contentType attribute (RFC 5652 §11.1), if there is one.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] if the attribute is malformed or stands twice.
    pub fn content_type(&self) -> Result<Option<oid::Oid>> {
        let Some(value) = self.signed_value(&oid::CONTENT_TYPE)? else {
            return Ok(None);
        };
        let element = Reader::single(value, Tag::OID, "contentType attribute")?;
        element.oid().map(Some)
    }

    /// The value of the messageDigest attribute (RFC 5652 §11.2), if there is one.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] if the attribute is malformed or stands twice.
    pub fn message_digest(&self) -> Result<Option<Vec<u8>>> {
        let Some(value) = self.signed_value(&oid::MESSAGE_DIGEST)? else {
            return Ok(None);
        };
        let element = Reader::single(value, Tag::OCTET_STRING, "messageDigest attribute")?;
        Ok(Some(element.octets()?.into_owned()))
    }

    /// The value of the signingTime attribute (RFC 5652 §11.3), if there is one. It is only the signer's claim.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] if the attribute is malformed or stands twice.
    pub fn signing_time(&self) -> Result<Option<OffsetDateTime>> {
        let Some(value) = self.signed_value(&oid::SIGNING_TIME)? else {
            return Ok(None);
        };
        let mut reader = Reader::new(value, "signingTime attribute")?;
        let element = reader.read()?;
        reader.finish()?;
        let time = match element.tag() {
            Tag::UTC_TIME => element.utc_time()?,
            Tag::GENERALIZED_TIME => element.generalized_time()?,
            _ => return Err(element.error(ErrorKind::UnexpectedTag)),
        };
        Ok(Some(time))
    }

    /// The CMSAlgorithmProtection attribute (RFC 6211), if there is one.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] if the attribute is malformed or stands twice.
    pub fn algorithm_protection(&self) -> Result<Option<AlgorithmProtection>> {
        let value = self.signed_value(&oid::CMS_ALGORITHM_PROTECTION)?;
        value.map(AlgorithmProtection::parse).transpose()
    }

    /// The signingCertificate and signingCertificateV2 attributes.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] if an attribute is malformed or stands twice.
    pub fn signing_certificates(&self) -> Result<SigningCertificates> {
        match &self.signed_attributes {
            Some(attributes) => SigningCertificates::from_attributes(attributes),
            None => Ok(SigningCertificates::default()),
        }
    }

    /// Every unsigned attribute of a type.
    pub fn unsigned<'a>(&'a self, oid: &'a oid::Oid) -> impl Iterator<Item = &'a Attribute> {
        self.unsigned_attributes
            .iter()
            .filter(move |attribute| attribute.oid == *oid)
    }

    fn signed_value(&self, oid: &oid::Oid) -> Result<Option<&[u8]>> {
        match &self.signed_attributes {
            Some(attributes) => attributes.single_value(oid),
            None => Ok(None),
        }
    }

    /// Reads one SignerInfo that stands alone: a countersignature (RFC 5652 §11.4).
    ///
    /// # Errors
    ///
    /// A [`FormatError`] if it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::from_element(&Reader::single(bytes, Tag::SEQUENCE, "SignerInfo")?)
    }

    pub(crate) fn from_element(element: &Element<'_>) -> Result<Self> {
        if element.tag() != Tag::SEQUENCE {
            return Err(element.error(ErrorKind::UnexpectedTag));
        }
        let mut reader = element.children("SignerInfo")?;
        let version = reader.expect(Tag::INTEGER)?.small_integer()?;
        let identifier = SignerIdentifier::from_element(&reader.read()?)?;
        let digest_algorithm = AlgorithmIdentifier::from_element(&reader.expect(Tag::SEQUENCE)?)?;
        let signed_attributes = match reader.optional(Tag::context(0))? {
            Some(element) => Some(SignedAttributes::from_element(&element)?),
            None => None,
        };
        let signature_algorithm =
            AlgorithmIdentifier::from_element(&reader.expect(Tag::SEQUENCE)?)?;
        let signature = reader.expect(Tag::OCTET_STRING)?.octets()?.into_owned();
        let unsigned_attributes = match reader.optional(Tag::context(1))? {
            // SIZE (1..MAX), but some programs write an empty set. Nothing is signed there and nothing is said, so it is no reason not
            // to read the rest.
            Some(element) if element.content().is_empty() => Vec::new(),
            Some(element) => Attribute::list_from_element(&element, "SignerInfo.unsignedAttrs")?,
            None => Vec::new(),
        };
        reader.finish()?;
        Ok(Self {
            version,
            identifier,
            digest_algorithm,
            signed_attributes,
            signature_algorithm,
            signature,
            unsigned_attributes,
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.sequence(|w| {
            w.integer(&Integer::from(u64::from(self.version)));
            self.identifier.write(w);
            self.digest_algorithm.write(w);
            if let Some(attributes) = &self.signed_attributes {
                let set = attributes.attributes().iter().map(|a| a.raw.clone());
                w.set_of(Tag::context(0), set.collect());
            }
            self.signature_algorithm.write(w);
            w.octet_string(&self.signature);
            if !self.unsigned_attributes.is_empty() {
                let set = self.unsigned_attributes.iter().map(|a| a.raw.clone());
                w.set_of(Tag::context(1), set.collect());
            }
        });
    }
}

impl SignerIdentifier {
    /// The identifier of a certificate by issuer and serial number.
    #[must_use]
    pub fn of(certificate: &crate::x509::Certificate) -> Self {
        Self::IssuerAndSerial {
            issuer: certificate.issuer().to_vec(),
            serial: certificate.serial().clone(),
        }
    }

    fn from_element(element: &Element<'_>) -> Result<Self> {
        match element.tag() {
            Tag::SEQUENCE => {
                let members: IssuerAndSerialNumber = decode(element, "IssuerAndSerialNumber")?;
                Ok(Self::IssuerAndSerial {
                    issuer: members.issuer.0,
                    serial: members.serial_number,
                })
            }
            tag if tag == Tag::context(0) => {
                Ok(Self::KeyIdentifier(element.octets()?.into_owned()))
            }
            _ => Err(
                FormatError::new(ErrorKind::UnexpectedTag, "SignerIdentifier").at(element.offset()),
            ),
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::IssuerAndSerial { issuer, serial } => {
                writer.sequence(|w| {
                    w.raw(issuer).integer(serial);
                });
            }
            Self::KeyIdentifier(identifier) => {
                writer.primitive(Tag::context(0), identifier);
            }
        }
    }
}

#[derive(AsnType, Decode)]
struct IssuerAndSerialNumber {
    issuer: RawSequence,
    serial_number: Integer,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cms::SignedData;
    use crate::samples;
    use ::time::macros::datetime;

    fn signer() -> SignerInfo {
        let signed_data = SignedData::parse(&samples::token(b"data")).unwrap();
        signed_data.signers[0].clone()
    }

    fn parse(bytes: &[u8]) -> Result<SignerInfo> {
        SignerInfo::from_element(&Reader::single(bytes, Tag::SEQUENCE, "test")?)
    }

    fn encode(signer: &SignerInfo) -> Vec<u8> {
        let mut writer = Writer::new();
        signer.write(&mut writer);
        writer.into_bytes()
    }

    #[test]
    fn all_members_survive() {
        let mut signer = signer();
        assert_eq!(parse(&encode(&signer)), Ok(signer.clone()));
        let attribute = Attribute::new(oid::SIGNATURE_TIME_STAMP, vec![vec![5, 0]]);
        signer.unsigned_attributes = vec![attribute];
        signer.identifier = SignerIdentifier::KeyIdentifier(vec![1, 2, 3]);
        signer.signed_attributes = None;
        assert_eq!(parse(&encode(&signer)), Ok(signer.clone()));
        assert_eq!(signer.unsigned(&oid::SIGNATURE_TIME_STAMP).count(), 1);
        assert_eq!(signer.signing_time(), Ok(None));
        assert_eq!(signer.content_type(), Ok(None));
    }

    #[test]
    fn signing_time_has_two_notations() {
        let with = |value: Vec<u8>| {
            let attribute = Attribute::new(oid::SIGNING_TIME, vec![value]);
            let signer = SignerInfo {
                signed_attributes: Some(SignedAttributes::new(vec![attribute])),
                ..signer()
            };
            signer.signing_time()
        };
        let write = |tag, text: &[u8]| {
            let mut writer = Writer::new();
            writer.primitive(tag, text);
            writer.into_bytes()
        };
        let expected = Ok(Some(datetime!(2026-11-22 03:48:30 UTC)));
        assert_eq!(with(write(Tag::UTC_TIME, b"261122034830Z")), expected);
        let generalized = write(Tag::GENERALIZED_TIME, b"20261122034830Z");
        assert_eq!(with(generalized), expected);
        assert!(with(write(Tag::UTC_TIME, b"261322034830Z")).is_err());
        assert!(with(write(Tag::OCTET_STRING, b"")).is_err());
    }

    #[test]
    fn a_damaged_one_does_no_harm() {
        samples::each_damage(&encode(&signer()), |damaged| {
            if let Ok(signer) = parse(damaged) {
                drop(signer.signing_certificates());
                drop(signer.message_digest());
            }
        });
    }
}
