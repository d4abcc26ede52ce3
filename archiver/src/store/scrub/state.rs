//! What a run has done so far, kept on disk: a run that is killed goes on where it was.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::offset;

use super::ParityMending;
use crate::store::durable::{self, Disk};
use crate::store::heal::{CopyHealing, CopyOutcome, HealSource, Loss, SegmentHealing};
use crate::store::{FixityProblem, StoreError};

/// The file: at most one run, under way or not recorded yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScrubState {
    /// The run.
    pub run: Option<RunState>,
    /// The part that the service reads next, from 1.
    #[serde(default)]
    pub next_part: Option<u32>,
    /// The day on which the service last finished a part.
    #[serde(default)]
    pub part_day: Option<String>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunState {
    /// When it began (RFC 3339).
    pub started: String,
    /// Whether contents are decrypted, too.
    pub deep: bool,
    /// Which segments were asked for, in words.
    pub selection: String,
    /// Segments that are still to be read, as ranges with both ends, in the order in which they are read.
    pub todo: Vec<[u32; 2]>,
    /// Segments that were read.
    pub done: Vec<SegmentDone>,
    /// Bytes read.
    pub bytes: u64,
    /// Copies that were not whole.
    pub findings: Vec<Finding>,
    /// What could not be healed.
    pub losses: Vec<LossFact>,
}

/// A segment that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentDone {
    /// Its number.
    pub segment: u32,
    /// The media whose copy is whole.
    pub whole: Vec<String>,
    /// Up to where it was read, when it has no seal yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u64>,
}

/// A copy that was not whole, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// The segment.
    pub segment: u32,
    /// The medium's id.
    pub medium: String,
    /// What was wrong, and where: at most 64.
    pub problems: Vec<ProblemFact>,
    /// `healed`, `damaged` or `failed`.
    pub outcome: String,
    /// From what it was healed: a medium's id, `frames` or `parity`; or why it could not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Bytes written.
    pub bytes: u64,
    /// Up to when it is known that it was whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_proven: Option<String>,
}

/// Something wrong in a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemFact {
    /// What.
    pub kind: String,
    /// Where in the file.
    pub offset: u64,
}

/// Bytes that no copy has any more, or a record whose content is not what was deposited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossFact {
    /// The segment.
    pub segment: u32,
    /// Where they begin.
    pub offset: u64,
    /// Where they end.
    pub end: u64,
    /// Whose they were, as far as it is known: `RECORD/VERSION`.
    pub records: Vec<String>,
    /// What is wrong, where it is more than bytes that are damaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl LossFact {
    /// A segment that no medium at hand has.
    #[must_use]
    pub fn missing(segment: u32) -> Self {
        Self {
            segment,
            offset: 0,
            end: u64::MAX,
            records: Vec::new(),
            text: Some(MISSING.to_owned()),
        }
    }

    /// Whether the whole segment is on no medium.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.text.as_deref() == Some(MISSING)
    }
}

impl ScrubState {
    /// Reads the file. One that is absent or damaged is an empty one: what it held is done again.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Writes the file, durably.
    ///
    /// # Errors
    /// Errors of writing.
    pub fn write(&self, disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
        let failed = |error: io::Error| StoreError::io("writing", path, path, error);
        let bytes = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        durable::replace_file(disk, path, &bytes).map_err(failed)
    }
}

impl RunState {
    /// A run that has read nothing.
    #[must_use]
    pub fn new(started: OffsetDateTime, deep: bool, selection: String, chosen: &[u32]) -> Self {
        Self {
            started: rfc3339(started),
            deep,
            selection,
            todo: ranges(chosen),
            done: Vec::new(),
            bytes: 0,
            findings: Vec::new(),
            losses: Vec::new(),
        }
    }

    /// The segment that is read next.
    #[must_use]
    pub fn next(&self) -> Option<u32> {
        self.todo.first().map(|[first, _]| *first)
    }

    /// Segments that are still to be read.
    #[must_use]
    pub fn left(&self) -> Vec<u32> {
        self.todo.iter().flat_map(|[a, b]| *a..=*b).collect()
    }

    /// The first segment to be read is done.
    pub fn finish_next(&mut self) {
        let Some([first, last]) = self.todo.first_mut() else {
            return;
        };
        if first == last {
            self.todo.remove(0);
        } else {
            *first += 1;
        }
    }

    /// Notes what examining, and healing, a segment told.
    pub fn note(&mut self, healing: &SegmentHealing) {
        let whole = healing.copies.iter().filter(|copy| copy.outcome.is_whole());
        let is_sealed = healing.copies.iter().any(|copy| copy.sealed);
        let committed = whole.clone().map(|copy| copy.committed).min();
        self.done.push(SegmentDone {
            segment: healing.segment,
            whole: whole.map(|copy| copy.medium.to_string()).collect(),
            end: if is_sealed { None } else { committed },
        });
        self.bytes += healing.copies.iter().map(|copy| copy.bytes).sum::<u64>();
        self.note_findings(healing);
    }

