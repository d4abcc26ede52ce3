//! What proves what, from when, until when, with the reason of each verdict.

use super::chart::{Bar, Chart};
use super::{Block, Fact, Row, Table, Tone, said};
use crate::finding::{Finding, Language, Severity, printable};
use crate::judgement::Judgement;
use crate::report::calendar::{civil_time, parse_civil_time};
use crate::report::wording::reason;
use crate::report::{ObjectKind, ObjectReport, Report};
use crate::verdict::Conclusion;

/// Proofs that are drawn; the table has all of them.
const BARS_MAX: usize = 12;

/// The second part.
pub(super) fn blocks(report: &Report, language: Language) -> Vec<Block> {
    let mut blocks = Vec::new();
    let stamps = in_order(report, &[ObjectKind::Timestamp, ObjectKind::Response]);
    let wholes = in_order(
        report,
        &[
            ObjectKind::EvidenceRecord,
            ObjectKind::Signature,
            ObjectKind::NotJudged,
        ],
    );
    if stamps.is_empty() && wholes.is_empty() {
        blocks.push(Block::Text(said(
            language,
            "時刻又は署名の証明はありません。",
            "There is no proof of time or signature.",
        )));
    }
    blocks.extend(chart(&stamps, report, language).map(Block::Chart));
    if !stamps.is_empty() {
        blocks.push(Block::Table(stamp_table(&stamps, report, language)));
    }
    if !wholes.is_empty() {
        blocks.push(Block::Table(whole_table(&wholes, language)));
    }
    blocks.extend(reasons(report, language));
    blocks
}

/// Objects of some kinds, the oldest first, those without a time last; those of the same time as they were found.
fn in_order<'a>(report: &'a Report, kinds: &[ObjectKind]) -> Vec<&'a ObjectReport> {
    let mut objects: Vec<&ObjectReport> = report
        .objects
        .iter()
        .filter(|object| kinds.contains(&object.kind))
        .collect();
    objects.sort_by_key(|object| (object.time.is_none(), object.time));
    objects
}

/// A verdict in words, with its name in the standard and the reason.
pub(super) fn verdict(judgement: Judgement, language: Language) -> String {
    let word = match judgement.conclusion() {
        Conclusion::TotalPassed => said(language, "成立", "holds"),
        Conclusion::Indeterminate => said(language, "判断できない", "undecided"),
        Conclusion::TotalFailed => said(language, "不成立", "fails"),
    };
    let name = judgement.conclusion().name();
    match judgement.sub_indication() {
        None => format!("{word} [{name}]"),
        Some(sub) => {
            let cause = reason(sub).text(language);
            let sub = sub.name();
            let colon = said(language, "：", ": ");
            format!("{word}{colon}{cause} [{name} / {sub}]")
        }
    }
}

/// What a time-stamp proves, by the place that it has in its evidence.
fn proves(object: &ObjectReport, language: Language) -> String {
    let known = object.detail("role").or_else(|| object.detail("kind"));
    let (ja, en) = match known.unwrap_or_default() {
        "initial" => (
            "最初のアーカイブタイムスタンプ。文書を証明",
            "First archive time-stamp: proves the documents",
        ),
        "time-stamp-renewal" => (
            "再スタンプ（タイムスタンプの更新）。前のタイムスタンプを証明",
            "Re-stamping (time-stamp renewal): proves the time-stamp before it",
        ),
        "hash-tree-renewal" => (
            "再スタンプ（ハッシュ木の更新）。文書とそれまでの全証明を新しい計算方式で証明",
            "Re-stamping (hash-tree renewal): proves the documents and all proofs before it under a new hash function",
        ),
        "content-time-stamp" => (
            "内容のタイムスタンプ。署名より前に内容があったことを証明",
            "Content time-stamp: proves the content before it was signed",
        ),
        "signature-time-stamp" => (
            "署名タイムスタンプ。署名の時刻を証明",
            "Signature time-stamp: proves the time of the signature",
        ),
        "CAdES-C-time-stamp" | "time-stamped-certs-crls-references" => (
            "検証情報への参照のタイムスタンプ",
            "Time-stamp over the references to validation material",
        ),
        "archive-time-stamp-v2" | "archive-time-stamp-v3" => (
            "アーカイブタイムスタンプ。署名とその検証情報を証明",
            "Archive time-stamp: proves the signature and its validation material",
        ),
        "" => return proves_data(object, language),
        other => return printable(other),
    };
    said(language, ja, en)
}

