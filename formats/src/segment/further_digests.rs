//! Digests of a version's contents under a function that its manifest does not have.

use super::codec::Reader;
use super::content::{TAG_BYTES, read_version};
use super::frame::{EncodedFrame, FrameType};
use super::leaves::write_version;
use super::{ChunkCodec, ChunkHeader};
use crate::digest::{DIGEST_BYTES_MAX, DigestAlgorithm};
use crate::error::{ErrorKind, FormatError, Result};
use crate::id::VersionId;
use crate::limits::MANIFEST_OBJECTS_MAX;

/// The object number under which further digests of a version are sealed.
pub const FURTHER_DIGESTS_OBJECT: u32 = 0xFFFF_FFFE;

/// The digests of all content objects of a version under one more function, taken when the contents were read again.
///
/// A hash-tree renewal (RFC 4998 §5.2) needs them when neither function of the manifest is left. The plaintext are the digests, in the
/// order of the manifest, one after the other.
///
/// ```text
/// body = record id 16 | version u32 | algorithm (sized name) | ciphertext and tag, to the end
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FurtherDigests {
    /// The version.
    pub version: VersionId,
    /// The function.
    pub algorithm: DigestAlgorithm,
    /// Ciphertext and tag, sealed as the only chunk of object [`FURTHER_DIGESTS_OBJECT`] with the algorithm's number as chunk number.
    ///
    /// The plaintext is the same whenever it is made, so the nonce, which is the same, too, never seals two plaintexts.
    pub sealed: Vec<u8>,
}

impl FurtherDigests {
    /// The clear fields under which `plain_bytes` of digests under `algorithm` are sealed.
    #[must_use]
    pub const fn header(
        version: VersionId,
        algorithm: DigestAlgorithm,
        plain_bytes: u32,
    ) -> ChunkHeader {
        ChunkHeader {
            version,
            object: FURTHER_DIGESTS_OBJECT,
            chunk: algorithm_number(algorithm),
            codec: ChunkCodec::Stored,
            last: true,
            plain_bytes,
        }
    }

    /// Bytes of the digests.
    #[must_use]
    pub fn plain_bytes(&self) -> u32 {
        // The parser and the encoder keep the length far below.
        u32::try_from(self.sealed.len().saturating_sub(TAG_BYTES)).unwrap_or(u32::MAX)
    }

    fn check(self, kind: ErrorKind) -> Result<Self> {
        let plain = self.sealed.len().checked_sub(TAG_BYTES);
        let whole = plain.is_some_and(|plain| {
            plain.checked_rem(self.algorithm.len()) == Some(0) && plain <= PLAIN_BYTES_MAX
        });
        if whole {
            Ok(self)
        } else {
            Err(FormatError::new(kind, STRUCTURE))
        }
    }

    pub(super) fn encode(self) -> Result<EncodedFrame> {
        let frame = self.check(ErrorKind::NotEncodable)?;
        let mut writer = EncodedFrame::writer(64);
        write_version(&mut writer, frame.version);
        writer.algorithm(frame.algorithm);
        EncodedFrame::new(FrameType::FurtherDigests, writer, frame.sealed)
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(STRUCTURE, body);
        let version = read_version(&mut reader)?;
        let algorithm = reader.algorithm()?;
        let sealed = reader.remainder().to_vec();
        let frame = Self {
            version,
            algorithm,
            sealed,
        };
        frame.check(ErrorKind::InvalidValue)
    }
}

/// The number of a function in a nonce. It is part of the format and never changes.
const fn algorithm_number(algorithm: DigestAlgorithm) -> u64 {
    match algorithm {
        DigestAlgorithm::Md5 => 1,
        DigestAlgorithm::Sha1 => 2,
        DigestAlgorithm::Ripemd160 => 3,
        DigestAlgorithm::Sha224 => 4,
        DigestAlgorithm::Sha256 => 5,
        DigestAlgorithm::Sha384 => 6,
        DigestAlgorithm::Sha512 => 7,
        DigestAlgorithm::Sha512_256 => 8,
        DigestAlgorithm::Sha3_224 => 9,
        DigestAlgorithm::Sha3_256 => 10,
        DigestAlgorithm::Sha3_384 => 11,
        DigestAlgorithm::Sha3_512 => 12,
    }
}

/// Most bytes of the digests of one version.
const PLAIN_BYTES_MAX: usize = MANIFEST_OBJECTS_MAX.saturating_mul(DIGEST_BYTES_MAX);

const STRUCTURE: &str = "FurtherDigests";
