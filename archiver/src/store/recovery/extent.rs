//! Which segment is the last one. What is merely named like a segment does not decide that: others would count as old copies beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use formats::id::ArchiveId;
use formats::segment::{Frame, SegmentHeader};

use crate::store::StoreError;
use crate::store::replica::Replica;
use crate::store::walk::Copy;

/// The last segment: the last one whose header some copy has, or the one behind it, which may have been begun without one. Makes the
/// directories of segments where they are missing.
///
/// # Errors
/// [`StoreError::StraySegment`] for an empty file behind it, [`StoreError::SegmentDamaged`] for one that may hold something; errors of
/// reading.
pub(in crate::store) fn newest_segment(
    replicas: &[Arc<Replica>],
    archive: ArchiveId,
) -> Result<Option<u32>, StoreError> {
    let mut present: BTreeMap<u32, Vec<(&Arc<Replica>, u64)>> = BTreeMap::new();
    for replica in replicas {
        replica.prepare()?;
        for (segment, bytes) in replica.segments()? {
            present.entry(segment).or_default().push((replica, bytes));
        }
    }
    let mut last = 0;
    let mut strays = Vec::new();
    for (segment, copies) in present.into_iter().rev() {
        if is_own(&copies, archive, segment)? {
            last = segment;
            break;
        }
        strays.push((segment, copies));
    }
    let begun = strays.pop_if(|(segment, _)| *segment == last + 1);
    let strays = || {
        strays
            .iter()
            .flat_map(|(segment, copies)| copies.iter().map(move |copy| (*segment, copy)))
    };
    let may_hold_something =
        |(_, (_, bytes)): &(u32, &(_, u64))| *bytes > SegmentHeader::FRAME_BYTES as u64;
    if let Some((segment, _)) = strays().find(may_hold_something) {
        return Err(StoreError::SegmentDamaged { segment });
    }
    if let Some((segment, (replica, _))) = strays().next() {
        let path = replica.path(segment);
        return Err(StoreError::StraySegment { path });
    }
    let newest = begun.map_or(last, |(segment, _)| segment);
    Ok((newest > 0).then_some(newest))
}

/// Whether a copy has the header of this segment of this archive.
fn is_own(
    copies: &[(&Arc<Replica>, u64)],
    archive: ArchiveId,
    segment: u32,
) -> Result<bool, StoreError> {
    let mut unread = None;
    for (replica, _) in copies {
        let path = replica.path(segment);
        let Some(file) = replica.open(segment)? else {
            continue;
        };
        let header = Copy::new(file).and_then(|mut copy| {
            let bytes = copy.bytes(0, SegmentHeader::FRAME_BYTES)?;
            Ok(Frame::parse(bytes))
        });
        match header {
            Ok(Ok(Frame::SegmentHeader(header)))
                if header.archive == archive && header.segment == segment =>
            {
                return Ok(true);
            }
            Ok(_) => {}
            Err(error) => unread = unread.or(Some(replica.error("reading", &path, error))),
        }
    }
    unread.map_or(Ok(false), Err)
}
