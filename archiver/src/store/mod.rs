//! Segments on media: the archive itself; and the record index, which is only a fold over them.
//!
//! The contract, on which everything above relies:
//!
//! - **Append only.** A frame never changes once it is acknowledged, and a sealed segment is never written again (mode 0444).
//! - **Acknowledged means durable on every replica.** [`Appender::commit`] returns after the frames and everything before them
//!   were synchronised on each replica. Concurrent calls share one synchronisation.
//! - **Not acknowledged means not visible.** After a failure, or when the process is killed, what no commit covered is cut off.
//!   After a power cut, frames that may have been acknowledged are kept (see [`recovery`]).
//! - **A full medium or an I/O error stops the writer.** Every waiting and later call fails with the cause. The archive goes on
//!   after it was opened again; nothing retries a failed synchronisation.
//!
//! Absences: no keys (frames come sealed), no clock (times are arguments or come from the given clock), no network.

mod appender;
pub mod catalog;
pub mod durable;
mod error;
mod fixity;
mod medium;
mod reader;
pub mod recovery;
mod replica;
mod scan;
mod segment_file;
mod walk;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use firmware::clock::Clock;
use formats::id::ArchiveId;
use formats::medium::{MediumLabel, MediumRole};
use formats::segment::{Frame, FrameAddress};

use appender::Queue;
use durable::DirectoryLock;
use reader::Reader;
use recovery::Tail;
use replica::Replica;
use writer::Writer;

pub use appender::Appender;
pub use error::StoreError;
pub use fixity::{FixityProblem, FixityProblemKind, ReplicaFixity, SegmentFixity};
pub use medium::{create_medium, read_label, write_label};
pub use reader::Incident;
pub use recovery::RecoveryReport;
pub use scan::{Scan, ScanItem, ScanScope};

/// How to open a store.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Whether to write. A writer excludes every other process; readers exclude writers.
    pub writable: bool,
    /// Which start of the machine this is (`/proc/sys/kernel/random/boot_id`). Recovery tells a killed process from a power cut by it.
    pub boot_id: [u8; 16],
    /// Times of segment headers and commit marks.
    pub clock: Arc<dyn Clock>,
    /// A segment is sealed before it grows beyond this.
    pub segment_bytes_max: u64,
    /// The writing system calls: [`durable::system_disk`], except in tests.
    pub disk: Arc<dyn durable::Disk>,
}

/// The segments of an archive on all of its replicas. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<StoreShared>,
}

/// Bytes of a segment unless configured otherwise: large enough that a medium holds few files, small enough to copy and check in seconds.
pub const SEGMENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Name of the directory of segments on a data medium.
pub const SEGMENTS_DIRECTORY: &str = "segments";

impl Store {
    /// Makes an archive's data media: labels, texts of the format, and the first segment on each. All labels name the same archive.
    ///
    /// # Errors
    /// [`StoreError::MediumNotEmpty`], [`StoreError::WrongMedium`]; errors of writing.
    pub fn create(
        media: &[(PathBuf, MediumLabel)],
        options: &OpenOptions,
    ) -> Result<Self, StoreError> {
        let missing = StoreError::MediumMissing {
            directory: PathBuf::new(),
        };
        let archive = media
            .first()
            .map(|(_, label)| label.archive)
            .ok_or(missing)?;
        for (directory, label) in media {
            if label.archive != archive || label.role != MediumRole::Data {
                return Err(StoreError::WrongMedium {
                    directory: directory.clone(),
                });
            }
            create_medium(options.disk.as_ref(), directory, label)?;
            Replica::new(directory, Arc::clone(&options.disk)).prepare()?;
        }
        let directories: Vec<PathBuf> = media.iter().map(|(path, _)| path.clone()).collect();
        Self::open(&directories, archive, options).map(|(store, _)| store)
    }

    /// Opens an archive. A writer recovers the end of the archive first ([`recovery`]).
    ///
    /// A writer needs every data medium; a reader is content with one.
    ///
    /// # Errors
    /// [`StoreError::MediumMissing`], [`StoreError::WrongMedium`], [`StoreError::MediumTwice`], [`StoreError::Locked`],
    /// [`StoreError::SegmentDamaged`]; errors of reading and, for recovery, of writing.
    pub fn open(
        directories: &[PathBuf],
        archive: ArchiveId,
        options: &OpenOptions,
    ) -> Result<(Self, RecoveryReport), StoreError> {
        let (present, absent) = present_media(directories, archive, options)?;
        let mut replicas = Vec::new();
        let mut locks = Vec::new();
        for directory in &present {
            locks.push(lock(directory, options.writable)?);
            let disk = Arc::clone(&options.disk);
            replicas.push(Arc::new(Replica::new(directory, disk)));
        }
        let mut report = RecoveryReport::default();
        let mut writing = None;
        if options.writable {
            let (tail, recovered) = recovery::recover(&replicas, archive, options)?;
            report = recovered;
            writing = Some(Writing::start(archive, options, tail)?);
        }
        report.absent = absent;
        let shared = StoreShared {
            archive,
            reader: Arc::new(Reader::new(archive, replicas)),
            writing,
            _locks: locks,
        };
        let shared = Arc::new(shared);
        Ok((Self { shared }, report))
    }

    /// The archive's id.
    #[must_use]
    pub fn archive(&self) -> ArchiveId {
        self.shared.archive
    }

    /// The directories of the data media in use.
    #[must_use]
    pub fn directories(&self) -> Vec<PathBuf> {
        let replicas = self.shared.reader.replicas.iter();
        replicas.map(|replica| replica.directory.clone()).collect()
    }

