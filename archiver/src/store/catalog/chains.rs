//! Folding chains: which versions a head starts a chain for, which renewals follow, how many leaves are still the newest of their version.

use std::collections::{HashMap, HashSet};

use formats::id::{BatchId, VersionId};
use formats::segment::{
    ArchiveTimeStamp, FrameAddress, FurtherDigests, Receipt, Signature, TimeStampKind,
    ValidationMaterial,
};

use super::chain_entry::{ChainLink, ChainStart, Generation, HeadState, encode_address};
use super::fold::{Fold, Pending};
use super::{Stamp, key};
use crate::store::StoreError;

/// What is known of the heads that were looked at since changes went to the engine last.
#[derive(Debug, Default)]
pub(super) struct Heads {
    states: HashMap<BatchId, HeadState>,
    changed: HashSet<BatchId>,
    /// Batches whose token is known to be renewed.
    frozen: HashSet<BatchId>,
}

impl Heads {
    /// Takes the changed states, and forgets the others.
    pub(super) fn take(&mut self) -> Vec<(BatchId, HeadState)> {
        let changed = std::mem::take(&mut self.changed);
        self.frozen.clear();
        let states = self.states.drain();
        states.filter(|(head, _)| changed.contains(head)).collect()
    }

    pub(super) fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    pub(super) fn get(&self, head: BatchId) -> Option<&HeadState> {
        self.states.get(&head)
    }

    fn put(&mut self, head: BatchId, state: HeadState) {
        self.states.insert(head, state);
        self.changed.insert(head);
    }
}

/// A frame whose leaves are folded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Covering<'a> {
    pub(super) address: FrameAddress,
    pub(super) frame: &'a ArchiveTimeStamp,
}

impl Fold {
    /// Notes that a batch is the head of a chain. Nothing changes when it is known.
    pub(super) fn add_head(&self, frame: &ArchiveTimeStamp) -> Result<(), StoreError> {
        let mut pending = self.lock();
        if self.head_state(&mut pending, frame.batch)?.is_none() {
            let state = HeadState {
                track: frame.track,
                ..HeadState::default()
            };
            pending.heads.put(frame.batch, state);
            pending.others += 1;
        }
        self.drain_when_full(pending)
    }

    /// Adds the chain of a version that starts with this leaf. A version that has none yet only gets an initial one, and one that has some
    /// only gets a renewed one.
    pub(super) fn add_chain(
        &self,
        by: Covering<'_>,
        version: VersionId,
        leaf: u64,
    ) -> Result<(), StoreError> {
        let frame = by.frame;
        let first = frame.kind == TimeStampKind::Initial;
        if first && frame.track == 0 {
            let stamp = Stamp {
                batch: frame.batch,
                leaf,
                stamped_at: frame.stamped_at,
            };
            return self.add_stamp(version, &stamp);
        }
        let start = ChainStart {
            head: frame.batch,
            leaf,
        };
        let mut pending = self.lock();
        let stamp_key = key::of_version(key::STAMPS, version);
        let chains_key = key::of_chains(version, frame.track);
        let known = self.value(&pending, &chains_key)?;
        let is_new = known.is_none();
        let mut starts = match known {
            Some(value) => ChainStart::decode_all(&value).map_err(|_| self.damaged())?,
            None => Vec::new(),
        };
        if starts.iter().any(|known| known.head == start.head)
            || !self.contains(&pending, &key::of_version(key::VERSIONS, version))?
        {
            return Ok(());
        }
        let previous = match (starts.last(), frame.track) {
            (Some(last), _) => Some(last.head),
            (None, 0) => self.stamped_by(&pending, &stamp_key)?,
            (None, _) => None,
        };
        if previous.is_some() == first {
            return Ok(());
        }
        if let Some(previous) = previous {
            self.end_leaf(&mut pending, previous, by.address)?;
        }
        self.begin_leaf(&mut pending, start.head)?;
        starts.push(start);
        let change = self.seal(chains_key, &ChainStart::encode_all(&starts))?;
        pending.others += u64::from(is_new);
        pending.put(change);
        self.drain_when_full(pending)
    }

    /// Adds a time-stamp renewal to the chain of a head.
    pub(super) fn add_link(
        &self,
        by: Covering<'_>,
        head: BatchId,
        leaf: u64,
    ) -> Result<(), StoreError> {
        let mut pending = self.lock();
        let Some(mut state) = self.head_state(&mut pending, head)? else {
            return Ok(());
        };
        let batch = by.frame.batch;
        let known = state.links.iter().any(|link| link.batch == batch);
        if known || state.track != by.frame.track {
            return Ok(());
        }
        self.freeze(&mut pending, state.newest(head), by.address)?;
        state.links.push(ChainLink { batch, leaf });
        pending.heads.put(head, state);
        self.drain_when_full(pending)
    }

