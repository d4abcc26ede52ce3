//! A watched folder: what is put there is deposited under one class, and moved beside, into `done` or `failed`.
//!
//! For each file, in this order:
//!
//! 1. It was unchanged between two looks that lie [`HotFolder::settle`] apart.
//! 2. It is renamed to `.taking.NAME`: a newcomer of the same name touches it no more. Its sidecar `NAME.meta` follows it.
//! 3. It is deposited, and acknowledged.
//! 4. It is moved to `done`, or to `failed` with its reason in `NAME.reason.txt`; then its sidecar.
//!
//! A crash between 2 and 4 leaves `.taking.NAME`, which the next opening takes up again: the archive knows what it has acknowledged by the
//! identity of the deposit and answers with the same version. Nothing is deleted, and nothing replaced.

mod names;
mod reason;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::Metadata as FileMetadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use firmware::clock::Clock;
use formats::id::VersionId;
use time::OffsetDateTime;

use self::names::Named;
pub use self::reason::Reason;
use super::metadata::{self, Metadata};
use super::name::SourceName;
use super::source::{Source, StableSource};
use super::taking::{TakeError, TakeUnder, Taken, TakesIn};
use crate::store::durable::{
    DirectoryLock, Disk, create_directories, move_into_place, replace_file,
};

/// A folder to watch.
#[derive(Debug, Clone, PartialEq)]
pub struct HotFolder {
    /// Where files are put.
    pub path: PathBuf,
    /// Where deposited files go; on the same file system.
    pub done: PathBuf,
    /// Where refused files go, with their reasons; on the same file system.
    pub failed: PathBuf,
    /// The class under which they are kept.
    pub class: String,
    /// What all of them are searched by; a sidecar wins over it.
    pub given: Metadata,
    /// Who deposits.
    pub depositor: String,
    /// How long a file must have been unchanged.
    pub settle: Duration,
}

/// What one look at the folder did.
#[derive(Debug, Default)]
pub struct Look {
    /// Deposited and moved to `done`, with their versions.
    pub done: Vec<(OsString, VersionId)>,
    /// Moved to `failed`, with the reasons.
    pub failed: Vec<(OsString, Reason)>,
    /// Tried, and left for the next look: the archive or the scanner does not take them now.
    pub waiting: Vec<(OsString, TakeError)>,
    /// Files that are not settled yet, or were left when the archive took nothing more.
    pub unsettled: usize,
}

/// The watch over a folder. One at a time: it holds a lock on the folder.
#[derive(Debug)]
pub struct Watch {
    folder: HotFolder,
    disk: Arc<dyn Disk>,
    seen: BTreeMap<OsString, Seen>,
    _lock: DirectoryLock,
}

/// How an entry looked, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    stamp: Stamp,
    sidecar: Option<Stamp>,
    since: OffsetDateTime,
}

/// What changes whenever a file does: device, inode, size, times of modification and change.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

impl Watch {
    /// Begins to watch: makes the folders that are missing, and puts in order what a crash left between two renames.
    ///
    /// # Errors
    /// The operating system's. `WouldBlock`: another process watches the folder. `CrossesDevices`: `done` or `failed` is on another file system.
    pub fn open(folder: HotFolder, disk: Arc<dyn Disk>) -> io::Result<Self> {
        for path in [&folder.path, &folder.done, &folder.failed] {
            create_directories(disk.as_ref(), path)?;
        }
        let device = |path: &Path| path.metadata().map(|metadata| metadata.dev());
        let here = device(&folder.path)?;
        if device(&folder.done)? != here || device(&folder.failed)? != here {
            return Err(io::ErrorKind::CrossesDevices.into());
        }
        let lock = DirectoryLock::take(&folder.path, true)?;
        let mut watch = Self {
            folder,
            disk,
            seen: BTreeMap::new(),
            _lock: lock,
        };
        watch.put_in_order()?;
        Ok(watch)
    }

    /// Looks once: takes what is settled. `stops` is asked between two files.
    ///
    /// # Errors
    /// The operating system's, for the folder itself. What is wrong with a file is told in the look.
    pub fn look(
        &mut self,
        now: OffsetDateTime,
        taker: &dyn TakesIn,
        stops: &dyn Fn() -> bool,
    ) -> io::Result<Look> {
        let entries = self.entries()?;
        self.seen.retain(|name, _| entries.contains_key(name));
        let mut look = Look::default();
        for (name, named) in &entries {
            let gives_up = look.waiting.len() >= WAITING_MAX || stops();
            if gives_up || !self.is_settled(name, named, now) {
                look.unsettled += 1;
                continue;
            }
            match named {
                Named::Incoming => self.take_up(name, taker, &mut look)?,
                Named::Taking(original) => self.take(original, taker, &mut look)?,
                Named::LeftAlone => {}
            }
        }
        Ok(look)
    }

