//! The archive time-stamp: the commit point of a batch.

use time::OffsetDateTime;

use super::codec::Reader;
use super::frame::{EncodedFrame, FrameType};
use super::{FrameAddress, LOCATIONS_MAX, Leaves, PAGE_NODES_MAX, TOKEN_BYTES_MAX, TRACKS_MAX};
use crate::digest::DigestAlgorithm;
use crate::error::{ErrorKind, FormatError, Result};
use crate::id::BatchId;

/// What an archive time-stamp is in the evidence of its leaves (RFC 4998 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeStampKind {
    /// The first one of its leaves, which are versions: it starts their first chain.
    Initial,
    /// Time-stamp renewal (RFC 4998 §5.2): the next one in the chains of its leaves, which are heads of chains.
    TimeStampRenewal,
    /// Hash-tree renewal (RFC 4998 §5.2): it starts a further chain of its leaves, which are versions.
    HashTreeRenewal,
}

/// The time-stamp over a batch, and the commit point of the batch.
///
/// A chain (RFC 4998 §5.1) is known by its *head*: the batch of kind [`TimeStampKind::Initial`] or
/// [`TimeStampKind::HashTreeRenewal`] that starts it. Which number a chain has in a version's sequence, and which position a
/// renewal in its chain, follows from the order of the frames.
///
/// ```text
/// body = batch id 16 | kind u8 | track u8 | algorithm (sized name) | stamped-at i64 | leaf count u64 |
///        tree id 16 | tree page addresses | leaf page addresses |
///        leaf count here varint × leaf (record id 16 and version u32, or for a time-stamp renewal batch id 16) |
///        TSA name (sized) | token, to the end
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveTimeStamp {
    /// The batch.
    pub batch: BatchId,
    /// First or renewal.
    pub kind: TimeStampKind,
    /// Which of the authorities' evidence it belongs to: 0 the first, 1 a second one, independent of it. Each track has sequences of its own.
    pub track: u8,
    /// The digest algorithm of the tree.
    pub algorithm: DigestAlgorithm,
    /// The time that the token states (`TSTInfo.genTime`), repeated here for readers that do not parse the token.
    pub stamped_at: OffsetDateTime,
    /// Number of leaves.
    pub leaf_count: u64,
    /// The batch whose id stands in the tree and leaf pages: this one, or the one whose tree a second authority stamped, too.
    pub tree: BatchId,
    /// The tree's pages: by level, and in a level by index.
    pub tree_pages: Vec<FrameAddress>,
    /// The pages of the leaf list, by index; empty when the list is in [`ArchiveTimeStamp::leaves`].
    pub leaf_pages: Vec<FrameAddress>,
    /// The leaf list when it has at most [`PAGE_NODES_MAX`] leaves, else empty.
    pub leaves: Leaves,
    /// The name of the TSA, as it is configured.
    pub tsa: String,
    /// The token (a ContentInfo), byte for byte as the TSA sent it.
    pub token: Vec<u8>,
}

impl TimeStampKind {
    /// The byte on the medium.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Initial => 0,
            Self::TimeStampRenewal => 1,
            Self::HashTreeRenewal => 2,
        }
    }

    /// The kind of a byte on the medium.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Initial),
            1 => Some(Self::TimeStampRenewal),
            2 => Some(Self::HashTreeRenewal),
            _ => None,
        }
    }

    /// Whether a batch of this kind starts a chain.
    #[must_use]
    pub const fn is_head(self) -> bool {
        matches!(self, Self::Initial | Self::HashTreeRenewal)
    }
}

impl ArchiveTimeStamp {
    pub(super) fn encode(self) -> Result<EncodedFrame> {
        let leaves = u64::try_from(self.leaves.len()).unwrap_or(u64::MAX);
        let fits = self.leaves.len() <= PAGE_NODES_MAX
            && self.leaves.fit(self.kind)
            && (self.leaves.is_empty()
                || (leaves == self.leaf_count && self.leaf_pages.is_empty()))
            && self.track < TRACKS_MAX
            && self.tsa.len() <= TSA_NAME_BYTES_MAX
            && !self.token.is_empty()
            && self.token.len() <= TOKEN_BYTES_MAX;
        if !fits {
            return Err(FormatError::new(ErrorKind::NotEncodable, STRUCTURE));
        }
        let mut writer = EncodedFrame::writer(256);
        writer.raw(self.batch.as_bytes());
        writer.u8(self.kind.code());
        writer.u8(self.track);
        writer.algorithm(self.algorithm);
        writer.time(self.stamped_at);
        writer.u64(self.leaf_count);
        writer.raw(self.tree.as_bytes());
        writer.addresses(&self.tree_pages);
        writer.addresses(&self.leaf_pages);
        writer.varint(leaves);
        self.leaves.write(&mut writer);
        writer.sized(self.tsa.as_bytes());
        EncodedFrame::new(FrameType::ArchiveTimeStamp, writer, self.token)
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(STRUCTURE, body);
        let batch = BatchId::from_bytes(reader.array()?);
        let kind = TimeStampKind::from_code(reader.u8()?)
            .ok_or_else(|| reader.error(ErrorKind::InvalidValue))?;
        let track = reader.u8()?;
        if track >= TRACKS_MAX {
            return Err(reader.error(ErrorKind::InvalidValue));
        }
        let algorithm = reader.algorithm()?;
        let stamped_at = reader.time()?;
        let leaf_count = reader.u64()?;
        let tree = BatchId::from_bytes(reader.array()?);
        let tree_pages = reader.addresses(LOCATIONS_MAX)?;
        let leaf_pages = reader.addresses(LOCATIONS_MAX)?;
        let count = reader.count(PAGE_NODES_MAX)?;
        let leaves = Leaves::read(&mut reader, Leaves::none(kind).code(), count)?;
        let all_here = u64::try_from(count).is_ok_and(|count| count == leaf_count);
        if count > 0 && !(all_here && leaf_pages.is_empty()) {
            return Err(reader.error(ErrorKind::InvalidValue));
        }
        let tsa = std::str::from_utf8(reader.sized(TSA_NAME_BYTES_MAX)?)
            .map_err(|_| reader.error(ErrorKind::InvalidText))?
            .to_owned();
        let token = reader.remainder().to_vec();
        if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
            return Err(reader.error(ErrorKind::LimitExceeded));
        }
        Ok(Self {
            batch,
            kind,
            track,
            algorithm,
            stamped_at,
            leaf_count,
            tree,
            tree_pages,
            leaf_pages,
            leaves,
            tsa,
            token,
        })
    }
}

/// Most bytes of a TSA's configured name.
const TSA_NAME_BYTES_MAX: usize = 1024;

const STRUCTURE: &str = "ArchiveTimeStamp";
