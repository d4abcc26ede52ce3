//! Files that go to another key medium together with a new ledger: written beside what stands there, whole, before the ledger has its name, and
//! only renamed after it.
//!
//! Where that stops between two names, the ledger is the new one, and what opens it, or was sealed with it, stands beside: reading finds the
//! provider's file, and the next opening for writing gives each its name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use formats::id::ArchiveId;

use super::error::KeyError;
use super::ledger;
use super::provider::{KEK_FILE, KekProvider};
use super::sealed;
use crate::store::durable::{
    Disk, create_directories, erase_file, prepare, read_prepared, read_settled, settle,
    take_prepared,
};

/// Files beside a ledger.
#[derive(Debug)]
pub(super) struct Beside {
    kek: Vec<u8>,
    /// By their path on the key medium.
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Beside {
    pub(super) const fn new(kek: Vec<u8>, files: Vec<(PathBuf, Vec<u8>)>) -> Self {
        Self { kek, files }
    }

    /// The provider's file, and each sealed secret of a key medium that opens.
    pub(super) fn of(
        provider: &dyn KekProvider,
        archive: ArchiveId,
        root: &Path,
    ) -> Result<Self, KeyError> {
        let mut files = Vec::new();
        for relative in sealed::files(root)? {
            let path = root.join(&relative);
            // What cannot be read is left to those who compare.
            let opens = match sealed::opens_at(provider, archive, &path, &relative) {
                Err(KeyError::Damaged { .. }) => false,
                opens => sealed::is_sealed(&relative) && opens?,
            };
            if opens {
                let contents = read_settled(&path);
                files.push((relative, contents.map_err(|e| io_error(&path, e))?));
            }
        }
        Ok(Self::new(provider.file()?, files))
    }

    /// Writes what is to replace something beside it. Nothing that stands there changes.
    pub(super) fn prepare(&self, disk: &dyn Disk, root: &Path) -> Result<(), KeyError> {
        for (path, contents) in self.each(root) {
            if path.parent().is_some_and(Path::is_dir) && !stands(&path, contents) {
                prepare(disk, &path, contents).map_err(|e| io_error(&path, e))?;
            }
        }
        Ok(())
    }

    /// Gives everything its name.
    pub(super) fn take(&self, disk: &dyn Disk, root: &Path) -> Result<(), KeyError> {
        for (path, contents) in self.each(root) {
            let taken = (|| {
                create_directories(disk, path.parent().unwrap_or(root))?;
                if stands(&path, contents) {
                    return settle(disk, &path);
                }
                take_prepared(disk, &path, contents)
            })();
            taken.map_err(|e| io_error(&path, e))?;
        }
        Ok(())
    }

    /// The provider's file comes first where there is one, for it opens the ledger; and last on a new medium, which is whole then.
    fn each<'a>(&'a self, root: &'a Path) -> impl Iterator<Item = (PathBuf, &'a [u8])> {
        let kek = || [(root.join(KEK_FILE), self.kek.as_slice())];
        let is_new = read_settled(&root.join(KEK_FILE)).is_err();
        let files = self
            .files
            .iter()
            .map(|(relative, contents)| (root.join(relative), contents.as_slice()));
        let first = kek().into_iter().filter(move |_| !is_new);
        let last = kek().into_iter().filter(move |_| is_new);
        first.chain(files).chain(last)
    }
}

fn stands(path: &Path, contents: &[u8]) -> bool {
    fs::read(path).is_ok_and(|own| own == contents)
}

fn io_error(path: &Path, error: io::Error) -> KeyError {
    KeyError::io(path, "write", error)
}

/// The provider's file of a key medium: what stands beside it where the ledger has its new name already, and it has not.
///
/// # Errors
/// The operating system's.
pub(super) fn read_kek(path: &Path) -> io::Result<Vec<u8>> {
    let own = read_settled(path)?;
    Ok(waiting_kek(path, &own).unwrap_or(own))
}

/// What is written beside the provider's file, where only that opens the ledger.
fn waiting_kek(path: &Path, own: &[u8]) -> Option<Vec<u8>> {
    let waiting = read_prepared(path).ok()?;
    let epoch = ledger::epoch_at(path.parent()?)?;
    let knows = |file: &[u8]| ledger::epochs_in(file).map(|epochs| epochs.contains(&epoch));
    (knows(own) == Some(false) && knows(&waiting) == Some(true)).then_some(waiting)
}

/// Gives its name to what an interrupted run left beside its place on a key medium, after the ledger had its own.
///
/// # Errors
/// [`KeyError::InUse`] where somebody is about it; errors of reading and writing.
pub(super) fn finish(disk: &dyn Disk, root: &Path) -> Result<(), KeyError> {
    if !is_waiting(root)? {
        return Ok(());
    }
    let _lock = ledger::lock(root)?;
    finish_locked(disk, root)
}

/// As [`finish`], by whoever holds the lock of the ledger.
pub(super) fn finish_locked(disk: &dyn Disk, root: &Path) -> Result<(), KeyError> {
    let path = root.join(KEK_FILE);
    let Ok(own) = read_settled(&path) else {
        return Ok(());
    };
    if !path.exists() {
        settle(disk, &path).map_err(|e| io_error(&path, e))?;
    }
    if let Some(waiting) = waiting_kek(&path, &own) {
        take_prepared(disk, &path, &waiting).map_err(|e| io_error(&path, e))?;
    }
    for (path, waiting) in waiting_secrets(root)? {
        take_prepared(disk, &path, &waiting).map_err(|e| io_error(&path, e))?;
    }
    Ok(())
}

fn is_waiting(root: &Path) -> Result<bool, KeyError> {
    let path = root.join(KEK_FILE);
    let is_kek = |own: Vec<u8>| !path.exists() || waiting_kek(&path, &own).is_some();
    Ok(read_settled(&path).is_ok_and(is_kek) || !waiting_secrets(root)?.is_empty())
}

/// The secrets that stand there sealed under a key that is gone, and beside under one that the provider's file has.
fn waiting_secrets(root: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, KeyError> {
    if !root.is_dir() {
        return Ok(Vec::new());
    }
    let epochs = read_settled(&root.join(KEK_FILE)).ok();
    let Some(epochs) = epochs.as_deref().and_then(ledger::epochs_in) else {
        return Ok(Vec::new());
    };
    let knows = |bytes: &[u8]| sealed::epoch_of(bytes).is_some_and(|one| epochs.contains(&one));
    let mut waiting = Vec::new();
    for relative in sealed::files(root)? {
        let path = root.join(&relative);
        if let (true, Ok(own), Ok(beside)) = (
            sealed::is_sealed(&relative),
            fs::read(&path),
            read_prepared(&path),
        ) && !knows(&own)
            && knows(&beside)
        {
            waiting.push((path, beside));
        }
    }
    Ok(waiting)
}

/// Overwrites and removes the sealed secrets of a key medium that was made anew which the original does not have: what opened them is gone.
pub(super) fn erase_others(
    disk: &dyn Disk,
    root: &Path,
    kept: &[(PathBuf, Vec<u8>)],
) -> Result<u64, KeyError> {
    let mut erased = 0;
    for relative in sealed::files(root)? {
        let is_kept = kept.iter().any(|(own, _)| *own == relative);
        if sealed::is_sealed(&relative) && !is_kept {
            let path = root.join(&relative);
            settle(disk, &path)
                .and_then(|()| erase_file(disk, &path))
                .map_err(|e| KeyError::io(&path, "overwrite", e))?;
            erased += 1;
        }
    }
    Ok(erased)
}
