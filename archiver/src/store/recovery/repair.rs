//! Making the replicas equal.

use std::sync::Arc;

use super::sure_walk::SureWalk;
use super::whole_read::Repair;
use super::{PIECE_BYTES, RecoveryReport, Repaired};
use crate::store::StoreError;
use crate::store::admission::require_no_other_commit;
use crate::store::heal::copy_segment;
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
            let bytes = copy_range(walk, &file, repair, end)?;
            if let Some(from) = replicas.get(repair.from) {
                report.note_repaired(from, replica, bytes);
            }
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

/// Completes the last but one segment: it was sealed on every replica before the last one was begun, unless a replica lost it since.
///
/// A copy is replaced as a whole, and only by one that matches its seal. Where none does, or a copy cannot be read, it stays as it is
/// for a scrub, which has more to heal it from. A copy that holds another commit than the sealed ones was written elsewhere: then no
/// copy is touched.
pub(super) fn finish_seal(
    replicas: &[Arc<Replica>],
    segment: u32,
    report: &mut RecoveryReport,
) -> Result<(), StoreError> {
    let mut sealed = Vec::new();
    let mut unsealed = Vec::new();
    for replica in replicas {
        let read = match replica.open(segment)? {
            Some(file) => Copy::new(file).and_then(|mut copy| copy.seal()),
            None => Ok(None),
        };
        match read {
            Ok(Some(_)) => sealed.push(Arc::clone(replica)),
            Ok(None) => unsealed.push(replica),
            Err(_) => report.note_incomplete(replica, segment),
        }
    }
    if sealed.is_empty() {
        return Ok(());
    }
    let mut lacking = Vec::new();
    for to in unsealed {
        match require_no_other_commit(&sealed, to, segment) {
            Ok(()) => lacking.push(to),
            // What cannot be read may be such a commit.
            Err(StoreError::Io { .. }) => report.note_incomplete(to, segment),
            Err(error) => return Err(error),
        }
    }
    for to in lacking {
        match copy_from_any(&sealed, to, segment)? {
            Some((from, bytes)) => report.note_repaired(&from, to, bytes),
            None => report.note_incomplete(to, segment),
        }
    }
    Ok(())
}

impl RecoveryReport {
    fn note_repaired(&mut self, from: &Replica, to: &Replica, bytes: u64) {
        self.bytes_repaired += bytes;
        let of = |one: &&mut Repaired| one.directory == to.directory && one.from == from.directory;
        if let Some(known) = self.repaired.iter_mut().find(of) {
            known.bytes += bytes;
        } else if bytes > 0 {
            self.repaired.push(Repaired {
                directory: to.directory.clone(),
                from: from.directory.clone(),
                bytes,
            });
        }
    }
}

/// Copies the segment from the first replica that has it whole, and says which that is. `None`: none has.
///
/// # Errors
/// Those of the medium that is written to.
fn copy_from_any(
    sources: &[Arc<Replica>],
    to: &Replica,
    segment: u32,
) -> Result<Option<(Arc<Replica>, u64)>, StoreError> {
    for from in sources {
        match copy_segment(from, to, segment, None, &mut |_| ()) {
            Ok(bytes) => return Ok(Some((Arc::clone(from), bytes))),
            Err(StoreError::NotWhole { path } | StoreError::Io { path, .. })
                if path.starts_with(&from.directory) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
