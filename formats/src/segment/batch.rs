//! A batch: its hash tree in pages, its leaves in pages, and the archive time-stamp over it.

use time::OffsetDateTime;

use super::codec::{Reader, Writer};
use super::content::read_version;
use super::frame::{EncodedFrame, FrameType};
use super::{FrameAddress, LOCATIONS_MAX, PAGE_NODES_MAX, TOKEN_BYTES_MAX};
use crate::digest::DigestAlgorithm;
use crate::error::{ErrorKind, FormatError, Result};
use crate::id::{BatchId, VersionId};

/// Consecutive nodes of one level of a batch's hash tree.
///
/// ```text
/// body = batch id 16 | algorithm (sized name) | level u8 | first node index u64 | nodes, to the end
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreePage {
    /// The batch.
    pub batch: BatchId,
    /// The digest algorithm of the tree; its length is the length of a node.
    pub algorithm: DigestAlgorithm,
    /// Level of the nodes: 0 are the leaves' group hashes (RFC 4998 §4.2), the root is the only node of the highest level.
    pub level: u8,
    /// Index in its level of the first node.
    pub first: u64,
    /// The nodes, one after the other; at most [`PAGE_NODES_MAX`].
    pub nodes: Vec<u8>,
}

/// Consecutive leaves of a batch: which version each leaf is.
///
/// ```text
/// body = batch id 16 | first leaf index u64 | leaves, to the end: record id 16, version u32 each
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafPage {
    /// The batch.
    pub batch: BatchId,
    /// Index of the first leaf.
    pub first: u64,
    /// The versions; at most [`PAGE_NODES_MAX`].
    pub leaves: Vec<VersionId>,
}

/// What an archive time-stamp is in the evidence of its leaves (RFC 4998 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeStampKind {
    /// The first one: it starts a chain.
    Initial,
    /// Time-stamp renewal (RFC 4998 §5.2): the next one of a chain.
    TimeStampRenewal,
    /// Hash-tree renewal (RFC 4998 §5.2): it starts a further chain.
    HashTreeRenewal,
}

/// The time-stamp over a batch, and the commit point of the batch.
///
/// ```text
/// body = batch id 16 | kind u8 | chain u32 | position u32 | algorithm (sized name) | stamped-at i64 |
///        leaf count u64 | tree page addresses | leaf page addresses |
///        leaf count here varint × (record id 16, version u32) | TSA name (sized) | token, to the end
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveTimeStamp {
    /// The batch.
    pub batch: BatchId,
    /// First or renewal.
    pub kind: TimeStampKind,
    /// Number of its chain in the sequence, from 0.
    pub chain: u32,
    /// Its position in the chain, from 0.
    pub position: u32,
    /// The digest algorithm of the tree.
    pub algorithm: DigestAlgorithm,
    /// The time that the token states (`TSTInfo.genTime`), repeated here for readers that do not parse the token.
    pub stamped_at: OffsetDateTime,
    /// Number of leaves.
    pub leaf_count: u64,
    /// The tree's pages: by level, and in a level by index.
    pub tree_pages: Vec<FrameAddress>,
    /// The pages of the leaf list, by index; empty when the list is in [`ArchiveTimeStamp::leaves`].
    pub leaf_pages: Vec<FrameAddress>,
    /// The leaf list when it has at most [`PAGE_NODES_MAX`] leaves, else empty.
    pub leaves: Vec<VersionId>,
    /// The name of the TSA, as it is configured.
    pub tsa: String,
    /// The token (a ContentInfo), byte for byte as the TSA sent it.
    pub token: Vec<u8>,
}

impl TreePage {
    /// How many nodes the page holds.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes
            .len()
            .checked_div(self.algorithm.len())
            .unwrap_or(0)
    }

    /// The bytes of the node with this index in the level, when it stands on this page.
    #[must_use]
    pub fn node(&self, index: u64) -> Option<&[u8]> {
        let place = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.nodes.chunks_exact(self.algorithm.len()).nth(place)
    }

    pub(super) fn encode(self) -> Result<EncodedFrame> {
        check_nodes(&self.nodes, self.algorithm, ErrorKind::NotEncodable)?;
        let mut writer = EncodedFrame::writer(64);
        writer.raw(self.batch.as_bytes());
        writer.algorithm(self.algorithm);
        writer.u8(self.level);
        writer.u64(self.first);
        EncodedFrame::new(FrameType::TreePage, writer, self.nodes)
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("TreePage", body);
        let batch = BatchId::from_bytes(reader.array()?);
        let algorithm = reader.algorithm()?;
        let level = reader.u8()?;
        let first = reader.u64()?;
        let nodes = reader.remainder().to_vec();
        check_nodes(&nodes, algorithm, ErrorKind::InvalidValue)?;
        Ok(Self {
            batch,
            algorithm,
            level,
            first,
            nodes,
        })
    }
}

