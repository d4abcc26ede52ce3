//! The index in sled.

use std::path::Path;

use super::guard::{guarded, of_io};
use super::{Change, IndexError, RecordIndex, Visit};

/// A sled database, of which one tree is used: a batch is atomic in one tree only.
#[derive(Debug)]
pub(super) struct SledIndex {
    database: sled::Db,
}

impl SledIndex {
    /// Opens the database in `directory`, or makes it there.
    pub(super) fn open(directory: &Path, cache_bytes: u64) -> Result<Self, IndexError> {
        let config = sled::Config::new()
            .path(directory)
            .cache_capacity(cache_bytes)
            // With larger ones, sled holds several kilobytes of memory for each entry.
            .segment_size(SLED_SEGMENT_BYTES)
            // Written when it is asked to: the index is derived, and the segments are what must be durable.
            .flush_every_ms(None);
        let database = guarded(|| config.open().map_err(of_sled))?;
        Ok(Self { database })
    }
}

impl RecordIndex for SledIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        let value = guarded(|| self.database.get(key).map_err(of_sled))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn contains(&self, key: &[u8]) -> Result<bool, IndexError> {
        guarded(|| self.database.contains_key(key).map_err(of_sled))
    }

    fn apply(&self, changes: Vec<Change>) -> Result<(), IndexError> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        guarded(|| self.database.apply_batch(batch).map_err(of_sled))
    }

    fn scan(&self, prefix: &[u8], from: &[u8], each: &mut Visit<'_>) -> Result<(), IndexError> {
        guarded(|| {
            for entry in self.database.range(from..) {
                let (key, value) = entry.map_err(of_sled)?;
                if !key.starts_with(prefix) || each(&key, &value).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn flush(&self) -> Result<(), IndexError> {
        guarded(|| self.database.flush().map_err(of_sled)).map(|_bytes| ())
    }
}

fn of_sled(error: sled::Error) -> IndexError {
    match error {
        sled::Error::Io(error) => of_io(error),
        sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_)
        | sled::Error::Corruption { .. } => IndexError::Damaged,
    }
}

/// Bytes of sled's own segments.
const SLED_SEGMENT_BYTES: usize = 128 * 1024;