    /// An appender.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`].
    pub fn appender(&self) -> Result<Appender, StoreError> {
        let writing = self.shared.writing.as_ref().ok_or(StoreError::ReadOnly)?;
        let queue = Arc::clone(&writing.queue);
        Ok(Appender { queue })
    }

    /// Reads a frame from the first replica that has it whole. A replica that has not is noted ([`Store::incidents`]).
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn read(&self, address: FrameAddress) -> Result<Frame, StoreError> {
        self.shared.reader.read(address)
    }

    /// What [`Store::read`] and scans had to work around since the last call.
    #[must_use]
    pub fn incidents(&self) -> Vec<Incident> {
        self.shared.reader.take_incidents()
    }

    /// The committed frames from `from` on, where a frame must start; `None` is the start of the archive.
    #[must_use]
    pub fn scan(&self, from: Option<FrameAddress>, scope: ScanScope) -> Scan {
        Scan::new(Arc::clone(&self.shared.reader), from, scope)
    }

    /// Numbers of all segments, on whichever replica.
    ///
    /// # Errors
    /// [`StoreError::Io`] when no replica can be read.
    pub fn segments(&self) -> Result<Vec<u32>, StoreError> {
        self.shared.reader.segments()
    }

    /// Reads every copy of a segment whole and compares it with its checksums and its seal. No key is needed.
    /// A copy that is damaged, absent or unreadable is told in the answer.
    ///
    /// # Errors
    /// [`StoreError::Io`] when no replica can be read.
    pub fn verify_segment(&self, segment: u32) -> Result<SegmentFixity, StoreError> {
        let newest = self.segments()?.last().is_none_or(|&last| segment >= last);
        let reader = &self.shared.reader;
        Ok(fixity::verify_segment(
            reader,
            self.shared.archive,
            segment,
            newest,
        ))
    }

    /// Stops the writer. What was appended and not committed is cut off. Dropping the last clone does the same, without telling a failure.
    ///
    /// # Errors
    /// The failure that stopped the writer; errors of cutting.
    pub fn close(self) -> Result<(), StoreError> {
        match &self.shared.writing {
            Some(writing) => writing.stop(),
            None => Ok(()),
        }
    }

    /// Behind the last frame that any replica may hold.
    fn end(&self) -> Result<FrameAddress, StoreError> {
        let mut end = FrameAddress::new(0, 0);
        for replica in &self.shared.reader.replicas {
            if let Some((segment, length)) = replica.segments()?.last() {
                end = end.max(FrameAddress::new(*segment, *length));
            }
        }
        Ok(end)
    }

    /// The record index knows the frame at this address.
    fn set_applied(&self, address: FrameAddress) {
        if let Some(writing) = &self.shared.writing {
            writing.queue.set_applied(address);
        }
    }

    /// Where the frames begin that the record index may not know. `None` when the store is open for reading: nothing is appended.
    fn applied(&self) -> Option<FrameAddress> {
        let writing = self.shared.writing.as_ref()?;
        Some(writing.queue.applied())
    }
}

#[derive(Debug)]
struct StoreShared {
    archive: ArchiveId,
    reader: Arc<Reader>,
    writing: Option<Writing>,
    /// Released last: fields are dropped in their order, and the writer ends first.
    _locks: Vec<DirectoryLock>,
}

/// The writer's thread.
#[derive(Debug)]
struct Writing {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
}

impl Writing {
    fn start(archive: ArchiveId, options: &OpenOptions, tail: Tail) -> Result<Self, StoreError> {
        let bytes_max = options.segment_bytes_max.max(SEGMENT_BYTES_MIN);
        let queue = Arc::new(Queue::new(tail.end, tail.index.clone(), bytes_max));
        let writer = Writer::new(Arc::clone(&queue), archive, options, tail);
        let thread = std::thread::Builder::new()
            .name("segment-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| {
                StoreError::io("starting the writer", Path::new(""), Path::new(""), error)
            })?;
        Ok(Self {
            queue,
            thread: Mutex::new(Some(thread)),
        })
    }

    fn stop(&self) -> Result<(), StoreError> {
        self.queue.close();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match thread.map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(StoreError::Closed),
            None => Ok(()),
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // A failure was told to whoever waited for a commit; nobody else lost anything.
        drop(self.stop());
    }
}

/// Checks the labels. Answers the media that are there and, for a reader, the directories that hold none.
fn present_media(
    directories: &[PathBuf],
    archive: ArchiveId,
    options: &OpenOptions,
) -> Result<(Vec<PathBuf>, Vec<PathBuf>), StoreError> {
    let (mut present, mut absent, mut media) = (Vec::new(), Vec::new(), Vec::new());
    for directory in directories {
        let label = match read_label(directory) {
            Err(StoreError::MediumMissing { directory }) if !options.writable => {
                absent.push(directory);
                continue;
            }
            label => label?,
        };
        let directory = directory.clone();
        if label.archive != archive || label.role != MediumRole::Data {
            return Err(StoreError::WrongMedium { directory });
        }
        if media.contains(&label.medium) {
            return Err(StoreError::MediumTwice { directory });
        }
        media.push(label.medium);
        present.push(directory);
    }
    if present.is_empty() {
        let directory = directories.first().cloned().unwrap_or_default();
        return Err(StoreError::MediumMissing { directory });
    }
    Ok((present, absent))
}

fn lock(directory: &Path, exclusive: bool) -> Result<DirectoryLock, StoreError> {
    DirectoryLock::take(directory, exclusive).map_err(|error| {
        if error.kind() == std::io::ErrorKind::WouldBlock {
            StoreError::Locked {
                directory: directory.to_owned(),
            }
        } else {
            StoreError::io("locking", directory, directory, error)
        }
    })
}

/// Smallest useful segment; tests roll at this size.
const SEGMENT_BYTES_MIN: u64 = 4096;
