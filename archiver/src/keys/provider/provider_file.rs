//! The provider's own file: one name, the same bytes on each key medium.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::KEK_FILE;
use crate::keys::beside::{finish, read_kek};
use crate::keys::error::KeyError;
use crate::store::durable::{Disk, replace_and_erase};

/// Where the provider's file stands: on each key medium, in step.
///
/// [`ProviderFile::replace`] overwrites what stood there before: a destroyed key-encryption key must not stay in a free block as
/// far as a file system lets anybody say so.
#[derive(Debug, Clone)]
pub struct ProviderFile {
    disk: Option<Arc<dyn Disk>>,
    paths: Vec<PathBuf>,
}

impl ProviderFile {
    /// The file on the key media at `roots`, to be read and replaced.
    pub fn new<P: AsRef<Path>>(disk: Arc<dyn Disk>, roots: impl IntoIterator<Item = P>) -> Self {
        Self {
            disk: Some(disk),
            ..Self::read_only(roots)
        }
    }

    /// The file on the key media at `roots`, only to be read.
    pub fn read_only<P: AsRef<Path>>(roots: impl IntoIterator<Item = P>) -> Self {
        let path = |root: P| root.as_ref().join(KEK_FILE);
        Self {
            disk: None,
            paths: roots.into_iter().map(path).collect(),
        }
    }

    /// The paths, one for each key medium.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Whether it can be replaced.
    #[must_use]
    pub const fn is_writable(&self) -> bool {
        self.disk.is_some()
    }

    /// What stands on each key medium.
    ///
    /// # Errors
    /// For each medium its own: [`KeyError::MediumMissing`], [`KeyError::Damaged`] where a ledger stands without the file,
    /// [`KeyError::Io`].
    pub fn read(&self) -> Vec<(&Path, Result<Vec<u8>, KeyError>)> {
        let read = |path: &'_ PathBuf| read_kek(path).map_err(|error| unreadable(path, error));
        self.paths
            .iter()
            .map(|path| (path.as_path(), read(path)))
            .collect()
    }

    /// Puts `contents` on each key medium, one after the other, and overwrites what stood there.
    ///
    /// # Errors
    /// [`KeyError::ReadOnly`]; [`KeyError::Io`], [`KeyError::Full`]: some of the media may have the new file then, and its higher
    /// sequence number makes it count at the next opening.
    pub fn replace(&self, contents: &[u8]) -> Result<(), KeyError> {
        let disk = self.disk.as_ref().ok_or(KeyError::ReadOnly)?;
        for path in &self.paths {
            finish(&**disk, path.parent().unwrap_or(path))?;
            replace_and_erase(&**disk, path, contents)
                .map_err(|error| KeyError::io(path, "write", error))?;
        }
        Ok(())
    }
}

fn unreadable(path: &Path, error: io::Error) -> KeyError {
    let medium = path.parent().unwrap_or(path);
    if error.kind() != ErrorKind::NotFound {
        return KeyError::io(path, "read", error);
    }
    if medium.join("ledger").exists() {
        return KeyError::Damaged {
            path: path.to_path_buf(),
            part: "the file is missing",
        };
    }
    KeyError::MediumMissing {
        path: medium.to_path_buf(),
    }
}
