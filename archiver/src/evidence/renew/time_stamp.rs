//! Time-stamp renewal (RFC 4998 §5.2): one token over all tokens of many chains.

use formats::digest::DigestAlgorithm;
use formats::id::BatchId;
use formats::segment::{Leaves, TimeStampKind};

use super::{LeftOut, RenewError, RenewProgress, RenewStep, Renewal, RenewedChains, Renewer};
use crate::evidence::assemble::EvidenceAssembler;

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
        let begin = || Renewal {
            kind: TimeStampKind::TimeStampRenewal,
            track,
            algorithm,
            leaves: Leaves::Heads(Vec::new()),
            nodes: Vec::new(),
            newest: None,
        };
        let mut batches = Vec::new();
        let mut batch = begin();
        let mut taken = Vec::new();
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
                    taken.push(*head);
                }
                Err(why) => renewed.chains_left.push((*head, why)),
            }
            if taken.len() >= self.options.leaves_max.max(1) {
                batch.leaves = Leaves::Heads(std::mem::take(&mut taken));
                batches.push(std::mem::replace(&mut batch, begin()));
            }
            progress(RenewStep::Computed {
                done: done as u64 + 1,
                total: heads.len() as u64,
            });
        }
        if !taken.is_empty() {
            batch.leaves = Leaves::Heads(taken);
            batches.push(batch);
        }
        for batch in batches {
            let chains = batch.leaves.len() as u64;
            self.commit(batch, renewed, progress)?;
            renewed.chains += chains;
        }
        Ok(())
    }
}
