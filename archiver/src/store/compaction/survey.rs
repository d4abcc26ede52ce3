//! What of each sealed segment may be dropped.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use formats::id::{BatchId, VersionId};
use formats::segment::{
    CompactionMap, FRAME_HEADER_BYTES, Frame, FrameAddress, FrameHeader, FrameType, IndexEntry,
    KEPT_RUNS_MAX, KeptRun, SegmentIndex, SegmentSeal,
};

use super::{KeyFacts, SegmentPlan};
use crate::store::reader::Reader;
use crate::store::walk::Copy;
use crate::store::{Scan, ScanScope, StoreError};

/// What may be dropped of a segment, and what then stays.
#[derive(Debug, Clone, Default)]
pub(super) struct Dropped {
    /// Bytes of the file now.
    pub(super) bytes: u64,
    pub(super) generation: u32,
    /// Original offsets and lengths of the frames to be dropped, in order.
    pub(super) frames: Vec<(u64, u64)>,
    /// What stays, without the digests; they do not change its length.
    pub(super) runs: Vec<KeptRun>,
    /// The index of what stays.
    pub(super) index: SegmentIndex,
    /// The original length, offset of the index and digest.
    pub(super) original: (u64, u64, [u8; 32]),
    /// The destroyed versions.
    pub(super) versions: Vec<VersionId>,
    pub(super) destroyed_chunks: u64,
    pub(super) orphan_chunks: u64,
    pub(super) pages: u64,
    /// A frame that cannot be read in the copy that was looked at: nothing is dropped of the segment.
    pub(super) damaged: Option<FrameAddress>,
    /// Replicas whose copy has a lower generation.
    pub(super) behind: Vec<PathBuf>,
}

impl Dropped {
    /// The map of the new file.
    pub(super) fn map(&self, segment: u32) -> CompactionMap {
        let (original_length, original_index_offset, original_digest) = self.original;
        CompactionMap {
            segment,
            generation: self.generation.saturating_add(1),
            original_length,
            original_index_offset,
            original_digest,
            runs: self.runs.clone(),
        }
    }

    pub(super) fn plan(&self, segment: u32) -> SegmentPlan {
        SegmentPlan {
            segment,
            generation: self.generation,
            bytes: self.bytes,
            bytes_after: self.bytes_after(segment).min(self.bytes),
            destroyed_chunks: self.destroyed_chunks,
            orphans: self.orphan_chunks + self.pages,
            behind: self.behind.clone(),
        }
    }

    /// Bytes of the new file. What cannot be written takes no less than now.
    pub(super) fn bytes_after(&self, segment: u32) -> u64 {
        if self.frames.is_empty() {
            return self.bytes;
        }
        let map = Frame::CompactionMap(self.map(segment)).encode();
        let index = Frame::SegmentIndex(self.index.clone()).encode();
        let (Ok(map), Ok(index)) = (map, index) else {
            return self.bytes;
        };
        let kept: u64 = self.runs.iter().map(|run| run.length).sum();
        let shape = 2 * map.frame_bytes() + index.frame_bytes() + SegmentSeal::FRAME_BYTES;
        CompactionMap::OFFSET + shape as u64 + kept
    }
}

/// What the record versions and archive time-stamps of the whole archive name.
#[derive(Debug, Default)]
struct Named {
    /// For each segment: how many chunks versions name that were not destroyed.
    live_chunks: HashMap<u32, u64>,
    /// The batches whose pages count.
    trees: HashSet<BatchId>,
    /// The segments with pages, by the batch that stands in them.
    pages: HashMap<BatchId, HashSet<u32>>,
}

