//! The key ledger (鍵台帳): every wrapped data key, append-only, on the key medium.
//!
//! **Contract.** A key that [`KeyLedger::commit`] acknowledged is on every key medium in service. Entries are only added, until the ledger is
//! wrapped anew ([`KeyLedger::rotate`], [`KeyLedger::destroy`]); the files shrink otherwise only by an entry that was cut off half-way by a
//! crash, which nobody can have been told about. A damaged entry stays where it is, is counted and is skipped. The order of
//! durability is the caller's: commit the key before, or together with, the frame that makes its record version visible.

mod compact;
mod copies;
mod copying;
mod damage;
mod entry;
mod files;
mod joining;
mod listing;
mod place;
mod places;
mod plan;
mod proving;
mod rotation;
mod writing;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use firmware::entropy::Entropy;
use formats::id::{ArchiveId, VersionId};
use time::OffsetDateTime;

use super::error::KeyError;
use super::provider::KekProvider;
use super::secret::{DataKey, KEY_BYTES, KeyOwner};
use crate::store::durable::Disk;
use copies::Copy as KeyCopy;
use entry::{LedgerEntry, Tombstone, wrap_context};
use files::{LedgerFiles, OpenedLedger};
use places::Places;

pub use copies::{CopyCondition, CopyState, LedgerPlace};
pub use copying::CopyOptions;
pub use damage::DamagedEntries;
pub(in crate::keys) use files::{epoch_at, take_lock as lock};
pub use joining::CustodyDiverging;
pub(in crate::keys) use joining::epochs_in;
pub use rotation::{OtherSecrets, RotationProgress, RotationReport, RotationStep};

/// Whether a ledger is opened to add keys, or only to find them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerAccess {
    /// Keys are found. Nothing on the medium changes.
    Read,
    /// Keys are found and added. Only one process at a time.
    Write,
}

/// What opening the ledger found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerReport {
    /// Whole entries.
    pub entries: u64,
    /// Tombstones: keys that were destroyed.
    pub destroyed: u64,
    /// Bytes of a half-written last entry. They are cut off when the ledger is opened to be written.
    pub torn_bytes: u64,
    /// Entries of zeros, which a power loss can leave behind.
    pub holes: u64,
    /// Damaged entries with zeros where they begin or end, which a power loss can leave behind, too.
    pub cut: u64,
    /// Where damaged entries and headers stand: the file and the offset in it.
    pub damaged: Vec<(PathBuf, u64)>,
}

impl LedgerReport {
    /// Entries that were never written whole, or were damaged so that they look like it.
    #[must_use]
    pub const fn unwritten(&self) -> u64 {
        self.holes + self.cut
    }
}

/// How far the ledger must be durable for a staged key to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[must_use = "a staged key is not durable before KeyLedger::commit"]
pub struct LedgerTicket(u64);

/// A data key that has sealed nothing yet.
///
/// Only [`KeyLedger::wrap_new`] makes one, and a sealer consumes it: so no key ever seals two versions, and no nonce under it
/// comes twice.
#[derive(Debug)]
pub struct StagedKey {
    version: VersionId,
    key: DataKey,
    ticket: LedgerTicket,
}

/// The key ledger of one archive, opened with its key-encryption keys.
pub struct KeyLedger {
    archive: ArchiveId,
    provider: Arc<dyn KekProvider>,
    entropy: Arc<dyn Entropy>,
    place: LedgerPlace,
    access: LedgerAccess,
    copies: Vec<KeyCopy>,
    report: LedgerReport,
    state: Mutex<State>,
    flushed: Condvar,
}

struct State {
    /// The copy that is read.
    leader: usize,
    files: Arc<LedgerFiles>,
    /// Where the durable entries stand on it.
    places: Places,
    destroyed: HashMap<KeyOwner, Tombstone>,
    /// Keys that are there and must not be used ([`KeyLedger::shut_out`]).
    shut_out: HashMap<KeyOwner, OffsetDateTime>,
    /// The files when they were read last.
    shape: Vec<(u32, u64)>,
    /// The lowest epoch under which a staged key may be written.
    epoch: u32,
    /// Staged entries that are not yet known to be durable.
    staged: HashMap<KeyOwner, LedgerEntry>,
    /// Whose staged entries no flush has taken, in order.
    waiting: Vec<KeyOwner>,
    staged_count: u64,
    durable_count: u64,
    /// Somebody writes, and nobody else may.
    flushing: bool,
    stopped: bool,
}

impl State {
    /// Takes what was read from the leading copy.
    fn hold(&mut self, opened: OpenedLedger) {
        self.files = Arc::new(opened.files);
        self.places = opened.places;
        self.destroyed = opened.destroyed;
        self.shape = opened.shape;
    }
}

impl StagedKey {
    /// The version that the key is for.
    #[must_use]
    pub const fn version(&self) -> VersionId {
        self.version
    }

    /// What to commit before the version becomes visible.
    pub const fn ticket(&self) -> LedgerTicket {
        self.ticket
    }

    pub(crate) fn into_key(self) -> DataKey {
        self.key
    }
}

