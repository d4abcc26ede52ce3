//! What stops a deposit run, and why a record cannot be read.

use std::error::Error;
use std::fmt;

use firmware::entropy::EntropyError;
use formats::error::FormatError;
use formats::id::VersionId;

use crate::cli::lang::Lang;
use crate::content::{ReadError, SealError};
use crate::keys::KeyError;
use crate::store::StoreError;

/// Why the archive takes nothing more. Nothing that was not acknowledged is visible; what was acknowledged stays.
#[derive(Debug)]
#[non_exhaustive]
pub enum DepositError {
    /// A data medium is full or failed, or the index is damaged.
    Store(StoreError),
    /// The key medium is full or failed.
    Keys(KeyError),
    /// Content could not be compressed or sealed: there is not enough memory.
    Seal(SealError),
    /// The random source failed.
    Entropy(EntropyError),
    /// The manifest that was just made does not read back. A fault in the program; nothing was written.
    Manifest(FormatError),
    /// The clock stands before 1970 or beyond the years that an identifier can hold. Set the clock.
    Clock,
}

impl DepositError {
    /// Whether a medium, of data or of keys, is full.
    #[must_use]
    pub fn is_medium_full(&self) -> bool {
        match self {
            Self::Store(error) => error.is_medium_full(),
            Self::Keys(error) => matches!(error, KeyError::Full { .. }),
            Self::Seal(_) | Self::Entropy(_) | Self::Manifest(_) | Self::Clock => false,
        }
    }

    /// What is wrong and what to do, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match (lang, self.is_medium_full()) {
            (Lang::En, _) => self.to_string(),
            (Lang::Ja, true) => format!(
                "媒体がいっぱいです。空きを作ってから同じコマンドをもう一度実行してください。受領を報告していないものは保存されていません ({self})"
            ),
            (Lang::Ja, false) => format!(
                "預入を止めました。原因を取り除いてから同じコマンドをもう一度実行してください。受領を報告していないものは保存されていません ({self})"
            ),
        }
    }
}

impl fmt::Display for DepositError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Keys(error) => error.fmt(f),
            Self::Seal(error) => error.fmt(f),
            Self::Entropy(error) => error.fmt(f),
            Self::Manifest(error) => write!(f, "the manifest does not read back: {error}"),
            Self::Clock => f.write_str("the clock is not set: set date and time, then try again"),
        }
    }
}

impl Error for DepositError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Keys(error) => Some(error),
            Self::Seal(error) => Some(error),
            Self::Entropy(error) => Some(error),
            Self::Manifest(error) => Some(error),
            Self::Clock => None,
        }
    }
}

impl From<StoreError> for DepositError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<KeyError> for DepositError {
    fn from(error: KeyError) -> Self {
        Self::Keys(error)
    }
}

impl From<EntropyError> for DepositError {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error)
    }
}

/// Why a record version cannot be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum RetrieveError {
    /// The archive holds no such version.
    NotFound {
        /// The version.
        version: VersionId,
    },
    /// The version has no object of this name or number.
    NoObject {
        /// The version.
        version: VersionId,
    },
    /// What stands at the version's address is not the version: the index is wrong. `archiver rebuild` makes it anew.
    WrongFrame {
        /// The version.
        version: VersionId,
    },
    /// The manifest is authentic but is not this version's. A fault of the program that wrote it.
    WrongManifest {
        /// The version.
        version: VersionId,
        /// What is wrong, where it is malformed.
        error: Option<FormatError>,
    },
    /// The index of the lines is missing or is not that of the content. A fault of the program that wrote it.
    LineIndex {
        /// The version.
        version: VersionId,
        /// What is wrong, where there is one.
        error: Option<FormatError>,
    },
    /// A scanner found malware in it, and two people have not released it.
    Quarantined {
        /// The version.
        version: VersionId,
        /// What the scanner found.
        threat: String,
    },
    /// The medium cannot be read.
    Store(StoreError),
    /// The key cannot be found.
    Keys(KeyError),
    /// The content is not what was deposited, or cannot be handed on.
    Content(ReadError<StoreError>),
    /// There is not enough memory for the decompressor.
    Memory(SealError),
}

impl RetrieveError {
    /// Whether the ledger holds no key for the version.
    #[must_use]
    pub const fn is_without_key(&self) -> bool {
        matches!(self, Self::Keys(KeyError::KeyMissing { .. }))
    }

    /// Whether another copy of the same frame may be right.
    pub(super) fn is_of_this_copy(&self) -> bool {
        matches!(self, Self::WrongFrame { .. } | Self::WrongManifest { .. })
            || matches!(self, Self::Content(ReadError::Chunk { .. }))
    }

