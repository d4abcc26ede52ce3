//! What a bulk verification found, in numbers, with the digests of what it was done with and of its table: one page, to be signed.

use std::fmt::Write as _;

use formats::digest::{DigestAlgorithm, DigestValue};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::row::Status;
use super::table::RowFacts;
use crate::context::Context;
use crate::finding::Language;
use crate::registry::StatutoryAnswer;
use crate::report::json::rfc3339;
use crate::report::text::civil_time;
use crate::verdict::Conclusion;

/// Name and version of the JSON form.
pub const SCHEMA: &str = "urn:fumikura:bulk-summary:1";

/// Items that did not pass that a summary names; the table has them all.
pub const NOT_PASSED_MAX: usize = 100;

/// The rows of a table, counted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Rows.
    pub items: u64,
    /// TOTAL-PASSED.
    pub passed: u64,
    /// INDETERMINATE.
    pub indeterminate: u64,
    /// TOTAL-FAILED.
    pub failed: u64,
    /// Could not be judged.
    pub not_judged: u64,
    /// Passed, and under a time-stamp that counts as statutory.
    pub statutory: u64,
    /// Passed, but under a time-stamp that does not.
    pub not_statutory: u64,
    /// Passed, and whether it counts cannot be told.
    pub statutory_unknown: u64,
    /// The earliest time of a first time-stamp.
    pub first_time: Option<OffsetDateTime>,
    /// The latest one.
    pub last_time: Option<OffsetDateTime>,
    /// The first items that did not pass, at most [`NOT_PASSED_MAX`].
    pub not_passed: Vec<(String, Status)>,
}

impl Tally {
    /// Counts a row.
    pub fn add(&mut self, row: &RowFacts) {
        let up = |counter: &mut u64| *counter = counter.saturating_add(1);
        up(&mut self.items);
        match row.status {
            Status::Judged(Conclusion::TotalPassed) => {
                up(&mut self.passed);
                match row.statutory {
                    StatutoryAnswer::Yes => up(&mut self.statutory),
                    StatutoryAnswer::No => up(&mut self.not_statutory),
                    StatutoryAnswer::Unknown => up(&mut self.statutory_unknown),
                }
            }
            Status::Judged(Conclusion::Indeterminate) => up(&mut self.indeterminate),
            Status::Judged(Conclusion::TotalFailed) => up(&mut self.failed),
            Status::CannotJudge => up(&mut self.not_judged),
        }
        if row.status != Status::Judged(Conclusion::TotalPassed)
            && self.not_passed.len() < NOT_PASSED_MAX
        {
            self.not_passed.push((row.item.clone(), row.status));
        }
        if let Some(time) = row.time {
            self.first_time = Some(self.first_time.map_or(time, |first| first.min(time)));
            self.last_time = Some(self.last_time.map_or(time, |last| last.max(time)));
        }
    }

    /// The worst status; a run over nothing could not be judged.
    #[must_use]
    pub const fn worst(&self) -> Status {
        if self.failed > 0 {
            Status::Judged(Conclusion::TotalFailed)
        } else if self.not_judged > 0 || self.items == 0 {
            Status::CannotJudge
        } else if self.indeterminate > 0 {
            Status::Judged(Conclusion::Indeterminate)
        } else {
            Status::Judged(Conclusion::TotalPassed)
        }
    }
}

/// What was verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// A directory with evidence.
    Directory {
        /// Its path, as it was given.
        path: String,
    },
    /// The records of an archive.
    Archive {
        /// The archive.
        archive: String,
        /// Received at this time or later.
        from: Option<OffsetDateTime>,
        /// Received before or at this time.
        to: Option<OffsetDateTime>,
        /// Only of this class.
        class: Option<String>,
    },
}

/// A file by its digests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TableDigest {
    /// Its name, without directories.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: DigestValue,
    /// SHA-512.
    pub sha512: DigestValue,
}

