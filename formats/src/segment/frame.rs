//! The frame around each body.

use super::codec::{Reader, Writer};
use super::{
    ArchiveTimeStamp, CommitMark, CompactionMap, ContentChunk, Event, FRAME_BODY_BYTES_MAX,
    FurtherDigests, LeafPage, Receipt, RecordVersion, SegmentHeader, SegmentIndex, SegmentSeal,
    Signature, TreePage, ValidationMaterial,
};
use crate::error::{ErrorKind, FormatError, Result};

/// Bytes of a frame header.
pub const FRAME_HEADER_BYTES: usize = 12;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrameType {
    /// The first frame of a segment.
    SegmentHeader,
    /// A sealed piece of a content object.
    ContentChunk,
    /// A version of a record.
    RecordVersion,
    /// Nodes of a hash tree.
    TreePage,
    /// A time-stamp over a batch.
    ArchiveTimeStamp,
    /// A sealed event.
    Event,
    /// Everything before is synchronised.
    CommitMark,
    /// Where the frames stand.
    SegmentIndex,
    /// The last frame of a sealed segment.
    SegmentSeal,
    /// Leaves of a batch.
    LeafPage,
    /// Digests of a version's contents under one more function.
    FurtherDigests,
    /// Certificates and revocation data for a token.
    ValidationMaterial,
    /// A signature over a manifest.
    Signature,
    /// A receipt for deposited versions.
    Receipt,
    /// What a compacted segment keeps.
    CompactionMap,
}

/// The fields of a frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Bytes of the body, from 1.
    pub body_bytes: u32,
    /// Type of the body.
    pub frame_type: FrameType,
    /// CRC32C over the first eight bytes of the header and the body.
    pub checksum: u32,
}

/// A frame's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Type 1.
    SegmentHeader(SegmentHeader),
    /// Type 2.
    ContentChunk(ContentChunk),
    /// Type 3.
    RecordVersion(RecordVersion),
    /// Type 4.
    TreePage(TreePage),
    /// Type 5.
    ArchiveTimeStamp(ArchiveTimeStamp),
    /// Type 6.
    Event(Event),
    /// Type 7.
    CommitMark(CommitMark),
    /// Type 8.
    SegmentIndex(SegmentIndex),
    /// Type 9.
    SegmentSeal(SegmentSeal),
    /// Type 10.
    LeafPage(LeafPage),
    /// Type 11.
    FurtherDigests(FurtherDigests),
    /// Type 12.
    ValidationMaterial(ValidationMaterial),
    /// Type 13.
    Signature(Signature),
    /// Type 14.
    Receipt(Receipt),
    /// Type 15.
    CompactionMap(CompactionMap),
}

/// A frame as bytes, in two parts, so that a large payload is not copied: header and small fields, then the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedFrame {
    frame_type: FrameType,
    head: Vec<u8>,
    payload: Vec<u8>,
}

impl FrameType {
    /// The byte on the medium.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::SegmentHeader => 1,
            Self::ContentChunk => 2,
            Self::RecordVersion => 3,
            Self::TreePage => 4,
            Self::ArchiveTimeStamp => 5,
            Self::Event => 6,
            Self::CommitMark => 7,
            Self::SegmentIndex => 8,
            Self::SegmentSeal => 9,
            Self::LeafPage => 10,
            Self::FurtherDigests => 11,
            Self::ValidationMaterial => 12,
            Self::Signature => 13,
            Self::Receipt => 14,
            Self::CompactionMap => 15,
        }
    }

    /// The type of a byte on the medium.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::SegmentHeader,
            2 => Self::ContentChunk,
            3 => Self::RecordVersion,
            4 => Self::TreePage,
            5 => Self::ArchiveTimeStamp,
            6 => Self::Event,
            7 => Self::CommitMark,
            8 => Self::SegmentIndex,
            9 => Self::SegmentSeal,
            10 => Self::LeafPage,
            11 => Self::FurtherDigests,
            12 => Self::ValidationMaterial,
            13 => Self::Signature,
            14 => Self::Receipt,
            15 => Self::CompactionMap,
            _ => return None,
        })
    }
}

