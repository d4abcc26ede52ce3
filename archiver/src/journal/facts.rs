//! What is recorded of journals: closed, noted, confirmed, inspected.

use std::collections::BTreeMap;

use formats::id::VersionId;
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use super::{JournalLine, day_text, parse_day};
use crate::archive::{Archive, ArchiveError};
use crate::event::{EventBody, Topic};

/// The journal of a day became a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JournalClosed {
    /// The day in Japan, `2026-11-23`.
    pub day: String,
    /// The record.
    pub version: VersionId,
    /// SHA-256 of its text, hexadecimal.
    pub sha256: String,
}

/// Somebody noted something: of this day, or after it was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JournalNoted {
    /// The day that it is about.
    pub day: String,
    /// What.
    pub text: String,
}

/// Somebody put their name to a closed journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JournalSigned {
    /// The day.
    pub day: String,
    /// SHA-256 of the text that was read.
    pub sha256: String,
    /// As what.
    pub signature: Signature,
    /// What was found; for a confirmation it may be empty.
    pub remark: String,
}

/// As what somebody signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// An administrator: so it was.
    Confirmed,
    /// An auditor, for the committee: it was looked at (JNSA 001 §4.11(3)).
    Inspected,
}

impl EventBody for JournalClosed {
    const KIND: &'static str = "journal-closed";
    const TOPIC: Topic = Topic::Records;
}

impl EventBody for JournalNoted {
    const KIND: &'static str = "journal-noted";
    const TOPIC: Topic = Topic::Records;
}

impl EventBody for JournalSigned {
    const KIND: &'static str = "journal-signed";
    const TOPIC: Topic = Topic::Records;
}

/// A signature as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Who.
    pub by: String,
    /// When.
    pub time: OffsetDateTime,
    /// As what.
    pub signature: Signature,
    /// What was found.
    pub remark: String,
}

/// What is recorded of the journal of one day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its record; `None`: the day is not closed.
    pub closed: Option<(OffsetDateTime, JournalClosed)>,
    /// What was noted, also after it was closed.
    pub notes: Vec<JournalLine>,
    /// Who signed it.
    pub signed: Vec<Signed>,
}

impl Standing {
    /// Of each day of which something is recorded.
    ///
    /// # Errors
    /// The index is damaged or not whole yet.
    pub fn of_all(archive: &Archive) -> Result<BTreeMap<Date, Self>, ArchiveError> {
        let mut days: BTreeMap<Date, Self> = BTreeMap::new();
        archive.catalog().events(Topic::Records, &mut |event| {
            if let Some(closed) = event.as_::<JournalClosed>() {
                if let Some(day) = parse_day(&closed.day) {
                    let standing = days.entry(day).or_default();
                    // A day is closed once; what a damaged clock closed again adds nothing.
                    standing.closed.get_or_insert((event.time, closed));
                }
            } else if let Some(noted) = event.as_::<JournalNoted>() {
                if let Some(day) = parse_day(&noted.day) {
                    let line = JournalLine {
                        time: event.time,
                        by: event.by.clone(),
                        ja: noted.text.clone(),
                        en: noted.text,
                    };
                    days.entry(day).or_default().notes.push(line);
                }
            } else if let Some(signed) = event.as_::<JournalSigned>()
                && let Some(day) = parse_day(&signed.day)
            {
                let signed = Signed {
                    by: event.by.clone(),
                    time: event.time,
                    signature: signed.signature,
                    remark: signed.remark,
                };
                days.entry(day).or_default().signed.push(signed);
            }
            true
        })?;
        Ok(days)
    }

    /// Of one day.
    ///
    /// # Errors
    /// As [`Standing::of_all`].
    pub fn of(archive: &Archive, day: Date) -> Result<Self, ArchiveError> {
        Ok(Self::of_all(archive)?.remove(&day).unwrap_or_default())
    }

    /// Whether somebody signed it so.
    #[must_use]
    pub fn is_signed(&self, signature: Signature) -> bool {
        self.signed.iter().any(|one| one.signature == signature)
    }
}

impl JournalNoted {
    /// A note about a day.
    #[must_use]
    pub fn new(day: Date, text: &str) -> Self {
        Self {
            day: day_text(day),
            text: text.trim().to_owned(),
        }
    }
}
