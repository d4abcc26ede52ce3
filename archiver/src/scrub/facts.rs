//! The events of a scrub.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::archive::{Archive, ArchiveError};
use crate::event::{EventBody, Topic};
use crate::store::scrub::{Finding, LossFact, RunState, ranges, rfc3339};

/// What a run read and found whole: one event for each act, however much it read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Scrubbed {
    /// When it began (RFC 3339): everything it proved was whole at this time or later.
    pub started: String,
    /// When it ended.
    pub ended: String,
    /// Whether contents were decrypted and compared with their manifests.
    pub deep: bool,
    /// Which segments were asked for.
    pub selection: String,
    /// Whether all of them were read.
    pub complete: bool,
    /// Bytes read, over all media.
    pub bytes: u64,
    /// What is whole, by medium. Of a deep scrub: segments whose record versions are.
    pub proven: Vec<Proven>,
    /// Copies of segments that were not whole.
    pub damaged: u64,
    /// How many of them are whole now.
    pub healed: u64,
    /// Places that no copy has any more.
    pub lost: u64,
}

/// What is whole on one medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// The medium's id.
    pub medium: String,
    /// Ranges of segments, with both ends.
    pub segments: Vec<[u32; 2]>,
    /// Segments that had no seal yet, with the end of what was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub growing: Vec<(u32, u64)>,
}

/// Damages, what became of them, and what is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DamageFound {
    /// When the run began.
    pub started: String,
    /// Whether it read with the keys: only such a run finds whole again what they found damaged.
    #[serde(default)]
    pub deep: bool,
    /// Copies that were not whole; at most 256 in one event.
    pub copies: Vec<Finding>,
    /// What could not be healed; at most 256 in one event.
    pub lost: Vec<LossFact>,
}

impl EventBody for Scrubbed {
    const KIND: &'static str = "scrubbed";
    const TOPIC: Topic = Topic::Fixity;
}

impl EventBody for DamageFound {
    const KIND: &'static str = "damage-found";
    const TOPIC: Topic = Topic::Fixity;
}

impl Scrubbed {
    /// The facts of a run.
    #[must_use]
    pub fn of(run: &RunState, ended: time::OffsetDateTime) -> Self {
        let mut media: BTreeMap<&str, WholeSegments> = BTreeMap::new();
        for done in &run.done {
            for medium in &done.whole {
                let (sealed, growing) = media.entry(medium).or_default();
                match done.end {
                    Some(end) => growing.push((done.segment, end)),
                    None => sealed.push(done.segment),
                }
            }
        }
        let proven = media.into_iter().map(|(medium, (mut sealed, growing))| {
            sealed.sort_unstable();
            sealed.dedup();
            Proven {
                medium: medium.to_owned(),
                segments: ranges(&sealed),
                growing,
            }
        });
        let healed = run.findings.iter().filter(|one| one.outcome == "healed");
        Self {
            started: run.started.clone(),
            ended: rfc3339(ended),
            deep: run.deep,
            selection: run.selection.clone(),
            complete: run.todo.is_empty(),
            bytes: run.bytes,
            proven: proven.collect(),
            damaged: run.findings.len() as u64,
            healed: healed.count() as u64,
            lost: run.losses.len() as u64,
        }
    }
}

/// Losses in the portions of one event each: few enough, and not too long with the names of their records.
fn batches(losses: &[LossFact]) -> Vec<&[LossFact]> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, loss) in losses.iter().enumerate() {
        let own: usize = loss.records.iter().map(|record| record.len() + 8).sum();
        let is_full = at - start >= FACTS_MAX || bytes + own > EVENT_NAMES_BYTES_MAX;
        if is_full && at > start {
            batches.extend(losses.get(start..at));
            (start, bytes) = (at, 0);
        }
        bytes += own;
    }
    batches.extend(losses.get(start..).filter(|last| !last.is_empty()));
    batches
}

/// Records a run in the archive, which is open for writing.
///
/// # Errors
/// Those of recording.
pub fn record(archive: &Archive, run: &RunState, by: &str) -> Result<(), ArchiveError> {
    let mut copies = run.findings.chunks(FACTS_MAX);
    let mut lost = batches(&run.losses).into_iter();
    loop {
        let facts = (copies.next(), lost.next());
        if facts == (None, None) {
            break;
        }
        let found = DamageFound {
            started: run.started.clone(),
            deep: run.deep,
            copies: facts.0.unwrap_or_default().to_vec(),
            lost: facts.1.unwrap_or_default().to_vec(),
        };
        archive.record_event(by, &found)?;
    }
    if !run.done.is_empty() {
        let now = archive.environment().clock.now();
        archive.record_event(by, &Scrubbed::of(run, now))?;
    }
    Ok(())
}

/// What is whole on one medium: sealed segments, and growing ones with the end of what was read.
type WholeSegments = (Vec<u32>, Vec<(u32, u64)>);

/// Most findings in one event.
const FACTS_MAX: usize = 256;

/// Most bytes of record names in one event: a frame holds four times as much.
const EVENT_NAMES_BYTES_MAX: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scrub::losses::unname;

    fn loss(segment: u32, records: usize, bytes: usize) -> LossFact {
        let name = "n".repeat(bytes);
        LossFact {
            records: (0..records)
                .map(|one| format!("{one}/1 ({name})"))
                .collect(),
            ..LossFact::missing(segment)
        }
    }

    #[test]
    fn losses_are_recorded_in_events_that_fit_into_frames() {
        assert!(batches(&[]).is_empty());
        let few: Vec<LossFact> = (0..600).map(|segment| loss(segment, 1, 10)).collect();
        let sizes: Vec<usize> = batches(&few).iter().map(|one| one.len()).collect();
        assert_eq!(sizes, [256, 256, 88]);
        let long: Vec<LossFact> = (0..9).map(|segment| loss(segment, 1000, 1500)).collect();
        let parts = batches(&long);
        assert_eq!(
            parts.iter().map(|one| one.len()).collect::<Vec<_>>(),
            [2, 2, 2, 2, 1]
        );
        for part in parts {
            let text = serde_json::to_vec(part).expect("facts are JSON");
            assert!(text.len() < 2 * EVENT_NAMES_BYTES_MAX);
        }
        // One alone goes into an event of its own, however long.
        assert_eq!(batches(&[loss(1, 4096, 2000)]).len(), 1);
    }

    #[test]
    fn a_loss_without_names_has_the_ids_still() {
        let mut losses = [loss(1, 2, 5)];
        unname(&mut losses);
        unname(&mut losses);
        assert_eq!(losses[0].records, ["0/1", "1/1"]);
    }
}
