//! complete-certificate-references and complete-revocation-references (RFC 5126 §6.2).

use crate::cms::{Attribute, IssuerSerial};
use crate::der::typed::{FromElement as _, decode};
use crate::der::{Element, Reader, Tag, Writer};
use crate::digest::{DigestAlgorithm, DigestValue};
use crate::error::{ErrorKind, Result};
use crate::limits::CADES_REFERENCES_MAX;
use crate::oid;
use crate::x509::{AlgorithmIdentifier, Certificate};
use rasn::{AsnType, Decode, Decoder as _};

/// A digest with its algorithm.
///
/// ```text
/// OtherHash ::= CHOICE {
///   sha1Hash   OtherHashValue,  -- OCTET STRING
///   otherHash  OtherHashAlgAndValue }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OtherHash {
    /// The algorithm; SHA-1 for the short form.
    pub algorithm: AlgorithmIdentifier,
    /// The digest.
    pub hash: Vec<u8>,
}

/// One certificate of the path.
///
/// ```text
/// CompleteCertificateRefs ::= SEQUENCE OF OtherCertID
/// OtherCertID ::= SEQUENCE {
///   otherCertHash  OtherHash,
///   issuerSerial   IssuerSerial OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CertificateReference {
    /// The digest of the certificate.
    pub hash: OtherHash,
    /// Issuer and serial number, if they were written.
    pub issuer_serial: Option<IssuerSerial>,
}

/// One CRL (`CrlValidatedID`). Its identifier is kept as bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CrlReference {
    /// The digest of the CRL.
    pub hash: OtherHash,
    /// The exact bytes of CrlIdentifier, if it was written.
    pub identifier: Option<Vec<u8>>,
}

/// One OCSP response (`OcspResponsesID`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OcspReference {
    /// Who answered: the exact bytes of the ResponderID.
    pub responder: ResponderId,
    /// When: the exact bytes of the GeneralizedTime.
    pub produced_at: Vec<u8>,
    /// The digest of the BasicOCSPResponse, if it was written.
    pub hash: Option<OtherHash>,
}

/// The exact bytes of a ResponderID (RFC 6960 §4.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResponderId(pub Vec<u8>);

/// The revocation information of the path: one entry for each certificate, in the order of the certificate references with the signer's first.
///
/// ```text
/// CompleteRevocationRefs ::= SEQUENCE OF CrlOcspRef
/// CrlOcspRef ::= SEQUENCE {
///   crlids     [0] CRLListID OPTIONAL,
///   ocspids    [1] OcspListID OPTIONAL,
///   otherRev   [2] OtherRevRefs OPTIONAL }
/// CRLListID ::= SEQUENCE { crls SEQUENCE OF CrlValidatedID }
/// CrlValidatedID ::= SEQUENCE {
///   crlHash        OtherHash,
///   crlIdentifier  CrlIdentifier OPTIONAL }
/// OcspListID ::= SEQUENCE { ocspResponses SEQUENCE OF OcspResponsesID }
/// OcspResponsesID ::= SEQUENCE {
///   ocspIdentifier  OcspIdentifier,
///   ocspRepHash     OtherHash OPTIONAL }
/// OcspIdentifier ::= SEQUENCE {
///   ocspResponderID  ResponderID,
///   producedAt       GeneralizedTime }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RevocationReferences {
    /// CRLs of one certificate.
    pub crls: Vec<CrlReference>,
    /// OCSP responses of one certificate.
    pub ocsp_responses: Vec<OcspReference>,
}

