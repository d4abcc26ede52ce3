//! `archiver deposit`

use std::path::Path;
use std::sync::Arc;

use formats::id::VersionId;
use serde_json::{Value, json};

use crate::archive::{Access, Archive};
use crate::cli::arguments::Deposit;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::output::{Unit, grouped, sized};
use crate::cli::query::metadata_json;
use crate::cli::session::Session;
use crate::intake::{SourceName, Walk, WalkItem, metadata};
use crate::keys::KeyError;
use crate::record::deposit::{DepositOptions, DepositRequest};
use crate::record::outcome::{DepositEvent, DepositProgress, DepositSummary, DepositedRecord};
use crate::signature::receipt::{Occasion, ReceiptKind};
use crate::store::catalog::SLED_VERSIONS_MAX;

use super::receipt::{self, ReceiptRun};
use super::signature::sign_deposited;

pub(in crate::cli) fn run(session: &Session, arguments: Deposit) -> Result<Exit, Failure> {
    // Everything that can be wrong with the command itself is found before the archive is opened.
    let given = metadata::from_arguments(arguments.meta.iter().map(String::as_str))?;
    let classes = crate::archive::classes(&session.config()?)?;
    let request = DepositRequest {
        class: classes.class(&arguments.class)?.clone(),
        given,
        depositor: session.user.clone(),
        channel: "cli".to_owned(),
    };
    let name = SourceName::from_bytes(arguments.name.into_bytes());
    let walk = || Walk::new(arguments.paths.clone(), name.clone());
    let coming = coming(walk());
    let archive = session.open(Access::TakeIn { coming })?;
    if archive.keys().is_write_only() && arguments.receipt.is_some() {
        return Err(KeyError::WriteOnly.into());
    }
    // Signing and receipts need the archive's keys: where there are none, both are had later, where they are.
    let keyed = !archive.keys().is_write_only();
    let mut receipts =
        keyed.then(|| ReceiptRun::new(session, &archive, &request, arguments.receipt.as_deref()));
    let (summary, deposited) =
        deposit_with_versions(session, &archive, walk(), &request, receipts.as_mut())?;
    report(session, &summary);
    let exit = exit_of(&summary);
    // What stopped a run would stop signatures and receipts, too: they can be had later.
    let received = match receipts.filter(|_| summary.stopped.is_none()) {
        Some(mut receipts) => {
            sign_deposited(session, &archive, &deposited.versions);
            if arguments.receipt.is_some() {
                // Who asks for a receipt gets one also for what the archive had received before.
                receipts.take_known(&deposited.known);
            }
            receipts.finish()
        }
        None => Ok(()),
    };
    let closed = archive.close();
    if summary.stopped.is_none() {
        closed?;
    }
    // What stopped the run also keeps the segment from being closed in order; it has been told once.
    received?;
    Ok(exit)
}

/// How many sources a walk finds, as far as that decides the engine of the index.
fn coming(walk: Walk) -> u64 {
    let found = walk.filter(|item| matches!(item, WalkItem::Found(_)));
    (0..=SLED_VERSIONS_MAX).zip(found).map(|_| 1).sum()
}

/// Issues the receipt for a deposit that is over.
pub(super) fn hand_receipt(
    session: &Session,
    archive: &Archive,
    request: &DepositRequest,
    versions: &[VersionId],
    output: &Path,
) -> Result<(), Failure> {
    let occasion = Occasion {
        kind: ReceiptKind::Deposit,
        person: &request.depositor,
        channel: &request.channel,
        purpose: None,
    };
    let issued = receipt::issue(archive, &occasion, versions, true)?;
    receipt::deliver(session, &issued, output)
}

