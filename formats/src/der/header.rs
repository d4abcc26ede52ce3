//! Tags and lengths (X.690 §8.1).

use crate::error::{ErrorKind, FormatError, Result};

/// The class of a tag (X.690 §8.1.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Types of ASN.1 itself.
    Universal,
    /// Application types.
    Application,
    /// Types that have a meaning only at their place.
    Context,
    /// Private types.
    Private,
}

/// Class and number of a tag. Whether an element is constructed is a fact of its encoding, see [`Element::is_constructed`].
///
/// [`Element::is_constructed`]: crate::der::Element::is_constructed
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag {
    /// The class.
    pub class: Class,
    /// The number in its class.
    pub number: u32,
}

impl Tag {
    /// BOOLEAN.
    pub const BOOLEAN: Self = Self::universal(1);
    /// INTEGER.
    pub const INTEGER: Self = Self::universal(2);
    /// BIT STRING.
    pub const BIT_STRING: Self = Self::universal(3);
    /// OCTET STRING.
    pub const OCTET_STRING: Self = Self::universal(4);
    /// NULL.
    pub const NULL: Self = Self::universal(5);
    /// OBJECT IDENTIFIER.
    pub const OID: Self = Self::universal(6);
    /// ENUMERATED.
    pub const ENUMERATED: Self = Self::universal(10);
    /// UTF8String.
    pub const UTF8_STRING: Self = Self::universal(12);
    /// SEQUENCE and SEQUENCE OF.
    pub const SEQUENCE: Self = Self::universal(16);
    /// SET and SET OF.
    pub const SET: Self = Self::universal(17);
    /// UTCTime.
    pub const UTC_TIME: Self = Self::universal(23);
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: Self = Self::universal(24);

    /// A universal tag.
    #[must_use]
    pub const fn universal(number: u32) -> Self {
        Self {
            class: Class::Universal,
            number,
        }
    }

    /// The context-specific tag `[number]`.
    #[must_use]
    pub const fn context(number: u32) -> Self {
        Self {
            class: Class::Context,
            number,
        }
    }

    /// The identifier octets (X.690 §8.1.2).
    pub(crate) fn identifier_octets(self, constructed: bool) -> Vec<u8> {
        let class = match self.class {
            Class::Universal => 0x00,
            Class::Application => 0x40,
            Class::Context => 0x80,
            Class::Private => 0xc0,
        };
        let form = if constructed { CONSTRUCTED } else { 0 };
        match u8::try_from(self.number) {
            Ok(number) if number < HIGH_TAG => vec![class | form | number],
            _ => {
                let mut out = vec![class | form | HIGH_TAG];
                let septets = [28_u32, 21, 14, 7, 0].map(|shift| (self.number >> shift) & 0x7f);
                let significant = septets.iter().skip_while(|septet| **septet == 0);
                out.extend(significant.map(|septet| u8::try_from(*septet).unwrap_or(0) | 0x80));
                if let Some(last) = out.last_mut() {
                    *last &= 0x7f;
                }
                out
            }
        }
    }
}

/// Identifier and length octets of one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) tag: Tag,
    pub(crate) constructed: bool,
    /// `None` for the indefinite form.
    pub(crate) length: Option<usize>,
    /// Number of identifier and length octets.
    pub(crate) header_len: usize,
}

impl Header {
    /// Reads the header at the start of `input`. `error` names the place.
    pub(crate) fn read(input: &[u8], error: FormatError) -> Result<Self> {
        let mut bytes = input.iter().copied();
        let mut next = || bytes.next().ok_or(of_kind(error, ErrorKind::Truncated));
        let first = next()?;
        let class = match first & 0xc0 {
            0x00 => Class::Universal,
            0x40 => Class::Application,
            0x80 => Class::Context,
            _ => Class::Private,
        };
        let number = match first & 0x1f {
            HIGH_TAG => read_high_tag(&mut next, error)?,
            low => u32::from(low),
        };
        let constructed = first & CONSTRUCTED != 0;
        let length = read_length(&mut next, error)?;
        if length.is_none() && !constructed {
            return Err(of_kind(error, ErrorKind::InvalidEncoding));
        }
        let header_len = input.len().saturating_sub(bytes.len());
        Ok(Self {
            tag: Tag { class, number },
            constructed,
            length,
            header_len,
        })
    }

