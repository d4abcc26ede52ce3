//! New files on the key medium, written durably.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::error::KeyError;

/// Writes a file that does not exist yet: all of it is on the medium, or nothing has the name.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let write = || -> io::Result<()> {
        let temporary = path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        #[allow(clippy::disallowed_methods, reason = "the file is synchronised above")]
        fs::rename(&temporary, path)?;
        sync(path.parent().unwrap_or(path))
    };
    if path.exists() {
        return Err(KeyError::AlreadyCreated { path: path.into() });
    }
    write().map_err(|e| KeyError::io(path, "write", e))
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(path: &Path) -> Result<(), KeyError> {
    sync(path).map_err(|e| KeyError::io(path, "synchronise", e))
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
