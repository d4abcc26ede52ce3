//! Are the stored bytes the ones that were written? No key is needed to tell.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;

use formats::id::{ArchiveId, RecordId, VersionId};
use formats::segment::{
    FRAME_HEADER_BYTES, Frame, FrameAddress, FrameHeader, FrameType, SegmentHeader, SegmentSeal,
};
use sha2::{Digest, Sha256};

use super::reader::Reader;
use super::walk::Copy;

/// What was found in one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentFixity {
    /// Number of the segment.
    pub segment: u32,
    /// Each replica's copy.
    pub replicas: Vec<ReplicaFixity>,
}

/// What was found in one copy of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaFixity {
    /// The medium's directory.
    pub directory: PathBuf,
    /// Whether the copy ends with a seal.
    pub sealed: bool,
    /// How often the copy was compacted. A copy with less than the others is whole, and behind.
    pub generation: u32,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong. Empty: nothing.
    pub problems: Vec<FixityProblem>,
}

/// Something wrong in a copy of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixityProblem {
    /// Where in the segment: in one that was compacted, where it stood before.
    pub offset: u64,
    /// What.
    pub kind: FixityProblemKind,
    /// Whose frame it is, as far as the damaged bytes or another replica tell.
    pub version: Option<VersionId>,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FixityProblemKind {
    /// The file is not there.
    Missing,
    /// The file cannot be read.
    Unreadable,
    /// The first frame is not the header of this segment of this archive.
    Header,
    /// A frame does not match its checksum, or is malformed.
    Frame,
    /// The frames end before the file does, without a seal.
    Tail,
    /// The stored bytes do not match the digest in the seal.
    Digest,
    /// Bytes follow the seal.
    AfterSeal,
    /// A segment that must be sealed is not.
    NotSealed,
    /// The copies are whole, but not the same.
    Differs,
    /// A frame matches its checksum, but is not what was sealed: found with the keys.
    Forged,
}

impl FixityProblemKind {
    /// Its name for machines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Header => "header",
            Self::Frame => "frame",
            Self::Tail => "tail",
            Self::Digest => "digest",
            Self::AfterSeal => "after-seal",
            Self::NotSealed => "not-sealed",
            Self::Differs => "differs",
            Self::Forged => "forged",
        }
    }
}

impl SegmentFixity {
    /// Whether every copy is whole.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.replicas.iter().all(|copy| copy.problems.is_empty())
    }
}

/// Reads every copy of a segment whole.
pub(super) fn verify_segment(
    reader: &Reader,
    archive: ArchiveId,
    segment: u32,
    newest: bool,
) -> SegmentFixity {
    let mut copies = reader.copies(segment);
    let mut own = reader.raw_copies(segment);
    let checked = check_copies(&mut own, &mut copies, archive, segment, newest);
    let replicas = reader
        .replicas
        .iter()
        .zip(checked)
        .map(|(replica, copy)| ReplicaFixity {
            directory: replica.directory.clone(),
            sealed: copy.seal.is_some(),
            generation: copy.generation,
            bytes: copy.bytes,
            problems: copy.problems,
        })
        .collect();
    SegmentFixity { segment, replicas }
}

/// What one reading of a copy told.
#[derive(Debug, Clone, Default)]
pub(super) struct CheckedCopy {
    /// Length of the file.
    pub(super) bytes: u64,
    /// How often the copy was compacted.
    pub(super) generation: u32,
    /// The seal at its end.
    pub(super) seal: Option<SegmentSeal>,
    /// The end of what is committed: behind the last commit mark, or the seal.
    pub(super) committed: u64,
    /// What is wrong. Empty: nothing.
    pub(super) problems: Vec<FixityProblem>,
    /// Of the last commit marks: where each ends, and the digest of all before. Copies of a growing segment are compared by them.
    marks: VecDeque<(u64, [u8; 32])>,
}

/// Reads every copy of a segment once, from its start to its end, and compares them. `own` are the copies as their files are; `copies`, by
/// original addresses, help to say whose damaged frames are.
pub(super) fn check_copies(
    own: &mut [Option<Copy>],
    copies: &mut [Option<Copy>],
    archive: ArchiveId,
    segment: u32,
    newest: bool,
) -> Vec<CheckedCopy> {
    let mut results = Vec::new();
    for copy in own {
        let generation = copy.as_ref().map_or(0, Copy::generation);
        let check = CopyCheck {
            archive,
            segment,
            newest,
            own: copy.as_mut(),
            copies: &mut *copies,
            digest: Sha256::new(),
            mark_damaged: false,
            checked: CheckedCopy {
                generation,
                ..CheckedCopy::default()
            },
        };
        results.push(check.run());
    }
    compare(&mut results);
    results
}