/// Calls `each` with every sealed segment (of `only`) and what may be dropped of it.
pub(super) fn survey<E: From<StoreError>>(
    reader: &Arc<Reader>,
    orphans_before: FrameAddress,
    only: Option<&[u32]>,
    keys: &dyn KeyFacts,
    each: &mut dyn FnMut(u32, &Dropped) -> Result<(), E>,
) -> Result<(), E> {
    let mut segments = all_segments(reader)?;
    let named = Named::read(reader, keys)?;
    let orphan_pages = named.orphan_pages();
    segments.retain(|segment| only.is_none_or(|only| only.contains(segment)));
    // Chunks without a version are rare: where there are some, the names are read again for a group of segments.
    let mut exact: BTreeMap<u32, HashSet<u64>> = BTreeMap::new();
    for &segment in &segments {
        let Some(mut source) = Source::open(reader, segment) else {
            continue;
        };
        let live = named.live_chunks.get(&segment).copied().unwrap_or(0);
        let pages = orphan_pages.get(&segment);
        let found_chunks = source.index.content_chunks;
        if found_chunks == live && pages.is_none() {
            each(segment, &source.nothing())?;
            continue;
        }
        let mut sieve = Sieve {
            segment,
            orphans_before,
            keys,
            named: None,
            orphan_pages: pages,
        };
        let mut dropped = source.sift(&sieve)?;
        if found_chunks.saturating_sub(dropped.destroyed_chunks) > live {
            if !exact.contains_key(&segment) {
                exact = named_offsets(reader, &segments, segment)?;
            }
            sieve.named = exact.get(&segment);
            dropped = source.sift(&sieve)?;
        }
        each(segment, &dropped)?;
    }
    Ok(())
}

/// All segments, in order: each medium must say what it has, and none may be missing between the first and the last one. What nothing names is
/// known only when everything that could name it was read.
fn all_segments(reader: &Reader) -> Result<Vec<u32>, StoreError> {
    let mut found = BTreeSet::new();
    for replica in &reader.replicas {
        found.extend(replica.segments()?.into_iter().map(|(segment, _)| segment));
    }
    let segments: Vec<u32> = found.into_iter().collect();
    for (number, &segment) in (1..).zip(&segments) {
        if segment != number {
            return Err(StoreError::SegmentMissing { segment: number });
        }
    }
    Ok(segments)
}

impl Named {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the other frames name nothing that could be dropped"
    )]
    fn read(reader: &Arc<Reader>, keys: &dyn KeyFacts) -> Result<Self, StoreError> {
        let mut named = Self::default();
        for item in Scan::new(Arc::clone(reader), None, ScanScope::Records) {
            let item = item?;
            match item.frame {
                Frame::RecordVersion(record) if !keys.is_destroyed(record.version) => {
                    for chunk in record.contents.iter().flat_map(|content| &content.chunks) {
                        *named.live_chunks.entry(chunk.segment).or_default() += 1;
                    }
                }
                Frame::ArchiveTimeStamp(stamp) => {
                    named.trees.insert(stamp.tree);
                    named.trees.insert(stamp.batch);
                }
                Frame::TreePage(page) => named.page(page.batch, item.address.segment),
                Frame::LeafPage(page) => named.page(page.batch, item.address.segment),
                _ => {}
            }
        }
        Ok(named)
    }

    fn page(&mut self, batch: BatchId, segment: u32) {
        self.pages.entry(batch).or_default().insert(segment);
    }

    /// For each segment: the batches whose pages in it are left over.
    fn orphan_pages(&self) -> HashMap<u32, HashSet<BatchId>> {
        let mut orphans: HashMap<u32, HashSet<BatchId>> = HashMap::new();
        for (batch, segments) in &self.pages {
            if !self.trees.contains(batch) {
                for segment in segments {
                    orphans.entry(*segment).or_default().insert(*batch);
                }
            }
        }
        orphans
    }
}

/// The offsets of all chunks that any version names in `first` and the segments after it, as many as fit in memory.
fn named_offsets(
    reader: &Arc<Reader>,
    segments: &[u32],
    first: u32,
) -> Result<BTreeMap<u32, HashSet<u64>>, StoreError> {
    let behind = segments.iter().filter(|&&segment| segment >= first);
    let group: HashSet<u32> = behind.take(SEGMENTS_AT_ONCE).copied().collect();
    let mut offsets: BTreeMap<u32, HashSet<u64>> = BTreeMap::new();
    for segment in &group {
        offsets.insert(*segment, HashSet::new());
    }
    for item in Scan::new(Arc::clone(reader), None, ScanScope::Records) {
        let Frame::RecordVersion(record) = item?.frame else {
            continue;
        };
        for chunk in record.contents.iter().flat_map(|content| &content.chunks) {
            if let Some(offsets) = offsets.get_mut(&chunk.segment) {
                offsets.insert(chunk.offset);
            }
        }
    }
    Ok(offsets)
}

