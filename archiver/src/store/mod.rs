//! Segments on media: the archive itself; and the record index, which is only a fold over them.
//!
//! The contract, on which everything above relies:
//!
//! - **Append only.** A frame never changes once it is acknowledged, and a sealed segment is never written again (mode 0444).
//! - **Acknowledged means durable on every replica.** [`Appender::commit`] returns after the frames and everything before them
//!   were synchronised on each replica. Concurrent calls share one synchronisation.
//! - **Not acknowledged means not visible.** After a failure, or when the process is killed, what no commit covered is cut off.
//!   After a power cut, frames that may have been acknowledged are kept (see [`recovery`]).
//! - **A full medium or an I/O error puts that medium out of service**, known on the others before anything relies on them alone, and
//!   nothing retries a failed synchronisation. Where fewer media would remain than each commit must reach ([`CopyPolicy`]), the
//!   writer stops: every waiting and later call fails with the cause, and the archive goes on after it was opened again.
//!
//! Absences: no keys (frames come sealed), no clock (times are arguments or come from the given clock), no network.

mod admission;
mod appender;
pub mod catalog;
pub mod compaction;
pub mod durable;
mod error;
mod fixity;
pub mod heal;
mod inspection;
pub mod joining;
mod medium;
mod opening;
pub mod parity;
mod presence;
mod reader;
pub mod recovery;
mod replica;
mod roster;
mod scan;
pub mod scrub;
mod segment_file;
mod walk;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use firmware::clock::Clock;
use formats::id::{ArchiveId, MediumId};
use formats::medium::{MediumLabel, MediumRole};
use formats::segment::{Frame, FrameAddress};

use appender::Queue;
use durable::DirectoryLock;
use reader::Reader;
use recovery::Tail;
use replica::Replica;
use roster::RosterKeeper;
use writer::Writer;

pub use admission::{CopyProgress, CopyReport, copy_sealed};
pub use appender::Appender;
pub use error::StoreError;
pub use fixity::{FixityProblem, FixityProblemKind, ReplicaFixity, SegmentFixity};
pub use inspection::{MediaFound, inspect_media};
pub use medium::{create_medium, is_same_folder, read_label, write_label};
pub use presence::{MediumProblem, MediumProblemKind, cause_text};
pub use reader::Incident;
pub use recovery::{RecoveryReport, Repaired};
pub use roster::{ReplicaCondition, ReplicaState, ReplicaWatch};
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
    /// How many media each commit must reach, and where else it is noted which do not take part.
    pub copies: CopyPolicy,
}

