//! Events: acts and facts that belong to no version.

use time::OffsetDateTime;

use super::codec::Reader;
use super::content::TAG_BYTES;
use super::frame::{EncodedFrame, FrameType};
use crate::error::{ErrorKind, FormatError, Result};
use crate::id::{ArchiveId, EventId};

/// An event: JSON, sealed under the subkey `events` of the archive's catalog key.
///
/// ```text
/// body = event id 16 | time i64 | nonce 12 | ciphertext and tag, to the end
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event's id (UUIDv7): ids are in the order of events.
    pub id: EventId,
    /// When it happened.
    pub time: OffsetDateTime,
    /// The nonce of the seal, random.
    pub nonce: [u8; 12],
    /// Ciphertext and tag.
    pub sealed: Vec<u8>,
}

impl Event {
    /// The associated data of the seal: archive id, event id, time in microseconds since 1970.
    #[must_use]
    pub fn associated_data(archive: ArchiveId, id: EventId, time: OffsetDateTime) -> Vec<u8> {
        let mut writer = super::Writer::with_capacity(40);
        writer.raw(archive.as_bytes());
        writer.raw(id.as_bytes());
        writer.time(time);
        writer.finish()
    }

    pub(super) fn encode(self) -> Result<EncodedFrame> {
        if self.sealed.len() < TAG_BYTES {
            return Err(FormatError::new(ErrorKind::NotEncodable, STRUCTURE));
        }
        let mut writer = EncodedFrame::writer(36);
        writer.raw(self.id.as_bytes());
        writer.time(self.time);
        writer.raw(&self.nonce);
        EncodedFrame::new(FrameType::Event, writer, self.sealed)
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(STRUCTURE, body);
        let id = EventId::from_bytes(reader.array()?);
        let time = reader.time()?;
        let nonce = reader.array()?;
        let sealed = reader.remainder().to_vec();
        if sealed.len() < TAG_BYTES {
            return Err(reader.error(ErrorKind::Truncated));
        }
        Ok(Self {
            id,
            time,
            nonce,
            sealed,
        })
    }
}

const STRUCTURE: &str = "Event";
