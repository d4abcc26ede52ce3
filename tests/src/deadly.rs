//! A disk under which the process is killed (`SIGKILL`) at one of its calls, whichever thread makes it.

use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice};
use std::path::Path;
use std::process::{self, Command};
use std::sync::{Mutex, PoisonError};
use std::thread;

use archiver::store::durable::{Disk, SystemDisk};

/// Which call is the last one.
#[derive(Debug, Clone, Copy)]
pub struct Last {
    /// Its number, from 1 on, over all media and threads.
    pub number: u64,
    /// Whether it writes half of its bytes, if it is a write; else nothing of it is done.
    pub torn: bool,
}

/// The system's disk until then.
pub struct DeadlyDisk {
    last: Last,
    made: Mutex<u64>,
}

impl fmt::Debug for DeadlyDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadlyDisk").finish_non_exhaustive()
    }
}

impl DeadlyDisk {
    /// A disk for a process that ends at this call.
    #[must_use]
    pub const fn new(last: Last) -> Self {
        Self {
            last,
            made: Mutex::new(0),
        }
    }

    /// How many calls were made.
    #[must_use]
    pub fn made(&self) -> u64 {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call. At the last one, and for every thread that makes one after it, this does not return.
    fn count(&self, torn: impl FnOnce()) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        *made += 1;
        if *made >= self.last.number {
            if self.last.torn {
                torn();
            }
            kill_this_process();
        }
    }
}

/// Kills this process, and does nothing until the signal has come.
///
/// # Panics
/// When `kill(1)` does not start.
pub fn kill_this_process() -> ! {
    let us = process::id().to_string();
    let killed = Command::new("kill").args(["-KILL", &us]).status();
    assert!(killed.is_ok(), "kill(1) starts");
    loop {
        thread::park();
    }
}

impl Disk for DeadlyDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.count(|| ());
        SystemDisk.create(path)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        SystemDisk.open(path)
    }

    fn write_at(&self, file: &File, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        self.count(|| {
            let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
            SystemDisk
                .write_at(file, &mut [IoSlice::new(half)], offset)
                .ok();
        });
        SystemDisk.write_at(file, slices, offset)
    }

    fn begin_write_back(&self, _file: &File, _offset: u64, _length: u64) {}

    fn sync(&self, file: &File) -> io::Result<()> {
        // A killed process leaves all to the page cache: there is nothing to wait for.
        self.count(|| ());
        file.metadata().map(drop)
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.count(|| ());
        SystemDisk.truncate(file, length)
    }

    fn protect(&self, file: &File) -> io::Result<()> {
        self.count(|| ());
        SystemDisk.protect(file)
    }

    fn unprotect(&self, path: &Path) -> io::Result<()> {
        self.count(|| ());
        SystemDisk.unprotect(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.count(|| ());
        SystemDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.count(|| ());
        SystemDisk.remove(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.count(|| ());
        SystemDisk.create_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.count(|| ());
        path.metadata().map(drop)
    }
}
