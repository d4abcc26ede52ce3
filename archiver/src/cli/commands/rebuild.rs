//! `archiver rebuild`

use serde_json::json;

use crate::archive::Archive;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::grouped;
use crate::cli::session::Session;

pub(in crate::cli) fn run(session: &Session) -> Result<Exit, Failure> {
    let config = session.config()?;
    let unlock = session.unlock(&config)?;
    let bar = session.output.spinner(
        session
            .output
            .lang
            .pick("索引の作り直し", "building the index"),
    );
    let rebuilt = Archive::rebuild(config, &unlock, session.environment.clone(), &mut |at| {
        bar.set_position(at.versions);
    });
    bar.finish_and_clear();
    let (archive, report) = rebuilt?;
    session.announce(&archive, &report);
    let counts = archive.catalog().counts()?;
    session.output.event(&json!({
        "event": "rebuilt", "versions": counts.versions, "batches": counts.batches, "unstamped": counts.unstamped,
    }));
    let (versions, batches) = (grouped(counts.versions), grouped(counts.batches));
    session.output.say(&session.output.lang.pick(
        format!("索引を作り直しました: {versions} 版、タイムスタンプ {batches} 個"),
        format!("built the index anew: {versions} versions, {batches} timestamps"),
    ));
    let damaged = !report.catalog.damaged.is_empty() || !report.catalog.without_manifest.is_empty();
    archive.close()?;
    Ok(if damaged { Exit::Integrity } else { Exit::Done })
}
