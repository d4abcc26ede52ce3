//! The directory of an index: which engine's files count, how they were left, and which are still being made.
//!
//! | name | what it is |
//! |---|---|
//! | `engine` | the engine, the folder of its files, and whether it was chosen by hand; without it: sled in `records`, as older programs left it |
//! | `records`, `records-2`, … | the files of an engine |
//! | `building` | the same for files that are being made; they count when `engine` names them |
//! | `closed` | how the files were when they were closed in order |
//! | `opening` | how many attempts to open them have not come to an end: an engine can die of damage that it does not notice |
//! | `*.damaged-N` | files that could not be relied on |

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::engine::IndexEngine;
use super::lacking::Lacks;
use crate::store::StoreError;
use crate::store::durable::{self, DirectoryLock, Disk};

/// The directory of an index, taken for this process.
#[derive(Debug)]
pub(super) struct Place {
    directory: PathBuf,
    disk: Arc<dyn Disk>,
    /// The files in use; `None` while they are only being made.
    in_use: Mutex<Option<Seat>>,
    _lock: DirectoryLock,
}

/// The files of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) engine: IndexEngine,
    /// Their folder.
    pub(super) folder: String,
    /// Whether the engine was chosen by hand: then it stays.
    pub(super) chosen: bool,
}

/// Files that are being made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Building {
    pub(super) seat: Seat,
    pub(super) from: Source,
}

/// How files were left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Closed in order, and the same since.
    InOrder,
    /// Closed in order, and changed since.
    Changed,
    /// Not closed: the process died.
    Open,
}

/// What files are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The segments: what is there can be gone on with.
    Segments,
    /// The files of another engine: begun anew when it was interrupted.
    Copy,
}

impl Place {
    /// Makes the directory where it is missing, and takes it for this process.
    pub(super) fn take(directory: &Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        durable::create_directories(disk.as_ref(), directory)
            .map_err(|error| StoreError::io("making", directory, directory, error))?;
        let lock = DirectoryLock::take(directory, true).map_err(|error| {
            if error.kind() == io::ErrorKind::WouldBlock {
                StoreError::IndexInUse {
                    directory: directory.to_owned(),
                }
            } else {
                StoreError::io("locking", directory, directory, error)
            }
        })?;
        Ok(Self {
            directory: directory.to_owned(),
            disk,
            in_use: Mutex::new(None),
            _lock: lock,
        })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn folder(&self, seat: &Seat) -> PathBuf {
        self.directory.join(&seat.folder)
    }

    /// The files that count. `None`: there are none.
    pub(super) fn seat(&self) -> Result<Option<Seat>, StoreError> {
        let text = match std::fs::read_to_string(self.directory.join(ENGINE)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(self.directory.join(FOLDER).exists().then(Seat::of_old));
            }
            // Whatever stands there, it names no files.
            Err(_) => String::new(),
        };
        match Seat::parse(&text) {
            Some((seat, _)) => Ok(Some(seat)),
            None => {
                self.aside(&self.directory.join(ENGINE))?;
                Ok(None)
            }
        }
    }

    /// Files that are being made.
    pub(super) fn building(&self) -> Option<Building> {
        let text = std::fs::read_to_string(self.directory.join(BUILDING)).ok()?;
        let (seat, rest) = Seat::parse(&text)?;
        let from = match rest {
            Some("segments") => Source::Segments,
            _ => Source::Copy,
        };
        Some(Building { seat, from })
    }

    /// Begins files that count from now on.
    pub(super) fn begin(&self, engine: IndexEngine) -> Result<Seat, StoreError> {
        let seat = self.new_seat(engine, false);
        self.write_note(ENGINE, &seat.text(None))?;
        Ok(seat)
    }

    /// Begins files that are to count when they are whole.
    pub(super) fn begin_building(
        &self,
        engine: IndexEngine,
        chosen: bool,
        from: Source,
    ) -> Result<Seat, StoreError> {
        let seat = self.new_seat(engine, chosen);
        let made_from = match from {
            Source::Segments => "segments",
            Source::Copy => "copy",
        };
        self.write_note(BUILDING, &seat.text(Some(made_from)))?;
        Ok(seat)
    }

