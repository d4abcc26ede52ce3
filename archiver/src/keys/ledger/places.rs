//! Where the key of each owner stands, kept for all of them while the ledger is open: some 13 bytes for each.
//!
//! Ids are given in the order of time, and a ledger that is wrapped anew is written in their order, so nearly every owner comes after all
//! before it, or close to them. These are packed in blocks: of each owner the bytes in which it differs from the one before it, mostly the ten
//! random ones of its id, and how far its entry stands from that of the one before. Nothing is guessed: what is asked is answered
//! without a look at the medium, so a ledger that cannot be read at the moment still knows whose keys it holds.

use std::collections::{BTreeMap, HashMap};

use super::place::Place;
use crate::keys::secret::KeyOwner;

/// The places of all owners. Each owner is in one of the three parts only.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// In the order of owners.
    blocks: Vec<Block>,
    /// How many owners are in the blocks.
    packed: usize,
    /// None that comes after this one was ever packed.
    end: Option<KeyOwner>,
    /// All that come after that one.
    last: BTreeMap<KeyOwner, Place>,
    /// Those that came out of order, and are not packed yet.
    others: HashMap<KeyOwner, Place>,
}

/// Some owners, packed: the first as it is, the others as they differ from the one before.
///
/// ```text
/// owner = shared u8 (bytes of the id that are those of the one before; | 0x20: not version 1; | 0x40: far) | the other bytes of the id |
///         version u32, where it is not 1 | how many entries further its entry is i8, or file u32 | entry u32, where it is far
/// ```
#[derive(Debug, Clone)]
struct Block {
    first: KeyOwner,
    place: Place,
    others: Box<[u8]>,
}

/// Unpacks a block.
#[derive(Debug)]
struct Unpacking<'a> {
    before: Option<(KeyOwner, Place)>,
    rest: &'a [u8],
}

impl Places {
    pub(super) fn len(&self) -> usize {
        self.packed + self.last.len() + self.others.len()
    }

    pub(super) fn contains_key(&self, owner: &KeyOwner) -> bool {
        self.get(owner).is_some()
    }

    pub(super) fn get(&self, owner: &KeyOwner) -> Option<Place> {
        if self.end.is_none_or(|end| end < *owner) {
            return self.last.get(owner).copied();
        }
        let block = self.block_of(owner).and_then(|at| self.blocks.get(at));
        let packed = block.and_then(|block| block.find(owner));
        packed.or_else(|| self.others.get(owner).copied())
    }

    /// Notes a place; a later one of the same owner counts.
    pub(super) fn insert(&mut self, owner: KeyOwner, place: Place) {
        if self.end.is_none_or(|end| end < owner) {
            self.add_last(owner, place);
            return;
        }
        let block = self.block_of(&owner).and_then(|at| self.blocks.get_mut(at));
        match block {
            Some(block) if block.find(&owner).is_some() => {
                let places = block.owners().map(|(one, its)| {
                    let its = if one == owner { place } else { its };
                    (one, its)
                });
                let owners: Vec<_> = places.collect();
                if let Some(packed) = Block::pack(&owners) {
                    *block = packed;
                }
            }
            Some(_) | None => self.add_other(owner, place),
        }
    }

    pub(super) fn remove(&mut self, owner: &KeyOwner) -> Option<Place> {
        let waiting = self.last.remove(owner);
        if let Some(place) = waiting.or_else(|| self.others.remove(owner)) {
            return Some(place);
        }
        let at = self.block_of(owner)?;
        let block = self.blocks.get_mut(at)?;
        let place = block.find(owner)?;
        let left: Vec<_> = block.owners().filter(|(one, _)| one != owner).collect();
        match Block::pack(&left) {
            Some(packed) => *block = packed,
            None => drop(self.blocks.remove(at)),
        }
        self.packed -= 1;
        Some(place)
    }

    /// Forgets the owners for which `keeps` is false.
    pub(super) fn retain(&mut self, mut keeps: impl FnMut(&KeyOwner) -> bool) {
        let mut packed = 0;
        self.blocks.retain_mut(|block| {
            let all = block.owners().count();
            let left: Vec<_> = block.owners().filter(|(one, _)| keeps(one)).collect();
            packed += left.len();
            if left.len() == all {
                return true;
            }
            let Some(smaller) = Block::pack(&left) else {
                return false;
            };
            *block = smaller;
            true
        });
        self.packed = packed;
        self.last.retain(|owner, _| keeps(owner));
        self.others.retain(|owner, _| keeps(owner));
    }

    /// All owners, in no order that can be relied on.
    pub(super) fn keys(&self) -> impl Iterator<Item = KeyOwner> {
        let packed = self.blocks.iter().flat_map(Block::owners);
        let packed = packed.map(|(owner, _)| owner);
        let waiting = self.last.keys().chain(self.others.keys());
        packed.chain(waiting.copied())
    }

