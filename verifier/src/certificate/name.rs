//! Distinguished names (RFC 5280 §4.1.2.4) and their comparison (§7.1).

use std::fmt::{self, Write as _};

use formats::oid::Oid;
use unicode_normalization::UnicodeNormalization as _;

use x509_parser::asn1_rs::FromDer as _;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use super::schema::{ATTRIBUTE, NAME, NAME_ATTRIBUTES_MAX};
use super::whole;
use crate::der::{Malformed, Reader, Result, SEQUENCE};

const UTF8_STRING: u8 = 0x0c;
const NUMERIC_STRING: u8 = 0x12;
const PRINTABLE_STRING: u8 = 0x13;
const TELETEX_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const VISIBLE_STRING: u8 = 0x1a;
const UNIVERSAL_STRING: u8 = 0x1c;
const BMP_STRING: u8 = 0x1e;

/// A distinguished name.
///
/// ```text
/// Name ::= CHOICE { rdnSequence RDNSequence }
/// RDNSequence ::= SEQUENCE OF RelativeDistinguishedName
/// RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue
/// ```
///
/// Two names are equal if their relative names are equal in order, by the rules of RFC 5280 §7.1: text regardless of letter case, of the string type, of
/// composition and of the width of spaces.
#[derive(Debug, Clone)]
pub struct Name<'a> {
    raw: &'a [u8],
    /// The relative names, each in its form for comparison.
    relative: Vec<Vec<u8>>,
    attributes: Vec<Attribute<'a>>,
}

#[derive(Debug, Clone)]
struct Attribute<'a> {
    oid: Oid,
    tag: u8,
    value: &'a [u8],
}

impl<'a> Attribute<'a> {
    fn of(attribute: &AttributeTypeAndValue<'a>) -> Result<Self> {
        let error = Malformed {
            structure: "AttributeTypeAndValue",
        };
        let value = attribute.attr_value();
        let tag = value.header.raw_tag().and_then(|octets| octets.first());
        Ok(Self {
            oid: Oid::from_content(attribute.attr_type().as_bytes()).map_err(|_| error)?,
            tag: *tag.ok_or(error)?,
            value: value.data,
        })
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.relative == other.relative
    }
}

impl Eq for Name<'_> {}

impl<'a> Name<'a> {
    /// Reads a name from its DER.
    ///
    /// # Errors
    ///
    /// [`Malformed`](crate::der::Malformed) if it is not one.
    pub fn parse(der: &'a [u8]) -> Result<Self> {
        const STRUCTURE: &str = "Name";
        NAME.check(der, STRUCTURE)?;
        Self::of(&whole(X509Name::from_der(der), STRUCTURE)?)
    }

    /// A name that has been read, in a structure whose shape was checked.
    pub(super) fn of(read: &X509Name<'a>) -> Result<Self> {
        const STRUCTURE: &str = "Name";
        let mut name = Self {
            raw: read.as_raw(),
            relative: Vec::new(),
            attributes: Vec::new(),
        };
        for relative in read.iter() {
            name.push(relative.iter())?;
        }
        // The library ends the list at a member that it cannot read, instead of refusing the name.
        if name.attributes.len() != count(name.raw)? {
            return Err(Malformed {
                structure: STRUCTURE,
            });
        }
        Ok(name)
    }

    /// Adds one relative name.
    fn push<'b>(
        &mut self,
        members: impl Iterator<Item = &'b AttributeTypeAndValue<'a>>,
    ) -> Result<()>
    where
        'a: 'b,
    {
        let error = Malformed { structure: "Name" };
        let mut forms = Vec::new();
        for member in members {
            let attribute = Attribute::of(member)?;
            forms.push(comparable(&attribute).ok_or(error)?);
            self.attributes.push(attribute);
        }
        if forms.is_empty() || self.attributes.len() > NAME_ATTRIBUTES_MAX {
            return Err(error);
        }
        forms.sort_unstable();
        self.relative.push(forms.concat());
        Ok(())
    }

    /// The DER.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Is it the empty sequence?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.relative.is_empty()
    }

    /// Does it lie in the subtree below `base` (RFC 5280 §4.2.1.10), `base` included?
    #[must_use]
    pub fn is_within(&self, base: &Self) -> bool {
        self.relative.starts_with(&base.relative)
    }

    /// The name with one relative name after it, as in a distribution point's nameRelativeToCRLIssuer.
    pub(crate) fn extended(&self, relative: &Self) -> Self {
        let mut whole = self.clone();
        whole.relative.extend(relative.relative.iter().cloned());
        whole.attributes.extend(relative.attributes.iter().cloned());
        whole
    }

    /// One relative name, from the content of its SET. `x509-parser` looks for the SET itself, which an implicit tag replaces (§4.2.1.13).
    pub(crate) fn from_relative(set_content: &'a [u8]) -> Result<Self> {
        const STRUCTURE: &str = "RelativeDistinguishedName";
        let mut reader = Reader::new(set_content, STRUCTURE);
        let mut members = Vec::new();
        while !reader.is_empty() && members.len() <= NAME_ATTRIBUTES_MAX {
            let der = reader.read()?.raw;
            ATTRIBUTE.check(der, STRUCTURE)?;
            members.push(whole(AttributeTypeAndValue::from_der(der), STRUCTURE)?);
        }
        let mut name = Self {
            raw: set_content,
            relative: Vec::new(),
            attributes: Vec::new(),
        };
        name.push(members.iter())?;
        Ok(name)
    }

    /// The form for comparison, as a key for look-ups.
    pub(crate) fn key(&self) -> Vec<u8> {
        let mut key = Vec::new();
        for relative in &self.relative {
            push_counted(&mut key, relative);
        }
        key
    }

    /// The values of the attributes emailAddress (PKCS #9); `None` for one that is not text.
    pub(crate) fn email_addresses(&self) -> impl Iterator<Item = Option<String>> {
        const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01];
        self.attributes
            .iter()
            .filter(|attribute| attribute.oid.as_bytes() == EMAIL_ADDRESS)
            .map(|attribute| text(attribute.tag, attribute.value))
    }
}

