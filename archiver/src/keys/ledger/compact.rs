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
    /// Whether the bytes of an entry that an interrupted run wrote may stay.
    pub(super) same: &'a dyn Fn(usize, &[u8; ENTRY_BYTES]) -> bool,
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
    source: CompactSource<'_>,
) -> Result<(), KeyError> {
    let path = place.path();
    let unfinished = unfinished(&path);
    let failed = |act| {
        let path = path.clone();
        move |error| KeyError::io(path, act, error)
    };
    let kept = kept(&unfinished, &place, &source);
    let mut file = match kept {
        None => {
            erase_file(&**disk, &unfinished).map_err(failed("remove the unfinished file of"))?;
            let mut file =
                AppendFile::create(Arc::clone(disk), &unfinished).map_err(failed("write"))?;
            file.append(&mut [IoSlice::new(&place.header())])
                .map_err(failed("write"))?;
            file
        }
        Some(entries) => {
            let end = (HEADER_BYTES + entries * ENTRY_BYTES) as u64;
            // What does not stay are wrapped keys all the same.
            erase_end(&**disk, &unfinished, end).map_err(failed("overwrite"))?;
            let mut file =
                AppendFile::open(Arc::clone(disk), &unfinished).map_err(failed("write"))?;
            file.truncate(end).map_err(failed("write"))?;
            file
        }
    };
    let mut buffer = Vec::with_capacity(BATCH * ENTRY_BYTES);
    for index in kept.unwrap_or(0)..source.count {
        buffer.extend((source.entry)(index)?);
        if buffer.len() >= BATCH * ENTRY_BYTES || index + 1 == source.count {
            file.append(&mut [IoSlice::new(&buffer)])
                .map_err(failed("write"))?;
            buffer.clear();
            (source.progress)(index + 1);
        }
    }
    file.sync().map_err(failed("write"))?;
    verify(&unfinished, &place, &source)?;
    move_into_place(&**disk, &unfinished, &path).map_err(failed("name"))
}

/// The name under which a file is written.
fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("led.new")
}

/// How many entries of an unfinished file may stay. `None`: it must be begun anew.
fn kept(path: &Path, place: &CompactPlace<'_>, source: &CompactSource<'_>) -> Option<usize> {
    let mut reader = BufReader::with_capacity(READ_BYTES, File::open(path).ok()?);
    let mut header = [0; HEADER_BYTES];
    read_up_to(&mut reader, &mut header).ok()?;
    if header != place.header() {
        return None;
    }
    let mut bytes = [0; ENTRY_BYTES];
    let mut count = 0;
    while count < source.count
        && read_up_to(&mut reader, &mut bytes).ok()? == ENTRY_BYTES
        && (source.same)(count, &bytes)
    {
        count += 1;
    }
    Some(count)
}

/// Reads the file again: each entry must be the one that belongs there, and nothing may follow.
fn verify(
    path: &Path,
    place: &CompactPlace<'_>,
    source: &CompactSource<'_>,
) -> Result<(), KeyError> {
    let read_error = |error| KeyError::io(path, "read again", error);
    let mut reader = BufReader::with_capacity(READ_BYTES, File::open(path).map_err(read_error)?);
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
