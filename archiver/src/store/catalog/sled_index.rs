//! The index in sled.
//!
//! sled reports some damage as an error, and panics on other. Both are [`IndexError::Damaged`] here.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::index::{Change, IndexError, RecordIndex, Visit};

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
        let database = guarded(|| config.open())?;
        Ok(Self { database })
    }
}

impl RecordIndex for SledIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        let value = guarded(|| self.database.get(key))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn apply(&self, changes: Vec<Change>) -> Result<(), IndexError> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        guarded(|| self.database.apply_batch(batch))
    }

    fn scan(&self, prefix: &[u8], from: &[u8], each: &mut Visit<'_>) -> Result<(), IndexError> {
        guarded(|| {
            for entry in self.database.range(from..) {
                let (key, value) = entry?;
                if !key.starts_with(prefix) || each(&key, &value).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn flush(&self) -> Result<(), IndexError> {
        guarded(|| self.database.flush()).map(|_bytes| ())
    }
}

fn guarded<T>(act: impl FnOnce() -> sled::Result<T>) -> Result<T, IndexError> {
    // Nothing that a panic leaves half done is used again: the caller sets the database aside.
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(error))) if is_of_the_system(&error) => Err(IndexError::Io(error)),
        Ok(Err(_)) | Err(_) => Err(IndexError::Damaged),
    }
}

/// sled also reports unexpected bytes as I/O errors; those of the operating system carry a number.
fn is_of_the_system(error: &io::Error) -> bool {
    error.raw_os_error().is_some()
}

/// Bytes of sled's own segments.
const SLED_SEGMENT_BYTES: usize = 128 * 1024;
