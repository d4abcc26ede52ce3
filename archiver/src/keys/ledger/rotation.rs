//! Wrapping the whole ledger anew, and destroying keys.
//!
//! Order of a rotation: new epoch; one new file with every live key under it, on the leading copy, then on the others; other secrets; each key
//! is opened once more; the old files are overwritten and removed; every copy is read again; the old epochs are destroyed. Each step is durable before the next one begins, so whatever is interrupted
//! is done again from where it stands, and each live key stands in as many places as before at any moment.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use formats::id::VersionId;
use time::OffsetDateTime;

use super::compact::{self, CompactPlace, CompactSource};
use super::copies::{self, Copy, CopyCondition};
use super::damage::DamagedEntries;
use super::entry::{EntryState, LedgerEntry, Tombstone, wrap_context};
use super::files;
use super::plan::Plan;
use super::{KeyLedger, LedgerAccess};
use crate::keys::error::KeyError;
use crate::keys::secret::KeyOwner;

/// What a rotation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationStep {
    /// Wrapping data keys under the new epoch.
    Wrapping,
    /// Writing them on another key medium.
    Copying,
    /// Wrapping other secrets.
    Secrets,
    /// Overwriting and removing what stood there before.
    Erasing,
    /// Reading every key medium again; then the old epochs are destroyed.
    Verifying,
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationProgress {
    /// The step.
    pub step: RotationStep,
    /// Keys, secrets or media done in it.
    pub done: u64,
    /// Of how many.
    pub total: u64,
}

/// What a rotation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RotationReport {
    /// Epochs whose key-encryption key was destroyed.
    pub epochs_destroyed: Vec<u32>,
    /// The epoch under which everything is wrapped now.
    pub epoch: u32,
    /// Whether an interrupted rotation was brought to its end.
    pub resumed: bool,
    /// Data keys of versions, and the catalog's.
    pub keys: u64,
    /// Other secrets that were wrapped anew.
    pub secrets: u64,
    /// Damaged entries that no copy could make good and that opened all the same.
    pub salvaged: u64,
    /// Damaged entries that did not open and were given up: they are gone with the old files.
    pub damaged_dropped: u64,
    /// Ledger files that were overwritten and removed.
    pub files_erased: u64,
    /// Key media that hold the keys now, each read again entry by entry.
    pub copies: Vec<PathBuf>,
    /// Key media that could not be reached: what they hold is old. They are brought into step when they are back.
    pub unreached: Vec<PathBuf>,
}

/// Wraps the secrets beside the ledger anew, on every key medium; tells how many.
pub type OtherSecrets<'a> = &'a mut dyn FnMut() -> Result<u64, KeyError>;