impl KeyLedger {
    /// Makes the first file of a ledger in the existing key medium `root`.
    ///
    /// # Errors
    /// [`KeyError::AlreadyCreated`] when there is a ledger; [`KeyError::Io`], [`KeyError::Full`].
    pub fn create(disk: &dyn Disk, root: &Path, archive: ArchiveId) -> Result<(), KeyError> {
        files::create(disk, root, archive)
    }

    /// Opens the ledger on its key media, and brings them into step when it is to be written.
    ///
    /// # Errors
    /// [`KeyError::MediumMissing`] when no key medium holds a ledger; [`KeyError::InUse`] when another process writes to it;
    /// [`KeyError::OtherArchive`], [`KeyError::UnsupportedFormat`]; [`KeyError::CopiesMissing`], [`KeyError::CopiesDiverge`],
    /// [`KeyError::KeysDiverge`] when it cannot be written; [`KeyError::Io`].
    pub fn open(
        place: LedgerPlace,
        archive: ArchiveId,
        access: LedgerAccess,
        provider: Arc<dyn KekProvider>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        let copies::OpenedCopies {
            copies,
            leader,
            mut opened,
        } = copies::open(&place, archive, access, &*provider)?;
        let report = std::mem::take(&mut opened.report);
        let mut state = State {
            leader,
            files: Arc::default(),
            places: Places::default(),
            destroyed: HashMap::new(),
            shut_out: HashMap::new(),
            shape: Vec::new(),
            epoch: provider.current_epoch(),
            staged: HashMap::new(),
            waiting: Vec::new(),
            staged_count: 0,
            durable_count: 0,
            flushing: false,
            stopped: false,
        };
        state.hold(opened);
        Ok(Self {
            archive,
            provider,
            entropy,
            place,
            access,
            copies,
            report,
            state: Mutex::new(state),
            flushed: Condvar::new(),
        })
    }

    /// The key media and what opening did to each.
    #[must_use]
    pub fn copies(&self) -> Vec<CopyState> {
        self.copies.iter().map(KeyCopy::state).collect()
    }

    /// Where the copy is mounted that is read.
    ///
    /// # Errors
    /// [`KeyError::Stopped`] when there is none any more.
    pub fn leading_root(&self) -> Result<&Path, KeyError> {
        Ok(&self.leader()?.root)
    }

    /// The epoch under which the key of a version is wrapped.
    ///
    /// # Errors
    /// As [`KeyLedger::data_key`], without opening the key.
    pub fn epoch_of(&self, version: VersionId) -> Result<u32, KeyError> {
        Ok(self.entry(version.into())?.wrapped.epoch)
    }

    /// What opening found.
    #[must_use]
    pub const fn report(&self) -> &LedgerReport {
        &self.report
    }

    /// Makes and wraps a data key for a version that has none. It is staged: not durable before [`KeyLedger::commit`].
    ///
    /// # Errors
    /// [`KeyError::AlreadyHasKey`], [`KeyError::ReadOnly`], [`KeyError::Stopped`], [`KeyError::Entropy`].
    pub fn wrap_new(&self, version: VersionId) -> Result<StagedKey, KeyError> {
        let (key, ticket) = self.stage(version.into())?;
        Ok(StagedKey {
            version,
            key,
            ticket,
        })
    }

    /// Makes the key of the archive's catalog, once, when the archive is made. Not durable before [`KeyLedger::commit`].
    ///
    /// # Errors
    /// As [`KeyLedger::wrap_new`].
    pub fn wrap_catalog(&self) -> Result<LedgerTicket, KeyError> {
        Ok(self.stage(KeyOwner::catalog(self.archive))?.1)
    }

