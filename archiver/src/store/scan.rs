//! Reading all frames in their order.

use std::collections::VecDeque;
use std::sync::Arc;

use formats::error::{ErrorKind, FormatError};
use formats::segment::{
    Frame, FrameAddress, FrameHeader, FrameType, IndexEntries, IndexEntry, SegmentIndex,
};

use super::StoreError;
use super::reader::Reader;
use super::walk::{Copy, SegmentWalk, Step};

/// Which frames a scan gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScanScope {
    /// All but content chunks, commit marks, and the frames that give a segment its shape. In sealed segments the rest is not read.
    #[default]
    Records,
    /// Every frame.
    Everything,
}

/// A frame and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanItem {
    /// Where it stands.
    pub address: FrameAddress,
    /// Where the next frame may stand: a later scan goes on from here.
    pub next: FrameAddress,
    /// The frame.
    pub frame: Frame,
}

/// The committed frames from an address on. After an error for a damaged frame it goes on with the next one that can be read.
#[derive(Debug)]
pub struct Scan {
    reader: Arc<Reader>,
    scope: ScanScope,
    from: FrameAddress,
    segments: VecDeque<u32>,
    current: Option<SegmentScan>,
    failure: Option<StoreError>,
}

#[derive(Debug)]
struct SegmentScan {
    segment: u32,
    walk: SegmentWalk,
    /// Frames that a commit mark covers.
    ready: VecDeque<Found>,
    /// The frames that the index of a sealed segment names, and the place before which they are left out.
    indexed: Option<(IndexEntries, u64)>,
    /// Frames that wait for a commit mark.
    held: Vec<Found>,
    /// Whether nothing is left to be found.
    ended: bool,
    newest: bool,
}

#[derive(Debug, Clone, Copy)]
enum Found {
    Frame {
        offset: u64,
        header: FrameHeader,
        source: usize,
    },
    /// An entry of the segment index: any copy may have the frame.
    Entry(IndexEntry),
    Damage {
        offset: u64,
    },
}

impl Scan {
    pub(super) fn new(reader: Arc<Reader>, from: Option<FrameAddress>, scope: ScanScope) -> Self {
        let from = from.unwrap_or(FrameAddress::new(0, 0));
        let (segments, failure) = match reader.segments() {
            Ok(segments) => (segments, None),
            Err(failure) => (Vec::new(), Some(failure)),
        };
        Self {
            reader,
            scope,
            from,
            segments: segments
                .into_iter()
                .filter(|&segment| segment >= from.segment)
                .collect(),
            current: None,
            failure,
        }
    }

    fn begin(&self, segment: u32) -> SegmentScan {
        let from = if segment == self.from.segment {
            self.from.offset
        } else {
            0
        };
        let mut scan = SegmentScan {
            segment,
            walk: SegmentWalk::new(segment, self.reader.copies(segment), from),
            ready: VecDeque::new(),
            indexed: None,
            held: Vec::new(),
            ended: false,
            newest: self.segments.is_empty(),
        };
        if self.scope == ScanScope::Records
            && let Some(index) = Self::index(scan.walk.copies())
        {
            scan.indexed = Some((index.into_entries(), from));
            scan.ended = true;
        }
        scan
    }

    /// The index of a sealed segment, from the first copy of the highest generation that has it whole.
    fn index(copies: &mut [Option<Copy>]) -> Option<SegmentIndex> {
        let mut best: Option<(u32, SegmentIndex)> = None;
        for copy in copies.iter_mut().flatten() {
            let generation = copy.generation();
            let newer = best.as_ref().is_none_or(|(best, _)| generation > *best);
            if newer && let Some(index) = copy.index() {
                best = Some((generation, index));
            }
        }
        best.map(|(_, index)| index)
    }

    fn item(&self, current: &mut SegmentScan, found: Found) -> Result<ScanItem, StoreError> {
        let segment = current.segment;
        let damaged = |offset, source| StoreError::Damaged {
            address: FrameAddress::new(segment, offset),
            source,
        };
        let (offset, header, source) = match found {
            Found::Frame {
                offset,
                header,
                source,
            } => (offset, header, source),
            Found::Entry(entry) => self
                .whole(current, &entry)
                .map_err(|error| damaged(entry.offset, error))?,
            Found::Damage { offset } => {
                let source = FormatError::new(ErrorKind::ChecksumMismatch, "Frame");
                return Err(damaged(offset, source));
            }
        };
        let frame = current
            .walk
            .parse(source, offset, &header)
            .map_err(|error| damaged(offset, error))?;
        Ok(ScanItem {
            address: FrameAddress::new(segment, offset),
            next: FrameAddress::new(segment, offset + header.frame_bytes() as u64),
            frame,
        })
    }

