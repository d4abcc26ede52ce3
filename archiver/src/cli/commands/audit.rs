//! `archiver audit`: the audit trail, read on the machine of the archive.

use std::io::Write;

use formats::audit::{ChainPlace, Outcome};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::get::write_beside;
use crate::archive::{Access, Archive};
use crate::audit::{
    Act, AuditFilter, ReadLine, ReportMonth, analysis_text, for_each_in, page, span,
};
use crate::cli::arguments::{Audit, AuditExport, AuditList, AuditReport};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::output::{grouped, moment, shown_name};
use crate::cli::query;
use crate::cli::session::Session;
use crate::journal::analyse;
use crate::store::catalog::ValueMatch;

pub(in crate::cli) fn run(session: &Session, command: &Audit) -> Result<Exit, Failure> {
    match command {
        Audit::List(arguments) => list(session, arguments),
        Audit::Export(arguments) => export(session, arguments),
        Audit::Report(arguments) => report(session, arguments),
    }
}

fn list(session: &Session, arguments: &AuditList) -> Result<Exit, Failure> {
    let filter = filter(arguments, session.output.lang)?;
    let archive = session.open(Access::Read)?;
    let (mut shown, mut from) = (0_usize, None);
    while let Some(room) = arguments.limit.checked_sub(shown).filter(|room| *room > 0) {
        let page = page(&archive, &filter, from, room.min(PAGE_LINES))?;
        for read in &page.lines {
            show(session, read);
        }
        shown = shown.saturating_add(page.lines.len());
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    if shown == 0 {
        let none = session
            .output
            .lang
            .pick("該当する行はありません", "no entries");
        session.output.say(none);
    }
    Ok(Exit::Done)
}

fn filter(arguments: &AuditList, lang: Lang) -> Result<AuditFilter, Failure> {
    let (from, to) = period(arguments.from.as_deref(), arguments.to.as_deref(), lang)?;
    let record = arguments.record.as_deref();
    let record = record.map(|text| query::record(text, lang)).transpose()?;
    Ok(AuditFilter {
        from,
        to,
        person: arguments.person.clone(),
        act: arguments.act.clone(),
        record: record.map(|(record, version)| match version {
            Some(version) => format!("{record}/{version}"),
            None => record.to_string(),
        }),
        outcome: match arguments.outcome.as_deref() {
            Some("done") => Some(Outcome::Done),
            Some("denied") => Some(Outcome::Denied),
            Some("failed") => Some(Outcome::Failed),
            Some(_) | None => None,
        },
    })
}

/// From the first time, before the second one.
type Period = (Option<OffsetDateTime>, Option<OffsetDateTime>);

fn period(from: Option<&str>, to: Option<&str>, lang: Lang) -> Result<Period, Failure> {
    let (from, to) = match query::times(from, to, lang)? {
        ValueMatch::Between(from, to) => (from, to),
        ValueMatch::Any | ValueMatch::Missing => (None, None),
    };
    // The end of a day is its last microsecond; entries have whole ones.
    let behind = |to: OffsetDateTime| to.saturating_add(Duration::microseconds(1));
    Ok((from, to.map(behind)))
}

fn show(session: &Session, read: &ReadLine) {
    let lang = session.output.lang;
    let mut event: Value = serde_json::from_slice(&read.line).unwrap_or_default();
    if let Value::Object(fields) = &mut event {
        fields.insert("event".to_owned(), json!("audit-entry"));
    }
    session.output.event(&event);
    let sequence = read.sequence;
    let Some(entry) = &read.entry else {
        session.output.say(&lang.pick(
            format!("{sequence} 読めない行です。archiver audit export と verifier audit で調べてください"),
            format!("{sequence} cannot be read: look at it with 'archiver audit export' and 'verifier audit'"),
        ));
        return;
    };
    let title = Act::from_code(&entry.act).map_or(entry.act.as_str(), |act| act.title(lang));
    let person = match entry.person.as_str() {
        "" => lang.pick("(不明)", "(unknown)"),
        person => person,
    };
    let object = entry.record.as_deref().unwrap_or_default();
    let purpose = entry.purpose.as_deref().unwrap_or_default();
    let words = [
        person,
        entry.client.as_str(),
        title,
        outcome(entry.outcome, lang),
        object,
        purpose,
    ];
    let words: Vec<String> = words
        .iter()
        .filter(|word| !word.is_empty())
        .map(|word| shown_name(word))
        .collect();
    let time = moment(entry.time);
    session
        .output
        .say(&format!("{sequence} {time} {}", words.join(" ")));
}

fn outcome(outcome: Outcome, lang: Lang) -> &'static str {
    match outcome {
        Outcome::Done => lang.pick("実行", "done"),
        Outcome::Denied => lang.pick("権限なし", "denied"),
        Outcome::Failed => lang.pick("失敗", "failed"),
    }
}

