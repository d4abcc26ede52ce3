//! What happened to copies of the key medium before and beside their being made, as the archive records it.

use serde::{Deserialize, Serialize};

use super::events::{KeyCopyMade, KeyMediumFact};
use crate::event::{EventBody, RecordedEvent, Topic};

/// A copy of the key medium is to be made. From here on keys may stand there, whether it is finished or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyCopyBegun {
    /// The copy.
    pub copy: KeyMediumFact,
    /// The epoch under which the keys are wrapped.
    pub epoch: u32,
}

/// A copy that was made with other means takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyCopyJoined {
    /// The copy.
    pub copy: KeyMediumFact,
    /// The epoch under which the keys are wrapped.
    pub epoch: u32,
}

/// The making of a copy failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyCopyFailed {
    /// The copy.
    pub copy: KeyMediumFact,
    /// Why.
    pub cause: String,
    /// Whether no file with keys stands there: then it is no copy.
    pub is_empty: bool,
}

/// A copy of the key medium is no more, or never came to be, as a person says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyCopyGone {
    /// The copy, and where it was last.
    pub copy: KeyMediumFact,
    /// How it was destroyed, or why it never was.
    pub how: String,
}

impl EventBody for KeyCopyFailed {
    const KIND: &'static str = "key-copy-failed";
    const TOPIC: Topic = Topic::Keys;
}

impl EventBody for KeyCopyGone {
    const KIND: &'static str = "key-copy-gone";
    const TOPIC: Topic = Topic::Keys;
}

impl EventBody for KeyCopyBegun {
    const KIND: &'static str = "key-copy-begun";
    const TOPIC: Topic = Topic::Keys;
}

impl EventBody for KeyCopyJoined {
    const KIND: &'static str = "key-copy-joined";
    const TOPIC: Topic = Topic::Keys;
}

/// The copy that an event names: one that was made, was to be made, or took part.
pub(super) fn copy_in(event: &RecordedEvent) -> Option<KeyMediumFact> {
    let made = event.as_::<KeyCopyMade>().map(|made| made.copy);
    let begun = || event.as_::<KeyCopyBegun>().map(|begun| begun.copy);
    let joined = || event.as_::<KeyCopyJoined>().map(|joined| joined.copy);
    made.or_else(begun).or_else(joined)
}

/// The copy that an event takes off the list.
pub(super) fn copy_gone(event: &RecordedEvent) -> Option<KeyMediumFact> {
    let gone = event.as_::<KeyCopyGone>().map(|gone| gone.copy);
    let failed = || {
        event
            .as_::<KeyCopyFailed>()
            .filter(|failed| failed.is_empty)
    };
    gone.or_else(|| failed().map(|failed| failed.copy))
}
