//! The evidence of one version, put together from the stored pages when somebody asks for it (RFC 4998 §4.2.2, §5).
//!
//! Nothing of it is stored for each version: a version's archive timestamps are its way through stored trees, and the tokens. What is given
//! out was computed through to the imprint of every token in it.

mod chain;
mod error;
mod record;
mod stored_batch;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::hash_tree::group_hash;
use formats::id::{BatchId, VersionId};
use formats::segment::{Frame, FrameAddress, TRACKS_MAX, ValidationMaterial};

use super::log::FrameSource;
use crate::store::catalog::{BatchEntry, Catalog, ChainStart};

pub use chain::StoredChain;
pub use error::AssembleError;
pub use stored_batch::StoredBatch;

/// The digests of a version's data object group (its manifest and its content objects, in this order) under an algorithm. `None`: there
/// are none under this one.
pub type GroupDigests<'g> = &'g dyn Fn(DigestAlgorithm) -> Option<Vec<DigestValue>>;

/// Puts evidence together.
///
/// It keeps the chains used last, each with the page read last of each level of its tree, so versions in ascending order read each page
/// once. It shows the archive as it was when a chain was used first: make a new one after a renewal.
pub struct EvidenceAssembler<'a> {
    frames: &'a dyn FrameSource,
    catalog: &'a Catalog,
    chains: RefCell<Kept<StoredChain<'a>>>,
    renewals: RefCell<Kept<StoredBatch<'a>>>,
}

/// The archive timestamp sequence of a version on one track (RFC 4998 §5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// The digest algorithm of each chain.
    pub algorithms: Vec<DigestAlgorithm>,
    /// The chains, DER.
    pub chains: Vec<Vec<u8>>,
}

/// One archive timestamp of a version, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceMember {
    /// The chain, from 0.
    pub chain: usize,
    /// The batch.
    pub batch: BatchEntry,
}

impl<'a> EvidenceAssembler<'a> {
    /// An assembler; nothing is read.
    #[must_use]
    pub fn new(frames: &'a dyn FrameSource, catalog: &'a Catalog) -> Self {
        Self {
            frames,
            catalog,
            chains: RefCell::default(),
            renewals: RefCell::default(),
        }
    }

