//! The ledger on several key media, kept in step.
//!
//! Each key medium holds the same keys; the files that they stand in may differ. The copy of the highest generation, then of the most
//! entries, leads. What another copy lacks is written to it when the ledger is opened for writing; what only another copy holds is taken over,
//! unless the leading copy was wrapped anew since: then nobody can tell whether it was destroyed, and a person must decide.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use formats::id::ArchiveId;

use super::LedgerAccess;
use super::compact::{self, CompactPlace, CompactSource};
use super::entry::{ENTRY_BYTES, EntryState, LedgerEntry};
use super::files::{self, LEDGER_DIRECTORY, OpenedLedger, Sink};
use super::joining::Joining;
use crate::keys::beside::Beside;
use crate::keys::error::KeyError;
use crate::keys::provider::KekProvider;
use crate::keys::secret::KeyOwner;
use crate::store::durable::{DirectoryLock, Disk, erase_file};

/// Where the ledger stands.
#[derive(Debug, Clone)]
pub struct LedgerPlace {
    /// What writes.
    pub disk: Arc<dyn Disk>,
    /// The key media: the first one, then its copies.
    pub roots: Vec<PathBuf>,
    /// On how many of them a key must be durable before a deposit is acknowledged.
    pub copies_min: usize,
}

/// Whether a key medium takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyCondition {
    /// It holds every key, and gets each new one.
    InService,
    /// It is not attached, or holds no ledger.
    Missing,
    /// It failed, and gets nothing more until the archive is opened again.
    OutOfService {
        /// What happened.
        cause: String,
    },
}

/// A key medium of the archive, and what opening did to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyState {
    /// Where it is mounted.
    pub root: PathBuf,
    /// Whether it takes part.
    pub condition: CopyCondition,
    /// Whether it was behind a rotation: an old state that was restored, or a medium that was away.
    pub stale: bool,
    /// Keys and tombstones that were added, since other copies held them.
    pub caught_up: u64,
    /// Damaged entries and headers that opening found on it.
    pub damaged: u64,
    /// Entries of zeros, or cut by them, that opening found on it.
    pub unwritten: u64,
}

/// One key medium of an open ledger.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) root: PathBuf,
    _lock: Option<DirectoryLock>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: CopyState,
    sink: Option<Arc<Sink>>,
}

/// All copies, and what the leading one holds.
pub(super) struct OpenedCopies {
    pub(super) copies: Vec<Copy>,
    pub(super) leader: usize,
    pub(super) opened: OpenedLedger,
}

impl Copy {
    fn new(root: &Path, lock: Option<DirectoryLock>, condition: CopyCondition) -> Self {
        let state = CopyState {
            root: root.to_path_buf(),
            condition,
            stale: false,
            caught_up: 0,
            damaged: 0,
            unwritten: 0,
        };
        Self {
            root: root.to_path_buf(),
            _lock: lock,
            inner: Mutex::new(Inner { state, sink: None }),
        }
    }

    pub(super) fn state(&self) -> CopyState {
        self.inner().state.clone()
    }

    /// Where entries go, while it is in service.
    pub(super) fn sink(&self) -> Option<Arc<Sink>> {
        self.inner().sink.clone()
    }

    pub(super) fn set_sink(&self, sink: Sink) {
        self.inner().sink = Some(Arc::new(sink));
    }