fn export(session: &Session, arguments: &AuditExport) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let (from, to) = period(arguments.from.as_deref(), arguments.to.as_deref(), lang)?;
    let archive = session.open(Access::Read)?;
    let Some(range) = span(&archive, from, to)? else {
        return Err(Failure::said(
            Exit::NotFound,
            lang,
            "その期間の監査証跡はありません".to_owned(),
            "the audit trail has no entries of that time".to_owned(),
        ));
    };
    let mut end = None;
    let mut read = Ok(());
    let disk = session.environment.disk.as_ref();
    write_beside(disk, &arguments.output, |file| {
        let mut is_written = true;
        read = for_each_in(&archive, from, range, &mut |line| {
            is_written = file.write_all(&line.line).is_ok();
            end = Some(ChainPlace::behind(line.sequence, &line.line));
            is_written
        });
        is_written && read.is_ok()
    })?;
    read?;
    tell_export(session, &archive, arguments, range, end);
    Ok(Exit::Done)
}

fn tell_export(
    session: &Session,
    archive: &Archive,
    arguments: &AuditExport,
    (first, last): (u64, u64),
    end: Option<ChainPlace>,
) {
    let digest = end.map(|end| hex::encode(end.digest)).unwrap_or_default();
    let path = arguments.output.display();
    session.output.event(&json!({
        "event": "audit-exported", "file": path.to_string(), "archive": archive.config().archive,
        "first": first, "last": last, "digest": digest,
    }));
    let (one, other) = (grouped(first), grouped(last));
    session.output.say(&session.output.lang.pick(
        format!("{path}: 第{one}行から第{other}行まで。最後の行の SHA-256 {digest}"),
        format!("{path}: entries {one} to {other}; SHA-256 of the last line {digest}"),
    ));
    let verifier = &session.programs.verifier;
    let start = match first {
        1 => format!(" --from-start {}", archive.config().archive),
        _ => String::new(),
    };
    session.output.say(&session.output.lang.pick(
        format!("検証: {verifier} audit {path}{start} --end {digest}"),
        format!("check it: {verifier} audit {path}{start} --end {digest}"),
    ));
}

fn report(session: &Session, arguments: &AuditReport) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let month: ReportMonth = arguments.month.parse().map_err(|_| {
        let given = &arguments.month;
        Failure::said(
            Exit::Usage,
            lang,
            format!("--month {given}: 2026-11 の形で指定してください"),
            format!("--month {given}: give a month, as 2026-11"),
        )
    })?;
    let archive = session.open(Access::Read)?;
    let found = analyse(&archive, month, archive.config().alarms.events)?;
    let mut event = serde_json::to_value(&found).unwrap_or_default();
    if let Value::Object(fields) = &mut event {
        fields.insert("event".to_owned(), json!("audit-report"));
    }
    session.output.event(&event);
    session.output.say(analysis_text(&found, lang).trim_end());
    Ok(Exit::Done)
}

/// Lines that are held at a time.
const PAGE_LINES: usize = 200;

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