impl OtherHash {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8], algorithm: DigestAlgorithm) -> Self {
        Self {
            algorithm: AlgorithmIdentifier::of_digest(algorithm),
            hash: algorithm.digest(bytes).as_bytes().to_vec(),
        }
    }

    /// The digest as a value, if the algorithm is known and the length is its own.
    #[must_use]
    pub fn digest_value(&self) -> Option<DigestValue> {
        DigestValue::from_bytes(self.algorithm.digest_algorithm()?, &self.hash)
    }

    /// Whether the digest is that of these bytes; `None` if the algorithm is not known.
    #[must_use]
    pub fn matches(&self, bytes: &[u8]) -> Option<bool> {
        let algorithm = self.algorithm.digest_algorithm()?;
        Some(algorithm.digest(bytes).as_bytes() == self.hash)
    }

    fn read(element: &Element<'_>) -> Result<Self> {
        match element.tag() {
            Tag::OCTET_STRING => Ok(Self {
                algorithm: AlgorithmIdentifier::of_digest(DigestAlgorithm::Sha1),
                hash: element.octets()?.into_owned(),
            }),
            Tag::SEQUENCE => {
                let members: OtherHashAlgAndValue = decode(element, "OtherHashAlgAndValue")?;
                Ok(Self {
                    algorithm: members.hash_algorithm,
                    hash: members.hash_value.to_vec(),
                })
            }
            _ => Err(element.error(ErrorKind::UnexpectedTag)),
        }
    }

    fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            self.algorithm.write(w);
            w.octet_string(&self.hash);
        });
    }
}

/// Reads a value of complete-certificate-references.
///
/// # Errors
///
/// A [`crate::error::FormatError`] if it is malformed.
pub fn parse_certificate_references(value: &[u8]) -> Result<Vec<CertificateReference>> {
    let list = Reader::single(value, Tag::SEQUENCE, "CompleteCertificateRefs")?;
    let read = |element: &Element<'_>| {
        let mut reader = element.children("OtherCertID")?;
        let hash = OtherHash::read(&reader.read()?)?;
        let issuer_serial = match reader.optional(Tag::SEQUENCE)? {
            Some(element) => Some(IssuerSerial::from_element(&element)?),
            None => None,
        };
        reader.finish()?;
        Ok(CertificateReference {
            hash,
            issuer_serial,
        })
    };
    list.children("CompleteCertificateRefs")?
        .all(CADES_REFERENCES_MAX)?
        .iter()
        .map(read)
        .collect()
}

/// The attribute complete-certificate-references for these certificates: the path of the signer, without the signer's own.
#[must_use]
pub fn encode_certificate_references(
    certificates: &[Certificate],
    algorithm: DigestAlgorithm,
) -> Attribute {
    let value = Writer::single(Tag::SEQUENCE, |w| {
        for certificate in certificates {
            w.sequence(|w| {
                OtherHash::of(certificate.raw(), algorithm).write(w);
                IssuerSerial::write_of(certificate, w);
            });
        }
    });
    Attribute::new(oid::COMPLETE_CERTIFICATE_REFERENCES, vec![value])
}

impl CrlReference {
    /// The reference to a CRL: digest, issuer and time of issue (`CrlIdentifier`).
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if the bytes are no CRL.
    pub fn of(crl: &[u8], algorithm: DigestAlgorithm) -> Result<Self> {
        let mut outer =
            Reader::single(crl, Tag::SEQUENCE, "CertificateList")?.children("CertificateList")?;
        let mut list = outer.expect(Tag::SEQUENCE)?.children("TBSCertList")?;
        list.optional(Tag::INTEGER)?;
        list.expect(Tag::SEQUENCE)?;
        let issuer = list.expect(Tag::SEQUENCE)?;
        let this_update = list.read()?;
        // crlIssuedTime is a UTCTime; a CRL of after 2049 cannot be named by it.
        let identifier = (this_update.tag() == Tag::UTC_TIME).then(|| {
            Writer::single(Tag::SEQUENCE, |w| {
                w.raw(issuer.raw()).raw(this_update.raw());
            })
        });
        Ok(Self {
            hash: OtherHash::of(crl, algorithm),
            identifier,
        })
    }
}

