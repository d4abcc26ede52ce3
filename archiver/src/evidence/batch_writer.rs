//! The frames of a batch that has its token.

use firmware::clock::Clock;
use firmware::entropy::Entropy;
use formats::evidence::hash_tree::HashTree;
use formats::id::BatchId;
use formats::segment::{
    ArchiveTimeStamp, Frame, FrameAddress, LeafPage, Leaves, PAGE_NODES_MAX, TOKEN_BYTES_MAX,
    TimeStampKind, TreePage, ValidationMaterial,
};
use time::OffsetDateTime;

use super::batch::{MadeBatch, SecondToken, StampError};
use super::batch_stream::StreamedTree;
use super::log::FrameLog;
use crate::tsa::checks::AcceptedToken;
use crate::tsa::material::Collected;

/// Writes batches.
#[derive(Clone, Copy)]
pub(super) struct BatchWriter<'a> {
    pub(super) log: &'a dyn FrameLog,
    pub(super) clock: &'a dyn Clock,
    pub(super) entropy: &'a dyn Entropy,
}

/// A batch to be written.
pub(super) struct NewBatch<'a> {
    pub(super) kind: TimeStampKind,
    pub(super) track: u8,
    pub(super) tree: Tree<'a>,
    pub(super) token: &'a AcceptedToken,
}

/// The tree under the token.
pub(super) enum Tree<'a> {
    /// A new one, with its leaves.
    New(&'a HashTree, Leaves),
    /// A new one whose pages are appended already.
    Streamed(StreamedTree),
    /// That of a batch which is stored.
    Of(&'a ArchiveTimeStamp),
}

/// What an archive timestamp says about its tree.
pub(super) struct Pages {
    pub(super) tree: BatchId,
    pub(super) tree_pages: Vec<FrameAddress>,
    pub(super) leaf_pages: Vec<FrameAddress>,
    pub(super) leaves: Leaves,
    pub(super) leaf_count: u64,
}

impl BatchWriter<'_> {
    /// Appends pages, material and archive timestamp, and commits.
    pub(super) fn write(&self, batch: NewBatch<'_>) -> Result<MadeBatch, StampError> {
        let NewBatch {
            kind,
            track,
            tree,
            token,
        } = batch;
        let (id, algorithm, pages) = match tree {
            Tree::New(tree, leaves) => {
                let id = self.new_id()?;
                (id, tree.algorithm(), self.append_pages(id, tree, leaves)?)
            }
            Tree::Streamed(tree) => (tree.id, tree.algorithm, tree.pages),
            Tree::Of(stored) => (
                self.new_id()?,
                stored.algorithm,
                Pages {
                    tree: stored.tree,
                    tree_pages: stored.tree_pages.clone(),
                    leaf_pages: stored.leaf_pages.clone(),
                    leaves: stored.leaves.clone(),
                    leaf_count: stored.leaf_count,
                },
            ),
        };
        let mut material = Vec::new();
        for frame in material_frames(id, self.clock.now(), token.material()) {
            let frame = Frame::ValidationMaterial(frame);
            material.push((self.log.append(frame.clone())?, frame));
        }
        let frame = ArchiveTimeStamp {
            batch: id,
            kind,
            track,
            algorithm,
            stamped_at: token.gen_time(),
            leaf_count: pages.leaf_count,
            tree: pages.tree,
            tree_pages: pages.tree_pages,
            leaf_pages: pages.leaf_pages,
            leaves: pages.leaves,
            tsa: token.authority().to_owned(),
            token: token.bytes().to_vec(),
        };
        let address = self.log.append(Frame::ArchiveTimeStamp(frame.clone()))?;
        self.log.commit(address)?;
        Ok(MadeBatch {
            address,
            frame,
            material,
            second: SecondToken::NotAsked,
        })
    }

    pub(super) fn new_id(&self) -> Result<BatchId, StampError> {
        let mut random = [0u8; 10];
        self.entropy
            .fill(&mut random)
            .map_err(|_| StampError::Entropy)?;
        let millis = self.clock.now().unix_timestamp_nanos() / 1_000_000;
        Ok(BatchId::new(u64::try_from(millis).unwrap_or(0), &random))
    }

    fn append_pages(
        &self,
        batch: BatchId,
        tree: &HashTree,
        leaves: Leaves,
    ) -> Result<Pages, StampError> {
        let leaf_count = tree.leaf_count() as u64;
        let tree_pages = self.append_tree(batch, tree)?;
        let (leaf_pages, leaves) = self.append_leaves(batch, leaves)?;
        Ok(Pages {
            tree: batch,
            tree_pages,
            leaf_pages,
            leaves,
            leaf_count,
        })
    }

    /// Pages level by level, as [`super::geometry`] finds them again.
    fn append_tree(
        &self,
        batch: BatchId,
        tree: &HashTree,
    ) -> Result<Vec<FrameAddress>, StampError> {
        let page_bytes = PAGE_NODES_MAX * tree.algorithm().len();
        let mut pages = Vec::new();
        for (level, nodes) in (0u8..).zip(tree.levels()) {
            for (first, nodes) in (0u64..)
                .step_by(PAGE_NODES_MAX)
                .zip(nodes.chunks(page_bytes))
            {
                let page = TreePage {
                    batch,
                    algorithm: tree.algorithm(),
                    level,
                    first,
                    nodes: nodes.to_vec(),
                };
                pages.push(self.log.append(Frame::TreePage(page))?);
            }
        }
        Ok(pages)
    }

    /// Few leaves stay in the archive timestamp.
    fn append_leaves(
        &self,
        batch: BatchId,
        leaves: Leaves,
    ) -> Result<(Vec<FrameAddress>, Leaves), StampError> {
        if leaves.len() <= PAGE_NODES_MAX {
            return Ok((Vec::new(), leaves));
        }
        let mut pages = Vec::new();
        for (first, page) in (0u64..).step_by(PAGE_NODES_MAX).zip(leaves.pages()) {
            let page = LeafPage {
                batch,
                first,
                leaves: page,
            };
            pages.push(self.log.append(Frame::LeafPage(page))?);
        }
        let none = match leaves {
            Leaves::Versions(_) => Leaves::Versions(Vec::new()),
            Leaves::Heads(_) => Leaves::Heads(Vec::new()),
        };
        Ok((pages, none))
    }
}

