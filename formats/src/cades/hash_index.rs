//! ats-hash-index, -v2 and -v3.

use crate::cms::{Attribute, SignerInfo};
use crate::der::typed::FromElement as _;
use crate::der::{Reader, Tag, Writer};
use crate::digest::DigestAlgorithm;
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::ATS_HASHES_MAX;
use crate::oid::{self, Oid};
use crate::x509::AlgorithmIdentifier;

use super::parts::{SignatureParts, SignerParts};

/// What an archive-time-stamp-v3 covers besides content and signer: the hash of each certificate, of each CRL and OCSP response, and of
/// each unsigned attribute that stood in the signature when the timestamp was made (EN 319 122-1 §5.5.2, Annex A).
///
/// ```text
/// ATSHashIndexV3 ::= SEQUENCE {
///   hashIndAlgorithm             AlgorithmIdentifier,
///   certificatesHashIndex        SEQUENCE OF OCTET STRING,
///   crlsHashIndex                SEQUENCE OF OCTET STRING,
///   unsignedAttrValuesHashIndex  SEQUENCE OF OCTET STRING }
/// ```
///
/// The first version has SHA-256 as DEFAULT algorithm and hashes whole attributes; the later ones hash each value with its type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HashIndex {
    /// Which of the three.
    pub version: HashIndexVersion,
    /// The algorithm of the hashes.
    pub algorithm: AlgorithmIdentifier,
    /// Hashes of certificates.
    pub certificates: Vec<Vec<u8>>,
    /// Hashes of CRLs and OCSP responses.
    pub revocations: Vec<Vec<u8>>,
    /// Hashes of unsigned attributes, or of their values.
    pub attributes: Vec<Vec<u8>>,
    /// The exact bytes of the attribute value: they go into the message imprint.
    pub raw: Vec<u8>,
}

/// Which version of the attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashIndexVersion {
    /// ats-hash-index (TS 101 733 V2.2.1).
    V1,
    /// ats-hash-index-v2.
    V2,
    /// ats-hash-index-v3 (EN 319 122-1).
    V3,
}

/// What of a signature an index covers, in the order of the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// For each certificate whether its hash stands in the index.
    pub certificates: Vec<bool>,
    /// The same for each CRL and OCSP response.
    pub revocations: Vec<bool>,
    /// The same for each unsigned attribute: all its values are covered.
    pub attributes: Vec<bool>,
    /// Hashes of the index to which nothing in the signature belongs: something was removed or changed, and the index is not valid
    /// (EN 319 122-1 §5.5.2).
    pub unmatched: usize,
}

impl HashIndexVersion {
    /// The type of the attribute.
    #[must_use]
    pub const fn oid(self) -> Oid {
        match self {
            Self::V1 => oid::ATS_HASH_INDEX_V1,
            Self::V2 => oid::ATS_HASH_INDEX_V2,
            Self::V3 => oid::ATS_HASH_INDEX_V3,
        }
    }
}

impl HashIndex {
    /// The index (version 3) over everything that a signature holds now.
    #[must_use]
    pub fn over(parts: &SignatureParts, signer: &SignerParts, algorithm: DigestAlgorithm) -> Self {
        let hash = |bytes: &Vec<u8>| algorithm.digest(bytes).as_bytes().to_vec();
        let version = HashIndexVersion::V3;
        let attributes = signer.unsigned_attributes.iter();
        let mut index = Self {
            version,
            algorithm: AlgorithmIdentifier::of_digest(algorithm),
            certificates: parts.certificates.iter().map(hash).collect(),
            revocations: parts.revocations.iter().map(hash).collect(),
            attributes: attributes
                .flat_map(|attribute| hashed_octets(attribute, version))
                .map(|octets| hash(&octets))
                .collect(),
            raw: Vec::new(),
        };
        index.raw = index.encode();
        index
    }

