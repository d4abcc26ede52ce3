//! Time-stamp renewal (RFC 4998 §5.2): one token over all tokens of many chains.

use formats::digest::DigestAlgorithm;
use formats::evidence::hash_tree::HashTree;
use formats::id::BatchId;
use formats::segment::{Leaves, TimeStampKind};
use time::OffsetDateTime;

use super::{LeftOut, RenewError, RenewProgress, RenewStep, Renewal, RenewedChains, Renewer};
use crate::evidence::assemble::EvidenceAssembler;
use crate::evidence::batch::StampError;
use crate::evidence::batch_writer::Tree;

impl Renewer<'_> {
    pub(super) fn renew_time_stamps(
        &self,
        track: u8,
        algorithm: DigestAlgorithm,
        heads: &[BatchId],
        renewed: &mut RenewedChains,
        progress: RenewProgress<'_>,
    ) -> Result<(), RenewError> {
        let assembler = EvidenceAssembler::new(self.frames, self.catalog);
        let mut batches = Vec::new();
        let mut batch = Chains::default();
        for (done, head) in heads.iter().enumerate() {
            let meant = self.head_for(*head, |known| {
                known.track == track && known.entry.algorithm == algorithm
            })?;
            let leaf = meant.and_then(|known| {
                let leaf = assembler.renewal_leaf(*head).map_err(LeftOut::Evidence)?;
                Ok((known, leaf))
            });
            match leaf {
                Ok((known, leaf)) => {
                    batch.newest = batch.newest.max(self.newest_time(&known)?);
                    batch.nodes.extend_from_slice(leaf.as_bytes());
                    batch.heads.push(*head);
                }
                Err(why) => renewed.chains_left.push((*head, why)),
            }
            if batch.heads.len() >= self.options.leaves_max.max(1) {
                batches.push(std::mem::take(&mut batch));
            }
            progress(RenewStep::Computed {
                done: done as u64 + 1,
                total: heads.len() as u64,
            });
        }
        if !batch.heads.is_empty() {
            batches.push(batch);
        }
        for batch in batches {
            let chains = batch.heads.len() as u64;
            let tree =
                HashTree::build(algorithm, batch.nodes, self.threads).map_err(StampError::Tree)?;
            progress(RenewStep::TreeBuilt { leaves: chains });
            let renewal = Renewal {
                kind: TimeStampKind::TimeStampRenewal,
                track,
                newest: batch.newest,
            };
            let leaves = Leaves::Heads(batch.heads);
            let (root, tree) = (tree.root(), Tree::New(&tree, leaves));
            self.commit(renewal, &root, tree, renewed, progress)?;
            renewed.chains += chains;
        }
        Ok(())
    }
}

/// The chains under one token, with their leaves.
#[derive(Default)]
struct Chains {
    heads: Vec<BatchId>,
    nodes: Vec<u8>,
    newest: Option<OffsetDateTime>,
}
