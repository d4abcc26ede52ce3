//! `archiver keys ceremony --backups`: who opens backups.

use serde_json::json;

use crate::archive::Access;
use crate::cli::arguments;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::keys::custody::BackupKeyMade;
use crate::keys::provider::custodians::{BackupKey, Ceremony, ShareKind, Sheet};
use crate::keys::{KeyError, ProviderKind};

use super::ceremony::{advise, show_sheets, write_sheets};

/// Makes the key that backups are sealed to, hands out the shares of its private half, has each proven, and only then records its public half:
/// from then on it is in force. What opens the key medium is asked for, also where a key is held.
pub(super) fn hold(
    session: &Session,
    arguments: &arguments::Ceremony,
    names: &[String],
) -> Result<Exit, Failure> {
    let config = session.config()?;
    let unlock = session.unlock_anew(&config)?;
    let archive = session.open_config(config, &unlock, Access::Write)?;
    if archive.keys().provider().describe().kind == ProviderKind::Intake {
        return Err(KeyError::WriteOnly.into());
    }
    let last = archive.backup_key()?.map_or(0, |(key, _)| key.epoch);
    let epoch = last.saturating_add(1);
    let environment = archive.environment();
    let (now, entropy) = (environment.clock.now(), environment.entropy.as_ref());
    let id = archive.config().archive;
    let (kind, threshold) = (ShareKind::Backups, arguments.threshold);
    let held = Ceremony::hold_for(kind, id, threshold, names, now, entropy)?;
    let key = BackupKey::of(&held, epoch)?;
    let sheets: Vec<Sheet<'_>> = Sheet::all(id, epoch, &held).collect();
    match &arguments.out {
        Some(folder) => write_sheets(session, folder, &sheets, &held)?,
        None => show_sheets(session, &sheets, &held)?,
    }
    archive.record_event(&session.user, &BackupKeyMade { key: key.clone() })?;
    announce(session, &key, &key.code(id), last);
    if let Some(folder) = &arguments.out {
        advise(session, folder);
    }
    archive.close()?;
    Ok(Exit::Done)
}

fn announce(session: &Session, key: &BackupKey, code: &str, last: u32) {
    let (lang, output) = (session.output.lang, &session.output);
    let (epoch, ceremony) = (key.epoch, &key.ceremony);
    output.event(&json!({
        "event": "backup-ceremony", "key_epoch": epoch, "ceremony": code, "threshold": ceremony.threshold,
        "custodians": ceremony.custodians.iter().map(|one| &one.name).collect::<Vec<_>>(),
    }));
    let people = crate::cli::commands::backup::people(key);
    output.say(&lang.pick(
        format!(
            "バックアップの鍵 {epoch}(儀式 {code})を作りました: {people}で開きます。archiver backup --custodians は、これからこの鍵に封じます"
        ),
        format!(
            "made backup key {epoch} (ceremony {code}): {ceremony} open what 'archiver backup --custodians' seals from now on"
        ),
    ));
    if last > 0 {
        output.note(&lang.pick(
            format!("これまでのバックアップは、鍵 {last} までの分散片で開きます。それらを要廃棄とするまで、以前の用紙も保管してください。新しいバックアップを取ってください"),
            format!("earlier backups go on opening with the shares of keys up to {last}: keep those sheets as long as those backups, and take a new backup"),
        ));
    }
}
