//! Why a configuration cannot be used.

use std::path::PathBuf;

/// Why a configuration cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no configuration at the place that was named, or at any of the usual places.
    Missing {
        /// The places that were looked at.
        looked_at: Vec<PathBuf>,
    },
    /// The file is there but cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is not a valid configuration.
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the TOML reader said, with line and column.
        reason: String,
    },
    /// A value is outside its range or contradicts another one.
    Invalid {
        /// The file.
        path: PathBuf,
        /// The key, dotted.
        key: &'static str,
        /// What is accepted, in English.
        accepted: &'static str,
        /// The same in Japanese.
        accepted_ja: &'static str,
    },
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing { looked_at } => {
                write!(f, "no archive configuration found (looked at")?;
                for (position, path) in looked_at.iter().enumerate() {
                    write!(
                        f,
                        "{} {}",
                        if position == 0 { "" } else { "," },
                        path.display()
                    )?;
                }
                write!(
                    f,
                    "): make an archive with 'archiver init', or name its file with --config"
                )
            }
            Self::Unreadable { path, source } => {
                write!(f, "{}: cannot be read: {source}", path.display())
            }
            Self::Malformed { path, reason } => {
                write!(f, "{}: {}", path.display(), reason.trim_end())
            }
            Self::Invalid {
                path,
                key,
                accepted,
                ..
            } => {
                write!(f, "{}: {key} is not usable: {accepted}", path.display())
            }
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::Missing { .. } | Self::Malformed { .. } | Self::Invalid { .. } => None,
        }
    }
}
