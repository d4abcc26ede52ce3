//! Keys of the index: a letter for the table, then an identifier. They tell nothing that the segments do not tell in clear.

use formats::digest::DigestAlgorithm;
use formats::id::{BatchId, EventId, ReceiptId, RecordId, VersionId};
use formats::segment::{FrameAddress, FurtherDigests};

use crate::event::Topic;

/// A version.
pub(super) const VERSIONS: u8 = b'v';
/// The stamp of a version.
pub(super) const STAMPS: u8 = b's';
/// A batch.
pub(super) const BATCHES: u8 = b'b';
/// A deposit identity.
pub(super) const IDENTITIES: u8 = b'i';
/// The chains of a version on a track, but for the first one of track 0, which is its stamp.
pub(super) const CHAINS: u8 = b'c';
/// The head of a chain.
pub(super) const HEADS: u8 = b'h';
/// Which frame renewed a batch's token first.
pub(super) const FROZEN: u8 = b'f';
/// Validation material of a batch's token.
pub(super) const MATERIAL: u8 = b'm';
/// Digests of a version's contents under one more function.
pub(super) const FURTHER_DIGESTS: u8 = b'd';
/// The signature over a version's manifest.
pub(super) const SIGNATURES: u8 = b'g';
/// A receipt.
pub(super) const RECEIPTS: u8 = b'e';
/// A receipt that names a version.
pub(super) const VERSION_RECEIPTS: u8 = b'q';
/// Events, by topic.
pub(super) const EVENTS: u8 = b'j';
/// The tables whose entries are counted together.
pub(super) const OTHERS: [u8; 9] = [
    CHAINS,
    HEADS,
    FROZEN,
    MATERIAL,
    FURTHER_DIGESTS,
    SIGNATURES,
    RECEIPTS,
    VERSION_RECEIPTS,
    EVENTS,
];
/// The state of the fold.
pub(super) const STATE: [u8; 1] = *b"z";

/// The key of a version in one of the tables by version.
pub(super) fn of_version(table: u8, version: VersionId) -> Vec<u8> {
    let mut key = of_record(table, version.record());
    key.extend_from_slice(&version.version().to_be_bytes());
    key
}

/// The start of the keys of a record's versions.
pub(super) fn of_record(table: u8, record: RecordId) -> Vec<u8> {
    of_id(table, record.as_bytes())
}

/// The key of a batch.
pub(super) fn of_batch(batch: BatchId) -> Vec<u8> {
    of_id(BATCHES, batch.as_bytes())
}

/// The key of a head.
pub(super) fn of_head(batch: BatchId) -> Vec<u8> {
    of_id(HEADS, batch.as_bytes())
}

/// The key of what renewed a batch's token.
pub(super) fn of_frozen(batch: BatchId) -> Vec<u8> {
    of_id(FROZEN, batch.as_bytes())
}

/// The start of the keys of a batch's validation material.
pub(super) fn of_material_prefix(batch: BatchId) -> Vec<u8> {
    of_id(MATERIAL, batch.as_bytes())
}

/// The key of validation material, which ends with the place of its frame.
pub(super) fn of_material(batch: BatchId, address: FrameAddress) -> Vec<u8> {
    let mut key = of_material_prefix(batch);
    key.extend_from_slice(&address.segment.to_be_bytes());
    key.extend_from_slice(&address.offset.to_be_bytes());
    key
}

/// The key of a version's chains on a track.
pub(super) fn of_chains(version: VersionId, track: u8) -> Vec<u8> {
    let mut key = of_version(CHAINS, version);
    key.push(track);
    key
}

/// The key of a version's digests under one more function.
pub(super) fn of_further_digests(version: VersionId, algorithm: DigestAlgorithm) -> Vec<u8> {
    let mut key = of_version(FURTHER_DIGESTS, version);
    let number = FurtherDigests::header(version, algorithm, 0).chunk;
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// The key of a receipt.
pub(super) fn of_receipt(receipt: ReceiptId) -> Vec<u8> {
    of_id(RECEIPTS, receipt.as_bytes())
}

/// The start of the keys of a topic's events.
pub(super) fn of_topic(topic: Topic) -> Vec<u8> {
    vec![EVENTS, topic.code()]
}

/// Behind every key of a topic's events, and before those of the next topic.
pub(super) fn behind_topic(topic: Topic) -> Vec<u8> {
    vec![EVENTS, topic.code().saturating_add(1)]
}

/// The key of an event. Ids are in the order of events.
pub(super) fn of_event(topic: Topic, event: EventId) -> Vec<u8> {
    let mut key = of_topic(topic);
    key.extend_from_slice(event.as_bytes());
    key
}

/// The event of a key of [`EVENTS`].
pub(super) fn event(key: &[u8]) -> Option<EventId> {
    let (_, id) = key.split_last_chunk::<16>()?;
    Some(EventId::from_bytes(*id))
}

/// The key that says that a receipt names a version.
pub(super) fn of_version_receipt(version: VersionId, receipt: ReceiptId) -> Vec<u8> {
    let mut key = of_version(VERSION_RECEIPTS, version);
    key.extend_from_slice(receipt.as_bytes());
    key
}

/// The receipt of a key of [`VERSION_RECEIPTS`].
pub(super) fn receipt(key: &[u8]) -> Option<ReceiptId> {
    let (_, id) = key.split_last_chunk::<16>()?;
    Some(ReceiptId::from_bytes(*id))
}

/// The batch of a key of one of the tables by batch.
pub(super) fn batch(key: &[u8]) -> Option<BatchId> {
    let (id, _) = key.get(1..)?.split_first_chunk::<16>()?;
    Some(BatchId::from_bytes(*id))
}

/// The key of a deposit identity.
pub(super) fn of_identity(identity: &[u8; 32]) -> Vec<u8> {
    let mut key = vec![IDENTITIES];
    key.extend_from_slice(identity);
    key
}

/// The version of a key of one of the tables by version.
pub(super) fn version(key: &[u8]) -> Option<VersionId> {
    let (record, version) = key.get(1..)?.split_first_chunk::<16>()?;
    let version = u32::from_be_bytes(version.try_into().ok()?);
    VersionId::new(RecordId::from_bytes(*record), version)
}

fn of_id(table: u8, id: &[u8; 16]) -> Vec<u8> {
    let mut key = vec![table];
    key.extend_from_slice(id);
    key
}
