//! What comes in: the files a command names, read so that a change while reading is noticed, with what the document
//! itself says about date, amount and parties.
//!
//! Nothing here writes. A file that cannot be taken is an [`IntakeError`] for that file alone.

pub mod error;
pub mod hot_folder;
pub mod malware;
pub mod media_type;
pub mod metadata;
pub mod name;
pub mod source;
pub mod syslog;
pub mod taking;
pub mod ubl;
pub mod walk;

mod amount;
mod date;
mod directory;
mod text_kind;
mod text_window;

pub use error::{IntakeError, SpecialFile};
pub use media_type::MediaType;
pub use metadata::{Metadata, MetadataError};
pub use name::SourceName;
pub use source::{Source, StableSource};
pub use taking::{TakeError, TakeUnder, Taken, TakesIn};
pub use walk::{FoundSource, SkipReason, Walk, WalkItem};
