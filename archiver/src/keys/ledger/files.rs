//! The files of the ledger on one key medium: `ledger/NNNNNNNNNN.led`, numbered from 1.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, BufReader, IoSlice, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use formats::id::ArchiveId;

use super::entry::{
    ENTRY_BYTES, EntryState, FORMAT_VERSION, Guess, HEADER_BYTES, LedgerEntry, LedgerHeader,
    Tombstone,
};
use super::place::Place;
use super::places::Places;
use super::{LedgerAccess, LedgerReport};
use crate::keys::error::KeyError;
use crate::keys::secret::KeyOwner;
use crate::store::durable::{self, AppendFile, DirectoryLock, Disk};

/// The directory of the ledger on the key medium.
pub(super) const LEDGER_DIRECTORY: &str = "ledger";

/// The ledger's files on one key medium, for reading.
#[derive(Debug, Default)]
pub(super) struct LedgerFiles {
    files: BTreeMap<u32, (PathBuf, File)>,
}

/// A ledger as it was found on one key medium.
#[derive(Debug)]
pub(super) struct OpenedLedger {
    pub(super) root: PathBuf,
    pub(super) archive: ArchiveId,
    pub(super) files: LedgerFiles,
    pub(super) places: Places,
    pub(super) destroyed: HashMap<KeyOwner, Tombstone>,
    /// Entries whose checksum does not hold, as far as they can be read.
    pub(super) guesses: Vec<Guess>,
    pub(super) report: LedgerReport,
    /// That of the latest file that replaced others.
    pub(super) generation: u32,
    /// The lowest number of a file that counts.
    pub(super) first: u32,
    /// The highest number of a file.
    pub(super) last: u32,
    /// Files that count for nothing any more: replaced ones, and unfinished new ones.
    pub(super) leftovers: Vec<PathBuf>,
    /// Numbers and lengths of the files: tells whether another process changed them.
    pub(super) shape: Vec<(u32, u64)>,
    pub(super) lock: Option<DirectoryLock>,
    may_grow: bool,
}

/// Makes the directory and the first file.
pub(super) fn create(disk: &dyn Disk, root: &Path, archive: ArchiveId) -> Result<(), KeyError> {
    let directory = root.join(LEDGER_DIRECTORY);
    if directory.exists() {
        return Err(KeyError::AlreadyCreated { path: directory });
    }
    create_directory(disk, root)?;
    create_file(disk, &directory, 1, archive)
}

pub(super) fn create_directory(disk: &dyn Disk, root: &Path) -> Result<(), KeyError> {
    let directory = root.join(LEDGER_DIRECTORY);
    durable::create_directories(disk, &directory)
        .map_err(|e| KeyError::io(&directory, "make the directory", e))
}

/// Reads all files that count.
pub(super) fn open(
    root: &Path,
    archive: ArchiveId,
    access: LedgerAccess,
) -> Result<OpenedLedger, KeyError> {
    let directory = root.join(LEDGER_DIRECTORY);
    let missing = || KeyError::MediumMissing {
        path: root.to_path_buf(),
    };
    if !directory.is_dir() {
        return Err(missing());
    }
    // The lock comes before the first look, so that no other writer changes what is read here.
    let lock = match access {
        LedgerAccess::Read => None,
        LedgerAccess::Write => Some(take_lock(root)?),
    };
    let mut opened = OpenedLedger::empty(root, archive);
    opened.lock = lock;
    // A rotation by another process may remove files between listing and opening: then the list is taken anew.
    for attempt in 1.. {
        match opened.load_all(&directory) {
            Err(KeyError::Io { source, .. })
                if source.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS_MAX =>
            {
                let lock = opened.lock.take();
                opened = OpenedLedger::empty(root, archive);
                opened.lock = lock;
            }
            Err(error) => return Err(error),
            Ok(0) => return Err(missing()),
            Ok(_) => break,
        }
    }
    Ok(opened)
}

