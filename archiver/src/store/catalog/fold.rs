//! The fold: changes are gathered in memory and go to the engine in batches, each with the place up to which the segments are folded.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use formats::error::{ErrorKind, Result as FormatResult};
use formats::id::{ArchiveId, VersionId};
use formats::segment::{FrameAddress, Reader, Writer};

use super::entry::{read_address, write_address};
use super::index::{Change, IndexError, RecordIndex};
use super::{BatchEntry, Counts, Hit, Stamp, Unstamped, ValueSealer, key};
use crate::store::{Store, StoreError};

/// The index with the changes that it does not hold yet.
#[derive(Debug)]
pub(super) struct Fold {
    engine: Box<dyn RecordIndex>,
    sealer: Arc<dyn ValueSealer>,
    directory: PathBuf,
    store: Store,
    pending: Mutex<Pending>,
    /// Something that should have been in the engine was not, or not whole.
    suspect: AtomicBool,
}

#[derive(Debug)]
struct Pending {
    /// While the segments are read, the position is that of the reading. Afterwards it follows the frames that are appended.
    reading: bool,
    changes: HashMap<Vec<u8>, Option<Vec<u8>>>,
    counts: Counts,
    position: FrameAddress,
    /// The position that the engine holds.
    noted: FrameAddress,
}

/// Is given a key and its opened value.
pub(super) type VisitOpened<'a> = dyn FnMut(&[u8], &[u8]) -> FormatResult<ControlFlow<()>> + 'a;