    /// Reads the value of one of the three attributes.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] if it is malformed; [`ErrorKind::LimitExceeded`] above [`ATS_HASHES_MAX`] hashes in a list.
    pub fn parse(value: &[u8], version: HashIndexVersion) -> Result<Self> {
        let element = Reader::single(value, Tag::SEQUENCE, STRUCTURE)?;
        let mut reader = element.children(STRUCTURE)?;
        // The algorithm is a SEQUENCE like the lists: it is there if its first member is an identifier.
        let first = reader.clone().expect(Tag::SEQUENCE)?;
        let algorithm = if first.children(STRUCTURE)?.peek() == Some(Tag::OID) {
            AlgorithmIdentifier::from_element(&reader.expect(Tag::SEQUENCE)?)?
        } else if version == HashIndexVersion::V1 {
            AlgorithmIdentifier::of_digest(DigestAlgorithm::Sha256)
        } else {
            return Err(element.error(ErrorKind::MissingElement));
        };
        let mut list = || -> Result<Vec<Vec<u8>>> {
            let hashes = reader.expect(Tag::SEQUENCE)?.children(STRUCTURE)?;
            let hash = |hash: &crate::der::Element<'_>| match hash.tag() {
                Tag::OCTET_STRING => Ok(hash.octets()?.into_owned()),
                _ => Err(hash.error(ErrorKind::UnexpectedTag)),
            };
            hashes.all(ATS_HASHES_MAX)?.iter().map(hash).collect()
        };
        let (certificates, revocations, attributes) = (list()?, list()?, list()?);
        reader.finish()?;
        Ok(Self {
            version,
            algorithm,
            certificates,
            revocations,
            attributes,
            raw: value.to_vec(),
        })
    }

    /// The index in the unsigned attributes of a timestamp token's signer; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::DuplicateElement`] if there are several, and those of [`HashIndex::parse`].
    pub fn of_token(signer: &SignerInfo) -> Result<Option<Self>> {
        let mut found = None;
        for attribute in &signer.unsigned_attributes {
            let versions = [
                HashIndexVersion::V1,
                HashIndexVersion::V2,
                HashIndexVersion::V3,
            ];
            let version = versions.into_iter().find(|v| v.oid() == attribute.oid);
            let Some(version) = version else {
                continue;
            };
            let [value] = attribute.values.as_slice() else {
                return Err(FormatError::new(ErrorKind::DuplicateElement, STRUCTURE));
            };
            let index = Self::parse(value, version)?;
            if found.replace(index).is_some() {
                return Err(FormatError::new(ErrorKind::DuplicateElement, STRUCTURE));
            }
        }
        Ok(found)
    }

    /// The attribute that goes into the timestamp token.
    #[must_use]
    pub fn to_attribute(&self) -> Attribute {
        Attribute::new(self.version.oid(), vec![self.raw.clone()])
    }

    /// Holds the index against a signature.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnknownAlgorithm`] if this program cannot compute its hashes.
    pub fn coverage(&self, parts: &SignatureParts, signer: &SignerParts) -> Result<Coverage> {
        let algorithm = self
            .algorithm
            .digest_algorithm()
            .ok_or(FormatError::new(ErrorKind::UnknownAlgorithm, STRUCTURE))?;
        let certificates = covered(algorithm, &parts.certificates, &self.certificates);
        let revocations = covered(algorithm, &parts.revocations, &self.revocations);
        let mut values = Vec::new();
        let mut owners = Vec::new();
        for (owner, attribute) in signer.unsigned_attributes.iter().enumerate() {
            for octets in hashed_octets(attribute, self.version) {
                values.push(octets);
                owners.push(owner);
            }
        }
        let of_values = covered(algorithm, &values, &self.attributes);
        let mut attributes = vec![true; signer.unsigned_attributes.len()];
        for (owner, is_covered) in owners.iter().zip(&of_values.is_covered) {
            if let Some(attribute) = attributes.get_mut(*owner) {
                *attribute &= is_covered;
            }
        }
        let unmatched = [&certificates, &revocations, &of_values];
        Ok(Coverage {
            unmatched: unmatched.iter().map(|list| list.unmatched).sum(),
            certificates: certificates.is_covered,
            revocations: revocations.is_covered,
            attributes,
        })
    }

    fn encode(&self) -> Vec<u8> {
        Writer::single(Tag::SEQUENCE, |w| {
            self.algorithm.write(w);
            for list in [&self.certificates, &self.revocations, &self.attributes] {
                w.sequence(|w| {
                    for hash in list {
                        w.octet_string(hash);
                    }
                });
            }
        })
    }
}

struct Covered {
    is_covered: Vec<bool>,
    unmatched: usize,
}

/// A hash may cover equal members; the same hash written twice needs only one of them.
fn covered(algorithm: DigestAlgorithm, members: &[Vec<u8>], hashes: &[Vec<u8>]) -> Covered {
    let listed: std::collections::BTreeSet<&[u8]> = hashes.iter().map(Vec::as_slice).collect();
    let computed: Vec<_> = members.iter().map(|m| algorithm.digest(m)).collect();
    let present: std::collections::BTreeSet<&[u8]> =
        computed.iter().map(|digest| digest.as_bytes()).collect();
    Covered {
        is_covered: computed
            .iter()
            .map(|digest| listed.contains(digest.as_bytes()))
            .collect(),
        unmatched: listed.difference(&present).count(),
    }
}

