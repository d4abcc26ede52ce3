//! What happened to the key media of intake hosts, as the archive records it.

use formats::id::RecordId;
use serde::{Deserialize, Serialize};

use super::events::KeyMediumFact;
use crate::event::{EventBody, Topic};

/// The key medium of an intake host was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IntakeCreated {
    /// The medium.
    pub intake: KeyMediumFact,
    /// SHA-256 of the public key on it, hexadecimal.
    pub public_key_sha256: String,
}

/// What an intake host took in was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IntakeAccepted {
    /// The medium, and where it was.
    pub intake: KeyMediumFact,
    /// SHA-256 of the archive's public key, hexadecimal.
    pub public_key_sha256: String,
    /// SHA-256 of the public key that stood on the medium in its place, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_key_sha256: Option<String>,
    /// Whether the medium was as the host had left it.
    pub whole: bool,
    /// Keys that were taken over.
    pub taken: u64,
    /// Keys that the archive had before, or has destroyed.
    pub known: u64,
    /// Keys that did not open.
    pub damaged: u64,
    /// The runs that opened and hold keys; a medium holds less than 4,096.
    pub runs: Vec<IntakeRun>,
    /// The runs that did not open.
    pub runs_refused: Vec<u32>,
}

/// One run of an intake host: a process that took something in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IntakeRun {
    /// Its number on the medium.
    pub run: u32,
    /// How many keys of record versions it holds.
    pub keys: u64,
    /// The first record that came in.
    pub first: RecordId,
    /// The last one.
    pub last: RecordId,
}

/// The key medium of an intake host is no more: keys of records that are destroyed stand sealed on it no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IntakeDestroyed {
    /// The medium, and where it was last.
    pub intake: KeyMediumFact,
    /// How it was destroyed, as a person says.
    pub how: String,
}

impl EventBody for IntakeDestroyed {
    const KIND: &'static str = "intake-destroyed";
    const TOPIC: Topic = Topic::Keys;
}

impl EventBody for IntakeCreated {
    const KIND: &'static str = "intake-created";
    const TOPIC: Topic = Topic::Keys;
}

impl EventBody for IntakeAccepted {
    const KIND: &'static str = "intake-accepted";
    const TOPIC: Topic = Topic::Keys;
}
