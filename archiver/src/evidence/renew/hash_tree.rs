//! Hash-tree renewal (RFC 4998 §5.2): a new chain, under another digest algorithm, over versions and all their evidence so far.
//!
//! No content is read: the new digest of each content object stands in the manifest, or was taken by a re-hash. The tree is written while it
//! grows, so that what is in memory does not depend on how many versions there are.

use std::thread;

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::hash_tree::group_hash;
use formats::id::{BatchId, VersionId};
use formats::segment::{Frame, Leaves, TimeStampKind};
use time::OffsetDateTime;

use super::{LeftOut, RenewError, RenewProgress, RenewStep, Renewal, RenewedChains, Renewer};
use crate::evidence::assemble::{AssembleError, EvidenceAssembler};
use crate::evidence::batch_stream::BatchStream;
use crate::evidence::batch_writer::Tree;
use crate::evidence::leaves::group_of;
use crate::record::error::RetrieveError;
use crate::store::StoreError;

/// A hash-tree renewal on its way.
struct Job<'p, 'a> {
    track: u8,
    to: DigestAlgorithm,
    /// The batch that is being written.
    batch: Option<BatchStream<'a>>,
    newest: Option<OffsetDateTime>,
    /// Versions that are waiting to be computed.
    block: Vec<VersionId>,
    done: u64,
    total: u64,
    progress: RenewProgress<'p>,
}

impl<'a> Renewer<'a> {
    pub(super) fn renew_hash_trees(
        &self,
        track: u8,
        (from, to): (DigestAlgorithm, DigestAlgorithm),
        heads: &[BatchId],
        renewed: &mut RenewedChains,
        progress: RenewProgress<'_>,
    ) -> Result<(), RenewError> {
        let mut chains = Vec::new();
        for head in heads {
            let meant = self.head_for(*head, |known| {
                known.track == track && known.entry.algorithm == from
            })?;
            match meant {
                Ok(known) => chains.push(known),
                Err(why) => renewed.chains_left.push((*head, why)),
            }
        }
        let mut job = Job {
            track,
            to,
            batch: None,
            newest: None,
            block: Vec::new(),
            done: 0,
            total: chains.iter().map(|chain| chain.live).sum(),
            progress,
        };
        for chain in &chains {
            job.newest = job.newest.max(self.newest_time(chain)?);
            match self.take_versions(chain.entry.batch, &mut job, renewed)? {
                Ok(()) => renewed.chains += 1,
                Err(error) => {
                    let left = LeftOut::Evidence(error);
                    renewed.chains_left.push((chain.entry.batch, left));
                }
            }
        }
        self.compute(&mut job, renewed)?;
        self.finish_batch(&mut job, renewed)
    }

    /// Goes through the versions of a head that have no later chain. The inner error says that its leaf list cannot be read; those
    /// versions that were read before are renewed all the same.
    fn take_versions(
        &self,
        head: BatchId,
        job: &mut Job<'_, 'a>,
        renewed: &mut RenewedChains,
    ) -> Result<Result<(), AssembleError>, RenewError> {
        let entry = self.catalog.batch(head)?;
        let Some(address) = entry.map(|entry| entry.address) else {
            return Ok(Err(AssembleError::NoSuchLeaf));
        };
        let stamp = match self.frames.read(address) {
            Ok(Frame::ArchiveTimeStamp(stamp)) => stamp,
            Ok(_) => return Ok(Err(AssembleError::WrongFrame { address })),
            Err(error) => return Ok(Err(error.into())),
        };
        self.take_leaves(head, stamp.leaves, job, renewed)?;
        for address in stamp.leaf_pages {
            match self.frames.read(address) {
                Ok(Frame::LeafPage(page)) if page.batch == stamp.tree => {
                    self.take_leaves(head, page.leaves, job, renewed)?;
                }
                Ok(_) => return Ok(Err(AssembleError::WrongFrame { address })),
                Err(error) => return Ok(Err(error.into())),
            }
        }
        Ok(Ok(()))
    }

    fn take_leaves(
        &self,
        head: BatchId,
        leaves: Leaves,
        job: &mut Job<'_, 'a>,
        renewed: &mut RenewedChains,
    ) -> Result<(), RenewError> {
        let Leaves::Versions(versions) = leaves else {
            return Ok(());
        };
        for version in versions {
            let chains = self.catalog.chains_of(version, job.track)?;
            if chains.last().is_none_or(|last| last.head != head) {
                continue;
            }
            job.block.push(version);
            if job.block.len() >= BLOCK_VERSIONS {
                self.compute(job, renewed)?;
            }
        }
        Ok(())
    }

