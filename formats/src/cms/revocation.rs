//! Revocation information inside a SignedData.

use crate::der::{Element, Reader, Tag, Writer};
use crate::error::{ErrorKind, Result};
use crate::oid::{self, Oid};

/// A CRL or OCSP response inside a SignedData (RFC 5652 §10.2.1).
///
/// ```text
/// RevocationInfoChoice ::= CHOICE {
///   crl CertificateList,
///   other [1] IMPLICIT OtherRevocationInfoFormat }
///
/// OtherRevocationInfoFormat ::= SEQUENCE {
///   otherRevInfoFormat OBJECT IDENTIFIER,
///   otherRevInfo ANY DEFINED BY otherRevInfoFormat }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RevocationInfo {
    /// A CRL: the exact bytes of the CertificateList.
    Crl(Vec<u8>),
    /// An OCSP response, in one of the two forms that occur: `OCSPResponse` under 1.3.6.1.5.5.7.16.2 (RFC 5940), or
    /// `BasicOCSPResponse` under id-pkix-ocsp-basic, which many archives write.
    Ocsp {
        /// The identifier under which it stands.
        oid: Oid,
        /// The exact bytes.
        bytes: Vec<u8>,
    },
    /// Anything else.
    Other {
        /// What it is.
        oid: Oid,
        /// The exact bytes.
        bytes: Vec<u8>,
    },
}

/// What the bytes of an OCSP answer are (RFC 6960 §4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OcspForm {
    /// `OCSPResponse`: a status around a basic response.
    Response,
    /// `BasicOCSPResponse`: the signed part alone.
    Basic,
}

impl RevocationInfo {
    pub(crate) fn from_element(element: &Element<'_>) -> Result<Self> {
        match element.tag() {
            Tag::SEQUENCE => Ok(Self::Crl(element.raw().to_vec())),
            tag if tag == Tag::context(1) => {
                let mut reader = element.children("OtherRevocationInfoFormat")?;
                let oid = reader.expect(Tag::OID)?.oid()?;
                let bytes = reader.read()?.raw().to_vec();
                reader.finish()?;
                if oid == oid::OCSP_BASIC || oid == oid::REVOCATION_OCSP_RESPONSE {
                    return Ok(Self::Ocsp { oid, bytes });
                }
                Ok(Self::Other { oid, bytes })
            }
            _ => Err(element.error(ErrorKind::UnexpectedTag)),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Crl(bytes) => bytes.clone(),
            Self::Ocsp { oid, bytes } | Self::Other { oid, bytes } => {
                Writer::single(Tag::context(1), |w| {
                    w.oid(oid).raw(bytes);
                })
            }
        }
    }

    /// The exact bytes of the `BasicOCSPResponse` in it; `None` if this is no OCSP answer, or one without a basic response.
    ///
    /// The form is told from the bytes, not from the identifier, since both are mixed up in real files.
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if the bytes are malformed.
    pub fn basic_ocsp_response(&self) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Ocsp { bytes, .. } => basic_response(bytes),
            Self::Crl(_) | Self::Other { .. } => Ok(None),
        }
    }
}

impl OcspForm {
    /// Which of the two forms these bytes have.
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if they have neither.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        let element = Reader::single(bytes, Tag::SEQUENCE, "OCSPResponse")?;
        match element.children("OCSPResponse")?.peek() {
            Some(Tag::ENUMERATED) => Ok(Self::Response),
            Some(Tag::SEQUENCE) => Ok(Self::Basic),
            _ => Err(element.error(ErrorKind::UnexpectedTag)),
        }
    }
}

/// ```text
/// OCSPResponse ::= SEQUENCE {
///    responseStatus         OCSPResponseStatus,
///    responseBytes          [0] EXPLICIT ResponseBytes OPTIONAL }
/// ResponseBytes ::=       SEQUENCE {
///    responseType   OBJECT IDENTIFIER,
///    response       OCTET STRING }
/// ```
fn basic_response(bytes: &[u8]) -> Result<Option<Vec<u8>>> {
    if OcspForm::of(bytes)? == OcspForm::Basic {
        return Ok(Some(bytes.to_vec()));
    }
    let mut reader =
        Reader::single(bytes, Tag::SEQUENCE, "OCSPResponse")?.children("OCSPResponse")?;
    reader.expect(Tag::ENUMERATED)?;
    let wrapped = reader.optional(Tag::context(0))?;
    reader.finish()?;
    let Some(wrapped) = wrapped else {
        return Ok(None);
    };
    let mut reader = wrapped
        .explicit(Tag::SEQUENCE, "ResponseBytes")?
        .children("ResponseBytes")?;
    let oid = reader.expect(Tag::OID)?.oid()?;
    let response = reader.expect(Tag::OCTET_STRING)?.octets()?.into_owned();
    reader.finish()?;
    Ok((oid == oid::OCSP_BASIC).then_some(response))
}
