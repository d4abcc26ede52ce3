//! AlgorithmIdentifier.

use crate::der::typed::{FromElement, decode, rasn_type};
use crate::der::{Element, Reader, Tag, Writer};
use crate::digest::DigestAlgorithm;
use crate::error::Result;
use crate::oid::Oid;
use rasn::{AsnType, Decode, Decoder as _};

/// An algorithm and its parameters (RFC 5280 §4.1.1.2).
///
/// ```text
/// AlgorithmIdentifier  ::=  SEQUENCE  {
///      algorithm               OBJECT IDENTIFIER,
///      parameters              ANY DEFINED BY algorithm OPTIONAL  }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AlgorithmIdentifier {
    /// The algorithm.
    pub oid: Oid,
    /// The exact bytes of the parameters, tag and length included. An absent member and NULL are different bytes.
    pub parameters: Option<Vec<u8>>,
}

impl AlgorithmIdentifier {
    /// An algorithm without parameters.
    #[must_use]
    pub const fn bare(oid: Oid) -> Self {
        Self {
            oid,
            parameters: None,
        }
    }

    /// A digest algorithm, written without parameters (RFC 5754 §2).
    #[must_use]
    pub const fn of_digest(algorithm: DigestAlgorithm) -> Self {
        Self::bare(algorithm.oid())
    }

    /// The digest algorithm, if it is one that this program knows and its parameters are absent or NULL.
    #[must_use]
    pub fn digest_algorithm(&self) -> Option<DigestAlgorithm> {
        let plain = self
            .parameters
            .as_deref()
            .is_none_or(|bytes| bytes == DER_NULL);
        DigestAlgorithm::from_oid(&self.oid).filter(|_| plain)
    }

    /// Reads one from its exact bytes.
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if the bytes are not an AlgorithmIdentifier and nothing else.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::from_element(&Reader::single(bytes, Tag::SEQUENCE, STRUCTURE)?)
    }

    /// Writes DER; the parameters are inserted as they are.
    pub fn write(&self, writer: &mut Writer) {
        self.write_tagged(writer, Tag::SEQUENCE);
    }

    /// Writes DER under an IMPLICIT tag.
    pub(crate) fn write_tagged(&self, writer: &mut Writer, tag: Tag) {
        writer.constructed(tag, |w| {
            w.oid(&self.oid);
            if let Some(parameters) = &self.parameters {
                w.raw(parameters);
            }
        });
    }

    /// The DER bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.into_bytes()
    }
}

#[derive(AsnType, Decode)]
struct Members {
    algorithm: Oid,
    parameters: Option<rasn::types::Any>,
}

impl FromElement for AlgorithmIdentifier {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let members: Members = decode(element, STRUCTURE)?;
        Ok(Self {
            oid: members.algorithm,
            parameters: members.parameters.map(rasn::types::Any::into_bytes),
        })
    }
}

rasn_type!(AlgorithmIdentifier);

const STRUCTURE: &str = "AlgorithmIdentifier";
const DER_NULL: &[u8] = &[0x05, 0x00];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_parameters_and_null_are_kept_apart() {
        let bare = AlgorithmIdentifier::of_digest(DigestAlgorithm::Sha256);
        let null = AlgorithmIdentifier {
            parameters: Some(DER_NULL.to_vec()),
            ..bare.clone()
        };
        assert_ne!(bare, null);
        for algorithm in [bare, null] {
            assert_eq!(algorithm.digest_algorithm(), Some(DigestAlgorithm::Sha256));
            let parsed = AlgorithmIdentifier::parse(&algorithm.encode()).unwrap();
            assert_eq!(parsed, algorithm);
        }
    }

    #[test]
    fn strange_parameters_make_it_unknown() {
        let algorithm = AlgorithmIdentifier {
            oid: crate::oid::SHA256,
            parameters: Some(vec![0x02, 0x01, 0x00]),
        };
        assert_eq!(algorithm.digest_algorithm(), None);
    }

    #[test]
    fn malformed_ones_are_refused() {
        for bytes in [
            &[0x30, 0x00][..],
            &[0x31, 0x03, 0x06, 0x01, 0x2a],
            &[0x30, 0x02, 0x05, 0x00],
            &[0x30, 0x07, 0x06, 0x01, 0x2a, 0x05, 0x00, 0x05, 0x00],
        ] {
            assert!(AlgorithmIdentifier::parse(bytes).is_err(), "{bytes:x?}");
        }
    }
}
