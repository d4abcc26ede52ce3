//! `archiver media add`, `replace`, `migrate`, `return`, `retire`

use std::path::Path;

use formats::id::MediumId;
use serde_json::json;

use super::{absolute, find, id};
use crate::archive::{Access, Archive};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::media_words::{AtWork, one_data_medium};
use crate::cli::output::{Unit, moment, sized};
use crate::cli::session::Session;
use crate::config::Config;
use crate::keys::provider::Unlock;
use crate::media::change::{self, Succession};
use crate::media::facts::{Leaving, Role};
use crate::media::{MediaLedger, MediumEntry, Standing};
use crate::store::scrub::ranges;
use crate::store::{CopyReport, joining, read_label};

/// Adds a medium, in the place of another one where that is given.
pub(super) fn join(
    session: &Session,
    dir: &Path,
    successor_of: Option<(&String, Leaving)>,
) -> Result<Exit, Failure> {
    let dir = absolute(dir);
    let (config, unlock) = unlocked(session)?;
    let mut place = None;
    session.at_work.replace(AtWork::All);
    let (ledger, succession) = {
        let archive = session.open_config(config.clone(), &unlock, Access::Read)?;
        let ledger = MediaLedger::of(archive.catalog())?;
        let succession = match successor_of {
            Some((text, why)) => {
                let entry = find(session, &ledger, archive.config(), text)?;
                require_data(session, entry)?;
                if !goes_on(&ledger, &dir, entry.medium) {
                    require_member(session, entry)?;
                }
                let leaves = entry.medium;
                let known = entry.directory.as_deref();
                place = known.map(|known| archive.config().placed(known));
                Some(Succession { leaves, why })
            }
            None => None,
        };
        archive.close()?;
        (ledger, succession)
    };
    // A medium of the archive that is only behind needs no preparation.
    let known = read_label(&dir)
        .ok()
        .and_then(|label| ledger.medium(label.medium));
    let leaves = succession.map(|succession| succession.leaves);
    if known.is_some_and(|known| Some(known.medium) == leaves) {
        return Err(Failure::said(
            Exit::Usage,
            session.output.lang,
            format!("{} は置き換えられる媒体そのものです", dir.display()),
            format!("{} is the very medium that is to leave", dir.display()),
        ));
    }
    if let (Some(known), Some(leaves)) = (known, leaves) {
        require_no_copy_given_up(session, &ledger, &dir, known, leaves)?;
    }
    if known.is_none_or(|known| matches!(known.standing, Standing::Left(..))) {
        change::prepare(&config, &session.environment, &ledger, &dir, leaves)?;
    }
    let copied = copy(session, &config, &dir)?;
    let joins = known.map(|known| known.medium);
    let at_work = leaves.or(joins).map(|medium| {
        // A medium that joins may be behind; one that leaves may be anything.
        AtWork::One(medium, place.unwrap_or_else(|| dir.clone()))
    });
    session.at_work.replace(at_work.unwrap_or_default());
    let archive = open_tolerant(session, &unlock)?;
    let growing = change::finish(&archive, &session.user, &dir, succession, &copied)?;
    tell(session, &archive, &dir, (&copied, growing), "medium-joined");
    archive.close()?;
    Ok(after(&copied))
}

/// Brings a medium back into service.
pub(super) fn back(session: &Session, text: &str) -> Result<Exit, Failure> {
    let (config, unlock) = unlocked(session)?;
    session.at_work.replace(AtWork::All);
    let dir = {
        let archive = session.open_config(config.clone(), &unlock, Access::Read)?;
        let ledger = MediaLedger::of(archive.catalog())?;
        let entry = find(session, &ledger, archive.config(), text)?;
        require_data(session, entry)?;
        let mut replicas = archive.store().replicas().into_iter();
        let here = replicas.find(|replica| replica.medium == entry.medium);
        let here = here.and_then(|replica| replica.directory);
        let known = || Some(archive.config().placed(entry.directory.as_deref()?));
        let dir = here.or_else(known).unwrap_or_default();
        archive.close()?;
        require_here(session, entry, &dir)?;
        let at_work = AtWork::One(entry.medium, dir.clone());
        session.at_work.replace(at_work);
        dir
    };
    let copied = copy(session, &config, &dir)?;
    let archive = open_tolerant(session, &unlock)?;
    let growing = archive.store().admit(&dir)?;
    crate::media::record_media(&archive, &session.user)?;
    tell(
        session,
        &archive,
        &dir,
        (&copied, growing),
        "medium-returned",
    );
    archive.close()?;
    Ok(after(&copied))
}

