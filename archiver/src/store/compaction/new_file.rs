//! The new file of a segment, before it takes the old one's name.

use std::fs::File;
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::error::{ErrorKind, FormatError};
use formats::id::ArchiveId;
use formats::segment::{CompactionMap, Frame, FrameAddress, FrameHeader, SegmentSeal};
use sha2::{Digest, Sha256};

use super::survey::Dropped;
use crate::store::replica::Replica;
use crate::store::segment_file::SegmentFile;
use crate::store::walk::Copy;
use crate::store::{StoreError, durable};

/// A whole file beside the old one: synchronised, read-only, read back and found right.
#[derive(Debug)]
pub(super) struct NewFile<'a> {
    replica: &'a Replica,
    temporary: PathBuf,
    segment: u32,
    pub(super) seal: SegmentSeal,
}

impl NewFile<'_> {
    /// Takes the old file's name, durably.
    pub(super) fn put_in_place(self) -> Result<(), StoreError> {
        let path = self.replica.path(self.segment);
        durable::move_into_place(self.replica.disk(), &self.temporary, &path)
            .map_err(|error| self.replica.error("putting in place", &path, error))
    }
}

/// Writes what is kept of a segment beside its old file.
pub(super) fn write_compacted<'a>(
    to: &'a Replica,
    archive: ArchiveId,
    segment: u32,
    source: &mut Copy,
    dropped: &Dropped,
) -> Result<NewFile<'a>, StoreError> {
    let map = with_digests(source, dropped.map(segment), segment)?;
    let map_frame = Frame::CompactionMap(map.clone()).encode()?.into_bytes();
    let header = Frame::parse(source_bytes(source, segment, 0, CompactionMap::OFFSET)?)?;
    let Frame::SegmentHeader(mut header) = header else {
        return Err(StoreError::SegmentDamaged { segment });
    };
    header.compacted = true;
    write_and_check(to, archive, segment, |sink| {
        sink.put(&Frame::SegmentHeader(header).encode()?.into_bytes())?;
        sink.put(&map_frame)?;
        for run in &map.runs {
            let mut at = run.offset;
            let end = run.offset + run.length;
            while at < end {
                let bytes = source_bytes(source, segment, at, (end - at).min(PIECE_BYTES))?;
                sink.put(bytes)?;
                at += bytes.len() as u64;
            }
        }
        let index_offset = sink.length;
        sink.put(
            &Frame::SegmentIndex(dropped.index.clone())
                .encode()?
                .into_bytes(),
        )?;
        sink.put(&map_frame)?;
        let seal = SegmentSeal {
            index_offset,
            length: sink.length,
            digest: sink.digest.clone().finalize().into(),
        };
        sink.put(&Frame::SegmentSeal(seal).encode()?.into_bytes())
    })
}

/// Copies a whole segment file, as it is, beside the old file on another replica.
pub(super) fn write_copy<'a>(
    to: &'a Replica,
    archive: ArchiveId,
    segment: u32,
    source: &mut Copy,
) -> Result<NewFile<'a>, StoreError> {
    let end = source.length();
    write_and_check(to, archive, segment, |sink| {
        while sink.length < end {
            let count = (end - sink.length).min(PIECE_BYTES);
            let bytes = source_bytes(source, segment, sink.length, count)?;
            sink.put(bytes)?;
        }
        Ok(())
    })
}

/// Reads the runs and notes their digests.
fn with_digests(
    source: &mut Copy,
    mut map: CompactionMap,
    segment: u32,
) -> Result<CompactionMap, StoreError> {
    for run in &mut map.runs {
        let mut digest = Sha256::new();
        let mut at = run.offset;
        let end = run.offset + run.length;
        while at < end {
            let bytes = source_bytes(source, segment, at, (end - at).min(PIECE_BYTES))?;
            digest.update(bytes);
            at += bytes.len() as u64;
        }
        run.digest = digest.finalize().into();
    }
    Ok(map)
}

/// At least one byte from an offset on, else an error.
fn source_bytes(
    source: &mut Copy,
    segment: u32,
    offset: u64,
    count: u64,
) -> Result<&[u8], StoreError> {
    let path = PathBuf::new();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let bytes = source
        .bytes(offset, count)
        .map_err(|error| StoreError::io("reading a segment", &path, &path, error))?;
    if bytes.is_empty() {
        return Err(StoreError::Damaged {
            address: FrameAddress::new(segment, offset),
            source: FormatError::new(ErrorKind::Truncated, "Frame"),
        });
    }
    Ok(bytes)
}

