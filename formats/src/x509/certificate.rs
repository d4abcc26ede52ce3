//! A certificate as exact bytes, split into the parts that evidence compares.

use crate::der::typed::FromElement as _;
use crate::der::{Integer, Reader, Tag};
use crate::digest::{DigestAlgorithm, DigestValue};
use crate::error::{ErrorKind, FormatError, Result};

use super::AlgorithmIdentifier;

/// A certificate (RFC 5280 §4.1).
///
/// ```text
/// Certificate  ::=  SEQUENCE  {
///      tbsCertificate       TBSCertificate,
///      signatureAlgorithm   AlgorithmIdentifier,
///      signatureValue       BIT STRING  }
///
/// TBSCertificate  ::=  SEQUENCE  {
///      version         [0]  EXPLICIT Version DEFAULT v1,
///      serialNumber         CertificateSerialNumber,
///      signature            AlgorithmIdentifier,
///      issuer               Name,
///      validity             Validity,
///      subject              Name,
///      subjectPublicKeyInfo SubjectPublicKeyInfo,
///      … }
/// ```
///
/// Only the frame is read here; extensions and validity are read with [`Certificate::x509`], which may fail where this did not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Certificate {
    raw: Vec<u8>,
    tbs: Vec<u8>,
    serial: Integer,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    spki: Vec<u8>,
    signature_algorithm: AlgorithmIdentifier,
    signature: Vec<u8>,
}

impl Certificate {
    /// Reads one certificate in DER and nothing else.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] if the frame is not that of a certificate.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut outer =
            Reader::single(bytes, Tag::SEQUENCE, "Certificate")?.children("Certificate")?;
        let tbs = outer.expect(Tag::SEQUENCE)?;
        let signature_algorithm = AlgorithmIdentifier::from_element(&outer.expect(Tag::SEQUENCE)?)?;
        let (signature, _) = outer.expect(Tag::BIT_STRING)?.bit_string()?;
        outer.finish()?;
        let mut inner = tbs.children("TBSCertificate")?;
        inner.optional(Tag::context(0))?;
        let serial = inner.expect(Tag::INTEGER)?.integer()?;
        inner.expect(Tag::SEQUENCE)?;
        let issuer = inner.expect(Tag::SEQUENCE)?.raw().to_vec();
        inner.expect(Tag::SEQUENCE)?;
        let subject = inner.expect(Tag::SEQUENCE)?.raw().to_vec();
        let spki = inner.expect(Tag::SEQUENCE)?.raw().to_vec();
        Ok(Self {
            raw: bytes.to_vec(),
            tbs: tbs.raw().to_vec(),
            serial,
            issuer,
            subject,
            spki,
            signature_algorithm,
            signature: signature.to_vec(),
        })
    }

    /// The exact bytes.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The exact bytes of TBSCertificate, over which the issuer signed.
    #[must_use]
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// The serial number.
    #[must_use]
    pub const fn serial(&self) -> &Integer {
        &self.serial
    }

    /// The exact bytes of the issuer's Name.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// The exact bytes of the subject's Name.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// The exact bytes of SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The algorithm of the issuer's signature.
    #[must_use]
    pub const fn signature_algorithm(&self) -> &AlgorithmIdentifier {
        &self.signature_algorithm
    }

    /// The octets of the issuer's signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The digest of the exact bytes.
    #[must_use]
    pub fn digest(&self, algorithm: DigestAlgorithm) -> DigestValue {
        algorithm.digest(&self.raw)
    }

    /// All fields and extensions, through `x509-parser`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidEncoding`] if `x509-parser` refuses the certificate.
    pub fn x509(&self) -> Result<x509_parser::certificate::X509Certificate<'_>> {
        use x509_parser::prelude::FromDer as _;
        match x509_parser::certificate::X509Certificate::from_der(&self.raw) {
            Ok(([], certificate)) => Ok(certificate),
            Ok(_) | Err(_) => Err(FormatError::new(ErrorKind::InvalidEncoding, "Certificate")),
        }
    }

    /// The subject in the text form of X.500 names, for people. Falls back to hexadecimal.
    #[must_use]
    pub fn subject_text(&self) -> String {
        name_text(&self.subject)
    }

    /// The common name of the subject (RFC 5280 §4.1.2.6), the last one where there are several; `None` if there is none in readable text.
    ///
    /// The text form of a whole name does not escape what stands in it, so nothing can be cut out of that.
    #[must_use]
    pub fn subject_common_name(&self) -> Option<String> {
        use x509_parser::prelude::FromDer as _;
        let (_, name) = x509_parser::x509::X509Name::from_der(&self.subject).ok()?;
        let last = name.iter_common_name().last()?;
        last.as_str().ok().map(str::to_owned)
    }

    /// The issuer in the text form of X.500 names, for people. Falls back to hexadecimal.
    #[must_use]
    pub fn issuer_text(&self) -> String {
        name_text(&self.issuer)
    }
}

fn name_text(name: &[u8]) -> String {
    use x509_parser::prelude::FromDer as _;
    match x509_parser::x509::X509Name::from_der(name) {
        Ok(([], parsed)) => parsed.to_string(),
        Ok(_) | Err(_) => hex::encode(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn splits_the_frame() {
        let certificate = samples::certificate(200);
        assert_eq!(certificate.serial().as_bytes(), [0, 200]);
        assert_eq!(certificate.issuer_text(), "CN=TSA");
        assert_eq!(certificate.subject_text(), "CN=TSA");
        assert_eq!(certificate.subject_common_name().as_deref(), Some("TSA"));
        assert_eq!(certificate.signature(), [7, 7]);
        assert_eq!(
            certificate.signature_algorithm().oid,
            crate::oid::ECDSA_WITH_SHA256
        );
        let other = certificate.x509().unwrap();
        assert_eq!(other.tbs_certificate.as_ref(), certificate.tbs());
        assert_eq!(other.public_key().raw, certificate.spki());
    }

    #[test]
    fn malformed_ones_are_refused_and_do_no_harm() {
        for bytes in [&[][..], &[0x30, 0x00], &[0x30, 0x02, 0x30, 0x00]] {
            assert!(Certificate::parse(bytes).is_err(), "{bytes:x?}");
        }
        let bytes = samples::certificate(1).raw().to_vec();
        samples::each_damage(&bytes, |damaged| {
            if let Ok(certificate) = Certificate::parse(damaged) {
                assert_eq!(certificate.raw(), damaged);
                drop(certificate.subject_text());
                drop(certificate.x509());
            }
        });
    }
}
