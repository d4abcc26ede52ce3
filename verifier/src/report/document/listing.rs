//! The documents on the first page, each with its answer.

use super::brief::Brief;
use super::subject::{base_name, grouped_usize, name_of, shortened};
use super::{Block, Row, Table, Tone};
use crate::finding::{Language, printable};
use crate::report::calendar::civil_time_of_existence;
use crate::report::wording::Cause;
use crate::report::{ObjectKind, ObjectReport};
use crate::verdict::Conclusion;

/// Documents that the first page lists.
const DOCUMENTS_LISTED_MAX: usize = 8;

impl Brief<'_> {
    /// The documents, each with its answer.
    pub(super) fn documents(&self) -> Option<Block> {
        let objects: Vec<&ObjectReport> = self
            .report
            .objects
            .iter()
            .filter(|object| matches!(object.kind, ObjectKind::Document | ObjectKind::Lines))
            .collect();
        if objects.is_empty() {
            return None;
        }
        let mut rows: Vec<Row> = objects
            .iter()
            .take(DOCUMENTS_LISTED_MAX)
            .map(|object| self.row(object))
            .collect();
        let more = objects.len().saturating_sub(rows.len());
        if more > 0 {
            let more = grouped_usize(more);
            let text = match self.language {
                Language::Japanese => format!("ほか {more} 件（後のページに全件があります）"),
                Language::English => format!("and {more} more, all of them on later pages"),
            };
            rows.push(Row {
                tone: Tone::Plain,
                cells: vec![text, String::new(), String::new()],
            });
        }
        Some(Block::Table(Table {
            caption: self.say("文書ごとの結果", "Each document"),
            columns: vec![
                (self.say("文書", "Document"), 38),
                (self.say("結果", "Answer"), 30),
                (self.say("存在が証明された時刻", "Proven to exist at"), 32),
            ],
            rows,
        }))
    }

    fn row(&self, object: &ObjectReport) -> Row {
        let mut name = shortened(&name_of(object));
        if object.kind == ObjectKind::Lines {
            let (first, last) = (object.detail("first"), object.detail("last"));
            let (first, last) = (first.unwrap_or("?"), last.unwrap_or("?"));
            let (first, last) = (printable(first), printable(last));
            name = match self.language {
                Language::Japanese => format!("{name} の {first} 行目から {last} 行目"),
                Language::English => format!("{name}, lines {first} to {last}"),
            };
        }
        let time = object.time.filter(|_| self.is_proven(object));
        // A document without an answer of its own has that of the whole.
        let tone = match time {
            Some(_) => Tone::Good,
            None => Tone::of(object.judgement.and(self.report.judgement)),
        };
        Row {
            tone,
            cells: vec![
                name,
                self.status(object),
                time.map_or_else(
                    || "—".to_owned(),
                    |time| civil_time_of_existence(time).replace(" (", "\n("),
                ),
            ],
        }
    }

    fn status(&self, object: &ObjectReport) -> String {
        let base = base_name(object.place.as_str());
        let is_named = |wanted: Cause| {
            let mut causes = self.causes.iter();
            causes.any(|(cause, names)| *cause == wanted && names.contains(&base))
        };
        if self.is_proven(object) {
            return self.say("証明されています", "proven");
        }
        match object.judgement.and(self.report.judgement).conclusion() {
            Conclusion::TotalPassed => self.say("変更されていません", "not changed"),
            _ if is_named(Cause::DocumentDiffers) => self.say(
                "証拠が作られた時のものと異なります",
                "not what it was when the evidence was made",
            ),
            _ if is_named(Cause::MemberMissing) => self.say("ありません", "missing"),
            _ if is_named(Cause::NotCovered) => {
                self.say("証拠の対象ではありません", "not covered by the evidence")
            }
            Conclusion::TotalFailed => self.say("証明できません", "not proven"),
            Conclusion::Indeterminate => self.say("判断できません", "undecided"),
        }
    }
}
