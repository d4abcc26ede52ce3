//! The failures of an archive in words, in the language of the user.

use firmware::media::MediaError;

use crate::archive::ArchiveError;
use crate::config::ConfigError;
use crate::content::SealError;
use crate::signature::SignatureError;
use crate::store::StoreError;
use crate::tsa::error::EmbeddedError;
use crate::tsa::vault::VaultError;

use super::key_texts;
use super::lang::Lang;

/// What is wrong with an archive and what to do, in one line.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "the others have their words below"
)]
pub(crate) fn archive_text(error: &ArchiveError, lang: Lang) -> String {
    match error {
        ArchiveError::Class(error) => error.text(lang),
        ArchiveError::Deposit(error) => error.text(lang),
        ArchiveError::Keys(error) | ArchiveError::Signature(SignatureError::Keys(error)) => {
            lang.pick(key_texts::key(error), error.to_string())
        }
        ArchiveError::Signature(error) => error.text(lang),
        ArchiveError::KeyMedium(error) => lang.pick(error.text_ja(), error.to_string()),
        ArchiveError::Store(error) => store_text(error, lang),
        other => lang.pick(archive_text_ja(other), error.to_string()),
    }
}

/// The other failures of an archive in Japanese. What the operating system or a reader of a file said stays as it said it.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named here is named in `archive_text`"
)]
fn archive_text_ja(error: &ArchiveError) -> String {
    match error {
        ArchiveError::Config(error) => config_ja(error),
        ArchiveError::Seal(error) => seal_ja(error),
        ArchiveError::Authority(error) => authority_ja(*error).to_owned(),
        ArchiveError::Vault(error) => vault_ja(error),
        ArchiveError::Tsa { name, reason } => {
            format!("タイムスタンプ局 {name} を使えません({reason})。設定を直してください")
        }
        ArchiveError::TrustAnchor => {
            "トラストアンカーの証明書を読めません。設定の trust を確かめてください".to_owned()
        }
        ArchiveError::TrustFile { path, source } => {
            format!(
                "{} を使えません({source})。設定を直してください",
                path.display()
            )
        }
        ArchiveError::Registry(error) => format!(
            "認定タイムスタンプ局の一覧 {} を使えません({})。一覧を直してください",
            error.path.display(),
            error.reason
        ),
        ArchiveError::Policy { path, reason } => format!(
            "アルゴリズムの方針 {} を使えません({reason})。方針か設定を直してください",
            path.display()
        ),
        ArchiveError::AlreadyConfigured { path } => format!(
            "{} は既にあり、上書きしません。その保管庫を使うか、--config で別のファイルを指定してください",
            path.display()
        ),
        ArchiveError::Machine(MediaError::Inaccessible { path, source }) => format!(
            "{} を調べられません({source})。媒体をマウントするか、パスを直してください",
            path.display()
        ),
        ArchiveError::Machine(MediaError::BootUnknown(source)) => {
            format!("起動の識別子を読めません({source})。/proc をマウントしてください")
        }
        ArchiveError::Entropy(_) => ENTROPY_JA.to_owned(),
        other => other.to_string(),
    }
}

const ENTROPY_JA: &str =
    "オペレーティングシステムの乱数源が応答しません。カーネルのログを確かめてください";

fn config_ja(error: &ConfigError) -> String {
    match error {
        ConfigError::Missing { looked_at } => {
            let places: Vec<String> = looked_at.iter().map(|p| p.display().to_string()).collect();
            format!(
                "保管庫の設定が見つかりません(探した場所: {})。archiver init で保管庫を作るか、--config でファイルを指定してください",
                places.join("、")
            )
        }
        ConfigError::Unreadable { path, source } => {
            format!("{} を読めません({source})", path.display())
        }
        ConfigError::Malformed { path, reason } => format!(
            "{} は設定として読めません: {}",
            path.display(),
            reason.trim_end()
        ),
        ConfigError::Invalid {
            path,
            key,
            accepted_ja,
            ..
        } => format!(
            "{} の {key} の値は使えません。使えるもの: {accepted_ja}",
            path.display()
        ),
    }
}

