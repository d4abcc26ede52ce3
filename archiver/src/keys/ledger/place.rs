//! Where an entry of the ledger stands on a key medium.

use super::entry::{ENTRY_BYTES, HEADER_BYTES};

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: u32,
    pub(super) entry: u32,
}

impl Place {
    #[cfg(test)]
    pub(super) const fn new(file: u32, entry: u32) -> Self {
        Self { file, entry }
    }

    /// This place and those after it.
    pub(super) fn successors(self) -> impl Iterator<Item = Self> {
        (self.entry..).map(move |entry| Self { entry, ..self })
    }

    /// How many entries it stands behind another one, where they are near each other in one file.
    pub(super) fn steps_from(self, other: Self) -> Option<i8> {
        let steps = i64::from(self.entry) - i64::from(other.entry);
        i8::try_from(steps).ok().filter(|_| self.file == other.file)
    }

    /// The place so many entries behind this one.
    pub(super) fn after(self, steps: i8) -> Self {
        Self {
            entry: self.entry.wrapping_add_signed(i32::from(steps)),
            ..self
        }
    }

    pub(super) fn to_bytes(self) -> [u8; 8] {
        let bytes = (u64::from(self.file) << 32) | u64::from(self.entry);
        bytes.to_le_bytes()
    }

    pub(super) const fn from_bytes(bytes: [u8; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = bytes;
        Self {
            entry: u32::from_le_bytes([a, b, c, d]),
            file: u32::from_le_bytes([e, f, g, h]),
        }
    }

    /// Where the entry begins in its file.
    pub(super) fn offset(self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.entry) * ENTRY_BYTES as u64
    }
}
