//! The fold: changes are gathered in memory and go to the engine in batches, each with the place up to which the segments are folded.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use formats::digest::DigestValue;
use formats::error::Result as FormatResult;
use formats::id::VersionId;
use formats::segment::FrameAddress;

use super::chains::Heads;
use super::columns::Kept;
use super::engine::{Change, IndexError, RecordIndex, Visit};
use super::state::State;
use super::{BatchEntry, Counts, Hit, Stamp, Unstamped, ValueSealer, key};
use crate::store::{Store, StoreError};

/// The index with the changes that it does not hold yet.
#[derive(Debug)]
pub(super) struct Fold {
    pub(super) engine: Box<dyn RecordIndex>,
    pub(super) sealer: Arc<dyn ValueSealer>,
    pub(super) directory: PathBuf,
    store: Store,
    /// Changed while the changes are held.
    pub(super) columns: Kept,
    pending: Mutex<Pending>,
    /// Something that should have been in the engine was not, or not whole.
    suspect: AtomicBool,
}

/// Changes that the engine does not hold yet.
#[derive(Debug)]
pub(super) struct Pending {
    /// While the segments are read, the position is that of the reading. Afterwards it follows the frames that are appended.
    reading: bool,
    changes: HashMap<Vec<u8>, Option<Vec<u8>>>,
    pub(super) counts: Counts,
    /// Entries of [`key::OTHERS`].
    pub(super) others: u64,
    pub(super) heads: Heads,
    /// Every version whose key is smaller has a stamp.
    unstamped_from: Vec<u8>,
    /// No version has a greater key: what is greater is new, and need not be looked for.
    versions_to: Vec<u8>,
    /// No stamp has a greater key.
    stamps_to: Vec<u8>,
    position: FrameAddress,
    /// The position that the engine holds.
    noted: FrameAddress,
}

/// Is given a key and its opened value.
pub(super) type VisitOpened<'a> = dyn FnMut(&[u8], &[u8]) -> FormatResult<ControlFlow<()>> + 'a;

impl Fold {
    pub(super) fn new(
        engine: Box<dyn RecordIndex>,
        sealer: Arc<dyn ValueSealer>,
        directory: PathBuf,
        store: Store,
        state: Option<State>,
    ) -> Self {
        let state = state.unwrap_or(State::at_the_start(store.archive()));
        Self {
            engine,
            sealer,
            directory,
            store,
            columns: Kept::default(),
            suspect: AtomicBool::new(false),
            pending: Mutex::new(Pending {
                reading: true,
                changes: HashMap::new(),
                counts: state.counts,
                others: state.others,
                heads: Heads::default(),
                unstamped_from: state.unstamped_from,
                versions_to: state.versions_to,
                stamps_to: state.stamps_to,
                position: state.position,
                noted: state.position,
            }),
        }
    }

    /// Adds a version with its leaf. Nothing changes when it is known.
    pub(super) fn add_version(
        &self,
        hit: &Hit,
        identity: &[u8; 32],
        leaf: Option<&DigestValue>,
    ) -> Result<(), StoreError> {
        let version_key = key::of_version(key::VERSIONS, hit.version);
        let version = self.seal(version_key.clone(), &hit.encode(leaf))?;
        let identity = self.seal(key::of_identity(identity), &version_value(hit.version))?;
        let mut pending = self.lock();
        let known = version_key <= pending.versions_to && self.contains(&pending, &version_key)?;
        if version_key > pending.versions_to {
            pending.versions_to.clone_from(&version_key);
        }
        if !known {
            // A stamp is only ever added to a version that is known.
            pending.counts.versions += 1;
            pending.counts.unstamped += 1;
            if version_key < pending.unstamped_from {
                pending.unstamped_from = version_key;
            }
        }
        pending.put(version);
        pending.put(identity);
        self.columns.put(hit);
        self.drain_when_full(pending)
    }

    /// Puts a version without metadata in place of what is known of it. Its deposit identity leads nowhere any more.
    pub(super) fn add_destroyed(&self, hit: &Hit, identity: &[u8; 32]) -> Result<(), StoreError> {
        self.add_version(hit, identity, None)?;
        let key = key::of_identity(identity);
        let mut pending = self.lock();
        if self.value(&pending, &key)? == Some(version_value(hit.version)) {
            pending.changes.insert(key, None);
        }
        self.drain_when_full(pending)
    }

