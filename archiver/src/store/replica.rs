//! One replica: the segment files on one medium.

use std::fs::File;
use std::io::IoSlice;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use formats::id::MediumId;
use formats::segment::CommitMark;

use super::durable::{self, Disk};
use super::presence::Present;
use super::{SEGMENTS_DIRECTORY, StoreError};

/// The segment files on one medium.
#[derive(Debug)]
pub(super) struct Replica {
    /// The medium's directory, as it was given: errors name it.
    pub(super) directory: PathBuf,
    /// The medium.
    pub(super) medium: MediumId,
    disk: Arc<dyn Disk>,
    /// Segments from this one on are not to be read here: they were committed while the medium was out of service.
    end: AtomicU32,
}

/// The segment that a replica grows.
#[derive(Debug)]
pub(super) struct GrowingSegment {
    replica: Arc<Replica>,
    segment: u32,
    path: PathBuf,
    file: File,
    /// The medium was asked to write everything before.
    written_back: AtomicU64,
}

impl Replica {
    pub(super) fn new(directory: &Path, medium: MediumId, disk: Arc<dyn Disk>) -> Self {
        Self {
            directory: directory.to_owned(),
            medium,
            disk,
            end: AtomicU32::new(u32::MAX),
        }
    }

    /// The medium that was found in a folder.
    pub(super) fn of(present: &Present, disk: &Arc<dyn Disk>) -> Self {
        Self::new(&present.directory, present.medium, Arc::clone(disk))
    }

    pub(super) fn present(&self) -> Present {
        Present {
            directory: self.directory.clone(),
            medium: self.medium,
        }
    }

    /// The same medium with all that stands on it.
    pub(super) fn without_end(&self) -> Self {
        Self::new(&self.directory, self.medium, Arc::clone(&self.disk))
    }

    /// Whether a segment has lost its write permission: it is complete.
    pub(super) fn is_protected(&self, segment: u32) -> bool {
        std::fs::metadata(self.path(segment))
            .is_ok_and(|metadata| metadata.permissions().readonly())
    }

    /// What is read next of the file comes from the medium, as far as the system allows.
    pub(super) fn forget(&self, file: &File) {
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        self.disk.begin_write_back(file, 0, length);
    }

    /// From now on segments from `end` on are passed over: the medium is out of service since.
    pub(super) fn end_before(&self, end: u32) {
        self.end.store(end, Ordering::Release);
    }

    /// The medium has everything again.
    pub(super) fn end_nowhere(&self) {
        self.end_before(u32::MAX);
    }

    /// Whether the segment may be read here.
    pub(super) fn may_hold(&self, segment: u32) -> bool {
        segment < self.end.load(Ordering::Acquire)
    }

    /// The writing system calls.
    pub(super) fn disk(&self) -> &dyn Disk {
        self.disk.as_ref()
    }

    /// The directory of the segment files.
    pub(super) fn segments_directory(&self) -> PathBuf {
        self.directory.join(SEGMENTS_DIRECTORY)
    }

    /// The file of a segment.
    pub(super) fn path(&self, segment: u32) -> PathBuf {
        self.segments_directory().join(format!("{segment:010}.seg"))
    }

    /// Numbers and lengths of the segments here, in order. Files with other names are passed over.
    pub(super) fn segments(&self) -> Result<Vec<(u32, u64)>, StoreError> {
        let directory = self.segments_directory();
        let failed = |error| self.error("reading the directory", &directory, error);
        let mut segments = Vec::new();
        for entry in std::fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if let Some(segment) = segment_number(&entry.file_name())
                && self.may_hold(segment)
            {
                segments.push((segment, entry.metadata().map_err(failed)?.len()));
            }
        }
        segments.sort_unstable();
        Ok(segments)
    }

    /// Makes the directory of segments where it is missing, and the names in it durable: a process that was killed may have given some that
    /// no synchronisation covered.
    pub(super) fn prepare(&self) -> Result<(), StoreError> {
        let directory = self.segments_directory();
        durable::create_directories(self.disk.as_ref(), &directory)
            .map_err(|error| self.error("making the directory", &directory, error))?;
        self.disk
            .sync_directory(&directory)
            .map_err(|error| self.error("synchronising", &directory, error))
    }

    /// The checkpoint of the growing segment, if there is one.
    pub(super) fn checkpoint(&self) -> Option<Vec<u8>> {
        std::fs::read(self.segments_directory().join(CHECKPOINT)).ok()
    }

    /// Puts a checkpoint in place of the one there is.
    pub(super) fn put_checkpoint(&self, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.segments_directory().join(CHECKPOINT);
        durable::replace_derived_file(self.disk.as_ref(), &path, bytes)
            .map_err(|error| self.error("writing", &path, error))
    }

    /// Opens a segment for reading; `None` when it is not here.
    pub(super) fn open(&self, segment: u32) -> Result<Option<File>, StoreError> {
        if !self.may_hold(segment) {
            return Ok(None);
        }
        let path = self.path(segment);
        match File::open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error("opening", &path, error)),
        }
    }

    /// Opens a segment for growing. A new file gets a durable name.
    pub(super) fn grow(
        self: &Arc<Self>,
        segment: u32,
        new: bool,
    ) -> Result<GrowingSegment, StoreError> {
        let path = self.path(segment);
        let file = if new {
            let file = self
                .disk
                .create(&path)
                .map_err(|error| self.error("making", &path, error))?;
            let directory = self.segments_directory();
            self.disk
                .sync_directory(&directory)
                .map_err(|error| self.error("synchronising", &directory, error))?;
            file
        } else {
            self.open_writable(&path)
                .map_err(|error| self.error("opening", &path, error))?
        };
        Ok(GrowingSegment {
            replica: Arc::clone(self),
            segment,
            path,
            file,
            written_back: AtomicU64::new(0),
        })
    }

    /// Synchronises and protects a segment that is complete.
    pub(super) fn settle(&self, segment: u32) -> Result<(), StoreError> {
        let path = self.path(segment);
        let file = File::open(&path).map_err(|error| self.error("opening", &path, error))?;
        self.disk
            .sync(&file)
            .map_err(|error| self.error("synchronising", &path, error))?;
        self.disk
            .protect(&file)
            .map_err(|error| self.error("protecting", &path, error))
    }

    /// A sealed segment that must be put right was protected before.
    fn open_writable(&self, path: &Path) -> std::io::Result<File> {
        match self.disk.open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                self.disk.unprotect(path)?;
                self.disk.open(path)
            }
            result => result,
        }
    }

    pub(super) fn error(
        &self,
        operation: &'static str,
        path: &Path,
        error: std::io::Error,
    ) -> StoreError {
        StoreError::io(operation, &self.directory, path, error)
    }
}

