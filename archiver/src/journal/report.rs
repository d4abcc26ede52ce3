//! The analysis of the trail of a month as a record: made by the service when the month is over, also when there is nothing to report (JNSA 001 §4.8.1(2)).

use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::Arc;

use formats::audit::Outcome;
use formats::id::VersionId;
use formats::manifest::Metadata;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::closing::{BY, kept};
use super::day_of;
use crate::archive::{Archive, ArchiveError};
use crate::audit::closing::ClosingError;
use crate::audit::{
    Act, Analyst, AuditFilter, AuditTrail, EventRules, MonthAnalysis, NewEntry, ReportMonth,
    analysis_text, for_each_in, for_each_line, span,
};
use crate::cli::lang::Lang;
use crate::event::{EventBody, Topic};

/// The analysis of a month became a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReportMade {
    /// The month in Japan, `2026-11`.
    pub month: String,
    /// The record.
    pub version: VersionId,
}

impl EventBody for ReportMade {
    const KIND: &'static str = "report-made";
    const TOPIC: Topic = Topic::Records;
}

/// The analysis of a month, as it follows from the trail now.
///
/// # Errors
/// The index is damaged or not whole yet.
pub fn analyse(
    archive: &Archive,
    month: ReportMonth,
    rules: EventRules,
) -> Result<MonthAnalysis, ArchiveError> {
    let mut analyst = Analyst::new(month, rules);
    let (from, to) = (Some(month.begin()), Some(month.end()));
    if let Some(range) = span(archive, from, to)? {
        for_each_in(archive, from, range, &mut |read| {
            analyst.line(&read);
            true
        })?;
    }
    Ok(analyst.finish())
}

/// The reports that were made.
///
/// # Errors
/// As [`analyse`].
pub fn reports(archive: &Archive) -> Result<Vec<ReportMade>, ArchiveError> {
    let mut made = Vec::new();
    archive.catalog().events(Topic::Records, &mut |event| {
        made.extend(event.as_::<ReportMade>());
        true
    })?;
    Ok(made)
}

/// Makes the reports that are due: of the last three months that are over, those that have none yet, if the trail had begun then.
///
/// # Errors
/// [`ClosingError`] at the first one that cannot be made; it is tried again.
pub fn make_reports(
    archive: &Arc<Archive>,
    trail: &AuditTrail,
    rules: EventRules,
    now: OffsetDateTime,
) -> Result<Vec<ReportMade>, ClosingError> {
    let known: BTreeSet<String> = reports(archive)?.into_iter().map(|one| one.month).collect();
    let mut made = Vec::new();
    for month in months_before(now) {
        if known.contains(&month.to_string()) || !has_begun(archive, month)? {
            continue;
        }
        let found = analyse(archive, month, rules)?;
        let text = format!(
            "{}\n{}",
            analysis_text(&found, Lang::Ja),
            analysis_text(&found, Lang::En)
        );
        let day = day_of(month.end().saturating_sub(Duration::SECOND));
        let metadata = Metadata {
            date: Some(day),
            ..Metadata::default()
        };
        let name = format!("audit-report-{month}.txt");
        let version = kept(archive, (name, metadata), Cursor::new(text.into_bytes()))?;
        let report = ReportMade {
            month: month.to_string(),
            version,
        };
        archive.record_event(BY, &report)?;
        trail
            .write(entry(&report, now))
            .map_err(ClosingError::Trail)?;
        made.push(report);
    }
    Ok(made)
}

/// The oldest first.
fn months_before(now: OffsetDateTime) -> Vec<ReportMonth> {
    let mut months = Vec::new();
    let mut month = ReportMonth::of(now);
    for _ in 0..MONTHS_BACK {
        month = ReportMonth::of(month.begin().saturating_sub(Duration::SECOND));
        months.push(month);
    }
    months.reverse();
    months
}

/// Whether the trail has an entry from before the end of the month.
fn has_begun(archive: &Archive, month: ReportMonth) -> Result<bool, ArchiveError> {
    let mut first = None;
    for_each_line(archive, &AuditFilter::default(), &mut |read| {
        first = read.entry.map(|entry| entry.time);
        first.is_none()
    })?;
    Ok(first.is_some_and(|first| first < month.end()))
}

fn entry(made: &ReportMade, now: OffsetDateTime) -> NewEntry {
    NewEntry {
        person: BY.to_owned(),
        client: "local".to_owned(),
        act: Act::ReportMake,
        record: Some(made.version.to_string()),
        purpose: None,
        outcome: Outcome::Done,
        details: [("month".to_owned(), made.month.clone())].into(),
        time: now,
    }
}

/// A service that stood still for longer makes reports of these months alone; `archiver audit report` makes any.
const MONTHS_BACK: usize = 3;
