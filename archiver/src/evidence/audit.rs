//! The audit excerpt of an evidence package: what happened to one version, in the order in which it happened.
//!
//! The member `META-INF/fumikura/audit.json`. It tells, and does not prove: the proof is the evidence record, and a reader who
//! finds a contradiction believes that one.

use formats::id::{ArchiveId, BatchId, RecordId, VersionId};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What happened to one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditExcerpt {
    /// The archive.
    pub archive: ArchiveId,
    /// The version.
    pub version: VersionId,
    /// The events, oldest first.
    pub events: Vec<AuditEvent>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditEvent {
    /// The version was taken in.
    Deposited {
        /// When it was received.
        at: OffsetDateTime,
        /// Who deposited it.
        by: String,
        /// Through which channel.
        channel: String,
    },
    /// The version became a leaf of a timestamped batch.
    Stamped {
        /// The time in the token.
        at: OffsetDateTime,
        /// The batch.
        batch: BatchId,
        /// The authority, by its name in the configuration.
        authority: String,
        /// How many versions share the token.
        leaves: u64,
    },
    /// The evidence package was made.
    Exported {
        /// When.
        at: OffsetDateTime,
        /// For whom or by whom, as far as known.
        by: String,
    },
}

impl AuditExcerpt {
    /// JSON text, indented for human readers, ending with a line feed.
    ///
    /// # Errors
    /// [`AuditError`] when a time cannot be written as RFC 3339.
    pub fn to_json(&self) -> Result<Vec<u8>, AuditError> {
        let events = self.events.iter().map(line).collect::<Result<_, _>>()?;
        let document = Document {
            schema: SCHEMA,
            archive: self.archive,
            record: self.version.record(),
            version: self.version.version(),
            events,
        };
        let mut text = serde_json::to_vec_pretty(&document).map_err(|_| AuditError)?;
        text.push(b'\n');
        Ok(text)
    }
}

/// A time outside of the years that RFC 3339 can write (0 to 9999).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditError;

impl std::fmt::Display for AuditError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a time of the audit excerpt lies outside of the years 0 to 9999")
    }
}

impl std::error::Error for AuditError {}

fn line(event: &AuditEvent) -> Result<Line<'_>, AuditError> {
    match event {
        AuditEvent::Deposited { at, by, channel } => Ok(Line {
            channel: Some(channel),
            by: Some(by),
            ..Line::new("deposited", *at)?
        }),
        AuditEvent::Stamped {
            at,
            batch,
            authority,
            leaves,
        } => Ok(Line {
            batch: Some(*batch),
            authority: Some(authority),
            leaves: Some(*leaves),
            ..Line::new("stamped", *at)?
        }),
        AuditEvent::Exported { at, by } => Ok(Line {
            by: Some(by),
            ..Line::new("exported", *at)?
        }),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    archive: ArchiveId,
    record: RecordId,
    version: u32,
    events: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<BatchId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaves: Option<u64>,
}

impl Line<'_> {
    fn new(event: &'static str, at: OffsetDateTime) -> Result<Self, AuditError> {
        Ok(Self {
            event,
            at: at
                .to_offset(time::UtcOffset::UTC)
                .format(&Rfc3339)
                .map_err(|_| AuditError)?,
            by: None,
            channel: None,
            batch: None,
            authority: None,
            leaves: None,
        })
    }
}

/// Schema id of the excerpt.
pub const SCHEMA: &str = "urn:fumikura:audit-excerpt:1";

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn an_excerpt_is_plain_json() {
        let record = RecordId::new(1_700_000_000_000, &[1; 10]);
        let excerpt = AuditExcerpt {
            archive: ArchiveId::new(0, &[2; 10]),
            version: VersionId::first(record),
            events: vec![
                AuditEvent::Deposited {
                    at: datetime!(2026-11-22 12:00 +9),
                    by: "keiri \"A\"".into(),
                    channel: "cli".into(),
                },
                AuditEvent::Stamped {
                    at: datetime!(2026-11-22 03:01 UTC),
                    batch: BatchId::new(0, &[3; 10]),
                    authority: "embedded".into(),
                    leaves: 7,
                },
                AuditEvent::Exported {
                    at: datetime!(2027-01-01 00:00 UTC),
                    by: String::new(),
                },
            ],
        };
        let text = excerpt.to_json().unwrap();
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["schema"], SCHEMA);
        assert_eq!(value["record"], record.to_string());
        assert_eq!(value["events"][0]["at"], "2026-11-22T03:00:00Z");
        assert_eq!(value["events"][0]["by"], "keiri \"A\"");
        assert_eq!(value["events"][1]["leaves"], 7);
        assert!(value["events"][2].get("batch").is_none());
    }
}
