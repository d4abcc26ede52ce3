//! A disk with faults, for tests: calls that fail without effect, calls that take effect and report a failure, torn writes, full
//! media, killed processes and power cuts.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Disk, SystemDisk};

/// Which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Create,
    Open,
    Write,
    Sync,
    Truncate,
    Protect,
    Rename,
    Remove,
    CreateDirectory,
    SyncDirectory,
}

/// What a failing call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing.
    Lost,
    /// Everything, and reports a failure all the same.
    Done,
    /// A write writes only so many bytes.
    Torn(usize),
    /// A write writes its first byte wrong, and nobody notices.
    Spoilt,
}

/// A fault that waits for its call.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// The call; `None` is any.
    pub(crate) call: Option<Call>,
    /// Text that the path must contain.
    pub(crate) path: String,
    /// How many matching calls pass before.
    pub(crate) after: usize,
    /// Whether all later matching calls fail, too.
    pub(crate) sticky: bool,
    pub(crate) error: io::ErrorKind,
    pub(crate) outcome: Outcome,
}

/// The disk with faults.
#[derive(Debug, Default)]
pub(crate) struct FaultyDisk {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    faults: Vec<Fault>,
    calls: Vec<(Call, PathBuf)>,
    dead: bool,
    /// Writes that no sync covered yet.
    unsynced: BTreeMap<PathBuf, Vec<(u64, u64)>>,
}

/// A small generator: the seed is all that a failing test needs to print.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound.max(1)
    }
}

