//! Proofs in a rotation: all that stands under the new epoch opens before the old is erased, and each medium is read again before the old epochs
//! are destroyed.

use super::copies::CopyCondition;
use super::entry::LedgerEntry;
use super::rotation::{RotationProgress, RotationReport, RotationStep};
use super::{KeyLedger, LedgerAccess, files};
use crate::keys::error::KeyError;
use crate::keys::secret::KeyOwner;

impl KeyLedger {
    /// The epoch under which the ledger was wrapped at last: a rotation that was interrupted before has no part in it.
    ///
    /// # Errors
    /// [`KeyError::KeyDamaged`] where the catalog's key is not whole; errors of reading.
    pub(in crate::keys) fn wrapped_epoch(&self) -> Result<u32, KeyError> {
        let owner = KeyOwner::catalog(self.archive);
        let leading = files::open(self.leading_root()?, self.archive, LedgerAccess::Read)?;
        let entry = leading.entry(owner)?;
        let entry = entry.ok_or(KeyError::KeyDamaged { owner })?;
        Ok(entry.wrapped.epoch)
    }

    /// Refuses where the key in an entry does not open.
    pub(super) fn require_opens(&self, entry: &LedgerEntry) -> Result<(), KeyError> {
        let owner = entry.owner;
        match self.opens(entry)? {
            true => Ok(()),
            false => Err(KeyError::KeyDamaged { owner }),
        }
    }

    /// Destroys every epoch but that under which everything stands now.
    pub(super) fn destroy_epochs(&self, report: &mut RotationReport) -> Result<(), KeyError> {
        let current = report.epoch;
        // A provider that lost its device looks for it now, or says so: it knows of no epoch, which is no proof that there is none.
        self.provider.wrap(b"fumikura sample", b"sample")?;
        if !self.provider.epochs().contains(&current) {
            return Err(KeyError::UnknownEpoch { epoch: current });
        }
        for epoch in self.provider.epochs() {
            if epoch != current {
                self.provider.destroy_epoch(epoch)?;
                report.epochs_destroyed.push(epoch);
            }
        }
        match self.provider.epochs().as_slice() {
            [only] if *only == current => Ok(()),
            _ => Err(KeyError::UnknownEpoch { epoch: current }),
        }
    }

    /// Proves, before anything of the old is erased, that each key in service opens under the new epoch on every copy.
    pub(super) fn require_all_open(&self, epoch: u32) -> Result<(), KeyError> {
        let leader = self.leader()?;
        let leading = files::open(&leader.root, self.archive, LedgerAccess::Read)?;
        let owners: Vec<KeyOwner> = self.lock().places.keys().collect();
        for copy in self.in_service() {
            let is_leading = copy.root == leader.root;
            let its = match is_leading {
                true => None,
                false => Some(files::open(&copy.root, self.archive, LedgerAccess::Read)?),
            };
            for owner in &owners {
                let entry = match &its {
                    Some(its) => its.entry(*owner)?,
                    None => leading.entry(*owner)?,
                };
                let entry = entry.filter(|entry| entry.wrapped.epoch == epoch);
                let entry = entry.ok_or(KeyError::KeyDamaged { owner: *owner })?;
                // The same bytes were opened on the leading copy.
                if is_leading || leading.entry(*owner)?.as_ref() != Some(&entry) {
                    self.require_opens(&entry)?;
                }
            }
        }
        Ok(())
    }

    /// Reads every copy again: it holds each live key under the new epoch, and nothing of a destroyed one.
    pub(super) fn verify_copies(
        &self,
        report: &mut RotationReport,
        progress: &mut dyn FnMut(RotationProgress),
    ) -> Result<(), KeyError> {
        let total = self.copies.len() as u64;
        for (done, copy) in (1..).zip(&self.copies) {
            if copy.state().condition != CopyCondition::InService {
                report.unreached.push(copy.root.clone());
                continue;
            }
            let opened = files::open(&copy.root, self.archive, LedgerAccess::Read)?;
            let differs = || KeyError::CopiesDiverge {
                path: copy.root.clone(),
                keys: opened.places.len() as u64,
            };
            let state = self.lock();
            let whole = opened.report.damaged.is_empty()
                && opened.leftovers.is_empty()
                && opened.report.entries == opened.places.len() as u64
                && opened.places.len() == state.places.len()
                && state
                    .destroyed
                    .keys()
                    .all(|owner| opened.destroyed.contains_key(owner));
            let owners: Vec<KeyOwner> = state.places.keys().collect();
            drop(state);
            if !whole {
                return Err(differs());
            }
            for owner in owners {
                let entry = opened.entry(owner)?;
                if entry.is_none_or(|entry| entry.wrapped.epoch != report.epoch) {
                    return Err(differs());
                }
            }
            report.copies.push(copy.root.clone());
            progress(RotationProgress::of(RotationStep::Verifying, done, total));
        }
        Ok(())
    }
}