impl LeafPage {
    pub(super) fn encode(&self) -> Result<EncodedFrame> {
        if self.leaves.is_empty() || self.leaves.len() > PAGE_NODES_MAX {
            return Err(FormatError::new(ErrorKind::NotEncodable, "LeafPage"));
        }
        let mut writer = EncodedFrame::writer(64);
        writer.raw(self.batch.as_bytes());
        writer.u64(self.first);
        write_leaves(&mut writer, &self.leaves);
        EncodedFrame::new(FrameType::LeafPage, writer, Vec::new())
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("LeafPage", body);
        let batch = BatchId::from_bytes(reader.array()?);
        let first = reader.u64()?;
        let count = body.len().saturating_sub(24).div_euclid(LEAF_BYTES);
        if count == 0 || count > PAGE_NODES_MAX {
            return Err(reader.error(ErrorKind::LimitExceeded));
        }
        let leaves = read_leaves(&mut reader, count)?;
        reader.finish()?;
        Ok(Self {
            batch,
            first,
            leaves,
        })
    }
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
}

impl ArchiveTimeStamp {
    pub(super) fn encode(self) -> Result<EncodedFrame> {
        let leaves = u64::try_from(self.leaves.len()).unwrap_or(u64::MAX);
        let fits = self.leaves.len() <= PAGE_NODES_MAX
            && (self.leaves.is_empty()
                || (leaves == self.leaf_count && self.leaf_pages.is_empty()))
            && self.tsa.len() <= TSA_NAME_BYTES_MAX
            && !self.token.is_empty()
            && self.token.len() <= TOKEN_BYTES_MAX;
        if !fits {
            return Err(FormatError::new(ErrorKind::NotEncodable, STRUCTURE));
        }
        let mut writer = EncodedFrame::writer(256);
        writer.raw(self.batch.as_bytes());
        writer.u8(self.kind.code());
        writer.u32(self.chain);
        writer.u32(self.position);
        writer.algorithm(self.algorithm);
        writer.time(self.stamped_at);
        writer.u64(self.leaf_count);
        writer.addresses(&self.tree_pages);
        writer.addresses(&self.leaf_pages);
        writer.varint(leaves);
        write_leaves(&mut writer, &self.leaves);
        writer.sized(self.tsa.as_bytes());
        EncodedFrame::new(FrameType::ArchiveTimeStamp, writer, self.token)
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(STRUCTURE, body);
        let batch = BatchId::from_bytes(reader.array()?);
        let kind = TimeStampKind::from_code(reader.u8()?)
            .ok_or_else(|| reader.error(ErrorKind::InvalidValue))?;
        let chain = reader.u32()?;
        let position = reader.u32()?;
        let algorithm = reader.algorithm()?;
        let stamped_at = reader.time()?;
        let leaf_count = reader.u64()?;
        let tree_pages = reader.addresses(LOCATIONS_MAX)?;
        let leaf_pages = reader.addresses(LOCATIONS_MAX)?;
        let count = reader.count(PAGE_NODES_MAX)?;
        let leaves = read_leaves(&mut reader, count)?;
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
            chain,
            position,
            algorithm,
            stamped_at,
            leaf_count,
            tree_pages,
            leaf_pages,
            leaves,
            tsa,
            token,
        })
    }
}

fn check_nodes(nodes: &[u8], algorithm: DigestAlgorithm, kind: ErrorKind) -> Result<()> {
    let whole = nodes.len().checked_rem(algorithm.len()) == Some(0);
    let max = PAGE_NODES_MAX.saturating_mul(algorithm.len());
    if whole && !nodes.is_empty() && nodes.len() <= max {
        Ok(())
    } else {
        Err(FormatError::new(kind, "TreePage"))
    }
}

fn write_leaves(writer: &mut Writer, leaves: &[VersionId]) {
    for leaf in leaves {
        writer.raw(leaf.record().as_bytes());
        writer.u32(leaf.version());
    }
}

fn read_leaves(reader: &mut Reader<'_>, count: usize) -> Result<Vec<VersionId>> {
    (0..count).map(|_| read_version(reader)).collect()
}

/// Bytes of a leaf: record id and version.
const LEAF_BYTES: usize = 20;

/// Most bytes of a TSA's configured name.
const TSA_NAME_BYTES_MAX: usize = 1024;

const STRUCTURE: &str = "ArchiveTimeStamp";
