//! Making one replica equal to the others.

use formats::id::MediumId;

use super::{
    CopyOutcome, Patient, SegmentHealing, Site, Suspects, copy_segment, heal_segment, sites,
};
use crate::store::recovery::seal;
use crate::store::{Store, StoreError};

/// How far the healing of a replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealProgress {
    /// The segment that was made equal last.
    pub segment: u32,
    /// Segments that are done.
    pub segments_done: usize,
    /// Segments in all.
    pub segments: usize,
    /// Bytes written so far.
    pub bytes_written: u64,
}

/// What healing a replica did.
#[derive(Debug, Clone, Default)]
pub struct ReplicaHealing {
    /// Segments that were missing on it and were copied.
    pub copied: Vec<u32>,
    /// Segments that were there and not whole, or not like the others.
    pub mended: Vec<SegmentHealing>,
    /// Segments that are not whole on it now, and why.
    pub failed: Vec<(u32, String)>,
    /// Bytes written.
    pub bytes_written: u64,
}

/// Makes one replica equal to the others: first the segments that it lacks, then those that it has are read and compared with the
/// others' seals. Each new file is read back from the medium before it gets its name.
///
/// May be interrupted anywhere: begun again, it finds what is done. The segment that grows is left to the opening for writing, but for its
/// damaged frames.
///
/// # Errors
/// [`StoreError::MediumMissing`] when the store has no such medium, or no other one; errors of listing the media. What hinders one segment
/// is named in the answer, and the next one is begun.
pub fn heal_replica(
    store: &Store,
    medium: MediumId,
    progress: &mut dyn FnMut(HealProgress),
) -> Result<ReplicaHealing, StoreError> {
    let sites = sites(store)?;
    let missing = || StoreError::MediumMissing {
        directory: store.directories().first().cloned().unwrap_or_default(),
    };
    let place = sites
        .iter()
        .position(|site| site.medium == medium)
        .ok_or_else(missing)?;
    let own = sites.get(place).ok_or_else(missing)?;
    let others: Vec<&Site> = sites.iter().filter(|site| site.medium != medium).collect();
    if others.is_empty() {
        return Err(missing());
    }
    let segments = store.segments()?;
    let newest = segments.last().copied().unwrap_or(0);
    let present = own.replica.segments()?;
    let is_here = |segment: &u32| present.iter().any(|(number, _)| number == segment);
    let (here, absent): (Vec<u32>, Vec<u32>) = segments.iter().copied().partition(is_here);
    let mut healing = ReplicaHealing::default();
    for (segments_done, segment) in (1..).zip(absent.into_iter().chain(here)) {
        let missing = !is_here(&segment);
        let copied = missing && segment != newest && healing.copy(&others, own, segment);
        if !copied {
            healing.mend(store, &sites, place, (segment, segment == newest))?;
        }
        store.forget(segment);
        progress(HealProgress {
            segment,
            segments_done,
            segments: segments.len(),
            bytes_written: healing.bytes_written,
        });
    }
    Ok(healing)
}

impl ReplicaHealing {
    /// Whether the replica now has everything that the others have, whole.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.failed.is_empty()
    }

    /// Copies a segment from the first replica that has it whole.
    fn copy(&mut self, from: &[&Site], to: &Site, segment: u32) -> bool {
        for source in from {
            if let Ok(bytes) =
                copy_segment(&source.replica, &to.replica, segment, None, &mut |_| ())
            {
                self.copied.push(segment);
                self.bytes_written += bytes;
                return true;
            }
        }
        false
    }

    /// Reads a segment, and puts it right where it is not like the others.
    fn mend(
        &mut self,
        store: &Store,
        sites: &[Site],
        place: usize,
        (segment, newest): (u32, bool),
    ) -> Result<(), StoreError> {
        let suspects = Suspects::new();
        let patient = |sites| Patient {
            archive: store.archive(),
            segment,
            newest,
            sites,
            suspects: &suspects,
            gate: None,
        };
        if let Some(own) = sites.get(place..=place) {
            let (_, checked) = patient(own).examine();
            let own_medium = own.first().map(|site| site.medium);
            let digest = checked
                .first()
                .filter(|copy| copy.problems.is_empty())
                .and_then(|copy| copy.seal)
                .map(|seal| seal.digest);
            if let Some(digest) = digest {
                let others = sites.iter().filter(|site| Some(site.medium) != own_medium);
                match Agreement::of(others, segment, digest) {
                    Agreement::Same => return Ok(()),
                    Agreement::Unknown(error) => {
                        self.failed.push((segment, error.to_string()));
                        return Ok(());
                    }
                    Agreement::Another => {}
                }
            }
        }
        let healing = heal_segment(patient(sites))?;
        let Some(copy) = healing.copies.get(place) else {
            return Ok(());
        };
        match &copy.outcome {
            CopyOutcome::Whole => return Ok(()),
            CopyOutcome::Healed { bytes, .. } => self.bytes_written += bytes,
            CopyOutcome::Damaged => self
                .failed
                .push((segment, "no copy has it whole".to_owned())),
            CopyOutcome::Failed(error) => self.failed.push((segment, error.to_string())),
        }
        self.mended.push(healing);
        Ok(())
    }
}

/// What the seals of the other copies say of one that is whole by itself.
enum Agreement {
    /// It is like those that have a seal.
    Same,
    /// One has another seal.
    Another,
    /// None that can be read is like it, and one cannot be read: it may have another one. Neither may be written over the other.
    Unknown(StoreError),
}

impl Agreement {
    fn of<'a>(others: impl Iterator<Item = &'a Site>, segment: u32, digest: [u8; 32]) -> Self {
        let (mut agree, mut unread) = (0_usize, None);
        for other in others {
            match seal(&other.replica, segment) {
                Ok(Some(theirs)) if theirs.digest != digest => return Self::Another,
                Ok(Some(_)) => agree += 1,
                Ok(None) => {}
                Err(error) => unread = unread.or(Some(error)),
            }
        }
        match unread {
            Some(error) if agree == 0 => Self::Unknown(error),
            _ => Self::Same,
        }
    }
}