    /// The only block in which an owner can be; `None` where it comes before all of them.
    fn block_of(&self, owner: &KeyOwner) -> Option<usize> {
        let behind = self.blocks.partition_point(|block| block.first <= *owner);
        behind.checked_sub(1)
    }

    /// Notes one that comes after all that were ever packed.
    fn add_last(&mut self, owner: KeyOwner, place: Place) {
        self.last.insert(owner, place);
        if self.last.len() >= LAST_MAX {
            let mut owners = Vec::with_capacity(BLOCK_OWNERS);
            while owners.len() < BLOCK_OWNERS
                && let Some(entry) = self.last.pop_first()
            {
                owners.push(entry);
            }
            self.packed += owners.len();
            self.end = owners.last().map(|(owner, _)| *owner);
            self.blocks.extend(Block::pack(&owners));
        }
    }

    fn add_other(&mut self, owner: KeyOwner, place: Place) {
        self.others.insert(owner, place);
        if self.others.len() > OTHERS_MIN + self.packed / OTHERS_SHARE {
            self.sort_in();
        }
    }

    /// Packs all anew, in their order.
    fn sort_in(&mut self) {
        let mut others: Vec<_> = std::mem::take(&mut self.others).into_iter().collect();
        others.sort_unstable_by_key(|(owner, _)| *owner);
        let mut others = others.into_iter().peekable();
        let last = std::mem::take(&mut self.last);
        let blocks = std::mem::take(&mut self.blocks);
        (self.packed, self.end) = (0, None);
        let packed = blocks
            .into_iter()
            .flat_map(|block| block.owners().collect::<Vec<_>>());
        for (owner, place) in packed.chain(last) {
            while let Some((other, its)) = others.next_if(|(other, _)| *other < owner) {
                self.add_last(other, its);
            }
            self.add_last(owner, place);
        }
        for (other, its) in others {
            self.add_last(other, its);
        }
    }
}

impl Block {
    /// Packs owners in their order, `None` where there are none.
    fn pack(owners: &[(KeyOwner, Place)]) -> Option<Self> {
        let (&(first, place), others) = owners.split_first()?;
        let mut bytes = Vec::with_capacity(others.len() * 13);
        let (mut before, mut near) = (first, place);
        for &(owner, place) in others {
            let same = before.id().iter().zip(owner.id());
            let shared = same.take_while(|(one, other)| one == other).count();
            let steps = place.steps_from(near);
            let mut head = u8::try_from(shared).unwrap_or_default();
            head |= if owner.version() == 1 {
                0
            } else {
                OTHER_VERSION
            };
            head |= if steps.is_some() { 0 } else { FAR };
            bytes.push(head);
            bytes.extend(owner.id().iter().skip(shared));
            if owner.version() != 1 {
                bytes.extend(owner.version().to_le_bytes());
            }
            match steps {
                Some(steps) => bytes.extend(steps.to_le_bytes()),
                None => bytes.extend(place.to_bytes()),
            }
            (before, near) = (owner, place);
        }
        Some(Self {
            first,
            place,
            others: bytes.into_boxed_slice(),
        })
    }

    /// The owners in their order.
    fn owners(&self) -> impl Iterator<Item = (KeyOwner, Place)> {
        let first = (self.first, self.place);
        let others = Unpacking {
            before: Some(first),
            rest: &self.others,
        };
        std::iter::once(first).chain(others)
    }

    fn find(&self, owner: &KeyOwner) -> Option<Place> {
        let found = self.owners().find(|(one, _)| one >= owner)?;
        (found.0 == *owner).then_some(found.1)
    }
}

impl Unpacking<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*bytes)
    }
}

impl Iterator for Unpacking<'_> {
    type Item = (KeyOwner, Place);

    fn next(&mut self) -> Option<Self::Item> {
        let (before, near) = self.before?;
        let [head] = self.array()?;
        let mut id = *before.id();
        let own = id.get_mut(usize::from(head & SHARED)..)?;
        let (bytes, rest) = self.rest.split_at_checked(own.len())?;
        own.copy_from_slice(bytes);
        self.rest = rest;
        let version = match head & OTHER_VERSION {
            0 => 1,
            _ => u32::from_le_bytes(self.array()?),
        };
        let place = match head & FAR {
            0 => near.after(i8::from_le_bytes(self.array()?)),
            _ => Place::from_bytes(self.array()?),
        };
        self.before = Some((KeyOwner::from_parts(id, version), place));
        self.before
    }
}

/// How an owner is packed.
const SHARED: u8 = 0x1f;
const OTHER_VERSION: u8 = 0x20;
const FAR: u8 = 0x40;

/// So many owners make a block: a look-up goes through one.
const BLOCK_OWNERS: usize = 128;

