//! Healing one segment.

use std::sync::Arc;

use formats::id::ArchiveId;
use formats::segment::FrameAddress;

use super::merge::{Merge, Merged, Piece, TakePiece, bytes, next_choices};
use super::ranges::{append_range, reads, source_of_gap};
use super::reference::{Reference, reference, stands};
use super::replacement::{Replacement, copy_segment};
use super::{CopyHealing, CopyOutcome, HealSource, Loss, SegmentHealing, Site, Suspects};
use crate::store::fixity::{CheckedCopy, FixityProblemKind, check_copies};
use crate::store::parity;
use crate::store::replica::Replica;
use crate::store::segment_file::SegmentFile;
use crate::store::walk::{Copy, Gate};
use crate::store::{FixityProblem, StoreError};

/// A segment with its copies.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Patient<'a> {
    pub(in crate::store) archive: ArchiveId,
    pub(in crate::store) segment: u32,
    /// Whether it may still grow: it is the last one.
    pub(in crate::store) newest: bool,
    pub(in crate::store) sites: &'a [Site],
    pub(in crate::store) suspects: &'a Suspects,
    pub(in crate::store) gate: Option<&'a Gate>,
}

/// Examines every copy of a segment, and puts right what can be. The caller holds the media so that nobody else writes to a sealed segment.
///
/// # Errors
/// Only what hinders the examination of every copy; what hinders the healing of one is its outcome.
pub(in crate::store) fn heal_segment(patient: Patient<'_>) -> Result<SegmentHealing, StoreError> {
    let (mut copies, checked) = patient.examine();
    let mut healing = patient.found(&checked);
    if healing.was_whole() {
        return Ok(healing);
    }
    let is_sealed = checked.iter().any(|copy| copy.seal.is_some());
    if patient.newest && !is_sealed {
        patient.patch(&mut copies, &mut healing)?;
        return Ok(healing);
    }
    match reference(&checked) {
        Reference::Copy(place) => {
            if !patient.step_up(place, &checked, &mut healing) {
                patient.copy_from(place, &checked, &mut healing);
            }
        }
        Reference::Disputed => healing.losses.push(Loss {
            address: FrameAddress::new(patient.segment, 0),
            end: u64::MAX,
            version: None,
        }),
        Reference::None => patient.put_together(&mut copies, &mut healing)?,
    }
    Ok(healing)
}

/// Which variants of disputed frames make a segment that matches its seal.
pub(super) enum Matching {
    Choices(Vec<usize>),
    /// None; what the first try gave.
    None(Merged),
}