impl GrowingSegment {
    pub(super) const fn replica(&self) -> &Arc<Replica> {
        &self.replica
    }

    pub(super) const fn segment(&self) -> u32 {
        self.segment
    }

    /// Whether the file goes beyond `length`. Unknown counts as yes.
    pub(super) fn is_longer_than(&self, length: u64) -> bool {
        self.file
            .metadata()
            .map_or(true, |metadata| metadata.len() > length)
    }

    /// The commit mark that ends at `end`, as bytes. `None`: it cannot be read.
    pub(super) fn mark_before(&self, end: u64) -> Option<Vec<u8>> {
        let mut bytes = vec![0; CommitMark::FRAME_BYTES];
        let offset = end.checked_sub(bytes.len() as u64)?;
        self.file.read_exact_at(&mut bytes, offset).ok()?;
        Some(bytes)
    }

    /// Writes the pieces, one after the other, from `offset` on.
    pub(super) fn write(&self, pieces: &[Vec<u8>], offset: u64) -> Result<(), StoreError> {
        let mut slices: Vec<IoSlice<'_>> = pieces
            .iter()
            .filter(|piece| !piece.is_empty())
            .map(|piece| IoSlice::new(piece))
            .collect();
        let bytes: usize = pieces.iter().map(Vec::len).sum();
        self.replica
            .disk
            .write_at(&self.file, &mut slices, offset)
            .map_err(|error| self.replica.error("writing", &self.path, error))?;
        self.begin_write_back(offset + bytes as u64);
        Ok(())
    }

    /// The medium works while more is prepared: else a large deposit would wait for all of it at its end.
    fn begin_write_back(&self, end: u64) {
        let begin = self.written_back.load(Ordering::Relaxed);
        let length = end.saturating_sub(begin);
        if length >= WRITE_BACK_BYTES {
            let disk = &self.replica.disk;
            disk.begin_write_back(&self.file, begin, length);
            self.written_back.store(end, Ordering::Relaxed);
        }
    }

    /// Waits until everything written is on the medium.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.replica
            .disk
            .sync(&self.file)
            .map_err(|error| self.replica.error("synchronising", &self.path, error))
    }

    /// Cuts the file, durably.
    pub(super) fn cut(&self, length: u64) -> Result<(), StoreError> {
        self.replica
            .disk
            .truncate(&self.file, length)
            .map_err(|error| self.replica.error("cutting", &self.path, error))?;
        self.sync()
    }

    /// Takes the write permission away.
    pub(super) fn protect(&self) -> Result<(), StoreError> {
        self.replica
            .disk
            .protect(&self.file)
            .map_err(|error| self.replica.error("protecting", &self.path, error))
    }

    /// Closes this segment and makes the next one with its header.
    pub(super) fn begin_next(&mut self, header: &[u8]) -> Result<(), StoreError> {
        let next = self.replica.grow(self.segment + 1, true)?;
        *self = next;
        self.write(&[header.to_vec()], 0)?;
        self.sync()
    }
}

/// Bytes after which the medium is asked to begin writing.
const WRITE_BACK_BYTES: u64 = 8 * 1024 * 1024;

/// Name of the checkpoint of the growing segment.
const CHECKPOINT: &str = "growing";

fn segment_number(name: &std::ffi::OsStr) -> Option<u32> {
    let digits = name.to_str()?.strip_suffix(".seg")?;
    let decimal = digits.len() == 10 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|&number| decimal && number > 0)
}
