//! One whole segment out of several damaged copies: each frame from a copy that has it.

use formats::id::{ArchiveId, VersionId};
use formats::segment::{Frame, FrameAddress, FrameHeader, FrameType, SegmentSeal};
use sha2::{Digest, Sha256};

use super::{Loss, Suspects};
use crate::store::StoreError;
use crate::store::fixity::owner_in;
use crate::store::walk::Copy;

/// The copies of a segment, walked frame by frame.
///
/// Where copies hold different frames that are whole by themselves (one of them was misdirected), `choices` say which variant is
/// taken at the first, second, … of such places.
#[derive(Debug)]
pub(super) struct Merge<'a> {
    pub(super) archive: ArchiveId,
    pub(super) segment: u32,
    pub(super) copies: &'a mut [Option<Copy>],
    pub(super) suspects: &'a Suspects,
    pub(super) choices: &'a [usize],
}

/// What stands next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// A whole frame, in this copy.
    Frame {
        offset: u64,
        header: FrameHeader,
        source: usize,
        /// Whether other copies have other whole frames here.
        is_disputed: bool,
    },
    /// Bytes that no copy has whole.
    Gap { offset: u64, end: u64 },
}

/// What a walk found.
#[derive(Debug, Clone, Default)]
pub(super) struct Merged {
    /// Length of the segment.
    pub(super) length: u64,
    /// Behind the last commit mark or seal.
    pub(super) committed: u64,
    /// Whether it ends with a seal that its bytes match.
    pub(super) is_sealed: bool,
    /// Of each place where copies differ and are whole by themselves: how many variants there are.
    pub(super) variants: Vec<usize>,
    /// Places that no copy has whole, or where it is not known which copy is right.
    pub(super) gaps: Vec<Loss>,
}

/// Takes each piece of a walk, with the copies that it is in.
pub(super) type TakePiece<'a> =
    dyn FnMut(&mut [Option<Copy>], Piece) -> Result<(), StoreError> + 'a;

