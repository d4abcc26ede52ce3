//! `archiver media list`, `archiver media show`

use serde_json::{Value, json};

use super::{find, id};
use crate::archive::{Access, Archive};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::output::{moment, shown_name};
use crate::cli::query::rfc3339;
use crate::cli::session::Session;
use crate::media::facts::Leaving;
use crate::media::{MediaLedger, MediumEntry, Standing};
use crate::store::{ReplicaCondition, read_label};

pub(super) fn list(session: &Session) -> Result<Exit, Failure> {
    let archive = session.open(Access::Read)?;
    let ledger = MediaLedger::of(archive.catalog())?;
    for entry in ledger.all() {
        print(session, &archive, entry);
    }
    let states = archive.store().replicas();
    let in_service = states
        .iter()
        .filter(|one| one.state.is_in_service())
        .count();
    let wanted = archive.store().copies_min();
    session
        .output
        .event(&json!({ "event": "media", "data_in_service": in_service, "copies_min": wanted }));
    session.output.say(&session.output.lang.pick(
        format!(
            "データ媒体 {in_service} 個を使用中。受領は {wanted} 個以上に書けたときだけ返します"
        ),
        format!(
            "{in_service} data media in service; nothing is acknowledged on fewer than {wanted}"
        ),
    ));
    archive.close()?;
    Ok(Exit::Done)
}

pub(super) fn one(session: &Session, text: &str) -> Result<Exit, Failure> {
    let archive = session.open(Access::Read)?;
    let ledger = MediaLedger::of(archive.catalog())?;
    let entry = find(session, &ledger, archive.config(), text)?;
    print(session, &archive, entry);
    let lang = session.output.lang;
    let say = |ja: &str, en: &str, value: &str| {
        let name = lang.pick(ja, en);
        session
            .output
            .say(&format!("  {name}: {}", shown_name(value)));
    };
    say("媒体 ID", "id", &id(entry.medium));
    say("機種", "model", &entry.model);
    say("製造番号", "serial number", &entry.serial);
    say("秘密区分", "classification", &entry.classification);
    say("責任者", "custodian", &entry.custodian);
    let (time, by) = &entry.registered;
    say("登録", "registered", &format!("{} {by}", moment(*time)));
    if let Some(time) = entry.counted_at {
        say("最後の棚卸し", "counted last", &moment(time));
    }
    let due = entry.count_due(&archive.config().media).to_string();
    say("次の棚卸し", "to be counted by", &due);
    for (time, moved) in &entry.moves {
        let seal = moved.seal.as_deref().unwrap_or("-");
        let on = moved.moved_on.clone().unwrap_or_else(|| moment(*time));
        let from = moved.from.as_ref().map_or("?", |place| place.name.as_str());
        let (to, carrier, witness) = (&moved.to.name, &moved.carrier, &moved.witness);
        say(
            "移動",
            "moved",
            &lang.pick(
                format!("{on} {from} → {to}、運搬 {carrier}、立会 {witness}、封印 {seal}"),
                format!("{on} {from} -> {to}, carried by {carrier}, with {witness}, seal {seal}"),
            ),
        );
    }
    archive.close()?;
    Ok(Exit::Done)
}

fn print(session: &Session, archive: &Archive, entry: &MediumEntry) {
    let lang = session.output.lang;
    let mounted = archive
        .store()
        .replicas()
        .into_iter()
        .find(|replica| replica.medium == entry.medium);
    let here = entry.directory.as_ref().is_some_and(|directory| {
        read_label(&archive.config().placed(directory))
            .is_ok_and(|label| label.medium == entry.medium)
    });
    let condition = mounted.map(|replica| replica.state);
    let state = state_text(entry, condition, here, lang);
    session
        .output
        .event(&json_of(archive, entry, condition, here));
    let place = entry
        .place
        .as_ref()
        .map_or("-", |place| place.name.as_str());
    let directory = entry
        .directory
        .as_ref()
        .map_or_else(|| "-".to_owned(), |path| path.display().to_string());
    let due = entry.count_due(&archive.config().media);
    let cells = [
        format!("{:<10}", entry.short_name()),
        entry.label.clone(),
        state,
        directory,
        place.to_owned(),
        entry.custodian.clone(),
        match entry.standing {
            Standing::Left(..) => String::new(),
            Standing::InService | Standing::OutOfService(_) => {
                lang.pick(format!("棚卸し {due} まで"), format!("count by {due}"))
            }
        },
    ];
    let cells: Vec<String> = cells
        .iter()
        .filter(|cell| !cell.is_empty())
        .map(|cell| shown_name(cell))
        .collect();
    session.output.say(&cells.join("  "));
}

fn state_text(
    entry: &MediumEntry,
    condition: Option<ReplicaCondition>,
    here: bool,
    lang: Lang,
) -> String {
    match (&entry.standing, condition) {
        (Standing::Left(time, why), _) => {
            let time = moment(*time);
            let (ja, en) = match why {
                Leaving::Replaced => ("交換済み", "replaced"),
                Leaving::Migrated => ("移行済み", "migrated"),
                Leaving::Retired => ("除籍", "retired"),
            };
            lang.pick(format!("{ja} {time}"), format!("{en} {time}"))
        }
        (_, Some(ReplicaCondition::OutOfService(out))) => {
            let since = moment(out.since);
            lang.pick(
                format!(
                    "使用停止 {since}({})",
                    crate::cli::media_words::cause_ja(out.cause)
                ),
                format!(
                    "out of service since {since} ({})",
                    crate::store::cause_text(out.cause)
                ),
            )
        }
        (_, Some(ReplicaCondition::InService)) => lang.pick("使用中", "in service").to_owned(),
        (_, None) if here => lang.pick("接続中", "mounted").to_owned(),
        (_, None) => lang.pick("未接続", "not mounted").to_owned(),
    }
}

fn json_of(
    archive: &Archive,
    entry: &MediumEntry,
    condition: Option<ReplicaCondition>,
    here: bool,
) -> Value {
    let (standing, why) = match &entry.standing {
        Standing::InService => ("in-service", None),
        Standing::OutOfService(out) => ("out-of-service", Some(json!(out.cause))),
        Standing::Left(_, why) => ("left", Some(json!(why))),
    };
    let standing = match condition {
        Some(ReplicaCondition::OutOfService(_)) => "out-of-service",
        _ => standing,
    };
    json!({
        "event": "medium", "medium": id(entry.medium), "name": entry.short_name(), "role": entry.role, "number": entry.number,
        "label": entry.label, "serial": entry.serial, "model": entry.model, "classification": entry.classification,
        "custodian": entry.custodian, "place": entry.place, "removable": entry.removable, "directory": entry.directory,
        "state": standing, "why": why, "mounted": here || condition.is_some_and(ReplicaCondition::is_in_service),
        "registered_at": rfc3339(entry.registered.0), "registered_by": entry.registered.1,
        "counted_at": entry.counted_at.map(rfc3339), "count_due": entry.count_due(&archive.config().media).to_string(),
        "moves": entry.moves.iter().map(|(time, moved)| json!({ "at": rfc3339(*time), "facts": moved })).collect::<Vec<_>>(),
    })
}
