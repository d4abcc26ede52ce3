//! Keys: what stands on the key medium, and nowhere else (DESIGN §6).
//!
//! Each record version is sealed under a random [`DataKey`] of its own. The data key is wrapped by a key-encryption key
//! (KEK) and stands in the [`KeyLedger`] on the [`KeyMedium`]. A data medium without the key medium is noise; a destroyed
//! entry of the ledger is a destroyed record.
//!
//! Absences: no secret is printed, logged, written into an error or taken from a command argument or an environment
//! value. All secrets are zeroised when they are dropped.

pub mod agent;
mod beside;
pub mod catalog;
pub mod copy_events;
pub mod copying;
mod creation;
pub mod custody;
pub mod erasure;
pub mod error;
pub mod events;
mod intake;
pub mod intake_events;
pub mod inventory;
pub mod ledger;
pub mod medium;
pub mod passphrase;
pub mod place;
pub mod provider;
pub mod sealed;
pub mod secret;
pub mod separation;

#[cfg(test)]
mod erasure_tests;
#[cfg(test)]
mod rotation_tests;
#[cfg(test)]
mod specification_tests;

pub use catalog::CatalogSealer;
pub use copying::CopyReport;
pub use erasure::{Destruction, ErasureReport, KeyOpening};
pub use error::KeyError;
pub use intake::{Accepted, IntakeMedium};
pub use ledger::{
    CopyCondition, CopyOptions, CopyState, DamagedEntries, KeyLedger, LedgerAccess, LedgerPlace,
    LedgerReport, LedgerTicket, RotationProgress, RotationReport, RotationStep, StagedKey,
};
pub use medium::KeyMedium;
pub use passphrase::Passphrase;
pub use place::KeyPlace;
pub use provider::{
    FileKek, KdfParameters, KekProvider, ProviderDescription, ProviderFile, ProviderKind, TokenKek,
    TokenPlace, Unlock, UnlockWith, WrappedSecret,
};
pub use secret::{DataKey, KeyOwner, ValueKey};
pub use separation::{EvaluationNotice, require_separate, require_separate_media};
