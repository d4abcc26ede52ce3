//! A signature as it was before some unsigned attributes were added: what an evidence record inside of it is over (RFC 4998 appendix A, TS 119 122-3).

use crate::cms::{Attribute, SignedData};
use crate::der::typed::FromElement as _;
use crate::der::{Element, Reader, Tag, Writer, sort_set_of, to_der_lengths};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{ATTRIBUTES_MAX, CMS_SIGNERS_MAX, DER_DEPTH_MAX, DER_ELEMENTS_MAX};

/// What to do with one unsigned attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It stays as it is.
    Whole,
    /// It was not there.
    Nothing,
    /// Only its first values were there.
    FirstValues(usize),
}

/// The same signature with fewer unsigned attributes, in the coding in which it stands: only lengths change, and a set that becomes empty goes.
///
/// `keep` is asked for each attribute, with the position of its signer and its own position there.
///
/// # Errors
///
/// Those of malformed input.
pub fn without_attributes(
    bytes: &[u8],
    keep: impl Fn(usize, usize, &Attribute) -> Kept,
) -> Result<Vec<u8>> {
    SignedData::parse(bytes)?;
    let info = Reader::single(bytes, Tag::SEQUENCE, STRUCTURE)?;
    let mut members = info.children(STRUCTURE)?;
    let content_type = members.expect(Tag::OID)?;
    let wrapped = members.expect(Tag::context(0))?;
    let signed_data = wrapped.explicit(Tag::SEQUENCE, STRUCTURE)?;
    let members = signed_data.children(STRUCTURE)?.all(MEMBERS_MAX)?;
    let Some((signers, rest)) = members.split_last() else {
        return Err(FormatError::new(ErrorKind::MissingElement, STRUCTURE));
    };
    let mut content = Vec::new();
    for member in rest {
        content.extend_from_slice(member.raw());
    }
    let mut written = Vec::new();
    let all = signers.children(STRUCTURE)?.all(CMS_SIGNERS_MAX)?;
    for (position, signer) in all.iter().enumerate() {
        written.extend(reduced(signer, |at, attribute| {
            keep(position, at, attribute)
        })?);
    }
    content.extend(rewrapped(signers, &written));
    let signed_data = rewrapped(&signed_data, &content);
    let wrapped = rewrapped(&wrapped, &signed_data);
    Ok(rewrapped(&info, &[content_type.raw(), &wrapped].concat()))
}

/// The same signature in DER: definite lengths, no constructed strings, and sets in their order (X.690 §10, §11.6).
///
/// # Errors
///
/// Those of malformed input.
pub fn to_der(bytes: &[u8]) -> Result<Vec<u8>> {
    let definite = to_der_lengths(bytes)?;
    let element = Reader::single(&definite, Tag::SEQUENCE, STRUCTURE)?;
    let mut budget = DER_ELEMENTS_MAX;
    // ContentInfo, [0], SignedData: its members [0] and [1] are sets, and so are those of each SignerInfo.
    ordered(&element, Level::ContentInfo, 0, &mut budget)
}

fn reduced(signer: &Element<'_>, keep: impl Fn(usize, &Attribute) -> Kept) -> Result<Vec<u8>> {
    let mut reader = signer.children("SignerInfo")?;
    let mut fields = Vec::new();
    let mut changed = false;
    while !reader.is_empty() {
        let field = reader.read()?;
        if field.tag() != Tag::context(1) {
            fields.extend_from_slice(field.raw());
            continue;
        }
        let mut kept = Vec::new();
        let attributes = field.children(STRUCTURE)?.all(ATTRIBUTES_MAX)?;
        for (at, element) in attributes.iter().enumerate() {
            let attribute = Attribute::from_tagged(element)?;
            match keep(at, &attribute) {
                Kept::Whole => kept.extend_from_slice(element.raw()),
                Kept::Nothing => changed = true,
                Kept::FirstValues(count) => {
                    changed = true;
                    kept.extend(first_values(element, count)?);
                }
            }
        }
        if !kept.is_empty() {
            fields.extend(rewrapped(&field, &kept));
        }
    }
    Ok(if changed {
        rewrapped(signer, &fields)
    } else {
        signer.raw().to_vec()
    })
}

fn first_values(attribute: &Element<'_>, count: usize) -> Result<Vec<u8>> {
    let mut members = attribute.children("Attribute")?;
    let oid = members.expect(Tag::OID)?;
    let set = members.expect(Tag::SET)?;
    let values = set.children("Attribute")?.all(ATTRIBUTES_MAX)?;
    let kept: Vec<u8> = values
        .iter()
        .take(count)
        .flat_map(|value| value.raw().to_vec())
        .collect();
    let set = rewrapped(&set, &kept);
    Ok(rewrapped(attribute, &[oid.raw(), &set].concat()))
}

/// Other content in the same frame: of indefinite length if it was, of the shortest definite one otherwise. Unchanged content keeps its bytes.
fn rewrapped(element: &Element<'_>, content: &[u8]) -> Vec<u8> {
    if content == element.content() {
        return element.raw().to_vec();
    }
    if element.is_indefinite() {
        let identifier = element.raw().get(..1).unwrap_or_default();
        return [identifier, &[0x80], content, &[0, 0]].concat();
    }
    Writer::single(element.tag(), |w| {
        w.raw(content);
    })
}

