//! Revocation information inside a SignedData.

use crate::der::typed::decode;
use crate::der::{Element, Reader, Tag, Writer};
use crate::error::{ErrorKind, Result};
use crate::oid::{self, Oid};
use rasn::{AsnType, Decode, Decoder as _};

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
                let members: OtherRevocationInfoFormat =
                    decode(element, "OtherRevocationInfoFormat")?;
                let oid = members.other_rev_info_format;
                let bytes = members.other_rev_info.into_bytes();
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
pub(super) fn basic_response(bytes: &[u8]) -> Result<Option<Vec<u8>>> {
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
    let members: ResponseBytes = decode(
        &wrapped.explicit(Tag::SEQUENCE, "ResponseBytes")?,
        "ResponseBytes",
    )?;
    Ok((members.response_type == oid::OCSP_BASIC).then(|| members.response.to_vec()))
}

#[derive(AsnType, Decode)]
struct OtherRevocationInfoFormat {
    other_rev_info_format: Oid,
    other_rev_info: rasn::types::Any,
}

#[derive(AsnType, Decode)]
struct ResponseBytes {
    response_type: Oid,
    response: rasn::types::OctetString,
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASIC: &[u8] = &[0x30, 0x02, 0x30, 0x00];

    fn response(status_only: bool, oid: &Oid) -> Vec<u8> {
        Writer::single(Tag::SEQUENCE, |w| {
            w.primitive(Tag::ENUMERATED, &[0]);
            if !status_only {
                w.constructed(Tag::context(0), |w| {
                    w.sequence(|w| {
                        w.oid(oid).octet_string(BASIC);
                    });
                });
            }
        })
    }

    fn ocsp(bytes: &[u8]) -> RevocationInfo {
        RevocationInfo::Ocsp {
            oid: oid::OCSP_BASIC,
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn both_forms_lead_to_the_basic_response() {
        let basic = |bytes: &[u8]| ocsp(bytes).basic_ocsp_response().unwrap();
        assert_eq!(basic(BASIC).as_deref(), Some(BASIC));
        let wrapped = response(false, &oid::OCSP_BASIC);
        assert_eq!(basic(&wrapped).as_deref(), Some(BASIC));
        assert_eq!(basic(&response(true, &oid::OCSP_BASIC)), None);
        assert_eq!(basic(&response(false, &oid::DATA)), None);
        let crl = RevocationInfo::Crl(BASIC.to_vec());
        assert_eq!(crl.basic_ocsp_response(), Ok(None));
    }

    #[test]
    fn malformed_answers_are_errors_and_do_no_harm() {
        for bytes in [
            &[][..],
            &[0x30, 0x00],
            &[0x04, 0x00],
            &[0x30, 0x02, 0x05, 0x00],
        ] {
            assert!(ocsp(bytes).basic_ocsp_response().is_err(), "{bytes:x?}");
        }
        let whole = response(false, &oid::OCSP_BASIC);
        crate::samples::each_damage(&whole, |damaged| {
            drop(ocsp(damaged).basic_ocsp_response());
        });
    }

    #[test]
    fn the_choice_follows_tag_and_identifier() {
        let read = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes, "test").unwrap();
            RevocationInfo::from_element(&reader.read().unwrap())
        };
        for info in [
            RevocationInfo::Crl(BASIC.to_vec()),
            ocsp(BASIC),
            RevocationInfo::Ocsp {
                oid: oid::REVOCATION_OCSP_RESPONSE,
                bytes: BASIC.to_vec(),
            },
            RevocationInfo::Other {
                oid: oid::DATA,
                bytes: BASIC.to_vec(),
            },
        ] {
            assert_eq!(read(&info.encode()), Ok(info));
        }
        assert!(read(&[0xa0, 0x00]).is_err());
        assert!(read(&[0xa1, 0x00]).is_err());
    }
}
