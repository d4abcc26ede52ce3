//! Little-endian fields, read one after the other.

use crate::error::{ErrorKind, FormatError, Result};

/// A position in the file, and what is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    offset: u64,
    structure: &'static str,
}

impl<'a> Fields<'a> {
    /// Reads `bytes`, which stand at `offset` of the file.
    pub(super) const fn over(bytes: &'a [u8], offset: u64, structure: &'static str) -> Self {
        Self {
            rest: bytes,
            offset,
            structure,
        }
    }

    /// Where the next field stands in the file.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// An error at this position.
    pub(super) fn error(&self, kind: ErrorKind) -> FormatError {
        error(kind, self.structure, self.offset)
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((head, rest)) = self.rest.split_at_checked(count) else {
            return Err(self.error(ErrorKind::Truncated));
        };
        self.rest = rest;
        self.offset = self.offset.saturating_add(length_of(head));
        Ok(head)
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A signature that must stand here.
    pub(super) fn signature(&mut self, expected: u32) -> Result<()> {
        let place = *self;
        if self.u32()? == expected {
            Ok(())
        } else {
            Err(place.error(ErrorKind::WrongType))
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some((head, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.error(ErrorKind::Truncated));
        };
        self.rest = rest;
        self.offset = self.offset.saturating_add(length_of(head));
        Ok(*head)
    }
}

/// An error at an offset of the file.
pub(super) fn error(kind: ErrorKind, structure: &'static str, offset: u64) -> FormatError {
    FormatError::new(kind, structure).at(usize::try_from(offset).unwrap_or(usize::MAX))
}

/// The length of a slice as files count it.
pub(super) fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
