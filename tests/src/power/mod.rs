//! A disk that loses its power: real files, and a journal of everything that no synchronisation covered yet.
//!
//! The archive works on it as on any disk. At a *cut* the process's view ends: every later call fails. [`PowerDisk::lose_power`] then rolls the
//! files to a state that a real disk could hold: writes that were not synchronised are lost, kept, torn at sectors of 512 bytes or on the medium in
//! another order than they were made; files have any of the lengths that they had since; names that were not synchronised are as they were before, as they are
//! now, or between. What was synchronised stays. [`PowerDisk::restart`] without a power loss is a killed process: the page cache keeps all, and the
//! journal goes on.
//!
//! Two models of names: [`Names::Ordered`], as journalling file systems have it (ext4, xfs: what is lost is a suffix), and [`Names::Any`], where each
//! operation is lost or kept for itself.
//!
//! The same disk injects faults by call and path ([`Fault`]) and records the sequence of calls.

mod journal;
mod roll;

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use archiver::store::durable::{Disk, SystemDisk};

use crate::random::Random;
use journal::{FileChange, Journal, NameChange};

/// Which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the calls of the trait `Disk`, by their names")]
pub enum Call {
    Create,
    Open,
    Write,
    Sync,
    Truncate,
    Protect,
    Unprotect,
    Rename,
    Remove,
    CreateDirectory,
    SyncDirectory,
}

/// What becomes of the call at which the process or the power ends, or which fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// All of it, but nobody hears of it.
    Whole,
    /// Of a write, so many bytes; of other calls, nothing.
    Part(usize),
}

/// The end of the process.
///
/// Media are written side by side by threads, so the n-th of all calls is another one in each run. The n-th on one medium is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Calls on paths below this folder count, a medium's; with none, all.
    pub on: Option<PathBuf>,
    /// So many of them are made before.
    pub after: u64,
    /// What becomes of the call under way.
    pub effect: Effect,
}

/// How names that no synchronisation covered are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// In the reverse order in which they were made.
    Ordered,
    /// In any.
    Any,
}

/// A call that fails.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Which call.
    pub call: Call,
    /// Text that the path must contain.
    pub path: String,
    /// How many such calls pass before.
    pub after: u64,
    /// Whether all later such calls fail, too.
    pub sticky: bool,
    /// The error number of the operating system.
    pub errno: i32,
    /// What the failing call does all the same.
    pub effect: Effect,
}

/// The disk.
#[derive(Debug)]
pub struct PowerDisk {
    names: Names,
    honest: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    journal: Journal,
    made: Vec<(Call, PathBuf)>,
    faults: Vec<Fault>,
    cut: Option<Cut>,
    /// Calls that the cut counts.
    counted: u64,
    dead: bool,
}

impl PowerDisk {
    /// A disk for files that are all synchronised. In the folder `graves`, on the same file system, it keeps what has no name any more.
    /// One that is not `honest` synchronises nothing of what it says it has: with it a test shows that it would notice.
    #[must_use]
    pub fn new(graves: PathBuf, names: Names, honest: bool) -> Arc<Self> {
        Arc::new(Self {
            names,
            honest,
            state: Mutex::new(State {
                journal: Journal::new(graves),
                made: Vec::new(),
                faults: Vec::new(),
                cut: None,
                counted: 0,
                dead: false,
            }),
        })
    }

    /// A process begins, that ends at `cut`. What earlier ones left un-synchronised is still so.
    pub fn restart(&self, cut: Option<Cut>) {
        let mut state = self.lock();
        state.made.clear();
        state.faults.clear();
        state.cut = cut;
        state.counted = 0;
        state.dead = false;
    }

    /// The process ends now.
    pub fn kill(&self) {
        self.lock().dead = true;
    }

