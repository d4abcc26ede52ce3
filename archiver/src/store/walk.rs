//! Reading a segment from its start to its end, taking each frame from whichever copy has it whole.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use formats::error::{ErrorKind, FormatError};
use formats::segment::{
    CommitMark, CompactionMap, FRAME_HEADER_BYTES, Frame, FrameAddress, FrameHeader, FrameType,
    Located, RunTable, SegmentIndex, SegmentSeal,
};

use super::segment_file::SegmentFile;

/// One copy of a segment, read through a window. Offsets are those of the original segment, whether it was compacted or not.
#[derive(Debug)]
pub(super) struct Copy {
    file: Arc<SegmentFile>,
    /// Whether offsets are taken as places in the file.
    raw: bool,
    /// Bytes of the file that count.
    file_bytes: u64,
    length: u64,
    /// Bytes that the file has.
    file_length: u64,
    window: Vec<u8>,
    window_start: u64,
    window_bytes: usize,
    gate: Option<Gate>,
}

/// Asked before each reading from a medium, with the number of bytes: a scrub waits here for its pace.
#[derive(Clone)]
pub(super) struct Gate(pub(super) Arc<dyn Fn(u64) + Send + Sync>);

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

/// All copies of a segment.
#[derive(Debug)]
pub(super) struct SegmentWalk {
    segment: u32,
    copies: Vec<Option<Copy>>,
    offset: u64,
}

/// What stands at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A whole frame, in this copy.
    Frame {
        offset: u64,
        header: FrameHeader,
        source: usize,
    },
    /// Bytes that are damaged in every copy, with a commit mark behind them.
    Gap { offset: u64, end: u64 },
    /// A commit mark that is damaged in every copy: what stands before is committed. Nothing whole and committed follows.
    DamagedMark { offset: u64 },
    /// Nothing that was ever committed.
    End { offset: u64 },
}

impl Copy {
    pub(super) fn new(file: File) -> io::Result<Self> {
        Self::of(Arc::new(SegmentFile::new(file)?))
    }

    pub(super) fn of(file: Arc<SegmentFile>) -> io::Result<Self> {
        let file_bytes = file.file().metadata()?.len();
        let length = file.table().map_or(file_bytes, |table| {
            file_bytes.saturating_sub(table.index_place()) + table.original_index_offset()
        });
        Ok(Self {
            file,
            raw: false,
            file_bytes,
            length,
            file_length: length,
            window: Vec::new(),
            window_start: 0,
            window_bytes: WINDOW_BYTES,
            gate: None,
        })
    }

    /// The copy with a window of another size.
    pub(super) fn with_window(self, window_bytes: usize) -> Self {
        Self {
            window_bytes,
            ..self
        }
    }

    /// The copy as its file is, read from the medium, not from the page cache, as far as the system lets go of it; and at the pace of
    /// `gate`.
    pub(super) fn from_medium(file: Arc<SegmentFile>, gate: Option<Gate>) -> io::Result<Self> {
        // Without it the reading is the same, only of what the cache holds.
        rustix::fs::fadvise(file.file(), 0, None, rustix::fs::Advice::DontNeed).ok();
        Ok(Self {
            gate,
            ..Self::raw(file)?
        })
    }

    /// Whether the segment was compacted in this copy, and nobody knows how.
    pub(super) fn is_map_lost(&self) -> bool {
        self.file.locate(0).is_none()
    }

    /// The copy as its file is: offsets are places in the file.
    pub(super) fn raw(file: Arc<SegmentFile>) -> io::Result<Self> {
        let copy = Self::of(file)?;
        Ok(Self {
            raw: true,
            length: copy.file_bytes,
            ..copy
        })
    }

    /// The map of a compacted segment.
    pub(super) fn map(&self) -> Option<CompactionMap> {
        self.file.map().ok().flatten()
    }

    /// How often the segment was compacted in this copy.
    pub(super) fn generation(&self) -> u32 {
        self.file.table().map_or(0, |table| table.generation())
    }

