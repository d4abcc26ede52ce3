//! Judgement of long-term evidence: bytes, trust anchors, policy and time in; a report out.
//!
//! Absences: no async, no network, no clock, no database, no file system. Bad evidence is a verdict, not an error.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::arithmetic_side_effects, clippy::as_conversions)
)]

pub mod algorithm;
mod alternatives;
mod armour;
pub mod audit;
pub mod budget;
pub mod bulk;
pub mod certificate;
pub mod context;
pub mod crypto;
mod der;
pub mod evidence;
pub mod finding;
pub mod inspect;
pub mod judge;
pub mod judgement;
mod notes;
pub mod package;
pub mod path;
pub mod poe;
pub mod policy;
pub mod recognise;
pub mod registry;
pub mod report;
pub mod revocation;
pub mod signature;
pub mod source;
pub mod timestamp;
pub mod verdict;
mod xaip;
mod xmlers;
