//! ArchiveTimeStamp and the lists of hashes in it.

use crate::cms::Attribute;
use crate::der::typed::FromElement as _;
use crate::der::{Element, Reader, Tag, Writer, to_der_lengths};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{EVIDENCE_HASHES_MAX, EVIDENCE_PARTIAL_TREES_MAX};
use crate::raw::Raw;
use crate::tsp::TimeStampToken;
use crate::x509::AlgorithmIdentifier;

/// A time-stamp and the way from a document to what it covers (RFC 4998 §4.1).
///
/// ```text
/// ArchiveTimeStamp ::= SEQUENCE {
///   digestAlgorithm [0] AlgorithmIdentifier OPTIONAL,
///   attributes      [1] Attributes OPTIONAL,
///   reducedHashtree [2] SEQUENCE OF PartialHashtree OPTIONAL,
///   timeStamp       ContentInfo}
///
/// Attributes ::= SET SIZE (1..MAX) OF Attribute
/// ```
///
/// Annex A has IMPLICIT TAGS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ArchiveTimeStamp {
    /// The digest algorithm of the tree; if absent, it is that of the time-stamp's imprint.
    pub digest_algorithm: Option<AlgorithmIdentifier>,
    /// Further information, in the order received.
    pub attributes: Vec<Attribute>,
    /// The lists of hashes from the document to the root; if absent, the time-stamp covers the document's hash itself.
    pub reduced_hash_tree: Option<Vec<PartialHashTree>>,
    /// The exact bytes of the time-stamp token. A renewal hashes these.
    pub time_stamp: Vec<u8>,
}

/// One list of hashes (RFC 4998 §4.1), in the order received.
///
/// ```text
/// PartialHashtree ::= SEQUENCE OF OCTET STRING
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PartialHashTree(pub Vec<Vec<u8>>);

impl ArchiveTimeStamp {
    /// Reads one ArchiveTimeStamp and nothing else.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`] of malformed input. The time-stamp is only checked to be one element.
    pub fn parse(bytes: &[u8]) -> Result<Raw<Self>> {
        Self::from_element(&Reader::single(bytes, Tag::SEQUENCE, STRUCTURE)?)
    }

    /// The token, read.
    ///
    /// # Errors
    ///
    /// Those of [`TimeStampToken::parse`].
    pub fn token(&self) -> Result<TimeStampToken> {
        TimeStampToken::parse(&self.time_stamp)
    }

    /// The DER bytes. The token is inserted as it is, save that indefinite lengths become definite.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotEncodable`] if the token or an attribute is no ASN.1 element, or a limit is exceeded.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let bytes = Writer::single(Tag::SEQUENCE, |w| {
            if let Some(algorithm) = &self.digest_algorithm {
                algorithm.write_tagged(w, Tag::context(0));
            }
            if !self.attributes.is_empty() {
                let attributes = self.attributes.iter().map(|a| a.raw.clone());
                w.set_of(Tag::context(1), attributes.collect());
            }
            if let Some(lists) = &self.reduced_hash_tree {
                w.constructed(Tag::context(2), |w| {
                    lists.iter().for_each(|list| list.write(w));
                });
            }
            w.raw(&self.time_stamp);
        });
        let not_encodable = |_| FormatError::new(ErrorKind::NotEncodable, STRUCTURE);
        let bytes = to_der_lengths(&bytes).map_err(not_encodable)?;
        Self::parse(&bytes).map_err(not_encodable)?;
        Ok(bytes)
    }

    /// The value together with its DER bytes, as a member for a chain.
    ///
    /// # Errors
    ///
    /// Those of [`encode`](Self::encode).
    pub fn into_raw(self) -> Result<Raw<Self>> {
        let bytes = self.encode()?;
        Self::parse(&bytes)
    }

    pub(crate) fn from_element(element: &Element<'_>) -> Result<Raw<Self>> {
        if element.tag() != Tag::SEQUENCE {
            return Err(element.error(ErrorKind::UnexpectedTag));
        }
        let mut reader = element.children(STRUCTURE)?;
        let digest_algorithm = match reader.optional(Tag::context(0))? {
            Some(element) => Some(AlgorithmIdentifier::from_element(&element)?),
            None => None,
        };
        let attributes = match reader.optional(Tag::context(1))? {
            Some(element) => Attribute::list_from_element(&element, "ArchiveTimeStamp.attributes")?,
            None => Vec::new(),
        };
        let reduced_hash_tree = match reader.optional(Tag::context(2))? {
            Some(element) => Some(read_lists(&element)?),
            None => None,
        };
        let time_stamp = reader.expect(Tag::SEQUENCE)?.raw().to_vec();
        reader.finish()?;
        let value = Self {
            digest_algorithm,
            attributes,
            reduced_hash_tree,
            time_stamp,
        };
        Ok(Raw::new(value, element.raw().to_vec()))
    }
}