    /// Gives up files that are being made. Those that count by now stay: their taking over was interrupted.
    pub(super) fn drop_building(&self, building: &Building) -> Result<(), StoreError> {
        let counts = self.seat()?;
        // The note goes last: while it stands, the next opening tries again.
        if counts.is_none_or(|seat| seat.folder != building.seat.folder) {
            self.remove_folder(&building.seat)?;
        }
        self.remove_note(BUILDING)
    }

    /// Lets files count that were being made, and removes those that counted before.
    pub(super) fn take_over(&self, seat: &Seat) -> Result<(), StoreError> {
        let before = self.seat()?;
        // First of all: it says how the files were that counted before, and not how these are.
        self.remove_note(CLOSED)?;
        self.write_note(ENGINE, &seat.text(None))?;
        self.remove_note(BUILDING)?;
        self.use_seat(seat.clone());
        match before {
            Some(before) if before.folder != seat.folder => self.remove_folder(&before),
            _ => Ok(()),
        }
    }

    /// From now on these are the files in use.
    pub(super) fn use_seat(&self, seat: Seat) {
        *self.lock() = Some(seat);
    }

    /// Moves files out of the way. `None`: there are none.
    pub(super) fn set_aside(&self, seat: &Seat) -> Result<Option<PathBuf>, StoreError> {
        let folder = self.folder(seat);
        let aside = if folder.exists() {
            Some(self.aside(&folder)?)
        } else {
            None
        };
        self.remove_note(ENGINE)?;
        Ok(aside)
    }

    /// Notes that the engine was closed in order, and how its files are.
    pub(super) fn note_closed(&self) -> Result<(), StoreError> {
        let Some(seat) = self.lock().clone() else {
            return Ok(());
        };
        let text = state_of_files(&self.folder(&seat))
            .map_err(|error| StoreError::io("reading", &self.directory, &self.directory, error))?;
        self.write_note(CLOSED, &text)
    }

    /// How the files were left. The note of it is gone afterwards: if this process dies, the next one checks every entry.
    pub(super) fn take_closed_note(&self, seat: &Seat) -> Left {
        let noted = std::fs::read_to_string(self.directory.join(CLOSED)).ok();
        let left = match noted {
            None => Left::Open,
            Some(noted) if Some(&noted) == state_of_files(&self.folder(seat)).ok().as_ref() => {
                Left::InOrder
            }
            Some(_) => Left::Changed,
        };
        drop(self.disk.remove(&self.directory.join(CLOSED)));
        left
    }

    /// Notes that files are about to be opened. `false`: too many attempts have died of it.
    pub(super) fn begin_opening(&self) -> Result<bool, StoreError> {
        let note = self.directory.join(OPENING);
        let attempts = std::fs::read(&note).map_or(0, |bytes| bytes.len());
        if attempts >= OPENINGS_MAX {
            self.end_opening()?;
            return Ok(false);
        }
        durable::replace_derived_file(self.disk.as_ref(), &note, &vec![b'x'; attempts + 1])
            .map_err(|error| StoreError::io("writing", &self.directory, &note, error))?;
        Ok(true)
    }

    /// Notes that opening has come to an end, whichever.
    pub(super) fn end_opening(&self) -> Result<(), StoreError> {
        self.remove_note(OPENING)
    }

