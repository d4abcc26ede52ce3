//! `archiver get`

use std::io::{self, BufWriter, Write};
use std::path::Path;

use formats::id::VersionId;

use crate::archive::{Access, Archive};
use crate::cli::arguments::Get;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::sized;
use crate::cli::query;
use crate::cli::reading::Patience;
use crate::cli::session::Session;
use crate::record::error::RetrieveError;
use crate::record::retrieve::OpenedVersion;
use crate::signature::receipt::{Occasion, ReceiptKind};
use crate::store::durable::{self, Disk};

pub(in crate::cli) fn run(session: &Session, arguments: &Get) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let wanted = query::record(&arguments.record, lang)?;
    if arguments.purpose.is_some() && arguments.receipt.is_none() {
        return Err(Failure::said(
            Exit::Usage,
            lang,
            "--purpose は --receipt か --server と併せて指定してください".to_owned(),
            "--purpose goes with --receipt, or with --server".to_owned(),
        ));
    }
    let archive = if arguments.receipt.is_some() {
        session.open(Access::Write)?
    } else {
        session.open_reading(Patience::RECORD)?
    };
    if let Some(filling) = archive.catalog().filling() {
        session.tell_read_from_segments(filling);
    }
    let version = resolve(&archive, wanted)?;
    let retriever = archive.retriever();
    let mut opened = retriever.open(version)?;
    let object = object_number(session, &opened, arguments.object.as_deref())?;
    if arguments.output == Path::new("-") {
        let mut output = io::stdout().lock();
        opened.write_object(object, &mut output)?;
        output
            .flush()
            .map_err(|error| unwritable(Path::new("-"), &error))?;
        hand_receipt(session, &archive, arguments, version)?;
        return Ok(Exit::Done);
    }
    let mut written = Ok(());
    write_beside(
        session.environment.disk.as_ref(),
        &arguments.output,
        |file| {
            written = opened.write_object(object, file);
            written.is_ok()
        },
    )?;
    written?;
    let size = sized(
        opened
            .manifest()
            .objects
            .get(object as usize)
            .map_or(0, |o| o.size),
    );
    session.output.say(&lang.pick(
        format!(
            "{} に {size} を書きました。ダイジェストは預入時と一致しています",
            arguments.output.display()
        ),
        format!(
            "wrote {size} to {}; the digests are those of the deposit",
            arguments.output.display()
        ),
    ));
    hand_receipt(session, &archive, arguments, version)?;
    Ok(Exit::Done)
}

/// The receipt for a retrieval, where one is asked for.
fn hand_receipt(
    session: &Session,
    archive: &Archive,
    arguments: &Get,
    version: VersionId,
) -> Result<(), Failure> {
    let Some(path) = &arguments.receipt else {
        return Ok(());
    };
    let occasion = Occasion {
        kind: ReceiptKind::Retrieval,
        person: &session.user,
        channel: "cli",
        purpose: arguments.purpose.as_deref(),
    };
    let receipts = super::receipt::issue(archive, &occasion, &[version], true)?;
    super::receipt::deliver(session, &receipts, path)
}

/// The number of the object that is meant: the one named, or the only one.
pub(super) fn object_number(
    session: &Session,
    opened: &OpenedVersion<'_>,
    name: Option<&str>,
) -> Result<u32, Failure> {
    let objects = &opened.manifest().objects;
    match name {
        Some(name) => Ok(opened.object_named(name.as_bytes())?),
        None if objects.len() == 1 => Ok(0),
        None => {
            let version = opened.version();
            let names: Vec<String> = objects.iter().map(|o| o.name.to_string()).collect();
            Err(Failure::said(
                Exit::Usage,
                session.output.lang,
                format!(
                    "{version}: 内容が複数あります。--object で選んでください: {}",
                    names.join("、")
                ),
                format!(
                    "{version}: there are several objects, choose one with --object: {}",
                    names.join(", ")
                ),
            ))
        }
    }
}

/// The version that is meant: the one named, or the newest.
pub(super) fn resolve(
    archive: &Archive,
    (record, version): (formats::id::RecordId, Option<u32>),
) -> Result<VersionId, Failure> {
    let wanted = version.and_then(|number| VersionId::new(record, number));
    let missing = || RetrieveError::NotFound {
        version: wanted.unwrap_or_else(|| VersionId::first(record)),
    };
    let hit = match (version, wanted) {
        (None, _) => archive.catalog().latest(record)?,
        (Some(_), Some(wanted)) => archive.catalog().version(wanted)?,
        (Some(_), None) => None,
    };
    Ok(hit.ok_or_else(missing)?.version)
}

/// Writes a file beside its final place and moves it there when it is whole, so that a failure leaves no half document.
pub(super) fn write_beside(
    disk: &dyn Disk,
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<std::fs::File>) -> bool,
) -> Result<(), Failure> {
    let failed = |error: io::Error| unwritable(path, &error);
    let mut name = path
        .file_name()
        .map(std::ffi::OsStr::to_os_string)
        .unwrap_or_default();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = BufWriter::with_capacity(1 << 18, std::fs::File::create(&part).map_err(failed)?);
    let whole = fill(&mut file);
    let flushed = file
        .into_inner()
        .map_err(|error| error.into_error())
        .and_then(|file| file.sync_all());
    if whole && flushed.is_ok() {
        return durable::move_into_place(disk, &part, path).map_err(failed);
    }
    drop(std::fs::remove_file(&part));
    flushed.map_err(failed)
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::Said {
        exit: Exit::Medium,
        text: format!("{}: {error}", path.display()),
    }
}
