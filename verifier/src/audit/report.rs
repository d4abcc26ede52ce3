//! The report about lines of an audit trail: JSON and text.

use std::fmt::Write as _;

use formats::audit::{BreakKind, ChainPlace};
use serde_json::{Value, json};

use super::{AuditFile, AuditReport, Begin, Problem};
use crate::finding::{Language, printable};
use crate::report::json::rfc3339;
use crate::report::text::civil_time;
use crate::verdict::Conclusion;

/// The schema id of [`to_value`].
pub const SCHEMA: &str = "urn:fumikura:audit-check:1";

/// The report for programs.
#[must_use]
pub fn to_value(report: &AuditReport) -> Value {
    let file = |file: &AuditFile| {
        json!({
            "name": printable(&file.name),
            "lines": file.lines,
            "first": file.first.map(|(sequence, _)| sequence),
            "last": file.last.map(|(sequence, _)| sequence),
            "from": file.first.map(|(_, time)| rfc3339(time)),
            "to": file.last.map(|(_, time)| rfc3339(time)),
        })
    };
    let begin = match report.begin {
        Begin::Start(archive) => json!({ "archive": archive }),
        Begin::Believed(place) => json!({ "behind": place.map(place_value) }),
    };
    let problem = |problem: &Problem| {
        json!({
            "file": problem.file,
            "line": problem.line,
            "expected": problem.expected,
            "found": problem.found,
            "kind": code(problem.kind),
        })
    };
    json!({
        "schema": SCHEMA,
        "conclusion": match report.conclusion() {
            Conclusion::TotalPassed => "passed",
            Conclusion::TotalFailed => "failed",
            Conclusion::Indeterminate => "undecided",
        },
        "files": report.files.iter().map(file).collect::<Vec<Value>>(),
        "lines": report.lines(),
        "begin": begin,
        "end": report.end.map(place_value),
        "end-expected": report.is_expected_end,
        "problem-count": report.problem_count,
        "problems": report.problems.iter().map(problem).collect::<Vec<Value>>(),
    })
}

/// The report for people.
#[must_use]
pub fn to_text(report: &AuditReport, language: Language) -> String {
    let mut out = String::new();
    let mut say = |text: String| {
        // Writing to a string does not fail.
        let _never_fails = writeln!(out, "{text}");
    };
    say(conclusion(report, language));
    say(begin(&report.begin, language));
    for file in &report.files {
        say(of_file(file, language));
    }
    if let Some(place) = report.end {
        let (sequence, digest) = (place.sequence, hex::encode(place.digest));
        say(pick(
            language,
            format!("終わり: 第{sequence}行、摘要値 SHA-256 {digest}"),
            format!("ends: entry {sequence}, SHA-256 {digest}"),
        ));
        say(end(report.is_expected_end, language).to_owned());
    }
    for problem in &report.problems {
        say(of_problem(report, problem, language));
    }
    let listed = u64::try_from(report.problems.len()).unwrap_or(u64::MAX);
    if let Some(more) = report.problem_count.checked_sub(listed)
        && more > 0
    {
        say(pick(
            language,
            format!("ほかに {more} 箇所"),
            format!("and {more} more"),
        ));
    }
    out
}

fn conclusion(report: &AuditReport, language: Language) -> String {
    let lines = report.lines();
    match report.conclusion() {
        Conclusion::TotalPassed => pick(
            language,
            format!("合格: 監査証跡の {lines} 行はつながっています"),
            format!("PASSED: the {lines} lines of the audit trail hang together"),
        ),
        Conclusion::TotalFailed => {
            let count = report.problem_count;
            pick(
                language,
                format!(
                    "不合格: 監査証跡の {lines} 行のうち {count} 箇所がつながっていないか、終わりが違います"
                ),
                format!(
                    "FAILED: of {lines} lines of the audit trail, {count} do not hang together, or the end is another one"
                ),
            )
        }
        Conclusion::Indeterminate => pick(
            language,
            "判定不能: 行がありません".to_owned(),
            "UNDECIDED: there is no line".to_owned(),
        ),
    }
}

