//! What can go wrong with a backup.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use formats::id::ArchiveId;

use crate::archive::ArchiveError;
use crate::keys::KeyError;

/// Why a backup was not taken or not restored. Each says what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum BackupError {
    /// The archive.
    Archive(ArchiveError),
    /// A key or passphrase.
    Keys(KeyError),
    /// The folder stands on the device of a data medium. Choose another device.
    SameDevice {
        /// The folder.
        to: PathBuf,
        /// The data medium.
        medium: PathBuf,
    },
    /// A file that is not this archive's stands where the backup is to be written. It is not overwritten.
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is no backup.
    NotABackup {
        /// The file.
        path: PathBuf,
    },
    /// The backup was written by a later program.
    UnsupportedVersion {
        /// The file.
        path: PathBuf,
    },
    /// The file does not match its checksum, or ends too early. Take another generation.
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The file is whole, and the passphrase does not open it.
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// A passphrase was given, and custodians open the backup.
    NeedsShares {
        /// The file.
        path: PathBuf,
        /// Who they are.
        ceremony: String,
        /// The code on their sheets.
        code: String,
        /// Which of the archive's backup keys it is.
        epoch: u32,
    },
    /// Shares were given, and a passphrase opens the backup.
    NeedsPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// No ceremony for backups was held yet.
    NoCustodians,
    /// What the archive recorded as this backup is another file: this one was made by somebody else.
    NotRecorded {
        /// The file.
        path: PathBuf,
        /// The generation.
        generation: u32,
    },
    /// The backup is of another archive than the data medium.
    Foreign {
        /// The backup's archive.
        backup: ArchiveId,
        /// The archive of the data medium.
        medium: ArchiveId,
        /// The data medium.
        directory: PathBuf,
    },
    /// The folder to restore into holds something.
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// No backup of this generation is kept.
    Unknown {
        /// The generation.
        generation: u32,
    },
    /// The backup that somebody says was destroyed stands where it was written. Prune it.
    StillThere {
        /// The generation.
        generation: u32,
        /// The file.
        path: PathBuf,
    },
    /// A file or folder.
    Io {
        /// Which.
        path: PathBuf,
        /// The answer of the system.
        source: io::Error,
    },
}

impl BackupError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_path_buf(),
            source,
        }
    }
}

impl fmt::Display for BackupError {
    #[allow(clippy::too_many_lines, reason = "one arm per variant")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(error) => error.fmt(f),
            Self::Keys(error) => error.fmt(f),
            Self::SameDevice { to, medium } => write!(
                f,
                "{} stands on the device of data medium {}: a backup must not be lost with it, choose another device",
                to.display(),
                medium.display()
            ),
            Self::Exists { path } => write!(f, "{} exists and is not overwritten", path.display()),
            Self::NotABackup { path } => write!(f, "{} is no backup", path.display()),
            Self::UnsupportedVersion { path } => write!(
                f,
                "{} is a backup of a later format: use a newer program",
                path.display()
            ),
            Self::Damaged { path } => write!(
                f,
                "the backup {} is damaged or incomplete: take another generation or copy",
                path.display()
            ),
            Self::WrongPassphrase { path } => write!(
                f,
                "wrong passphrase: the backup {} is whole, but this passphrase does not open it",
                path.display()
            ),
            Self::NeedsShares {
                path,
                ceremony,
                code,
                epoch,
            } => write!(
                f,
                "the backup {} is sealed to custodians: {ceremony}, backup key {epoch}, ceremony {code}; give their backup shares",
                path.display()
            ),
            Self::NeedsPassphrase { path } => write!(
                f,
                "the backup {} is sealed under a passphrase: shares do not open it",
                path.display()
            ),
            Self::NoCustodians => f.write_str(
                "no ceremony for backups was held: run 'archiver keys ceremony --backups', or give a passphrase",
            ),
            Self::NotRecorded { path, generation } => write!(
                f,
                "{} is not what the archive recorded as backup {generation}: somebody else made it, trust nothing in it",
                path.display()
            ),
            Self::Foreign {
                backup,
                medium,
                directory,
            } => write!(
                f,
                "the backup is of archive {backup}, but {} belongs to archive {medium}",
                directory.display()
            ),
            Self::NotEmpty { path } => write!(
                f,
                "{} is not empty: restore into a new folder",
                path.display()
            ),
            Self::Unknown { generation } => write!(f, "no backup {generation} is kept"),
            Self::StillThere { generation, path } => write!(
                f,
                "backup {generation} still stands at {}: run 'archiver backup --prune', or destroy it first",
                path.display()
            ),
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl std::error::Error for BackupError {}

impl From<ArchiveError> for BackupError {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl From<KeyError> for BackupError {
    fn from(error: KeyError) -> Self {
        Self::Keys(error)
    }
}

impl From<crate::store::StoreError> for BackupError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Archive(error.into())
    }
}
