//! What a parser does grows with its input, not with the square of it: eight times as much may cost thirty-two times as much, not sixty-four.
//!
//! Counted is the time that this thread was on a processor, so other work beside the test does not change the answer.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "test code: a panic is the report"
)]

use formats::der::{Tag, Writer, to_der_lengths};
use formats::digest::DigestAlgorithm;
use formats::evidence::{PartialHashTree, hash_tree};
use formats::xml::{Canonicalization, CanonicalizationKind, Document};

const GROWTH: usize = 8;
const COST_MAX: u64 = 32;
/// What the clock itself and the first touch of memory may cost, in nanoseconds.
const NOISE: u64 = 200_000;

/// Nanoseconds of this thread on a processor (Linux, `proc_pid_schedstat`), where the system tells.
fn on_processor() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}

fn cost<T>(input: &T, work: &dyn Fn(&T)) -> Option<u64> {
    let once = || {
        let start = on_processor()?;
        work(input);
        // The counter is brought up to date when the thread gives the processor away.
        std::thread::yield_now();
        Some(on_processor()?.saturating_sub(start))
    };
    (0..3).map(|_| once()).min().flatten()
}

fn expect_no_square<T>(what: &str, size: usize, make: impl Fn(usize) -> T, work: impl Fn(&T)) {
    let (small, large) = (make(size), make(size * GROWTH));
    let (Some(small), Some(large)) = (cost(&small, &work), cost(&large, &work)) else {
        println!("left out: {what}: this system does not tell the time of a thread");
        return;
    };
    println!("{what}: {small} ns, {GROWTH} times as much: {large} ns");
    assert!(large <= COST_MAX * small + NOISE, "{what}");
}

fn read_and_canonicalize(bytes: &[u8]) {
    let document = Document::parse(bytes).unwrap();
    for kind in [
        CanonicalizationKind::Inclusive10,
        CanonicalizationKind::Exclusive10,
    ] {
        let method = Canonicalization::new(kind, true);
        let mut length = 0;
        document
            .canonicalize(&method, &mut |part| length += part.len())
            .unwrap();
        assert!(length > 0);
    }
}

fn element(open: &str, inner: &str, count: usize, close: &str) -> Vec<u8> {
    [open, &inner.repeat(count), close].concat().into_bytes()
}

#[test]
fn xml_grows_with_its_size() {
    let expect = |what: &str, size: usize, make: &dyn Fn(usize) -> Vec<u8>| {
        expect_no_square(what, size, make, |bytes| read_and_canonicalize(bytes));
    };
    expect("elements", 4_000, &|n| {
        element("<a>", "<b c='d'>e</b>", n, "</a>")
    });
    expect("references", 4_000, &|n| {
        element("<a>", "&amp;&#65;", n, "</a>")
    });
    expect("comments", 4_000, &|n| {
        element("<a>", "<!--b--><?c d?>", n, "</a>")
    });
    expect("a long value", 20_000, &|n| {
        element("<a b='", "&lt;\t", n, "'/>")
    });
    expect("namespaces declared anew", 2_000, &|n| {
        element("<a>", "<p:b xmlns:p='urn:p' p:c='d'/>", n, "</a>")
    });
    expect("attributes of one element", 128, &|n| {
        let attributes: String = (0..n).map(|number| format!(" a{number}='b'")).collect();
        format!("<a{attributes}/>").into_bytes()
    });
    expect("depth", 32, &|n| {
        ["<a b='c'>".repeat(n), "</a>".repeat(n)]
            .concat()
            .into_bytes()
    });
}

#[test]
fn hash_trees_grow_with_their_size() {
    let hash = |number: usize| {
        let digest = DigestAlgorithm::Sha256.digest(&number.to_be_bytes());
        digest.as_bytes().to_vec()
    };
    let one_list = |n: usize| vec![PartialHashTree((0..n).map(hash).collect())];
    let many_lists = |n: usize| -> Vec<PartialHashTree> {
        (0..n)
            .map(|number| PartialHashTree(vec![hash(number)]))
            .collect()
    };
    let root = |lists: &Vec<PartialHashTree>| {
        hash_tree::root_of(DigestAlgorithm::Sha256, lists).unwrap();
        hash_tree::root_of_sets(DigestAlgorithm::Sha256, lists).unwrap();
    };
    expect_no_square("one list", 2_000, one_list, root);
    expect_no_square("many lists", 2_000, many_lists, root);
}

#[test]
fn der_grows_with_its_size() {
    let flat = |n: usize| {
        Writer::single(Tag::SEQUENCE, |w| {
            for _ in 0..n {
                w.primitive(Tag::INTEGER, &[1]);
            }
        })
    };
    let indefinite = |n: usize| {
        let mut bytes = vec![0x30, 0x80];
        bytes.extend([0x30, 0x80, 0x02, 0x01, 0x01, 0, 0].repeat(n));
        bytes.extend([0, 0]);
        bytes
    };
    let deep = |n: usize| [[0x30, 0x80].repeat(n), vec![0; 2 * n]].concat();
    let read = |bytes: &Vec<u8>| {
        to_der_lengths(bytes).unwrap();
    };
    expect_no_square("elements", 4_000, flat, read);
    expect_no_square("indefinite lengths", 4_000, indefinite, read);
    expect_no_square("nested lengths", 8, deep, read);
}
