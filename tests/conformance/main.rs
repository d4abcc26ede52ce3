//! The verifier, measured on other people's evidence with known verdicts, and beside another verifier.
//!
//! The foreign vectors are not part of the project: they lie where FUMIKURA_VECTORS names, by default `shared/vectors` beside the
//! workspace. Where they are absent, one line says so; what the project makes itself is judged all the same.
//!
//! What differs from what the vectors state, and from what EU DSS says, stands in `docs/verifier-conformance.md` with its reason. The suite
//! compares both ways: a difference that is not listed fails it, and so does a listed one that is none any more.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and writes files that are not the archive's"
)]

mod binary;
mod data;
mod differences;
mod doors;
mod dss;
mod judge;
mod own;
mod stated;
mod trust;
mod vectors;
