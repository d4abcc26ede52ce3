//! Which copy is right, and a compacted one that is damaged made anew from one that was not compacted.

use std::sync::Arc;

use formats::segment::{
    CompactionMap, FRAME_HEADER_BYTES, Frame, FrameHeader, FrameType, IndexEntry, SegmentIndex,
    SegmentSeal,
};
use sha2::{Digest, Sha256};

use super::replacement::Replacement;
use super::segment::Patient;
use super::{CopyOutcome, HealSource, SegmentHealing, Site, Suspects};
use crate::store::StoreError;
use crate::store::fixity::{CheckedCopy, FixityProblemKind};
use crate::store::walk::Copy;

/// Which copy is right.
pub(super) enum Reference {
    Copy(usize),
    /// Copies that are whole by themselves differ, and none has more of its like than another.
    Disputed,
    None,
}

/// A sealed copy that is whole: of the highest generation, the one that most copies are like.
pub(super) fn reference(checked: &[CheckedCopy]) -> Reference {
    let candidates = || {
        let copies = checked.iter().enumerate();
        copies.filter(|(_, copy)| stands(copy) && copy.seal.is_some())
    };
    let Some(newest) = candidates().map(|(_, copy)| copy.generation).max() else {
        return Reference::None;
    };
    let of_newest = || candidates().filter(|(_, copy)| copy.generation == newest);
    let votes = |one: &CheckedCopy| {
        of_newest()
            .filter(|(_, copy)| copy.digest() == one.digest())
            .count()
    };
    let Some((place, best)) = of_newest().max_by_key(|(_, copy)| votes(copy)) else {
        return Reference::None;
    };
    let disputes =
        |other: &CheckedCopy| other.digest() != best.digest() && votes(other) >= votes(best);
    if of_newest().any(|(_, other)| disputes(other)) {
        return Reference::Disputed;
    }
    Reference::Copy(place)
}

/// Whether a copy is whole by itself.
pub(super) fn stands(copy: &CheckedCopy) -> bool {
    let mut problems = copy.problems.iter();
    problems.all(|problem| problem.kind == FixityProblemKind::Differs)
}

impl Patient<'_> {
    /// Where the copy that is right has a lower generation than one that is damaged: makes the damaged one anew, from the frames that its map
    /// keeps, as the other copy has them, and heals the others from it. What was dropped does not come back. Answers whether it could; it
    /// cannot where both maps are damaged.
    pub(super) fn step_up(
        &self,
        right: usize,
        checked: &[CheckedCopy],
        healing: &mut SegmentHealing,
    ) -> bool {
        let generation = |place: usize| checked.get(place).map_or(0, |copy| copy.generation);
        let is_higher = |place: &usize| generation(*place) > generation(right);
        let higher = (0..checked.len()).filter(is_higher);
        let Some(damaged) = higher.max_by_key(|place| generation(*place)) else {
            return false;
        };
        let (Some(from), Some(to)) = (self.sites.get(right), self.sites.get(damaged)) else {
            return false;
        };
        let Some(Ok(bytes)) = self.compact_again(from, to) else {
            return false;
        };
        let suspects = self.suspects.iter().copied();
        let suspects: Suspects = suspects.filter(|(site, _)| *site != damaged).collect();
        let left = Patient {
            suspects: &suspects,
            ..*self
        };
        let (_, again) = left.examine();
        let told = healing
            .copies
            .get(damaged)
            .map(|copy| copy.problems.clone());
        left.copy_from(damaged, &again, healing);
        if let (Some(copy), Some(told)) = (healing.copies.get_mut(damaged), told) {
            copy.problems = told;
            copy.outcome = CopyOutcome::Healed {
                bytes,
                source: HealSource::Medium(from.medium),
            };
        }
        true
    }

    /// `None`: nobody knows what the copy kept, or its frames are not what its map says.
    fn compact_again(&self, from: &Site, to: &Site) -> Option<Result<u64, StoreError>> {
        let map = self.file(to)?.map().ok()??;
        let file = self.file(from)?;
        Copy::from_medium(Arc::clone(&file), self.gate.cloned()).ok()?;
        let mut source = Copy::of(file).ok()?;
        let index = kept_index(&mut source, &map)?;
        let header = source.bytes(0, usize::try_from(CompactionMap::OFFSET).ok()?);
        let Ok(Frame::SegmentHeader(mut header)) = Frame::parse(header.ok()?) else {
            return None;
        };
        header.compacted = true;
        let path = to.replica.path(self.segment);
        let mut target = match Replacement::begin(&to.replica, path) {
            Ok(target) => target,
            Err(error) => return Some(Err(error)),
        };
        let written = write(
            &mut target,
            &mut source,
            Frame::SegmentHeader(header),
            map,
            index,
        );
        Some(match written {
            Ok(()) => {
                let expected = target.digest();
                target.finish(expected)
            }
            Err(error) => {
                target.give_up();
                Err(error)
            }
        })
    }
}

