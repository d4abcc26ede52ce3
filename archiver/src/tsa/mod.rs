//! RFC 3161 timestamps: the embedded authority for trials, its HTTP server, and the client for real authorities.
//!
//! Every answer of an authority, the embedded one included, passes [`checks`] before it becomes an
//! [`checks::AcceptedToken`]; nothing else in the archive may be written as an archive timestamp.

pub mod certificate;
pub mod checks;
pub mod client;
pub mod embedded;
pub mod error;
pub mod failover;
pub mod health;
pub mod key;
pub mod material;
pub mod refusal;
pub mod registry;
pub mod retry;
pub mod server;
mod texts;
pub mod transport;
pub mod vault;
