//! The service, asked by the command line over its API: whoever asks has the rights of an account there, and no others.
//!
//! `profile` is what is kept between commands, `client` the connection, `transfer` contents in and out, `upload` large ones in parts, `answers` what comes back. Nothing here opens an
//! archive or reads a key medium. The service is trusted by its pinned authority alone ([ADR 0032](../../../docs/adr/0032-command-line-over-the-service.md)).

mod answers;
mod client;
mod error;
#[cfg(test)]
pub(crate) mod fixture;
mod profile;
#[cfg(test)]
mod tests;
mod transfer;
mod upload;

pub(crate) use answers::{
    BegunSession, DepositedAnswer, FoundObject, FoundPage, FoundRecord, FoundVersion, SystemAnswer,
    VerdictTable,
};
pub use client::{Patience, RemoteClient, ServerPlace};
pub use error::{RemoteError, RemoteProblem};
pub use profile::{Profile, ProfileStore, Profiles};
pub use transfer::{Fetched, Outgoing};
pub use upload::InParts;
