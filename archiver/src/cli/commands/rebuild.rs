//! `archiver rebuild`

use std::path::Path;

use serde_json::json;

use crate::archive::{self, Access, Archive, OpeningReport, Restored};
use crate::cli::arguments::Rebuild;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::grouped;
use crate::cli::session::Session;
use crate::config::Config;
use crate::scrub::standing::Standing;
use crate::store::catalog::{EngineChoice, FoldProgress, FoldStage};

use super::standing::tell_missing;

pub(in crate::cli) fn run(session: &Session, arguments: Rebuild) -> Result<Exit, Failure> {
    if let Some(keys) = &arguments.keys {
        return from_media(session, &arguments, keys);
    }
    let mut config = session.config()?;
    if let Some(engine) = arguments.index {
        let configured = config.index_options.engine;
        if configured != EngineChoice::Auto && configured != engine {
            return Err(contradiction(session, configured));
        }
        config.index_options.engine = engine;
    }
    let unlock = session.unlock(&config)?;
    let rebuilt = with_progress(session, |progress| {
        Archive::rebuild(config, &unlock, session.environment.clone(), progress)
    });
    let (archive, report) = rebuilt?;
    finish(session, archive, &report, arguments.accept_loss)
}

/// Everything from the media at hand, and a configuration for them.
fn from_media(session: &Session, arguments: &Rebuild, keys: &Path) -> Result<Exit, Failure> {
    let plain = archive::left_media(&session.config_path(), &arguments.data, keys)?;
    let unlock = session.unlock(&plain)?;
    let restored = with_progress(session, |progress| {
        archive::restore(&plain, (&unlock).into(), &session.environment, progress)
    });
    let restored = restored?;
    tell_restored(session, &restored, arguments.data.len());
    let accepts = arguments.accept_loss;
    finish(session, restored.archive, &restored.report, accepts)
}

/// A sign of life on a terminal, and lines for machines.
fn with_progress<T>(session: &Session, act: impl FnOnce(&mut dyn FnMut(FoldProgress)) -> T) -> T {
    let lang = session.output.lang;
    let bar = session
        .output
        .spinner(lang.pick("索引の作り直し", "building the index"));
    let mut told = 0;
    let done = act(&mut |at| {
        bar.set_position(at.versions);
        if at.versions / VERSIONS_PER_LINE != told {
            told = at.versions / VERSIONS_PER_LINE;
            let stage = match at.stage {
                FoldStage::Reading => "reading",
                FoldStage::Moving(_) => "moving",
            };
            session.output.event(&json!({
                "event": "rebuilding", "stage": stage, "versions": at.versions, "segment": at.at.segment,
            }));
        }
    });
    bar.finish_and_clear();
    done
}

fn contradiction(session: &Session, configured: EngineChoice) -> Failure {
    let configured = configured.name();
    Failure::Said {
        exit: Exit::Usage,
        text: session.output.lang.pick(
            format!("設定の [index] engine は {configured} です。そちらを先に変えてください"),
            format!(
                "the configuration says [index] engine = \"{configured}\": change it there first"
            ),
        ),
    }
}

fn tell_restored(session: &Session, restored: &Restored, media: usize) {
    let lang = session.output.lang;
    let config = restored.archive.config();
    session.output.event(&json!({
        "event": "restored", "archive": config.archive.to_string(), "config": config.path,
        "from_record": restored.from_record, "data_media": media, "data_media_recorded": restored.media_recorded,
        "files": restored.written, "unusable": restored.unusable.as_ref().map(|(reason, _)| reason),
        "departures": restored.departures.iter().map(|one| json!({
            "key": one.key, "was": one.was, "now": one.now,
        })).collect::<Vec<_>>(),
    }));
    for file in &restored.written {
        let file = file.display();
        let text = lang.pick(format!("書き戻しました: {file}"), format!("wrote {file}"));
        session.output.say(&text);
    }
    for departure in &restored.departures {
        session
            .output
            .note(&lang.pick(departure.text_ja(), departure.text()));
    }
    if let Some((reason, aside)) = &restored.unusable {
        let aside = aside.display();
        session.output.note(&lang.pick(
            format!("記録された設定は使えません({reason})。{aside} に書き出しました。設定は初期値です。見比べて直してください"),
            format!("the recorded configuration cannot be used ({reason}): its text is in {aside}, and the new one has the defaults; compare them"),
        ));
    } else if !restored.from_record {
        session.output.note(lang.pick(
            "設定は保管庫に記録されていませんでした。時刻認証局、更新、警報の設定は初期値です。確かめてください",
            "no configuration was recorded in the archive: authorities, renewal and alarms have their defaults; check them",
        ));
    }
    if restored.media_recorded > media {
        let recorded = restored.media_recorded;
        session.output.note(&lang.pick(
            format!("記録された設定にはデータ媒体が {recorded} 個ありました。今は {media} 個です。複製を加えてください"),
            format!("the recorded configuration has {recorded} data media, now there are {media}: add the missing copies"),
        ));
    }
}

fn finish(
    session: &Session,
    archive: Archive,
    report: &OpeningReport,
    accepts: bool,
) -> Result<Exit, Failure> {
    session.announce(&archive, report, Access::Write);
    let counts = archive.catalog().counts()?;
    session.output.event(&json!({
        "event": "rebuilt", "versions": counts.versions, "batches": counts.batches, "unstamped": archive.queue().waiting()?.count,
    }));
    let (versions, batches) = (grouped(counts.versions), grouped(counts.batches));
    session.output.say(&session.output.lang.pick(
        format!("索引を作り直しました: {versions} 版、タイムスタンプ {batches} 個"),
        format!("built the index anew: {versions} versions, {batches} timestamps"),
    ));
    let damaged = !report.catalog.damaged.is_empty() || !report.catalog.without_manifest.is_empty();
    let standing = Standing::of(&archive)?;
    let is_missing = !standing.missing.is_empty();
    if !accepts || !is_missing {
        tell_missing(session, &standing);
    }
    let config = archive.config().clone();
    archive.close()?;
    if accepts && is_missing {
        accept(session, config, &standing)?;
    }
    let is_lost = damaged || (is_missing && !accepts);
    Ok(if is_lost { Exit::Integrity } else { Exit::Done })
}

/// Records that somebody accepts the loss.
fn accept(session: &Session, config: Config, standing: &Standing) -> Result<(), Failure> {
    let unlock = session.unlock(&config)?;
    let archive = session.open_config(config, &unlock, Access::Write)?;
    archive.record_event(&session.user, &standing.acceptance())?;
    tell_missing(session, &Standing::of(&archive)?);
    archive.close()?;
    Ok(())
}

/// A line is told after so many versions.
const VERSIONS_PER_LINE: u64 = 10_000;
