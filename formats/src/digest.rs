//! Digest algorithms and digest values.
//!
//! This module computes; it does not judge. Which algorithm may still be trusted is a question for a policy.

use std::cmp::Ordering;
use std::fmt;

use digest::Digest as _;

use crate::oid::{self, Oid};

/// The longest digest of [`DigestAlgorithm`] in bytes.
pub const DIGEST_BYTES_MAX: usize = 64;

/// A digest algorithm that this program can compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// MD5 (RFC 1321), for reading old evidence only.
    Md5,
    /// SHA-1 (FIPS 180-4), for reading old evidence only.
    Sha1,
    /// RIPEMD-160, for reading old evidence only.
    Ripemd160,
    /// SHA-224 (FIPS 180-4).
    Sha224,
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-384 (FIPS 180-4).
    Sha384,
    /// SHA-512 (FIPS 180-4).
    Sha512,
    /// SHA-512/256 (FIPS 180-4).
    Sha512_256,
    /// SHA3-224 (FIPS 202).
    Sha3_224,
    /// SHA3-256 (FIPS 202).
    Sha3_256,
    /// SHA3-384 (FIPS 202).
    Sha3_384,
    /// SHA3-512 (FIPS 202).
    Sha3_512,
}

/// The value of a digest, with its algorithm.
///
/// Equality and hashing regard both, order regards the bytes first: RFC 4998 §4.2 sorts digests "in binary ascending order".
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DigestValue {
    algorithm: DigestAlgorithm,
    /// Bytes beyond `algorithm.len()` are zero.
    bytes: [u8; DIGEST_BYTES_MAX],
}

/// A digest in the making.
#[derive(Clone)]
pub struct Hasher {
    algorithm: DigestAlgorithm,
    state: State,
}

