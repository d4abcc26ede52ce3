//! `archiver media register`, `archiver media move`

use std::path::Path;

use formats::id::MediumId;
use serde_json::json;

use super::{absolute, find, id};
use crate::archive::{Access, Archive, ArchiveError};
use crate::cli::arguments::media::{MediaMove, MediaRegister};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::media::facts::{MediumMoved, MediumRegistered, Place, Role};
use crate::media::{MediaLedger, MediumEntry, of_label};
use crate::store::{read_label, write_label};

pub(super) fn register(session: &Session, arguments: &MediaRegister) -> Result<Exit, Failure> {
    let archive = session.open(Access::Write)?;
    let ledger = MediaLedger::of(archive.catalog())?;
    let known = find(session, &ledger, archive.config(), &arguments.medium).ok();
    let mut facts = match known {
        Some(entry) => MediumRegistered {
            medium: Some(entry.medium),
            ..MediumRegistered::default()
        },
        None => unknown(session, &archive, &ledger, arguments)?,
    };
    if let (Some(entry), Some(role)) = (known, arguments.role)
        && entry.role != role
    {
        let within = entry.role.holds_keys() && role.holds_keys();
        if !within {
            return Err(refusal(
                session,
                format!(
                    "{} の用途は {} から {role} に変えられません",
                    entry.short_name(),
                    entry.role
                ),
                format!(
                    "{} is for {} and cannot become one for {role}",
                    entry.short_name(),
                    entry.role
                ),
            ));
        }
    }
    fill(&mut facts, arguments);
    if let (Some(entry), Some(classification)) = (known, &arguments.classification) {
        relabel(&archive, entry, classification)?;
    }
    archive.record_event(&session.user, &facts)?;
    let medium = facts.medium.map(id).unwrap_or_default();
    session
        .output
        .event(&json!({ "event": "registered", "medium": medium }));
    session.output.say(&session.output.lang.pick(
        format!("媒体 {medium} を台帳に記録しました"),
        format!("entered the medium {medium} in the ledger"),
    ));
    archive.close()?;
    Ok(Exit::Done)
}

/// A medium that the ledger does not know: mounted with a label of this archive, or without any, such as an export disk.
fn unknown(
    session: &Session,
    archive: &Archive,
    ledger: &MediaLedger,
    arguments: &MediaRegister,
) -> Result<MediumRegistered, Failure> {
    let folder = absolute(Path::new(&arguments.medium));
    if let Ok(label) = read_label(&folder) {
        if label.archive != archive.config().archive {
            return Err(refusal(
                session,
                format!(
                    "{} は別の保管庫({})の媒体です",
                    folder.display(),
                    label.archive
                ),
                format!(
                    "the medium at {} belongs to another archive ({})",
                    folder.display(),
                    label.archive
                ),
            ));
        }
        return Ok(of_label(&label, &folder));
    }
    let role = arguments
        .role
        .filter(|role| matches!(role, Role::Export | Role::KeyCopy));
    let Some(role) = role else {
        return Err(refusal(
            session,
            format!(
                "{} は台帳になく、ラベルのある媒体でもありません。書き出し用などの新しい媒体は --role export または key-copy を付けてください",
                arguments.medium
            ),
            format!(
                "'{}' is neither in the ledger nor a labelled medium; for a new one of another kind give --role export or key-copy",
                arguments.medium
            ),
        ));
    };
    let environment = archive.environment();
    let now = environment.clock.now().unix_timestamp_nanos() / 1_000_000;
    let mut random = [0; 10];
    environment
        .entropy
        .fill(&mut random)
        .map_err(ArchiveError::from)?;
    let medium = MediumId::new(u64::try_from(now).unwrap_or_default(), &random);
    Ok(MediumRegistered {
        medium: Some(medium),
        role: Some(role),
        number: Some(ledger.next_number(role)),
        label: Some(arguments.medium.clone()),
        removable: Some(true),
        ..MediumRegistered::default()
    })
}

fn fill(facts: &mut MediumRegistered, arguments: &MediaRegister) {
    let given = |here: &mut Option<String>, new: &Option<String>| {
        if new.is_some() {
            here.clone_from(new);
        }
    };
    given(&mut facts.label, &arguments.label);
    given(&mut facts.serial, &arguments.serial);
    given(&mut facts.model, &arguments.model);
    given(&mut facts.classification, &arguments.classification);
    given(&mut facts.custodian, &arguments.custodian);
    facts.role = arguments.role.or(facts.role);
    facts.removable = arguments.removable.or(facts.removable);
    if let (Some(name), Some(class)) = (&arguments.place, arguments.place_class) {
        facts.place = Some(Place {
            name: name.clone(),
            class,
        });
    }
}

/// The label on the medium must say what the ledger says.
fn relabel(archive: &Archive, entry: &MediumEntry, classification: &str) -> Result<(), Failure> {
    let Some(directory) = &entry.directory else {
        return Ok(());
    };
    let directory = archive.config().placed(directory);
    let Some(mut label) = read_label(&directory)
        .ok()
        .filter(|label| label.medium == entry.medium)
    else {
        return Ok(());
    };
    if label.classification != classification {
        classification.clone_into(&mut label.classification);
        write_label(archive.environment().disk.as_ref(), &directory, &label)?;
    }
    Ok(())
}

pub(super) fn moved(session: &Session, arguments: &MediaMove) -> Result<Exit, Failure> {
    let person = |name: &str| {
        name.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    let (carrier, witness) = (person(&arguments.carrier), person(&arguments.witness));
    if carrier.is_empty() || witness.is_empty() || carrier == witness {
        return Err(refusal(
            session,
            "媒体の移動には二人が要ります。--carrier と --witness に別の人を指定してください"
                .to_owned(),
            "two people move a medium: --carrier and --witness must be different".to_owned(),
        ));
    }
    let day = time::macros::format_description!("[year]-[month]-[day]");
    if arguments
        .on
        .as_ref()
        .is_some_and(|on| time::Date::parse(on, day).is_err())
    {
        return Err(refusal(
            session,
            "--on は 2026-01-31 の形で指定してください".to_owned(),
            "--on takes a day, as 2026-01-31".to_owned(),
        ));
    }
    let archive = session.open(Access::Write)?;
    let ledger = MediaLedger::of(archive.catalog())?;
    let entry = find(session, &ledger, archive.config(), &arguments.medium)?;
    let facts = MediumMoved {
        medium: entry.medium,
        from: entry.place.clone(),
        to: Place {
            name: arguments.to.clone(),
            class: arguments.place_class,
        },
        carrier: arguments.carrier.clone(),
        witness: arguments.witness.clone(),
        seal: arguments.seal.clone(),
        moved_on: arguments.on.clone(),
        custodian: arguments.custodian.clone(),
    };
    archive.record_event(&session.user, &facts)?;
    session
        .output
        .event(&json!({ "event": "moved", "medium": id(entry.medium), "facts": facts }));
    let (name, to) = (entry.short_name(), &arguments.to);
    session.output.say(&session.output.lang.pick(
        format!("{name} の移動を記録しました: {to}"),
        format!("recorded that {name} was moved to {to}"),
    ));
    archive.close()?;
    Ok(Exit::Done)
}

fn refusal(session: &Session, ja: String, en: String) -> Failure {
    Failure::said(Exit::Usage, session.output.lang, ja, en)
}
