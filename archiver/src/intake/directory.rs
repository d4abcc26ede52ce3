//! The sorted names of one directory, packed: a directory of a million entries costs its names and eight bytes each.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The names of a directory's entries in byte order.
#[derive(Debug, Default)]
pub(super) struct DirectoryNames {
    bytes: Vec<u8>,
    places: Vec<(u32, u32)>,
    next: usize,
}

impl DirectoryNames {
    /// Lists a directory.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut names = Self::default();
        for entry in std::fs::read_dir(path)? {
            names.push(entry?.file_name().as_bytes())?;
        }
        let bytes = &names.bytes;
        names
            .places
            .sort_unstable_by(|left, right| slice(bytes, *left).cmp(slice(bytes, *right)));
        Ok(names)
    }

    /// The next name.
    pub(super) fn next(&mut self) -> Option<&OsStr> {
        let place = *self.places.get(self.next)?;
        self.next += 1;
        Some(OsStr::from_bytes(slice(&self.bytes, place)))
    }

    fn push(&mut self, name: &[u8]) -> io::Result<()> {
        let start = u32::try_from(self.bytes.len());
        let length = u32::try_from(name.len());
        let (Ok(start), Ok(length)) = (start, length) else {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        };
        self.places.push((start, length));
        self.bytes.extend_from_slice(name);
        Ok(())
    }
}

fn slice(bytes: &[u8], (start, length): (u32, u32)) -> &[u8] {
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    start
        .checked_add(length)
        .and_then(|end| bytes.get(start..end))
        .unwrap_or_default()
}