/// Decides on each frame.
struct Sieve<'a> {
    segment: u32,
    orphans_before: FrameAddress,
    keys: &'a dyn KeyFacts,
    /// The chunks that versions name. `None`: all that are there.
    named: Option<&'a HashSet<u64>>,
    orphan_pages: Option<&'a HashSet<BatchId>>,
}

/// Why a frame is dropped.
enum Verdict {
    Keep,
    Destroyed(VersionId),
    OrphanChunk,
    OrphanPage,
}

impl Sieve<'_> {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "frames of every other type stay, also those that come to be"
    )]
    fn judge(&self, offset: u64, frame: &Frame) -> Verdict {
        let dead = FrameAddress::new(self.segment, offset) < self.orphans_before;
        let batch = match frame {
            Frame::ContentChunk(chunk) => {
                let version = chunk.header.version;
                if self.keys.is_destroyed(version) {
                    return Verdict::Destroyed(version);
                }
                let unnamed = self.named.is_some_and(|named| !named.contains(&offset));
                return if unnamed && dead && !self.keys.is_held(version) {
                    Verdict::OrphanChunk
                } else {
                    Verdict::Keep
                };
            }
            Frame::TreePage(page) => page.batch,
            Frame::LeafPage(page) => page.batch,
            _ => return Verdict::Keep,
        };
        if dead
            && self
                .orphan_pages
                .is_some_and(|pages| pages.contains(&batch))
        {
            return Verdict::OrphanPage;
        }
        Verdict::Keep
    }
}

/// The copy of the highest generation, and what it says of itself.
struct Source {
    copy: Copy,
    index: SegmentIndex,
    start: Dropped,
}

impl Source {
    /// `None`: the segment is not sealed, or no copy is readable: nothing can be dropped of it.
    fn open(reader: &Reader, segment: u32) -> Option<Self> {
        let mut best: Option<(Copy, SegmentIndex, SegmentSeal)> = None;
        let mut generations = Vec::new();
        for copy in reader.copies(segment) {
            let Some(mut copy) = copy else {
                generations.push(None);
                continue;
            };
            generations.push(Some(copy.generation()));
            let higher = best
                .as_ref()
                .is_none_or(|(best, _, _)| copy.generation() > best.generation());
            if higher && let (Some(index), Ok(Some(seal))) = (copy.index(), copy.seal()) {
                best = Some((copy, index, seal));
            }
        }
        let (copy, index, seal) = best?;
        let generation = copy.generation();
        let bytes = seal.length + SegmentSeal::FRAME_BYTES as u64;
        let original = match copy.map() {
            Some(map) => (
                map.original_length,
                map.original_index_offset,
                map.original_digest,
            ),
            None if generation == 0 => (bytes, seal.index_offset, seal.digest),
            None => return None,
        };
        let lower = |found: &Option<u32>| generation > 0 && *found != Some(generation);
        let behind = reader.replicas.iter().zip(&generations);
        let behind = behind.filter(|(_, found)| lower(found));
        let start = Dropped {
            bytes,
            generation,
            original,
            behind: behind
                .map(|(replica, _)| replica.directory.clone())
                .collect(),
            ..Dropped::default()
        };
        Some(Self { copy, index, start })
    }

    fn nothing(&self) -> Dropped {
        self.start.clone()
    }

