//! Why a share, or the shares together, do not unlock.

use std::fmt;

use super::share::{SHARE_WORDS, ShareKind, ShareOrigin};

/// What is wrong with a share or a ceremony. Holds nothing of a share's secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShareError {
    /// Not as many words as a share has.
    Words {
        /// How many there were.
        count: usize,
    },
    /// A word that is not in the list.
    Unknown {
        /// Its place, from 1.
        word: usize,
    },
    /// The words are of the list, but the check does not hold: a word is wrong, or two are exchanged.
    Mistyped,
    /// A share of a later format.
    Version,
    /// A share of another archive.
    OtherArchive {
        /// The number of the share.
        number: u8,
        /// What it is of.
        found: ShareOrigin,
        /// What it should be of.
        expected: ShareOrigin,
    },
    /// A share of a key for something else: of the backups' where the key medium's is asked for, or the other way round.
    OtherKind {
        /// The number of the share.
        number: u8,
        /// What it is of.
        found: ShareOrigin,
        /// What shares are needed for.
        expected: ShareKind,
    },
    /// A share of an earlier, or another, ceremony of this archive: it is worthless.
    OtherCeremony {
        /// The number of the share.
        number: u8,
        /// What it is of.
        found: ShareOrigin,
        /// What it should be of.
        expected: ShareOrigin,
    },
    /// A share of this number was given already.
    Twice {
        /// The number of the share.
        number: u8,
        /// Whose it is.
        custodian: String,
    },
    /// Not the share that was made for this custodian: it was forged or altered.
    Wrong {
        /// The number of the share.
        number: u8,
        /// Whose it is.
        custodian: String,
    },
    /// There are not enough shares.
    Missing {
        /// How many more are needed.
        missing: usize,
    },
    /// The shares are right, but the file is sealed under another key: it was changed.
    DoNotOpen,
    /// The shares are right, but the backup is sealed to another key: it was changed.
    BackupDoesNotOpen,
    /// A ceremony for fewer than two, or more shares than there may be.
    Numbers,
    /// Not one name for each share, or a name twice, empty or too long.
    Names,
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words { count } => write!(
                f,
                "a share has {SHARE_WORDS} words, these are {count}: compare with the sheet"
            ),
            Self::Unknown { word } => write!(
                f,
                "word {word} is not in the word list: compare with the sheet"
            ),
            Self::Mistyped => f.write_str(
                "the check of this share does not hold: a word is wrong or two are exchanged, compare with the sheet",
            ),
            Self::Version => {
                f.write_str("this share is of a format that this program does not know")
            }
            Self::OtherArchive { number, found, expected } => write!(
                f,
                "share {number} ({found}) belongs to another archive: this one needs shares of {expected}"
            ),
            Self::OtherKind { number, found, expected: ShareKind::Keys } => write!(
                f,
                "share {number} ({found}) opens backups, not the key medium: a share of the key medium is needed"
            ),
            Self::OtherKind { number, found, expected: ShareKind::Backups } => write!(
                f,
                "share {number} ({found}) opens the key medium, not backups: a backup share is needed"
            ),
            Self::OtherCeremony { number, found, expected } => write!(
                f,
                "share {number} ({found}) is of another ceremony and opens nothing: shares of {expected} are needed"
            ),
            Self::Twice { number, custodian } => {
                write!(f, "share {number} ({custodian}) was given already")
            }
            Self::Wrong { number, custodian } => write!(
                f,
                "share {number} is not the one that was made for {custodian}: it was forged or altered"
            ),
            Self::Missing { missing: 1 } => f.write_str("1 more share is needed"),
            Self::Missing { missing } => write!(f, "{missing} more shares are needed"),
            Self::DoNotOpen => f.write_str(
                "the shares are right, but do not open kek.json: it was changed, restore it from the copy of the key medium",
            ),
            Self::BackupDoesNotOpen => f.write_str(
                "the shares are right, but do not open this backup: it was changed, take another generation or copy",
            ),
            Self::Numbers => f.write_str(
                "a ceremony makes from 2 to 16 shares, and from 2 to all of them unlock",
            ),
            Self::Names => f.write_str(
                "each share needs one custodian: as many different names as shares, of 1 to 64 letters",
            ),
        }
    }
}

impl std::error::Error for ShareError {}
