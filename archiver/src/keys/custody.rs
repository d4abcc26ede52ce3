//! Who can open the key medium, recorded in the archive: ceremonies and passphrases, and never what opens.
//!
//! `kek.json` says how it is sealed. Whoever opens the archive for writing compares that with what was recorded last, so a ceremony that was held
//! without any data medium is recorded later, and none is forgotten.

use serde::{Deserialize, Serialize};

use super::erasure::rfc3339;
use super::provider::custodians::BackupKey;
use super::provider::{SealedBy, sealed_by};
use crate::archive::{Archive, ArchiveError};
use crate::event::{EventBody, RecordedEvent, Topic};
use crate::keys::events::KeysDestroyed;

/// The key medium was sealed under the shares of custodians.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CeremonyHeld {
    /// The code of the ceremony, as it stands on the sheets.
    pub ceremony: String,
    /// When it was held, RFC 3339.
    pub held_at: String,
    /// How many shares unlock.
    pub threshold: u8,
    /// How many there are.
    pub shares: u8,
    /// Who holds them, in the order of their numbers.
    pub custodians: Vec<String>,
}

/// The key medium was sealed under a passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PassphraseSet {
    /// Names the passphrase without saying anything about it: the beginning of SHA-256 of its salt, hexadecimal.
    pub name: String,
    /// Whether something else was recorded before. `false`: what is recorded is how the archive was found.
    pub changed: bool,
    /// Memory of the derivation in KiB.
    pub memory_kib: u32,
    /// Its passes.
    pub passes: u32,
    /// Its lanes.
    pub lanes: u32,
}

/// The key that backups are sealed to was made, and its private half parted among custodians.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BackupKeyMade {
    /// What is public of it.
    pub key: BackupKey,
}

impl EventBody for BackupKeyMade {
    const KIND: &'static str = "backup-key-made";
    const TOPIC: Topic = Topic::Keys;
}

impl EventBody for CeremonyHeld {
    const KIND: &'static str = "ceremony-held";
    const TOPIC: Topic = Topic::Keys;
}

impl EventBody for PassphraseSet {
    const KIND: &'static str = "passphrase-set";
    const TOPIC: Topic = Topic::Keys;
}

impl Archive {
    /// Records how the key medium is sealed, where that is not what was recorded last.
    ///
    /// # Errors
    /// As [`Archive::record_event`].
    pub fn record_custody(&self, by: &str) -> Result<(), ArchiveError> {
        let file = self.keys().provider().file()?;
        let Some(sealed_by) = sealed_by(&file) else {
            return Ok(());
        };
        let mut last = None;
        self.catalog().events(Topic::Keys, &mut |event| {
            if let Some(held) = event.as_::<CeremonyHeld>() {
                last = Some(held.ceremony);
            } else if let Some(set) = event.as_::<PassphraseSet>() {
                last = Some(set.name);
            }
            true
        })?;
        match sealed_by {
            SealedBy::Passphrase { name, parameters } => {
                if last.as_ref() != Some(&name) {
                    let facts = PassphraseSet {
                        name,
                        changed: last.is_some(),
                        memory_kib: parameters.memory_kib,
                        passes: parameters.passes,
                        lanes: parameters.lanes,
                    };
                    self.record_event(by, &facts)?;
                }
            }
            SealedBy::Custodians(held) => {
                let origin = held.origin(self.keys().archive());
                let ceremony = origin.map(|code| code.to_string()).unwrap_or_default();
                if last.as_ref() != Some(&ceremony) {
                    let facts = CeremonyHeld {
                        ceremony,
                        held_at: rfc3339(held.held_at),
                        threshold: held.threshold,
                        shares: u8::try_from(held.custodians.len()).unwrap_or(u8::MAX),
                        custodians: held.custodians.into_iter().map(|one| one.name).collect(),
                    };
                    self.record_event(by, &facts)?;
                }
            }
        }
        Ok(())
    }

    /// The key that backups are sealed to now, and whether who opens the key medium changed since it was made. `None`: no ceremony for backups
    /// was held.
    ///
    /// # Errors
    /// [`ArchiveError`] when the index is damaged.
    pub fn backup_key(&self) -> Result<Option<(BackupKey, bool)>, ArchiveError> {
        let mut last = None;
        self.catalog().events(Topic::Keys, &mut |event| {
            if let Some(made) = event.as_::<BackupKeyMade>() {
                last = Some((made.key, false));
            } else if let Some((_, changed)) = &mut last {
                *changed |= event.kind == CeremonyHeld::KIND;
            }
            true
        })?;
        Ok(last)
    }

    /// What happened to the keys, in the order of time.
    ///
    /// # Errors
    /// [`ArchiveError`] when the index is damaged.
    pub fn key_events(&self) -> Result<Vec<RecordedEvent>, ArchiveError> {
        let mut events = Vec::new();
        self.catalog().events(Topic::Keys, &mut |event| {
            events.push(event);
            true
        })?;
        self.catalog().events(Topic::Records, &mut |event| {
            if event.kind == KeysDestroyed::KIND {
                events.push(event);
            }
            true
        })?;
        events.sort_by_key(|event| event.id);
        Ok(events)
    }
}
