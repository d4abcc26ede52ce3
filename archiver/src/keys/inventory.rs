//! The inventory of keys: what there is, for what, where, who answers for it, in which state, and when it is looked at next
//! (ECOM 2003 Tb4.1(1), Tb4.2 Table 3-25).

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::error::KeyError;
use super::events::{
    KeyCopyMade, KeyDestructionBegun, KeyMediumFact, KeysAudited, KeysDestroyed, KeysRotated,
};
use super::ledger::CopyCondition;
use super::provider::ProviderDescription;
use super::sealed;
use crate::archive::{Archive, ArchiveError};
use crate::event::{RecordedEvent, Topic};
use crate::store::catalog::ManifestOpener;

/// What a key is for, which decides what its leak means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyRole {
    /// What opens the key-encryption keys: passphrase, shares or PIN.
    Unlock,
    /// Wraps all others.
    KeyEncryption,
    /// Seals index, events and receipts.
    Catalog,
    /// Each seals one record version.
    Data,
    /// A private key that signs.
    Signing,
}

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// In use.
    Active,
    /// Replaced, and still there until a rotation comes to its end.
    Retired,
    /// Destroyed.
    Destroyed,
}

/// A line of the inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyItem {
    /// Its name.
    pub name: String,
    /// What it is.
    pub role: KeyRole,
    /// How many keys the line stands for.
    pub count: u64,
    /// What it is used for.
    pub purpose: String,
    /// Its state.
    pub state: KeyState,
    /// The epoch that it is, or is wrapped under.
    pub epoch: Option<u32>,
    /// Since when it is in this state, RFC 3339, where it is known.
    pub since: Option<String>,
    /// The occasion.
    pub occasion: &'static str,
}

/// A place at which keys stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyPlaceItem {
    /// The key medium.
    #[serde(flatten)]
    pub medium: KeyMediumFact,
    /// Whether it is the key medium, a copy that is kept in step, or a copy that was made at some time.
    pub kind: &'static str,
    /// `in-service`, `missing`, `out-of-service`, or `outside`: nobody keeps it in step.
    pub condition: &'static str,
    /// The epoch of what stands on it, as far as it is known.
    pub epoch: Option<u32>,
    /// Damaged entries of its ledger.
    pub damaged: u64,
    /// Entries of zeros, or cut by them.
    pub unwritten: u64,
}

/// Something that happened to the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyEvent {
    /// When, RFC 3339.
    pub time: String,
    /// What, as the event's kind says it.
    pub kind: String,
    /// Who did it.
    pub by: String,
    /// The facts.
    pub facts: serde_json::Value,
}

/// All keys of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyInventory {
    /// Who answers for the keys (`key_responsible`).
    pub responsible: Option<String>,
    /// What holds the key-encryption keys.
    pub provider: ProviderDescription,
    /// The keys.
    pub items: Vec<KeyItem>,
    /// The key media.
    pub places: Vec<KeyPlaceItem>,
    /// What happened to the keys, in the order of time.
    pub events: Vec<KeyEvent>,
    /// When the keys were inspected last, RFC 3339.
    pub inspected_at: Option<String>,
    /// When they are to be inspected next, RFC 3339.
    pub inspection_due: String,
}

/// What an inspection of the keys found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyAudit {
    /// Keys that were opened.
    pub keys: u64,
    /// Versions whose manifest was opened with their key.
    pub records: u64,
    /// Keys without a record: interrupted deposits leave them.
    pub orphans: u64,
    /// Other secrets that were opened.
    pub secrets: u64,
    /// What did not open, by name.
    pub failed: Vec<String>,
}

/// Which part of how many an inspection takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditPart {
    /// From 1.
    pub part: u64,
    /// Of how many.
    pub parts: u64,
}

impl Archive {
    /// The inventory, as of now.
    ///
    /// # Errors
    /// [`ArchiveError`] when the index is damaged or the ledger cannot be read.
    pub fn key_inventory(&self) -> Result<KeyInventory, ArchiveError> {
        let keys = self.keys();
        let provider = keys.provider().describe();
        let history = self.key_history()?;
        let mut items = vec![KeyItem {
            name: "unlocking secret".to_owned(),
            role: KeyRole::Unlock,
            count: 1,
            purpose: provider.protection.clone(),
            state: KeyState::Active,
            epoch: None,
            since: None,
            occasion: "set when the archive was made, or by a ceremony",
        }];
        items.extend(history.epochs(&provider));
        items.push(KeyItem {
            name: "catalog key".to_owned(),
            role: KeyRole::Catalog,
            count: 1,
            purpose: "seals index, events and receipts".to_owned(),
            state: KeyState::Active,
            epoch: Some(provider.current_epoch),
            since: history.made.clone(),
            occasion: "the archive was made",
        });
        let ledger = keys.ledger();
        for (state, count, occasion) in [
            (
                KeyState::Active,
                ledger.versions().len(),
                "one for each deposit",
            ),
            (
                KeyState::Destroyed,
                ledger.destroyed().len(),
                "records were destroyed",
            ),
        ] {
            items.push(KeyItem {
                name: "data keys".to_owned(),
                role: KeyRole::Data,
                count: count as u64,
                purpose: "each seals the contents and the manifest of one record version"
                    .to_owned(),
                state,
                epoch: (state == KeyState::Active).then_some(provider.current_epoch),
                since: None,
                occasion,
            });
        }
        items.extend(self.unnamed_items()?);
        items.extend(self.sealed_items()?);
        let due = history.inspected.unwrap_or(history.made_at) + INSPECTION_INTERVAL;
        Ok(KeyInventory {
            responsible: self.config().key_responsible.clone(),
            items,
            places: self.key_places(&history, &provider)?,
            events: self.key_events()?.into_iter().map(KeyEvent::of).collect(),
            inspected_at: history.inspected.map(super::erasure::rfc3339),
            inspection_due: super::erasure::rfc3339(due),
            provider,
        })
    }

