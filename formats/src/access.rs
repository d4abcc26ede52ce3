//! Bytes that may be too many for memory: whoever has them implements [`RandomAccess`], and readers ask for what they need.

use std::borrow::Cow;
use std::fmt;

use crate::error::{ErrorKind, FormatError, Result};

/// Bytes at a known place and of a known number, read where they are asked for. This crate opens nothing itself.
///
/// The same bytes have to be given each time: what is read twice is compared with nothing.
pub trait RandomAccess {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// [`AccessError::BeyondEnd`] if there are not as many, [`AccessError::Unreadable`] if they cannot be had.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), AccessError>;
}

/// Why bytes could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccessError {
    /// The bytes end before. The file was cut off since its length was taken.
    BeyondEnd,
    /// The medium does not give them. Look at the disk, or read another copy.
    Unreadable,
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeyondEnd => "the bytes end too early",
            Self::Unreadable => "the bytes cannot be read",
        })
    }
}

impl std::error::Error for AccessError {}

/// Bytes in memory, or elsewhere.
#[derive(Clone, Copy)]
pub enum Bytes<'a> {
    /// In memory: parts of them are borrowed.
    Memory(&'a [u8]),
    /// Elsewhere: parts of them are copied into memory when they are asked for.
    Elsewhere(&'a dyn RandomAccess),
}

/// Bytes that are taken into memory at once where a content is passed on.
pub const BLOCK_BYTES: usize = 256 * 1024;

impl<'a> Bytes<'a> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::Elsewhere(source) => source.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `count` bytes from `offset` on. `structure` says in errors what is being read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Truncated`] if there are not as many, [`ErrorKind::Unreadable`] if they cannot be had.
    pub fn get(&self, offset: u64, count: usize, structure: &'static str) -> Result<Cow<'a, [u8]>> {
        let place = usize::try_from(offset).unwrap_or(usize::MAX);
        let fail = |kind| FormatError::new(kind, structure).at(place);
        let length = u64::try_from(count).unwrap_or(u64::MAX);
        if offset
            .checked_add(length)
            .is_none_or(|end| end > self.len())
        {
            return Err(fail(ErrorKind::Truncated));
        }
        match self {
            Self::Memory(bytes) => {
                let rest = bytes.get(place..).unwrap_or_default();
                let found = rest.get(..count).ok_or(fail(ErrorKind::Truncated))?;
                Ok(Cow::Borrowed(found))
            }
            Self::Elsewhere(source) => {
                let mut buffer = vec![0; count];
                source
                    .read_at(offset, &mut buffer)
                    .map_err(|error| match error {
                        AccessError::BeyondEnd => fail(ErrorKind::Truncated),
                        AccessError::Unreadable => fail(ErrorKind::Unreadable),
                    })?;
                Ok(Cow::Owned(buffer))
            }
        }
    }

    /// At most `count` bytes from `offset` on: as many as there are.
    ///
    /// # Errors
    ///
    /// As [`Bytes::get`].
    pub fn get_up_to(
        &self,
        offset: u64,
        count: usize,
        structure: &'static str,
    ) -> Result<Cow<'a, [u8]>> {
        let left = self.len().saturating_sub(offset);
        let count = usize::try_from(left).map_or(count, |left| left.min(count));
        self.get(offset, count, structure)
    }
}

impl<'a> From<&'a [u8]> for Bytes<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Memory(bytes)
    }
}

impl fmt::Debug for Bytes<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Bytes")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Shrunk;

    impl RandomAccess for Shrunk {
        fn len(&self) -> u64 {
            10
        }

        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), AccessError> {
            match offset {
                0 => {
                    buffer.fill(7);
                    Ok(())
                }
                5 => Err(AccessError::Unreadable),
                _ => Err(AccessError::BeyondEnd),
            }
        }
    }

    fn kind(bytes: Bytes<'_>, offset: u64, count: usize) -> ErrorKind {
        bytes.get(offset, count, "test").unwrap_err().kind()
    }

    #[test]
    fn parts_of_memory_are_borrowed() {
        let bytes = Bytes::from(b"hello".as_slice());
        assert!(matches!(
            bytes.get(1, 3, "test").unwrap(),
            Cow::Borrowed(b"ell")
        ));
        assert_eq!(&*bytes.get(5, 0, "test").unwrap(), b"");
        assert_eq!(&*bytes.get_up_to(3, 100, "test").unwrap(), b"lo");
        assert_eq!(&*bytes.get_up_to(9, 0, "test").unwrap_or_default(), b"");
        for (offset, count) in [(0, 6), (6, 0), (4, 2), (u64::MAX, 1), (1, usize::MAX)] {
            assert_eq!(kind(bytes, offset, count), ErrorKind::Truncated);
        }
    }

    #[test]
    fn faults_of_the_medium_are_told() {
        let bytes = Bytes::Elsewhere(&Shrunk);
        assert_eq!(&*bytes.get(0, 2, "test").unwrap(), [7, 7]);
        assert_eq!(kind(bytes, 5, 2), ErrorKind::Unreadable);
        assert_eq!(kind(bytes, 6, 2), ErrorKind::Truncated);
        assert_eq!(kind(bytes, 9, 2), ErrorKind::Truncated);
    }
}
