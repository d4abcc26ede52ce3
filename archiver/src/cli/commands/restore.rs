//! `archiver restore`

use std::num::NonZeroUsize;

use formats::id::VersionId;
use verifier::context::Context;

use crate::archive::{Access, Archive};
use crate::backup::header::{Opening, read_header};
use crate::backup::ledger::Backups;
use crate::backup::report::Drill;
use crate::backup::restore::{self, Restored};
use crate::backup::{BackupError, drill, rfc3339};
use crate::cli::arguments::Restore;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::output::grouped;
use crate::cli::session::Session;
use crate::evidence::verify_records::{Outcome, RecordVerdict, RecordVerifier, VerifyError};
use crate::keys::provider::ProviderKind;
use crate::keys::{DataKey, Passphrase, Unlock};
use crate::store::durable;

use super::backup::passphrase;
use super::backup_texts::failure;
use super::deposit::records_bar;

pub(in crate::cli) fn run(session: &Session, arguments: &Restore) -> Result<Exit, Failure> {
    let clock = session.environment.clock.as_ref();
    let started = clock.now();
    let elapsed_ms = || {
        let elapsed = clock.now() - started;
        u64::try_from(elapsed.whole_milliseconds()).unwrap_or(0)
    };
    let secret = Secret::obtain(session, arguments)?;
    let disk = session.environment.disk.as_ref();
    let restored = restore::restore(
        disk,
        &arguments.from,
        secret.opening(),
        &arguments.data,
        &arguments.into,
        arguments.evaluation,
    )
    .map_err(|error| failure(session, error))?;
    let keys = session.unlock(&restored.config)?;
    let archive = session.open_config(restored.config.clone(), &keys, Access::Read)?;
    let is_recorded = match is_recorded(session, arguments, &archive, &restored) {
        Ok(is_recorded) => is_recorded,
        Err(failed) => {
            drop(archive);
            restore::take_back(disk, &arguments.into).map_err(|error| failure(session, error))?;
            return Err(failed);
        }
    };
    let mut drill = begun(session, &restored);
    drill.file.clone_from(&arguments.from);
    drill.started_at = rfc3339(started);
    drill.evaluation = restored.config.evaluation;
    drill.restored_ms = elapsed_ms();
    let sample = drill::sample(&archive, arguments.sample, &mut drill)
        .map_err(|error| failure(session, error))?;
    verify(session, &archive, &sample, &mut drill)?;
    let backups = Backups::read(&archive).map_err(|error| failure(session, error))?;
    let finished = backups.taken.values().filter(|one| one.is_finished());
    let newest = finished.map(|one| one.generation).max();
    drill.newer_generation = newest.filter(|newest| *newest > drill.generation);
    let doomed = archive.keys().ledger().shut_out_versions();
    let holder = archive.keys().provider().describe().kind;
    archive.close()?;
    bury(session, &restored, (&keys, holder), &doomed);
    drill.total_ms = elapsed_ms();
    write(session, arguments, &drill, &sample)?;
    tell(session, arguments, &drill);
    record(session, &restored, &drill)?;
    Ok(
        if drill.is_good() && drill.destroyed_keys == 0 && is_recorded {
            Exit::Done
        } else if drill.not_passed > 0 {
            Exit::Integrity
        } else {
            Exit::Partial
        },
    )
}

/// What opens the backup.
enum Secret {
    Passphrase(Passphrase),
    /// What enough of the custodians' shares gave.
    Custodians(DataKey),
}

impl Secret {
    fn obtain(session: &Session, arguments: &Restore) -> Result<Self, Failure> {
        let read = read_header(&arguments.from);
        let (header, _) = read.map_err(|error| failure(session, error))?;
        match header.custodians() {
            Some(key) if arguments.backup_passphrase_file.is_none() => {
                session.tell_backup_custodians(header.archive, key);
                let shares = &arguments.backup_share;
                let secret = session.gather(header.archive, &key.ceremony, shares)?;
                Ok(Self::Custodians(secret))
            }
            None if !arguments.backup_share.is_empty() => {
                let path = arguments.from.clone();
                Err(failure(session, BackupError::NeedsPassphrase { path }))
            }
            _ => {
                let file = arguments.backup_passphrase_file.as_ref();
                Ok(Self::Passphrase(passphrase(session, file)?))
            }
        }
    }

    const fn opening(&self) -> Opening<'_> {
        match self {
            Self::Passphrase(passphrase) => Opening::Passphrase(passphrase),
            Self::Custodians(secret) => Opening::Custodians(secret),
        }
    }
}

