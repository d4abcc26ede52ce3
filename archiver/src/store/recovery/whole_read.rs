//! What one reading of the growing segment tells.

use formats::segment::{
    FRAME_HEADER_BYTES, Frame, FrameAddress, FrameHeader, FrameType, IndexEntry, SegmentHeader,
    SegmentIndex,
};
use sha2::{Digest, Sha256};

use super::sure_walk::SureWalk;
use super::{PIECE_BYTES, RecoveryReport};
use crate::store::StoreError;
use crate::store::walk::Step;

/// What a walk over the growing segment found, up to some frame.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) end: u64,
    pub(super) digest: Sha256,
    pub(super) index: SegmentIndex,
}

/// What a walk over the growing segment found.
#[derive(Debug)]
pub(super) struct WholeRead {
    /// Up to the last commit mark, or the header.
    pub(super) marked: Found,
    /// Who wrote that mark, or the header.
    pub(super) boot: [u8; 16],
    /// The frames behind the mark.
    pending: Vec<IndexEntry>,
    /// Their end, and the digest up to there.
    end: u64,
    digest: Sha256,
    /// Whether the last mark is damaged and must be written again.
    pub(super) mark_damaged: bool,
    /// Whether index and seal are whole; `end` is then behind the seal.
    sealed: bool,
    pub(super) repairs: Vec<Repair>,
}

impl WholeRead {
    /// Where the segment is to end, by the rule of this module, and whether it is sealed there. `same_boot`: whatever was acknowledged has
    /// its mark.
    pub(super) fn decide(self, same_boot: bool) -> Result<(Found, bool), StoreError> {
        let mut kept = self.marked;
        if self.sealed || !same_boot {
            for entry in self.pending {
                kept.index.add(entry)?;
            }
            kept.end = self.end;
            kept.digest = self.digest;
        }
        Ok((kept, self.sealed))
    }

    /// What was found so far is committed.
    fn mark(&mut self) -> Result<(), StoreError> {
        for entry in self.pending.drain(..) {
            self.marked.index.add(entry)?;
        }
        self.marked.end = self.end;
        self.marked.digest = self.digest.clone();
        Ok(())
    }

    /// Adds a frame to what was found, and notes the copies that have other bytes.
    fn take_frame(
        &mut self,
        walk: &mut SureWalk<'_>,
        offset: u64,
        header: &FrameHeader,
        source: usize,
    ) -> Result<(), StoreError> {
        let bytes = header.frame_bytes();
        note_differences(walk, offset, bytes, source, &mut self.repairs)?;
        self.digest.update(walk.bytes(source, offset, bytes)?);
        self.pending.push(IndexEntry {
            frame_type: header.frame_type,
            offset,
            body_bytes: header.body_bytes,
        });
        self.end = offset + bytes as u64;
        Ok(())
    }

    /// Takes damaged bytes as they are in the first copy: the digest of the seal then says what is there, and the frames' checksums
    /// say that it is damaged.
    fn take_gap(
        &mut self,
        walk: &mut SureWalk<'_>,
        offset: u64,
        end: u64,
    ) -> Result<(), StoreError> {
        let first = walk
            .copies()
            .iter()
            .position(|copy| copy.as_ref().is_some_and(|copy| copy.length() >= end))
            .unwrap_or(0);
        let mut at = offset;
        while at < end {
            let count = usize::try_from(end - at)
                .unwrap_or(usize::MAX)
                .min(PIECE_BYTES);
            let bytes = walk.bytes(first, at, count)?;
            if bytes.is_empty() {
                break;
            }
            self.digest.update(bytes);
            at += bytes.len() as u64;
        }
        self.end = end;
        Ok(())
    }

