//! Daily closing: the lines of each finished day become one record, which is timestamped and exported as every other one (JNSA 001 §4.11(2), kept for five years).
//!
//! The days are those of Japan. A day without entries makes no record: numbers go on from the last line of one record to the first line of the next, so nothing
//! can be missing between them, and the record says which day was closed before it. Each closing is itself an entry ([`Act::AuditClose`]) that names the record
//! and the digest of its last line.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use formats::audit::{ChainPlace, Outcome};
use formats::id::{EventId, VersionId};
use formats::manifest::Metadata;
use time::macros::{format_description, offset};
use time::{Date, OffsetDateTime};

use super::reading::{lines_after, since_closing};
use super::{Act, AuditError, AuditTrail, NewEntry, ReadLine};
use crate::archive::{Archive, ArchiveError};
use crate::intake::{IntakeError, Source, SourceName};
use crate::record::deposit::DepositRequest;
use crate::record::outcome::DepositEvent;

/// The class of the records.
pub const CLASS: &str = "audit-trail";

/// The last closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    /// The day that was closed.
    pub day: Date,
    /// The number of its last entry.
    pub last: u64,
}

/// A finished day that is not closed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueDay {
    /// The day in Japan.
    pub day: Date,
    /// Its first entry.
    pub first: u64,
    /// Its last one.
    pub last: u64,
    /// The day that was closed before it.
    pub before: Option<Date>,
}

/// A day that was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedDay {
    /// Which.
    pub due: DueDay,
    /// The record with its lines.
    pub version: VersionId,
    /// Where its lines end.
    pub end: ChainPlace,
}

/// Why a day could not be closed. It is tried again at the next closing.
#[derive(Debug)]
pub enum ClosingError {
    /// The archive, its index or a medium.
    Archive(ArchiveError),
    /// The entry that says so could not be written.
    Trail(AuditError),
    /// The record could not be taken in.
    Refused(IntakeError),
    /// The lines of a day are not all there, or its record was passed by. Rebuild the index.
    Incomplete {
        /// The day.
        day: Date,
    },
}

/// Which days are to be closed now: those with entries behind the last closing that are over. `entries` are the numbers and times of all entries behind it, in
/// their order.
///
/// Entries of one day stand together, also where the clock was wrong: one with a time of the future, or earlier than the day that is being filled, belongs to that
/// day.
#[must_use]
pub fn due(
    last: Option<Closing>,
    entries: &[(u64, OffsetDateTime)],
    now: OffsetDateTime,
) -> Vec<DueDay> {
    let today = day_of(now);
    let is_over = |(_, time): &&(u64, OffsetDateTime)| day_of(*time) < today;
    let Some(finished) = entries.iter().rposition(|entry| is_over(&entry)) else {
        return Vec::new();
    };
    let finished = entries.get(..=finished).unwrap_or_default();
    let mut days: Vec<DueDay> = Vec::new();
    let first = finished.iter().find(is_over).map(|(_, time)| day_of(*time));
    let mut running = last.map(|last| last.day).max(first);
    for (number, time) in finished {
        let day = Some(day_of(*time)).filter(|day| *day < today).max(running);
        running = day;
        let Some(day) = day else {
            continue;
        };
        match days.last_mut() {
            Some(filled) if filled.day == day => filled.last = *number,
            filled => {
                let before = filled.map(|filled| filled.day);
                days.push(DueDay {
                    day,
                    first: *number,
                    last: *number,
                    before: before.or(last.map(|last| last.day)),
                });
            }
        }
    }
    days
}

/// Closes all days that are due: a record for each, and an entry that says so. A closing that was interrupted is finished by the next one, without a second record.
///
/// # Errors
/// [`ClosingError`] at the first day that cannot be closed.
pub fn close_days(
    archive: &Arc<Archive>,
    trail: &AuditTrail,
    now: OffsetDateTime,
) -> Result<Vec<ClosedDay>, ClosingError> {
    let open = since_closing(archive)?;
    let mut closed = Vec::new();
    for due in due(open.closing, &open.entries, now) {
        let (version, end) = deposit(archive, open.after, due)?;
        let day = ClosedDay { due, version, end };
        trail.write(entry(&day, now)).map_err(ClosingError::Trail)?;
        closed.push(day);
    }
    Ok(closed)
}

fn deposit(
    archive: &Arc<Archive>,
    after: Option<EventId>,
    due: DueDay,
) -> Result<(VersionId, ChainPlace), ClosingError> {
    let incomplete = || ClosingError::Incomplete { day: due.day };
    // The metadata names the digest of the last line, so the lines are read once before they are read for the record.
    let mut lines = DayLines::new(Arc::clone(archive), after, due);
    let mut end = None;
    while let Some(line) = lines.next_line()? {
        end = Some(ChainPlace::behind(line.sequence, &line.line));
    }
    let end = end
        .filter(|end| end.sequence == due.last)
        .ok_or_else(incomplete)?;
    let request = DepositRequest {
        class: archive.classes().class(CLASS)?.clone(),
        given: metadata(due, end),
        depositor: BY.to_owned(),
        channel: CHANNEL.to_owned(),
    };
    let source = Source::Stream {
        name: SourceName::from_bytes(file_name(due)),
        reader: Box::new(DayLines::new(Arc::clone(archive), after, due)),
    };
    // Its own lines are not scanned: what somebody typed would withhold the trail, and a scanner that is down would stop it.
    let depositor = archive.depositor()?.inspecting(None);
    let told = depositor.deposit(source, &request);
    match told.map_err(ArchiveError::from)? {
        DepositEvent::Deposited(record) => Ok((record.version, end)),
        DepositEvent::AlreadyThere { version, .. } => Ok((version, end)),
        DepositEvent::Failed(error) => Err(ClosingError::Refused(error)),
        DepositEvent::Skipped { .. } | DepositEvent::LeftOut { .. } => Err(incomplete()),
    }
}

