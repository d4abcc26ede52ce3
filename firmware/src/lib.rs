//! The appliance under the archive: power-on self-tests, clock, random source, media devices, process hardening.
//!
//! The only crate that may contain `unsafe`, in `sys` alone.

pub mod clock;
pub mod device;
pub mod entropy;
pub mod media;
pub mod memory;
pub mod process;
pub mod selftest;
mod sys;
