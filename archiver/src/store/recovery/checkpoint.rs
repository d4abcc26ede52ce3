//! How far the growing segment was read: so that opening reads only what was written since the store was closed in order.
//!
//! It holds nothing that the segment does not tell. When it is absent, damaged, or does not fit the segment, the segment is read
//! from its start.

use formats::error::{ErrorKind, Result as FormatResult};
use formats::id::ArchiveId;
use formats::segment::{
    CommitMark, Frame, FrameAddress, FrameHeader, Reader, SegmentIndex, Writer,
};
use sha2::Sha256;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};

use super::whole_read::Found;
use crate::store::StoreError;
use crate::store::replica::Replica;
use crate::store::walk::Copy;

/// The state of a growing segment behind a commit mark.
#[derive(Debug)]
pub(in crate::store) struct Checkpoint {
    archive: ArchiveId,
    segment: u32,
    found: Found,
    /// The mark, byte for byte. A power loss may have taken it, and recovery then wrote another one in its place: the digest is not of that one.
    mark: Vec<u8>,
}

impl Checkpoint {
    pub(in crate::store) const fn new(
        archive: ArchiveId,
        end: FrameAddress,
        digest: Sha256,
        index: SegmentIndex,
        mark: Vec<u8>,
    ) -> Self {
        Self {
            archive,
            segment: end.segment,
            found: Found {
                end: end.offset,
                digest,
                index,
            },
            mark,
        }
    }

    /// Writes it beside the segments of a replica.
    pub(in crate::store) fn write(self, replica: &Replica) -> Result<(), StoreError> {
        let mut writer = Writer::default();
        writer.u16(CHECKPOINT_FORMAT);
        writer.raw(self.archive.as_bytes());
        writer.u32(self.segment);
        writer.u64(self.found.end);
        writer.sized(&self.mark);
        writer.sized(&self.found.digest.serialize());
        writer.raw(&Frame::SegmentIndex(self.found.index).encode()?.into_bytes());
        let mut bytes = writer.finish();
        bytes.extend(crc32c::crc32c(&bytes).to_be_bytes());
        replica.put_checkpoint(&bytes)
    }

    /// Where to begin to read the segment, and who wrote the mark there. `None`: at its start; so also where a copy cannot be read there.
    pub(super) fn read(
        replica: &Replica,
        archive: ArchiveId,
        segment: u32,
        copies: &mut [Option<Copy>],
    ) -> Option<(Found, [u8; 16])> {
        let checkpoint = Self::parse(&replica.checkpoint()?).ok()?;
        if checkpoint.archive != archive || checkpoint.segment != segment {
            return None;
        }
        let bytes = CommitMark::FRAME_BYTES;
        let offset = checkpoint.found.end.checked_sub(bytes as u64)?;
        let mut boot = None;
        for copy in copies {
            let mark = copy.as_mut()?.bytes(offset, bytes).ok()?;
            if mark != checkpoint.mark {
                return None;
            }
            let frame = Frame::parse(mark).ok()?;
            let Frame::CommitMark(mark) = frame else {
                return None;
            };
            if mark.address != FrameAddress::new(segment, offset) {
                return None;
            }
            boot = Some(mark.boot);
        }
        Some((checkpoint.found, boot?))
    }

    fn parse(bytes: &[u8]) -> FormatResult<Self> {
        let mut reader = Reader::new("checkpoint", bytes);
        let mismatch = reader.error(ErrorKind::ChecksumMismatch);
        let (body, checksum) = bytes.split_last_chunk::<4>().ok_or(mismatch)?;
        if crc32c::crc32c(body) != u32::from_be_bytes(*checksum) {
            return Err(mismatch);
        }
        if reader.u16()? != CHECKPOINT_FORMAT {
            return Err(reader.error(ErrorKind::UnsupportedVersion));
        }
        let archive = ArchiveId::from_bytes(reader.array()?);
        let segment = reader.u32()?;
        let end = reader.u64()?;
        let mark = reader.sized(CommitMark::FRAME_BYTES)?.to_vec();
        let state = SerializedState::<Sha256>::try_from(reader.sized(1024)?)
            .map_err(|_| reader.error(ErrorKind::InvalidValue))?;
        let digest =
            Sha256::deserialize(&state).map_err(|_| reader.error(ErrorKind::InvalidValue))?;
        let frame = reader.remainder();
        let length = FrameHeader::parse(frame)?.frame_bytes();
        let frame = frame
            .get(..length)
            .ok_or_else(|| reader.error(ErrorKind::Truncated))?;
        let Frame::SegmentIndex(index) = Frame::parse(frame)? else {
            return Err(reader.error(ErrorKind::WrongType));
        };
        Ok(Self {
            archive,
            segment,
            found: Found { end, digest, index },
            mark,
        })
    }
}

/// Version of this file's format. Another one is not read.
const CHECKPOINT_FORMAT: u16 = 2;
