//! The attributes that bind a signature to its certificate (RFC 2634 §5.4, RFC 5035 §3).

use super::attributes::SignedAttributes;
use crate::der::typed::{FromElement, List, RawSequence, decode, rasn_type};
use crate::der::{Element, Integer, Reader, Tag, Writer};
use crate::digest::{DigestAlgorithm, DigestValue};
use crate::error::{ErrorKind, Result};
use crate::limits::CMS_CERTIFICATES_MAX;
use crate::oid;
use crate::x509::{AlgorithmIdentifier, Certificate};
use rasn::types::OctetString;
use rasn::{AsnType, Decode, Decoder as _};

/// What the signingCertificate attributes of a signer say. The first identifier of each list names the signer's certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SigningCertificates {
    /// signingCertificate (RFC 2634), SHA-1; `None` if the attribute is absent.
    pub v1: Option<Vec<EssCertId>>,
    /// signingCertificateV2 (RFC 5035); `None` if the attribute is absent.
    pub v2: Option<Vec<EssCertId>>,
}

/// A certificate named by its digest.
///
/// ```text
/// ESSCertID ::=  SEQUENCE {
///      certHash                 Hash,
///      issuerSerial             IssuerSerial OPTIONAL }
///
/// ESSCertIDv2 ::=  SEQUENCE {
///      hashAlgorithm            AlgorithmIdentifier DEFAULT {algorithm id-sha256},
///      certHash                 Hash,
///      issuerSerial             IssuerSerial OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EssCertId {
    /// The digest algorithm; SHA-1 for the first version.
    pub algorithm: AlgorithmIdentifier,
    /// The digest of the whole certificate.
    pub hash: Vec<u8>,
    /// Issuer and serial number, if the signer wrote them.
    pub issuer_serial: Option<IssuerSerial>,
}

/// Issuer and serial number inside an [`EssCertId`].
///
/// ```text
/// IssuerSerial ::= SEQUENCE {
///      issuer                   GeneralNames,
///      serialNumber             CertificateSerialNumber }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IssuerSerial {
    /// The exact bytes of GeneralNames.
    pub issuer: Vec<u8>,
    /// The exact bytes of the Name, if GeneralNames is one directoryName, as RFC 5035 §4 demands.
    pub issuer_name: Option<Vec<u8>>,
    /// The serial number.
    pub serial: Integer,
}

impl SigningCertificates {
    pub(crate) fn from_attributes(attributes: &SignedAttributes) -> Result<Self> {
        let v1 = attributes.single_value(&oid::SIGNING_CERTIFICATE)?;
        let v2 = attributes.single_value(&oid::SIGNING_CERTIFICATE_V2)?;
        Ok(Self {
            v1: v1.map(read_v1).transpose()?,
            v2: v2.map(read_v2).transpose()?,
        })
    }

    /// The identifiers of the signer's own certificate: the first of each list.
    pub fn signer_ids(&self) -> impl Iterator<Item = &EssCertId> {
        let lists = [&self.v1, &self.v2];
        lists
            .into_iter()
            .filter_map(|list| list.as_ref().and_then(|ids| ids.first()))
    }

    /// The value of a signingCertificateV2 attribute that names one certificate, with issuer and serial number.
    #[must_use]
    pub fn encode_v2(certificate: &Certificate, algorithm: DigestAlgorithm) -> Vec<u8> {
        let hash = certificate.digest(algorithm);
        Writer::single(Tag::SEQUENCE, |w| {
            w.sequence(|w| {
                w.sequence(|w| {
                    // DEFAULT values are not written in DER (X.690 §11.5).
                    if algorithm != DigestAlgorithm::Sha256 {
                        AlgorithmIdentifier::of_digest(algorithm).write(w);
                    }
                    w.octet_string(hash.as_bytes());
                    IssuerSerial::write_of(certificate, w);
                });
            });
        })
    }
}

impl IssuerSerial {
    /// Writes issuer and serial number of a certificate.
    pub(crate) fn write_of(certificate: &Certificate, w: &mut Writer) {
        w.sequence(|w| {
            w.sequence(|w| {
                w.constructed(DIRECTORY_NAME, |w| {
                    w.raw(certificate.issuer());
                });
            });
            w.integer(certificate.serial());
        });
    }
}

impl EssCertId {
    /// The digest as a value, if the algorithm is known and the length is its own.
    #[must_use]
    pub fn digest_value(&self) -> Option<DigestValue> {
        DigestValue::from_bytes(self.algorithm.digest_algorithm()?, &self.hash)
    }

    /// Whether the digest is that of these certificate bytes; `None` if the algorithm is not known.
    #[must_use]
    pub fn matches(&self, certificate: &[u8]) -> Option<bool> {
        let algorithm = self.algorithm.digest_algorithm()?;
        Some(algorithm.digest(certificate).as_bytes() == self.hash)
    }
}

/// ```text
/// SigningCertificate ::=  SEQUENCE {
///     certs        SEQUENCE OF ESSCertID,
///     policies     SEQUENCE OF PolicyInformation OPTIONAL }
/// ```
#[derive(AsnType, Decode)]
struct SigningCertificate {
    certs: List<FirstVersion, CMS_CERTIFICATES_MAX>,
    #[rasn(identifier = "policies")]
    _policies: Option<RawSequence>,
}

/// The same of ESSCertIDv2.
#[derive(AsnType, Decode)]
struct SigningCertificateV2 {
    certs: List<EssCertId, CMS_CERTIFICATES_MAX>,
    #[rasn(identifier = "policies")]
    _policies: Option<RawSequence>,
}

/// An ESSCertID, which has no algorithm.
struct FirstVersion(EssCertId);

