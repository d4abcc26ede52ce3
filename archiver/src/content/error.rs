//! What can go wrong between content and chunks. No error holds content.

use std::error::Error;
use std::fmt;
use std::io;

use formats::digest::DigestAlgorithm;
use formats::id::VersionId;

/// Why content or a manifest could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The object was begun before under this key: its nonces would come twice. A fault in the program; nothing was written.
    ObjectBegunTwice {
        /// The object number.
        object: u32,
    },
    /// The object number is kept for the manifest, or for what stands beside the contents. A fault in the program.
    ReservedObject,
    /// The manifest is longer than [`formats::limits::MANIFEST_BYTES_MAX`]. Give less metadata, or fewer objects.
    ManifestTooLong,
    /// The content is longer than the format can number (2⁵⁶ chunks), or than AES-GCM may seal.
    TooLong,
    /// The compressor failed: there is not enough memory.
    Packing,
    /// The hashing thread ended early. A fault in the program.
    HashingStopped,
}

/// Why content could not be written. `E` is the error of whoever takes the chunks.
#[derive(Debug)]
pub enum WriteError<E> {
    /// The content could not be read from its source.
    Source(io::Error),
    /// The chunk could not be taken.
    Append(E),
    /// The chunk could not be made.
    Seal(SealError),
}

/// Why content could not be read. `E` is the error of whoever fetches the chunks.
#[derive(Debug)]
pub enum ReadError<E> {
    /// The chunk could not be fetched.
    Fetch(E),
    /// What was fetched is not the chunk that was sealed: the medium was changed. Read another replica.
    Chunk {
        /// The version.
        version: VersionId,
        /// The object number; [`formats::segment::MANIFEST_OBJECT`] for the manifest.
        object: u32,
        /// The chunk number.
        chunk: u64,
        /// What is wrong with it.
        fault: ChunkFault,
    },
    /// The object does not have as many chunks as its size asks for: chunks are missing at its end, or too many.
    ChunkCount {
        /// Chunks that the size in the manifest asks for.
        expected: u64,
        /// Chunks that the record version locates.
        found: u64,
    },
    /// All chunks are authentic, but the content does not have the size that its manifest states.
    Size {
        /// Bytes that the manifest states.
        expected: u64,
        /// Bytes that were read.
        found: u64,
    },
    /// All chunks are authentic, but the content does not have the digest that its manifest states.
    Digest(DigestAlgorithm),
    /// The range ends beyond the content.
    Range {
        /// Bytes of the content.
        size: u64,
    },
    /// The content could not be handed on.
    Output(io::Error),
    /// The decompressor failed: there is not enough memory, or the hashing thread ended early.
    Unpacking,
}

/// What is wrong with a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChunkFault {
    /// It is the chunk of another version, object or place: chunks were swapped, repeated or dropped.
    Misplaced,
    /// It is marked as the last one and is not, or the other way round: content was cut off or added.
    End,
    /// The length that it states is not possible in its place.
    Length,
    /// Its tag does not hold: bytes or clear fields were changed, or it was sealed under another key.
    Forged,
    /// It is authentic, but its content does not unpack to the length that it states.
    Packing,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ObjectBegunTwice { object } => {
                write!(
                    f,
                    "content object {object} would be sealed twice under one key"
                )
            }
            Self::ReservedObject => f.write_str("this object number is kept for the manifest"),
            Self::ManifestTooLong => f.write_str("the manifest is too long: give less metadata"),
            Self::TooLong => f.write_str("the content is too long for the format"),
            Self::Packing => f.write_str("the compressor failed: is there enough memory?"),
            Self::HashingStopped => f.write_str("the hashing thread ended early"),
        }
    }
}

impl Error for SealError {}

impl fmt::Display for ChunkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Misplaced => "it belongs to another place",
            Self::End => "its end mark is wrong, content was cut off or added",
            Self::Length => "its length is not possible here",
            Self::Forged => "its authentication tag does not hold",
            Self::Packing => "it does not unpack",
        })
    }
}

impl<E: fmt::Display> fmt::Display for WriteError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => write!(f, "the content cannot be read: {error}"),
            Self::Append(error) => error.fmt(f),
            Self::Seal(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for WriteError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Source(error) => Some(error),
            Self::Append(error) => Some(error),
            Self::Seal(error) => Some(error),
        }
    }
}

impl<E> From<SealError> for WriteError<E> {
    fn from(error: SealError) -> Self {
        Self::Seal(error)
    }
}

impl<E: fmt::Display> fmt::Display for ReadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(error) => error.fmt(f),
            Self::Chunk {
                version,
                object,
                chunk,
                fault,
            } => write!(
                f,
                "chunk {chunk} of object {object} of {version} is not what was deposited: {fault}"
            ),
            Self::ChunkCount { expected, found } => write!(
                f,
                "the content has {found} chunks, but its size asks for {expected}: content was cut off or added"
            ),
            Self::Size { expected, found } => write!(
                f,
                "the content has {found} bytes, but its manifest states {expected}"
            ),
            Self::Digest(algorithm) => {
                write!(
                    f,
                    "the {algorithm} of the content is not the one in its manifest"
                )
            }
            Self::Range { size } => write!(f, "the range ends beyond the {size} bytes of content"),
            Self::Output(error) => write!(f, "the content cannot be written: {error}"),
            Self::Unpacking => {
                f.write_str("the content cannot be unpacked: is there enough memory?")
            }
        }
    }
}

impl<E: Error + 'static> Error for ReadError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Fetch(error) => Some(error),
            Self::Output(error) => Some(error),
            Self::Chunk { .. }
            | Self::ChunkCount { .. }
            | Self::Size { .. }
            | Self::Digest(_)
            | Self::Range { .. }
            | Self::Unpacking => None,
        }
    }
}
