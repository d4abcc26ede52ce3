//! What waits for a timestamp.

use super::{Archive, ArchiveError};
use crate::store::catalog::Unstamped;

impl Archive {
    /// The versions that no archive time-stamp covers yet, in the order of ids.
    ///
    /// One whose key was destroyed before waits for nothing: nobody can open what would be hashed (RFC 4998 §4.2).
    ///
    /// # Errors
    /// [`ArchiveError::Store`] when the index cannot be read.
    pub fn waiting(&self) -> Result<Vec<Unstamped>, ArchiveError> {
        let mut waiting = self.catalog().unstamped(usize::MAX)?;
        let ledger = self.keys().ledger();
        waiting.retain(|one| ledger.destroyed_at(one.version).is_none());
        Ok(waiting)
    }
}
