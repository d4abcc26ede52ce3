//! The one durable writer: every byte that must survive a power cut goes through this module.
//!
//! The system calls are those of [`Disk`], and no others. What each promises:
//!
//! | call | after it returns |
//! |---|---|
//! | [`Disk::write_at`] | the bytes are in the page cache; a crash of the process keeps them, a power cut may not |
//! | [`Disk::sync`] | the file's bytes and its length are on the medium (`fdatasync`) |
//! | [`Disk::sync_directory`] | the names in the directory are on the medium (`fsync`) |
//! | [`Disk::rename`] | a reader sees the old or the new file, never a part of one |
//!
//! Absences: nothing here retries a failed `sync`. After one, the page cache may call pages clean that never reached the medium,
//! so the caller stops writing and reads again from the medium after the next start.

mod append_file;
mod erase;
#[cfg(test)]
pub(crate) mod faults;
mod lock;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::num::NonZeroU64;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use append_file::AppendFile;
pub use erase::{
    erase_end, erase_file, prepare, read_prepared, read_settled, replace_and_erase, settle,
    take_prepared,
};
pub use lock::DirectoryLock;

/// The writing system calls. [`SystemDisk`] makes them; tests put faults in between.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Makes a new file (mode 0600) and opens it for reading and writing. It must not exist.
    ///
    /// # Errors
    /// The operating system's.
    fn create(&self, path: &Path) -> io::Result<File>;

    /// Opens an existing file for reading and writing.
    ///
    /// # Errors
    /// The operating system's.
    fn open(&self, path: &Path) -> io::Result<File>;

    /// Writes all slices, one after the other, from `offset` on.
    ///
    /// # Errors
    /// The operating system's. Some of the bytes may have been written.
    fn write_at(&self, file: &File, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()>;

    /// Asks that bytes in the page cache begin to go to the medium, without waiting: a later [`Disk::sync`] then has less to wait for.
    /// It promises nothing, so it has no error.
    fn begin_write_back(&self, file: &File, offset: u64, length: u64) {
        // Linux starts to write back dirty pages of a range that is not needed any more, and drops clean ones.
        rustix::fs::fadvise(
            file,
            offset,
            NonZeroU64::new(length),
            rustix::fs::Advice::DontNeed,
        )
        .ok();
    }

    /// Waits until bytes and length of the file are on the medium.
    ///
    /// # Errors
    /// The operating system's. What is on the medium is then unknown.
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Cuts the file to `length`.
    ///
    /// # Errors
    /// The operating system's.
    fn truncate(&self, file: &File, length: u64) -> io::Result<()>;

    /// Takes the write permission of a file away from everybody (mode 0444).
    ///
    /// # Errors
    /// The operating system's.
    fn protect(&self, file: &File) -> io::Result<()>;

    /// Gives the owner the write permission again (mode 0600), to put a damaged copy right.
    ///
    /// # Errors
    /// The operating system's.
    fn unprotect(&self, path: &Path) -> io::Result<()> {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
    }

    /// Gives a file or directory a new name, in place of what had it.
    ///
    /// # Errors
    /// The operating system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The operating system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a directory. It must not exist.
    ///
    /// # Errors
    /// The operating system's.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Waits until the names in a directory are on the medium.
    ///
    /// # Errors
    /// The operating system's.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}

/// The system calls of the running machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDisk;

/// The disk that everything but tests uses.
#[must_use]
pub fn system_disk() -> Arc<dyn Disk> {
    Arc::new(SystemDisk)
}

/// Where something derived is kept between runs, and the disk that writes it.
#[derive(Debug, Clone)]
pub struct DerivedPlace {
    /// The file or folder.
    pub path: PathBuf,
    /// The writing system calls.
    pub disk: Arc<dyn Disk>,
}

/// Moves a whole, synchronised file to its final name, in place of what stands there.
///
/// # Errors
/// The operating system's.
pub fn move_into_place(disk: &dyn Disk, from: &Path, to: &Path) -> io::Result<()> {
    disk.rename(from, to)?;
    disk.sync_directory(parent(to))
}

/// Puts `contents` in place of whatever `path` holds: all of it or, after a crash, what was there before.
///
/// # Errors
/// The operating system's. The old contents then still stand, unless the last step (the directory's `fsync`) failed: then either may.
pub fn replace_file(disk: &dyn Disk, path: &Path, contents: &[u8]) -> io::Result<()> {
    replace(disk, path, contents, true)?;
    disk.sync_directory(parent(path))
}

/// As [`replace_file`], without waiting for the medium: for what can be made anew and carries its own checksum. After a power cut
/// anything may stand there.
///
/// # Errors
/// The operating system's.
pub fn replace_derived_file(disk: &dyn Disk, path: &Path, contents: &[u8]) -> io::Result<()> {
    replace(disk, path, contents, false)
}

fn replace(disk: &dyn Disk, path: &Path, contents: &[u8], sync: bool) -> io::Result<()> {
    let temporary = temporary_name(path);
    match disk.remove(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = (|| {
        let file = disk.create(&temporary)?;
        disk.write_at(&file, &mut [IoSlice::new(contents)], 0)?;
        if sync {
            disk.sync(&file)?;
        }
        disk.rename(&temporary, path)
    })();
    if written.is_err() {
        // The error to report is the first one; a temporary file that stays is removed by the next attempt.
        drop(disk.remove(&temporary));
    }
    written
}

/// Makes a directory and its missing parents, durably.
///
/// # Errors
/// The operating system's.
pub fn create_directories(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = parent(path);
    if !parent.is_dir() {
        create_directories(disk, parent)?;
    }
    match disk.create_directory(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        result => result?,
    }
    disk.sync_directory(parent)
}

/// Gives a file or directory the first free name of `NAME.damaged-1`, `NAME.damaged-2`, … and says which.
///
/// # Errors
/// The operating system's.
pub fn set_aside(disk: &dyn Disk, path: &Path) -> io::Result<PathBuf> {
    let mut number = 1_u32;
    let aside = loop {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".damaged-{number}"));
        let candidate = path.with_file_name(name);
        if !candidate.try_exists()? {
            break candidate;
        }
        number += 1;
    };
    disk.rename(path, &aside)?;
    disk.sync_directory(parent(path))?;
    Ok(aside)
}

impl Disk for SystemDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(path)
    }

    fn write_at(&self, file: &File, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut slices = slices;
        let mut offset = offset;
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            let (group, _) = slices.split_at(slices.len().min(SLICES_MAX));
            match rustix::io::pwritev(file, group, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    IoSlice::advance_slices(&mut slices, written);
                    offset += written as u64;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    fn protect(&self, file: &File) -> io::Result<()> {
        file.set_permissions(std::fs::Permissions::from_mode(0o444))
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one durable writer that the rule sends everybody to"
    )]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

fn temporary_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Most slices in one `pwritev` (`IOV_MAX` of Linux).
const SLICES_MAX: usize = 1024;
