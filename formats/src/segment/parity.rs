//! The parity file of a sealed segment: what it takes to make lost blocks of the segment anew.

use super::codec::{Reader, Writer};
use crate::error::{ErrorKind, FormatError, Result};
use crate::id::ArchiveId;

/// The shape of a parity file: which segment it is for, and how the segment was cut.
///
/// ```text
/// head = "FUMIPARI" | format version u16 (1) | data shards k u16 | parity shards m u16 | block bytes u32 | archive id 16 |
///        segment u32 | segment length u64 | shard length u64 | SHA-256 of the segment's file 32
/// ```
///
/// Shard i is the bytes from i × shard length on, zeros behind the end of the segment; row r is block r of every shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParityShape {
    /// The archive.
    pub archive: ArchiveId,
    /// The segment.
    pub segment: u32,
    /// Data shards.
    pub data_shards: u16,
    /// Parity shards.
    pub parity_shards: u16,
    /// Bytes of a block, a multiple of 64.
    pub block_bytes: u32,
    /// Bytes of the segment's file.
    pub segment_bytes: u64,
    /// Bytes of a shard: a multiple of the block.
    pub shard_bytes: u64,
    /// SHA-256 over the segment's file.
    pub digest: [u8; 32],
}

/// The control part, which stands twice in a parity file: its shape, the coefficients of the code, and the checksum of each block.
///
/// ```text
/// control = length of what follows u32 | head | coefficients | checksums | CRC32C over all before
/// coefficients = for each parity shard, for each data shard: 16 × u16
/// checksums = for each data shard, then each parity shard, for each of its blocks: CRC32C u32
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParityControl {
    /// The shape.
    pub shape: ParityShape,
    /// For each parity shard, for each data shard, the 16 words of [`ParityShape`]'s code: what each bit of a data word adds to the parity word.
    pub coefficients: Vec<[u16; 16]>,
    /// CRC32C of each block: those of the data shards one after the other, then those of the parity shards.
    pub checksums: Vec<u32>,
}

/// Most data shards.
pub const PARITY_DATA_SHARDS_MAX: u16 = 64;

/// Most parity shards.
pub const PARITY_SHARDS_MAX: u16 = 32;

/// Most bytes of a control part: a segment of 4 GiB in blocks of 4096 bytes with as much parity as data needs 8 MiB.
pub const PARITY_CONTROL_BYTES_MAX: usize = 16 * 1024 * 1024;

impl ParityShape {
    /// Blocks of a shard.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.shard_bytes
            .checked_div(u64::from(self.block_bytes))
            .unwrap_or(0)
    }

    /// Data and parity shards.
    #[must_use]
    pub fn shards(&self) -> u16 {
        self.data_shards.saturating_add(self.parity_shards)
    }

    /// Whether the numbers fit each other and the limits.
    fn is_sound(&self) -> bool {
        let (k, block) = (u64::from(self.data_shards), u64::from(self.block_bytes));
        let sound = (1..=PARITY_DATA_SHARDS_MAX).contains(&self.data_shards)
            && (1..=PARITY_SHARDS_MAX).contains(&self.parity_shards)
            && block > 0
            && block <= BLOCK_BYTES_MAX
            && block.checked_rem(64) == Some(0)
            && self.shard_bytes.checked_rem(block) == Some(0);
        let room = self.shard_bytes.checked_mul(k);
        sound && room.is_some_and(|room| room >= self.segment_bytes && self.segment_bytes > 0)
    }

    fn checksums(&self) -> Option<usize> {
        let count = self.rows().checked_mul(u64::from(self.shards()))?;
        usize::try_from(count).ok()
    }
}

