//! Files that grow.

use std::fs::File;
use std::io::{self, IoSlice, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Disk, parent};

/// A file that only grows: appended, then synchronised; cut only to drop what was never acknowledged.
#[derive(Debug)]
pub struct AppendFile {
    disk: Arc<dyn Disk>,
    file: File,
    path: PathBuf,
    length: u64,
}

impl AppendFile {
    /// Makes a new file, with its name durable.
    ///
    /// # Errors
    /// The operating system's.
    pub fn create(disk: Arc<dyn Disk>, path: &Path) -> io::Result<Self> {
        let file = disk.create(path)?;
        disk.sync(&file)?;
        disk.sync_directory(parent(path))?;
        Ok(Self {
            disk,
            file,
            path: path.to_owned(),
            length: 0,
        })
    }

    /// Opens an existing file, at its end.
    ///
    /// # Errors
    /// The operating system's.
    pub fn open(disk: Arc<dyn Disk>, path: &Path) -> io::Result<Self> {
        let file = disk.open(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            disk,
            file,
            path: path.to_owned(),
            length,
        })
    }

    /// Where the next byte goes.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends the slices. They are durable after the next [`AppendFile::sync`].
    ///
    /// # Errors
    /// The operating system's. The length is then as before, and the file may hold some of the bytes behind it:
    /// call [`AppendFile::truncate`] or stop.
    pub fn append(&mut self, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let bytes: usize = slices.iter().map(|slice| slice.len()).sum();
        self.disk.write_at(&self.file, slices, self.length)?;
        self.length += bytes as u64;
        Ok(())
    }

    /// Waits until everything appended is on the medium.
    ///
    /// # Errors
    /// The operating system's. Append nothing more then.
    pub fn sync(&self) -> io::Result<()> {
        self.disk.sync(&self.file)
    }

    /// A second handle for [`Disk::sync`] in another thread.
    ///
    /// # Errors
    /// The operating system's.
    pub fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Cuts the file, durably.
    ///
    /// # Errors
    /// The operating system's.
    pub fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.disk.truncate(&self.file, length)?;
        self.length = length;
        self.disk.sync(&self.file)
    }

    /// Reads the whole file.
    ///
    /// # Errors
    /// The operating system's.
    pub fn read_all(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(&self.path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// The operating system's; `UnexpectedEof` when the file ends before.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}
