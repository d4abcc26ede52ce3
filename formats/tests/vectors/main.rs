//! Reads evidence made by other programs.
//!
//! The vectors stand outside of the project (`FUMIKURA_VECTORS`, by default `../shared/vectors` beside the workspace). Without them these
//! tests say so in one line and pass.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::panic
)] // Test code: a panic is the report.

mod cades;
mod damage;
mod files;
mod ocsp;
mod records;
mod signed_data;
mod tokens;