impl Patient<'_> {
    /// The copies as their files are, read from the media.
    pub(super) fn open(&self) -> Vec<Option<Copy>> {
        let files: Vec<_> = self.sites.iter().map(|site| self.file(site)).collect();
        self.opened(&files)
    }

    fn opened(&self, files: &[Option<Arc<SegmentFile>>]) -> Vec<Option<Copy>> {
        let open = |file: &Option<Arc<SegmentFile>>| {
            let gate = self.gate.cloned();
            Copy::from_medium(Arc::clone(file.as_ref()?), gate).ok()
        };
        files.iter().map(open).collect()
    }

    /// Reads every copy. Answers the copies as their files are, too.
    pub(in crate::store) fn examine(&self) -> (Vec<Option<Copy>>, Vec<CheckedCopy>) {
        let files: Vec<Option<Arc<SegmentFile>>> =
            self.sites.iter().map(|s| self.file(s)).collect();
        let mut own = self.opened(&files);
        let by_address = |file: Option<Arc<SegmentFile>>| Copy::of(file?).ok();
        let mut others: Vec<Option<Copy>> = files.into_iter().map(by_address).collect();
        let mut checked = check_copies(
            &mut own,
            &mut others,
            self.archive,
            self.segment,
            self.newest,
        );
        for (site, offset) in self.suspects {
            if let Some(copy) = checked.get_mut(*site) {
                copy.problems.push(FixityProblem {
                    offset: *offset,
                    kind: FixityProblemKind::Forged,
                    version: None,
                });
            }
        }
        (own, checked)
    }

    /// What an examination found, as a report in which nothing was put right yet.
    pub(in crate::store) fn found(&self, checked: &[CheckedCopy]) -> SegmentHealing {
        let copies = self.sites.iter().zip(checked).map(|(site, copy)| {
            let is_whole = copy.problems.is_empty();
            CopyHealing {
                medium: site.medium,
                directory: site.replica.directory.clone(),
                problems: copy.problems.clone(),
                outcome: if is_whole {
                    CopyOutcome::Whole
                } else {
                    CopyOutcome::Damaged
                },
                bytes: copy.bytes,
                committed: copy.committed,
                sealed: copy.seal.is_some(),
            }
        });
        SegmentHealing {
            segment: self.segment,
            copies: copies.collect(),
            losses: Vec::new(),
        }
    }

    /// A copy that cannot be opened counts as absent.
    pub(super) fn file(&self, site: &Site) -> Option<Arc<SegmentFile>> {
        let file = site.replica.open(self.segment).ok()??;
        SegmentFile::new(file).ok().map(Arc::new)
    }

    /// Writes the copy at `reference` in place of every copy that is not like it.
    pub(super) fn copy_from(
        &self,
        reference: usize,
        checked: &[CheckedCopy],
        healing: &mut SegmentHealing,
    ) {
        let (Some(from), Some(right)) = (self.sites.get(reference), checked.get(reference)) else {
            return;
        };
        let source = HealSource::Medium(from.medium);
        let copies = self.sites.iter().zip(checked).zip(&mut healing.copies);
        for ((site, checked), copy) in copies {
            let is_behind = checked.generation < right.generation;
            if stands(checked) && (is_behind || checked.digest() == right.digest()) {
                // It may have been called different from a copy that is outvoted.
                copy.problems.clear();
                copy.outcome = CopyOutcome::Whole;
                continue;
            }
            if copy.problems.is_empty() {
                copy.problems.push(differs());
            }
            copy.outcome = self.copy(from, site, source);
        }
    }

    fn copy(&self, from: &Site, to: &Site, source: HealSource) -> CopyOutcome {
        let gate = self.gate.cloned();
        match copy_segment(&from.replica, &to.replica, self.segment, gate, &mut |_| ()) {
            Ok(bytes) => CopyOutcome::Healed { bytes, source },
            Err(error) => CopyOutcome::Failed(error),
        }
    }

    /// No copy is whole: the frames that they have between them, then parity, then as much as there is.
    fn put_together(
        &self,
        copies: &mut [Option<Copy>],
        healing: &mut SegmentHealing,
    ) -> Result<(), StoreError> {
        leave_one_generation(copies);
        let first = match self.matching(copies)? {
            Matching::Choices(choices) => return self.write_merged(copies, &choices, healing),
            Matching::None(first) => first,
        };
        if self.restore(healing) {
            return Ok(());
        }
        healing.losses.clone_from(&first.gaps);
        self.write_the_rest(copies, &first, healing)
    }

    pub(super) fn matching(&self, copies: &mut [Option<Copy>]) -> Result<Matching, StoreError> {
        let mut choices = Vec::new();
        loop {
            let merged = self.merge(copies, &choices, &mut |_, _| Ok(()))?;
            if merged.is_sealed {
                return Ok(Matching::Choices(choices));
            }
            match next_choices(&choices, &merged.variants) {
                Some(next) => choices = next,
                None => break,
            }
        }
        let first = self.merge(copies, &[], &mut |_, _| Ok(()))?;
        Ok(Matching::None(first))
    }

    /// Parity gives the segment back to the first site that takes it; the others get it from there. Answers whether it did.
    fn restore(&self, healing: &mut SegmentHealing) -> bool {
        let replicas: Vec<&Replica> = self.sites.iter().map(|site| &*site.replica).collect();
        let mut written: Option<&Site> = None;
        for (site, copy) in self.sites.iter().zip(&mut healing.copies) {
            let source = HealSource::Parity;
            if let Some(from) = written {
                copy.outcome = self.copy(from, site, source);
                continue;
            }
            let target = &site.replica;
            match parity::restore(&replicas, target, self.archive, self.segment, self.gate) {
                Ok(Some(bytes)) => {
                    copy.outcome = CopyOutcome::Healed { bytes, source };
                    written = Some(site);
                }
                Ok(None) => return false,
                Err(error) => copy.outcome = CopyOutcome::Failed(error),
            }
        }
        written.is_some()
    }

    /// The frames of several copies make a segment that matches its seal: the first site gets it, the others from there.
    fn write_merged(
        &self,
        copies: &mut [Option<Copy>],
        choices: &[usize],
        healing: &mut SegmentHealing,
    ) -> Result<(), StoreError> {
        let mut written: Option<&Site> = None;
        for (site, copy) in self.sites.iter().zip(&mut healing.copies) {
            let source = HealSource::Frames;
            if let Some(from) = written {
                copy.outcome = self.copy(from, site, source);
                continue;
            }
            match self.write(copies, choices, site) {
                Ok(bytes) => {
                    copy.outcome = CopyOutcome::Healed { bytes, source };
                    written = Some(site);
                }
                Err(error) => copy.outcome = CopyOutcome::Failed(error),
            }
        }
        Ok(())
    }

    /// Gives each copy the frames that only others have. What nobody has stays as it is in each.
    fn write_the_rest(
        &self,
        copies: &mut [Option<Copy>],
        merged: &Merged,
        healing: &mut SegmentHealing,
    ) -> Result<(), StoreError> {
        if merged.variants.iter().any(|&count| count > 1) {
            // Nobody can say which of the copies is right: neither is touched.
            return Ok(());
        }
        for (number, site) in self.sites.iter().enumerate() {
            let Some(copy) = healing.copies.get_mut(number) else {
                continue;
            };
            let lacks = |problem: &FixityProblem| {
                let in_a_gap =
                    |loss: &Loss| (loss.address.offset..loss.end).contains(&problem.offset);
                problem.kind != FixityProblemKind::Digest
                    && problem.kind != FixityProblemKind::NotSealed
                    && !merged.gaps.iter().any(in_a_gap)
            };
            if !copy.problems.iter().any(lacks) {
                continue;
            }
            if let Err(error) = self.write_own(copies, number, site) {
                copy.outcome = CopyOutcome::Failed(error);
            }
        }
        Ok(())
    }

    fn merge(
        &self,
        copies: &mut [Option<Copy>],
        choices: &[usize],
        take: &mut TakePiece<'_>,
    ) -> Result<Merged, StoreError> {
        Merge {
            archive: self.archive,
            segment: self.segment,
            copies,
            suspects: self.suspects,
            choices,
        }
        .run(take)
    }

    /// Frames from whoever has them, which together match the seal.
    ///
    /// # Errors
    /// [`StoreError::NotWhole`] where they do not, as when a medium does not give back any more what it gave back before; those of
    /// writing. What stands on the site is then as it was.
    pub(in crate::store) fn write(
        &self,
        copies: &mut [Option<Copy>],
        choices: &[usize],
        site: &Site,
    ) -> Result<u64, StoreError> {
        let path = site.replica.path(self.segment);
        let mut target = Replacement::begin(&site.replica, path.clone())?;
        let merged = self.merge(copies, choices, &mut |copies, piece| {
            if let Piece::Frame {
                offset,
                header,
                source,
                ..
            } = piece
            {
                target.append(bytes(copies, source, offset, header.frame_bytes()))?;
            }
            Ok(())
        });
        let merged = match merged {
            Ok(merged) if merged.is_sealed && merged.length == target.length() => merged,
            Ok(_) => {
                target.give_up();
                return Err(StoreError::NotWhole { path });
            }
            Err(error) => {
                target.give_up();
                return Err(error);
            }
        };
        debug_assert!(merged.gaps.is_empty(), "the seal says that all is there");
        let expected = target.digest();
        target.finish(expected)
    }

    /// Frames from whoever has them; where nobody has, the bytes that this copy, or another one, gives back. `None`: none can be read there, and
    /// what stands on the site is as it was, for its medium may give it back yet. Only where nothing stands, zeros take their place.
    pub(super) fn write_own(
        &self,
        copies: &mut [Option<Copy>],
        own: usize,
        site: &Site,
    ) -> Result<Option<u64>, StoreError> {
        let path = site.replica.path(self.segment);
        let stands = path.exists();
        let mut leave = false;
        let mut target = Replacement::begin(&site.replica, path)?;
        let merged = self.merge(copies, &[], &mut |copies, piece| {
            let (source, range, is_read) = match piece {
                Piece::Frame {
                    offset,
                    header,
                    source,
                    ..
                } => {
                    let range = offset..offset + header.frame_bytes() as u64;
                    let is_read = reads(copies, source, &range);
                    (source, range, is_read)
                }
                Piece::Gap { offset, end } => {
                    let (source, is_read) = source_of_gap(copies, own, &(offset..end));
                    (source, offset..end, is_read)
                }
            };
            leave |= stands && !is_read;
            if leave {
                return Ok(());
            }
            // What was there a moment ago may be gone, too.
            leave |= !append_range(copies, source, range, &mut target)? && stands;
            Ok(())
        });
        if leave || merged.is_err() {
            target.give_up();
        }
        merged?;
        if leave {
            return Ok(None);
        }
        let expected = target.digest();
        target.finish(expected).map(Some)
    }

    /// Writes the damaged frames of the growing segment, before its last commit mark, from copies that have them.
    fn patch(
        &self,
        copies: &mut [Option<Copy>],
        healing: &mut SegmentHealing,
    ) -> Result<(), StoreError> {
        let merged = self.merge(copies, &[], &mut |_, _| Ok(()))?;
        let committed = merged.committed;
        healing.losses = merged.gaps;
        healing
            .losses
            .retain(|loss| loss.address.offset < committed);
        let mut patched = vec![(0_u64, None); self.sites.len()];
        let mut suspects = self.suspects.clone();
        self.merge(copies, &[], &mut |copies, piece| {
            if let Piece::Frame {
                offset,
                header,
                source,
                is_disputed: false,
            } = piece
                && offset < committed
            {
                let right = bytes(copies, source, offset, header.frame_bytes()).to_vec();
                for (number, (site, done)) in self.sites.iter().zip(&mut patched).enumerate() {
                    if bytes(copies, number, offset, right.len()) == right || done.1.is_some() {
                        continue;
                    }
                    match self.patch_frame(site, &right, offset) {
                        Ok(()) => {
                            done.0 += right.len() as u64;
                            suspects.remove(&(number, offset));
                        }
                        Err(error) => done.1 = Some(error),
                    }
                }
            }
            Ok(())
        })?;
        let left = Patient {
            suspects: &suspects,
            ..*self
        };
        let (_, checked) = left.examine();
        for ((copy, now), (bytes, failure)) in healing.copies.iter_mut().zip(checked).zip(patched) {
            copy.outcome = match failure {
                Some(error) => CopyOutcome::Failed(error),
                None if !now.problems.is_empty() => CopyOutcome::Damaged,
                None if copy.problems.is_empty() && bytes == 0 => CopyOutcome::Whole,
                None => CopyOutcome::Healed {
                    bytes,
                    source: HealSource::Frames,
                },
            };
        }
        Ok(())
    }

    fn patch_frame(&self, site: &Site, frame: &[u8], offset: u64) -> Result<(), StoreError> {
        let is_new = site.replica.open(self.segment)?.is_none();
        let file = site.replica.grow(self.segment, is_new)?;
        file.write(&[frame.to_vec()], offset)?;
        file.sync()
    }
}

const fn differs() -> FixityProblem {
    FixityProblem {
        offset: 0,
        kind: FixityProblemKind::Differs,
        version: None,
    }
}

/// Only copies of one generation have their frames at the same places of their files: those of the highest one are left.
pub(super) fn leave_one_generation(copies: &mut [Option<Copy>]) {
    let newest = copies.iter().flatten().map(Copy::generation).max();
    for copy in copies.iter_mut() {
        let fits = |copy: &Copy| Some(copy.generation()) == newest || copy.is_map_lost();
        if !copy.as_ref().is_some_and(fits) {
            *copy = None;
        }
    }
}
