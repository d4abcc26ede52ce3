use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::digest::DigestValue;
use crate::id::{RecordId, VersionId};
use crate::limits::LINE_PROOF_HASHES_MAX;

const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;

fn leaves(count: u64) -> Vec<DigestValue> {
    (0..count)
        .map(|number| SHA256.digest(&number.to_be_bytes()))
        .collect()
}

/// RFC 9162 §2.1.1, as it is written there.
fn reference(leaves: &[DigestValue]) -> DigestValue {
    if let [single] = leaves {
        return *single;
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let mut bytes = vec![0x01];
    bytes.extend_from_slice(reference(left).as_bytes());
    bytes.extend_from_slice(reference(right).as_bytes());
    SHA256.digest(&bytes)
}

fn built(leaves: &[DigestValue]) -> DigestValue {
    let mut builder = TreeBuilder::new(SHA256);
    for leaf in leaves {
        builder.push(*leaf);
    }
    builder.take_root().unwrap()
}

#[test]
fn the_tree_is_that_of_rfc_9162() {
    for count in (1..70).chain([127, 128, 129, 1000]) {
        let leaves = leaves(count);
        assert_eq!(built(&leaves), reference(&leaves), "{count}");
        let levels = LineLevels::new(SHA256, leaves.iter().copied());
        assert_eq!(levels.root(), Some(reference(&leaves)), "{count}");
    }
    assert_eq!(TreeBuilder::new(SHA256).take_root(), None);
}

#[test]
fn a_tree_over_blocks_is_the_tree_over_lines() {
    let block = usize::try_from(BLOCK_LINES).unwrap();
    for count in [1, 1023, 1024, 1025, 2048, 2049, 5 * 1024 + 3] {
        let leaves = leaves(count);
        let roots: Vec<DigestValue> = leaves.chunks(block).map(built).collect();
        assert_eq!(u64::try_from(roots.len()), Ok(block_count(count)));
        assert_eq!(built(&roots), built(&leaves), "{count}");
    }
}

#[test]
fn a_leaf_is_prefix_salt_number_and_line() {
    let bytes = [&[0][..], &[7; 16], &[0, 0, 0, 0, 0, 0, 1, 2], b"line\n"].concat();
    assert_eq!(
        leaf(SHA256, &[7; 16], 258, b"line\n"),
        SHA256.digest(&bytes)
    );
    let sha512 = DigestAlgorithm::Sha512;
    assert_eq!(
        leaf(sha512, &[7; 16], 258, b"line\n"),
        sha512.digest(&bytes)
    );
}

fn prove(leaves: &[DigestValue], first: u64, last: u64) -> Vec<DigestValue> {
    let levels = LineLevels::new(SHA256, leaves.iter().copied());
    let count = u64::try_from(leaves.len()).unwrap();
    range_siblings(count, first, last)
        .unwrap()
        .into_iter()
        .map(|(level, index)| levels.node(level, index).unwrap())
        .collect()
}

#[test]
fn every_range_of_small_trees_is_proven_by_as_few_hashes_as_possible() {
    for count in 1..=33_u64 {
        let leaves = leaves(count);
        let root = built(&leaves);
        for first in 0..count {
            for last in first..count {
                let proof = prove(&leaves, first, last);
                let range = leaves[first as usize..=last as usize].to_vec();
                let found = range_root(SHA256, count, first, range.clone(), &proof);
                assert_eq!(found, Ok(root), "{first}..{last} of {count}");
                for left_out in 0..proof.len() {
                    let mut fewer = proof.clone();
                    fewer.remove(left_out);
                    let found = range_root(SHA256, count, first, range.clone(), &fewer);
                    assert_eq!(found.unwrap_err().kind(), ErrorKind::Truncated);
                }
            }
        }
    }
}

#[test]
fn ranges_and_proofs_that_cannot_be_are_refused() {
    let kind = |result: Result<DigestValue>| result.unwrap_err().kind();
    let all = leaves(10);
    let proof = prove(&all, 3, 4);
    let range = |first: usize, last: usize| all[first..last].to_vec();
    assert!(range_root(SHA256, 10, 3, range(3, 5), &proof).is_ok());
    for (first, leaves) in [(9, range(3, 5)), (u64::MAX, range(3, 5)), (3, Vec::new())] {
        let found = range_root(SHA256, 10, first, leaves, &proof);
        assert_eq!(kind(found), ErrorKind::InvalidValue);
    }
    let longer = [proof.as_slice(), &[all[0]]].concat();
    let found = range_root(SHA256, 10, 3, range(3, 5), &longer);
    assert_eq!(kind(found), ErrorKind::TrailingBytes);
    let foreign = vec![DigestAlgorithm::Sha512.digest(b""); proof.len()];
    let found = range_root(SHA256, 10, 3, range(3, 5), &foreign);
    assert_eq!(kind(found), ErrorKind::WrongType);
    for (first, last) in [(3, 2), (0, 10), (10, 10)] {
        let refused = range_siblings(10, first, last).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidValue);
    }
}

