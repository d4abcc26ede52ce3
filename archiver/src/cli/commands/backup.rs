//! `archiver backup`

use std::path::PathBuf;

use serde_json::json;

use crate::archive::{Access, Archive};
use crate::backup::ledger::{BackupDestroyed, BackupTaken, Backups};
use crate::backup::{self, BackupError, BackupOptions, Gaps, Protection, Removal};
use crate::cli::arguments::Backup;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::output::{grouped, sized};
use crate::cli::session::Session;
use crate::keys::provider::custodians::BackupKey;
use crate::keys::{KdfParameters, Passphrase};

use super::backup_texts::failure;

/// The credential that holds the passphrase of backups.
const CREDENTIAL: &str = "fumikura-backup-passphrase";

pub(in crate::cli) fn run(session: &Session, arguments: &Backup) -> Result<Exit, Failure> {
    if arguments.list {
        return list(session);
    }
    let passphrase = match &arguments.to {
        Some(_) if !arguments.custodians => Some(passphrase(
            session,
            arguments.backup_passphrase_file.as_ref(),
        )?),
        _ => None,
    };
    let archive = session.open(Access::Write)?;
    let options = |to: &PathBuf| BackupOptions {
        to: to.clone(),
        keep: arguments.keep,
        parameters: KdfParameters::default(),
    };
    let exit = match (&arguments.to, &passphrase, arguments.confirm_destroyed) {
        (Some(to), Some(passphrase), _) => {
            take(session, &archive, passphrase.into(), &options(to))?
        }
        (Some(to), None, _) => to_custodians(session, &archive, &options(to))?,
        (None, _, Some(generation)) => {
            let destroyed = backup::confirm_destroyed(&archive, &session.user, generation)
                .map_err(|error| failure(session, error))?;
            tell_destroyed(session, &destroyed);
            Exit::Done
        }
        (None, _, None) => prune(session, &archive)?,
    };
    archive.close()?;
    Ok(exit)
}

/// The passphrase of a backup, from a file or a credential.
pub(super) fn passphrase(session: &Session, file: Option<&PathBuf>) -> Result<Passphrase, Failure> {
    let credential = session
        .credentials
        .as_ref()
        .map(|folder| folder.join(CREDENTIAL));
    let place = file.cloned().or(credential.filter(|place| place.exists()));
    let place = place.ok_or_else(|| {
        Failure::said(
            Exit::Passphrase,
            session.output.lang,
            format!("バックアップのパスフレーズがありません。--backup-passphrase-file か資格情報 {CREDENTIAL} で渡してください"),
            format!("no passphrase for the backup: give --backup-passphrase-file or the credential {CREDENTIAL}"),
        )
    })?;
    Ok(Passphrase::from_file(&place).map_err(crate::archive::ArchiveError::from)?)
}

/// Seals a backup to the archive's custodians: none of them need be there.
fn to_custodians(
    session: &Session,
    archive: &Archive,
    options: &BackupOptions,
) -> Result<Exit, Failure> {
    let (key, keys_changed) = archive
        .backup_key()?
        .ok_or_else(|| failure(session, BackupError::NoCustodians))?;
    let exit = take(session, archive, Protection::Custodians(&key), options)?;
    let code = key.code(archive.config().archive);
    let (epoch, ceremony) = (key.epoch, &key.ceremony);
    session.output.say(&session.output.lang.pick(
        format!(
            "鍵管理者が開きます: バックアップの鍵 {epoch}、儀式 {code}、{}",
            people(&key)
        ),
        format!("custodians open it: backup key {epoch}, ceremony {code}, {ceremony}"),
    ));
    if keys_changed {
        session.output.note(session.output.lang.pick(
            "鍵媒体の儀式が、バックアップの儀式より後に行われています。バックアップの鍵管理者も替わるのなら archiver keys ceremony --backups を行ってください",
            "a ceremony for the key medium was held since the one for backups: if the custodians of backups are to change, too, run 'archiver keys ceremony --backups'",
        ));
    }
    Ok(exit)
}

