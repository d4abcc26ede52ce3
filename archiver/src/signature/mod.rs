//! The archive's own signatures: CAdES over records, and receipts for deposits and retrievals.
//!
//! The private key stands sealed on the key medium ([`vault`]). A signature is made at the level ES-BES and raised from there
//! ([`raise`]): ES-T when a timestamp can be had, ES-X Long with validation material, ES-A with archive timestamps, and again before
//! the last of them ends ([`due()`] decides, [`keeper`] does it). What stood in a signature before is never changed by raising it.

pub mod certificate;
pub mod due;
pub mod error;
pub mod keeper;
pub mod raise;
pub mod receipt;
mod sealing;
pub mod signer;
pub mod subject;
pub mod vault;

pub use due::{RaiseOptions, SignatureFacts, Step, due};
pub use error::SignatureError;
pub use keeper::{Demand, Planned, RaiseSummary, Reach, SignatureKeeper, StoredSignature};
pub use raise::Raiser;
pub use signer::{ArchiveSigner, SigningRequest};
