//! The calendar of renewal: what ends when and why, what has to be done until then, and what the years ahead will bring.
//!
//! [`gather()`] reads what is known of each chain; [`plan()`] and [`forecast()`] decide from these facts alone; the work is done by
//! [`super::renew`] afterwards. ADR 0010 says how the plan decides.

pub mod digests;
pub mod facts;
pub mod forecast;
pub mod gather;
mod group;
mod material;
pub mod options;
pub mod plan;
#[cfg(test)]
mod tests;
mod unproven;

pub use digests::{first_digest, next_digest};
pub use facts::{ChainFacts, End, EndReason, Lack, TokenFacts};
pub use forecast::{Assumptions, Forecast, forecast};
pub use gather::gather;
pub use options::RenewalOptions;
pub use plan::{Blocked, Cause, Lost, Obstacle, PlannedAction, RenewalPlan, plan};
