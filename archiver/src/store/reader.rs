//! Reading frames from whichever replica has them whole.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use formats::error::{ErrorKind, FormatError};
use formats::id::ArchiveId;
use formats::segment::{Frame, FrameAddress, FrameHeader, Located};

use super::StoreError;
use super::replica::Replica;
use super::segment_file::SegmentFile;
use super::walk::Copy;

/// A replica that could not give a frame which another one then gave. It needs a scrub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// The medium's directory.
    pub directory: PathBuf,
    /// The frame.
    pub address: FrameAddress,
    /// What was wrong, in words for the operator.
    pub cause: String,
}

/// Reads from all replicas.
#[derive(Debug)]
pub(super) struct Reader {
    archive: ArchiveId,
    pub(super) replicas: Vec<Arc<Replica>>,
    files: Mutex<HashMap<(usize, u32), Arc<SegmentFile>>>,
    /// The files whose header was looked at: they are the segment that their name says.
    own: Mutex<HashSet<(usize, u32)>>,
    incidents: Mutex<Vec<Incident>>,
}

/// Why a replica did not give a frame.
enum Miss {
    Absent,
    /// The segment was compacted, and the frame was not kept: that holds whatever the other copies are like.
    Dropped,
    Damaged(FormatError),
    Failed(StoreError),
}

impl Reader {
    pub(super) fn new(archive: ArchiveId, replicas: Vec<Arc<Replica>>) -> Self {
        Self {
            archive,
            replicas,
            own: Mutex::default(),
            files: Mutex::default(),
            incidents: Mutex::default(),
        }
    }

    /// Reads a frame from the first replica that has it whole.
    pub(super) fn read(&self, address: FrameAddress) -> Result<Frame, StoreError> {
        let mut misses = Vec::new();
        for (number, replica) in self.replicas.iter().enumerate() {
            match self.read_copy(number, replica, address) {
                Ok(frame) => {
                    self.note(address, &misses);
                    return Ok(frame);
                }
                Err(miss) => misses.push((Arc::clone(replica), miss)),
            }
        }
        let mut error = StoreError::NotFound { address };
        if misses.iter().any(|(_, miss)| matches!(miss, Miss::Dropped)) {
            return Err(error);
        }
        for (_, miss) in misses {
            match (miss, &error) {
                (Miss::Damaged(source), _) => error = StoreError::Damaged { address, source },
                (Miss::Failed(failure), StoreError::NotFound { .. }) => error = failure,
                (Miss::Failed(_) | Miss::Absent | Miss::Dropped, _) => {}
            }
        }
        Err(error)
    }

    /// Reads a frame from the replica that is the `number`-th to have it whole, from 0: those before gave one that is not what was sealed.
    pub(super) fn read_another(
        &self,
        address: FrameAddress,
        number: usize,
    ) -> Result<Frame, StoreError> {
        let mut whole = self
            .read_each(address)
            .into_iter()
            .enumerate()
            .filter_map(|(place, frame)| Some((place, frame?)));
        let mut passed = Vec::new();
        for _ in 0..number {
            passed.extend(whole.next().map(|(place, _)| place));
        }
        let Some((_, frame)) = whole.next() else {
            return Err(StoreError::NotFound { address });
        };
        for place in passed {
            self.note_damage(place, address, "its seal does not open");
        }
        Ok(frame)
    }

    /// The frame of each replica; `None` where it is not there or not whole.
    pub(super) fn read_each(&self, address: FrameAddress) -> Vec<Option<Frame>> {
        let replicas = self.replicas.iter().enumerate();
        replicas
            .map(|(number, replica)| self.read_copy(number, replica, address).ok())
            .collect()
    }

    /// What was worked around since the last call.
    pub(super) fn take_incidents(&self) -> Vec<Incident> {
        std::mem::take(
            &mut *self
                .incidents
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// All copies of a segment. A copy that cannot be opened is noted and counts as absent.
    pub(super) fn copies(&self, segment: u32) -> Vec<Option<Copy>> {
        self.open_copies(segment, Copy::of)
    }

    /// All copies as their files are: offsets are places in the files.
    pub(super) fn raw_copies(&self, segment: u32) -> Vec<Option<Copy>> {
        self.open_copies(segment, Copy::raw)
    }

    /// Opens the copies of a segment anew when they are read next: a file was put in place of another one.
    pub(super) fn forget(&self, segment: u32) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|&(_, number), _| number != segment);
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.retain(|&(_, number)| number != segment);
    }

    fn open_copies(
        &self,
        segment: u32,
        open: impl Fn(Arc<SegmentFile>) -> io::Result<Copy>,
    ) -> Vec<Option<Copy>> {
        let replicas = self.replicas.iter().enumerate();
        replicas
            .map(|(number, replica)| {
                let file = self.file(number, replica, segment).ok()?;
                open(file).ok()
            })
            .collect()
    }

    /// Notes that a replica has no whole frame here though another one has.
    pub(super) fn note_damage(&self, number: usize, address: FrameAddress, cause: &str) {
        if let Some(replica) = self.replicas.get(number) {
            self.push_incident(replica, address, cause.to_owned());
        }
    }

    /// Numbers of all segments, on whichever replica.
    pub(super) fn segments(&self) -> Result<Vec<u32>, StoreError> {
        let mut segments = Vec::new();
        let mut failure = None;
        for replica in &self.replicas {
            match replica.segments() {
                Ok(list) => segments.extend(list.into_iter().map(|(segment, _)| segment)),
                Err(error) => failure = Some(error),
            }
        }
        segments.sort_unstable();
        segments.dedup();
        match failure {
            Some(error) if segments.is_empty() => Err(error),
            _ => Ok(segments),
        }
    }

