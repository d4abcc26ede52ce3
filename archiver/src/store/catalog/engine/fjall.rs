//! The index in fjall.
//!
//! Its journal is cut behind the last whole batch when it is opened, so after a crash the batches up to some point are there and none behind it;
//! a damaged batch in the middle is an error. Blocks of its tables carry checksums that are compared on each reading.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use fjall::compaction::Leveled;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::guard::{guarded, of_io};
use super::{Change, IndexError, RecordIndex, Visit};

/// A fjall database with one keyspace.
pub(super) struct FjallIndex {
    database: Database,
    entries: Keyspace,
    /// Bytes applied since the last table was begun in memory.
    gathered: Mutex<u64>,
}

impl FjallIndex {
    /// Opens the database in `directory`, or makes it there.
    pub(super) fn open(directory: &Path, cache_bytes: u64) -> Result<Self, IndexError> {
        guarded(|| {
            let database = Database::builder(directory)
                .cache_size(cache_bytes)
                .worker_threads(WORKER_THREADS)
                .max_cached_files(Some(FILES_MAX))
                .max_journaling_size(JOURNAL_BYTES_MAX)
                .open()
                .map_err(of_fjall)?;
            let options = || {
                let tables = Leveled::default().with_table_target_size(TABLE_BYTES);
                KeyspaceCreateOptions::default()
                    .max_memtable_size(2 * MEMTABLE_BYTES)
                    .compaction_strategy(Arc::new(tables))
            };
            let entries = database.keyspace(KEYSPACE, options).map_err(of_fjall)?;
            Ok(Self {
                database,
                entries,
                gathered: Mutex::new(0),
            })
        })
    }
}

impl FjallIndex {
    /// Has what was applied so far written as a table when it has become much, after the one before it was. Left alone, fjall lets a table in
    /// memory grow without a limit while its threads merge others, and up to four more wait to be written.
    fn write_when_full(&self, bytes: u64) -> Result<(), IndexError> {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        *gathered += bytes;
        if *gathered < MEMTABLE_BYTES {
            return Ok(());
        }
        for _ in 0..WRITTEN_LOOKS {
            if self.entries.sealed_memtable_count() == 0 {
                break;
            }
            // Threads that have stopped are told by the next call.
            thread::sleep(WRITTEN_LOOK);
        }
        self.entries.rotate_memtable().map_err(of_fjall)?;
        *gathered = 0;
        Ok(())
    }
}

impl RecordIndex for FjallIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        let value = guarded(|| self.entries.get(key).map_err(of_fjall))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn contains(&self, key: &[u8]) -> Result<bool, IndexError> {
        guarded(|| self.entries.contains_key(key).map_err(of_fjall))
    }

    fn apply(&self, changes: Vec<Change>) -> Result<(), IndexError> {
        guarded(|| {
            let mut batch = self.database.batch();
            let mut bytes = 0;
            for (key, value) in changes {
                let length = key.len() + value.as_ref().map_or(0, Vec::len);
                bytes += length as u64 + ENTRY_BYTES;
                match value {
                    Some(value) => batch.insert(&self.entries, key, value),
                    None => batch.remove(&self.entries, key),
                }
            }
            batch.commit().map_err(of_fjall)?;
            self.write_when_full(bytes)
        })
    }

    fn scan(&self, prefix: &[u8], from: &[u8], each: &mut Visit<'_>) -> Result<(), IndexError> {
        guarded(|| {
            for entry in self.entries.range(from..) {
                let (key, value) = entry.into_inner().map_err(of_fjall)?;
                if !key.starts_with(prefix) || each(&key, &value).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn scan_back(
        &self,
        prefix: &[u8],
        before: &[u8],
        each: &mut Visit<'_>,
    ) -> Result<(), IndexError> {
        guarded(|| {
            for entry in self.entries.range(prefix..before).rev() {
                let (key, value) = entry.into_inner().map_err(of_fjall)?;
                if !key.starts_with(prefix) || each(&key, &value).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn last(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        guarded(|| {
            let last = self.entries.prefix(prefix).next_back();
            let key = last
                .map(|entry| entry.key().map_err(of_fjall))
                .transpose()?;
            Ok(key.map(|key| key.to_vec()))
        })
    }

    fn flush(&self) -> Result<(), IndexError> {
        guarded(|| {
            self.database
                .persist(PersistMode::SyncAll)
                .map_err(of_fjall)
        })
    }
}

impl fmt::Debug for FjallIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FjallIndex").finish_non_exhaustive()
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "the enums are open, and whatever else is wrong with the files is damage"
)]
fn of_fjall(error: fjall::Error) -> IndexError {
    match error {
        fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => of_io(error),
        _ => IndexError::Damaged,
    }
}

/// The keyspace of the index.
const KEYSPACE: &str = "records";

/// Writes go there first: so much is sorted in memory before it becomes a table, while the one before it is being written.
const MEMTABLE_BYTES: u64 = 4 * 1024 * 1024;

/// Size of a merged table. While one is written, the last key of each of its blocks keeps the block in memory from which it was read: so merging
/// takes as much memory as a table has bytes. It is set when the database is made, and stays.
const TABLE_BYTES: u64 = 8 * 1024 * 1024;

/// What an entry takes there beside its key and value.
const ENTRY_BYTES: u64 = 64;

/// How long to wait until a table is written, and how often.
const WRITTEN_LOOK: Duration = Duration::from_millis(2);
const WRITTEN_LOOKS: u32 = 5_000;

/// One writes what was sorted in memory, the other merges tables. A single one would leave the memory full while it merges.
const WORKER_THREADS: usize = 2;

/// Tables that are kept open.
const FILES_MAX: usize = 100;

/// The least that fjall takes. What stands in journals is read at the next opening.
const JOURNAL_BYTES_MAX: u64 = 64 * 1024 * 1024;
