use super::*;
use proptest::prelude::*;

const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;

fn leaves(count: usize) -> Vec<DigestValue> {
    (0..count)
        .map(|n| SHA256.digest(&n.to_be_bytes()))
        .collect()
}

/// The definition, written down once more: level by level, sorted pairs, a single node moves up.
fn root_by_definition(algorithm: DigestAlgorithm, leaves: &[DigestValue]) -> DigestValue {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| group_hash(algorithm, pair).unwrap())
            .collect();
    }
    level[0]
}

#[test]
fn a_group_is_sorted_and_keeps_duplicates() {
    let [a, b] = [SHA256.digest(b"a"), SHA256.digest(b"b")];
    assert_eq!(group_hash(SHA256, &[]), None);
    assert_eq!(group_hash(SHA256, &[a]), Some(a));
    assert_eq!(group_hash(SHA256, &[a, b]), group_hash(SHA256, &[b, a]));
    assert_ne!(group_hash(SHA256, &[a, a]), Some(a));
    let doubled = [a.as_bytes(), a.as_bytes()].concat();
    assert_eq!(group_hash(SHA256, &[a, a]), Some(SHA256.digest(&doubled)));
}

#[test]
fn every_leaf_of_small_trees_leads_to_the_root() {
    for count in 1..=33 {
        let leaves = leaves(count);
        let tree = HashTree::from_values(SHA256, &leaves).unwrap();
        assert_eq!(tree.root(), root_by_definition(SHA256, &leaves));
        assert_eq!(tree.leaf_count(), count);
        let lengths: Vec<u64> = tree
            .levels()
            .iter()
            .map(|level| u64::try_from(level.len() / 32).unwrap())
            .collect();
        assert_eq!(lengths, level_lengths(u64::try_from(count).unwrap()));
        for (index, leaf) in leaves.iter().enumerate() {
            let siblings = tree.siblings(index).unwrap();
            let lists = reduced_hash_tree(&[*leaf], &siblings);
            assert_eq!(root_of(SHA256, &lists), Ok(tree.root()), "{count} {index}");
        }
        assert_eq!(tree.siblings(count), None);
    }
}

#[test]
fn equal_leaves_are_kept() {
    let leaf = SHA256.digest(b"same");
    for count in [2, 3, 5, 8] {
        let tree = HashTree::from_values(SHA256, &vec![leaf; count]).unwrap();
        for index in 0..count {
            let lists = reduced_hash_tree(&[leaf], &tree.siblings(index).unwrap());
            assert_eq!(root_of(SHA256, &lists), Ok(tree.root()));
        }
    }
}

#[test]
fn threads_make_no_difference() {
    for algorithm in DigestAlgorithm::ALL.iter().copied() {
        let count = if algorithm == SHA256 { 40_001 } else { 2_501 };
        let flat: Vec<u8> = (0_u32..count)
            .flat_map(|n| algorithm.digest(&n.to_be_bytes()).as_bytes().to_vec())
            .collect();
        let build = |threads| {
            HashTree::build(algorithm, flat.clone(), NonZeroUsize::new(threads).unwrap()).unwrap()
        };
        let tree = build(1);
        assert_eq!(tree, build(2));
        assert_eq!(tree, build(7));
        let values: Vec<DigestValue> = flat
            .chunks(algorithm.len())
            .map(|bytes| DigestValue::from_bytes(algorithm, bytes).unwrap())
            .collect();
        assert_eq!(tree.root(), root_by_definition(algorithm, &values));
    }
}

#[test]
fn impossible_trees_are_refused() {
    let kind = |leaves: Vec<u8>| {
        HashTree::build(SHA256, leaves, NonZeroUsize::MIN)
            .unwrap_err()
            .kind()
    };
    assert_eq!(kind(vec![]), ErrorKind::MissingElement);
    assert_eq!(kind(vec![0; 31]), ErrorKind::WrongDigestLength);
    assert_eq!(kind(vec![0; 33]), ErrorKind::WrongDigestLength);
    let other = [DigestAlgorithm::Sha3_256.digest(b"")];
    let error = HashTree::from_values(SHA256, &other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
}

#[test]
fn impossible_reduced_trees_are_refused() {
    let list = |hashes: &[usize]| PartialHashTree(hashes.iter().map(|len| vec![1; *len]).collect());
    let kind = |lists: &[PartialHashTree]| root_of(SHA256, lists).unwrap_err().kind();
    assert_eq!(kind(&[]), ErrorKind::MissingElement);
    assert_eq!(kind(&[list(&[])]), ErrorKind::MissingElement);
    assert_eq!(kind(&[list(&[31])]), ErrorKind::WrongDigestLength);
    assert_eq!(
        kind(&[list(&[32]), list(&[64])]),
        ErrorKind::WrongDigestLength
    );
}

#[test]
fn sets_drop_the_value_that_is_carried_and_listed() {
    let [a, b, c] = [b"a", b"b", b"c"].map(|text| SHA256.digest(text));
    let carried = group_hash(SHA256, &[a, b]).unwrap();
    let bytes = |values: &[DigestValue]| {
        PartialHashTree(values.iter().map(|v| v.as_bytes().to_vec()).collect())
    };
    let lists = [bytes(&[a, b]), bytes(&[carried, c])];
    let as_set = group_hash(SHA256, &[carried, c]).unwrap();
    let as_multiset = group_hash(SHA256, &[carried, carried, c]).unwrap();
    assert_eq!(root_of_sets(SHA256, &lists), Ok(as_set));
    assert_eq!(root_of(SHA256, &lists), Ok(as_multiset));
}

proptest! {
    #[test]
    fn a_group_leads_to_the_root(
        sizes in proptest::collection::vec(1_usize..4, 1..70),
        pick: proptest::sample::Index,
        seed: u8,
    ) {
        let groups: Vec<Vec<DigestValue>> = sizes
            .iter()
            .enumerate()
            .map(|(group, size)| (0..*size).map(|n| SHA256.digest(format!("{seed} {group} {n}").as_bytes())).collect())
            .collect();
        let leaves: Vec<DigestValue> = groups.iter().map(|group| group_hash(SHA256, group).unwrap()).collect();
        let tree = HashTree::from_values(SHA256, &leaves).unwrap();
        let index = pick.index(groups.len());
        let lists = reduced_hash_tree(&groups[index], &tree.siblings(index).unwrap());
        prop_assert_eq!(root_of(SHA256, &lists), Ok(tree.root()));
        prop_assert_eq!(lists.len() - 1, tree.siblings(index).unwrap().len());
    }

    #[test]
    fn a_changed_hash_leads_elsewhere(count in 2_usize..70, pick: proptest::sample::Index, place: proptest::sample::Index, bit in 0_usize..256) {
        let leaves = leaves(count);
        let tree = HashTree::from_values(SHA256, &leaves).unwrap();
        let index = pick.index(count);
        let mut lists = reduced_hash_tree(&leaves[index..=index], &tree.siblings(index).unwrap());
        let list = place.index(lists.len());
        lists[list].0[0][bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(root_of(SHA256, &lists), Ok(tree.root()));
    }

    #[test]
    fn any_lists_do_no_harm(lists in proptest::collection::vec(proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..4), 0..5)) {
        let lists: Vec<PartialHashTree> = lists.into_iter().map(PartialHashTree).collect();
        let _root = root_of(SHA256, &lists);
        let _root = root_of_sets(SHA256, &lists);
    }
}
