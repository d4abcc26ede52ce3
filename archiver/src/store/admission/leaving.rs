//! Whether the archive can do without a medium.

use formats::segment::FrameType;

use crate::store::StoreError;
use crate::store::heal::whole;
use crate::store::replica::Replica;
use crate::store::walk::{Copy, SegmentWalk, Step};

use super::history::sealed;

/// How closely the copies that stay are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Look {
    /// A seal that can be read will do: they were read whole a moment ago.
    Seals,
    /// Each segment is read whole and compared with its seal, on one medium that stays.
    Whole,
}

/// What the medium has of the segments before `end`, one that stays has, too, as whole as the medium that leaves. A medium that cannot be
/// read has nothing to lose. Of the segment `left`, in which the medium went out of service, it has the beginning: one that stays must have
/// that segment whole, unless it still grows.
///
/// # Errors
/// [`StoreError::OnlyCopy`].
pub(in crate::store) fn require_copies_elsewhere(
    leaving: &Replica,
    staying: &[Replica],
    end: u32,
    left: Option<u32>,
    look: Look,
) -> Result<(), StoreError> {
    let grows = |segment| {
        let lasts = staying.iter().filter_map(|one| one.segments().ok()?.pop());
        let is_sealed = |one: &Replica| matches!(sealed(one, segment), Ok(Some(_)));
        lasts.map(|(last, _)| last).max() == Some(segment) && !staying.iter().any(is_sealed)
    };
    let segments = leaving.segments().unwrap_or_default();
    for (segment, _) in segments.into_iter().filter(|(number, _)| *number < end) {
        let has_seal = |one: &Replica| matches!(sealed(one, segment), Ok(Some(_)));
        let is_sealed = has_seal(leaving);
        let has = |other: &Replica| match sealed(other, segment) {
            Ok(Some(_)) => true,
            Ok(None) => !is_sealed && matches!(other.open(segment), Ok(Some(_))),
            Err(_) => false,
        };
        let has_whole = |other: &Replica| whole(other, segment).is_some();
        let is_there = if left == Some(segment) && !grows(segment) {
            staying.iter().any(has_whole)
        } else if look == Look::Whole && (is_sealed || staying.iter().any(has_seal)) {
            // What is damaged on the medium that leaves, too, does not hold it back.
            staying.iter().any(has_whole)
                || staying.iter().any(has) && !gives_more(leaving, staying, segment)
        } else {
            staying.iter().any(has)
        };
        if !is_there {
            return Err(StoreError::OnlyCopy {
                directory: leaving.directory.clone(),
                segment,
            });
        }
    }
    Ok(())
}

/// Whether the medium that leaves has a frame of a segment that is whole on none that stays, or may have one where it cannot be read.
fn gives_more(leaving: &Replica, staying: &[Replica], segment: u32) -> bool {
    let copy = |one: &Replica| -> Result<Option<Copy>, StoreError> {
        let path = one.path(segment);
        let copy = one.open(segment)?.map(Copy::new).transpose();
        copy.map_err(|error| one.error("reading", &path, error))
    };
    let Ok(own) = copy(leaving) else {
        return true;
    };
    let mut copies: Vec<Option<Copy>> = Vec::new();
    copies.extend(staying.iter().map(|one| copy(one).unwrap_or(None)));
    copies.push(own);
    let last = staying.len();
    let mut walk = SegmentWalk::new(segment, copies, 0);
    loop {
        match walk.step() {
            Step::Frame { source, .. } if source == last => return true,
            Step::Frame { header, .. } if header.frame_type == FrameType::SegmentSeal => {
                return false;
            }
            Step::Frame { .. } => {}
            Step::Gap { .. } if walk.was_unread() => return true,
            Step::Gap { .. } => {}
            Step::DamagedMark { .. } | Step::End { .. } => return walk.was_unread(),
        }
    }
}