    /// The evidence record of a version on a track, DER.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn evidence_record(
        &self,
        version: VersionId,
        track: u8,
        group: GroupDigests<'_>,
    ) -> Result<Vec<u8>, AssembleError> {
        Ok(self.sequence(version, track, group)?.evidence_record())
    }

    /// The archive timestamp sequence of a version on a track.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn sequence(
        &self,
        version: VersionId,
        track: u8,
        group: GroupDigests<'_>,
    ) -> Result<Sequence, AssembleError> {
        let starts = self.starts(version, track)?;
        let mut sequence = Sequence {
            algorithms: Vec::new(),
            chains: Vec::new(),
        };
        for (chain, start, end) in &starts {
            let algorithm = chain.algorithm();
            let digests = group(algorithm).ok_or(AssembleError::NoDigests { algorithm })?;
            let values = match sequence.chains.as_slice() {
                [] => digests,
                _ => sequence.renewed(algorithm, &digests),
            };
            let encoded = chain.encode(start.leaf, &values, *end)?;
            sequence.algorithms.push(algorithm);
            sequence.chains.push(encoded);
        }
        Ok(sequence)
    }

    /// The digest algorithms of a version's chains, on all tracks.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn algorithms(&self, version: VersionId) -> Result<Vec<DigestAlgorithm>, AssembleError> {
        let mut algorithms = Vec::new();
        for track in 0..TRACKS_MAX {
            for start in self.catalog.chains_of(version, track)? {
                algorithms.push(self.chain(start.head)?.algorithm());
            }
        }
        Ok(algorithms)
    }

    /// The heads of a version's chains, on all tracks. Versions with the same heads have the same tokens.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn heads(&self, version: VersionId) -> Result<Vec<BatchId>, AssembleError> {
        let mut heads = Vec::new();
        for track in 0..TRACKS_MAX {
            let starts = self.catalog.chains_of(version, track)?;
            heads.extend(starts.iter().map(|start| start.head));
        }
        Ok(heads)
    }

    /// The tracks on which a version has evidence: none while it waits for its first timestamp.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn tracks(&self, version: VersionId) -> Result<Vec<u8>, AssembleError> {
        let mut tracks = Vec::new();
        for track in 0..TRACKS_MAX {
            if !self.catalog.chains_of(version, track)?.is_empty() {
                tracks.push(track);
            }
        }
        Ok(tracks)
    }

    /// The archive timestamps of a version on a track, oldest first. Nothing is computed.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn members(
        &self,
        version: VersionId,
        track: u8,
    ) -> Result<Vec<SequenceMember>, AssembleError> {
        let starts = self.catalog.chains_of(version, track)?;
        let mut members = Vec::new();
        for (place, start) in starts.iter().enumerate() {
            let head = self.catalog.head(start.head)?;
            let head = head.ok_or(AssembleError::NoSuchLeaf)?;
            let end = match starts.get(place + 1) {
                Some(next) => Some(self.entry(next.head)?.address),
                None => None,
            };
            let chain = place;
            members.push(SequenceMember {
                chain,
                batch: head.entry,
            });
            for link in head.renewals {
                let batch = self.entry(link.batch)?;
                if end.is_none_or(|end| batch.address < end) {
                    members.push(SequenceMember { chain, batch });
                }
            }
        }
        Ok(members)
    }

    /// What a time-stamp renewal of a chain covers (RFC 4998 §5.2): the digest of the digests of all its tokens.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn renewal_leaf(&self, head: BatchId) -> Result<DigestValue, AssembleError> {
        let chain = self.chain(head)?;
        let algorithm = chain.algorithm();
        group_hash(algorithm, &chain.token_digests()).ok_or(AssembleError::NoSuchLeaf)
    }

    /// The token of a batch as it stands in evidence, with its validation material.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn token_of(&self, batch: &BatchEntry) -> Result<Vec<u8>, AssembleError> {
        Ok(self.open(batch.batch, batch.address)?.token().to_vec())
    }

    /// A chain.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn chain(&self, head: BatchId) -> Result<Rc<StoredChain<'a>>, AssembleError> {
        if let Some(chain) = self.chains.borrow_mut().find(head) {
            return Ok(chain);
        }
        let known = self.catalog.head(head)?.ok_or(AssembleError::NoSuchLeaf)?;
        let mut chain = StoredChain::new(self.open(head, known.entry.address)?);
        for link in known.renewals {
            let renewal = self.renewal(link.batch)?;
            let address = self.entry(link.batch)?.address;
            chain.add(address, &renewal, link.leaf)?;
        }
        Ok(self.chains.borrow_mut().keep(head, chain))
    }

    /// Each chain of a version, with its leaf in it and the place of the next one's head: what renewed this chain afterwards is not
    /// evidence of this version.
    #[allow(
        clippy::type_complexity,
        reason = "a private triple that is taken apart at once"
    )]
    fn starts(
        &self,
        version: VersionId,
        track: u8,
    ) -> Result<Vec<(Rc<StoredChain<'a>>, ChainStart, Option<FrameAddress>)>, AssembleError> {
        let starts = self.catalog.chains_of(version, track)?;
        let mut later: Option<FrameAddress> = None;
        let mut chains = Vec::with_capacity(starts.len());
        for start in starts.into_iter().rev() {
            let chain = self.chain(start.head)?;
            let end = later.replace(self.entry(start.head)?.address);
            chains.push((chain, start, end));
        }
        if chains.is_empty() {
            return Err(AssembleError::NotStamped);
        }
        chains.reverse();
        Ok(chains)
    }

    fn renewal(&self, batch: BatchId) -> Result<Rc<StoredBatch<'a>>, AssembleError> {
        if let Some(renewal) = self.renewals.borrow_mut().find(batch) {
            return Ok(renewal);
        }
        let stored = self.open(batch, self.entry(batch)?.address)?;
        Ok(self.renewals.borrow_mut().keep(batch, stored))
    }

    fn entry(&self, batch: BatchId) -> Result<BatchEntry, AssembleError> {
        self.catalog.batch(batch)?.ok_or(AssembleError::NoSuchLeaf)
    }

    fn open(
        &self,
        batch: BatchId,
        address: FrameAddress,
    ) -> Result<StoredBatch<'a>, AssembleError> {
        let mut material = Vec::new();
        for address in self.catalog.material_of(batch)? {
            material.push(self.material(address)?);
        }
        StoredBatch::open_with(self.frames, address, &material)
    }

    fn material(&self, address: FrameAddress) -> Result<ValidationMaterial, AssembleError> {
        #[allow(
            clippy::wildcard_enum_match_arm,
            reason = "every other frame is the wrong one"
        )]
        match self.frames.read(address)? {
            Frame::ValidationMaterial(material) => Ok(material),
            _ => Err(AssembleError::WrongFrame { address }),
        }
    }
}

impl Sequence {
    /// The evidence record around it (RFC 4998 §3.1), DER.
    #[must_use]
    pub fn evidence_record(&self) -> Vec<u8> {
        let mut declared: Vec<DigestAlgorithm> = Vec::new();
        for algorithm in &self.algorithms {
            if !declared.contains(algorithm) {
                declared.push(*algorithm);
            }
        }
        record::around(&declared, &self.chains)
    }

    /// What a hash-tree renewal of this sequence under `algorithm` covers (RFC 4998 §5.2, steps 3 and 4): for each digest the digest of it
    /// and the digest of the sequence, in this order and unsorted, as all known records have it.
    #[must_use]
    pub fn renewed(&self, algorithm: DigestAlgorithm, digests: &[DigestValue]) -> Vec<DigestValue> {
        let sequence = algorithm.digest(&record::sequence(&self.chains));
        let renewed = digests.iter().map(|digest| {
            let mut hasher = algorithm.hasher();
            hasher.update(digest.as_bytes());
            hasher.update(sequence.as_bytes());
            hasher.finish()
        });
        renewed.collect()
    }
}

/// Things of batches, the one used last first.
struct Kept<T>(Vec<(BatchId, Rc<T>)>);

impl<T> Kept<T> {
    fn find(&mut self, batch: BatchId) -> Option<Rc<T>> {
        let place = self.0.iter().position(|(id, _)| *id == batch)?;
        // Those before it move back by one.
        self.0.get_mut(..=place)?.rotate_right(1);
        self.0.first().map(|(_, kept)| Rc::clone(kept))
    }

    fn keep(&mut self, batch: BatchId, value: T) -> Rc<T> {
        let value = Rc::new(value);
        self.0.truncate(KEPT_MAX - 1);
        self.0.insert(0, (batch, Rc::clone(&value)));
        value
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl fmt::Debug for EvidenceAssembler<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvidenceAssembler").finish_non_exhaustive()
    }
}

/// So many chains, and renewals of chains, are kept, each with up to 3 MiB of pages.
const KEPT_MAX: usize = 16;
