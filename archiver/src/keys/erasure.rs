//! Destroying records by destroying their keys, as an act of the archive: recorded before and after, brought to its end after a crash.

use std::path::PathBuf;

use formats::id::{EventId, VersionId};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::copy_events::{copy_gone, copy_in};
use super::error::KeyError;
use super::events::{
    KeyCopyMade, KeyDestructionBegun, KeyMediumFact, KeysAudited, KeysDestroyed, KeysRotated,
};
use super::ledger::{DamagedEntries, RotationProgress, RotationReport};
use crate::archive::{Archive, ArchiveError};
use crate::backup::ledger::Backups;
use crate::event::{RecordedEvent, Topic};

/// Most versions that are destroyed in one act: an event names them all.
pub const DESTROYED_MAX: usize = 4096;

/// Who wants which versions destroyed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destruction {
    /// The versions.
    pub versions: Vec<VersionId>,
    /// Who carries it out.
    pub by: String,
    /// Who approved it: somebody else.
    pub approved_by: String,
    /// Why.
    pub reason: String,
    /// What becomes of damaged entries of other versions that would be lost.
    pub damaged: DamagedEntries,
}

/// Who destroys records, and who approves it, are named, and are not the same.
///
/// # Errors
/// [`KeyError::TwoPeople`].
pub fn require_two_people(by: &str, approved_by: &str) -> Result<(), KeyError> {
    let (by, approved_by) = (by.trim().to_lowercase(), approved_by.trim().to_lowercase());
    if by.is_empty() || approved_by.is_empty() || by == approved_by {
        return Err(KeyError::TwoPeople);
    }
    Ok(())
}

/// How far an act of destroying came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    /// No key of it is destroyed yet.
    First,
    /// Its tombstones stand, and perhaps more was done.
    Interrupted,
    /// It was brought to its end, and an old state of the key media brought its keys back.
    Again,
}

/// What was destroyed, how, where and when.
#[derive(Debug, Clone, PartialEq)]
pub struct ErasureReport {
    /// The facts, as they are recorded.
    pub facts: KeysDestroyed,
    /// The event that records them.
    pub event: EventId,
}

/// What opening an archive found out about its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyOpening {
    /// Destructions that were interrupted and are done now.
    pub destructions_finished: u64,
    /// Destructions that wait until every key medium is there.
    pub destructions_pending: u64,
    /// Whether a rotation was interrupted: `archiver keys rotate` brings it to its end.
    pub rotation_unfinished: bool,
    /// What hindered the destructions that wait.
    pub failures: Vec<String>,
    /// Damaged entries of the ledger that open on no key medium that is there.
    pub damaged_entries: u64,
    /// Entries of the ledger with zeros in them on the key medium that is read: never written whole, or damaged; nobody can tell.
    pub unwritten_entries: u64,
    /// Files that are not the same on all key media, and were left as they are.
    pub differing_files: Vec<PathBuf>,
    /// A later epoch than that of the key media is recorded: an old state of all of them was restored.
    pub restored_from_before: Option<u32>,
    /// Keys that are there again though their destruction is recorded; they are not used.
    pub shut_out: u64,
}

impl Archive {
    /// Wraps every key anew under a new epoch and records it.
    ///
    /// # Errors
    /// As [`super::KeyMedium::rotate`]; [`ArchiveError`] when it cannot be recorded.
    pub fn rotate_keys(
        &self,
        by: &str,
        damaged: DamagedEntries,
        progress: &mut dyn FnMut(RotationProgress),
    ) -> Result<RotationReport, ArchiveError> {
        let mut report = self.keys().rotate_with(damaged, progress)?;
        self.record_event(by, &KeysRotated::of(&report))?;
        if report.resumed {
            // The epoch of the interrupted one may be known to whoever this one is to shut out.
            let (old, dropped) = (report.epochs_destroyed, report.damaged_dropped);
            report = self.keys().rotate(progress)?;
            self.record_event(by, &KeysRotated::of(&report))?;
            report.epochs_destroyed.splice(..0, old);
            report.damaged_dropped += dropped;
            report.resumed = true;
        }
        Ok(report)
    }

