//! From sealed chunks back to a stream, whole or in part.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::segment::{ContentChunk, RecordVersion};
use zeroize::Zeroizing;

use super::buffers::{Buffer, Buffers};
use super::digests::HashLane;
use super::error::{ReadError, SealError};
use super::packing::Unpacker;
use super::sealing::VersionOpener;
use super::{CHUNK_BYTES, INLINE_CHUNKS, chunk_count};

/// Turns sealed chunks back into content. Keeps its decompression context and buffers, so make one per working thread and use
/// it for many contents.
#[derive(Debug)]
pub struct ContentReader {
    unpacker: Unpacker,
    buffers: Buffers,
}

/// Which content to read, and how large it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectShape {
    /// Number of the content object in the manifest.
    pub object: u32,
    /// Bytes of the content, from the manifest: this is authentic.
    pub size: u64,
    /// Chunks that the record version locates: this is not, and is compared with the size.
    pub chunks: u64,
}

impl ContentReader {
    /// A reader.
    ///
    /// # Errors
    /// [`SealError::Packing`] when there is no memory for the decompressor.
    pub fn new() -> Result<Self, SealError> {
        Ok(Self {
            unpacker: Unpacker::new().map_err(|_| SealError::Packing)?,
            buffers: Buffers::default(),
        })
    }

    /// Reads a whole content into `output` and compares it with its size and all of the `expected` digests.
    ///
    /// `fetch` gives the chunk with a number. It is asked again for the same number when what it gave is not authentic, and then gives
    /// another copy or an error. Each chunk is handed on as soon as it is authentic, and the digests are known
    /// only at the end: whoever takes the content must not use it before this returned well.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read<E>(
        &mut self,
        opener: &VersionOpener,
        shape: ObjectShape,
        expected: &[DigestValue],
        mut fetch: impl FnMut(u64) -> Result<ContentChunk, E>,
        output: &mut dyn Write,
    ) -> Result<(), ReadError<E>> {
        check_shape(shape)?;
        self.buffers.begin();
        let algorithms: Vec<DigestAlgorithm> =
            expected.iter().map(DigestValue::algorithm).collect();
        let mut lane = HashLane::new(&algorithms);
        let mut size = 0_u64;
        for chunk in 0..shape.chunks {
            if chunk == INLINE_CHUNKS {
                lane = lane.go_parallel().ok_or(ReadError::Unpacking)?;
            }
            let buffer = self.open_chunk(&lane, opener, shape, chunk, &mut fetch)?;
            lane.update(&buffer).ok_or(ReadError::Unpacking)?;
            output
                .write_all(buffer.plain())
                .map_err(ReadError::Output)?;
            size = size.saturating_add(buffer.plain().len() as u64);
            self.buffers.put(buffer);
        }
        let found = lane.finish().ok_or(ReadError::Unpacking)?;
        if size != shape.size {
            return Err(ReadError::Size {
                expected: shape.size,
                found: size,
            });
        }
        match expected.iter().zip(&found).find(|(e, f)| e != f) {
            Some((digest, _)) => Err(ReadError::Digest(digest.algorithm())),
            None => Ok(()),
        }
    }

    /// Reads part of a content into `output`. The chunks are authentic; the digests of the whole are not looked at.
    ///
    /// # Errors
    /// [`ReadError`]; [`ReadError::Range`] when the range ends beyond the content or before its start.
    pub fn read_range<E>(
        &mut self,
        opener: &VersionOpener,
        shape: ObjectShape,
        range: Range<u64>,
        mut fetch: impl FnMut(u64) -> Result<ContentChunk, E>,
        output: &mut dyn Write,
    ) -> Result<(), ReadError<E>> {
        check_shape(shape)?;
        if range.start > range.end || range.end > shape.size {
            return Err(ReadError::Range { size: shape.size });
        }
        self.buffers.begin();
        let lane = HashLane::new(&[]);
        let first = range.start / CHUNK_BYTES as u64;
        for chunk in first..range.end.div_ceil(CHUNK_BYTES as u64) {
            let buffer = self.open_chunk(&lane, opener, shape, chunk, &mut fetch)?;
            let start = chunk * CHUNK_BYTES as u64;
            let within = |place: u64| {
                let place = place.saturating_sub(start).min(CHUNK_BYTES as u64);
                usize::try_from(place).unwrap_or(CHUNK_BYTES)
            };
            let part = buffer
                .plain()
                .get(within(range.start)..within(range.end))
                .ok_or(ReadError::Size {
                    expected: shape.size,
                    found: start.saturating_add(buffer.plain().len() as u64),
                })?;
            output.write_all(part).map_err(ReadError::Output)?;
            self.buffers.put(buffer);
        }
        Ok(())
    }

    /// Opens the manifest of a record version. The opener must be the version's own.
    ///
    /// # Errors
    /// [`ReadError::Chunk`] when it is of another version or was changed.
    pub fn open_manifest<E>(
        &mut self,
        opener: &VersionOpener,
        record: &RecordVersion,
    ) -> Result<Zeroizing<Vec<u8>>, ReadError<E>> {
        opener.open_manifest(record, &mut self.unpacker)
    }

    fn open_chunk<E>(
        &mut self,
        lane: &HashLane,
        opener: &VersionOpener,
        shape: ObjectShape,
        number: u64,
        fetch: &mut impl FnMut(u64) -> Result<ContentChunk, E>,
    ) -> Result<Arc<Buffer>, ReadError<E>> {
        let mut chunk = fetch(number).map_err(ReadError::Fetch)?;
        let mut first = None;
        for _ in 0..COPIES_MAX {
            match self.open_copy(lane, opener, shape, number, &chunk) {
                Ok(buffer) => return Ok(buffer),
                Err(error) => first = first.or(Some(error)),
            }
            match fetch(number) {
                Ok(another) => chunk = another,
                Err(_) => break,
            }
        }
        Err(first.unwrap_or(ReadError::Unpacking))
    }

    fn open_copy<E>(
        &mut self,
        lane: &HashLane,
        opener: &VersionOpener,
        shape: ObjectShape,
        number: u64,
        chunk: &ContentChunk,
    ) -> Result<Arc<Buffer>, ReadError<E>> {
        let fault = |fault| opener.fault(shape.object, number, fault);
        let last = number + 1 == shape.chunks;
        let length = opener
            .check_place(&chunk.header, shape.object, number, last)
            .map_err(fault)?;
        let mut buffer = lane
            .free_buffer(&mut self.buffers)
            .ok_or(ReadError::Unpacking)?;
        let plain = Arc::get_mut(&mut buffer)
            .and_then(|buffer| buffer.room(length))
            .ok_or(ReadError::Unpacking)?;
        match opener.open(&chunk.header, &chunk.sealed, &mut self.unpacker, plain) {
            Ok(()) => Ok(buffer),
            Err(error) => {
                self.buffers.put(buffer);
                Err(fault(error))
            }
        }
    }
}

const fn check_shape<E>(shape: ObjectShape) -> Result<(), ReadError<E>> {
    let expected = chunk_count(shape.size);
    if shape.chunks == expected {
        return Ok(());
    }
    Err(ReadError::ChunkCount {
        expected,
        found: shape.chunks,
    })
}

/// Most copies of a chunk that are tried.
const COPIES_MAX: usize = 8;