impl FrameHeader {
    /// Reads a header.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] when fewer than twelve bytes are given; [`ErrorKind::LimitExceeded`] for a body that is empty
    /// or too long; [`ErrorKind::UnsupportedVersion`] for an unknown type, flag or reserved value.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(STRUCTURE, bytes);
        let body_bytes = reader.u32()?;
        let code = reader.u8()?;
        let flags = reader.u8()?;
        let reserved = reader.u16()?;
        let checksum = reader.u32()?;
        if body_bytes == 0 || usize::try_from(body_bytes).map_or(true, |n| n > FRAME_BODY_BYTES_MAX)
        {
            return Err(FormatError::new(ErrorKind::LimitExceeded, STRUCTURE).at(0));
        }
        let frame_type = FrameType::from_code(code)
            .ok_or(FormatError::new(ErrorKind::UnsupportedVersion, STRUCTURE).at(4))?;
        if flags != 0 || reserved != 0 {
            return Err(FormatError::new(ErrorKind::UnsupportedVersion, STRUCTURE).at(5));
        }
        Ok(Self {
            body_bytes,
            frame_type,
            checksum,
        })
    }

    /// Bytes of the whole frame.
    #[must_use]
    pub fn frame_bytes(&self) -> usize {
        usize::try_from(self.body_bytes)
            .unwrap_or(usize::MAX)
            .saturating_add(FRAME_HEADER_BYTES)
    }

    /// Whether the checksum matches a body.
    #[must_use]
    pub fn matches(&self, body: &[u8]) -> bool {
        let cover = checksum_cover(self.body_bytes, self.frame_type);
        usize::try_from(self.body_bytes).is_ok_and(|length| length == body.len())
            && crc32c::crc32c_append(crc32c::crc32c(&cover), body) == self.checksum
    }
}

impl Frame {
    /// Type of the frame.
    #[must_use]
    pub const fn frame_type(&self) -> FrameType {
        match self {
            Self::SegmentHeader(_) => FrameType::SegmentHeader,
            Self::ContentChunk(_) => FrameType::ContentChunk,
            Self::RecordVersion(_) => FrameType::RecordVersion,
            Self::TreePage(_) => FrameType::TreePage,
            Self::ArchiveTimeStamp(_) => FrameType::ArchiveTimeStamp,
            Self::Event(_) => FrameType::Event,
            Self::CommitMark(_) => FrameType::CommitMark,
            Self::SegmentIndex(_) => FrameType::SegmentIndex,
            Self::SegmentSeal(_) => FrameType::SegmentSeal,
            Self::LeafPage(_) => FrameType::LeafPage,
            Self::FurtherDigests(_) => FrameType::FurtherDigests,
            Self::ValidationMaterial(_) => FrameType::ValidationMaterial,
            Self::Signature(_) => FrameType::Signature,
            Self::Receipt(_) => FrameType::Receipt,
            Self::CompactionMap(_) => FrameType::CompactionMap,
        }
    }

    /// Makes the bytes of the frame.
    ///
    /// # Errors
    /// [`ErrorKind::NotEncodable`] when a value exceeds what the format can hold.
    pub fn encode(self) -> Result<EncodedFrame> {
        match self {
            Self::SegmentHeader(body) => body.encode(),
            Self::ContentChunk(body) => body.encode(),
            Self::RecordVersion(body) => body.encode(),
            Self::TreePage(body) => body.encode(),
            Self::ArchiveTimeStamp(body) => body.encode(),
            Self::Event(body) => body.encode(),
            Self::CommitMark(body) => body.encode(),
            Self::SegmentIndex(body) => body.encode(),
            Self::SegmentSeal(body) => body.encode(),
            Self::LeafPage(body) => body.encode(),
            Self::FurtherDigests(body) => body.encode(),
            Self::ValidationMaterial(body) => body.encode(),
            Self::Signature(body) => body.encode(),
            Self::Receipt(body) => body.encode(),
            Self::CompactionMap(body) => body.encode(),
        }
    }