/// The index of the frames in the runs of a map; `None` when a run is not what the map says.
fn kept_index(source: &mut Copy, map: &CompactionMap) -> Option<SegmentIndex> {
    let mut index = SegmentIndex::default();
    let mut add = |frame_type, offset, body_bytes| {
        let entry = IndexEntry {
            frame_type,
            offset,
            body_bytes,
        };
        index.add(entry).ok()
    };
    let header_bytes = CompactionMap::OFFSET.checked_sub(FRAME_HEADER_BYTES as u64)?;
    add(
        FrameType::SegmentHeader,
        0,
        u32::try_from(header_bytes).ok()?,
    )?;
    for run in &map.runs {
        let mut digest = Sha256::new();
        let end = run.offset.checked_add(run.length)?;
        let mut at = run.offset;
        while at < end {
            let header = FrameHeader::parse(source.bytes(at, FRAME_HEADER_BYTES).ok()?).ok()?;
            let count = header.frame_bytes();
            let bytes = source.bytes(at, count).ok()?;
            if bytes.len() != count {
                return None;
            }
            digest.update(bytes);
            add(header.frame_type, at, header.body_bytes)?;
            at += count as u64;
        }
        if at != end || <[u8; 32]>::from(digest.finalize()) != run.digest {
            return None;
        }
    }
    Some(index)
}

/// Header, map, the runs of the map, index, map, seal (`SPEC.md` §2.1).
fn write(
    target: &mut Replacement<'_>,
    source: &mut Copy,
    header: Frame,
    map: CompactionMap,
    index: SegmentIndex,
) -> Result<(), StoreError> {
    let runs = map.runs.clone();
    let map = Frame::CompactionMap(map).encode()?.into_bytes();
    target.append(&header.encode()?.into_bytes())?;
    target.append(&map)?;
    for run in runs {
        let mut digest = Sha256::new();
        let mut at = run.offset;
        let end = run.offset + run.length;
        while at < end {
            let count = usize::try_from(end - at).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
            let bytes = source.bytes(at, count).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            digest.update(bytes);
            target.append(bytes)?;
            at += bytes.len() as u64;
        }
        // It was right a moment ago: the medium gives something else now.
        if <[u8; 32]>::from(digest.finalize()) != run.digest {
            return Err(StoreError::NotWhole {
                path: target.path().to_path_buf(),
            });
        }
    }
    let index_offset = target.length();
    target.append(&Frame::SegmentIndex(index).encode()?.into_bytes())?;
    target.append(&map)?;
    let seal = SegmentSeal {
        index_offset,
        length: target.length(),
        digest: target.digest(),
    };
    target.append(&Frame::SegmentSeal(seal).encode()?.into_bytes())
}

/// Bytes copied at once.
const PIECE_BYTES: usize = 1024 * 1024;