/// Deposits what a walk finds, tells each outcome as it becomes certain, and gives the counts and the new versions.
pub(super) fn deposit_with_versions(
    session: &Session,
    archive: &Archive,
    walk: impl Iterator<Item = WalkItem> + Send,
    request: &DepositRequest,
    mut receipts: Option<&mut ReceiptRun<'_>>,
) -> Result<(DepositSummary, DepositedVersions), Failure> {
    // A run may have millions of records: their ids are kept only for those who need them.
    let keeper = archive.signature_keeper(None);
    let keeps = receipts.is_none() || keeper.demand(&request.class.policy().id).is_some();
    // Those that were there already, for the receipt that is asked for.
    let asks = receipts
        .as_ref()
        .is_some_and(|receipts| receipts.is_asked());
    let depositor = archive.depositor()?;
    let options = DepositOptions::default();
    let progress: Arc<DepositProgress> = Arc::clone(&options.progress);
    let bar = session
        .output
        .spinner(session.output.lang.pick("預入", "depositing"));
    let (mut versions, mut known) = (Vec::new(), Vec::new());
    let summary = depositor.deposit_all(walk, request, &options, &mut |mut group| {
        if keeps {
            versions.extend(group.iter().filter_map(deposited_version));
        }
        if let Some(receipts) = &mut receipts {
            receipts.take(&mut group);
        }
        if asks {
            known.extend(group.iter().filter_map(known_version));
        }
        for event in &group {
            if let DepositEvent::Deposited(record) = event {
                archive.note_threat(&request.depositor, record.version, &record.warnings);
            }
        }
        bar.inc(group.len() as u64);
        bar.set_message(format!(
            "{} {}",
            session.output.lang.pick("預入", "depositing"),
            sized(progress.bytes_read())
        ));
        bar.suspend(|| tell(session, &group));
    });
    bar.finish_and_clear();
    Ok((summary, DepositedVersions { versions, known }))
}

/// The versions of a deposit.
#[derive(Debug, Default)]
pub(super) struct DepositedVersions {
    /// Those that are new, unless nobody needs them.
    pub(super) versions: Vec<VersionId>,
    /// Those that were there already, where a receipt is asked for.
    known: Vec<VersionId>,
}

const fn known_version(event: &DepositEvent) -> Option<VersionId> {
    match event {
        DepositEvent::AlreadyThere { version, .. } => Some(*version),
        DepositEvent::Deposited(_)
        | DepositEvent::Skipped { .. }
        | DepositEvent::Failed(_)
        | DepositEvent::LeftOut { .. } => None,
    }
}

const fn deposited_version(event: &DepositEvent) -> Option<VersionId> {
    match event {
        DepositEvent::Deposited(record) => Some(record.version),
        DepositEvent::AlreadyThere { .. }
        | DepositEvent::Skipped { .. }
        | DepositEvent::Failed(_)
        | DepositEvent::LeftOut { .. } => None,
    }
}

/// Says what became of some sources: for machines in one write, for people what needs their attention.
fn tell(session: &Session, group: &[DepositEvent]) {
    let lang = session.output.lang;
    let values: Vec<Value> = group
        .iter()
        .flat_map(|event| event_json(event, lang))
        .collect();
    session.output.events(&values);
    if session.output.json {
        return;
    }
    for event in group {
        match event {
            DepositEvent::Deposited(record) => {
                for warning in &record.warnings {
                    let text = warning.text(lang);
                    session.output.note(&format!(
                        "{}{}: {text}",
                        lang.pick("警告: ", "warning: "),
                        record.name
                    ));
                }
            }
            DepositEvent::Failed(_) | DepositEvent::LeftOut { .. } => {
                session.output.note(&format!(
                    "{}{}",
                    lang.pick("失敗: ", "failed: "),
                    event.text(lang)
                ));
            }
            DepositEvent::AlreadyThere { .. } | DepositEvent::Skipped { .. } => {}
        }
    }
}