/// The lock of the only writer.
pub(in crate::keys) fn take_lock(root: &Path) -> Result<DirectoryLock, KeyError> {
    let directory = root.join(LEDGER_DIRECTORY);
    DirectoryLock::take(&directory, true).map_err(|error| {
        if error.kind() == io::ErrorKind::WouldBlock {
            return KeyError::InUse { path: directory };
        }
        KeyError::io(directory, "lock", error)
    })
}

impl OpenedLedger {
    /// A ledger without a file.
    pub(super) fn empty(root: &Path, archive: ArchiveId) -> Self {
        Self {
            root: root.to_path_buf(),
            archive,
            files: LedgerFiles::default(),
            places: Places::default(),
            destroyed: HashMap::new(),
            guesses: Vec::new(),
            report: LedgerReport::default(),
            generation: 0,
            first: 0,
            last: 0,
            leftovers: Vec::new(),
            shape: Vec::new(),
            lock: None,
            may_grow: false,
        }
    }

    /// The number after that of the last file.
    pub(super) fn next_number(&self) -> Result<u32, KeyError> {
        self.following(self.last)
    }

    /// The generation after the present one.
    pub(super) fn next_generation(&self) -> Result<u32, KeyError> {
        self.following(self.generation)
    }

    /// No archive counts that far: a file of the highest number was not written by this program.
    fn following(&self, number: u32) -> Result<u32, KeyError> {
        number
            .checked_add(1)
            .ok_or_else(|| KeyError::UnsupportedFormat {
                path: path_of(&self.root.join(LEDGER_DIRECTORY), self.last),
            })
    }

    /// The last file, prepared for more, or a new one.
    pub(super) fn sink(&mut self, disk: Arc<dyn Disk>) -> Result<Sink, KeyError> {
        let directory = self.root.join(LEDGER_DIRECTORY);
        if !self.may_grow {
            let next = self.next_number()?;
            create_file(&*disk, &directory, next, self.archive)?;
            self.load(&directory, next)?;
            self.last = next;
        }
        Sink::new(disk, path_of(&directory, self.last), self.last)
    }

    /// Reads the files from the latest one that replaced others on; tells how many there are.
    fn load_all(&mut self, directory: &Path) -> Result<usize, KeyError> {
        let (numbers, unfinished) = numbers(directory)?;
        self.leftovers = unfinished;
        let mut first = numbers.first().copied().unwrap_or_default();
        for &number in &numbers {
            let generation = generation_of(&path_of(directory, number))?;
            if generation > self.generation {
                (self.generation, first) = (generation, number);
            }
        }
        for &number in &numbers {
            if number < first {
                self.leftovers.push(path_of(directory, number));
            } else {
                self.may_grow = self.load(directory, number)?;
                self.last = number;
            }
        }
        self.first = first;
        let destroyed = &self.destroyed;
        self.places.retain(|owner| !destroyed.contains_key(owner));
        self.shape = shape(directory).unwrap_or_default();
        Ok(numbers.len())
    }

    /// Reads one file; tells whether its header is whole, so that it may grow.
    fn load(&mut self, directory: &Path, number: u32) -> Result<bool, KeyError> {
        let path = path_of(directory, number);
        let read_error = |e| KeyError::io(&path, "read", e);
        let file = File::open(&path).map_err(read_error)?;
        let mut reader = BufReader::with_capacity(READ_BYTES, &file);
        let whole_header = self.load_header(&path, &mut reader, number)?;
        let mut bytes = [0; ENTRY_BYTES];
        for entry in 0..u32::MAX {
            let place = Place {
                file: number,
                entry,
            };
            let count = read_up_to(&mut reader, &mut bytes).map_err(read_error)?;
            if count < ENTRY_BYTES {
                self.report.torn_bytes += count as u64;
                break;
            }
            match LedgerEntry::parse(&bytes) {
                EntryState::Whole(entry) => {
                    self.report.entries += 1;
                    self.places.insert(entry.owner, place);
                }
                EntryState::Destroyed(tombstone) => {
                    self.report.destroyed += 1;
                    self.destroyed.insert(tombstone.owner, tombstone);
                }
                EntryState::Hole => self.report.holes += 1,
                EntryState::Damaged => {
                    self.report.damaged.push((path.clone(), place.offset()));
                    let guess = LedgerEntry::guess(&bytes);
                    self.report.cut += u64::from(guess.as_ref().is_some_and(|it| it.is_no_key));
                    self.guesses.extend(guess);
                }
                EntryState::Unknown => return Err(KeyError::UnsupportedFormat { path }),
            }
        }
        self.files.files.insert(number, (path, file));
        Ok(whole_header)
    }

