//! The HTTPS listener: TLS connections in, requests of one router out.
//!
//! Everything about connections is here (certificates, limits, time-outs, the graceful end) and nothing about what is asked.

mod error;
mod listener;
mod patience;
mod self_signed;
mod tls;

#[cfg(test)]
mod tests;

pub use error::HttpsError;
pub use listener::{Limits, serve};
pub use self_signed::{SelfSigned, self_signed};
pub use tls::{TlsFiles, configuration};

use std::net::SocketAddr;

/// Who is at the other end of a connection: an extension of each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// SHA-256 of the client certificate, hexadecimal: verified against the configured authorities and their revocation lists.
    pub certificate: Option<String>,
}