/// A summary.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Summary {
    /// Name and version of the program.
    pub tool: (String, String),
    /// What was verified.
    pub scope: Scope,
    /// The time as of which every item was judged.
    pub verified_at: OffsetDateTime,
    /// When the run, or the last part of it, began.
    pub started_at: OffsetDateTime,
    /// When it ended.
    pub finished_at: OffsetDateTime,
    /// Rows that an interrupted run before had written.
    pub resumed_rows: u64,
    /// The policy: its name, and the digest of its file if one was given.
    pub policy: (String, Option<DigestValue>),
    /// SHA-256 of each trust anchor.
    pub anchors: Vec<DigestValue>,
    /// The digest of the registry of accredited services, if one was given.
    pub registry: Option<DigestValue>,
    /// The rows, counted.
    pub tally: Tally,
    /// The table, if one was written.
    pub table: Option<TableDigest>,
}

/// SHA-256 of each trust anchor of a context, in ascending order.
#[must_use]
pub fn anchor_digests(context: &Context<'_>) -> Vec<DigestValue> {
    let anchors = context.anchors.iter();
    let mut digests: Vec<DigestValue> = anchors
        .map(|anchor| DigestAlgorithm::Sha256.digest(anchor.certificate()))
        .collect();
    digests.sort_by(|one, other| one.as_bytes().cmp(other.as_bytes()));
    digests.dedup();
    digests
}