    /// What the files lack because no medium gave it when they were made.
    pub(super) fn lacks(&self) -> Result<Lacks, StoreError> {
        let note = self.directory.join(GAPS);
        let text = match std::fs::read_to_string(&note) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => {
                text.map_err(|error| StoreError::io("reading", &self.directory, &note, error))?
            }
        };
        // Whoever cannot read what is missing cannot rely on what is there.
        Lacks::parse(&text).ok_or_else(|| StoreError::IndexDamaged {
            directory: self.directory.clone(),
        })
    }

    /// Notes it: what comes back must be read, too.
    pub(super) fn note_lacks(&self, lacks: &Lacks) -> Result<(), StoreError> {
        if self.lacks().is_ok_and(|noted| noted == *lacks) {
            return Ok(());
        }
        self.write_note(GAPS, &lacks.to_text())
    }

    fn new_seat(&self, engine: IndexEngine, chosen: bool) -> Seat {
        let mut folder = FOLDER.to_owned();
        let mut number = 2_u32;
        while self.directory.join(&folder).exists() {
            folder = format!("{FOLDER}-{number}");
            number += 1;
        }
        Seat {
            engine,
            folder,
            chosen,
        }
    }

    fn aside(&self, path: &Path) -> Result<PathBuf, StoreError> {
        durable::set_aside(self.disk.as_ref(), path)
            .map_err(|error| StoreError::io("setting aside", &self.directory, path, error))
    }

    fn remove_folder(&self, seat: &Seat) -> Result<(), StoreError> {
        let folder = self.folder(seat);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("removing", &self.directory, &folder, error))
            }
            _ => Ok(()),
        }
    }

    fn write_note(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let note = self.directory.join(name);
        durable::replace_file(self.disk.as_ref(), &note, text.as_bytes())
            .map_err(|error| StoreError::io("writing", &self.directory, &note, error))
    }

    fn remove_note(&self, name: &str) -> Result<(), StoreError> {
        let note = self.directory.join(name);
        match self.disk.remove(&note) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("removing", &self.directory, &note, error))
            }
            _ => Ok(()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Seat>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// As programs left it that knew one engine.
    fn of_old() -> Self {
        Self {
            engine: IndexEngine::Sled,
            folder: FOLDER.to_owned(),
            chosen: false,
        }
    }

    fn text(&self, rest: Option<&str>) -> String {
        let chosen = if self.chosen { CHOSEN } else { BY_SIZE };
        let engine = self.engine.name();
        let rest = rest.map(|rest| format!(" {rest}")).unwrap_or_default();
        format!("{engine} {} {chosen}{rest}\n", self.folder)
    }

    fn parse(text: &str) -> Option<(Self, Option<&str>)> {
        let mut words = text.split_whitespace();
        let engine = words.next()?.parse().ok()?;
        let folder = words.next()?;
        let number = folder.strip_prefix(FOLDER)?;
        let digits = number.strip_prefix('-').unwrap_or_default();
        let is_ours = number.is_empty()
            || (!digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()));
        let chosen = match words.next()? {
            CHOSEN => true,
            BY_SIZE => false,
            _ => return None,
        };
        let seat = Self {
            engine,
            folder: folder.to_owned(),
            chosen,
        };
        is_ours.then(|| (seat, words.next()))
    }
}

/// Name and size of each file below a directory, one a line, by name; and the checksum of small files and journals, and of the end of the
/// others: an engine takes lengths from there before it has compared any checksum, and may ask for more memory than there is.
fn state_of_files(directory: &Path) -> io::Result<String> {
    let mut lines = Vec::new();
    list(directory, "", &mut lines)?;
    lines.sort();
    Ok(lines.concat())
}

fn list(directory: &Path, prefix: &str, lines: &mut Vec<String>) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            list(&entry.path(), &format!("{name}/"), lines)?;
            continue;
        }
        let size = metadata.len();
        let whole = name.ends_with(JOURNAL_SUFFIX) || size <= SMALL_FILE_BYTES;
        let from = if whole { 0 } else { size - TAIL_BYTES };
        let checksum = checksum_from(&File::open(entry.path())?, from)?;
        lines.push(format!("{size} {checksum:08x} {name}\n"));
    }
    Ok(())
}

/// The checksum of a file from `offset` on.
fn checksum_from(file: &File, mut offset: u64) -> io::Result<u32> {
    let mut buffer = vec![0; READ_BYTES];
    let mut checksum = 0;
    loop {
        let read = file.read_at(&mut buffer, offset)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return Ok(checksum);
        };
        checksum = crc32c::crc32c_append(checksum, bytes);
        offset += read as u64;
    }
}

const ENGINE: &str = "engine";
const BUILDING: &str = "building";
const CLOSED: &str = "closed";
const GAPS: &str = "gaps";
const OPENING: &str = "opening";
const FOLDER: &str = "records";
const CHOSEN: &str = "chosen";
const BY_SIZE: &str = "by-size";

/// fjall's journals.
const JOURNAL_SUFFIX: &str = ".jnl";

/// Files of up to this size are read whole to know them again.
const SMALL_FILE_BYTES: u64 = 64 * 1024;

/// Of larger ones, so much of the end.
const TAIL_BYTES: u64 = 4096;

/// Files are read in pieces of this size.
const READ_BYTES: usize = 64 * 1024;

/// So many attempts may die: one may have been interrupted by somebody who did not want to wait.
const OPENINGS_MAX: usize = 2;