impl DigestAlgorithm {
    /// Every algorithm, weakest first.
    pub const ALL: &'static [Self] = &[
        Self::Md5,
        Self::Sha1,
        Self::Ripemd160,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Sha512_256,
        Self::Sha3_224,
        Self::Sha3_256,
        Self::Sha3_384,
        Self::Sha3_512,
    ];

    /// The object identifier.
    #[must_use]
    pub const fn oid(self) -> Oid {
        match self {
            Self::Md5 => oid::MD5,
            Self::Sha1 => oid::SHA1,
            Self::Ripemd160 => oid::RIPEMD160,
            Self::Sha224 => oid::SHA224,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
            Self::Sha512_256 => oid::SHA512_256,
            Self::Sha3_224 => oid::SHA3_224,
            Self::Sha3_256 => oid::SHA3_256,
            Self::Sha3_384 => oid::SHA3_384,
            Self::Sha3_512 => oid::SHA3_512,
        }
    }

    /// The algorithm of an object identifier.
    #[must_use]
    pub fn from_oid(oid: &Oid) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|algorithm| algorithm.oid() == *oid)
    }

    /// The name of the specification, for example `SHA-256` or `SHA3-512`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Ripemd160 => "RIPEMD-160",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sha512_256 => "SHA-512/256",
            Self::Sha3_224 => "SHA3-224",
            Self::Sha3_256 => "SHA3-256",
            Self::Sha3_384 => "SHA3-384",
            Self::Sha3_512 => "SHA3-512",
        }
    }

    /// The algorithm of a [`name`](Self::name), in exactly this notation.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|algorithm| algorithm.name() == name)
    }

    /// The identifier in XML signatures and ASiC manifests (RFC 9231 §2.1, XML Encryption §5.7). SHA-512/256 has none.
    #[must_use]
    pub const fn xml_uri(self) -> Option<&'static str> {
        Some(match self {
            Self::Md5 => "http://www.w3.org/2001/04/xmldsig-more#md5",
            Self::Sha1 => "http://www.w3.org/2000/09/xmldsig#sha1",
            Self::Ripemd160 => "http://www.w3.org/2001/04/xmlenc#ripemd160",
            Self::Sha224 => "http://www.w3.org/2001/04/xmldsig-more#sha224",
            Self::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
            Self::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
            Self::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
            Self::Sha512_256 => return None,
            Self::Sha3_224 => "http://www.w3.org/2007/05/xmldsig-more#sha3-224",
            Self::Sha3_256 => "http://www.w3.org/2007/05/xmldsig-more#sha3-256",
            Self::Sha3_384 => "http://www.w3.org/2007/05/xmldsig-more#sha3-384",
            Self::Sha3_512 => "http://www.w3.org/2007/05/xmldsig-more#sha3-512",
        })
    }

    /// The algorithm of an [`xml_uri`](Self::xml_uri).
    #[must_use]
    pub fn from_xml_uri(uri: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|algorithm| algorithm.xml_uri() == Some(uri))
    }

    /// Length of its digests in bytes.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // The length of the values, not of a collection.
    pub const fn len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 | Self::Ripemd160 => 20,
            Self::Sha224 | Self::Sha3_224 => 28,
            Self::Sha256 | Self::Sha512_256 | Self::Sha3_256 => 32,
            Self::Sha384 | Self::Sha3_384 => 48,
            Self::Sha512 | Self::Sha3_512 => 64,
        }
    }

    /// The digest of `data`.
    #[must_use]
    pub fn digest(self, data: &[u8]) -> DigestValue {
        let mut hasher = self.hasher();
        hasher.update(data);
        hasher.finish()
    }

    /// Starts a digest.
    #[must_use]
    pub fn hasher(self) -> Hasher {
        let state = match self {
            Self::Md5 => State::Md5(md5::Md5::new()),
            Self::Sha1 => State::Sha1(sha1::Sha1::new()),
            Self::Ripemd160 => State::Ripemd160(ripemd::Ripemd160::new()),
            Self::Sha224 => State::Sha224(sha2::Sha224::new()),
            Self::Sha256 => State::Sha256(sha2::Sha256::new()),
            Self::Sha384 => State::Sha384(sha2::Sha384::new()),
            Self::Sha512 => State::Sha512(sha2::Sha512::new()),
            Self::Sha512_256 => State::Sha512_256(sha2::Sha512_256::new()),
            Self::Sha3_224 => State::Sha3_224(Box::new(sha3::Sha3_224::new())),
            Self::Sha3_256 => State::Sha3_256(Box::new(sha3::Sha3_256::new())),
            Self::Sha3_384 => State::Sha3_384(Box::new(sha3::Sha3_384::new())),
            Self::Sha3_512 => State::Sha3_512(Box::new(sha3::Sha3_512::new())),
        };
        Hasher {
            algorithm: self,
            state,
        }
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl DigestValue {
    /// A digest computed elsewhere. `None` if the length is not that of the algorithm.
    #[must_use]
    pub fn from_bytes(algorithm: DigestAlgorithm, bytes: &[u8]) -> Option<Self> {
        if bytes.len() != algorithm.len() {
            return None;
        }
        Some(Self::padded(algorithm, bytes))
    }

    /// The algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// The bytes of the digest.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.algorithm.len()).unwrap_or_default()
    }

    /// The bytes in lower-case hexadecimal.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.as_bytes())
    }

    /// Copies at most `DIGEST_BYTES_MAX` bytes; every caller gives `algorithm.len()` of them.
    fn padded(algorithm: DigestAlgorithm, source: &[u8]) -> Self {
        let mut bytes = [0; DIGEST_BYTES_MAX];
        for (to, from) in bytes.iter_mut().zip(source) {
            *to = *from;
        }
        Self { algorithm, bytes }
    }
}

impl PartialOrd for DigestValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DigestValue {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes()
            .cmp(other.as_bytes())
            .then(self.algorithm.cmp(&other.algorithm))
    }
}

impl fmt::Debug for DigestValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.to_hex())
    }
}

