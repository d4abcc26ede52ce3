//! Adds to a signature without touching what stands in it.

use std::collections::BTreeSet;

use crate::cms::{Attribute, RevocationInfo, SignedData};
use crate::der::{Element, Integer, Reader, Tag, Writer, sort_set_of, to_der_lengths};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{ATTRIBUTES_MAX, CMS_CERTIFICATES_MAX, CMS_REVOCATIONS_MAX, CMS_SIGNERS_MAX};

/// What is added to a signature. None of it is signed.
#[derive(Debug, Clone, Default)]
pub struct Additions {
    /// Unsigned attributes of the signer.
    pub unsigned_attributes: Vec<Attribute>,
    /// The exact bytes of certificates.
    pub certificates: Vec<Vec<u8>>,
    /// CRLs and OCSP responses.
    pub revocations: Vec<RevocationInfo>,
}

/// The same SignedData with additions to it and to the signer at `position`.
///
/// Every element that was there keeps its bytes; a certificate, CRL or OCSP response that is there already is not added again. A set that was in the order
/// of DER is so again, another gets the additions at its end. The version becomes 5 when revocation information of another format is added (RFC 5652 §5.1):
/// no signature or timestamp covers it.
///
/// # Errors
///
/// [`ErrorKind::MissingElement`] if there is no such signer; [`ErrorKind::NotEncodable`] if an addition is no ASN.1; and those of malformed input.
pub fn extend(bytes: &[u8], position: usize, additions: &Additions) -> Result<Vec<u8>> {
    SignedData::parse(bytes)?;
    let definite = to_der_lengths(bytes)?;
    let mut info = Reader::single(&definite, Tag::SEQUENCE, STRUCTURE)?.children(STRUCTURE)?;
    let content_type = info.expect(Tag::OID)?;
    let signed_data = info
        .expect(Tag::context(0))?
        .explicit(Tag::SEQUENCE, STRUCTURE)?;
    let members = extended_members(&signed_data, position, additions)?;
    let extended = Writer::single(Tag::SEQUENCE, |w| {
        w.raw(content_type.raw());
        w.constructed(Tag::context(0), |w| {
            w.sequence(|w| {
                w.raw(&members);
            });
        });
    });
    SignedData::parse(&extended)
        .map_err(|_| FormatError::new(ErrorKind::NotEncodable, STRUCTURE))?;
    Ok(extended)
}

fn extended_members(
    signed_data: &Element<'_>,
    position: usize,
    additions: &Additions,
) -> Result<Vec<u8>> {
    let mut reader = signed_data.children(STRUCTURE)?;
    let version = reader.expect(Tag::INTEGER)?;
    let algorithms = reader.expect(Tag::SET)?;
    let encapsulated = reader.expect(Tag::SEQUENCE)?;
    let certificates = reader.optional(Tag::context(0))?;
    let revocations = reader.optional(Tag::context(1))?;
    let signers = reader.expect(Tag::SET)?;
    let new_revocations: Vec<Vec<u8>> = additions
        .revocations
        .iter()
        .map(RevocationInfo::encode)
        .collect();
    let other_format = additions
        .revocations
        .iter()
        .any(|info| !matches!(info, RevocationInfo::Crl(_)));
    let mut writer = Writer::new();
    if other_format && version.small_integer()? < 5 {
        writer.integer(&Integer::from(5));
    } else {
        writer.raw(version.raw());
    }
    writer.raw(algorithms.raw()).raw(encapsulated.raw());
    let grown = [
        (
            0,
            certificates,
            &additions.certificates,
            CMS_CERTIFICATES_MAX,
        ),
        (1, revocations, &new_revocations, CMS_REVOCATIONS_MAX),
    ];
    for (number, set, new, max) in grown {
        let members = grown_set(set.as_ref(), new, max)?;
        if !members.is_empty() {
            writer.constructed(Tag::context(number), |w| {
                w.raw(&members.concat());
            });
        }
    }
    let signers = signers.children(STRUCTURE)?.all(CMS_SIGNERS_MAX)?;
    if position >= signers.len() {
        return Err(FormatError::new(ErrorKind::MissingElement, "SignerInfo"));
    }
    let mut extended = Vec::new();
    for (at, signer) in signers.iter().enumerate() {
        extended.push(if at == position {
            extended_signer(signer, &additions.unsigned_attributes)?
        } else {
            signer.raw().to_vec()
        });
    }
    writer.constructed(Tag::SET, |w| {
        w.raw(&extended.concat());
    });
    Ok(writer.into_bytes())
}

