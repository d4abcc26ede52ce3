//! The ledger of backups: a fold over its events.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use formats::id::EventId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::BackupError;
use super::report::Drill;
use crate::archive::Archive;
use crate::event::{EventBody, RecordedEvent, Topic};
use crate::keys::KeyLedger;
use crate::keys::events::{KeyDestructionBegun, KeysDestroyed};
use crate::store::StoreError;
use crate::store::catalog::Catalog;

/// A backup was taken, read back and found whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupTaken {
    /// Its number, from 1.
    pub generation: u32,
    /// Where it was written.
    pub file: PathBuf,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of all but its last 32 bytes, which hold it, in hexadecimal.
    pub sha256: String,
    /// When, RFC 3339.
    pub created_at: String,
    /// Files in it.
    pub files: u64,
    /// Keys in it that no record version belongs to: interrupted deposits left them.
    #[serde(default)]
    pub keys_without_record: u64,
    /// The number of the backup key that it is sealed to; `None`: a passphrase opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_epoch: Option<u32>,
    /// The code of the ceremony that parted that key, as it stands on the sheets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceremony: Option<String>,
}

/// A backup is being written. It is recorded before its first byte: one that a crash left is not forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupBegun {
    /// Its number, from 1.
    pub generation: u32,
    /// Where it is written.
    pub file: PathBuf,
    /// When, RFC 3339.
    pub created_at: String,
}

/// A backup is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupDestroyed {
    /// Its number.
    pub generation: u32,
    /// Where it was.
    pub file: PathBuf,
    /// Why.
    pub because: DestroyedBecause,
}

/// Why a backup was destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DestroyedBecause {
    /// Newer ones took its place: it was overwritten and removed.
    Superseded,
    /// It held keys that were destroyed since: it was overwritten and removed.
    HoldsDestroyedKeys,
    /// A person said that it was destroyed where it was kept.
    Confirmed,
    /// It was not finished: an error stopped it, and nothing of it was left.
    NotFinished,
}

impl EventBody for BackupTaken {
    const KIND: &'static str = "backup-taken";
    const TOPIC: Topic = Topic::Configuration;
}

impl EventBody for BackupBegun {
    const KIND: &'static str = "backup-begun";
    const TOPIC: Topic = Topic::Configuration;
}

impl EventBody for BackupDestroyed {
    const KIND: &'static str = "backup-destroyed";
    const TOPIC: Topic = Topic::Configuration;
}

impl BackupTaken {
    /// Whether it was read back and found whole. Of one that was only begun nobody knows: a crash may have left all of it, a part, or nothing.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        !self.sha256.is_empty()
    }
}

impl From<BackupBegun> for BackupTaken {
    fn from(begun: BackupBegun) -> Self {
        Self {
            generation: begun.generation,
            file: begun.file,
            bytes: 0,
            sha256: String::new(),
            created_at: begun.created_at,
            files: 0,
            keys_without_record: 0,
            key_epoch: None,
            ceremony: None,
        }
    }
}

/// What is known of an archive's backups.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Backups {
    /// By their numbers, those that were begun and not finished ([`BackupTaken::is_finished`]) among them.
    pub taken: BTreeMap<u32, BackupTaken>,
    /// Those that are no more.
    pub destroyed: BTreeMap<u32, BackupDestroyed>,
    /// The last restore drill, and when.
    pub drill: Option<(OffsetDateTime, Drill)>,
    /// The first event of each.
    begun: BTreeMap<u32, EventId>,
    /// Destructions of keys that were decided and have not ended.
    destructions_open: BTreeSet<EventId>,
    /// The event of the one that ended last.
    destruction_ended: Option<EventId>,
}

impl Backups {
    /// Reads the ledger.
    ///
    /// # Errors
    /// [`BackupError::Archive`] when the index is damaged.
    pub fn read(archive: &Archive) -> Result<Self, BackupError> {
        Ok(Self::of(archive.catalog())?)
    }

    /// Reads the ledger.
    ///
    /// # Errors
    /// The index is damaged.
    pub(crate) fn of(catalog: &Catalog) -> Result<Self, StoreError> {
        let mut backups = Self::default();
        for topic in [Topic::Configuration, Topic::Records] {
            catalog.events(topic, &mut |event| {
                backups.fold(&event);
                true
            })?;
        }
        Ok(backups)
    }

    /// Takes a further event, in the order of the events of its topic.
    pub fn fold(&mut self, event: &RecordedEvent) {
        if let Some(taken) = event.as_::<BackupTaken>() {
            self.begun.entry(taken.generation).or_insert(event.id);
            self.taken.insert(taken.generation, taken);
        } else if event.kind == KeyDestructionBegun::KIND {
            self.destructions_open.insert(event.id);
        } else if let Some(done) = event.as_::<KeysDestroyed>() {
            self.destructions_open.remove(&done.begun);
            self.destruction_ended = self.destruction_ended.max(Some(event.id));
        } else if let Some(begun) = event.as_::<BackupBegun>() {
            self.begun.entry(begun.generation).or_insert(event.id);
            self.taken
                .entry(begun.generation)
                .or_insert_with(|| begun.into());
        } else if let Some(destroyed) = event.as_::<BackupDestroyed>() {
            self.destroyed.insert(destroyed.generation, destroyed);
        } else if let Some(drill) = event.as_::<Drill>() {
            self.drill = Some((event.time, drill));
        }
    }

    /// The number of the next backup.
    #[must_use]
    pub fn next_generation(&self) -> u32 {
        self.taken
            .last_key_value()
            .map_or(1, |(last, _)| last.saturating_add(1))
    }

    /// Those that still exist, as far as is known, oldest first.
    pub fn kept(&self) -> impl Iterator<Item = &BackupTaken> {
        let taken = self.taken.values();
        taken.filter(|one| !self.destroyed.contains_key(&one.generation))
    }

    /// Those that hold keys which were destroyed since they were begun, and all as long as a destruction has not ended: the order of events counts,
    /// and not what the clock said. A tombstone that no event tells of (the data media are older than the key media) counts by its time.
    #[must_use]
    pub fn to_be_destroyed(&self, ledger: &KeyLedger) -> Vec<&BackupTaken> {
        let newest = ledger.destroyed().into_iter().map(|(_, when)| when).max();
        let is_doomed = |one: &&BackupTaken| {
            let begun = self.begun.get(&one.generation).copied();
            !self.destructions_open.is_empty()
                || self
                    .destruction_ended
                    .is_some_and(|ended| begun.is_none_or(|begun| begun < ended))
                || newest.is_some_and(|newest| is_before(one, newest))
        };
        self.kept().filter(is_doomed).collect()
    }
}

/// Whether a backup was taken before a time. One whose time cannot be read was.
fn is_before(one: &BackupTaken, time: OffsetDateTime) -> bool {
    OffsetDateTime::parse(&one.created_at, &Rfc3339).map_or(true, |created| created <= time)
}
