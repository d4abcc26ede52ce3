//! Events into frames and back.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use firmware::entropy::Entropy;
use formats::id::{ArchiveId, EventId};
use formats::segment::Event;
use time::OffsetDateTime;

use super::{EventBody, RecordedEvent};
use crate::keys::secret::NONCE_BYTES;
use crate::keys::{DataKey, KeyError, KeyMedium, ValueKey};

/// Seals and opens the events of an archive.
pub struct EventSealer {
    archive: ArchiveId,
    key: ValueKey,
}

impl EventSealer {
    /// The sealer of the archive with this catalog key.
    #[must_use]
    pub fn new(archive: ArchiveId, catalog_key: &DataKey) -> Self {
        let key = catalog_key.subkey("events").value_key();
        Self { archive, key }
    }

    /// The sealer of the archive whose key medium this is.
    ///
    /// # Errors
    /// As [`KeyMedium::catalog_key`].
    pub fn of(keys: &KeyMedium) -> Result<Self, KeyError> {
        Ok(Self::new(keys.archive(), &keys.catalog_key()?))
    }

    /// Seals an event that happens now. Events are told in the order of their ids: `last` is the time in the last one of this process, and
    /// a further event gets a later one, also within a millisecond, or when the clock went back.
    ///
    /// # Errors
    /// [`KeyError::Entropy`]; [`KeyError::KeyDerivation`] for facts that are no JSON.
    pub fn seal<T: EventBody>(
        &self,
        time: OffsetDateTime,
        last: &AtomicU64,
        by: &str,
        facts: &T,
        entropy: &dyn Entropy,
    ) -> Result<(Event, RecordedEvent), KeyError> {
        let facts = serde_json::to_value(facts).map_err(|_| KeyError::KeyDerivation)?;
        let mut random = [0; 10];
        entropy.fill(&mut random)?;
        let id = EventId::new(next_ms(last, unix_ms(time)), &random);
        // The medium keeps microseconds.
        let time = time
            .replace_nanosecond(time.microsecond() * 1000)
            .unwrap_or(time);
        let event = RecordedEvent {
            id,
            time,
            topic: T::TOPIC,
            kind: T::KIND.to_owned(),
            by: by.to_owned(),
            facts,
        };
        let context = Event::associated_data(self.archive, id, time);
        let mut sealed = self.key.seal(entropy, &context, &event.text())?;
        let body = sealed.split_off(NONCE_BYTES);
        let frame = Event {
            id,
            time,
            nonce: sealed.try_into().map_err(|_| KeyError::KeyDerivation)?,
            sealed: body,
        };
        Ok((frame, event))
    }

    /// Opens an event. `None`: it was changed, or belongs to another archive.
    #[must_use]
    pub fn open(&self, frame: &Event) -> Option<RecordedEvent> {
        let context = Event::associated_data(self.archive, frame.id, frame.time);
        let sealed = [frame.nonce.as_slice(), &frame.sealed].concat();
        let text = self.key.open(&context, &sealed)?;
        RecordedEvent::parse(frame.id, frame.time, &text)
    }
}

impl fmt::Debug for EventSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSealer").finish_non_exhaustive()
    }
}

fn unix_ms(time: OffsetDateTime) -> u64 {
    u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
}

fn next_ms(last: &AtomicU64, now: u64) -> u64 {
    let next = |last: u64| now.max(last.saturating_add(1));
    let before = last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
        Some(next(last))
    });
    next(before.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::Topic;
    use super::*;
    use firmware::entropy::SeededEntropy;
    use serde::{Deserialize, Serialize};
    use time::macros::datetime;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Moved {
        to: String,
    }

    impl EventBody for Moved {
        const KIND: &'static str = "moved";
        const TOPIC: Topic = Topic::Media;
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Lost {
        to: String,
    }

    impl EventBody for Lost {
        const KIND: &'static str = "lost";
        const TOPIC: Topic = Topic::Media;
    }

    fn sealer(archive: u8, key: u8) -> EventSealer {
        let archive = ArchiveId::from_bytes([archive; 16]);
        EventSealer::new(archive, &DataKey::from_bytes(&[key; 32]))
    }

    fn sealed() -> (Event, RecordedEvent) {
        let facts = Moved {
            to: "金庫 2".to_owned(),
        };
        let time = datetime!(2026-11-22 14:00:00.123_456_789 UTC);
        sealer(1, 2)
            .seal(
                time,
                &AtomicU64::new(0),
                "yamada",
                &facts,
                &SeededEntropy::new(1),
            )
            .unwrap()
    }

    #[test]
    fn an_event_opens_as_it_was_sealed_and_as_its_own_kind_only() {
        let (frame, event) = sealed();
        assert_eq!(sealer(1, 2).open(&frame).unwrap(), event);
        assert_eq!(event.as_::<Moved>().unwrap().to, "金庫 2");
        assert_eq!(event.as_::<Lost>(), None);
        assert_eq!(event.id.unix_ms(), 1_795_356_000_123);
    }

    #[test]
    fn events_within_a_millisecond_and_before_it_keep_their_order() {
        let last = AtomicU64::new(0);
        let facts = Moved { to: String::new() };
        let entropy = SeededEntropy::new(1);
        let mut before = None;
        for back in [0, 0, 0, 5, 1] {
            let time = datetime!(2026-11-22 14:00:00 UTC) - time::Duration::seconds(back);
            let sealed = sealer(1, 2).seal(time, &last, "yamada", &facts, &entropy);
            let event = sealed.unwrap().1;
            assert_eq!(event.time, time);
            assert!(before < Some(event.id));
            before = Some(event.id);
        }
    }

    #[test]
    fn an_event_of_another_place_key_or_time_does_not_open() {
        let (frame, _) = sealed();
        assert_eq!(sealer(2, 2).open(&frame), None);
        assert_eq!(sealer(1, 3).open(&frame), None);
        let later = Event {
            time: frame.time + time::Duration::SECOND,
            ..frame.clone()
        };
        assert_eq!(sealer(1, 2).open(&later), None);
        let mut flipped = frame;
        if let Some(byte) = flipped.sealed.first_mut() {
            *byte ^= 1;
        }
        assert_eq!(sealer(1, 2).open(&flipped), None);
    }

    #[test]
    fn a_text_of_another_schema_is_no_event() {
        let id = EventId::from_bytes([1; 16]);
        let parse =
            |text: &str| RecordedEvent::parse(id, OffsetDateTime::UNIX_EPOCH, text.as_bytes());
        let good =
            r#"{"schema":"urn:fumikura:event:1","topic":"keys","event":"x","by":"a","facts":{}}"#;
        assert!(parse(good).is_some());
        assert_eq!(parse(&good.replace("event:1", "event:2")), None);
        assert_eq!(parse(&good.replace("\"keys\"", "\"doors\"")), None);
        assert_eq!(parse("{}"), None);
    }
}
