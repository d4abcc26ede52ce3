//! `archiver export`

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use formats::id::VersionId;
use serde_json::json;

use crate::archive::Access;
use crate::cli::arguments::Export;
use crate::cli::commands::search;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Unit, grouped, sized};
use crate::cli::session::Session;
use crate::record::export::{ExportError, Exported, ExportedVersion, export};
use crate::record::export_index::{self, INDEX};
use crate::store::catalog::Hit;

/// What was written, and what was not.
#[derive(Default)]
struct Outcome {
    written: BTreeMap<VersionId, Vec<Exported>>,
    failed: Vec<(VersionId, ExportError)>,
    /// Versions whose keys were destroyed.
    destroyed: Vec<VersionId>,
}

pub(in crate::cli) fn run(session: &Session, arguments: &Export) -> Result<Exit, Failure> {
    let question = search::question(session, &arguments.search)?;
    let archive = session.open(Access::Read)?;
    let hits = archive.catalog().search(&question)?;
    begin(session, &arguments.folder)?;
    let total = hits
        .iter()
        .flat_map(|hit| &hit.objects)
        .map(|object| object.size)
        .sum();
    let label = session.output.lang.pick("書き出し", "export");
    let bar = session.output.bar(label, total, Unit::Bytes);
    let written = AtomicU64::new(0);
    let outcome = Mutex::new(Outcome::default());
    let on_version = |version: ExportedVersion| {
        bar.set_position(written.load(Ordering::Relaxed));
        let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
        match version {
            Ok(objects) => {
                if let Some(first) = objects.first() {
                    outcome.written.insert(first.version, objects);
                }
            }
            Err((version, error)) if error.is_destroyed() => outcome.destroyed.push(version),
            Err(failed) => outcome.failed.push(failed),
        }
    };
    let retriever = archive.retriever();
    let ended = export(&retriever, &hits, &arguments.folder, &written, &on_version);
    bar.finish_and_clear();
    ended.map_err(|error| failure(session, &error))?;
    let outcome = outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
    write_index(session, &arguments.folder, &hits, &outcome)?;
    report(session, &arguments.folder, written.into_inner(), outcome)
}

/// An export never mixes with what stands in a folder.
fn begin(session: &Session, folder: &Path) -> Result<(), Failure> {
    let unwritable = |source| {
        let path = folder.to_owned();
        failure(session, &ExportError::Write { path, source })
    };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    if std::fs::read_dir(folder)
        .map_err(unwritable)?
        .next()
        .is_some()
    {
        let folder = folder.display();
        return Err(Failure::said(
            Exit::Usage,
            session.output.lang,
            format!("{folder} は空ではありません。新しいフォルダーを指定してください"),
            format!("{folder} is not empty: name a new folder"),
        ));
    }
    Ok(())
}

/// The table of all objects, in the order of the search. It is written last: a folder with it is complete.
fn write_index(
    session: &Session,
    folder: &Path,
    hits: &[Hit],
    outcome: &Outcome,
) -> Result<(), Failure> {
    let is_trial = session.output.is_evaluation();
    let mut text = export_index::head(session.output.lang, is_trial);
    for hit in hits {
        for object in outcome.written.get(&hit.version).into_iter().flatten() {
            text.push_str(&export_index::row(hit, object, is_trial));
        }
    }
    let path = folder.join(INDEX);
    File::create_new(&path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(|source| failure(session, &ExportError::Write { path, source }))
}

fn report(session: &Session, folder: &Path, bytes: u64, outcome: Outcome) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let output = &session.output;
    let mut exit = Exit::Done;
    let destroyed = outcome.destroyed.len();
    for version in outcome.destroyed {
        output.event(&json!({
            "event": "destroyed", "record": version.record().to_string(), "version": version.version(),
        }));
    }
    for (version, error) in outcome.failed {
        output.event(&json!({
            "event": "failed", "record": version.record().to_string(), "version": version.version(), "reason": error.to_string(),
        }));
        output.note(&lang.pick(
            format!("{version} は書き出せませんでした: {error}"),
            format!("{version} was not written: {error}"),
        ));
        exit = exit.max(match error {
            ExportError::Retrieve(error) => Failure::Retrieve(error).exit().max(Exit::Partial),
            ExportError::Write { .. } => Exit::Medium,
        });
    }
    let records = grouped(outcome.written.len() as u64);
    output.event(&json!({
        "event": "exported", "records": outcome.written.len(), "destroyed": destroyed, "bytes": bytes, "folder": folder, "index": folder.join(INDEX),
    }));
    let (size, folder) = (sized(bytes), folder.display());
    output.say(&lang.pick(
        format!("{records} 件、{size} を {folder} に書き出しました。ダイジェストは預入時と一致しています。一覧は {INDEX}"),
        format!("wrote {records} records, {size}, to {folder}; the digests are those of the deposits; {INDEX} lists them"),
    ));
    if destroyed > 0 {
        let destroyed = grouped(destroyed as u64);
        output.say(&lang.pick(
            format!("鍵を廃棄した記録 {destroyed} 件は書き出していません"),
            format!("{destroyed} records are destroyed and were not written"),
        ));
    }
    Ok(exit)
}

fn failure(session: &Session, error: &ExportError) -> Failure {
    Failure::said(
        Exit::Medium,
        session.output.lang,
        format!("書き出せません: {error}"),
        format!("cannot write: {error}"),
    )
}
