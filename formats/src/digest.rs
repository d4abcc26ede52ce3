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
mod tests;