fn metadata(due: DueDay, end: ChainPlace) -> Metadata {
    let mut additional = vec![
        ("first-entry".to_owned(), due.first.to_string()),
        ("last-entry".to_owned(), due.last.to_string()),
        ("last-line-sha256".to_owned(), hex::encode(end.digest)),
    ];
    if let Some(before) = due.before {
        additional.push(("day-before".to_owned(), day_text(before)));
    }
    Metadata {
        date: Some(due.day),
        additional: additional.into_iter().collect(),
        ..Metadata::default()
    }
}

/// `audit-2026-11-23.jsonl`; what is put to a day that was closed already names its first entry, too.
fn file_name(due: DueDay) -> String {
    let day = day_text(due.day);
    if due.before == Some(due.day) {
        format!("audit-{day}-{}.jsonl", due.first)
    } else {
        format!("audit-{day}.jsonl")
    }
}

fn entry(closed: &ClosedDay, now: OffsetDateTime) -> NewEntry {
    let details = [
        (DAY, day_text(closed.due.day)),
        (FIRST, closed.due.first.to_string()),
        (LAST, closed.due.last.to_string()),
        ("last-line-sha256", hex::encode(closed.end.digest)),
    ];
    let details = details.map(|(key, value)| (key.to_owned(), value));
    NewEntry {
        person: BY.to_owned(),
        client: "local".to_owned(),
        act: Act::AuditClose,
        record: Some(closed.version.to_string()),
        purpose: None,
        outcome: Outcome::Done,
        details: details.into(),
        time: now,
    }
}

impl Closing {
    /// What an entry says of a closing; `None`: it is about something else.
    #[must_use]
    pub fn of(read: &ReadLine) -> Option<Self> {
        let entry = read.entry.as_ref()?;
        if entry.act != Act::AuditClose.code() || entry.outcome != Outcome::Done {
            return None;
        }
        let day = entry.details.get(DAY)?;
        Some(Self {
            day: Date::parse(day, format_description!("[year]-[month]-[day]")).ok()?,
            last: entry.details.get(LAST)?.parse().ok()?,
        })
    }
}

/// The lines of a day as a stream, a few events at a time.
struct DayLines {
    archive: Arc<Archive>,
    after: Option<EventId>,
    due: DueDay,
    waiting: VecDeque<ReadLine>,
    /// What of the line that is being read is left.
    rest: io::Cursor<Vec<u8>>,
    is_over: bool,
}

impl DayLines {
    fn new(archive: Arc<Archive>, after: Option<EventId>, due: DueDay) -> Self {
        Self {
            archive,
            after,
            due,
            waiting: VecDeque::new(),
            rest: io::Cursor::default(),
            is_over: false,
        }
    }

    fn next_line(&mut self) -> Result<Option<ReadLine>, ArchiveError> {
        while self.waiting.is_empty() && !self.is_over {
            let (lines, after) = lines_after(&self.archive, self.after, EVENTS_AT_ONCE)?;
            self.is_over = after.is_none()
                || lines
                    .last()
                    .is_some_and(|line| line.sequence >= self.due.last);
            self.after = after;
            let of_day = self.due.first..=self.due.last;
            let lines = lines.into_iter();
            self.waiting = lines
                .filter(|line| of_day.contains(&line.sequence))
                .collect();
        }
        Ok(self.waiting.pop_front())
    }
}

impl Read for DayLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let taken = self.rest.read(buffer)?;
            if taken > 0 || buffer.is_empty() {
                return Ok(taken);
            }
            match self.next_line() {
                Ok(Some(line)) => self.rest = io::Cursor::new(line.line),
                Ok(None) => return Ok(0),
                Err(error) => return Err(io::Error::other(error.to_string())),
            }
        }
    }
}

impl fmt::Display for ClosingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(error) => error.fmt(f),
            Self::Trail(error) => error.fmt(f),
            Self::Refused(error) => f.write_str(&error.text(crate::cli::lang::Lang::En)),
            Self::Incomplete { day } => write!(
                f,
                "the lines of {day} are not all in the index: rebuild it, and the day is closed then"
            ),
        }
    }
}

impl std::error::Error for ClosingError {}

impl<E: Into<ArchiveError>> From<E> for ClosingError {
    fn from(error: E) -> Self {
        Self::Archive(error.into())
    }
}

fn day_of(time: OffsetDateTime) -> Date {
    time.to_offset(offset!(+9)).date()
}

fn day_text(day: Date) -> String {
    let (year, month, day) = day.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

const DAY: &str = "day";
const FIRST: &str = "first-entry";
const LAST: &str = "last-entry";

/// Who closes days.
const BY: &str = "archiver";

const CHANNEL: &str = "audit-trail";

/// Events that are held at a time: a few megabytes at most.
const EVENTS_AT_ONCE: usize = 16;

#[cfg(test)]
#[path = "closing_tests.rs"]
mod tests;
