//! Validation material from OpenSSL's services, and from broken ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]
#![allow(unreachable_pub, reason = "shared by the modules of this program")]

#[path = "../support/mod.rs"]
mod support;

mod bad;
mod good;
mod world;