    fn load_header(
        &mut self,
        path: &Path,
        reader: &mut impl Read,
        number: u32,
    ) -> Result<bool, KeyError> {
        let mut bytes = [0; HEADER_BYTES];
        let count = read_up_to(reader, &mut bytes).map_err(|e| KeyError::io(path, "read", e))?;
        let parsed = LedgerHeader::parse(&bytes).filter(|_| count == HEADER_BYTES);
        let Some((header, version)) = parsed else {
            self.report.damaged.push((path.to_path_buf(), 0));
            return Ok(false);
        };
        if version != FORMAT_VERSION {
            return Err(KeyError::UnsupportedFormat {
                path: path.to_path_buf(),
            });
        }
        if header.archive != self.archive {
            return Err(KeyError::OtherArchive {
                path: path.to_path_buf(),
                expected: self.archive,
                found: header.archive,
            });
        }
        Ok(header.number == number)
    }

    /// Where the last `count` entries begin.
    pub(super) fn place_before_end(&self, count: usize) -> Place {
        let entries = self.files.files.get(&self.last).map_or(0, |(_, file)| {
            let length = file.metadata().map_or(0, |found| found.len());
            length.saturating_sub(HEADER_BYTES as u64) / ENTRY_BYTES as u64
        });
        Place {
            file: self.last,
            entry: u32::try_from(entries.saturating_sub(count as u64)).unwrap_or(u32::MAX),
        }
    }

    /// The whole entry of an owner.
    pub(super) fn entry(&self, owner: KeyOwner) -> Result<Option<LedgerEntry>, KeyError> {
        let Some(place) = self.places.get(&owner) else {
            return Ok(None);
        };
        let entry = self.files.read(place)?;
        Ok(entry.filter(|entry| entry.owner == owner))
    }
}

impl LedgerFiles {
    /// The entry at a place; `None` when it is not whole any more.
    pub(super) fn read(&self, place: Place) -> Result<Option<LedgerEntry>, KeyError> {
        let Some((path, file)) = self.files.get(&place.file) else {
            return Ok(None);
        };
        let mut bytes = [0; ENTRY_BYTES];
        file.read_exact_at(&mut bytes, place.offset())
            .map_err(|e| KeyError::io(path, "read", e))?;
        match LedgerEntry::parse(&bytes) {
            EntryState::Whole(entry) => Ok(Some(entry)),
            EntryState::Destroyed(_)
            | EntryState::Hole
            | EntryState::Damaged
            | EntryState::Unknown => Ok(None),
        }
    }
}

/// Where new entries go: the last file of the ledger.
#[derive(Debug)]
pub(super) struct Sink {
    path: PathBuf,
    number: u32,
    file: Mutex<AppendFile>,
}

impl Sink {
    /// Takes over a file, and cuts off a half-written last entry.
    fn new(disk: Arc<dyn Disk>, path: PathBuf, number: u32) -> Result<Self, KeyError> {
        let prepare = || -> io::Result<AppendFile> {
            let mut file = AppendFile::open(Arc::clone(&disk), &path)?;
            let body = file.length().saturating_sub(HEADER_BYTES as u64);
            let torn = body % ENTRY_BYTES as u64;
            if torn > 0 {
                let end = file.length() - torn;
                durable::erase_end(&*disk, &path, end)?;
                file.truncate(end)?;
            }
            Ok(file)
        };
        let file = prepare().map_err(|e| KeyError::io(&path, "prepare for writing", e))?;
        Ok(Self {
            path,
            number,
            file: Mutex::new(file),
        })
    }