/// How many media each commit must reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyPolicy {
    /// Fewest media. `None`: all that are configured.
    pub min: Option<usize>,
    /// A file apart from the data media (on the key medium) that says which of them are out of service, so that one which was away does not
    /// pass for the archive when it comes back alone.
    pub note: Option<PathBuf>,
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
            let disk = Arc::clone(&options.disk);
            Replica::new(directory, label.medium, disk).prepare()?;
        }
        let directories: Vec<PathBuf> = media.iter().map(|(path, _)| path.clone()).collect();
        Self::open(&directories, archive, options).map(|(store, _)| store)
    }

    /// Opens an archive. A writer recovers the end of the archive first ([`recovery`]).
    ///
    /// A writer needs as many media as [`CopyPolicy`] says; a reader is content with one. A medium that cannot be used is told in the report.
    ///
    /// # Errors
    /// [`StoreError::MediumMissing`], [`StoreError::MediumTwice`], [`StoreError::MediumUnusable`] when too few media can be used;
    /// [`StoreError::Locked`], [`StoreError::SegmentDamaged`]; errors of reading and, for recovery, of writing.
    pub fn open(
        directories: &[PathBuf],
        archive: ArchiveId,
        options: &OpenOptions,
    ) -> Result<(Self, RecoveryReport), StoreError> {
        opening::open(directories, archive, options)
    }

    /// Every data medium of the archive, and whether it is in service.
    #[must_use]
    pub fn replicas(&self) -> Vec<ReplicaState> {
        self.shared.keeper.states()
    }

    /// Tells what becomes of the data media, also after the store was closed.
    #[must_use]
    pub fn watch(&self) -> ReplicaWatch {
        ReplicaWatch {
            keeper: Arc::clone(&self.shared.keeper),
        }
    }

    /// Fewest media that a commit must reach.
    #[must_use]
    pub fn copies_min(&self) -> usize {
        self.shared.keeper.copies_min
    }

    /// Takes the medium at `directory` into service, new or returned: it gets what it lacks, is read back, and from then on each commit
    /// reaches it. [`copy_sealed`] before it keeps the time short in which others wait. Answers the length of the growing segment that it got; 0:
    /// it was in service.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], [`StoreError::MediumUnusable`] for a medium of another archive or one that was written elsewhere,
    /// [`StoreError::CopyDiffers`], [`StoreError::Locked`]; errors of reading and writing.
    pub fn admit(&self, directory: &Path) -> Result<u64, StoreError> {
        let writing = self.shared.writing.as_ref().ok_or(StoreError::ReadOnly)?;
        let present = presence::of_archive(directory, self.shared.archive)?;
        let states = self.replicas();
        let in_service =
            |state: &ReplicaState| state.medium == present.medium && state.state.is_in_service();
        if states.iter().any(in_service) {
            return Ok(0);
        }
        let lock = self.shared.lock_besides(directory)?;
        let known = self.shared.reader.replicas.iter();
        let mut known = known.filter(|replica| {
            replica.medium == present.medium && replica.directory == present.directory
        });
        let replica = match known.next() {
            Some(replica) => Arc::clone(replica),
            None => Arc::new(Replica::of(&present, &self.shared.disk)),
        };
        writing
            .queue
            .errand(|done| appender::Task::Admit(replica, done))?;
        let mut locks = self.shared.locks.lock();
        let locks = locks.as_mut().ok();
        locks.map_or_else(|| (), |locks| locks.extend(lock));
        Ok(writing.queue.committed().offset)
    }

    /// Whether the media in service have every segment that this medium has, whole: each is read once. One that is not at hand, or cannot
    /// be read, is not asked.
    ///
    /// # Errors
    /// [`StoreError::OnlyCopy`].
    pub fn require_dispensable(&self, medium: MediumId) -> Result<(), StoreError> {
        self.require_elsewhere(medium, admission::Look::Whole)
    }

    fn require_elsewhere(&self, medium: MediumId, look: admission::Look) -> Result<(), StoreError> {
        let (mut leaving, mut staying) = (None, Vec::new());
        let mut left = None;
        for state in self.replicas() {
            let Some(directory) = &state.directory else {
                continue;
            };
            let replica = Replica::new(directory, state.medium, Arc::clone(&self.shared.disk));
            if let ReplicaCondition::OutOfService(out) = state.state {
                let is_leaving = state.medium == medium;
                left = is_leaving.then_some(out.from.segment).or(left);
                let end = out.from.segment.saturating_add(u32::from(is_leaving));
                replica.end_before(end);
            }
            if state.medium == medium {
                leaving = Some(replica);
            } else if state.state.is_in_service() {
                staying.push(replica);
            }
        }
        let writing = self.shared.writing.as_ref();
        let end = writing.map_or(u32::MAX, |writing| writing.queue.committed().segment);
        leaving.map_or(Ok(()), |leaving| {
            admission::require_copies_elsewhere(&leaving, &staying, end, left, look)
        })
    }

    /// Takes a medium out of the archive for good. Its bytes stay as they are. [`Store::require_dispensable`] was asked before.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`]; [`StoreError::OnlyCopy`]; [`StoreError::TooFewCopies`]; the failure that stopped the writer.
    pub fn dismiss(&self, medium: MediumId) -> Result<(), StoreError> {
        self.require_elsewhere(medium, admission::Look::Seals)?;
        let writing = self.shared.writing.as_ref().ok_or(StoreError::ReadOnly)?;
        let queue = &writing.queue;
        queue.errand(|done| appender::Task::Dismiss(medium, done))
    }

    /// The archive's id.
    #[must_use]
    pub fn archive(&self) -> ArchiveId {
        self.shared.archive
    }

    /// The directories of the data media at hand.
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

    /// Reads a frame from another replica than the first `number` ones that have it whole: what they gave does not open.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when no further replica has it whole.
    pub fn read_another(&self, address: FrameAddress, number: usize) -> Result<Frame, StoreError> {
        self.shared.reader.read_another(address, number)
    }

    /// Reads a frame from each replica; `None` where it is not there or not whole.
    #[must_use]
    pub fn read_each(&self, address: FrameAddress) -> Vec<Option<Frame>> {
        self.shared.reader.read_each(address)
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
        let mut found = fixity::verify_segment(reader, self.shared.archive, segment, newest);
        // A medium that is out of service lacks what came later: that is told elsewhere.
        let away = |directory: &PathBuf| {
            let mut replicas = reader.replicas.iter();
            replicas.any(|replica| replica.directory == *directory && !replica.may_hold(segment))
        };
        found.replicas.retain(|copy| !away(&copy.directory));
        Ok(found)
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

    /// The files of a segment were replaced: what is open of them is the old ones.
    fn forget(&self, segment: u32) {
        self.shared.reader.forget(segment);
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
    keeper: Arc<RosterKeeper>,
    disk: Arc<dyn durable::Disk>,
    /// Released last: fields are dropped in their order, and the writer ends first.
    locks: Mutex<Vec<DirectoryLock>>,
}

impl StoreShared {
    /// The lock of a folder; `None` where it is held: a medium that leaves keeps it as long as the store is open.
    fn lock_besides(&self, directory: &Path) -> Result<Option<DirectoryLock>, StoreError> {
        let locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        if locks.iter().any(|held| held.is_of(directory)) {
            return Ok(None);
        }
        lock(directory, true).map(Some)
    }
}

/// The writer's thread.
#[derive(Debug)]
struct Writing {
    queue: Arc<Queue>,
    /// The end of the archive when it was opened.
    opened_at: FrameAddress,
    thread: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
}

impl Writing {
    fn start(
        archive: ArchiveId,
        options: &OpenOptions,
        tail: Tail,
        keeper: Arc<RosterKeeper>,
    ) -> Result<Self, StoreError> {
        let bytes_max = options.segment_bytes_max.max(SEGMENT_BYTES_MIN);
        let opened_at = tail.end;
        let queue = Arc::new(Queue::new(tail.end, tail.index.clone(), bytes_max));
        let writer = Writer::new(Arc::clone(&queue), archive, options, tail, keeper);
        let thread = std::thread::Builder::new()
            .name("segment-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| {
                StoreError::io("starting the writer", Path::new(""), Path::new(""), error)
            })?;
        Ok(Self {
            queue,
            opened_at,
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
