//! The text report, in Japanese or English.
//!
//! The first three lines are for somebody who reads nothing else, a judge for example: what was checked, what the
//! verdict is, and since when it has existed. Then the time line of the proofs, then the findings with their clauses.

use std::cmp::Reverse;
use std::fmt::{self, Write as _};

use time::format_description::BorrowedFormatItem;
use time::macros::{format_description, offset};
use time::{OffsetDateTime, UtcOffset};

use super::{FileRole, ObjectKind, ObjectReport, Report, timeline};
use crate::finding::{Finding, Language, Severity, printable};
use crate::judgement::Judgement;
use crate::verdict::{Conclusion, Integrity};

/// Japan standard time has no summer time: nine hours before UTC all the year.
const JAPAN: UtcOffset = offset!(+9);

const CIVIL: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

/// Documents that are listed one by one before the list is cut short.
const DOCUMENTS_LISTED_MAX: usize = 50;

/// The report as text in `language`; it ends with a line feed.
#[must_use]
pub fn to_text(report: &Report, language: Language) -> String {
    let mut text = String::new();
    // Writing into a `String` cannot fail.
    let _infallible = write_report(&mut text, report, language);
    text
}

/// A time in Japan and in UTC, for example `2026-11-22 12:48:30 JST (2026-11-22 03:48:30 UTC)`.
#[must_use]
pub fn civil_time(time: OffsetDateTime) -> String {
    let japan = time.to_offset(JAPAN).format(CIVIL).unwrap_or_default();
    let utc = time
        .to_offset(UtcOffset::UTC)
        .format(CIVIL)
        .unwrap_or_default();
    format!("{japan} JST ({utc} UTC)")
}

fn write_report(out: &mut String, report: &Report, language: Language) -> fmt::Result {
    writeln!(out, "{}", checked_line(report, language))?;
    writeln!(out, "{}", verdict_line(report.judgement, language))?;
    writeln!(out, "{}", existence_line(report, language))?;
    write_objects(out, report, language)?;
    write_lines(out, report, language)?;
    timeline::write(out, report, language)?;
    write_findings(out, &report.findings, language)?;
    writeln!(out)?;
    let judged = civil_time(report.verified_at);
    match language {
        Language::Japanese => writeln!(out, "検証の基準時刻: {judged}"),
        Language::English => writeln!(out, "Judged as of: {judged}"),
    }
}

fn checked_line(report: &Report, language: Language) -> String {
    let what: Vec<String> = report
        .files
        .iter()
        .filter(|file| file.role == FileRole::Evidence)
        .map(|file| match file.kind {
            Some(kind) => format!("{} ({})", printable(&file.name), kind.label(language)),
            None => printable(&file.name),
        })
        .collect();
    let documents = report
        .objects
        .iter()
        .filter(|object| object.kind == ObjectKind::Document)
        .count();
    let what = what.join(", ");
    let lines: u64 = shown_lines(report).map(|shown| shown.count).sum();
    match language {
        Language::Japanese if lines > 0 => format!("対象: {what}。ログの {lines} 行"),
        Language::English if lines == 1 => format!("Checked: {what}; 1 line of a log"),
        Language::English if lines > 0 => format!("Checked: {what}; {lines} lines of a log"),
        Language::Japanese => format!("対象: {what}。文書 {documents} 件"),
        Language::English if documents == 1 => format!("Checked: {what}; 1 document"),
        Language::English => format!("Checked: {what}; {documents} documents"),
    }
}

fn verdict_line(judgement: Judgement, language: Language) -> String {
    let reason = judgement
        .sub_indication()
        .map(|sub| format!(" / {}", sub.name()))
        .unwrap_or_default();
    let name = judgement.conclusion().name();
    let plain = match language {
        Language::Japanese => plain_ja(judgement),
        Language::English => plain_en(judgement),
    };
    match language {
        Language::Japanese => format!("判定: {plain} [{name}{reason}]"),
        Language::English => format!("Verdict: {plain} [{name}{reason}]"),
    }
}

/// Lines of a log that a package shows.
struct ShownLines<'a> {
    object: &'a ObjectReport,
    first: &'a str,
    last: &'a str,
    count: u64,
}

fn shown_lines(report: &Report) -> impl Iterator<Item = ShownLines<'_>> {
    let lines = report.objects.iter();
    let lines = lines.filter(|object| object.kind == ObjectKind::Lines);
    lines.map(|object| {
        let fact = |name| {
            let fact = object.details.iter().find(|(other, _)| *other == name);
            fact.map_or("?", |(_, value)| value)
        };
        ShownLines {
            object,
            first: fact("first"),
            last: fact("last"),
            count: fact("count").parse().unwrap_or_default(),
        }
    })
}

const fn plain_ja(judgement: Judgement) -> &'static str {
    match (judgement.conclusion(), judgement.integrity()) {
        (Conclusion::TotalPassed, _) => {
            "合格。改ざんはなく、時刻の証明は信頼する認証局につながっています。"
        }
        (Conclusion::Indeterminate, Integrity::Intact) => {
            "判定できません。改ざんは見つかりませんが、信頼の確認が完了していません。"
        }
        (Conclusion::Indeterminate, Integrity::Unknown | Integrity::Broken) => {
            "判定できません。確認に必要なものが足りません。"
        }
        (Conclusion::TotalFailed, Integrity::Broken) => {
            "不合格。内容又は証拠が、証明された時のものと一致しません。"
        }
        (Conclusion::TotalFailed, Integrity::Intact | Integrity::Unknown) => {
            "不合格。証拠が規格又は検証方針に合っていません。"
        }
    }
}

