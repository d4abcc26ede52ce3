//! The pages of a batch: nodes of its hash tree, and leaves.

use super::codec::Reader;
use super::frame::{EncodedFrame, FrameType};
use super::{Leaves, PAGE_NODES_MAX};
use crate::digest::DigestAlgorithm;
use crate::error::{ErrorKind, FormatError, Result};
use crate::id::BatchId;

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

/// Consecutive leaves of a batch that has more of them than its archive time-stamp holds.
///
/// ```text
/// body = batch id 16 | leaf sort u8 | first leaf index u64 | leaves, to the end:
///        sort 0: record id 16, version u32 each; sort 1: batch id 16 of the head of a chain each
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafPage {
    /// The batch.
    pub batch: BatchId,
    /// Index of the first leaf.
    pub first: u64,
    /// The leaves; from 1 to [`PAGE_NODES_MAX`].
    pub leaves: Leaves,
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
        writer.u8(self.leaves.code());
        writer.u64(self.first);
        self.leaves.write(&mut writer);
        EncodedFrame::new(FrameType::LeafPage, writer, Vec::new())
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("LeafPage", body);
        let batch = BatchId::from_bytes(reader.array()?);
        let code = reader.u8()?;
        let leaf_bytes =
            Leaves::leaf_bytes(code).ok_or_else(|| reader.error(ErrorKind::InvalidValue))?;
        let first = reader.u64()?;
        let count = body
            .len()
            .saturating_sub(PAGE_HEAD_BYTES)
            .checked_div(leaf_bytes)
            .unwrap_or(0);
        if count == 0 || count > PAGE_NODES_MAX {
            return Err(reader.error(ErrorKind::LimitExceeded));
        }
        let leaves = Leaves::read(&mut reader, code, count)?;
        reader.finish()?;
        Ok(Self {
            batch,
            first,
            leaves,
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

/// Bytes of a leaf page before its leaves.
const PAGE_HEAD_BYTES: usize = 25;
