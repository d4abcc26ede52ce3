//! Opening the index, and finding out whether it can be relied on.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::segment::FrameAddress;

use super::fold::Fold;
use super::index::{IndexError, RecordIndex};
use super::sled_index::SledIndex;
use super::state::State;
use super::{BatchEntry, CatalogOptions, CatalogReport, Unstamped, key};
use crate::store::durable::{self, DirectoryLock, Disk};
use crate::store::{Store, StoreError};

/// The directory of an index: the engine's files, and a note that says how they were left.
#[derive(Debug)]
pub(super) struct Place {
    directory: PathBuf,
    disk: Arc<dyn Disk>,
    _lock: DirectoryLock,
}

impl Place {
    /// Makes the directory where it is missing, and takes it for this process.
    pub(super) fn take(directory: &Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        durable::create_directories(disk.as_ref(), directory)
            .map_err(|error| StoreError::io("making", directory, directory, error))?;
        let lock = DirectoryLock::take(directory, true).map_err(|error| {
            if error.kind() == io::ErrorKind::WouldBlock {
                StoreError::IndexInUse {
                    directory: directory.to_owned(),
                }
            } else {
                StoreError::io("locking", directory, directory, error)
            }
        })?;
        Ok(Self {
            directory: directory.to_owned(),
            disk,
            _lock: lock,
        })
    }

    /// Opens the index as it stands; one that cannot be relied on is set aside, and an empty one is begun.
    pub(super) fn open(
        &self,
        store: &Store,
        options: &CatalogOptions,
        report: &mut CatalogReport,
    ) -> Result<Fold, StoreError> {
        match self.open_as_it_stands(store, options) {
            Err(StoreError::IndexDamaged { .. }) => {
                report.set_aside = self.set_aside()?;
                self.open_as_it_stands(store, options)
            }
            result => result,
        }
    }

    /// Moves the engine's files out of the way. `None`: there are none.
    pub(super) fn set_aside(&self) -> Result<Option<PathBuf>, StoreError> {
        let engine = self.engine_directory();
        if !engine.exists() {
            return Ok(None);
        }
        durable::set_aside(self.disk.as_ref(), &engine)
            .map(Some)
            .map_err(|error| StoreError::io("setting aside", &self.directory, &engine, error))
    }

    /// Notes that the engine was closed in order, and how large its files are.
    pub(super) fn note_closed(&self) -> Result<(), StoreError> {
        let note = self.note();
        let text = sizes(&self.engine_directory())
            .map_err(|error| StoreError::io("reading", &self.directory, &self.directory, error))?;
        durable::replace_file(self.disk.as_ref(), &note, text.as_bytes())
            .map_err(|error| StoreError::io("writing", &self.directory, &note, error))
    }

    fn open_as_it_stands(
        &self,
        store: &Store,
        options: &CatalogOptions,
    ) -> Result<Fold, StoreError> {
        let engine_directory = self.engine_directory();
        let in_order = self.take_note(&engine_directory);
        let engine = SledIndex::open(&engine_directory, options.cache_bytes)
            .map_err(|error| self.error(error))?;
        let state =
            State::read(&engine, options.sealer.as_ref()).map_err(|error| self.error(error))?;
        if state.is_none() && has_entries(&engine).map_err(|error| self.error(error))? {
            return Err(self.error(IndexError::Damaged));
        }
        let ahead = state
            .as_ref()
            .map(|state| self.is_ahead(store, state))
            .transpose()?;
        let fold = Fold::new(
            Box::new(engine),
            Arc::clone(&options.sealer),
            self.directory.clone(),
            store.clone(),
            state,
        );
        if !in_order {
            fold.check()?;
        }
        if ahead == Some(true) {
            refuse_loss(&fold, store)?;
            return Err(self.error(IndexError::Damaged));
        }
        Ok(fold)
    }

    /// Whether the index is ahead of the segments. That of another archive is no index.
    fn is_ahead(&self, store: &Store, state: &State) -> Result<bool, StoreError> {
        if state.archive != store.archive() {
            return Err(self.error(IndexError::Damaged));
        }
        Ok(state.position > store.end()?)
    }

    /// Whether the engine was closed in order and its files have the same size since. The note is gone afterwards: if this process
    /// dies, the next one checks every entry.
    fn take_note(&self, engine: &Path) -> bool {
        let note = self.note();
        let noted = std::fs::read_to_string(&note).ok();
        let in_order = noted.is_some() && noted == sizes(engine).ok();
        drop(self.disk.remove(&note));
        in_order
    }

    fn engine_directory(&self) -> PathBuf {
        self.directory.join("records")
    }

    fn note(&self) -> PathBuf {
        self.directory.join("closed")
    }

    fn error(&self, error: IndexError) -> StoreError {
        match error {
            IndexError::Damaged => StoreError::IndexDamaged {
                directory: self.directory.clone(),
            },
            IndexError::Io(error) => StoreError::io(
                "opening the record index",
                &self.directory,
                &self.directory,
                error,
            ),
        }
    }
}

/// An index that is ahead of the segments knows something that no medium holds. A commit mark at the end is nothing: it was never
/// synchronised. Versions and archive time-stamps were, and were acknowledged: to build the index anew would hide that they are gone.
fn refuse_loss(fold: &Fold, store: &Store) -> Result<(), StoreError> {
    let end = store.end()?;
    let mut lost = 0;
    let mut last: Option<FrameAddress> = None;
    let mut look = |address: FrameAddress| {
        lost += u64::from(address >= end);
        if address < end {
            last = last.max(Some(address));
        }
    };
    fold.scan(&[key::VERSIONS], &[key::VERSIONS], &mut |key, value| {
        if let Some(version) = key::version(key) {
            look(Unstamped::decode(version, value)?.address);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    fold.scan(&[key::BATCHES], &[key::BATCHES], &mut |_, value| {
        look(BatchEntry::decode(value)?.address);
        Ok(ControlFlow::Continue(()))
    })?;
    // A file may end in the middle of the last one.
    if let Some(address) = last
        && matches!(
            store.read(address),
            Err(StoreError::NotFound { .. } | StoreError::Damaged { .. })
        )
    {
        lost += 1;
    }
    if lost > 0 {
        return Err(StoreError::RecordsLost {
            lost,
            segment: end.segment,
        });
    }
    Ok(())
}

fn has_entries(engine: &dyn RecordIndex) -> Result<bool, IndexError> {
    let mut any = false;
    engine.scan(&[], &[], &mut |_, _| {
        any = true;
        ControlFlow::Break(())
    })?;
    Ok(any)
}

/// Name and size of each file of a directory, one a line, by name.
fn sizes(directory: &Path) -> io::Result<String> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let size = if metadata.is_file() {
            metadata.len()
        } else {
            0
        };
        lines.push(format!("{size} {}\n", entry.file_name().to_string_lossy()));
    }
    lines.sort();
    Ok(lines.concat())
}