    /// Whether the cut was reached.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.lock().dead
    }

    /// The calls since the last start.
    #[must_use]
    pub fn calls(&self) -> Vec<(Call, PathBuf)> {
        self.lock().made.clone()
    }

    /// Arms a fault.
    pub fn arm(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// The power fails, and the files are what the medium may hold now. All handles of the process must be closed.
    ///
    /// # Panics
    /// When the files cannot be changed.
    pub fn lose_power(&self, random: &mut Random) {
        let mut state = self.lock();
        state.dead = true;
        state.journal.lose(self.names, random);
    }

    /// The same at its worst: nothing is there that was not synchronised.
    ///
    /// # Panics
    /// When the files cannot be changed.
    pub fn lose_everything(&self) {
        let mut state = self.lock();
        state.dead = true;
        state.journal.lose_everything();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a call through cut and faults. `act` makes so much of it, and notes what it made.
    fn call<T>(
        &self,
        call: Call,
        path: &Path,
        act: impl FnOnce(&mut Journal, Option<usize>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.lock();
        if state.dead {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        state.made.push((call, path.to_owned()));
        let (error, effect) = match state.cut_at(path) {
            Some(effect) => {
                state.dead = true;
                (io::ErrorKind::BrokenPipe.into(), effect)
            }
            None => match state.due(call, path) {
                Some(fault) => (io::Error::from_raw_os_error(fault.errno), fault.effect),
                None => return act(&mut state.journal, None),
            },
        };
        match effect {
            Effect::Whole => drop(act(&mut state.journal, None)),
            Effect::Part(bytes) if call == Call::Write => {
                drop(act(&mut state.journal, Some(bytes)));
            }
            Effect::None | Effect::Part(_) => {}
        }
        Err(error)
    }
}

impl State {
    /// What becomes of the call on this path, if it is the one at which the process ends.
    fn cut_at(&mut self, path: &Path) -> Option<Effect> {
        let cut = self.cut.as_ref()?;
        if cut.on.as_ref().is_some_and(|on| !path.starts_with(on)) {
            return None;
        }
        if self.counted >= cut.after {
            return Some(cut.effect);
        }
        self.counted += 1;
        None
    }

    fn due(&mut self, call: Call, path: &Path) -> Option<Fault> {
        let path = path.to_string_lossy();
        let place = self.faults.iter_mut().position(|fault| {
            let matches = fault.call == call && path.contains(&fault.path);
            let waits = matches && fault.after > 0;
            fault.after -= u64::from(waits);
            matches && !waits
        })?;
        let fault = self.faults[place].clone();
        if !fault.sticky {
            self.faults.remove(place);
        }
        Some(fault)
    }
}

impl Disk for PowerDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.call(Call::Create, path, |journal, _| {
            let file = SystemDisk.create(path)?;
            let inode = journal.keep(path)?;
            journal.name(NameChange::Create {
                name: path.to_owned(),
                inode,
            });
            Ok(file)
        })
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        self.call(Call::Open, path, |_, _| SystemDisk.open(path))
    }

    fn write_at(&self, file: &File, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.call(Call::Write, &path_of(file), |journal, part| {
            let mut bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
            bytes.truncate(part.unwrap_or(bytes.len()));
            let before = read_range(file, offset, bytes.len())?;
            let length = file.metadata()?.len();
            file.write_all_at(&bytes, offset)?;
            let change = FileChange::Write {
                offset,
                bytes,
                before,
                length,
            };
            journal.change(file, change)
        })
    }

    fn begin_write_back(&self, _file: &File, _offset: u64, _length: u64) {}

    fn sync(&self, file: &File) -> io::Result<()> {
        // The folder is in memory: there is nothing to wait for, and thousands of cuts want to be made.
        self.call(Call::Sync, &path_of(file), |journal, _| {
            if self.honest {
                journal.sync(file)
            } else {
                Ok(())
            }
        })
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.call(Call::Truncate, &path_of(file), |journal, _| {
            let before = file.metadata()?.len();
            let lost = usize::try_from(before.saturating_sub(length)).unwrap_or(usize::MAX);
            let tail = read_range(file, length, lost)?;
            file.set_len(length)?;
            let change = FileChange::Length {
                length,
                before,
                tail,
            };
            journal.change(file, change)
        })
    }

    fn protect(&self, file: &File) -> io::Result<()> {
        self.call(Call::Protect, &path_of(file), |journal, _| {
            let before = file.metadata()?.permissions();
            SystemDisk.protect(file)?;
            journal.change(file, FileChange::Mode { before })
        })
    }

    fn unprotect(&self, path: &Path) -> io::Result<()> {
        self.call(Call::Unprotect, path, |journal, _| {
            let before = std::fs::metadata(path)?.permissions();
            SystemDisk.unprotect(path)?;
            journal.change(&File::open(path)?, FileChange::Mode { before })
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(Call::Rename, to, |journal, _| {
            if from.is_dir() {
                SystemDisk.rename(from, to)?;
                let (from, to) = (from.to_owned(), to.to_owned());
                journal.name(NameChange::MoveDirectory { from, to });
                return Ok(());
            }
            let victim = if to.exists() {
                Some(journal.keep(to)?)
            } else {
                None
            };
            let inode = journal.keep(from)?;
            SystemDisk.rename(from, to)?;
            journal.name(NameChange::Rename {
                from: from.to_owned(),
                to: to.to_owned(),
                inode,
                victim,
            });
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(Call::Remove, path, |journal, _| {
            if !path.try_exists()? {
                return SystemDisk.remove(path);
            }
            let inode = journal.keep(path)?;
            SystemDisk.remove(path)?;
            journal.name(NameChange::Remove {
                name: path.to_owned(),
                inode,
            });
            Ok(())
        })
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.call(Call::CreateDirectory, path, |journal, _| {
            SystemDisk.create_directory(path)?;
            journal.name(NameChange::CreateDirectory {
                name: path.to_owned(),
            });
            Ok(())
        })
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.call(Call::SyncDirectory, path, |journal, _| {
            if !path.is_dir() {
                return Err(io::ErrorKind::NotFound.into());
            }
            if self.honest {
                journal.sync_names(path, self.names);
            }
            Ok(())
        })
    }
}

fn read_range(file: &File, offset: u64, count: usize) -> io::Result<Vec<u8>> {
    let left = file.metadata()?.len().saturating_sub(offset);
    let count = usize::try_from(left).map_or(count, |left| left.min(count));
    let mut bytes = vec![0; count];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

fn path_of(file: &File) -> PathBuf {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap_or_default()
}

fn inode_of(file: &File) -> io::Result<u64> {
    Ok(file.metadata()?.ino())
}
