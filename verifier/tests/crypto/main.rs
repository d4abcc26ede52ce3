//! Known answers for signature verification, made by OpenSSL while the test runs, and literal ones from the standards.
//!
//! Without an `openssl` program the tests that need it print one line and pass.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "clippy sees only functions marked as tests as tests"
)]

mod curves;
mod eddsa;
mod encodings;
mod ml_dsa;
mod rsa;
mod slh_dsa;
mod support;
