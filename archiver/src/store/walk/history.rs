//! Whether two copies of a segment have the same commits.

use std::io;

use formats::segment::{CommitMark, SegmentHeader};

use super::{Copy, Unread};

/// What a copy has of a commit that another copy has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Committed {
    /// The same.
    Same,
    /// Other frames, and they are whole: the two were written apart from each other.
    Another,
    /// Nothing that tells: one of them is damaged there, or this one ends before.
    Unknown,
}

impl Copy {
    /// What this copy has of the commit whose mark, these bytes, stands at `offset` in `other`.
    ///
    /// A mark is written without a synchronisation of its own. A power loss may take it from one copy, and recovery then writes another
    /// one in its place, with its own boot id and time. So where two marks differ, the frames before them tell.
    ///
    /// # Errors
    /// [`Unread`]: copy 0 is this one, copy 1 the other one.
    pub(in crate::store) fn committed(
        &mut self,
        other: &mut Self,
        mark: &[u8],
        segment: u32,
        offset: u64,
    ) -> Result<Committed, Unread> {
        if self.bytes(offset, mark.len()).map_err(own)? == mark {
            return Ok(Committed::Same);
        }
        if self.is_mark(segment, offset).map_err(own)? {
            return self.frames_before(other, segment, offset);
        }
        let is_another = self.has_frame(offset).map_err(own)?
            || self.passes_over(segment, offset).map_err(own)?
            || self.is_sealed_before(offset).map_err(own)?;
        Ok(if is_another {
            Committed::Another
        } else {
            Committed::Unknown
        })
    }

    /// Compares the frames before two marks at `end`, back to a mark that is the same in both.
    fn frames_before(
        &mut self,
        other: &mut Self,
        segment: u32,
        mut end: u64,
    ) -> Result<Committed, Unread> {
        loop {
            let Some(start) = other.mark_before(segment, end).map_err(theirs)? else {
                let is_original = self.generation() == 0 && other.generation() == 0;
                let header = SegmentHeader::FRAME_BYTES as u64;
                return self.same_frames(other, if is_original { 0 } else { header }, end);
            };
            let count = CommitMark::FRAME_BYTES;
            let found = self.same_frames(other, start + count as u64, end)?;
            let mark = other.bytes(start, count).map_err(theirs)?;
            let there = self.bytes(start, count).map_err(own)?;
            if found != Committed::Same || there == mark {
                return Ok(found);
            }
            if !self.is_mark(segment, start).map_err(own)? {
                return Ok(if self.has_frame(start).map_err(own)? {
                    Committed::Another
                } else {
                    Committed::Unknown
                });
            }
            end = start;
        }
    }

    /// Compares whole frames from `at` to `end`. What one of the copies dropped says nothing.
    fn same_frames(
        &mut self,
        other: &mut Self,
        mut at: u64,
        end: u64,
    ) -> Result<Committed, Unread> {
        while at < end {
            if let Some(until) = self.dropped_until(at).or_else(|| other.dropped_until(at)) {
                at = until;
                continue;
            }
            let Ok(header) = self.frame(at).map_err(own)? else {
                return Ok(Committed::Unknown);
            };
            let count = header.frame_bytes();
            let right = self.bytes(at, count).map_err(own)?;
            if other.bytes(at, count).map_err(theirs)? != right {
                return Ok(if other.has_frame(at).map_err(theirs)? {
                    Committed::Another
                } else {
                    Committed::Unknown
                });
            }
            at += count as u64;
        }
        Ok(Committed::Same)
    }

    /// Whether no frame begins at a place: whole ones, each behind the other from a commit mark on, pass over it.
    fn passes_over(&mut self, segment: u32, place: u64) -> io::Result<bool> {
        let mut at = self.mark_before(segment, place)?.unwrap_or(0);
        while at < place {
            if let Some(until) = self.dropped_until(at) {
                at = until;
                continue;
            }
            match self.frame(at)? {
                Ok(header) => at += header.frame_bytes() as u64,
                Err(_) => return Ok(false),
            }
        }
        Ok(at > place)
    }

    /// Whether the segment was sealed before it came to a place.
    fn is_sealed_before(&mut self, place: u64) -> io::Result<bool> {
        Ok(!self.is_map_lost() && place >= self.length && self.seal()?.is_some())
    }

    fn has_frame(&mut self, offset: u64) -> io::Result<bool> {
        Ok(self.frame(offset)?.is_ok())
    }
}

const fn own(error: io::Error) -> Unread {
    Unread { copy: 0, error }
}

const fn theirs(error: io::Error) -> Unread {
    Unread { copy: 1, error }
}
