//! Deposits that come in parts: what came waits on the disk, sealed, until its rest has come.
//!
//! Each upload is one file beside the index, `ID.upload`, under a random key of its own, which stands in it sealed under a subkey of the
//! archive's catalog key: without the key medium the file is noise. An offset is acknowledged after its bytes were synchronised. When the last byte was
//! deposited the file is replaced by `ID.done`, which holds the answer, sealed, for whoever asks again
//! ([ADR 0036](../../../docs/adr/0036-uploads-in-parts.md)).
//!
//! Absences: nothing here knows rights, the audit trail or the network; the acts do ([`crate::acts`]).

mod content;
mod error;
mod facts;
mod file;
mod folder;
mod parts;
mod sealing;
#[cfg(test)]
mod tests;
mod uploads;

pub use content::UploadContent;
pub use error::UploadError;
pub use facts::{UploadFacts, UploadId, UploadReceipt, UploadRules, UploadStanding};
pub use parts::{Appended, Part};
pub use uploads::{Finishing, Uploads};

/// What the folder's name ends in; it stands beside the index.
pub const FOLDER_SUFFIX: &str = ".uploads";