impl FaultyDisk {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Arms a fault.
    pub(crate) fn arm(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Takes all faults away.
    pub(crate) fn heal(&self) {
        self.lock().faults.clear();
    }

    /// How many calls of a kind were made on paths that contain the text.
    pub(crate) fn count(&self, call: Call, path: &str) -> usize {
        let state = self.lock();
        let matching = state
            .calls
            .iter()
            .filter(|(made, on)| *made == call && contains(on, path));
        matching.count()
    }

    /// How many calls were made.
    pub(crate) fn calls(&self) -> usize {
        self.lock().calls.len()
    }

    /// The process is dead: no call has an effect any more.
    pub(crate) fn kill(&self) {
        self.lock().dead = true;
    }

    /// After [`FaultyDisk::kill`]: of what was never synchronised, some bytes stay, some become zeros, and files may be shorter.
    pub(crate) fn power_cut(&self, seed: u64) {
        let mut random = Random(seed);
        let unsynced = std::mem::take(&mut self.lock().unsynced);
        for (path, writes) in unsynced {
            let Ok(file) = SystemDisk.open(&path) else {
                continue;
            };
            let mut length = file.metadata().unwrap().len();
            for (offset, bytes) in writes {
                match random.below(4) {
                    0 => length = length.min(offset + random.below(bytes + 1)),
                    1 => {
                        let from = random.below(bytes + 1);
                        let zeros = vec![0; (bytes - from) as usize];
                        file.write_all_at(&zeros, offset + from).unwrap();
                    }
                    _ => {}
                }
            }
            let end = file.metadata().unwrap().len();
            if random.below(3) == 0 {
                length = length.min(end);
                file.set_len(length).unwrap();
            }
            if random.below(4) == 0 {
                let zeros = vec![0; random.below(300) as usize];
                let end = file.metadata().unwrap().len();
                file.write_all_at(&zeros, end).unwrap();
            }
        }
    }

    /// Runs a call through the faults.
    fn call<T>(
        &self,
        call: Call,
        path: &Path,
        torn: &dyn Fn(Option<usize>),
        act: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let fault = {
            let mut state = self.lock();
            if state.dead {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            state.calls.push((call, path.to_owned()));
            state.due(call, path)
        };
        match fault {
            None => act(),
            Some((error, Outcome::Lost)) => Err(error.into()),
            Some((error, Outcome::Done)) => {
                act()?;
                Err(error.into())
            }
            Some((error, Outcome::Torn(bytes))) => {
                torn(Some(bytes));
                Err(error.into())
            }
            Some((_, Outcome::Spoilt)) => {
                let done = act()?;
                torn(None);
                Ok(done)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn due(&mut self, call: Call, path: &Path) -> Option<(io::ErrorKind, Outcome)> {
        let place = self.faults.iter_mut().position(|fault| {
            let matches =
                fault.call.is_none_or(|wanted| wanted == call) && contains(path, &fault.path);
            if matches && fault.after > 0 {
                fault.after -= 1;
                return false;
            }
            matches
        })?;
        let fault = self.faults[place].clone();
        if !fault.sticky {
            self.faults.remove(place);
        }
        Some((fault.error, fault.outcome))
    }
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.call(Call::Create, path, &|_| (), || SystemDisk.create(path))
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        self.call(Call::Open, path, &|_| (), || SystemDisk.open(path))
    }

    fn write_at(&self, file: &File, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let path = path_of(file);
        let mut bytes = Vec::new();
        for slice in slices.iter() {
            bytes.write_all(slice).unwrap();
        }
        let torn = |count: Option<usize>| match count {
            Some(count) => {
                let count = count.min(bytes.len());
                file.write_all_at(&bytes[..count], offset).unwrap();
            }
            None => file.write_all_at(&[!bytes[0]], offset).unwrap(),
        };
        let result = self.call(Call::Write, &path, &torn, || {
            SystemDisk.write_at(file, slices, offset)
        });
        let mut state = self.lock();
        if !state.dead {
            let writes = state.unsynced.entry(path).or_default();
            writes.push((offset, bytes.len() as u64));
        }
        result
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let path = path_of(file);
        self.call(Call::Sync, &path, &|_| (), || {
            self.lock().unsynced.remove(&path);
            Ok(())
        })
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.call(Call::Truncate, &path_of(file), &|_| (), || {
            SystemDisk.truncate(file, length)
        })
    }

    fn protect(&self, file: &File) -> io::Result<()> {
        self.call(Call::Protect, &path_of(file), &|_| (), || {
            SystemDisk.protect(file)
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(Call::Rename, to, &|_| (), || SystemDisk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(Call::Remove, path, &|_| (), || SystemDisk.remove(path))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.call(Call::CreateDirectory, path, &|_| (), || {
            SystemDisk.create_directory(path)
        })
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        // Names are never lost here: a real synchronisation would only make the tests slow.
        self.call(Call::SyncDirectory, path, &|_| (), || Ok(()))
    }
}

thread_local! {
    static UNREADABLE: RefCell<Vec<(String, Range<u64>)>> = const { RefCell::new(Vec::new()) };
}

/// Bytes of files that cannot be read on this thread, as long as this lives.
#[derive(Debug)]
pub(crate) struct Unreadable(());

impl Unreadable {
    /// The bytes `range` of files whose path contains the text.
    pub(crate) fn new(path: &str, range: Range<u64>) -> Self {
        UNREADABLE.with_borrow_mut(|all| all.push((path.to_owned(), range)));
        Self(())
    }
}

impl Drop for Unreadable {
    fn drop(&mut self) {
        UNREADABLE.with_borrow_mut(Vec::clear);
    }
}

/// As much of `bytes` as can be read from `offset` on; as a medium does, `EIO` where the first byte cannot.
pub(crate) fn readable<'a>(
    file: &File,
    bytes: &'a mut [u8],
    offset: u64,
) -> io::Result<&'a mut [u8]> {
    UNREADABLE.with_borrow(|all| {
        if all.is_empty() {
            return Ok(bytes);
        }
        let path = path_of(file);
        let mut count = bytes.len();
        for (_, range) in all.iter().filter(|(text, _)| contains(&path, text)) {
            if range.contains(&offset) {
                return Err(io::Error::from_raw_os_error(5));
            }
            if let Some(before) = range.start.checked_sub(offset) {
                count = count.min(before as usize);
            }
        }
        Ok(&mut bytes[..count])
    })
}

fn path_of(file: &File) -> PathBuf {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap()
}

/// Whether a path contains the text, or ends with it if `$` stands behind it.
fn contains(path: &Path, text: &str) -> bool {
    let path = path.to_string_lossy();
    match text.strip_suffix('$') {
        Some(end) => path.ends_with(end),
        None => path.contains(text),
    }
}