pub(super) fn retire(session: &Session, text: &str) -> Result<Exit, Failure> {
    let (config, unlock) = unlocked(session)?;
    let archive = match config.media.copies_min {
        Some(_) => session.open_config(config, &unlock, Access::Write)?,
        None => open_tolerant(session, &unlock)?,
    };
    let ledger = MediaLedger::of(archive.catalog())?;
    let entry = find(session, &ledger, archive.config(), text)?;
    require_member(session, entry)?;
    change::retire(&archive, &session.user, entry.medium)?;
    session
        .output
        .event(&json!({ "event": "medium-left", "medium": id(entry.medium) }));
    let name = entry.short_name();
    session.output.say(&session.output.lang.pick(
        format!("{name} を保管庫から外しました。媒体の内容はそのままです"),
        format!("{name} left the archive; what is on it stays as it is"),
    ));
    let replicas = archive.store().replicas();
    let in_service = replicas.iter().filter(|one| one.state.is_in_service());
    if entry.role == Role::Data && in_service.count() < 2 {
        let text = one_data_medium(session.output.lang);
        session.output.note(text);
    }
    archive.close()?;
    Ok(Exit::Done)
}

fn unlocked(session: &Session) -> Result<(Config, Unlock), Failure> {
    let config = session.config()?;
    let unlock = session.unlock(&config)?;
    Ok((config, unlock))
}

/// Opens the archive for putting its media right: with one medium, if there is no other.
/// The configuration is read again: it may have changed while segments were copied.
fn open_tolerant(session: &Session, unlock: &Unlock) -> Result<Archive, Failure> {
    let mut config = session.config()?;
    config.media.copies_min = Some(1);
    session.open_altered(config, unlock)
}

/// Copies with a progress bar, or a line of JSON for each segment.
fn copy(session: &Session, config: &Config, dir: &Path) -> Result<CopyReport, Failure> {
    let label = session
        .output
        .lang
        .pick("区画の複写と照合", "copying and reading back");
    let bar = session.output.bar(label, 0, Unit::Bytes);
    let mut told = None;
    let copied = change::copy(config, &session.environment, dir, &mut |at| {
        bar.set_length(at.bytes_all);
        bar.set_position(at.bytes);
        if told != Some(at.segments) {
            told = Some(at.segments);
            session.output.event(&json!({
                "event": "copying", "segments": at.segments, "segments_all": at.segments_all, "bytes": at.bytes, "bytes_all": at.bytes_all,
            }));
        }
    });
    bar.finish_and_clear();
    Ok(copied?)
}

fn tell(
    session: &Session,
    archive: &Archive,
    dir: &Path,
    (copied, growing): (&CopyReport, u64),
    event: &str,
) {
    let replicas = archive.store().replicas();
    let in_service = replicas
        .iter()
        .filter(|one| one.state.is_in_service())
        .count();
    let medium = read_label(dir).ok().map(|label| id(label.medium));
    let written = ranges(&copied.written);
    session.output.event(&json!({
        "event": event, "medium": medium, "directory": dir, "segments": copied.progress.segments, "bytes": copied.progress.bytes,
        "written": written, "growing_bytes": growing,
        "damaged": copied.damaged, "missing": copied.missing.iter().map(|range| [range.start(), range.end()]).collect::<Vec<_>>(), "data_in_service": in_service,
    }));
    let (segments, place) = (copied.progress.segments, dir.display());
    let lang = session.output.lang;
    let media = if in_service == 1 { "medium" } else { "media" };
    let sealed = if segments == 1 { "segment" } else { "segments" };
    session.output.say(&lang.pick(
        format!("{place} を使用開始しました: 封じた区画 {segments} 個を照合。使用中のデータ媒体 {in_service} 個"),
        format!("{place} is in service: {segments} sealed {sealed} read back; {in_service} data {media} in service"),
    ));
    for text in written_texts(&written, copied.progress.bytes, growing, lang) {
        session.output.say(&text);
    }
    for segment in &copied.damaged {
        session.output.note(&lang.pick(
            format!("区画 {segment:010} はどの媒体でも壊れており、残っている分だけを写しました。archiver verify で確かめてください"),
            format!("segment {segment:010} is damaged on every medium, and what is left of it was copied: see 'archiver verify'"),
        ));
    }
    for range in &copied.missing {
        let (first, last) = (range.start(), range.end());
        session.output.note(&lang.pick(
            format!("区画 {first:010} から {last:010} はどの媒体にもありません。archiver verify で確かめてください"),
            format!("segments {first:010} to {last:010} are missing on every medium: see 'archiver verify'"),
        ));
    }
}

