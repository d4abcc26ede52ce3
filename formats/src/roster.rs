//! Which data media make up an archive, and which of them are out of service: `replicas.json`, canonical JSON (RFC 8785).
//!
//! It stands on each data medium and on the key medium. The one with the highest generation counts: a medium that was away while
//! the archive went on without it has a lower one, and is known by it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::{ErrorKind, FormatError, Result};
use crate::id::{ArchiveId, MediumId};
use crate::segment::FrameAddress;

/// Name of the roster's file.
pub const ROSTER_FILE: &str = "replicas.json";

/// The schema id of the roster.
pub const SCHEMA: &str = "urn:fumikura:replicas:1";

/// Most bytes of a roster. One of eight media has about 2000.
pub const ROSTER_BYTES_MAX: usize = 64 * 1024;

/// Most media of an archive.
pub const MEMBERS_MAX: usize = 64;

/// The data media of an archive at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// The archive.
    pub archive: ArchiveId,
    /// Grows by at least one with each change.
    pub generation: u64,
    /// When it was written.
    pub written_at: OffsetDateTime,
    /// The media, in the order in which they joined.
    pub members: Vec<RosterMember>,
}

/// One data medium of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterMember {
    /// The medium.
    pub medium: MediumId,
    /// Since when and why nothing is written to it. `None`: it is in service.
    pub out: Option<OutOfService>,
}

/// Since when, from where on and why a medium is out of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfService {
    /// When it was put out of service.
    pub since: OffsetDateTime,
    /// What stands before this address was committed while it was in service. It may lack everything behind.
    pub from: FrameAddress,
    /// Why.
    pub cause: OutCause,
}

/// Why a medium was put out of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutCause {
    /// It was full.
    Full,
    /// A write or a synchronisation failed.
    Failed,
    /// It could only be read.
    ReadOnly,
    /// It was not mounted when the archive was opened.
    Absent,
    /// It could not be read when the archive was opened.
    Unreadable,
    /// It was behind the others by whole segments: an old copy.
    Behind,
    /// It held other bytes than the others where both were committed.
    Diverged,
    /// It is being prepared, or somebody took it out.
    Operator,
}

impl Roster {
    /// The member with this id.
    #[must_use]
    pub fn member(&self, medium: MediumId) -> Option<&RosterMember> {
        self.members.iter().find(|member| member.medium == medium)
    }

    /// Whether the medium is one that each commit must reach.
    #[must_use]
    pub fn is_in_service(&self, medium: MediumId) -> bool {
        self.member(medium)
            .is_some_and(|member| member.out.is_none())
    }

