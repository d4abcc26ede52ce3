//! One file that replaces all others: written beside them, read again, and only then given its name.

use std::fs::File;
use std::io::{self, BufReader, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::id::ArchiveId;

use super::entry::{ENTRY_BYTES, HEADER_BYTES, LedgerHeader};
use super::files::{LEDGER_DIRECTORY, READ_BYTES, path_of, read_up_to};
use crate::keys::error::KeyError;
use crate::store::durable::{AppendFile, Disk, erase_end, erase_file, move_into_place};

/// Where a compact file goes, and what its header says.
#[derive(Debug, Clone, Copy)]
pub(super) struct CompactPlace<'a> {
    pub(super) root: &'a Path,
    pub(super) archive: ArchiveId,
    pub(super) number: u32,
    pub(super) generation: u32,
}

/// What stands in a compact file.
pub(super) struct CompactSource<'a> {
    /// How many entries.
    pub(super) count: usize,
    /// The bytes of an entry.
    pub(super) entry: &'a mut dyn FnMut(usize) -> Result<[u8; ENTRY_BYTES], KeyError>,
    /// Whether the bytes are those of an entry.
    pub(super) same: &'a dyn Fn(usize, &[u8; ENTRY_BYTES]) -> bool,
    /// Whether an entry that an interrupted run wrote opens: the key of its epoch may be another one by now.
    pub(super) opens: &'a dyn Fn(&[u8; ENTRY_BYTES]) -> Result<bool, KeyError>,
    /// Told of the entries that are written.
    pub(super) progress: &'a mut dyn FnMut(usize),
}

impl CompactPlace<'_> {
    fn path(&self) -> PathBuf {
        path_of(&self.root.join(LEDGER_DIRECTORY), self.number)
    }

    fn header(&self) -> [u8; HEADER_BYTES] {
        let header = LedgerHeader {
            number: self.number,
            archive: self.archive,
            generation: self.generation,
        };
        header.encode()
    }
}

/// Writes a compact file, going on where an interrupted run stopped. When this returns, it stands on the medium under its name and
/// what was read from it again is what was written. No other file was touched.
pub(super) fn write(
    disk: &Arc<dyn Disk>,
    place: CompactPlace<'_>,
    mut source: CompactSource<'_>,
) -> Result<(), KeyError> {
    let path = place.path();
    let unfinished = unfinished(&path);
    let kept = kept(&**disk, &unfinished, &place, &source)?;
    let written = fill(disk, &unfinished, &place, kept, &mut source);
    if matches!(written, Err(KeyError::Io { .. } | KeyError::Full { .. })) {
        // After a failed synchronisation the system may call pages written that never were: nothing of them may be taken over. The error to
        // report is the first one.
        if erase_file(&**disk, &unfinished).is_err() {
            drop(disk.remove(&unfinished));
        }
    }
    written?;
    move_into_place(&**disk, &unfinished, &path).map_err(|e| KeyError::io(&path, "name", e))
}

/// Writes what is lacking behind the first `kept` entries, or everything, and reads it again.
fn fill(
    disk: &Arc<dyn Disk>,
    unfinished: &Path,
    place: &CompactPlace<'_>,
    kept: Option<usize>,
    source: &mut CompactSource<'_>,
) -> Result<(), KeyError> {
    let failed = |error| KeyError::io(unfinished, "write", error);
    let mut file = match kept {
        None => {
            erase_file(&**disk, unfinished)
                .map_err(|e| KeyError::io(unfinished, "remove the unfinished file of", e))?;
            let mut file = AppendFile::create(Arc::clone(disk), unfinished).map_err(failed)?;
            file.append(&mut [IoSlice::new(&place.header())])
                .map_err(failed)?;
            file
        }
        Some(entries) => {
            let end = (HEADER_BYTES + entries * ENTRY_BYTES) as u64;
            // What does not stay are wrapped keys all the same.
            erase_end(&**disk, unfinished, end)
                .map_err(|e| KeyError::io(unfinished, "overwrite", e))?;
            let mut file = AppendFile::open(Arc::clone(disk), unfinished).map_err(failed)?;
            file.truncate(end).map_err(failed)?;
            file
        }
    };
    let mut buffer = Vec::with_capacity(BATCH * ENTRY_BYTES);
    for index in kept.unwrap_or(0)..source.count {
        buffer.extend((source.entry)(index)?);
        if buffer.len() >= BATCH * ENTRY_BYTES || index + 1 == source.count {
            file.append(&mut [IoSlice::new(&buffer)]).map_err(failed)?;
            buffer.clear();
            (source.progress)(index + 1);
        }
    }
    file.sync().map_err(failed)?;
    verify(&**disk, unfinished, place, source)
}

/// The name under which a file is written.
fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("led.new")
}

/// How many entries of an unfinished file may stay. `None`: it must be begun anew.
fn kept(
    disk: &dyn Disk,
    path: &Path,
    place: &CompactPlace<'_>,
    source: &CompactSource<'_>,
) -> Result<Option<usize>, KeyError> {
    // What a killed program wrote may be in memory only.
    let Ok(file) = File::open(path).and_then(|file| disk.sync(&file).map(|()| file)) else {
        return Ok(None);
    };
    let mut reader = from_medium(disk, file);
    let mut header = [0; HEADER_BYTES];
    if read_up_to(&mut reader, &mut header).is_err() || header != place.header() {
        return Ok(None);
    }
    let mut bytes = [0; ENTRY_BYTES];
    let mut count = 0;
    while count < source.count
        && read_up_to(&mut reader, &mut bytes).is_ok_and(|read| read == ENTRY_BYTES)
        && (source.same)(count, &bytes)
        && (source.opens)(&bytes)?
    {
        count += 1;
    }
    Ok(Some(count))
}

/// Reads a file that was synchronised, and not what memory still has of it.
fn from_medium(disk: &dyn Disk, file: File) -> BufReader<File> {
    disk.begin_write_back(&file, 0, 0);
    BufReader::with_capacity(READ_BYTES, file)
}

/// Reads the file again: each entry must be the one that belongs there, and nothing may follow.
fn verify(
    disk: &dyn Disk,
    path: &Path,
    place: &CompactPlace<'_>,
    source: &CompactSource<'_>,
) -> Result<(), KeyError> {
    let read_error = |error| KeyError::io(path, "read again", error);
    let mut reader = from_medium(disk, File::open(path).map_err(read_error)?);
    let mut header = [0; HEADER_BYTES];
    let mut bytes = [0; ENTRY_BYTES];
    read_up_to(&mut reader, &mut header).map_err(read_error)?;
    let mut whole = header == place.header();
    for index in 0..source.count {
        let count = read_up_to(&mut reader, &mut bytes).map_err(read_error)?;
        whole &= count == ENTRY_BYTES && (source.same)(index, &bytes);
    }
    whole &= read_up_to(&mut reader, &mut bytes).map_err(read_error)? == 0;
    if whole {
        return Ok(());
    }
    let source = io::Error::new(io::ErrorKind::InvalidData, "other bytes than were written");
    Err(read_error(source))
}

/// Entries that are written at once.
const BATCH: usize = 4096;
