//! The files of the ledger on the key medium: `ledger/NNNNNNNNNN.led`, numbered from 1.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, BufReader, IoSlice, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use formats::id::ArchiveId;

use super::entry::{
    ENTRY_BYTES, EntryState, FORMAT_VERSION, HEADER_BYTES, LedgerEntry, LedgerHeader,
};
use super::{LedgerAccess, LedgerReport};
use crate::keys::error::KeyError;
use crate::keys::secret::KeyOwner;
use crate::store::durable::{self, AppendFile, DirectoryLock, Disk};

/// The directory of the ledger on the key medium.
pub(super) const LEDGER_DIRECTORY: &str = "ledger";

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    file: u32,
    entry: u32,
}

/// The ledger's files, for reading.
#[derive(Debug)]
pub(super) struct LedgerFiles {
    files: BTreeMap<u32, (PathBuf, File)>,
}

/// A ledger as it was found.
pub(super) struct OpenedLedger {
    pub(super) files: LedgerFiles,
    pub(super) places: HashMap<KeyOwner, Place>,
    pub(super) sink: Option<Sink>,
    pub(super) report: LedgerReport,
}

impl Place {
    /// This place and those after it.
    pub(super) fn successors(self) -> impl Iterator<Item = Self> {
        (self.entry..).map(move |entry| Self { entry, ..self })
    }

    fn offset(self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.entry) * ENTRY_BYTES as u64
    }
}

/// Makes the directory and the first file.
pub(super) fn create(disk: &dyn Disk, root: &Path, archive: ArchiveId) -> Result<(), KeyError> {
    let directory = root.join(LEDGER_DIRECTORY);
    if directory.exists() {
        return Err(KeyError::AlreadyCreated { path: directory });
    }
    durable::create_directories(disk, &directory)
        .map_err(|e| KeyError::io(&directory, "make the directory", e))?;
    create_file(disk, &directory, 1, archive)
}

/// Reads all files, and prepares the last one for more.
pub(super) fn open(
    disk: Arc<dyn Disk>,
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
        LedgerAccess::Write => Some(lock(&directory)?),
    };
    let numbers = numbers(&directory)?;
    let mut last = *numbers.last().ok_or_else(missing)?;
    let mut opened = OpenedLedger {
        files: LedgerFiles {
            files: BTreeMap::new(),
        },
        places: HashMap::new(),
        sink: None,
        report: LedgerReport::default(),
    };
    let mut may_grow = true;
    for &number in &numbers {
        may_grow = opened.load(&directory, number, archive)?;
    }
    if let Some(lock) = lock {
        if !may_grow {
            last += 1;
            create_file(&*disk, &directory, last, archive)?;
            opened.load(&directory, last, archive)?;
        }
        opened.sink = Some(Sink::new(disk, path_of(&directory, last), last, lock)?);
    }
    Ok(opened)
}

impl OpenedLedger {
    /// Reads one file; tells whether its header is whole, so that it may grow.
    fn load(
        &mut self,
        directory: &Path,
        number: u32,
        archive: ArchiveId,
    ) -> Result<bool, KeyError> {
        let path = path_of(directory, number);
        let read_error = |e| KeyError::io(&path, "read", e);
        let file = File::open(&path).map_err(read_error)?;
        let mut reader = BufReader::with_capacity(READ_BYTES, &file);
        let whole_header = self.load_header(&path, &mut reader, number, archive)?;
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
                EntryState::Hole => self.report.holes += 1,
                EntryState::Damaged => self.report.damaged.push((path.clone(), place.offset())),
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
        archive: ArchiveId,
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
        if header.archive != archive {
            return Err(KeyError::OtherArchive {
                path: path.to_path_buf(),
                expected: archive,
                found: header.archive,
            });
        }
        Ok(header.number == number)
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
            EntryState::Hole | EntryState::Damaged | EntryState::Unknown => Ok(None),
        }
    }
}

/// Where new entries go: the last file of the ledger, under a lock on the directory.
#[derive(Debug)]
pub(super) struct Sink {
    path: PathBuf,
    number: u32,
    file: Mutex<AppendFile>,
    _lock: DirectoryLock,
}

impl Sink {
    /// Takes over a file, and cuts off a half-written last entry.
    fn new(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        number: u32,
        lock: DirectoryLock,
    ) -> Result<Self, KeyError> {
        let prepare = || -> io::Result<AppendFile> {
            let mut file = AppendFile::open(disk, &path)?;
            let body = file.length().saturating_sub(HEADER_BYTES as u64);
            let torn = body % ENTRY_BYTES as u64;
            if torn > 0 {
                file.truncate(file.length() - torn)?;
            }
            Ok(file)
        };
        let file = prepare().map_err(|e| KeyError::io(&path, "prepare for writing", e))?;
        Ok(Self {
            path,
            number,
            file: Mutex::new(file),
            _lock: lock,
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

fn numbers(directory: &Path) -> Result<Vec<u32>, KeyError> {
    let list = || -> io::Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(directory)? {
            let name = entry?.file_name();
            numbers.extend(name.to_str().and_then(parse_name));
        }
        numbers.sort_unstable();
        Ok(numbers)
    };
    list().map_err(|e| KeyError::io(directory, "read the directory", e))
}

fn parse_name(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".led")?;
    let number = digits.parse().ok()?;
    (name_of(number) == name).then_some(number)
}

fn name_of(number: u32) -> String {
    format!("{number:010}.led")
}

fn path_of(directory: &Path, number: u32) -> PathBuf {
    directory.join(name_of(number))
}

fn create_file(
    disk: &dyn Disk,
    directory: &Path,
    number: u32,
    archive: ArchiveId,
) -> Result<(), KeyError> {
    let path = path_of(directory, number);
    let header = LedgerHeader { number, archive };
    durable::replace_file(disk, &path, &header.encode())
        .map_err(|e| KeyError::io(&path, "write", e))
}

fn lock(directory: &Path) -> Result<DirectoryLock, KeyError> {
    DirectoryLock::take(directory, true).map_err(|error| {
        if error.kind() == io::ErrorKind::WouldBlock {
            return KeyError::InUse {
                path: directory.to_path_buf(),
            };
        }
        KeyError::io(directory, "lock", error)
    })
}

fn read_up_to(reader: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
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
const READ_BYTES: usize = 256 * 1024;