    /// Destroys the keys of versions for good. The decision is recorded first: from then on it is carried out even after a crash.
    ///
    /// # Errors
    /// [`KeyError::TwoPeople`], [`KeyError::TooMany`], [`KeyError::KeyMissing`], [`KeyError::CopiesMissing`], [`KeyError::EntriesDamaged`] before
    /// anything is recorded;
    /// later errors leave a destruction that the next opening for writing brings to its end.
    pub fn destroy_keys(
        &self,
        destruction: &Destruction,
        progress: &mut dyn FnMut(RotationProgress),
    ) -> Result<ErasureReport, ArchiveError> {
        let (by, approved_by) = (destruction.by.trim(), destruction.approved_by.trim());
        require_two_people(by, approved_by)?;
        if destruction.versions.len() > DESTROYED_MAX {
            return Err(KeyError::TooMany { max: DESTROYED_MAX }.into());
        }
        let ledger = self.keys().ledger();
        ledger.require_all_copies()?;
        for version in &destruction.versions {
            if !ledger.holds(*version) && ledger.destroyed_at(*version).is_none() {
                // The error says whether it may stand in a damaged entry.
                match ledger.data_key(*version).map(drop) {
                    Err(error)
                        if error.is_damage() && destruction.damaged == DamagedEntries::GiveUp => {}
                    other => other?,
                }
            }
        }
        let damaged_given_up =
            ledger.require_open_entries(&destruction.versions, destruction.damaged)?;
        self.keys().require_secrets()?;
        let begun = KeyDestructionBegun {
            versions: destruction
                .versions
                .iter()
                .map(VersionId::to_string)
                .collect(),
            by: by.to_owned(),
            approved_by: approved_by.to_owned(),
            reason: destruction.reason.clone(),
            epoch: self.keys().provider().current_epoch(),
            media: self.key_media(),
            damaged_given_up,
        };
        let started_at = self.environment().clock.now();
        let event = self.record_event(by, &begun)?;
        self.carry_out((event, started_at), &begun, Run::First, progress)
    }

    /// Does what was decided, however far it is already.
    fn carry_out(
        &self,
        (event, started_at): (EventId, OffsetDateTime),
        begun: &KeyDestructionBegun,
        run: Run,
        progress: &mut dyn FnMut(RotationProgress),
    ) -> Result<ErasureReport, ArchiveError> {
        let versions = begun.version_ids();
        let before = self.keys().provider().describe();
        let keys = self.keys();
        let given_up = self.given_up(begun, run)?;
        let is_more = || -> Result<bool, KeyError> {
            let ledger = self.keys().ledger();
            Ok(ledger.require_open_entries(&versions, DamagedEntries::GiveUp)? > given_up)
        };
        let damaged = match given_up == 0 || is_more()? {
            true => DamagedEntries::Keep,
            false => DamagedEntries::GiveUp,
        };
        let report = keys.destroy_with(&versions, started_at, damaged, progress)?;
        for version in &versions {
            self.catalog().purge_version(*version)?;
        }
        self.catalog().checkpoint()?;
        let media: Vec<KeyMediumFact> = report
            .copies
            .iter()
            .map(|root| KeyMediumFact::of(root))
            .collect();
        // An interrupted run may have destroyed some before; a number that it left unused in a token stands for a key that is there.
        let unnamed = keys.provider().unnamed_epochs()?;
        let is_gone = |epoch: &u32| !unnamed.contains(epoch);
        let epochs_destroyed = (begun.epoch..report.epoch).filter(is_gone).collect();
        let damaged_dropped = match run {
            // The interrupted run may have lost them, and nothing tells any more.
            Run::Interrupted if given_up == 0 => begun.damaged_given_up,
            Run::First | Run::Interrupted | Run::Again => report.damaged_dropped,
        };
        let facts = KeysDestroyed {
            begun: event,
            versions: begun.versions.clone(),
            by: begun.by.clone(),
            approved_by: begun.approved_by.clone(),
            reason: begun.reason.clone(),
            started_at: rfc3339(started_at),
            finished_at: rfc3339(self.environment().clock.now()),
            method: METHOD.to_owned(),
            technique: TECHNIQUE.to_owned(),
            tool: concat!("archiver ", env!("CARGO_PKG_VERSION")).to_owned(),
            provider: before,
            epochs_destroyed,
            epoch: report.epoch,
            survivors: report.keys,
            damaged_dropped,
            other_copies: self.other_copies(&media)?,
            intake_media: self.intake_media_with(&versions)?,
            backups: self.backups_with_destroyed_keys()?,
            media,
            verification: match damaged_dropped {
                0 => VERIFICATION.to_owned(),
                dropped => format!("{VERIFICATION}; {dropped} damaged entries were given up"),
            },
        };
        let event = self.record_event(&begun.by, &facts)?;
        Ok(ErasureReport { facts, event })
    }

