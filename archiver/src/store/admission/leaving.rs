//! Whether the archive can do without a medium.

use crate::store::StoreError;
use crate::store::heal::whole;
use crate::store::replica::Replica;

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
        let is_sealed = matches!(sealed(leaving, segment), Ok(Some(_)));
        let has = |other: &Replica| match sealed(other, segment) {
            Ok(Some(_)) => true,
            Ok(None) => !is_sealed && matches!(other.open(segment), Ok(Some(_))),
            Err(_) => false,
        };
        let has_whole = |other: &Replica| whole(other, segment).is_some();
        let is_there = if left == Some(segment) && !grows(segment) {
            staying.iter().any(has_whole)
        } else if look == Look::Whole && is_sealed {
            // What is damaged on the medium that leaves, too, does not hold it back.
            staying.iter().any(has_whole) || !has_whole(leaving) && staying.iter().any(has)
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
