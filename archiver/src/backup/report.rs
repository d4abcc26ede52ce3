//! What a restore drill found: as an event, as JSON, and as a page for people (001 §4.9; Td4.2(3)(4)).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::lang::Lang;
use crate::cli::output::{grouped, moment};
use crate::event::{EventBody, Topic};

/// A time of the report as people read it.
pub(crate) fn shown(time: &str) -> String {
    OffsetDateTime::parse(time, &Rfc3339).map_or_else(|_| time.to_owned(), moment)
}

/// A restore drill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// The archive.
    pub archive: String,
    /// The backup's number.
    pub generation: u32,
    /// When the backup was taken, RFC 3339.
    pub backup_created_at: String,
    /// The backup file.
    pub file: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
    /// The data media that were read.
    pub data: Vec<PathBuf>,
    /// Files restored.
    pub files: u64,
    /// Bytes restored.
    pub bytes: u64,
    /// When the drill began, RFC 3339.
    pub started_at: String,
    /// Milliseconds until the archive was open with what was restored.
    pub restored_ms: u64,
    /// Milliseconds until the sample was verified.
    pub total_ms: u64,
    /// Versions in the archive.
    pub versions: u64,
    /// Versions that the backup has no key for though it was not destroyed: they were deposited after the backup, or it is incomplete.
    pub without_key: u64,
    /// Versions that the backup has a key for, apart from `destroyed_keys`.
    #[serde(default)]
    pub keys: u64,
    /// Of these, those that the data media hold no record of, apart from as many as interrupted deposits had left when the backup was taken:
    /// the media are older than the backup, or records are lost.
    #[serde(default)]
    pub without_record: u64,
    /// Further keys in the backup: of versions that were destroyed since, as the data media tell. The backup must be destroyed, too.
    #[serde(default)]
    pub destroyed_keys: u64,
    /// A newer backup that the archive knows of.
    pub newer_generation: Option<u32>,
    /// Versions verified: content, digests, evidence.
    pub sampled: u64,
    /// Of these, passed.
    pub passed: u64,
    /// Of these, whole and without a timestamp yet.
    pub unstamped: u64,
    /// Of these, indeterminate, failed or unreadable.
    pub not_passed: u64,
    /// Who did it.
    pub by: String,
    /// Whether what was restored is an archive for evaluation.
    #[serde(default)]
    pub evaluation: bool,
}

impl EventBody for Drill {
    const KIND: &'static str = "restore-drilled";
    const TOPIC: Topic = Topic::Configuration;
}