/// What is hashed of an attribute: all of it, or each value after its type.
fn hashed_octets(attribute: &Attribute, version: HashIndexVersion) -> Vec<Vec<u8>> {
    if version == HashIndexVersion::V1 {
        return vec![attribute.raw.clone()];
    }
    let mut name = Writer::new();
    name.oid(&attribute.oid);
    let name = name.into_bytes();
    let values = attribute.values.iter();
    values
        .map(|value| [name.as_slice(), value].concat())
        .collect()
}

const STRUCTURE: &str = "ATSHashIndex";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cades::add_unsigned_attributes;
    use crate::cms::{SignedData, with_validation_material};
    use crate::samples;

    fn signature(numbers: &[u8]) -> SignatureParts {
        let attribute =
            |number| Attribute::new(oid::SIGNATURE_TIME_STAMP, vec![vec![4, 1, number]]);
        let attributes: Vec<Attribute> = numbers.iter().copied().map(attribute).collect();
        let bytes = add_unsigned_attributes(&samples::token(b"data"), 0, &attributes).unwrap();
        let crl = vec![0x30, 0x02, 0x30, 0x00];
        let bytes = with_validation_material(&bytes, &[], &[crl], &[]).unwrap();
        SignatureParts::parse(&bytes).unwrap()
    }

    fn over(parts: &SignatureParts) -> HashIndex {
        HashIndex::over(parts, &parts.signers[0], DigestAlgorithm::Sha256)
    }

    #[test]
    fn an_index_covers_what_it_was_made_over() {
        let parts = signature(&[1, 2]);
        let index = over(&parts);
        assert_eq!(
            HashIndex::parse(&index.raw, HashIndexVersion::V3),
            Ok(index.clone())
        );
        let coverage = index.coverage(&parts, &parts.signers[0]).unwrap();
        assert_eq!(coverage.certificates, [true]);
        assert_eq!(coverage.revocations, [true]);
        assert_eq!(coverage.attributes, [true, true]);
        assert_eq!(coverage.unmatched, 0);
        let later = signature(&[1, 2, 3]);
        let coverage = index.coverage(&later, &later.signers[0]).unwrap();
        assert_eq!(
            (coverage.attributes, coverage.unmatched),
            (vec![true, true, false], 0)
        );
    }

    #[test]
    fn what_was_removed_or_changed_is_unmatched() {
        let index = over(&signature(&[1, 2]));
        for (changed, missing) in [(&[1][..], 1), (&[1, 3], 1), (&[], 2)] {
            let parts = signature(changed);
            let coverage = index.coverage(&parts, &parts.signers[0]).unwrap();
            assert_eq!(coverage.unmatched, missing);
        }
        let mut unknown = index.clone();
        unknown.algorithm = AlgorithmIdentifier::bare(oid::DATA);
        let parts = signature(&[]);
        let error = unknown.coverage(&parts, &parts.signers[0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownAlgorithm);
    }

    #[test]
    fn only_the_first_version_may_leave_the_algorithm_out() {
        let bare = [0x30, 0x06, 0x30, 0x00, 0x30, 0x00, 0x30, 0x00];
        let first = HashIndex::parse(&bare, HashIndexVersion::V1).unwrap();
        assert_eq!(
            first.algorithm.digest_algorithm(),
            Some(DigestAlgorithm::Sha256)
        );
        for version in [HashIndexVersion::V2, HashIndexVersion::V3] {
            let error = HashIndex::parse(&bare, version).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MissingElement);
        }
        for bad in [
            &[][..],
            &[0x30, 0x00],
            &[0x30, 0x02, 0x30, 0x00],
            &[0x31, 0x00],
        ] {
            assert!(HashIndex::parse(bad, HashIndexVersion::V1).is_err());
        }
    }

    #[test]
    fn a_token_has_one_index() {
        let bytes = samples::token(b"data");
        let mut signer = SignedData::parse(&bytes).unwrap().signers[0].clone();
        assert_eq!(HashIndex::of_token(&signer), Ok(None));
        let index = over(&signature(&[1]));
        signer.unsigned_attributes.push(index.to_attribute());
        assert_eq!(HashIndex::of_token(&signer), Ok(Some(index.clone())));
        signer.unsigned_attributes.push(index.to_attribute());
        let error = HashIndex::of_token(&signer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DuplicateElement);
    }

    #[test]
    fn damage_does_no_harm_and_each_bit_counts() {
        let index = over(&signature(&[1, 2]));
        samples::each_damage(&index.raw, |damaged| {
            drop(HashIndex::parse(damaged, HashIndexVersion::V1));
        });
        samples::each_bit_counts(&index.raw, |bytes| {
            HashIndex::parse(bytes, HashIndexVersion::V3).ok()
        });
    }
}
