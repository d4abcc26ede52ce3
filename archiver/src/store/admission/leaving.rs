//! Whether the archive can do without a medium.

use crate::store::StoreError;
use crate::store::heal::whole;
use crate::store::replica::Replica;

use super::history::sealed;

/// What the medium has of the segments before `end`, one that stays has, too: the file, and the seal where that can be read. A medium that
/// cannot be read has nothing to lose. Of the segment `left`, in which the medium went out of service, it has the beginning: one that stays
/// must have that segment whole, unless it still grows.
///
/// # Errors
/// [`StoreError::OnlyCopy`].
pub(in crate::store) fn require_copies_elsewhere(
    leaving: &Replica,
    staying: &[Replica],
    end: u32,
    left: Option<u32>,
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