/// How many attributes a name has.
fn count(name: &[u8]) -> Result<usize> {
    let mut sets = Reader::single(name, SEQUENCE, "Name")?.reader("Name");
    let mut count: usize = 0;
    while !sets.is_empty() {
        let mut members = sets.read()?.reader("Name");
        while !members.is_empty() {
            members.read()?;
            count = count.saturating_add(1);
        }
    }
    Ok(count)
}

/// The form of an attribute for comparison: type, kind of value, value. `None` if the value is not in its character set.
fn comparable(attribute: &Attribute<'_>) -> Option<Vec<u8>> {
    let mut form = Vec::new();
    push_counted(&mut form, attribute.oid.as_bytes());
    match text(attribute.tag, attribute.value) {
        Some(text) => {
            form.push(0);
            push_counted(&mut form, prepare(&text).as_bytes());
        }
        None if is_text(attribute.tag) => return None,
        None => {
            // Not text, or text of an unclear character set (TeletexString): equal if the bytes are.
            form.push(attribute.tag);
            push_counted(&mut form, attribute.value);
        }
    }
    Some(form)
}

fn push_counted(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

const fn is_text(tag: u8) -> bool {
    matches!(
        tag,
        UTF8_STRING
            | NUMERIC_STRING
            | PRINTABLE_STRING
            | IA5_STRING
            | VISIBLE_STRING
            | UNIVERSAL_STRING
            | BMP_STRING
    )
}

/// The text of a string type whose character set is clear.
fn text(tag: u8, value: &[u8]) -> Option<String> {
    match tag {
        UTF8_STRING => String::from_utf8(value.to_vec()).ok(),
        NUMERIC_STRING | PRINTABLE_STRING | IA5_STRING | VISIBLE_STRING => value
            .is_ascii()
            .then(|| value.iter().copied().map(char::from).collect()),
        BMP_STRING => {
            let (pairs, rest) = value.as_chunks::<2>();
            if !rest.is_empty() {
                return None;
            }
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            String::from_utf16(&units).ok()
        }
        UNIVERSAL_STRING => {
            let (quads, rest) = value.as_chunks::<4>();
            if !rest.is_empty() {
                return None;
            }
            quads
                .iter()
                .map(|quad| char::from_u32(u32::from_be_bytes(*quad)))
                .collect()
        }
        _ => None,
    }
}

/// Prepares text for comparison (RFC 5280 §7.1, RFC 4518 §2): compatibility composition, letter case, and one space for each run of
/// white space inside and none at the ends.
fn prepare(text: &str) -> String {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    let mut prepared = String::with_capacity(folded.len());
    for word in folded.split_whitespace() {
        if !prepared.is_empty() {
            prepared.push(' ');
        }
        prepared.push_str(word);
    }
    prepared
}

const SHORT_NAMES: &[(&[u8], &str)] = &[
    (&[0x55, 0x04, 0x03], "CN"),
    (&[0x55, 0x04, 0x05], "serialNumber"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
    (&[0x55, 0x04, 0x61], "organizationIdentifier"),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19],
        "DC",
    ),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01], "E"),
];

