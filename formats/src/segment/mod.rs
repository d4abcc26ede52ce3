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
mod archive_time_stamp;
mod batch;
mod codec;
mod compaction;
mod content;
mod event;
mod frame;
mod further_digests;
mod leaves;
mod marks;
mod material;
mod parity;
mod record_version;
mod segment_index;
mod signature;

pub use address::FrameAddress;
pub use archive_time_stamp::{ArchiveTimeStamp, TimeStampKind};
pub use batch::{LeafPage, TreePage};
pub use codec::{Reader, Writer};
pub use compaction::{CompactionMap, KEPT_RUNS_MAX, KeptRun, Located, RunTable};
pub use content::{
    ChunkCodec, ChunkHeader, ContentChunk, MANIFEST_OBJECT, SIDE_OBJECTS, line_index_object,
};
pub use event::Event;
pub use frame::{EncodedFrame, FRAME_HEADER_BYTES, Frame, FrameHeader, FrameType};
pub use further_digests::{FURTHER_DIGESTS_OBJECT, FurtherDigests};
pub use leaves::Leaves;
pub use marks::{CommitMark, SegmentHeader, SegmentSeal};
pub use material::ValidationMaterial;
pub use parity::{
    PARITY_CONTROL_BYTES_MAX, PARITY_DATA_SHARDS_MAX, PARITY_SHARDS_MAX, ParityControl, ParityShape,
};
pub use record_version::{ContentLocations, RecordVersion};
pub use segment_index::{IndexEntries, IndexEntry, SegmentIndex};
pub use signature::{RECEIPT_VERSIONS_MAX, Receipt, SIGNATURE_OBJECT, Signature};

/// The text of this format, as it is written on each medium.
pub const SPECIFICATION: &str = include_str!("../../SPEC.md");

/// The version of the segment format that is written.
pub const FORMAT_VERSION: u16 = 1;

/// The format version in the header of a compacted segment: a [`CompactionMap`] follows the header, and readers of version 1 refuse it.
pub const COMPACTED_FORMAT_VERSION: u16 = 2;

/// The first bytes of the body of each segment header.
pub const MAGIC: [u8; 8] = *b"FUMIKURA";

/// Most bytes of a frame's body. A record version that locates the chunks of a 4 TiB object needs about 14 MiB.
pub const FRAME_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Most nodes of a [`TreePage`] and most leaves of a [`LeafPage`]: 4096 nodes of 64 bytes are 256 KiB.
pub const PAGE_NODES_MAX: usize = 4096;

/// Most bytes of a time-stamp token in an [`ArchiveTimeStamp`], and of one item of a [`ValidationMaterial`].
pub const TOKEN_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How many tracks there are: evidence by a first authority, and by a second one that is independent of it.
pub const TRACKS_MAX: u8 = 2;

/// Most content objects of one record version, and most pages of one batch.
pub const LOCATIONS_MAX: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests;
