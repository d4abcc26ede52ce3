//! The ledger of media: which there are, what they are for, where they lie, who has them, when they were last counted.
//!
//! It is a fold over events ([`facts`]), so it comes back with the archive. What a medium says of itself (`MEDIUM.json`) must agree with
//! it ([`check`]). How media join, replace each other and leave: [`change`].

pub mod change;
mod check;
pub mod facts;
mod keep;
mod ledger;
pub mod stock_take;

#[cfg(test)]
mod tests;

pub use check::{Disagreement, DisagreementKind, check, key_medium};
pub use keep::{of_label, record_media};
pub use ledger::{MediaLedger, MediumEntry, Standing};