/// How far the fold is, as the index holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) archive: ArchiveId,
    pub(super) position: FrameAddress,
    pub(super) counts: Counts,
}

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
            suspect: AtomicBool::new(false),
            pending: Mutex::new(Pending {
                reading: true,
                changes: HashMap::new(),
                counts: state.counts,
                position: state.position,
                noted: state.position,
            }),
        }
    }

    /// Adds a version. Nothing changes when it is known.
    pub(super) fn add_version(
        &self,
        hit: &Hit,
        identity: &[u8; 32],
        unstamped: &Unstamped,
    ) -> Result<(), StoreError> {
        let [version_key, unstamped_key, stamp_key] = [key::VERSIONS, key::UNSTAMPED, key::STAMPS]
            .map(|table| key::of_version(table, hit.version));
        let version = self.seal(version_key, &hit.encode())?;
        let unstamped = self.seal(unstamped_key, &unstamped.encode())?;
        let identity = self.seal(key::of_identity(identity), &version_value(hit.version))?;
        let mut pending = self.lock();
        // A stamp is only ever added to a version that is known.
        let known = self.contains(&pending, &version.0)?;
        if !known || !self.contains(&pending, &stamp_key)? {
            let waits = known && self.contains(&pending, &unstamped.0)?;
            pending.counts.unstamped += u64::from(!waits);
            pending.put(unstamped);
        }
        pending.counts.versions += u64::from(!known);
        pending.put(version);
        pending.put(identity);
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
        let unstamped_key = key::of_version(key::UNSTAMPED, version);
        let mut pending = self.lock();
        if self.contains(&pending, &unstamped_key)? {
            pending.counts.unstamped = pending.counts.unstamped.saturating_sub(1);
            pending.changes.insert(unstamped_key, None);
            pending.put(change);
        }
        self.drain_when_full(pending)
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

    /// Calls `each` with key and opened value of all keys with this prefix.
    pub(super) fn scan(&self, prefix: &[u8], each: &mut VisitOpened<'_>) -> Result<(), StoreError> {
        self.drain(self.lock())?;
        let mut damaged = false;
        let scanned = self.engine.scan(prefix, &mut |key, sealed| {
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

    /// Opens every value and compares the number of entries with the state.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let mut found = Counts::default();
        self.scan(&[], &mut |key, _| {
            match key.first() {
                Some(&key::VERSIONS) => found.versions += 1,
                Some(&key::UNSTAMPED) => found.unstamped += 1,
                Some(&key::BATCHES) => found.batches += 1,
                _ => {}
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if found == self.counts() {
            Ok(())
        } else {
            Err(self.damaged())
        }
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

    fn seal(&self, key: Vec<u8>, value: &[u8]) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
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

    fn contains(&self, pending: &Pending, key: &[u8]) -> Result<bool, StoreError> {
        match pending.changes.get(key) {
            Some(change) => Ok(change.is_some()),
            None => {
                let value = self.engine.get(key).map_err(|error| self.error(error))?;
                Ok(value.is_some())
            }
        }
    }

    fn drain_when_full(&self, pending: MutexGuard<'_, Pending>) -> Result<(), StoreError> {
        if pending.changes.len() < CHANGES_MAX {
            return Ok(());
        }
        self.drain(pending)
    }

    /// Gives the gathered changes to the engine, with the place up to which all frames are in them.
    fn drain(&self, mut pending: MutexGuard<'_, Pending>) -> Result<(), StoreError> {
        // Taken first: a frame that is applied in the meantime is in the changes or in the next batch, never in neither.
        if !pending.reading
            && let Some(applied) = self.store.applied()
        {
            pending.position = pending.position.max(applied);
        }
        if pending.changes.is_empty() && pending.position == pending.noted {
            return Ok(());
        }
        let state = State {
            archive: self.store.archive(),
            position: pending.position,
            counts: pending.counts,
        };
        let (state_key, state) = self.seal(key::STATE.to_vec(), &state.encode())?;
        let mut changes: Vec<Change> = pending.changes.drain().collect();
        changes.push((state_key, Some(state)));
        changes.sort_unstable();
        pending.noted = pending.position;
        self.engine
            .apply(changes)
            .map_err(|error| self.error(error))
    }

    fn error(&self, error: IndexError) -> StoreError {
        match error {
            IndexError::Damaged => self.damaged(),
            IndexError::Io(error) => StoreError::io(
                "using the record index",
                &self.directory,
                &self.directory,
                error,
            ),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn put(&mut self, (key, value): (Vec<u8>, Vec<u8>)) {
        self.changes.insert(key, Some(value));
    }
}

impl State {
    fn at_the_start(archive: ArchiveId) -> Self {
        Self {
            archive,
            position: FrameAddress::new(0, 0),
            counts: Counts::default(),
        }
    }

    /// Reads the state from an engine. `None`: there is none yet.
    pub(super) fn read(
        engine: &dyn RecordIndex,
        sealer: &dyn ValueSealer,
    ) -> Result<Option<Self>, IndexError> {
        let Some(sealed) = engine.get(&key::STATE)? else {
            return Ok(None);
        };
        let value = sealer
            .open(&key::STATE, &sealed)
            .ok_or(IndexError::Damaged)?;
        Self::decode(&value)
            .map(Some)
            .map_err(|_| IndexError::Damaged)
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64);
        writer.u16(INDEX_FORMAT);
        writer.raw(self.archive.as_bytes());
        write_address(&mut writer, self.position);
        writer.u64(self.counts.versions);
        writer.u64(self.counts.unstamped);
        writer.u64(self.counts.batches);
        writer.finish()
    }

    fn decode(value: &[u8]) -> FormatResult<Self> {
        let mut reader = Reader::new("index state", value);
        if reader.u16()? != INDEX_FORMAT {
            return Err(reader.error(ErrorKind::UnsupportedVersion));
        }
        let state = Self {
            archive: ArchiveId::from_bytes(reader.array()?),
            position: read_address(&mut reader)?,
            counts: Counts {
                versions: reader.u64()?,
                unstamped: reader.u64()?,
                batches: reader.u64()?,
            },
        };
        reader.finish()?;
        Ok(state)
    }
}

/// The value under a deposit identity.
fn version_value(version: VersionId) -> Vec<u8> {
    key::of_version(key::VERSIONS, version)
}

/// Version of the index's own format. Another one is rebuilt, never converted.
const INDEX_FORMAT: u16 = 1;

/// So many changes are gathered: about two megabytes.
const CHANGES_MAX: usize = 4096;
