//! `archiver deposit --server`

use std::path::Path;

use indicatif::ProgressBar;
use serde_json::{Map, Value, json};

use super::{At, said};
use crate::cli::arguments::Deposit;
use crate::cli::commands::deposit::report_exceptions;
use crate::cli::commands::get::write_beside;
use crate::cli::commands::receipt::numbered;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Unit, grouped, sized};
use crate::cli::query::metadata_json;
use crate::cli::session::Session;
use crate::intake::{FoundSource, SourceName, Walk, WalkItem, metadata};
use crate::record::outcome::{DepositEvent, DepositSummary};
use crate::remote::{DepositedAnswer, Outgoing, RemoteClient, RemoteError};

pub(super) fn run(at: &At<'_>, arguments: &Deposit) -> Result<Exit, Failure> {
    let session = at.session;
    // Everything that can be wrong with the command itself is found before anything is sent.
    let given = metadata::from_arguments(arguments.meta.iter().map(String::as_str))?;
    let mut facts = vec![("class", arguments.class.clone())];
    facts.extend(sent_metadata(session, &metadata_json(&given))?);
    let name = SourceName::from_bytes(arguments.name.clone().into_bytes());
    let walk = || Walk::new(arguments.paths.clone(), name.clone());
    let client = at.client()?;
    let label = session.output.lang.pick("預入", "depositing");
    let bar = session.output.bar(label, bytes_of(walk()), Unit::Bytes);
    let mut run = Run {
        session,
        client: &client,
        facts,
        bar,
        summary: DepositSummary::default(),
        received: Vec::new(),
        stopped: None,
    };
    for item in walk() {
        run.take(item)?;
    }
    run.finish(arguments.receipt.as_deref())
}

/// A deposit that is under way.
struct Run<'a> {
    session: &'a Session,
    client: &'a RemoteClient,
    /// What is said of every file.
    facts: Vec<(&'static str, String)>,
    bar: ProgressBar,
    summary: DepositSummary,
    /// Records, for their receipts.
    received: Vec<DepositedAnswer>,
    /// What stopped it: the rest is left out.
    stopped: Option<RemoteError>,
}

impl Run<'_> {
    fn take(&mut self, item: WalkItem) -> Result<(), Failure> {
        let lang = self.session.output.lang;
        match item {
            WalkItem::Skipped { name, reason } => {
                self.summary.skipped += 1;
                let text_name = name.text().into_owned();
                let text = DepositEvent::Skipped { name, reason }.text(lang);
                self.session
                    .output
                    .event(&json!({ "event": "skipped", "name": text_name, "text": text }));
            }
            WalkItem::Failed(error) => {
                let name = error.name().map(|name| name.text().into_owned());
                self.fail(name.as_deref(), &error.text(lang));
            }
            WalkItem::Found(source) if self.stopped.is_some() => {
                self.summary.left_out += 1;
                let name = source.name().text().into_owned();
                self.session
                    .output
                    .event(&json!({ "event": "failed", "name": name, "text": lang.pick("中断", "the run stopped") }));
            }
            WalkItem::Found(source) => self.send(&source)?,
        }
        Ok(())
    }

    fn send(&mut self, source: &FoundSource) -> Result<(), Failure> {
        let name = source.name().text().into_owned();
        let mut query = self.facts.clone();
        query.push(("name", name.clone()));
        let key = key(self.session)?;
        let outgoing = match source {
            FoundSource::File { path, .. } => Outgoing::File(path),
            FoundSource::StandardInput { .. } => Outgoing::Once(Box::new(std::io::stdin())),
        };
        match self.client.deposit(&query, &key, outgoing, &self.bar) {
            Ok(answer) => self.deposited(&name, answer),
            Err(error) => {
                let text = format!("{name}: {}", error.text(self.session.output.lang));
                self.fail(Some(&name), &text);
                if !is_about_the_file(&error) {
                    self.stopped = Some(error);
                }
            }
        }
        Ok(())
    }

    fn deposited(&mut self, name: &str, answer: DepositedAnswer) {
        let output = &self.session.output;
        let (record, version, size) = (&answer.record, answer.version, answer.size);
        let event = match answer.was_there {
            true => "already-there",
            false => "deposited",
        };
        output.event(&json!({ "event": event, "record": record, "version": version, "name": name, "size": size }));
        match answer.was_there {
            true => self.summary.already_there += 1,
            false => {
                self.summary.deposited += 1;
                self.summary.deposited_bytes += size;
                self.summary.warnings += answer.warnings.len() as u64;
            }
        }
        for text in &answer.warnings {
            output.event(
                &json!({ "event": "warning", "name": name, "record": record, "text": text }),
            );
            if !output.json {
                let warning = output.lang.pick("警告: ", "warning: ");
                self.bar
                    .suspend(|| output.note(&format!("{warning}{name}: {text}")));
            }
        }
        self.received.push(answer);
    }

    fn fail(&mut self, name: Option<&str>, text: &str) {
        let output = &self.session.output;
        self.summary.failed += 1;
        output.event(&json!({ "event": "failed", "name": name, "text": text }));
        if !output.json {
            let failed = output.lang.pick("失敗: ", "failed: ");
            self.bar.suspend(|| output.note(&format!("{failed}{text}")));
        }
    }

    fn finish(self, receipt: Option<&Path>) -> Result<Exit, Failure> {
        self.bar.finish_and_clear();
        let output = &self.session.output;
        let summary = &self.summary;
        output.event(&json!({
            "event": "summary",
            "deposited": summary.deposited, "bytes": summary.deposited_bytes,
            "already_there": summary.already_there, "skipped": summary.skipped,
            "warnings": summary.warnings, "failed": summary.failed, "left_out": summary.left_out,
        }));
        let (count, bytes) = (grouped(summary.deposited), sized(summary.deposited_bytes));
        output.say(&output.lang.pick(
            format!("預け入れた記録 {count} 件、{bytes}"),
            format!("deposited {count} records, {bytes}"),
        ));
        report_exceptions(self.session, summary);
        let exit = match &self.stopped {
            Some(error) => error.exit(),
            None if summary.is_complete() => Exit::Done,
            None => Exit::Partial,
        };
        if let (Some(path), None) = (receipt, &self.stopped) {
            for (number, answer) in (1_u32..).zip(&self.received) {
                self.receipt(answer, &numbered(path, number))?;
            }
        }
        Ok(exit)
    }

    /// The receipt for one record. The service signs one for each deposit.
    fn receipt(&self, answer: &DepositedAnswer, path: &Path) -> Result<(), Failure> {
        let number = answer.version.to_string();
        let place = ["records", &answer.record, "versions", &number, "receipt"];
        let bar = ProgressBar::hidden();
        let mut bytes = Vec::new();
        let fetched = self.client.fetch_again(|| {
            bytes.clear();
            self.client.fetch(&place, &[], &mut bytes, &bar)
        });
        fetched.map_err(|error| said(self.session, &error))?;
        let mut written = Ok(());
        write_beside(self.session.environment.disk.as_ref(), path, |file| {
            written = std::io::Write::write_all(file, &bytes);
            written.is_ok()
        })?;
        written.map_err(|source| said(self.session, &RemoteError::Sink { source }))?;
        let output = &self.session.output;
        output.event(&json!({ "event": "receipt", "record": answer.record, "version": answer.version, "records": 1, "path": path }));
        let (path, record) = (path.display(), &answer.record);
        output.say(&output.lang.pick(
            format!("記録 {record} の受領証を {path} に書きました"),
            format!("wrote the receipt for record {record} to {path}"),
        ));
        Ok(())
    }
}

