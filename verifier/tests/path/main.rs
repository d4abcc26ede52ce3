//! Paths made for one rule each, good and bad, and hostile ones.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "clippy sees only functions marked as tests as tests"
)]

mod compromised;
mod hostile;
mod ocsp;
mod ocsp_response;
mod ocsp_wrong;
mod revocation;
mod rules;
mod stale;
mod support;