/// Copies of one generation that are whole by themselves must be the same: those that are not like the first one differ. Copies of
/// different generations are different, and right.
fn compare(results: &mut [CheckedCopy]) {
    let mut first: HashMap<u32, CheckedCopy> = HashMap::new();
    for copy in results.iter_mut().filter(|copy| copy.problems.is_empty()) {
        let first = first.entry(copy.generation).or_insert_with(|| copy.clone());
        if !first.is_like(copy) {
            copy.problems.push(FixityProblem {
                offset: 0,
                kind: FixityProblemKind::Differs,
                version: None,
            });
        }
    }
}

impl CheckedCopy {
    /// The digest in its seal.
    pub(super) fn digest(&self) -> Option<[u8; 32]> {
        self.seal.map(|seal| seal.digest)
    }

    /// Whether two copies tell the same, as far as both go.
    fn is_like(&self, other: &Self) -> bool {
        if let (Some(one), Some(two)) = (&self.seal, &other.seal) {
            return one.digest == two.digest;
        }
        let mut common = self.marks.iter().rev().filter_map(|(end, digest)| {
            let same = other.marks.iter().find(|(at, _)| at == end);
            same.map(|(_, theirs)| theirs == digest)
        });
        common.next().unwrap_or(true)
    }
}

/// The check of one copy. The others help to say whose damaged frame it is.
struct CopyCheck<'a> {
    archive: ArchiveId,
    segment: u32,
    newest: bool,
    /// The copy as its file is.
    own: Option<&'a mut Copy>,
    copies: &'a mut [Option<Copy>],
    digest: Sha256,
    mark_damaged: bool,
    checked: CheckedCopy,
}