    /// Adds a batch.
    pub(super) fn add_batch(&self, batch: &BatchEntry) -> Result<(), StoreError> {
        let change = self.seal(key::of_batch(batch.batch), &batch.encode())?;
        let mut pending = self.lock();
        let known = self.contains(&pending, &change.0)?;
        pending.counts.batches += u64::from(!known);
        pending.put(change);
        self.drain_when_full(pending)
    }

    /// Adds the stamp of a version. The first one stays.
    pub(super) fn add_stamp(&self, version: VersionId, stamp: &Stamp) -> Result<(), StoreError> {
        let change = self.seal(key::of_version(key::STAMPS, version), &stamp.encode())?;
        let version_key = key::of_version(key::VERSIONS, version);
        let mut pending = self.lock();
        let is_new = change.0 > pending.stamps_to || !self.contains(&pending, &change.0)?;
        if is_new && self.contains(&pending, &version_key)? {
            if change.0 > pending.stamps_to {
                pending.stamps_to.clone_from(&change.0);
            }
            pending.counts.unstamped = pending.counts.unstamped.saturating_sub(1);
            pending.put(change);
            self.columns.stamp(version, stamp.batch);
            self.begin_leaf(&mut pending, stamp.batch)?;
        }
        self.drain_when_full(pending)
    }

    /// Versions without a stamp that come after one, at most `limit`, in the order of their ids.
    ///
    /// Batches take the oldest first, so everything before the first one found from the start has a stamp, and the next search begins there.
    pub(super) fn unstamped(
        &self,
        after: Option<VersionId>,
        limit: usize,
    ) -> Result<Vec<Unstamped>, StoreError> {
        let first = self.lock().unstamped_from.clone();
        let from = after.map_or_else(Vec::new, |version| {
            let mut next = key::of_version(key::VERSIONS, version);
            next.push(0);
            next
        });
        let from = from.max(first.clone());
        let mut found = Vec::new();
        let mut failure = None;
        let mut all_stamped_before = from.clone();
        self.scan(&[key::VERSIONS], &from, &mut |key, value| {
            let Some(version) = key::version(key) else {
                return Ok(ControlFlow::Continue(()));
            };
            if found.len() >= limit {
                return Ok(ControlFlow::Break(()));
            }
            match self.holds(&key::of_version(key::STAMPS, version)) {
                Ok(true) => {}
                Ok(false) => found.push(Unstamped::decode(version, value)?),
                Err(error) => {
                    failure = Some(error);
                    return Ok(ControlFlow::Break(()));
                }
            }
            if found.is_empty() {
                all_stamped_before = key.to_vec();
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let mut pending = self.lock();
        // Not when an older one came in the meantime.
        if from == first && pending.unstamped_from == first {
            pending.unstamped_from = all_stamped_before;
        }
        failure.map_or(Ok(found), Err)
    }

    /// The frames before this address are folded, as far as reading the segments goes.
    pub(super) fn set_position(&self, position: FrameAddress) {
        self.lock().position = position;
    }

    /// Says whether the segments are being read.
    pub(super) fn set_reading(&self, reading: bool) {
        self.lock().reading = reading;
    }

    pub(super) fn position(&self) -> FrameAddress {
        self.lock().position
    }

    pub(super) fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// The value of a key, opened.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let sealed = {
            let pending = self.lock();
            match pending.changes.get(key) {
                Some(change) => change.clone(),
                None => {
                    drop(pending);
                    self.engine.get(key).map_err(|error| self.error(error))?
                }
            }
        };
        sealed.map(|sealed| self.open(key, &sealed)).transpose()
    }

    /// The same while the changes are held.
    pub(super) fn value(
        &self,
        pending: &Pending,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let sealed = match pending.changes.get(key) {
            Some(change) => change.clone(),
            None => self.engine.get(key).map_err(|error| self.error(error))?,
        };
        sealed.map(|sealed| self.open(key, &sealed)).transpose()
    }

    /// Calls `each` with key and opened value of all keys with this prefix, from `from` on.
    pub(super) fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        each: &mut VisitOpened<'_>,
    ) -> Result<(), StoreError> {
        self.opened(each, |each| self.engine.scan(prefix, from, each))
    }

    /// The same for the keys before `before`, from the last one backwards.
    pub(super) fn scan_back(
        &self,
        prefix: &[u8],
        before: &[u8],
        each: &mut VisitOpened<'_>,
    ) -> Result<(), StoreError> {
        self.opened(each, |each| self.engine.scan_back(prefix, before, each))
    }

