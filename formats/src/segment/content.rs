//! Content chunks: compressed and sealed pieces of a content object.

use super::codec::{Reader, Writer};
use super::frame::{EncodedFrame, FrameType};
use crate::error::{ErrorKind, FormatError, Result};
use crate::id::{ArchiveId, RecordId, VersionId};
use crate::limits::MANIFEST_OBJECTS_MAX;

/// The object number under which the manifest of a version is sealed.
pub const MANIFEST_OBJECT: u32 = 0xFFFF_FFFF;

/// Object numbers from here on are no content objects of the manifest, but what stands beside them under the same data key.
pub const SIDE_OBJECTS: u32 = 0x8000_0000;

/// The object number under which the line index of content object `object` is sealed; `None` if no content object has this number.
#[must_use]
pub fn line_index_object(object: u32) -> Option<u32> {
    let exists = usize::try_from(object).is_ok_and(|number| number < MANIFEST_OBJECTS_MAX);
    exists.then_some(object | SIDE_OBJECTS)
}

/// How the plaintext of a chunk was packed before it was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChunkCodec {
    /// As it is.
    Stored,
    /// One zstd frame (RFC 8878).
    Zstd,
}

impl ChunkCodec {
    /// The byte on the medium.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Stored => 0,
            Self::Zstd => 1,
        }
    }

    /// The codec of a byte on the medium.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Stored),
            1 => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// The clear fields of a chunk. All of them are associated data of its seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChunkHeader {
    /// The version that the chunk belongs to, and whose data key seals it.
    pub version: VersionId,
    /// Number of the content object in the manifest, from 0, or [`MANIFEST_OBJECT`].
    pub object: u32,
    /// Number of the chunk in the object, from 0, below 2^56.
    pub chunk: u64,
    /// How the plaintext was packed.
    pub codec: ChunkCodec,
    /// Whether this is the last chunk of the object.
    pub last: bool,
    /// Bytes of the plaintext before packing.
    pub plain_bytes: u32,
}

/// A chunk: clear fields, and the ciphertext followed by the 16 bytes of its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentChunk {
    /// The clear fields.
    pub header: ChunkHeader,
    /// Ciphertext and tag.
    pub sealed: Vec<u8>,
}

impl ChunkHeader {
    /// The bytes of the fields: record id 16, version u32, object u32, chunk u64, codec u8, last u8, plain length u32.
    pub const BYTES: usize = 38;

    /// The associated data of the seal: the archive id and then the fields as they stand in the frame.
    #[must_use]
    pub fn associated_data(&self, archive: ArchiveId) -> [u8; 54] {
        let mut data = [0; 54];
        let bytes = archive.as_bytes().iter().copied().chain(self.encode());
        for (place, byte) in data.iter_mut().zip(bytes) {
            *place = byte;
        }
        data
    }

    /// The nonce of the seal: object u32, chunk u56, last u8. It is unique under the data key of the version.
    ///
    /// # Errors
    /// [`ErrorKind::NotEncodable`] when the chunk number needs more than 56 bits.
    pub fn nonce(&self) -> Result<[u8; 12]> {
        let [o0, o1, o2, o3] = self.object.to_be_bytes();
        let [0, c1, c2, c3, c4, c5, c6, c7] = self.chunk.to_be_bytes() else {
            return Err(FormatError::new(ErrorKind::NotEncodable, STRUCTURE));
        };
        let last = u8::from(self.last);
        Ok([o0, o1, o2, o3, c1, c2, c3, c4, c5, c6, c7, last])
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(Self::BYTES);
        self.write(&mut writer);
        writer.finish()
    }

    fn write(&self, writer: &mut Writer) {
        writer.raw(self.version.record().as_bytes());
        writer.u32(self.version.version());
        writer.u32(self.object);
        writer.u64(self.chunk);
        writer.u8(self.codec.code());
        writer.u8(u8::from(self.last));
        writer.u32(self.plain_bytes);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let version = read_version(reader)?;
        let object = reader.u32()?;
        let chunk = reader.u64()?;
        let codec = read_codec(reader)?;
        let last = match reader.u8()? {
            0 => false,
            1 => true,
            _ => return Err(reader.error(ErrorKind::InvalidValue)),
        };
        Ok(Self {
            version,
            object,
            chunk,
            codec,
            last,
            plain_bytes: reader.u32()?,
        })
    }
}

impl ContentChunk {
    pub(super) fn encode(self) -> Result<EncodedFrame> {
        if self.header.chunk.wrapping_shr(56) != 0 {
            return Err(FormatError::new(ErrorKind::NotEncodable, STRUCTURE));
        }
        let mut writer = EncodedFrame::writer(ChunkHeader::BYTES);
        self.header.write(&mut writer);
        EncodedFrame::new(FrameType::ContentChunk, writer, self.sealed)
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(STRUCTURE, body);
        let header = ChunkHeader::read(&mut reader)?;
        if header.chunk.wrapping_shr(56) != 0 {
            return Err(reader.error(ErrorKind::InvalidValue));
        }
        let sealed = reader.remainder();
        if sealed.len() < TAG_BYTES {
            return Err(reader.error(ErrorKind::Truncated));
        }
        Ok(Self {
            header,
            sealed: sealed.to_vec(),
        })
    }
}

pub(super) fn read_version(reader: &mut Reader<'_>) -> Result<VersionId> {
    let record = RecordId::from_bytes(reader.array()?);
    let version = reader.u32()?;
    VersionId::new(record, version).ok_or_else(|| reader.error(ErrorKind::InvalidValue))
}

pub(super) fn read_codec(reader: &mut Reader<'_>) -> Result<ChunkCodec> {
    let code = reader.u8()?;
    ChunkCodec::from_code(code).ok_or_else(|| reader.error(ErrorKind::InvalidValue))
}

/// Bytes of an AES-GCM tag.
pub(super) const TAG_BYTES: usize = 16;

const STRUCTURE: &str = "ContentChunk";