    /// Opens keys, and with each the manifest of its version. What is found is recorded.
    ///
    /// # Errors
    /// [`ArchiveError`] when a medium cannot be read or the inspection cannot be recorded. A key that does not open is no error: it is in the report.
    pub fn audit_keys(
        &self,
        by: &str,
        part: AuditPart,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<KeyAudit, ArchiveError> {
        let mut audit = KeyAudit::default();
        let opener = self.manifest_opener()?;
        let versions = self.keys().ledger().versions();
        let total = versions.len() as u64;
        for (number, version) in (0..).zip(versions) {
            if number % part.parts.max(1) + 1 != part.part {
                continue;
            }
            if self.keys().ledger().data_key(version).is_err() {
                audit.failed.push(version.to_string());
                continue;
            }
            audit.keys += 1;
            match self.catalog().version(version)? {
                None => audit.orphans += 1,
                Some(hit) => {
                    let frame = self.store().read(hit.address)?;
                    if let formats::segment::Frame::RecordVersion(frame) = frame
                        && opener.open_manifest(&frame).is_ok()
                    {
                        audit.records += 1;
                    } else {
                        audit.failed.push(version.to_string());
                    }
                }
            }
            progress(number + 1, total);
        }
        self.audit_records_without_key(&mut audit)?;
        for root in self.keys().roots_in_service() {
            for relative in sealed::files(&root)?
                .iter()
                .filter(|one| sealed::is_sealed(one))
            {
                let path = root.join(relative);
                let opens = sealed::kind_of(relative).is_some_and(|kind| {
                    let read = crate::store::durable::read_settled(&path);
                    read.is_ok_and(|sealed| self.keys().open_secret(kind.label, &sealed).is_ok())
                });
                if opens {
                    audit.secrets += 1;
                } else {
                    audit.failed.push(path.display().to_string());
                }
            }
        }
        let mut failed = audit.failed.clone();
        failed.truncate(super::erasure::DESTROYED_MAX);
        let facts = KeysAudited {
            part: part.part,
            parts: part.parts,
            keys: audit.keys,
            records: audit.records,
            failed,
            epoch: self.keys().provider().current_epoch(),
            media: self.key_media(),
        };
        self.record_event(by, &facts)?;
        Ok(audit)
    }

    /// Records that the ledger holds no key for, and whose key was not destroyed.
    fn audit_records_without_key(&self, audit: &mut KeyAudit) -> Result<(), ArchiveError> {
        let ledger = self.keys().ledger();
        self.catalog().for_each(&mut |hit| {
            if !ledger.holds(hit.version) && ledger.destroyed_at(hit.version).is_none() {
                audit.failed.push(hit.version.to_string());
            }
            true
        })?;
        Ok(())
    }

    /// Keys in a token that no file names.
    fn unnamed_items(&self) -> Result<Vec<KeyItem>, KeyError> {
        let epochs = self.keys().provider().unnamed_epochs()?.into_iter();
        Ok(epochs
            .map(|epoch| KeyItem {
                name: format!("key-encryption key, epoch {epoch}"),
                role: KeyRole::KeyEncryption,
                count: 1,
                purpose: UNNAMED.to_owned(),
                state: KeyState::Retired,
                epoch: Some(epoch),
                since: None,
                occasion: "an interrupted rotation",
            })
            .collect())
    }

    fn sealed_items(&self) -> Result<Vec<KeyItem>, KeyError> {
        let root = self.keys().root();
        let mut items = Vec::new();
        for relative in sealed::files(root)?
            .iter()
            .filter(|one| sealed::is_sealed(one))
        {
            let sealed = crate::store::durable::read_settled(&root.join(relative)).ok();
            items.push(KeyItem {
                name: relative.display().to_string(),
                role: KeyRole::Signing,
                count: 1,
                purpose: sealed::kind_of(relative)
                    .map_or("not known to this program", |kind| kind.purpose)
                    .to_owned(),
                state: KeyState::Active,
                epoch: sealed.as_deref().and_then(sealed::epoch_of),
                since: None,
                occasion: "made by 'archiver init' or 'archiver keys signing'",
            });
        }
        Ok(items)
    }

    fn key_places(
        &self,
        history: &History,
        provider: &ProviderDescription,
    ) -> Result<Vec<KeyPlaceItem>, ArchiveError> {
        let mut places = Vec::new();
        let mut kind = "key medium";
        for state in self.keys().ledger().copies() {
            let condition = match state.condition {
                CopyCondition::InService => "in-service",
                CopyCondition::Missing => "missing",
                CopyCondition::OutOfService { .. } => "out-of-service",
            };
            places.push(KeyPlaceItem {
                medium: KeyMediumFact::of(&state.root),
                kind,
                condition,
                epoch: (condition == "in-service").then_some(provider.current_epoch),
                damaged: state.damaged,
                unwritten: state.unwritten,
            });
            kind = "copy in step";
        }
        let known: Vec<KeyMediumFact> = places.iter().map(|one| one.medium.clone()).collect();
        for medium in self.other_copies(&known)? {
            let made = history.copies.iter().rev().find(|made| made.copy == medium);
            places.push(KeyPlaceItem {
                epoch: made.map(|made| made.epoch),
                medium,
                kind: "copy made",
                condition: "outside",
                damaged: 0,
                unwritten: 0,
            });
        }
        for intake in self.intake_media()? {
            places.push(KeyPlaceItem {
                medium: intake.medium,
                kind: "intake medium",
                condition: "outside",
                epoch: None,
                damaged: 0,
                unwritten: 0,
            });
        }
        Ok(places)
    }

    fn key_history(&self) -> Result<History, ArchiveError> {
        let root = self.keys().root();
        let label = crate::store::read_label(root).ok();
        let made_at = label.map_or_else(|| self.environment().clock.now(), |one| one.created_at);
        let mut history = History {
            made: Some(super::erasure::rfc3339(made_at)),
            made_at,
            inspected: None,
            changes: Vec::new(),
            copies: Vec::new(),
        };
        for topic in [Topic::Keys, Topic::Records] {
            self.catalog().events(topic, &mut |event| {
                if let Some(rotated) = event.as_::<KeysRotated>() {
                    history.change(rotated.epoch, &rotated.epochs_destroyed, event.time, false);
                } else if let Some(done) = event.as_::<KeysDestroyed>() {
                    history.change(done.epoch, &done.epochs_destroyed, event.time, true);
                } else if event.as_::<KeysAudited>().is_some() {
                    history.inspected = history.inspected.max(Some(event.time));
                } else if let Some(made) = event.as_::<KeyCopyMade>() {
                    history.copies.push(made);
                } else if event.as_::<KeyDestructionBegun>().is_some() {
                    // What it led to is in the event that ends it.
                }
                true
            })?;
        }
        Ok(history)
    }
}

impl KeyEvent {
    fn of(event: RecordedEvent) -> Self {
        Self {
            time: super::erasure::rfc3339(event.time),
            kind: event.kind,
            by: event.by,
            facts: event.facts,
        }
    }
}

/// What the events say about epochs.
struct History {
    made: Option<String>,
    made_at: OffsetDateTime,
    inspected: Option<OffsetDateTime>,
    changes: Vec<EpochChange>,
    copies: Vec<KeyCopyMade>,
}

struct EpochChange {
    epoch: u32,
    state: KeyState,
    since: String,
    by_destruction: bool,
}

impl History {
    fn change(&mut self, epoch: u32, destroyed: &[u32], time: OffsetDateTime, destruction: bool) {
        let mut push = |epoch, state| {
            self.changes.push(EpochChange {
                epoch,
                state,
                since: super::erasure::rfc3339(time),
                by_destruction: destruction,
            });
        };
        push(epoch, KeyState::Active);
        for old in destroyed {
            push(*old, KeyState::Destroyed);
        }
    }

