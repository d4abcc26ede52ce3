//! The label of a medium: `MEDIUM.json`, canonical JSON (RFC 8785) at the root of each medium.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::{ErrorKind, FormatError, Result};
use crate::id::{ArchiveId, MediumId};

/// Name of the label's file.
pub const LABEL_FILE: &str = "MEDIUM.json";

/// Name of the file with the text of the format.
pub const SPECIFICATION_FILE: &str = "SPEC.md";

/// The schema id of the label.
pub const SCHEMA: &str = "urn:fumikura:medium:1";

/// Most bytes of a label. One written here has about 400.
pub const LABEL_BYTES_MAX: usize = 64 * 1024;

/// What a medium is for. Data and keys never share a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediumRole {
    /// Segments.
    Data,
    /// The key ledger and the sealed key-encryption keys.
    Keys,
}

/// The label of a medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediumLabel {
    /// The medium's id.
    pub medium: MediumId,
    /// The archive that the medium belongs to.
    pub archive: ArchiveId,
    /// What it is for.
    pub role: MediumRole,
    /// Its number among the archive's media of this role, from 1. It is what people write on the case.
    pub number: u32,
    /// When the label was written.
    pub created_at: OffsetDateTime,
    /// Classification of what it holds, in the words of its owner. Empty when there is none.
    pub classification: String,
    /// Bytes that the file system holds in all.
    pub capacity_bytes: u64,
    /// Whether the archive is a trial: keys and data may then share a device.
    pub evaluation: bool,
    /// Version of the format of what stands on the medium.
    pub format_version: u16,
}

impl MediumLabel {
    /// Makes the text of the label.
    ///
    /// # Errors
    /// [`ErrorKind::NotEncodable`] for a capacity that a JSON number does not hold exactly, or a year outside of 0 to 9999.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let not_encodable = FormatError::new(ErrorKind::NotEncodable, STRUCTURE);
        if self.capacity_bytes > JSON_INTEGER_MAX {
            return Err(not_encodable);
        }
        let created_at = self
            .created_at
            .format(&Rfc3339)
            .map_err(|_| not_encodable)?;
        let members = Members {
            schema: SCHEMA.to_owned(),
            medium: self.medium,
            archive: self.archive,
            role: self.role,
            number: self.number,
            created_at,
            classification: self.classification.clone(),
            capacity_bytes: self.capacity_bytes,
            evaluation: self.evaluation,
            format_version: self.format_version,
        };
        let mut text = serde_json_canonicalizer::to_vec(&members).map_err(|_| not_encodable)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads the text of a label. The line end after it may be absent; unknown members are refused.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidText`] for what is no such JSON, [`ErrorKind::WrongType`] for another schema, [`ErrorKind::InvalidTime`],
    /// [`ErrorKind::LimitExceeded`] for a text longer than [`LABEL_BYTES_MAX`].
    pub fn parse(text: &[u8]) -> Result<Self> {
        if text.len() > LABEL_BYTES_MAX {
            return Err(FormatError::new(ErrorKind::LimitExceeded, STRUCTURE));
        }
        let members: Members = serde_json::from_slice(text)
            .map_err(|_| FormatError::new(ErrorKind::InvalidText, STRUCTURE))?;
        if members.schema != SCHEMA {
            return Err(FormatError::new(ErrorKind::WrongType, STRUCTURE));
        }
        let created_at = OffsetDateTime::parse(&members.created_at, &Rfc3339)
            .map_err(|_| FormatError::new(ErrorKind::InvalidTime, STRUCTURE))?;
        Ok(Self {
            medium: members.medium,
            archive: members.archive,
            role: members.role,
            number: members.number,
            created_at,
            classification: members.classification,
            capacity_bytes: members.capacity_bytes,
            evaluation: members.evaluation,
            format_version: members.format_version,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Members {
    schema: String,
    medium: MediumId,
    archive: ArchiveId,
    role: MediumRole,
    number: u32,
    created_at: String,
    classification: String,
    capacity_bytes: u64,
    evaluation: bool,
    format_version: u16,
}

/// The largest integer that each JSON reader holds exactly (RFC 7493 §2.2).
const JSON_INTEGER_MAX: u64 = (1 << 53) - 1;

const STRUCTURE: &str = "MEDIUM.json";

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn label() -> MediumLabel {
        MediumLabel {
            medium: MediumId::new(1, &[1; 10]),
            archive: ArchiveId::new(2, &[2; 10]),
            role: MediumRole::Data,
            number: 1,
            created_at: datetime!(2026-11-22 03:48:30.123456 UTC),
            classification: "社外秘".to_owned(),
            capacity_bytes: 1_000_000_000_000,
            evaluation: true,
            format_version: 1,
        }
    }

    #[test]
    fn label_round_trips() {
        let text = label().encode().unwrap();
        assert_eq!(MediumLabel::parse(&text).unwrap(), label());
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("{\"archive\":"), "{text}");
        assert!(text.ends_with("}\n"));
    }

    #[test]
    fn bad_labels_are_refused() {
        let text = String::from_utf8(label().encode().unwrap()).unwrap();
        let bad = [
            (String::new(), ErrorKind::InvalidText),
            (text.replace("medium:1", "medium:2"), ErrorKind::WrongType),
            (text.replace("\"data\"", "\"tape\""), ErrorKind::InvalidText),
            (text.replace('{', "{\"x\":1,"), ErrorKind::InvalidText),
            (text.replace("2026-", "26-"), ErrorKind::InvalidTime),
            (
                text.replace("\"number\":1", "\"number\":-1"),
                ErrorKind::InvalidText,
            ),
            (
                text + &" ".repeat(LABEL_BYTES_MAX),
                ErrorKind::LimitExceeded,
            ),
        ];
        for (text, kind) in bad {
            assert_eq!(
                MediumLabel::parse(text.as_bytes()).unwrap_err().kind(),
                kind
            );
        }
        let mut large = label();
        large.capacity_bytes = 1 << 53;
        assert!(large.encode().is_err());
    }
}