/// What became of one source, for machines: its fate, and then its warnings.
fn event_json(event: &DepositEvent, lang: Lang) -> Vec<Value> {
    let name = event.name().map(|name| name.text().into_owned());
    match event {
        DepositEvent::Deposited(record) => {
            let warning = |text: String| json!({ "event": "warning", "name": name, "record": record.version.record().to_string(), "text": text });
            let warnings = record.warnings.iter().map(|one| warning(one.text(lang)));
            std::iter::once(deposited_json(record))
                .chain(warnings)
                .collect()
        }
        DepositEvent::AlreadyThere { version, size, .. } => vec![json!({
            "event": "already-there", "record": version.record().to_string(), "version": version.version(),
            "name": name, "size": size,
        })],
        DepositEvent::Skipped { .. } => {
            vec![json!({ "event": "skipped", "name": name, "text": event.text(lang) })]
        }
        DepositEvent::Failed(_) | DepositEvent::LeftOut { .. } => {
            vec![json!({ "event": "failed", "name": name, "text": event.text(lang) })]
        }
    }
}

fn deposited_json(record: &DepositedRecord) -> Value {
    let mut value = json!({
        "event": "deposited",
        "record": record.version.record().to_string(),
        "version": record.version.version(),
        "name": record.name.text(),
        "size": record.size,
        "stored": record.stored_bytes,
        "media_type": record.media_type,
        "metadata": metadata_json(&record.metadata),
        "received_at": crate::cli::query::rfc3339(record.received_at),
    });
    if let (Some(lines), Some(members)) = (record.lines, value.as_object_mut()) {
        members.insert("lines".to_owned(), json!(lines));
    }
    value
}

/// Says what a whole deposit did.
fn report(session: &Session, summary: &DepositSummary) {
    let lang = session.output.lang;
    session.output.event(&json!({
        "event": "summary",
        "deposited": summary.deposited, "bytes": summary.deposited_bytes, "stored": summary.stored_bytes,
        "already_there": summary.already_there, "skipped": summary.skipped,
        "warnings": summary.warnings, "failed": summary.failed, "left_out": summary.left_out,
    }));
    let (count, bytes, stored) = (
        grouped(summary.deposited),
        sized(summary.deposited_bytes),
        sized(summary.stored_bytes),
    );
    session.output.say(&lang.pick(
        format!("預け入れた記録 {count} 件、{bytes}(保存は一媒体あたり {stored})"),
        format!("deposited {count} records, {bytes} ({stored} stored on each medium)"),
    ));
    report_exceptions(session, summary);
}

/// Says what of a deposit did not become a new record.
pub(super) fn report_exceptions(session: &Session, summary: &DepositSummary) {
    let lang = session.output.lang;
    for (number, ja, en) in [
        (
            summary.already_there,
            "すでに預け入れ済み",
            "were there already",
        ),
        (
            summary.skipped,
            "リンクなどで飛ばしたもの(リンク先は預け入れました)",
            "links passed by: what they lead to goes in where it stands",
        ),
        (
            summary.failed,
            "入らなかったもの(上の行に理由があります)",
            "not taken, named above with the reason",
        ),
        (
            summary.left_out,
            "中断のため入らなかったもの",
            "not taken because the run stopped",
        ),
    ] {
        if number > 0 {
            session.output.say(&lang.pick(
                format!("  {ja}: {} 件", grouped(number)),
                format!("  {} {en}", grouped(number)),
            ));
        }
    }
    if let Some(error) = &summary.stopped {
        session.output.note(&error.text(lang));
    }
}

pub(super) fn exit_of(summary: &DepositSummary) -> Exit {
    match &summary.stopped {
        // Only a medium, the index or the key medium stops a run; each means that the machine needs attention.
        Some(_) => Exit::Medium,
        None if summary.is_complete() => Exit::Done,
        None => Exit::Partial,
    }
}

/// The progress bar of work over a known number of records.
pub(super) fn records_bar(
    session: &Session,
    ja: &str,
    en: &str,
    count: u64,
) -> indicatif::ProgressBar {
    session
        .output
        .bar(session.output.lang.pick(ja, en), count, Unit::Items)
}
