//! Searches that people keep under a name of their own.
//!
//! They are events as everything that an archive knows of people: sealed, on all media, and there again after a rebuild. A kept search holds conditions and no
//! results; it is asked again, with the rights of that moment, each time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::AccessError;
use crate::event::{EventBody, RecordedEvent, Topic};

/// Somebody keeps a search; one of the same name gives way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchKept {
    /// Whose it is.
    pub account: String,
    /// What it is called.
    pub name: String,
    /// The conditions, by the names that the API gives them.
    pub conditions: BTreeMap<String, String>,
}

/// Somebody keeps a search no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchDropped {
    /// Whose it was.
    pub account: String,
    /// What it was called.
    pub name: String,
}

impl EventBody for SearchKept {
    const KIND: &'static str = "search-kept";
    const TOPIC: Topic = Topic::People;
}

impl EventBody for SearchDropped {
    const KIND: &'static str = "search-dropped";
    const TOPIC: Topic = Topic::People;
}

/// The searches that are kept: of each account, by their names.
#[derive(Debug, Clone, Default)]
pub struct KeptSearches(BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>);

impl KeptSearches {
    /// Takes one event in; others change nothing.
    pub fn fold(&mut self, event: &RecordedEvent) {
        if let Some(kept) = event.as_::<SearchKept>() {
            let own = self.0.entry(kept.account).or_default();
            own.insert(kept.name, kept.conditions);
        } else if let Some(dropped) = event.as_::<SearchDropped>()
            && let Some(own) = self.0.get_mut(&dropped.account)
        {
            own.remove(&dropped.name);
        }
    }

    /// Those of an account, by name, with their conditions.
    pub fn of(&self, account: &str) -> impl Iterator<Item = (&String, &BTreeMap<String, String>)> {
        self.0.get(account).into_iter().flatten()
    }

    /// Whether this very search is kept.
    #[must_use]
    pub fn holds(&self, search: &SearchKept) -> bool {
        let mut own = self.of(&search.account);
        own.any(|known| known == (&search.name, &search.conditions))
    }

    /// Whether one more can be kept.
    ///
    /// # Errors
    /// [`AccessError::SearchName`], [`AccessError::TooManySearches`].
    pub fn check(&self, kept: &SearchKept) -> Result<(), AccessError> {
        let name = kept.name.as_str();
        let length = name.chars().count();
        if !(1..=NAME_MAX).contains(&length)
            || name.trim() != name
            || name.chars().any(char::is_control)
        {
            return Err(AccessError::SearchName);
        }
        let mut own = self.of(&kept.account);
        let is_known = own.any(|(one, _)| *one == kept.name);
        if !is_known && self.of(&kept.account).count() >= SEARCHES_MAX {
            return Err(AccessError::TooManySearches);
        }
        Ok(())
    }
}

/// Characters of a name.
const NAME_MAX: usize = 100;

/// Kept searches of an account.
pub(crate) const SEARCHES_MAX: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(account: &str, name: &str) -> SearchKept {
        SearchKept {
            account: account.to_owned(),
            name: name.to_owned(),
            conditions: [("date".to_owned(), "2026-01-01..".to_owned())].into(),
        }
    }

    fn told<T: EventBody>(searches: &mut KeptSearches, facts: &T) {
        searches.fold(&RecordedEvent {
            id: formats::id::EventId::from_bytes([1; 16]),
            time: time::OffsetDateTime::UNIX_EPOCH,
            topic: T::TOPIC,
            kind: T::KIND.to_owned(),
            by: "sato".to_owned(),
            facts: serde_json::to_value(facts).unwrap(),
        });
    }

    #[test]
    fn each_account_has_its_own_and_the_last_of_a_name_counts() {
        let mut searches = KeptSearches::default();
        told(&mut searches, &kept("sato", "未払い"));
        told(&mut searches, &kept("kato", "未払い"));
        let mut other = kept("sato", "未払い");
        other.conditions = BTreeMap::new();
        told(&mut searches, &other);
        let of = |searches: &KeptSearches, account: &str| {
            let own = searches.of(account);
            own.map(|(name, conditions)| (name.clone(), conditions.len()))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&searches, "sato"), [("未払い".to_owned(), 0)]);
        assert_eq!(of(&searches, "kato"), [("未払い".to_owned(), 1)]);
        let dropped = SearchDropped {
            account: "sato".to_owned(),
            name: "未払い".to_owned(),
        };
        told(&mut searches, &dropped);
        assert!(of(&searches, "sato").is_empty());
        assert_eq!(of(&searches, "kato").len(), 1);
    }

    #[test]
    fn names_are_texts_of_one_line_and_an_account_keeps_so_many() {
        let mut searches = KeptSearches::default();
        let long = "x".repeat(NAME_MAX + 1);
        for name in ["", " a", "a\nb", long.as_str()] {
            let refused = searches.check(&kept("sato", name));
            assert_eq!(refused, Err(AccessError::SearchName), "{name:?}");
        }
        for number in 0..SEARCHES_MAX {
            let one = kept("sato", &number.to_string());
            assert_eq!(searches.check(&one), Ok(()));
            told(&mut searches, &one);
        }
        let more = searches.check(&kept("sato", "more"));
        assert_eq!(more, Err(AccessError::TooManySearches));
        assert_eq!(searches.check(&kept("sato", "7")), Ok(()), "it gives way");
        assert_eq!(searches.check(&kept("kato", "more")), Ok(()));
    }
}
