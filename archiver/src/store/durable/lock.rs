//! Who may use a medium.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// A lock on a directory, held as long as the value lives (`flock`).
#[derive(Debug)]
pub struct DirectoryLock {
    directory: OwnedFd,
}

impl DirectoryLock {
    /// Takes the lock: exclusive for a writer, shared for readers.
    ///
    /// It does not wait for another user. But a process that starts a program gives it its locks for an instant, until the program begins, and a lock
    /// that it releases meanwhile stays held so long: that instant is waited for.
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
        let started = Instant::now();
        while let Err(error) = rustix::fs::flock(&directory, operation) {
            if error != rustix::io::Errno::WOULDBLOCK || started.elapsed() >= START_OF_A_PROGRAM {
                return Err(error.into());
            }
            thread::sleep(PAUSE);
        }
        Ok(Self { directory })
    }

    /// Whether it is the lock of what stands at this path now.
    #[must_use]
    pub fn is_of(&self, directory: &Path) -> bool {
        let there = rustix::fs::stat(directory);
        let held = rustix::fs::fstat(&self.directory);
        matches!((there, held), (Ok(there), Ok(held)) if (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino))
    }
}

/// How long a program that is being started may hold the locks of who starts it.
const START_OF_A_PROGRAM: Duration = Duration::from_millis(100);

/// How often the lock is tried meanwhile.
const PAUSE: Duration = Duration::from_millis(2);
