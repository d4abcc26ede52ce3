//! Changes what nothing signs of a signature: its unsigned attributes, and whether its content stands inside.
//!
//! Certificates and revocation information are added by [`crate::cms::with_validation_material`].

use crate::cms::{Attribute, SignedData};
use crate::der::{Element, Reader, Tag, Writer, sort_set_of, to_der_lengths};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{ATTRIBUTES_MAX, CMS_SIGNERS_MAX};

/// The same SignedData with more unsigned attributes of the signer at `position`.
///
/// Every element that was there keeps its bytes. A set of attributes that was in the order of DER is so again, another gets the new ones at its end.
/// Indefinite lengths become definite.
///
/// # Errors
///
/// [`ErrorKind::MissingElement`] if there is no such signer; [`ErrorKind::NotEncodable`] if an attribute is no ASN.1; and those of malformed input.
pub fn add_unsigned_attributes(
    bytes: &[u8],
    position: usize,
    attributes: &[Attribute],
) -> Result<Vec<u8>> {
    let extended = rewrite(bytes, |w, members| {
        let Some((signers, rest)) = members.split_last() else {
            return Err(FormatError::new(ErrorKind::MissingElement, STRUCTURE));
        };
        for member in rest {
            w.raw(member.raw());
        }
        let signers = signers.children(STRUCTURE)?.all(CMS_SIGNERS_MAX)?;
        if position >= signers.len() {
            return Err(FormatError::new(ErrorKind::MissingElement, "SignerInfo"));
        }
        let mut written = Vec::new();
        for (at, signer) in signers.iter().enumerate() {
            written.extend(if at == position {
                extended_signer(signer, attributes)?
            } else {
                signer.raw().to_vec()
            });
        }
        w.constructed(Tag::SET, |w| {
            w.raw(&written);
        });
        Ok(())
    })?;
    SignedData::parse(&extended)
        .map_err(|_| FormatError::new(ErrorKind::NotEncodable, STRUCTURE))?;
    Ok(extended)
}

/// The same SignedData without its content, and the content (RFC 5652 §5.2: an external signature).
///
/// Neither a signature nor an archive-time-stamp-v3 covers whether the content stands inside; an archive-time-stamp-v2 does.
///
/// # Errors
///
/// [`ErrorKind::MissingElement`] if there is no content; and those of malformed input.
pub fn detach(bytes: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let content = SignedData::parse(bytes)?.content.clone();
    let missing = FormatError::new(
        ErrorKind::MissingElement,
        "EncapsulatedContentInfo.eContent",
    );
    let content = content.ok_or(missing)?;
    let detached = rewrite(bytes, |w, members| {
        for (position, member) in members.iter().enumerate() {
            if position != ENCAPSULATED {
                w.raw(member.raw());
                continue;
            }
            let content_type = member.children(STRUCTURE)?.expect(Tag::OID)?;
            w.sequence(|w| {
                w.raw(content_type.raw());
            });
        }
        Ok(())
    })?;
    Ok((detached, content))
}

/// version, digestAlgorithms, encapContentInfo (RFC 5652 §5.1).
const ENCAPSULATED: usize = 2;

