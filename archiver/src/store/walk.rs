//! Reading a segment from its start to its end, taking each frame from whichever copy has it whole.

mod history;
mod marks;
mod skipping;

use std::fs::File;
use std::io;
use std::sync::Arc;

use formats::error::{ErrorKind, FormatError};
use formats::segment::{
    CompactionMap, FRAME_HEADER_BYTES, Frame, FrameAddress, FrameHeader, FrameType, Located,
    RunTable, SegmentIndex, SegmentSeal,
};

use super::segment_file::{SegmentFile, read_at};

pub(super) use history::Committed;

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
    /// The first failure to read without which the last step might have been another one.
    unread: Option<Unread>,
}

/// A copy that could not be read where it counted. What stands there is not known: least of all that nothing does.
#[derive(Debug)]
pub(super) struct Unread {
    /// Number of the copy.
    pub(super) copy: usize,
    /// What the system said.
    pub(super) error: io::Error,
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
        let frame = Frame::parse(self.window(place, bytes, bytes)?);
        Ok(match frame {
            Ok(Frame::SegmentSeal(seal)) if seal.length == place => Some(seal),
            _ => None,
        })
    }

    /// The index of a sealed segment.
    pub(super) fn index(&mut self) -> Option<SegmentIndex> {
        let place = self.seal().ok()??.index_offset;
        let count = FRAME_HEADER_BYTES;
        let header = FrameHeader::parse(self.window(place, count, count).ok()?).ok()?;
        let count = header.frame_bytes();
        match Frame::parse(self.window(place, count, count).ok()?) {
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

    /// The bytes from `offset` on, `count` of them or as many as the file has.
    pub(super) fn bytes(&mut self, offset: u64, count: usize) -> io::Result<&[u8]> {
        self.bytes_or_part(offset, count, count)
    }

    /// The same, or fewer where not all can be read; a failure within the first `needed` ones is an error.
    fn bytes_or_part(&mut self, offset: u64, needed: usize, count: usize) -> io::Result<&[u8]> {
        let Some((place, left)) = self.place(offset) else {
            return Ok(&[]);
        };
        let count = usize::try_from(left).map_or(count, |left| left.min(count));
        self.window(place, needed, count)
    }

    /// Where an offset is in the file, and how many bytes stand together from there on. `None`: it is not there.
    fn place(&self, offset: u64) -> Option<(u64, u64)> {
        match self.file.locate(offset) {
            _ if self.raw => Some((offset, u64::MAX)),
            Some(Located::Kept { place, left }) => Some((place, left)),
            Some(Located::Dropped { .. }) | None => None,
        }
    }

    /// The bytes at a place of the file; at least `needed`, if it has so many.
    fn window(&mut self, offset: u64, needed: usize, count: usize) -> io::Result<&[u8]> {
        let left = self.file_bytes.saturating_sub(offset);
        let count = usize::try_from(left).map_or(count, |left| left.min(count));
        let held = offset
            .checked_sub(self.window_start)
            .and_then(|start| usize::try_from(start).ok())
            .filter(|start| start.saturating_add(count) <= self.window.len());
        let start = match held {
            Some(start) => start,
            None => {
                self.fill(offset, needed, count.max(self.window_bytes))?;
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

    /// Reads up to `count` bytes. A failure behind the first `needed` ones is none: who needs those bytes meets it again.
    fn fill(&mut self, offset: u64, needed: usize, count: usize) -> io::Result<()> {
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
            match read_at(self.file.file(), rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) if filled >= needed => break,
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
            unread: None,
        }
    }

    /// What stands next, for a reader: what cannot be read counts as damaged. At the end the same is answered again.
    pub(super) fn step(&mut self) -> Step {
        self.unread = None;
        self.next(false)
    }

    /// What stands next, for somebody who goes by it in writing.
    ///
    /// # Errors
    /// [`Unread`] where a copy that cannot be read might have had a frame or a commit mark, and no other copy has it.
    pub(super) fn step_surely(&mut self) -> Result<Step, Unread> {
        self.unread = None;
        let step = self.next(true);
        self.unread.take().map_or(Ok(step), Err)
    }

    /// Whether the last step might have been another one if every copy could have been read.
    pub(super) const fn was_unread(&self) -> bool {
        self.unread.is_some()
    }

    fn next(&mut self, surely: bool) -> Step {
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
        while end < mark && !(surely && self.was_unread()) {
            end = self.behind_dropped(end);
            if let Some(behind) = self.behind_unreadable(end).filter(|_| !surely) {
                end = behind;
                continue;
            }
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

    /// Bytes of one copy; none where there is no such copy.
    pub(super) fn bytes(&mut self, source: usize, offset: u64, count: usize) -> io::Result<&[u8]> {
        match self.copies.get_mut(source) {
            Some(Some(copy)) => copy.bytes(offset, count),
            _ => Ok(&[]),
        }
    }

    /// The frame of a step, parsed.
    pub(super) fn parse(
        &mut self,
        source: usize,
        offset: u64,
        header: &FrameHeader,
    ) -> Result<Frame, FormatError> {
        let bytes = self.bytes(source, offset, header.frame_bytes());
        Frame::parse(bytes.unwrap_or_default())
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
        let mut unread = None;
        for (source, copy) in self.copies.iter_mut().enumerate() {
            let Some(copy) = copy else { continue };
            match copy.frame(offset) {
                Ok(Ok(header))
                    if (header.frame_type == FrameType::SegmentHeader) == (offset == 0) =>
                {
                    return Some((header, source));
                }
                Ok(_) => {}
                Err(error) => unread = unread.or(Some((source, error))),
            }
        }
        if let Some((source, error)) = unread {
            self.note(source, error);
        }
        None
    }

    /// Whether a commit mark stood here. A process that dies in the middle of a write leaves less of a frame, never another one.
    fn was_mark(&mut self, offset: u64) -> bool {
        let own = FrameAddress::new(self.segment, offset);
        let answers = self.each(|copy| copy.was_mark(own));
        answers.contains(&true)
    }

    /// What each copy answers that can be read; of the others is noted that they could not.
    fn each<T>(&mut self, mut ask: impl FnMut(&mut Copy) -> io::Result<T>) -> Vec<T> {
        let mut answers = Vec::new();
        let mut failures = Vec::new();
        for (source, copy) in self.copies.iter_mut().enumerate() {
            match copy.as_mut().map(&mut ask) {
                Some(Ok(answer)) => answers.push(answer),
                Some(Err(error)) => failures.push((source, error)),
                None => {}
            }
        }
        for (source, error) in failures {
            self.note(source, error);
        }
        answers
    }

    fn note(&mut self, copy: usize, error: io::Error) {
        self.unread.get_or_insert(Unread { copy, error });
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
