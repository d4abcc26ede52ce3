//! Strict DER elements (X.690 §10, §11) of certificates and CRLs: definite and shortest lengths only, zero-copy, without recursion.
//!
//! `formats::der` also reads BER, because tokens are found in it. Certificates and CRLs are DER by RFC 5280 §4.1, and where two readers could
//! understand a certificate differently, the stricter one is right.

use std::fmt;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The tag `[number]`, primitive.
pub(crate) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag `[number]`, constructed.
pub(crate) const fn context_constructed(number: u8) -> u8 {
    0xa0 | number
}

/// The bytes are not DER of the expected structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// The structure or member that could not be read, by its name in the specification.
    pub structure: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed {}", self.structure)
    }
}

impl std::error::Error for Malformed {}

pub(crate) type Result<T> = std::result::Result<T, Malformed>;

/// An element: tag, the whole encoding, and the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) raw: &'a [u8],
    pub(crate) content: &'a [u8],
}

/// Reads elements one after another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    structure: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads `input`; `structure` names it in errors.
    pub(crate) const fn new(input: &'a [u8], structure: &'static str) -> Self {
        Self {
            rest: input,
            structure,
        }
    }

    /// The one element that `input` is, with nothing after it.
    pub(crate) fn single(input: &'a [u8], tag: u8, structure: &'static str) -> Result<Element<'a>> {
        let mut reader = Self::new(input, structure);
        let element = reader.expect(tag)?;
        reader.finish()?;
        Ok(element)
    }

    pub(crate) const fn error(&self) -> Malformed {
        Malformed {
            structure: self.structure,
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element.
    pub(crate) fn read(&mut self) -> Result<Element<'a>> {
        let (element, rest) = split_element(self.rest).ok_or(self.error())?;
        self.rest = rest;
        Ok(element)
    }

    /// The next element, which must have `tag`.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>> {
        let element = self.read()?;
        if element.tag == tag {
            Ok(element)
        } else {
            Err(self.error())
        }
    }

    /// The next element if it has `tag`.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>> {
        if self.peek() == Some(tag) {
            self.read().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Nothing may follow.
    pub(crate) const fn finish(&self) -> Result<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error())
        }
    }
}

/// Splits off the first element; `None` if it is not DER. Tags have one byte: no structure of RFC 5280 has a number above 30.
fn split_element(input: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = input.split_first()?;
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        // Four bytes reach 4 GiB; more, none (indefinite) or a leading zero byte is not acceptable.
        if !(1..=4).contains(&count) {
            return None;
        }
        let (octets, rest) = rest.split_at_checked(count)?;
        if octets.first() == Some(&0) {
            return None;
        }
        let mut length: usize = 0;
        for &octet in octets {
            length = length.checked_mul(256)?.checked_add(usize::from(octet))?;
        }
        if length < 0x80 {
            return None;
        }
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    let raw = input.get(..input.len().checked_sub(rest.len())?)?;
    Some((Element { tag, raw, content }, rest))
}