    /// Whether the archive holds something else than what was deposited, as against not being able to look.
    #[must_use]
    pub fn is_integrity_failure(&self) -> bool {
        match self {
            Self::WrongManifest { .. } | Self::WrongFrame { .. } | Self::LineIndex { .. } => true,
            Self::Store(error) => is_damage(error),
            Self::Keys(error) => error.is_damage(),
            Self::Content(error) => match error {
                ReadError::Fetch(error) => is_damage(error),
                ReadError::Chunk { .. }
                | ReadError::ChunkCount { .. }
                | ReadError::Size { .. }
                | ReadError::Digest(_) => true,
                ReadError::Range { .. } | ReadError::Output(_) | ReadError::Unpacking => false,
            },
            Self::NotFound { .. }
            | Self::NoObject { .. }
            | Self::Quarantined { .. }
            | Self::Memory(_) => false,
        }
    }

    /// What is wrong and what to do, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        if lang == Lang::En {
            return self.to_string();
        }
        match self {
            Self::NotFound { version } => {
                format!("{version}: この記録はありません。archiver search で探してください")
            }
            Self::NoObject { version } => format!(
                "{version}: その名前の内容はありません。archiver search --json で内容の名前を確かめてください"
            ),
            Self::Quarantined { version, threat } => format!(
                "{version}: マルウェア ({threat}) が見つかったため隔離しています。二人が解除するまで取り出せません"
            ),
            Self::Keys(error) => format!("鍵を使えません ({error})"),
            Self::Content(ReadError::Output(error)) => {
                format!("書き出せません ({error})。出力先の空きと権限を確かめてください")
            }
            _ if self.is_integrity_failure() => {
                format!("預けたときの内容と一致しません。別の複製から復元してください ({self})")
            }
            Self::Store(_)
            | Self::Content(_)
            | Self::Memory(_)
            | Self::WrongFrame { .. }
            | Self::LineIndex { .. }
            | Self::WrongManifest { .. } => format!("読み出せません ({self})"),
        }
    }
}

fn is_damage(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Damaged { .. }
            | StoreError::SegmentDamaged { .. }
            | StoreError::SegmentMissing { .. }
            | StoreError::NotWhole { .. }
            | StoreError::RecordsLost { .. }
            | StoreError::NotFound { .. }
    )
}

impl fmt::Display for RetrieveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { version } => {
                write!(
                    f,
                    "{version}: no such record; look for it with archiver search"
                )
            }
            Self::NoObject { version } => write!(
                f,
                "{version}: no content object of this name; archiver search --json shows the names"
            ),
            Self::WrongFrame { version } => write!(
                f,
                "{version}: the index points to another frame; run archiver rebuild"
            ),
            Self::WrongManifest {
                version,
                error: Some(error),
            } => write!(f, "{version}: the manifest is malformed: {error}"),
            Self::WrongManifest {
                version,
                error: None,
            } => write!(f, "{version}: the manifest is of another version"),
            Self::LineIndex {
                version,
                error: Some(error),
            } => write!(f, "{version}: the index of its lines is malformed: {error}"),
            Self::LineIndex {
                version,
                error: None,
            } => write!(f, "{version}: the index of its lines is missing"),
            Self::Quarantined { version, threat } => write!(
                f,
                "{version}: in quarantine, a scanner found {threat}; it is handed out when two people have released it"
            ),
            Self::Store(error) => error.fmt(f),
            Self::Keys(error) => error.fmt(f),
            Self::Content(error) => error.fmt(f),
            Self::Memory(error) => error.fmt(f),
        }
    }
}

impl Error for RetrieveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Keys(error) => Some(error),
            Self::Content(error) => Some(error),
            Self::Memory(error) => Some(error),
            Self::WrongManifest {
                error: Some(error), ..
            }
            | Self::LineIndex {
                error: Some(error), ..
            } => Some(error),
            Self::NotFound { .. }
            | Self::NoObject { .. }
            | Self::Quarantined { .. }
            | Self::WrongFrame { .. }
            | Self::WrongManifest { error: None, .. }
            | Self::LineIndex { error: None, .. } => None,
        }
    }
}

impl From<StoreError> for RetrieveError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<KeyError> for RetrieveError {
    fn from(error: KeyError) -> Self {
        Self::Keys(error)
    }
}

impl From<ReadError<StoreError>> for RetrieveError {
    fn from(error: ReadError<StoreError>) -> Self {
        Self::Content(error)
    }
}
