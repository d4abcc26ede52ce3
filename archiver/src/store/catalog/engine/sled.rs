//! The index in sled.

use std::io;
use std::path::Path;
use std::time::Duration;

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
        let mut waits = 0;
        Self::open_unlocked(directory, cache_bytes, || {
            waits += 1;
            std::thread::sleep(LOCK_LOOK);
            waits < LOCK_LOOKS
        })
    }

    /// The same, with `wait` between two attempts while the files are locked, until it says that there is no use in it.
    ///
    /// Threads of sled's own tidy up after a database was closed, and hold its files meanwhile: such an index is not damaged, it comes free.
    fn open_unlocked(
        directory: &Path,
        cache_bytes: u64,
        mut wait: impl FnMut() -> bool,
    ) -> Result<Self, IndexError> {
        let config = sled::Config::new()
            .path(directory)
            .cache_capacity(cache_bytes)
            // With larger ones, sled holds several kilobytes of memory for each entry.
            .segment_size(SLED_SEGMENT_BYTES)
            // Written when it is asked to: the index is derived, and the segments are what must be durable.
            .flush_every_ms(None);
        loop {
            match guarded(|| Ok(config.open())) {
                Ok(Err(error)) if is_locked(&error) => {
                    if !wait() {
                        return Err(IndexError::Io(io::ErrorKind::WouldBlock.into()));
                    }
                }
                result => {
                    let database = result?.map_err(of_sled)?;
                    return Ok(Self { database });
                }
            }
        }
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

    fn scan_back(
        &self,
        prefix: &[u8],
        before: &[u8],
        each: &mut Visit<'_>,
    ) -> Result<(), IndexError> {
        guarded(|| {
            for entry in self.database.range(prefix..before).rev() {
                let (key, value) = entry.map_err(of_sled)?;
                if !key.starts_with(prefix) || each(&key, &value).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn last(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        guarded(|| {
            let last = self.database.scan_prefix(prefix).next_back();
            let entry = last.transpose().map_err(of_sled)?;
            Ok(entry.map(|(key, _)| key.to_vec()))
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

/// sled tells this in words only.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

/// How long to wait for files that are locked, and how often.
const LOCK_LOOK: Duration = Duration::from_millis(20);
const LOCK_LOOKS: u32 = 1_500;

/// Bytes of sled's own segments.
const SLED_SEGMENT_BYTES: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const CACHE_BYTES: u64 = 1 << 20;

    /// An index whose files somebody holds locked, as a closed one's own threads may for a while.
    fn locked() -> (tempfile::TempDir, std::fs::File) {
        let folder = tempfile::tempdir().unwrap();
        drop(SledIndex::open(folder.path(), CACHE_BYTES).unwrap());
        let file = std::fs::File::open(folder.path().join("db")).unwrap();
        file.lock().unwrap();
        (folder, file)
    }

    #[test]
    fn files_that_are_still_locked_are_waited_for() {
        let (folder, file) = locked();
        let mut waits = 0;
        let opened = SledIndex::open_unlocked(folder.path(), CACHE_BYTES, || {
            waits += 1;
            if waits == 3 {
                file.unlock().unwrap();
            }
            true
        });
        assert!(opened.unwrap().get(b"nothing").unwrap().is_none());
        assert!(waits >= 3);
    }

    #[test]
    fn files_that_stay_locked_are_not_damaged() {
        let (folder, _file) = locked();
        let opened = SledIndex::open_unlocked(folder.path(), CACHE_BYTES, || false);
        assert!(
            matches!(opened, Err(IndexError::Io(error)) if error.kind() == io::ErrorKind::WouldBlock)
        );
    }
}
