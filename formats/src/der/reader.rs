//! Splits bytes into elements.

use super::element::Element;
use super::header::{Header, Tag, of_kind};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{DER_BYTES_MAX, DER_DEPTH_MAX};

/// Walks over the elements of one level.
///
/// Definite and indefinite lengths are read alike. Offsets in errors count from the start of the outermost input.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
    structure: &'static str,
}

impl<'a> Reader<'a> {
    /// Over a whole input. `structure` is named in errors.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LimitExceeded`] if the input is longer than [`DER_BYTES_MAX`].
    pub fn new(input: &'a [u8], structure: &'static str) -> Result<Self> {
        if input.len() > DER_BYTES_MAX {
            return Err(FormatError::new(ErrorKind::LimitExceeded, structure));
        }
        Ok(Self::at(input, 0, structure))
    }

    pub(crate) const fn at(rest: &'a [u8], offset: usize, structure: &'static str) -> Self {
        Self {
            rest,
            offset,
            structure,
        }
    }

    /// Reads an input that is one element and nothing else.
    ///
    /// # Errors
    ///
    /// Those of [`expect`](Self::expect) and [`finish`](Self::finish).
    pub fn single(input: &'a [u8], tag: Tag, structure: &'static str) -> Result<Element<'a>> {
        let mut reader = Self::new(input, structure)?;
        let element = reader.expect(tag)?;
        reader.finish()?;
        Ok(element)
    }

    /// Whether no element is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next element, without reading it.
    #[must_use]
    pub fn peek(&self) -> Option<Tag> {
        let header = Header::read(self.rest, self.error(ErrorKind::Truncated)).ok()?;
        Some(header.tag)
    }

    /// The next element.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Truncated`], [`ErrorKind::InvalidEncoding`] or [`ErrorKind::LimitExceeded`].
    pub fn read(&mut self) -> Result<Element<'a>> {
        let place = self.error(ErrorKind::Truncated);
        let header = Header::read(self.rest, place)?;
        if header.is_end_of_contents() {
            return Err(self.error(ErrorKind::InvalidEncoding));
        }
        let after_header = self.rest.get(header.header_len..).ok_or(place)?;
        let (content_len, end_len) = match header.length {
            Some(length) => (length, 0),
            None => (indefinite_content_len(after_header, place)?, 2),
        };
        let content = after_header.get(..content_len).ok_or(place)?;
        let total = header
            .header_len
            .checked_add(content_len)
            .and_then(|len| len.checked_add(end_len))
            .ok_or(place)?;
        let (raw, rest) = self.rest.split_at_checked(total).ok_or(place)?;
        let element = Element::new(header, raw, content, self.offset, self.structure);
        self.rest = rest;
        self.offset = self.offset.saturating_add(total);
        Ok(element)
    }

    /// The next element, which must have this tag.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingElement`] at the end, [`ErrorKind::UnexpectedTag`], and those of [`read`](Self::read).
    pub fn expect(&mut self, tag: Tag) -> Result<Element<'a>> {
        if self.is_empty() {
            return Err(self.error(ErrorKind::MissingElement));
        }
        let place = self.error(ErrorKind::UnexpectedTag);
        let element = self.read()?;
        if element.tag() == tag {
            Ok(element)
        } else {
            Err(place)
        }
    }

    /// The next element if it has this tag.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn optional(&mut self, tag: Tag) -> Result<Option<Element<'a>>> {
        if self.peek() == Some(tag) {
            return self.read().map(Some);
        }
        Ok(None)
    }

    /// All remaining elements, at most `max`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LimitExceeded`] if there are more, and those of [`read`](Self::read).
    pub fn all(mut self, max: usize) -> Result<Vec<Element<'a>>> {
        let mut elements = Vec::new();
        while !self.is_empty() {
            if elements.len() >= max {
                return Err(self.error(ErrorKind::LimitExceeded));
            }
            elements.push(self.read()?);
        }
        Ok(elements)
    }

    /// Ends the walk: nothing may be left.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TrailingBytes`].
    pub fn finish(self) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        Err(self.error(ErrorKind::TrailingBytes))
    }

    /// An error at the present offset.
    #[must_use]
    pub const fn error(&self, kind: ErrorKind) -> FormatError {
        FormatError::new(kind, self.structure).at(self.offset)
    }
}

