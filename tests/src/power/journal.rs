//! What no synchronisation covered yet.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io;
use std::path::{Path, PathBuf};

use super::{Names, inode_of};

/// A change of a file.
#[derive(Debug, Clone)]
pub(super) enum FileChange {
    Write {
        offset: u64,
        bytes: Vec<u8>,
        /// What stood there.
        before: Vec<u8>,
        /// How long the file was.
        length: u64,
    },
    Length {
        length: u64,
        before: u64,
        /// What stood behind the new length.
        tail: Vec<u8>,
    },
    Mode {
        before: Permissions,
    },
}

/// A change of names. An inode is named by its link among the graves.
#[derive(Debug, Clone)]
pub(super) enum NameChange {
    Create {
        name: PathBuf,
        inode: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
        inode: PathBuf,
        victim: Option<PathBuf>,
    },
    Remove {
        name: PathBuf,
        inode: PathBuf,
    },
    CreateDirectory {
        name: PathBuf,
    },
    MoveDirectory {
        from: PathBuf,
        to: PathBuf,
    },
}

/// All of it.
#[derive(Debug)]
pub(super) struct Journal {
    graves: PathBuf,
    kept: u64,
    pub(super) files: BTreeMap<u64, (File, Vec<FileChange>)>,
    pub(super) names: Vec<NameChange>,
}

/// What lies beside the graves itself is on a medium without a name.
fn medium_of(root: &Path, path: &Path) -> PathBuf {
    let below = path.strip_prefix(root).unwrap_or(path);
    let mut folders = below.parent().into_iter().flat_map(Path::iter);
    folders.next().map(PathBuf::from).unwrap_or_default()
}

impl NameChange {
    /// A name that it changes.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Create { name, .. }
            | Self::Remove { name, .. }
            | Self::CreateDirectory { name } => name,
            Self::Rename { to, .. } | Self::MoveDirectory { to, .. } => to,
        }
    }

    fn touches(&self, directory: &Path) -> bool {
        let inside = |path: &PathBuf| path.parent() == Some(directory);
        match self {
            Self::Create { name, .. }
            | Self::Remove { name, .. }
            | Self::CreateDirectory { name } => inside(name),
            Self::Rename { from, to, .. } | Self::MoveDirectory { from, to } => {
                inside(from) || inside(to)
            }
        }
    }
}

impl Journal {
    pub(super) const fn new(graves: PathBuf) -> Self {
        Self {
            graves,
            kept: 0,
            files: BTreeMap::new(),
            names: Vec::new(),
        }
    }

    /// Keeps a file beyond its name.
    pub(super) fn keep(&mut self, path: &Path) -> io::Result<PathBuf> {
        std::fs::create_dir_all(&self.graves)?;
        self.kept += 1;
        let grave = self.graves.join(self.kept.to_string());
        std::fs::hard_link(path, &grave)?;
        Ok(grave)
    }

    pub(super) fn name(&mut self, change: NameChange) {
        self.names.push(change);
    }

    pub(super) fn change(&mut self, file: &File, change: FileChange) -> io::Result<()> {
        let inode = inode_of(file)?;
        match self.files.get_mut(&inode) {
            Some((handle, changes)) => {
                // Permissions may have been changed through a handle that cannot write.
                if !matches!(change, FileChange::Mode { .. }) {
                    *handle = file.try_clone()?;
                }
                changes.push(change);
            }
            None => {
                self.files.insert(inode, (file.try_clone()?, vec![change]));
            }
        }
        Ok(())
    }

    /// Bytes and length are on the medium; the permissions need not be.
    pub(super) fn sync(&mut self, file: &File) -> io::Result<()> {
        let inode = inode_of(file)?;
        if let Some((_, changes)) = self.files.get_mut(&inode) {
            changes.retain(|change| matches!(change, FileChange::Mode { .. }));
            if changes.is_empty() {
                self.files.remove(&inode);
            }
        }
        Ok(())
    }

    /// The names in the directory are on the medium, and where they are kept in order, everything before.
    pub(super) fn sync_names(&mut self, directory: &Path, names: Names) {
        match names {
            Names::Any => self.names.retain(|change| !change.touches(directory)),
            Names::Ordered => {
                // In the order of their own medium: each is a file system for itself.
                let last = self.names.iter().rposition(|one| one.touches(directory));
                let Some(last) = last else { return };
                let medium = self.medium(self.names[last].path());
                let mut number = 0;
                let root = self.root();
                self.names.retain(|one| {
                    number += 1;
                    number > last + 1 || medium_of(&root, one.path()) != medium
                });
            }
        }
        if self.names.is_empty() {
            self.clear_graves();
        }
    }

    fn root(&self) -> PathBuf {
        let root = self.graves.parent();
        root.map_or_else(PathBuf::new, Path::to_path_buf)
    }

    /// The medium that a path is on: the folder beside the graves.
    pub(super) fn medium(&self, path: &Path) -> PathBuf {
        medium_of(&self.root(), path)
    }

    pub(super) fn clear_graves(&self) {
        if self.graves.is_dir() {
            std::fs::remove_dir_all(&self.graves).expect("the graves are removed");
        }
    }
}