fn seal_ja(error: &SealError) -> String {
    match error {
        SealError::ObjectBegunTwice { object } => {
            format!("内容 {object} が同じ鍵で二度封じられるところでした。何も書いていません")
        }
        SealError::ReservedObject => "この内容の番号はマニフェスト用です".to_owned(),
        SealError::ManifestTooLong => {
            "マニフェストが長すぎます。メタデータを減らしてください".to_owned()
        }
        SealError::TooLong => "内容がこの形式には長すぎます".to_owned(),
        SealError::Packing => {
            "圧縮できませんでした。メモリが足りているか確かめてください".to_owned()
        }
        SealError::HashingStopped => "ダイジェストの計算が途中で終わりました".to_owned(),
    }
}

const fn authority_ja(error: EmbeddedError) -> &'static str {
    match error {
        EmbeddedError::Entropy => {
            "乱数源から鍵の材料が得られません。カーネルのログを確かめてください"
        }
        EmbeddedError::Key => {
            "内蔵タイムスタンプ局の秘密鍵が壊れています。鍵媒体の写しから tsa フォルダを戻してください"
        }
        EmbeddedError::Certificate => {
            "内蔵タイムスタンプ局の証明書が壊れています。鍵媒体の写しから tsa フォルダを戻してください"
        }
        EmbeddedError::Encoding => "内蔵タイムスタンプ局が応答を作れませんでした",
    }
}

fn vault_ja(error: &VaultError) -> String {
    match error {
        VaultError::Missing { path } => format!(
            "{} に内蔵タイムスタンプ局がありません。鍵媒体の写しからフォルダを戻してください",
            path.display()
        ),
        VaultError::AlreadyCreated { path } => format!(
            "{} には既に内蔵タイムスタンプ局があり、上書きしません",
            path.display()
        ),
        VaultError::Io { path, source } => format!(
            "{} の読み書きに失敗しました({source})。鍵媒体を確かめてください",
            path.display()
        ),
        VaultError::Keys(error) => key_texts::key(error),
        VaultError::Authority(error) => authority_ja(*error).to_owned(),
    }
}

/// What is wrong with the store and what to do, in one line.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "the others have their words below"
)]
pub(super) fn store_text(error: &StoreError, lang: Lang) -> String {
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
        StoreError::Format { path, source } if path.as_os_str().is_empty() => {
            format!("書き込むフレームを作れません({source})")
        }
        StoreError::Format { path, source } => {
            format!("{} の内容が形式に合っていません({source})", path.display())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_refused_value_is_explained_in_both_languages() {
        let error = ArchiveError::Config(ConfigError::Invalid {
            path: PathBuf::from("fumikura.toml"),
            key: "scrub.part",
            accepted: "from 1 to 3650 parts",
            accepted_ja: "1 から 3650 分割まで",
        });
        let ja = archive_text(&error, Lang::Ja);
        assert!(ja.contains("scrub.part") && ja.contains("分割まで"), "{ja}");
        assert!(!ja.contains("from 1"), "{ja}");
        assert!(archive_text(&error, Lang::En).contains("from 1 to 3650 parts"));
    }

    #[test]
    fn no_failure_of_an_archive_is_left_in_english_for_a_japanese_reader() {
        let path = PathBuf::from("/archive/x");
        let source = || std::io::Error::from_raw_os_error(5);
        for error in [
            ArchiveError::Config(ConfigError::Missing {
                looked_at: vec![path.clone()],
            }),
            ArchiveError::Config(ConfigError::Unreadable {
                path: path.clone(),
                source: source(),
            }),
            ArchiveError::Config(ConfigError::Malformed {
                path: path.clone(),
                reason: String::new(),
            }),
            ArchiveError::Seal(SealError::ManifestTooLong),
            ArchiveError::Authority(EmbeddedError::Key),
            ArchiveError::Vault(VaultError::Missing { path: path.clone() }),
            ArchiveError::Tsa {
                name: "a".to_owned(),
                reason: String::new(),
            },
            ArchiveError::TrustFile {
                path: path.clone(),
                source: source(),
            },
            ArchiveError::Policy {
                path: path.clone(),
                reason: String::new(),
            },
            ArchiveError::AlreadyConfigured { path: path.clone() },
            ArchiveError::Machine(MediaError::Inaccessible {
                path,
                source: source(),
            }),
            ArchiveError::Machine(MediaError::BootUnknown(source())),
        ] {
            let ja = archive_text(&error, Lang::Ja);
            assert_ne!(ja, archive_text(&error, Lang::En));
            assert!(
                ja.chars().any(|letter| ('ぁ'..='ん').contains(&letter)),
                "{ja}"
            );
            assert!(!ja.contains('\n'), "{ja}");
        }
    }
}
