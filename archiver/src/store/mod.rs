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

use std::path::PathBuf;
use std::sync::Arc;

use firmware::clock::Clock;
use formats::id::ArchiveId;
use formats::medium::MediumLabel;
use formats::segment::{Frame, FrameAddress};

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
    /// Makes an archive's data media: labels, texts of the format, and the first segment on each.
    ///
    /// # Errors
    /// [`StoreError::MediumNotEmpty`]; errors of writing.
    pub fn create(
        media: &[(PathBuf, MediumLabel)],
        options: &OpenOptions,
    ) -> Result<Self, StoreError> {
        let _ = (media, options);
        Err(StoreError::Closed)
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
        let _ = (directories, archive, options);
        Err(StoreError::Closed)
    }

    /// The archive's id.
    #[must_use]
    pub fn archive(&self) -> ArchiveId {
        self.shared.archive
    }

    /// An appender.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`].
    pub fn appender(&self) -> Result<Appender, StoreError> {
        Err(StoreError::ReadOnly)
    }

    /// Reads a frame from the first replica that has it whole. A replica that has not is noted ([`Store::incidents`]).
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn read(&self, address: FrameAddress) -> Result<Frame, StoreError> {
        Err(StoreError::NotFound { address })
    }

    /// What [`Store::read`] and scans had to work around since the last call.
    #[must_use]
    pub fn incidents(&self) -> Vec<Incident> {
        Vec::new()
    }

    /// The committed frames from `from` on; `None` is the start of the archive.
    #[must_use]
    pub fn scan(&self, from: Option<FrameAddress>, scope: ScanScope) -> Scan {
        let _ = (from, scope);
        Scan {}
    }

    /// Numbers of all segments, on whichever replica.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn segments(&self) -> Result<Vec<u32>, StoreError> {
        Ok(Vec::new())
    }

    /// Reads every copy of a segment whole and compares it with its checksums and its seal. No key is needed.
    /// What is wrong is told in the answer.
    ///
    /// # Errors
    /// None today: a copy that cannot be read is told in the answer, too.
    pub fn verify_segment(&self, segment: u32) -> Result<SegmentFixity, StoreError> {
        let replicas = Vec::new();
        Ok(SegmentFixity { segment, replicas })
    }

    /// Stops the writer. What was appended and not committed is cut off. Dropping the last clone does the same, without telling a failure.
    ///
    /// # Errors
    /// Errors of cutting.
    pub fn close(self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[derive(Debug)]
struct StoreShared {
    archive: ArchiveId,
}
