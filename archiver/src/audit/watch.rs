//! The trail as it grows: the events that are to be reported, from the moment they stand in it until somebody answered for them.
//!
//! The watch reads what was made durable, not what is about to be: an event is told once it is proven, and one that happened while the service was being
//! stopped is found by the next start. Answers are entries themselves ([`Act::EventAnswer`]), so what is open follows from the trail alone.

use std::collections::BTreeMap;

use formats::audit::{AuditEntry, Outcome};
use formats::id::EventId;
use time::{Duration, OffsetDateTime};

use super::detector::{EventDetector, EventRules, Notice};
use super::reading::{Followed, follow, place_before};
use super::{Act, ReadLine};
use crate::archive::{Archive, ArchiveError};

/// Reads the trail on, and knows what is open.
#[derive(Debug)]
pub struct TrailWatch {
    detector: EventDetector,
    /// What stands behind this event was not read yet.
    after: Option<EventId>,
    /// The number of the last entry that was read.
    read: u64,
    /// Events of entries up to this one were told already.
    told: u64,
    /// Events from before were never told, and are not any more.
    told_since: OffsetDateTime,
    open: OpenEvents,
    /// What was found and not asked for yet.
    news: Vec<Notice>,
}

/// Events for which nobody answered yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenEvents {
    /// By entry, the newest 2,000.
    events: BTreeMap<u64, Vec<Notice>>,
    /// So many older ones are not held.
    pub left_out: u64,
    /// The trail was read up to its end.
    pub is_whole: bool,
}

impl TrailWatch {
    /// Begins 35 days before `now`. Events of the last day are told, unless [`TrailWatch::told_up_to`] knows more.
    #[must_use]
    pub fn new(rules: EventRules, now: OffsetDateTime) -> Self {
        let begin = now.saturating_sub(OPEN_FOR);
        Self {
            detector: EventDetector::new(rules),
            after: place_before(begin),
            read: 0,
            told: 0,
            told_since: now.saturating_sub(Duration::DAY),
            open: OpenEvents::default(),
            news: Vec::new(),
        }
    }

    /// Events of entries up to this one were told before, and all behind it were not. To be called before anything is read.
    pub fn told_up_to(&mut self, told: u64) {
        self.told = told;
        self.told_since = OffsetDateTime::UNIX_EPOCH;
    }

    /// Reads some of what came since the last time.
    ///
    /// # Errors
    /// The index is damaged or not whole yet.
    pub fn follow(&mut self, archive: &Archive) -> Result<(), ArchiveError> {
        let Followed {
            lines,
            last,
            is_end,
        } = follow(archive, self.after, EVENTS_AT_ONCE)?;
        self.after = last;
        self.open.is_whole = is_end;
        self.take(&lines);
        Ok(())
    }

    /// Takes in the next lines.
    pub fn take(&mut self, lines: &[ReadLine]) {
        for line in lines {
            let mut kinds = self.detector.check(line);
            if let Some(entry) = &line.entry {
                kinds.extend(self.detector.entry(entry));
                self.open.answer(entry);
            }
            self.read = line.sequence;
            let entry = line.entry.as_ref();
            let notices: Vec<Notice> = kinds
                .into_iter()
                .map(|kind| Notice::of(kind, line.sequence, entry))
                .collect();
            if notices.is_empty() {
                continue;
            }
            let is_late = entry.is_some_and(|entry| entry.time < self.told_since);
            if line.sequence > self.told && !is_late {
                self.news.extend(notices.iter().cloned());
            }
            self.open.add(line.sequence, notices);
        }
    }

    /// What is to be told since the last time that this was asked.
    pub fn take_news(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.news)
    }

    /// What is open.
    #[must_use]
    pub const fn open(&self) -> &OpenEvents {
        &self.open
    }

    /// The number of the last entry that was read.
    #[must_use]
    pub const fn read(&self) -> u64 {
        self.read
    }
}

impl OpenEvents {
    /// All of them, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Notice> {
        self.events.values().rev().flatten()
    }

    /// Those of one entry; empty, where there are none or somebody answered.
    #[must_use]
    pub fn of(&self, sequence: u64) -> &[Notice] {
        self.events.get(&sequence).map_or(&[], Vec::as_slice)
    }

    /// How many entries have open events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.left_out == 0
    }

    fn add(&mut self, sequence: u64, notices: Vec<Notice>) {
        self.events.insert(sequence, notices);
        if self.events.len() > OPEN_MAX {
            self.events.pop_first();
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// An answer closes the events of the entries that it names.
    fn answer(&mut self, entry: &AuditEntry) {
        if entry.act != Act::EventAnswer.code() || entry.outcome != Outcome::Done {
            return;
        }
        for number in answered(entry) {
            self.events.remove(&number);
        }
    }
}

/// The numbers of the entries that an answer names.
pub(super) fn answered(entry: &AuditEntry) -> impl Iterator<Item = u64> {
    let named = entry.details.get(ANSWERED).map(String::as_str);
    let numbers = named.unwrap_or_default().split_ascii_whitespace();
    numbers.filter_map(|number| number.parse().ok())
}

/// The fact of an answer that names the entries.
pub(crate) const ANSWERED: &str = "entries";

/// Open events of so long ago stand in the analysis of their month alone.
const OPEN_FOR: Duration = Duration::days(35);

/// So many entries with open events are held.
const OPEN_MAX: usize = 2_000;

/// Events of the archive that are read at a time; each holds what was written within some milliseconds.
const EVENTS_AT_ONCE: usize = 512;

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
