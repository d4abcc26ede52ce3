//! The table and the signed summary of `archiver verify`, and how an interrupted run goes on.

mod files;

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use formats::cades::detach;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::oid;
use serde_json::json;
use time::{Duration, OffsetDateTime};
use verifier::bulk::run::Parameters;
use verifier::bulk::summary::anchor_digests;
use verifier::bulk::table::RowFacts;
use verifier::bulk::{
    ResumeError, Row, RunHeader, Scope, Status, Summary, TableDigest, TableWriting,
};
use verifier::context::Context;
use verifier::verdict::Conclusion;

use crate::archive::Archive;
use crate::cli::arguments::Verify;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::output::grouped;
use crate::cli::query::{self, rfc3339};
use crate::cli::session::Session;
use crate::evidence::verify_records::{Passed, Period};
use crate::signature::{SignatureError, SigningRequest};
use crate::store::catalog::ValueMatch;

use super::signature::raiser;
use files::{
    exists, interrupted, medium, other_run, page_path, read_run, run_path, signature_path, twice,
    write_new,
};

/// What is verified, and where it is written.
#[derive(Debug, Default)]
pub(super) struct Request {
    from: Option<OffsetDateTime>,
    to: Option<OffsetDateTime>,
    class: Option<String>,
    csv: Option<PathBuf>,
    resume: bool,
    summary: Option<PathBuf>,
    started_at: Option<OffsetDateTime>,
    verified_at: Option<OffsetDateTime>,
    table: Option<Table>,
    resumed_rows: u64,
    /// How the rows from before an interruption end the run.
    resumed_exit: Option<Exit>,
    /// What the summary says of the trust.
    basis: Option<Basis>,
    /// Counts the rows where there is no table.
    counting: Option<TableWriting>,
}

#[derive(Debug)]
struct Basis {
    policy: (String, Option<DigestValue>),
    anchors: Vec<DigestValue>,
    registry: Option<DigestValue>,
}

#[derive(Debug)]
struct Table {
    file: File,
    path: PathBuf,
    writing: TableWriting,
}

impl Request {
    /// What the arguments ask for.
    pub(super) fn of(arguments: &Verify, lang: Lang) -> Result<Self, Failure> {
        let (from, to) = (arguments.from.as_deref(), arguments.to.as_deref());
        let (from, to) = match query::times(from, to, lang)? {
            ValueMatch::Between(from, to) => (from, to),
            ValueMatch::Any | ValueMatch::Missing => (None, None),
        };
        // A day ends with its last microsecond; the period with the one after.
        let is_day = arguments
            .to
            .as_ref()
            .is_some_and(|text| !text.contains('T'));
        let to = to.map(|to| {
            if is_day {
                to + Duration::microseconds(1)
            } else {
                to
            }
        });
        Ok(Self {
            from,
            to,
            class: arguments.class.clone(),
            csv: arguments.csv.clone(),
            resume: arguments.resume,
            summary: arguments.summary.clone(),
            ..Self::default()
        })
    }

    /// Refuses what cannot be written, before anything is read.
    pub(super) fn begin(&mut self, session: &Session, archive: &Archive) -> Result<(), Failure> {
        let lang = session.output.lang;
        self.started_at = Some(archive.environment().clock.now());
        let mut new = Vec::new();
        if let Some(summary) = &self.summary {
            new.extend([summary.clone(), page_path(summary), signature_path(summary)]);
        }
        if let (Some(csv), false) = (&self.csv, self.resume) {
            if run_path(csv).exists() {
                return Err(interrupted(csv, lang));
            }
            new.push(csv.clone());
        }
        if let Some(path) = self.written_twice() {
            return Err(twice(&path, lang));
        }
        match new.into_iter().find(|path| path.exists()) {
            Some(path) => Err(exists(&path, lang)),
            None => Ok(()),
        }
    }

    /// A name that stands for two of the files.
    fn written_twice(&self) -> Option<PathBuf> {
        let mut names: Vec<PathBuf> = self.csv.iter().cloned().collect();
        names.extend(self.csv.as_deref().map(run_path));
        if let Some(summary) = &self.summary {
            for path in [summary.clone(), page_path(summary), signature_path(summary)] {
                if names.contains(&path) {
                    return Some(path);
                }
                names.push(path);
            }
        }
        None
    }

    /// The time as of which everything is judged: that of the first start.
    pub(super) fn time(&mut self, archive: &Archive) -> OffsetDateTime {
        let before = self.csv.as_ref().filter(|_| self.resume);
        let before = before.and_then(|csv| RunHeader::read(&read_run(csv).ok()?));
        let known = before.map(|run| run.verified_at);
        let time = known.unwrap_or_else(|| archive.environment().clock.now());
        self.verified_at = Some(time);
        time
    }

