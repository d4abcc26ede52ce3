//! Writes DER.

use super::header::{Tag, length_octets};
use super::integer::Integer;
use crate::oid::Oid;

/// Concatenates elements. What is given as bytes is inserted as it is.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub const fn new() -> Self {
        Self { out: Vec::new() }
    }

    /// The bytes written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// The bytes of one constructed element whose contents `fill` writes.
    #[must_use]
    pub fn single(tag: Tag, fill: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut writer = Self::new();
        writer.constructed(tag, fill);
        writer.into_bytes()
    }

    /// Inserts elements that are encoded already, untouched.
    pub fn raw(&mut self, elements: &[u8]) -> &mut Self {
        self.out.extend_from_slice(elements);
        self
    }

    /// A primitive element.
    pub fn primitive(&mut self, tag: Tag, content: &[u8]) -> &mut Self {
        self.element(tag, false, content)
    }

    /// A constructed element whose contents `fill` writes.
    pub fn constructed(&mut self, tag: Tag, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inner = Self::new();
        fill(&mut inner);
        self.element(tag, true, &inner.out)
    }

    /// A SEQUENCE.
    pub fn sequence(&mut self, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.constructed(Tag::SEQUENCE, fill)
    }

    /// A SET OF, or an IMPLICIT tag for one; members are sorted as DER demands (X.690 §11.6).
    pub fn set_of(&mut self, tag: Tag, members: Vec<Vec<u8>>) -> &mut Self {
        let sorted = sort_set_of(members).concat();
        self.element(tag, true, &sorted)
    }

    /// An INTEGER.
    pub fn integer(&mut self, value: &Integer) -> &mut Self {
        self.primitive(Tag::INTEGER, value.as_bytes())
    }

    /// An OBJECT IDENTIFIER.
    pub fn oid(&mut self, value: &Oid) -> &mut Self {
        self.primitive(Tag::OID, value.as_bytes())
    }

    /// An OCTET STRING.
    pub fn octet_string(&mut self, value: &[u8]) -> &mut Self {
        self.primitive(Tag::OCTET_STRING, value)
    }

    /// A BOOLEAN.
    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.primitive(Tag::BOOLEAN, if value { &[0xff] } else { &[0x00] })
    }

    fn element(&mut self, tag: Tag, constructed: bool, content: &[u8]) -> &mut Self {
        self.out.extend(tag.identifier_octets(constructed));
        self.out.extend(length_octets(content.len()));
        self.out.extend_from_slice(content);
        self
    }
}

/// Encoded members in the order of DER (X.690 §11.6): compared as octet strings, the shorter padded with zeros.
///
/// Two encodings that differ only in zeros at the end cannot occur, since the length octets differ; so plain order is that order.
#[must_use]
pub fn sort_set_of(mut members: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    members.sort_unstable();
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::Reader;

    #[test]
    fn writes_nested_elements() {
        let bytes = Writer::single(Tag::SEQUENCE, |w| {
            w.integer(&Integer::from(1));
            w.constructed(Tag::context(0), |w| {
                w.octet_string(&[7; 200]).boolean(true);
            });
            w.set_of(Tag::SET, vec![vec![4, 1, 2], vec![4, 1, 1], vec![2, 1, 9]]);
        });
        let mut reader = Reader::single(&bytes, Tag::SEQUENCE, "test")
            .unwrap()
            .children("test")
            .unwrap();
        assert_eq!(reader.expect(Tag::INTEGER).unwrap().small_integer(), Ok(1));
        let inner = reader.expect(Tag::context(0)).unwrap();
        assert_eq!(inner.children("inner").unwrap().all(2).unwrap().len(), 2);
        assert!(inner.children("inner").unwrap().all(1).is_err());
        let set = reader.expect(Tag::SET).unwrap();
        assert_eq!(set.content(), [2, 1, 9, 4, 1, 1, 4, 1, 2]);
    }
}