/// Anybody can seal something to custodians: what the archive did not record as this backup, it did not make. One that it recorded nothing of is
/// taken only where that is asked for.
fn is_recorded(
    session: &Session,
    arguments: &Restore,
    archive: &Archive,
    restored: &Restored,
) -> Result<bool, Failure> {
    if restored.header.custodians().is_none() {
        return Ok(true);
    }
    let backups = Backups::read(archive).map_err(|error| failure(session, error))?;
    let generation = restored.header.generation;
    let recorded = backups.taken.get(&generation);
    match recorded.filter(|one| one.is_finished()) {
        Some(taken) if taken.sha256 == hex::encode(restored.sha256) => Ok(true),
        Some(_) => {
            let path = arguments.from.clone();
            Err(failure(
                session,
                BackupError::NotRecorded { path, generation },
            ))
        }
        None => {
            let (ja, en) = (
                format!(
                    "データ媒体にバックアップ {generation} の記録がありません。保管庫が作ったものかどうかは確かめられません"
                ),
                format!(
                    "the data media do not tell of backup {generation}: nothing proves that the archive made it"
                ),
            );
            if arguments.unrecorded {
                session.output.note(&session.output.lang.pick(ja, en));
                return Ok(false);
            }
            Err(Failure::said(
                Exit::Partial,
                session.output.lang,
                format!(
                    "{ja}。復元したものは消しました。それでも使うなら --unrecorded を付けてください"
                ),
                format!(
                    "{en}; what was restored was removed again. Give --unrecorded to have it all the same"
                ),
            ))
        }
    }
}

/// What was destroyed since the backup was made must not come back with it.
fn bury(
    session: &Session,
    restored: &Restored,
    (unlock, holder): (&Unlock, ProviderKind),
    doomed: &[VersionId],
) {
    if doomed.is_empty() {
        return;
    }
    let count = grouped(doomed.len() as u64);
    let said = match restore::bury(restored, unlock.into(), holder, doomed, &session.environment) {
        Ok(true) => session.output.lang.pick(
            format!("バックアップの後に廃棄した {count} 版の鍵は、復元した鍵媒体からも廃棄しました"),
            format!("the keys of {count} versions that were destroyed since the backup was made were destroyed in the restored key medium, too"),
        ),
        Ok(false) => session.output.lang.pick(
            format!("バックアップの後に廃棄した {count} 版の鍵が復元した鍵媒体にあります。使いませんが、トークンの鍵は保管庫と共用のため、ここでは廃棄できません。復元先のフォルダを消してください"),
            format!("the restored key medium holds keys of {count} versions that were destroyed since: they are not used, but the token's key is also the archive's own, so they cannot be destroyed here; remove the restored folder"),
        ),
        Err(error) => {
            let error = failure(session, error).text(session.output.lang);
            session.output.lang.pick(
                format!("バックアップの後に廃棄した {count} 版の鍵を、復元した鍵媒体から廃棄できませんでした(使いはしません): {error}"),
                format!("the keys of {count} versions that were destroyed since could not be destroyed in the restored key medium (they are not used): {error}"),
            )
        }
    };
    session.output.note(&said);
}

fn begun(session: &Session, restored: &Restored) -> Drill {
    Drill {
        archive: restored.config.archive.to_string(),
        generation: restored.header.generation,
        backup_created_at: restored.header.created_at.clone(),
        sha256: hex::encode(restored.sha256),
        data: restored.config.data.clone(),
        files: restored.files,
        bytes: restored.bytes,
        by: session.user.clone(),
        ..Drill::default()
    }
}

fn verify(
    session: &Session,
    archive: &Archive,
    versions: &[VersionId],
    drill: &mut Drill,
) -> Result<(), Failure> {
    let anchors = archive.trust()?;
    let registry = archive.registry()?;
    let verifier = RecordVerifier {
        retriever: archive.retriever(),
        catalog: archive.catalog(),
        frames: archive.store(),
        context: Context {
            anchors: &anchors,
            certificates: &[],
            crls: &[],
            ocsp_responses: &[],
            policy: archive.policy(),
            time: session.environment.clock.now(),
            cache: None,
            registry: registry.as_ref(),
        },
        workers: NonZeroUsize::MIN,
        lang: session.output.lang,
    };
    let bar = records_bar(
        session,
        "記録の検証",
        "verifying records",
        versions.len() as u64,
    );
    let mut each = |verdict: &RecordVerdict| {
        bar.inc(1);
        if !matches!(verdict.outcome, Outcome::Passed { .. }) {
            let said = outcome(&verdict.outcome, session.output.lang);
            let text = format!("{}: {said}", verdict.version);
            bar.suspend(|| session.output.note(&text));
        }
    };
    let summary = verifier.verify_versions(versions, &mut each);
    bar.finish_and_clear();
    let summary = summary.map_err(|error| unverified(error, session.output.lang))?;
    drill.sampled = summary.versions;
    drill.passed = summary.passed;
    drill.unstamped = summary.unstamped;
    drill.not_passed = summary.indeterminate + summary.failed + summary.unreadable;
    Ok(())
}