#[derive(AsnType, Decode)]
struct EssCertIdMembers {
    cert_hash: OctetString,
    issuer_serial: Option<IssuerSerial>,
}

#[derive(AsnType, Decode)]
struct EssCertIdV2Members {
    hash_algorithm: Option<AlgorithmIdentifier>,
    cert_hash: OctetString,
    issuer_serial: Option<IssuerSerial>,
}

#[derive(AsnType, Decode)]
struct IssuerSerialMembers {
    issuer: RawSequence,
    serial_number: Integer,
}

impl FromElement for FirstVersion {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let members: EssCertIdMembers = decode(element, "ESSCertID")?;
        Ok(Self(EssCertId {
            algorithm: AlgorithmIdentifier::of_digest(DigestAlgorithm::Sha1),
            hash: members.cert_hash.to_vec(),
            issuer_serial: members.issuer_serial,
        }))
    }
}

impl FromElement for EssCertId {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let members: EssCertIdV2Members = decode(element, "ESSCertIDv2")?;
        let default = || AlgorithmIdentifier::of_digest(DigestAlgorithm::Sha256);
        Ok(Self {
            algorithm: members.hash_algorithm.unwrap_or_else(default),
            hash: members.cert_hash.to_vec(),
            issuer_serial: members.issuer_serial,
        })
    }
}

impl FromElement for IssuerSerial {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let members: IssuerSerialMembers = decode(element, "IssuerSerial")?;
        let issuer = members.issuer.0;
        let names = Reader::single(&issuer, Tag::SEQUENCE, "GeneralNames")?
            .children("GeneralNames")?
            .all(CMS_CERTIFICATES_MAX)?;
        let issuer_name = match names.as_slice() {
            [name] if name.tag() == DIRECTORY_NAME => Some(
                name.explicit(Tag::SEQUENCE, "GeneralName.directoryName")?
                    .raw()
                    .to_vec(),
            ),
            _ => None,
        };
        Ok(Self {
            issuer,
            issuer_name,
            serial: members.serial_number,
        })
    }
}

rasn_type!(IssuerSerial);

fn read_v1(value: &[u8]) -> Result<Vec<EssCertId>> {
    let element = Reader::single(value, Tag::SEQUENCE, "SigningCertificate")?;
    let members: SigningCertificate = decode(&element, "SigningCertificate")?;
    let ids = members.certs.0.into_iter().map(|id| id.0);
    not_empty(ids.collect(), &element)
}

fn read_v2(value: &[u8]) -> Result<Vec<EssCertId>> {
    let element = Reader::single(value, Tag::SEQUENCE, "SigningCertificateV2")?;
    let members: SigningCertificateV2 = decode(&element, "SigningCertificateV2")?;
    not_empty(members.certs.0, &element)
}

fn not_empty(ids: Vec<EssCertId>, element: &Element<'_>) -> Result<Vec<EssCertId>> {
    if ids.is_empty() {
        return Err(element.error(ErrorKind::InvalidValue));
    }
    Ok(ids)
}

const DIRECTORY_NAME: Tag = Tag::context(4);

#[cfg(test)]
mod tests {
    use super::super::Attribute;
    use super::*;
    use crate::samples;

    #[test]
    fn names_a_certificate_by_digest_issuer_and_serial() {
        let certificate = samples::certificate(128);
        for algorithm in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
            let value = SigningCertificates::encode_v2(&certificate, algorithm);
            let attribute = Attribute::new(oid::SIGNING_CERTIFICATE_V2, vec![value]);
            let attributes = SignedAttributes::new(vec![attribute]);
            let ids = SigningCertificates::from_attributes(&attributes).unwrap();
            assert_eq!(ids.v1, None);
            let [id] = ids.v2.as_deref().unwrap() else {
                panic!("one identifier");
            };
            assert_eq!(id.matches(certificate.raw()), Some(true));
            assert_eq!(id.matches(b"another"), Some(false));
            assert_eq!(id.digest_value(), Some(certificate.digest(algorithm)));
            let issuer_serial = id.issuer_serial.as_ref().unwrap();
            assert_eq!(&issuer_serial.serial, certificate.serial());
            assert_eq!(
                issuer_serial.issuer_name.as_deref(),
                Some(certificate.issuer())
            );
            assert_eq!(ids.signer_ids().count(), 1);
        }
    }

    #[test]
    fn the_first_version_means_sha_1() {
        let hash = DigestAlgorithm::Sha1.digest(b"certificate");
        let value = Writer::single(Tag::SEQUENCE, |w| {
            w.sequence(|w| {
                w.sequence(|w| {
                    w.octet_string(hash.as_bytes());
                });
            });
        });
        let ids = read_v1(&value).unwrap();
        assert_eq!(ids[0].digest_value(), Some(hash));
        assert_eq!(ids[0].issuer_serial, None);
        // Read as the second version it would be SHA-256, whose length differs.
        assert_eq!(read_v2(&value).unwrap()[0].digest_value(), None);
    }

    #[test]
    fn malformed_lists_are_refused() {
        for bytes in [
            &[0x30, 0x00][..],
            &[0x30, 0x02, 0x30, 0x00],
            &[0x30, 0x04, 0x30, 0x02, 0x05, 0x00],
            &[0x30, 0x04, 0x30, 0x02, 0x30, 0x00],
            &[0x31, 0x00],
        ] {
            assert!(read_v2(bytes).is_err(), "{bytes:x?}");
        }
        let value =
            SigningCertificates::encode_v2(&samples::certificate(1), DigestAlgorithm::Sha384);
        samples::each_damage(&value, |damaged| drop(read_v2(damaged)));
    }
}
