//! Reading while another process has the index: beside it, from the segments.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Access, Archive, ArchiveError, Environment, OpeningReport};
use crate::config::Config;
use crate::keys::{CatalogSealer, UnlockWith};
use crate::store::catalog::Catalog;
use crate::store::durable::DirectoryLock;

/// The folder of an index that one process makes for itself. It goes with the archive.
#[derive(Debug)]
pub(super) struct PrivateIndex {
    folder: PathBuf,
}

impl Archive {
    /// Opens an archive for reading with an index of its own, which nobody can read later: the other one is in another process's hands. It is empty; `fills`
    /// says whether a thread reads the segments into it, as with [`Archive::open_filling`]. Without that, records are found by their ids.
    ///
    /// # Errors
    /// As [`Archive::open`].
    pub fn open_beside<'a>(
        config: Config,
        unlock: impl Into<UnlockWith<'a>>,
        environment: Environment,
        fills: bool,
    ) -> Result<(Self, OpeningReport), ArchiveError> {
        let sealer = CatalogSealer::forgetful(Arc::clone(&environment.entropy))?;
        let private = PrivateIndex::in_index(&config.index);
        let opened = Self::open_with(
            config,
            unlock.into(),
            Access::Read,
            environment,
            |store, mut options, opener| {
                options.directory.clone_from(&private.folder);
                options.sealer = Arc::new(sealer);
                if fills {
                    let opened = Catalog::open_filling(store, options, opener)?;
                    return Ok((opened.0, Some(opened.1), opened.2));
                }
                let (catalog, report) = Catalog::open_unfilled(store, options, opener)?;
                Ok((catalog, None, report))
            },
        );
        let (mut archive, report) = opened?;
        archive.private_index = Some(private);
        Ok((archive, report))
    }
}

impl PrivateIndex {
    /// A folder of this process in that of the index. Those that killed processes left are removed.
    fn in_index(index: &Path) -> Self {
        remove_left(index);
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self {
            folder: index.join(format!("{PREFIX}{process}-{number}")),
        }
    }
}

impl Drop for PrivateIndex {
    fn drop(&mut self) {
        // The next one that is made removes what stays.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn remove_left(index: &Path) {
    let Ok(entries) = std::fs::read_dir(index) else {
        return;
    };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        // Whoever uses one holds its lock.
        if is_ours && DirectoryLock::take(&entry.path(), true).is_ok() {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

/// Tells apart those of one process.
static NEXT: AtomicU32 = AtomicU32::new(0);

const PREFIX: &str = "beside-";