#[test]
fn the_largest_tree_needs_fewer_hashes_than_the_limit() {
    let middle = LINES_MAX / 2;
    let siblings = range_siblings(LINES_MAX, middle - 1, middle).unwrap();
    assert!(siblings.len() <= LINE_PROOF_HASHES_MAX);
}

#[test]
fn lines_end_with_a_line_feed() {
    let of = |bytes: &'static [u8]| split_lines(bytes).collect::<Vec<_>>();
    assert_eq!(of(b""), Vec::<&[u8]>::new());
    assert_eq!(of(b"a"), [b"a"]);
    assert_eq!(of(b"a\r\nb\n"), [&b"a\r\n"[..], b"b\n"]);
    assert_eq!(of(b"\n\nx"), [&b"\n"[..], b"\n", b"x"]);
}

fn index_of(lines: u64) -> LineIndex {
    let mut writer = LineIndexWriter::new();
    for number in 0..block_count(lines) {
        writer.push(&IndexBlock {
            offset: number * 5000,
            roots: LINE_ALGORITHMS.map(|algorithm| algorithm.digest(&number.to_be_bytes())),
        });
    }
    writer.finish(&[9; 32], lines).unwrap()
}

fn tree_of(lines: u64) -> LineTree {
    LineTree {
        lines,
        roots: Digests::of(b"root"),
    }
}

#[test]
fn an_index_is_read_as_it_was_written() {
    let index = index_of(2500);
    assert_eq!(LineIndex::bytes_of(2500), Some(index.bytes().len() as u64));
    let read = LineIndex::parse(index.bytes().to_vec(), &tree_of(2500), 15_000).unwrap();
    assert_eq!(read, index);
    assert_eq!(read.key(), [9; 32]);
    assert_eq!(read.blocks().count(), 3);
    assert_eq!(read.block(2).unwrap().offset, 10_000);
    assert_eq!(
        read.block(1).unwrap().roots[1].algorithm(),
        DigestAlgorithm::Sha512
    );
    assert_eq!(read.block(3), None);
    assert!(!format!("{read:?}").contains('9'));
}

#[test]
fn an_index_of_other_content_is_refused() {
    let bytes = index_of(2500).into_bytes();
    let kind = |bytes: &[u8], lines, size| {
        let error = LineIndex::parse(bytes.to_vec(), &tree_of(lines), size).unwrap_err();
        error.kind()
    };
    assert_eq!(kind(&bytes, 2499, 15_000), ErrorKind::Inconsistent);
    assert_eq!(kind(&bytes, 2500, 10_000), ErrorKind::Inconsistent);
    assert_eq!(
        kind(&bytes[..bytes.len() - 1], 2500, 15_000),
        ErrorKind::Truncated
    );
    let longer = [bytes.as_slice(), b"x"].concat();
    assert_eq!(kind(&longer, 2500, 15_000), ErrorKind::TrailingBytes);
    for (place, expected) in [
        (0, ErrorKind::WrongType),
        (9, ErrorKind::UnsupportedVersion),
        (49, ErrorKind::Inconsistent),
        (53, ErrorKind::Inconsistent),
        (54, ErrorKind::Inconsistent),
        (54 + 104 + 6, ErrorKind::Inconsistent),
    ] {
        let mut changed = bytes.clone();
        changed[place] = changed[place].wrapping_sub(19);
        assert_eq!(kind(&changed, 2500, 15_000), expected, "{place}");
    }
    assert_eq!(LineIndex::bytes_of(0), None);
    assert_eq!(LineIndex::bytes_of(LINES_MAX + 1), None);
    let few = LineIndexWriter::new().finish(&[9; 32], 1);
    assert_eq!(few.unwrap_err().kind(), ErrorKind::NotEncodable);
}

fn proof() -> LineProof {
    LineProof {
        version: VersionId::first(RecordId::from_bytes([3; 16])),
        object: 0,
        first: 1200,
        salts: vec![[1; 16], [2; 16]],
        proofs: LINE_ALGORITHMS
            .map(|algorithm| RangeHashes {
                algorithm,
                hashes: vec![algorithm.digest(b"a"), algorithm.digest(b"b")],
            })
            .to_vec(),
    }
}

