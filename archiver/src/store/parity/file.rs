//! Reading a parity file.

use std::fs::File;
use std::io;
use std::sync::Arc;

use formats::id::ArchiveId;
use formats::segment::{ParityControl, ParityShape};

use super::is_for;
use crate::store::replica::Replica;
use crate::store::segment_file::SegmentFile;
use crate::store::walk::{Copy, Gate};

/// An open parity file with one of its control parts whole.
#[derive(Debug)]
pub(in crate::store) struct ParityFile {
    pub(super) control: ParityControl,
    copy: Copy,
    control_bytes: u64,
}

/// What was found of a parity file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum ParityState {
    /// There is none.
    Absent,
    /// It is whole, and of the segment that stands beside it.
    Whole,
    /// It is damaged, or of another file.
    Damaged,
}

impl ParityFile {
    /// Opens the parity of a segment; `None` when there is none, or both of its control parts are damaged.
    pub(in crate::store) fn open(
        replica: &Replica,
        archive: ArchiveId,
        segment: u32,
        gate: Option<Gate>,
    ) -> Option<Self> {
        let file = File::open(super::path(replica, segment)).ok()?;
        let file = Arc::new(SegmentFile::new(file).ok()?);
        Self::of(Copy::from_medium(file, gate).ok()?, archive, segment)
    }

    pub(super) fn of(mut copy: Copy, archive: ArchiveId, segment: u32) -> Option<Self> {
        let control = first(&mut copy).or_else(|| second(&mut copy))?;
        let control_bytes = control.encode().ok()?.len() as u64;
        is_for(&control, archive, segment).then_some(Self {
            control,
            copy,
            control_bytes,
        })
    }

    pub(super) const fn shape(&self) -> &ParityShape {
        &self.control.shape
    }

    /// Bytes of a parity shard from `offset` on; fewer where the file ends.
    pub(super) fn bytes(&mut self, shard: u16, offset: u64, count: usize) -> &[u8] {
        let start = self.control_bytes + u64::from(shard) * self.control.shape.shard_bytes;
        self.copy.bytes(start + offset, count).unwrap_or_default()
    }

    /// Checks both control parts and every parity block.
    pub(super) fn is_whole(&mut self) -> bool {
        let controls = (first(&mut self.copy), second(&mut self.copy));
        if controls != (Some(self.control.clone()), Some(self.control.clone())) {
            return false;
        }
        let shape = self.control.shape;
        let block = shape.block_bytes as usize;
        for shard in 0..shape.parity_shards {
            for row in 0..shape.rows() {
                let expected = self.checksum(shape.data_shards + shard, row);
                let bytes = self.bytes(shard, row * block as u64, block);
                if bytes.len() != block || Some(crc32c::crc32c(bytes)) != expected {
                    return false;
                }
            }
        }
        true
    }

    /// The checksum of a block; shards are numbered through data and parity.
    pub(super) fn checksum(&self, shard: u16, row: u64) -> Option<u32> {
        let place = u64::from(shard) * self.control.shape.rows() + row;
        let place = usize::try_from(place).ok()?;
        self.control.checksums.get(place).copied()
    }
}

impl ParityState {
    /// Looks at the parity of a segment whose file has this many bytes and this digest in its seal.
    pub(in crate::store) fn of(
        replica: &Replica,
        archive: ArchiveId,
        segment: u32,
        segment_bytes: u64,
        gate: Option<&Gate>,
    ) -> Self {
        if !super::path(replica, segment).exists() {
            return Self::Absent;
        }
        let file = ParityFile::open(replica, archive, segment, gate.cloned());
        let is_whole = file
            .is_some_and(|mut file| file.shape().segment_bytes == segment_bytes && file.is_whole());
        if is_whole { Self::Whole } else { Self::Damaged }
    }
}

/// The control part at the start.
fn first(copy: &mut Copy) -> Option<ParityControl> {
    let start = *copy.bytes(0, 4).ok()?.first_chunk::<4>()?;
    let length = ParityControl::length_of(start)?;
    ParityControl::parse(copy.bytes(0, length).ok()?).ok()
}

/// The control part at the end. Its length is not known where the one at the start is damaged: it is looked for.
fn second(copy: &mut Copy) -> Option<ParityControl> {
    let end = copy.length();
    let from = end.saturating_sub(formats::segment::PARITY_CONTROL_BYTES_MAX as u64);
    let count = usize::try_from(end - from).ok()?;
    let tail = read(copy, from, count).ok()?;
    let magic = b"FUMIPARI";
    let mut places = tail.windows(magic.len()).enumerate();
    let mut found = None;
    while let Some((place, _)) = places.find(|(_, bytes)| bytes == magic) {
        let control = place
            .checked_sub(4)
            .and_then(|start| tail.get(start..))
            .and_then(|bytes| ParityControl::parse(bytes).ok());
        found = control.or(found);
    }
    found
}

fn read(copy: &mut Copy, from: u64, count: usize) -> io::Result<Vec<u8>> {
    copy.bytes(from, count).map(<[u8]>::to_vec)
}