impl CopyCheck<'_> {
    /// Reads the copy.
    fn run(mut self) -> CheckedCopy {
        let Some(length) = self.copy().map(|copy| copy.length()) else {
            self.problem(0, FixityProblemKind::Missing);
            return self.checked;
        };
        self.checked.bytes = length;
        self.check_header();
        let mut offset = 0;
        while offset < length && self.checked.seal.is_none() {
            match self.check_frame(offset) {
                Some(next) => offset = next,
                None => break,
            }
        }
        if self.checked.seal.is_some() {
            self.checked.committed = offset;
            if offset < length {
                self.problem(offset, FixityProblemKind::AfterSeal);
            }
        } else if !self.newest {
            self.problem(offset, FixityProblemKind::NotSealed);
        } else if !self.mark_damaged {
            // What stands behind the last commit mark was never acknowledged, or is being written now.
            let committed = self.checked.committed;
            self.checked.problems.retain(|problem| {
                problem.kind != FixityProblemKind::Frame || problem.offset < committed
            });
        }
        self.checked
    }

    fn check_header(&mut self) {
        let (archive, segment) = (self.archive, self.segment);
        let bytes = self.bytes(0, SegmentHeader::FRAME_BYTES);
        let right = matches!(
            Frame::parse(&bytes),
            Ok(Frame::SegmentHeader(header))
                if header.archive == archive && header.segment == segment
        );
        if !right {
            self.problem(0, FixityProblemKind::Header);
        }
    }

    /// Checks what stands at `offset` and answers where the next frame stands. `None`: nothing more can be read.
    fn check_frame(&mut self, offset: u64) -> Option<u64> {
        let header = match self.copy()?.frame(offset) {
            Ok(header) => header.ok(),
            Err(_) => {
                self.problem(offset, FixityProblemKind::Unreadable);
                return None;
            }
        };
        let Some(header) = header else {
            return self.step_over(offset);
        };
        let here = FrameAddress::new(self.segment, self.original(offset));
        // The frame was just read, so its bytes are at hand: they are looked at where they are.
        let own = self.own.as_deref_mut();
        let Some(Ok(bytes)) = own.map(|copy| copy.bytes(offset, header.frame_bytes())) else {
            self.problem(offset, FixityProblemKind::Unreadable);
            return None;
        };
        let parsed = Frame::parse(bytes);
        if let Ok(Frame::SegmentSeal(seal)) = parsed {
            self.check_seal(offset, seal);
            return Some(offset + header.frame_bytes() as u64);
        }
        let (mark, damaged) = match parsed {
            Ok(Frame::CommitMark(mark)) => (Some(mark.address == here), false),
            Ok(_) => (None, false),
            Err(_) => (None, true),
        };
        self.digest.update(bytes);
        let end = offset + header.frame_bytes() as u64;
        match mark {
            Some(own) => self.check_mark(offset, end, own),
            None if damaged => self.problem(offset, FixityProblemKind::Frame),
            None => {}
        }
        Some(end)
    }

    /// A commit mark names its own place: one that names another was misdirected.
    fn check_mark(&mut self, offset: u64, end: u64, own: bool) {
        if !own {
            self.problem(offset, FixityProblemKind::Frame);
            return;
        }
        self.checked.committed = end;
        if self.newest {
            if self.checked.marks.len() >= MARKS_KEPT {
                self.checked.marks.pop_front();
            }
            let digest = self.digest.clone().finalize().into();
            self.checked.marks.push_back((end, digest));
        }
    }

    fn check_seal(&mut self, offset: u64, seal: SegmentSeal) {
        let digest: [u8; 32] = self.digest.clone().finalize().into();
        let own = self.own.as_deref();
        let index = own.and_then(Copy::index_place);
        let index_is_there = index.is_none_or(|place| place == seal.index_offset);
        if seal.length != offset || seal.digest != digest || !index_is_there {
            self.problem(0, FixityProblemKind::Digest);
        }
        self.checked.seal = Some(seal);
    }

    /// Steps over damaged bytes: to the next whole frame in this copy.
    fn step_over(&mut self, offset: u64) -> Option<u64> {
        let length = self.copy()?.length();
        let next = (offset + 1..length).find(|&candidate| {
            matches!(
                self.copy().map(|copy| copy.frame(candidate)),
                Some(Ok(Ok(_)))
            )
        });
        match next {
            // In the segment that grows, the end may hold what was never committed.
            None if self.newest && !self.was_mark(offset) => return None,
            None => {
                self.mark_damaged = true;
                self.problem(offset, FixityProblemKind::Tail);
            }
            Some(_) => self.problem(offset, FixityProblemKind::Frame),
        }
        let next = next?;
        let mut at = offset;
        while at < next {
            let count = usize::try_from(next - at)
                .unwrap_or(usize::MAX)
                .min(1 << 20);
            let bytes = self.bytes(at, count);
            if bytes.is_empty() {
                return None;
            }
            self.digest.update(&bytes);
            at += bytes.len() as u64;
        }
        Some(next)
    }

    fn was_mark(&mut self, offset: u64) -> bool {
        let own = FrameAddress::new(self.segment, offset);
        // One that cannot be read is named.
        self.copy()
            .is_some_and(|copy| copy.was_mark(own).unwrap_or(true))
    }

    fn problem(&mut self, offset: u64, kind: FixityProblemKind) {
        let of_a_frame = matches!(kind, FixityProblemKind::Frame | FixityProblemKind::Tail);
        let version = if of_a_frame { self.owner(offset) } else { None };
        let offset = self.original(offset);
        if self.checked.problems.len() < PROBLEMS_MAX {
            self.checked.problems.push(FixityProblem {
                offset,
                kind,
                version,
            });
        }
    }

    /// The address of what stands at a place of the file.
    fn original(&self, place: u64) -> u64 {
        let own = self.own.as_deref();
        own.map_or(place, |own| own.original(place))
    }

    /// Whose frame stands at `offset`: as another copy tells, if it has it whole; else as the damaged bytes say.
    fn owner(&mut self, offset: u64) -> Option<VersionId> {
        let address = self.original(offset);
        for copy in self.copies.iter_mut().flatten() {
            if let Ok(Ok(header)) = copy.frame(address) {
                let bytes = copy.bytes(address, OWNER_BYTES).ok()?;
                return owner_in(header.frame_type, bytes);
            }
        }
        let bytes = self.bytes(offset, OWNER_BYTES);
        let header = FrameHeader::parse(&bytes).ok()?;
        owner_in(header.frame_type, &bytes)
    }

    const fn copy(&mut self) -> Option<&mut Copy> {
        match &mut self.own {
            Some(own) => Some(own),
            None => None,
        }
    }

    fn bytes(&mut self, offset: u64, count: usize) -> Vec<u8> {
        match self.copy().map(|copy| copy.bytes(offset, count)) {
            Some(Ok(bytes)) => bytes.to_vec(),
            _ => Vec::new(),
        }
    }
}

/// Content chunks and record versions begin with record id and version.
pub(super) fn owner_in(frame_type: FrameType, frame: &[u8]) -> Option<VersionId> {
    if !matches!(
        frame_type,
        FrameType::ContentChunk | FrameType::RecordVersion
    ) {
        return None;
    }
    let (record, rest) = frame.get(FRAME_HEADER_BYTES..)?.split_first_chunk::<16>()?;
    let (version, _) = rest.split_first_chunk::<4>()?;
    VersionId::new(RecordId::from_bytes(*record), u32::from_be_bytes(*version))
}

/// Bytes of a frame up to the end of record id and version.
const OWNER_BYTES: usize = FRAME_HEADER_BYTES + 20;

/// Commit marks whose digests are kept: replicas that are being written to are at most a few marks apart.
const MARKS_KEPT: usize = 64;

/// Most problems listed for one copy: a wrong medium would give one per frame.
const PROBLEMS_MAX: usize = 1000;