impl ParityControl {
    /// The bytes in the file.
    ///
    /// # Errors
    /// [`ErrorKind::NotEncodable`] when the numbers do not fit each other.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let shape = &self.shape;
        let bad = FormatError::new(ErrorKind::NotEncodable, STRUCTURE);
        let pairs = usize::from(shape.data_shards).saturating_mul(shape.parity_shards.into());
        let fits = shape.is_sound()
            && self.coefficients.len() == pairs
            && Some(self.checksums.len()) == shape.checksums();
        if !fits {
            return Err(bad);
        }
        let mut writer = Writer::default();
        writer.raw(&MAGIC);
        writer.u16(1);
        writer.u16(shape.data_shards);
        writer.u16(shape.parity_shards);
        writer.u32(shape.block_bytes);
        writer.raw(shape.archive.as_bytes());
        writer.u32(shape.segment);
        writer.u64(shape.segment_bytes);
        writer.u64(shape.shard_bytes);
        writer.raw(&shape.digest);
        for word in self.coefficients.iter().flatten() {
            writer.u16(*word);
        }
        for checksum in &self.checksums {
            writer.u32(*checksum);
        }
        let body = writer.finish();
        let length = body.len().saturating_add(4);
        if length > PARITY_CONTROL_BYTES_MAX {
            return Err(bad);
        }
        let mut writer = Writer::with_capacity(length.saturating_add(4));
        writer.u32(u32::try_from(length).map_err(|_| bad)?);
        writer.raw(&body);
        let all = writer.finish();
        let checksum = crc32c::crc32c(&all);
        let mut writer = Writer::after(all);
        writer.u32(checksum);
        Ok(writer.finish())
    }

    /// How many bytes a control part has whose first four bytes these are; `None` when it cannot be one.
    #[must_use]
    pub fn length_of(start: [u8; 4]) -> Option<usize> {
        let length = usize::try_from(u32::from_be_bytes(start)).ok()?;
        (length <= PARITY_CONTROL_BYTES_MAX).then(|| length.saturating_add(4))
    }

    /// Reads a whole control part.
    ///
    /// # Errors
    /// [`ErrorKind::ChecksumMismatch`] when it is damaged; [`ErrorKind::UnsupportedVersion`], [`ErrorKind::InvalidValue`],
    /// [`ErrorKind::Truncated`], [`ErrorKind::TrailingBytes`] when it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let error = |kind| FormatError::new(kind, STRUCTURE);
        let (all, checksum) = bytes
            .split_last_chunk::<4>()
            .ok_or(error(ErrorKind::Truncated))?;
        if crc32c::crc32c(all) != u32::from_be_bytes(*checksum) {
            return Err(error(ErrorKind::ChecksumMismatch));
        }
        let mut reader = Reader::new(STRUCTURE, all);
        let length = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
        if length.saturating_add(4) != bytes.len() {
            return Err(error(ErrorKind::InvalidValue));
        }
        if reader.array()? != MAGIC || reader.u16()? != 1 {
            return Err(error(ErrorKind::UnsupportedVersion));
        }
        let shape = ParityShape {
            data_shards: reader.u16()?,
            parity_shards: reader.u16()?,
            block_bytes: reader.u32()?,
            archive: ArchiveId::from_bytes(reader.array()?),
            segment: reader.u32()?,
            segment_bytes: reader.u64()?,
            shard_bytes: reader.u64()?,
            digest: reader.array()?,
        };
        let count = shape.checksums().filter(|_| shape.is_sound());
        let count = count.ok_or(error(ErrorKind::InvalidValue))?;
        let mut coefficients = Vec::new();
        for _ in 0..u32::from(shape.data_shards).saturating_mul(shape.parity_shards.into()) {
            let mut words = [0; 16];
            for word in &mut words {
                *word = reader.u16()?;
            }
            coefficients.push(words);
        }
        let mut checksums = Vec::with_capacity(count.min(bytes.len()));
        for _ in 0..count {
            checksums.push(reader.u32()?);
        }
        reader.finish()?;
        Ok(Self {
            shape,
            coefficients,
            checksums,
        })
    }
}

/// The first bytes of a control part, behind its length.
const MAGIC: [u8; 8] = *b"FUMIPARI";

/// Most bytes of a block.
const BLOCK_BYTES_MAX: u64 = 1024 * 1024;

const STRUCTURE: &str = "ParityControl";

#[cfg(test)]
mod tests {
    use super::*;

    fn control() -> ParityControl {
        ParityControl {
            shape: ParityShape {
                archive: ArchiveId::from_bytes([7; 16]),
                segment: 3,
                data_shards: 2,
                parity_shards: 1,
                block_bytes: 64,
                segment_bytes: 200,
                shard_bytes: 128,
                digest: [9; 32],
            },
            coefficients: vec![[1; 16], [2; 16]],
            checksums: vec![1, 2, 3, 4, 5, 6],
        }
    }

    #[test]
    fn what_is_written_is_read_and_each_damage_is_seen() {
        let bytes = control().encode().unwrap();
        assert_eq!(ParityControl::parse(&bytes), Ok(control()));
        let start = *bytes.first_chunk().unwrap();
        assert_eq!(ParityControl::length_of(start), Some(bytes.len()));
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0x10;
            assert!(ParityControl::parse(&damaged).is_err(), "{place}");
            assert!(ParityControl::parse(&bytes[..place]).is_err(), "{place}");
        }
        assert_eq!(ParityControl::length_of([0xff; 4]), None);
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        type Change = fn(&mut ParityControl);
        let changes: [Change; 8] = [
            |control| control.shape.data_shards = 0,
            |control| control.shape.parity_shards = 33,
            |control| control.shape.block_bytes = 63,
            |control| control.shape.block_bytes = 0,
            |control| control.shape.shard_bytes = 64,
            |control| control.shape.segment_bytes = 0,
            |control| {
                control.checksums.pop();
            },
            |control| control.coefficients.push([0; 16]),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut bad = control();
            change(&mut bad);
            assert!(bad.encode().is_err(), "{number}");
        }
    }
}