/// What was found of a version that did not pass.
fn outcome(outcome: &Outcome, lang: Lang) -> String {
    match outcome {
        Outcome::Passed { .. } => lang.pick("合格", "passed").to_owned(),
        Outcome::Unstamped { .. } => lang
            .pick("完全、タイムスタンプ待ち", "whole, waits for its timestamp")
            .to_owned(),
        Outcome::NotPassed {
            judgement,
            findings,
        } => {
            let codes: Vec<&str> = findings.iter().map(|one| one.code().id()).collect();
            format!("{} {}", judgement.conclusion(), codes.join(", "))
        }
        Outcome::Unreadable(error) => error.text(lang),
        Outcome::NoEvidence(error) => lang.pick(
            format!("証拠がないか、読めません: {error}"),
            error.to_string(),
        ),
    }
}

fn unverified(error: VerifyError, lang: Lang) -> Failure {
    match error {
        VerifyError::Store(error) => error.into(),
        VerifyError::Machine(_) | VerifyError::Changed => Failure::said(
            Exit::Unusable,
            lang,
            format!("検証を始められませんでした: {error}"),
            error.to_string(),
        ),
    }
}

fn write(
    session: &Session,
    arguments: &Restore,
    drill: &Drill,
    sample: &[VersionId],
) -> Result<(), Failure> {
    let mut value = serde_json::to_value(drill).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        let result = if drill.is_good() {
            "passed"
        } else {
            "not-passed"
        };
        members.insert("result".to_owned(), result.into());
        let sample: Vec<String> = sample.iter().map(ToString::to_string).collect();
        members.insert("sample".to_owned(), sample.into());
    }
    let json = serde_json::to_vec_pretty(&value).unwrap_or_default();
    for (name, contents) in [
        ("restore-report.json", json),
        ("restore-report.ja.html", drill.html(Lang::Ja).into_bytes()),
        ("restore-report.en.html", drill.html(Lang::En).into_bytes()),
    ] {
        let path = arguments.into.join(name);
        durable::replace_file(session.environment.disk.as_ref(), &path, &contents)
            .map_err(|source| failure(session, BackupError::Io { path, source }))?;
    }
    Ok(())
}

fn tell(session: &Session, arguments: &Restore, drill: &Drill) {
    let (lang, output) = (session.output.lang, &session.output);
    let mut value = serde_json::to_value(drill).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.insert("event".to_owned(), "restore-drilled".into());
        members.insert("good".to_owned(), drill.is_good().into());
    }
    output.event(&value);
    output.say(drill.text(lang).trim_end());
    if drill.without_key > 0 {
        let count = drill.without_key;
        output.note(&lang.pick(
            format!("このバックアップには {count} 版の鍵がありません。古い世代です。新しい世代か、鍵媒体の複製を使ってください"),
            format!("this backup has no key for {count} versions: it is old; use a newer generation or a copy of the key medium"),
        ));
    }
    if drill.without_record > 0 {
        let count = drill.without_record;
        output.note(&lang.pick(
            format!("このデータ媒体には、バックアップに鍵のある {count} 版の記録がありません。媒体がバックアップより古いか、記録が失われています"),
            format!("the data media hold no record of {count} versions that the backup has keys for: they are older than the backup, or records are lost"),
        ));
    }
    if drill.destroyed_keys > 0 {
        let (count, generation) = (drill.destroyed_keys, drill.generation);
        let file = drill.file.display();
        output.note(&lang.pick(
            format!("バックアップ {generation}({file})は、その後に廃棄した {count} 版の鍵を含みます。廃棄してください(archiver backup --prune、別の場所にあるものは廃棄してから --confirm-destroyed {generation})"),
            format!("backup {generation} ({file}) holds keys of {count} versions that were destroyed since: destroy it (archiver backup --prune, or where it is kept, then --confirm-destroyed {generation})"),
        ));
    }
    if drill.sampled == 0 && drill.keys > 0 {
        output.note(lang.pick(
            "一つの版も検証していないため、合格ではありません",
            "no version was verified: that is no proof of the backup",
        ));
    }
    let place = arguments.into.display();
    output.say(&lang.pick(
        format!("報告: {place}/restore-report.ja.html"),
        format!("report: {place}/restore-report.en.html"),
    ));
}

/// Records the drill in the archive itself, where its own configuration is at hand.
fn record(session: &Session, restored: &Restored, drill: &Drill) -> Result<(), Failure> {
    let own = session.config().ok();
    let own = own.filter(|config| config.archive == restored.config.archive);
    let Some(config) = own else {
        session.output.note(session.output.lang.pick(
            "保管庫の設定(--config)がないため、この訓練は保管庫に記録していません。報告を保存してください",
            "without the archive's own configuration (--config) this drill is not recorded in the archive: keep the report",
        ));
        return Ok(());
    };
    let unlock = session.unlock(&config)?;
    let archive = session.open_config(config, &unlock, Access::Write)?;
    archive.record_event(&session.user, drill)?;
    archive.close()?;
    Ok(())
}
