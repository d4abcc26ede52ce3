//! Thirty years of an archive in a minute: a simulated clock, simulated time-stamping services, real evidence.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says what it did"
)]

mod archive;
mod authority;
mod client;
mod keys;
