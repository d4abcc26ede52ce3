//! Whether the archive can do without a medium.

use crate::store::StoreError;
use crate::store::replica::Replica;

use super::history::sealed;

/// What the medium has of the segments before `end`, one that stays has, too: the file, and the seal where that can be read. A medium that
/// cannot be read has nothing to lose.
///
/// # Errors
/// [`StoreError::OnlyCopy`].
pub(in crate::store) fn require_copies_elsewhere(
    leaving: &Replica,
    staying: &[Replica],
    end: u32,
) -> Result<(), StoreError> {
    let segments = leaving.segments().unwrap_or_default();
    for (segment, _) in segments.into_iter().filter(|(number, _)| *number < end) {
        let is_sealed = matches!(sealed(leaving, segment), Ok(Some(_)));
        let has = |other: &Replica| match sealed(other, segment) {
            Ok(Some(_)) => true,
            Ok(None) => !is_sealed && matches!(other.open(segment), Ok(Some(_))),
            Err(_) => false,
        };
        if !staying.iter().any(has) {
            return Err(StoreError::OnlyCopy {
                directory: leaving.directory.clone(),
                segment,
            });
        }
    }
    Ok(())
}
