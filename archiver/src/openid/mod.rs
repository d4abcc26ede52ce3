//! Log-in by a company's OpenID provider: OpenID Connect Core 1.0, authorization code flow, with PKCE (RFC 7636).
//!
//! The provider says who somebody is; what that person may do stands in the account ledger alone. A log-in belongs to one browser (a cookie), is used once
//! and is over after minutes. What the provider answers is judged with the time as an argument; [`crate::acts`] decides on the account and writes the audit trail.

mod error;
mod judge;
mod pending;
mod provider;
mod transport;

pub use error::{OpenidError, StateFault, TokenFault};
pub use provider::{Answer, Begun, CALLBACK, OpenidProvider, ProviderParts};