impl Merge<'_> {
    /// Walks from the start to the end and hands on each piece.
    pub(super) fn run(&mut self, take: &mut TakePiece<'_>) -> Result<Merged, StoreError> {
        let mut merged = Merged::default();
        let mut digest = Sha256::new();
        let end = self.length();
        let mut offset = 0;
        while offset < end {
            let piece = self.piece(offset, end, &mut merged);
            match piece {
                Piece::Frame {
                    header,
                    source,
                    is_disputed,
                    ..
                } => {
                    if is_disputed {
                        let end = offset + header.frame_bytes() as u64;
                        self.lose(&mut merged, offset, end);
                    }
                    let bytes = bytes(self.copies, source, offset, header.frame_bytes());
                    if header.frame_type == FrameType::SegmentSeal {
                        merged.is_sealed = is_right(bytes, offset, &digest);
                    }
                    digest.update(bytes);
                    offset += header.frame_bytes() as u64;
                    if matches!(
                        header.frame_type,
                        FrameType::CommitMark | FrameType::SegmentSeal
                    ) {
                        merged.committed = offset;
                    }
                }
                Piece::Gap { end, .. } => {
                    self.lose(&mut merged, offset, end);
                    offset = end;
                }
            }
            take(self.copies, piece)?;
            merged.length = offset;
            if merged.is_sealed {
                break;
            }
        }
        if merged.is_sealed {
            // The digest in the seal says that each choice was right.
            merged.gaps.clear();
        }
        Ok(merged)
    }

    fn lose(&mut self, merged: &mut Merged, offset: u64, end: u64) {
        if merged.gaps.len() < GAPS_MAX {
            merged.gaps.push(Loss {
                address: self.address(offset),
                end: self.address(end).offset,
                version: self.owner(offset),
            });
        }
    }

    /// Behind the last byte of any copy.
    fn length(&self) -> u64 {
        let copies = self.copies.iter().flatten();
        copies.map(Copy::length).max().unwrap_or(0)
    }

    fn piece(&mut self, offset: u64, end: u64, merged: &mut Merged) -> Piece {
        let found = self.variants(offset);
        let chosen = match found.len() {
            0 => None,
            1 => found.first(),
            count => {
                let place = merged.variants.len();
                merged.variants.push(count);
                found.get(self.choices.get(place).copied().unwrap_or(0))
            }
        };
        match chosen {
            Some(&(header, source)) => Piece::Frame {
                offset,
                header,
                source,
                is_disputed: found.len() > 1,
            },
            None => Piece::Gap {
                offset,
                end: self.resume(offset, end),
            },
        }
    }

    /// The different whole frames that the copies have here; those that most copies have first.
    fn variants(&mut self, offset: u64) -> Vec<(FrameHeader, usize)> {
        let mut found: Vec<(FrameHeader, usize, Vec<u8>, usize)> = Vec::new();
        for source in 0..self.copies.len() {
            let Some(header) = self.whole(source, offset) else {
                continue;
            };
            let frame = bytes(self.copies, source, offset, header.frame_bytes());
            match found.iter_mut().find(|(_, _, known, _)| known == frame) {
                Some((.., votes)) => *votes += 1,
                None => found.push((header, source, frame.to_vec(), 1)),
            }
        }
        found.sort_by_key(|(.., votes)| std::cmp::Reverse(*votes));
        found
            .into_iter()
            .map(|(header, source, ..)| (header, source))
            .collect()
    }

    /// The header of a frame that this copy has whole and that can stand here.
    fn whole(&mut self, source: usize, offset: u64) -> Option<FrameHeader> {
        let address = self.address(offset);
        if self.suspects.contains(&(source, address.offset)) {
            return None;
        }
        let copy = self.copies.get_mut(source)?.as_mut()?;
        let header = copy.frame(offset).ok()?.ok()?;
        if !matches!(
            header.frame_type,
            FrameType::SegmentHeader | FrameType::CommitMark | FrameType::SegmentSeal
        ) {
            return (offset > 0).then_some(header);
        }
        let frame = Frame::parse(copy.bytes(offset, header.frame_bytes()).ok()?).ok()?;
        let own = if let Frame::SegmentHeader(header) = &frame {
            (offset, header.archive, header.segment) == (0, self.archive, self.segment)
        } else if let Frame::CommitMark(mark) = &frame {
            mark.address == address
        } else {
            matches!(&frame, Frame::SegmentSeal(seal) if seal.length == offset)
        };
        own.then_some(header)
    }

    /// The address of what stands at a place of the files: in a compacted segment another one.
    fn address(&self, place: u64) -> FrameAddress {
        let mut originals = self
            .copies
            .iter()
            .flatten()
            .map(|copy| copy.original(place));
        let original = originals.find(|original| *original != place);
        FrameAddress::new(self.segment, original.unwrap_or(place))
    }

    /// Where a whole frame stands next, in whichever copy.
    fn resume(&mut self, offset: u64, end: u64) -> u64 {
        (offset + 1..end)
            .find(|&candidate| {
                (0..self.copies.len()).any(|source| self.whole(source, candidate).is_some())
            })
            .unwrap_or(end)
    }

    /// Whose frame the damaged bytes seem to be.
    fn owner(&mut self, offset: u64) -> Option<VersionId> {
        for source in 0..self.copies.len() {
            let start = bytes(self.copies, source, offset, 64);
            if let Ok(header) = FrameHeader::parse(start)
                && let Some(version) = owner_in(header.frame_type, start)
            {
                return Some(version);
            }
        }
        None
    }
}

/// Bytes of one copy; none where it has none.
pub(super) fn bytes(
    copies: &mut [Option<Copy>],
    source: usize,
    offset: u64,
    count: usize,
) -> &[u8] {
    match copies.get_mut(source) {
        Some(Some(copy)) => copy.bytes(offset, count).unwrap_or_default(),
        _ => &[],
    }
}

fn is_right(frame: &[u8], offset: u64, digest: &Sha256) -> bool {
    let before: [u8; 32] = digest.clone().finalize().into();
    matches!(
        Frame::parse(frame),
        Ok(Frame::SegmentSeal(SegmentSeal { length, digest, .. })) if length == offset && digest == before
    )
}

/// The next assignment of variants to places, counting like an odometer; `None` after the last one, or when there would be too many.
pub(super) fn next_choices(choices: &[usize], variants: &[usize]) -> Option<Vec<usize>> {
    if variants.len() > PLACES_MAX {
        return None;
    }
    let mut next: Vec<usize> = choices.to_vec();
    next.resize(variants.len(), 0);
    for (choice, &count) in next.iter_mut().zip(variants).rev() {
        *choice += 1;
        if *choice < count {
            return Some(next);
        }
        *choice = 0;
    }
    None
}

/// Most places where copies that differ are tried one after the other: each trial reads the segment.
const PLACES_MAX: usize = 4;

/// Most damaged places that are listed for one segment.
const GAPS_MAX: usize = 1000;