    /// The media that each commit must reach.
    pub fn in_service(&self) -> impl Iterator<Item = MediumId> + '_ {
        self.members
            .iter()
            .filter(|member| member.out.is_none())
            .map(|member| member.medium)
    }

    /// Makes the text of the roster.
    ///
    /// # Errors
    /// [`ErrorKind::NotEncodable`] for a generation or an offset that a JSON number does not hold exactly, a year outside of 0 to 9999,
    /// or more than [`MEMBERS_MAX`] members.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let not_encodable = FormatError::new(ErrorKind::NotEncodable, STRUCTURE);
        let fits = |number: u64| number <= JSON_INTEGER_MAX;
        let mut members = Vec::new();
        for member in &self.members {
            if !member.out.is_none_or(|out| fits(out.from.offset)) {
                return Err(not_encodable);
            }
            members.push(MemberForm {
                medium: member.medium,
                out: member.out.map(OutForm::of).transpose()?,
            });
        }
        if !fits(self.generation) || members.len() > MEMBERS_MAX {
            return Err(not_encodable);
        }
        let form = Form {
            schema: SCHEMA.to_owned(),
            archive: self.archive,
            generation: self.generation,
            written_at: text_of(self.written_at)?,
            members,
            checksum: 0,
        };
        let mut text = form.summed()?.canonical()?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads the text of a roster. Unknown members are refused.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidText`] for what is no such JSON, [`ErrorKind::WrongType`] for another schema, [`ErrorKind::ChecksumMismatch`]
    /// for changed text, [`ErrorKind::InvalidTime`], [`ErrorKind::DuplicateElement`] for a medium that stands twice,
    /// [`ErrorKind::LimitExceeded`].
    pub fn parse(text: &[u8]) -> Result<Self> {
        let failed = |kind| FormatError::new(kind, STRUCTURE);
        if text.len() > ROSTER_BYTES_MAX {
            return Err(failed(ErrorKind::LimitExceeded));
        }
        let form: Form =
            serde_json::from_slice(text).map_err(|_| failed(ErrorKind::InvalidText))?;
        if form.schema != SCHEMA {
            return Err(failed(ErrorKind::WrongType));
        }
        let checksum = form.checksum;
        let form = form.summed()?;
        if form.checksum != checksum {
            return Err(failed(ErrorKind::ChecksumMismatch));
        }
        if form.members.len() > MEMBERS_MAX {
            return Err(failed(ErrorKind::LimitExceeded));
        }
        let mut roster = Self {
            archive: form.archive,
            generation: form.generation,
            written_at: time_of(&form.written_at)?,
            members: Vec::new(),
        };
        for member in form.members {
            if roster.member(member.medium).is_some() {
                return Err(failed(ErrorKind::DuplicateElement));
            }
            roster.members.push(RosterMember {
                medium: member.medium,
                out: member.out.map(OutForm::value).transpose()?,
            });
        }
        Ok(roster)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Form {
    schema: String,
    archive: ArchiveId,
    generation: u64,
    written_at: String,
    members: Vec<MemberForm>,
    checksum: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct MemberForm {
    medium: MediumId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    out: Option<OutForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct OutForm {
    since: String,
    from_segment: u32,
    from_offset: u64,
    cause: OutCause,
}

impl Form {
    /// With the checksum over its canonical text, in which the checksum is 0.
    fn summed(mut self) -> Result<Self> {
        self.checksum = 0;
        self.checksum = crc32c::crc32c(&self.canonical()?);
        Ok(self)
    }

    fn canonical(&self) -> Result<Vec<u8>> {
        serde_json_canonicalizer::to_vec(self)
            .map_err(|_| FormatError::new(ErrorKind::NotEncodable, STRUCTURE))
    }
}

impl OutForm {
    fn of(out: OutOfService) -> Result<Self> {
        Ok(Self {
            since: text_of(out.since)?,
            from_segment: out.from.segment,
            from_offset: out.from.offset,
            cause: out.cause,
        })
    }

    fn value(self) -> Result<OutOfService> {
        Ok(OutOfService {
            since: time_of(&self.since)?,
            from: FrameAddress::new(self.from_segment, self.from_offset),
            cause: self.cause,
        })
    }
}

fn text_of(time: OffsetDateTime) -> Result<String> {
    time.format(&Rfc3339)
        .map_err(|_| FormatError::new(ErrorKind::NotEncodable, STRUCTURE))
}

fn time_of(text: &str) -> Result<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| FormatError::new(ErrorKind::InvalidTime, STRUCTURE))
}

/// The largest integer that each JSON reader holds exactly (RFC 7493 §2.2).
const JSON_INTEGER_MAX: u64 = (1 << 53) - 1;

const STRUCTURE: &str = "replicas.json";

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn roster() -> Roster {
        let now = datetime!(2026-11-22 03:48:30 UTC);
        Roster {
            archive: ArchiveId::new(2, &[2; 10]),
            generation: 7,
            written_at: now,
            members: vec![
                RosterMember {
                    medium: MediumId::new(1, &[1; 10]),
                    out: None,
                },
                RosterMember {
                    medium: MediumId::new(1, &[2; 10]),
                    out: Some(OutOfService {
                        since: now,
                        from: FrameAddress::new(3, 115),
                        cause: OutCause::ReadOnly,
                    }),
                },
            ],
        }
    }

    #[test]
    fn rosters_round_trip() {
        let text = roster().encode().unwrap();
        let read = Roster::parse(&text).unwrap();
        assert_eq!(read, roster());
        assert_eq!(read.in_service().count(), 1);
        assert!(!read.is_in_service(MediumId::new(1, &[2; 10])));
        assert!(!read.is_in_service(MediumId::new(9, &[2; 10])));
    }

    #[test]
    fn changed_text_is_refused() {
        let good = String::from_utf8(roster().encode().unwrap()).unwrap();
        for (from, to, kind) in [
            (":7,", ":8,", ErrorKind::ChecksumMismatch),
            ("read-only", "failed", ErrorKind::ChecksumMismatch),
            ("read-only", "tired", ErrorKind::InvalidText),
            ("replicas:1", "replicas:2", ErrorKind::WrongType),
            ("{\"archive", "{\"x\":1,\"archive", ErrorKind::InvalidText),
        ] {
            let text = good.replace(from, to);
            assert_ne!(text, good, "{from} stands in it");
            let error = Roster::parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), kind, "{text}");
        }
        assert!(Roster::parse(b"").is_err());
        let long = good.clone() + &" ".repeat(ROSTER_BYTES_MAX);
        let error = Roster::parse(long.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        for bit in 0..good.len() * 8 {
            let mut flipped = good.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = Roster::parse(&flipped) {
                assert_eq!(read, roster(), "bit {bit}");
            }
        }
    }

    #[test]
    fn what_json_does_not_hold_is_refused() {
        let mut large = roster();
        large.generation = 1 << 53;
        assert!(large.encode().is_err());
        let mut twice = roster();
        twice.members.push(twice.members[0].clone());
        let text = twice.encode().unwrap();
        let error = Roster::parse(&text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DuplicateElement);
        let mut many = roster();
        for n in 0..=MEMBERS_MAX as u64 {
            many.members.push(RosterMember {
                medium: MediumId::new(n, &[3; 10]),
                out: None,
            });
        }
        assert!(many.encode().is_err());
    }
}