    /// A line for each epoch that there is or was.
    fn epochs(&self, provider: &ProviderDescription) -> Vec<KeyItem> {
        let mut all: Vec<u32> = provider.epochs.clone();
        all.extend(self.changes.iter().map(|change| change.epoch));
        all.sort_unstable();
        all.dedup();
        let item = |epoch: u32| {
            let state = if epoch == provider.current_epoch {
                KeyState::Active
            } else if provider.epochs.contains(&epoch) {
                KeyState::Retired
            } else {
                KeyState::Destroyed
            };
            let change = self
                .changes
                .iter()
                .rev()
                .find(|change| change.epoch == epoch && change.state == state);
            let occasion = match change {
                Some(change) if change.by_destruction => "records were destroyed",
                Some(_) => "rotation",
                None => "the archive was made",
            };
            KeyItem {
                name: format!("key-encryption key, epoch {epoch}"),
                role: KeyRole::KeyEncryption,
                count: 1,
                purpose: "wraps the data keys, the catalog key and the signing keys".to_owned(),
                state,
                epoch: Some(epoch),
                since: change
                    .map(|change| change.since.clone())
                    .or_else(|| self.made.clone()),
                occasion,
            }
        };
        all.into_iter().map(item).collect()
    }
}

const UNNAMED: &str = "stands in the token, and no file that is here names it: its file may stand on a key medium that is away";

/// Keys are inspected at least once a year.
const INSPECTION_INTERVAL: Duration = Duration::days(365);