/// Who opens a backup, in Japanese.
pub(super) fn people(key: &BackupKey) -> String {
    let custodians = &key.ceremony.custodians;
    let names: Vec<&str> = custodians.iter().map(|one| one.name.as_str()).collect();
    format!(
        "{} 人({})のうち {} 人",
        names.len(),
        names.join("、"),
        key.ceremony.threshold
    )
}

fn take(
    session: &Session,
    archive: &Archive,
    protection: Protection<'_>,
    options: &BackupOptions,
) -> Result<Exit, Failure> {
    let (lang, output) = (session.output.lang, &session.output);
    let bar = output.spinner(lang.pick("バックアップ", "backup"));
    let report = backup::take(archive, &session.user, protection, options);
    bar.finish_and_clear();
    let report = report.map_err(|error| failure(session, error))?;
    let taken = &report.taken;
    output.event(&json!({
        "event": "backup-taken", "generation": taken.generation, "file": taken.file, "bytes": taken.bytes,
        "sha256": taken.sha256, "created_at": taken.created_at, "files": taken.files, "verified": true,
        "versions_without_key": report.gaps.versions_without_key, "ledger_damaged": report.gaps.ledger_damaged,
        "files_missing": report.gaps.files, "key_epoch": taken.key_epoch, "ceremony": taken.ceremony,
    }));
    let (file, bytes, files) = (
        taken.file.display(),
        sized(taken.bytes),
        grouped(taken.files),
    );
    output.say(&lang.pick(
        format!(
            "バックアップ {} を {file} に書き、読み返して確かめました({files} ファイル、{bytes})",
            taken.generation
        ),
        format!(
            "wrote backup {} to {file} and read it back ({files} files, {bytes})",
            taken.generation
        ),
    ));
    let exit = tell_removal(session, report.older);
    let exit = exit.max(tell_gaps(session, &report.gaps));
    Ok(exit.max(tell_to_be_destroyed(session, archive)?))
}

/// Says what a backup lacks.
fn tell_gaps(session: &Session, gaps: &Gaps) -> Exit {
    if gaps.is_empty() {
        return Exit::Done;
    }
    let (lang, output) = (session.output.lang, &session.output);
    let (versions, damaged) = (gaps.versions_without_key, gaps.ledger_damaged);
    if versions > 0 || damaged > 0 {
        output.note(&lang.pick(
            format!("鍵台帳に損傷が {damaged} か所、鍵のない版が {versions} 版あります。このバックアップにもその鍵はありません。鍵媒体の複製か、以前のバックアップから復元するか、鍵のある預入専用の媒体を引き取ってください"),
            format!("the key ledger is damaged in {damaged} places, and {versions} versions have no key: this backup does not have their keys either. Restore them from a copy of the key medium or an older backup, or accept the intake medium that has them"),
        ));
    }
    for file in &gaps.files {
        let file = file.display();
        output.note(&lang.pick(
            format!("設定にあるファイル {file} を読めないか大きすぎ(4 MiB まで)、バックアップに入っていません"),
            format!("the configuration names {file}, which cannot be read or is too large (4 MiB at most): it is not in the backup"),
        ));
    }
    output.note(lang.pick(
        "以前のバックアップは一つも消していません",
        "no older backup was removed",
    ));
    Exit::Partial
}

fn prune(session: &Session, archive: &Archive) -> Result<Exit, Failure> {
    let removal = backup::prune(archive, &session.user).map_err(|error| failure(session, error))?;
    if removal.removed.is_empty() && removal.absent.is_empty() && removal.failed.is_empty() {
        session.output.say(session.output.lang.pick(
            "廃棄された鍵を含むバックアップはありません",
            "no backup holds a key that was destroyed",
        ));
    }
    let exit = tell_removal(session, removal);
    Ok(exit.max(tell_to_be_destroyed(session, archive)?))
}

