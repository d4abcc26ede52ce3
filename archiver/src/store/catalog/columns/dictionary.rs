//! Texts that many versions share, kept once and known by a number.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use memchr::memmem;

/// Stands for no text. The ids of texts begin with 1.
pub(super) const NONE: u32 = 0;

/// Texts by their ids, with how many versions use each. A text that no version uses any more is overwritten.
#[derive(Default)]
pub(super) struct Dictionary {
    /// All texts, one behind the other, each with [`END`].
    texts: String,
    /// In the order of their ids, and so of their places.
    entries: Vec<Entry>,
    /// Ids at the place that the hash of their text names, or behind it. As many as a power of two.
    slots: Vec<u32>,
    hasher: RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: usize,
    bytes: u32,
    uses: u32,
}

/// Some of the ids of a dictionary.
#[derive(Debug, Clone, Default)]
pub(super) struct IdSet {
    words: Vec<u64>,
}

impl Dictionary {
    /// The id of a text, which one more version uses.
    pub(super) fn take(&mut self, text: &str) -> u32 {
        if (self.entries.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let mut free = None;
        for slot in self.probe(text) {
            let id = self.slots.get(slot).copied().unwrap_or(NONE);
            if id == NONE {
                free = Some(slot);
                break;
            }
            if self.text(id) == Some(text) {
                if let Some(entry) = self.entry_mut(id) {
                    entry.uses += 1;
                }
                return id;
            }
        }
        self.entries.push(Entry {
            start: self.texts.len(),
            // The formats allow far shorter ones.
            bytes: u32::try_from(text.len()).unwrap_or(u32::MAX),
            uses: 1,
        });
        self.texts.push_str(text);
        self.texts.push(END);
        // Memory ends long before the ids do.
        let id = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        if let Some(slot) = free.and_then(|slot| self.slots.get_mut(slot)) {
            *slot = id;
        }
        id
    }

    /// One version less uses the text.
    pub(super) fn give_back(&mut self, id: u32) {
        let Some(entry) = self.entry_mut(id) else {
            return;
        };
        entry.uses = entry.uses.saturating_sub(1);
        let Entry { start, bytes, uses } = *entry;
        if uses == 0 {
            let bytes = bytes as usize;
            self.texts
                .replace_range(start..start + bytes, &BLANK.repeat(bytes));
        }
    }

    /// The ids whose text is wanted.
    pub(super) fn ids_where(&self, mut is_wanted: impl FnMut(&str) -> bool) -> IdSet {
        let mut found = IdSet::default();
        for (id, _) in (NONE + 1..).zip(&self.entries) {
            if self.text(id).is_some_and(&mut is_wanted) {
                found.insert(id);
            }
        }
        found
    }

    /// The ids whose text holds this part. It is not empty, and holds neither [`END`] nor white space: it is normalised, as the texts are.
    pub(super) fn ids_holding(&self, part: &str) -> IdSet {
        let mut found = IdSet::default();
        let mut at = 0;
        // A part that is text begins where a letter begins, so bytes will do.
        for place in memmem::find_iter(self.texts.as_bytes(), part.as_bytes()) {
            // Places ascend: most often it is this text again, or the next one.
            let ends = |at: usize| {
                self.entries
                    .get(at + 1)
                    .is_none_or(|next| place < next.start)
            };
            if !ends(at) {
                at += 1;
            }
            if !ends(at) {
                let from = self.entries.get(at..).unwrap_or_default();
                at += from.partition_point(|entry| entry.start <= place) - 1;
            }
            // Never an overwritten one: that is white space.
            found.insert(u32::try_from(at + 1).unwrap_or(u32::MAX));
        }
        found
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.texts.capacity()
            + self.entries.capacity() * size_of::<Entry>()
            + self.slots.capacity() * size_of::<u32>()
    }

    /// `None`: no version uses it.
    fn text(&self, id: u32) -> Option<&str> {
        let entry = self.entries.get((id as usize).checked_sub(1)?)?;
        let text = self
            .texts
            .get(entry.start..entry.start + entry.bytes as usize)?;
        (entry.uses > 0).then_some(text)
    }

    fn entry_mut(&mut self, id: u32) -> Option<&mut Entry> {
        self.entries.get_mut((id as usize).checked_sub(1)?)
    }

    /// The slots in which a text may stand, in their order.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "any bits of a hash will do"
    )]
    fn probe(&self, text: &str) -> impl Iterator<Item = usize> + use<> {
        let first = self.hasher.hash_one(text) as usize;
        let count = self.slots.len();
        (0..count).map(move |step| first.wrapping_add(step) & (count - 1))
    }

    fn grow(&mut self) {
        let count = (self.slots.len() * 2).max(SLOTS_MIN);
        self.slots = vec![NONE; count];
        for id in (NONE + 1..).take(self.entries.len()) {
            let Some(text) = self.text(id) else {
                continue;
            };
            let free = self
                .probe(text)
                .find(|slot| self.slots.get(*slot) == Some(&NONE));
            if let Some(slot) = free.and_then(|slot| self.slots.get_mut(slot)) {
                *slot = id;
            }
        }
    }
}

