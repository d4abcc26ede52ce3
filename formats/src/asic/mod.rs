//! ASiC containers (ETSI EN 319 162-1): a ZIP file with documents and, under `META-INF/`, the evidence for them.
//!
//! The ZIP layer is our own. It reads strictly, because a container comes from the other side of a dispute, and it writes one
//! form only, so that a verifier can tell whether any bit of a container has changed ([`AsicReader::is_canonical`]).

mod content;
mod directory;
mod fields;
mod layout;
mod manifest;
mod manifest_reader;
mod name;
mod reader;
mod structure;
pub mod uri;
mod writer;

#[cfg(test)]
mod tests;

pub use self::content::AsicEntry;
pub use self::manifest::{AsicManifest, DataObjectReference, SignatureReference};
pub use self::reader::{AsicReader, ContainerNote};
pub use self::writer::{AsicWriter, WriteError};

/// Media type of a container with any number of documents (EN 319 162-1 §4.4.3.2).
pub const MIMETYPE_ASIC_E: &str = "application/vnd.etsi.asic-e+zip";

/// Media type of a container with one document (EN 319 162-1 §4.3.3.2).
pub const MIMETYPE_ASIC_S: &str = "application/vnd.etsi.asic-s+zip";

/// Folder of the evidence.
pub const META_INF: &str = "META-INF/";

/// Media types of ASiC containers.
const MIMETYPES: &[&str] = &[MIMETYPE_ASIC_E, MIMETYPE_ASIC_S];

/// Whether these are the last bytes of a ZIP file: at most [`TAIL_BYTES`] of them need to be given.
#[must_use]
pub fn ends_as_zip(tail: &[u8]) -> bool {
    directory::find_end(tail).is_some()
}

/// Bytes at the end of a file within which a ZIP file ends (APPNOTE.TXT §4.3.16).
pub const TAIL_BYTES: u64 = directory::TAIL_BYTES_MAX;

/// Longer is no media type.
const MIMETYPE_BYTES_MAX: u64 = 256;
