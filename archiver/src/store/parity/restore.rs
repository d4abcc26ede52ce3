//! Making lost blocks anew.

use std::sync::Arc;

use formats::id::ArchiveId;
use formats::segment::ParityShape;
use reed_solomon_simd::ReedSolomonDecoder;

use super::{ParityFile, coding_failed, strip_bytes};
use crate::store::StoreError;
use crate::store::heal::Replacement;
use crate::store::replica::Replica;
use crate::store::segment_file::SegmentFile;
use crate::store::walk::{Copy, Gate};

/// Writes a segment anew on `target` from whatever the replicas hold of it and of its parity. Answers the bytes written; `None` when there is
/// no parity, or more is lost than it can give back: then nothing is changed.
///
/// # Errors
/// Errors of the medium.
pub(in crate::store) fn restore(
    replicas: &[&Replica],
    target: &Replica,
    archive: ArchiveId,
    segment: u32,
    gate: Option<&Gate>,
) -> Result<Option<u64>, StoreError> {
    let open = |replica: &&Replica| ParityFile::open(replica, archive, segment, gate.cloned());
    let mut parities: Vec<ParityFile> = replicas.iter().filter_map(open).collect();
    let Some(control) = parities.first().map(|first| first.control.clone()) else {
        return Ok(None);
    };
    parities.retain(|other| other.control == control);
    let shape = control.shape;
    let mut copies = Vec::new();
    for replica in replicas {
        let file = replica
            .open(segment)?
            .and_then(|file| SegmentFile::new(file).ok());
        let Some(file) = file.map(Arc::new) else {
            continue;
        };
        let shard = |_| Ok(Copy::raw(Arc::clone(&file))?.with_window(WINDOW_BYTES));
        let shards = (0..shape.data_shards).map(shard);
        let Ok(shards) = shards.collect::<std::io::Result<Vec<Copy>>>() else {
            continue;
        };
        let is_another =
            |copy: &Copy| copy.generation() > 0 && copy.length() != shape.segment_bytes;
        if shards.first().is_some_and(is_another) {
            // The segment was compacted after its parity was made: what that gives back was dropped on purpose.
            return Ok(None);
        }
        copies.push(shards);
    }
    let new = Replacement::begin(target, target.path(segment))?;
    let mut work = Restoring {
        shape,
        parities,
        copies,
    };
    match work.run(&new) {
        Ok(true) => {
            let digest = shape.digest;
            match new.finish(digest) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(StoreError::NotWhole { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        }
        Ok(false) => {
            new.give_up();
            Ok(None)
        }
        Err(error) => {
            new.give_up();
            Err(error)
        }
    }
}

/// Bytes read at once of each shard.
const WINDOW_BYTES: usize = 64 * 1024;

struct Restoring {
    shape: ParityShape,
    parities: Vec<ParityFile>,
    /// Of each replica, a reader for each shard.
    copies: Vec<Vec<Copy>>,
}

impl Restoring {
    /// Writes strip after strip. Answers whether everything could be given back.
    fn run(&mut self, target: &Replacement<'_>) -> Result<bool, StoreError> {
        let shape = self.shape;
        let strip = strip_bytes(shape.shards().into()) as u64;
        let mut at = 0;
        while at < shape.shard_bytes {
            let count = strip.min(shape.shard_bytes - at) as usize;
            let mut data: Vec<Vec<u8>> = Vec::new();
            for _ in 0..shape.data_shards {
                data.push(Vec::with_capacity(count));
            }
            for row in 0..count / shape.block_bytes as usize {
                let row = at / u64::from(shape.block_bytes) + row as u64;
                let Some(blocks) = self.row(row, target)? else {
                    return Ok(false);
                };
                for (shard, block) in data.iter_mut().zip(blocks) {
                    shard.extend_from_slice(&block);
                }
            }
            for (number, bytes) in data.iter().enumerate() {
                let offset = number as u64 * shape.shard_bytes + at;
                let left = shape.segment_bytes.saturating_sub(offset);
                let within = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                if let Some(bytes) = bytes.get(..within).filter(|bytes| !bytes.is_empty()) {
                    target.write_at(bytes, offset)?;
                }
            }
            at += count as u64;
        }
        Ok(true)
    }

    /// The data blocks of a row; `None` when too many are lost.
    fn row(
        &mut self,
        row: u64,
        target: &Replacement<'_>,
    ) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let mut blocks: Vec<Option<Vec<u8>>> = Vec::new();
        for shard in 0..self.shape.data_shards {
            blocks.push(self.data_block(shard, row));
        }
        if blocks.iter().any(Option::is_none) {
            let block_bytes = self.shape.block_bytes as usize;
            let (data, parity) = (blocks.len(), usize::from(self.shape.parity_shards));
            let coding = |_| coding_failed(target.replica(), target.path());
            let mut decoder = ReedSolomonDecoder::new(data, parity, block_bytes).map_err(coding)?;
            let mut known = 0;
            for (number, block) in blocks.iter().enumerate() {
                if let Some(block) = block {
                    decoder.add_original_shard(number, block).map_err(coding)?;
                    known += 1;
                }
            }
            for shard in 0..self.shape.parity_shards {
                if known < data
                    && let Some(block) = self.parity_block(shard, row)
                {
                    decoder
                        .add_recovery_shard(shard.into(), block)
                        .map_err(coding)?;
                    known += 1;
                }
            }
            if known < data {
                return Ok(None);
            }
            let decoded = decoder.decode().map_err(coding)?;
            for (number, restored) in decoded.restored_original_iter() {
                if let Some(block) = blocks.get_mut(number) {
                    *block = Some(restored.to_vec());
                }
            }
        }
        Ok(blocks.into_iter().collect())
    }

    /// A data block that matches its checksum, from whichever replica has one.
    fn data_block(&mut self, shard: u16, row: u64) -> Option<Vec<u8>> {
        let expected = self.parities.first()?.checksum(shard, row)?;
        let block = self.shape.block_bytes as usize;
        let offset = u64::from(shard) * self.shape.shard_bytes + row * block as u64;
        let inside = self.shape.segment_bytes.saturating_sub(offset);
        let inside = usize::try_from(inside).unwrap_or(usize::MAX).min(block);
        if inside == 0 {
            return Some(vec![0; block]);
        }
        for copy in &mut self.copies {
            let reader = copy.get_mut(usize::from(shard))?;
            let mut bytes = reader.bytes(offset, inside).unwrap_or_default().to_vec();
            bytes.resize(block, 0);
            if crc32c::crc32c(&bytes) == expected {
                return Some(bytes);
            }
        }
        None
    }

    fn parity_block(&mut self, shard: u16, row: u64) -> Option<Vec<u8>> {
        let block = self.shape.block_bytes as usize;
        let number = self.shape.data_shards + shard;
        for parity in &mut self.parities {
            let expected = parity.checksum(number, row);
            let bytes = parity.bytes(shard, row * block as u64, block);
            if bytes.len() == block && Some(crc32c::crc32c(bytes)) == expected {
                return Some(bytes.to_vec());
            }
        }
        None
    }
}