impl Summary {
    /// As JSON text, indented, ending with a line feed: this is what is signed.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.to_value())
    }

    fn to_value(&self) -> Value {
        let time = |time: OffsetDateTime| rfc3339(time);
        let hex = |digest: &DigestValue| hex::encode(digest.as_bytes());
        let tally = &self.tally;
        let scope = match &self.scope {
            Scope::Directory { path } => json!({ "kind": "directory", "path": path }),
            Scope::Archive {
                archive,
                from,
                to,
                class,
            } => json!({
                "kind": "archive", "archive": archive, "from": from.and_then(time), "to": to.and_then(time),
                "class": class,
            }),
        };
        let not_passed = tally.not_passed.iter();
        let not_passed: Vec<Value> = not_passed
            .map(|(item, status)| json!({ "item": item, "conclusion": status.name() }))
            .collect();
        json!({
            "schema": SCHEMA,
            "tool": { "name": self.tool.0, "version": self.tool.1 },
            "scope": scope,
            "conclusion": tally.worst().name(),
            "verified_at": time(self.verified_at),
            "started_at": time(self.started_at),
            "finished_at": time(self.finished_at),
            "resumed_rows": self.resumed_rows,
            "items": tally.items,
            "conclusions": {
                "TOTAL-PASSED": tally.passed, "INDETERMINATE": tally.indeterminate,
                "TOTAL-FAILED": tally.failed, "NOT-JUDGED": tally.not_judged,
            },
            "statutory": { "yes": tally.statutory, "no": tally.not_statutory, "unknown": tally.statutory_unknown },
            "first_time": tally.first_time.and_then(time),
            "last_time": tally.last_time.and_then(time),
            "policy": { "name": self.policy.0, "sha256": self.policy.1.as_ref().map(hex) },
            "trust_anchors_sha256": self.anchors.iter().map(hex).collect::<Vec<_>>(),
            "tsa_registry_sha256": self.registry.as_ref().map(hex),
            "table": self.table.as_ref().map(|table| json!({
                "name": table.name, "bytes": table.bytes, "sha256": hex(&table.sha256), "sha512": hex(&table.sha512),
            })),
            "not_passed": not_passed,
        })
    }

    /// For people, as plain text.
    #[must_use]
    pub fn to_text(&self, language: Language) -> String {
        let mut text = String::new();
        for (name, value) in self.facts(language) {
            // Writing to a string cannot fail.
            let _infallible = writeln!(text, "{name}: {value}");
        }
        for (item, status) in &self.tally.not_passed {
            let _infallible = writeln!(text, "  {} {item}", status.label(language));
        }
        text
    }

    /// For people, as one page that stands alone.
    #[must_use]
    pub fn to_html(&self) -> String {
        super::page::page(self)
    }

    /// Every fact with its name, in the order in which a reader asks.
    pub(super) fn facts(&self, language: Language) -> Vec<(&'static str, String)> {
        let mut facts = self.counts(language).to_vec();
        facts.extend(self.times(language));
        facts.extend(self.grounds(language));
        facts
    }

    fn counts(&self, language: Language) -> [(&'static str, String); 10] {
        let name = |ja, en| pick(language, ja, en);
        let tally = &self.tally;
        let worst = tally.worst();
        let passed_under = |ja, en, count: u64| (name(ja, en), count.to_string());
        [
            (name("対象", "What was verified"), self.scope_text(language)),
            (
                name("全体の判定", "Verdict on the whole"),
                format!("{} ({})", worst.label(language), worst.name()),
            ),
            (name("件数", "Items"), tally.items.to_string()),
            (name("合格", "Passed"), tally.passed.to_string()),
            (name("不確定", "Undecided"), tally.indeterminate.to_string()),
            (name("不合格", "Failed"), tally.failed.to_string()),
            (
                name("検証できず", "Could not be judged"),
                tally.not_judged.to_string(),
            ),
            passed_under(
                "合格のうち法定のタイムスタンプ",
                "Passed under a statutory time-stamp",
                tally.statutory,
            ),
            passed_under(
                "合格のうち法定外",
                "Passed, not statutory",
                tally.not_statutory,
            ),
            passed_under(
                "合格のうち法定かどうか不明",
                "Passed, statutory or not unknown",
                tally.statutory_unknown,
            ),
        ]
    }

    fn times(&self, language: Language) -> [(&'static str, String); 4] {
        let name = |ja, en| pick(language, ja, en);
        let time = |time: Option<OffsetDateTime>| {
            time.map_or_else(|| name("なし", "none").to_owned(), civil_time)
        };
        [
            (
                name("最初のタイムスタンプ", "First time-stamp"),
                time(self.tally.first_time),
            ),
            (
                name("最後のタイムスタンプ", "Last time-stamp"),
                time(self.tally.last_time),
            ),
            (
                name("検証の基準時刻", "Judged as of"),
                civil_time(self.verified_at),
            ),
            (name("検証の終了", "Finished"), civil_time(self.finished_at)),
        ]
    }

    fn grounds(&self, language: Language) -> Vec<(&'static str, String)> {
        let name = |ja, en| pick(language, ja, en);
        let none = || name("なし", "none").to_owned();
        let hex = |digest: &DigestValue| hex::encode(digest.as_bytes());
        let anchors: Vec<String> = self.anchors.iter().map(hex).collect();
        let mut facts = vec![
            (
                name("検証ポリシー", "Policy"),
                match &self.policy {
                    (name, None) => name.clone(),
                    (name, Some(digest)) => format!("{name}, SHA-256 {}", hex(digest)),
                },
            ),
            (
                name("トラストアンカー (SHA-256)", "Trust anchors (SHA-256)"),
                if anchors.is_empty() {
                    none()
                } else {
                    anchors.join(" ")
                },
            ),
            (
                name(
                    "認定業務の登録簿 (SHA-256)",
                    "Registry of accredited services (SHA-256)",
                ),
                self.registry.as_ref().map_or_else(none, hex),
            ),
        ];
        if self.resumed_rows > 0 {
            facts.push((
                name(
                    "中断前の表から引き継いだ行（再検証していません）",
                    "Rows taken over from before an interruption, not judged again",
                ),
                self.resumed_rows.to_string(),
            ));
        }
        if let Some(table) = &self.table {
            facts.extend([
                (name("一覧表", "Table"), table.name.clone()),
                (
                    name("一覧表の SHA-256", "SHA-256 of the table"),
                    hex(&table.sha256),
                ),
                (
                    name("一覧表の SHA-512", "SHA-512 of the table"),
                    hex(&table.sha512),
                ),
            ]);
        }
        facts.push((
            name("プログラム", "Program"),
            format!("{} {}", self.tool.0, self.tool.1),
        ));
        facts
    }

    fn scope_text(&self, language: Language) -> String {
        let ja = language == Language::Japanese;
        match &self.scope {
            Scope::Directory { path } if ja => format!("フォルダ {path}"),
            Scope::Directory { path } => format!("directory {path}"),
            Scope::Archive {
                archive,
                from,
                to,
                class,
            } => {
                let time =
                    |time: &Option<OffsetDateTime>| time.map_or_else(String::new, civil_time);
                let period = match (from, to) {
                    (None, None) if ja => "全期間".to_owned(),
                    (None, None) => "all records".to_owned(),
                    _ => format!("{} – {}", time(from), time(to)),
                };
                let class = class.as_ref().map_or_else(String::new, |class| {
                    if ja {
                        format!("、保管要件 {class}")
                    } else {
                        format!(", class {class}")
                    }
                });
                if ja {
                    format!("保管庫 {archive}、受付 {period}{class}")
                } else {
                    format!("archive {archive}, received {period}{class}")
                }
            }
        }
    }
}

const fn pick(language: Language, ja: &'static str, en: &'static str) -> &'static str {
    match language {
        Language::Japanese => ja,
        Language::English => en,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn row(status: Status, statutory: StatutoryAnswer) -> RowFacts {
        RowFacts {
            item: "<b>.tsr".into(),
            status,
            is_intact: true,
            time: Some(datetime!(2026-01-01 00:00 UTC)),
            statutory,
        }
    }

    #[test]
    fn the_whole_is_as_bad_as_its_worst_item() {
        let passed = Status::Judged(Conclusion::TotalPassed);
        let mut tally = Tally::default();
        assert_eq!(tally.worst(), Status::CannotJudge);
        for (status, expected) in [
            (passed, passed),
            (
                Status::Judged(Conclusion::Indeterminate),
                Status::Judged(Conclusion::Indeterminate),
            ),
            (Status::CannotJudge, Status::CannotJudge),
            (passed, Status::CannotJudge),
            (
                Status::Judged(Conclusion::TotalFailed),
                Status::Judged(Conclusion::TotalFailed),
            ),
            (Status::CannotJudge, Status::Judged(Conclusion::TotalFailed)),
        ] {
            tally.add(&row(status, StatutoryAnswer::Yes));
            assert_eq!(tally.worst(), expected);
        }
        assert_eq!((tally.items, tally.passed, tally.statutory), (6, 2, 2));
        assert_eq!(tally.not_passed.len(), 4);
    }

    #[test]
    fn a_summary_names_what_it_was_made_with() {
        let mut tally = Tally::default();
        tally.add(&row(
            Status::Judged(Conclusion::TotalFailed),
            StatutoryAnswer::No,
        ));
        let digest = DigestAlgorithm::Sha256.digest(b"x");
        let summary = Summary {
            tool: ("verifier".into(), "1".into()),
            scope: Scope::Directory {
                path: "証拠".into(),
            },
            verified_at: datetime!(2027-01-01 00:00 UTC),
            started_at: datetime!(2027-01-01 00:00 UTC),
            finished_at: datetime!(2027-01-01 00:01 UTC),
            resumed_rows: 0,
            policy: ("built-in".into(), None),
            anchors: vec![digest],
            registry: Some(digest),
            tally,
            table: Some(TableDigest {
                name: "a.csv".into(),
                bytes: 3,
                sha256: digest,
                sha512: DigestAlgorithm::Sha512.digest(b"x"),
            }),
        };
        let value: Value = serde_json::from_str(&summary.to_json()).unwrap();
        assert_eq!(value["conclusion"], "TOTAL-FAILED");
        assert_eq!(value["conclusions"]["TOTAL-FAILED"], 1);
        assert_eq!(value["table"]["sha256"], hex::encode(digest.as_bytes()));
        for language in [Language::Japanese, Language::English] {
            let text = summary.to_text(language);
            assert!(
                text.contains("証拠") && text.contains("TOTAL-FAILED"),
                "{text}"
            );
        }
        let page = summary.to_html();
        assert!(page.contains("&lt;b&gt;.tsr") && !page.contains("<b>.tsr"));
        assert!(page.contains("不合格") && page.contains("failed"));
    }
}
