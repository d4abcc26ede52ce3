//! How far the fold is.

use formats::error::{ErrorKind, Result as FormatResult};
use formats::id::ArchiveId;
use formats::segment::{FrameAddress, Reader, Writer};

use super::engine::{IndexError, RecordIndex};
use super::entry::{read_address, write_address};
use super::{Counts, ValueSealer, key};

/// How far the fold is, as the index holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) archive: ArchiveId,
    pub(super) position: FrameAddress,
    pub(super) counts: Counts,
    /// Entries of [`key::OTHERS`].
    pub(super) others: u64,
    /// Every version whose key is smaller has a stamp.
    pub(super) unstamped_from: Vec<u8>,
    /// No version has a greater key.
    pub(super) versions_to: Vec<u8>,
    /// No stamp has a greater key.
    pub(super) stamps_to: Vec<u8>,
}

impl State {
    pub(super) fn at_the_start(archive: ArchiveId) -> Self {
        Self {
            archive,
            position: FrameAddress::new(0, 0),
            counts: Counts::default(),
            others: 0,
            unstamped_from: vec![key::VERSIONS],
            versions_to: Vec::new(),
            stamps_to: Vec::new(),
        }
    }

    /// Reads the state from an engine. `None`: there is none yet.
    pub(super) fn read(
        engine: &dyn RecordIndex,
        sealer: &dyn ValueSealer,
    ) -> Result<Option<Self>, IndexError> {
        let Some(sealed) = engine.get(&key::STATE)? else {
            return Ok(None);
        };
        let value = sealer
            .open(&key::STATE, &sealed)
            .ok_or(IndexError::Damaged)?;
        Self::decode(&value)
            .map(Some)
            .map_err(|_| IndexError::Damaged)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(160);
        writer.u16(INDEX_FORMAT);
        writer.raw(self.archive.as_bytes());
        write_address(&mut writer, self.position);
        writer.u64(self.counts.versions);
        writer.u64(self.counts.unstamped);
        writer.u64(self.counts.batches);
        writer.u64(self.others);
        writer.sized(&self.unstamped_from);
        writer.sized(&self.versions_to);
        writer.sized(&self.stamps_to);
        writer.finish()
    }

    fn decode(value: &[u8]) -> FormatResult<Self> {
        let mut reader = Reader::new("index state", value);
        if reader.u16()? != INDEX_FORMAT {
            return Err(reader.error(ErrorKind::UnsupportedVersion));
        }
        let state = Self {
            archive: ArchiveId::from_bytes(reader.array()?),
            position: read_address(&mut reader)?,
            counts: Counts {
                versions: reader.u64()?,
                unstamped: reader.u64()?,
                batches: reader.u64()?,
            },
            others: reader.u64()?,
            unstamped_from: reader.sized(KEY_BYTES_MAX)?.to_vec(),
            versions_to: reader.sized(KEY_BYTES_MAX)?.to_vec(),
            stamps_to: reader.sized(KEY_BYTES_MAX)?.to_vec(),
        };
        reader.finish()?;
        Ok(state)
    }
}

/// Version of the index's own format. Another one is rebuilt, never converted.
const INDEX_FORMAT: u16 = 3;

/// Longer is no key.
const KEY_BYTES_MAX: usize = 256;
