//! Which copy of the growing segment is right where copies differ.

use std::sync::Arc;

use formats::segment::{CommitMark, SegmentHeader};

use super::copies;
use crate::store::replica::Replica;
use crate::store::walk::Copy;
use crate::store::{MediumProblem, MediumProblemKind, StoreError};

/// The replicas, the one with the latest commit mark first. Those that are equal keep their order.
pub(super) fn in_order(
    replicas: &[Arc<Replica>],
    segment: u32,
) -> Result<Vec<Arc<Replica>>, StoreError> {
    let mut found = Vec::new();
    let mut copies = copies(replicas, segment)?;
    for (replica, last) in replicas.iter().zip(last_marks(&mut copies, segment)) {
        found.push((last, Arc::clone(replica)));
    }
    found.sort_by(|(one, _), (other, _)| other.cmp(one));
    Ok(found.into_iter().map(|(_, replica)| replica).collect())
}

/// A copy whose last commit mark is another one than the first copy has there was committed apart from it. Nothing is changed then.
pub(super) fn require_one_history(
    replicas: &[Arc<Replica>],
    copies: &mut [Option<Copy>],
    segment: u32,
) -> Result<(), StoreError> {
    let lasts = last_marks(copies, segment);
    let mut replicas = replicas.iter().zip(lasts);
    let Some(((_, _), (Some(first), others))) = replicas.next().zip(copies.split_first_mut())
    else {
        return Ok(());
    };
    for ((replica, last), copy) in replicas.zip(others) {
        let (Some(last), Some(copy)) = (last, copy.as_mut()) else {
            continue;
        };
        let there = first.frame(last).is_ok_and(|frame| frame.is_ok());
        let bytes = CommitMark::FRAME_BYTES;
        if there && first.bytes(last, bytes).ok() != copy.bytes(last, bytes).ok() {
            let problem = MediumProblem {
                directory: replica.directory.clone(),
                medium: Some(replica.medium),
                kind: MediumProblemKind::Diverged,
            };
            return Err(problem.into());
        }
    }
    Ok(())
}

/// Lets each copy count only as far as it can: one that two commit marks or more passed by was away in the meantime. What it holds behind
/// its own last mark was never committed, and other frames may stand in its place.
pub(super) fn trust(copies: &mut [Option<Copy>], segment: u32) {
    let lasts = last_marks(copies, segment);
    let Some(newest) = lasts.iter().max().copied().flatten() else {
        return;
    };
    if lasts.iter().all(|&last| last == Some(newest)) {
        return;
    }
    let mut whole = copies.iter_mut().zip(&lasts);
    let before = whole
        .find(|(_, last)| **last == Some(newest))
        .and_then(|(copy, _)| copy.as_mut()?.mark_before(segment, newest));
    for (copy, last) in copies.iter_mut().zip(lasts) {
        if let Some(copy) = copy
            && last < before
        {
            // The header was synchronised everywhere before the first mark.
            let end = last.map_or(SegmentHeader::FRAME_BYTES, |_| CommitMark::FRAME_BYTES);
            copy.end_at(last.unwrap_or(0) + end as u64);
        }
    }
}

fn last_marks(copies: &mut [Option<Copy>], segment: u32) -> Vec<Option<u64>> {
    let copies = copies.iter_mut();
    copies
        .map(|copy| {
            let copy = copy.as_mut()?;
            copy.mark_before(segment, u64::MAX)
        })
        .collect()
}
