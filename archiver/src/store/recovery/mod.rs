//! What opening finds at the end of the archive, and how it is put right.
//!
//! A commit mark says that everything before it was synchronised on every replica. Only frames after the last mark are in doubt:
//!
//! - **Same boot id as the last mark** (or as the header, when there is no mark yet): the process died and the machine did not, so the
//!   next mark would be there if its group had been acknowledged. What follows the last mark was never acknowledged: it is cut off.
//! - **Another boot id**: the power failed. A mark is written without a synchronisation of its own, so it may be lost although its group
//!   was acknowledged. The frames that are whole, on whichever replica, are kept, and a new mark is written behind them; the torn rest
//!   is cut off. Nothing that was acknowledged can be in it: that was synchronised before.
//!
//! A process that dies in the middle of a write leaves the beginning of a frame, never another one: a last mark that is there and does not match
//! its checksum was damaged later, and counts.
//!
//! The same rule holds whenever a medium that should be there is not: the last mark may stand on that one alone.
//!
//! Only media in service take part. One that is out of service (`store::roster`) is never read here: frames on it that nobody
//! committed would otherwise stand in the place of frames that were. Where two copies differ, the one with the later commit mark is
//! right; one that is behind by two marks or more was away, and counts only up to its last mark.
//!
//! Then the replicas are made equal. Bytes *before* a commit mark that are damaged on every replica are not a torn tail: they are
//! left as they are and reported, and nothing behind them is cut off.
//!
//! Bytes that cannot be *read* tell nothing: neither that the archive ends there, nor that they are damaged. Where every other copy leaves
//! the question open, recovery fails and names the medium; nothing was changed then. With enough other media in service that one is
//! put out of service; alone, it must be mended or replaced first.
//!
//! Only the segment that grows is read, from where the store was last closed in order. Whether its predecessor was
//! sealed on every replica is seen at its end.

mod authority;
mod checkpoint;
mod extent;
mod repair;
mod sure_walk;
mod whole_read;

use std::path::PathBuf;
use std::sync::Arc;

use formats::id::ArchiveId;
use formats::segment::{
    CommitMark, Frame, FrameAddress, FrameHeader, FrameType, IndexEntry, SegmentHeader,
    SegmentIndex, SegmentSeal,
};
use sha2::{Digest, Sha256};

use super::compaction::remove_leftovers;
use super::replica::{GrowingSegment, Replica};
use super::walk::Copy;
use super::{MediumProblem, OpenOptions, StoreError};
use repair::{finish_seal, make_equal, make_sealed};
use sure_walk::SureWalk;
use whole_read::read_to_end;

pub(super) use checkpoint::Checkpoint;
pub(super) use extent::newest_segment;

/// Bytes that were put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// The directory of the medium.
    pub directory: PathBuf,
    /// The directory of the one that had them.
    pub from: PathBuf,
    /// How many.
    pub bytes: u64,
}

/// What opening found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Bytes after the last commit mark that were cut off: they were never acknowledged.
    pub bytes_cut: u64,
    /// Bytes after the last commit mark that were kept after a power cut: they may have been acknowledged.
    pub bytes_kept: u64,
    /// Bytes that were put right on a replica from another one.
    pub bytes_repaired: u64,
    /// The same by medium: how many on which one, and from which one.
    pub repaired: Vec<Repaired>,
    /// Places before a commit mark that are damaged on every replica: restore the segment from another copy.
    pub damaged: Vec<FrameAddress>,
    /// Segment files that are absent, of another size, or not sealed as others are, on this replica: a scrub restores them.
    pub incomplete: Vec<(PathBuf, u32)>,
    /// Directories in which no medium is mounted. A reader goes on without them, a writer where enough copies remain.
    pub absent: Vec<PathBuf>,
    /// Media that are not used, and why.
    pub media: Vec<MediumProblem>,
}

impl RecoveryReport {
    fn note_incomplete(&mut self, replica: &Replica, segment: u32) {
        let place = (replica.directory.clone(), segment);
        if !self.incomplete.contains(&place) {
            self.incomplete.push(place);
        }
    }
}

/// The end of the archive, ready to be appended to.
#[derive(Debug)]
pub(super) struct Tail {
    /// The growing segment on each replica.
    pub(super) growing: Vec<GrowingSegment>,
    /// Its length, and the end of what is committed.
    pub(super) end: FrameAddress,
    /// Digest over its bytes so far.
    pub(super) digest: Sha256,
    /// Its index so far.
    pub(super) index: SegmentIndex,
}