impl Hasher {
    /// The algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// Adds bytes.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.state {
            State::Md5(state) => state.update(data),
            State::Sha1(state) => state.update(data),
            State::Ripemd160(state) => state.update(data),
            State::Sha224(state) => state.update(data),
            State::Sha256(state) => state.update(data),
            State::Sha384(state) => state.update(data),
            State::Sha512(state) => state.update(data),
            State::Sha512_256(state) => state.update(data),
            State::Sha3_224(state) => state.update(data),
            State::Sha3_256(state) => state.update(data),
            State::Sha3_384(state) => state.update(data),
            State::Sha3_512(state) => state.update(data),
        }
    }

    /// The digest of all bytes given.
    #[must_use]
    pub fn finish(self) -> DigestValue {
        let algorithm = self.algorithm;
        let value = |bytes: &[u8]| DigestValue::padded(algorithm, bytes);
        match self.state {
            State::Md5(state) => value(&state.finalize()),
            State::Sha1(state) => value(&state.finalize()),
            State::Ripemd160(state) => value(&state.finalize()),
            State::Sha224(state) => value(&state.finalize()),
            State::Sha256(state) => value(&state.finalize()),
            State::Sha384(state) => value(&state.finalize()),
            State::Sha512(state) => value(&state.finalize()),
            State::Sha512_256(state) => value(&state.finalize()),
            State::Sha3_224(state) => value(&state.finalize()),
            State::Sha3_256(state) => value(&state.finalize()),
            State::Sha3_384(state) => value(&state.finalize()),
            State::Sha3_512(state) => value(&state.finalize()),
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
enum State {
    Md5(md5::Md5),
    Sha1(sha1::Sha1),
    Ripemd160(ripemd::Ripemd160),
    Sha224(sha2::Sha224),
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
    Sha512_256(sha2::Sha512_256),
    Sha3_224(Box<sha3::Sha3_224>),
    Sha3_256(Box<sha3::Sha3_256>),
    Sha3_384(Box<sha3::Sha3_384>),
    Sha3_512(Box<sha3::Sha3_512>),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digests of "abc" from RFC 1321, FIPS 180-4 and FIPS 202 examples, and the RIPEMD-160 page.
    const ABC: &[(DigestAlgorithm, &str)] = &[
        (DigestAlgorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
        (
            DigestAlgorithm::Sha1,
            "a9993e364706816aba3e25717850c26c9cd0d89d",
        ),
        (
            DigestAlgorithm::Ripemd160,
            "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
        ),
        (
            DigestAlgorithm::Sha224,
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
        ),
        (
            DigestAlgorithm::Sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            DigestAlgorithm::Sha384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            DigestAlgorithm::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        (
            DigestAlgorithm::Sha512_256,
            "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
        ),
        (
            DigestAlgorithm::Sha3_224,
            "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
        ),
        (
            DigestAlgorithm::Sha3_256,
            "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
        ),
        (
            DigestAlgorithm::Sha3_384,
            "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
        ),
        (
            DigestAlgorithm::Sha3_512,
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
        ),
    ];

    #[test]
    fn known_answers() {
        assert_eq!(ABC.len(), DigestAlgorithm::ALL.len());
        for (algorithm, expected) in ABC {
            let value = algorithm.digest(b"abc");
            assert_eq!(value.to_hex(), *expected, "{algorithm}");
            assert_eq!(value.as_bytes().len(), algorithm.len());
            let mut hasher = algorithm.hasher();
            hasher.update(b"a");
            hasher.update(b"bc");
            assert_eq!(hasher.finish(), value);
            assert_eq!(format!("{value:?}"), format!("{algorithm}:{expected}"));
        }
    }

    #[test]
    fn names_and_identifiers_are_unique_and_reversible() {
        for algorithm in DigestAlgorithm::ALL.iter().copied() {
            assert_eq!(DigestAlgorithm::from_oid(&algorithm.oid()), Some(algorithm));
            assert_eq!(
                DigestAlgorithm::from_name(algorithm.name()),
                Some(algorithm)
            );
            if let Some(uri) = algorithm.xml_uri() {
                assert_eq!(DigestAlgorithm::from_xml_uri(uri), Some(algorithm));
            }
        }
        assert_eq!(DigestAlgorithm::from_name("sha256"), None);
        assert_eq!(DigestAlgorithm::from_oid(&oid::DATA), None);
        assert_eq!(DigestAlgorithm::from_xml_uri(""), None);
    }

    #[test]
    fn a_wrong_length_is_refused() {
        assert!(DigestValue::from_bytes(DigestAlgorithm::Sha256, &[0; 31]).is_none());
        assert!(DigestValue::from_bytes(DigestAlgorithm::Sha256, &[0; 33]).is_none());
        assert!(DigestValue::from_bytes(DigestAlgorithm::Sha256, &[0; 32]).is_some());
    }

    #[test]
    fn order_is_by_bytes() {
        let low = DigestValue::from_bytes(DigestAlgorithm::Sha256, &[1; 32]).unwrap();
        let high = DigestValue::from_bytes(DigestAlgorithm::Sha256, &[2; 32]).unwrap();
        let other = DigestValue::from_bytes(DigestAlgorithm::Sha3_256, &[1; 32]).unwrap();
        assert!(low < high && other < high && low < other);
        assert_ne!(low, other);
    }
}
