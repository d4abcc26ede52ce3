//! Making the replicas equal.

use std::io::Read;
use std::sync::Arc;

use super::sure_walk::SureWalk;
use super::whole_read::Repair;
use super::{PIECE_BYTES, RecoveryReport};
use crate::store::StoreError;
use crate::store::replica::{GrowingSegment, Replica};
use crate::store::walk::Copy;

/// Cuts all copies to `end` and copies what differs. Everything is synchronised when this returns.
pub(super) fn make_equal(
    replicas: &[Arc<Replica>],
    walk: &mut SureWalk<'_>,
    segment: u32,
    end: u64,
    repairs: &[Repair],
    report: &mut RecoveryReport,
) -> Result<Vec<GrowingSegment>, StoreError> {
    let mut growing = Vec::new();
    for (number, replica) in replicas.iter().enumerate() {
        let copy = walk.copies().get(number).and_then(Option::as_ref);
        let length = copy.map(Copy::file_length);
        let file = replica.grow(segment, length.is_none())?;
        if length.is_some_and(|length| length > end) {
            file.cut(end)?;
        }
        for repair in repairs.iter().filter(|repair| repair.to == number) {
            report.bytes_repaired += copy_range(walk, &file, repair, end)?;
        }
        // After a kill the page cache may hold more than the medium: what is kept must be on the medium before it is relied on.
        file.sync()?;
        growing.push(file);
    }
    Ok(growing)
}

fn copy_range(
    walk: &mut SureWalk<'_>,
    file: &GrowingSegment,
    repair: &Repair,
    end: u64,
) -> Result<u64, StoreError> {
    let last = (repair.offset + repair.bytes).min(end);
    let mut at = repair.offset;
    while at < last {
        let count = usize::try_from(last - at)
            .unwrap_or(usize::MAX)
            .min(PIECE_BYTES);
        let bytes = walk.bytes(repair.from, at, count)?.to_vec();
        if bytes.is_empty() {
            break;
        }
        let written = bytes.len() as u64;
        file.write(&[bytes], at)?;
        at += written;
    }
    Ok(at.saturating_sub(repair.offset))
}

/// Completes a sealed segment on the replicas that have less of it.
pub(super) fn make_sealed(
    replicas: &[Arc<Replica>],
    walk: &mut SureWalk<'_>,
    segment: u32,
    end: u64,
    repairs: &[Repair],
    report: &mut RecoveryReport,
) -> Result<(), StoreError> {
    let whole = walk
        .copies()
        .iter()
        .all(|copy| copy.as_ref().is_some_and(|copy| copy.file_length() == end));
    if whole && repairs.is_empty() {
        return replicas.iter().try_for_each(|replica| {
            // The seal may still be in the page cache only.
            replica.settle(segment)
        });
    }
    for file in make_equal(replicas, walk, segment, end, repairs, report)? {
        file.protect()?;
    }
    Ok(())
}

/// Copies a sealed segment to a replica that has none, or only a part.
pub(super) fn copy_segment(
    from: &Replica,
    to: &Arc<Replica>,
    segment: u32,
) -> Result<u64, StoreError> {
    let path = from.path(segment);
    let Some(mut source) = from.open(segment)? else {
        return Ok(0);
    };
    let target = to.grow(segment, to.open(segment)?.is_none())?;
    let mut offset = 0;
    loop {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        (&mut source)
            .take(PIECE_BYTES as u64)
            .read_to_end(&mut piece)
            .map_err(|error| from.error("reading", &path, error))?;
        if piece.is_empty() {
            break;
        }
        let read = piece.len() as u64;
        target.write(&[piece], offset)?;
        offset += read;
    }
    target.cut(offset)?;
    target.protect()?;
    Ok(offset)
}