    /// Computes the leaves of the waiting versions, and makes a batch when it is full.
    fn compute(
        &self,
        job: &mut Job<'_, 'a>,
        renewed: &mut RenewedChains,
    ) -> Result<(), RenewError> {
        let block = std::mem::take(&mut job.block);
        let leaves = self.leaves_of(job, &block)?;
        for (version, leaf) in block.into_iter().zip(leaves) {
            match leaf {
                Ok(leaf) => self.batch_of(job)?.push(version, leaf)?,
                Err(why) => renewed.versions_left.push((version, why)),
            }
            job.done += 1;
            let leaves = job.batch.as_ref().map_or(0, BatchStream::leaf_count);
            if leaves >= self.options.leaves_max.max(1) as u64 {
                self.finish_batch(job, renewed)?;
            }
        }
        (job.progress)(RenewStep::Computed {
            done: job.done,
            total: job.total,
        });
        Ok(())
    }

    /// The batch that is being written; one is begun where there is none.
    fn batch_of<'j>(
        &self,
        job: &'j mut Job<'_, 'a>,
    ) -> Result<&'j mut BatchStream<'a>, RenewError> {
        let batch = match job.batch.take() {
            Some(batch) => batch,
            None => BatchStream::begin(self.writer(), job.to)?,
        };
        Ok(job.batch.insert(batch))
    }

    fn finish_batch(
        &self,
        job: &mut Job<'_, 'a>,
        renewed: &mut RenewedChains,
    ) -> Result<(), RenewError> {
        let Some(batch) = job.batch.take() else {
            return Ok(());
        };
        let count = batch.leaf_count();
        let tree = batch.close()?;
        (job.progress)(RenewStep::TreeBuilt { leaves: count });
        let root = tree.root;
        let renewal = Renewal {
            kind: TimeStampKind::HashTreeRenewal,
            track: job.track,
            newest: job.newest,
        };
        self.commit(renewal, &root, Tree::Streamed(tree), renewed, job.progress)?;
        renewed.versions += count;
        Ok(())
    }

    /// The leaves of versions, in their order, computed by several threads.
    fn leaves_of(
        &self,
        job: &Job<'_, 'a>,
        versions: &[VersionId],
    ) -> Result<Vec<Result<DigestValue, LeftOut>>, RenewError> {
        let (track, to) = (job.track, job.to);
        let share = versions.len().div_ceil(self.threads.get()).max(1);
        let worker = Worker {
            frames: self.frames,
            catalog: self.catalog,
            retriever: self.retriever,
        };
        let worker = &worker;
        thread::scope(|scope| {
            let threads: Vec<_> = versions
                .chunks(share)
                .map(|versions| scope.spawn(move || worker.leaves_of(versions, track, to)))
                .collect();
            let mut leaves = Vec::with_capacity(versions.len());
            for thread in threads {
                leaves.extend(thread.join().map_err(|_| RenewError::Machine)?);
            }
            Ok(leaves)
        })
    }
}

/// The part of a renewer that several threads share.
struct Worker<'a> {
    frames: &'a (dyn crate::evidence::log::FrameSource + Sync),
    catalog: &'a crate::store::catalog::Catalog,
    retriever: crate::record::retrieve::Retriever<'a>,
}

impl Worker<'_> {
    fn leaves_of(
        &self,
        versions: &[VersionId],
        track: u8,
        to: DigestAlgorithm,
    ) -> Vec<Result<DigestValue, LeftOut>> {
        let assembler = EvidenceAssembler::new(self.frames, self.catalog);
        versions
            .iter()
            .map(|version| self.leaf_of(&assembler, *version, track, to))
            .collect()
    }

    /// The leaf of a version (RFC 4998 §5.2, steps 2 to 4): the digests of its group under the new algorithm, each together with that of
    /// the sequence so far, sorted and hashed.
    fn leaf_of(
        &self,
        assembler: &EvidenceAssembler<'_>,
        version: VersionId,
        track: u8,
        to: DigestAlgorithm,
    ) -> Result<DigestValue, LeftOut> {
        let unreadable = |error| LeftOut::Unreadable(Box::new(error));
        let of_store = |error: StoreError| unreadable(error.into());
        let address = self.catalog.address_of(version).map_err(of_store)?;
        let address = address.ok_or_else(|| unreadable(RetrieveError::NotFound { version }))?;
        let opened = self
            .retriever
            .open_at(version, address)
            .map_err(unreadable)?;
        let group = |algorithm| group_of(&opened, self.catalog, self.frames, algorithm);
        let digests = group(to).ok_or(LeftOut::NoDigests)?;
        let sequence = assembler
            .sequence(version, track, &group)
            .map_err(LeftOut::Evidence)?;
        group_hash(to, &sequence.renewed(to, &digests)).ok_or(LeftOut::NoDigests)
    }
}

/// Versions whose leaves are computed at a time.
const BLOCK_VERSIONS: usize = 4096;
