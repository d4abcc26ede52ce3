//! The seam to the engine that holds the index. A second engine only has to keep this contract.

use std::fmt;
use std::ops::ControlFlow;

/// A change of one key: the new value, or its removal.
pub(super) type Change = (Vec<u8>, Option<Vec<u8>>);

/// An ordered map of byte strings on disk.
pub(super) trait RecordIndex: Send + Sync + fmt::Debug {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;

    /// Makes all changes or, after a crash, none of them; and never a later call's without an earlier one's.
    fn apply(&self, changes: Vec<Change>) -> Result<(), IndexError>;

    /// Calls `each` for every key from `from` on that starts with `prefix`, in order, until it breaks. `from` starts with `prefix`.
    fn scan(&self, prefix: &[u8], from: &[u8], each: &mut Visit<'_>) -> Result<(), IndexError>;

    /// Waits until everything applied is durable.
    fn flush(&self) -> Result<(), IndexError>;
}

/// Is given a key and its value.
pub(super) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// Why the engine could not answer.
#[derive(Debug)]
pub(super) enum IndexError {
    /// The files are damaged, or the engine gave up on them.
    Damaged,
    /// The operating system refused.
    Io(std::io::Error),
}
