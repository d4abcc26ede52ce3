//! Records: one atomic step in, and back out again byte for byte.
//!
//! - [`deposit`] takes sources in. A record is visible when its [`RecordVersion`](formats::segment::RecordVersion) frame is
//!   committed, and not before; its content and its key are durable by then. What fails before leaves nothing visible.
//! - [`retrieve`] streams a content object out and compares it with its digests.

pub mod deposit;
pub mod error;
pub mod export;
pub mod export_index;
pub mod outcome;
pub mod quarantine;
pub mod received;
pub mod resources;
pub mod retrieve;

mod examine;
mod identity;
mod in_flight;
mod prepare;

#[cfg(test)]
pub(crate) mod fixture;
