//! Reading again what could not be opened when the index met it.

use formats::segment::Frame;

use super::{Catalog, ManifestOpener};
use crate::store::StoreError;

impl Catalog {
    /// Puts the metadata of versions into the index that had no key when they were read into it, and have one now. Their stamps stay. Answers how many
    /// these are. Doing it twice does no harm.
    ///
    /// # Errors
    /// [`StoreError::IndexFilling`]; [`StoreError::IndexDamaged`].
    pub fn reread_unreadable(&self, opener: &dyn ManifestOpener) -> Result<u64, StoreError> {
        let mut unreadable = Vec::new();
        self.for_each(&mut |hit| {
            if !hit.readable {
                unreadable.push(hit.address);
            }
            true
        })?;
        let mut opened = 0;
        for address in unreadable {
            // What is damaged is told by whoever checks; here it stays what it was.
            let Ok(Frame::RecordVersion(frame)) = self.store.read(address) else {
                continue;
            };
            if let Ok(manifest) = opener.open_manifest(&frame) {
                self.apply_version(address, &frame, &manifest)?;
                opened += 1;
            }
        }
        Ok(opened)
    }
}
