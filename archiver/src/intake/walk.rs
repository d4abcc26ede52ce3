//! Which sources a command's paths stand for, one after another, in a fixed order.
//!
//! Rules:
//! - A file stands for itself, a directory for everything below it, `-` for standard input.
//! - Names are relative to the parent of the given path: `docs/a/b.txt` for the path `/srv/docs`.
//! - A given path may be a symbolic link and is followed.
//! - A link below a directory to something that the walk reaches anyway is skipped; what it leads to goes in where it
//!   stands. A link to something outside is followed. A link that leads nowhere or to itself is a failure.
//! - No directory is entered twice, so the walk ends whatever the links do.
//! - Devices, FIFOs and sockets are failures. They are never opened.
//! - Entries come in byte order of their names. Memory: the names of the directories on the way down, and the
//!   device and inode numbers of the directories visited.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::directory::DirectoryNames;
use super::error::{IntakeError, SpecialFile};
use super::name::SourceName;

/// The sources of one deposit command.
#[derive(Debug)]
pub struct Walk {
    given: std::vec::IntoIter<PathBuf>,
    standard_input_name: Option<SourceName>,
    /// Canonical paths of the directories that the walk covers: those given, and those outside that links led to.
    trees: Vec<PathBuf>,
    visited: HashSet<(u64, u64)>,
    open: Vec<OpenDirectory>,
}

/// One step of a walk.
#[derive(Debug)]
pub enum WalkItem {
    /// A source to deposit.
    Found(FoundSource),
    /// A link or directory that adds nothing, because its content goes in elsewhere in the same walk.
    Skipped {
        /// What was skipped.
        name: SourceName,
        /// Why.
        reason: SkipReason,
    },
    /// Something that cannot be deposited.
    Failed(IntakeError),
}

/// A source to deposit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundSource {
    /// A regular file, as far as could be seen without opening it.
    File {
        /// Where it is.
        path: PathBuf,
        /// The name under which it is deposited.
        name: SourceName,
    },
    /// Standard input.
    StandardInput {
        /// The name under which it is deposited.
        name: SourceName,
    },
}

/// Why a walk passes something by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// A link to a file or directory inside a given directory: it goes in where it stands.
    LinkInside,
    /// A directory that the walk entered before, by another way.
    VisitedBefore,
}

#[derive(Debug)]
struct OpenDirectory {
    path: PathBuf,
    name: SourceName,
    entries: DirectoryNames,
}

impl FoundSource {
    /// The name under which it is deposited.
    #[must_use]
    pub fn name(&self) -> &SourceName {
        match self {
            Self::File { name, .. } | Self::StandardInput { name } => name,
        }
    }
}

impl Walk {
    /// A walk over the given paths. Standard input (`-`), where given, is deposited under `standard_input_name`.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>, standard_input_name: SourceName) -> Self {
        let trees = paths
            .iter()
            .filter_map(|path| fs::canonicalize(path).ok())
            .filter(|path| path.is_dir())
            .collect();
        Self {
            given: paths.into_iter(),
            standard_input_name: Some(standard_input_name),
            trees,
            visited: HashSet::new(),
            open: Vec::new(),
        }
    }

    fn start(&mut self, path: PathBuf) -> Option<WalkItem> {
        if path.as_os_str() == "-" {
            return Some(match self.standard_input_name.take() {
                Some(name) => WalkItem::Found(FoundSource::StandardInput { name }),
                None => WalkItem::Failed(IntakeError::StandardInputTwice),
            });
        }
        let name = match given_name(&path) {
            Ok(name) => name,
            Err(error) => return Some(WalkItem::Failed(error)),
        };
        let as_given = SourceName::from(path.as_os_str());
        match fs::metadata(&path) {
            Ok(metadata) if is_special(&metadata) => Some(special(as_given, &metadata)),
            Ok(metadata) => self.take(path, name, &metadata),
            Err(error) => {
                let is_link = fs::symlink_metadata(&path).is_ok_and(|itself| itself.is_symlink());
                Some(WalkItem::Failed(link_error(as_given, error, is_link)))
            }
        }
    }

    fn next_entry(&mut self) -> Option<WalkItem> {
        let directory = self.open.last_mut()?;
        let Some(entry) = directory.entries.next() else {
            self.open.pop();
            return None;
        };
        let path = directory.path.join(entry);
        let name = directory.name.join(entry);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => self.take_link(path, name),
            Ok(metadata) => self.take(path, name, &metadata),
            Err(error) => Some(WalkItem::Failed(IntakeError::from_io(name, error))),
        }
    }

    fn take_link(&mut self, path: PathBuf, name: SourceName) -> Option<WalkItem> {
        let resolved = fs::canonicalize(&path)
            .and_then(|target| fs::metadata(&target).map(|metadata| (target, metadata)));
        let (target, metadata) = match resolved {
            Ok(resolved) => resolved,
            Err(error) => return Some(WalkItem::Failed(link_error(name, error, true))),
        };
        if !is_special(&metadata) && self.trees.iter().any(|tree| target.starts_with(tree)) {
            let reason = SkipReason::LinkInside;
            return Some(WalkItem::Skipped { name, reason });
        }
        if metadata.is_dir() {
            self.trees.push(target);
        }
        self.take(path, name, &metadata)
    }

    /// Takes a file or enters a directory; `None` when there is nothing to report yet.
    fn take(&mut self, path: PathBuf, name: SourceName, metadata: &Metadata) -> Option<WalkItem> {
        if metadata.is_file() {
            return Some(WalkItem::Found(FoundSource::File { path, name }));
        }
        if !metadata.is_dir() {
            return Some(special(name, metadata));
        }
        if !self.visited.insert((metadata.dev(), metadata.ino())) {
            let reason = SkipReason::VisitedBefore;
            return Some(WalkItem::Skipped { name, reason });
        }
        match DirectoryNames::read(&path) {
            Ok(entries) => {
                self.open.push(OpenDirectory {
                    path,
                    name,
                    entries,
                });
                None
            }
            Err(error) => Some(WalkItem::Failed(IntakeError::from_io(name, error))),
        }
    }
}

impl Iterator for Walk {
    type Item = WalkItem;

    fn next(&mut self) -> Option<WalkItem> {
        loop {
            let item = if self.open.is_empty() {
                let path = self.given.next()?;
                self.start(path)
            } else {
                self.next_entry()
            };
            if item.is_some() {
                return item;
            }
        }
    }
}

/// The name under which a given path goes in: its last component. For `.`, `..` and the like, that of the directory
/// they stand for.
fn given_name(path: &Path) -> Result<SourceName, IntakeError> {
    if let Some(name) = path.file_name() {
        return Ok(SourceName::from(name));
    }
    let shown = SourceName::from(path.as_os_str());
    let canonical =
        fs::canonicalize(path).map_err(|error| IntakeError::from_io(shown.clone(), error))?;
    Ok(canonical
        .file_name()
        .map_or_else(|| SourceName::from_bytes(Vec::new()), SourceName::from))
}

fn is_special(metadata: &Metadata) -> bool {
    !metadata.is_file() && !metadata.is_dir()
}

fn special(name: SourceName, metadata: &Metadata) -> WalkItem {
    let kind = SpecialFile::from(metadata.file_type());
    WalkItem::Failed(IntakeError::Special { name, kind })
}

fn link_error(name: SourceName, error: std::io::Error, is_link: bool) -> IntakeError {
    if is_link && error.kind() == std::io::ErrorKind::NotFound {
        return IntakeError::DanglingLink { name };
    }
    IntakeError::from_io(name, error)
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
