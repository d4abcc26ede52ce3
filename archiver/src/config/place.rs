//! Where a configuration stands: its paths are relative to its folder, and messages name its file.

use std::path::{Component, Path, PathBuf};

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
            folder: folder_of(file),
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

    /// A path as it is written to the file: below the folder relative. It does not depend on how the folder was named.
    pub(super) fn written(&self, path: &Path) -> PathBuf {
        let below = path.strip_prefix(&self.folder);
        let parts = below.unwrap_or(path).components();
        parts.filter(|part| *part != Component::CurDir).collect()
    }

    /// The same as a TOML string.
    pub(super) fn shown(&self, path: &Path) -> String {
        quoted(&self.written(path).to_string_lossy())
    }

    /// The refusal of the text as a whole.
    pub(super) fn malformed(&self, reason: String) -> ConfigError {
        ConfigError::Malformed {
            path: self.file.clone(),
            reason,
        }
    }

    /// The refusal of one value; what is accepted, in English and Japanese.
    pub(super) fn invalid(
        &self,
        key: &'static str,
        accepted: &'static str,
        accepted_ja: &'static str,
    ) -> ConfigError {
        ConfigError::Invalid {
            path: self.file.clone(),
            key,
            accepted,
            accepted_ja,
        }
    }
}

/// The folder, absolute: the file may have been named relative to where the program runs, and paths are compared.
fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    let folder = Path::new(".").join(folder);
    std::path::absolute(&folder).unwrap_or(folder)
}

/// A text as a TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_alike_however_the_folder_is_named() {
        let here = std::env::current_dir().unwrap();
        let names = ["", ".", "./", here.to_str().unwrap()];
        for (path, written) in [
            (Path::new("rules/roots.pem"), "rules/roots.pem"),
            (Path::new("./policy.json"), "policy.json"),
            (&here.join("policy.json"), "policy.json"),
            (Path::new("../keys"), "../keys"),
            (Path::new("/elsewhere/keys"), "/elsewhere/keys"),
        ] {
            for name in names {
                let place = Place::of(&Path::new(name).join("fumikura.toml"));
                let whole = place.absolute(path.to_owned());
                assert!(whole.is_absolute(), "{}", whole.display());
                let found = place.written(&whole);
                assert_eq!(found, Path::new(written), "{name}: {}", path.display());
            }
        }
    }
}
