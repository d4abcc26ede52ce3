//! What the index knows about chains of archive time-stamps.

use formats::error::{ErrorKind, Result};
use formats::id::{BatchId, ReceiptId};
use formats::segment::{FrameAddress, Reader, Writer};

use super::BatchEntry;
use super::entry::{read_address, write_address};

/// A chain of archive time-stamps (RFC 4998 §5.1), known by the batch that starts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    /// The batch that starts the chain: of kind `Initial` or `HashTreeRenewal`. Its leaves are versions.
    pub entry: BatchEntry,
    /// The track that the chain belongs to.
    pub track: u8,
    /// How many of its leaves have no later chain on this track. A chain with none needs no further renewal.
    pub live: u64,
    /// Its time-stamp renewals, oldest first.
    pub renewals: Vec<ChainLink>,
}

/// A time-stamp renewal as a part of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainLink {
    /// The batch of the renewal.
    pub batch: BatchId,
    /// The chain's leaf in its tree.
    pub leaf: u64,
}

/// A chain as a part of a version's sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainStart {
    /// The head of the chain.
    pub head: BatchId,
    /// The version's leaf in the head's tree.
    pub leaf: u64,
}

/// A receipt as the index knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptEntry {
    /// The receipt.
    pub id: ReceiptId,
    /// Number of its newest state.
    pub generation: u32,
    /// The frame of that state.
    pub address: FrameAddress,
}

impl ChainHead {
    /// The batch of the chain's newest token.
    #[must_use]
    pub fn newest(&self) -> BatchId {
        self.renewals
            .last()
            .map_or(self.entry.batch, |link| link.batch)
    }
}

/// The changing part of a [`ChainHead`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct HeadState {
    pub(super) track: u8,
    pub(super) live: u64,
    pub(super) links: Vec<ChainLink>,
}

impl HeadState {
    /// The batch of the newest token of the chain that `head` starts.
    pub(super) fn newest(&self, head: BatchId) -> BatchId {
        self.links.last().map_or(head, |link| link.batch)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64);
        writer.u8(self.track);
        writer.u64(self.live);
        for link in &self.links {
            write_place(&mut writer, link.batch, link.leaf);
        }
        writer.finish()
    }

    pub(super) fn decode(value: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("index entry", value);
        let track = reader.u8()?;
        let live = reader.u64()?;
        let links = read_places(&mut reader)?
            .into_iter()
            .map(|(batch, leaf)| ChainLink { batch, leaf });
        Ok(Self {
            track,
            live,
            links: links.collect(),
        })
    }
}

impl ChainStart {
    pub(super) fn encode_all(starts: &[Self]) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64);
        for start in starts {
            write_place(&mut writer, start.head, start.leaf);
        }
        writer.finish()
    }

    pub(super) fn decode_all(value: &[u8]) -> Result<Vec<Self>> {
        let mut reader = Reader::new("index entry", value);
        let starts = read_places(&mut reader)?
            .into_iter()
            .map(|(head, leaf)| Self { head, leaf });
        Ok(starts.collect())
    }
}

/// A place of something that has generations: the highest one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Generation {
    pub(super) number: u32,
    pub(super) address: FrameAddress,
}

impl Generation {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(16);
        writer.u32(self.number);
        write_address(&mut writer, self.address);
        writer.finish()
    }

    pub(super) fn decode(value: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("index entry", value);
        let generation = Self {
            number: reader.u32()?,
            address: read_address(&mut reader)?,
        };
        reader.finish()?;
        Ok(generation)
    }
}

pub(super) fn encode_address(address: FrameAddress) -> Vec<u8> {
    let mut writer = Writer::with_capacity(12);
    write_address(&mut writer, address);
    writer.finish()
}

pub(super) fn decode_address(value: &[u8]) -> Result<FrameAddress> {
    let mut reader = Reader::new("index entry", value);
    let address = read_address(&mut reader)?;
    reader.finish()?;
    Ok(address)
}

fn write_place(writer: &mut Writer, batch: BatchId, leaf: u64) {
    writer.raw(batch.as_bytes());
    writer.u64(leaf);
}

fn read_places(reader: &mut Reader<'_>) -> Result<Vec<(BatchId, u64)>> {
    let rest = reader.remainder();
    if !rest.len().is_multiple_of(PLACE_BYTES) {
        return Err(reader.error(ErrorKind::Truncated));
    }
    rest.chunks(PLACE_BYTES)
        .map(|place| {
            let mut reader = Reader::new("index entry", place);
            Ok((BatchId::from_bytes(reader.array()?), reader.u64()?))
        })
        .collect()
}

/// A batch id and a leaf.
const PLACE_BYTES: usize = 24;
