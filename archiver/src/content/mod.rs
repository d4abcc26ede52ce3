//! Content: streams of any size become sealed chunks, and sealed chunks become content again (DESIGN §5).
//!
//! A content object is cut into chunks of [`CHUNK_BYTES`]. Each is packed with zstd, or stored as it is when that saves less
//! than 2 %, and sealed with AES-256-GCM under the data key of its version. The construction is STREAM (Hoang, Reyhanitabar,
//! Rogaway, Vizár, 2015): the nonce counts the chunks and marks the last one, so chunks cannot be dropped, repeated,
//! swapped or cut off without notice. The clear fields of a chunk and the archive's id are associated data.
//!
//! A nonce never comes twice under a key: [`crate::keys::KeyLedger::wrap_new`] gives each version its own key, a
//! [`VersionSealer`] consumes it and takes each object number once, and chunk numbers only grow.
//!
//! Memory is bounded: a [`ContentWriter`] or [`ContentReader`] holds a few chunks, whatever the size of the content. Plaintext
//! buffers are zeroised when they are dropped; what zstd keeps in its contexts is not (the library offers no way), which is
//! why the process makes no core dump.

mod buffers;
mod digests;
pub mod error;
pub mod lines;
mod manifests;
mod packing;
mod reader;
mod sealing;
mod writer;

#[cfg(test)]
mod tests;

pub use error::{ChunkFault, ReadError, SealError, WriteError};
pub use lines::{BuiltLines, LineCheck, LineKey, NoLines};
pub use manifests::Manifests;
pub use reader::{ContentReader, ObjectShape};
pub use sealing::{SealedManifest, VersionOpener, VersionSealer};
pub use writer::{ContentSummary, ContentWriter, LinesOf};

/// Bytes of plaintext in each chunk but the last of an object, which may have fewer. Part of the format.
pub const CHUNK_BYTES: usize = 1024 * 1024;

/// From this many chunks on, hashing runs on a thread of its own beside packing and sealing. Below, a thread costs more than
/// it saves.
const INLINE_CHUNKS: u64 = 4;

/// How many chunks content of this size has. Empty content has one, empty chunk.
#[must_use]
pub const fn chunk_count(size: u64) -> u64 {
    let count = size.div_ceil(CHUNK_BYTES as u64);
    if count == 0 { 1 } else { count }
}
