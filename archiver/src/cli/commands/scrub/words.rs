//! What a scrub says.

use std::path::Path;

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::lang::Lang;
use crate::cli::output::{Output, grouped, moment, sized};
use crate::scrub::proofs::Proofs;
use crate::store::StoreError;
use crate::store::scrub::{Finding, LossFact, RunState, ScrubMedia, rfc3339};

pub(super) fn absent(lang: Lang, directory: &Path) -> String {
    let directory = directory.display();
    lang.pick(
        format!("{directory}: 媒体がありません。この複製は確かめられません"),
        format!("{directory}: no medium is there: its copy is not proven"),
    )
}

pub(super) fn stray(lang: Lang, path: &Path, aside: Option<&Path>) -> String {
    let path = path.display();
    match aside {
        Some(aside) => {
            let aside = aside.display();
            lang.pick(
                format!("{path}: 別の区画の写しです。{aside} に移しました"),
                format!("{path}: a copy of another segment in a wrong place; set aside as {aside}"),
            )
        }
        None => lang.pick(
            format!("{path}: 別の区画の写しです"),
            format!("{path}: a copy of another segment in a wrong place"),
        ),
    }
}

pub(super) fn parity_failed(lang: Lang, segment: u32, error: &StoreError) -> String {
    lang.pick(
        format!("区画 {segment:010}: パリティを作れません: {error}"),
        format!("segment {segment:010}: no parity could be made: {error}"),
    )
}

pub(super) fn resumed(lang: Lang, started: &str, left: &str) -> String {
    let since = time_of(started).map_or_else(|| started.to_owned(), moment);
    lang.pick(
        format!("{since} に始めた検査を続けます: 残り {left} 区画"),
        format!("going on with the run of {since}: {left} segments are left"),
    )
}

pub(super) fn interrupted(lang: Lang, left: &str) -> String {
    lang.pick(
        format!("中断しました: 残り {left} 区画。同じ指定で続けられます"),
        format!("stopped with {left} segments left: ask for the same again to go on"),
    )
}

/// Adds since when a damaged copy is known to have been whole.
pub(super) fn date_findings(run: &mut RunState, proofs: &Proofs) {
    for finding in &mut run.findings {
        finding.last_proven = proofs.copy(&finding.medium, finding.segment).map(rfc3339);
    }
}

/// One damaged copy, and what became of it.
pub(super) fn tell_finding(output: &Output, media: &ScrubMedia, finding: &Finding) {
    let lang = output.lang;
    output.event(&json!({
        "event": "damaged", "medium": finding.medium, "segment": finding.segment,
        "problems": finding.problems.iter().map(|one| json!({ "problem": one.kind, "offset": one.offset })).collect::<Vec<_>>(),
        "outcome": finding.outcome, "source": finding.source, "bytes_written": finding.bytes,
    }));
    let medium = finding
        .medium
        .parse()
        .ok()
        .and_then(|medium| media.directory(medium))
        .map_or_else(|| finding.medium.clone(), |path| path.display().to_string());
    let problems: Vec<String> = finding
        .problems
        .iter()
        .take(SHOWN_MAX)
        .map(|one| format!("{}@{}", one.kind, one.offset))
        .collect();
    let problems = problems.join(", ");
    let segment = finding.segment;
    let source = finding.source.clone().unwrap_or_default();
    output.say(&match finding.outcome.as_str() {
        "healed" => lang.pick(
            format!("修復: {medium} 区画 {segment:010}({problems})、出所 {source}、{} を書き、読み戻しました", sized(finding.bytes)),
            format!("healed: {medium}, segment {segment:010} ({problems}), from {source}: {} written and read back", sized(finding.bytes)),
        ),
        "failed" => lang.pick(
            format!("損傷: {medium} 区画 {segment:010}({problems})。修復できません: {source}"),
            format!("damaged: {medium}, segment {segment:010} ({problems}), could not be healed: {source}"),
        ),
        _ => lang.pick(
            format!("損傷: {medium} 区画 {segment:010}({problems})"),
            format!("damaged: {medium}, segment {segment:010} ({problems})"),
        ),
    });
}

/// It waits for its hours.
pub(super) fn tell_waiting(output: &Output, until: OffsetDateTime) {
    let utc = rfc3339(until);
    output.event(&json!({ "event": "waiting", "until": utc }));
    let shown = moment(until);
    output.note(&output.lang.pick(
        format!("{shown}({utc})まで待ちます"),
        format!("waiting until {shown} ({utc})"),
    ));
}

/// What is lost, record by record.
pub(super) fn tell_losses(output: &Output, run: &RunState) {
    let lang = output.lang;
    for loss in &run.losses {
        output.event(&json!({
            "event": "lost", "segment": loss.segment, "offset": loss.offset, "end": loss.end, "records": loss.records, "text": loss.text,
        }));
        let text = loss
            .text
            .as_deref()
            .map(|text| format!(": {text}"))
            .unwrap_or_default();
        if loss.is_missing() {
            output.say(&missing(lang, loss));
            continue;
        }
        let place = format!("{:010}:{}-{}", loss.segment, loss.offset, loss.end);
        let records = if loss.records.is_empty() {
            lang.pick("記録の内容ではありません", "no record's content")
                .to_owned()
        } else {
            loss.records.join(", ")
        };
        output.say(&lang.pick(
            format!("失われた箇所: {place} {records}{text}"),
            format!("LOST: {place}, {records}{text}"),
        ));
    }
}

/// A segment that no medium has, with the records that the index knows there, a line each.
fn missing(lang: Lang, loss: &LossFact) -> String {
    let segment = loss.segment;
    let lines: String = loss
        .records
        .iter()
        .map(|one| format!("\n  {one}"))
        .collect();
    if lines.is_empty() {
        return lang.pick(
            format!("失われた区画: {segment:010} はどの媒体にもありません。そこにあった記録を索引は知りません"),
            format!("LOST: segment {segment:010} is on no medium; the index knows no record that stood there"),
        );
    }
    lang.pick(
        format!("失われた区画: {segment:010} はどの媒体にもありません。そこにあった記録:{lines}"),
        format!("LOST: segment {segment:010} is on no medium. Records that stood there:{lines}"),
    )
}

pub(super) fn summary(output: &Output, media: &ScrubMedia, run: &RunState) {
    let healed = run
        .findings
        .iter()
        .filter(|one| one.outcome == "healed")
        .count() as u64;
    let damaged = run.findings.len() as u64 - healed;
    output.event(&json!({
        "event": "summary", "started": run.started, "deep": run.deep, "selection": run.selection, "complete": run.todo.is_empty(),
        "segments": run.done.len(), "bytes": run.bytes, "media": media.media().len(), "absent": media.absent.len(),
        "healed": healed, "damaged": damaged, "lost": run.losses.len(),
    }));
    let (segments, bytes) = (grouped(run.done.len() as u64), sized(run.bytes));
    let (healed, damaged) = (grouped(healed), grouped(damaged));
    let lost = grouped(run.losses.len() as u64);
    output.say(&output.lang.pick(
        format!("検査した区画 {segments}({bytes}): 修復 {healed}、損傷のまま {damaged}、失われた箇所 {lost}"),
        format!("read {segments} segments ({bytes}): {healed} copies healed, {damaged} left damaged, {lost} places lost"),
    ));
}

fn time_of(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// Most problems of one copy on a line.
const SHOWN_MAX: usize = 3;
