//! Where the key of each owner stands: 28 bytes for each, kept for all of them while the ledger is open.
//!
//! Ids are given in the order of time, and a ledger that is wrapped anew is written in their order, so nearly every owner comes after all
//! before it and is put at the end of a sorted list. The few others wait beside it and are sorted in when they become many.

use std::collections::HashMap;

use super::files::Place;
use crate::keys::secret::KeyOwner;

/// The places of all owners.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// In the order of owners, each once.
    sorted: Vec<(KeyOwner, Place)>,
    /// Those that came out of order; none of them is in `sorted`.
    others: HashMap<KeyOwner, Place>,
}

impl Places {
    pub(super) fn len(&self) -> usize {
        self.sorted.len() + self.others.len()
    }

    pub(super) fn contains_key(&self, owner: &KeyOwner) -> bool {
        self.get(owner).is_some()
    }

    pub(super) fn get(&self, owner: &KeyOwner) -> Option<&Place> {
        match self.find(owner) {
            Ok(at) => self.sorted.get(at).map(|(_, place)| place),
            Err(_) => self.others.get(owner),
        }
    }

    /// Notes a place; a later one of the same owner counts.
    pub(super) fn insert(&mut self, owner: KeyOwner, place: Place) {
        if self.sorted.last().is_none_or(|(last, _)| *last < owner) {
            // Whoever waits beside the list may be greater than its end.
            self.others.remove(&owner);
            self.sorted.push((owner, place));
            return;
        }
        match self.find(&owner) {
            Ok(at) => {
                if let Some(entry) = self.sorted.get_mut(at) {
                    entry.1 = place;
                }
            }
            Err(_) => {
                self.others.insert(owner, place);
                if self.others.len() > OTHERS_MIN + self.sorted.len() / OTHERS_SHARE {
                    self.sort_in();
                }
            }
        }
    }

    pub(super) fn remove(&mut self, owner: &KeyOwner) -> Option<Place> {
        match self.find(owner) {
            Ok(at) => Some(self.sorted.remove(at).1),
            Err(_) => self.others.remove(owner),
        }
    }

    /// Forgets the owners for which `keeps` is false.
    pub(super) fn retain(&mut self, mut keeps: impl FnMut(&KeyOwner) -> bool) {
        self.sorted.retain(|(owner, _)| keeps(owner));
        self.others.retain(|owner, _| keeps(owner));
    }

    /// All owners, in no order that can be relied on.
    pub(super) fn keys(&self) -> impl Iterator<Item = &KeyOwner> {
        let sorted = self.sorted.iter().map(|(owner, _)| owner);
        sorted.chain(self.others.keys())
    }

    fn find(&self, owner: &KeyOwner) -> Result<usize, usize> {
        self.sorted.binary_search_by(|(known, _)| known.cmp(owner))
    }

    fn sort_in(&mut self) {
        self.sorted.extend(std::mem::take(&mut self.others));
        // Stable: it takes two sorted runs as they are, and merges them.
        self.sorted.sort_by_key(|(owner, _)| *owner);
    }
}

/// How many may wait in any case, and how large a share of the list beyond that.
const OTHERS_MIN: usize = 1_024;
const OTHERS_SHARE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::durable::faults::Random;
    use formats::id::{RecordId, VersionId};

    fn owner(number: u64) -> KeyOwner {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(number / 3).to_be_bytes());
        let version = u32::try_from(number % 3).unwrap() + 1;
        VersionId::new(RecordId::from_bytes(bytes), version)
            .unwrap()
            .into()
    }

    fn place(entry: u32) -> Place {
        Place::new(1, entry)
    }

    /// Whatever the order of owners, the answers are those of a map.
    #[test]
    fn they_answer_as_a_map_does() {
        for seed in 1..6 {
            let mut random = Random(seed);
            let mut places = Places::default();
            let mut model = HashMap::new();
            // From all in order to none in order.
            let disorder = seed * seed * 40;
            for step in 0..6_000_u32 {
                let owner = owner(u64::from(step) + random.below(disorder));
                if random.below(20) == 0 {
                    assert_eq!(places.remove(&owner), model.remove(&owner));
                } else {
                    places.insert(owner, place(step));
                    model.insert(owner, place(step));
                }
            }
            if seed % 2 == 0 {
                places.retain(|owner| owner.version() != 2);
                model.retain(|owner, _| owner.version() != 2);
            }
            assert_eq!(places.len(), model.len(), "seed {seed}");
            for number in 0..8_000 {
                let owner = owner(number);
                assert_eq!(places.get(&owner), model.get(&owner), "seed {seed}");
                assert_eq!(places.contains_key(&owner), model.contains_key(&owner));
            }
            let mut keys: Vec<_> = places.keys().collect();
            let mut expected: Vec<_> = model.keys().collect();
            keys.sort_unstable();
            expected.sort_unstable();
            assert_eq!(keys, expected, "seed {seed}");
        }
    }

    #[test]
    fn a_place_takes_28_bytes() {
        assert_eq!(size_of::<(KeyOwner, Place)>(), 28);
    }

    #[test]
    fn what_waits_is_sorted_in() {
        let mut places = Places::default();
        for number in (0..5_000).rev() {
            places.insert(owner(number), place(1));
        }
        assert!(places.others.len() <= OTHERS_MIN + places.sorted.len() / OTHERS_SHARE);
        assert!(places.sorted.is_sorted_by_key(|(owner, _)| *owner));
        assert_eq!(places.len(), 5_000);
    }
}
