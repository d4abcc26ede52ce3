//! The root of a reduced hash tree (RFC 4998 §4.2, §4.3), by the text of the RFC and by the readings found in the wild.
//!
//! `formats::evidence::hash_tree` builds by the rule; here the same rule reads foreign trees, whose values may have any
//! length, and says which reading it took. A reading other than the rule's is a named finding; one that hashes a single value again proves nothing.

use formats::digest::DigestAlgorithm;

/// How the lists of a tree are put together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Reading {
    /// Equal values of one list count once. The RFC says "binary ascending order" and nothing of duplicates; records of
    /// every known tool but one keep them.
    pub(crate) as_set: bool,
    /// A list of one value is hashed again instead of passed through.
    pub(crate) hash_single: bool,
}

impl Reading {
    /// The rule of RFC 4998 §4.3.
    pub(crate) const RULE: Self = Self {
        as_set: false,
        hash_single: false,
    };

    /// Every reading that is recognised, the rule first.
    pub(crate) const ALL: [Self; 4] = [
        Self::RULE,
        Self {
            as_set: true,
            hash_single: false,
        },
        Self {
            as_set: false,
            hash_single: true,
        },
        Self {
            as_set: true,
            hash_single: true,
        },
    ];
}

/// The root of `lists` under `reading`; `None` for a tree without a value, or with an empty list.
///
/// Each list is taken together with the digest carried over from the list before it, sorted, concatenated and hashed.
pub(crate) fn root(
    algorithm: DigestAlgorithm,
    lists: &[Vec<&[u8]>],
    reading: Reading,
) -> Option<Vec<u8>> {
    let mut carried: Option<Vec<u8>> = None;
    for list in lists {
        if list.is_empty() {
            return None;
        }
        let mut values: Vec<&[u8]> = list.clone();
        if let Some(value) = &carried {
            values.push(value);
        }
        values.sort_unstable();
        if reading.as_set {
            values.dedup();
        }
        carried = Some(match values.as_slice() {
            [single] if !reading.hash_single => single.to_vec(),
            several => {
                let mut hasher = algorithm.hasher();
                for value in several {
                    hasher.update(value);
                }
                hasher.finish().as_bytes().to_vec()
            }
        });
    }
    carried
}

/// The first reading, the rule first, under which `lists` lead to `imprint`.
pub(crate) fn reading_of(
    algorithm: DigestAlgorithm,
    lists: &[Vec<&[u8]>],
    imprint: &[u8],
) -> Option<Reading> {
    Reading::ALL
        .into_iter()
        .find(|reading| root(algorithm, lists, *reading).as_deref() == Some(imprint))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;

    fn hash(parts: &[&[u8]]) -> Vec<u8> {
        SHA256.digest(&parts.concat()).as_bytes().to_vec()
    }

    #[test]
    fn the_carried_digest_joins_the_next_list_before_sorting() {
        let (a, b, c, d) = (hash(&[b"a"]), hash(&[b"b"]), hash(&[b"c"]), hash(&[b"d"]));
        let mut first = vec![a.as_slice(), b.as_slice()];
        let lists = vec![first.clone(), vec![c.as_slice(), d.as_slice()]];
        first.sort();
        let carried = hash(&first);
        let mut second = vec![c.as_slice(), d.as_slice(), carried.as_slice()];
        second.sort();
        assert_eq!(root(SHA256, &lists, Reading::RULE), Some(hash(&second)));
    }

    #[test]
    fn a_single_value_passes_through_by_the_rule() {
        let a = hash(&[b"a"]);
        let lists = vec![vec![a.as_slice()]];
        assert_eq!(reading_of(SHA256, &lists, &a), Some(Reading::RULE));
        let twice = hash(&[&a]);
        let reading = reading_of(SHA256, &lists, &twice).unwrap();
        assert!(reading.hash_single && !reading.as_set);
    }

    #[test]
    fn duplicates_stay_by_the_rule() {
        let a = hash(&[b"a"]);
        let lists = vec![vec![a.as_slice(), a.as_slice()]];
        assert_eq!(
            reading_of(SHA256, &lists, &hash(&[&a, &a])),
            Some(Reading::RULE)
        );
    }

    #[test]
    fn a_carried_value_that_already_stands_there_counts_once_in_the_set_reading() {
        let (a, b) = (hash(&[b"a"]), hash(&[b"b"]));
        let mut first = vec![a.as_slice(), b.as_slice()];
        first.sort();
        let carried = hash(&first);
        let c = hash(&[b"c"]);
        let lists = vec![first, vec![carried.as_slice(), c.as_slice()]];
        let mut set = vec![carried.as_slice(), c.as_slice()];
        set.sort();
        let reading = reading_of(SHA256, &lists, &hash(&set)).unwrap();
        assert!(reading.as_set);
    }

    #[test]
    fn empty_trees_and_lists_have_no_root() {
        let a = hash(&[b"a"]);
        assert_eq!(root(SHA256, &[], Reading::RULE), None);
        assert_eq!(root(SHA256, &[vec![]], Reading::RULE), None);
        assert_eq!(
            root(SHA256, &[vec![a.as_slice()], vec![]], Reading::RULE),
            None
        );
    }

    #[test]
    fn a_wrong_imprint_has_no_reading() {
        let (a, b) = (hash(&[b"a"]), hash(&[b"b"]));
        let lists = vec![vec![a.as_slice(), b.as_slice()]];
        assert_eq!(reading_of(SHA256, &lists, &hash(&[b"x"])), None);
        assert_eq!(reading_of(SHA256, &lists, &a), None);
    }
}
