//! From a stream to sealed chunks.

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::lines::LineIndex;
use formats::segment::{ChunkHeader, ContentChunk, line_index_object};

use super::buffers::{Buffer, Buffers};
use super::digests::HashLane;
use super::error::{SealError, WriteError};
use super::lines::{BuiltLines, LineBuilder, LineKey, NoLines};
use super::packing::Packer;
use super::sealing::{SealedManifest, VersionSealer};
use super::{CHUNK_BYTES, INLINE_CHUNKS};

/// Turns streams into sealed chunks. Keeps its compression context and buffers, so make one per working thread and use it for
/// many contents.
#[derive(Debug)]
pub struct ContentWriter {
    packer: Packer,
    buffers: Buffers,
}

/// What a content was found to be while it was written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentSummary {
    /// Bytes of the content.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: DigestValue,
    /// Its SHA-512.
    pub sha512: DigestValue,
    /// Its chunks.
    pub chunks: u64,
    /// Bytes of the sealed chunks with their tags, without frames.
    pub sealed_bytes: u64,
}

/// Whether a content has a line tree: `None` if none was asked for.
pub type LinesOf = Option<Result<BuiltLines, NoLines>>;

impl ContentWriter {
    /// A writer.
    ///
    /// # Errors
    /// [`SealError::Packing`] when there is no memory for the compressor.
    pub fn new() -> Result<Self, SealError> {
        Ok(Self {
            packer: Packer::new().map_err(|_| SealError::Packing)?,
            buffers: Buffers::default(),
        })
    }

    /// Overwrites the plaintext of the last content, before the writer waits for the next one.
    pub fn clear(&mut self) {
        self.buffers.clear();
    }

    /// Reads `input` to its end as content object `object` of the sealer's version, and hands each sealed chunk to `append` in
    /// order.
    ///
    /// SHA-256 and SHA-512 are computed on the way; for content of more than a few MiB on a second thread, with a bounded
    /// queue. Empty content gives one empty chunk. After an error the object can not be begun again: give up the version.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write<E>(
        &mut self,
        sealer: &mut VersionSealer,
        object: u32,
        input: &mut dyn Read,
        append: impl FnMut(ContentChunk) -> Result<(), E>,
    ) -> Result<ContentSummary, WriteError<E>> {
        let (summary, _) = self.write_lines(sealer, object, input, None, append)?;
        Ok(summary)
    }

    /// The same, and builds the line tree of the content if a key for its salts is given.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write_lines<E>(
        &mut self,
        sealer: &mut VersionSealer,
        object: u32,
        input: &mut dyn Read,
        key: Option<LineKey>,
        append: impl FnMut(ContentChunk) -> Result<(), E>,
    ) -> Result<(ContentSummary, LinesOf), WriteError<E>> {
        sealer.begin_content(object)?;
        self.write_object(sealer, object, input, key, append)
    }

    /// Seals the line index of content object `object`, once, and hands its chunks to `append`. Gives the bytes of the sealed chunks.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write_line_index<E>(
        &mut self,
        sealer: &mut VersionSealer,
        object: u32,
        index: &LineIndex,
        append: impl FnMut(ContentChunk) -> Result<(), E>,
    ) -> Result<u64, WriteError<E>> {
        let beside = line_index_object(object).ok_or(SealError::ReservedObject)?;
        sealer.begin_side_object(beside)?;
        let mut bytes = index.bytes();
        let (summary, _) = self.write_object(sealer, beside, &mut bytes, None, append)?;
        Ok(summary.sealed_bytes)
    }

    fn write_object<E>(
        &mut self,
        sealer: &VersionSealer,
        object: u32,
        input: &mut dyn Read,
        key: Option<LineKey>,
        mut append: impl FnMut(ContentChunk) -> Result<(), E>,
    ) -> Result<(ContentSummary, LinesOf), WriteError<E>> {
        self.buffers.begin();
        let mut lane = HashLane::new(&[DigestAlgorithm::Sha256, DigestAlgorithm::Sha512])
            .with_lines(key.map(LineBuilder::new));
        let mut count = Count::default();
        let mut current = self.read_chunk(&lane, input)?;
        loop {
            if count.chunks == INLINE_CHUNKS {
                lane = lane.go_parallel().ok_or(SealError::HashingStopped)?;
            }
            lane.update(&current).ok_or(SealError::HashingStopped)?;
            let next = if current.is_full() {
                Some(self.read_chunk(&lane, input)?).filter(|next| !next.plain().is_empty())
            } else {
                None
            };
            let chunk = self.seal(sealer, object, count.chunks, &current, next.is_none())?;
            count.add(&current, &chunk).ok_or(SealError::TooLong)?;
            append(chunk).map_err(WriteError::Append)?;
            self.buffers.put(current);
            match next {
                Some(next) => current = next,
                None => break,
            }
        }
        Ok(count.summary(lane)?)
    }

    /// Seals the manifest of the sealer's version, once.
    ///
    /// # Errors
    /// [`SealError::ManifestTooLong`], [`SealError::ObjectBegunTwice`], [`SealError::Packing`].
    pub fn seal_manifest(
        &mut self,
        sealer: &mut VersionSealer,
        manifest: &[u8],
    ) -> Result<SealedManifest, SealError> {
        sealer.seal_manifest(&mut self.packer, manifest)
    }

    fn read_chunk<E>(
        &mut self,
        lane: &HashLane,
        input: &mut dyn Read,
    ) -> Result<Arc<Buffer>, WriteError<E>> {
        let mut buffer = lane
            .free_buffer(&mut self.buffers)
            .ok_or(SealError::HashingStopped)?;
        Arc::get_mut(&mut buffer)
            .ok_or(SealError::HashingStopped)?
            .fill(input)
            .map_err(WriteError::Source)?;
        Ok(buffer)
    }

    fn seal(
        &mut self,
        sealer: &VersionSealer,
        object: u32,
        chunk: u64,
        buffer: &Buffer,
        last: bool,
    ) -> Result<ContentChunk, SealError> {
        let plain = buffer.plain();
        let (codec, packed) = self.packer.pack(plain).map_err(|_| SealError::Packing)?;
        debug_assert!(last || plain.len() == CHUNK_BYTES);
        let header = ChunkHeader {
            version: sealer.version(),
            object,
            chunk,
            codec,
            last,
            plain_bytes: u32::try_from(plain.len()).map_err(|_| SealError::TooLong)?,
        };
        sealer.seal(header, packed)
    }
}

#[derive(Debug, Default)]
struct Count {
    size: u64,
    chunks: u64,
    sealed_bytes: u64,
}

impl Count {
    fn add(&mut self, buffer: &Buffer, chunk: &ContentChunk) -> Option<()> {
        self.size = self.size.checked_add(buffer.plain().len() as u64)?;
        self.sealed_bytes = self.sealed_bytes.checked_add(chunk.sealed.len() as u64)?;
        self.chunks = self.chunks.checked_add(1)?;
        Some(())
    }

    fn summary(self, lane: HashLane) -> Result<(ContentSummary, LinesOf), SealError> {
        let computed = lane.finish_all().ok_or(SealError::HashingStopped)?;
        let digests = computed.digests.try_into();
        let [sha256, sha512] = digests.map_err(|_| SealError::HashingStopped)?;
        let summary = ContentSummary {
            size: self.size,
            sha256,
            sha512,
            chunks: self.chunks,
            sealed_bytes: self.sealed_bytes,
        };
        Ok((summary, computed.lines))
    }
}

impl fmt::Display for ContentSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} bytes in {} chunks, sealed in {} bytes",
            self.size, self.chunks, self.sealed_bytes
        )
    }
}
