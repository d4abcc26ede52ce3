//! Reading what is stored again, before somebody needs it: every byte of every copy against CRC32C and the digests of the segments.
//!
//! No key is needed, and no lock: sealed segments never change, and the one that grows is read up to its last commit mark. So a scrub and
//! a writer do not wait for each other. Only to put something right the media are locked, for as long as one segment takes; it is then
//! examined again, since what was found without a lock may have been a file that was just being replaced.
//!
//! Each copy is read once, from its start to its end, from the medium and not from the page cache, with a window of 1 MiB in memory.

mod pace;
mod run;
mod select;
mod state;
mod suspect;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::id::{ArchiveId, MediumId};
use formats::segment::{Frame, SegmentHeader};
use time::OffsetDateTime;

use super::durable::{self, DirectoryLock, Disk};
use super::heal::{Patient, SegmentHealing, Site, Suspects, heal_segment};
use super::parity::{self, ParityState, ParityStrength};
use super::presence::{Present, Survey};
use super::replica::Replica;
use super::walk::{Copy, Gate};
use super::{Store, StoreError, heal, lock};

pub use super::heal::heal_replica;
pub use pace::{Hours, Meter, Pace, Sleeper, SystemSleeper};
pub use run::Scrub;
pub use select::{PARTS_MAX, Quantity, Selection, bytes, part_of};
pub use state::{
    Finding, LossFact, ProblemFact, RunState, ScrubState, SegmentDone, ranges, rfc3339,
};
pub use suspect::Suspect;

/// The data media of an archive, as a scrub sees them: not locked.
#[derive(Debug, Clone)]
pub struct ScrubMedia {
    archive: ArchiveId,
    sites: Vec<Site>,
    /// Directories that hold no medium in service.
    pub absent: Vec<PathBuf>,
}

/// A segment on the media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredSegment {
    /// Its number.
    pub segment: u32,
    /// Bytes of all its copies.
    pub bytes: u64,
}

/// What became of the parity of a segment on one medium.
#[derive(Debug)]
pub struct ParityMending {
    /// The medium.
    pub medium: MediumId,
    /// Whether there was one, and it was damaged or of another file.
    pub was_damaged: bool,
    /// The bytes of a new one; `None` when none was made.
    pub made: Option<Result<u64, StoreError>>,
}

impl ScrubMedia {
    /// Recognises the media that are in service.
    ///
    /// # Errors
    /// [`StoreError::MediumMissing`] when there is none at all.
    pub fn open(
        directories: &[PathBuf],
        archive: ArchiveId,
        disk: &Arc<dyn Disk>,
    ) -> Result<Self, StoreError> {
        let survey = Survey::of(directories, archive, None, OffsetDateTime::UNIX_EPOCH);
        let site = |present: &Present| Site {
            medium: present.medium,
            replica: Arc::new(Replica::of(present, disk)),
        };
        let sites: Vec<Site> = survey.in_service.iter().map(site).collect();
        let absent = survey.problems.into_iter().map(|problem| problem.directory);
        let absent = absent.collect();
        if sites.is_empty() {
            let directory = directories.first().cloned().unwrap_or_default();
            return Err(StoreError::MediumMissing { directory });
        }
        Ok(Self {
            archive,
            sites,
            absent,
        })
    }

