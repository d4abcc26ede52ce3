//! The re-hash: contents are read, and digests under a function that the manifests do not have are taken and kept.

use std::io;
use std::thread;

use formats::digest::DigestAlgorithm;
use formats::id::VersionId;
use formats::manifest::Manifest;
use formats::segment::{Frame, FrameAddress, FurtherDigests};

use super::{LeftOut, RenewError, RenewProgress, RenewStep, RenewedChains, Renewer};
use crate::content::SealError;
use crate::evidence::leaves::ComputedDigests;
use crate::record::retrieve::Retriever;

/// What reading one version gave.
enum Read {
    /// Its digests.
    Digests(FurtherDigests),
    /// Its manifest has digests under this function.
    NotNeeded,
    /// It cannot be read, or is not what was deposited.
    Left(LeftOut),
}

impl Renewer<'_> {
    pub(super) fn re_hash(
        &self,
        algorithm: DigestAlgorithm,
        renewed: &mut RenewedChains,
        progress: RenewProgress<'_>,
    ) -> Result<(), RenewError> {
        let waiting = self.without_digests(algorithm, renewed)?;
        let total = waiting.len() as u64;
        let mut done = 0;
        for block in waiting.chunks(BLOCK_VERSIONS) {
            let mut last = None;
            let mut frames = Vec::new();
            for (version, read) in self.read_block(block, algorithm)? {
                match read {
                    Read::Digests(digests) => {
                        let frame = Frame::FurtherDigests(digests);
                        let address = self.log.append(frame.clone())?;
                        frames.push((address, frame));
                        last = Some(address);
                    }
                    Read::NotNeeded => {}
                    Read::Left(why) => renewed.versions_left.push((version, why)),
                }
            }
            if let Some(last) = last {
                self.log.commit(last)?;
            }
            for (address, frame) in &frames {
                self.catalog.apply(*address, frame)?;
            }
            renewed.versions += frames.len() as u64;
            done += block.len() as u64;
            progress(RenewStep::Computed { done, total });
        }
        Ok(())
    }

    /// The versions without these digests, as far as the index knows.
    fn without_digests(
        &self,
        algorithm: DigestAlgorithm,
        renewed: &mut RenewedChains,
    ) -> Result<Vec<(VersionId, FrameAddress)>, RenewError> {
        let max = self.options.re_hash_versions_max.unwrap_or(u64::MAX);
        let mut all = Vec::new();
        self.catalog.for_each(&mut |hit| {
            all.push((hit.version, hit.address));
            true
        })?;
        let mut waiting = Vec::new();
        for (version, address) in all {
            if self.catalog.further_digests(version, algorithm)?.is_some() {
                continue;
            }
            if waiting.len() as u64 >= max {
                renewed.is_partial = true;
                break;
            }
            waiting.push((version, address));
        }
        Ok(waiting)
    }

    fn read_block(
        &self,
        block: &[(VersionId, FrameAddress)],
        algorithm: DigestAlgorithm,
    ) -> Result<Vec<(VersionId, Read)>, RenewError> {
        let retriever = self.retriever;
        let share = block.len().div_ceil(self.threads.get()).max(1);
        thread::scope(|scope| {
            let threads: Vec<_> = block
                .chunks(share)
                .map(|part| {
                    scope.spawn(move || {
                        let read = |(version, address): &(VersionId, FrameAddress)| {
                            let read = read_one(&retriever, *version, *address, algorithm)?;
                            Ok((*version, read))
                        };
                        part.iter().map(read).collect::<Result<Vec<_>, SealError>>()
                    })
                })
                .collect();
            let mut all = Vec::with_capacity(block.len());
            for thread in threads {
                all.extend(thread.join().map_err(|_| RenewError::Machine)??);
            }
            Ok(all)
        })
    }
}

fn read_one(
    retriever: &Retriever<'_>,
    version: VersionId,
    address: FrameAddress,
    algorithm: DigestAlgorithm,
) -> Result<Read, SealError> {
    let left = |error| Ok(Read::Left(LeftOut::Unreadable(Box::new(error))));
    let mut opened = match retriever.open_at(version, address) {
        Ok(opened) => opened,
        Err(error) => return left(error),
    };
    let manifest = opened.manifest().clone();
    if Manifest::group(&manifest, algorithm).is_ok() {
        return Ok(Read::NotNeeded);
    }
    // Reading compares every content with the digests of its manifest, so these are digests of what was deposited.
    let mut computed = ComputedDigests::new(manifest.clone());
    for _ in &manifest.objects {
        if let Err(error) = computed.read_next(&mut opened, &[algorithm], &mut io::sink()) {
            return left(error);
        }
    }
    let group = computed.group(algorithm).unwrap_or_default();
    // The first one is the manifest's, which is computed anew whenever it is needed.
    let digests = group.get(1..).unwrap_or_default();
    let frame = opened.seal_further_digests(algorithm, digests)?;
    Ok(Read::Digests(frame))
}

/// So many versions are read, and made durable together.
const BLOCK_VERSIONS: usize = 64;
