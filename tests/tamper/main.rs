//! Whoever changes a bit is found out: by the verifier in what was handed over, by `archiver verify` in what is kept.
//!
//! Material is made by the programs; every place that is tried comes from a fixed seed or from the structure itself.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod archive;
mod evidence;
mod keys;
mod segment_files;
mod segments;