    fn read_copy(
        &self,
        number: usize,
        replica: &Replica,
        address: FrameAddress,
    ) -> Result<Frame, Miss> {
        let file = self.file(number, replica, address.segment)?;
        self.require_own(number, replica, address.segment, &file)?;
        Self::read_frame(replica, &file, address)
    }

    /// A file under another segment's name holds whole frames at the wrong addresses: it counts as a damaged copy.
    fn require_own(
        &self,
        number: usize,
        replica: &Replica,
        segment: u32,
        file: &SegmentFile,
    ) -> Result<(), Miss> {
        let looked_at = |own: &Mutex<HashSet<_>>| {
            let own = own.lock().unwrap_or_else(PoisonError::into_inner);
            own.contains(&(number, segment))
        };
        if looked_at(&self.own) {
            return Ok(());
        }
        let is_own = match Self::read_frame(replica, file, FrameAddress::new(segment, 0))? {
            Frame::SegmentHeader(header) => {
                header.archive == self.archive && header.segment == segment
            }
            Frame::ContentChunk(_)
            | Frame::RecordVersion(_)
            | Frame::TreePage(_)
            | Frame::ArchiveTimeStamp(_)
            | Frame::Event(_)
            | Frame::CommitMark(_)
            | Frame::SegmentIndex(_)
            | Frame::SegmentSeal(_)
            | Frame::LeafPage(_)
            | Frame::FurtherDigests(_)
            | Frame::ValidationMaterial(_)
            | Frame::Signature(_)
            | Frame::Receipt(_)
            | Frame::CompactionMap(_) => false,
        };
        if !is_own {
            let strange = FormatError::new(ErrorKind::InvalidValue, "SegmentHeader").at(0);
            return Err(Miss::Damaged(strange));
        }
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.insert((number, segment));
        Ok(())
    }

    fn read_frame(
        replica: &Replica,
        file: &SegmentFile,
        address: FrameAddress,
    ) -> Result<Frame, Miss> {
        let failed =
            |error| Miss::Failed(replica.error("reading", &replica.path(address.segment), error));
        let (place, left) = match file.locate(address.offset) {
            Some(Located::Kept { place, left }) => (place, left),
            Some(Located::Dropped { .. }) => return Err(Miss::Dropped),
            None => {
                let lost = FormatError::new(ErrorKind::ChecksumMismatch, "CompactionMap");
                return Err(Miss::Damaged(lost));
            }
        };
        let file = file.file();
        let mut bytes = vec![0; FIRST_READ_BYTES];
        let read = read_up_to(file, &mut bytes, place).map_err(failed)?;
        bytes.truncate(read);
        if bytes.is_empty() {
            return Err(Miss::Absent);
        }
        let header = FrameHeader::parse(&bytes).map_err(Miss::Damaged)?;
        let whole = header.frame_bytes();
        if whole as u64 > left {
            let cut = FormatError::new(ErrorKind::Truncated, "Frame").at(0);
            return Err(Miss::Damaged(cut));
        }
        bytes.resize(whole, 0);
        if let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
            let wanted = rest.len();
            let more = read_up_to(file, rest, place + read as u64).map_err(failed)?;
            if more < wanted {
                let cut = FormatError::new(ErrorKind::Truncated, "Frame").at(read + more);
                return Err(Miss::Damaged(cut));
            }
        }
        Frame::parse(&bytes).map_err(Miss::Damaged)
    }

    fn file(
        &self,
        number: usize,
        replica: &Replica,
        segment: u32,
    ) -> Result<Arc<SegmentFile>, Miss> {
        if !replica.may_hold(segment) {
            return Err(Miss::Absent);
        }
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(&(number, segment)) {
            return Ok(Arc::clone(file));
        }
        let file = match replica.open(segment) {
            Ok(Some(file)) => {
                let failed =
                    |error| Miss::Failed(replica.error("reading", &replica.path(segment), error));
                Arc::new(SegmentFile::new(file).map_err(failed)?)
            }
            Ok(None) => return Err(Miss::Absent),
            Err(failure) => return Err(Miss::Failed(failure)),
        };
        if files.len() >= FILES_MAX {
            files.clear();
        }
        files.insert((number, segment), Arc::clone(&file));
        Ok(file)
    }

    fn note(&self, address: FrameAddress, misses: &[(Arc<Replica>, Miss)]) {
        for (replica, miss) in misses {
            let cause = match miss {
                Miss::Absent | Miss::Dropped => "it is not there".to_owned(),
                Miss::Damaged(error) => error.to_string(),
                Miss::Failed(error) => error.to_string(),
            };
            self.push_incident(replica, address, cause);
        }
    }

    fn push_incident(&self, replica: &Replica, address: FrameAddress, cause: String) {
        let mut incidents = self
            .incidents
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if incidents.len() < INCIDENTS_MAX {
            incidents.push(Incident {
                directory: replica.directory.clone(),
                address,
                cause,
            });
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn read_up_to(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Bytes read at first: most frames that are no content chunk fit.
const FIRST_READ_BYTES: usize = 4096;

/// Most open segment files.
const FILES_MAX: usize = 64;

/// Most incidents kept until they are asked for. One damaged segment gives thousands.
const INCIDENTS_MAX: usize = 1000;
