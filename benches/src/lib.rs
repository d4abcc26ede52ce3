//! Benchmarks of the evidence engine and the store.
#![forbid(unsafe_code)]
