//! Writing the whole ledger on another key medium.

use std::path::Path;

use super::copies::{erase_replaced, lacking, replicate};
use super::damage::{Damage, DamagedEntries};
use super::files::{self, OpenedLedger};
use super::joining::epochs_in;
use super::{KeyLedger, LedgerAccess};
use crate::keys::beside::{self, Beside, read_kek};
use crate::keys::error::KeyError;
use crate::keys::provider::KEK_FILE;
use crate::keys::sealed;
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
    /// What opens them is written beside before they have their name, and has its own before what stood there is erased.
    pub(in crate::keys) fn copy_to(
        &self,
        root: &Path,
        options: CopyOptions,
        beside: &Beside,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(u64, u64), KeyError> {
        let exclusive = self.exclusive()?;
        let disk = &self.place.disk;
        let from = files::open(self.leading_root()?, self.archive, LedgerAccess::Read)?;
        files::create_directory(&**disk, root)?;
        let lock = files::take_lock(root)?;
        beside::finish_locked(&**disk, root)?;
        let (number, dropped) = self.replaceable(&from, root, options)?;
        if number > 1 {
            self.require_source(&from)?;
        }
        beside.prepare(&**disk, root)?;
        replicate(disk, &from, root, number, &mut |done| {
            progress(done as u64);
        })?;
        beside.take(&**disk, root)?;
        erase_replaced(disk, root, number)?;
        let copied = files::open(root, self.archive, LedgerAccess::Read)?;
        let lacks = !lacking(&from, &copied)?.is_empty() || !lacking(&copied, &from)?.is_empty();
        for owner in from.places.keys() {
            if lacks || from.entry(owner)? != copied.entry(owner)? {
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

    /// What does not open must not replace a copy: there it may.
    fn require_source(&self, from: &OpenedLedger) -> Result<(), KeyError> {
        for owner in from.places.keys() {
            let damaged = KeyError::KeyDamaged { owner };
            let entry = from.entry(owner)?.ok_or(damaged)?;
            match self.require_opens(&entry) {
                // An intake host opens nothing.
                Err(KeyError::WriteOnly) => {}
                opened => opened?,
            }
        }
        Ok(())
    }

    /// Whether a sealed secret at `root` that does not open here is of no use there either, or goes with keys that were replaced since.
    pub(in crate::keys) fn is_spent(&self, root: &Path, sealed: &[u8]) -> Result<bool, KeyError> {
        let Some(epoch) = sealed::epoch_of(sealed) else {
            return Ok(true);
        };
        let there = read_kek(&root.join(KEK_FILE)).ok();
        let there = there.as_deref().and_then(epochs_in);
        if there.is_some_and(|epochs| !epochs.contains(&epoch)) {
            return Ok(true);
        }
        let its = match files::open(root, self.archive, LedgerAccess::Read) {
            Ok(its) => its,
            Err(KeyError::MediumMissing { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let from = files::open(self.leading_root()?, self.archive, LedgerAccess::Read)?;
        if !self.provider.epochs().contains(&epoch) {
            return Ok(its.generation < from.generation);
        }
        // The same key there and here: then it is damaged.
        for owner in its.places.keys() {
            if let Some(entry) = its.entry(owner)?
                && entry.wrapped.epoch == epoch
            {
                return self.opens(&entry);
            }
        }
        Ok(false)
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
        let only_there = |owner: &KeyOwner| {
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
