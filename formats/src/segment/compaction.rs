//! What a segment keeps after the contents of destroyed records were taken out of it.

use super::codec::Reader;
use super::frame::{EncodedFrame, FrameType};
use super::{FrameAddress, SegmentHeader};
use crate::error::{ErrorKind, FormatError, Result};

/// Most runs of a compacted segment. The map of so many takes less than 14 MB.
pub const KEPT_RUNS_MAX: usize = 262_144;

/// Says which bytes of the original segment a compacted one still has, and where.
///
/// It stands behind the segment header and once more before the seal. Between them stand the kept runs, one after the other, and the
/// segment index. Addresses of frames are those in the original segment: a reader translates them ([`RunTable`]).
///
/// ```text
/// body = segment number u32 | generation u32 | original length u64 | original index offset u64 | digest of the original seal 32 |
///        count varint × (bytes since the end of the run before varint | length varint | SHA-256 of the run 32)
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactionMap {
    /// Number of the segment.
    pub segment: u32,
    /// How often the segment was compacted, from 1. Of two copies the one with the higher generation counts.
    pub generation: u32,
    /// Bytes of the file when it was sealed.
    pub original_length: u64,
    /// Where the segment index stood then: no kept run reaches beyond.
    pub original_index_offset: u64,
    /// The digest in the seal that it had then.
    pub original_digest: [u8; 32],
    /// What was kept, in order. A run consists of whole frames. The segment header is not among them.
    pub runs: Vec<KeptRun>,
}

/// Consecutive frames that were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptRun {
    /// Offset of the first frame in the original segment.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// SHA-256 over them: the same before and after.
    pub digest: [u8; 32],
}

/// Where the frames of a compacted segment stand in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunTable {
    generation: u32,
    segment: u32,
    runs: Vec<Run>,
    /// Where the segment index stood, and where it stands.
    original_index_offset: u64,
    index_place: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    offset: u64,
    length: u64,
    place: u64,
}

/// Where the byte at an original offset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Located {
    /// In the file at `place`; its run goes on for `left` bytes.
    Kept {
        /// Offset in the file.
        place: u64,
        /// Bytes up to the end of the run.
        left: u64,
    },
    /// Nowhere: it was dropped, like all bytes up to this original offset.
    Dropped {
        /// The first original offset that was not.
        until: u64,
    },
}

impl CompactionMap {
    /// Where the map's frame stands.
    #[allow(
        clippy::as_conversions,
        reason = "66 fits; no other conversion can be used in a constant"
    )]
    pub const OFFSET: u64 = SegmentHeader::FRAME_BYTES as u64;

    pub(super) fn encode(&self) -> Result<EncodedFrame> {
        self.check(ErrorKind::NotEncodable)?;
        let mut writer = EncodedFrame::writer(128);
        writer.u32(self.segment);
        writer.u32(self.generation);
        writer.u64(self.original_length);
        writer.u64(self.original_index_offset);
        writer.raw(&self.original_digest);
        writer.varint(u64::try_from(self.runs.len()).unwrap_or(u64::MAX));
        let mut end = 0_u64;
        for run in &self.runs {
            writer.varint(run.offset.saturating_sub(end));
            writer.varint(run.length);
            writer.raw(&run.digest);
            end = run.offset.saturating_add(run.length);
        }
        EncodedFrame::new(FrameType::CompactionMap, writer, Vec::new())
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(STRUCTURE, body);
        let (segment, generation) = (reader.u32()?, reader.u32()?);
        let (original_length, original_index_offset) = (reader.u64()?, reader.u64()?);
        let original_digest = reader.array()?;
        let count = reader.count(KEPT_RUNS_MAX.min(body.len()))?;
        let mut runs = Vec::with_capacity(count);
        let mut end = 0_u64;
        for _ in 0..count {
            let gap = reader.varint()?;
            let length = reader.varint()?;
            let offset = end.checked_add(gap);
            let bounds = offset.and_then(|offset| Some((offset, offset.checked_add(length)?)));
            let (offset, next) = bounds.ok_or_else(|| reader.error(ErrorKind::InvalidValue))?;
            let digest = reader.array()?;
            runs.push(KeptRun {
                offset,
                length,
                digest,
            });
            end = next;
        }
        reader.finish()?;
        let map = Self {
            segment,
            generation,
            original_length,
            original_index_offset,
            original_digest,
            runs,
        };
        map.check(ErrorKind::InvalidValue)?;
        Ok(map)
    }

    /// Runs are in order, do not touch, and stand between the header and the index.
    fn check(&self, kind: ErrorKind) -> Result<()> {
        let mut end = None;
        let mut in_order = true;
        for run in &self.runs {
            let after = end.map_or(run.offset >= Self::OFFSET, |end| run.offset > end);
            in_order &= after && run.length > 0;
            end = run.offset.checked_add(run.length);
            in_order &= end.is_some_and(|end| end <= self.original_index_offset);
        }
        let whole = in_order
            && self.generation > 0
            && self.segment > 0
            && self.runs.len() <= KEPT_RUNS_MAX
            && self.original_index_offset >= Self::OFFSET
            && self.original_index_offset < self.original_length;
        if whole {
            Ok(())
        } else {
            Err(FormatError::new(kind, STRUCTURE))
        }
    }
}

