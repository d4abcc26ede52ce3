//! `archiver keys rotate`, `copy` and `destroy`.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use formats::id::{MediumId, RecordId, VersionId};
use formats::medium::{MediumLabel, MediumRole};
use serde_json::{Value, json};

use crate::archive::{Access, Archive, ArchiveError};
use crate::cli::arguments::{DestroyKeys, KeyCopy, RotateKeys};
use crate::cli::commands::backup;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Unit, grouped};
use crate::cli::session::Session;
use crate::keys::erasure::require_two_people;
use crate::keys::{
    CopyOptions, DamagedEntries, Destruction, KeyError, RotationProgress, RotationStep,
    require_separate_media,
};
use crate::store::catalog::Hit;

/// `archiver keys rotate`
pub(super) fn rotate(session: &Session, arguments: &RotateKeys) -> Result<Exit, Failure> {
    let archive = session.open(Access::Write)?;
    let report = with_progress(session, |progress| {
        archive.rotate_keys(&session.user, damaged(arguments.give_up_damaged), progress)
    })?;
    session.output.event(&json!({
        "event": "keys-rotated", "epoch": report.epoch, "epochs_destroyed": report.epochs_destroyed,
        "keys": report.keys, "secrets": report.secrets, "resumed": report.resumed, "salvaged": report.salvaged,
        "damaged_dropped": report.damaged_dropped, "media": report.copies, "unreached": report.unreached,
    }));
    let lang = session.output.lang;
    session.output.say(&lang.pick(
        format!(
            "鍵 {} 個とほかの秘密 {} 個を世代 {} の鍵で包み直し、古い世代 {:?} の鍵を廃棄しました",
            grouped(report.keys), grouped(report.secrets), report.epoch, report.epochs_destroyed
        ),
        format!(
            "wrapped {} keys and {} other secrets under epoch {}; destroyed the key-encryption keys of epochs {:?}",
            grouped(report.keys), grouped(report.secrets), report.epoch, report.epochs_destroyed
        ),
    ));
    announce_given_up(session, report.damaged_dropped);
    for root in &report.unreached {
        let root = root.display();
        session.output.note(&lang.pick(
            format!("鍵媒体 {root} はありませんでした。そこには古い鍵が残っています。接続すれば、次に書き込むときに揃います"),
            format!("key medium {root} was not there: it still holds the old keys, and is brought into step when it is back"),
        ));
    }
    archive.close()?;
    Ok(if report.damaged_dropped > 0 {
        Exit::Integrity
    } else {
        Exit::Done
    })
}