    /// Reads one whole frame: header, checksum and body.
    ///
    /// # Errors
    /// [`ErrorKind::ChecksumMismatch`] when the bytes are damaged; [`ErrorKind::Truncated`] or [`ErrorKind::TrailingBytes`]
    /// when the length is not that of the frame; any error of the header or body.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let header = FrameHeader::parse(bytes)?;
        let Some((_, body)) = bytes.split_at_checked(FRAME_HEADER_BYTES) else {
            return Err(FormatError::new(ErrorKind::Truncated, STRUCTURE));
        };
        let length = header.frame_bytes().saturating_sub(FRAME_HEADER_BYTES);
        if body.len() < length {
            return Err(FormatError::new(ErrorKind::Truncated, STRUCTURE).at(bytes.len()));
        }
        if body.len() > length {
            return Err(FormatError::new(ErrorKind::TrailingBytes, STRUCTURE).at(length));
        }
        if !header.matches(body) {
            return Err(FormatError::new(ErrorKind::ChecksumMismatch, STRUCTURE));
        }
        Self::parse_body(header.frame_type, body)
    }

    /// Reads a body whose checksum was found right.
    ///
    /// # Errors
    /// Any error of the body.
    pub fn parse_body(frame_type: FrameType, body: &[u8]) -> Result<Self> {
        Ok(match frame_type {
            FrameType::SegmentHeader => Self::SegmentHeader(SegmentHeader::parse(body)?),
            FrameType::ContentChunk => Self::ContentChunk(ContentChunk::parse(body)?),
            FrameType::RecordVersion => Self::RecordVersion(RecordVersion::parse(body)?),
            FrameType::TreePage => Self::TreePage(TreePage::parse(body)?),
            FrameType::ArchiveTimeStamp => Self::ArchiveTimeStamp(ArchiveTimeStamp::parse(body)?),
            FrameType::Event => Self::Event(Event::parse(body)?),
            FrameType::CommitMark => Self::CommitMark(CommitMark::parse(body)?),
            FrameType::SegmentIndex => Self::SegmentIndex(SegmentIndex::parse(body)?),
            FrameType::SegmentSeal => Self::SegmentSeal(SegmentSeal::parse(body)?),
            FrameType::LeafPage => Self::LeafPage(LeafPage::parse(body)?),
            FrameType::FurtherDigests => Self::FurtherDigests(FurtherDigests::parse(body)?),
            FrameType::ValidationMaterial => {
                Self::ValidationMaterial(ValidationMaterial::parse(body)?)
            }
            FrameType::Signature => Self::Signature(Signature::parse(body)?),
            FrameType::Receipt => Self::Receipt(Receipt::parse(body)?),
            FrameType::CompactionMap => Self::CompactionMap(CompactionMap::parse(body)?),
        })
    }
}

impl EncodedFrame {
    /// Type of the frame.
    #[must_use]
    pub const fn frame_type(&self) -> FrameType {
        self.frame_type
    }

    /// Bytes of the whole frame.
    #[must_use]
    pub const fn frame_bytes(&self) -> usize {
        self.head.len().saturating_add(self.payload.len())
    }

    /// The two parts, to be written one after the other. The second may be empty.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Vec<u8>) {
        (self.head, self.payload)
    }

    /// The frame in one piece.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.head;
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// A writer that leaves room for the header.
    pub(super) fn writer(capacity: usize) -> Writer {
        let mut writer = Writer::with_capacity(capacity.saturating_add(FRAME_HEADER_BYTES));
        writer.raw(&[0; FRAME_HEADER_BYTES]);
        writer
    }

    /// Fills in the header before the fields that `writer` of [`EncodedFrame::writer`] took.
    pub(super) fn new(frame_type: FrameType, writer: Writer, payload: Vec<u8>) -> Result<Self> {
        let not_encodable = FormatError::new(ErrorKind::NotEncodable, STRUCTURE);
        let mut head = writer.finish();
        let length = head
            .len()
            .saturating_add(payload.len())
            .saturating_sub(FRAME_HEADER_BYTES);
        if length == 0 || length > FRAME_BODY_BYTES_MAX {
            return Err(not_encodable);
        }
        let length = u32::try_from(length).map_err(|_| not_encodable)?;
        let cover = checksum_cover(length, frame_type);
        let Some((header, fields)) = head.split_first_chunk_mut::<FRAME_HEADER_BYTES>() else {
            return Err(not_encodable);
        };
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&cover), fields);
        let checksum = crc32c::crc32c_append(checksum, &payload);
        let bytes = cover.into_iter().chain(checksum.to_be_bytes());
        for (place, byte) in header.iter_mut().zip(bytes) {
            *place = byte;
        }
        Ok(Self {
            frame_type,
            head,
            payload,
        })
    }
}

const fn checksum_cover(body_bytes: u32, frame_type: FrameType) -> [u8; 8] {
    let [a, b, c, d] = body_bytes.to_be_bytes();
    [a, b, c, d, frame_type.code(), 0, 0, 0]
}

const STRUCTURE: &str = "Frame";