    /// Whether index and seal follow here and match the bytes before. If not, nothing is taken.
    fn take_seal(
        &mut self,
        walk: &mut SureWalk<'_>,
        index: &IndexEntry,
        source: usize,
    ) -> Result<(), StoreError> {
        let before = (self.digest.clone(), self.end, self.repairs.clone());
        let header = FrameHeader::parse(walk.bytes(source, index.offset, FRAME_HEADER_BYTES)?);
        if let Ok(header) = header {
            self.take_frame(walk, index.offset, &header, source)?;
        }
        if let Step::Frame {
            offset,
            header,
            source,
        } = walk.step()?
            && let frame = walk.bytes(source, offset, header.frame_bytes())?
            && let Ok(Frame::SegmentSeal(seal)) = Frame::parse(frame)
            && seal.digest == <[u8; 32]>::from(self.digest.clone().finalize())
            && (seal.length, seal.index_offset) == (offset, index.offset)
        {
            let bytes = header.frame_bytes();
            note_differences(walk, offset, bytes, source, &mut self.repairs)?;
            self.end = offset + bytes as u64;
            self.sealed = true;
            return Ok(());
        }
        self.pending.pop();
        (self.digest, self.end, self.repairs) = before;
        Ok(())
    }
}

/// A range to be copied from one copy to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repair {
    pub(super) to: usize,
    pub(super) from: usize,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// Walks to the end of what is whole; `start` is the state behind a commit mark, and who wrote it.
pub(super) fn read_to_end(
    walk: &mut SureWalk<'_>,
    segment: u32,
    header: SegmentHeader,
    start: Option<(Found, [u8; 16])>,
    report: &mut RecoveryReport,
) -> Result<WholeRead, StoreError> {
    let (marked, boot) = start.unwrap_or((Found::default(), header.boot));
    walk.go_to(marked.end);
    let mut read = WholeRead {
        end: marked.end,
        digest: marked.digest.clone(),
        marked,
        boot,
        pending: Vec::new(),
        mark_damaged: false,
        sealed: false,
        repairs: Vec::new(),
    };
    loop {
        match walk.step()? {
            Step::End { .. } => return Ok(read),
            Step::DamagedMark { .. } => {
                read.mark()?;
                read.mark_damaged = true;
                return Ok(read);
            }
            Step::Gap { offset, end } => {
                report.damaged.push(FrameAddress::new(segment, offset));
                read.take_gap(walk, offset, end)?;
            }
            Step::Frame {
                offset,
                header,
                source,
            } if header.frame_type == FrameType::SegmentIndex => {
                let index = IndexEntry {
                    frame_type: header.frame_type,
                    offset,
                    body_bytes: header.body_bytes,
                };
                read.take_seal(walk, &index, source)?;
                return Ok(read);
            }
            Step::Frame {
                offset,
                header,
                source,
            } => {
                read.take_frame(walk, offset, &header, source)?;
                if offset == 0 {
                    read.mark()?;
                }
                if header.frame_type == FrameType::CommitMark
                    && let frame = walk.bytes(source, offset, header.frame_bytes())?
                    && let Ok(Frame::CommitMark(mark)) = Frame::parse(frame)
                {
                    read.boot = mark.boot;
                    read.mark()?;
                }
            }
        }
    }
}

fn note_differences(
    walk: &mut SureWalk<'_>,
    offset: u64,
    bytes: usize,
    source: usize,
    repairs: &mut Vec<Repair>,
) -> Result<(), StoreError> {
    let others: Vec<usize> = (0..walk.copies().len())
        .filter(|&other| other != source)
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let right = walk.bytes(source, offset, bytes)?.to_vec();
    for to in others {
        if walk.has(to, offset, &right) {
            continue;
        }
        let bytes = bytes as u64;
        match repairs.iter_mut().rev().find(|repair| repair.to == to) {
            Some(last) if last.from == source && last.offset + last.bytes == offset => {
                last.bytes += bytes;
            }
            _ => repairs.push(Repair {
                to,
                from: source,
                offset,
                bytes,
            }),
        }
    }
    Ok(())
}
