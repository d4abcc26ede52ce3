//! Daily closing: the journal of each day whose trail was closed becomes a record, timestamped and exported like every other one, kept for five years.

use std::io::Cursor;
use std::sync::Arc;

use formats::audit::Outcome;
use formats::id::VersionId;
use formats::manifest::Metadata;
use sha2::{Digest, Sha256};
use time::{Date, Duration, OffsetDateTime};

use super::{JournalClosed, Standing, begin_of, day_of, day_text, journal_of, parse_day, text};
use crate::archive::{Archive, ArchiveError};
use crate::audit::closing::ClosingError;
use crate::audit::{Act, AuditFilter, AuditTrail, EventRules, NewEntry, for_each_line};
use crate::intake::{Source, SourceName};
use crate::record::deposit::DepositRequest;
use crate::record::outcome::DepositEvent;

/// The class of the records.
pub const CLASS: &str = "operation-journal";

/// A journal that was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedJournal {
    /// The day in Japan.
    pub day: Date,
    /// Its record.
    pub version: VersionId,
}

/// Closes the journals of all days that are over and whose trail was closed, from the first one behind the last journal on, or at most 40 days back. A
/// closing that was interrupted is finished by the next one, without a second record.
///
/// # Errors
/// [`ClosingError`] at the first day that cannot be closed.
pub fn close_journals(
    archive: &Arc<Archive>,
    trail: &AuditTrail,
    rules: EventRules,
    now: OffsetDateTime,
) -> Result<Vec<ClosedJournal>, ClosingError> {
    let mut closed = Vec::new();
    for day in due(archive, now)? {
        let text = text(&journal_of(archive, day, rules)?);
        let sha256 = hex::encode(Sha256::digest(&text));
        let metadata = Metadata {
            date: Some(day),
            ..Metadata::default()
        };
        let name = format!("journal-{}.txt", day_text(day));
        let version = kept(archive, (name, metadata), Cursor::new(text.into_bytes()))?;
        let facts = JournalClosed {
            day: day_text(day),
            version,
            sha256: sha256.clone(),
        };
        archive.record_event(BY, &facts)?;
        trail
            .write(entry(&facts, now))
            .map_err(ClosingError::Trail)?;
        closed.push(ClosedJournal { day, version });
    }
    Ok(closed)
}

/// Days of which the trail was closed and the journal was not.
fn due(archive: &Archive, now: OffsetDateTime) -> Result<Vec<Date>, ClosingError> {
    let standing = Standing::of_all(archive)?;
    let is_closed = |day: &Date| standing.get(day).is_some_and(|one| one.closed.is_some());
    let last = standing.keys().copied().filter(is_closed).max();
    let back = day_of(now.saturating_sub(BACK_MAX));
    let from = last.and_then(Date::next_day).unwrap_or(back).max(back);
    let filter = AuditFilter {
        from: Some(begin_of(from)),
        act: Some(Act::AuditClose.code().to_owned()),
        outcome: Some(Outcome::Done),
        ..AuditFilter::default()
    };
    let mut days = Vec::new();
    for_each_line(archive, &filter, &mut |read| {
        let day = read
            .entry
            .and_then(|entry| parse_day(entry.details.get("day")?));
        days.extend(day);
        true
    })?;
    days.retain(|day| *day >= from && *day < day_of(now) && !is_closed(day));
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

/// Takes in a text of the service about itself.
pub(super) fn kept(
    archive: &Arc<Archive>,
    (name, given): (String, Metadata),
    text: Cursor<Vec<u8>>,
) -> Result<VersionId, ClosingError> {
    let day = given.date.unwrap_or(Date::MIN);
    let request = DepositRequest {
        class: archive.classes().class(CLASS)?.clone(),
        given,
        depositor: BY.to_owned(),
        channel: CLASS.to_owned(),
    };
    let source = Source::Stream {
        name: SourceName::from_bytes(name),
        reader: Box::new(text),
    };
    // As with the trail: what somebody typed must not withhold the journal.
    let depositor = archive.depositor()?.inspecting(None);
    match depositor
        .deposit(source, &request)
        .map_err(ArchiveError::from)?
    {
        DepositEvent::Deposited(record) => Ok(record.version),
        DepositEvent::AlreadyThere { version, .. } => Ok(version),
        DepositEvent::Failed(error) => Err(ClosingError::Refused(error)),
        DepositEvent::Skipped { .. } | DepositEvent::LeftOut { .. } => {
            Err(ClosingError::Incomplete { day })
        }
    }
}

fn entry(closed: &JournalClosed, now: OffsetDateTime) -> NewEntry {
    let details = [("day", &closed.day), ("sha256", &closed.sha256)];
    let details = details.map(|(key, value)| (key.to_owned(), value.clone()));
    NewEntry {
        person: BY.to_owned(),
        client: "local".to_owned(),
        act: Act::JournalClose,
        record: Some(closed.version.to_string()),
        purpose: None,
        outcome: Outcome::Done,
        details: details.into(),
        time: now,
    }
}

/// Who closes journals.
pub(super) const BY: &str = "archiver";

/// Journals of days before are not made any more: their trails stand as they are.
const BACK_MAX: Duration = Duration::days(40);
