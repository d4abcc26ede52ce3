//! What happened, recorded in the archive itself.

use std::sync::atomic::Ordering;

use formats::id::EventId;
use formats::segment::{Event, Frame};

use super::{Archive, ArchiveError};
use crate::event::configuration::RecordedConfiguration;
use crate::event::{EventBody, EventSealer, RecordedEvent, Topic};
use crate::keys::KeyError;

/// An event, sealed and as it will be read.
pub(crate) type SealedEvent = (Event, RecordedEvent);

impl Archive {
    /// Records that something happened: durable on every replica, and in the index, when this returns.
    ///
    /// # Errors
    /// [`ArchiveError`] when the archive was opened for reading, or a medium failed.
    pub fn record_event<T: EventBody>(&self, by: &str, facts: &T) -> Result<EventId, ArchiveError> {
        let sealer = EventSealer::of(&self.keys)?;
        let sealed = self.sealed(&sealer, by, facts)?;
        let id = sealed.1.id;
        self.record(vec![sealed])?;
        Ok(id)
    }

    /// What of classes and configuration is recorded in the archive itself.
    ///
    /// # Errors
    /// [`ArchiveError`] when the index is damaged.
    pub fn recorded_configuration(&self) -> Result<RecordedConfiguration, ArchiveError> {
        let mut recorded = RecordedConfiguration::default();
        self.catalog.events(Topic::Configuration, &mut |event| {
            recorded.fold(&event);
            true
        })?;
        Ok(recorded)
    }

    /// Records classes and configuration where they are not recorded as they stand: the media then hold all that it takes to go on without
    /// this machine.
    ///
    /// # Errors
    /// As [`Archive::record_event`].
    pub fn record_configuration(&self, by: &str) -> Result<(), ArchiveError> {
        let recorded = self.recorded_configuration()?;
        let sealer = EventSealer::of(&self.keys)?;
        let mut sealed = Vec::new();
        for class in recorded.missing_classes(&self.classes) {
            sealed.push(self.sealed(&sealer, by, &class)?);
        }
        if let Some(changed) = recorded.changed_configuration(&self.config) {
            sealed.push(self.sealed(&sealer, by, &changed)?);
        }
        self.record(sealed)
    }

    /// Gives the next event an id behind all that are recorded, also where the clock was ahead when they were: what was done first stays first.
    pub(super) fn go_on_behind_events(&self) -> Result<(), ArchiveError> {
        if self.catalog.filling().is_some() {
            return Ok(());
        }
        for topic in Topic::ALL {
            let last = self.catalog.last_event(topic)?.map_or(0, |id| id.unix_ms());
            self.last_event_ms.fetch_max(last, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Seals events that are to be recorded together: all of them, or, after a crash, none.
    ///
    /// # Errors
    /// As [`Archive::record_event`].
    pub(crate) fn seal_event<T: EventBody>(
        &self,
        by: &str,
        facts: &T,
    ) -> Result<SealedEvent, ArchiveError> {
        self.sealed(&EventSealer::of(&self.keys)?, by, facts)
    }

    fn sealed<T: EventBody>(
        &self,
        sealer: &EventSealer,
        by: &str,
        facts: &T,
    ) -> Result<SealedEvent, ArchiveError> {
        let now = self.environment.clock.now();
        let entropy = self.environment.entropy.as_ref();
        Ok(sealer.seal(now, &self.last_event_ms, by, facts, entropy)?)
    }

    /// Makes events durable with one commit, and tells the index.
    pub(crate) fn record(&self, events: Vec<SealedEvent>) -> Result<(), ArchiveError> {
        if self.keys.is_write_only() {
            return Err(KeyError::WriteOnly.into());
        }
        let appender = self.store.appender()?;
        let mut recorded = Vec::new();
        for (frame, event) in events {
            recorded.push((appender.append(Frame::Event(frame))?, event));
        }
        if let Some((last, _)) = recorded.last() {
            appender.commit(*last)?;
        }
        for (address, event) in &recorded {
            self.catalog.apply_event(*address, event)?;
        }
        Ok(())
    }
}
