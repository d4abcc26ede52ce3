//! `archiver keys intake`

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use crate::cli::arguments::Intake;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::grouped;
use crate::cli::session::Session;
use crate::keys::{KeyError, KeyMedium, KeyPlace, LedgerAccess};
use crate::store::durable::create_directories;

pub(super) fn run(session: &Session, command: &Intake) -> Result<Exit, Failure> {
    match command {
        Intake::Create { folder } => create(session, folder),
        Intake::Accept { folder } => accept(session, folder),
    }
}

fn create(session: &Session, folder: &Path) -> Result<Exit, Failure> {
    let environment = &session.environment;
    let medium = open(session, LedgerAccess::Read)?;
    create_directories(&*environment.disk, folder)
        .map_err(|error| KeyError::io(folder, "make the directory", error))?;
    let disk = Arc::clone(&environment.disk);
    medium.create_intake(disk, folder, Arc::clone(&environment.entropy))?;
    session
        .output
        .event(&json!({ "event": "intake-created", "folder": folder }));
    let shown = folder.display();
    session.output.say(&session.output.lang.pick(
        format!("預入専用の鍵媒体を {shown} に作りました。預け入れる機械の設定で keys に指定してください"),
        format!("made a write-only key medium in {shown}: name it as keys in the configuration of the host that takes records in"),
    ));
    Ok(Exit::Done)
}

fn accept(session: &Session, folder: &Path) -> Result<Exit, Failure> {
    let environment = &session.environment;
    let lang = session.output.lang;
    let medium = open(session, LedgerAccess::Write)?;
    let bar = session
        .output
        .spinner(lang.pick("鍵の引き取り", "taking keys over"));
    let disk = Arc::clone(&environment.disk);
    let entropy = Arc::clone(&environment.entropy);
    let accepted =
        medium.accept_intake(disk, folder, entropy, &mut |taken| bar.set_position(taken));
    bar.finish_and_clear();
    let accepted = accepted?;
    let damaged: Vec<String> = accepted.damaged.iter().map(ToString::to_string).collect();
    session.output.event(&json!({
        "event": "intake-accepted", "taken": accepted.taken, "known": accepted.known, "damaged": damaged,
    }));
    let (taken, known) = (grouped(accepted.taken), grouped(accepted.known));
    session.output.say(&lang.pick(
        format!("{taken} 件の鍵を引き取りました(引き取り済み {known} 件)"),
        format!("took over the keys of {taken} record versions ({known} were known)"),
    ));
    for version in &damaged {
        session.output.note(&lang.pick(
            format!("記録 {version} の鍵は壊れています"),
            format!("the key of record {version} is damaged"),
        ));
    }
    Ok(if damaged.is_empty() {
        Exit::Done
    } else {
        Exit::Integrity
    })
}

fn open(session: &Session, access: LedgerAccess) -> Result<KeyMedium, Failure> {
    let config = session.config()?;
    let unlock = session.unlock(&config)?;
    let environment = &session.environment;
    Ok(KeyMedium::open(
        Arc::clone(&environment.disk),
        KeyPlace::new(&config.keys, &config.key_copies, config.key_copies_min),
        config.archive,
        &unlock,
        access,
        Arc::clone(&environment.entropy),
    )?)
}