#[test]
fn a_proof_is_read_as_it_was_written() {
    let bytes = proof().encode().unwrap();
    assert_eq!(LineProof::parse(&bytes), Ok(proof()));
    assert_eq!(proof().last(), Some(1201));
    assert!(proof().under(DigestAlgorithm::Sha512).is_some());
    assert!(proof().under(DigestAlgorithm::Sha3_512).is_none());
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.starts_with(
            r#"{"first":1200,"last":1201,"object":0,"proofs":[{"algorithm":"SHA-256","#
        )
    );
}

#[test]
fn proofs_that_are_not_canonical_or_cannot_be_are_refused() {
    let text = String::from_utf8(proof().encode().unwrap()).unwrap();
    for (from, to, kind) in [
        (r#""last":1201"#, r#""last":1202"#, ErrorKind::Inconsistent),
        (r#""first":1200"#, r#""first":0"#, ErrorKind::InvalidValue),
        (
            r#""first":1200"#,
            r#""first":18446744073709551615"#,
            ErrorKind::LimitExceeded,
        ),
        (
            r#""first":1200"#,
            r#""first": 1200"#,
            ErrorKind::NotCanonical,
        ),
        (
            r#""object":0"#,
            r#""object":4096"#,
            ErrorKind::LimitExceeded,
        ),
        (
            r#""object":0"#,
            r#""object":0,"x":1"#,
            ErrorKind::InvalidJson,
        ),
        (r#""version":1"#, r#""version":0"#, ErrorKind::InvalidValue),
        (
            "line-proof:1",
            "line-proof:2",
            ErrorKind::UnsupportedVersion,
        ),
        ("SHA-512", "SHA-1024", ErrorKind::UnknownAlgorithm),
        ("SHA-512", "SHA-256", ErrorKind::WrongDigestLength),
        ("0101", "0101z", ErrorKind::InvalidValue),
        ("0101010101010101", "01", ErrorKind::InvalidValue),
    ] {
        let changed = text.replacen(from, to, 1);
        let error = LineProof::parse(changed.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), kind, "{to}");
    }
    let mut twice = proof();
    twice.proofs[1] = twice.proofs[0].clone();
    assert_eq!(
        twice.encode().unwrap_err().kind(),
        ErrorKind::DuplicateElement
    );
    let mut none = proof();
    none.salts.clear();
    assert_eq!(none.encode().unwrap_err().kind(), ErrorKind::InvalidValue);
    let mut many = proof();
    many.proofs[0].hashes = vec![SHA256.digest(b""); LINE_PROOF_HASHES_MAX + 1];
    assert_eq!(many.encode().unwrap_err().kind(), ErrorKind::LimitExceeded);
    let mut many = proof();
    many.salts = vec![[0; 16]; crate::limits::LINE_PROOF_LINES_MAX + 1];
    assert_eq!(many.encode().unwrap_err().kind(), ErrorKind::LimitExceeded);
    let long = vec![b' '; crate::limits::LINE_PROOF_BYTES_MAX + 1];
    assert_eq!(
        LineProof::parse(&long).unwrap_err().kind(),
        ErrorKind::LimitExceeded
    );
}

proptest! {
    #[test]
    fn pieces_make_the_same_lines(bytes in vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200), cut in 1_usize..20) {
        let (mut splitter, mut lines, mut line) = (LineSplitter::default(), Vec::new(), Vec::new());
        for mut piece in bytes.chunks(cut) {
            while let Some((part, ends)) = splitter.take(&mut piece) {
                line.extend_from_slice(part);
                if ends {
                    lines.push(std::mem::take(&mut line));
                }
                prop_assert_eq!(splitter.begun(), line.len() as u64);
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        let expected: Vec<Vec<u8>> = split_lines(&bytes).map(<[u8]>::to_vec).collect();
        prop_assert_eq!(lines, expected);
    }

    #[test]
    fn a_changed_hash_or_leaf_leads_elsewhere(count in 1_u64..3000, at in any::<(u64, u64)>(), changed in any::<usize>()) {
        let all = leaves(count);
        let first = at.0 % count;
        let last = (first + at.1 % 5).min(count - 1);
        let proof = prove(&all, first, last);
        let range = all[first as usize..=last as usize].to_vec();
        let root = built(&all);
        prop_assert_eq!(range_root(SHA256, count, first, range.clone(), &proof), Ok(root));
        let mut both = [range.clone(), proof.clone()].concat();
        let place = changed % both.len();
        both[place] = SHA256.digest(b"other");
        let (range, proof) = both.split_at(range.len());
        prop_assert_ne!(range_root(SHA256, count, first, range.to_vec(), proof), Ok(root));
    }
}
