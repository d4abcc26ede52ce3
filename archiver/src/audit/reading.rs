//! Reading the trail back: forwards as it was written, or pages from the newest entry backwards.

use std::fmt;
use std::str::FromStr;

use formats::audit::{AuditEntry, ChainChecker, ChainPlace, Outcome};
use formats::id::EventId;
use time::{Duration, OffsetDateTime};

use super::AuditLines;
use crate::archive::{Archive, ArchiveError};
use crate::event::{EventBody, RecordedEvent, Topic};

/// Which entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// From this time on.
    pub from: Option<OffsetDateTime>,
    /// Before this time.
    pub to: Option<OffsetDateTime>,
    /// Of this account.
    pub person: Option<String>,
    /// Whose code begins so: `record.`, `session.refuse`.
    pub act: Option<String>,
    /// On this record or version, or what its name begins with.
    pub record: Option<String>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
}

/// One line of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLine {
    /// Its number, by its place in the trail.
    pub sequence: u64,
    /// Its exact bytes, LF included.
    pub line: Vec<u8>,
    /// What it says; `None`: it cannot be read, which a check of the chain tells in full.
    pub entry: Option<AuditEntry>,
}

/// Lines from the newest one backwards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The lines, newest first.
    pub lines: Vec<ReadLine>,
    /// Where the next page begins; `None`: there is no more. A page may hold fewer lines than were asked for, even none, and still have a next one: so one
    /// page never reads the whole trail for a filter that takes little.
    pub next: Option<PageCursor>,
}

/// Where a page ended. Its text form is for whoever asks again; entries that came meanwhile do not move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageCursor {
    /// All from this event on was read.
    event: Option<EventId>,
    /// And the lines from this one on.
    sequence: u64,
}

/// The text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadCursor;

impl AuditFilter {
    /// Whether it takes the entry.
    #[must_use]
    pub fn takes(&self, entry: &AuditEntry) -> bool {
        self.from.is_none_or(|from| entry.time >= from)
            && self.to.is_none_or(|to| entry.time < to)
            && self.person.as_ref().is_none_or(|one| entry.person == *one)
            && self
                .act
                .as_ref()
                .is_none_or(|act| entry.act.starts_with(act))
            && self.outcome.is_none_or(|one| entry.outcome == one)
            && self.record.as_ref().is_none_or(|record| {
                let of_entry = entry.record.as_ref();
                of_entry.is_some_and(|one| one.starts_with(record))
            })
    }

    /// A line that cannot be read is taken by every filter: it hides from nobody.
    fn takes_line(&self, read: &ReadLine) -> bool {
        read.entry.as_ref().is_none_or(|entry| self.takes(entry))
    }

    /// Events of this time hold only entries from before.
    fn reading_begins(&self) -> Option<u64> {
        let begin = self.from?.checked_sub(LEEWAY)?.unix_timestamp_nanos() / 1_000_000;
        u64::try_from(begin).ok()
    }
}

/// Calls `each` for all lines that the filter takes, oldest first, until it answers `false`.
///
/// What comes behind [`AuditFilter::to`] is read, too: where the clock was ahead for a time, entries of an earlier time stand behind later ones.
///
/// # Errors
/// The index is damaged or not whole yet.
pub fn for_each_line(
    archive: &Archive,
    filter: &AuditFilter,
    each: &mut dyn FnMut(ReadLine) -> bool,
) -> Result<(), ArchiveError> {
    let after = filter.reading_begins().map(|ms| EventId::new(ms, &[0; 10]));
    let catalog = archive.catalog();
    catalog.events_after(Topic::Audit, after, &mut |event| {
        let lines = lines_of(&event).into_iter();
        lines.filter(|read| filter.takes_line(read)).all(&mut *each)
    })?;
    Ok(())
}

/// At most `count_max` of the lines that the filter takes, from the newest one backwards, or from where the last page ended.
///
/// # Errors
/// As [`for_each_line`].
pub fn page(
    archive: &Archive,
    filter: &AuditFilter,
    from: Option<PageCursor>,
    count_max: usize,
) -> Result<Page, ArchiveError> {
    let mut place = from.unwrap_or(PageCursor {
        event: None,
        sequence: u64::MAX,
    });
    let mut page = Page::default();
    let mut events = 0;
    let begin = filter.reading_begins().unwrap_or(0);
    let catalog = archive.catalog();
    catalog.events_before(Topic::Audit, place.event, &mut |event| {
        if event.id.unix_ms() < begin {
            return false;
        }
        if page.lines.len() >= count_max || events == PAGE_EVENTS_MAX {
            page.next = Some(place);
            return false;
        }
        events += 1;
        for read in lines_of(&event).into_iter().rev() {
            if read.sequence >= place.sequence {
                continue;
            }
            if page.lines.len() >= count_max {
                page.next = Some(place);
                return false;
            }
            place.sequence = read.sequence;
            if filter.takes_line(&read) {
                page.lines.push(read);
            }
        }
        place.event = Some(event.id);
        true
    })?;
    Ok(page)
}

/// Where the trail of an archive ends. `None`: its last lines cannot be read, or do not hang together.
///
/// # Errors
/// As [`for_each_line`].
pub(super) fn end(archive: &Archive) -> Result<Option<ChainPlace>, ArchiveError> {
    let mut last = None;
    let catalog = archive.catalog();
    catalog.events_before(Topic::Audit, None, &mut |event| {
        last = (event.kind == AuditLines::KIND).then_some(event);
        last.is_none()
    })?;
    let Some(last) = last else {
        return Ok(Some(ChainPlace::start(archive.config().archive)));
    };
    let mut checker = ChainChecker::new(None);
    let lines = lines_of(&last);
    let whole = lines.iter().all(|read| {
        let entry = checker.line(&read.line);
        entry.is_ok_and(|entry| entry.sequence == read.sequence)
    });
    Ok(checker.end().filter(|_| whole))
}

/// The lines of an event of the topic; none, where it is another one.
fn lines_of(event: &RecordedEvent) -> Vec<ReadLine> {
    let Some(AuditLines { first, lines }) = event.as_() else {
        return Vec::new();
    };
    let numbered = (first..).zip(lines);
    numbered
        .map(|(sequence, mut text)| {
            text.push('\n');
            let line = text.into_bytes();
            let entry = AuditEntry::from_line(&line).ok();
            ReadLine {
                sequence,
                line,
                entry,
            }
        })
        .collect()
}

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(event) = self.event {
            write!(f, "{event}")?;
        }
        write!(f, ".{}", self.sequence)
    }
}

impl FromStr for PageCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (event, sequence) = text.split_once('.').ok_or(BadCursor)?;
        let event = match event {
            "" => None,
            event => Some(event.parse().map_err(|_| BadCursor)?),
        };
        let sequence = sequence.parse().map_err(|_| BadCursor)?;
        Ok(Self { event, sequence })
    }
}

impl fmt::Display for BadCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not where a page of the audit trail ended; begin anew")
    }
}

impl std::error::Error for BadCursor {}

/// How long an entry waits for its event at most, with a clock that is set back meanwhile. The id of an event is never behind its time.
const LEEWAY: Duration = Duration::days(1);

/// So many events are read for one page at most.
const PAGE_EVENTS_MAX: usize = 20_000;
