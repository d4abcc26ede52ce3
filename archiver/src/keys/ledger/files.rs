//! The files of the ledger on the key medium: `ledger/NNNNNNNNNN.led`, numbered from 1.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use formats::id::ArchiveId;

use super::entry::{
    ENTRY_BYTES, EntryState, FORMAT_VERSION, HEADER_BYTES, LedgerEntry, LedgerHeader,
};
use super::{LedgerAccess, LedgerReport};
use crate::keys::error::KeyError;
use crate::keys::files::{sync_directory, write_new};
use crate::keys::secret::KeyOwner;

/// The directory of the ledger on the key medium.
pub(super) const LEDGER_DIRECTORY: &str = "ledger";

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    file: u32,
    entry: u32,
}

/// Where new entries go.
pub(super) trait Sink: Send + Sync {
    /// Appends whole entries and returns when they are on the medium; tells where the first one stands.
    fn append_durably(&self, entries: &[u8]) -> io::Result<Place>;

    /// The file, for an error.
    fn path(&self) -> &Path;
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
    pub(super) sink: Option<Box<dyn Sink>>,
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
pub(super) fn create(root: &Path, archive: ArchiveId) -> Result<(), KeyError> {
    let directory = root.join(LEDGER_DIRECTORY);
    if directory.exists() {
        return Err(KeyError::AlreadyCreated { path: directory });
    }
    fs::create_dir(&directory).map_err(|e| KeyError::io(&directory, "make the directory", e))?;
    create_file(&directory, 1, archive)?;
    sync_directory(root)
}

/// Reads all files, and prepares the last one for more.
pub(super) fn open(
    root: &Path,
    archive: ArchiveId,
    access: LedgerAccess,
) -> Result<OpenedLedger, KeyError> {
    let directory = root.join(LEDGER_DIRECTORY);
    let numbers = numbers(&directory, root)?;
    let mut last = *numbers.last().ok_or_else(|| KeyError::MediumMissing {
        path: root.to_path_buf(),
    })?;
    let writer = match access {
        LedgerAccess::Read => None,
        LedgerAccess::Write => Some(lock(&path_of(&directory, last))?),
    };
    let mut opened = OpenedLedger {
        files: LedgerFiles {
            files: BTreeMap::new(),
        },
        places: HashMap::new(),
        sink: None,
        report: LedgerReport::default(),
    };
    let mut usable = true;
    for &number in &numbers {
        usable = opened.load(&directory, number, archive)?;
    }
    if let Some(mut file) = writer {
        if !usable {
            last += 1;
            create_file(&directory, last, archive)?;
            file = lock(&path_of(&directory, last))?;
            opened.load(&directory, last, archive)?;
        }
        let sink = FileSink::new(path_of(&directory, last), file, last)?;
        opened.sink = Some(Box::new(sink));
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

/// The last file of the ledger, locked.
struct FileSink {
    path: PathBuf,
    number: u32,
    end: Mutex<(File, u32)>,
}

impl FileSink {
    /// Takes over a locked file, and cuts off a half-written last entry.
    fn new(path: PathBuf, mut file: File, number: u32) -> Result<Self, KeyError> {
        let prepare = |file: &mut File| -> io::Result<u32> {
            let length = file.metadata()?.len();
            let body = length.saturating_sub(HEADER_BYTES as u64);
            let entries = body / ENTRY_BYTES as u64;
            let whole = HEADER_BYTES as u64 + entries * ENTRY_BYTES as u64;
            if length > whole {
                file.set_len(whole)?;
                file.sync_all()?;
            }
            file.seek(SeekFrom::End(0))?;
            u32::try_from(entries).map_err(|_| io::ErrorKind::FileTooLarge.into())
        };
        let entries =
            prepare(&mut file).map_err(|e| KeyError::io(&path, "prepare for writing", e))?;
        Ok(Self {
            path,
            number,
            end: Mutex::new((file, entries)),
        })
    }
}

impl Sink for FileSink {
    fn append_durably(&self, entries: &[u8]) -> io::Result<Place> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, count) = &mut *end;
        file.write_all(entries)?;
        file.sync_data()?;
        let place = Place {
            file: self.number,
            entry: *count,
        };
        let added = u32::try_from(entries.len() / ENTRY_BYTES).unwrap_or(u32::MAX);
        *count = count.saturating_add(added);
        Ok(place)
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for FileSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSink")
            .field("path", &self.path)
            .finish()
    }
}

fn numbers(directory: &Path, root: &Path) -> Result<Vec<u32>, KeyError> {
    let list = || -> io::Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(directory)? {
            let name = entry?.file_name();
            numbers.extend(name.to_str().and_then(parse_name));
        }
        numbers.sort_unstable();
        Ok(numbers)
    };
    list().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeyError::MediumMissing {
            path: root.to_path_buf(),
        },
        _ => KeyError::io(directory, "read the directory", error),
    })
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

fn create_file(directory: &Path, number: u32, archive: ArchiveId) -> Result<(), KeyError> {
    let header = LedgerHeader { number, archive };
    write_new(&path_of(directory, number), &header.encode())
}

fn lock(path: &Path) -> Result<File, KeyError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|e| KeyError::io(path, "open for writing", e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(KeyError::InUse {
            path: path.to_path_buf(),
        }),
        Err(TryLockError::Error(error)) => Err(KeyError::io(path, "lock", error)),
    }
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