    /// How many damaged entries the act may still give up: nobody gave up what was damaged since, nor what came with an old state of the key media.
    fn given_up(&self, begun: &KeyDestructionBegun, run: Run) -> Result<u64, KeyError> {
        Ok(match run {
            Run::First => begun.damaged_given_up,
            // What the ledger lost when it was wrapped anew is given up already.
            Run::Interrupted if self.keys().ledger().wrapped_epoch()? <= begun.epoch => {
                begun.damaged_given_up
            }
            Run::Interrupted | Run::Again => 0,
        })
    }

    fn backups_with_destroyed_keys(&self) -> Result<Vec<u32>, ArchiveError> {
        let backups = Backups::of(self.catalog())?;
        let held = backups.to_be_destroyed(self.keys().ledger());
        Ok(held.into_iter().map(|one| one.generation).collect())
    }

    /// Brings to their end what was interrupted, when the archive was opened for writing.
    pub(crate) fn finish_key_work(&self) -> Result<KeyOpening, ArchiveError> {
        let mut opening = KeyOpening {
            differing_files: self.keys().differing_files().to_vec(),
            ..KeyOpening::default()
        };
        for (event, begun, run) in self.unfinished_destructions()? {
            match self.carry_out((event.id, event.time), &begun, run, &mut |_| ()) {
                Ok(_) => opening.destructions_finished += 1,
                Err(ArchiveError::Keys(KeyError::CopiesMissing { .. })) => {
                    opening.destructions_pending += 1;
                }
                Err(error) => {
                    opening.destructions_pending += 1;
                    opening.failures.push(error.to_string());
                }
            }
        }
        // A destruction that gave damaged entries up may have ended it meanwhile.
        if self.keys().ledger().is_destruction_unfinished() {
            let hindrance = self.keys().hindrance().map(ToString::to_string);
            opening.failures.extend(hindrance);
            opening.failures.dedup();
        }
        let ledger = self.keys().ledger();
        if ledger.copies().iter().any(|copy| copy.damaged > 0) {
            opening.damaged_entries = ledger.require_entries(&[], DamagedEntries::GiveUp)?;
        }
        opening.unwritten_entries = ledger.report().unwritten();
        opening.rotation_unfinished = self.keys().ledger().is_unfinished();
        let recorded = self.recorded_epoch()?;
        let current = self.keys().provider().current_epoch();
        opening.restored_from_before = recorded.filter(|recorded| *recorded > current);
        Ok(opening)
    }

    /// Uses no key whose destruction is recorded, where the archive is open for reading and cannot destroy it again: an old state of the key
    /// media, or a backup from before, gives nothing back.
    pub(crate) fn shut_out_destroyed(&self) -> Result<KeyOpening, ArchiveError> {
        let ledger = self.keys().ledger();
        let mut held = Vec::new();
        self.catalog().all_events(Topic::Records, &mut |event| {
            if let Some(begun) = event.as_::<KeyDestructionBegun>() {
                let versions = begun.version_ids().into_iter();
                let there = versions.filter(|version| ledger.holds(*version));
                held.extend(there.map(|version| (version, event.time)));
            }
            true
        })?;
        for (version, at) in &held {
            ledger.shut_out(*version, *at);
            // A frame that cannot be read now hinders nobody from reading the others; its metadata go at the next opening.
            drop(self.catalog().purge_version(*version));
        }
        Ok(KeyOpening {
            shut_out: held.len() as u64,
            ..KeyOpening::default()
        })
    }