/// Writes the ContentInfo again around the members that `write` makes of those of the SignedData.
fn rewrite(
    bytes: &[u8],
    write: impl FnOnce(&mut Writer, &[Element<'_>]) -> Result<()>,
) -> Result<Vec<u8>> {
    SignedData::parse(bytes)?;
    let definite = to_der_lengths(bytes)?;
    let mut info = Reader::single(&definite, Tag::SEQUENCE, STRUCTURE)?.children(STRUCTURE)?;
    let content_type = info.expect(Tag::OID)?;
    let wrapped = info.expect(Tag::context(0))?;
    let signed_data = wrapped.explicit(Tag::SEQUENCE, STRUCTURE)?;
    let members = signed_data.children(STRUCTURE)?.all(MEMBERS_MAX)?;
    let mut inner = Writer::new();
    write(&mut inner, &members)?;
    let inner = inner.into_bytes();
    Ok(Writer::single(Tag::SEQUENCE, |w| {
        w.raw(content_type.raw());
        w.constructed(Tag::context(0), |w| {
            w.sequence(|w| {
                w.raw(&inner);
            });
        });
    }))
}

fn extended_signer(signer: &Element<'_>, attributes: &[Attribute]) -> Result<Vec<u8>> {
    let mut fields = Vec::new();
    let mut members: Vec<Vec<u8>> = Vec::new();
    let mut reader = signer.children("SignerInfo")?;
    while !reader.is_empty() {
        let field = reader.read()?;
        if field.tag() == Tag::context(1) {
            let present = field.children(STRUCTURE)?.all(ATTRIBUTES_MAX)?;
            members.extend(present.iter().map(|attribute| attribute.raw().to_vec()));
        } else {
            fields.extend_from_slice(field.raw());
        }
    }
    let sorted = members.is_sorted();
    for attribute in attributes {
        one_element(&attribute.raw)?;
        // Equal attributes may stand twice: two timestamps of one second are two proofs.
        members.push(attribute.raw.clone());
    }
    if sorted {
        members = sort_set_of(members);
    }
    Ok(Writer::single(Tag::SEQUENCE, |w| {
        w.raw(&fields);
        if !members.is_empty() {
            w.constructed(Tag::context(1), |w| {
                w.raw(&members.concat());
            });
        }
    }))
}

/// A cut-off addition would swallow the elements that follow it.
fn one_element(member: &[u8]) -> Result<()> {
    let mut reader = Reader::new(member, STRUCTURE)?;
    let whole = reader.read().and_then(|_| reader.finish());
    whole.map_err(|_| FormatError::new(ErrorKind::NotEncodable, STRUCTURE))
}

const STRUCTURE: &str = "SignedData";
/// A SignedData has six members.
const MEMBERS_MAX: usize = 6;

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
        let extended = add_unsigned_attributes(&bytes, 0, &[attribute(2)]).unwrap();
        let extended = add_unsigned_attributes(&extended, 0, &[attribute(1)]).unwrap();
        let after = SignatureParts::parse(&extended).unwrap();
        assert_eq!(after.encapsulated, before.encapsulated);
        assert_eq!(after.certificates, before.certificates);
        assert_eq!(
            after.signers[0].signed_fields,
            before.signers[0].signed_fields
        );
        let values = |parts: &SignatureParts| -> Vec<Vec<u8>> {
            let attributes = parts.signers[0].unsigned_attributes.iter();
            attributes.flat_map(|a| a.values.clone()).collect()
        };
        assert_eq!(values(&after), [vec![4, 1, 1], vec![4, 1, 2]]);
        assert_eq!(SignedData::parse(&extended).unwrap().encode(), extended);
        assert_eq!(add_unsigned_attributes(&bytes, 0, &[]), Ok(bytes));
    }

    #[test]
    fn the_content_is_taken_out_once() {
        let bytes = samples::token(b"data");
        let whole = SignedData::parse(&bytes).unwrap();
        let (detached, content) = detach(&bytes).unwrap();
        assert_eq!(Some(&content), whole.content.as_ref());
        let parsed = SignedData::parse(&detached).unwrap();
        assert_eq!(parsed.content, None);
        assert_eq!(parsed.content_type, whole.content_type);
        assert_eq!(parsed.signers, whole.signers);
        assert_eq!(parsed.certificates, whole.certificates);
        let error = detach(&detached).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingElement);
        assert!(detach(&[0x30, 0x00]).is_err());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let bytes = samples::token(b"data");
        let kind = |position, attribute| {
            let error = add_unsigned_attributes(&bytes, position, &[attribute]).unwrap_err();
            error.kind()
        };
        assert_eq!(kind(1, attribute(1)), ErrorKind::MissingElement);
        let mut broken = attribute(1);
        broken.raw = vec![0x30, 0x05];
        assert_eq!(kind(0, broken.clone()), ErrorKind::NotEncodable);
        broken.raw = vec![0x30, 0x00];
        assert_eq!(kind(0, broken), ErrorKind::NotEncodable);
        assert!(add_unsigned_attributes(&[0x30, 0x00], 0, &[]).is_err());
    }
}
