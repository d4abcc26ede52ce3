//! The seam to the keys.

use std::fmt;

/// Seals the values of the index under a key of the key medium.
pub trait ValueSealer: Send + Sync + fmt::Debug {
    /// Seals `value`; `context` is associated data that must be given again to open it. `None`: the random source failed.
    fn seal(&self, context: &[u8], value: &[u8]) -> Option<Vec<u8>>;

    /// Opens what [`ValueSealer::seal`] made. `None`: it is damaged, of another place, or of another key.
    fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>>;
}
