//! Finding the commit marks of one copy, wherever they stand.

use std::io;

use formats::segment::{CommitMark, FRAME_HEADER_BYTES, Frame, FrameAddress};

use super::{Copy, WINDOW_BYTES};

impl Copy {
    /// Where the last commit mark stands that begins before `end` and names its own place.
    ///
    /// # Errors
    /// Those of reading, up to the mark: one that cannot be read is not absent.
    pub(in crate::store) fn mark_before(
        &mut self,
        segment: u32,
        end: u64,
    ) -> io::Result<Option<u64>> {
        let mut end = end.min(self.length);
        while end > 0 {
            let start = end.saturating_sub(WINDOW_BYTES as u64);
            let found = self.last_mark_within(segment, start, end)?;
            if found.is_some() {
                return Ok(found);
            }
            end = start;
        }
        Ok(None)
    }

    /// Where the last commit mark stands that begins between two places, not farther apart than a window, in whichever run of a compacted
    /// segment.
    fn last_mark_within(&mut self, segment: u32, start: u64, end: u64) -> io::Result<Option<u64>> {
        let (mut at, mut last) = (start, None);
        while at < end {
            if let Some(until) = self.dropped_until(at) {
                at = until;
                continue;
            }
            // A mark may reach over the end of this piece.
            let count = usize::try_from(end - at).unwrap_or(WINDOW_BYTES) + MARK_START.len() - 1;
            let piece = self.bytes(at, count)?.to_vec();
            for candidate in places(&piece).rev().map(|place| at + place) {
                if candidate < end && self.is_mark(segment, candidate)? {
                    last = Some(candidate);
                    break;
                }
            }
            at += piece.len().max(1) as u64;
        }
        Ok(last)
    }

    /// Where the first commit mark stands, at `offset` or behind it, that names its own place. What cannot be read is passed over, a page at a time;
    /// the first failure is left in `unread`: the mark may not be the first one then.
    pub(super) fn mark_after(
        &mut self,
        segment: u32,
        offset: u64,
        unread: &mut Option<io::Error>,
    ) -> Option<u64> {
        let mut at = offset;
        while at < self.length {
            if let Some(until) = self.dropped_until(at) {
                at = until;
                continue;
            }
            let window = match self.bytes_or_part(at, 1, WINDOW_BYTES) {
                Ok(window) => window.to_vec(),
                Err(error) => {
                    unread.get_or_insert(error);
                    at = self.behind_page(at);
                    continue;
                }
            };
            for candidate in places(&window).map(|place| at + place) {
                match self.is_mark(segment, candidate) {
                    Ok(true) => return Some(candidate),
                    Ok(false) => {}
                    Err(error) => {
                        unread.get_or_insert(error);
                    }
                }
            }
            // Where the window is shorter, the file ends, or a run of a compacted segment, or what can be read, and a mark is in one of them.
            let ended = window.len() < WINDOW_BYTES;
            let overlap = if ended { 0 } else { MARK_START.len() - 1 };
            at += window.len().saturating_sub(overlap).max(1) as u64;
        }
        None
    }

    /// Where the last commit mark stands, before `end`, that commits anything.
    ///
    /// A segment that is sealed gets a mark of its own, also where nothing was appended since the one before. A power loss may take it, and
    /// as no frame behind the one before was committed, the segment goes on there.
    ///
    /// # Errors
    /// As [`Copy::mark_before`].
    pub(in crate::store) fn commit_before(
        &mut self,
        segment: u32,
        mut end: u64,
    ) -> io::Result<Option<u64>> {
        while let Some(place) = self.mark_before(segment, end)? {
            if !self.commits_nothing(segment, place)? {
                return Ok(Some(place));
            }
            end = place;
        }
        Ok(None)
    }

    /// Whether another commit mark ends where the one at `offset` begins.
    pub(in crate::store) fn commits_nothing(
        &mut self,
        segment: u32,
        offset: u64,
    ) -> io::Result<bool> {
        match offset.checked_sub(CommitMark::FRAME_BYTES as u64) {
            Some(before) => self.is_mark(segment, before),
            None => Ok(false),
        }
    }

    /// Whether most of what is the same in every mark at this place stands here: its start and its address.
    pub(in crate::store) fn was_mark(&mut self, own: FrameAddress) -> io::Result<bool> {
        let bytes = self.bytes(own.offset, CommitMark::FRAME_BYTES)?;
        let address = bytes.get(FRAME_HEADER_BYTES..).unwrap_or_default();
        let expected = own.segment.to_be_bytes().into_iter();
        let expected = expected.chain(own.offset.to_be_bytes());
        let same_address = address.iter().zip(expected).filter(|(a, b)| *a == b);
        let same_start = bytes.iter().zip(MARK_START).filter(|(a, b)| *a == b);
        Ok(bytes.len() == CommitMark::FRAME_BYTES
            && same_address.count() + same_start.count() >= 16)
    }

    /// Whether a whole commit mark stands here that names its own place.
    pub(super) fn is_mark(&mut self, segment: u32, offset: u64) -> io::Result<bool> {
        let own = FrameAddress::new(segment, offset);
        let bytes = self.bytes(offset, CommitMark::FRAME_BYTES)?;
        Ok(matches!(Frame::parse(bytes), Ok(Frame::CommitMark(mark)) if mark.address == own))
    }
}

/// Where in these bytes the start of a commit mark stands.
fn places(window: &[u8]) -> impl DoubleEndedIterator<Item = u64> {
    let starts = window.windows(MARK_START.len()).enumerate();
    let marks = starts.filter(|(_, bytes)| *bytes == MARK_START);
    marks.map(|(place, _)| place as u64)
}

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
