//! Where a configuration stands: its paths are relative to its folder, and messages name its file.

use std::path::{Path, PathBuf};

use super::ConfigError;

/// The place of a configuration file.
#[derive(Debug, Clone)]
pub(super) struct Place {
    file: PathBuf,
    folder: PathBuf,
}

impl Place {
    /// The place of the configuration at `file`.
    pub(super) fn of(file: &Path) -> Self {
        Self {
            file: file.to_path_buf(),
            folder: file.parent().map_or_else(PathBuf::new, Path::to_path_buf),
        }
    }

    /// A path of the configuration, made absolute.
    pub(super) fn absolute(&self, path: PathBuf) -> PathBuf {
        if path.is_absolute() {
            path
        } else {
            self.folder.join(path)
        }
    }

    /// A path as it is written to the file: below the folder relative, as a TOML string.
    pub(super) fn shown(&self, path: &Path) -> String {
        // The folder may have been given relative to where the program runs.
        let folder = Path::new(".").join(&self.folder);
        let folder = std::path::absolute(folder).unwrap_or_else(|_| self.folder.clone());
        let below = if path.is_absolute() {
            path.strip_prefix(folder)
        } else {
            path.strip_prefix(&self.folder)
        };
        quoted(&below.unwrap_or(path).to_string_lossy())
    }

    /// The refusal of the text as a whole.
    pub(super) fn malformed(&self, reason: String) -> ConfigError {
        ConfigError::Malformed {
            path: self.file.clone(),
            reason,
        }
    }

    /// The refusal of one value.
    pub(super) fn invalid(&self, key: &'static str, accepted: &'static str) -> ConfigError {
        ConfigError::Invalid {
            path: self.file.clone(),
            key,
            accepted,
        }
    }
}

/// A text as a TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
