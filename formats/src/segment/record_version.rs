//! The record version: the commit point of a deposit.

use super::codec::Reader;
use super::content::{MANIFEST_OBJECT, TAG_BYTES, read_codec, read_version};
use super::frame::{EncodedFrame, FrameType};
use super::{ChunkCodec, ChunkHeader, FRAME_BODY_BYTES_MAX, FrameAddress, LOCATIONS_MAX};
use crate::error::{ErrorKind, Result};
use crate::id::VersionId;

/// A version of a record: where its chunks stand, and its sealed manifest.
///
/// ```text
/// body = record id 16 | version u32 | identity 32 | count varint |
///        count × (object varint | chunk addresses) |
///        manifest codec u8 | manifest plain length u32 | ciphertext and tag, to the end
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordVersion {
    /// Record and version.
    pub version: VersionId,
    /// Keyed digest of what was deposited, by which a repeated deposit is recognised. It tells nothing without its key.
    pub identity: [u8; 32],
    /// Where the chunks of each content object stand, in the order of the manifest; line indexes follow.
    pub contents: Vec<ContentLocations>,
    /// How the manifest was packed.
    pub manifest_codec: ChunkCodec,
    /// Bytes of the manifest before packing.
    pub manifest_plain_bytes: u32,
    /// Ciphertext and tag of the manifest, sealed as the only chunk of object [`MANIFEST_OBJECT`].
    pub manifest_sealed: Vec<u8>,
}

/// Where the chunks of one content object stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContentLocations {
    /// Number of the content object in the manifest, from 0, or that of its line index ([`super::line_index_object`]).
    pub object: u32,
    /// The frames of its chunks, in order. An object always has at least one chunk, which may be empty.
    pub chunks: Vec<FrameAddress>,
}

impl RecordVersion {
    /// The clear fields under which the manifest is sealed.
    #[must_use]
    pub const fn manifest_header(&self) -> ChunkHeader {
        ChunkHeader {
            version: self.version,
            object: MANIFEST_OBJECT,
            chunk: 0,
            codec: self.manifest_codec,
            last: true,
            plain_bytes: self.manifest_plain_bytes,
        }
    }

    pub(super) fn encode(&self) -> Result<EncodedFrame> {
        let mut writer = EncodedFrame::writer(128);
        writer.raw(self.version.record().as_bytes());
        writer.u32(self.version.version());
        writer.raw(&self.identity);
        writer.varint(u64::try_from(self.contents.len()).unwrap_or(u64::MAX));
        for content in &self.contents {
            writer.varint(u64::from(content.object));
            writer.addresses(&content.chunks);
        }
        writer.u8(self.manifest_codec.code());
        writer.u32(self.manifest_plain_bytes);
        writer.raw(&self.manifest_sealed);
        EncodedFrame::new(FrameType::RecordVersion, writer, Vec::new())
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("RecordVersion", body);
        let version = read_version(&mut reader)?;
        let identity = reader.array()?;
        let count = reader.count(LOCATIONS_MAX.min(body.len()))?;
        let mut contents = Vec::with_capacity(count.min(1024));
        for _ in 0..count {
            let object = u32::try_from(reader.varint()?)
                .map_err(|_| reader.error(ErrorKind::InvalidValue))?;
            let chunks = reader.addresses(FRAME_BODY_BYTES_MAX)?;
            contents.push(ContentLocations { object, chunks });
        }
        let manifest_codec = read_codec(&mut reader)?;
        let manifest_plain_bytes = reader.u32()?;
        let sealed = reader.remainder();
        if sealed.len() < TAG_BYTES {
            return Err(reader.error(ErrorKind::Truncated));
        }
        Ok(Self {
            version,
            identity,
            contents,
            manifest_codec,
            manifest_plain_bytes,
            manifest_sealed: sealed.to_vec(),
        })
    }
}
