//! Why a file was not deposited, in both languages, as it stands beside the file.

use std::fs::Metadata;

use formats::id::VersionId;

use crate::cli::lang::Lang;
use crate::intake::taking::TakeError;

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    ja: String,
    en: String,
}

impl Reason {
    /// In one language, on one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> &str {
        lang.pick(&self.ja, &self.en)
    }

    /// Why an entry is no document. `None`: it is a regular file.
    pub(super) fn of_kind(metadata: &Metadata) -> Option<Self> {
        let (ja, en) = if metadata.is_file() {
            return None;
        } else if metadata.is_symlink() {
            ("シンボリックリンク", "a symbolic link")
        } else if metadata.is_dir() {
            ("フォルダ", "a folder")
        } else {
            (
                "ファイルではないもの(名前付きパイプ、ソケット、デバイス)",
                "no file but a pipe, socket or device",
            )
        };
        Some(Self {
            ja: format!("{ja}は預かれません。ファイルそのものを置いてください"),
            en: format!("{en} is not taken; put the file itself there"),
        })
    }

    /// An infected file: it is in the archive, and withheld.
    pub(super) fn quarantined(version: VersionId, threat: &str) -> Self {
        Self {
            ja: format!(
                "マルウェア ({threat}) が見つかりました。記録 {version} として隔離して保管しています。このファイルを開かないでください"
            ),
            en: format!(
                "a scanner found {threat}; it is kept in quarantine as record {version}. Do not open this file"
            ),
        }
    }

    /// What stands in the file beside it.
    pub(super) fn file_text(&self) -> String {
        format!("{}\n{}\n", self.ja, self.en)
    }
}

impl From<&TakeError> for Reason {
    fn from(error: &TakeError) -> Self {
        Self {
            ja: error.text(Lang::Ja).to_owned(),
            en: error.text(Lang::En).to_owned(),
        }
    }
}
