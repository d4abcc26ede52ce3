//! A command that cannot go on: one clear line and an exit code.

use crate::archive::ArchiveError;
use crate::class::ClassError;
use crate::config::ConfigError;
use crate::evidence::batch::StampError;
use crate::intake::MetadataError;
use crate::keys::KeyError;
use crate::keys::provider::custodians::ShareError;
use crate::keys::provider::token::TokenError;
use crate::record::error::{DepositError, RetrieveError};
use crate::signature::SignatureError;
use crate::store::StoreError;
use crate::tsa::refusal::TsaError;

use super::archive_texts::{archive_text, store_text};
use super::exit::Exit;
use super::key_texts;
use super::lang::Lang;

/// Why a command stopped.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The archive or a part of it.
    Archive(ArchiveError),
    /// Content could not be fetched.
    Retrieve(RetrieveError),
    /// Metadata on the command line.
    Metadata(MetadataError),
    /// No batch was made.
    Stamp(StampError),
    /// Anything else that was already put into words.
    Said {
        /// The exit code.
        exit: Exit,
        /// One line in the language of the user.
        text: String,
    },
}

impl Failure {
    /// A failure in words: Japanese, English.
    #[must_use]
    pub fn said(exit: Exit, lang: Lang, ja: String, en: String) -> Self {
        Self::Said {
            exit,
            text: lang.pick(ja, en),
        }
    }

    /// The exit code that tells it to scripts.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Archive(error) => archive_exit(error),
            Self::Retrieve(error) => retrieve_exit(error),
            Self::Metadata(_) => Exit::Usage,
            Self::Stamp(error) => stamp_exit(error),
            Self::Said { exit, .. } => *exit,
        }
    }

    /// What is wrong and what to do, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Archive(error) if error.is_in_use() => {
                let text = archive_text(error, lang);
                lang.pick(
                    format!("{text}。サービス(archiver serve)が使用中なら、--server を付けてサービスに頼んでください(archiver login --help)"),
                    format!("{text}. Where the service (archiver serve) holds it, ask the service: the same command with --server (see 'archiver login --help')"),
                )
            }
            Self::Archive(error) => archive_text(error, lang),
            Self::Retrieve(RetrieveError::Keys(error)) => {
                lang.pick(key_texts::key(error), error.to_string())
            }
            Self::Retrieve(error) => error.text(lang),
            Self::Metadata(error) => error.text(lang),
            Self::Stamp(error) => {
                let why = match error {
                    StampError::Authority(error) => error.text(lang),
                    StampError::Store(error) => store_text(error, lang),
                    StampError::Tree(_) => lang.pick(
                        format!("ハッシュ木を作れません({error})"),
                        error.to_string(),
                    ),
                    StampError::Changed => lang.pick(
                        "時刻認証局に問い合わせている間に待ち行列が変わりました。もう一度実行してください"
                            .to_owned(),
                        error.to_string(),
                    ),
                    StampError::Entropy => {
                        lang.pick("乱数源が応答しません".to_owned(), error.to_string())
                    }
                };
                lang.pick(
                    format!("タイムスタンプを付与できません。記録は待ち行列に残っています: {why}"),
                    format!("no timestamp was made, the records stay queued: {why}"),
                )
            }
            Self::Said { text, .. } => text.clone(),
        }
    }
}

fn archive_exit(error: &ArchiveError) -> Exit {
    match error {
        ArchiveError::Config(ConfigError::Missing { .. } | ConfigError::Unreadable { .. }) => {
            Exit::Unusable
        }
        ArchiveError::Config(_) => Exit::Usage,
        ArchiveError::Keys(error) => key_exit(error),
        ArchiveError::Store(error) => store_exit(error),
        ArchiveError::Class(ClassError::Unknown { .. }) => Exit::Usage,
        ArchiveError::Deposit(error) if error.is_medium_full() => Exit::Medium,
        ArchiveError::Deposit(DepositError::Store(error)) => store_exit(error),
        ArchiveError::Deposit(DepositError::Keys(error)) => key_exit(error),
        ArchiveError::Signature(error) => signature_exit(error),
        ArchiveError::Class(_)
        | ArchiveError::Deposit(_)
        | ArchiveError::KeyMedium(_)
        | ArchiveError::Seal(_)
        | ArchiveError::Authority(_)
        | ArchiveError::Vault(_)
        | ArchiveError::Tsa { .. }
        | ArchiveError::TrustAnchor
        | ArchiveError::TrustFile { .. }
        | ArchiveError::Registry(_)
        | ArchiveError::Policy { .. }
        | ArchiveError::AlreadyConfigured { .. }
        | ArchiveError::Machine(_)
        | ArchiveError::Entropy(_) => Exit::Unusable,
    }
}

