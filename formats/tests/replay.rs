//! The corpus of the fuzzer and damaged forms of every vector, through every parser: nothing panics, nothing runs away.
//!
//! The same functions are fuzzed in `tests/fuzz`; here they run without the nightly toolchain, on the same inputs each time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::missing_docs_in_private_items,
    missing_docs,
    unreachable_pub,
    reason = "test code: a panic is the report"
)]

#[path = "../../tests/fuzz/src/corpus.rs"]
mod corpus;
#[path = "../../tests/fuzz/src/mutate.rs"]
mod mutate;
#[path = "../../tests/fuzz/src/formats.rs"]
mod targets;

use targets::TARGETS;

#[test]
fn the_corpus_does_no_harm() {
    for (name, target) in TARGETS {
        for bytes in corpus::of(name) {
            target(&bytes);
            mutate::mutations(&bytes, 500).for_each(|bytes| target(&bytes));
        }
    }
}

#[test]
fn small_inputs_that_ask_for_much_get_little() {
    for bytes in mutate::bombs() {
        for (_, target) in TARGETS {
            target(&bytes);
        }
    }
}

#[test]
fn damaged_vectors_do_no_harm() {
    for path in corpus::vectors() {
        let bytes = std::fs::read(path).unwrap();
        for (_, target) in TARGETS {
            target(&bytes);
        }
        if mutate::is_small(&bytes) {
            for bytes in mutate::mutations(&bytes, 21) {
                TARGETS.iter().for_each(|(_, target)| target(&bytes));
            }
        }
    }
}