impl PartialHashTree {
    fn write(&self, writer: &mut Writer) {
        writer.sequence(|w| {
            for hash in &self.0 {
                w.octet_string(hash);
            }
        });
    }
}

fn read_lists(element: &Element<'_>) -> Result<Vec<PartialHashTree>> {
    let elements = element
        .children("ArchiveTimeStamp.reducedHashtree")?
        .all(EVIDENCE_PARTIAL_TREES_MAX)?;
    let mut left = EVIDENCE_HASHES_MAX;
    let mut lists = Vec::with_capacity(elements.len());
    for list in elements {
        if list.tag() != Tag::SEQUENCE {
            return Err(list.error(ErrorKind::UnexpectedTag));
        }
        let hashes = list.children("PartialHashtree")?.all(left)?;
        left = left.saturating_sub(hashes.len());
        let octets = hashes.iter().map(|hash| match hash.tag() {
            Tag::OCTET_STRING => Ok(hash.octets()?.into_owned()),
            _ => Err(hash.error(ErrorKind::UnexpectedTag)),
        });
        lists.push(PartialHashTree(octets.collect::<Result<_>>()?));
    }
    Ok(lists)
}

const STRUCTURE: &str = "ArchiveTimeStamp";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_lists(lists: &[PartialHashTree]) -> Result<Vec<PartialHashTree>> {
        let bytes = Writer::single(Tag::context(2), |w| {
            lists.iter().for_each(|list| list.write(w));
        });
        read_lists(&Reader::single(&bytes, Tag::context(2), "test")?)
    }

    #[test]
    fn lists_keep_order_and_duplicates() {
        let lists = vec![
            PartialHashTree(vec![vec![2; 32], vec![1; 32], vec![2; 32]]),
            PartialHashTree::default(),
        ];
        assert_eq!(parse_lists(&lists), Ok(lists));
    }

    #[test]
    fn one_list_or_hash_too_many_is_refused() {
        let lists = vec![PartialHashTree::default(); EVIDENCE_PARTIAL_TREES_MAX];
        assert!(parse_lists(&lists).is_ok());
        let lists = vec![PartialHashTree::default(); EVIDENCE_PARTIAL_TREES_MAX + 1];
        assert_eq!(
            parse_lists(&lists).unwrap_err().kind(),
            ErrorKind::LimitExceeded
        );
        let half = PartialHashTree(vec![vec![]; EVIDENCE_HASHES_MAX / 2]);
        let lists = vec![half.clone(), half.clone()];
        assert!(parse_lists(&lists).is_ok());
        let lists = vec![half.clone(), half, PartialHashTree(vec![vec![]])];
        assert_eq!(
            parse_lists(&lists).unwrap_err().kind(),
            ErrorKind::LimitExceeded
        );
    }

    #[test]
    fn malformed_ones_are_refused() {
        for bytes in [
            &[0x30, 0x00][..],
            &[0x30, 0x02, 0xa0, 0x00],
            &[0x30, 0x04, 0xa1, 0x00, 0x30, 0x00],
            &[0x30, 0x06, 0xa2, 0x02, 0x04, 0x00, 0x30, 0x00],
            &[0x30, 0x08, 0xa2, 0x04, 0x30, 0x02, 0x05, 0x00, 0x30, 0x00],
            &[0x30, 0x04, 0x30, 0x00, 0x30, 0x00],
        ] {
            assert!(ArchiveTimeStamp::parse(bytes).is_err(), "{bytes:x?}");
        }
    }
}
