//! `archiver keys intake`

use std::path::Path;
use std::sync::Arc;

use formats::id::MediumId;
use serde_json::json;

use crate::archive::{Access, ArchiveError};
use crate::cli::arguments::Intake;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{counted, grouped};
use crate::cli::session::Session;
use crate::config::Config;
use crate::keys::events::KeyMediumFact;
use crate::keys::{Accepted, KeyError, KeyMedium, KeyPlace, LedgerAccess, Unlock};
use crate::store::durable::create_directories;

pub(super) fn run(session: &Session, command: &Intake) -> Result<Exit, Failure> {
    match command {
        Intake::Create { folder } => create(session, folder),
        Intake::Accept { folder } => accept(session, folder),
        Intake::Destroyed { medium, how } => destroyed(session, *medium, how),
    }
}

fn create(session: &Session, folder: &Path) -> Result<Exit, Failure> {
    let archive = session.open(Access::Write)?;
    create_directories(&*session.environment.disk, folder)
        .map_err(|error| KeyError::io(folder, "make the directory", error))?;
    let created = archive.create_intake(folder, &session.user)?;
    archive.close()?;
    let key = &created.public_key_sha256;
    session.output.event(&json!({
        "event": "intake-created", "folder": folder, "medium": created.intake.medium, "public_key_sha256": key,
    }));
    let shown = folder.display();
    session.output.say(&session.output.lang.pick(
        format!("預入専用の鍵媒体を {shown} に作りました(公開鍵の SHA-256: {key})。預け入れる機械の設定で keys に指定してください"),
        format!("made a write-only key medium in {shown} (SHA-256 of its public key: {key}): name it as keys in the configuration of the host that takes records in"),
    ));
    Ok(Exit::Done)
}

fn destroyed(session: &Session, medium: MediumId, how: &str) -> Result<Exit, Failure> {
    let archive = session.open(Access::Write)?;
    let destroyed = archive.record_intake_destroyed(medium, how, &session.user)?;
    archive.close()?;
    session.output.event(&json!({
        "event": "intake-destroyed", "medium": medium, "place": destroyed.intake.place, "how": how,
    }));
    session.output.say(&session.output.lang.pick(
        format!("預入専用の鍵媒体 {medium} の廃棄を記録しました"),
        format!("recorded that the intake medium {medium} was destroyed"),
    ));
    Ok(Exit::Done)
}

fn accept(session: &Session, folder: &Path) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let config = session.config()?;
    let unlock = session.unlock(&config)?;
    // The keys come before the records: the index then meets most of these with their keys.
    let accepted = take_over(session, &config, &unlock, folder)?;
    tell(session, &accepted);
    let recorded = record(session, config, &unlock, folder, &accepted);
    if let Err(failure) = recorded {
        let (exit, cause) = (failure.exit(), failure.text(lang));
        return Err(Failure::said(
            exit,
            lang,
            format!(
                "鍵は引き取りましたが、保管庫に記録できません({cause})。直してから、もう一度引き取ってください"
            ),
            format!(
                "the keys are taken over, but this cannot be recorded in the archive ({cause}): mend it, and accept again"
            ),
        ));
    }
    Ok(if accepted.is_sound() {
        Exit::Done
    } else {
        Exit::Integrity
    })
}

/// Takes the keys over. For that the key medium alone is enough.
fn take_over(
    session: &Session,
    config: &Config,
    unlock: &Unlock,
    folder: &Path,
) -> Result<Accepted, Failure> {
    let environment = &session.environment;
    let disk = || Arc::clone(&environment.disk);
    let entropy = || Arc::clone(&environment.entropy);
    let medium = KeyMedium::open(
        disk(),
        KeyPlace::new(&config.keys, &config.key_copies, config.key_copies_min),
        config.archive,
        unlock,
        LedgerAccess::Write,
        entropy(),
    )?;
    let label = session.output.lang.pick("鍵の引き取り", "taking keys over");
    let bar = session.output.spinner(label);
    let progress = &mut |taken| bar.set_position(taken);
    let accepted = medium.accept_intake(disk(), folder, entropy(), progress);
    bar.finish_and_clear();
    Ok(accepted?)
}

