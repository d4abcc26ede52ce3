//! The corpus of the fuzzer and damaged forms of every vector, through every judgement: nothing panics, nothing runs away.
//!
//! The same functions are fuzzed in `tests/fuzz`; here they run without the nightly toolchain, on the same inputs each time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "test code: a panic is the report; the modules are shared"
)]

#[path = "../../../tests/fuzz/src/corpus.rs"]
mod corpus;
#[path = "../../../tests/fuzz/src/formats.rs"]
mod formats;
#[path = "../../../tests/fuzz/src/mutate.rs"]
mod mutate;
mod seeds;
#[path = "../support/mod.rs"]
mod support;
#[path = "../../../tests/fuzz/src/verifier.rs"]
mod verifier;

use self::verifier::{TARGETS, verification};

#[test]
fn the_corpus_does_no_harm() {
    for (name, target) in TARGETS {
        for bytes in corpus::of(name) {
            target(&bytes);
            mutate::mutations(&bytes, 60).for_each(|bytes| target(&bytes));
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
        if mutate::is_small(&bytes) {
            mutate::mutations(&bytes, 7).for_each(|bytes| verification(&bytes));
        }
    }
}
