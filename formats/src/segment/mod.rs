//! The segment: an append-only file of checksummed frames. The text for strangers is `SPEC.md` ([`SPECIFICATION`]).
//!
//! A segment starts with a [`SegmentHeader`], goes on with frames of any other type, and when it is full it ends with a
//! [`SegmentIndex`] and a [`SegmentSeal`]. All integers are big-endian. Varints are LEB128 in their shortest form.
//!
//! ```text
//! frame = body length u32 | type u8 | flags u8 (0) | reserved u16 (0) | CRC32C u32 | body
//! ```
//!
//! The CRC32C (Castagnoli) covers the eight bytes before it and the body. A length of zero is never written, so that the
//! zeros of a file tail that the file system did not write are no frame.

mod address;
mod batch;
mod codec;
mod content;
mod event;
mod frame;
mod marks;
mod record_version;
mod segment_index;

pub use address::FrameAddress;
pub use batch::{ArchiveTimeStamp, LeafPage, TimeStampKind, TreePage};
pub use codec::{Reader, Writer};
pub use content::{
    ChunkCodec, ChunkHeader, ContentChunk, MANIFEST_OBJECT, SIDE_OBJECTS, line_index_object,
};
pub use event::Event;
pub use frame::{EncodedFrame, FRAME_HEADER_BYTES, Frame, FrameHeader, FrameType};
pub use marks::{CommitMark, SegmentHeader, SegmentSeal};
pub use record_version::{ContentLocations, RecordVersion};
pub use segment_index::{IndexEntry, SegmentIndex};

/// The text of this format, as it is written on each medium.
pub const SPECIFICATION: &str = include_str!("../../SPEC.md");

/// The version of the segment format that is written.
pub const FORMAT_VERSION: u16 = 1;

/// The first bytes of the body of each segment header.
pub const MAGIC: [u8; 8] = *b"FUMIKURA";

/// Most bytes of a frame's body. A record version that locates the chunks of a 4 TiB object needs about 14 MiB.
pub const FRAME_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Most nodes of a [`TreePage`] and most leaves of a [`LeafPage`]: 4096 nodes of 64 bytes are 256 KiB.
pub const PAGE_NODES_MAX: usize = 4096;

/// Most bytes of a time-stamp token in an [`ArchiveTimeStamp`]. A token with 60 MB of CRLs belongs beside it, not in it.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most content objects of one record version, and most pages of one batch.
pub const LOCATIONS_MAX: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests;
