//! Questions about evidence: chains, validation material, further digests, signatures, receipts.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use formats::digest::DigestAlgorithm;
use formats::id::{BatchId, ReceiptId, VersionId};
use formats::segment::FrameAddress;

use super::chain_entry::{Generation, HeadState, decode_address};
use super::visiting::stamp_of;
use super::{Catalog, ChainHead, ChainStart, ReceiptEntry, Unstamped, key};
use crate::store::StoreError;

impl Catalog {
    /// Calls `each` for the head of every chain, in the order of the batches' ids (that is, oldest first), until it answers `false`.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn for_each_head(&self, each: &mut dyn FnMut(ChainHead) -> bool) -> Result<(), StoreError> {
        let fold = self.whole()?;
        let table = [key::HEADS];
        let mut states = Vec::new();
        fold.scan(&table, &table, &mut |key, value| {
            if let Some(head) = key::batch(key) {
                states.push((head, HeadState::decode(value)?));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for (head, state) in states {
            if let Some(head) = self.head_of(head, state)?
                && !each(head)
            {
                break;
            }
        }
        Ok(())
    }

    /// The heads of all chains, oldest first.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn heads(&self) -> Result<Vec<ChainHead>, StoreError> {
        let mut heads = Vec::new();
        self.for_each_head(&mut |head| {
            heads.push(head);
            true
        })?;
        Ok(heads)
    }

    /// The chain that a batch starts. `None`: there is no such batch, or it is a time-stamp renewal.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn head(&self, head: BatchId) -> Result<Option<ChainHead>, StoreError> {
        let state = {
            let fold = self.whole()?;
            let mut pending = fold.lock();
            fold.head_state(&mut pending, head)?
        };
        match state {
            Some(state) => self.head_of(head, state),
            None => Ok(None),
        }
    }

    /// Waits until no other thread renews evidence of this archive. A renewal covers what the index knows; two at a time would each miss the
    /// other.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`] when a frame could not be applied: what the index does not know would be left out. Opening the archive
    /// again, or [`Catalog::catch_up`], puts it right.
    pub fn renewal_turn(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
        let turn = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        self.whole()?;
        if self.behind.load(Ordering::Relaxed) {
            return Err(self.fold()?.damaged());
        }
        Ok(turn)
    }

    /// Where a version's [`formats::segment::RecordVersion`] frame stands.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn address_of(&self, version: VersionId) -> Result<Option<FrameAddress>, StoreError> {
        let fold = self.whole()?;
        let value = fold.get(&key::of_version(key::VERSIONS, version))?;
        let entry = value.map(|value| Unstamped::decode(version, &value));
        let entry = entry.transpose().map_err(|_| fold.damaged())?;
        Ok(entry.map(|entry| entry.address))
    }

    /// The chains of a version on a track, oldest first.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn chains_of(&self, version: VersionId, track: u8) -> Result<Vec<ChainStart>, StoreError> {
        let fold = self.whole()?;
        let mut chains = Vec::new();
        if track == 0
            && let Some(stamp) = stamp_of(&fold, version)?
        {
            chains.push(ChainStart {
                head: stamp.batch,
                leaf: stamp.leaf,
            });
        }
        if let Some(value) = fold.get(&key::of_chains(version, track))? {
            let later = ChainStart::decode_all(&value).map_err(|_| fold.damaged())?;
            chains.extend(later);
        }
        Ok(chains)
    }

    /// The frames of validation material that count for the token of a batch, oldest first: those before its first renewal.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn material_of(&self, batch: BatchId) -> Result<Vec<FrameAddress>, StoreError> {
        let fold = self.whole()?;
        let frozen = fold.get(&key::of_frozen(batch))?;
        let frozen = frozen.map(|value| decode_address(&value)).transpose();
        let frozen = frozen.map_err(|_| fold.damaged())?;
        let prefix = key::of_material_prefix(batch);
        let mut addresses = Vec::new();
        fold.scan(&prefix, &prefix, &mut |key, _| {
            let address = decode_address(key.get(prefix.len()..).unwrap_or_default())?;
            if frozen.is_none_or(|frozen| address < frozen) {
                addresses.push(address);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(addresses)
    }

    /// Whether the token of a batch was renewed. Material that comes later does not count.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn is_renewed(&self, batch: BatchId) -> Result<bool, StoreError> {
        Ok(self.whole()?.get(&key::of_frozen(batch))?.is_some())
    }

    /// The digests of a version's contents under a function that its manifest does not have.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn further_digests(
        &self,
        version: VersionId,
        algorithm: DigestAlgorithm,
    ) -> Result<Option<FrameAddress>, StoreError> {
        let fold = self.whole()?;
        let value = fold.get(&key::of_further_digests(version, algorithm))?;
        value
            .map(|value| decode_address(&value).map_err(|_| fold.damaged()))
            .transpose()
    }

    /// The newest signature over a version's manifest.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn signature_of(&self, version: VersionId) -> Result<Option<FrameAddress>, StoreError> {
        let found = self.generation(&key::of_version(key::SIGNATURES, version))?;
        Ok(found.map(|generation| generation.address))
    }

    /// A receipt, in its newest state.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn receipt(&self, id: ReceiptId) -> Result<Option<ReceiptEntry>, StoreError> {
        let found = self.generation(&key::of_receipt(id))?;
        Ok(found.map(|generation| ReceiptEntry {
            id,
            generation: generation.number,
            address: generation.address,
        }))
    }

    /// The receipts that name a version, by their ids (that is, oldest first).
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn receipts_of(&self, version: VersionId) -> Result<Vec<ReceiptEntry>, StoreError> {
        let prefix = key::of_version(key::VERSION_RECEIPTS, version);
        let mut ids = Vec::new();
        self.whole()?.scan(&prefix, &prefix, &mut |key, _| {
            ids.extend(key::receipt(key));
            Ok(ControlFlow::Continue(()))
        })?;
        let mut receipts = Vec::new();
        for id in ids {
            receipts.extend(self.receipt(id)?);
        }
        Ok(receipts)
    }

    fn generation(&self, key: &[u8]) -> Result<Option<Generation>, StoreError> {
        let fold = self.whole()?;
        let value = fold.get(key)?;
        value
            .map(|value| Generation::decode(&value).map_err(|_| fold.damaged()))
            .transpose()
    }

    fn head_of(&self, head: BatchId, state: HeadState) -> Result<Option<ChainHead>, StoreError> {
        Ok(self.batch(head)?.map(|entry| ChainHead {
            entry,
            track: state.track,
            live: state.live,
            renewals: state.links,
        }))
    }
}
