//! Keys of the index: a letter for the table, then an identifier. They tell nothing that the segments do not tell in clear.

use formats::id::{BatchId, RecordId, VersionId};

/// A version.
pub(super) const VERSIONS: u8 = b'v';
/// The stamp of a version.
pub(super) const STAMPS: u8 = b's';
/// A batch.
pub(super) const BATCHES: u8 = b'b';
/// A deposit identity.
pub(super) const IDENTITIES: u8 = b'i';
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
    let mut key = vec![table];
    key.extend_from_slice(record.as_bytes());
    key
}

/// The key of a batch.
pub(super) fn of_batch(batch: BatchId) -> Vec<u8> {
    let mut key = vec![BATCHES];
    key.extend_from_slice(batch.as_bytes());
    key
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
