//! Benchmarks of the evidence engine and the store.
