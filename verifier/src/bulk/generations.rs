//! A map that forgets what was not asked for lately, so that it never grows beyond its limit.

use std::collections::HashMap;
use std::hash::Hash;

/// Two generations of entries: when the younger one is full, it becomes the older one, and what was the older one is forgotten. An entry that
/// is asked for in the older one moves to the younger.
#[derive(Debug)]
pub(super) struct Generations<K, V> {
    young: HashMap<K, (V, usize)>,
    old: HashMap<K, (V, usize)>,
    /// Of the younger generation.
    weight: usize,
    /// Of one generation.
    weight_max: usize,
}

impl<K: Eq + Hash, V: Clone> Generations<K, V> {
    /// Holds at most twice `weight_max`.
    pub(super) fn new(weight_max: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            weight: 0,
            weight_max,
        }
    }

    pub(super) fn find(&mut self, key: &K) -> Option<V> {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, (value, weight)) = self.old.remove_entry(key)?;
        self.keep(key, value.clone(), weight);
        Some(value)
    }

    /// Keeps a value, unless it alone is heavier than a generation.
    pub(super) fn keep(&mut self, key: K, value: V, weight: usize) {
        if weight > self.weight_max {
            return;
        }
        if self.weight.saturating_add(weight) > self.weight_max {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        if let Some((_, replaced)) = self.young.insert(key, (value, weight)) {
            self.weight = self.weight.saturating_sub(replaced);
        }
        self.weight = self.weight.saturating_add(weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn len<K, V>(map: &Generations<K, V>) -> usize {
        map.young.len() + map.old.len()
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_forgotten() {
        let mut map = Generations::new(10);
        for number in 0..1000_u32 {
            map.keep(number, number, 1);
            assert_eq!(map.find(&0), Some(0), "{number}");
            assert!(len(&map) <= 20);
        }
        assert_eq!(map.find(&500), None);
        assert_eq!(map.find(&999), Some(999));
    }

    #[test]
    fn what_is_too_heavy_is_not_kept() {
        let mut map = Generations::new(10);
        map.keep("small", 1, 10);
        map.keep("huge", 2, 11);
        assert_eq!(map.find(&"huge"), None);
        assert_eq!(map.find(&"small"), Some(1));
        map.keep("other", 3, 10);
        map.keep("third", 4, 10);
        assert_eq!(map.find(&"small"), None);
        assert!(len(&map) <= 2);
    }

    #[test]
    fn a_value_kept_twice_weighs_once() {
        let mut map = Generations::new(10);
        for _ in 0..100 {
            map.keep(1, 1, 4);
        }
        assert!(map.weight <= 10);
        assert_eq!(len(&map), 1.max(len(&map).min(2)));
    }
}
