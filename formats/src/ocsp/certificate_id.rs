//! What names a certificate.

use rasn::{AsnType, Decode, Decoder as _};

use crate::der::typed::{FromElement, decode, rasn_type};
use crate::der::{Element, Integer, Reader, Tag, Writer};
use crate::digest::DigestAlgorithm;
use crate::error::{ErrorKind, Result};
use crate::x509::AlgorithmIdentifier;

/// A certificate by digests of its issuer and its serial number (RFC 6960 §4.1.1).
///
/// ```text
/// CertID          ::=     SEQUENCE {
///     hashAlgorithm       AlgorithmIdentifier,
///     issuerNameHash      OCTET STRING, -- Hash of issuer's DN
///     issuerKeyHash       OCTET STRING, -- Hash of issuer's public key
///     serialNumber        CertificateSerialNumber }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CertificateId {
    /// The digest algorithm. Responders use SHA-1 to this day; nothing depends on its collisions being hard to find, since the response is signed.
    pub hash_algorithm: AlgorithmIdentifier,
    /// The digest of the issuer's Name, DER.
    pub issuer_name_hash: Vec<u8>,
    /// The digest of the bits of the issuer's public key, without tag, length and number of unused bits.
    pub issuer_key_hash: Vec<u8>,
    /// The serial number of the certificate.
    pub serial: Integer,
}

impl CertificateId {
    /// The name of a certificate: the exact bytes of its issuer's Name, the exact bytes of the issuer's SubjectPublicKeyInfo, its serial number.
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if `issuer_spki` is no SubjectPublicKeyInfo.
    pub fn new(
        algorithm: DigestAlgorithm,
        issuer_name: &[u8],
        issuer_spki: &[u8],
        serial: Integer,
    ) -> Result<Self> {
        // The form that every responder knows (RFC 9654 and all servers): parameters NULL.
        let hash_algorithm = AlgorithmIdentifier {
            oid: algorithm.oid(),
            parameters: Some(vec![0x05, 0x00]),
        };
        Ok(Self {
            hash_algorithm,
            issuer_name_hash: algorithm.digest(issuer_name).as_bytes().to_vec(),
            issuer_key_hash: algorithm.digest(key_bits(issuer_spki)?).as_bytes().to_vec(),
            serial,
        })
    }

    /// Does it name the certificate with this serial number (content octets) of this issuer? `None` if the digest algorithm is not known here.
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if `issuer_spki` is no SubjectPublicKeyInfo.
    pub fn matches(
        &self,
        issuer_name: &[u8],
        issuer_spki: &[u8],
        serial: &[u8],
    ) -> Result<Option<bool>> {
        if self.serial.as_bytes() != serial {
            return Ok(Some(false));
        }
        let Some(algorithm) = self.hash_algorithm.digest_algorithm() else {
            return Ok(None);
        };
        let name = algorithm.digest(issuer_name);
        let key = algorithm.digest(key_bits(issuer_spki)?);
        Ok(Some(
            name.as_bytes() == self.issuer_name_hash && key.as_bytes() == self.issuer_key_hash,
        ))
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.sequence(|w| {
            self.hash_algorithm.write(w);
            w.octet_string(&self.issuer_name_hash)
                .octet_string(&self.issuer_key_hash)
                .integer(&self.serial);
        });
    }
}

/// The bits of a public key: `SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }`.
pub(super) fn key_bits(spki: &[u8]) -> Result<&[u8]> {
    const STRUCTURE: &str = "SubjectPublicKeyInfo";
    let mut members = Reader::single(spki, Tag::SEQUENCE, STRUCTURE)?.children(STRUCTURE)?;
    members.expect(Tag::SEQUENCE)?;
    let key = members.expect(Tag::BIT_STRING)?;
    members.finish()?;
    let (bits, unused) = key.bit_string()?;
    if unused != 0 {
        return Err(key.error(ErrorKind::InvalidEncoding));
    }
    Ok(bits)
}

#[derive(AsnType, Decode)]
struct Members {
    hash_algorithm: AlgorithmIdentifier,
    issuer_name_hash: rasn::types::OctetString,
    issuer_key_hash: rasn::types::OctetString,
    serial_number: Integer,
}

impl FromElement for CertificateId {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let members: Members = decode(element, "CertID")?;
        Ok(Self {
            hash_algorithm: members.hash_algorithm,
            issuer_name_hash: members.issuer_name_hash.to_vec(),
            issuer_key_hash: members.issuer_key_hash.to_vec(),
            serial: members.serial_number,
        })
    }
}

rasn_type!(CertificateId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn a_certificate_is_named_by_issuer_and_number() {
        let certificate = samples::certificate(200);
        let (name, spki) = (certificate.issuer(), certificate.spki());
        for algorithm in [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256] {
            let serial = certificate.serial().clone();
            let id = CertificateId::new(algorithm, name, spki, serial).unwrap();
            assert_eq!(id.matches(name, spki, &[0, 200]), Ok(Some(true)));
            assert_eq!(id.matches(name, spki, &[0, 201]), Ok(Some(false)));
            assert_eq!(id.matches(b"other", spki, &[0, 200]), Ok(Some(false)));
            assert!(id.matches(name, b"other", &[0, 200]).is_err());
        }
    }

    #[test]
    fn an_unknown_digest_is_no_answer() {
        let certificate = samples::certificate(1);
        let (name, spki) = (certificate.issuer(), certificate.spki());
        let serial = certificate.serial().clone();
        let mut id = CertificateId::new(DigestAlgorithm::Sha1, name, spki, serial).unwrap();
        id.hash_algorithm = AlgorithmIdentifier::bare(crate::oid::DATA);
        assert_eq!(id.matches(name, spki, &[1]), Ok(None));
        assert!(key_bits(&[0x30, 0x00]).is_err());
    }
}