/// What a time-stamp that stands alone proves.
fn proves_data(object: &ObjectReport, language: Language) -> String {
    if object.kind == ObjectKind::Response {
        return said(
            language,
            "タイムスタンプ局の応答（タイムスタンプを含みません）",
            "Answer of a time-stamping authority, without a time-stamp",
        );
    }
    let covers: Vec<String> = object.covers.iter().map(|name| printable(name)).collect();
    match (covers.is_empty(), language) {
        (true, Language::Japanese) => "タイムスタンプ".to_owned(),
        (true, Language::English) => "Time-stamp".to_owned(),
        (false, Language::Japanese) => format!("タイムスタンプ。対象: {}", covers.join("、")),
        (false, Language::English) => format!("Time-stamp over {}", covers.join(", ")),
    }
}

/// Until when a proof is needed or holds.
fn until(object: &ObjectReport, report: &Report, language: Language) -> String {
    let judged = object.judged_at.unwrap_or(report.verified_at);
    if judged < report.verified_at {
        let at = civil_time(judged);
        return match language {
            Language::Japanese => format!("{at} に後の証明へ引き継ぎ（その時点で判定）"),
            Language::English => format!("taken over by a later proof at {at} (judged as of then)"),
        };
    }
    let passed = object.judgement.is_passed();
    let Some(end) = object.detail("holds-until").filter(|_| passed) else {
        return "—".to_owned();
    };
    let what = object.detail("holds-until-because-of").unwrap_or_default();
    match (what, language) {
        ("", Language::Japanese) => format!("{end} までに再スタンプが必要（証明書の有効期間）"),
        ("", Language::English) => format!("renew before {end}: its certificates end"),
        (what, Language::Japanese) => {
            format!("{end} までに再スタンプが必要（{what} の信頼期間）")
        }
        (what, Language::English) => format!("renew before {end}: {what} ends"),
    }
}

fn stamp_table(stamps: &[&ObjectReport], report: &Report, language: Language) -> Table {
    let say = |ja, en| said(language, ja, en);
    let rows = stamps
        .iter()
        .map(|object| {
            let signer = object.detail("signer").map(printable).unwrap_or_default();
            let what = proves(object, language);
            let place = object.place.as_str();
            Row {
                tone: Tone::of(object.judgement),
                cells: vec![
                    object.time.map_or_else(|| "—".to_owned(), two_lines),
                    lines(&[&what, &signer, place]),
                    until(object, report, language),
                    verdict(object.judgement, language),
                ],
            }
        })
        .collect();
    Table {
        caption: say("タイムスタンプ（古い順）", "Time-stamps, the oldest first"),
        columns: vec![
            (say("いつから", "From"), 18),
            (say("何が何を証明するか", "What proves what"), 32),
            (say("いつまで", "Until"), 22),
            (say("判定と理由", "Verdict and reason"), 28),
        ],
        rows,
    }
}

fn whole_table(wholes: &[&ObjectReport], language: Language) -> Table {
    let say = |ja, en| said(language, ja, en);
    let rows = wholes
        .iter()
        .map(|object| {
            let name = super::full::kind_name(object.kind, language);
            let level = match (object.detail("level"), object.detail("baseline-level")) {
                (Some(level), Some(baseline)) => format!(" {level} = {baseline}"),
                (Some(level), None) => format!(" {level}"),
                _ => String::new(),
            };
            let signer = object.detail("signer").map(printable).unwrap_or_default();
            let name = format!("{name}{level}");
            Row {
                tone: Tone::of(object.judgement),
                cells: vec![
                    object.time.map_or_else(|| "—".to_owned(), two_lines),
                    lines(&[&name, &signer, object.place.as_str()]),
                    verdict(object.judgement, language),
                ],
            }
        })
        .collect();
    Table {
        caption: say(
            "証拠記録と署名（全体としての判定）",
            "Evidence records and signatures as a whole",
        ),
        columns: vec![
            (say("証明された時刻", "Proven for"), 20),
            (say("証拠", "Evidence"), 44),
            (say("判定と理由", "Verdict and reason"), 36),
        ],
        rows,
    }
}