    /// Looks again and again, `interval` apart, until `stop` is closed or says so. `tell` hears of each look.
    pub fn run(
        mut self,
        taker: &dyn TakesIn,
        clock: &dyn Clock,
        interval: Duration,
        stop: &Receiver<()>,
        tell: &mut dyn FnMut(io::Result<Look>),
    ) {
        // A file is not begun once the stop is closed; the one that is being deposited is finished.
        loop {
            let stops = || !matches!(stop.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty));
            tell(self.look(clock.now(), taker, &stops));
            if !matches!(stop.recv_timeout(interval), Err(RecvTimeoutError::Timeout)) {
                return;
            }
        }
    }

    /// What stands in the folder and may be for us, by name.
    fn entries(&self) -> io::Result<BTreeMap<OsString, Named>> {
        let mut entries = BTreeMap::new();
        for entry in std::fs::read_dir(&self.folder.path)? {
            let name = entry?.file_name();
            match Named::of(&name) {
                Named::LeftAlone => {}
                named @ (Named::Incoming | Named::Taking(_)) => {
                    entries.insert(name, named);
                }
            }
        }
        Ok(entries)
    }

    /// Whether an entry and its sidecar are as they were at a look at least [`HotFolder::settle`] ago.
    fn is_settled(&mut self, name: &OsStr, named: &Named, now: OffsetDateTime) -> bool {
        // What was taken up is its writer's no more, but a writer may still hold it open.
        let original = match named {
            Named::Taking(original) => original,
            Named::Incoming | Named::LeftAlone => name,
        };
        let Some(stamp) = self.stamp(name) else {
            return false;
        };
        let sidecar = match named {
            Named::Taking(_) => names::taking(&names::sidecar(original)),
            Named::Incoming | Named::LeftAlone => names::sidecar(original),
        };
        let sidecar = self.stamp(&sidecar);
        let before = self.seen.get(name);
        let same = before.filter(|seen| seen.stamp == stamp && seen.sidecar == sidecar);
        // A clock that was set back starts the wait anew.
        let since = same.map_or(now, |seen| seen.since.min(now));
        let is_known = same.is_some();
        self.seen.insert(
            name.to_owned(),
            Seen {
                stamp,
                sidecar,
                since,
            },
        );
        is_known && now - since >= self.folder.settle
    }

    fn stamp(&self, name: &OsStr) -> Option<Stamp> {
        let metadata = self.folder.path.join(name).symlink_metadata();
        metadata.ok().map(|metadata| stamp_of(&metadata))
    }

    /// Step 2, and what follows.
    fn take_up(&mut self, name: &OsStr, taker: &dyn TakesIn, look: &mut Look) -> io::Result<()> {
        let seen = self.seen.remove(name);
        let path = self.folder.path.join(name);
        let Ok(metadata) = path.symlink_metadata() else {
            return Ok(());
        };
        if let Some(reason) = Reason::of_kind(&metadata) {
            return self.fail(name, name, reason, look);
        }
        let taken_up = self.folder.path.join(names::taking(name));
        if taken_up.symlink_metadata().is_ok() {
            // Its namesake waits for the archive; this one waits for it.
            look.unsettled += 1;
            return Ok(());
        }
        self.disk.rename(&path, &taken_up)?;
        let sidecar = names::sidecar(name);
        if seen.as_ref().is_some_and(|seen| seen.sidecar.is_some()) {
            let path = self.folder.path.join(&sidecar);
            let to = self.folder.path.join(names::taking(&sidecar));
            self.disk.rename(&path, &to)?;
        }
        // A newcomer that took the name between the look and the rename has to settle like any other.
        let now = self.stamp(&names::taking(name));
        let unchanged = seen.zip(now).is_some_and(|(seen, now)| {
            let (before, after) = (seen.stamp, now);
            (before.0, before.1, before.2, before.3) == (after.0, after.1, after.2, after.3)
        });
        if unchanged {
            self.take(name, taker, look)
        } else {
            look.unsettled += 1;
            Ok(())
        }
    }

    /// Steps 3 and 4 for what stands there as `.taking.NAME`.
    fn take(&mut self, name: &OsStr, taker: &dyn TakesIn, look: &mut Look) -> io::Result<()> {
        let standing = names::taking(name);
        match self.deposit(name, &standing, taker) {
            Ok(Taken {
                threat: Some(threat),
                version,
                ..
            }) => self.fail(&standing, name, Reason::quarantined(version, &threat), look),
            Ok(taken) => {
                self.move_beside(&standing, name, &self.folder.done.clone())?;
                look.done.push((name.to_owned(), taken.version));
                Ok(())
            }
            Err(error) if error.may_pass() => {
                look.waiting.push((name.to_owned(), error));
                Ok(())
            }
            Err(error) => self.fail(&standing, name, Reason::from(&error), look),
        }
    }

    fn deposit(
        &self,
        name: &OsStr,
        standing: &OsStr,
        taker: &dyn TakesIn,
    ) -> Result<Taken, TakeError> {
        let sidecar = self.folder.path.join(names::taking(&names::sidecar(name)));
        let given = match names::read_sidecar(&sidecar)? {
            Some(given) => metadata::merge(given, self.folder.given.clone()),
            None => self.folder.given.clone(),
        };
        let source_name = SourceName::from_bytes(name.as_encoded_bytes());
        let source = StableSource::open_no_follow(&self.folder.path.join(standing), source_name)?;
        let under = TakeUnder {
            class: &self.folder.class,
            given: &given,
            depositor: &self.folder.depositor,
            channel: CHANNEL,
        };
        taker.take(Source::File(source), &under)
    }

    /// Moves an entry to `failed`, its reason first.
    fn fail(
        &self,
        standing: &OsStr,
        name: &OsStr,
        reason: Reason,
        look: &mut Look,
    ) -> io::Result<()> {
        let free = names::free_name(&self.folder.failed, name);
        let text = self.folder.failed.join(names::reason(&free));
        replace_file(self.disk.as_ref(), &text, reason.file_text().as_bytes())?;
        self.move_beside(standing, name, &self.folder.failed)?;
        look.failed.push((name.to_owned(), reason));
        Ok(())
    }

    /// Moves an entry and then its sidecar, under names that are free there.
    fn move_beside(&self, standing: &OsStr, name: &OsStr, to: &Path) -> io::Result<()> {
        let free = names::free_name(to, name);
        let disk = self.disk.as_ref();
        move_into_place(disk, &self.folder.path.join(standing), &to.join(&free))?;
        let sidecar = self.folder.path.join(names::taking(&names::sidecar(name)));
        if sidecar.symlink_metadata().is_ok() {
            move_into_place(disk, &sidecar, &to.join(names::sidecar(&free)))?;
        }
        disk.sync_directory(&self.folder.path)
    }

    /// What a crash left between two renames: a sidecar behind its file, or before it.
    fn put_in_order(&mut self) -> io::Result<()> {
        let disk = self.disk.as_ref();
        for entry in std::fs::read_dir(&self.folder.path)? {
            let name = entry?.file_name();
            let Named::Taking(original) = Named::of_any(&name) else {
                continue;
            };
            match names::document_of(&original) {
                // The sidecar of a file that was moved on: it follows.
                Some(document) => {
                    let standing = self.folder.path.join(names::taking(&document));
                    if standing.symlink_metadata().is_err() {
                        let free = names::free_name(&self.folder.done, &original);
                        let from = self.folder.path.join(&name);
                        move_into_place(disk, &from, &self.folder.done.join(free))?;
                    }
                }
                // A file that was taken up, before its sidecar was.
                None => {
                    let sidecar = names::sidecar(&original);
                    let from = self.folder.path.join(&sidecar);
                    let to = self.folder.path.join(names::taking(&sidecar));
                    if from.symlink_metadata().is_ok() && to.symlink_metadata().is_err() {
                        disk.rename(&from, &to)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn stamp_of(metadata: &FileMetadata) -> Stamp {
    (
        metadata.dev(),
        metadata.ino(),
        metadata.size(),
        (metadata.mtime(), metadata.mtime_nsec()),
        (metadata.ctime(), metadata.ctime_nsec()),
    )
}

/// The channel of deposits from a folder.
const CHANNEL: &str = "hot-folder";

/// When so many files of one look were put off, the rest waits for the next look.
const WAITING_MAX: usize = 3;

#[cfg(test)]
mod tests;