    /// Where the map of a compacted segment says that its index stands in the file.
    pub(super) fn index_place(&self) -> Option<u64> {
        self.file.table().map(RunTable::index_place)
    }

    /// The original offset of a place in the file; the place itself inside of the map.
    pub(super) fn original(&self, place: u64) -> u64 {
        let address = self.file.table().and_then(|table| table.original(place));
        address.map_or(place, |address| address.offset)
    }

    /// If nothing is at `offset` because it was dropped: up to where.
    pub(super) fn dropped_until(&self, offset: u64) -> Option<u64> {
        match self.file.locate(offset) {
            Some(Located::Dropped { until }) if !self.raw => Some(until),
            _ => None,
        }
    }

    /// The seal at the end of the file.
    pub(super) fn seal(&mut self) -> io::Result<Option<SegmentSeal>> {
        let bytes = SegmentSeal::FRAME_BYTES;
        let place = self.file_bytes.saturating_sub(bytes as u64);
        let frame = Frame::parse(self.window(place, bytes)?);
        Ok(match frame {
            Ok(Frame::SegmentSeal(seal)) if seal.length == place => Some(seal),
            _ => None,
        })
    }

    /// The index of a sealed segment.
    pub(super) fn index(&mut self) -> Option<SegmentIndex> {
        let place = self.seal().ok()??.index_offset;
        let header = FrameHeader::parse(self.window(place, FRAME_HEADER_BYTES).ok()?).ok()?;
        match Frame::parse(self.window(place, header.frame_bytes()).ok()?) {
            Ok(Frame::SegmentIndex(index)) => Some(index),
            _ => None,
        }
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of the file, whether they count or not.
    pub(super) const fn file_length(&self) -> u64 {
        self.file_length
    }

    /// Of a growing segment: what stands at `end` or behind it does not count.
    pub(super) fn end_at(&mut self, end: u64) {
        self.length = self.length.min(end);
        self.file_bytes = self.file_bytes.min(end);
        self.window.clear();
    }

    /// Where the last commit mark stands that begins before `end` and names its own place.
    pub(super) fn mark_before(&mut self, segment: u32, end: u64) -> Option<u64> {
        let mut end = end.min(self.length);
        while end > 0 {
            let start = end.saturating_sub(WINDOW_BYTES as u64);
            // A mark may reach over the end of this piece.
            let count = usize::try_from(end - start).ok()? + MARK_START.len() - 1;
            let window = self.bytes(start, count).ok()?.to_vec();
            let mut candidates = window
                .windows(MARK_START.len())
                .enumerate()
                .rev()
                .filter(|(_, bytes)| *bytes == MARK_START)
                .map(|(place, _)| start + place as u64)
                .filter(|&candidate| candidate < end);
            if let Some(found) = candidates.find(|&candidate| self.is_mark(segment, candidate)) {
                return Some(found);
            }
            end = start;
        }
        None
    }

    /// The bytes from `offset` on, `count` of them or as many as the file has.
    pub(super) fn bytes(&mut self, offset: u64, count: usize) -> io::Result<&[u8]> {
        let (place, left) = match self.file.locate(offset) {
            _ if self.raw => (offset, u64::MAX),
            Some(Located::Kept { place, left }) => (place, left),
            Some(Located::Dropped { .. }) | None => return Ok(&[]),
        };
        let count = usize::try_from(left).map_or(count, |left| left.min(count));
        self.window(place, count)
    }

    /// The bytes at a place of the file.
    fn window(&mut self, offset: u64, count: usize) -> io::Result<&[u8]> {
        let left = self.file_bytes.saturating_sub(offset);
        let count = usize::try_from(left).map_or(count, |left| left.min(count));
        let held = offset
            .checked_sub(self.window_start)
            .and_then(|start| usize::try_from(start).ok())
            .filter(|start| start.saturating_add(count) <= self.window.len());
        let start = match held {
            Some(start) => start,
            None => {
                self.fill(offset, count.max(self.window_bytes))?;
                0
            }
        };
        let end = start.saturating_add(count).min(self.window.len());
        Ok(self.window.get(start..end).unwrap_or_default())
    }

    /// The whole frame at `offset`: header and bytes.
    pub(super) fn frame(&mut self, offset: u64) -> io::Result<Result<FrameHeader, FormatError>> {
        let header = match FrameHeader::parse(self.bytes(offset, FRAME_HEADER_BYTES)?) {
            Ok(header) => header,
            Err(error) => return Ok(Err(error)),
        };
        let bytes = self.bytes(offset, header.frame_bytes())?;
        Ok(check(&header, bytes).map(|()| header))
    }

    fn fill(&mut self, offset: u64, count: usize) -> io::Result<()> {
        let left = self.file_bytes.saturating_sub(offset);
        let count = usize::try_from(left).map_or(count, |left| left.min(count));
        if let Some(Gate(gate)) = &self.gate {
            gate(count as u64);
        }
        self.window.resize(count, 0);
        self.window_start = offset;
        let mut filled = 0;
        while let Some(rest) = self
            .window
            .get_mut(filled..)
            .filter(|rest| !rest.is_empty())
        {
            match self.file.file().read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.window.clear();
                    return Err(error);
                }
            }
        }
        self.window.truncate(filled);
        Ok(())
    }
}

