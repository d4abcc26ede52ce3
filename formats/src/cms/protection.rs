//! The algorithms of a signer, signed by itself (RFC 6211).

use crate::der::{Reader, Tag, Writer};
use crate::error::{ErrorKind, FormatError, Result};
use crate::x509::AlgorithmIdentifier;

const STRUCTURE: &str = "CMSAlgorithmProtection";
const MEMBERS_MAX: usize = 3;

/// The value of the attribute CMSAlgorithmProtection, as it stands in a signature (RFC 6211 §2).
///
/// ```text
/// CMSAlgorithmProtection ::= SEQUENCE {
///     digestAlgorithm         DigestAlgorithmIdentifier,
///     signatureAlgorithm  [1] SignatureAlgorithmIdentifier OPTIONAL,
///     macAlgorithm        [2] MessageAuthenticationCodeAlgorithm OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlgorithmProtection {
    /// The digest algorithm.
    pub digest_algorithm: AlgorithmIdentifier,
    /// The algorithm of the signature, which a signature has to name here.
    pub signature_algorithm: AlgorithmIdentifier,
}

impl AlgorithmProtection {
    /// Reads one from its exact bytes.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] if the bytes are anything else, or are those of a message authentication code.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let members = Reader::single(bytes, Tag::SEQUENCE, STRUCTURE)?
            .children(STRUCTURE)?
            .all(MEMBERS_MAX)?;
        let [digest, signature] = members.as_slice() else {
            return Err(FormatError::new(ErrorKind::MissingElement, STRUCTURE));
        };
        if signature.tag() != Tag::context(1) {
            return Err(signature.error(ErrorKind::UnexpectedTag));
        }
        let untagged = Writer::single(Tag::SEQUENCE, |w| {
            w.raw(signature.content());
        });
        Ok(Self {
            digest_algorithm: AlgorithmIdentifier::parse(digest.raw())?,
            signature_algorithm: AlgorithmIdentifier::parse(&untagged)?,
        })
    }

    /// The DER bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::single(Tag::SEQUENCE, |w| {
            self.digest_algorithm.write(w);
            self.signature_algorithm.write_tagged(w, Tag::context(1));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::DigestAlgorithm;
    use crate::oid;

    #[test]
    fn what_is_written_is_read() {
        let good = AlgorithmProtection {
            digest_algorithm: AlgorithmIdentifier::of_digest(DigestAlgorithm::Sha256),
            signature_algorithm: AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA256),
        };
        let bytes = good.encode();
        assert_eq!(AlgorithmProtection::parse(&bytes).unwrap(), good);
        let digest = good.digest_algorithm.encode();
        let without_signature = Writer::single(Tag::SEQUENCE, |w| {
            w.raw(&digest);
        });
        let with_mac = Writer::single(Tag::SEQUENCE, |w| {
            w.raw(&digest);
            good.signature_algorithm.write_tagged(w, Tag::context(2));
        });
        let trailing = [&bytes[..], &[5, 0]].concat();
        for bad in [&without_signature[..], &with_mac, &trailing, &digest, &[]] {
            assert!(AlgorithmProtection::parse(bad).is_err());
        }
    }
}
