//! Parity beside a sealed segment: flipped sectors, torn blocks and a lost end are made anew without another copy, up to its strength.
//!
//! The segment is cut in k shards of equal length, and each shard in blocks of 4096 bytes. Row r are the blocks r of all shards; over each row
//! stand m parity blocks. A row is whole again when at most m of its k + m blocks are lost. Which blocks are lost, their checksums say. So
//! scattered damages are healed as long as they do not hit one row more than m times, and one hole, or a lost end, of up to m shards less
//! a block.
//!
//! Made when a segment is sealed (at the latest when the archive is closed); the segment that grows has none. The code is Leopard-RS of the crate
//! `reed-solomon-simd`. A reader needs no such program: the file says in plain XOR what each parity word is made of (SPEC.md §2.2).

mod file;
mod make;
mod restore;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use formats::id::ArchiveId;
use formats::segment::ParityControl;
use reed_solomon_simd::ReedSolomonEncoder;

use super::StoreError;
use super::replica::Replica;

pub(super) use file::{ParityFile, ParityState};
pub(super) use make::make;
pub(super) use restore::restore;

/// How many shards a segment is cut in, and how many are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParityStrength {
    /// Data shards, from 1 to 64.
    pub data: u16,
    /// Parity shards, from 1 to 32.
    pub parity: u16,
}

/// The parity file of a segment.
pub(super) fn path(replica: &Replica, segment: u32) -> PathBuf {
    replica.path(segment).with_extension("par")
}

/// What each bit of a data word adds to a parity word: the code in plain XOR, for readers without this program.
pub(super) fn coefficients(strength: ParityStrength) -> Option<Vec<[u16; 16]>> {
    let (data, parity) = (usize::from(strength.data), usize::from(strength.parity));
    let mut found = vec![[0_u16; 16]; data * parity];
    for shard in 0..data {
        for bit in 0..16_usize {
            let mut encoder = ReedSolomonEncoder::new(data, parity, UNIT_BYTES).ok()?;
            for other in 0..data {
                let mut unit = [0_u8; UNIT_BYTES];
                if other == shard {
                    let place = if bit < 8 { 0 } else { UNIT_BYTES / 2 };
                    *unit.get_mut(place)? = 1 << (bit % 8);
                }
                encoder.add_original_shard(unit).ok()?;
            }
            let encoded = encoder.encode().ok()?;
            for (row, recovery) in encoded.recovery_iter().enumerate() {
                let (low, high) = (recovery.first()?, recovery.get(UNIT_BYTES / 2)?);
                let words = found.get_mut(row * data + shard)?;
                *words.get_mut(bit)? = u16::from_le_bytes([*low, *high]);
            }
        }
    }
    Some(found)
}

/// Whether a control part is for this segment.
fn is_for(control: &ParityControl, archive: ArchiveId, segment: u32) -> bool {
    (control.shape.archive, control.shape.segment) == (archive, segment)
}

/// Bytes of one shard that are worked on at once, so that all of them are at most 4 MiB.
fn strip_bytes(shards: usize) -> usize {
    let blocks = (STRIPS_BYTES / BLOCK_BYTES)
        .checked_div(shards)
        .unwrap_or(1);
    blocks.max(1) * BLOCK_BYTES
}

fn coding_failed(replica: &Replica, path: &std::path::Path) -> StoreError {
    replica.error("coding", path, std::io::ErrorKind::InvalidInput.into())
}

/// Bytes of a block: what a disk loses at once.
const BLOCK_BYTES: usize = 4096;

/// The code works on units of 64 bytes: 32 low bytes of words, then their 32 high bytes.
const UNIT_BYTES: usize = 64;

/// Bytes of all strips together.
const STRIPS_BYTES: usize = 4 * 1024 * 1024;