impl KeyLedger {
    /// Whether a rotation or a destruction was interrupted and waits for its end.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.provider.epochs().len() > 1
    }

    /// Whether a key was destroyed whose last epoch still stands.
    #[must_use]
    pub fn is_destruction_unfinished(&self) -> bool {
        let epochs = self.provider.epochs();
        let first = epochs.first().copied().unwrap_or(u32::MAX);
        let state = self.lock();
        state.destroyed.values().any(|one| one.epoch >= first)
    }

    /// Wraps every live key under a new epoch of the key-encryption key and destroys the old epochs, or brings an interrupted rotation to its
    /// end. Readers go on meanwhile; deposits wait.
    ///
    /// # Errors
    /// [`KeyError::CopiesMissing`] where a key medium is there and failed; [`KeyError::EntriesDamaged`] before anything is done, where damaged entries, or whole
    /// ones that do not open, would be lost and are not given up;
    /// [`KeyError::ReadOnly`], [`KeyError::Stopped`]; [`KeyError::KeyDamaged`] when the entry of a live key does not open on any copy;
    /// errors of writing. Nothing is lost then: open again, and rotate again.
    pub fn rotate(
        &self,
        damaged: DamagedEntries,
        others: OtherSecrets<'_>,
        progress: &mut dyn FnMut(RotationProgress),
    ) -> Result<RotationReport, KeyError> {
        let exclusive = self.exclusive()?;
        self.require_none_failed()?;
        self.require_open_entries(&[], damaged)?;
        let report = self.wrap_anew(damaged, others, progress);
        self.stop_after(&report);
        drop(exclusive);
        report
    }

    /// Destroys the keys of versions on every key medium: from the first step on, nobody gets them any more; after the last one, no medium
    /// holds them in any form, and the key-encryption keys under which they ever stood are gone.
    ///
    /// # Errors
    /// [`KeyError::CopiesMissing`] unless every key medium is there, before anything is done and after it. Otherwise as [`KeyLedger::rotate`].
    pub fn destroy(
        &self,
        versions: &[VersionId],
        now: OffsetDateTime,
        damaged: DamagedEntries,
        others: OtherSecrets<'_>,
        progress: &mut dyn FnMut(RotationProgress),
    ) -> Result<RotationReport, KeyError> {
        let exclusive = self.exclusive()?;
        self.require_all_copies()?;
        self.require_entries(versions, damaged)?;
        let tombstones = self.tombstones(versions, now);
        let report = self
            .bury(&tombstones)
            .and_then(|()| self.require_all_copies())
            .and_then(|()| self.wrap_anew(damaged, others, progress));
        self.stop_after(&report);
        // One that failed meanwhile may hold the old keys still.
        let report = report.and_then(|report| self.require_all_copies().map(|()| report));
        drop(exclusive);
        report
    }

    /// Refuses unless every key medium is in service.
    ///
    /// # Errors
    /// [`KeyError::CopiesMissing`].
    pub fn require_all_copies(&self) -> Result<(), KeyError> {
        let all = self.copies.len();
        if self.in_service().count() == all {
            return Ok(());
        }
        let mut place = self.place.clone();
        place.copies_min = all;
        Err(copies::too_few(&place, &self.copies))
    }

    /// Refuses where a key medium is there and failed: `kek.json` on it goes with the others, and its ledger would not.
    fn require_none_failed(&self) -> Result<(), KeyError> {
        let failed =
            |copy: &&Copy| matches!(copy.state().condition, CopyCondition::OutOfService { .. });
        let missing: Vec<PathBuf> = self
            .copies
            .iter()
            .filter(failed)
            .map(|copy| copy.root.clone())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(KeyError::CopiesMissing {
            copies_min: self.in_service().count() + missing.len(),
            missing,
        })
    }

    /// After a failed write nobody knows what stands there. What was damaged before stops nobody.
    fn stop_after(&self, report: &Result<RotationReport, KeyError>) {
        if report.as_ref().is_err_and(|error| !error.is_damage()) {
            self.lock().stopped = true;
        }
    }

    fn tombstones(&self, versions: &[VersionId], now: OffsetDateTime) -> Vec<Tombstone> {
        let epoch = self.provider.current_epoch();
        let time = i64::try_from(now.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX);
        let state = self.lock();
        let mut tombstones = Vec::new();
        for owner in versions.iter().map(|version| KeyOwner::from(*version)) {
            // A key that is missing may stand in a damaged entry, or come back with an old copy.
            if !state.destroyed.contains_key(&owner) {
                tombstones.push(Tombstone { owner, epoch, time });
            }
        }
        tombstones
    }

    /// Writes tombstones on every copy.
    fn bury(&self, tombstones: &[Tombstone]) -> Result<(), KeyError> {
        if tombstones.is_empty() {
            return Ok(());
        }
        let bytes: Vec<u8> = tombstones.iter().flat_map(Tombstone::encode).collect();
        self.append_everywhere(&bytes)?;
        let mut state = self.lock();
        for tombstone in tombstones {
            state.places.remove(&tombstone.owner);
            state.destroyed.insert(tombstone.owner, *tombstone);
        }
        Ok(())
    }

    fn wrap_anew(
        &self,
        damaged: DamagedEntries,
        others: OtherSecrets<'_>,
        progress: &mut dyn FnMut(RotationProgress),
    ) -> Result<RotationReport, KeyError> {
        let mut report = RotationReport {
            resumed: self.is_unfinished(),
            ..RotationReport::default()
        };
        let buried = self.lock().destroyed.values().map(|one| one.epoch).max();
        let current = self.provider.current_epoch();
        if !report.resumed || buried >= Some(current) {
            self.provider.new_epoch()?;
        }
        report.epoch = self.provider.current_epoch();
        self.lock().epoch = report.epoch;
        self.wrap_leading(damaged, &mut report, progress)?;
        self.copy_to_others(progress)?;
        progress(RotationProgress::of(RotationStep::Secrets, 0, 0));
        report.secrets = others()?;
        self.rewrap_waiting()?;
        self.require_all_open(report.epoch)?;
        self.erase_old(&mut report, progress)?;
        self.verify_copies(&mut report, progress)?;
        self.destroy_epochs(&mut report)?;
        Ok(report)
    }

    /// Makes the new file of the leading copy and takes it into use. Whatever was interrupted in it goes on where it stopped.
    fn wrap_leading(
        &self,
        damaged: DamagedEntries,
        report: &mut RotationReport,
        progress: &mut dyn FnMut(RotationProgress),
    ) -> Result<(), KeyError> {
        let leader = self.leader()?;
        let opened = files::open(&leader.root, self.archive, LedgerAccess::Read)?;
        let plan = Plan::new(self, &opened, damaged, report)?;
        report.keys = plan.owners.len() as u64;
        if report.resumed && plan.is_done(self, &opened, report.epoch)? {
            return Ok(());
        }
        let total = plan.count() as u64;
        let place = CompactPlace {
            root: &leader.root,
            archive: self.archive,
            number: opened.next_number()?,
            generation: opened.next_generation()?,
        };
        let source = CompactSource {
            count: plan.count(),
            entry: &mut |index| plan.entry(self, &opened, index, report.epoch),
            same: &|index, bytes| plan.is_entry(index, bytes, report.epoch),
            opens: &|bytes| match LedgerEntry::parse(bytes) {
                EntryState::Whole(entry) => self.opens(&entry),
                EntryState::Destroyed(_)
                | EntryState::Hole
                | EntryState::Damaged
                | EntryState::Unknown => Ok(true),
            },
            progress: &mut |done| {
                progress(RotationProgress::of(
                    RotationStep::Wrapping,
                    done as u64,
                    total,
                ));
            },
        };
        compact::write(&self.place.disk, place, source)?;
        self.take_over(leader)
    }

    /// Reads a copy again that has a new file: its next entries go there.
    fn take_over(&self, copy: &Copy) -> Result<(), KeyError> {
        let mut opened = files::open(&copy.root, self.archive, LedgerAccess::Read)?;
        copy.set_sink(opened.sink(Arc::clone(&self.place.disk))?);
        self.lock().hold(opened);
        Ok(())
    }

    fn copy_to_others(&self, progress: &mut dyn FnMut(RotationProgress)) -> Result<(), KeyError> {
        let leader = self.leader()?;
        let leading = files::open(&leader.root, self.archive, LedgerAccess::Read)?;
        let total = (leading.places.len() + leading.destroyed.len()) as u64;
        for copy in self.in_service() {
            if copy.root == leader.root {
                continue;
            }
            let mut its = files::open(&copy.root, self.archive, LedgerAccess::Read)?;
            if its.generation == leading.generation {
                continue;
            }
            let mut told = |done| {
                progress(RotationProgress::of(
                    RotationStep::Copying,
                    done as u64,
                    total,
                ));
            };
            copies::replicate(
                &self.place.disk,
                &leading,
                &copy.root,
                its.next_number()?,
                &mut told,
            )?;
            its = files::open(&copy.root, self.archive, LedgerAccess::Read)?;
            copy.set_sink(its.sink(Arc::clone(&self.place.disk))?);
        }
        Ok(())
    }

    /// Keys that were staged under an old epoch and are not written yet.
    fn rewrap_waiting(&self) -> Result<(), KeyError> {
        let mut state = self.lock();
        let epoch = state.epoch;
        for (owner, entry) in &mut state.staged {
            if entry.wrapped.epoch != epoch {
                *entry = self.wrapped_anew(*owner, entry)?;
            }
        }
        Ok(())
    }

    /// The same key under the current epoch. What was wrapped is opened again before it may count.
    pub(super) fn wrapped_anew(
        &self,
        owner: KeyOwner,
        entry: &LedgerEntry,
    ) -> Result<LedgerEntry, KeyError> {
        let context = wrap_context(self.archive, owner);
        let damaged = || KeyError::KeyDamaged { owner };
        let key = self.provider.unwrap(&context, &entry.wrapped)?;
        let key = key.ok_or_else(damaged)?;
        let wrapped = self.provider.wrap(&context, &key)?;
        let again = self.provider.unwrap(&context, &wrapped)?;
        if again.is_none_or(|again| *again != *key) {
            return Err(damaged());
        }
        Ok(LedgerEntry { owner, wrapped })
    }

    fn erase_old(
        &self,
        report: &mut RotationReport,
        progress: &mut dyn FnMut(RotationProgress),
    ) -> Result<(), KeyError> {
        progress(RotationProgress::of(RotationStep::Erasing, 0, 0));
        for copy in self.in_service() {
            let opened = files::open(&copy.root, self.archive, LedgerAccess::Read)?;
            report.files_erased +=
                copies::erase_replaced(&self.place.disk, &copy.root, opened.first)?;
        }
        Ok(())
    }
}

impl RotationProgress {
    pub(super) fn of(step: RotationStep, done: u64, total: u64) -> Self {
        Self { step, done, total }
    }
}

/// Keeps everybody else from writing.
#[derive(Debug)]
pub(super) struct Exclusive<'a> {
    ledger: &'a KeyLedger,
}

impl KeyLedger {
    /// Writes what waits, and then lets nobody else write until the value is dropped.
    pub(super) fn exclusive(&self) -> Result<Exclusive<'_>, KeyError> {
        let mut state = self.lock();
        loop {
            if self.access == LedgerAccess::Read {
                return Err(KeyError::ReadOnly);
            }
            if state.stopped {
                return Err(KeyError::Stopped);
            }
            if state.flushing {
                let waited = self.flushed.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            } else if state.waiting.is_empty() {
                state.flushing = true;
                return Ok(Exclusive { ledger: self });
            } else {
                state = self.flush(state)?;
            }
        }
    }
}

impl Drop for Exclusive<'_> {
    fn drop(&mut self) {
        self.ledger.lock().flushing = false;
        self.ledger.flushed.notify_all();
    }
}