    /// Appends whole entries and returns when they are on the medium; tells where the first one stands.
    pub(super) fn append_durably(&self, entries: &[u8]) -> io::Result<Place> {
        let mut file = self.file();
        let before = file.length().saturating_sub(HEADER_BYTES as u64) / ENTRY_BYTES as u64;
        let place = Place {
            file: self.number,
            entry: u32::try_from(before).map_err(|_| io::ErrorKind::FileTooLarge)?,
        };
        file.append(&mut [IoSlice::new(entries)])?;
        file.sync()?;
        Ok(place)
    }

    /// The file, for an error.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self) -> MutexGuard<'_, AppendFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Numbers and lengths of the ledger's files.
pub(super) fn shape(directory: &Path) -> Result<Vec<(u32, u64)>, KeyError> {
    let (numbers, _) = numbers(directory)?;
    let length = |number| Some((number, fs::metadata(path_of(directory, number)).ok()?.len()));
    Ok(numbers.into_iter().filter_map(length).collect())
}

/// The numbers of the files, ascending, and unfinished files.
fn numbers(directory: &Path) -> Result<(Vec<u32>, Vec<PathBuf>), KeyError> {
    let list = || -> io::Result<(Vec<u32>, Vec<PathBuf>)> {
        let (mut numbers, mut unfinished) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().unwrap_or_default();
            numbers.extend(parse_name(name));
            if name.strip_suffix(".new").and_then(parse_name).is_some() {
                unfinished.push(entry.path());
            }
        }
        numbers.sort_unstable();
        Ok((numbers, unfinished))
    };
    list().map_err(|e| KeyError::io(directory, "read the directory", e))
}

/// The epoch under which the latest file that replaced others is wrapped, whatever archive it is of; `None` where none can be read.
pub(in crate::keys) fn epoch_at(root: &Path) -> Option<u32> {
    let directory = root.join(LEDGER_DIRECTORY);
    let (numbers, _) = numbers(&directory).ok()?;
    let paths = numbers
        .into_iter()
        .map(|number| path_of(&directory, number));
    let latest = paths
        .rev()
        .max_by_key(|path| generation_of(path).unwrap_or_default());
    let mut reader = BufReader::new(File::open(latest?).ok()?);
    let mut bytes = [0; HEADER_BYTES];
    reader.read_exact(&mut bytes).ok()?;
    let mut bytes = [0; ENTRY_BYTES];
    while reader.read_exact(&mut bytes).is_ok() {
        if let EntryState::Whole(entry) = LedgerEntry::parse(&bytes) {
            return Some(entry.wrapped.epoch);
        }
    }
    None
}

/// The generation in a header; 0 where it cannot be read.
fn generation_of(path: &Path) -> Result<u32, KeyError> {
    let mut file = File::open(path).map_err(|e| KeyError::io(path, "read", e))?;
    let mut bytes = [0; HEADER_BYTES];
    let count = read_up_to(&mut file, &mut bytes).map_err(|e| KeyError::io(path, "read", e))?;
    let header = LedgerHeader::parse(&bytes).filter(|_| count == HEADER_BYTES);
    Ok(header.map_or(0, |(header, _)| header.generation))
}

pub(super) fn parse_name(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".led")?;
    let number = digits.parse().ok()?;
    (name_of(number) == name).then_some(number)
}

fn name_of(number: u32) -> String {
    format!("{number:010}.led")
}

pub(super) fn path_of(directory: &Path, number: u32) -> PathBuf {
    directory.join(name_of(number))
}

fn create_file(
    disk: &dyn Disk,
    directory: &Path,
    number: u32,
    archive: ArchiveId,
) -> Result<(), KeyError> {
    let path = path_of(directory, number);
    let header = LedgerHeader {
        number,
        archive,
        generation: 0,
    };
    durable::replace_file(disk, &path, &header.encode())
        .map_err(|e| KeyError::io(&path, "write", e))
}

pub(super) fn read_up_to(reader: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Bytes read from a ledger file at once: a few thousand entries.
pub(super) const READ_BYTES: usize = 256 * 1024;
/// How often a list of files is taken anew while a rotation by another process removes some.
const ATTEMPTS_MAX: u32 = 10;