/// Puts the end of the archive right on all replicas, and opens it for growing.
///
/// `newest` is the last segment, as [`newest_segment`] says; `complete` that every medium that was in service takes part.
pub(super) fn recover(
    replicas: &[Arc<Replica>],
    archive: ArchiveId,
    options: &OpenOptions,
    newest: Option<u32>,
    complete: bool,
) -> Result<(Tail, RecoveryReport), StoreError> {
    let mut report = RecoveryReport::default();
    for replica in replicas {
        remove_leftovers(replica)?;
    }
    let Some(newest) = newest else {
        return begin(replicas, archive, options, 1).map(|tail| (tail, report));
    };
    if newest > 1 {
        finish_seal(replicas, newest - 1, &mut report)?;
    }
    note_incomplete(replicas, newest, &mut report)?;
    let replicas = authority::in_order(replicas, newest)?;
    let tail = recover_segment(&replicas, archive, options, newest, complete, &mut report)?;
    Ok((tail, report))
}

/// The header frame of a segment.
pub(super) fn header_bytes(
    archive: ArchiveId,
    segment: u32,
    options: &OpenOptions,
) -> Result<Vec<u8>, StoreError> {
    let header = SegmentHeader {
        archive,
        segment,
        created_at: options.clock.now(),
        boot: options.boot_id,
        compacted: false,
    };
    Ok(Frame::SegmentHeader(header).encode()?.into_bytes())
}

/// Begins a segment on all replicas. A file without a valid header may stand in its place: see [`recover_segment`].
fn begin(
    replicas: &[Arc<Replica>],
    archive: ArchiveId,
    options: &OpenOptions,
    segment: u32,
) -> Result<Tail, StoreError> {
    let header = header_bytes(archive, segment, options)?;
    let mut growing = Vec::new();
    for replica in replicas {
        let file = replica.grow(segment, replica.open(segment)?.is_none())?;
        file.cut(0)?;
        file.write(std::slice::from_ref(&header), 0)?;
        file.sync()?;
        growing.push(file);
    }
    let mut index = SegmentIndex::default();
    index.add(IndexEntry {
        frame_type: FrameType::SegmentHeader,
        offset: 0,
        body_bytes: FrameHeader::parse(&header)?.body_bytes,
    })?;
    Ok(Tail {
        growing,
        end: FrameAddress::new(segment, header.len() as u64),
        digest: Sha256::new_with_prefix(&header),
        index,
    })
}

fn recover_segment(
    replicas: &[Arc<Replica>],
    archive: ArchiveId,
    options: &OpenOptions,
    segment: u32,
    complete: bool,
    report: &mut RecoveryReport,
) -> Result<Tail, StoreError> {
    let mut copies = copies(replicas, segment)?;
    authority::require_one_history(replicas, &mut copies, segment)?;
    authority::trust(replicas, &mut copies, segment)?;
    let lengths: Vec<u64> = copies
        .iter()
        .map(|copy| copy.as_ref().map_or(0, Copy::file_length))
        .collect();
    let mut walk = SureWalk::new(replicas, segment, copies);
    if walk
        .copies()
        .iter()
        .flatten()
        .any(|copy| copy.generation() > 0)
    {
        // Only sealed segments are compacted: those behind it are gone.
        return begin(replicas, archive, options, segment + 1);
    }
    let Some(header) = own_header(&mut walk, archive, segment)? else {
        let nothing_but_a_torn_header = lengths
            .iter()
            .all(|&length| length <= SegmentHeader::FRAME_BYTES as u64);
        if nothing_but_a_torn_header {
            report.bytes_cut += lengths.iter().sum::<u64>();
            return begin(replicas, archive, options, segment);
        }
        return Err(StoreError::SegmentDamaged { segment });
    };
    let start = replicas
        .iter()
        .find_map(|replica| Checkpoint::read(replica, archive, segment, walk.copies()));
    let read = read_to_end(&mut walk, segment, header, start, report)?;
    let marked_end = read.marked.end;
    let mark_damaged = read.mark_damaged;
    let same_boot = complete && read.boot == options.boot_id;
    if mark_damaged && same_boot {
        // After a power cut it is an ordinary torn write.
        report.damaged.push(FrameAddress::new(segment, marked_end));
    }
    let repairs = read.repairs.clone();
    let (kept, sealed) = read.decide(same_boot)?;
    let longest = lengths.iter().copied().max().unwrap_or(0);
    report.bytes_cut += longest.saturating_sub(kept.end);
    report.bytes_kept += kept.end - marked_end;
    if sealed {
        make_sealed(replicas, &mut walk, segment, kept.end, &repairs, report)?;
        return begin(replicas, archive, options, segment + 1);
    }
    let growing = make_equal(replicas, &mut walk, segment, kept.end, &repairs, report)?;
    let mut tail = Tail {
        growing,
        end: FrameAddress::new(segment, kept.end),
        digest: kept.digest,
        index: kept.index,
    };
    if kept.end > marked_end || mark_damaged {
        mark(&mut tail, options)?;
    }
    Ok(tail)
}

