//! The key ledger (鍵台帳): every wrapped data key, append-only, on the key medium.
//!
//! **Contract.** A key that [`KeyLedger::commit`] acknowledged is on the medium. Entries are only ever added; the files shrink
//! only by an entry that was cut off half-way by a crash, which nobody can have been told about. A damaged entry stays where
//! it is, is counted and is skipped. The order of durability is the caller's: commit the key before, or together with, the
//! frame that makes its record version visible.

mod entry;
mod files;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use firmware::entropy::Entropy;
use formats::id::{ArchiveId, VersionId};

use super::error::KeyError;
use super::provider::KekProvider;
use super::secret::{DataKey, KEY_BYTES, KeyOwner};
use crate::store::durable::Disk;
use entry::{ENTRY_BYTES, LedgerEntry, wrap_context};
use files::{LedgerFiles, Place, Sink};

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
    /// Bytes of a half-written last entry. They are cut off when the ledger is opened to be written.
    pub torn_bytes: u64,
    /// Entries of zeros, which a power loss can leave behind.
    pub holes: u64,
    /// Where damaged entries and headers stand: the file and the offset in it.
    pub damaged: Vec<(PathBuf, u64)>,
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
    files: LedgerFiles,
    sink: Option<Sink>,
    report: LedgerReport,
    state: Mutex<State>,
    flushed: Condvar,
}

struct State {
    /// Where the durable entries stand.
    places: HashMap<KeyOwner, Place>,
    /// Staged entries that are not yet known to be durable.
    staged: HashMap<KeyOwner, LedgerEntry>,
    /// Staged entries that no flush has taken, in order, as bytes.
    waiting: Vec<(KeyOwner, [u8; ENTRY_BYTES])>,
    staged_count: u64,
    durable_count: u64,
    flushing: bool,
    stopped: bool,
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

    /// Opens the ledger in the key medium `root`.
    ///
    /// # Errors
    /// [`KeyError::MediumMissing`] when there is no ledger; [`KeyError::InUse`] when another process writes to it;
    /// [`KeyError::OtherArchive`], [`KeyError::UnsupportedFormat`]; [`KeyError::Io`].
    pub fn open(
        disk: Arc<dyn Disk>,
        root: &Path,
        archive: ArchiveId,
        access: LedgerAccess,
        provider: Arc<dyn KekProvider>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        let opened = files::open(disk, root, archive, access)?;
        Ok(Self {
            archive,
            provider,
            entropy,
            files: opened.files,
            sink: opened.sink,
            report: opened.report,
            state: Mutex::new(State {
                places: opened.places,
                staged: HashMap::new(),
                waiting: Vec::new(),
                staged_count: 0,
                durable_count: 0,
                flushing: false,
                stopped: false,
            }),
            flushed: Condvar::new(),
        })
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

    /// Whether the ledger holds a key for the version, staged or durable. Does not try it.
    #[must_use]
    pub fn holds(&self, version: VersionId) -> bool {
        let state = self.lock();
        let owner = version.into();
        state.places.contains_key(&owner) || state.staged.contains_key(&owner)
    }

    fn stage(&self, owner: KeyOwner) -> Result<(DataKey, LedgerTicket), KeyError> {
        if self.sink.is_none() {
            return Err(KeyError::ReadOnly);
        }
        let key = DataKey::generate(&*self.entropy)?;
        let wrapped = self
            .provider
            .wrap(&wrap_context(self.archive, owner), key.expose())?;
        let entry = LedgerEntry { owner, wrapped };
        let bytes = entry.encode().ok_or(KeyError::KeyDerivation)?;
        let mut state = self.lock();
        if state.stopped {
            return Err(KeyError::Stopped);
        }
        if state.places.contains_key(&owner) || state.staged.contains_key(&owner) {
            return Err(KeyError::AlreadyHasKey { owner });
        }
        state.staged.insert(owner, entry);
        state.waiting.push((owner, bytes));
        state.staged_count += 1;
        let ticket = LedgerTicket(state.staged_count);
        Ok((key, ticket))
    }

    /// Writes all waiting entries with one `fdatasync`, without the lock while the medium works.
    fn flush<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
    ) -> Result<MutexGuard<'a, State>, KeyError> {
        let sink = self.sink.as_ref().ok_or(KeyError::ReadOnly)?;
        let entries = std::mem::take(&mut state.waiting);
        if entries.is_empty() {
            // Only the ticket of another ledger leads here.
            return Err(KeyError::Stopped);
        }
        let upto = state.staged_count;
        let bytes: Vec<u8> = entries.iter().flat_map(|(_, bytes)| *bytes).collect();
        state.flushing = true;
        drop(state);
        let written = sink.append_durably(&bytes);
        let mut state = self.lock();
        state.flushing = false;
        self.flushed.notify_all();
        match written {
            Ok(first) => {
                for (place, (owner, _)) in first.successors().zip(entries) {
                    state.staged.remove(&owner);
                    state.places.insert(owner, place);
                }
                state.durable_count = upto;
                Ok(state)
            }
            Err(error) => {
                state.stopped = true;
                Err(KeyError::io(sink.path(), "write", error))
            }
        }
    }

    fn key_of(&self, owner: KeyOwner) -> Result<DataKey, KeyError> {
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
        let place = {
            let state = self.lock();
            if let Some(entry) = state.staged.get(&owner) {
                return Ok(entry.clone());
            }
            state.places.get(&owner).copied()
        };
        let place = place.ok_or_else(|| KeyError::KeyMissing {
            owner,
            damaged_entries: u64::try_from(self.report.damaged.len()).unwrap_or(u64::MAX),
        })?;
        self.files
            .read(place)?
            .filter(|entry| entry.owner == owner)
            .ok_or(KeyError::KeyDamaged { owner })
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