    /// The period, with what an interrupted run has verified of it; opens the table.
    pub(super) fn period(
        &mut self,
        context: &Context<'_>,
        session: &Session,
        archive: &Archive,
    ) -> Result<Period, Failure> {
        let lang = session.output.lang;
        let mut period = Period {
            from: self.from,
            to: self.to,
            class: self.class.clone(),
            passed: None,
        };
        self.basis = Some(basis(context, archive)?);
        let Some(csv) = self.csv.clone() else {
            self.counting = Some(TableWriting::new(lang.into()));
            return Ok(period);
        };
        // What comes in while the run goes on belongs to the next one: the first rows stay the first.
        period.to = Some(self.to.map_or(context.time, |to| to.min(context.time)));
        let run = RunHeader {
            parameters: self.parameters(archive, lang),
            verified_at: context.time,
        };
        if self.resume {
            let before = read_run(&csv).map_err(|error| medium(&run_path(&csv), &error))?;
            if RunHeader::read(&before).as_ref() != Some(&run) {
                return Err(other_run(&csv, lang));
            }
            let mut passed = Passed::new();
            let table = Table::resume(&csv, lang, |row| {
                passed.add(&row.item);
                self.resumed_exit = self.resumed_exit.max(Some(exit_of(row)));
            })?;
            self.resumed_rows = table.writing.tally().items;
            period.passed = Some((self.resumed_rows, passed.finish()));
            self.table = Some(table);
        } else {
            write_new(&run_path(&csv), run.to_json().as_bytes())?;
            self.table = Some(Table::create(&csv, lang)?);
        }
        Ok(period)
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: &Row) -> Result<(), Failure> {
        if let Some(table) = &mut self.table {
            return table.add(row);
        }
        if let Some(counting) = &mut self.counting {
            drop(counting.add(row));
        }
        Ok(())
    }

    /// The exit code of this run, or that of the rows from before an interruption where it is worse.
    pub(super) fn exit(&self, this_run: Exit) -> Exit {
        self.resumed_exit
            .map_or(this_run, |before| before.max(this_run))
    }

    fn parameters(&self, archive: &Archive, lang: Lang) -> DigestValue {
        let time = |time: Option<OffsetDateTime>| time.map(rfc3339).unwrap_or_default();
        let basis = self.basis.as_ref();
        let mut parameters = Parameters::new("archiver", env!("CARGO_PKG_VERSION"))
            .with("archive", archive.config().archive.to_string().as_bytes())
            .with("language", lang.pick("ja", "en").as_bytes())
            .with("from", time(self.from).as_bytes())
            .with("to", time(self.to).as_bytes())
            .with(
                "class",
                self.class.as_deref().unwrap_or_default().as_bytes(),
            );
        for digest in basis.into_iter().flat_map(|basis| &basis.anchors) {
            parameters = parameters.with("anchor", digest.as_bytes());
        }
        let optional =
            basis.map(|basis| [("policy", basis.policy.1), ("registry", basis.registry)]);
        for (name, digest) in optional.into_iter().flatten() {
            if let Some(digest) = digest {
                parameters = parameters.with(name, digest.as_bytes());
            }
        }
        parameters.finish()
    }

    /// Ends the table, writes and signs the summary, and only then the run: until that it can go on.
    pub(super) fn finish(self, session: &Session, archive: &Archive) -> Result<(), Failure> {
        let run = self.table.as_ref().map(|table| run_path(&table.path));
        self.hand_out(session, archive)?;
        let Some(run) = run else {
            return Ok(());
        };
        std::fs::remove_file(&run).map_err(|error| medium(&run, &error))
    }

    fn hand_out(self, session: &Session, archive: &Archive) -> Result<(), Failure> {
        let (Some(basis), Some(started_at)) = (self.basis, self.started_at) else {
            return Ok(());
        };
        let (table, tally) = match (self.table, self.counting) {
            (Some(table), _) => {
                let (digest, tally) = table.finish()?;
                tell_table(session, &digest);
                (Some(digest), tally)
            }
            (None, Some(counting)) => (None, counting.tally().clone()),
            (None, None) => return Ok(()),
        };
        let Some(path) = self.summary else {
            return Ok(());
        };
        let now = archive.environment().clock.now();
        let summary = Summary {
            tool: ("archiver".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            scope: Scope::Archive {
                archive: archive.config().archive.to_string(),
                from: self.from,
                to: self.to,
                class: self.class,
            },
            verified_at: self.verified_at.unwrap_or(started_at),
            started_at,
            finished_at: now,
            resumed_rows: self.resumed_rows,
            policy: basis.policy,
            anchors: basis.anchors,
            registry: basis.registry,
            tally,
            table,
        };
        let text = summary.to_json();
        write_new(&path, text.as_bytes())?;
        write_new(&page_path(&path), summary.to_html().as_bytes())?;
        let level = sign(session, archive, &text, &signature_path(&path), now)?;
        session.output.event(&json!({
            "event": "summary-written", "path": path, "signed": level.is_some(), "level": level,
        }));
        let lang = session.output.lang;
        let shown = path.display();
        session.output.say(&match level {
            Some(level) => lang.pick(
                format!("まとめを {shown} に書き、署名しました({level})"),
                format!("wrote the summary to {shown} and signed it ({level})"),
            ),
            None => lang.pick(
                format!("まとめを {shown} に書きました。署名鍵がないため署名していません(archiver keys signing create)"),
                format!("wrote the summary to {shown}; not signed, as there is no signing key ('archiver keys signing create')"),
            ),
        });
        Ok(())
    }
}

impl Table {
    fn create(path: &Path, lang: Lang) -> Result<Self, Failure> {
        let opened = OpenOptions::new().write(true).create_new(true).open(path);
        let file = opened.map_err(|error| medium(path, &error))?;
        let mut table = Self {
            file,
            path: path.to_owned(),
            writing: TableWriting::new(lang.into()),
        };
        table.start()?;
        Ok(table)
    }