impl RunTable {
    /// The table of a segment whose map's frame takes `map_bytes`.
    #[must_use]
    pub fn new(map: &CompactionMap, map_bytes: usize) -> Self {
        let map_bytes = u64::try_from(map_bytes).unwrap_or(u64::MAX);
        let mut place = CompactionMap::OFFSET.saturating_add(map_bytes);
        let mut runs = vec![Run {
            offset: 0,
            length: CompactionMap::OFFSET,
            place: 0,
        }];
        for run in &map.runs {
            runs.push(Run {
                offset: run.offset,
                length: run.length,
                place,
            });
            place = place.saturating_add(run.length);
        }
        Self {
            generation: map.generation,
            segment: map.segment,
            runs,
            original_index_offset: map.original_index_offset,
            index_place: place,
        }
    }

    /// How often the segment was compacted.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Number of the segment.
    #[must_use]
    pub const fn segment(&self) -> u32 {
        self.segment
    }

    /// Where the segment index stands in the file. Everything behind it has the addresses that follow the index's original one.
    #[must_use]
    pub const fn index_place(&self) -> u64 {
        self.index_place
    }

    /// Where the segment index has its address.
    #[must_use]
    pub const fn original_index_offset(&self) -> u64 {
        self.original_index_offset
    }

    /// Where the byte at an original offset is.
    #[must_use]
    pub fn locate(&self, offset: u64) -> Located {
        if let Some(behind) = offset.checked_sub(self.original_index_offset) {
            return Located::Kept {
                place: self.index_place.saturating_add(behind),
                left: u64::MAX,
            };
        }
        let next = self.runs.partition_point(|run| run.offset <= offset);
        if let Some(run) = next.checked_sub(1).and_then(|last| self.runs.get(last)) {
            let inside = offset.saturating_sub(run.offset);
            if inside < run.length {
                return Located::Kept {
                    place: run.place.saturating_add(inside),
                    left: run.length.saturating_sub(inside),
                };
            }
        }
        let until = self.runs.get(next).map(|run| run.offset);
        Located::Dropped {
            until: until.unwrap_or(self.original_index_offset),
        }
    }

    /// The original address of the byte at `place` in the file; `None` inside of the map.
    #[must_use]
    pub fn original(&self, place: u64) -> Option<FrameAddress> {
        let offset = match place.checked_sub(self.index_place) {
            Some(behind) => self.original_index_offset.saturating_add(behind),
            None => {
                let next = self.runs.partition_point(|run| run.place <= place);
                let run = self.runs.get(next.checked_sub(1)?)?;
                let inside = place.saturating_sub(run.place);
                if inside >= run.length {
                    return None;
                }
                run.offset.saturating_add(inside)
            }
        };
        Some(FrameAddress::new(self.segment, offset))
    }
}

const STRUCTURE: &str = "CompactionMap";