fn tell(session: &Session, accepted: &Accepted) {
    let lang = session.output.lang;
    let note = |ja: String, en: String| session.output.note(&lang.pick(ja, en));
    let damaged: Vec<String> = accepted.damaged.iter().map(ToString::to_string).collect();
    session.output.event(&json!({
        "event": "intake-accepted", "taken": accepted.taken.len(), "known": accepted.known, "damaged": damaged,
        "runs": accepted.runs.len(), "runs_refused": accepted.runs_refused, "whole": accepted.is_whole,
        "public_key_sha256": accepted.public_key, "foreign_key_sha256": accepted.foreign_key,
    }));
    let (taken, known) = (
        grouped(accepted.taken.len() as u64),
        grouped(accepted.known),
    );
    session.output.say(&lang.pick(
        format!("{taken} 件の鍵を引き取りました(引き取り済み {known} 件)"),
        format!("took over the keys of {taken} record versions ({known} were known)"),
    ));
    if let Some(found) = &accepted.foreign_key {
        let own = &accepted.public_key;
        note(
            format!(
                "この媒体の公開鍵は保管庫のものではありません(SHA-256 {found}、保管庫のものは {own})。すり替えられています。それ以後に預け入れたものは、この保管庫では開けず、すり替えた者が読めます。その機械を調べ、媒体を作り直してください"
            ),
            format!(
                "the public key on this medium is not the archive's (SHA-256 {found} instead of {own}): somebody replaced it. What was taken in since opens for whoever did that, and not here: examine that host, and make its medium anew"
            ),
        );
    }
    if !accepted.is_whole {
        note(
            "この媒体の一部が壊れています。開けるものはすべて引き取りました".to_owned(),
            "a part of this medium is damaged: everything on it that opens was taken over"
                .to_owned(),
        );
    }
    for run in &accepted.runs_refused {
        note(
            format!("実行 {run} の鍵は開きません。その実行で預け入れたものは読めません"),
            format!("the key of run {run} does not open: what that run took in cannot be read"),
        );
    }
    for version in &damaged {
        note(
            format!("記録 {version} の鍵は開きません"),
            format!("the key of record {version} does not open"),
        );
    }
}

/// Records it in the archive, reads into the index what it met before it had the keys, and says of which keys there is no record.
fn record(
    session: &Session,
    config: Config,
    unlock: &Unlock,
    folder: &Path,
    accepted: &Accepted,
) -> Result<(), Failure> {
    let archive = session.open_config(config, unlock, Access::Write)?;
    let label = KeyMediumFact::of(folder).medium;
    let media = archive.intake_media()?;
    let is_known = label.is_some() && media.iter().any(|one| one.medium.medium == label);
    archive.record_intake(folder, accepted, &session.user)?;
    let manifests = archive.manifest_opener()?;
    let reread = archive.catalog().reread_unreadable(&manifests);
    let reread = reread.map_err(ArchiveError::from)?;
    let mut unseen = 0_u64;
    for version in &accepted.taken {
        let hit = archive.catalog().version(*version);
        let hit = hit.map_err(ArchiveError::from)?;
        unseen += u64::from(hit.is_none_or(|hit| !hit.readable));
    }
    archive.close()?;
    let lang = session.output.lang;
    if !is_known {
        session.output.note(lang.pick(
            "この媒体を作った記録がありません(ラベルのない媒体か、写しです)。引き取りは記録しました",
            "there is no record that this medium was made here (it has no label, or was made by an earlier program). That it was accepted is recorded",
        ));
    }
    if reread > 0 {
        session
            .output
            .event(&json!({ "event": "index-reread", "versions": reread }));
        session.output.say(&lang.pick(
            format!(
                "引き取る前に索引に入っていた {} 版を読み直しました",
                grouped(reread)
            ),
            format!(
                "read {} anew that the index had met without a key",
                counted(reread, "version", "versions")
            ),
        ));
    }
    if unseen > 0 {
        session.output.note(&lang.pick(
            format!(
                "鍵 {} 個には記録がありません(中断された預入の鍵です)",
                grouped(unseen)
            ),
            format!(
                "{} without a record (of interrupted deposits)",
                counted(unseen, "key is", "keys are")
            ),
        ));
    }
    Ok(())
}
