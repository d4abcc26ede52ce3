//! The audit excerpt of an evidence package: what happened to one version, in the order in which it happened.
//!
//! The member `META-INF/fumikura/audit.json`. It tells, and does not prove: the proof is the evidence record, and a reader who
//! finds a contradiction believes that one.

use formats::digest::DigestAlgorithm;
use formats::id::{ArchiveId, BatchId, RecordId, VersionId};
use formats::segment::TimeStampKind;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::store::catalog::BatchEntry;

/// What happened to one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditExcerpt {
    /// The archive.
    pub archive: ArchiveId,
    /// The version.
    pub version: VersionId,
    /// Whether the archive is for trying the product out.
    pub evaluation: bool,
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
        /// Whether it is evidence of the second authority.
        second: bool,
    },
    /// The evidence of the version was renewed before it could end (RFC 4998 §5).
    Renewed {
        /// The time in the token.
        at: OffsetDateTime,
        /// How.
        renewal: Renewal,
        /// The digest algorithm of the new archive timestamp.
        algorithm: DigestAlgorithm,
        /// The batch.
        batch: BatchId,
        /// The authority, by its name in the configuration.
        authority: String,
        /// How many versions, or chains of versions, share the token.
        leaves: u64,
        /// Whether it is evidence of the second authority.
        second: bool,
    },
    /// The evidence package was made.
    Exported {
        /// When.
        at: OffsetDateTime,
        /// For whom or by whom, as far as known.
        by: String,
    },
}

/// A way to renew evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// A new token over the tokens of the chain.
    TimeStamp,
    /// A new chain, under another digest algorithm, over the data and all that was there.
    HashTree,
}

impl AuditEvent {
    /// The event that an archive timestamp is.
    #[must_use]
    pub fn of_batch(batch: &BatchEntry) -> Self {
        let second = batch.track > 0;
        let renewal = match batch.kind {
            TimeStampKind::Initial => {
                return Self::Stamped {
                    at: batch.stamped_at,
                    batch: batch.batch,
                    authority: batch.tsa.clone(),
                    leaves: batch.leaf_count,
                    second,
                };
            }
            TimeStampKind::TimeStampRenewal => Renewal::TimeStamp,
            TimeStampKind::HashTreeRenewal => Renewal::HashTree,
        };
        Self::Renewed {
            at: batch.stamped_at,
            renewal,
            algorithm: batch.algorithm,
            batch: batch.batch,
            authority: batch.tsa.clone(),
            leaves: batch.leaf_count,
            second,
        }
    }

    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> OffsetDateTime {
        match self {
            Self::Deposited { at, .. }
            | Self::Stamped { at, .. }
            | Self::Renewed { at, .. }
            | Self::Exported { at, .. } => *at,
        }
    }
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
            evaluation: self.evaluation,
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
            second,
        } => Ok(Line {
            batch: Some(*batch),
            authority: Some(authority),
            leaves: Some(*leaves),
            second: *second,
            ..Line::new("stamped", *at)?
        }),
        AuditEvent::Renewed {
            at,
            renewal,
            algorithm,
            batch,
            authority,
            leaves,
            second,
        } => Ok(Line {
            renewal: Some(match renewal {
                Renewal::TimeStamp => "time-stamp",
                Renewal::HashTree => "hash-tree",
            }),
            algorithm: Some(algorithm.name()),
            batch: Some(*batch),
            authority: Some(authority),
            leaves: Some(*leaves),
            second: *second,
            ..Line::new("renewed", *at)?
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    evaluation: bool,
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
    renewal: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<BatchId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaves: Option<u64>,
    #[serde(rename = "second-authority", skip_serializing_if = "is_false")]
    second: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
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
            renewal: None,
            algorithm: None,
            batch: None,
            authority: None,
            leaves: None,
            second: false,
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
            evaluation: false,
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
                    second: false,
                },
                AuditEvent::Renewed {
                    at: datetime!(2026-12-31 00:00 UTC),
                    renewal: Renewal::HashTree,
                    algorithm: DigestAlgorithm::Sha512,
                    batch: BatchId::new(0, &[4; 10]),
                    authority: "other".into(),
                    leaves: 9,
                    second: true,
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
        assert!(value["events"][1].get("second-authority").is_none());
        assert_eq!(value["events"][2]["renewal"], "hash-tree");
        assert_eq!(value["events"][2]["algorithm"], "SHA-512");
        assert_eq!(value["events"][2]["second-authority"], true);
        assert!(value["events"][3].get("batch").is_none());
    }
}