    /// One more leaf of this head is the newest one of its version.
    pub(super) fn begin_leaf(
        &self,
        pending: &mut Pending,
        head: BatchId,
    ) -> Result<(), StoreError> {
        if let Some(mut state) = self.head_state(pending, head)? {
            state.live = state.live.saturating_add(1);
            pending.heads.put(head, state);
        }
        Ok(())
    }

    /// Adds validation material of a batch's token.
    pub(super) fn add_material(
        &self,
        address: FrameAddress,
        frame: &ValidationMaterial,
    ) -> Result<(), StoreError> {
        self.add_once(key::of_material(frame.batch, address), &[])
    }

    /// Adds digests under one more function. The first ones stay: any others are the same.
    pub(super) fn add_further_digests(
        &self,
        address: FrameAddress,
        frame: &FurtherDigests,
    ) -> Result<(), StoreError> {
        let key = key::of_further_digests(frame.version, frame.algorithm);
        self.add_once(key, &encode_address(address))
    }

    /// Adds a signature over a manifest.
    pub(super) fn add_signature(
        &self,
        address: FrameAddress,
        frame: &Signature,
    ) -> Result<(), StoreError> {
        let number = frame.generation;
        let key = key::of_version(key::SIGNATURES, frame.version);
        self.add_generation(key, Generation { number, address })
    }

    /// Adds a receipt.
    pub(super) fn add_receipt(
        &self,
        address: FrameAddress,
        frame: &Receipt,
    ) -> Result<(), StoreError> {
        let number = frame.generation;
        self.add_generation(key::of_receipt(frame.id), Generation { number, address })?;
        for version in &frame.versions {
            self.add_once(key::of_version_receipt(*version, frame.id), &[])?;
        }
        Ok(())
    }

    pub(super) fn add_once(&self, key: Vec<u8>, value: &[u8]) -> Result<(), StoreError> {
        let change = self.seal(key, value)?;
        let mut pending = self.lock();
        if !self.contains(&pending, &change.0)? {
            pending.others += 1;
            pending.put(change);
        }
        self.drain_when_full(pending)
    }

    fn add_generation(&self, key: Vec<u8>, generation: Generation) -> Result<(), StoreError> {
        let change = self.seal(key, &generation.encode())?;
        let mut pending = self.lock();
        let known = self.value(&pending, &change.0)?;
        let newer = match &known {
            None => true,
            Some(value) => Generation::decode(value).map_err(|_| self.damaged())? < generation,
        };
        if newer {
            pending.others += u64::from(known.is_none());
            pending.put(change);
        }
        self.drain_when_full(pending)
    }

    /// A leaf of this head got a later chain, which covers all tokens of the chain so far.
    fn end_leaf(
        &self,
        pending: &mut Pending,
        head: BatchId,
        at: FrameAddress,
    ) -> Result<(), StoreError> {
        let Some(mut state) = self.head_state(pending, head)? else {
            return Ok(());
        };
        self.freeze(pending, state.newest(head), at)?;
        state.live = state.live.saturating_sub(1);
        pending.heads.put(head, state);
        Ok(())
    }

    /// Notes that the token of a batch was renewed by the frame at this address. The first renewal counts.
    fn freeze(
        &self,
        pending: &mut Pending,
        batch: BatchId,
        at: FrameAddress,
    ) -> Result<(), StoreError> {
        if !pending.heads.frozen.insert(batch) {
            return Ok(());
        }
        let change = self.seal(key::of_frozen(batch), &encode_address(at))?;
        if !self.contains(pending, &change.0)? {
            pending.others += 1;
            pending.put(change);
        }
        Ok(())
    }

    fn stamped_by(
        &self,
        pending: &Pending,
        stamp_key: &[u8],
    ) -> Result<Option<BatchId>, StoreError> {
        let value = self.value(pending, stamp_key)?;
        let stamp = value.map(|value| Stamp::decode(&value)).transpose();
        Ok(stamp.map_err(|_| self.damaged())?.map(|stamp| stamp.batch))
    }

    pub(super) fn head_state(
        &self,
        pending: &mut Pending,
        head: BatchId,
    ) -> Result<Option<HeadState>, StoreError> {
        if let Some(state) = pending.heads.get(head) {
            return Ok(Some(state.clone()));
        }
        let value = self.value(pending, &key::of_head(head))?;
        let state = value.map(|value| HeadState::decode(&value)).transpose();
        let state = state.map_err(|_| self.damaged())?;
        if let Some(state) = &state {
            pending.heads.states.insert(head, state.clone());
        }
        Ok(state)
    }
}
