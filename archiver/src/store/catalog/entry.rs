//! What the index knows about a version and about a batch.

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::id::{BatchId, VersionId};
use formats::manifest::{Metadata, ObjectName, Role};
use formats::segment::{FrameAddress, TimeStampKind};
use time::OffsetDateTime;

/// A version as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Record and version.
    pub version: VersionId,
    /// Its [`formats::segment::RecordVersion`] frame.
    pub address: FrameAddress,
    /// When it was received.
    pub received_at: OffsetDateTime,
    /// Id of its class.
    pub class: String,
    /// Its search keys.
    pub metadata: Metadata,
    /// Its content objects.
    pub objects: Vec<ObjectEntry>,
    /// Who deposited it.
    pub depositor: String,
    /// The archive time-stamp that covers it.
    pub stamp: Option<Stamp>,
    /// Whether the record has a newer version.
    pub superseded: bool,
    /// Whether its manifest could be opened. If not, everything but `version`, `address` and `stamp` is empty.
    pub readable: bool,
}

/// A content object as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectEntry {
    /// Name at the depositor.
    pub name: ObjectName,
    /// What it is to the record.
    pub role: Role,
    /// Media type.
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
}

/// The place of a version in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The batch.
    pub batch: BatchId,
    /// Index of the leaf in the batch.
    pub leaf: u64,
    /// The time that the batch's token states.
    pub stamped_at: OffsetDateTime,
}

/// A version that no archive time-stamp covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unstamped {
    /// The version.
    pub version: VersionId,
    /// Its [`formats::segment::RecordVersion`] frame.
    pub address: FrameAddress,
    /// Since when it waits.
    pub received_at: OffsetDateTime,
    /// Its leaf under SHA-256: the group hash (RFC 4998 §4.2) of its manifest and contents. `None` when its manifest could not be opened.
    pub leaf: Option<DigestValue>,
}

/// A batch as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchEntry {
    /// The batch.
    pub batch: BatchId,
    /// Its [`formats::segment::ArchiveTimeStamp`] frame.
    pub address: FrameAddress,
    /// First or renewal.
    pub kind: TimeStampKind,
    /// Digest algorithm of the tree.
    pub algorithm: DigestAlgorithm,
    /// Number of leaves.
    pub leaf_count: u64,
    /// The time that the token states.
    pub stamped_at: OffsetDateTime,
    /// Name of the TSA.
    pub tsa: String,
}