/// Lines of a cell, without the empty ones.
pub(super) fn lines(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("\n")
}

/// A time in a narrow cell: that in Japan above that in UTC.
fn two_lines(time: time::OffsetDateTime) -> String {
    civil_time(time).replace(" (", "\n(")
}

/// The time-stamps as bars, as far as their ends are known.
fn chart(stamps: &[&ObjectReport], report: &Report, language: Language) -> Option<Chart> {
    let mut bars = Vec::new();
    for (number, object) in stamps.iter().enumerate().take(BARS_MAX) {
        let Some(from) = object.time else { continue };
        let judged = object.judged_at.unwrap_or(report.verified_at);
        let end = match object.detail("holds-until").and_then(parse_civil_time) {
            _ if judged < report.verified_at => judged,
            Some(end) if object.judgement.is_passed() => end,
            _ => judged,
        };
        let number = number.saturating_add(1).to_string();
        let role = proves(object, language);
        let role = role
            .split(['。', ':', '（', '('])
            .next()
            .unwrap_or_default()
            .trim();
        bars.push(Bar {
            label: format!("{number}. {role}"),
            from,
            to: end.max(from),
            tone: Tone::of(object.judgement),
        });
    }
    let told: Vec<String> = bars
        .iter()
        .map(|bar| {
            format!(
                "{}: {} – {}",
                bar.label,
                civil_time(bar.from),
                civil_time(bar.to)
            )
        })
        .collect();
    let description = match language {
        Language::Japanese => format!("タイムスタンプの期間を示す図。{}", told.join("。")),
        Language::English => format!("The time-stamps on a line of time. {}", told.join(". ")),
    };
    let label = said(language, "検証の基準時刻", "judged as of");
    Chart::around(bars, report.verified_at, label, description)
}

/// The findings that explain the verdict, the gravest first.
fn reasons(report: &Report, language: Language) -> Vec<Block> {
    let mut grave: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| finding.severity() != Severity::Info)
        .collect();
    if grave.is_empty() {
        return Vec::new();
    }
    grave.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
    vec![Block::Table(findings_table(
        &grave,
        said(language, "誤りと注意", "Errors and warnings"),
        language,
    ))]
}

/// Findings with their places and clauses.
pub(super) fn findings_table(findings: &[&Finding], caption: String, language: Language) -> Table {
    let say = |ja, en| said(language, ja, en);
    let rows = findings
        .iter()
        .map(|finding| {
            let (tone, severity) = match finding.severity() {
                Severity::Info => (Tone::Plain, say("情報", "info")),
                Severity::Warning => (Tone::Open, say("注意", "warning")),
                Severity::Error => (Tone::Bad, say("誤り", "error")),
            };
            let code = format!("{} · {}", finding.code().id(), finding.code().clause());
            Row {
                tone,
                cells: vec![
                    severity,
                    lines(&[&finding.text(language), finding.place().as_str(), &code]),
                ],
            }
        })
        .collect();
    Table {
        caption,
        columns: vec![(say("重さ", "Weight"), 10), (say("所見", "Finding"), 90)],
        rows,
    }
}

/// The verdict of a whole as a fact.
pub(super) fn verdict_fact(judgement: Judgement, language: Language) -> Fact {
    let integrity = judgement.integrity().name();
    Fact::list(
        said(language, "判定", "Verdict"),
        vec![
            verdict(judgement, language),
            match language {
                Language::Japanese => format!("完全性: {integrity}"),
                Language::English => format!("Integrity: {integrity}"),
            },
        ],
    )
}
