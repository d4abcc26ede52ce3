//! The audit trail: who did what, as lines that hang together.
//!
//! Each entry is one line of canonical JSON (RFC 8785), ended by LF:
//!
//! ```text
//! {"act":"record.retrieve","client":"192.0.2.7","details":{"bytes":"4711"},"jst":"2030-04-01T09:00:00.000000+09:00",
//!  "outcome":"done","person":"sato","previous":"5f70…","purpose":"case 17","record":"0192f0c1-…/1","sequence":42,
//!  "time":"2030-04-01T00:00:00.000000Z"}
//! ```
//!
//! (without the line breaks and spaces). `sequence` counts from 1 over the whole life of an archive; `previous` is SHA-256 over the bytes of the line before,
//! LF included, and for the first one SHA-256 over `"fumikura audit trail 1"` ‖ 0x00 ‖ archive id 16. So a line that was changed, put in, taken out or moved
//! shows at the line after it, and where the trail ends is proven by whatever holds the digest of its last line: a timestamped record, or an entry after it.

mod chain;

#[cfg(test)]
mod tests;

pub use self::chain::{Break, BreakKind, ChainChecker, ChainPlace};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset};

use crate::error::{ErrorKind, FormatError, Result};
use crate::utc;

/// Most bytes of one line, LF included.
pub const ENTRY_BYTES_MAX: usize = 64 * 1024;

/// Most further facts of one entry.
pub const DETAILS_MAX: usize = 64;

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not allowed.
    Denied,
    /// It was tried, and failed.
    Failed,
}

/// One act of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number, from 1.
    pub sequence: u64,
    /// When, with microseconds.
    pub time: OffsetDateTime,
    /// The account that acted; empty where nobody was known yet (a log-in that failed names what was entered in `details`).
    pub person: String,
    /// From where: the address of the client, or `local`.
    pub client: String,
    /// What, as a code: `session.begin`, `record.retrieve`.
    pub act: String,
    /// On which record version or other object.
    pub record: Option<String>,
    /// What for, where the act asks for a purpose.
    pub purpose: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Further facts: sizes, counts, digests, ids. Never content, never a secret.
    pub details: BTreeMap<String, String>,
    /// SHA-256 of the line before.
    pub previous: [u8; 32],
}

impl AuditEntry {
    /// The line, LF included.
    ///
    /// # Errors
    /// [`ErrorKind::LimitExceeded`] for a line longer than [`ENTRY_BYTES_MAX`] or more than [`DETAILS_MAX`] facts;
    /// [`ErrorKind::InvalidTime`] for a year that RFC 3339 cannot write; [`ErrorKind::InvalidValue`] for a number that JSON does not hold.
    pub fn to_line(&self) -> Result<Vec<u8>> {
        if self.sequence == 0 || self.sequence > SEQUENCE_MAX {
            return Err(fail(ErrorKind::InvalidValue));
        }
        let form = Form {
            act: self.act.clone(),
            client: self.client.clone(),
            details: self.details.clone(),
            jst: jst(self.time)?,
            outcome: self.outcome,
            person: self.person.clone(),
            previous: hex::encode(self.previous),
            purpose: self.purpose.clone(),
            record: self.record.clone(),
            sequence: self.sequence,
            time: utc::to_text(self.time)?,
        };
        let mut line =
            serde_json_canonicalizer::to_vec(&form).map_err(|_| fail(ErrorKind::NotEncodable))?;
        line.push(b'\n');
        if line.len() > ENTRY_BYTES_MAX || self.details.len() > DETAILS_MAX {
            return Err(fail(ErrorKind::LimitExceeded));
        }
        Ok(line)
    }

    /// Reads a line, LF included. Only what [`AuditEntry::to_line`] writes is one.
    ///
    /// # Errors
    /// [`FormatError`] with what is wrong: too long, no LF, no JSON of this form, not canonical, times that contradict each other.
    pub fn from_line(line: &[u8]) -> Result<Self> {
        if line.len() > ENTRY_BYTES_MAX {
            return Err(fail(ErrorKind::LimitExceeded));
        }
        let text = line
            .strip_suffix(b"\n")
            .ok_or_else(|| fail(ErrorKind::Truncated))?;
        let form: Form = serde_json::from_slice(text).map_err(|_| fail(ErrorKind::InvalidJson))?;
        let mut previous = [0; 32];
        hex::decode_to_slice(&form.previous, &mut previous)
            .map_err(|_| fail(ErrorKind::InvalidText))?;
        let entry = Self {
            sequence: form.sequence,
            time: utc::from_text(&form.time)?,
            person: form.person,
            client: form.client,
            act: form.act,
            record: form.record,
            purpose: form.purpose,
            outcome: form.outcome,
            details: form.details,
            previous,
        };
        // The time in JST, the letter case of the digest and everything else has one form.
        if entry.to_line()? == line {
            Ok(entry)
        } else {
            Err(fail(ErrorKind::NotCanonical))
        }
    }
}

/// The JSON of an entry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    act: String,
    client: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<String, String>,
    jst: String,
    outcome: Outcome,
    person: String,
    previous: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record: Option<String>,
    sequence: u64,
    time: String,
}

/// The time as the people who read it know it: Japan Standard Time, nine hours ahead of UTC, without summer time.
fn jst(time: OffsetDateTime) -> Result<String> {
    let offset = UtcOffset::from_hms(9, 0, 0).map_err(|_| fail(ErrorKind::InvalidTime))?;
    let there = time
        .checked_to_offset(offset)
        .ok_or_else(|| fail(ErrorKind::InvalidTime))?;
    // The same digits as if they were of UTC, and the offset in place of the Z.
    let mut text = utc::to_text(there.replace_offset(UtcOffset::UTC))?;
    text.pop();
    text.push_str("+09:00");
    Ok(text)
}

const fn fail(kind: ErrorKind) -> FormatError {
    FormatError::new(kind, STRUCTURE)
}

const STRUCTURE: &str = "audit entry";

/// RFC 8785 §3.2.2.3: the largest integer that a JSON number holds exactly.
const SEQUENCE_MAX: u64 = (1 << 53) - 1;
