//! Judging many pieces of evidence in one run, so that what is the same for many is computed once.

pub mod cache;
mod generations;

pub use cache::{Cache, CacheCounts};
