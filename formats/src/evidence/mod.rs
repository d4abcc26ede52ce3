//! Evidence Record Syntax (RFC 4998): the record, and the hash trees in it.
//!
//! The reading of the RFC that this module implements, where the RFC leaves room:
//! - a group's values are sorted, duplicates stay, and a single value passes through unhashed (§4.2, §4.3);
//! - the value carried up from one list joins the next list before that is sorted (§4.3);
//! - the module of Annex A has IMPLICIT tags.

mod archive_time_stamp;
mod record;

pub mod hash_tree;

pub use archive_time_stamp::{ArchiveTimeStamp, PartialHashTree};
pub use record::{ArchiveTimeStampChain, EncryptionInfo, EvidenceRecord};
