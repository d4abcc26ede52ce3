//! Attributes of a signer.

use crate::der::typed::{FromElement, decode, rasn_type, read_list};
use crate::der::{Element, Tag, Writer, sort_set_of, to_der_lengths};
use crate::error::{ErrorKind, Result};
use crate::limits::{ATTRIBUTE_VALUES_MAX, ATTRIBUTES_MAX};
use crate::oid::Oid;
use rasn::{AsnType, Decode, Decoder as _};

/// One attribute (RFC 5652 §5.3).
///
/// ```text
/// Attribute ::= SEQUENCE {
///   attrType OBJECT IDENTIFIER,
///   attrValues SET OF AttributeValue }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// What it is.
    pub oid: Oid,
    /// The exact bytes of each value, in the order received.
    pub values: Vec<Vec<u8>>,
    /// The exact bytes of the whole attribute.
    pub raw: Vec<u8>,
}

/// The signed attributes of a signer, with the exact bytes that were signed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SignedAttributes {
    attributes: Vec<Attribute>,
    /// SET OF tag and definite lengths, contents in the order received.
    signed_bytes: Vec<u8>,
}

impl Attribute {
    /// An attribute to be written.
    #[must_use]
    pub fn new(oid: Oid, values: Vec<Vec<u8>>) -> Self {
        let raw = Writer::single(Tag::SEQUENCE, |w| {
            w.oid(&oid).set_of(Tag::SET, values.clone());
        });
        Self { oid, values, raw }
    }

    /// Reads a `SET SIZE (1..MAX) OF Attribute` or an IMPLICIT tag for it.
    pub(crate) fn list_from_element(
        element: &Element<'_>,
        structure: &'static str,
    ) -> Result<Vec<Self>> {
        let attributes = read_list(element, structure, ATTRIBUTES_MAX)?;
        if attributes.is_empty() {
            return Err(element.error(ErrorKind::InvalidValue));
        }
        Ok(attributes)
    }

    /// Writes DER with sorted values.
    fn sorted(&self) -> Vec<u8> {
        let values = self.values.iter().map(|value| definite(value));
        Self::new(self.oid.clone(), values.collect()).raw
    }
}

impl SignedAttributes {
    /// Attributes to be signed: sorted as DER demands.
    #[must_use]
    pub fn new(attributes: Vec<Attribute>) -> Self {
        let mut writer = Writer::new();
        writer.set_of(Tag::SET, attributes.iter().map(Attribute::sorted).collect());
        Self {
            attributes,
            signed_bytes: writer.into_bytes(),
        }
    }

    pub(crate) fn from_element(element: &Element<'_>) -> Result<Self> {
        let attributes = Attribute::list_from_element(element, "SignerInfo.signedAttrs")?;
        let definite = to_der_lengths(element.content())?;
        let signed_bytes = Writer::single(Tag::SET, |w| {
            w.raw(&definite);
        });
        Ok(Self {
            attributes,
            signed_bytes,
        })
    }

    /// The bytes over which the signature is computed (RFC 5652 §5.4): the received attributes with the tag of SET OF in place of `[0]`.
    ///
    /// Their order is that of the file, which is not the one to be signed where it is not that of DER.
    #[must_use]
    pub fn signed_bytes(&self) -> &[u8] {
        &self.signed_bytes
    }

    /// The same in the order of DER, as RFC 5652 §5.4 demands: for signers who hashed the sorted form and wrote another.
    #[must_use]
    pub fn signed_bytes_der_sorted(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.set_of(
            Tag::SET,
            self.attributes.iter().map(Attribute::sorted).collect(),
        );
        writer.into_bytes()
    }

    /// Whether the received order, of the attributes and of the values in each, is that of DER.
    #[must_use]
    pub fn is_der_sorted(&self) -> bool {
        let is_sorted = |received: Vec<Vec<u8>>| sort_set_of(received.clone()) == received;
        is_sorted(self.attributes.iter().map(|a| definite(&a.raw)).collect())
            && self
                .attributes
                .iter()
                .all(|a| is_sorted(a.values.iter().map(|value| definite(value)).collect()))
    }

    /// The attributes, in the order received.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// Every attribute of a type. RFC 5652 §11 allows most of them only once.
    pub fn all<'a>(&'a self, oid: &'a Oid) -> impl Iterator<Item = &'a Attribute> {
        self.attributes.iter().filter(move |a| a.oid == *oid)
    }

    /// The only value of the only attribute of a type; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::DuplicateElement`] if there are several attributes or values, [`ErrorKind::MissingElement`] if the attribute is empty.
    pub fn single_value(&self, oid: &Oid) -> Result<Option<&[u8]>> {
        let error = |kind| crate::error::FormatError::new(kind, "SignerInfo.signedAttrs");
        let mut found = self.attributes.iter().filter(|a| a.oid == *oid);
        let Some(attribute) = found.next() else {
            return Ok(None);
        };
        if found.next().is_some() {
            return Err(error(ErrorKind::DuplicateElement));
        }
        match attribute.values.as_slice() {
            [] => Err(error(ErrorKind::MissingElement)),
            [value] => Ok(Some(value)),
            _ => Err(error(ErrorKind::DuplicateElement)),
        }
    }
}