impl IdSet {
    /// The versions without a text.
    pub(super) fn none() -> Self {
        let mut set = Self::default();
        set.insert(NONE);
        set
    }

    /// Whether an id is in it.
    pub(super) fn has(&self, id: u32) -> bool {
        let word = self.words.get(id as usize / 64).copied().unwrap_or(0);
        word >> (id % 64) & 1 == 1
    }

    /// The ids that are in both.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.words.truncate(other.words.len());
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
        self
    }

    fn insert(&mut self, id: u32) {
        let at = id as usize / 64;
        if self.words.len() <= at {
            self.words.resize(at + 1, 0);
        }
        if let Some(word) = self.words.get_mut(at) {
            *word |= 1 << (id % 64);
        }
    }
}

/// Ends a text: no normalised text holds it.
const END: char = '\n';

/// Stands in place of an overwritten letter, byte for byte.
const BLANK: &str = " ";

const SLOTS_MIN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(set: &IdSet) -> Vec<u32> {
        (0..2000).filter(|id| set.has(*id)).collect()
    }

    #[test]
    fn a_text_has_one_id_however_often_it_is_taken() {
        let mut dictionary = Dictionary::default();
        let names: Vec<String> = (0..1000).map(|number| format!("取引先{number}")).collect();
        let first: Vec<u32> = names.iter().map(|name| dictionary.take(name)).collect();
        let again: Vec<u32> = names.iter().map(|name| dictionary.take(name)).collect();
        assert_eq!(first, again);
        assert_eq!(first, (1..=1000).collect::<Vec<_>>());
        let empty = dictionary.take("");
        assert_eq!((empty, dictionary.take("")), (1001, 1001));
    }

    #[test]
    fn parts_are_found_in_the_texts_that_hold_them_and_across_none() {
        let mut dictionary = Dictionary::default();
        for text in ["ab", "ba", "", "abab", "x", "株式会社文蔵", "文"] {
            dictionary.take(text);
        }
        for (part, wanted) in [
            ("ab", &[1, 4][..]),
            ("ba", &[2, 4]),
            ("b", &[1, 2, 4]),
            ("abab", &[4]),
            ("bx", &[]),
            ("文", &[6, 7]),
            ("蔵文", &[]),
        ] {
            assert_eq!(ids(&dictionary.ids_holding(part)), wanted, "{part}");
            let looked = dictionary.ids_where(|text| text.contains(part));
            assert_eq!(ids(&looked), wanted, "{part}");
        }
    }

    #[test]
    fn a_text_that_nobody_uses_is_overwritten_and_may_come_again() {
        let mut dictionary = Dictionary::default();
        let (gone, stays) = (dictionary.take("甲社"), dictionary.take("乙社"));
        dictionary.take("甲社");
        dictionary.give_back(gone);
        assert_eq!(ids(&dictionary.ids_holding("甲")), [gone]);
        dictionary.give_back(gone);
        assert!(!dictionary.texts.contains("甲"));
        assert_eq!(ids(&dictionary.ids_holding("社")), [stays]);
        assert_eq!(ids(&dictionary.ids_where(|_| true)), [stays]);
        // What stands in its place is no text.
        let blank = dictionary.take("      ");
        assert_ne!(blank, gone);
        let back = dictionary.take("甲社");
        assert_ne!(back, gone);
        for number in 0..200 {
            dictionary.take(&number.to_string());
        }
        assert_eq!(dictionary.take("甲社"), back);
        assert_eq!(dictionary.take("      "), blank);
        dictionary.give_back(NONE);
        dictionary.give_back(u32::MAX);
    }

    #[test]
    fn sets_hold_what_is_in_both() {
        let set = |ids: &[u32]| {
            let mut set = IdSet::default();
            for id in ids {
                set.insert(*id);
            }
            set
        };
        let (few, many) = (set(&[0, 63]), set(&[0, 64, 130]));
        assert_eq!(ids(&few.clone().and(&many)), [0]);
        assert_eq!(ids(&many.clone().and(&few)), [0]);
        assert_eq!(ids(&many), [0, 64, 130]);
        assert_eq!(ids(&IdSet::none()), [NONE]);
    }
}
