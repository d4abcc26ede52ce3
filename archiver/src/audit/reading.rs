//! Reading the trail back: forwards as it was written, or pages from the newest entry backwards.

use std::fmt;
use std::str::FromStr;

use formats::audit::{AuditEntry, ChainChecker, ChainPlace, Outcome};
use formats::id::EventId;
use time::{Duration, OffsetDateTime};

use super::AuditLines;
use super::closing::Closing;
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
    /// On this record, whatever the version, or on this version or other object.
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
                let rest = entry
                    .record
                    .as_ref()
                    .and_then(|one| one.strip_prefix(record));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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

/// The numbers of the first and the last entry of a period: all lines between them belong together, also where the clock was wrong among them. `None`: the trail
/// has no entry of that time.
///
/// # Errors
/// As [`for_each_line`].
pub fn span(
    archive: &Archive,
    from: Option<OffsetDateTime>,
    to: Option<OffsetDateTime>,
) -> Result<Option<(u64, u64)>, ArchiveError> {
    let filter = AuditFilter {
        from,
        to,
        ..AuditFilter::default()
    };
    let mut found: Option<(u64, u64)> = None;
    for_each_line(archive, &filter, &mut |read| {
        let first = found.map_or(read.sequence, |(first, _)| first);
        found = Some((first, read.sequence));
        true
    })?;
    Ok(found)
}

/// Calls `each` for all lines of a [`span`] that was found with this `from`, in their order, until it answers `false`.
///
/// # Errors
/// As [`for_each_line`].
pub fn for_each_in(
    archive: &Archive,
    from: Option<OffsetDateTime>,
    (first, last): (u64, u64),
    each: &mut dyn FnMut(ReadLine) -> bool,
) -> Result<(), ArchiveError> {
    let filter = AuditFilter {
        from,
        ..AuditFilter::default()
    };
    let after = filter.reading_begins().map(|ms| EventId::new(ms, &[0; 10]));
    let catalog = archive.catalog();
    catalog.events_after(Topic::Audit, after, &mut |event| {
        let lines = lines_of(&event).into_iter();
        let lines = lines.filter(|read| read.sequence >= first);
        lines
            .into_iter()
            .all(|read| read.sequence <= last && each(read))
    })?;
    Ok(())
}

/// What stands behind the last closing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OpenEntries {
    /// The last closing.
    pub(super) closing: Option<Closing>,
    /// Numbers and times of the entries behind it, in their order.
    pub(super) entries: Vec<(u64, OffsetDateTime)>,
    /// They stand in events behind this one; `None`: from the first one on.
    pub(super) after: Option<EventId>,
}

/// Looks for the last closing from the newest entry backwards.
///
/// # Errors
/// As [`for_each_line`].
pub(super) fn since_closing(archive: &Archive) -> Result<OpenEntries, ArchiveError> {
    let mut open = OpenEntries::default();
    let mut is_reached = false;
    let catalog = archive.catalog();
    catalog.events_before(Topic::Audit, None, &mut |event| {
        if is_reached {
            open.after = Some(event.id);
            return false;
        }
        for read in lines_of(&event).into_iter().rev() {
            open.closing = open.closing.or_else(|| Closing::of(&read));
            if open
                .closing
                .is_some_and(|closing| read.sequence <= closing.last)
            {
                is_reached = true;
                break;
            }
            // One that cannot be read belongs to the day around it.
            let time = read
                .entry
                .map_or(OffsetDateTime::UNIX_EPOCH, |entry| entry.time);
            open.entries.push((read.sequence, time));
        }
        true
    })?;
    open.entries.reverse();
    Ok(open)
}

/// The lines of the next events behind one, at most so many events, and the last of these; `None`: there are no more.
///
/// # Errors
/// As [`for_each_line`].
pub(super) fn lines_after(
    archive: &Archive,
    after: Option<EventId>,
    events_max: usize,
) -> Result<(Vec<ReadLine>, Option<EventId>), ArchiveError> {
    let (mut lines, mut events, mut last) = (Vec::new(), 0, None);
    let catalog = archive.catalog();
    catalog.events_after(Topic::Audit, after, &mut |event| {
        lines.extend(lines_of(&event));
        events += 1;
        last = Some(event.id);
        events < events_max
    })?;
    Ok((lines, last.filter(|_| events == events_max)))
}

/// The lines of the next events behind one, at most so many events; and the last event that was read, which is the same one where there are no more.
///
/// # Errors
/// As [`for_each_line`].
pub(super) fn follow(
    archive: &Archive,
    after: Option<EventId>,
    events_max: usize,
) -> Result<Followed, ArchiveError> {
    let (mut lines, mut events, mut last) = (Vec::new(), 0, after);
    let catalog = archive.catalog();
    catalog.events_after(Topic::Audit, after, &mut |event| {
        lines.extend(lines_of(&event));
        events += 1;
        last = Some(event.id);
        events < events_max
    })?;
    Ok(Followed {
        lines,
        last,
        is_end: events < events_max,
    })
}

/// What [`follow`] read.
#[derive(Debug)]
pub(super) struct Followed {
    /// The lines.
    pub(super) lines: Vec<ReadLine>,
    /// The last event.
    pub(super) last: Option<EventId>,
    /// There is nothing behind it yet.
    pub(super) is_end: bool,
}

/// Behind this event stand all entries of a time.
pub(super) fn place_before(time: OffsetDateTime) -> Option<EventId> {
    let begin = time.checked_sub(LEEWAY)?.unix_timestamp_nanos() / 1_000_000;
    let ms = u64::try_from(begin).ok()?;
    Some(EventId::new(ms, &[0; 10]))
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