impl Drill {
    /// Whether everything that was asked of the backup was there, and something was.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        let is_complete = self.without_key == 0 && self.without_record == 0;
        self.not_passed == 0 && is_complete && (self.sampled > 0 || self.keys == 0)
    }

    /// The rows of the report: what, and what was found.
    #[must_use]
    pub fn rows(&self, lang: Lang) -> Vec<(&'static str, String)> {
        let data: Vec<String> = self
            .data
            .iter()
            .map(|one| one.display().to_string())
            .collect();
        let result = if self.is_good() {
            lang.pick("合格", "passed")
        } else {
            lang.pick("不合格", "not passed")
        };
        let newer = self.newer_generation.map_or_else(
            || lang.pick("これが最新です", "this is the newest").to_owned(),
            |newer| {
                lang.pick(
                    format!("より新しい世代 {newer} があります"),
                    format!("generation {newer} is newer"),
                )
            },
        );
        let mut rows = vec![
            (lang.pick("結果", "result"), result.to_owned()),
            (lang.pick("保管庫", "archive"), self.archive.clone()),
            (
                lang.pick("バックアップ", "backup"),
                format!("{} (SHA-256 {})", self.file.display(), self.sha256),
            ),
            (
                lang.pick("世代", "generation"),
                format!(
                    "{} — {} — {newer}",
                    self.generation,
                    shown(&self.backup_created_at)
                ),
            ),
            (lang.pick("データ媒体", "data media"), data.join(", ")),
            (
                lang.pick("復元したもの", "restored"),
                lang.pick(
                    format!(
                        "{} ファイル、{} バイト: 鍵媒体、設定、保管要件",
                        grouped(self.files),
                        grouped(self.bytes)
                    ),
                    format!(
                        "{} files, {} bytes: key medium, configuration, classes",
                        grouped(self.files),
                        grouped(self.bytes)
                    ),
                ),
            ),
        ];
        rows.extend(self.measured(lang));
        if self.evaluation {
            let mark = lang.pick(
                "評価用。記録の保管には使えません",
                "for evaluation, not for keeping records",
            );
            rows.insert(0, (lang.pick("評価用", "evaluation"), mark.to_owned()));
        }
        rows
    }

    /// When, how long, what was verified, by whom.
    fn measured(&self, lang: Lang) -> [(&'static str, String); 8] {
        let seconds = |ms: u64| format!("{}.{:03} s", ms / 1000, ms % 1000);
        [
            (lang.pick("開始", "started"), shown(&self.started_at)),
            (
                lang.pick("使えるまでの時間", "time until usable"),
                seconds(self.restored_ms),
            ),
            (
                lang.pick("検証までの時間", "time until verified"),
                seconds(self.total_ms),
            ),
            (
                lang.pick(
                    "検証した版(内容・ダイジェスト・証拠)",
                    "versions verified (content, digests, evidence)",
                ),
                lang.pick(
                    format!(
                        "{} / {} 版: 合格 {}、タイムスタンプ待ち {}、それ以外 {}",
                        self.sampled, self.versions, self.passed, self.unstamped, self.not_passed
                    ),
                    format!(
                        "{} of {}: {} passed, {} wait for a timestamp, {} other",
                        self.sampled, self.versions, self.passed, self.unstamped, self.not_passed
                    ),
                ),
            ),
            (
                lang.pick("鍵のない版", "versions without a key"),
                grouped(self.without_key),
            ),
            (
                lang.pick("記録のない鍵", "keys without a record"),
                grouped(self.without_record),
            ),
            (
                lang.pick(
                    "その後に廃棄した版の鍵(あればこのバックアップは要廃棄)",
                    "keys of versions destroyed since (if any, this backup must be destroyed)",
                ),
                grouped(self.destroyed_keys),
            ),
            (lang.pick("実施者", "by"), self.by.clone()),
        ]
    }

    /// The report as lines of text.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let rows = self.rows(lang).into_iter();
        rows.map(|(what, found)| format!("{what}: {found}\n"))
            .collect()
    }

    /// The report as a page.
    #[must_use]
    pub fn html(&self, lang: Lang) -> String {
        let title = lang.pick("復元訓練の報告", "Report of a restore drill");
        let code = lang.pick("ja", "en");
        let rows: String = self
            .rows(lang)
            .into_iter()
            .map(|(what, found)| {
                format!(
                    "<tr><th>{}</th><td>{}</td></tr>\n",
                    escaped(what),
                    escaped(&found)
                )
            })
            .collect();
        format!(
            "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
             <style>body{{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em}}th{{text-align:left;vertical-align:top;padding:.3em 1em .3em 0}}td{{overflow-wrap:anywhere}}</style>\n\
             </head>\n<body>\n<h1>{title}</h1>\n<table>\n{rows}</table>\n</body>\n</html>\n"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_that_verified_nothing_is_not_good() {
        let good = Drill {
            keys: 3,
            sampled: 2,
            passed: 2,
            ..Drill::default()
        };
        assert!(good.is_good() && Drill::default().is_good());
        type Spoil = fn(&mut Drill);
        let spoils: [Spoil; 4] = [
            |drill| (drill.sampled, drill.passed) = (0, 0),
            |drill| drill.not_passed = 1,
            |drill| drill.without_key = 1,
            |drill| drill.without_record = 1,
        ];
        for (number, spoil) in spoils.into_iter().enumerate() {
            let mut drill = good.clone();
            spoil(&mut drill);
            assert!(!drill.is_good(), "{number}");
            let text = drill.text(Lang::En);
            assert!(text.contains("result: not passed"), "{number}: {text}");
        }
    }
}
