//! Where the keys of an archive stand: the key medium and its copies.

use std::path::{Path, PathBuf};

/// The key media of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlace {
    /// The key medium, then its copies.
    pub roots: Vec<PathBuf>,
    /// On how many of them a key must be durable before a deposit is acknowledged.
    pub copies_min: usize,
}

impl KeyPlace {
    /// A key medium with copies; all of them must be there to write, unless fewer are asked for.
    #[must_use]
    pub fn new(root: &Path, copies: &[PathBuf], copies_min: Option<usize>) -> Self {
        let mut roots = vec![root.to_path_buf()];
        roots.extend(copies.iter().cloned());
        let all = roots.len();
        Self {
            roots,
            copies_min: copies_min.unwrap_or(all).clamp(1, all),
        }
    }

    /// Those that hold a ledger: an empty mount point does not.
    #[must_use]
    pub fn present(&self) -> Vec<&Path> {
        let holds = |root: &&Path| root.join("ledger").is_dir();
        self.roots
            .iter()
            .map(PathBuf::as_path)
            .filter(holds)
            .collect()
    }
}

impl From<&Path> for KeyPlace {
    fn from(root: &Path) -> Self {
        Self::new(root, &[], None)
    }
}

impl From<&PathBuf> for KeyPlace {
    fn from(root: &PathBuf) -> Self {
        root.as_path().into()
    }
}
