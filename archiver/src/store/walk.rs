//! Reading a segment from its start to its end, taking each frame from whichever copy has it whole.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use formats::error::{ErrorKind, FormatError};
use formats::segment::{
    CommitMark, FRAME_HEADER_BYTES, Frame, FrameAddress, FrameHeader, FrameType,
};

/// One copy of a segment, read through a window.
#[derive(Debug)]
pub(super) struct Copy {
    file: Arc<File>,
    length: u64,
    window: Vec<u8>,
    window_start: u64,
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
    pub(super) fn new(file: Arc<File>) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self {
            file,
            length,
            window: Vec::new(),
            window_start: 0,
        })
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// The bytes from `offset` on, `count` of them or as many as the file has.
    pub(super) fn bytes(&mut self, offset: u64, count: usize) -> io::Result<&[u8]> {
        let left = self.length.saturating_sub(offset);
        let count = usize::try_from(left).map_or(count, |left| left.min(count));
        let held = offset
            .checked_sub(self.window_start)
            .and_then(|start| usize::try_from(start).ok())
            .filter(|start| start.saturating_add(count) <= self.window.len());
        let start = match held {
            Some(start) => start,
            None => {
                self.fill(offset, count.max(WINDOW_BYTES))?;
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
        let left = self.length.saturating_sub(offset);
        let count = usize::try_from(left).map_or(count, |left| left.min(count));
        self.window.resize(count, 0);
        self.window_start = offset;
        let mut filled = 0;
        while let Some(rest) = self
            .window
            .get_mut(filled..)
            .filter(|rest| !rest.is_empty())
        {
            match self.file.read_at(rest, offset + filled as u64) {
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
        let offset = self.offset;
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
        let end = (offset + 1..mark)
            .find(|&candidate| {
                self.frame_at(candidate)
                    .is_some_and(|(header, _)| candidate + header.frame_bytes() as u64 <= mark)
            })
            .unwrap_or(mark);
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
            at += window.len().saturating_sub(MARK_START.len() - 1).max(1) as u64;
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
