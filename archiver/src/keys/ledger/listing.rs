//! Which versions have a key, and whose was destroyed.

use formats::id::VersionId;
use time::OffsetDateTime;

use super::entry::Tombstone;
use super::{KeyLedger, State};
use crate::keys::secret::KeyOwner;

impl KeyLedger {
    /// Every version that has a key, in the order of ids.
    #[must_use]
    pub fn versions(&self) -> Vec<VersionId> {
        let state = self.lock();
        let is_used = |owner: &KeyOwner| !state.shut_out.contains_key(owner);
        let mut owners: Vec<KeyOwner> = state.places.keys().filter(is_used).collect();
        drop(state);
        owners.sort_unstable();
        owners.iter().filter_map(KeyOwner::to_version).collect()
    }

    /// Every version whose key was destroyed, and when, in the order of ids.
    #[must_use]
    pub fn destroyed(&self) -> Vec<(VersionId, OffsetDateTime)> {
        let mut tombstones: Vec<Tombstone> = self.lock().destroyed.values().copied().collect();
        tombstones.sort_unstable_by_key(|one| one.owner);
        let of = |one: &Tombstone| Some((one.owner.to_version()?, one.when()));
        tombstones.iter().filter_map(of).collect()
    }

    /// When the key of a version was destroyed; `None` when it was not.
    #[must_use]
    pub fn destroyed_at(&self, version: VersionId) -> Option<OffsetDateTime> {
        self.lock().destroyed_at(&version.into())
    }

    /// Whether the ledger holds a key for the version, staged or durable, that may be used. Does not try it.
    #[must_use]
    pub fn holds(&self, version: VersionId) -> bool {
        let state = self.lock();
        let owner = version.into();
        !state.shut_out.contains_key(&owner)
            && (state.places.contains_key(&owner) || state.staged.contains_key(&owner))
    }

    /// Uses the key of a version no more, though the key medium holds it: its destruction is recorded, and the key medium is in a state from before.
    /// Only this process knows; whoever opens the archive for writing destroys it again.
    pub fn shut_out(&self, version: VersionId, at: OffsetDateTime) {
        self.lock().shut_out.insert(version.into(), at);
    }

    /// The versions whose keys are there and not used, in the order of ids.
    #[must_use]
    pub fn shut_out_versions(&self) -> Vec<VersionId> {
        let mut owners: Vec<KeyOwner> = self.lock().shut_out.keys().copied().collect();
        owners.sort_unstable();
        owners.iter().filter_map(KeyOwner::to_version).collect()
    }
}

impl State {
    /// When the key of an owner was destroyed, by its tombstone or by what is recorded.
    pub(super) fn destroyed_at(&self, owner: &KeyOwner) -> Option<OffsetDateTime> {
        let tombstone = self.destroyed.get(owner).map(Tombstone::when);
        tombstone.or_else(|| self.shut_out.get(owner).copied())
    }
}