    fn opened(
        &self,
        each: &mut VisitOpened<'_>,
        scan: impl FnOnce(&mut Visit<'_>) -> Result<(), IndexError>,
    ) -> Result<(), StoreError> {
        self.drain(self.lock())?;
        let mut damaged = false;
        let scanned = scan(&mut |key, sealed| {
            let step = self
                .sealer
                .open(key, sealed)
                .and_then(|value| each(key, &value).ok());
            damaged |= step.is_none();
            step.unwrap_or(ControlFlow::Break(()))
        });
        scanned.map_err(|error| self.error(error))?;
        if damaged {
            return Err(self.damaged());
        }
        Ok(())
    }

    /// Writes what is gathered, and waits until it is durable.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.drain(self.lock())?;
        self.engine.flush().map_err(|error| self.error(error))
    }

    /// Whether the next opening should check every entry.
    pub(super) fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Relaxed)
    }

    pub(super) fn damaged(&self) -> StoreError {
        self.suspect.store(true, Ordering::Relaxed);
        StoreError::IndexDamaged {
            directory: self.directory.clone(),
        }
    }

    pub(super) fn seal(
        &self,
        key: Vec<u8>,
        value: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
        match self.sealer.seal(&key, value) {
            Some(sealed) => Ok((key, sealed)),
            None => Err(StoreError::Io {
                operation: "sealing an index entry",
                path: self.directory.clone(),
                source: Arc::new(std::io::ErrorKind::Other.into()),
            }),
        }
    }

    fn open(&self, key: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.sealer.open(key, sealed).ok_or_else(|| self.damaged())
    }

    fn holds(&self, key: &[u8]) -> Result<bool, StoreError> {
        let pending = self.lock();
        self.contains(&pending, key)
    }

    pub(super) fn contains(&self, pending: &Pending, key: &[u8]) -> Result<bool, StoreError> {
        match pending.changes.get(key) {
            Some(change) => Ok(change.is_some()),
            None => self.engine.contains(key).map_err(|error| self.error(error)),
        }
    }

    pub(super) fn drain_when_full(
        &self,
        pending: MutexGuard<'_, Pending>,
    ) -> Result<(), StoreError> {
        if pending.changes.len() < CHANGES_MAX {
            return Ok(());
        }
        self.drain(pending)
    }

    /// Gives the gathered changes to the engine, with the place up to which all frames are in them. What the engine does not take stays: what
    /// is asked is answered from it, and the next attempt takes it along.
    pub(super) fn drain(&self, mut pending: MutexGuard<'_, Pending>) -> Result<(), StoreError> {
        let drained = self.drain_pending(&mut pending);
        if drained.is_err() {
            self.suspect.store(true, Ordering::Relaxed);
        }
        drained
    }

    fn drain_pending(&self, pending: &mut Pending) -> Result<(), StoreError> {
        // Taken first: a frame that is applied in the meantime is in the changes or in the next batch, never in neither.
        if !pending.reading
            && let Some(applied) = self.store.applied()
        {
            pending.position = pending.position.max(applied);
        }
        let unchanged = pending.changes.is_empty() && !pending.heads.is_changed();
        if unchanged && pending.position == pending.noted {
            return Ok(());
        }
        for (head, state) in pending.heads.take() {
            let change = self.seal(key::of_head(head), &state.encode())?;
            pending.put(change);
        }
        let state = State {
            archive: self.store.archive(),
            position: pending.position,
            counts: pending.counts,
            others: pending.others,
            unstamped_from: pending.unstamped_from.clone(),
            versions_to: pending.versions_to.clone(),
            stamps_to: pending.stamps_to.clone(),
        };
        let (state_key, state) = self.seal(key::STATE.to_vec(), &state.encode())?;
        let changes = pending.changes.iter();
        let mut changes: Vec<Change> = changes
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        changes.push((state_key, Some(state)));
        changes.sort_unstable();
        self.engine
            .apply(changes)
            .map_err(|error| self.error(error))?;
        pending.changes.clear();
        pending.noted = pending.position;
        Ok(())
    }

    pub(super) fn error(&self, error: IndexError) -> StoreError {
        match error {
            IndexError::Damaged => self.damaged(),
            IndexError::Io(error) => self.io(error),
        }
    }

    pub(super) fn io(&self, error: std::io::Error) -> StoreError {
        let directory = &self.directory;
        StoreError::io("using the record index", directory, directory, error)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    pub(super) fn put(&mut self, (key, value): (Vec<u8>, Vec<u8>)) {
        self.changes.insert(key, Some(value));
    }
}

/// The value under a deposit identity.
fn version_value(version: VersionId) -> Vec<u8> {
    key::of_version(key::VERSIONS, version)
}

/// So many changes are gathered: about two megabytes.
pub(super) const CHANGES_MAX: usize = 4096;
