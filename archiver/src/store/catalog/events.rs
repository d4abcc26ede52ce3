//! Events in the index: whole, by topic, in their order.

use std::ops::ControlFlow;

use formats::error::{ErrorKind, FormatError, Result as FormatResult};
use formats::id::EventId;
use formats::segment::{FrameAddress, Reader, Writer};

use super::entry::{read_address, write_address};
use super::fold::Fold;
use super::{Catalog, key};
use crate::event::{RecordedEvent, Topic};
use crate::store::StoreError;

impl Catalog {
    /// Applies an event, after its commit. Applying twice does no harm.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn apply_event(
        &self,
        address: FrameAddress,
        event: &RecordedEvent,
    ) -> Result<(), StoreError> {
        self.fold()?.add_event(address, event)?;
        self.store.set_applied(address);
        Ok(())
    }

    /// Calls `each` for the events of a topic in their order, until it answers `false`.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn events(
        &self,
        topic: Topic,
        each: &mut dyn FnMut(RecordedEvent) -> bool,
    ) -> Result<(), StoreError> {
        self.events_after(topic, None, each)
    }

    /// Calls `each` for the events of a topic that come behind one of them, in their order, until it answers `false`. The one they come behind need
    /// not be there. `None`: all.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`]; [`StoreError::IndexFilling`] before the index is whole.
    pub fn events_after(
        &self,
        topic: Topic,
        after: Option<EventId>,
        each: &mut dyn FnMut(RecordedEvent) -> bool,
    ) -> Result<(), StoreError> {
        self.whole()?.events_after(topic, after, each)
    }

    /// Calls `each` for the events of a topic that come before one of them, from the last one backwards, until it answers `false`. The one they come
    /// before need not be there. `None`: all.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`]; [`StoreError::IndexFilling`] before the index is whole.
    pub fn events_before(
        &self,
        topic: Topic,
        before: Option<EventId>,
        each: &mut dyn FnMut(RecordedEvent) -> bool,
    ) -> Result<(), StoreError> {
        let before = before.map_or_else(
            || key::behind_topic(topic),
            |before| key::of_event(topic, before),
        );
        self.whole()?
            .scan_back(&key::of_topic(topic), &before, &mut visit(each))
    }

    /// The id of the last event of a topic.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`]; [`StoreError::IndexFilling`] before the index is whole.
    pub fn last_event(&self, topic: Topic) -> Result<Option<EventId>, StoreError> {
        let last = self.whole()?.last(&key::of_topic(topic))?;
        Ok(last.and_then(|last| key::event(&last)))
    }

    /// The last event of a topic, whole. No other event is read.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`]; [`StoreError::IndexFilling`] before the index is whole.
    pub fn last_event_of(&self, topic: Topic) -> Result<Option<RecordedEvent>, StoreError> {
        let fold = self.whole()?;
        let Some(last) = fold.last(&key::of_topic(topic))? else {
            return Ok(None);
        };
        let id = key::event(&last).ok_or_else(|| fold.damaged())?;
        let value = fold.get(&last)?.ok_or_else(|| fold.damaged())?;
        let event = decode(id, &value).map_err(|_| fold.damaged())?;
        Ok(Some(event))
    }
}

impl Fold {
    pub(super) fn events_after(
        &self,
        topic: Topic,
        after: Option<EventId>,
        each: &mut dyn FnMut(RecordedEvent) -> bool,
    ) -> Result<(), StoreError> {
        let prefix = key::of_topic(topic);
        let from = after.map_or_else(
            || prefix.clone(),
            |after| {
                let mut next = key::of_event(topic, after);
                next.push(0);
                next
            },
        );
        self.scan(&prefix, &from, &mut visit(each))
    }

    /// The last key with this prefix, with what is not written yet.
    fn last(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.drain(self.lock())?;
        self.engine.last(prefix).map_err(|error| self.error(error))
    }

    fn add_event(&self, address: FrameAddress, event: &RecordedEvent) -> Result<(), StoreError> {
        let mut writer = Writer::with_capacity(256);
        write_address(&mut writer, address);
        writer.time(event.time);
        writer.raw(&event.text());
        self.add_once(key::of_event(event.topic, event.id), &writer.finish())
    }
}

/// Reads the entries of a scan as events.
fn visit(
    each: &mut dyn FnMut(RecordedEvent) -> bool,
) -> impl FnMut(&[u8], &[u8]) -> FormatResult<ControlFlow<()>> {
    |key, value| {
        let strange = FormatError::new(ErrorKind::InvalidValue, STRUCTURE);
        let event = decode(key::event(key).ok_or(strange)?, value)?;
        Ok(if each(event) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        })
    }
}

fn decode(id: EventId, value: &[u8]) -> FormatResult<RecordedEvent> {
    let mut reader = Reader::new(STRUCTURE, value);
    read_address(&mut reader)?;
    let time = reader.time()?;
    let strange = reader.error(ErrorKind::InvalidText);
    RecordedEvent::parse(id, time, reader.remainder()).ok_or(strange)
}

const STRUCTURE: &str = "index entry";
