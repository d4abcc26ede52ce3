//! The analysis of a month for people.

use std::fmt::Write as _;

use super::Act;
use super::analysis::MonthAnalysis;
use super::detector::Notice;
use crate::cli::lang::Lang;
use crate::cli::output::{grouped, moment, shown_name, sized};

/// The report as text, one fact in a line.
#[must_use]
pub fn text(found: &MonthAnalysis, lang: Lang) -> String {
    let mut out = String::new();
    let mut say = |line: String| {
        // Writing to a string does not fail.
        let _never_fails = writeln!(out, "{line}");
    };
    let (month, entries) = (&found.month, grouped(found.entries));
    say(lang.pick(
        format!("監査証跡の月次分析 {month}(日本時間): {entries} 件"),
        format!("Analysis of the audit trail, {month} (Japan): {entries} entries"),
    ));
    if let (Some(first), Some(last), Some(digest)) = (found.first, found.last, &found.last_digest) {
        say(lang.pick(
            format!("範囲: 第{first}行から第{last}行まで、最後の行の SHA-256 {digest}"),
            format!("range: entry {first} to entry {last}, SHA-256 of the last line {digest}"),
        ));
    }
    notices(found, lang, &mut say);
    let failed = grouped(found.failed_log_ins);
    say(lang.pick(
        format!("ログイン失敗: {failed} 件"),
        format!("failed log-ins: {failed}"),
    ));
    acts(found, lang, &mut say);
    people(found, lang, &mut say);
    out
}

fn notices(found: &MonthAnalysis, lang: Lang, say: &mut dyn FnMut(String)) {
    if found.notices.is_empty() {
        say(lang
            .pick("報告すべき事象はありません", "Nothing to report.")
            .to_owned());
        return;
    }
    say(lang.pick("報告すべき事象", "To report").to_owned());
    for (kind, count) in &found.notice_counts {
        let (title, count) = (kind.title(lang), grouped(*count));
        say(format!("  {title}: {count}"));
    }
    for notice in &found.notices {
        say(format!("    {}", line(notice, lang)));
    }
    let listed = u64::try_from(found.notices.len()).unwrap_or(u64::MAX);
    let all = found
        .notice_counts
        .values()
        .fold(0, |sum: u64, one| sum.saturating_add(*one));
    if let Some(more) = all.checked_sub(listed).filter(|more| *more > 0) {
        let more = grouped(more);
        say(lang.pick(
            format!("    ほかに {more} 件"),
            format!("    and {more} more"),
        ));
    }
}

fn line(notice: &Notice, lang: Lang) -> String {
    let title = notice.kind.title(lang);
    let (person, client) = (shown_name(&notice.person), shown_name(&notice.client));
    let (sequence, act) = (notice.sequence, act(&notice.act, lang));
    let time = notice.time.map(moment).unwrap_or_default();
    lang.pick(
        format!("{time} {title}: {person} {client} {act}(第{sequence}行)"),
        format!("{time} {title}: {person} {client} {act} (entry {sequence})"),
    )
}

fn acts(found: &MonthAnalysis, lang: Lang, say: &mut dyn FnMut(String)) {
    say(lang
        .pick(
            "操作ごとの件数(実行/権限なし/失敗)",
            "acts (done / denied / failed)",
        )
        .to_owned());
    for (code, counts) in &found.acts {
        let (done, denied, failed) = (
            grouped(counts.done),
            grouped(counts.denied),
            grouped(counts.failed),
        );
        say(format!(
            "  {}: {done} / {denied} / {failed}",
            act(code, lang)
        ));
    }
}

fn people(found: &MonthAnalysis, lang: Lang, say: &mut dyn FnMut(String)) {
    say(lang.pick("人ごとの件数", "people").to_owned());
    for (person, of) in &found.people {
        let person = match person.as_str() {
            "" => lang.pick("(不明)", "(unknown)").to_owned(),
            person => shown_name(person),
        };
        let (done, denied, failed) = (
            grouped(of.acts.done),
            grouped(of.acts.denied),
            grouped(of.acts.failed),
        );
        let (log_ins, retrievals) = (grouped(of.log_ins), grouped(of.retrievals));
        let (bytes, outside) = (sized(of.retrieved_bytes), grouped(of.outside_hours));
        let without = grouped(of.without_purpose);
        say(lang.pick(
            format!("  {person}: {done} / {denied} / {failed}、ログイン {log_ins}、取り出し {retrievals}({bytes}、目的なし {without})、時間外 {outside}"),
            format!("  {person}: {done} / {denied} / {failed}, log-ins {log_ins}, retrievals {retrievals} ({bytes}, without a purpose {without}), outside of hours {outside}"),
        ));
    }
}

/// The name of an act; of one that this program does not know, its code.
fn act(code: &str, lang: Lang) -> String {
    Act::from_code(code).map_or_else(|| shown_name(code), |act| act.title(lang).to_owned())
}