impl SegmentWalk {
    /// A walk over the copies from `offset` on, where a frame must start.
    pub(super) const fn new(segment: u32, copies: Vec<Option<Copy>>, offset: u64) -> Self {
        Self {
            segment,
            copies,
            offset,
        }
    }

    /// What stands next. At the end the same is answered again.
    pub(super) fn step(&mut self) -> Step {
        let offset = self.behind_dropped(self.offset);
        self.offset = offset;
        if let Some((header, source)) = self.frame_at(offset) {
            self.offset += header.frame_bytes() as u64;
            return Step::Frame {
                offset,
                header,
                source,
            };
        }
        let Some(mark) = self.mark_after(offset) else {
            return if self.was_mark(offset) {
                Step::DamagedMark { offset }
            } else {
                Step::End { offset }
            };
        };
        let mut end = offset + 1;
        while end < mark {
            end = self.behind_dropped(end);
            let whole = self
                .frame_at(end)
                .is_some_and(|(header, _)| end + header.frame_bytes() as u64 <= mark);
            if whole {
                break;
            }
            end += 1;
        }
        let end = end.min(mark);
        self.offset = end;
        Step::Gap { offset, end }
    }

    /// Goes on from `offset`, where a frame must start.
    pub(super) const fn go_to(&mut self, offset: u64) {
        self.offset = offset;
    }

    /// The copies.
    pub(super) fn copies(&mut self) -> &mut [Option<Copy>] {
        &mut self.copies
    }

