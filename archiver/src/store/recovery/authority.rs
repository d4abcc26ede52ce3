//! Which copy of the growing segment is right where copies differ. A copy that cannot be read where its last commit mark may stand is an
//! error: it would count as one that is behind.

use std::io;
use std::sync::Arc;

use formats::segment::{CommitMark, SegmentHeader};

use super::copies;
use super::sure_walk::unread;
use crate::store::replica::Replica;
use crate::store::walk::{Committed, Copy, Unread};
use crate::store::{MediumProblem, MediumProblemKind, StoreError};

/// The replicas, the one with the latest commit mark first. Those that are equal keep their order.
pub(super) fn in_order(
    replicas: &[Arc<Replica>],
    segment: u32,
) -> Result<Vec<Arc<Replica>>, StoreError> {
    let mut found = Vec::new();
    let mut copies = copies(replicas, segment)?;
    let lasts = last_marks(replicas, &mut copies, segment)?;
    for (replica, last) in replicas.iter().zip(lasts) {
        found.push((last, Arc::clone(replica)));
    }
    found.sort_by(|(one, _), (other, _)| other.cmp(one));
    Ok(found.into_iter().map(|(_, replica)| replica).collect())
}

/// A copy whose last commit has other frames than the first copy has there, or a mark where the first copy has none, was committed
/// apart from it. Nothing is changed then.
pub(super) fn require_one_history(
    replicas: &[Arc<Replica>],
    copies: &mut [Option<Copy>],
    segment: u32,
) -> Result<(), StoreError> {
    let lasts = each(replicas, copies, segment, |copy| {
        copy.commit_before(segment, u64::MAX)
    })?;
    let mut others = replicas.iter().zip(lasts).enumerate().skip(1);
    let Some((Some(first), rest)) = copies.split_first_mut() else {
        return Ok(());
    };
    let failed = |number| move |error| unread(replicas, segment, number, error);
    for ((number, (replica, last)), copy) in others.by_ref().zip(rest) {
        let (Some(last), Some(copy)) = (last, copy.as_mut()) else {
            continue;
        };
        let count = CommitMark::FRAME_BYTES;
        let mark = copy.bytes(last, count).map_err(failed(number))?.to_vec();
        let found = first.committed(copy, &mark, segment, last);
        let found = found.map_err(|Unread { copy, error }| {
            let place = if copy == 0 { 0 } else { number };
            unread(replicas, segment, place, error)
        })?;
        if found == Committed::Another {
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
pub(super) fn trust(
    replicas: &[Arc<Replica>],
    copies: &mut [Option<Copy>],
    segment: u32,
) -> Result<(), StoreError> {
    let lasts = last_marks(replicas, copies, segment)?;
    let Some(newest) = lasts.iter().max().copied().flatten() else {
        return Ok(());
    };
    if lasts.iter().all(|&last| last == Some(newest)) {
        return Ok(());
    }
    let whole = lasts.iter().position(|&last| last == Some(newest));
    let before = match whole.and_then(|number| Some((number, copies.get_mut(number)?.as_mut()?))) {
        Some((number, copy)) => copy
            .mark_before(segment, newest)
            .map_err(|error| unread(replicas, segment, number, error))?,
        None => None,
    };
    for (copy, last) in copies.iter_mut().zip(lasts) {
        if let Some(copy) = copy
            && last < before
        {
            // The header was synchronised everywhere before the first mark.
            let end = last.map_or(SegmentHeader::FRAME_BYTES, |_| CommitMark::FRAME_BYTES);
            copy.end_at(last.unwrap_or(0) + end as u64);
        }
    }
    Ok(())
}

fn last_marks(
    replicas: &[Arc<Replica>],
    copies: &mut [Option<Copy>],
    segment: u32,
) -> Result<Vec<Option<u64>>, StoreError> {
    each(replicas, copies, segment, |copy| {
        copy.mark_before(segment, u64::MAX)
    })
}

/// What each copy answers.
fn each(
    replicas: &[Arc<Replica>],
    copies: &mut [Option<Copy>],
    segment: u32,
    mut ask: impl FnMut(&mut Copy) -> io::Result<Option<u64>>,
) -> Result<Vec<Option<u64>>, StoreError> {
    let mut answers = Vec::new();
    for (number, copy) in copies.iter_mut().enumerate() {
        let answer = copy.as_mut().map_or(Ok(None), &mut ask);
        answers.push(answer.map_err(|error| unread(replicas, segment, number, error))?);
    }
    Ok(answers)
}
