//! `archiver media list`, `archiver media show`

use serde_json::{Value, json};

use super::state::{State, States};
use super::{find, id};
use crate::archive::{Access, Archive};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::output::{day, moment, shown_name};
use crate::cli::query::rfc3339;
use crate::cli::session::Session;
use crate::cli::table::table;
use crate::media::facts::MediumMoved;
use crate::media::{MediaLedger, MediumEntry, Standing};

pub(super) fn list(session: &Session) -> Result<Exit, Failure> {
    let archive = session.open(Access::Read)?;
    let ledger = MediaLedger::of(archive.catalog())?;
    let states = States::of(&archive, &ledger);
    let lang = session.output.lang;
    let mut rows = Vec::new();
    for entry in ledger.all() {
        let state = states.state(entry);
        session
            .output
            .event(&json_of(&archive, &ledger, entry, &state));
        rows.push(row(&archive, &ledger, entry, &state, lang));
    }
    let heads = lang.pick(
        [
            "媒体",
            "表示",
            "状態",
            "フォルダ",
            "保管場所",
            "責任者",
            "棚卸し",
        ],
        [
            "medium",
            "label",
            "state",
            "folder",
            "place",
            "custodian",
            "stock-take",
        ],
    );
    if !rows.is_empty() {
        for line in table(heads, &rows, "  ") {
            session.output.say(&line);
        }
    }
    let in_service = states.data_in_service();
    let wanted = archive.store().copies_min();
    session
        .output
        .event(&json!({ "event": "media", "data_in_service": in_service, "copies_min": wanted }));
    let media = if in_service == 1 { "medium" } else { "media" };
    session.output.say(&lang.pick(
        format!(
            "使用中のデータ媒体 {in_service} 個。受領は {wanted} 個以上に書けたときだけ返します"
        ),
        format!(
            "{in_service} data {media} in service; nothing is acknowledged on fewer than {wanted}"
        ),
    ));
    archive.close()?;
    Ok(Exit::Done)
}

pub(super) fn one(session: &Session, text: &str) -> Result<Exit, Failure> {
    let archive = session.open(Access::Read)?;
    let ledger = MediaLedger::of(archive.catalog())?;
    let entry = find(session, &ledger, archive.config(), text)?;
    let state = States::of(&archive, &ledger).state(entry);
    session
        .output
        .event(&json_of(&archive, &ledger, entry, &state));
    session.output.say(&entry.short_name());
    let lang = session.output.lang;
    for (ja, en, value) in facts(&archive, &ledger, entry, &state, lang) {
        if !value.is_empty() {
            let name = lang.pick(ja, en);
            session
                .output
                .say(&format!("  {name}: {}", shown_name(&value)));
        }
    }
    archive.close()?;
    Ok(Exit::Done)
}

/// What is known of a medium: names in Japanese and English, and texts. An empty one is not known.
fn facts(
    archive: &Archive,
    ledger: &MediaLedger,
    entry: &MediumEntry,
    state: &State,
    lang: Lang,
) -> Vec<(&'static str, &'static str, String)> {
    let (time, by) = &entry.registered;
    let place = entry.place.as_ref();
    let counted = entry.counted_at.map(moment);
    let missing = missing_since(ledger, entry);
    let mut facts = vec![
        ("状態", "state", state.text(lang).to_owned()),
        ("フォルダ", "folder", folder(entry, state)),
        ("媒体 ID", "id", id(entry.medium)),
        ("表示", "label", entry.label.clone()),
        ("機種", "model", entry.model.clone()),
        ("製造番号", "serial number", entry.serial.clone()),
        ("秘密区分", "classification", entry.classification.clone()),
        (
            "保管場所",
            "place",
            place.map_or_else(String::new, |place| place.text(lang)),
        ),
        ("責任者", "custodian", entry.custodian.clone()),
        ("登録", "registered", format!("{} {by}", moment(*time))),
        ("最後の棚卸し", "counted last", counted.unwrap_or_default()),
        (
            "棚卸しで不明",
            "missing at the stock-take of",
            missing.map(moment).unwrap_or_default(),
        ),
    ];
    if !matches!(entry.standing, Standing::Left(..)) {
        let due = entry.count_due(&archive.config().media).to_string();
        facts.push(("次の棚卸し", "to be counted by", due));
    }
    for (time, moved) in &entry.moves {
        let on = moved.moved_on.clone().unwrap_or_else(|| moment(*time));
        facts.push(("移動", "moved", move_text(&on, moved, lang)));
    }
    facts
}

