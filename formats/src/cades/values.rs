//! certificate-values and revocation-values (RFC 5126 §6.3.3, §6.3.4).

use crate::cms::Attribute;
use crate::der::{Element, Reader, Tag, Writer};
use crate::error::{ErrorKind, Result};
use crate::limits::CADES_REFERENCES_MAX;
use crate::oid;

/// The value of revocation-values.
///
/// ```text
/// RevocationValues ::= SEQUENCE {
///   crlVals         [0] SEQUENCE OF CertificateList OPTIONAL,
///   ocspVals        [1] SEQUENCE OF BasicOCSPResponse OPTIONAL,
///   otherRevVals    [2] OtherRevVals OPTIONAL }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RevocationValues {
    /// The exact bytes of each CRL.
    pub crls: Vec<Vec<u8>>,
    /// The exact bytes of each BasicOCSPResponse.
    pub ocsp_responses: Vec<Vec<u8>>,
    /// Whether there is something of another kind, which is not looked into.
    pub others: bool,
}

/// Reads a value of certificate-values: the exact bytes of each certificate.
///
/// ```text
/// CertificateValues ::= SEQUENCE OF Certificate
/// ```
///
/// # Errors
///
/// A [`crate::error::FormatError`] if it is malformed.
pub fn parse_certificate_values(value: &[u8]) -> Result<Vec<Vec<u8>>> {
    sequences(&Reader::single(value, Tag::SEQUENCE, "CertificateValues")?)
}

/// The attribute certificate-values.
#[must_use]
pub fn encode_certificate_values(certificates: &[Vec<u8>]) -> Attribute {
    let value = Writer::single(Tag::SEQUENCE, |w| {
        w.raw(&certificates.concat());
    });
    Attribute::new(oid::CERTIFICATE_VALUES, vec![value])
}

impl RevocationValues {
    /// Reads a value of the attribute.
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if it is malformed.
    pub fn parse(value: &[u8]) -> Result<Self> {
        let mut reader = Reader::single(value, Tag::SEQUENCE, STRUCTURE)?.children(STRUCTURE)?;
        let mut list = |number| -> Result<Vec<Vec<u8>>> {
            match reader.optional(Tag::context(number))? {
                Some(list) => sequences(&list.explicit(Tag::SEQUENCE, STRUCTURE)?),
                None => Ok(Vec::new()),
            }
        };
        let (crls, ocsp_responses) = (list(0)?, list(1)?);
        let others = reader.optional(Tag::context(2))?.is_some();
        reader.finish()?;
        Ok(Self {
            crls,
            ocsp_responses,
            others,
        })
    }

    /// The attribute. What is of another kind is not written.
    #[must_use]
    pub fn to_attribute(&self) -> Attribute {
        let value = Writer::single(Tag::SEQUENCE, |w| {
            for (number, list) in [(0, &self.crls), (1, &self.ocsp_responses)] {
                if !list.is_empty() {
                    w.constructed(Tag::context(number), |w| {
                        w.sequence(|w| {
                            w.raw(&list.concat());
                        });
                    });
                }
            }
        });
        Attribute::new(oid::REVOCATION_VALUES, vec![value])
    }
}

fn sequences(list: &Element<'_>) -> Result<Vec<Vec<u8>>> {
    let members = list.children(STRUCTURE)?.all(CADES_REFERENCES_MAX)?;
    let bytes = |member: &Element<'_>| match member.tag() {
        Tag::SEQUENCE => Ok(member.raw().to_vec()),
        _ => Err(member.error(ErrorKind::UnexpectedTag)),
    };
    members.iter().map(bytes).collect()
}

const STRUCTURE: &str = "RevocationValues";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_and_read() {
        let certificates = vec![vec![0x30, 0x00], vec![0x30, 0x02, 0x05, 0x00]];
        let attribute = encode_certificate_values(&certificates);
        let read = parse_certificate_values(&attribute.values[0]);
        assert_eq!(read, Ok(certificates.clone()));
        for values in [
            RevocationValues::default(),
            RevocationValues {
                crls: certificates.clone(),
                ..RevocationValues::default()
            },
            RevocationValues {
                crls: certificates.clone(),
                ocsp_responses: certificates,
                others: false,
            },
        ] {
            let attribute = values.to_attribute();
            assert_eq!(RevocationValues::parse(&attribute.values[0]), Ok(values));
        }
    }

    #[test]
    fn malformed_ones_are_refused() {
        for value in [
            &[][..],
            &[0x31, 0x00],
            &[0x30, 0x02, 0x05, 0x00],
            &[0x30, 0x02, 0xa0, 0x00],
            &[0x30, 0x06, 0xa0, 0x04, 0x30, 0x02, 0x05, 0x00],
            &[0x30, 0x08, 0xa1, 0x02, 0x30, 0x00, 0xa0, 0x02, 0x30, 0x00],
        ] {
            assert!(RevocationValues::parse(value).is_err(), "{value:x?}");
        }
        assert!(parse_certificate_values(&[0x30, 0x02, 0x05, 0x00]).is_err());
        assert!(parse_certificate_values(&[0x30, 0x02, 0x30]).is_err());
    }
}
