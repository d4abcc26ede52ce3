//! What happens to media, as events of the archive.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use formats::id::MediumId;
use formats::roster::OutCause;
use serde::{Deserialize, Serialize};

use crate::cli::lang::Lang;
use crate::event::{EventBody, Topic};

/// What a medium is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A full copy of the archive.
    Data,
    /// The keys.
    Keys,
    /// A further copy of the keys.
    KeyCopy,
    /// Evidence packages and exports for others.
    Export,
}

/// How a place is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceClass {
    /// Mounted in a machine in a room with entry control.
    MachineRoom,
    /// A locked cabinet.
    LockedCabinet,
    /// A fire safe.
    FireSafe,
    /// A vault or bank safe.
    Vault,
    /// Another site.
    OffSite,
    /// On the way.
    Transit,
    /// Anything else.
    Other,
}

/// Where a medium lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Building, room, shelf, in the words of its owner.
    pub name: String,
    /// How it is secured.
    pub class: PlaceClass,
}

/// A medium was entered in the ledger, or what is known of it changed. What is absent stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediumRegistered {
    /// The medium, as its label names it.
    pub medium: Option<MediumId>,
    /// What it is for.
    pub role: Option<Role>,
    /// Its number among the media of its role, as it is written on the case.
    pub number: Option<u32>,
    /// What else is written on the case.
    pub label: Option<String>,
    /// Serial number of the device.
    pub serial: Option<String>,
    /// Maker and model of the device.
    pub model: Option<String>,
    /// Classification of what it holds.
    pub classification: Option<String>,
    /// Who answers for it.
    pub custodian: Option<String>,
    /// Where it lies.
    pub place: Option<Place>,
    /// Whether it can be taken out.
    pub removable: Option<bool>,
    /// The folder that it is mounted at.
    pub directory: Option<PathBuf>,
}

/// A medium was taken from one place to another, by two people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediumMoved {
    /// The medium.
    pub medium: MediumId,
    /// Where it was.
    pub from: Option<Place>,
    /// Where it is now.
    pub to: Place,
    /// Who carried it.
    pub carrier: String,
    /// Who went along.
    pub witness: String,
    /// Number of the seal on its case.
    pub seal: Option<String>,
    /// On which day, where it is not that of the event (RFC 3339).
    pub moved_on: Option<String>,
    /// Who answers for it from now on, if that changes.
    pub custodian: Option<String>,
}

/// A data medium became a full copy of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediumJoined {
    /// The medium.
    pub medium: MediumId,
    /// The folder that it is mounted at.
    pub directory: PathBuf,
    /// Whose place it took.
    pub replaces: Option<MediumId>,
    /// Sealed segments on it that were read back and found equal.
    pub segments: u32,
    /// Segments that were damaged on every medium and copied as they were.
    pub damaged: Vec<u32>,
    /// Segments that no medium had, as first and last number of each gap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<(u32, u32)>,
}

/// A medium left the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediumLeft {
    /// The medium.
    pub medium: MediumId,
    /// Why.
    pub why: Leaving,
}

/// Why a medium left the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leaving {
    /// It failed, or was lost.
    Replaced,
    /// Its contents were moved to a new medium.
    Migrated,
    /// It is not needed any more.
    Retired,
}

/// A data medium was put out of service: nothing is written to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediumOutOfService {
    /// The medium.
    pub medium: MediumId,
    /// Since when (RFC 3339).
    pub since: String,
    /// Why.
    pub cause: OutCause,
    /// Segment from which on it may lack everything.
    pub from_segment: u32,
}

/// A data medium that was out of service has everything again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediumReturned {
    /// The medium.
    pub medium: MediumId,
}

/// Media were counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaCounted {
    /// Who counted.
    pub counted_by: Vec<String>,
    /// Those that were there.
    pub found: Vec<MediumId>,
    /// Those that were not.
    pub missing: Vec<MediumId>,
    /// What was there and is not in the ledger, in the words of who counted.
    pub extra: Vec<String>,
}

macro_rules! bodies {
    ($($body:ty => $kind:literal;)+) => {
        $(impl EventBody for $body {
            const KIND: &'static str = $kind;
            const TOPIC: Topic = Topic::Media;
        })+
    };
}

bodies! {
    MediumRegistered => "medium-registered";
    MediumMoved => "medium-moved";
    MediumJoined => "medium-joined";
    MediumLeft => "medium-left";
    MediumOutOfService => "medium-out-of-service";
    MediumReturned => "medium-returned";
    MediaCounted => "media-counted";
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Data, Self::Keys, Self::KeyCopy, Self::Export];

    /// The name in commands and results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Keys => "keys",
            Self::KeyCopy => "key-copy",
            Self::Export => "export",
        }
    }

    /// Whether it holds keys.
    #[must_use]
    pub const fn holds_keys(self) -> bool {
        matches!(self, Self::Keys | Self::KeyCopy)
    }
}

impl PlaceClass {
    /// All classes.
    pub const ALL: [Self; 7] = [
        Self::MachineRoom,
        Self::LockedCabinet,
        Self::FireSafe,
        Self::Vault,
        Self::OffSite,
        Self::Transit,
        Self::Other,
    ];

    /// The name in commands and results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MachineRoom => "machine-room",
            Self::LockedCabinet => "locked-cabinet",
            Self::FireSafe => "fire-safe",
            Self::Vault => "vault",
            Self::OffSite => "off-site",
            Self::Transit => "transit",
            Self::Other => "other",
        }
    }
}

impl PlaceClass {
    /// The name for people, in Japanese.
    #[must_use]
    pub const fn name_ja(self) -> &'static str {
        match self {
            Self::MachineRoom => "機械室",
            Self::LockedCabinet => "施錠保管庫",
            Self::FireSafe => "耐火金庫",
            Self::Vault => "金庫室",
            Self::OffSite => "別の拠点",
            Self::Transit => "運搬中",
            Self::Other => "その他",
        }
    }
}

impl Place {
    /// Name and class, for people.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let class = lang.pick(self.class.name_ja(), self.class.name());
        format!("{} ({class})", self.name)
    }
}

macro_rules! named {
    ($($named:ty),+) => {
        $(impl fmt::Display for $named {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $named {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.into_iter().find(|one| one.name() == text);
                found.ok_or_else(|| {
                    let names: Vec<&str> = Self::ALL.iter().map(|one| one.name()).collect();
                    format!("one of: {}", names.join(", "))
                })
            }
        })+
    };
}

named!(Role, PlaceClass);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_before_the_gaps_were_told_is_read() {
        let text = r#"{"medium":"01a2fce5-1000-7c07-bba5-37fffbe75e52","directory":"data-c","replaces":null,"segments":3,"damaged":[2]}"#;
        let mut joined: MediumJoined = serde_json::from_str(text).unwrap();
        assert!(joined.missing.is_empty());
        assert_eq!(serde_json::to_string(&joined).unwrap(), text);
        joined.missing.push((4, 6));
        let text = serde_json::to_string(&joined).unwrap();
        assert!(text.contains(r#""missing":[[4,6]]"#), "{text}");
    }
}