impl fmt::Display for Name<'_> {
    /// Like RFC 4514: last relative name first. For people; not for comparison.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attributes.is_empty() {
            return f.write_str("(no name)");
        }
        for (position, attribute) in self.attributes.iter().rev().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            match SHORT_NAMES
                .iter()
                .find(|(oid, _)| *oid == attribute.oid.as_bytes())
            {
                Some((_, short)) => f.write_str(short)?,
                None => attribute.oid.fmt(f)?,
            }
            f.write_char('=')?;
            match text(attribute.tag, attribute.value) {
                Some(text) => f.write_str(&text)?,
                None if attribute.tag == TELETEX_STRING => {
                    attribute
                        .value
                        .iter()
                        .try_for_each(|byte| f.write_char(char::from(*byte)))?;
                }
                None => write!(f, "#{}", hex::encode(attribute.value))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag];
        match content.len() {
            length @ 0..=127 => out.push(length as u8),
            length => out.extend([0x82, (length >> 8) as u8, length as u8]),
        }
        out.extend_from_slice(content);
        out
    }

    fn attribute(last_arc: u8, tag: u8, value: &[u8]) -> Vec<u8> {
        let pair = [tlv(0x06, &[0x55, 0x04, last_arc]), tlv(tag, value)].concat();
        tlv(0x30, &pair)
    }

    fn name(relative: &[&[&[u8]]]) -> Vec<u8> {
        let sets: Vec<_> = relative
            .iter()
            .map(|members| tlv(0x31, &members.concat()))
            .collect();
        tlv(0x30, &sets.concat())
    }

    fn common_name(tag: u8, value: &[u8]) -> Vec<u8> {
        name(&[&[&attribute(3, tag, value)]])
    }

    fn same(a: &[u8], b: &[u8]) -> bool {
        Name::parse(a).unwrap() == Name::parse(b).unwrap()
    }

    #[test]
    fn case_space_and_string_type_do_not_matter() {
        let plain = common_name(PRINTABLE_STRING, b"Good CA");
        for other in [
            common_name(UTF8_STRING, b"good ca"),
            common_name(UTF8_STRING, b"  GOOD \t  CA "),
            common_name(BMP_STRING, b"\0G\0o\0o\0d\0 \0C\0A"),
            common_name(UTF8_STRING, "Ｇood CA".as_bytes()),
        ] {
            assert!(same(&plain, &other), "{other:x?}");
        }
    }

    #[test]
    fn different_names_differ() {
        let plain = common_name(PRINTABLE_STRING, b"Good CA");
        for other in [
            common_name(PRINTABLE_STRING, b"GoodCA"),
            common_name(TELETEX_STRING, b"Good CA"),
            name(&[&[&attribute(10, PRINTABLE_STRING, b"Good CA")]]),
            name(&[]),
            name(&[
                &[&attribute(3, PRINTABLE_STRING, b"Good CA")],
                &[&attribute(3, PRINTABLE_STRING, b"Good CA")],
            ]),
        ] {
            assert!(!same(&plain, &other), "{other:x?}");
        }
    }

    #[test]
    fn the_order_of_relative_names_counts_and_that_inside_does_not() {
        let (a, b) = (
            attribute(3, UTF8_STRING, b"a"),
            attribute(10, UTF8_STRING, b"b"),
        );
        assert!(!same(&name(&[&[&a], &[&b]]), &name(&[&[&b], &[&a]])));
        assert!(same(&name(&[&[&a, &b]]), &name(&[&[&b, &a]])));
        assert!(!same(&name(&[&[&a, &b]]), &name(&[&[&a], &[&b]])));
    }

    #[test]
    fn a_name_lies_in_the_subtree_of_its_beginning() {
        let (c, o, cn) = (
            attribute(6, PRINTABLE_STRING, b"JP"),
            attribute(10, UTF8_STRING, b"Fumikura"),
            attribute(3, UTF8_STRING, b"TSA"),
        );
        let whole = name(&[&[&c], &[&o], &[&cn]]);
        let base = name(&[&[&c], &[&o]]);
        let other = name(&[&[&c], &[&cn]]);
        let whole = Name::parse(&whole).unwrap();
        assert!(whole.is_within(&Name::parse(&base).unwrap()));
        assert!(whole.is_within(&whole));
        assert!(!whole.is_within(&Name::parse(&other).unwrap()));
        assert!(!Name::parse(&base).unwrap().is_within(&whole));
        assert_eq!(whole.to_string(), "CN=TSA, O=Fumikura, C=JP");
    }

    #[test]
    fn malformed_names_are_refused() {
        let many: Vec<_> = (0..=NAME_ATTRIBUTES_MAX)
            .map(|_| tlv(0x31, &attribute(3, UTF8_STRING, b"x")))
            .collect();
        for bad in [
            Vec::new(),
            tlv(0x31, &[]),
            name(&[&[]]),
            common_name(UTF8_STRING, &[0xff]),
            common_name(PRINTABLE_STRING, &[0xe3]),
            common_name(BMP_STRING, &[0x00]),
            common_name(UNIVERSAL_STRING, &[0, 0x11, 0, 0]),
            tlv(0x30, &many.concat()),
        ] {
            assert!(Name::parse(&bad).is_err(), "{bad:x?}");
        }
    }
}
