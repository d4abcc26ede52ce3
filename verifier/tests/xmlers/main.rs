//! Evidence records in XML (RFC 6283): what holds, what does not, and what cannot be known.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod data;
mod hostile;
mod record;
mod renewal;
#[path = "../support/mod.rs"]
mod support;
mod tampering;