/// `archiver keys copy`
pub(super) fn copy(session: &Session, arguments: &KeyCopy) -> Result<Exit, Failure> {
    let mut config = session.config()?;
    let target = std::path::absolute(&arguments.directory)
        .map_err(|e| ArchiveError::from(KeyError::io(&arguments.directory, "find", e)))?;
    let configured = config.key_copies.contains(&target);
    // It need not be there to be made.
    config.key_copies.retain(|copy| *copy != target);
    config.key_copies_min = config
        .key_copies_min
        .filter(|min| *min <= config.key_copies.len() + 1);
    let mut media = vec![config.keys.clone()];
    media.extend(config.key_copies.iter().cloned());
    media.push(nearest(&target));
    require_separate_media(&media, &config.data, config.evaluation).map_err(ArchiveError::from)?;
    let unlock = session.unlock(&config)?;
    let archive = session.open_altered(config, &unlock)?;
    let label = label(session, &archive, &target)?;
    let bar = session.output.bar(
        session.output.lang.pick("鍵", "keys"),
        archive.keys().ledger().versions().len() as u64,
        Unit::Items,
    );
    let options = CopyOptions {
        replace: arguments.replace,
        damaged: damaged(arguments.give_up_damaged),
    };
    let copied = archive.copy_keys(&session.user, &target, &label, options, &mut |done| {
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let (made, report) = copied?;
    session.output.event(&json!({
        "event": "key-copy-made", "medium": made.copy.medium, "place": made.copy.place, "entries": report.entries,
        "files": report.files, "dropped": report.dropped, "configured": configured,
    }));
    let (place, lang) = (target.display(), session.output.lang);
    session.output.say(&lang.pick(
        format!(
            "鍵媒体の写しを {place} に作り、{} 件を一つずつ照合しました",
            grouped(report.entries)
        ),
        format!(
            "made a copy of the key medium at {place}, and compared its {} entries one by one",
            grouped(report.entries)
        ),
    ));
    if report.dropped > 0 {
        let dropped = grouped(report.dropped);
        session.output.note(&lang.pick(
            format!("そこにだけあった鍵と秘密 {dropped} 件は失われました"),
            format!("{dropped} keys and secrets that only stood there are gone"),
        ));
    }
    if !configured {
        session.output.say(&lang.pick(
            format!("この写しを揃えておくには、設定ファイルに key_copies = [\"{place}\"] と書いてください"),
            format!("to keep it in step, write key_copies = [\"{place}\"] into the configuration file"),
        ));
    }
    archive.close()?;
    Ok(Exit::Done)
}

/// `archiver keys copy-gone`
pub(super) fn copy_gone(session: &Session, medium: MediumId, how: &str) -> Result<Exit, Failure> {
    let archive = session.open(Access::Write)?;
    let gone = archive.record_copy_gone(medium, how, &session.user)?;
    archive.close()?;
    session.output.event(&json!({
        "event": "key-copy-gone", "medium": medium, "place": gone.copy.place, "how": how,
    }));
    session.output.say(&session.output.lang.pick(
        format!("鍵媒体の写し {medium} がもうないことを記録しました"),
        format!("recorded that the copy {medium} of the key medium is no more"),
    ));
    Ok(Exit::Done)
}

/// The nearest folder that exists: the device is known by it.
fn nearest(path: &Path) -> PathBuf {
    let existing = path.ancestors().find(|one| one.is_dir());
    existing.unwrap_or(Path::new("/")).to_path_buf()
}

fn label(session: &Session, archive: &Archive, target: &Path) -> Result<MediumLabel, Failure> {
    let environment = &session.environment;
    let now = environment.clock.now();
    let mut random = [0; 10];
    environment
        .entropy
        .fill(&mut random)
        .map_err(|e| ArchiveError::from(KeyError::from(e)))?;
    let unix_ms = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    let numbers = archive.key_media().into_iter().filter_map(|one| one.number);
    let outside = archive
        .copies_made()?
        .into_iter()
        .filter_map(|one| one.number);
    let space = firmware::media::space(&nearest(target))
        .map_err(|e| ArchiveError::from(KeyError::from(e)))?;
    Ok(MediumLabel {
        medium: MediumId::new(unix_ms, &random),
        archive: archive.config().archive,
        role: MediumRole::Keys,
        number: numbers.chain(outside).max().unwrap_or(1) + 1,
        created_at: now,
        classification: String::new(),
        capacity_bytes: space.total_bytes,
        evaluation: archive.config().evaluation,
        format_version: 1,
    })
}

/// `archiver keys destroy`
pub(super) fn destroy(session: &Session, arguments: &DestroyKeys) -> Result<Exit, Failure> {
    let archive = session.open(Access::Write)?;
    let lang = session.output.lang;
    // Before anybody types ids.
    require_two_people(&arguments.by, &arguments.approved_by).map_err(ArchiveError::from)?;
    let destruction = Destruction {
        versions: confirmed(session, &archive, arguments)?,
        by: arguments.by.clone(),
        approved_by: arguments.approved_by.clone(),
        reason: arguments.reason.clone(),
        damaged: damaged(arguments.give_up_damaged),
    };
    let report = with_progress(session, |progress| {
        archive.destroy_keys(&destruction, progress)
    })?;
    let facts = &report.facts;
    let mut line = json!({ "event": "keys-destroyed", "id": report.event });
    let facts_as_json = serde_json::to_value(facts).map(snake);
    if let (Some(line), Ok(Value::Object(facts))) = (line.as_object_mut(), facts_as_json) {
        line.extend(facts);
    }
    session.output.event(&line);
    session.output.say(&lang.pick(
        format!(
            "{} 版の鍵を鍵媒体 {} 個から廃棄しました。世代 {:?} の鍵は廃棄済み、残る {} 個の鍵は世代 {} にあります",
            grouped(facts.versions.len() as u64), facts.media.len(), facts.epochs_destroyed, grouped(facts.survivors), facts.epoch
        ),
        format!(
            "destroyed the keys of {} versions on {} key media; epochs {:?} are destroyed, the other {} keys stand under epoch {}",
            grouped(facts.versions.len() as u64), facts.media.len(), facts.epochs_destroyed, grouped(facts.survivors), facts.epoch
        ),
    ));
    announce_given_up(session, facts.damaged_dropped);
    for copy in &facts.other_copies {
        let place = &copy.place;
        session.output.note(&lang.pick(
            format!("以前に {place} に作った写しは対象外です。廃棄の前の鍵が残っているので、その媒体も処分してください"),
            format!("the copy that was made at {place} was not among them: it may hold the keys as they were; dispose of that medium, too"),
        ));
    }
    for medium in &facts.intake_media {
        let place = &medium.place;
        session.output.note(&lang.pick(
            format!("預入専用の鍵媒体({place} で引き取ったもの)には、廃棄した鍵が封じられて残っています。その媒体も処分してください"),
            format!("the intake medium that was accepted at {place} still holds keys that were destroyed, sealed to the archive: dispose of that medium, too"),
        ));
    }
    // Backups hold the keys as they were, too.
    let exit = backup::prune_or_tell(session, &archive);
    archive.close()?;
    Ok(if facts.damaged_dropped > 0 {
        Exit::Integrity
    } else if facts.intake_media.is_empty() {
        exit
    } else {
        exit.max(Exit::Partial)
    })
}

/// Facts with names as in all other lines.
fn snake(facts: Value) -> Value {
    match facts {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => facts,
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name.replace('-', "_"), snake(value)))
            .collect(),
        Value::Array(values) => values.into_iter().map(snake).collect(),
    }
}

