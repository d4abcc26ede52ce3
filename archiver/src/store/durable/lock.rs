//! Who may use a medium.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// A lock on a directory, held as long as the value lives (`flock`).
#[derive(Debug)]
pub struct DirectoryLock {
    _directory: OwnedFd,
}

impl DirectoryLock {
    /// Takes the lock without waiting: exclusive for a writer, shared for readers.
    ///
    /// # Errors
    /// `WouldBlock` when another process holds it; the operating system's otherwise.
    pub fn take(directory: &Path, exclusive: bool) -> io::Result<Self> {
        use rustix::fs::FlockOperation::{NonBlockingLockExclusive, NonBlockingLockShared};
        let directory = OwnedFd::from(File::open(directory)?);
        let operation = if exclusive {
            NonBlockingLockExclusive
        } else {
            NonBlockingLockShared
        };
        rustix::fs::flock(&directory, operation)?;
        Ok(Self {
            _directory: directory,
        })
    }
}
