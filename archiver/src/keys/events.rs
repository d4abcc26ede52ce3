//! What happened to keys, as the archive records it.

use std::path::Path;

use formats::id::{EventId, MediumId, VersionId};
use serde::{Deserialize, Serialize};

use super::ledger::RotationReport;
use super::provider::ProviderDescription;
use crate::event::{EventBody, Topic};

/// A key medium, by what its label says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyMediumFact {
    /// Its id; absent when it has no label.
    pub medium: Option<MediumId>,
    /// Its number among the key media.
    pub number: Option<u32>,
    /// Where it was mounted.
    pub place: String,
}

/// The ledger was wrapped anew under another epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeysRotated {
    /// Epochs whose key-encryption key was destroyed.
    pub epochs_destroyed: Vec<u32>,
    /// The epoch under which everything is wrapped.
    pub epoch: u32,
    /// Data keys.
    pub keys: u64,
    /// Other secrets.
    pub secrets: u64,
    /// Damaged entries that could not be kept.
    pub damaged_dropped: u64,
    /// The key media that hold them now.
    pub media: Vec<KeyMediumFact>,
    /// Key media that were not there.
    pub unreached: Vec<KeyMediumFact>,
}

/// A copy of the key medium was made. The list of these is the list of places at which keys may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyCopyMade {
    /// The copy.
    pub copy: KeyMediumFact,
    /// Keys and tombstones on it.
    pub entries: u64,
    /// The epoch under which they were wrapped.
    pub epoch: u32,
}

/// Somebody with two names decided that the keys of versions are to be destroyed. What follows is done even after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyDestructionBegun {
    /// The versions.
    pub versions: Vec<String>,
    /// Who carries it out.
    pub by: String,
    /// Who approved it.
    pub approved_by: String,
    /// Why.
    pub reason: String,
    /// The epoch before.
    pub epoch: u32,
    /// The key media.
    pub media: Vec<KeyMediumFact>,
    /// Damaged entries of other versions that were given up with the decision: none may be lost beside it where this is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub damaged_given_up: u64,
}

/// The keys of versions were destroyed. What a certificate of sanitisation needs (NIST SP 800-88r2 §4.8), but for its signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeysDestroyed {
    /// The event that began it.
    pub begun: EventId,
    /// The versions.
    pub versions: Vec<String>,
    /// Who carried it out.
    pub by: String,
    /// Who approved it.
    pub approved_by: String,
    /// Why.
    pub reason: String,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// When it was done, RFC 3339.
    pub finished_at: String,
    /// The method, in the words of the standard.
    pub method: String,
    /// How it was done.
    pub technique: String,
    /// The program and its version.
    pub tool: String,
    /// What held the key-encryption keys.
    pub provider: ProviderDescription,
    /// Epochs that were destroyed.
    pub epochs_destroyed: Vec<u32>,
    /// The epoch under which the surviving keys stand.
    pub epoch: u32,
    /// Keys that survived.
    pub survivors: u64,
    /// Damaged entries of other versions that were given up: no medium that was there held them whole.
    #[serde(default)]
    pub damaged_dropped: u64,
    /// Each key medium that was treated.
    pub media: Vec<KeyMediumFact>,
    /// Copies that were made at some time and are not among these: who has one, and could open it then, can still read.
    pub other_copies: Vec<KeyMediumFact>,
    /// Intake media on which keys of these versions may stand, sealed to the archive: they must be destroyed, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intake_media: Vec<KeyMediumFact>,
    /// Generations of backups that were taken before and are not known to be destroyed: they hold these keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backups: Vec<u32>,
    /// How it was checked, and with what result.
    pub verification: String,
}

/// Keys were inspected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeysAudited {
    /// Which part of how many.
    pub part: u64,
    /// Of how many.
    pub parts: u64,
    /// Keys that were opened.
    pub keys: u64,
    /// Records whose manifest was opened with them.
    pub records: u64,
    /// Versions whose key or manifest did not open; at most 4,096 are named.
    pub failed: Vec<String>,
    /// The epoch.
    pub epoch: u32,
    /// The key media that were there.
    pub media: Vec<KeyMediumFact>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl EventBody for KeysRotated {
    const KIND: &'static str = "keys-rotated";
    const TOPIC: Topic = Topic::Keys;
}

impl EventBody for KeyCopyMade {
    const KIND: &'static str = "key-copy-made";
    const TOPIC: Topic = Topic::Keys;
}

impl EventBody for KeyDestructionBegun {
    const KIND: &'static str = "key-destruction-begun";
    const TOPIC: Topic = Topic::Records;
}

impl EventBody for KeysDestroyed {
    const KIND: &'static str = "keys-destroyed";
    const TOPIC: Topic = Topic::Records;
}

impl EventBody for KeysAudited {
    const KIND: &'static str = "keys-audited";
    const TOPIC: Topic = Topic::Keys;
}

impl KeyMediumFact {
    /// What the label of the key medium at `root` says.
    #[must_use]
    pub fn of(root: &Path) -> Self {
        let label = crate::store::read_label(root).ok();
        Self {
            medium: label.as_ref().map(|label| label.medium),
            number: label.as_ref().map(|label| label.number),
            place: root.display().to_string(),
        }
    }
}

impl KeysRotated {
    /// The facts of a rotation.
    #[must_use]
    pub fn of(report: &RotationReport) -> Self {
        let facts = |roots: &[std::path::PathBuf]| {
            roots.iter().map(|root| KeyMediumFact::of(root)).collect()
        };
        Self {
            epochs_destroyed: report.epochs_destroyed.clone(),
            epoch: report.epoch,
            keys: report.keys,
            secrets: report.secrets,
            damaged_dropped: report.damaged_dropped,
            media: facts(&report.copies),
            unreached: facts(&report.unreached),
        }
    }
}

impl KeyDestructionBegun {
    /// The versions, read again.
    #[must_use]
    pub fn version_ids(&self) -> Vec<VersionId> {
        let parse = |text: &String| {
            let (record, version) = text.split_once('/')?;
            VersionId::new(record.parse().ok()?, version.parse().ok()?)
        };
        self.versions.iter().filter_map(parse).collect()
    }
}