    /// Takes it out of service.
    pub(super) fn fail(&self, error: &KeyError) {
        let mut inner = self.inner();
        inner.sink = None;
        inner.state.condition = CopyCondition::OutOfService {
            cause: error.to_string(),
        };
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens every copy, and brings them into step when the ledger is to be written.
pub(super) fn open(
    place: &LedgerPlace,
    archive: ArchiveId,
    access: LedgerAccess,
    provider: &dyn KekProvider,
) -> Result<OpenedCopies, KeyError> {
    let mut found = Vec::new();
    let mut copies = Vec::new();
    let mut first_error = None;
    for root in &place.roots {
        match open_settled(place, root, archive, access) {
            Ok(mut opened) => {
                let lock = opened.lock.take();
                let copy = Copy::new(root, lock, CopyCondition::InService);
                copy.inner().state.damaged = opened.report.damaged.len() as u64;
                copy.inner().state.unwritten = opened.report.unwritten();
                copies.push(copy);
                found.push((copies.len() - 1, opened));
            }
            // A medium of another archive, or one that somebody writes to, is a mistake and no loss.
            Err(
                error @ (KeyError::InUse { .. }
                | KeyError::OtherArchive { .. }
                | KeyError::UnsupportedFormat { .. }),
            ) => return Err(error),
            Err(error) => {
                let condition = if matches!(error, KeyError::MediumMissing { .. }) {
                    CopyCondition::Missing
                } else {
                    CopyCondition::OutOfService {
                        cause: error.to_string(),
                    }
                };
                copies.push(Copy::new(root, None, condition));
                first_error.get_or_insert(error);
            }
        }
    }
    let leader = (0..found.len()).max_by_key(|&n| rank(&found, n));
    let Some(leader) = leader else {
        let path = place.roots.first().cloned().unwrap_or_default();
        return Err(first_error.unwrap_or(KeyError::MediumMissing { path }));
    };
    if access == LedgerAccess::Write && found.len() < place.copies_min {
        return Err(too_few(place, &copies));
    }
    let (mut number, mut opened) = found.swap_remove(leader);
    if access == LedgerAccess::Write {
        let joining = Joining {
            provider,
            archive,
            roots: &place.roots,
            leading: &opened,
            others: found.iter().map(|(_, its)| its).collect(),
        };
        joining.check()?;
        let is_behind = |(_, its): &(usize, OpenedLedger)| its.generation < opened.generation;
        let beside = match found.iter().any(is_behind) {
            true => Beside::of(provider, archive, &opened.root)?,
            false => Beside::new(provider.file()?, Vec::new()),
        };
        (number, opened) = bring_all(place, &beside, &copies, (number, opened), found)?;
    }
    Ok(OpenedCopies {
        copies,
        leader: number,
        opened,
    })
}

/// First the leading copy gets what any has, then each what the leading one has. A medium that cannot be written is put out of service where
/// enough are left; where it is the leading one, another leads that has all of it then. Tells which one does.
fn bring_all(
    place: &LedgerPlace,
    beside: &Beside,
    copies: &[Copy],
    (number, mut opened): (usize, OpenedLedger),
    mut others: Vec<(usize, OpenedLedger)>,
) -> Result<(usize, OpenedLedger), KeyError> {
    let disk = &place.disk;
    let mut taken = others.iter();
    let written = taken
        .try_for_each(|(_, its)| take_over(disk, &mut opened, its))
        .and_then(|()| opened.sink(Arc::clone(disk)));
    let leads = match (written, copies.get(number)) {
        (Ok(sink), Some(copy)) => {
            copy.set_sink(sink);
            true
        }
        (Err(error), Some(copy)) => {
            give_up(place, copies, copy, error)?;
            false
        }
        (_, None) => return Err(KeyError::Stopped),
    };
    let mut failed = Vec::new();
    for (other, its) in &mut others {
        let Some(copy) = copies.get(*other) else {
            continue;
        };
        if let Err(error) = bring_into_step(disk, &opened, beside, copy, its) {
            give_up(place, copies, copy, error)?;
            failed.push(*other);
        }
    }
    others.retain(|(other, _)| !failed.contains(other));
    if leads {
        return Ok((number, opened));
    }
    let next = (0..others.len()).max_by_key(|&n| rank(&others, n));
    let next = next.ok_or(KeyError::Stopped)?;
    let next = others.swap_remove(next);
    bring_all(place, beside, copies, next, others)
}

/// Puts a medium out of service that cannot be written, where enough are left without it.
pub(super) fn give_up(
    place: &LedgerPlace,
    copies: &[Copy],
    copy: &Copy,
    error: KeyError,
) -> Result<(), KeyError> {
    if !matches!(error, KeyError::Io { .. } | KeyError::Full { .. }) {
        return Err(error);
    }
    let in_service = |other: &&Copy| {
        !std::ptr::eq(*other, copy) && other.state().condition == CopyCondition::InService
    };
    if copies.iter().filter(in_service).count() < place.copies_min.max(1) {
        return Err(error);
    }
    copy.fail(&error);
    Ok(())
}

/// Opens a copy. A process that was killed may have given names that no synchronisation covered: they are made durable before keys are added
/// to the files behind them, else a power loss would take both.
fn open_settled(
    place: &LedgerPlace,
    root: &Path,
    archive: ArchiveId,
    access: LedgerAccess,
) -> Result<OpenedLedger, KeyError> {
    let opened = files::open(root, archive, access)?;
    if access == LedgerAccess::Write {
        // The name of `kek.json` stands in the root: a new epoch must not go back while its keys are used.
        for directory in [root.to_path_buf(), root.join(LEDGER_DIRECTORY)] {
            place
                .disk
                .sync_directory(&directory)
                .map_err(|e| KeyError::io(&directory, "synchronise", e))?;
        }
    }
    Ok(opened)
}

/// The copies that are not in service are too many.
pub(super) fn too_few(place: &LedgerPlace, copies: &[Copy]) -> KeyError {
    let missing = copies
        .iter()
        .filter(|copy| copy.state().condition != CopyCondition::InService)
        .map(|copy| copy.root.clone())
        .collect();
    KeyError::CopiesMissing {
        missing,
        copies_min: place.copies_min,
    }
}

/// What decides which copy leads: the latest rotation, then the most keys, then the order of the configuration.
fn rank(found: &[(usize, OpenedLedger)], n: usize) -> (u32, usize, std::cmp::Reverse<usize>) {
    let (generation, keys) = found.get(n).map_or((0, 0), |(_, opened)| {
        let known = opened.places.len() + opened.destroyed.len();
        (opened.generation, known)
    });
    (generation, keys, std::cmp::Reverse(n))
}

/// Gives the leading ledger what only a copy holds. One that is behind a rotation was shown to hold nothing of its own.
fn take_over(
    disk: &Arc<dyn Disk>,
    leading: &mut OpenedLedger,
    its: &OpenedLedger,
) -> Result<(), KeyError> {
    if its.generation < leading.generation {
        return Ok(());
    }
    append(disk, leading, &lacking(its, leading)?)
}

/// Gives a copy what only the leading one holds.
fn bring_into_step(
    disk: &Arc<dyn Disk>,
    leading: &OpenedLedger,
    beside: &Beside,
    copy: &Copy,
    its: &mut OpenedLedger,
) -> Result<(), KeyError> {
    if its.generation < leading.generation {
        let number = its.next_number()?;
        // What opens the new file stands beside before it has its name: the leading medium may fail at any moment.
        beside.prepare(&**disk, &copy.root)?;
        replicate(disk, leading, &copy.root, number, &mut |_| ())?;
        beside.take(&**disk, &copy.root)?;
        erase_replaced(disk, &copy.root, number)?;
        let added = (leading.places.len() + leading.destroyed.len()) as u64;
        *its = files::open(&copy.root, leading.archive, LedgerAccess::Read)?;
        let mut inner = copy.inner();
        (inner.state.stale, inner.state.caught_up) = (true, added);
        (inner.state.damaged, inner.state.unwritten) = (0, 0);
    } else {
        let to_copy = lacking(leading, its)?;
        append(disk, its, &to_copy)?;
        copy.inner().state.caught_up = (to_copy.len() / ENTRY_BYTES) as u64;
    }
    copy.set_sink(its.sink(Arc::clone(disk))?);
    Ok(())
}

/// The entries of `from` that `to` does not have, as bytes.
pub(super) fn lacking(from: &OpenedLedger, to: &OpenedLedger) -> Result<Vec<u8>, KeyError> {
    let mut bytes = Vec::new();
    for (owner, tombstone) in &from.destroyed {
        if !to.destroyed.contains_key(owner) {
            bytes.extend(tombstone.encode());
        }
    }
    for entry in lacking_entries(from, to)? {
        bytes.extend(entry.encode().unwrap_or([0; ENTRY_BYTES]));
    }
    Ok(bytes)
}

/// The keys of `from` that `to` does not have.
pub(super) fn lacking_entries(
    from: &OpenedLedger,
    to: &OpenedLedger,
) -> Result<Vec<LedgerEntry>, KeyError> {
    let known = |owner: &KeyOwner| {
        to.places.contains_key(owner)
            || to.destroyed.contains_key(owner)
            || from.destroyed.contains_key(owner)
    };
    let mut entries = Vec::new();
    for owner in from.places.keys().filter(|owner| !known(owner)) {
        entries.extend(from.entry(owner)?);
    }
    Ok(entries)
}

/// Appends entries to one copy, and reads it again.
fn append(disk: &Arc<dyn Disk>, ledger: &mut OpenedLedger, entries: &[u8]) -> Result<(), KeyError> {
    if entries.is_empty() {
        return Ok(());
    }
    let sink = ledger.sink(Arc::clone(disk))?;
    sink.append_durably(entries)
        .map_err(|e| KeyError::io(sink.path(), "write", e))?;
    *ledger = files::open(&ledger.root, ledger.archive, LedgerAccess::Read)?;
    Ok(())
}

/// Writes all that a ledger holds as one file on another key medium.
pub(super) fn replicate(
    disk: &Arc<dyn Disk>,
    from: &OpenedLedger,
    root: &Path,
    number: u32,
    progress: &mut dyn FnMut(usize),
) -> Result<(), KeyError> {
    let mut owners: Vec<KeyOwner> = from.places.keys().collect();
    owners.sort_unstable();
    let mut destroyed: Vec<KeyOwner> = from.destroyed.keys().copied().collect();
    destroyed.sort_unstable();
    let bytes = |index: usize| -> Result<[u8; ENTRY_BYTES], KeyError> {
        if let Some(owner) = owners.get(index) {
            let entry = from.entry(*owner)?;
            let bytes = entry.and_then(|entry| entry.encode());
            return bytes.ok_or(KeyError::KeyDamaged { owner: *owner });
        }
        let tombstone = destroyed
            .get(index - owners.len())
            .and_then(|owner| from.destroyed.get(owner));
        Ok(tombstone.map_or([0; ENTRY_BYTES], super::entry::Tombstone::encode))
    };
    let place = CompactPlace {
        root,
        archive: from.archive,
        number,
        generation: from.generation,
    };
    let source = CompactSource {
        count: owners.len() + destroyed.len(),
        entry: &mut |index| bytes(index),
        same: &|index, found| bytes(index).is_ok_and(|bytes| bytes == *found),
        opens: &|_| Ok(true),
        progress,
    };
    compact::write(disk, place, source)
}

/// Overwrites and removes the files of a ledger whose number is below `number`, and unfinished ones; tells how many there were.
pub(super) fn erase_replaced(
    disk: &Arc<dyn Disk>,
    root: &Path,
    number: u32,
) -> Result<u64, KeyError> {
    let directory = root.join(LEDGER_DIRECTORY);
    let mut erased = 0;
    for entry in std::fs::read_dir(&directory)
        .map_err(|e| KeyError::io(&directory, "read the directory", e))?
    {
        let path = entry
            .map_err(|e| KeyError::io(&directory, "read the directory", e))?
            .path();
        let name = path.file_name().and_then(|name| name.to_str());
        // What a person put there is none of them.
        let replaced = name.is_some_and(|name| match files::parse_name(name) {
            Some(own) => own < number,
            None => name
                .strip_suffix(".new")
                .and_then(files::parse_name)
                .is_some(),
        });
        if replaced {
            erase_file(&**disk, &path).map_err(|e| KeyError::io(&path, "overwrite", e))?;
            erased += 1;
        }
    }
    Ok(erased)
}

/// Whether an entry's bytes are those of a key under `epoch` for `owner`.
pub(super) fn is_wrapped(bytes: &[u8; ENTRY_BYTES], owner: KeyOwner, epoch: u32) -> bool {
    matches!(
        LedgerEntry::parse(bytes),
        EntryState::Whole(entry) if entry.owner == owner && entry.wrapped.epoch == epoch
    )
}
