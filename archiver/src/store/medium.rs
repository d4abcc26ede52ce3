//! Making and recognising media.

use std::path::Path;

use formats::medium::{LABEL_FILE, MediumLabel, SPECIFICATION_FILE};
use formats::segment::SPECIFICATION;

use super::StoreError;
use super::durable::{self, Disk};

/// Makes a medium of a directory that is empty or does not exist: the label and the text of the format. Mount points of new
/// file systems may hold `lost+found`.
///
/// # Errors
/// [`StoreError::MediumNotEmpty`]; errors of writing.
pub fn create_medium(
    disk: &dyn Disk,
    directory: &Path,
    label: &MediumLabel,
) -> Result<(), StoreError> {
    let io = |operation, path: &Path| {
        let (directory, path) = (directory.to_owned(), path.to_owned());
        move |error| StoreError::io(operation, &directory, &path, error)
    };
    durable::create_directories(disk, directory).map_err(io("making the directory", directory))?;
    let entries = std::fs::read_dir(directory).map_err(io("reading the directory", directory))?;
    for entry in entries {
        let entry = entry.map_err(io("reading the directory", directory))?;
        if entry.file_name() != "lost+found" {
            return Err(StoreError::MediumNotEmpty {
                directory: directory.to_owned(),
            });
        }
    }
    let specification = directory.join(SPECIFICATION_FILE);
    durable::replace_file(disk, &specification, SPECIFICATION.as_bytes())
        .map_err(io("writing", &specification))?;
    write_label(disk, directory, label)
}

/// Writes the label of a medium, in place of the one it has.
///
/// # Errors
/// Errors of writing; [`StoreError::Format`] for a label that cannot be encoded.
pub fn write_label(
    disk: &dyn Disk,
    directory: &Path,
    label: &MediumLabel,
) -> Result<(), StoreError> {
    let path = directory.join(LABEL_FILE);
    let text = label.encode().map_err(|source| StoreError::Format {
        path: path.clone(),
        source,
    })?;
    durable::replace_file(disk, &path, &text)
        .map_err(|error| StoreError::io("writing", directory, &path, error))
}

/// Whether two paths name the same folder, however they are written.
#[must_use]
pub fn is_same_folder(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| {
        let absolute = || std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        std::fs::canonicalize(path).unwrap_or_else(|_| absolute())
    };
    one == other || whole(one) == whole(other)
}

/// Reads the label of the medium at `directory`.
///
/// # Errors
/// [`StoreError::MediumMissing`] when there is none, [`StoreError::Format`] when it is damaged.
pub fn read_label(directory: &Path) -> Result<MediumLabel, StoreError> {
    let path = directory.join(LABEL_FILE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::MediumMissing {
                directory: directory.to_owned(),
            });
        }
        Err(error) => return Err(StoreError::io("reading", directory, &path, error)),
    };
    MediumLabel::parse(&text).map_err(|source| StoreError::Format { path, source })
}
