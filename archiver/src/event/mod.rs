//! Events: acts and facts that belong to no version, as sealed frames in the segments.
//!
//! What an archive knows beside its records (its media, its keys' epochs, what was proven to be whole, its classes and
//! configuration) is a fold over its events. So one data medium and the key medium give all of it back.
//!
//! Each topic has its own module beside the code that it is about; here are the envelope, its seal, and the events of the
//! configuration.

pub mod configuration;
mod sealing;

use formats::id::EventId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

pub use sealing::EventSealer;

/// What an event is about. The record index keeps the events of a topic together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Media: registered, moved, replaced, out of service.
    Media,
    /// Keys: epochs, copies, custodians, inspections.
    Keys,
    /// Fixity: what was read and found whole, damaged, healed.
    Fixity,
    /// Records: keys destroyed, space freed.
    Records,
    /// Configuration: classes, settings, backups.
    Configuration,
    /// People: accounts, their roles, what lets them in.
    People,
    /// The audit trail: who did what.
    Audit,
}

/// The facts of one kind of event.
///
/// They are kept as JSON for as long as the archive exists: later versions may add members, and must still read what is there.
pub trait EventBody: Serialize + DeserializeOwned {
    /// What happened, as a word in the past tense, in kebab-case; unique in the archive.
    const KIND: &'static str;
    /// What it is about.
    const TOPIC: Topic;
}

/// An event as it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// Its id; ids are in the order of events.
    pub id: EventId,
    /// When it happened.
    pub time: OffsetDateTime,
    /// What it is about.
    pub topic: Topic,
    /// What happened: [`EventBody::KIND`].
    pub kind: String,
    /// Who did it.
    pub by: String,
    /// The facts as JSON.
    pub facts: Value,
}

impl RecordedEvent {
    /// The facts, if the event is of this kind and they can be read.
    #[must_use]
    pub fn as_<T: EventBody>(&self) -> Option<T> {
        (self.kind == T::KIND && self.topic == T::TOPIC)
            .then(|| T::deserialize(&self.facts).ok())
            .flatten()
    }

    /// The text that is sealed: canonical JSON.
    pub(crate) fn text(&self) -> Vec<u8> {
        let envelope = Envelope {
            schema: SCHEMA.to_owned(),
            topic: self.topic,
            event: self.kind.clone(),
            by: self.by.clone(),
            facts: self.facts.clone(),
        };
        // Strings and JSON values always have a canonical form.
        serde_json_canonicalizer::to_vec(&envelope).unwrap_or_default()
    }

    /// Reads the text that [`EventSealer::seal`] sealed. `None`: it is no event of this schema.
    pub(crate) fn parse(id: EventId, time: OffsetDateTime, text: &[u8]) -> Option<Self> {
        let envelope: Envelope = serde_json::from_slice(text).ok()?;
        (envelope.schema == SCHEMA).then_some(Self {
            id,
            time,
            topic: envelope.topic,
            kind: envelope.event,
            by: envelope.by,
            facts: envelope.facts,
        })
    }
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 7] = [
        Self::Media,
        Self::Keys,
        Self::Fixity,
        Self::Records,
        Self::Configuration,
        Self::People,
        Self::Audit,
    ];

    /// Its letter in the keys of the record index.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Media => b'm',
            Self::Keys => b'k',
            Self::Fixity => b'f',
            Self::Records => b'r',
            Self::Configuration => b'c',
            Self::People => b'p',
            Self::Audit => b'a',
        }
    }
}

/// The JSON of an event.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    schema: String,
    topic: Topic,
    event: String,
    by: String,
    facts: Value,
}

const SCHEMA: &str = "urn:fumikura:event:1";
