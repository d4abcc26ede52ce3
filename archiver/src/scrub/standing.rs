//! What is damaged or lost as far as it is known, until somebody finds it whole.

use std::collections::{BTreeMap, BTreeSet};

use formats::id::VersionId;
use serde::{Deserialize, Serialize};

use super::facts::{DamageFound, Scrubbed};
use crate::archive::{Archive, ArchiveError};
use crate::event::{EventBody, RecordedEvent, Topic};
use crate::store::scrub::{Finding, LossFact, ScrubMedia, ranges};

/// A person accepted that segments are lost: they are told, and are no failure any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LossAccepted {
    /// Ranges of segments, with both ends.
    pub segments: Vec<[u32; 2]>,
    /// Keys of the ledger without a record, at that time.
    pub keys_without_record: u64,
}

impl EventBody for LossAccepted {
    const KIND: &'static str = "loss-accepted";
    const TOPIC: Topic = Topic::Fixity;
}

/// What is not as it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Segments before the last one that no medium at hand has.
    pub missing: Vec<u32>,
    /// The same, where somebody accepted the loss.
    pub accepted: Vec<u32>,
    /// Keys of the ledger that belong to no record, where segments are missing: of lost records, or of deposits that were interrupted.
    pub keys_without_record: u64,
    /// Copies that the last scrub could not heal.
    pub damaged: Vec<Finding>,
    /// Places that no copy had at the last scrub.
    pub lost: Vec<LossFact>,
}

impl Standing {
    /// What stands now.
    ///
    /// # Errors
    /// [`ArchiveError`] when the index is damaged or a medium cannot be listed.
    pub fn of(archive: &Archive) -> Result<Self, ArchiveError> {
        let media = ScrubMedia::of_store(archive.store())?;
        let mut fold = Fold::default();
        archive.catalog().events(Topic::Fixity, &mut |event| {
            fold.add(&event);
            true
        })?;
        let names: BTreeSet<String> = media.media().iter().map(ToString::to_string).collect();
        let all = media.missing()?;
        let (accepted, missing): (Vec<u32>, Vec<u32>) = all
            .into_iter()
            .partition(|segment| fold.accepted.contains(segment));
        let keys_without_record = if missing.is_empty() && accepted.is_empty() {
            0
        } else {
            keys_without_record(archive)?
        };
        let damaged = fold.damaged.into_values().map(|(_, finding)| finding);
        Ok(Self {
            missing,
            accepted,
            keys_without_record,
            damaged: damaged.filter(|one| names.contains(&one.medium)).collect(),
            lost: fold.lost.into_iter().map(|(_, loss)| loss).collect(),
        })
    }

    /// Whether nothing is wrong that nobody accepted.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.missing.is_empty() && self.damaged.is_empty() && self.lost.is_empty()
    }

    /// The event with which somebody accepts that what is missing is lost.
    #[must_use]
    pub fn acceptance(&self) -> LossAccepted {
        LossAccepted {
            segments: ranges(&self.missing),
            keys_without_record: self.keys_without_record,
        }
    }
}

fn keys_without_record(archive: &Archive) -> Result<u64, ArchiveError> {
    let keys = archive.keys().ledger().versions();
    let mut keys: BTreeSet<VersionId> = keys.into_iter().collect();
    archive.catalog().for_each(&mut |hit| {
        keys.remove(&hit.version);
        true
    })?;
    Ok(keys.len() as u64)
}

/// Which run found something, and whether it read with the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    started: String,
    deep: bool,
}

/// The fold over the events of all scrubs.
#[derive(Debug, Default)]
struct Fold {
    accepted: BTreeSet<u32>,
    damaged: BTreeMap<(u32, String), (Run, Finding)>,
    lost: Vec<(Run, LossFact)>,
}

impl Fold {
    fn add(&mut self, event: &RecordedEvent) {
        if let Some(found) = event.as_::<DamageFound>() {
            self.found(found);
        } else if let Some(scrubbed) = event.as_::<Scrubbed>() {
            self.scrubbed(&scrubbed);
        } else if let Some(accepted) = event.as_::<LossAccepted>() {
            let ranges = accepted.segments.iter();
            self.accepted
                .extend(ranges.flat_map(|[first, last]| *first..=*last));
        }
    }

    fn found(&mut self, found: DamageFound) {
        let run = Run {
            started: found.started,
            deep: found.deep,
        };
        for finding in found.copies {
            let place = (finding.segment, finding.medium.clone());
            if finding.outcome == "healed" {
                self.damaged.remove(&place);
            } else {
                self.damaged.insert(place, (run.clone(), finding));
            }
        }
        // Whether a segment is missing is seen at any time.
        for loss in found.lost.into_iter().filter(|loss| !loss.is_missing()) {
            let place = |one: &LossFact| (one.segment, one.offset, one.end);
            self.lost.retain(|(_, one)| place(one) != place(&loss));
            self.lost.push((run.clone(), loss));
        }
    }

    /// The run is recorded behind what it found. What it proved to be whole, earlier runs found damaged.
    fn scrubbed(&mut self, scrubbed: &Scrubbed) {
        let own = self.damaged.values_mut().map(|(run, _)| run);
        for run in own.chain(self.lost.iter_mut().map(|(run, _)| run)) {
            if run.started == scrubbed.started {
                run.deep = scrubbed.deep;
            }
        }
        for proven in &scrubbed.proven {
            let is_whole = |segment: u32| {
                let mut sealed = proven.segments.iter();
                sealed.any(|[first, last]| (*first..=*last).contains(&segment))
                    || proven.growing.iter().any(|(number, _)| *number == segment)
            };
            let is_over = |run: &Run, segment: u32| {
                run.started != scrubbed.started && run.deep == scrubbed.deep && is_whole(segment)
            };
            self.damaged.retain(|(segment, medium), (run, _)| {
                *medium != proven.medium || !is_over(run, *segment)
            });
            self.lost.retain(|(run, loss)| !is_over(run, loss.segment));
            // What came back and is lost once more was not accepted.
            self.accepted.retain(|segment| !is_whole(*segment));
        }
    }
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