fn begin(begin: &Begin, language: Language) -> String {
    match begin {
        Begin::Start(archive) => pick(
            language,
            format!("始まり: 保管庫 {archive} の最初の行から調べました"),
            format!("begins: checked from the first entry of archive {archive}"),
        ),
        Begin::Believed(Some(place)) => {
            let (sequence, digest) = (place.sequence, hex::encode(place.digest));
            pick(
                language,
                format!(
                    "始まり: 第{sequence}行(摘要値 {digest})の続き。それより前は調べていません"
                ),
                format!(
                    "begins: behind entry {sequence} (SHA-256 {digest}); what came before was not checked"
                ),
            )
        }
        Begin::Believed(None) => pick(
            language,
            "始まり: 最初の行を読めません".to_owned(),
            "begins: the first line cannot be read".to_owned(),
        ),
    }
}

fn of_file(file: &AuditFile, language: Language) -> String {
    let (name, lines) = (printable(&file.name), file.lines);
    let (Some((first, from)), Some((last, to))) = (file.first, file.last) else {
        return pick(
            language,
            format!("{name}: {lines} 行、読めるものはありません"),
            format!("{name}: {lines} lines, none of which hangs together"),
        );
    };
    let (from, to) = (civil_time(from), civil_time(to));
    pick(
        language,
        format!("{name}: {lines} 行、第{first}行({from})から第{last}行({to})まで"),
        format!("{name}: {lines} lines, entry {first} ({from}) to entry {last} ({to})"),
    )
}

const fn end(is_expected: Option<bool>, language: Language) -> &'static str {
    match (is_expected, language) {
        (Some(true), Language::Japanese) => "終わりの摘要値は指定されたものと同じです",
        (Some(true), Language::English) => "The digest of the end is the one that was given.",
        (Some(false), Language::Japanese) => {
            "終わりの摘要値が指定されたものと違います。末尾の行が除かれたか、加えられたか、書き換えられています"
        }
        (Some(false), Language::English) => {
            "The digest of the end is NOT the one that was given: lines at the end were taken away, added or changed."
        }
        (None, Language::Japanese) => {
            "行だけでは、末尾の行が除かれていないこと、最後の行が元のままであることは分かりません。控えてある摘要値を --end で与えるか、この行を含む記録の証拠を検証してください"
        }
        (None, Language::English) => {
            "Lines alone do not show whether lines at the end were taken away, or the last one was changed: give a digest that you hold with --end, or verify the evidence of the record with these lines."
        }
    }
}

fn of_problem(report: &AuditReport, problem: &Problem, language: Language) -> String {
    let name = report.files.get(problem.file);
    let name = printable(name.map_or("", |file| file.name.as_str()));
    let what = what(report, problem, language);
    format!("{name}:{}: {what}", problem.line)
}

fn what(report: &AuditReport, problem: &Problem, language: Language) -> String {
    let expected = problem.expected;
    let found = problem.found.unwrap_or_default();
    let before = found.saturating_sub(1);
    let is_start = expected == 1 && matches!(report.begin, Begin::Start(_));
    match problem.kind {
        BreakKind::Malformed(error) => pick(
            language,
            format!("監査証跡の行ではありません({error})"),
            format!("no entry of an audit trail ({error})"),
        ),
        BreakKind::Missing if is_start => pick(
            language,
            format!("始まりが欠けています: 第1行から第{before}行まで"),
            format!("the beginning is missing: entries 1 to {before}"),
        ),
        BreakKind::Missing => pick(
            language,
            format!("第{expected}行から第{before}行までが欠けています"),
            format!("entries {expected} to {before} are missing"),
        ),
        BreakKind::OutOfOrder => pick(
            language,
            format!("順序が違います: 第{expected}行のところに第{found}行があります"),
            format!("out of order: entry {found} stands where entry {expected} should be"),
        ),
        BreakKind::Changed if is_start => pick(
            language,
            "最初の行は、この保管庫の最初の行ではありません".to_owned(),
            "the first line is not the first one of this archive".to_owned(),
        ),
        BreakKind::Changed => {
            let previous = expected.saturating_sub(1);
            pick(
                language,
                format!("第{previous}行か第{expected}行が書き換えられています"),
                format!("entry {previous} or entry {expected} was changed"),
            )
        }
    }
}

const fn code(kind: BreakKind) -> &'static str {
    match kind {
        BreakKind::Malformed(_) => "malformed",
        BreakKind::Missing => "missing",
        BreakKind::OutOfOrder => "out-of-order",
        BreakKind::Changed => "changed",
    }
}

fn place_value(place: ChainPlace) -> Value {
    json!({ "sequence": place.sequence, "digest": hex::encode(place.digest) })
}

fn pick(language: Language, ja: String, en: String) -> String {
    match language {
        Language::Japanese => ja,
        Language::English => en,
    }
}