fn signature_exit(error: &SignatureError) -> Exit {
    match error {
        SignatureError::Keys(error) => key_exit(error),
        SignatureError::Store(error) => store_exit(error),
        SignatureError::Retrieve(error) => retrieve_exit(error),
        SignatureError::Authority(_) => Exit::Tsa,
        SignatureError::Sealed { .. } | SignatureError::Format(_) => Exit::Integrity,
        SignatureError::NoSignature { .. } => Exit::NotFound,
        SignatureError::Chain { .. } | SignatureError::AlreadyCreated { .. } => Exit::Usage,
        SignatureError::NoKey { .. }
        | SignatureError::Io { .. }
        | SignatureError::Damaged { .. }
        | SignatureError::Entropy => Exit::Unusable,
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "everything that is not named means that the archive cannot be used"
)]
fn key_exit(error: &KeyError) -> Exit {
    match error {
        KeyError::WrongPassphrase
        | KeyError::PassphraseMissing
        | KeyError::PassphraseTooLong
        | KeyError::PassphrasesDiffer
        | KeyError::NoCustodians
        | KeyError::HeldKeyStale
        | KeyError::Token(
            TokenError::WrongPin { .. }
            | TokenError::PinLocked { .. }
            | TokenError::PinNotUsable { .. }
            | TokenError::PinNeeded,
        ) => Exit::Passphrase,
        KeyError::Share(ShareError::Numbers | ShareError::Names) => Exit::Usage,
        KeyError::Share(_) => Exit::Passphrase,
        KeyError::Full { .. } => Exit::Medium,
        KeyError::KeyDestroyed { .. } | KeyError::MediumUnlisted { .. } => Exit::NotFound,
        KeyError::TwoPeople | KeyError::TooMany { .. } | KeyError::MediumStillThere { .. } => {
            Exit::Usage
        }
        damaged if damaged.is_damage() => Exit::Integrity,
        _ => Exit::Unusable,
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "everything that is not named means that the archive cannot be used"
)]
fn store_exit(error: &StoreError) -> Exit {
    match error {
        StoreError::MediumFull { .. } | StoreError::Io { .. } => Exit::Medium,
        StoreError::Stopped { cause } => store_exit(cause),
        StoreError::Damaged { .. }
        | StoreError::SegmentDamaged { .. }
        | StoreError::SegmentMissing { .. }
        | StoreError::NotWhole { .. }
        | StoreError::RecordsLost { .. } => Exit::Integrity,
        _ => Exit::Unusable,
    }
}

fn retrieve_exit(error: &RetrieveError) -> Exit {
    if error.is_integrity_failure() {
        return Exit::Integrity;
    }
    match error {
        RetrieveError::NotFound { .. } | RetrieveError::NoObject { .. } => Exit::NotFound,
        RetrieveError::Store(error) => store_exit(error),
        RetrieveError::Keys(error) => key_exit(error),
        RetrieveError::Content(_) => Exit::Medium,
        RetrieveError::Memory(_)
        | RetrieveError::Quarantined { .. }
        | RetrieveError::WrongFrame { .. }
        | RetrieveError::LineIndex { .. }
        | RetrieveError::WrongManifest { .. } => Exit::Unusable,
    }
}

fn stamp_exit(error: &StampError) -> Exit {
    match error {
        StampError::Authority(_) => Exit::Tsa,
        StampError::Store(error) => store_exit(error),
        StampError::Tree(_) | StampError::Changed | StampError::Entropy => Exit::Unusable,
    }
}

macro_rules! from {
    ($($source:ty => $variant:ident),* $(,)?) => {
        $(impl From<$source> for Failure {
            fn from(error: $source) -> Self {
                Self::$variant(error.into())
            }
        })*
    };
}

from! {
    ArchiveError => Archive,
    ConfigError => Archive,
    KeyError => Archive,
    StoreError => Archive,
    ClassError => Archive,
    DepositError => Archive,
    firmware::media::MediaError => Archive,
    RetrieveError => Retrieve,
    MetadataError => Metadata,
    SignatureError => Archive,
    StampError => Stamp,
}

impl From<TsaError> for Failure {
    fn from(error: TsaError) -> Self {
        Self::Stamp(StampError::Authority(error))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::*;

    #[test]
    fn a_failure_of_a_medium_is_said_in_the_users_language() {
        let place = Path::new("/media/a");
        let io = StoreError::io("reading", place, place, io::Error::from_raw_os_error(5));
        let stopped = StoreError::Stopped {
            cause: Box::new(io.clone()),
        };
        for (error, ja) in [(io, "媒体を確かめて"), (stopped, "先の失敗")] {
            let failure = Failure::from(error);
            assert_eq!(failure.exit(), Exit::Medium);
            assert!(failure.text(Lang::Ja).contains(ja));
            assert!(failure.text(Lang::En).contains("check the medium"));
        }
    }
}