impl OcspReference {
    /// The reference to a BasicOCSPResponse.
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if the bytes are none.
    pub fn of(basic: &[u8], algorithm: DigestAlgorithm) -> Result<Self> {
        let mut outer = Reader::single(basic, Tag::SEQUENCE, "BasicOCSPResponse")?
            .children("BasicOCSPResponse")?;
        let mut data = outer.expect(Tag::SEQUENCE)?.children("ResponseData")?;
        data.optional(Tag::context(0))?;
        let responder = ResponderId(data.read()?.raw().to_vec());
        let produced_at = data.expect(Tag::GENERALIZED_TIME)?.raw().to_vec();
        Ok(Self {
            responder,
            produced_at,
            hash: Some(OtherHash::of(basic, algorithm)),
        })
    }
}

impl RevocationReferences {
    /// Reads a value of complete-revocation-references.
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if it is malformed.
    pub fn parse(value: &[u8]) -> Result<Vec<Self>> {
        let list = Reader::single(value, Tag::SEQUENCE, STRUCTURE)?;
        let entries = list.children(STRUCTURE)?.all(CADES_REFERENCES_MAX)?;
        entries.iter().map(Self::read).collect()
    }

    /// The attribute complete-revocation-references.
    #[must_use]
    pub fn to_attribute(entries: &[Self]) -> Attribute {
        let value = Writer::single(Tag::SEQUENCE, |w| {
            for entry in entries {
                w.sequence(|w| entry.write(w));
            }
        });
        Attribute::new(oid::COMPLETE_REVOCATION_REFERENCES, vec![value])
    }

    fn read(element: &Element<'_>) -> Result<Self> {
        let mut reader = element.children("CrlOcspRef")?;
        let crls = match reader.optional(Tag::context(0))? {
            Some(list) => inner_list(&list)?
                .iter()
                .map(read_crl)
                .collect::<Result<_>>()?,
            None => Vec::new(),
        };
        let ocsp_responses = match reader.optional(Tag::context(1))? {
            Some(list) => inner_list(&list)?
                .iter()
                .map(read_ocsp)
                .collect::<Result<_>>()?,
            None => Vec::new(),
        };
        reader.optional(Tag::context(2))?;
        reader.finish()?;
        Ok(Self {
            crls,
            ocsp_responses,
        })
    }

    fn write(&self, w: &mut Writer) {
        if !self.crls.is_empty() {
            wrapped(w, 0, |w| {
                for reference in &self.crls {
                    w.sequence(|w| {
                        reference.hash.write(w);
                        w.raw(reference.identifier.as_deref().unwrap_or_default());
                    });
                }
            });
        }
        if !self.ocsp_responses.is_empty() {
            wrapped(w, 1, |w| {
                for reference in &self.ocsp_responses {
                    w.sequence(|w| {
                        w.sequence(|w| {
                            w.raw(&reference.responder.0).raw(&reference.produced_at);
                        });
                        if let Some(hash) = &reference.hash {
                            hash.write(w);
                        }
                    });
                }
            });
        }
    }
}

/// `[number] SEQUENCE { SEQUENCE OF … }`.
fn wrapped(w: &mut Writer, number: u32, fill: impl FnOnce(&mut Writer)) {
    w.constructed(Tag::context(number), |w| {
        w.sequence(|w| {
            w.sequence(fill);
        });
    });
}

fn inner_list<'a>(element: &Element<'a>) -> Result<Vec<Element<'a>>> {
    element
        .explicit(Tag::SEQUENCE, STRUCTURE)?
        .explicit(Tag::SEQUENCE, STRUCTURE)?
        .children(STRUCTURE)?
        .all(CADES_REFERENCES_MAX)
}

fn read_crl(element: &Element<'_>) -> Result<CrlReference> {
    let mut reader = element.children("CrlValidatedID")?;
    let hash = OtherHash::read(&reader.read()?)?;
    let identifier = reader.optional(Tag::SEQUENCE)?;
    reader.finish()?;
    Ok(CrlReference {
        hash,
        identifier: identifier.map(|element| element.raw().to_vec()),
    })
}