impl<'a> Element<'a> {
    /// Reads the content as a series of elements.
    pub(crate) const fn reader(&self, structure: &'static str) -> Reader<'a> {
        Reader::new(self.content, structure)
    }

    /// The content of a BOOLEAN (X.690 §11.1).
    pub(crate) fn boolean(&self, structure: &'static str) -> Result<bool> {
        match self.content {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(Malformed { structure }),
        }
    }

    /// The content of an INTEGER, shortest form checked (X.690 §8.3.2).
    pub(crate) fn integer(&self, structure: &'static str) -> Result<&'a [u8]> {
        match self.content {
            [] => Err(Malformed { structure }),
            [0x00, next, ..] if next & 0x80 == 0 => Err(Malformed { structure }),
            [0xff, next, ..] if next & 0x80 != 0 => Err(Malformed { structure }),
            content => Ok(content),
        }
    }

    /// The magnitude of an INTEGER that is not negative, without leading zero.
    pub(crate) fn unsigned(&self, structure: &'static str) -> Result<&'a [u8]> {
        match self.integer(structure)? {
            [first, ..] if first & 0x80 != 0 => Err(Malformed { structure }),
            [0x00, rest @ ..] => Ok(rest),
            content => Ok(content),
        }
    }

    /// An INTEGER that is not negative; values beyond 32 bits become the greatest.
    pub(crate) fn small_unsigned(&self, structure: &'static str) -> Result<u32> {
        let magnitude = self.unsigned(structure)?;
        let mut value: u32 = 0;
        for &octet in magnitude {
            value = value
                .checked_mul(256)
                .and_then(|value| value.checked_add(u32::from(octet)))
                .unwrap_or(u32::MAX);
            if value == u32::MAX {
                break;
            }
        }
        Ok(value)
    }

    /// The octets of a BIT STRING without unused bits.
    pub(crate) fn octet_aligned_bits(&self, structure: &'static str) -> Result<&'a [u8]> {
        match self.content {
            [0, octets @ ..] => Ok(octets),
            _ => Err(Malformed { structure }),
        }
    }

    /// The first 16 named bits of a BIT STRING, bit 0 as the least significant.
    pub(crate) fn named_bits(&self, structure: &'static str) -> Result<u16> {
        let (&unused, octets) = self.content.split_first().ok_or(Malformed { structure })?;
        let last = octets.last().copied().unwrap_or(0);
        let padding = 1_u8
            .checked_shl(u32::from(unused))
            .and_then(|bit| bit.checked_sub(1))
            .ok_or(Malformed { structure })?;
        if last & padding != 0 || (octets.is_empty() && unused != 0) {
            return Err(Malformed { structure });
        }
        let low = octets.first().copied().unwrap_or(0).reverse_bits();
        let high = octets.get(1).copied().unwrap_or(0).reverse_bits();
        Ok(u16::from_le_bytes([low, high]))
    }

    /// Is it a Time in the only form that RFC 5280 §4.1.2.5 allows: to the second, in UTC? Whether there is such a day is for the reader to find.
    pub(crate) fn is_exact_time(&self) -> bool {
        let digits = match self.tag {
            UTC_TIME => 12,
            GENERALIZED_TIME => 14,
            _ => return false,
        };
        self.content
            .strip_suffix(b"Z")
            .is_some_and(|text| text.len() == digits && text.iter().all(u8::is_ascii_digit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Option<Element<'_>> {
        split_element(bytes).map(|(element, _)| element)
    }

    #[test]
    fn lengths_are_definite_and_shortest() {
        assert_eq!(read(&[0x04, 0x01, 0x05]).unwrap().content, [0x05]);
        let long = [&[0x04, 0x81, 0x80][..], &[0; 0x80]].concat();
        assert_eq!(read(&long).unwrap().content.len(), 0x80);
        for bad in [
            &[][..],
            &[0x04],
            &[0x04, 0x02, 0x05],
            &[0x04, 0x80, 0x00, 0x00],
            &[0x04, 0x81, 0x01, 0x05],
            &[0x04, 0x82, 0x00, 0x80],
            &[0x04, 0x85, 0x01, 0, 0, 0, 0],
            &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x1f, 0x81, 0x01, 0x00],
        ] {
            assert!(read(bad).is_none(), "{bad:x?}");
        }
    }

    fn element(tag: u8, content: &[u8]) -> Element<'_> {
        Element {
            tag,
            raw: content,
            content,
        }
    }

    #[test]
    fn integers_are_shortest() {
        let unsigned = |content: &'static [u8]| element(INTEGER, content).unsigned("x").ok();
        assert_eq!(unsigned(&[0x00, 0x80]), Some(&[0x80][..]));
        assert_eq!(unsigned(&[0x00]), Some(&[][..]));
        assert_eq!(unsigned(&[0x7f]), Some(&[0x7f][..]));
        assert_eq!(unsigned(&[0x80]), None, "negative");
        assert_eq!(unsigned(&[0x00, 0x7f]), None, "padded");
        assert_eq!(unsigned(&[]), None);
        assert!(element(INTEGER, &[0xff, 0x80]).integer("x").is_err());
        assert!(element(INTEGER, &[0xff]).integer("x").is_ok());
        let huge = element(INTEGER, &[0x01, 0, 0, 0, 0, 0]);
        assert_eq!(huge.small_unsigned("x").unwrap(), u32::MAX);
        assert_eq!(
            element(INTEGER, &[0x01, 0x00]).small_unsigned("x").unwrap(),
            256
        );
    }

    #[test]
    fn bits_are_numbered_from_the_left() {
        assert_eq!(
            element(BIT_STRING, &[1, 0x06]).named_bits("x").unwrap(),
            0x60
        );
        assert_eq!(
            element(BIT_STRING, &[7, 0x00, 0x80])
                .named_bits("x")
                .unwrap(),
            0x100
        );
        assert_eq!(element(BIT_STRING, &[0]).named_bits("x").unwrap(), 0);
        for bad in [&[][..], &[8, 0], &[1], &[1, 0x01]] {
            assert!(element(BIT_STRING, bad).named_bits("x").is_err());
        }
        assert!(
            element(BIT_STRING, &[1, 2])
                .octet_aligned_bits("x")
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn what_is_read_is_a_prefix(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some((element, rest)) = split_element(&bytes) {
                prop_assert_eq!([element.raw, rest].concat(), bytes);
            }
        }
    }
}
