//! What a rotation writes.

use std::collections::HashMap;

use super::KeyLedger;
use super::copies::is_wrapped;
use super::damage::{Damage, DamagedEntries};
use super::entry::{ENTRY_BYTES, EntryState, LedgerEntry, Tombstone};
use super::files::OpenedLedger;
use super::rotation::RotationReport;
use crate::keys::error::KeyError;
use crate::keys::secret::KeyOwner;

/// What goes into the new file, in its order: live keys by id, then tombstones.
pub(super) struct Plan {
    pub(super) owners: Vec<KeyOwner>,
    tombstones: Vec<Tombstone>,
    salvaged: HashMap<KeyOwner, LedgerEntry>,
}

impl Plan {
    pub(super) fn new(
        ledger: &KeyLedger,
        opened: &OpenedLedger,
        damaged: DamagedEntries,
        report: &mut RotationReport,
    ) -> Result<Self, KeyError> {
        let mut damage = Damage::of(ledger, opened, &[])?;
        if damaged == DamagedEntries::GiveUp {
            damage.open_each(ledger, opened, &[])?;
        }
        damage.check(damaged)?;
        report.damaged_dropped = damage.lost();
        let Damage {
            salvaged, closed, ..
        } = damage;
        report.salvaged = salvaged.len() as u64;
        let mut owners: Vec<KeyOwner> = opened.places.keys().collect();
        owners.extend(salvaged.keys());
        owners.retain(|owner| !closed.contains_key(owner));
        owners.sort_unstable();
        owners.dedup();
        let mut tombstones: Vec<Tombstone> = opened.destroyed.values().copied().collect();
        tombstones.sort_unstable_by_key(|one| one.owner);
        Ok(Self {
            owners,
            tombstones,
            salvaged,
        })
    }

    pub(super) fn count(&self) -> usize {
        self.owners.len() + self.tombstones.len()
    }

    /// Whether an interrupted rotation has written the new file already, and each key in it opens.
    pub(super) fn is_done(
        &self,
        ledger: &KeyLedger,
        opened: &OpenedLedger,
        epoch: u32,
    ) -> Result<bool, KeyError> {
        let compact = opened.report.entries == self.owners.len() as u64
            && opened.report.damaged.is_empty()
            && self.salvaged.is_empty();
        if !compact {
            return Ok(false);
        }
        for owner in &self.owners {
            match opened.entry(*owner)? {
                Some(entry) if entry.wrapped.epoch == epoch && ledger.opens(&entry)? => {}
                Some(_) | None => return Ok(false),
            }
        }
        Ok(true)
    }

    pub(super) fn entry(
        &self,
        ledger: &KeyLedger,
        opened: &OpenedLedger,
        index: usize,
        epoch: u32,
    ) -> Result<[u8; ENTRY_BYTES], KeyError> {
        let Some(&owner) = self.owners.get(index) else {
            let tombstone = self.tombstones.get(index - self.owners.len());
            return Ok(tombstone.map_or([0; ENTRY_BYTES], Tombstone::encode));
        };
        let damaged = || KeyError::KeyDamaged { owner };
        let found = match self.salvaged.get(&owner) {
            Some(entry) => Some(entry.clone()),
            None => opened.entry(owner)?,
        };
        let found = match found {
            Some(entry) => entry,
            None => ledger.entry_elsewhere(owner)?.ok_or_else(damaged)?,
        };
        let wrapped = if found.wrapped.epoch == epoch && ledger.opens(&found)? {
            found
        } else {
            match ledger.wrapped_anew(owner, &found) {
                Err(KeyError::KeyDamaged { .. } | KeyError::UnknownEpoch { .. }) => {
                    let elsewhere = ledger.opening_elsewhere(opened, owner)?;
                    ledger.wrapped_anew(owner, &elsewhere.ok_or_else(damaged)?)?
                }
                wrapped => wrapped?,
            }
        };
        wrapped.encode().ok_or_else(damaged)
    }

    pub(super) fn is_entry(&self, index: usize, bytes: &[u8; ENTRY_BYTES], epoch: u32) -> bool {
        if let Some(owner) = self.owners.get(index) {
            return is_wrapped(bytes, *owner, epoch);
        }
        let tombstone = self.tombstones.get(index - self.owners.len());
        tombstone.is_some_and(|one| {
            matches!(LedgerEntry::parse(bytes), EntryState::Destroyed(found) if found == *one)
        })
    }
}