/// So many owners wait before the first of them are packed: those that come nearly in order still find their place.
const LAST_MAX: usize = 4 * BLOCK_OWNERS;

/// How many may wait in any case, and how large a share of what is packed beyond that.
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
        for seed in 1..12 {
            let mut random = Random(seed);
            let mut places = Places::default();
            let mut model = BTreeMap::new();
            // From all in order to none in order.
            let disorder = seed * seed * seed * 10;
            for step in 0..10_000_u32 {
                let owner = owner(u64::from(step) + random.below(disorder));
                if random.below(20) == 0 {
                    assert_eq!(places.remove(&owner), model.remove(&owner));
                } else {
                    let its = Place::new(1 + step / 4_000, step);
                    places.insert(owner, its);
                    model.insert(owner, its);
                }
                if step == 5_000 && seed % 3 == 0 {
                    // Nearly all, so that whole blocks go.
                    places.retain(|owner| owner.id()[7].is_multiple_of(16));
                    model.retain(|owner, _| owner.id()[7].is_multiple_of(16));
                }
            }
            if seed % 2 == 0 {
                places.retain(|owner| owner.version() != 2);
                model.retain(|owner, _| owner.version() != 2);
            }
            assert_eq!(places.len(), model.len(), "seed {seed}");
            for number in 0..25_000 {
                let owner = owner(number);
                assert_eq!(
                    places.get(&owner),
                    model.get(&owner).copied(),
                    "seed {seed}"
                );
                assert_eq!(places.contains_key(&owner), model.contains_key(&owner));
            }
            let mut keys: Vec<_> = places.keys().collect();
            keys.sort_unstable();
            let expected: Vec<_> = model.keys().copied().collect();
            assert_eq!(keys, expected, "seed {seed}");
        }
    }

    /// Ids as they are given: of the time, and ten random bytes.
    fn timed(random: &mut Random, number: u64) -> KeyOwner {
        let mut tail = [0; 10];
        for byte in &mut tail {
            *byte = u8::try_from(random.below(256)).unwrap();
        }
        let record = RecordId::new(1_800_000_000_000 + number / 8, &tail);
        VersionId::new(record, 1).unwrap().into()
    }

    #[test]
    fn a_place_takes_few_bytes() {
        let mut random = Random(9);
        let mut places = Places::default();
        for number in 0..40_000 {
            let owner = timed(&mut random, number);
            places.insert(owner, place(u32::try_from(number).unwrap()));
        }
        let bytes = places.blocks.iter().map(|block| block.others.len());
        let bytes = bytes.sum::<usize>() + places.blocks.len() * (size_of::<Block>() + 16);
        assert!(bytes < 13 * places.packed, "{bytes} for {}", places.packed);
        assert!(places.packed >= 39_000 && places.others.len() < 100);
    }

    /// Whatever stands in a block, it is unpacked as it was.
    #[test]
    fn a_block_gives_back_what_was_packed() {
        for seed in 1..40 {
            let mut random = Random(seed);
            let mut model = BTreeMap::new();
            for _ in 0..=random.below(200) {
                let mut id = [0; 16];
                let from = usize::try_from(random.below(17)).unwrap();
                for byte in id.iter_mut().skip(from) {
                    *byte = u8::try_from(random.below(3) * 127).unwrap();
                }
                let version = [0, 1, 2, u32::MAX][usize::try_from(random.below(4)).unwrap()];
                let entry = match random.below(3) {
                    0 => u32::MAX - u32::try_from(random.below(300)).unwrap(),
                    _ => u32::try_from(random.below(300)).unwrap(),
                };
                let file = [1, 1, 1, u32::MAX][usize::try_from(random.below(4)).unwrap()];
                model.insert(KeyOwner::from_parts(id, version), Place::new(file, entry));
            }
            let owners: Vec<_> = model.iter().map(|(owner, its)| (*owner, *its)).collect();
            let block = Block::pack(&owners).unwrap();
            assert_eq!(block.owners().collect::<Vec<_>>(), owners, "seed {seed}");
            for (owner, its) in &owners {
                assert_eq!(block.find(owner), Some(*its), "seed {seed}");
            }
            assert_eq!(block.find(&KeyOwner::from_parts([9; 16], 7)), None);
        }
        assert!(Block::pack(&[]).is_none());
    }

    #[test]
    fn what_waits_is_sorted_in() {
        let mut places = Places::default();
        for number in (0..5_000).rev() {
            places.insert(owner(number), place(1));
        }
        assert!(places.others.len() <= OTHERS_MIN + places.packed / OTHERS_SHARE);
        assert!(places.last.len() < LAST_MAX);
        let packed: Vec<_> = places.blocks.iter().flat_map(Block::owners).collect();
        assert!(packed.is_sorted_by_key(|(owner, _)| *owner));
        assert_eq!(packed.len(), places.packed);
        assert_eq!(places.len(), 5_000);
    }
}