/// The same after keys were destroyed: what hinders it does not undo that, and is told.
pub(super) fn prune_or_tell(session: &Session, archive: &Archive) -> Exit {
    prune(session, archive).unwrap_or_else(|failure| {
        session.output.note(&failure.text(session.output.lang));
        Exit::Partial
    })
}

/// Says which backups are no more, and which could not be removed.
fn tell_removal(session: &Session, removal: Removal) -> Exit {
    let (lang, output) = (session.output.lang, &session.output);
    for destroyed in &removal.removed {
        tell_destroyed(session, destroyed);
    }
    let mut exit = Exit::Done;
    for (one, error) in removal.failed {
        exit = Exit::Partial;
        let (generation, file) = (one.generation, one.file.display());
        let text = failure(session, error).text(lang);
        output.event(&json!({
            "event": "backup-not-destroyed", "generation": generation, "file": one.file, "text": text,
        }));
        output.note(&lang.pick(
            format!("バックアップ {generation}({file})を廃棄できませんでした: {text}"),
            format!("backup {generation} ({file}) could not be destroyed: {text}"),
        ));
    }
    exit
}

fn list(session: &Session) -> Result<Exit, Failure> {
    let archive = session.open(Access::Read)?;
    let (lang, output) = (session.output.lang, &session.output);
    let backups = Backups::read(&archive).map_err(|error| failure(session, error))?;
    let doomed: Vec<u32> = backups
        .to_be_destroyed(archive.keys().ledger())
        .iter()
        .map(|one| one.generation)
        .collect();
    for one in backups.taken.values() {
        let destroyed = backups.destroyed.get(&one.generation);
        let must_go = doomed.contains(&one.generation);
        let present = one.file.exists();
        output.event(&json!({
            "event": "backup", "generation": one.generation, "file": one.file, "bytes": one.bytes,
            "sha256": one.sha256, "created_at": one.created_at, "present": present, "to_be_destroyed": must_go,
            "destroyed": destroyed.map(|one| one.because), "finished": one.is_finished(), "key_epoch": one.key_epoch, "ceremony": one.ceremony,
        }));
        let state = match destroyed {
            Some(_) => lang.pick("廃棄済み", "destroyed"),
            None if must_go => lang.pick(
                "要廃棄(廃棄された鍵を含む)",
                "to be destroyed: holds destroyed keys",
            ),
            None if !one.is_finished() => {
                lang.pick("途中(書き終えていない)", "begun, not finished")
            }
            None if !present => lang.pick("この場所にはない", "not at this place"),
            None => lang.pick("あり", "kept"),
        };
        let opened_by = opened_by(one, lang);
        output.say(&format!(
            "{:>5}  {}  {:>10}  {opened_by}  {state}  {}",
            one.generation,
            backup::report::shown(&one.created_at),
            sized(one.bytes),
            one.file.display()
        ));
    }
    if backups.taken.is_empty() {
        output.say(lang.pick("バックアップはまだありません", "no backup was taken yet"));
    }
    if let Some((time, drill)) = &backups.drill {
        let when = crate::cli::output::moment(*time);
        let generation = drill.generation;
        output.say(&lang.pick(
            format!("最後の復元訓練: {when}、世代 {generation}"),
            format!("last restore drill: {when}, generation {generation}"),
        ));
    }
    Ok(if doomed.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    })
}

/// What opens a backup.
fn opened_by(one: &BackupTaken, lang: Lang) -> String {
    let (Some(epoch), Some(code)) = (one.key_epoch, &one.ceremony) else {
        return lang.pick("パスフレーズ", "passphrase").to_owned();
    };
    lang.pick(
        format!("バックアップの鍵 {epoch}(儀式 {code})"),
        format!("backup key {epoch} (ceremony {code})"),
    )
}

