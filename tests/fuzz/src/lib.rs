//! What is fuzzed. Each program in `fuzz_targets` hands its input to one function of this crate.
#![forbid(unsafe_code)]

pub mod formats;
pub mod verifier;