    /// The media of an open store.
    ///
    /// # Errors
    /// Errors of reading the labels.
    pub fn of_store(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            archive: store.archive(),
            sites: heal::sites(store)?,
            absent: Vec::new(),
        })
    }

    /// The media.
    #[must_use]
    pub fn media(&self) -> Vec<MediumId> {
        self.sites.iter().map(|site| site.medium).collect()
    }

    /// The directory of a medium.
    #[must_use]
    pub fn directory(&self, medium: MediumId) -> Option<&Path> {
        let site = self.sites.iter().find(|site| site.medium == medium)?;
        Some(&site.replica.directory)
    }

    /// Locks the media against everybody else, until what is answered is dropped.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process uses one.
    pub fn lock(&self) -> Result<Vec<DirectoryLock>, StoreError> {
        let sites = self.sites.iter();
        sites
            .map(|site| lock(&site.replica.directory, true))
            .collect()
    }

    /// All segments, on whichever medium, in order.
    ///
    /// # Errors
    /// [`StoreError::Io`] when a directory cannot be read.
    pub fn segments(&self) -> Result<Vec<StoredSegment>, StoreError> {
        let mut found = std::collections::BTreeMap::<u32, u64>::new();
        for site in &self.sites {
            for (segment, bytes) in site.replica.segments()? {
                *found.entry(segment).or_default() += bytes;
            }
        }
        let segments = found.into_iter();
        Ok(segments
            .map(|(segment, bytes)| StoredSegment { segment, bytes })
            .collect())
    }

    /// Segments before the last one that no medium at hand has: numbers are given without gaps, from 1 on. At most 4096 are listed.
    ///
    /// # Errors
    /// [`StoreError::Io`] when a directory cannot be read.
    pub fn missing(&self) -> Result<Vec<u32>, StoreError> {
        self.missing_from(1)
    }

    /// As [`ScrubMedia::missing`], of those from `first` on.
    ///
    /// # Errors
    /// As there.
    pub fn missing_from(&self, first: u32) -> Result<Vec<u32>, StoreError> {
        // The last one first: what is begun meanwhile is no gap.
        let newest = self.newest()?;
        let present: std::collections::BTreeSet<u32> =
            self.segments()?.iter().map(|one| one.segment).collect();
        let missing = (first.max(1)..newest).filter(|segment| !present.contains(segment));
        Ok(missing.take(MISSING_MAX).collect())
    }

    /// When a segment was begun, as its header says on the first medium that has it whole.
    #[must_use]
    pub fn begun(&self, segment: u32) -> Option<OffsetDateTime> {
        let mut sites = self.sites.iter();
        sites.find_map(|site| {
            let file = site.replica.open(segment).ok()??;
            let mut copy = Copy::new(file).ok()?;
            let bytes = copy.bytes(0, SegmentHeader::FRAME_BYTES).ok()?;
            match Frame::parse(bytes) {
                Ok(Frame::SegmentHeader(header)) => Some(header.created_at),
                Ok(_) | Err(_) => None,
            }
        })
    }

    /// Reads every copy of a segment at a pace. Nothing is changed.
    ///
    /// # Errors
    /// [`StoreError::Io`] when a directory cannot be read.
    pub fn examine(&self, segment: u32, pace: &Pace) -> Result<SegmentHealing, StoreError> {
        let newest = self.newest()?;
        let gate = pace.gate();
        let none = Suspects::new();
        let patient = self.patient(segment, newest, &none, Some(&gate));
        let (_, checked) = patient.examine();
        Ok(patient.found(&checked))
    }

    /// Reads every copy of a segment, and calls those damaged in which the keys showed frames to be wrong.
    pub(super) fn examine_with(
        &self,
        segment: u32,
        suspects: &[Suspect],
    ) -> Result<SegmentHealing, StoreError> {
        let newest = self.newest()?;
        let suspects = suspect::confirmed(&self.sites, segment, suspects);
        let patient = self.patient(segment, newest, &suspects, None);
        let (_, checked) = patient.examine();
        Ok(patient.found(&checked))
    }

    /// Examines every copy of a segment again and puts right what can be. The caller holds the locks, or the store.
    ///
    /// # Errors
    /// [`StoreError::Io`] when a directory cannot be read.
    pub fn heal(&self, segment: u32, suspects: &[Suspect]) -> Result<SegmentHealing, StoreError> {
        let newest = self.newest()?;
        let suspects = suspect::confirmed(&self.sites, segment, suspects);
        heal_segment(self.patient(segment, newest, &suspects, None))
    }

    /// Sealed segments that lack their parity on some medium. Nothing is read.
    ///
    /// # Errors
    /// [`StoreError::Io`] when a directory cannot be read.
    pub fn without_parity(&self) -> Result<Vec<u32>, StoreError> {
        let newest = self.newest()?;
        let mut lacking = Vec::new();
        for StoredSegment { segment, .. } in self.segments()? {
            let lacks = |site: &Site| !parity::path(&site.replica, segment).exists();
            if segment < newest && self.sites.iter().any(lacks) {
                lacking.push(segment);
            }
        }
        Ok(lacking)
    }

    /// Looks at the parity of a sealed segment, and makes it where it is absent or damaged and the segment is whole. Answers what was wrong on
    /// each medium and what became of it; nothing for a medium on which all is well, or a segment that still grows.
    ///
    /// # Errors
    /// [`StoreError::Io`] when a directory cannot be read.
    pub fn mend_parity(
        &self,
        segment: u32,
        strength: Option<ParityStrength>,
        heal: bool,
        pace: &Pace,
    ) -> Result<Vec<ParityMending>, StoreError> {
        let mut mendings = Vec::new();
        if segment >= self.newest()? {
            return Ok(mendings);
        }
        let gate = pace.gate();
        for site in &self.sites {
            let Some(file) = site.replica.open(segment)? else {
                continue;
            };
            let path = site.replica.path(segment);
            let bytes = file.metadata().map(|metadata| metadata.len());
            let bytes = bytes.map_err(|error| site.replica.error("reading", &path, error))?;
            let (replica, archive) = (&site.replica, self.archive);
            let state = ParityState::of(replica, archive, segment, bytes, Some(&gate));
            let was_damaged = match state {
                ParityState::Whole => continue,
                ParityState::Absent if strength.is_none() => continue,
                ParityState::Absent => false,
                ParityState::Damaged => true,
            };
            let made = match strength {
                Some(strength) if heal => Some(parity::make(
                    replica,
                    archive,
                    segment,
                    strength,
                    Some(&gate),
                )),
                _ => None,
            };
            mendings.push(ParityMending {
                medium: site.medium,
                was_damaged,
                made,
            });
        }
        Ok(mendings)
    }

    /// Files under the name of a segment that are another segment's, behind the last one of all: copies in a wrong place. They get another
    /// name, since the archive could not be opened for writing with them. The caller holds the locks. Answers the new names.
    ///
    /// # Errors
    /// Errors of reading and renaming.
    pub fn set_strays_aside(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut moved = Vec::new();
        for (site, segment) in self.strays()? {
            let path = site.replica.path(segment);
            let aside = durable::set_aside(site.replica.disk(), &path)
                .map_err(|error| site.replica.error("renaming", &path, error))?;
            moved.push(aside);
        }
        Ok(moved)
    }

    /// Where such files are, looked at without locks.
    ///
    /// # Errors
    /// Errors of reading.
    pub fn stray_files(&self) -> Result<Vec<PathBuf>, StoreError> {
        let strays = self.strays()?.into_iter();
        Ok(strays
            .map(|(site, segment)| site.replica.path(segment))
            .collect())
    }

    fn strays(&self) -> Result<Vec<(&Site, u32)>, StoreError> {
        let newest = self.newest()?;
        let mut strays = Vec::new();
        for site in &self.sites {
            for (segment, _) in site.replica.segments()? {
                if segment > newest && self.header(site, segment)?.is_some() {
                    strays.push((site, segment));
                }
            }
        }
        Ok(strays)
    }

    fn patient<'a>(
        &'a self,
        segment: u32,
        newest: u32,
        suspects: &'a Suspects,
        gate: Option<&'a Gate>,
    ) -> Patient<'a> {
        Patient {
            archive: self.archive,
            segment,
            newest: segment >= newest,
            sites: &self.sites,
            suspects,
            gate,
        }
    }

    /// The last segment whose header names it, on any medium.
    fn newest(&self) -> Result<u32, StoreError> {
        let mut newest = 0;
        for site in &self.sites {
            for (segment, _) in site.replica.segments()?.into_iter().rev() {
                if segment <= newest {
                    break;
                }
                // A file without a whole header is the beginning of a new segment, or a damaged one.
                if self
                    .header(site, segment)?
                    .is_none_or(|number| number == segment)
                {
                    newest = segment;
                    break;
                }
            }
        }
        Ok(newest)
    }

    /// The number in the header of a segment's file; 0 for another archive's.
    fn header(&self, site: &Site, segment: u32) -> Result<Option<u32>, StoreError> {
        let Some(file) = site.replica.open(segment)? else {
            return Ok(None);
        };
        let path = site.replica.path(segment);
        let failed = |error| site.replica.error("reading", &path, error);
        let mut copy = Copy::new(file).map_err(failed)?;
        let Ok(bytes) = copy.bytes(0, SegmentHeader::FRAME_BYTES) else {
            return Ok(None);
        };
        Ok(match Frame::parse(bytes) {
            Ok(Frame::SegmentHeader(header)) if header.archive == self.archive => {
                Some(header.segment)
            }
            Ok(Frame::SegmentHeader(_)) => Some(0),
            Ok(_) | Err(_) => None,
        })
    }
}

/// Most missing segments that are listed.
const MISSING_MAX: usize = 4096;
