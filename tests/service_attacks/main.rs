//! Attacks on a running service: over real TLS, on the real program, each with what it must not cost the others.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "a test that panics is a test that fails"
)]

mod answer;
mod bodies;
mod bombs;
mod forms;
mod log_in;
mod names;
mod papers;
mod place;
mod protocol;
mod slow;
mod telling;
mod uploads;