/// The versions of the records, each confirmed by its id.
fn confirmed(
    session: &Session,
    archive: &Archive,
    arguments: &DestroyKeys,
) -> Result<Vec<VersionId>, Failure> {
    let mut versions: Vec<VersionId> = Vec::new();
    for text in &arguments.records {
        let record: RecordId = text.parse().map_err(|_| not_found(session, text))?;
        let hits = archive
            .catalog()
            .versions(record)
            .map_err(ArchiveError::from)?;
        if hits.is_empty() {
            return Err(not_found(session, text));
        }
        if !arguments.without_timestamp {
            require_stamped(session, archive, text, &hits)?;
        }
        confirm(session, text, hits.len())?;
        versions.extend(hits.iter().map(|hit| hit.version));
    }
    Ok(versions)
}

const fn damaged(give_up: bool) -> DamagedEntries {
    if give_up {
        DamagedEntries::GiveUp
    } else {
        DamagedEntries::Keep
    }
}

/// Whoever disposes of a copy now may dispose of the only key.
fn announce_given_up(session: &Session, count: u64) {
    if count > 0 {
        session.output.note(&session.output.lang.pick(
            format!("鍵台帳の壊れた項目 {count} 件を諦めました。以前の写しには残っているかもしれません。処分する前に archiver keys audit で、失われた記録がないか確かめてください"),
            format!("{count} damaged entries of the key ledger were given up. A copy that was made before may still hold them: before you dispose of one, look with 'archiver keys audit' whether a record is lost"),
        ));
    }
}

/// What was destroyed before its timestamp leaves no proof that it existed.
fn require_stamped(
    session: &Session,
    archive: &Archive,
    record: &str,
    hits: &[Hit],
) -> Result<(), Failure> {
    let ledger = archive.keys().ledger();
    let waits = |hit: &Hit| hit.stamp.is_none() && ledger.destroyed_at(hit.version).is_none();
    if !hits.iter().any(waits) {
        return Ok(());
    }
    Err(Failure::said(
        Exit::Usage,
        session.output.lang,
        format!(
            "記録 {record} にはまだタイムスタンプがありません。今廃棄すると、存在したことを何も証明しません。先に archiver stamp を実行するか、--without-timestamp を付けてください"
        ),
        format!(
            "record {record} waits for its timestamp: destroyed now, nothing would prove that it ever existed. Run 'archiver stamp' first, or give --without-timestamp"
        ),
    ))
}

/// Lets the user type the id of a record whose versions are to be destroyed.
fn confirm(session: &Session, text: &str, versions: usize) -> Result<(), Failure> {
    let lang = session.output.lang;
    session.output.note(&lang.pick(
        format!("記録 {text} の全 {versions} 版を廃棄します。取り消せません。確かめのため、記録の id を入力してください"),
        format!("all {versions} versions of record {text} will be destroyed, for good. To confirm, type the id of the record"),
    ));
    let mut typed = String::new();
    let read = std::io::stdin().lock().read_line(&mut typed);
    if read.is_err() || typed.trim() != text {
        return Err(Failure::said(
            Exit::Usage,
            lang,
            "入力された id が違います。何も廃棄していません".to_owned(),
            "another id was typed: nothing was destroyed".to_owned(),
        ));
    }
    Ok(())
}

fn not_found(session: &Session, text: &str) -> Failure {
    Failure::said(
        Exit::NotFound,
        session.output.lang,
        format!("記録 {text} がありません"),
        format!("there is no record {text}"),
    )
}

/// Runs long work on keys with a bar for each step.
fn with_progress<T>(
    session: &Session,
    work: impl FnOnce(&mut dyn FnMut(RotationProgress)) -> Result<T, ArchiveError>,
) -> Result<T, Failure> {
    let lang = session.output.lang;
    let bar = session.output.bar(lang.pick("鍵", "keys"), 0, Unit::Items);
    let mut step = None;
    let result = work(&mut |at| {
        if step != Some(at.step) {
            step = Some(at.step);
            let name = match at.step {
                RotationStep::Wrapping => lang.pick("包み直し", "wrapping"),
                RotationStep::Copying => lang.pick("写し", "copying"),
                RotationStep::Secrets => lang.pick("ほかの秘密", "other secrets"),
                RotationStep::Erasing => lang.pick("古い鍵の消去", "erasing the old"),
                RotationStep::Verifying => lang.pick("検証", "verifying"),
            };
            bar.set_message(name.to_owned());
            session.output.event(
                &json!({ "event": "keys-step", "step": format!("{:?}", at.step).to_lowercase() }),
            );
        }
        bar.set_length(at.total);
        bar.set_position(at.done);
    });
    bar.finish_and_clear();
    Ok(result?)
}
