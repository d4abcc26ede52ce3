//! Writing the whole ledger on another key medium.

use std::path::Path;

use super::copies::{erase_replaced, lacking, replicate};
use super::damage::{Damage, DamagedEntries};
use super::files::{self, OpenedLedger};
use super::{KeyLedger, LedgerAccess};
use crate::keys::error::KeyError;
use crate::keys::secret::KeyOwner;

/// What making a copy anew may take away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Overwrite a copy that holds keys which the source does not hold, or that is of a later state.
    pub replace: bool,
    /// What becomes of damaged entries on it that stand whole nowhere else.
    pub damaged: DamagedEntries,
}

impl KeyLedger {
    /// Whether the medium at `root` may become a copy, before anything is written there.
    pub(in crate::keys) fn check_target(
        &self,
        root: &Path,
        options: CopyOptions,
    ) -> Result<(), KeyError> {
        let from = files::open(self.leading_root()?, self.archive, LedgerAccess::Read)?;
        self.replaceable(&from, root, options).map(drop)
    }

    /// Writes all keys and tombstones on another key medium and compares each; tells how many, and how many keys only that medium held.
    /// `replicated` puts there what opens them, before what stood there is erased.
    pub(in crate::keys) fn copy_to(
        &self,
        root: &Path,
        options: CopyOptions,
        replicated: &mut dyn FnMut() -> Result<(), KeyError>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(u64, u64), KeyError> {
        let exclusive = self.exclusive()?;
        let disk = &self.place.disk;
        let from = files::open(self.leading_root()?, self.archive, LedgerAccess::Read)?;
        files::create_directory(&**disk, root)?;
        let lock = files::take_lock(root)?;
        let (number, dropped) = self.replaceable(&from, root, options)?;
        replicate(disk, &from, root, number, &mut |done| {
            progress(done as u64);
        })?;
        replicated()?;
        erase_replaced(disk, root, number)?;
        let copied = files::open(root, self.archive, LedgerAccess::Read)?;
        let lacks = !lacking(&from, &copied)?.is_empty() || !lacking(&copied, &from)?.is_empty();
        for owner in from.places.keys() {
            if lacks || from.entry(*owner)? != copied.entry(*owner)? {
                return Err(KeyError::CopiesDiverge {
                    path: root.to_path_buf(),
                    keys: copied.places.len() as u64,
                });
            }
        }
        drop((lock, exclusive));
        let entries = (copied.places.len() + copied.destroyed.len()) as u64;
        Ok((entries, dropped))
    }

    /// The number after the last file of the ledger that stands at `root`, and how many keys only it holds. A later state is overwritten only
    /// where that is asked for, and one that knows of destructions of its own never: they would be undone. Damaged entries that stand whole
    /// nowhere else are erased only where they are given up.
    fn replaceable(
        &self,
        from: &OpenedLedger,
        root: &Path,
        options: CopyOptions,
    ) -> Result<(u32, u64), KeyError> {
        let old = match files::open(root, from.archive, LedgerAccess::Read) {
            Ok(old) => old,
            Err(KeyError::MediumMissing { .. }) => return Ok((1, 0)),
            Err(error) => return Err(error),
        };
        let diverge = |keys: usize| KeyError::CopiesDiverge {
            path: root.to_path_buf(),
            keys: keys as u64,
        };
        let undone = |owner: &&KeyOwner| !from.destroyed.contains_key(owner);
        let undone = old.destroyed.keys().filter(undone).count();
        if undone > 0 {
            return Err(KeyError::DestructionsUnknown {
                path: root.to_path_buf(),
                keys: undone as u64,
            });
        }
        let only_there = |owner: &&KeyOwner| {
            !from.places.contains_key(owner) && !from.destroyed.contains_key(owner)
        };
        let dropped = old.places.keys().filter(only_there).count();
        if !options.replace && (dropped > 0 || old.generation > from.generation) {
            return Err(diverge(dropped));
        }
        Damage::of_target(self, from, &old)?.check(options.damaged)?;
        Ok((old.next_number()?, dropped as u64))
    }
}
