//! `archiver media stock-take`

use std::path::Path;

use serde_json::json;

use super::id;
use crate::archive::Access;
use crate::cli::arguments::media::MediaStockTake;
use crate::cli::commands::signature::write;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::day;
use crate::cli::session::Session;
use crate::media::{MediaLedger, stock_take};

pub(super) fn run(session: &Session, arguments: &MediaStockTake) -> Result<Exit, Failure> {
    match &arguments.enter {
        Some(file) => enter(session, file, &arguments.counted_by),
        None if arguments.list => list(session, arguments.output.as_deref()),
        None => due(session),
    }
}

fn list(session: &Session, output: Option<&Path>) -> Result<Exit, Failure> {
    let archive = session.open(Access::Read)?;
    let ledger = MediaLedger::of(archive.catalog())?;
    let today = day(archive.environment().clock.now());
    let trial = archive.notice().is_some();
    let (config, lang) = (&archive.config().media, session.output.lang);
    match output {
        None => {
            let text = stock_take::list_text(&ledger, config, lang, today, trial);
            session
                .output
                .event(&json!({ "event": "stock-take-list", "text": text }));
            session.output.say(text.trim_end());
        }
        Some(path) => {
            let page = path.extension().is_some_and(|name| name == "html");
            let text = if page {
                stock_take::list_html(&ledger, config, lang, today, trial)
            } else {
                stock_take::list_text(&ledger, config, lang, today, trial)
            };
            write(session, path, text.as_bytes())?;
            session
                .output
                .event(&json!({ "event": "stock-take-list", "path": path }));
            let path = path.display();
            session.output.say(&lang.pick(
                format!("棚卸しの表を {path} に書きました"),
                format!("wrote the list to {path}"),
            ));
        }
    }
    archive.close()?;
    Ok(Exit::Done)
}

fn enter(session: &Session, file: &Path, counted_by: &[String]) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| {
        let file = file.display();
        Failure::said(
            Exit::Usage,
            lang,
            format!("{file} を読めません: {error}"),
            format!("{file} cannot be read: {error}"),
        )
    })?;
    let ticked = stock_take::read(&text).map_err(|(number, line)| {
        let line = crate::cli::output::shown_name(&line);
        Failure::said(
            Exit::Usage,
            lang,
            format!("{number} 行目を読み取れません: {line}。[x]、[ ]、[+] で始めてください"),
            format!("line {number} cannot be understood: {line}; begin it with [x], [ ] or [+], and list each medium once"),
        )
    })?;
    let archive = session.open(Access::Write)?;
    let ledger = MediaLedger::of(archive.catalog())?;
    let result = stock_take::result(&ledger, ticked, counted_by.to_vec());
    archive.record_event(&session.user, &result)?;
    let name = |medium| {
        let entry = ledger.medium(medium);
        let place = entry
            .and_then(|entry| entry.place.as_ref())
            .map_or_else(String::new, |place| format!(" {}", place.text(lang)));
        let short = entry.map_or_else(|| id(medium), |entry| entry.short_name());
        format!("{short}{place}")
    };
    session
        .output
        .event(&json!({ "event": "stock-take", "facts": result }));
    let (found, all) = (result.found.len(), ledger.present().len());
    session.output.say(&lang.pick(
        format!("棚卸しを記録しました: {all} 個のうち {found} 個あり"),
        format!("recorded the stock-take: {found} of {all} found"),
    ));
    for medium in &result.missing {
        let name = name(*medium);
        session
            .output
            .say(&lang.pick(format!("不明: {name}"), format!("missing: {name}")));
    }
    for extra in &result.extra {
        let extra = crate::cli::output::shown_name(extra);
        session.output.say(&lang.pick(
            format!("台帳にない: {extra}"),
            format!("not in the ledger: {extra}"),
        ));
    }
    let complete = result.missing.is_empty() && result.extra.is_empty();
    archive.close()?;
    Ok(if complete { Exit::Done } else { Exit::Partial })
}

fn due(session: &Session) -> Result<Exit, Failure> {
    let archive = session.open(Access::Read)?;
    let ledger = MediaLedger::of(archive.catalog())?;
    let lang = session.output.lang;
    let now = archive.environment().clock.now();
    let due = stock_take::due(&ledger, &archive.config().media, now);
    for (day, entry) in &due {
        session.output.event(&json!({ "event": "stock-take-due", "medium": id(entry.medium), "due": day.to_string() }));
        let name = entry.short_name();
        session.output.say(&lang.pick(
            format!("{name}: 棚卸しの期限 {day} を過ぎました"),
            format!("{name}: was to be counted by {day}"),
        ));
    }
    if due.is_empty() {
        let next = ledger
            .present()
            .into_iter()
            .map(|entry| entry.count_due(&archive.config().media))
            .min();
        let next = next.map_or_else(|| "-".to_owned(), |day| day.to_string());
        session
            .output
            .event(&json!({ "event": "stock-take-next", "due": next }));
        session.output.say(&lang.pick(
            format!("期限を過ぎた媒体はありません。次の期限 {next}"),
            format!("no medium is overdue; the next is to be counted by {next}"),
        ));
    }
    archive.close()?;
    Ok(Exit::Done)
}