    fn unfinished_destructions(
        &self,
    ) -> Result<Vec<(RecordedEvent, KeyDestructionBegun, Run)>, ArchiveError> {
        let mut open: Vec<(RecordedEvent, KeyDestructionBegun)> = Vec::new();
        let mut ended = Vec::new();
        self.catalog().events(Topic::Records, &mut |event| {
            if let Some(begun) = event.as_::<KeyDestructionBegun>() {
                open.push((event, begun));
            } else if let Some(done) = event.as_::<KeysDestroyed>() {
                ended.push(done.begun);
            }
            true
        })?;
        // A destroyed key that is there again came with an old state of the key media: it is destroyed again.
        let ledger = self.keys().ledger();
        let is_back = |begun: &KeyDestructionBegun| {
            let versions = begun.version_ids();
            versions.iter().any(|version| ledger.holds(*version))
        };
        let waiting = open.into_iter().filter_map(|(event, begun)| {
            let run = match ended.contains(&event.id) {
                true if !is_back(&begun) => return None,
                true => Run::Again,
                false if !self.is_buried(&begun) => Run::First,
                false => Run::Interrupted,
            };
            Some((event, begun, run))
        });
        Ok(waiting.collect())
    }

    /// Whether the tombstones of an act stand already.
    fn is_buried(&self, begun: &KeyDestructionBegun) -> bool {
        let versions = begun.version_ids();
        let ledger = self.keys().ledger();
        versions
            .iter()
            .all(|one| ledger.destroyed_at(*one).is_some())
    }

    /// The highest epoch that an event names.
    fn recorded_epoch(&self) -> Result<Option<u32>, ArchiveError> {
        let mut epoch = None;
        for topic in [Topic::Keys, Topic::Records] {
            self.catalog().events(topic, &mut |event| {
                let named = event
                    .as_::<KeysRotated>()
                    .map(|one| one.epoch)
                    .or_else(|| Some(event.as_::<KeysDestroyed>()?.epoch))
                    .or_else(|| Some(event.as_::<KeysAudited>()?.epoch))
                    .or_else(|| Some(event.as_::<KeyCopyMade>()?.epoch));
                epoch = epoch.max(named);
                true
            })?;
        }
        Ok(epoch)
    }

    /// The configured key media, by their labels.
    #[must_use]
    pub fn key_media(&self) -> Vec<KeyMediumFact> {
        let roots = &self.keys().place().roots;
        roots.iter().map(|root| KeyMediumFact::of(root)).collect()
    }

    /// Every copy of the key medium that was ever made, or begun, or took part, and is not known to be gone.
    ///
    /// # Errors
    /// [`ArchiveError`] when the index is damaged.
    pub fn copies_made(&self) -> Result<Vec<KeyMediumFact>, ArchiveError> {
        self.other_copies(&[])
    }

    /// Those copies that are not among these.
    pub(crate) fn other_copies(
        &self,
        known: &[KeyMediumFact],
    ) -> Result<Vec<KeyMediumFact>, ArchiveError> {
        let is_same = |one: &KeyMediumFact, other: &KeyMediumFact| {
            one.medium.is_some() && one.medium == other.medium
        };
        let mut others: Vec<KeyMediumFact> = Vec::new();
        self.catalog().events(Topic::Keys, &mut |event| {
            if let Some(copy) = copy_in(&event) {
                if !others.iter().any(|one| is_same(one, &copy)) {
                    others.push(copy);
                }
            } else if let Some(gone) = copy_gone(&event) {
                others.retain(|one| !is_same(one, &gone));
            }
            true
        })?;
        others.retain(|one| !known.iter().any(|known| is_same(known, one)));
        Ok(others)
    }
}

pub(super) fn rfc3339(time: OffsetDateTime) -> String {
    // Only years outside of 0 to 9999 have no such text.
    time.format(&Rfc3339).unwrap_or_default()
}

const METHOD: &str = "cryptographic erase (NIST SP 800-88r2 §3.2), purge as far as the keys go";
const TECHNIQUE: &str = "a tombstone on every key medium; the other keys wrapped under a new key-encryption key; the old ledger files and \
     the old kek.json overwritten once and removed; the old key-encryption key destroyed in its provider";
const VERIFICATION: &str = "passed: every key medium was read again, entry by entry; none holds an entry of these versions, and every entry \
     stands under the new epoch";
