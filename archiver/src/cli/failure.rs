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
            Self::Archive(error) => archive_text(error, lang),
            Self::Retrieve(RetrieveError::Keys(error)) => {
                lang.pick(key_texts::key(error), error.to_string())
            }
            Self::Retrieve(error) => error.text(lang),
            Self::Metadata(error) => error.text(lang),
            Self::Stamp(error) => {
                let why = match error {
                    StampError::Authority(error) => error.text(lang),
                    StampError::Store(_) | StampError::Tree(_) | StampError::Entropy => {
                        error.to_string()
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
        KeyError::KeyDestroyed { .. } => Exit::NotFound,
        KeyError::TwoPeople | KeyError::TooMany { .. } => Exit::Usage,
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
        | RetrieveError::WrongFrame { .. }
        | RetrieveError::LineIndex { .. }
        | RetrieveError::WrongManifest { .. } => Exit::Unusable,
    }
}

fn stamp_exit(error: &StampError) -> Exit {
    match error {
        StampError::Authority(_) => Exit::Tsa,
        StampError::Store(error) => store_exit(error),
        StampError::Tree(_) | StampError::Entropy => Exit::Unusable,
    }
}

fn archive_text(error: &ArchiveError, lang: Lang) -> String {
    match error {
        ArchiveError::Class(error) => error.text(lang),
        ArchiveError::Deposit(error) => error.text(lang),
        ArchiveError::Config(ConfigError::Missing { looked_at }) => {
            let places: Vec<String> = looked_at.iter().map(|p| p.display().to_string()).collect();
            lang.pick(
                format!(
                    "保管庫の設定が見つかりません(探した場所: {})。archiver init で保管庫を作るか、--config でファイルを指定してください",
                    places.join("、")
                ),
                error.to_string(),
            )
        }
        ArchiveError::Keys(error) | ArchiveError::Signature(SignatureError::Keys(error)) => {
            lang.pick(key_texts::key(error), error.to_string())
        }
        ArchiveError::Signature(error) => error.text(lang),
        ArchiveError::KeyMedium(error) => lang.pick(error.text_ja(), error.to_string()),
        ArchiveError::Store(error) => store_text(error, lang),
        ArchiveError::Config(_)
        | ArchiveError::Seal(_)
        | ArchiveError::Authority(_)
        | ArchiveError::Vault(_)
        | ArchiveError::Tsa { .. }
        | ArchiveError::TrustFile { .. }
        | ArchiveError::Registry(_)
        | ArchiveError::Policy { .. }
        | ArchiveError::AlreadyConfigured { .. }
        | ArchiveError::Machine(_)
        | ArchiveError::Entropy(_) => error.to_string(),
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "the others have their words below"
)]
fn store_text(error: &StoreError, lang: Lang) -> String {
    match error {
        StoreError::MediumUnusable { problem } => {
            super::media_words::problem(problem, lang)
        }
        StoreError::TooFewCopies { wanted } => lang.pick(
            format!("受領には {wanted} 個の媒体に書くことになっており(copies_min)、それを下回ります。先に媒体を追加してください"),
            error.to_string(),
        ),
        StoreError::OnlyCopy { directory, segment } => lang.pick(
            format!(
                "区画 {segment:010} は媒体 {} にしかありません。archiver scrub で他の媒体に写してからもう一度実行してください",
                directory.display()
            ),
            error.to_string(),
        ),
        StoreError::StraySegment { path } => lang.pick(
            format!("{} は区画の名前ですが区画ではありません。取り除いてください", path.display()),
            error.to_string(),
        ),
        StoreError::RosterUnreadable { path, cause } => lang.pick(
            format!(
                "{} を読めません({cause})。媒体を外した記録かもしれないので、何も書きません。使用中の他の媒体からこのファイルを写すか、その媒体を外してください",
                path.display()
            ),
            error.to_string(),
        ),
        StoreError::MediumFull { directory } => lang.pick(
            format!(
                "媒体 {} が満杯です。空きを作ってもう一度実行してください。受領を返していないものは保管庫に入っていません",
                directory.display()
            ),
            error.to_string(),
        ),
        StoreError::MediumMissing { directory } => lang.pick(
            format!("媒体が {} にありません。マウントするか、archiver media replace で交換してください", directory.display()),
            error.to_string(),
        ),
        StoreError::Locked { directory } => lang.pick(
            format!("媒体 {} は別のプロセスが使用中です。終わるまで待ってください", directory.display()),
            error.to_string(),
        ),
        StoreError::SegmentMissing { segment } => lang.pick(
            format!(
                "区画 {segment:010} がどの媒体にもありません(後の区画はあります)。それを持つ媒体を接続するか、別の写しから戻してください"
            ),
            error.to_string(),
        ),
        StoreError::RecordsLost { lost, segment } => lang.pick(
            format!(
                "消失: 索引にある記録またはタイムスタンプ {lost} 件が、どの媒体にもありません(残る最後の区画は {segment:010})。それを持つ媒体を接続してください。失われたまま続けるのは archiver rebuild だけです"
            ),
            error.to_string(),
        ),
        other => lang.pick(store_text_ja(other), other.to_string()),
    }
}

/// The other failures of the store in Japanese.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named here is named in `store_text`"
)]
fn store_text_ja(error: &StoreError) -> String {
    match error {
        StoreError::MediumNotEmpty { directory } => format!(
            "{} には何かが入っています。新しい媒体には空のフォルダを指定してください",
            directory.display()
        ),
        StoreError::WrongMedium { directory } => format!(
            "{} の媒体は別の保管庫か別の役割のものです。正しい媒体をマウントしてください",
            directory.display()
        ),
        StoreError::MediumTwice { directory } => format!(
            "{} の媒体は既に指定されています。複製ごとに別の媒体が要ります",
            directory.display()
        ),
        StoreError::CopyDiffers { directory, segment } => format!(
            "区画 {segment:010} を {} に書きましたが、読むと異なります。この媒体を使わないでください",
            directory.display()
        ),
        StoreError::Io { path, source, .. } => format!(
            "{} の読み書きに失敗しました({source})。媒体を確かめてください",
            path.display()
        ),
        StoreError::Stopped { cause } => {
            format!(
                "先の失敗のあと、何も書いていません: {}",
                store_text(cause, Lang::Ja)
            )
        }
        StoreError::ReadOnly => "保管庫は読み取り用に開かれています".to_owned(),
        StoreError::Closed => "保管庫は既に閉じられています".to_owned(),
        StoreError::NotFound { address } => {
            format!("どの媒体の {address} にも何もありません")
        }
        StoreError::Damaged { address, .. } => {
            format!("{address} はどの媒体でも壊れています。区画を別の写しから戻してください")
        }
        StoreError::SegmentDamaged { segment } => format!(
            "区画 {segment:010} の先頭はどの媒体でも壊れています。別の写しから戻してください"
        ),
        StoreError::NotWhole { path } => format!(
            "{} は完全でないか、書いたとおりではありません。置き換えはしていません。archiver scrub を実行してください",
            path.display()
        ),
        StoreError::IndexInUse { directory } => format!(
            "索引 {} は別のプロセスが使用中です。終わってからもう一度実行してください",
            directory.display()
        ),
        StoreError::IndexFilling { .. } => {
            "索引を作り直している途中です。終わってからもう一度実行してください".to_owned()
        }
        StoreError::IndexDamaged { directory } => format!(
            "索引 {} が壊れています。archiver rebuild を実行してください",
            directory.display()
        ),
        other => other.to_string(),
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