/// What this run wrote to the medium.
fn written_texts(written: &[[u32; 2]], bytes: u64, growing: u64, lang: Lang) -> Vec<String> {
    let mut texts = Vec::new();
    if !written.is_empty() {
        let ranges: Vec<String> = written
            .iter()
            .map(|[first, last]| match first == last {
                true => format!("{first:010}"),
                false => lang.pick(
                    format!("{first:010}〜{last:010}"),
                    format!("{first:010} to {last:010}"),
                ),
            })
            .collect();
        let (ranges, bytes) = (ranges.join(", "), sized(bytes));
        texts.push(lang.pick(
            format!("  書いた区画: {ranges}({bytes})"),
            format!("  segments written: {ranges} ({bytes})"),
        ));
    }
    if growing > 0 {
        let growing = sized(growing);
        texts.push(lang.pick(
            format!("  伸びている区画: {growing} を書いて照合"),
            format!("  growing segment: {growing} written and read back"),
        ));
    }
    texts
}

fn after(copied: &CopyReport) -> Exit {
    if copied.damaged.is_empty() && copied.missing.is_empty() {
        Exit::Done
    } else {
        Exit::Integrity
    }
}

/// A medium that is a copy of the archive already cannot take the place of another one: there would be one copy fewer. One that was
/// prepared for just this may go on.
fn require_no_copy_given_up(
    session: &Session,
    ledger: &MediaLedger,
    dir: &Path,
    known: &MediumEntry,
    leaves: MediumId,
) -> Result<(), Failure> {
    let has_left = |entry: &MediumEntry| matches!(entry.standing, Standing::Left(..));
    let is_for_it = joining::read(dir).is_some_and(|joining| joining.replaces == Some(leaves));
    if has_left(known) || is_for_it || ledger.medium(leaves).is_some_and(has_left) {
        return Ok(());
    }
    let (name, place) = (known.short_name(), dir.display());
    Err(Failure::said(
        Exit::Usage,
        session.output.lang,
        format!(
            "{place} の {name} は既にこの保管庫の媒体です。置き換えると写しが一つ減ります。空の媒体を指定するか、写しを減らすなら archiver media retire を使ってください"
        ),
        format!(
            "{name} at {place} is a medium of this archive already, and one copy fewer would remain: give an empty medium, or use 'archiver media retire'"
        ),
    ))
}

/// The folder may hold another medium by now.
fn require_here(session: &Session, entry: &MediumEntry, dir: &Path) -> Result<(), Failure> {
    if read_label(dir)?.medium == entry.medium {
        return Ok(());
    }
    let (name, place) = (entry.short_name(), dir.display());
    Err(Failure::said(
        Exit::Unusable,
        session.output.lang,
        format!("{place} にあるのは {name} ではありません。正しい媒体を接続してください"),
        format!("the medium at {place} is not {name}: mount the right one"),
    ))
}

/// Whether the medium at `dir` took the place of this one already, or is about to: a command that was interrupted goes on, and one that is
/// given again changes nothing.
fn goes_on(ledger: &MediaLedger, dir: &Path, leaves: MediumId) -> bool {
    let is_for_it = joining::read(dir).is_some_and(|joining| joining.replaces == Some(leaves));
    let known = read_label(dir)
        .ok()
        .and_then(|label| ledger.medium(label.medium));
    is_for_it || known.is_some_and(|known| known.standing == Standing::InService)
}

/// What has left cannot leave again.
fn require_member(session: &Session, entry: &MediumEntry) -> Result<(), Failure> {
    let Standing::Left(time, _) = entry.standing else {
        return Ok(());
    };
    let (name, at) = (entry.short_name(), moment(time));
    Err(Failure::said(
        Exit::Usage,
        session.output.lang,
        format!(
            "{name} は {at} に既に保管庫を離れています。何も変えていません。写しを増やすなら archiver media add を使ってください"
        ),
        format!(
            "{name} left the archive already, at {at}: nothing was changed; for one copy more use 'archiver media add'"
        ),
    ))
}

fn require_data(session: &Session, entry: &MediumEntry) -> Result<(), Failure> {
    if entry.role == Role::Data {
        return Ok(());
    }
    let name = entry.short_name();
    Err(Failure::said(
        Exit::Usage,
        session.output.lang,
        format!("{name} はデータ媒体ではありません"),
        format!("{name} is no data medium"),
    ))
}
