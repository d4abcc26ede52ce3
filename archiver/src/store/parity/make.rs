//! Making the parity of a segment.

use std::sync::Arc;

use formats::id::ArchiveId;
use formats::segment::{Frame, ParityControl, ParityShape, SegmentSeal};
use reed_solomon_simd::ReedSolomonEncoder;
use sha2::{Digest, Sha256};

use super::{BLOCK_BYTES, ParityFile, ParityStrength, coding_failed, coefficients, strip_bytes};
use crate::store::StoreError;
use crate::store::heal::Replacement;
use crate::store::replica::Replica;
use crate::store::segment_file::SegmentFile;
use crate::store::walk::{Copy, Gate};

/// Makes the parity of a sealed segment that is whole, in place of one that there is. Answers the bytes of the file.
///
/// # Errors
/// [`StoreError::NotWhole`] when the segment is not whole, or what was written is not read back; errors of the medium.
pub(in crate::store) fn make(
    replica: &Replica,
    archive: ArchiveId,
    segment: u32,
    strength: ParityStrength,
    gate: Option<&Gate>,
) -> Result<u64, StoreError> {
    let path = replica.path(segment);
    let not_whole = || StoreError::NotWhole { path: path.clone() };
    let failed = |error| replica.error("reading", &path, error);
    let file = replica.open(segment)?.ok_or_else(not_whole)?;
    let file = Arc::new(SegmentFile::new(file).map_err(failed)?);
    let mut copy = Copy::from_medium(Arc::clone(&file), gate.cloned()).map_err(failed)?;
    let length = copy.length();
    let (data, parity) = (usize::from(strength.data), usize::from(strength.parity));
    let rows = length.div_ceil((data * BLOCK_BYTES) as u64);
    let shard_bytes = rows * BLOCK_BYTES as u64;
    let (digest, mut checksums) = read_whole(&mut copy, shard_bytes * data as u64)
        .map_err(failed)?
        .ok_or_else(not_whole)?;
    let shape = ParityShape {
        archive,
        segment,
        data_shards: strength.data,
        parity_shards: strength.parity,
        block_bytes: BLOCK_BYTES as u32,
        segment_bytes: length,
        shard_bytes,
        digest,
    };
    checksums.resize(checksums.len() + parity * rows as usize, 0);
    let mut control = ParityControl {
        shape,
        coefficients: coefficients(strength).ok_or_else(|| coding_failed(replica, &path))?,
        checksums,
    };
    let control_bytes = control.encode()?.len() as u64;
    let target = Replacement::begin(replica, super::path(replica, segment))?;
    let mut shards: Vec<Copy> = Vec::new();
    for _ in 0..data {
        // Each shard has a window of its own: it is read forwards.
        let shard = Copy::raw(Arc::clone(&file)).map_err(failed)?;
        shards.push(shard.with_window(BLOCK_BYTES));
    }
    let written = write_shards(&mut shards, &target, control_bytes, &mut control).and_then(|()| {
        let bytes = control.encode()?;
        target.write_at(&bytes, 0)?;
        target.write_at(&bytes, control_bytes + shard_bytes * parity as u64)
    });
    if let Err(error) = written {
        target.give_up();
        return Err(error);
    }
    target.finish_checked(|copy| {
        let file = ParityFile::of(copy, archive, segment);
        Ok(file.is_some_and(|mut file| file.control == control && file.is_whole()))
    })
}

/// Reads the segment once: its digest, and the checksum of each block, with zeros up to `room`. `None`: it does not match its seal.
type WholeRead = Option<([u8; 32], Vec<u32>)>;

fn read_whole(copy: &mut Copy, room: u64) -> std::io::Result<WholeRead> {
    let Some(seal) = copy.seal()? else {
        return Ok(None);
    };
    let (mut whole, mut before_seal) = (Sha256::new(), None);
    let mut checksums = Vec::new();
    let mut at = 0;
    while at < room {
        let mut block = copy.bytes(at, BLOCK_BYTES)?.to_vec();
        let split = seal.length.saturating_sub(at);
        if before_seal.is_none() && split <= block.len() as u64 {
            let head = block.get(..split as usize).unwrap_or_default();
            before_seal = Some(whole.clone().chain_update(head));
        }
        whole.update(&block);
        block.resize(BLOCK_BYTES, 0);
        checksums.push(crc32c::crc32c(&block));
        at += BLOCK_BYTES as u64;
    }
    let is_right = before_seal.is_some_and(|digest| {
        let digest: [u8; 32] = digest.finalize().into();
        digest == seal.digest && ends_with_seal(copy, &seal)
    });
    Ok(is_right.then(|| (whole.finalize().into(), checksums)))
}

fn ends_with_seal(copy: &mut Copy, seal: &SegmentSeal) -> bool {
    let bytes = copy.bytes(seal.length, SegmentSeal::FRAME_BYTES);
    let is_seal = bytes.is_ok_and(|bytes| matches!(Frame::parse(bytes), Ok(Frame::SegmentSeal(_))));
    is_seal && seal.length + SegmentSeal::FRAME_BYTES as u64 == copy.length()
}

/// Codes strip after strip.
fn write_shards(
    shards: &mut [Copy],
    target: &Replacement<'_>,
    start: u64,
    control: &mut ParityControl,
) -> Result<(), StoreError> {
    let shape = control.shape;
    let (data, parity) = (shards.len(), usize::from(shape.parity_shards));
    let strip = strip_bytes(data + parity) as u64;
    let mut at = 0;
    while at < shape.shard_bytes {
        let count = strip.min(shape.shard_bytes - at) as usize;
        let coding = |_| coding_failed(target.replica(), target.path());
        let mut encoder = ReedSolomonEncoder::new(data, parity, count).map_err(coding)?;
        for (number, shard) in shards.iter_mut().enumerate() {
            let offset = number as u64 * shape.shard_bytes + at;
            let bytes = shard.bytes(offset, count);
            let bytes =
                bytes.map_err(|error| target.replica().error("reading", target.path(), error))?;
            let mut bytes = bytes.to_vec();
            bytes.resize(count, 0);
            encoder.add_original_shard(&bytes).map_err(coding)?;
        }
        let encoded = encoder.encode().map_err(coding)?;
        for (number, recovery) in encoded.recovery_iter().enumerate() {
            target.write_at(recovery, start + number as u64 * shape.shard_bytes + at)?;
            let first = (data + number) as u64 * shape.rows() + at / BLOCK_BYTES as u64;
            for (row, block) in recovery.chunks(BLOCK_BYTES).enumerate() {
                if let Some(checksum) = control.checksums.get_mut(first as usize + row) {
                    *checksum = crc32c::crc32c(block);
                }
            }
        }
        at += count as u64;
    }
    Ok(())
}