fn move_text(on: &str, moved: &MediumMoved, lang: Lang) -> String {
    let (to, carrier, witness) = (moved.to.text(lang), &moved.carrier, &moved.witness);
    let way = match &moved.from {
        Some(from) => lang.pick(
            format!("{} → {to}", from.name),
            format!("{} -> {to}", from.name),
        ),
        None => lang.pick(format!("{to} へ"), format!("to {to}")),
    };
    let seal = moved.seal.as_ref().map_or_else(String::new, |seal| {
        lang.pick(format!("、封印 {seal}"), format!(", seal {seal}"))
    });
    lang.pick(
        format!("{on} {way}、運搬 {carrier}、立会 {witness}{seal}"),
        format!("{on} {way}, carried by {carrier}, with {witness}{seal}"),
    )
}

/// When a medium was missed, if it was missing at the last stock-take.
fn missing_since(ledger: &MediaLedger, entry: &MediumEntry) -> Option<time::OffsetDateTime> {
    let (time, counted) = ledger.last_count.as_ref()?;
    let is_missing =
        counted.missing.contains(&entry.medium) && !matches!(entry.standing, Standing::Left(..));
    is_missing.then_some(*time)
}

/// Where it is, or where the ledger has it.
fn folder(entry: &MediumEntry, state: &State) -> String {
    let folder = state.found_at.as_ref().or(entry.directory.as_ref());
    folder.map_or_else(String::new, |path| path.display().to_string())
}

fn row(
    archive: &Archive,
    ledger: &MediaLedger,
    entry: &MediumEntry,
    state: &State,
    lang: Lang,
) -> [String; 7] {
    let due = entry.count_due(&archive.config().media);
    let place = entry.place.as_ref();
    let count = match (&entry.standing, missing_since(ledger, entry)) {
        (Standing::Left(..), _) => String::new(),
        (_, Some(time)) => {
            let on = day(time);
            lang.pick(format!("不明 {on}"), format!("missing on {on}"))
        }
        (Standing::InService | Standing::OutOfService(_), None) => {
            lang.pick(format!("{due} まで"), format!("by {due}"))
        }
    };
    [
        entry.short_name(),
        entry.label.clone(),
        state.text(lang).to_owned(),
        folder(entry, state),
        place.map_or_else(String::new, |place| place.text(lang)),
        entry.custodian.clone(),
        count,
    ]
    .map(|cell| shown_name(&cell))
}

fn json_of(archive: &Archive, ledger: &MediaLedger, entry: &MediumEntry, state: &State) -> Value {
    json!({
        "event": "medium", "medium": id(entry.medium), "name": entry.short_name(), "role": entry.role, "number": entry.number,
        "label": entry.label, "serial": entry.serial, "model": entry.model, "classification": entry.classification,
        "custodian": entry.custodian, "place": entry.place, "removable": entry.removable, "directory": entry.directory,
        "state": state.word, "why": state.why, "mounted": state.found_at.is_some(), "found_at": state.found_at,
        "registered_at": rfc3339(entry.registered.0), "registered_by": entry.registered.1,
        "counted_at": entry.counted_at.map(rfc3339), "count_due": entry.count_due(&archive.config().media).to_string(),
        "missing_since": missing_since(ledger, entry).map(rfc3339),
        "moves": entry.moves.iter().map(|(time, moved)| json!({ "at": rfc3339(*time), "facts": moved })).collect::<Vec<_>>(),
    })
}