/// Writes a commit mark at the end: what stands before was synchronised by [`make_equal`].
fn mark(tail: &mut Tail, options: &OpenOptions) -> Result<(), StoreError> {
    let mark = CommitMark {
        address: tail.end,
        replicas: u8::try_from(tail.growing.len()).unwrap_or(u8::MAX),
        boot: options.boot_id,
        time: options.clock.now(),
    };
    let bytes = Frame::CommitMark(mark).encode()?.into_bytes();
    tail.digest.update(&bytes);
    tail.index.add(IndexEntry {
        frame_type: FrameType::CommitMark,
        offset: tail.end.offset,
        body_bytes: FrameHeader::parse(&bytes)?.body_bytes,
    })?;
    let length = bytes.len() as u64;
    for file in &tail.growing {
        file.write(std::slice::from_ref(&bytes), tail.end.offset)?;
        file.sync()?;
    }
    tail.end.offset += length;
    Ok(())
}

/// The header of the segment, when a copy has one that is right.
fn own_header(
    walk: &mut SureWalk<'_>,
    archive: ArchiveId,
    segment: u32,
) -> Result<Option<SegmentHeader>, StoreError> {
    for source in 0..walk.copies().len() {
        let bytes = walk.bytes(source, 0, SegmentHeader::FRAME_BYTES)?;
        if let Ok(Frame::SegmentHeader(header)) = Frame::parse(bytes) {
            if header.archive != archive || header.segment != segment {
                return Err(StoreError::SegmentDamaged { segment });
            }
            return Ok(Some(header));
        }
    }
    Ok(None)
}

/// The seal at the end of a copy; none where there is none.
///
/// # Errors
/// Those of reading: a seal that cannot be read is not absent.
pub(super) fn seal(replica: &Replica, segment: u32) -> Result<Option<SegmentSeal>, StoreError> {
    let Some(file) = replica.open(segment)? else {
        return Ok(None);
    };
    let path = replica.path(segment);
    let seal = Copy::new(file).and_then(|mut copy| copy.seal());
    seal.map_err(|error| replica.error("reading", &path, error))
}

fn note_incomplete(
    replicas: &[Arc<Replica>],
    newest: u32,
    report: &mut RecoveryReport,
) -> Result<(), StoreError> {
    let mut all = Vec::new();
    for replica in replicas {
        all.push(replica.segments()?);
    }
    for segment in 1..newest {
        let length = |list: &Vec<(u32, u64)>| {
            list.binary_search_by_key(&segment, |(number, _)| *number)
                .ok()
                .and_then(|place| list.get(place))
                .map_or(0, |(_, length)| *length)
        };
        let longest = all.iter().map(length).max().unwrap_or(0);
        for (replica, list) in replicas.iter().zip(&all) {
            let shorter = length(list) < longest && !is_compacted(replica, segment)?;
            if shorter || longest == 0 {
                report.note_incomplete(replica, segment);
            }
        }
    }
    Ok(())
}

/// Whether a shorter copy is so because it was compacted. A copy that is behind is whole.
fn is_compacted(replica: &Replica, segment: u32) -> Result<bool, StoreError> {
    let Some(file) = replica.open(segment)? else {
        return Ok(false);
    };
    let copy = Copy::new(file);
    Ok(copy.is_ok_and(|mut copy| copy.generation() > 0 && matches!(copy.seal(), Ok(Some(_)))))
}

fn copies(replicas: &[Arc<Replica>], segment: u32) -> Result<Vec<Option<Copy>>, StoreError> {
    let mut copies = Vec::new();
    for replica in replicas {
        let copy = match replica.open(segment)? {
            Some(file) => Some(
                Copy::new(file)
                    .map_err(|error| replica.error("reading", &replica.path(segment), error))?,
            ),
            None => None,
        };
        copies.push(copy);
    }
    Ok(copies)
}

/// Bytes copied at once.
const PIECE_BYTES: usize = 1024 * 1024;