/// Number of bytes before the end-of-contents octets that belong to an indefinite length.
///
/// Definite elements are stepped over, so only indefinite ones nest here.
fn indefinite_content_len(input: &[u8], place: FormatError) -> Result<usize> {
    let mut rest = input;
    let mut open = 1_usize;
    loop {
        let header = Header::read(rest, place)?;
        let mut step = header.header_len;
        if header.is_end_of_contents() {
            open = open.saturating_sub(1);
            if open == 0 {
                return Ok(input.len().saturating_sub(rest.len()));
            }
        } else if let Some(length) = header.length {
            step = step.checked_add(length).ok_or(place)?;
        } else {
            open = open.saturating_add(1);
            if open > DER_DEPTH_MAX {
                return Err(of_kind(place, ErrorKind::LimitExceeded));
            }
        }
        rest = rest.get(step..).ok_or(place)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn splits_nested_indefinite_lengths() {
        let bytes = [
            0x30, 0x80, 0x24, 0x80, 0x04, 0x01, 0xaa, 0x04, 0x02, 0xbb, 0x00, 0x00, 0x00, 0x02,
            0x01, 0x07, 0x00, 0x00, 0x05, 0x00,
        ];
        let mut reader = Reader::new(&bytes, "test").unwrap();
        let sequence = reader.expect(Tag::SEQUENCE).unwrap();
        assert_eq!(sequence.raw(), &bytes[..18]);
        assert!(sequence.is_indefinite());
        let mut inner = sequence.children("inner").unwrap();
        let octets = inner.expect(Tag::OCTET_STRING).unwrap();
        assert_eq!(*octets.octets().unwrap(), [0xaa, 0xbb, 0x00]);
        assert_eq!(inner.expect(Tag::INTEGER).unwrap().offset(), 13);
        inner.finish().unwrap();
        assert_eq!(reader.peek(), Some(Tag::NULL));
        assert_eq!(
            reader.finish().unwrap_err(),
            FormatError::new(ErrorKind::TrailingBytes, "test").at(18)
        );
    }

    #[test]
    fn refuses_what_is_cut_off_or_out_of_place() {
        for bytes in [
            &[0x30, 0x03, 0x02, 0x01][..],
            &[0x30, 0x80, 0x02, 0x01, 0x07],
            &[0x30, 0x80, 0x02, 0x01, 0x07, 0x00],
            &[0x00, 0x00],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert!(
                Reader::new(bytes, "test").unwrap().read().is_err(),
                "{bytes:x?}"
            );
        }
        let mut reader = Reader::new(&[], "test").unwrap();
        assert_eq!(
            reader.expect(Tag::NULL).unwrap_err().kind(),
            ErrorKind::MissingElement
        );
    }

    #[test]
    fn one_level_too_many_is_refused() {
        let nested = |depth: usize| {
            let mut bytes = [0x30, 0x80].repeat(depth);
            bytes.extend([0x00, 0x00].repeat(depth));
            bytes
        };
        let read = |bytes: &[u8]| Reader::new(bytes, "test").unwrap().read().map(|_| ());
        assert_eq!(read(&nested(DER_DEPTH_MAX)), Ok(()));
        assert_eq!(
            read(&nested(DER_DEPTH_MAX + 1)).unwrap_err().kind(),
            ErrorKind::LimitExceeded
        );
    }

    #[test]
    fn one_byte_too_many_is_refused() {
        let error = Reader::new(&vec![0; DER_BYTES_MAX + 1], "test").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    }

    proptest! {
        #[test]
        fn any_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader::new(&bytes, "test").unwrap();
            let mut total = 0;
            while let Ok(element) = reader.read() {
                prop_assert_eq!(element.offset(), total);
                total += element.raw().len();
                let _unused = element.octets();
                let _unused = element.integer();
                let _unused = element.oid();
                let _unused = element.boolean();
                let _unused = element.bit_string();
                let _unused = element.utf8();
                let _unused = element.generalized_time();
                let _unused = element.utc_time();
            }
            prop_assert!(total <= bytes.len());
        }
    }
}
