//! Making the journal of a day from the trail and the events of the archive.

use std::collections::BTreeMap;

use formats::audit::{AuditEntry, Outcome};
use formats::id::EventId;
use time::{Date, Duration, OffsetDateTime};

use super::lines::{Item, of_entry, of_event, of_notice};
use super::{Journal, JournalLine, SessionSpan, Standing, WorkCount, begin_of};
use crate::archive::{Archive, ArchiveError};
use crate::audit::{Act, AuditFilter, EventDetector, EventRules, Notice, ReadLine, for_each_line};
use crate::event::Topic;

/// The journal of a day as it follows from what is in the archive now.
///
/// # Errors
/// The index is damaged or not whole yet.
pub fn journal_of(
    archive: &Archive,
    day: Date,
    rules: EventRules,
) -> Result<Journal, ArchiveError> {
    let (begin, end) = (begin_of(day), begin_of(day).saturating_add(Duration::DAY));
    let mut maker = Maker::new(archive.config().archive.to_string(), day, rules);
    let filter = AuditFilter {
        from: Some(begin),
        ..AuditFilter::default()
    };
    let mut is_of_day = false;
    for_each_line(archive, &filter, &mut |read| {
        let time = read.entry.as_ref().map(|entry| entry.time);
        // A line that cannot be read belongs to the day around it.
        is_of_day = time.map_or(is_of_day, |time| time < end);
        maker.line(&read, is_of_day);
        // Behind a later day nothing of this one follows, but where the clock was wrong by a day.
        time.is_none_or(|time| time < end.saturating_add(Duration::DAY))
    })?;
    for topic in [
        Topic::Media,
        Topic::Keys,
        Topic::Fixity,
        Topic::Configuration,
    ] {
        let catalog = archive.catalog();
        catalog.events_after(topic, event_before(begin), &mut |event| {
            if (begin..end).contains(&event.time)
                && let Some((item, line)) = of_event(&event)
            {
                maker.put(item, line);
            }
            // Ids may run ahead of their times where the clock was set back, by a day at most.
            event.time < end.saturating_add(Duration::DAY)
        })?;
    }
    let mut journal = maker.finish();
    let standing = Standing::of(archive, day)?;
    // What was noted after the closing is not in it: the journal is the same whenever it is made again.
    let until = standing.closed.map_or(end, |(at, _)| at).min(end);
    let notes = standing.notes.into_iter();
    journal.notes = notes.filter(|note| note.time < until).collect();
    Ok(journal)
}

fn event_before(time: OffsetDateTime) -> Option<EventId> {
    let ms = (time - Duration::DAY).unix_timestamp_nanos() / 1_000_000;
    let ms = u64::try_from(ms).ok()?;
    Some(EventId::new(ms, &[0; 10]))
}

/// Puts lines where they belong.
#[derive(Debug)]
pub(super) struct Maker {
    journal: Journal,
    detector: EventDetector,
    work: BTreeMap<String, WorkCount>,
}

impl Maker {
    pub(super) fn new(archive: String, day: Date, rules: EventRules) -> Self {
        Self {
            journal: Journal {
                archive,
                day,
                entries: None,
                sessions: Vec::new(),
                settings: Vec::new(),
                logs: Vec::new(),
                backups: Vec::new(),
                errors: Vec::new(),
                work: Vec::new(),
                notes: Vec::new(),
            },
            detector: EventDetector::new(rules),
            work: BTreeMap::new(),
        }
    }

    /// The next line of the trail. One of another day among those of this one is looked at for gaps alone.
    pub(super) fn line(&mut self, read: &ReadLine, is_of_day: bool) {
        let mut kinds = self.detector.check(read);
        if !is_of_day {
            return;
        }
        let first = self
            .journal
            .entries
            .map_or(read.sequence, |(first, _)| first);
        self.journal.entries = Some((first, read.sequence));
        if let Some(entry) = &read.entry {
            kinds.extend(self.detector.entry(entry));
            self.session(entry);
            self.count(entry);
            if let Some((item, line)) = of_entry(entry) {
                self.put(item, line);
            }
        }
        for kind in kinds {
            let notice = Notice::of(kind, read.sequence, read.entry.as_ref());
            if let Some(line) = of_notice(&notice) {
                self.put(Item::Errors, line);
            }
        }
    }

    pub(super) fn put(&mut self, item: Item, line: JournalLine) {
        let lines = match item {
            Item::Settings => &mut self.journal.settings,
            Item::Logs => &mut self.journal.logs,
            Item::Backups => &mut self.journal.backups,
            Item::Errors => &mut self.journal.errors,
        };
        lines.push(line);
    }

    pub(super) fn finish(mut self) -> Journal {
        let journal = &mut self.journal;
        for lines in [
            &mut journal.settings,
            &mut journal.logs,
            &mut journal.backups,
            &mut journal.errors,
        ] {
            lines.sort_by_key(|line| line.time);
        }
        journal.work = self.work.into_values().collect();
        self.journal
    }

    fn session(&mut self, entry: &AuditEntry) {
        if entry.outcome != Outcome::Done {
            return;
        }
        let sessions = &mut self.journal.sessions;
        if entry.act == Act::SessionBegin.code() {
            sessions.push(SessionSpan {
                person: entry.person.clone(),
                client: entry.client.clone(),
                begun: Some(entry.time),
                ended: None,
            });
        } else if entry.act == Act::SessionEnd.code() {
            let is_it = |one: &&mut SessionSpan| {
                one.ended.is_none() && one.person == entry.person && one.client == entry.client
            };
            match sessions.iter_mut().rev().find(is_it) {
                Some(session) => session.ended = Some(entry.time),
                None => sessions.push(SessionSpan {
                    person: entry.person.clone(),
                    client: entry.client.clone(),
                    begun: None,
                    ended: Some(entry.time),
                }),
            }
        }
    }

    fn count(&mut self, entry: &AuditEntry) {
        // Codes come from this program alone; one of another version is counted like the others.
        let work = self.work.entry(entry.act.clone());
        let work = work.or_insert_with(|| WorkCount {
            act: entry.act.clone(),
            done: 0,
            denied: 0,
            failed: 0,
        });
        let count = match entry.outcome {
            Outcome::Done => &mut work.done,
            Outcome::Denied => &mut work.denied,
            Outcome::Failed => &mut work.failed,
        };
        *count = count.saturating_add(1);
    }
}
