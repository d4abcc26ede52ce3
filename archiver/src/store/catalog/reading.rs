//! Reading the segments into the index.

use formats::error::{ErrorKind, FormatError};
use formats::segment::{ArchiveTimeStamp, Frame, FrameAddress, Leaves};

use super::chains::Covering;
use super::fold::Fold;
use super::lacking::Lacks;
use super::{
    BatchEntry, Catalog, CatalogReport, FoldProgress, FoldStage, Hit, ManifestFailure,
    ManifestOpener,
};
use crate::store::scrub::ScrubMedia;
use crate::store::{ScanItem, ScanScope, StoreError};

/// Whose files the segments are read into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Into {
    /// Those that count.
    Counting,
    /// Those that will count when they are whole; what the others lack stays noted until then.
    Building,
}

impl Catalog {
    /// Reads what the segments hold beyond the files that count.
    pub(super) fn read_segments(
        &self,
        opener: &dyn ManifestOpener,
        progress: &mut dyn FnMut(FoldProgress),
        report: &mut CatalogReport,
    ) -> Result<(), StoreError> {
        self.read_into(Into::Counting, opener, progress, report)?;
        Ok(())
    }

    /// As [`Catalog::read_segments`], into files that may not count yet. Answers what they lack.
    pub(super) fn read_into(
        &self,
        into: Into,
        opener: &dyn ManifestOpener,
        progress: &mut dyn FnMut(FoldProgress),
        report: &mut CatalogReport,
    ) -> Result<Lacks, StoreError> {
        let fold = self.fold()?;
        let from = fold.position();
        fold.set_reading(true);
        report.rebuilt = from.segment == 0;
        report.gaps = self.gaps(from)?;
        let is_anew = from.segment == 0;
        let mut lacks = Lacks::missing(&report.gaps);
        // What an interrupted reading lacked before `from` is known by the note alone.
        let mut noted = match (is_anew, into) {
            (true, Into::Counting) => Lacks::default(),
            // A note that is no note: the files that it belongs to are being replaced.
            (_, Into::Building) => self.place.lacks().unwrap_or_default(),
            (false, Into::Counting) => self.place.lacks()?,
        };
        noted = noted.and(lacks.clone());
        self.place.note_lacks(&noted)?;
        let mut read = 0_u64;
        for item in self.store.scan(Some(from), ScanScope::Records) {
            let item = match item {
                Ok(item) => item,
                Err(StoreError::Damaged { address, source }) => {
                    report.damaged.push((address, source));
                    lacks.add_damaged(&self.store, address.segment);
                    if noted.add_damaged(&self.store, address.segment) {
                        self.place.note_lacks(&noted)?;
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.read_frame(&fold, &item, opener, report)?;
            fold.set_position(item.next);
            read += 1;
            if read.is_multiple_of(FLUSH_FRAMES) {
                // A reading that is interrupted goes on from here.
                fold.flush()?;
            }
            if self.is_stopped(item.next, &fold) {
                return Err(StoreError::Closed);
            }
            if read.is_multiple_of(PROGRESS_FRAMES) {
                progress(FoldProgress {
                    at: item.address,
                    versions: report.versions_applied,
                    stage: FoldStage::Reading,
                });
            }
        }
        fold.set_reading(false);
        Ok(if is_anew { lacks } else { noted })
    }

    /// Segments that should be read from `from` on and are on no medium at hand: what stood there is in no index that is made without them.
    fn gaps(&self, from: FrameAddress) -> Result<Vec<u32>, StoreError> {
        ScrubMedia::of_store(&self.store)?.missing_from(from.segment)
    }

    fn read_frame(
        &self,
        fold: &Fold,
        item: &ScanItem,
        opener: &dyn ManifestOpener,
        report: &mut CatalogReport,
    ) -> Result<(), StoreError> {
        match &item.frame {
            Frame::RecordVersion(frame) => {
                report.versions_applied += 1;
                match opener.open_manifest(frame) {
                    Ok(manifest) => self.apply_version(item.address, frame, &manifest),
                    Err(ManifestFailure::KeyDestroyed) => {
                        let hit = Hit::unreadable(frame.version, item.address);
                        fold.add_destroyed(&hit, &frame.identity)?;
                        self.store.set_applied(item.address);
                        Ok(())
                    }
                    Err(failure) => {
                        let problem = (frame.version, item.address, failure);
                        report.without_manifest.push(problem);
                        let hit = Hit::unreadable(frame.version, item.address);
                        fold.add_version(&hit, &frame.identity, None)?;
                        self.store.set_applied(item.address);
                        Ok(())
                    }
                }
            }
            Frame::ArchiveTimeStamp(stamp) => {
                report.batches_applied += 1;
                match self.apply_stamp(item.address, stamp) {
                    Err(StoreError::Damaged { address, source }) => {
                        report.damaged.push((address, source));
                        Ok(())
                    }
                    result => result,
                }
            }
            Frame::Event(frame) => match opener.open_event(frame) {
                Some(event) => self.apply_event(item.address, &event),
                None => {
                    let strange = FormatError::new(ErrorKind::InvalidValue, "Event");
                    report.damaged.push((item.address, strange));
                    self.store.set_applied(item.address);
                    Ok(())
                }
            },
            Frame::FurtherDigests(_)
            | Frame::ValidationMaterial(_)
            | Frame::Signature(_)
            | Frame::Receipt(_) => self.apply(item.address, &item.frame),
            Frame::SegmentHeader(_)
            | Frame::ContentChunk(_)
            | Frame::TreePage(_)
            | Frame::CommitMark(_)
            | Frame::SegmentIndex(_)
            | Frame::SegmentSeal(_)
            | Frame::CompactionMap(_)
            | Frame::LeafPage(_) => Ok(()),
        }
    }

    pub(super) fn apply_stamp(
        &self,
        address: FrameAddress,
        frame: &ArchiveTimeStamp,
    ) -> Result<(), StoreError> {
        let fold = self.fold()?;
        fold.add_batch(&BatchEntry::new(address, frame))?;
        if frame.kind.is_head() {
            fold.add_head(frame)?;
        }
        let by = Covering { address, frame };
        add_leaves(&fold, by, &frame.leaves, 0)?;
        let mut damage = Ok(());
        for page in &frame.leaf_pages {
            match self.store.read(*page) {
                Ok(Frame::LeafPage(page)) if page.batch == frame.tree => {
                    add_leaves(&fold, by, &page.leaves, page.first)?;
                }
                Ok(_) => damage = Err(StoreError::NotFound { address: *page }),
                // The other pages still say whom they cover.
                Err(error) => damage = Err(error),
            }
        }
        damage
    }
}

/// Leaves of the wrong sort for the batch are passed over: they say nothing about it.
fn add_leaves(
    fold: &Fold,
    by: Covering<'_>,
    leaves: &Leaves,
    first: u64,
) -> Result<(), StoreError> {
    if !leaves.fit(by.frame.kind) {
        return Ok(());
    }
    match leaves {
        Leaves::Versions(versions) => {
            for (version, leaf) in versions.iter().zip(first..) {
                fold.add_chain(by, *version, leaf)?;
            }
        }
        Leaves::Heads(heads) => {
            for (head, leaf) in heads.iter().zip(first..) {
                fold.add_link(by, *head, leaf)?;
            }
        }
    }
    Ok(())
}

/// Progress is told after so many frames.
const PROGRESS_FRAMES: u64 = 1000;

/// What was read is made durable after so many frames.
const FLUSH_FRAMES: u64 = 50_000;