    /// Notes only what was wrong.
    pub fn note_findings(&mut self, healing: &SegmentHealing) {
        let damaged = healing.copies.iter();
        let damaged = damaged.filter(|copy| !copy.problems.is_empty());
        self.findings
            .extend(damaged.map(|copy| finding(healing.segment, copy)));
        self.losses.extend(healing.losses.iter().map(loss_fact));
    }

    /// Notes parity that was damaged, or could not be made.
    pub fn note_parity(&mut self, segment: u32, mendings: &[ParityMending]) {
        for mending in mendings {
            let (outcome, source, bytes) = match &mending.made {
                Some(Ok(_)) if !mending.was_damaged => continue,
                Some(Ok(bytes)) => ("healed", Some("the segment".to_owned()), *bytes),
                Some(Err(error)) => ("failed", Some(error.to_string()), 0),
                None => ("damaged", None, 0),
            };
            self.findings.push(Finding {
                segment,
                medium: mending.medium.to_string(),
                problems: vec![ProblemFact {
                    kind: "parity".to_owned(),
                    offset: 0,
                }],
                outcome: outcome.to_owned(),
                source,
                bytes,
                last_proven: None,
            });
        }
    }

    /// Notes the segments that no medium has, and no others.
    pub fn note_missing(&mut self, missing: &[u32]) {
        self.losses.retain(|loss| !loss.is_missing());
        self.losses
            .extend(missing.iter().map(|&segment| LossFact::missing(segment)));
    }

    /// Whether everything that was read is whole now.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.losses.is_empty() && self.findings.iter().all(|one| one.outcome == "healed")
    }
}

fn loss_fact(loss: &Loss) -> LossFact {
    LossFact {
        segment: loss.address.segment,
        offset: loss.address.offset,
        end: loss.end,
        records: loss.version.iter().map(ToString::to_string).collect(),
        text: None,
    }
}

fn finding(segment: u32, copy: &CopyHealing) -> Finding {
    let (outcome, source, bytes) = match &copy.outcome {
        CopyOutcome::Whole => ("healed", None, 0),
        CopyOutcome::Healed { bytes, source } => ("healed", Some(source_name(*source)), *bytes),
        CopyOutcome::Damaged => ("damaged", None, 0),
        CopyOutcome::Failed(error) => ("failed", Some(error.to_string()), 0),
    };
    let fact = |problem: &FixityProblem| ProblemFact {
        kind: problem.kind.name().to_owned(),
        offset: problem.offset,
    };
    Finding {
        segment,
        medium: copy.medium.to_string(),
        problems: copy.problems.iter().take(PROBLEMS_MAX).map(fact).collect(),
        outcome: outcome.to_owned(),
        source,
        bytes,
        last_proven: None,
    }
}

fn source_name(source: HealSource) -> String {
    match source {
        HealSource::Medium(medium) => medium.to_string(),
        HealSource::Frames => "frames".to_owned(),
        HealSource::Parity => "parity".to_owned(),
    }
}

/// A time in UTC, as text.
#[must_use]
pub fn rfc3339(time: OffsetDateTime) -> String {
    let time = time.to_offset(offset!(UTC));
    time.format(&Rfc3339).unwrap_or_default()
}

/// Numbers as ranges, in their order.
#[must_use]
pub fn ranges(numbers: &[u32]) -> Vec<[u32; 2]> {
    let mut ranges: Vec<[u32; 2]> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some([_, last]) if last.checked_add(1) == Some(number) => *last = number,
            _ => ranges.push([number, number]),
        }
    }
    ranges
}

/// What is said of a segment that no medium has.
const MISSING: &str = "no medium at hand has this segment";

/// Most problems that are named of one copy.
const PROBLEMS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::store::durable::faults::{Fault, FaultyDisk, Outcome};

    #[test]
    fn a_run_is_written_and_goes_on_and_a_damaged_file_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.scrub.json");
        let started = datetime!(2026-11-22 03:48:30 UTC);
        let mut run = RunState::new(started, false, "1/30".to_owned(), &[1, 2, 3, 7, 9]);
        assert_eq!(run.todo, [[1, 3], [7, 7], [9, 9]]);
        assert_eq!(run.left(), [1, 2, 3, 7, 9]);
        for expected in [1, 2, 3, 7] {
            assert_eq!(run.next(), Some(expected));
            run.finish_next();
        }
        let state = ScrubState {
            run: Some(run),
            next_part: Some(2),
            part_day: None,
        };
        let disk = FaultyDisk::new();
        state.write(disk.as_ref(), &path).unwrap();
        assert_eq!(ScrubState::read(&path), state);
        // A fault leaves what was there.
        disk.arm(Fault {
            call: None,
            path: String::new(),
            after: 2,
            sticky: true,
            error: io::ErrorKind::Other,
            outcome: Outcome::Torn(3),
        });
        assert!(ScrubState::default().write(disk.as_ref(), &path).is_err());
        assert_eq!(ScrubState::read(&path), state);
        for bad in ["", "{", "{\"run\":1}", "{\"other\":1}"] {
            disk.heal();
            durable::replace_file(disk.as_ref(), &path, bad.as_bytes()).unwrap();
            assert_eq!(ScrubState::read(&path), ScrubState::default(), "{bad}");
        }
    }
}