/// Whether only this file is refused, and the next one may be taken.
fn is_about_the_file(error: &RemoteError) -> bool {
    match error {
        RemoteError::Source { .. } => true,
        RemoteError::Problem(problem) => {
            matches!(problem.code.as_str(), "too-large" | "intake" | "metadata")
                || (problem.code == "invalid-value" && problem.field.as_deref() == Some("name"))
        }
        RemoteError::Address { .. }
        | RemoteError::NoProfile { .. }
        | RemoteError::NoAuthority { .. }
        | RemoteError::File { .. }
        | RemoteError::ProfilesOpen { .. }
        | RemoteError::Unusable { .. }
        | RemoteError::NotTrusted { .. }
        | RemoteError::Unreachable { .. }
        | RemoteError::Lost { .. }
        | RemoteError::Sink { .. }
        | RemoteError::NotOurs { .. }
        | RemoteError::Differs
        | RemoteError::Machine { .. } => false,
    }
}

/// Metadata under the names of the API. What it does not take is said, never dropped.
fn sent_metadata(session: &Session, given: &Value) -> Result<Vec<(&'static str, String)>, Failure> {
    let none = Map::new();
    let mut sent = Vec::new();
    for (key, value) in given.as_object().unwrap_or(&none) {
        let known = TAKEN.iter().find(|(local, _)| local == key);
        let Some((_, name)) = known else {
            return Err(Failure::said(
                Exit::Usage,
                session.output.lang,
                format!(
                    "--meta {key}: --server では使えません。date、amount、currency、counterparty、title、document-number、matter を使えます"
                ),
                format!(
                    "--meta {key}: the service does not take it; it takes date, amount, currency, counterparty, title, document-number, matter"
                ),
            ));
        };
        sent.push((*name, value.as_str().unwrap_or_default().to_owned()));
    }
    Ok(sent)
}

/// How many bytes a walk finds, for the progress bar.
fn bytes_of(walk: Walk) -> u64 {
    walk.map(|item| match item {
        WalkItem::Found(FoundSource::File { path, .. }) => {
            std::fs::metadata(path).map_or(0, |facts| facts.len())
        }
        WalkItem::Found(FoundSource::StandardInput { .. })
        | WalkItem::Skipped { .. }
        | WalkItem::Failed(_) => 0,
    })
    .sum()
}

/// What makes all attempts at one file the same request.
fn key(session: &Session) -> Result<String, Failure> {
    let mut random = [0; 16];
    let filled = session.environment.entropy.fill(&mut random);
    filled.map_err(|error| {
        let what = error.to_string();
        said(session, &RemoteError::Machine { what })
    })?;
    Ok(hex::encode(random))
}

/// The keys of metadata that the API takes: here, and there.
const TAKEN: [(&str, &str); 7] = [
    ("date", "date"),
    ("amount", "amount"),
    ("currency", "currency"),
    ("counterparty", "counterparty"),
    ("title", "title"),
    ("document-number", "document_number"),
    ("matter", "matter"),
];
