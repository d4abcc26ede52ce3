//! What can go wrong with a backup, in the user's language and with its exit code.

use crate::backup::BackupError;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;

/// A failure in the user's language.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "the others have their words in `said`"
)]
pub(super) fn failure(session: &Session, error: BackupError) -> Failure {
    if let BackupError::Archive(error) = error {
        error.into()
    } else if let BackupError::Keys(error) = error {
        error.into()
    } else {
        let (exit, ja) = said(&error);
        Failure::said(exit, session.output.lang, ja, error.to_string())
    }
}

/// The exit code of a failure, and its text in Japanese.
#[allow(clippy::too_many_lines, reason = "one arm per variant")]
fn said(error: &BackupError) -> (Exit, String) {
    match error {
        // These have their own.
        BackupError::Keys(_) | BackupError::Archive(_) => (Exit::Unusable, error.to_string()),
        BackupError::SameDevice { to, medium } => (
            Exit::Unusable,
            format!(
                "{} はデータ媒体 {} と同じ装置にあります。別の装置を指定してください",
                to.display(),
                medium.display()
            ),
        ),
        BackupError::Exists { path } => (
            Exit::Unusable,
            format!("{} は既にあります。上書きしません", path.display()),
        ),
        BackupError::NotABackup { path } => (
            Exit::Usage,
            format!("{} はバックアップではありません", path.display()),
        ),
        BackupError::UnsupportedVersion { path } => (
            Exit::Unusable,
            format!(
                "{} は新しい形式です。新しいプログラムを使ってください",
                path.display()
            ),
        ),
        BackupError::Damaged { path } => (
            Exit::Integrity,
            format!(
                "バックアップ {} は壊れているか途中までです。別の世代か写しを使ってください",
                path.display()
            ),
        ),
        BackupError::WrongPassphrase { path } => (
            Exit::Passphrase,
            format!(
                "パスフレーズが違います。{} は壊れていません",
                path.display()
            ),
        ),
        BackupError::NeedsShares {
            path,
            ceremony: _,
            code,
            epoch,
        } => (
            Exit::Passphrase,
            format!(
                "バックアップ {} は鍵管理者が開きます(バックアップの鍵 {epoch}、儀式 {code})。バックアップの分散片を与えてください",
                path.display()
            ),
        ),
        BackupError::NeedsPassphrase { path } => (
            Exit::Passphrase,
            format!(
                "バックアップ {} はパスフレーズで開きます。分散片では開きません",
                path.display()
            ),
        ),
        BackupError::NoCustodians => (
            Exit::Unusable,
            "バックアップのための儀式がまだ行われていません。archiver keys ceremony --backups を実行するか、パスフレーズを与えてください".to_owned(),
        ),
        BackupError::NotRecorded { path, generation } => (
            Exit::Integrity,
            format!(
                "{} は、保管庫がバックアップ {generation} として記録したものではありません。別の誰かが作ったものです。中身を信じないでください",
                path.display()
            ),
        ),
        BackupError::Foreign {
            backup,
            medium,
            directory,
        } => (
            Exit::Unusable,
            format!(
                "バックアップは保管庫 {backup} のものですが、{} は保管庫 {medium} のものです",
                directory.display()
            ),
        ),
        BackupError::NotEmpty { path } => (
            Exit::Usage,
            format!(
                "{} は空ではありません。新しいフォルダに復元してください",
                path.display()
            ),
        ),
        BackupError::Unknown { generation } => (
            Exit::NotFound,
            format!("バックアップ {generation} はありません"),
        ),
        BackupError::StillThere { generation, path } => (
            Exit::Usage,
            format!(
                "バックアップ {generation} は {} にまだあります。archiver backup --prune を実行するか、先に廃棄してください",
                path.display()
            ),
        ),
        BackupError::Io { path, source } => (Exit::Medium, format!("{}: {source}", path.display())),
    }
}