    /// Bytes of one copy.
    pub(super) fn bytes(&mut self, source: usize, offset: u64, count: usize) -> &[u8] {
        match self.copies.get_mut(source) {
            Some(Some(copy)) => copy.bytes(offset, count).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The frame of a step, parsed.
    pub(super) fn parse(
        &mut self,
        source: usize,
        offset: u64,
        header: &FrameHeader,
    ) -> Result<Frame, FormatError> {
        Frame::parse(self.bytes(source, offset, header.frame_bytes()))
    }

    /// Where a frame may stand next: what one copy dropped is gone, though a copy that is behind may still have it.
    fn behind_dropped(&self, offset: u64) -> u64 {
        let mut offset = offset;
        let until = |offset| {
            let mut copies = self.copies.iter().flatten();
            copies.find_map(|copy| copy.dropped_until(offset))
        };
        while let Some(until) = until(offset) {
            offset = until;
        }
        offset
    }

    /// The first copy that has a whole frame here. Only offset 0 holds a segment header.
    fn frame_at(&mut self, offset: u64) -> Option<(FrameHeader, usize)> {
        for (source, copy) in self.copies.iter_mut().enumerate() {
            let Some(copy) = copy else { continue };
            if let Ok(Ok(header)) = copy.frame(offset)
                && (header.frame_type == FrameType::SegmentHeader) == (offset == 0)
            {
                return Some((header, source));
            }
        }
        None
    }

    /// Whether a commit mark stood here. A process that dies in the middle of a write leaves less of a frame, never another one.
    fn was_mark(&mut self, offset: u64) -> bool {
        let own = FrameAddress::new(self.segment, offset);
        let mut copies = self.copies.iter_mut().flatten();
        copies.any(|copy| copy.was_mark(own))
    }

    /// The first commit mark behind `offset`, in any copy, that names its own place.
    fn mark_after(&mut self, offset: u64) -> Option<u64> {
        let segment = self.segment;
        self.copies
            .iter_mut()
            .flatten()
            .filter_map(|copy| copy.mark_after(segment, offset))
            .min()
    }
}

impl Copy {
    /// Whether most of what is the same in every mark at this place stands here: its start and its address.
    pub(super) fn was_mark(&mut self, own: FrameAddress) -> bool {
        let Ok(bytes) = self.bytes(own.offset, CommitMark::FRAME_BYTES) else {
            return false;
        };
        let address = bytes.get(FRAME_HEADER_BYTES..).unwrap_or_default();
        let expected = own.segment.to_be_bytes().into_iter();
        let expected = expected.chain(own.offset.to_be_bytes());
        let same_address = address.iter().zip(expected).filter(|(a, b)| *a == b);
        let same_start = bytes.iter().zip(MARK_START).filter(|(a, b)| *a == b);
        bytes.len() == CommitMark::FRAME_BYTES && same_address.count() + same_start.count() >= 16
    }

    fn mark_after(&mut self, segment: u32, offset: u64) -> Option<u64> {
        let mut at = offset;
        while at < self.length {
            if let Some(until) = self.dropped_until(at) {
                at = until;
                continue;
            }
            let window = self.bytes(at, WINDOW_BYTES).ok()?.to_vec();
            let candidates = window
                .windows(MARK_START.len())
                .enumerate()
                .filter(|(_, bytes)| *bytes == MARK_START)
                .map(|(place, _)| at + place as u64);
            for candidate in candidates {
                if self.is_mark(segment, candidate) {
                    return Some(candidate);
                }
            }
            // Where the window is shorter, the file or a run of a compacted segment ends, and a mark is in one of them.
            let ended = window.len() < WINDOW_BYTES;
            let overlap = if ended { 0 } else { MARK_START.len() - 1 };
            at += window.len().saturating_sub(overlap).max(1) as u64;
        }
        None
    }

    fn is_mark(&mut self, segment: u32, offset: u64) -> bool {
        let own = FrameAddress::new(segment, offset);
        let bytes = self.bytes(offset, CommitMark::FRAME_BYTES);
        matches!(
            bytes.map(Frame::parse),
            Ok(Ok(Frame::CommitMark(mark))) if mark.address == own
        )
    }
}

fn check(header: &FrameHeader, bytes: &[u8]) -> Result<(), FormatError> {
    let body = bytes.get(FRAME_HEADER_BYTES..).unwrap_or_default();
    if bytes.len() < header.frame_bytes() {
        return Err(FormatError::new(ErrorKind::Truncated, "Frame").at(bytes.len()));
    }
    if !header.matches(body) {
        return Err(FormatError::new(ErrorKind::ChecksumMismatch, "Frame"));
    }
    Ok(())
}

/// Bytes read at once.
const WINDOW_BYTES: usize = 1024 * 1024;

/// The first eight bytes of each commit mark.
const MARK_START: [u8; 8] = [
    0,
    0,
    0,
    (CommitMark::FRAME_BYTES - FRAME_HEADER_BYTES) as u8,
    7,
    0,
    0,
    0,
];