fn extended_signer(signer: &Element<'_>, attributes: &[Attribute]) -> Result<Vec<u8>> {
    let mut fields = Vec::new();
    let mut unsigned = None;
    let mut reader = signer.children("SignerInfo")?;
    while !reader.is_empty() {
        let field = reader.read()?;
        if field.tag() == Tag::context(1) {
            unsigned = Some(field);
        } else {
            fields.extend_from_slice(field.raw());
        }
    }
    let present = present(unsigned.as_ref(), ATTRIBUTES_MAX)?;
    // Equal attributes may stand twice: two timestamps of one second are two proofs.
    let new = attributes.iter().map(|a| a.raw.clone()).collect();
    let members = joined(present, new);
    Ok(Writer::single(Tag::SEQUENCE, |w| {
        w.raw(&fields);
        if !members.is_empty() {
            w.constructed(Tag::context(1), |w| {
                w.raw(&members.concat());
            });
        }
    }))
}

fn grown_set(set: Option<&Element<'_>>, new: &[Vec<u8>], max: usize) -> Result<Vec<Vec<u8>>> {
    let present = present(set, max)?;
    let mut known: BTreeSet<&[u8]> = present.iter().map(Vec::as_slice).collect();
    for member in new {
        one_element(member)?;
    }
    let new: Vec<Vec<u8>> = new
        .iter()
        .filter(|member| known.insert(member.as_slice()))
        .cloned()
        .collect();
    Ok(joined(present, new))
}

fn present(set: Option<&Element<'_>>, max: usize) -> Result<Vec<Vec<u8>>> {
    let Some(set) = set else {
        return Ok(Vec::new());
    };
    let members = set.children(STRUCTURE)?.all(max)?;
    Ok(members.iter().map(|member| member.raw().to_vec()).collect())
}

/// A cut-off addition would swallow the elements that follow it.
fn one_element(member: &[u8]) -> Result<()> {
    let mut reader = Reader::new(member, STRUCTURE)?;
    let whole = reader.read().and_then(|_| reader.finish());
    whole.map_err(|_| FormatError::new(ErrorKind::NotEncodable, STRUCTURE))
}

fn joined(mut present: Vec<Vec<u8>>, new: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let sorted = present.is_sorted();
    present.extend(new);
    if sorted {
        return sort_set_of(present);
    }
    present
}

const STRUCTURE: &str = "SignedData";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cades::SignatureParts;
    use crate::oid;
    use crate::samples;

    fn attribute(number: u8) -> Attribute {
        Attribute::new(oid::SIGNATURE_TIME_STAMP, vec![vec![4, 1, number]])
    }

    #[test]
    fn what_was_there_keeps_its_bytes() {
        let bytes = samples::token(b"data");
        let before = SignatureParts::parse(&bytes).unwrap();
        let additions = Additions {
            unsigned_attributes: vec![attribute(2), attribute(1)],
            certificates: vec![
                samples::certificate(5).raw().to_vec(),
                samples::certificate(128).raw().to_vec(),
            ],
            revocations: vec![RevocationInfo::Crl(vec![0x30, 0x00])],
        };
        let extended = extend(&bytes, 0, &additions).unwrap();
        let after = SignatureParts::parse(&extended).unwrap();
        assert_eq!(after.encapsulated, before.encapsulated);
        assert_eq!(
            after.signers[0].signed_fields,
            before.signers[0].signed_fields
        );
        assert_eq!(after.certificates.len(), 2);
        assert_eq!(after.revocations, [vec![0x30, 0x00]]);
        let values = |parts: &SignatureParts| -> Vec<Vec<u8>> {
            let attributes = parts.signers[0].unsigned_attributes.iter();
            attributes.flat_map(|a| a.values.clone()).collect()
        };
        assert_eq!(values(&after), [vec![4, 1, 1], vec![4, 1, 2]]);
        assert_eq!(SignedData::parse(&extended).unwrap().encode(), extended);
        assert_eq!(extend(&bytes, 0, &Additions::default()), Ok(bytes));
    }

    #[test]
    fn other_formats_raise_the_version() {
        let bytes = samples::token(b"data");
        let additions = Additions {
            revocations: vec![RevocationInfo::Ocsp {
                oid: oid::REVOCATION_OCSP_RESPONSE,
                bytes: vec![0x30, 0x03, 0x0a, 0x01, 0x00],
            }],
            ..Additions::default()
        };
        let extended = extend(&bytes, 0, &additions).unwrap();
        assert_eq!(SignedData::parse(&extended).unwrap().version, 5);
        assert_eq!(extend(&extended, 0, &additions), Ok(extended));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let bytes = samples::token(b"data");
        let kind = |position, additions: &Additions| {
            extend(&bytes, position, additions).unwrap_err().kind()
        };
        assert_eq!(kind(1, &Additions::default()), ErrorKind::MissingElement);
        let broken = Additions {
            certificates: vec![vec![0x30, 0x05]],
            ..Additions::default()
        };
        assert_eq!(kind(0, &broken), ErrorKind::NotEncodable);
        assert!(extend(&[0x30, 0x00], 0, &Additions::default()).is_err());
    }
}
