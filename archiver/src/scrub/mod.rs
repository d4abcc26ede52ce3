//! What a scrub means for the records: the events that it leaves, since when each record is proven, and the deep scrub, which needs keys.
//!
//! The reading and healing of stored bytes is in [`crate::store::scrub`] and [`crate::store::heal`], which know no keys.

pub mod deep;
pub mod facts;
pub mod losses;
pub mod proofs;
pub mod report;
pub mod standing;
