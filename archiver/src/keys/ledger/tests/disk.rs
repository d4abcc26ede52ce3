//! A disk that fails where it is told to.

use std::fs::File;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::store::durable::{Disk, SystemDisk};

#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// Nothing is written.
    Full,
    /// Half is written.
    Torn,
    /// Nothing is synchronised.
    SyncLost,
    /// It is synchronised, and reported as lost.
    SyncReportedLost,
}

/// Counts synchronisations, and fails where it is told to.
#[derive(Debug, Default)]
pub(super) struct TestDisk {
    pub(super) syncs: AtomicUsize,
    pub(super) fault: Option<Fault>,
}

impl Disk for TestDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        SystemDisk.create(path)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        SystemDisk.open(path)
    }

    fn write_at(&self, file: &File, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        match self.fault {
            Some(Fault::Full) => Err(io::ErrorKind::StorageFull.into()),
            Some(Fault::Torn) => {
                let half = &slices[0][..slices[0].len() / 2];
                SystemDisk.write_at(file, &mut [IoSlice::new(half)], offset)?;
                Err(io::ErrorKind::Other.into())
            }
            None | Some(Fault::SyncLost | Fault::SyncReportedLost) => {
                SystemDisk.write_at(file, slices, offset)
            }
        }
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Some(Fault::SyncLost) => Err(io::ErrorKind::Other.into()),
            Some(Fault::SyncReportedLost) => {
                SystemDisk.sync(file)?;
                Err(io::ErrorKind::Other.into())
            }
            None | Some(Fault::Full | Fault::Torn) => SystemDisk.sync(file),
        }
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        SystemDisk.truncate(file, length)
    }

    fn protect(&self, file: &File) -> io::Result<()> {
        SystemDisk.protect(file)
    }

    fn unprotect(&self, path: &Path) -> io::Result<()> {
        SystemDisk.unprotect(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        SystemDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        SystemDisk.remove(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        SystemDisk.create_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        SystemDisk.sync_directory(path)
    }
}
