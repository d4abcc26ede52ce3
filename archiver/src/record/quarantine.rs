//! Infected records: deposited unaltered, and withheld until two people released them.
//!
//! The manifest says what the scanner found. It is committed with the record, so there is no moment at which an infected record can be
//! fetched: what lifts it is an event, and an event that is lost leaves the record withheld. No second place holds such files, and no copy in
//! the clear: sealed, stamped, held twice and searchable like any record. Checks that hand nothing out (scrub, re-hash, verification) read on.

use formats::id::{EventId, VersionId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use unicode_normalization::UnicodeNormalization;

use crate::approval::Waiting;
use crate::event::{EventBody, RecordedEvent, Topic};
use crate::store::StoreError;
use crate::store::catalog::Catalog;

/// A scanner found malware in a record that was deposited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct QuarantineEntered {
    /// The version.
    pub version: VersionId,
    /// The scanner's name of what it found.
    pub threat: String,
}

/// Somebody asked for the release of a record; another person decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct QuarantineReleaseRequested {
    /// The version.
    pub version: VersionId,
    /// Why.
    pub reason: String,
}

/// What was asked for was refused, or withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct QuarantineReleaseRefused {
    /// The version.
    pub version: VersionId,
    /// The event that asked for it.
    pub request: EventId,
    /// Why.
    pub reason: String,
}

/// A version in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// The version.
    pub version: VersionId,
    /// The scanner's name of what it found.
    pub threat: String,
    /// Since when it is on record.
    pub since: OffsetDateTime,
    /// The last request for its release, where there is one.
    pub request: Option<Waiting<VersionId>>,
}

/// Two people released a record: from now on it is fetched like any other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct QuarantineReleased {
    /// The version.
    pub version: VersionId,
    /// Who released it.
    pub people: [String; 2],
    /// Why.
    pub reason: String,
}

impl EventBody for QuarantineEntered {
    const KIND: &'static str = "quarantine-entered";
    const TOPIC: Topic = Topic::Records;
}

impl EventBody for QuarantineReleaseRequested {
    const KIND: &'static str = "quarantine-release-requested";
    const TOPIC: Topic = Topic::Records;
}

impl EventBody for QuarantineReleaseRefused {
    const KIND: &'static str = "quarantine-release-refused";
    const TOPIC: Topic = Topic::Records;
}

impl EventBody for QuarantineReleased {
    const KIND: &'static str = "quarantine-released";
    const TOPIC: Topic = Topic::Records;
}

impl QuarantineReleased {
    /// A release by two people. `None`: a name is empty, both are the same however they are written, or there is no reason.
    #[must_use]
    pub fn new(version: VersionId, people: [&str; 2], reason: &str) -> Option<Self> {
        let released = Self {
            version,
            people: people.map(|name| name.trim().to_owned()),
            reason: reason.trim().to_owned(),
        };
        released.is_by_two().then_some(released)
    }

    fn is_by_two(&self) -> bool {
        let [one, other] = self.people.each_ref().map(|name| folded(name));
        !one.is_empty() && !other.is_empty() && one != other && !self.reason.is_empty()
    }
}

/// The versions in quarantine, in the order in which they came into it.
///
/// # Errors
/// The index is damaged.
pub fn withheld(catalog: &Catalog) -> Result<Vec<Withheld>, StoreError> {
    let mut withheld = Vec::new();
    catalog.events(Topic::Records, &mut |event| {
        fold(&mut withheld, &event);
        true
    })?;
    Ok(withheld)
}

/// What an event changes. A request for what is not there is of no consequence.
fn fold(withheld: &mut Vec<Withheld>, event: &RecordedEvent) {
    if let Some(entered) = event.as_::<QuarantineEntered>() {
        withheld.push(Withheld {
            version: entered.version,
            threat: entered.threat,
            since: event.time,
            request: None,
        });
    } else if let Some(asked) = event.as_::<QuarantineReleaseRequested>() {
        let held = withheld.iter_mut().find(|one| one.version == asked.version);
        if let Some(held) = held {
            held.request = Some(Waiting {
                id: event.id,
                what: asked.version,
                reason: asked.reason,
                requested_by: event.by.clone(),
                requested_at: event.time,
            });
        }
    } else if let Some(refused) = event.as_::<QuarantineReleaseRefused>() {
        let held = withheld
            .iter_mut()
            .find(|one| one.version == refused.version);
        if let Some(held) = held {
            held.request.take_if(|asked| asked.id == refused.request);
        }
    } else if let Some(released) = event.as_::<QuarantineReleased>()
        && released.is_by_two()
    {
        withheld.retain(|one| one.version != released.version);
    }
}

/// Whether two people released a version.
///
/// # Errors
/// The index is damaged.
pub fn is_released(catalog: &Catalog, version: VersionId) -> Result<bool, StoreError> {
    let mut released = false;
    catalog.events(Topic::Records, &mut |event| {
        let act = event.as_::<QuarantineReleased>();
        released |= act.is_some_and(|act| act.version == version && act.is_by_two());
        !released
    })?;
    Ok(released)
}

/// A name as it is compared: width, case and spaces make no other person.
fn folded(name: &str) -> String {
    name.nfkc()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use formats::id::RecordId;

    use super::*;

    #[test]
    fn a_release_takes_two_people_and_a_reason() {
        let version = VersionId::first(RecordId::from_bytes([1; 16]));
        assert!(QuarantineReleased::new(version, ["佐藤", "suzuki"], "false alarm").is_some());
        for (people, reason) in [
            (["sato", "sato"], "r"),
            (["sato", " ＳＡＴＯ "], "r"),
            (["sato kei", "SatoKei"], "r"),
            (["sato", ""], "r"),
            (["", "　"], "r"),
            (["sato", "suzuki"], "  "),
        ] {
            let made = QuarantineReleased::new(version, people, reason);
            assert_eq!(made, None, "{people:?} {reason:?}");
        }
    }
}
