//! Bytes to values and back: the ASN.1 evidence structures, the record manifest, the segment and the evidence package.
//!
//! Absences: no I/O, no clock, no network, no random source, no policy on what is acceptable.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::arithmetic_side_effects, clippy::as_conversions)
)]

pub mod access;
pub mod armour;
pub mod asic;
pub mod audit;
pub mod cades;
pub mod cms;
pub mod der;
pub mod digest;
pub mod error;
pub mod evidence;
pub mod id;
pub mod limits;
pub mod lines;
pub mod manifest;
pub mod medium;
pub mod ocsp;
pub mod oid;
pub mod package;
pub mod raw;
pub mod roster;
pub mod segment;
pub mod tsp;
pub mod utc;
pub mod x509;
pub mod xml;
pub mod xmlers;

#[cfg(test)]
mod samples;
