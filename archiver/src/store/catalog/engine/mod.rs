//! The seam to the engine that holds the index, and the engines that keep its contract.

mod fjall;
mod guard;
mod sled;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::str::FromStr;

pub use guard::panics_are_answers;

/// An engine that can hold the record index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexEngine {
    /// sled 0.34: one file of pages.
    Sled,
    /// fjall 3: a journal and sorted tables that are merged.
    Fjall,
}

/// Which engine is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineChoice {
    /// sled up to [`SLED_VERSIONS_MAX`] versions, fjall beyond. An index that is in fjall stays there.
    #[default]
    Auto,
    /// This one.
    Use(IndexEngine),
}

/// Up to so many record versions sled keeps what is promised (docs/performance.md, ADR 0026): beyond, its memory and its time to open
/// grow with the archive.
pub const SLED_VERSIONS_MAX: u64 = 15_000;

/// A change of one key: the new value, or its removal.
pub(super) type Change = (Vec<u8>, Option<Vec<u8>>);

/// An ordered map of byte strings on disk.
pub(super) trait RecordIndex: Send + Sync + fmt::Debug {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;

    /// Whether there is a value.
    fn contains(&self, key: &[u8]) -> Result<bool, IndexError>;

    /// Makes all changes or, after a crash, none of them; and never a later call's without an earlier one's.
    fn apply(&self, changes: Vec<Change>) -> Result<(), IndexError>;

    /// Calls `each` for every key from `from` on that starts with `prefix`, in order, until it breaks. `from` starts with `prefix`.
    fn scan(&self, prefix: &[u8], from: &[u8], each: &mut Visit<'_>) -> Result<(), IndexError>;

    /// Calls `each` for every key before `before` that starts with `prefix`, from the last one backwards, until it breaks. Nothing that stands before
    /// `before` comes behind the keys with that prefix.
    fn scan_back(
        &self,
        prefix: &[u8],
        before: &[u8],
        each: &mut Visit<'_>,
    ) -> Result<(), IndexError>;

    /// The last key that starts with `prefix`.
    fn last(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;

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

impl IndexEngine {
    /// All engines.
    pub const ALL: [Self; 2] = [Self::Sled, Self::Fjall];

    /// Its name in the configuration, on the command line and in the index's directory.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Fjall => "fjall",
        }
    }

    /// Opens the engine's files in `directory`, or makes them there.
    pub(super) fn open(
        self,
        directory: &Path,
        cache_bytes: u64,
    ) -> Result<Box<dyn RecordIndex>, IndexError> {
        Ok(match self {
            Self::Sled => Box::new(sled::SledIndex::open(directory, cache_bytes)?),
            Self::Fjall => Box::new(fjall::FjallIndex::open(directory, cache_bytes)?),
        })
    }
}

impl EngineChoice {
    /// Its name in the configuration and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Use(engine) => engine.name(),
        }
    }

    /// The engine of an index that is begun for so many versions.
    #[must_use]
    pub const fn for_versions(self, versions: u64) -> IndexEngine {
        match self {
            Self::Use(engine) => engine,
            Self::Auto if versions > SLED_VERSIONS_MAX => IndexEngine::Fjall,
            Self::Auto => IndexEngine::Sled,
        }
    }

    /// The engine that an index of so many versions, now in `current`, is moved to. `None`: it stays.
    #[must_use]
    pub fn instead_of(self, current: IndexEngine, versions: u64) -> Option<IndexEngine> {
        let wanted = self.for_versions(versions);
        let stays = wanted == current || (self == Self::Auto && current == IndexEngine::Fjall);
        (!stays).then_some(wanted)
    }
}

/// The text names no engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownEngine;

impl fmt::Display for UnknownEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sled, fjall or auto")
    }
}

impl std::error::Error for UnknownEngine {}

impl FromStr for IndexEngine {
    type Err = UnknownEngine;

    fn from_str(text: &str) -> Result<Self, UnknownEngine> {
        let named = Self::ALL.into_iter().find(|engine| engine.name() == text);
        named.ok_or(UnknownEngine)
    }
}

impl FromStr for EngineChoice {
    type Err = UnknownEngine;

    fn from_str(text: &str) -> Result<Self, UnknownEngine> {
        if text == Self::Auto.name() {
            return Ok(Self::Auto);
        }
        text.parse().map(Self::Use)
    }
}