fn tell_destroyed(session: &Session, destroyed: &BackupDestroyed) {
    let file = destroyed.file.display();
    session.output.event(&json!({
        "event": "backup-destroyed", "generation": destroyed.generation, "file": destroyed.file, "because": destroyed.because,
    }));
    session.output.say(&session.output.lang.pick(
        format!(
            "バックアップ {} を廃棄しました: {file}",
            destroyed.generation
        ),
        format!("destroyed backup {}: {file}", destroyed.generation),
    ));
}

/// Names the backups from which destroyed keys could still be had.
fn tell_to_be_destroyed(session: &Session, archive: &Archive) -> Result<Exit, Failure> {
    let backups = Backups::read(archive).map_err(|error| failure(session, error))?;
    let doomed = backups.to_be_destroyed(archive.keys().ledger());
    for one in &doomed {
        let (generation, file) = (one.generation, one.file.display());
        session.output.event(&json!({
            "event": "to-be-destroyed", "generation": generation, "file": one.file,
        }));
        session.output.note(&session.output.lang.pick(
            format!("バックアップ {generation}({file})は廃棄された鍵を含みます。archiver backup --prune で廃棄するか、別の場所にあるなら廃棄してから --confirm-destroyed {generation} を実行してください"),
            format!("backup {generation} ({file}) holds keys that were destroyed: run 'archiver backup --prune', or destroy it where it is kept and run --confirm-destroyed {generation}"),
        ));
    }
    Ok(if doomed.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    })
}

#[cfg(test)]
mod tests {
    use formats::id::{RecordId, VersionId};

    use super::*;
    use crate::cli::fixture::Bench;
    use crate::store::StoreError;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test makes its own input files"
    )]
    fn the_list_ends_with_1_while_it_names_a_backup_to_be_destroyed() {
        let mut bench = Bench::new();
        let secret = bench.place.path().join("passphrase");
        std::fs::write(&secret, "known to everybody").unwrap();
        bench.session.common.passphrase_file = Some(secret);
        let archive = bench.open(Access::Write);
        let ledger = archive.keys().ledger();
        let version = VersionId::new(RecordId::from_bytes([7; 16]), 1).unwrap();
        let staged = ledger.wrap_new(version).unwrap();
        ledger.commit(staged.ticket()).unwrap();
        let mut taken = BackupTaken {
            generation: 1,
            file: bench.place.path().join("fumikura-00000001.backup"),
            bytes: 1,
            sha256: String::new(),
            created_at: "2020-01-01T00:00:00Z".to_owned(),
            files: 1,
            keys_without_record: 0,
            key_epoch: None,
            ceremony: None,
        };
        archive.record_event("tester", &taken).unwrap();
        archive.close().unwrap();
        assert_eq!(list(&bench.session).unwrap(), Exit::Done);
        let archive = bench.open(Access::Write);
        let now = archive.environment().clock.now();
        archive
            .keys()
            .destroy(&[version], now, &mut |_| {})
            .unwrap();
        // One that is newer than the destruction.
        taken.generation = 2;
        taken.created_at = "9999-01-01T00:00:00Z".to_owned();
        archive.record_event("tester", &taken).unwrap();
        archive.close().unwrap();
        assert_eq!(list(&bench.session).unwrap(), Exit::Partial);
        let archive = bench.open(Access::Write);
        backup::confirm_destroyed(&archive, "tester", 1).unwrap();
        archive.close().unwrap();
        assert_eq!(list(&bench.session).unwrap(), Exit::Done);
    }

    #[test]
    fn a_failure_of_the_archive_keeps_its_code_and_language() {
        let bench = Bench::new();
        let full = StoreError::MediumFull {
            directory: "/media/a".into(),
        };
        let failure = failure(&bench.session, BackupError::Archive(full.into()));
        assert_eq!(failure.exit(), Exit::Medium);
        assert!(failure.text(Lang::Ja).contains("満杯"));
    }
}