fn read_ocsp(element: &Element<'_>) -> Result<OcspReference> {
    let mut reader = element.children("OcspResponsesID")?;
    let mut identifier = reader.expect(Tag::SEQUENCE)?.children("OcspIdentifier")?;
    let responder = ResponderId(identifier.read()?.raw().to_vec());
    let produced_at = identifier.expect(Tag::GENERALIZED_TIME)?.raw().to_vec();
    identifier.finish()?;
    let hash = if reader.is_empty() {
        None
    } else {
        Some(OtherHash::read(&reader.read()?)?)
    };
    reader.finish()?;
    Ok(OcspReference {
        responder,
        produced_at,
        hash,
    })
}

#[derive(AsnType, Decode)]
struct OtherHashAlgAndValue {
    hash_algorithm: AlgorithmIdentifier,
    hash_value: rasn::types::OctetString,
}

const STRUCTURE: &str = "CompleteRevocationRefs";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    const BASIC: &[u8] = &[
        0x30, 0x17, 0x30, 0x15, 0xa2, 0x00, 0x18, 0x0f, b'2', b'0', b'2', b'6', b'1', b'1', b'2',
        b'2', b'0', b'4', b'0', b'0', b'0', b'0', b'Z', 0x30, 0x00,
    ];

    fn crl() -> Vec<u8> {
        Writer::single(Tag::SEQUENCE, |w| {
            w.sequence(|w| {
                w.integer(&1.into()).sequence(|_| {}).sequence(|_| {});
                w.primitive(Tag::UTC_TIME, b"261122040000Z");
            });
        })
    }

    #[test]
    fn references_are_written_and_read() {
        let certificates = [samples::certificate(1), samples::certificate(2)];
        let attribute = encode_certificate_references(&certificates, DigestAlgorithm::Sha256);
        let read = parse_certificate_references(&attribute.values[0]).unwrap();
        for (reference, certificate) in read.iter().zip(&certificates) {
            assert_eq!(reference.hash.matches(certificate.raw()), Some(true));
            assert_eq!(reference.hash.matches(b"other"), Some(false));
            let named = reference.issuer_serial.as_ref().unwrap();
            assert_eq!(&named.serial, certificate.serial());
        }
        let entries = vec![
            RevocationReferences::default(),
            RevocationReferences {
                crls: vec![CrlReference::of(&crl(), DigestAlgorithm::Sha256).unwrap()],
                ocsp_responses: vec![OcspReference::of(BASIC, DigestAlgorithm::Sha512).unwrap()],
            },
        ];
        let attribute = RevocationReferences::to_attribute(&entries);
        assert_eq!(
            RevocationReferences::parse(&attribute.values[0]),
            Ok(entries)
        );
    }

    #[test]
    fn malformed_ones_are_refused_and_damage_does_no_harm() {
        for value in [
            &[][..],
            &[0x31, 0x00],
            &[0x30, 0x02, 0x30, 0x00],
            &[0x30, 0x02, 0x05, 0x00],
        ] {
            assert!(parse_certificate_references(value).is_err(), "{value:x?}");
        }
        assert!(RevocationReferences::parse(&[0x30, 0x04, 0x30, 0x02, 0xa0, 0x00]).is_err());
        assert!(RevocationReferences::parse(&[0x04, 0x00]).is_err());
        assert!(CrlReference::of(BASIC, DigestAlgorithm::Sha256).is_err());
        assert!(OcspReference::of(&crl(), DigestAlgorithm::Sha256).is_err());
        let entries = [RevocationReferences {
            crls: vec![CrlReference::of(&crl(), DigestAlgorithm::Sha256).unwrap()],
            ocsp_responses: Vec::new(),
        }];
        let value = RevocationReferences::to_attribute(&entries)
            .values
            .remove(0);
        samples::each_damage(&value, |damaged| drop(RevocationReferences::parse(damaged)));
    }
}