/// The frames for what was collected, each of a size that a frame may have. A CRL that is too long for a frame is left out: the token
/// is judged without it then, as it would be without this archive.
pub(super) fn material_frames(
    batch: BatchId,
    collected_at: OffsetDateTime,
    collected: &Collected,
) -> Vec<ValidationMaterial> {
    let none = ValidationMaterial {
        batch,
        collected_at,
        certificates: Vec::new(),
        crls: Vec::new(),
        ocsp_responses: Vec::new(),
    };
    let mut frames = Vec::new();
    let mut frame = none.clone();
    let mut bytes = 0;
    type List = fn(&mut ValidationMaterial) -> &mut Vec<Vec<u8>>;
    let lists: [(&Vec<Vec<u8>>, List); 3] = [
        (&collected.certificates, |frame| &mut frame.certificates),
        (&collected.crls, |frame| &mut frame.crls),
        (&collected.ocsp_responses, |frame| &mut frame.ocsp_responses),
    ];
    for (items, list) in lists {
        for item in items {
            if item.len() > TOKEN_BYTES_MAX {
                continue;
            }
            if bytes + item.len() > MATERIAL_BYTES_MAX && !frame.is_empty() {
                frames.push(std::mem::replace(&mut frame, none.clone()));
                bytes = 0;
            }
            bytes += item.len();
            list(&mut frame).push(item.clone());
        }
    }
    if !frame.is_empty() {
        frames.push(frame);
    }
    frames
}

/// Bytes of material in one frame: below the limit of a frame.
const MATERIAL_BYTES_MAX: usize = TOKEN_BYTES_MAX;
