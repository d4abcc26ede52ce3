//! One element: its bytes, and the values of the simple types.

use std::borrow::Cow;

use ::time::OffsetDateTime;

use super::header::{Header, Tag};
use super::integer::Integer;
use super::reader::Reader;
use super::time::{parse_generalized_time, parse_utc_time};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{DER_DEPTH_MAX, INTEGER_BYTES_MAX};
use crate::oid::Oid;

/// One ASN.1 element, as slices of the input.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    header: Header,
    raw: &'a [u8],
    content: &'a [u8],
    offset: usize,
    structure: &'static str,
}

impl<'a> Element<'a> {
    pub(crate) const fn new(
        header: Header,
        raw: &'a [u8],
        content: &'a [u8],
        offset: usize,
        structure: &'static str,
    ) -> Self {
        Self {
            header,
            raw,
            content,
            offset,
            structure,
        }
    }

    /// Class and number of the tag.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        self.header.tag
    }

    /// Whether the contents are elements again.
    #[must_use]
    pub const fn is_constructed(&self) -> bool {
        self.header.constructed
    }

    /// Whether the length has the indefinite form of BER.
    #[must_use]
    pub const fn is_indefinite(&self) -> bool {
        self.header.length.is_none()
    }

    /// The whole element: tag, length, contents, and the end-of-contents octets if it has them.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The contents, without end-of-contents octets.
    #[must_use]
    pub const fn content(&self) -> &'a [u8] {
        self.content
    }

    /// Offset of the element in the outermost input.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// An error at this element.
    #[must_use]
    pub const fn error(&self, kind: ErrorKind) -> FormatError {
        FormatError::new(kind, self.structure).at(self.offset)
    }

    /// A reader over the contents of a constructed element. `structure` is named in its errors.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidEncoding`] if the element is primitive.
    pub fn children(&self, structure: &'static str) -> Result<Reader<'a>> {
        if !self.is_constructed() {
            return Err(FormatError::new(ErrorKind::InvalidEncoding, structure).at(self.offset));
        }
        let offset = self.offset.saturating_add(self.header.header_len);
        Ok(Reader::at(self.content, offset, structure))
    }

    /// The one element inside an EXPLICIT tag.
    ///
    /// # Errors
    ///
    /// Those of [`Reader::expect`] and [`Reader::finish`].
    pub fn explicit(&self, tag: Tag, structure: &'static str) -> Result<Self> {
        let mut reader = self.children(structure)?;
        let element = reader.expect(tag)?;
        reader.finish()?;
        Ok(element)
    }

    /// The octets of an OCTET STRING, or of an IMPLICIT tag for one; segments of the constructed form are joined (X.690 §8.7.3).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidEncoding`], [`ErrorKind::UnexpectedTag`] or [`ErrorKind::LimitExceeded`] (nesting).
    pub fn octets(&self) -> Result<Cow<'a, [u8]>> {
        if !self.is_constructed() {
            return Ok(Cow::Borrowed(self.content));
        }
        let mut joined = Vec::new();
        let mut open = vec![self.children(self.structure)?];
        while let Some(mut level) = open.pop() {
            if level.is_empty() {
                continue;
            }
            let segment = level.expect(Tag::OCTET_STRING)?;
            open.push(level);
            if !segment.is_constructed() {
                joined.extend_from_slice(segment.content);
            } else if open.len() < DER_DEPTH_MAX {
                open.push(segment.children(self.structure)?);
            } else {
                return Err(self.error(ErrorKind::LimitExceeded));
            }
        }
        Ok(Cow::Owned(joined))
    }

    /// The value of an INTEGER.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidEncoding`] if it has no octets or is constructed, [`ErrorKind::LimitExceeded`] if it is too long.
    pub fn integer(&self) -> Result<Integer> {
        if self.is_constructed() || self.content.is_empty() {
            return Err(self.error(ErrorKind::InvalidEncoding));
        }
        if self.content.len() > INTEGER_BYTES_MAX {
            return Err(self.error(ErrorKind::LimitExceeded));
        }
        Ok(Integer::from_content(self.content))
    }

    /// The value of a small, non-negative INTEGER in its shortest form.
    ///
    /// # Errors
    ///
    /// Those of [`integer`](Self::integer), and [`ErrorKind::InvalidValue`] if it is negative or larger than 32 bits.
    pub fn small_integer(&self) -> Result<u32> {
        let integer = self.integer()?;
        if !integer.is_shortest() {
            return Err(self.error(ErrorKind::InvalidEncoding));
        }
        integer
            .to_u64()
            .and_then(|value| u32::try_from(value).ok())
            .ok_or(self.error(ErrorKind::InvalidValue))
    }

    /// The value of a BOOLEAN. DER knows 0x00 and 0xFF only (X.690 §11.1), and so do we: both are what real files hold.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidEncoding`].
    pub fn boolean(&self) -> Result<bool> {
        match (self.is_constructed(), self.content) {
            (false, [0x00]) => Ok(false),
            (false, [0xff]) => Ok(true),
            _ => Err(self.error(ErrorKind::InvalidEncoding)),
        }
    }

    /// The value of an OBJECT IDENTIFIER.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidOid`].
    pub fn oid(&self) -> Result<Oid> {
        if self.is_constructed() {
            return Err(self.error(ErrorKind::InvalidEncoding));
        }
        Oid::from_content(self.content).map_err(|error| self.error(error.kind()))
    }

    /// The octets of a BIT STRING, and how many of the last bits are unused.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidEncoding`] if it is constructed, or the number of unused bits is impossible.
    pub fn bit_string(&self) -> Result<(&'a [u8], u8)> {
        let invalid = self.error(ErrorKind::InvalidEncoding);
        if self.is_constructed() {
            return Err(invalid);
        }
        match self.content.split_first() {
            Some((0, bits)) => Ok((bits, 0)),
            Some((&unused, bits)) if unused < 8 && !bits.is_empty() => Ok((bits, unused)),
            _ => Err(invalid),
        }
    }

    /// The text of a UTF8String.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidText`] if it is not UTF-8.
    pub fn utf8(&self) -> Result<String> {
        let octets = self.octets()?;
        String::from_utf8(octets.into_owned()).map_err(|_| self.error(ErrorKind::InvalidText))
    }

    /// The value of a GeneralizedTime in UTC.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidTime`].
    pub fn generalized_time(&self) -> Result<OffsetDateTime> {
        self.ascii()
            .and_then(parse_generalized_time)
            .ok_or(self.error(ErrorKind::InvalidTime))
    }

    /// The value of a UTCTime, with the century of RFC 5280 §4.1.2.5.1.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidTime`].
    pub fn utc_time(&self) -> Result<OffsetDateTime> {
        self.ascii()
            .and_then(parse_utc_time)
            .ok_or(self.error(ErrorKind::InvalidTime))
    }

    /// The content of a primitive element as ASCII text.
    #[must_use]
    pub fn ascii(&self) -> Option<&'a str> {
        if self.is_constructed() || !self.content.is_ascii() {
            return None;
        }
        std::str::from_utf8(self.content).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(bytes: &[u8]) -> Element<'_> {
        Reader::new(bytes, "test").unwrap().read().unwrap()
    }

    #[test]
    fn simple_values() {
        assert!(element(&[1, 1, 0xff]).boolean().unwrap());
        assert!(element(&[1, 1, 0x01]).boolean().is_err());
        assert!(element(&[1, 2, 0xff, 0xff]).boolean().is_err());
        assert_eq!(element(&[2, 1, 3]).small_integer(), Ok(3));
        assert!(element(&[2, 1, 0x80]).small_integer().is_err());
        assert!(element(&[2, 2, 0, 1]).small_integer().is_err());
        assert!(element(&[2, 0]).integer().is_err());
        assert_eq!(element(&[3, 2, 1, 0x80]).bit_string(), Ok((&[0x80][..], 1)));
        assert!(element(&[3, 1, 1]).bit_string().is_err());
        assert!(element(&[3, 2, 8, 0]).bit_string().is_err());
        assert!(element(&[3, 0]).bit_string().is_err());
        assert_eq!(element(&[12, 2, 0xc3, 0xa4]).utf8().unwrap(), "ä");
        assert!(element(&[12, 1, 0xc3]).utf8().is_err());
        assert!(element(&[6, 1, 0x80]).oid().is_err());
        assert!(element(&[4, 0]).children("test").is_err());
    }

    #[test]
    fn an_integer_has_a_longest_form() {
        let mut bytes = vec![2, 0x82, 1, 0];
        bytes.extend([1; INTEGER_BYTES_MAX]);
        assert!(element(&bytes).integer().is_ok());
        bytes.push(1);
        bytes[3] = 1;
        assert_eq!(
            element(&bytes).integer().unwrap_err().kind(),
            ErrorKind::LimitExceeded
        );
    }

    #[test]
    fn octets_nest_up_to_the_limit_only() {
        let nested = |depth: usize| {
            let mut bytes = vec![0x04, 0x00];
            for _ in 0..depth {
                let mut outer = vec![0x24, 0x81, u8::try_from(bytes.len()).unwrap()];
                outer.append(&mut bytes);
                bytes = outer;
            }
            bytes
        };
        assert!(element(&nested(DER_DEPTH_MAX)).octets().is_ok());
        assert!(element(&nested(DER_DEPTH_MAX + 1)).octets().is_err());
        assert!(element(&[0x24, 0x02, 0x05, 0x00]).octets().is_err());
    }
}