/// With the lengths of DER; what has none stays as it is, and verifies nothing.
fn definite(element: &[u8]) -> Vec<u8> {
    to_der_lengths(element).unwrap_or_else(|_| element.to_vec())
}

#[derive(AsnType, Decode)]
struct Members {
    attr_type: Oid,
    attr_values: Values,
}

/// The exact bytes of each value, in the order received. `rasn` sorts a SET OF and drops duplicates.
struct Values(Vec<Vec<u8>>);

impl FromElement for Attribute {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let members: Members = decode(element, "Attribute")?;
        Ok(Self {
            oid: members.attr_type,
            values: members.attr_values.0,
            raw: element.raw().to_vec(),
        })
    }
}

impl FromElement for Values {
    const TAG: Tag = Tag::SET;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let values = element
            .children("Attribute.attrValues")?
            .all(ATTRIBUTE_VALUES_MAX)?;
        Ok(Self(values.iter().map(|v| v.raw().to_vec()).collect()))
    }
}

rasn_type!(Values);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::Reader;
    use crate::oid;

    /// `[0]` with the attributes in the order given.
    fn received(attributes: &[&Attribute]) -> Vec<u8> {
        Writer::single(Tag::context(0), |w| {
            for attribute in attributes {
                w.raw(&attribute.raw);
            }
        })
    }

    fn parse(bytes: &[u8]) -> Result<SignedAttributes> {
        SignedAttributes::from_element(&Reader::single(bytes, Tag::context(0), "test")?)
    }

    fn two() -> (Attribute, Attribute) {
        (
            Attribute::new(oid::CONTENT_TYPE, vec![vec![6, 1, 0x2a]]),
            Attribute::new(oid::MESSAGE_DIGEST, vec![vec![4, 2, 1, 2]]),
        )
    }

    #[test]
    fn the_received_order_is_what_was_signed() {
        let (first, second) = two();
        let sorted = parse(&received(&[&first, &second])).unwrap();
        let unsorted = parse(&received(&[&second, &first])).unwrap();
        assert!(sorted.is_der_sorted());
        assert!(!unsorted.is_der_sorted());
        assert_eq!(sorted.signed_bytes()[0], 0x31);
        assert_eq!(
            sorted.signed_bytes()[1..],
            received(&[&first, &second])[1..]
        );
        assert_eq!(
            unsorted.signed_bytes()[1..],
            received(&[&second, &first])[1..]
        );
        assert_eq!(unsorted.signed_bytes_der_sorted(), sorted.signed_bytes());
        assert_eq!(sorted, SignedAttributes::new(vec![first, second]));
    }

    #[test]
    fn indefinite_lengths_become_definite_before_signing() {
        let (first, _) = two();
        let mut ber = vec![0xa0, 0x80];
        ber.extend_from_slice(&first.raw);
        ber.extend([0, 0]);
        let definite = parse(&received(&[&first])).unwrap();
        assert_eq!(parse(&ber).unwrap().signed_bytes(), definite.signed_bytes());
    }

    #[test]
    fn one_value_means_one() {
        let (first, second) = two();
        let kind = |attributes: &[&Attribute]| {
            let attributes = parse(&received(attributes)).unwrap();
            let value = attributes.single_value(&oid::CONTENT_TYPE);
            value
                .map(|value| value.map(<[u8]>::to_vec))
                .map_err(|e| e.kind())
        };
        assert_eq!(kind(&[&first, &second]), Ok(Some(vec![6, 1, 0x2a])));
        assert_eq!(kind(&[&second]), Ok(None));
        assert_eq!(kind(&[&first, &first]), Err(ErrorKind::DuplicateElement));
        let empty = Attribute::new(oid::CONTENT_TYPE, vec![]);
        assert_eq!(kind(&[&empty]), Err(ErrorKind::MissingElement));
        let double = Attribute::new(oid::CONTENT_TYPE, vec![vec![5, 0], vec![5, 0]]);
        assert_eq!(kind(&[&double]), Err(ErrorKind::DuplicateElement));
    }

    #[test]
    fn malformed_sets_are_refused() {
        for bytes in [
            &[0xa0, 0x00][..],
            &[0xa0, 0x02, 0x05, 0x00],
            &[0xa0, 0x02, 0x30, 0x00],
            &[0xa0, 0x05, 0x30, 0x03, 0x06, 0x01, 0x2a],
            &[0x80, 0x00],
        ] {
            assert!(parse(bytes).is_err(), "{bytes:x?}");
        }
        let (first, _) = two();
        let many = |count| parse(&received(&vec![&first; count]));
        assert!(many(ATTRIBUTES_MAX).is_ok());
        assert!(many(ATTRIBUTES_MAX + 1).is_err());
        let values = |count| {
            let attribute = Attribute::new(oid::CONTENT_TYPE, vec![vec![5, 0]; count]);
            parse(&received(&[&attribute]))
        };
        assert!(values(ATTRIBUTE_VALUES_MAX).is_ok());
        assert!(values(ATTRIBUTE_VALUES_MAX + 1).is_err());
    }
}
