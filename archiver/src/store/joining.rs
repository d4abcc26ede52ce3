//! A medium that is being prepared: what it is to become stands on the medium itself, so that an interrupted command goes on.

use std::path::{Path, PathBuf};

use formats::id::{ArchiveId, MediumId};
use formats::medium::{MediumLabel, SPECIFICATION_FILE};
use formats::segment::SPECIFICATION;
use serde::{Deserialize, Serialize};

use super::durable::{self, Disk};
use super::medium::{read_label, write_label};
use super::{SEGMENTS_DIRECTORY, StoreError};

/// Name of the file.
pub const JOINING_FILE: &str = "joining.json";

/// What a medium is being prepared for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joining {
    /// The schema id.
    schema: String,
    /// The archive.
    pub archive: ArchiveId,
    /// The medium whose place it takes, if any.
    pub replaces: Option<MediumId>,
}

impl Joining {
    /// A medium that is to join an archive, in the place of another or beside those there are.
    #[must_use]
    pub fn new(archive: ArchiveId, replaces: Option<MediumId>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            archive,
            replaces,
        }
    }
}

/// What the medium at `directory` is being prepared for; `None` when it is not.
#[must_use]
pub fn read(directory: &Path) -> Option<Joining> {
    let text = std::fs::read(directory.join(JOINING_FILE)).ok()?;
    let joining: Joining = serde_json::from_slice(&text).ok()?;
    (joining.schema == SCHEMA).then_some(joining)
}

/// Begins to prepare a medium in a folder that is empty or does not exist, or goes on with one that was begun for the same purpose.
/// Answers its label.
///
/// # Errors
/// [`StoreError::MediumNotEmpty`] for anything else; errors of reading and writing.
pub fn prepare(
    disk: &dyn Disk,
    directory: &Path,
    joining: &Joining,
    label: MediumLabel,
) -> Result<MediumLabel, StoreError> {
    let io = |operation, path: &Path| {
        let (directory, path) = (directory.to_owned(), path.to_owned());
        move |error| StoreError::io(operation, &directory, &path, error)
    };
    durable::create_directories(disk, directory).map_err(io("making the directory", directory))?;
    if read(directory).as_ref() != Some(joining) {
        require_empty(directory)?;
        let path = directory.join(JOINING_FILE);
        let text = serde_json_canonicalizer::to_vec(joining).map_err(|_| not_empty(directory))?;
        durable::replace_file(disk, &path, &text).map_err(io("writing", &path))?;
    }
    match read_label(directory) {
        Ok(label) => return Ok(label),
        Err(StoreError::MediumMissing { .. }) => {}
        Err(error) => return Err(error),
    }
    let specification = directory.join(SPECIFICATION_FILE);
    durable::replace_file(disk, &specification, SPECIFICATION.as_bytes())
        .map_err(io("writing", &specification))?;
    let segments = directory.join(SEGMENTS_DIRECTORY);
    durable::create_directories(disk, &segments).map_err(io("making the directory", &segments))?;
    write_label(disk, directory, &label)?;
    Ok(label)
}

/// The medium is a member of the archive now.
///
/// # Errors
/// The operating system's.
pub fn finish(disk: &dyn Disk, directory: &Path) -> Result<(), StoreError> {
    let path = directory.join(JOINING_FILE);
    let removed = match disk.remove(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        removed => removed,
    };
    removed
        .and_then(|()| disk.sync_directory(directory))
        .map_err(|error| StoreError::io("removing", directory, &path, error))
}

/// A new file system may hold `lost+found`; a command that was killed at its very beginning leaves the beginning of the note.
fn require_empty(directory: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("reading the directory", directory, directory, error);
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let name: PathBuf = entry.map_err(failed)?.file_name().into();
        let passed_over = ["lost+found", JOINING_BEGUN].map(PathBuf::from);
        if !passed_over.contains(&name) {
            return Err(not_empty(directory));
        }
    }
    Ok(())
}

fn not_empty(directory: &Path) -> StoreError {
    StoreError::MediumNotEmpty {
        directory: directory.to_owned(),
    }
}

const SCHEMA: &str = "urn:fumikura:joining:1";

/// What the durable writer leaves of [`JOINING_FILE`] when it is killed before the name is given.
const JOINING_BEGUN: &str = "joining.json.new";