    /// Reads the frames' first bytes and decides on each.
    fn sift(&mut self, sieve: &Sieve<'_>) -> Result<Dropped, StoreError> {
        let mut dropped = self.start.clone();
        dropped.index.add(IndexEntry {
            frame_type: FrameType::SegmentHeader,
            offset: 0,
            body_bytes: HEADER_BODY_BYTES,
        })?;
        let mut gaps = Vec::new();
        let end = dropped.original.1;
        let mut offset = CompactionMap::OFFSET;
        let mut kept_from = offset;
        let add = |dropped: &mut Dropped, from: u64, to: u64| {
            if to > from {
                push_run(&mut dropped.runs, from, to);
            }
        };
        while offset < end {
            if let Some(until) = self.copy.dropped_until(offset) {
                add(&mut dropped, kept_from, offset);
                (offset, kept_from) = (until, until);
                continue;
            }
            let (header, verdict) = match self.look(sieve, offset) {
                Err(StoreError::Damaged { address, .. }) => {
                    let damaged = Some(address);
                    return Ok(Dropped {
                        damaged,
                        ..self.nothing()
                    });
                }
                looked => looked?,
            };
            let next = offset + header.frame_bytes() as u64;
            if Self::count(&mut dropped, &verdict, offset, &header)? {
                add(&mut dropped, kept_from, offset);
                kept_from = next;
                gaps.push((offset, next - offset));
            }
            offset = next;
        }
        add(&mut dropped, kept_from, end);
        dropped.frames = gaps;
        if dropped.runs.len() > KEPT_RUNS_MAX {
            // Nothing is gained by so many small gaps; the map must fit a frame.
            return Ok(self.nothing());
        }
        dropped.versions.sort_unstable();
        dropped.versions.dedup();
        Ok(dropped)
    }

    /// The header of a frame, and whether it stays.
    fn look(
        &mut self,
        sieve: &Sieve<'_>,
        offset: u64,
    ) -> Result<(FrameHeader, Verdict), StoreError> {
        let damaged = |source| StoreError::Damaged {
            address: FrameAddress::new(sieve.segment, offset),
            source,
        };
        let path = PathBuf::new();
        let failed = |error| StoreError::io("reading a segment", &path, &path, error);
        let header = FrameHeader::parse(
            self.copy
                .bytes(offset, FRAME_HEADER_BYTES)
                .map_err(failed)?,
        )
        .map_err(damaged)?;
        let decides = matches!(
            header.frame_type,
            FrameType::ContentChunk | FrameType::TreePage | FrameType::LeafPage
        );
        if !decides {
            return Ok((header, Verdict::Keep));
        }
        let bytes = self
            .copy
            .bytes(offset, header.frame_bytes())
            .map_err(failed)?;
        let frame = Frame::parse(bytes).map_err(damaged)?;
        Ok((header, sieve.judge(offset, &frame)))
    }

    /// Counts a frame. Answers whether it is dropped.
    fn count(
        dropped: &mut Dropped,
        verdict: &Verdict,
        offset: u64,
        header: &FrameHeader,
    ) -> Result<bool, StoreError> {
        match verdict {
            Verdict::Keep => {
                dropped.index.add(IndexEntry {
                    frame_type: header.frame_type,
                    offset,
                    body_bytes: header.body_bytes,
                })?;
                return Ok(false);
            }
            Verdict::Destroyed(version) => {
                dropped.destroyed_chunks += 1;
                if dropped.versions.last() != Some(version) {
                    dropped.versions.push(*version);
                }
            }
            Verdict::OrphanChunk => dropped.orphan_chunks += 1,
            Verdict::OrphanPage => dropped.pages += 1,
        }
        Ok(true)
    }
}

/// Adds a run; one that continues the last one makes it longer.
fn push_run(runs: &mut Vec<KeptRun>, from: u64, to: u64) {
    if let Some(last) = runs.last_mut()
        && last.offset + last.length == from
    {
        last.length += to - from;
        return;
    }
    runs.push(KeptRun {
        offset: from,
        length: to - from,
        digest: [0; 32],
    });
}

/// Bytes of a segment header's body.
const HEADER_BODY_BYTES: u32 = (CompactionMap::OFFSET - FRAME_HEADER_BYTES as u64) as u32;

/// The chunks of so many segments are looked up at once: with 1 MiB chunks a few thousand of them.
const SEGMENTS_AT_ONCE: usize = 16;