const fn plain_en(judgement: Judgement) -> &'static str {
    match (judgement.conclusion(), judgement.integrity()) {
        (Conclusion::TotalPassed, _) => {
            "PASSED. Nothing was altered, and the proof of time leads to a trusted authority."
        }
        (Conclusion::Indeterminate, Integrity::Intact) => {
            "UNDECIDED. No alteration was found, but trust could not be confirmed completely."
        }
        (Conclusion::Indeterminate, Integrity::Unknown | Integrity::Broken) => {
            "UNDECIDED. Something that the check needs is missing."
        }
        (Conclusion::TotalFailed, Integrity::Broken) => {
            "FAILED. The content or its evidence is not what it was when it was proven."
        }
        (Conclusion::TotalFailed, Integrity::Intact | Integrity::Unknown) => {
            "FAILED. The evidence does not follow its standard or the verification policy."
        }
    }
}

fn existence_line(report: &Report, language: Language) -> String {
    match (report.best_signature_time, language) {
        (Some(time), Language::Japanese) => format!(
            "存在証明: 遅くとも {} には存在していました。",
            civil_time(time)
        ),
        (Some(time), Language::English) => {
            format!("Existed: at the latest since {}.", civil_time(time))
        }
        (None, Language::Japanese) => "存在証明: 証明された時刻はありません。".to_owned(),
        (None, Language::English) => "Existed: no time is proven.".to_owned(),
    }
}

fn write_objects(out: &mut String, report: &Report, language: Language) -> fmt::Result {
    let documents: Vec<&ObjectReport> = report
        .objects
        .iter()
        .filter(|object| object.kind == ObjectKind::Document)
        .collect();
    if documents.is_empty() {
        return Ok(());
    }
    heading(out, language, "文書", "Documents")?;
    for object in documents.iter().take(DOCUMENTS_LISTED_MAX) {
        let judgement = object.judgement;
        writeln!(
            out,
            "  {} — {} / {}",
            object.place,
            judgement.conclusion().name(),
            judgement.integrity().name()
        )?;
    }
    let more = documents.len().saturating_sub(DOCUMENTS_LISTED_MAX);
    match (more, language) {
        (0, _) => Ok(()),
        (_, Language::Japanese) => writeln!(out, "  ほか {more} 件(JSON の報告書に全件があります)"),
        (_, Language::English) => writeln!(out, "  and {more} more (the JSON report lists all)"),
    }
}

/// The lines that are shown, each range with its verdict.
fn write_lines(out: &mut String, report: &Report, language: Language) -> fmt::Result {
    let mut begun = false;
    for ShownLines {
        object,
        first,
        last,
        count,
    } in shown_lines(report)
    {
        if !std::mem::replace(&mut begun, true) {
            heading(out, language, "示された行", "Lines shown")?;
        }
        let judgement = object.judgement;
        let (conclusion, integrity) = (judgement.conclusion().name(), judgement.integrity().name());
        match language {
            Language::Japanese => writeln!(
                out,
                "  {}: {first} 行目から {last} 行目({count} 行) — {conclusion} / {integrity}",
                object.place
            ),
            Language::English => writeln!(
                out,
                "  {}: {first} to {last} ({count}) — {conclusion} / {integrity}",
                object.place
            ),
        }?;
    }
    Ok(())
}

/// The findings, the gravest first; of equal ones in the order in which they were found.
fn write_findings(out: &mut String, findings: &[Finding], language: Language) -> fmt::Result {
    if findings.is_empty() {
        return Ok(());
    }
    heading(out, language, "所見", "Findings")?;
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| Reverse(finding.severity()));
    for finding in sorted {
        let severity = match (finding.severity(), language) {
            (Severity::Info, Language::Japanese) => "情報",
            (Severity::Warning, Language::Japanese) => "注意",
            (Severity::Error, Language::Japanese) => "誤り",
            (Severity::Info, Language::English) => "info",
            (Severity::Warning, Language::English) => "warning",
            (Severity::Error, Language::English) => "error",
        };
        writeln!(out, "  [{severity}] {}", finding.text(language))?;
        writeln!(
            out,
            "    {} · {} · {}",
            finding.place(),
            finding.code().id(),
            finding.code().clause()
        )?;
    }
    Ok(())
}

pub(super) fn heading(out: &mut String, language: Language, ja: &str, en: &str) -> fmt::Result {
    writeln!(out)?;
    match language {
        Language::Japanese => writeln!(out, "{ja}"),
        Language::English => writeln!(out, "{en}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_time_stands_in_japan_time_and_utc() {
        assert_eq!(
            civil_time(datetime!(2026-11-22 03:48:30 UTC)),
            "2026-11-22 12:48:30 JST (2026-11-22 03:48:30 UTC)"
        );
    }
}