    /// Blocks until the staged key is on the medium. Callers at the same time share one `fdatasync`.
    ///
    /// # Errors
    /// [`KeyError::Full`] or [`KeyError::Io`] for the caller whose write failed, [`KeyError::Stopped`] for all others: after a
    /// failed write nobody knows what is on the medium, so the ledger takes nothing more until it is opened again.
    pub fn commit(&self, ticket: LedgerTicket) -> Result<(), KeyError> {
        let mut state = self.lock();
        loop {
            if state.durable_count >= ticket.0 {
                return Ok(());
            }
            if state.stopped {
                return Err(KeyError::Stopped);
            }
            if state.flushing {
                state = self
                    .flushed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state = self.flush(state)?;
        }
    }

    /// The data key of a version.
    ///
    /// # Errors
    /// [`KeyError::KeyMissing`], [`KeyError::KeyDamaged`], [`KeyError::UnknownEpoch`], [`KeyError::Io`].
    pub fn data_key(&self, version: VersionId) -> Result<DataKey, KeyError> {
        self.key_of(version.into())
    }

    /// The key of the archive's catalog and events.
    ///
    /// # Errors
    /// As [`KeyLedger::data_key`].
    pub fn catalog_key(&self) -> Result<DataKey, KeyError> {
        self.key_of(KeyOwner::catalog(self.archive))
    }

    /// Takes over the data key of a version that an intake host made. Not durable before [`KeyLedger::commit`].
    ///
    /// # Errors
    /// As [`KeyLedger::wrap_new`].
    pub fn adopt(&self, version: VersionId, key: DataKey) -> Result<LedgerTicket, KeyError> {
        Ok(self.stage_key(version.into(), key)?.1)
    }

    fn stage(&self, owner: KeyOwner) -> Result<(DataKey, LedgerTicket), KeyError> {
        if self.access == LedgerAccess::Read {
            return Err(KeyError::ReadOnly);
        }
        self.stage_key(owner, DataKey::generate(&*self.entropy)?)
    }

    fn stage_key(
        &self,
        owner: KeyOwner,
        key: DataKey,
    ) -> Result<(DataKey, LedgerTicket), KeyError> {
        if self.access == LedgerAccess::Read {
            return Err(KeyError::ReadOnly);
        }
        let context = wrap_context(self.archive, owner);
        loop {
            let wrapped = self.provider.wrap(&context, key.expose())?;
            let entry = LedgerEntry { owner, wrapped };
            entry.encode().ok_or(KeyError::KeyDerivation)?;
            let mut state = self.lock();
            if state.stopped {
                return Err(KeyError::Stopped);
            }
            if state.places.contains_key(&owner)
                || state.staged.contains_key(&owner)
                || state.destroyed.contains_key(&owner)
            {
                return Err(KeyError::AlreadyHasKey { owner });
            }
            // A rotation came in between: its old epoch will not be there much longer.
            if entry.wrapped.epoch < state.epoch {
                continue;
            }
            state.staged.insert(owner, entry);
            state.waiting.push(owner);
            state.staged_count += 1;
            return Ok((key, LedgerTicket(state.staged_count)));
        }
    }

    fn leader(&self) -> Result<&KeyCopy, KeyError> {
        let leader = self.lock().leader;
        self.copies.get(leader).ok_or(KeyError::Stopped)
    }

    fn in_service(&self) -> impl Iterator<Item = &KeyCopy> {
        self.copies.iter().filter(|copy| copy.sink().is_some())
    }

    fn key_of(&self, owner: KeyOwner) -> Result<DataKey, KeyError> {
        let key = self.open_key(owner);
        let gone = matches!(
            key,
            Err(KeyError::KeyMissing { .. }
                | KeyError::KeyDamaged { .. }
                | KeyError::UnknownEpoch { .. })
        );
        // Another process may have added keys or wrapped all of them anew since.
        if gone && self.access == LedgerAccess::Read && self.refresh()? {
            return self.open_key(owner);
        }
        key
    }

    fn open_key(&self, owner: KeyOwner) -> Result<DataKey, KeyError> {
        let entry = self.entry(owner)?;
        let opened = self
            .provider
            .unwrap(&wrap_context(self.archive, owner), &entry.wrapped)?
            .ok_or(KeyError::KeyDamaged { owner })?;
        let bytes: &[u8; KEY_BYTES] = opened
            .as_slice()
            .try_into()
            .map_err(|_| KeyError::KeyDamaged { owner })?;
        Ok(DataKey::from_bytes(bytes))
    }

    fn entry(&self, owner: KeyOwner) -> Result<LedgerEntry, KeyError> {
        let (place, files) = {
            let state = self.lock();
            if let Some(entry) = state.staged.get(&owner) {
                return Ok(entry.clone());
            }
            if let Some(at) = state.destroyed_at(&owner) {
                return Err(KeyError::KeyDestroyed { owner, at });
            }
            (state.places.get(&owner), Arc::clone(&state.files))
        };
        let place = place.ok_or_else(|| KeyError::KeyMissing {
            owner,
            damaged_entries: u64::try_from(self.report.damaged.len()).unwrap_or(u64::MAX),
        })?;
        let found = files.read(place);
        if let Ok(Some(entry)) = &found
            && entry.owner == owner
        {
            return Ok(entry.clone());
        }
        // A rotation by another process removed the file: to read the new one is less than to read a whole copy for each key.
        if self.access == LedgerAccess::Read && self.refresh().unwrap_or(false) {
            return self.entry(owner);
        }
        if let Ok(Some(entry)) = self.entry_elsewhere(owner) {
            return Ok(entry);
        }
        found?;
        Err(KeyError::KeyDamaged { owner })
    }

    /// The entry on a copy that does not lead.
    fn entry_elsewhere(&self, owner: KeyOwner) -> Result<Option<LedgerEntry>, KeyError> {
        let leader = self.lock().leader;
        for (number, copy) in (0..).zip(&self.copies) {
            if number == leader || copy.state().condition != CopyCondition::InService {
                continue;
            }
            let opened = files::open(&copy.root, self.archive, LedgerAccess::Read)?;
            if let Some(entry) = opened.entry(owner)? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Reads the leading copy again when another process has changed its files; tells whether it has.
    fn refresh(&self) -> Result<bool, KeyError> {
        let leader = self.leader()?;
        let shape = files::shape(&leader.root.join(files::LEDGER_DIRECTORY))?;
        if shape == self.lock().shape {
            return Ok(false);
        }
        let opened = files::open(&leader.root, self.archive, LedgerAccess::Read)?;
        self.lock().hold(opened);
        Ok(true)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeyLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyLedger")
            .field("archive", &self.archive)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