    /// The copy that has the frame of an index entry whole.
    fn whole(
        &self,
        current: &mut SegmentScan,
        entry: &IndexEntry,
    ) -> Result<(u64, FrameHeader, usize), FormatError> {
        let address = FrameAddress::new(current.segment, entry.offset);
        let mut misses = Vec::new();
        let mut last = FormatError::new(ErrorKind::Truncated, "Frame");
        for (number, copy) in current.walk.copies().iter_mut().enumerate() {
            let Some(copy) = copy else {
                misses.push((number, "it is not there".to_owned()));
                continue;
            };
            match copy.frame(entry.offset) {
                Ok(Ok(header)) => {
                    for (number, cause) in misses {
                        self.reader.note_damage(number, address, &cause);
                    }
                    return Ok((entry.offset, header, number));
                }
                Ok(Err(error)) => {
                    misses.push((number, error.to_string()));
                    last = error;
                }
                Err(error) => misses.push((number, error.to_string())),
            }
        }
        Err(last)
    }
}

impl Iterator for Scan {
    type Item = Result<ScanItem, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(failure) = self.failure.take() {
            return Some(Err(failure));
        }
        loop {
            let mut current = match self.current.take() {
                Some(current) => current,
                None => {
                    let segment = self.segments.pop_front()?;
                    self.begin(segment)
                }
            };
            while current.ready.is_empty() && !current.ended {
                current.read_on(self.scope);
            }
            if let Some(found) = current.next_found() {
                let item = self.item(&mut current, found);
                self.current = Some(current);
                return Some(item);
            }
        }
    }
}

impl SegmentScan {
    fn next_found(&mut self) -> Option<Found> {
        let Some((entries, from)) = &mut self.indexed else {
            return self.ready.pop_front();
        };
        let mut entries = entries.filter(|entry| is_record(entry.frame_type));
        entries
            .find(|entry| entry.offset >= *from)
            .map(Found::Entry)
    }

    /// Reads the next frame of a segment without a readable index. Frames become ready when a commit mark is met.
    fn read_on(&mut self, scope: ScanScope) {
        match self.walk.step() {
            Step::Gap { offset, .. } => self.held.push(Found::Damage { offset }),
            Step::Frame {
                offset,
                header,
                source,
            } => {
                if scope == ScanScope::Everything || is_record(header.frame_type) {
                    self.held.push(Found::Frame {
                        offset,
                        header,
                        source,
                    });
                }
                if matches!(
                    header.frame_type,
                    FrameType::CommitMark | FrameType::SegmentSeal
                ) {
                    self.ready.extend(self.held.drain(..));
                }
                // Copies of different generations end at different places.
                self.ended = header.frame_type == FrameType::SegmentSeal;
            }
            Step::DamagedMark { offset } => {
                self.ready.extend(self.held.drain(..));
                self.end_without_seal(offset);
            }
            Step::End { offset } => self.end_without_seal(offset),
        }
    }

    /// Every segment but the newest one ends with its seal: one that does not lacks its end, and who knows what stood there.
    fn end_without_seal(&mut self, offset: u64) {
        let unread = self.walk.was_unread();
        let there_is_none = self.walk.copies().iter().flatten().next().is_none();
        if there_is_none || unread || !self.newest {
            self.ready.push_back(Found::Damage { offset });
        }
        self.ended = true;
    }
}

const fn is_record(frame_type: FrameType) -> bool {
    match frame_type {
        FrameType::RecordVersion
        | FrameType::TreePage
        | FrameType::ArchiveTimeStamp
        | FrameType::Event
        | FrameType::LeafPage
        | FrameType::FurtherDigests
        | FrameType::ValidationMaterial
        | FrameType::Signature
        | FrameType::Receipt => true,
        FrameType::SegmentHeader
        | FrameType::ContentChunk
        | FrameType::CommitMark
        | FrameType::SegmentIndex
        | FrameType::SegmentSeal
        | FrameType::CompactionMap => false,
    }
}