/// A file that is being written.
struct Sink<'a> {
    replica: &'a Replica,
    path: &'a Path,
    file: File,
    length: u64,
    digest: Sha256,
}

impl Sink<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.replica
            .disk()
            .write_at(&self.file, &mut [IoSlice::new(bytes)], self.length)
            .map_err(|error| self.replica.error("writing", self.path, error))?;
        self.digest.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }
}

fn write_and_check<'a>(
    replica: &'a Replica,
    archive: ArchiveId,
    segment: u32,
    fill: impl FnOnce(&mut Sink<'_>) -> Result<(), StoreError>,
) -> Result<NewFile<'a>, StoreError> {
    let temporary = temporary(replica, segment);
    let written = write(replica, &temporary, fill)
        .and_then(|length| check(replica, &temporary, archive, segment, length));
    match written {
        Ok(seal) => Ok(NewFile {
            replica,
            temporary,
            segment,
            seal,
        }),
        Err(error) => {
            // The error to report is the first one; what stays is removed when the archive is opened.
            drop(replica.disk().remove(&temporary));
            Err(error)
        }
    }
}

fn write(
    replica: &Replica,
    temporary: &Path,
    fill: impl FnOnce(&mut Sink<'_>) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let failed = |operation: &'static str| move |error| replica.error(operation, temporary, error);
    let disk = replica.disk();
    let file = disk.create(temporary).map_err(failed("making"))?;
    let mut sink = Sink {
        replica,
        path: temporary,
        file,
        length: 0,
        digest: Sha256::new(),
    };
    fill(&mut sink)?;
    disk.sync(&sink.file).map_err(failed("synchronising"))?;
    disk.protect(&sink.file).map_err(failed("protecting"))?;
    // It is read back from the medium, not from memory.
    disk.begin_write_back(&sink.file, 0, sink.length);
    Ok(sink.length)
}

/// Reads a file back: the header of this segment, every frame whole, both maps the same, the digest of the seal right, nothing behind it.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "the other frames need only be whole"
)]
fn check(
    replica: &Replica,
    path: &Path,
    archive: ArchiveId,
    segment: u32,
    length: u64,
) -> Result<SegmentSeal, StoreError> {
    let failed = |error| replica.error("reading back", path, error);
    let file = File::open(path).map_err(failed)?;
    let file = Arc::new(SegmentFile::new(file).map_err(failed)?);
    let mut copy = Copy::raw(file).map_err(failed)?;
    let wrong = |offset: u64, source: FormatError| StoreError::Damaged {
        address: FrameAddress::new(segment, offset),
        source,
    };
    let mut digest = Sha256::new();
    let mut maps = Vec::new();
    let mut seal = None;
    let mut offset = 0;
    while offset < length && seal.is_none() {
        let header: FrameHeader = copy
            .frame(offset)
            .map_err(failed)?
            .map_err(|source| wrong(offset, source))?;
        let bytes = copy.bytes(offset, header.frame_bytes()).map_err(failed)?;
        match Frame::parse(bytes).map_err(|source| wrong(offset, source))? {
            Frame::SegmentHeader(found) if found.archive != archive || found.segment != segment => {
                return Err(StoreError::SegmentDamaged { segment });
            }
            Frame::CompactionMap(map) => maps.push(map),
            Frame::SegmentSeal(found) => seal = Some((offset, found)),
            _ => {}
        }
        if seal.is_none() {
            digest.update(bytes);
        }
        offset += bytes.len() as u64;
    }
    let digest: [u8; 32] = digest.finalize().into();
    let right_maps = matches!(maps.as_slice(), [] | [_, _]) && maps.first() == maps.last();
    match seal {
        Some((place, seal))
            if seal.length == place
                && seal.digest == digest
                && offset == length
                && copy.length() == length
                && right_maps =>
        {
            Ok(seal)
        }
        _ => Err(wrong(
            offset,
            FormatError::new(ErrorKind::ChecksumMismatch, "SegmentSeal"),
        )),
    }
}

/// The name of a file that is not finished.
pub(super) fn temporary(replica: &Replica, segment: u32) -> PathBuf {
    replica
        .segments_directory()
        .join(format!("{segment:010}{UNFINISHED}"))
}

/// How the name of a file ends that is not finished.
pub(super) const UNFINISHED: &str = ".seg.new";

/// Bytes copied at once.
const PIECE_BYTES: u64 = 1024 * 1024;