    /// The end-of-contents octets (X.690 §8.1.5): two zero bytes.
    pub(crate) fn is_end_of_contents(&self) -> bool {
        self.tag == Tag::universal(0) && !self.constructed && self.length == Some(0)
    }
}

pub(crate) fn of_kind(place: FormatError, kind: ErrorKind) -> FormatError {
    let error = FormatError::new(kind, place.place().structure);
    match place.place().offset {
        Some(offset) => error.at(offset),
        None => error,
    }
}

/// Definite length octets in the shortest form (X.690 §10.1).
pub(crate) fn length_octets(length: usize) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![short],
        _ => {
            let bytes = length.to_be_bytes();
            let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            let count = u8::try_from(significant.len()).unwrap_or(0);
            let mut out = vec![0x80 | count];
            out.extend(significant);
            out
        }
    }
}

fn read_high_tag(next: &mut impl FnMut() -> Result<u8>, error: FormatError) -> Result<u32> {
    let mut number: u32 = 0;
    for position in 0..5 {
        let byte = next()?;
        if position == 0 && byte == 0x80 {
            break;
        }
        number = number
            .checked_mul(128)
            .ok_or(of_kind(error, ErrorKind::LimitExceeded))?
            | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if number < u32::from(HIGH_TAG) {
                break;
            }
            return Ok(number);
        }
    }
    Err(of_kind(error, ErrorKind::InvalidEncoding))
}

fn read_length(next: &mut impl FnMut() -> Result<u8>, error: FormatError) -> Result<Option<usize>> {
    let first = next()?;
    match first {
        0..0x80 => Ok(Some(usize::from(first))),
        0x80 => Ok(None),
        0xff => Err(of_kind(error, ErrorKind::InvalidEncoding)),
        _ => {
            let mut length: usize = 0;
            for _ in 0..(first & 0x7f) {
                length = length
                    .checked_mul(256)
                    .ok_or(of_kind(error, ErrorKind::LimitExceeded))?
                    | usize::from(next()?);
            }
            Ok(Some(length))
        }
    }
}

const CONSTRUCTED: u8 = 0x20;
const HIGH_TAG: u8 = 0x1f;

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: FormatError = FormatError::new(ErrorKind::Truncated, "test");

    #[test]
    fn reads_short_long_and_indefinite_lengths() {
        let header = Header::read(&[0x30, 0x03, 0, 0, 0], PLACE).unwrap();
        assert_eq!((header.tag, header.length), (Tag::SEQUENCE, Some(3)));
        assert!(header.constructed);
        let header = Header::read(&[0x04, 0x82, 0x01, 0x00], PLACE).unwrap();
        assert_eq!((header.length, header.header_len), (Some(256), 4));
        let header = Header::read(&[0x24, 0x80, 0, 0], PLACE).unwrap();
        assert_eq!(header.length, None);
    }

    #[test]
    fn reads_high_tags() {
        for number in [0, 1, 30, 31, 127, 128, 16_383, 16_384, u32::MAX] {
            for constructed in [false, true] {
                let mut bytes = Tag::context(number).identifier_octets(constructed);
                bytes.push(0);
                let header = Header::read(&bytes, PLACE).unwrap();
                assert_eq!(header.tag, Tag::context(number));
                assert_eq!(header.constructed, constructed);
                assert_eq!(header.header_len, bytes.len());
            }
        }
    }

    #[test]
    fn refuses_malformed_headers() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x82, 0x01],
            &[0x04, 0x80],
            &[0x30, 0xff],
            &[0x1f],
            &[0x1f, 0x80, 0x01, 0x00],
            &[0x1f, 0x1e, 0x00],
            &[0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00],
            &[0x30, 0x89, 0x01, 0, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert!(Header::read(bytes, PLACE).is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn lengths_are_written_in_the_shortest_form() {
        assert_eq!(length_octets(0x7f), [0x7f]);
        assert_eq!(length_octets(0x80), [0x81, 0x80]);
        assert_eq!(length_octets(0x100), [0x82, 0x01, 0x00]);
    }
}
