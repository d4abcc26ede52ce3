//! Whether lines hang together.

use sha2::{Digest, Sha256};

use super::AuditEntry;
use crate::error::FormatError;
use crate::id::ArchiveId;

/// A place in the trail: up to where it was read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainPlace {
    /// The number of the last entry; 0 before the first one.
    pub sequence: u64,
    /// SHA-256 of its line; of the archive's id before the first one.
    pub digest: [u8; 32],
}

/// Where lines do not hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// The number of the line among those that were read, from 1.
    pub line: u64,
    /// The number that the entry should have.
    pub expected: u64,
    /// The number that it has; `None` where it cannot be read.
    pub found: Option<u64>,
    /// What is wrong.
    pub kind: BreakKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakKind {
    /// It is no entry.
    Malformed(FormatError),
    /// Entries between this one and the one before are missing.
    Missing,
    /// It comes again, or stands at another place than it was written at.
    OutOfOrder,
    /// The line before is not the one that was there when this one was written: one of the two was changed.
    Changed,
}

/// Reads lines one after the other and tells where they do not hang together. After a break it goes on behind it.
#[derive(Debug, Clone)]
pub struct ChainChecker {
    line: u64,
    place: Option<ChainPlace>,
}

impl ChainPlace {
    /// Before the first entry of an archive.
    #[must_use]
    pub fn start(archive: ArchiveId) -> Self {
        let digest = Sha256::new()
            .chain_update(b"fumikura audit trail 1\0")
            .chain_update(archive.as_bytes())
            .finalize();
        Self {
            sequence: 0,
            digest: digest.into(),
        }
    }

    /// Behind an entry with this line, LF included.
    #[must_use]
    pub fn behind(sequence: u64, line: &[u8]) -> Self {
        Self {
            sequence,
            digest: Sha256::digest(line).into(),
        }
    }
}

impl ChainChecker {
    /// Begins behind `place`; `None`: the first line is believed, and those after it are compared with it.
    #[must_use]
    pub const fn new(place: Option<ChainPlace>) -> Self {
        Self { line: 0, place }
    }

    /// The next line, LF included.
    ///
    /// # Errors
    /// [`Break`]; the next line is compared with this one all the same.
    pub fn line(&mut self, line: &[u8]) -> Result<AuditEntry, Break> {
        self.line = self.line.saturating_add(1);
        let expected = self
            .place
            .map_or(1, |place| place.sequence.saturating_add(1));
        let entry = match AuditEntry::from_line(line) {
            Ok(entry) => entry,
            Err(error) => {
                // The line after it names its digest, whatever it is.
                self.place = Some(ChainPlace::behind(expected, line));
                return Err(Break {
                    line: self.line,
                    expected,
                    found: None,
                    kind: BreakKind::Malformed(error),
                });
            }
        };
        let kind = self.place.and_then(|place| fault(place, &entry));
        self.place = Some(ChainPlace::behind(entry.sequence, line));
        match kind {
            None => Ok(entry),
            Some(kind) => Err(Break {
                line: self.line,
                expected,
                found: Some(entry.sequence),
                kind,
            }),
        }
    }

    /// Where the lines end; `None` before the first one.
    #[must_use]
    pub const fn end(&self) -> Option<ChainPlace> {
        self.place
    }

    /// How many lines were read.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.line
    }
}

fn fault(place: ChainPlace, entry: &AuditEntry) -> Option<BreakKind> {
    let expected = place.sequence.saturating_add(1);
    if entry.sequence > expected {
        Some(BreakKind::Missing)
    } else if entry.sequence < expected {
        Some(BreakKind::OutOfOrder)
    } else if entry.previous != place.digest {
        Some(BreakKind::Changed)
    } else {
        None
    }
}