    fn start(&mut self) -> Result<(), Failure> {
        let first = self.writing.start();
        self.write(&first)
    }

    fn resume(path: &Path, lang: Lang, mut each: impl FnMut(&RowFacts)) -> Result<Self, Failure> {
        let failed = |error: io::Error| medium(path, &error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        let each = |row: &RowFacts| {
            each(row);
            Ok::<(), Failure>(())
        };
        let writing = TableWriting::resume(lang.into(), &mut BufReader::new(&file), each);
        let writing = writing.map_err(|why| match why {
            ResumeError::Read(why) => failed(why),
            ResumeError::Refused(why) => why,
            ResumeError::Changed | _ => other_run(path, lang),
        })?;
        file.set_len(writing.bytes()).map_err(failed)?;
        file.seek(SeekFrom::Start(writing.bytes()))
            .map_err(failed)?;
        let mut table = Self {
            file,
            path: path.to_owned(),
            writing,
        };
        if table.writing.bytes() == 0 {
            table.start()?;
        }
        Ok(table)
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|error| medium(&self.path, &error))
    }

    fn add(&mut self, row: &Row) -> Result<(), Failure> {
        let line = self.writing.add(row);
        self.write(&line)
    }

    fn finish(self) -> Result<(TableDigest, verifier::bulk::Tally), Failure> {
        self.file
            .sync_all()
            .map_err(|error| medium(&self.path, &error))?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        Ok(self.writing.finish(name.into_owned()))
    }
}

/// How a row ends a run. One that waits for its timestamp is intact, and no failure.
fn exit_of(row: &RowFacts) -> Exit {
    match row.status {
        Status::Judged(Conclusion::TotalPassed) => Exit::Done,
        Status::Judged(Conclusion::Indeterminate | Conclusion::TotalFailed) => Exit::Integrity,
        Status::CannotJudge if row.is_intact => Exit::Done,
        Status::CannotJudge => Exit::Partial,
    }
}

fn tell_table(session: &Session, table: &TableDigest) {
    let digest = hex::encode(table.sha256.as_bytes());
    session.output.event(&json!({
        "event": "table", "name": table.name, "bytes": table.bytes, "sha256": digest,
    }));
    let (bytes, lang) = (grouped(table.bytes), session.output.lang);
    session.output.say(&lang.pick(
        format!("一覧表 {}({bytes} バイト)SHA-256 {digest}", table.name),
        format!("table {} ({bytes} bytes), SHA-256 {digest}", table.name),
    ));
}

/// The archive's signature over a summary, detached, with a timestamp where an authority answers; its level, or `None` without a key.
fn sign(
    session: &Session,
    archive: &Archive,
    text: &str,
    path: &Path,
    at: OffsetDateTime,
) -> Result<Option<&'static str>, Failure> {
    let Some(signer) = archive.signer()? else {
        return Ok(None);
    };
    let mut signature = signer.sign(&SigningRequest {
        content: text.as_bytes(),
        media_type: "application/json",
        commitment: &oid::PROOF_OF_ORIGIN,
        digest: DigestAlgorithm::Sha256,
        at,
    })?;
    let mut level = "B-B";
    let authorities = archive.authorities()?;
    match raiser(&authorities, &signer).timestamp(&signature) {
        Ok(raised) => {
            signature = raised;
            level = "B-T";
        }
        Err(SignatureError::Authority(error)) => session.output.note(&session.output.lang.pick(
            format!("まとめの署名にタイムスタンプがありません: {error}"),
            format!("the signature over the summary has no timestamp: {error}"),
        )),
        Err(error) => return Err(error.into()),
    }
    let (detached, _) = detach(&signature).map_err(SignatureError::from)?;
    write_new(path, &detached)?;
    Ok(Some(level))
}

fn basis(context: &Context<'_>, archive: &Archive) -> Result<Basis, Failure> {
    let config = archive.config();
    let digest = |path: &Path| {
        let bytes = std::fs::read(path).map_err(|error| medium(path, &error))?;
        Ok::<_, Failure>(DigestAlgorithm::Sha256.digest(&bytes))
    };
    Ok(Basis {
        policy: (
            context.policy.name().to_owned(),
            config.policy.as_deref().map(digest).transpose()?,
        ),
        anchors: anchor_digests(context),
        registry: config.registry.as_deref().map(digest).transpose()?,
    })
}
