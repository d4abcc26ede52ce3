//! What is wrong with media, in words.

use std::path::{Path, PathBuf};

use formats::id::MediumId;
use formats::roster::OutCause;

use super::lang::Lang;
use super::output::moment;
use crate::store::{MediumProblem, MediumProblemKind, cause_text, is_same_folder};

/// Of which media nothing is said by openings: the command itself puts them right.
#[derive(Debug, Default)]
pub enum AtWork {
    /// Of none.
    #[default]
    None,
    /// Of all: another opening follows, which says it.
    All,
    /// Of this one, or of the folder in which it should be.
    One(MediumId, PathBuf),
}

impl AtWork {
    /// Whether nothing is said of this.
    pub(super) fn covers(&self, problem: &MediumProblem) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::One(medium, place) => {
                problem.medium == Some(*medium) || is_same_folder(&problem.directory, place)
            }
        }
    }
}

/// Why a medium is not used, and what to do.
pub(super) fn problem(problem: &MediumProblem, lang: Lang) -> String {
    match (lang, &problem.kind) {
        (Lang::Ja, _) => problem_ja(problem),
        (Lang::En, MediumProblemKind::OutOfService(out)) if out.cause != OutCause::Diverged => {
            let directory = problem.directory.display();
            let (since, cause) = (moment(out.since), cause_text(out.cause));
            format!(
                "the medium at {directory} is out of service since {since} ({cause}) and behind the others: bring it back with 'archiver media return {directory}', or replace it"
            )
        }
        (Lang::En, _) => problem.to_string(),
    }
}

fn problem_ja(problem: &MediumProblem) -> String {
    let directory = problem.directory.display();
    match &problem.kind {
        MediumProblemKind::Missing => format!(
            "{directory} に媒体がありません。マウントするか、archiver media replace で交換してください"
        ),
        MediumProblemKind::Unreadable { cause } => format!(
            "{directory} の媒体のラベルを読めません({cause})。媒体を確かめるか、交換してください"
        ),
        MediumProblemKind::Foreign { archive } => {
            format!("{directory} は別の保管庫({archive})の媒体です。正しい媒体を接続してください")
        }
        MediumProblemKind::WrongRole => {
            format!("{directory} はデータ媒体ではありません。正しい媒体を接続してください")
        }
        MediumProblemKind::Twice => {
            format!("{directory} は既に指定された媒体です。複製にはそれぞれ別の媒体が要ります")
        }
        MediumProblemKind::NotMember => format!(
            "{directory} の媒体はこの保管庫のものではありません(交換・除籍済みか、未追加)。正しい媒体を接続するか、archiver media add で追加してください"
        ),
        MediumProblemKind::Joining => format!(
            "{directory} の媒体は準備の途中です。同じ archiver media コマンドをもう一度実行すると続きから進みます"
        ),
        MediumProblemKind::OutOfService(out) if out.cause == OutCause::Diverged => format!(
            "{directory} の媒体は使用停止で、他の媒体にない確定済みの内容があります。別の所で書き込まれたものです。何も変更していません。保全し、経緯を調べ、archiver media replace で別の媒体に交換してください"
        ),
        MediumProblemKind::OutOfService(out) => {
            let (since, cause) = (moment(out.since), cause_ja(out.cause));
            format!(
                "{directory} の媒体は {since} から使用停止です({cause})。archiver media return {directory} で最新に戻すか、交換してください"
            )
        }
        MediumProblemKind::Behind { last, newest } => format!(
            "{directory} の媒体は古い写しです(最後の区画 {last:010}、保管庫は {newest:010})。archiver media return {directory} で最新にしてください"
        ),
        MediumProblemKind::Diverged => format!(
            "{directory} の媒体には他の媒体にない確定済みの内容があります。別の所で書き込まれたものです。何も変更していません。保全し、経緯を調べ、archiver media replace で別の媒体に交換してください"
        ),
        MediumProblemKind::ReadOnly => format!(
            "{directory} の媒体は読み取り専用です。書き込めるようにマウントするか、交換してください"
        ),
        MediumProblemKind::Failed { cause } => format!(
            "{directory} の媒体に失敗しました({cause})。確かめて archiver media return {directory} を実行するか、交換してください"
        ),
    }
}

/// What is said of a medium that goes out of service. One that is not mounted has no folder: its id names it.
pub(in crate::cli) fn put_out(
    directory: Option<&Path>,
    medium: &str,
    cause: OutCause,
    lang: Lang,
) -> String {
    let Some(directory) = directory else {
        return lang.pick(
            format!("接続されていないデータ媒体 {medium} を使用停止にしました。以後の受領はこの媒体に書かれていません。接続して archiver media return {medium} を実行するか、replace で交換してください"),
            format!("the data medium {medium}, which is not mounted, was put out of service: what was acknowledged since is not on it. Mount it and run 'archiver media return {medium}', or replace it"),
        );
    };
    let place = directory.display();
    lang.pick(
        format!("媒体 {place} を使用停止にしました({})。以後の受領はこの媒体に書かれていません。archiver media return {place} または replace を実行してください", cause_ja(cause)),
        format!("the medium at {place} was put out of service ({}): what was acknowledged since is not on it. Run 'archiver media return {place}', or replace it", cause_text(cause)),
    )
}

/// Said whenever an archive is left with one data medium.
pub(in crate::cli) const fn one_data_medium(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "データ媒体が一つだけです。媒体が壊れると記録は失われます。二つ以上を勧めます",
        Lang::En => {
            "there is only one data medium: if it fails, the records are lost; two or more are recommended"
        }
    }
}

/// Why a medium was put out of service.
pub(in crate::cli) const fn cause_ja(cause: OutCause) -> &'static str {
    match cause {
        OutCause::Full => "満杯",
        OutCause::Failed => "書き込みの失敗",
        OutCause::ReadOnly => "読み取り専用",
        OutCause::Absent => "未接続",
        OutCause::Unreadable => "読み取り不能",
        OutCause::Behind => "古い写し",
        OutCause::Diverged => "別の所での書き込み",
        OutCause::Operator => "取り外し",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_medium_that_is_not_mounted_is_named_by_its_id() {
        for lang in [Lang::Ja, Lang::En] {
            let text = put_out(None, "01935e7a-1111", OutCause::Absent, lang);
            assert!(text.contains("return 01935e7a-1111"), "{text}");
            assert!(!text.contains("  "), "{text}");
            let text = put_out(Some(Path::new("/m/b")), "x", OutCause::ReadOnly, lang);
            assert!(text.contains("return /m/b"), "{text}");
        }
    }
}
