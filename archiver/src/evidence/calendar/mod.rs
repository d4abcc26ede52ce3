//! The calendar of renewal: what ends when and why, what has to be done until then, and what the years ahead will bring.
//!
//! Everything here is decided from facts, without reading or writing: [`facts`] are gathered first, the work is done by
//! [`super::renew`] afterwards.

pub mod facts;

pub use facts::{ChainFacts, End, EndReason, TokenFacts};