/// Where in a signature an element stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    ContentInfo,
    SignedData,
    Signers,
    SignerInfo,
    Other,
}

fn ordered(
    element: &Element<'_>,
    level: Level,
    depth: usize,
    budget: &mut usize,
) -> Result<Vec<u8>> {
    let limit = || element.error(ErrorKind::LimitExceeded);
    *budget = budget.checked_sub(1).ok_or_else(limit)?;
    if depth > DER_DEPTH_MAX {
        return Err(limit());
    }
    if !element.is_constructed() {
        return Ok(element.raw().to_vec());
    }
    if element.tag() == Tag::OCTET_STRING {
        let octets = element.octets()?;
        let mut writer = Writer::new();
        writer.octet_string(&octets);
        return Ok(writer.into_bytes());
    }
    let inner = |member: &Element<'_>| match level {
        // The frame [0] of the SignedData counts as one level with it.
        Level::ContentInfo if depth == 1 && member.tag() == Tag::SEQUENCE => Level::SignedData,
        Level::ContentInfo => Level::ContentInfo,
        Level::SignedData if member.tag() == Tag::SET => Level::Signers,
        Level::Signers => Level::SignerInfo,
        Level::SignedData | Level::SignerInfo | Level::Other => Level::Other,
    };
    let mut members = Vec::new();
    let mut reader = element.children(STRUCTURE)?;
    while !reader.is_empty() {
        let member = reader.read()?;
        let next = inner(&member);
        let written = ordered(&member, next, depth.saturating_add(1), budget)?;
        let is_set = [Tag::context(0), Tag::context(1)].contains(&member.tag())
            && matches!(level, Level::SignedData | Level::SignerInfo);
        members.push(if is_set { sorted(&written)? } else { written });
    }
    if element.tag() == Tag::SET {
        members = sort_set_of(members);
    }
    Ok(Writer::single(element.tag(), |w| {
        w.raw(&members.concat());
    }))
}

/// The members of an implicitly tagged set in their order.
fn sorted(set: &[u8]) -> Result<Vec<u8>> {
    let mut reader = Reader::new(set, STRUCTURE)?;
    let element = reader.read()?;
    if !element.is_constructed() {
        return Ok(set.to_vec());
    }
    let members = element.children(STRUCTURE)?.all(DER_ELEMENTS_MAX)?;
    let members = sort_set_of(members.iter().map(|member| member.raw().to_vec()).collect());
    Ok(Writer::single(element.tag(), |w| {
        w.raw(&members.concat());
    }))
}

const STRUCTURE: &str = "SignedData";
/// A SignedData has six members.
const MEMBERS_MAX: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cades::add_unsigned_attributes;
    use crate::oid;
    use crate::samples;

    fn attribute(number: u8) -> Attribute {
        Attribute::new(oid::EVIDENCE_RECORD_INTERNAL, vec![vec![4, 1, number]])
    }

    #[test]
    fn what_was_added_goes_again() {
        let bytes = samples::token(b"data");
        let one = add_unsigned_attributes(&bytes, 0, &[attribute(1)]).unwrap();
        let two = add_unsigned_attributes(&one, 0, &[attribute(2)]).unwrap();
        let all = without_attributes(&two, |_, _, _| Kept::Nothing).unwrap();
        assert_eq!(all, bytes);
        let last = without_attributes(&two, |signer, at, _| {
            if (signer, at) == (0, 1) {
                Kept::Nothing
            } else {
                Kept::Whole
            }
        });
        assert_eq!(last.unwrap(), one);
        assert_eq!(
            without_attributes(&two, |_, _, _| Kept::Whole).unwrap(),
            two
        );
    }

    #[test]
    fn later_values_of_one_attribute_go() {
        let bytes = samples::token(b"data");
        let whole = Attribute::new(
            oid::EVIDENCE_RECORD_INTERNAL,
            vec![vec![4, 1, 1], vec![4, 1, 2]],
        );
        let two = add_unsigned_attributes(&bytes, 0, &[whole]).unwrap();
        let one = add_unsigned_attributes(&bytes, 0, &[attribute(1)]).unwrap();
        let first = without_attributes(&two, |_, _, _| Kept::FirstValues(1)).unwrap();
        assert_eq!(first, one);
    }

    #[test]
    fn der_has_definite_lengths_and_sorted_sets() {
        let ber = [
            0x30, 0x80, 0x31, 0x06, 0x02, 0x01, 0x02, 0x02, 0x01, 0x01, 0x24, 0x80, 0x04, 0x01,
            0xaa, 0x04, 0x01, 0xbb, 0x00, 0x00, 0x00, 0x00,
        ];
        let der = [
            0x30, 0x0c, 0x31, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x02, 0x04, 0x02, 0xaa, 0xbb,
        ];
        assert_eq!(to_der(&ber).unwrap(), der);
        let signature = samples::token(b"data");
        assert_eq!(to_der(&signature).unwrap(), signature);
    }

    #[test]
    fn malformed_input_is_refused() {
        for bytes in [&b""[..], b"0", &[0x30, 0x00], &[0x30, 0x80]] {
            assert!(without_attributes(bytes, |_, _, _| Kept::Whole).is_err());
        }
        assert!(to_der(&[0x30, 0x80]).is_err());
        assert!(to_der(&[0x31, 0x00]).is_err());
    }
}
