//! The frames that give a segment its shape: header, commit mark, seal.

use time::OffsetDateTime;

use super::codec::Reader;
use super::frame::{EncodedFrame, FrameType};
use super::{COMPACTED_FORMAT_VERSION, FORMAT_VERSION, FRAME_HEADER_BYTES, FrameAddress, MAGIC};
use crate::error::{ErrorKind, Result};
use crate::id::ArchiveId;

/// The first frame of each segment.
///
/// ```text
/// body = "FUMIKURA" 8 | format version u16 | archive id 16 | segment number u32 | created-at i64 | boot id 16
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The archive.
    pub archive: ArchiveId,
    /// Number of the segment, from 1; it is also the name of the file.
    pub segment: u32,
    /// When the segment was begun.
    pub created_at: OffsetDateTime,
    /// Which start of the machine wrote it.
    pub boot: [u8; 16],
    /// Whether the segment was compacted: its format version is then 2, and a [`super::CompactionMap`] follows.
    pub compacted: bool,
}

/// "Everything before this frame was synchronised on every replica."
///
/// It names its own place, so that a reader that looks for a mark behind damaged bytes cannot take an old block for one.
///
/// ```text
/// body = segment number u32 | offset of this frame u64 | replica count u8 | boot id 16 | time i64
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitMark {
    /// Where the mark stands.
    pub address: FrameAddress,
    /// On how many replicas.
    pub replicas: u8,
    /// Which start of the machine wrote it.
    pub boot: [u8; 16],
    /// When.
    pub time: OffsetDateTime,
}

/// The last frame of a sealed segment.
///
/// ```text
/// body = offset of the segment index u64 | bytes before this frame u64 | SHA-256 of these bytes 32
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentSeal {
    /// Offset of the [`super::SegmentIndex`] frame.
    pub index_offset: u64,
    /// Offset of this frame.
    pub length: u64,
    /// SHA-256 over all bytes of the file before this frame.
    pub digest: [u8; 32],
}

impl SegmentHeader {
    /// Bytes of the whole frame.
    pub const FRAME_BYTES: usize = FRAME_HEADER_BYTES + 54;

    pub(super) fn encode(&self) -> Result<EncodedFrame> {
        let mut writer = EncodedFrame::writer(54);
        writer.raw(&MAGIC);
        writer.u16(if self.compacted {
            COMPACTED_FORMAT_VERSION
        } else {
            FORMAT_VERSION
        });
        writer.raw(self.archive.as_bytes());
        writer.u32(self.segment);
        writer.time(self.created_at);
        writer.raw(&self.boot);
        EncodedFrame::new(FrameType::SegmentHeader, writer, Vec::new())
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("SegmentHeader", body);
        if reader.array()? != MAGIC {
            return Err(reader.error(ErrorKind::WrongType));
        }
        let compacted = match reader.u16()? {
            FORMAT_VERSION => false,
            COMPACTED_FORMAT_VERSION => true,
            _ => return Err(reader.error(ErrorKind::UnsupportedVersion)),
        };
        let header = Self {
            archive: ArchiveId::from_bytes(reader.array()?),
            segment: reader.u32()?,
            created_at: reader.time()?,
            boot: reader.array()?,
            compacted,
        };
        reader.finish()?;
        Ok(header)
    }
}

impl CommitMark {
    /// Bytes of the whole frame.
    pub const FRAME_BYTES: usize = FRAME_HEADER_BYTES + 37;

    pub(super) fn encode(&self) -> Result<EncodedFrame> {
        let mut writer = EncodedFrame::writer(37);
        writer.u32(self.address.segment);
        writer.u64(self.address.offset);
        writer.u8(self.replicas);
        writer.raw(&self.boot);
        writer.time(self.time);
        EncodedFrame::new(FrameType::CommitMark, writer, Vec::new())
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("CommitMark", body);
        let mark = Self {
            address: FrameAddress::new(reader.u32()?, reader.u64()?),
            replicas: reader.u8()?,
            boot: reader.array()?,
            time: reader.time()?,
        };
        reader.finish()?;
        Ok(mark)
    }
}

impl SegmentSeal {
    /// Bytes of the whole frame.
    pub const FRAME_BYTES: usize = FRAME_HEADER_BYTES + 48;

    pub(super) fn encode(&self) -> Result<EncodedFrame> {
        let mut writer = EncodedFrame::writer(48);
        writer.u64(self.index_offset);
        writer.u64(self.length);
        writer.raw(&self.digest);
        EncodedFrame::new(FrameType::SegmentSeal, writer, Vec::new())
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("SegmentSeal", body);
        let seal = Self {
            index_offset: reader.u64()?,
            length: reader.u64()?,
            digest: reader.array()?,
        };
        if seal.index_offset >= seal.length {
            return Err(reader.error(ErrorKind::InvalidValue));
        }
        reader.finish()?;
        Ok(seal)
    }
}
