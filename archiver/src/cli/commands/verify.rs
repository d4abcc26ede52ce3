//! `archiver verify`

use std::num::NonZeroUsize;
use std::thread;

use formats::id::VersionId;
use serde_json::{Value, json};
use verifier::bulk::Cache;
use verifier::context::Context;

use crate::archive::{Access, Accreditations, Archive};
use crate::cli::arguments::Verify;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::grouped;
use crate::cli::query::{self, rfc3339};
use crate::cli::session::Session;
use crate::evidence::verify_records::{
    Outcome, RecordVerdict, RecordVerifier, VerifyError, VerifySummary,
};
use crate::keys::KeyError;
use crate::record::error::RetrieveError;
use crate::scrub::standing::Standing;
use crate::store::{FixityProblem, SegmentFixity, StoreError};

use super::deposit::records_bar;
use super::get::resolve;
use super::standing::tell_missing;
use super::verify_table::Request;

/// What verifying found.
#[derive(Debug, Default)]
pub(super) struct Verified {
    /// Records: contents, digests, evidence.
    pub(super) records: VerifySummary,
    /// Stored copies of segments that were read whole.
    pub(super) copies: u64,
    /// Problems in them, and in the key ledger.
    pub(super) problems: u64,
    /// Whether keys may stand on an intake medium that was not accepted yet. Otherwise a key that is not there was lost.
    pub(super) keys_may_come: bool,
}

impl Verified {
    fn of(archive: &Archive) -> Result<Self, Failure> {
        Ok(Self {
            keys_may_come: !archive.intake_media()?.is_empty(),
            ..Self::default()
        })
    }

    /// Records whose key was in the ledger and is not any more.
    fn lost_keys(&self) -> u64 {
        if self.keys_may_come {
            0
        } else {
            self.records.without_key
        }
    }

    pub(super) fn exit(&self) -> Exit {
        let judged_bad = self.records.failed > 0 || self.records.indeterminate > 0;
        if self.problems > 0 || judged_bad || self.lost_keys() > 0 {
            Exit::Integrity
        } else if self.records.unreadable > 0 {
            Exit::Partial
        } else {
            Exit::Done
        }
    }
}

pub(in crate::cli) fn run(session: &Session, arguments: &Verify) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let mut request = Request::of(arguments, lang)?;
    let wanted = arguments
        .records
        .iter()
        .map(|text| query::record(text, lang))
        .collect::<Result<Vec<_>, _>>()?;
    let archive = session.open(Access::Read)?;
    request.begin(session, &archive)?;
    let versions = wanted
        .into_iter()
        .map(|one| resolve(&archive, one))
        .collect::<Result<Vec<VersionId>, _>>()?;
    let mut verified = Verified::of(&archive)?;
    if versions.is_empty() {
        key_ledger(session, &archive, &mut verified);
        stored_bytes(session, &archive, &mut verified)?;
    }
    verified.records = records(session, &archive, &mut request, &versions)?;
    summary(session, &verified);
    let exit = request.exit(verified.exit());
    request.finish(session, &archive)?;
    Ok(exit)
}

/// Everything: the key ledger, every stored copy, every record.
pub(super) fn verify_all(session: &Session, archive: &Archive) -> Result<Verified, Failure> {
    let mut verified = Verified::of(archive)?;
    key_ledger(session, archive, &mut verified);
    stored_bytes(session, archive, &mut verified)?;
    verified.records = records(session, archive, &mut Request::default(), &[])?;
    summary(session, &verified);
    Ok(verified)
}

/// Tells what opening the ledger found to be damaged. Whose key stood there, nobody can say; the records that miss theirs do.
fn key_ledger(session: &Session, archive: &Archive, verified: &mut Verified) {
    let lang = session.output.lang;
    for (path, offset) in &archive.keys().ledger().report().damaged {
        verified.problems += 1;
        let medium = archive.keys().root().display().to_string();
        let file = path.display();
        session.output.event(&json!({
            "event": "damaged", "medium": medium, "segment": null, "offset": offset,
            "problem": "key-ledger", "record": null,
        }));
        session.output.say(&lang.pick(
            format!("損傷: 鍵台帳 {file} 位置 {offset}: 鍵媒体の複製から復元してください"),
            format!("damaged: key ledger {file}, byte {offset}: restore it from the copy of the key medium"),
        ));
    }
    let unwritten = archive.keys().ledger().report().unwritten();
    if unwritten > 0 {
        session
            .output
            .event(&json!({ "event": "key-ledger-zeros", "entries": unwritten }));
        session.output.say(&lang.pick(
            format!("鍵台帳: ゼロの並ぶ項目が {unwritten} 件あります(停電で書きかけに終わったものか、傷)"),
            format!("key ledger: {unwritten} entries are zeros, or begin or end with them (cut by a power loss, or damaged)"),
        ));
    }
}

/// Reads every copy of every segment: a record that is still readable from one medium may be damaged on another.
fn stored_bytes(
    session: &Session,
    archive: &Archive,
    verified: &mut Verified,
) -> Result<(), Failure> {
    let segments = archive.store().segments()?;
    let bar = records_bar(
        session,
        "媒体の検査",
        "checking media",
        segments.len() as u64,
    );
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    for together in segments.chunks(threads) {
        for fixity in verify_segments(archive, together) {
            let fixity = fixity?;
            for copy in &fixity.replicas {
                verified.copies += 1;
                for problem in &copy.problems {
                    verified.problems += 1;
                    let medium = copy.directory.display().to_string();
                    bar.suspend(|| tell_problem(session, fixity.segment, &medium, problem));
                }
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let standing = Standing::of(archive)?;
    verified.problems += standing.missing.len() as u64;
    tell_missing(session, &standing);
    Ok(())
}

/// Reads all copies of several segments, each in a thread of its own where the system gives one.
fn verify_segments(archive: &Archive, segments: &[u32]) -> Vec<Result<SegmentFixity, StoreError>> {
    let store = archive.store();
    thread::scope(|scope| {
        let begun: Vec<_> = segments
            .iter()
            .map(|&segment| {
                let verify = move || store.verify_segment(segment);
                (segment, thread::Builder::new().spawn_scoped(scope, verify))
            })
            .collect();
        begun
            .into_iter()
            .map(|(segment, thread)| match thread {
                Ok(thread) => thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(_) => store.verify_segment(segment),
            })
            .collect()
    })
}

fn tell_problem(session: &Session, segment: u32, medium: &str, problem: &FixityProblem) {
    let lang = session.output.lang;
    let record = problem.version.map(|version| version.to_string());
    session.output.event(&json!({
        "event": "damaged", "medium": medium, "segment": segment, "offset": problem.offset,
        "problem": problem.kind.name(), "record": problem.version.map(|v| v.record().to_string()),
    }));
    let whose = record.map_or_else(String::new, |version| {
        lang.pick(format!("、記録 {version}"), format!(", record {version}"))
    });
    session.output.say(&lang.pick(
        format!(
            "損傷: {medium} 区画 {segment:010} 位置 {}{whose}: {}",
            problem.offset,
            problem.kind.name()
        ),
        format!(
            "damaged: {medium}, segment {segment:010}, byte {}{whose}: {}",
            problem.offset,
            problem.kind.name()
        ),
    ));
}

fn records(
    session: &Session,
    archive: &Archive,
    request: &mut Request,
    versions: &[VersionId],
) -> Result<VerifySummary, Failure> {
    let anchors = archive.trust()?;
    let registry = archive.registry()?;
    let bare = Context {
        anchors: &anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: archive.policy(),
        time: request.time(archive),
        cache: None,
        registry: registry.as_ref(),
    };
    let cache = Cache::new(&bare);
    let verifier = RecordVerifier {
        retriever: archive.retriever(),
        catalog: archive.catalog(),
        frames: archive.store(),
        context: Context {
            cache: Some(&cache),
            ..bare
        },
        workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        lang: session.output.lang,
    };
    let total = if versions.is_empty() {
        archive.catalog().counts()?.versions
    } else {
        versions.len() as u64
    };
    let accreditations = Accreditations::of(archive)?;
    let bar = records_bar(session, "記録の検証", "verifying records", total);
    let period = request.period(&bare, session, archive)?;
    let mut failed = None;
    let mut each = |verdict: &RecordVerdict| {
        bar.inc(1);
        bar.suspend(|| tell_verdict(session, &accreditations, verdict));
        if failed.is_none() {
            failed = request.add(&verdict.row).err();
        }
    };
    let result = if versions.is_empty() {
        verifier.verify_period(&period, &mut each)
    } else {
        verifier.verify_versions(versions, &mut each)
    };
    bar.finish_and_clear();
    if let Some(failed) = failed {
        return Err(failed);
    }
    result.map_err(|error| match error {
        VerifyError::Store(error) => error.into(),
        error @ (VerifyError::Machine(_) | VerifyError::Changed) => Failure::Said {
            exit: Exit::Unusable,
            text: error.to_string(),
        },
    })
}

/// Whether the law takes the record's timestamp, for machines; `null` where that cannot be read, which is told elsewhere.
fn accreditation(
    session: &Session,
    accreditations: &Accreditations<'_>,
    version: VersionId,
) -> Value {
    if !session.output.json {
        return Value::Null;
    }
    let found = accreditations.version(version).ok().flatten();
    found.map_or(Value::Null, |found| found.to_json())
}

/// One event for each record; in words only what is not as it should be.
fn tell_verdict(session: &Session, accreditations: &Accreditations<'_>, verdict: &RecordVerdict) {
    let lang = session.output.lang;
    let version = verdict.version;
    let told = |result: &str, detail: Value| {
        session.output.event(&json!({
            "event": "record", "record": version.record().to_string(), "version": version.version(),
            "result": result, "detail": detail,
        }));
    };
    match &verdict.outcome {
        Outcome::Passed { existence } => told(
            "passed",
            json!({
                "best_signature_time": existence.map(rfc3339),
                "accreditation": accreditation(session, accreditations, version),
            }),
        ),
        Outcome::Unstamped { received_at } => {
            told("unstamped", json!({ "received_at": rfc3339(*received_at) }));
        }
        Outcome::NotPassed {
            judgement,
            findings,
        } => {
            let texts: Vec<String> = findings
                .iter()
                .map(|finding| finding.code().id().to_owned())
                .collect();
            told(
                "not-passed",
                json!({ "conclusion": judgement.conclusion().to_string(), "findings": texts }),
            );
            session.output.say(&format!(
                "{version}: {} {}",
                judgement.conclusion(),
                texts.join(", ")
            ));
        }
        Outcome::Unreadable(error) => {
            let text = error.text(lang);
            let destroyed = matches!(error, RetrieveError::Keys(KeyError::KeyDestroyed { .. }));
            let result = if destroyed {
                "destroyed"
            } else if error.is_integrity_failure() {
                "failed"
            } else {
                "unreadable"
            };
            told(result, json!({ "text": text }));
            session.output.say(&format!("{version}: {text}"));
        }
        Outcome::NoEvidence(error) => {
            told("failed", json!({ "text": error.to_string() }));
            session.output.say(&format!("{version}: {error}"));
        }
    }
}

/// How many were destroyed, where any was.
fn destroyed(count: u64, before: &str, after: &str) -> String {
    if count == 0 {
        return String::new();
    }
    format!("{before}{}{after}", grouped(count))
}

fn summary(session: &Session, verified: &Verified) {
    let counts = &verified.records;
    session.output.event(&json!({
        "event": "summary", "records": counts.versions, "passed": counts.passed, "unstamped": counts.unstamped,
        "indeterminate": counts.indeterminate, "failed": counts.failed, "unreadable": counts.unreadable, "lost_keys": verified.lost_keys(), "destroyed": counts.destroyed,
        "copies": verified.copies, "damaged": verified.problems,
    }));
    let lang = session.output.lang;
    session.output.say(&lang.pick(
        format!(
            "検証した記録 {} 件: 合格 {}、タイムスタンプ待ち {}、不確定 {}、不合格 {}、読めないもの {}{}",
            grouped(counts.versions),
            grouped(counts.passed),
            grouped(counts.unstamped),
            grouped(counts.indeterminate),
            grouped(counts.failed),
            grouped(counts.unreadable),
            destroyed(counts.destroyed, "、廃棄したもの ", "")
        ),
        format!(
            "verified {} records: {} passed, {} waiting for a timestamp, {} indeterminate, {} failed, {} unreadable{}",
            grouped(counts.versions),
            grouped(counts.passed),
            grouped(counts.unstamped),
            grouped(counts.indeterminate),
            grouped(counts.failed),
            grouped(counts.unreadable),
            destroyed(counts.destroyed, ", ", " destroyed")
        ),
    ));
    if verified.lost_keys() > 0 {
        let count = grouped(verified.lost_keys());
        session.output.say(&lang.pick(
            format!("{count} 件の鍵が鍵台帳から失われています。鍵媒体の複製を接続するか、archiver restore でバックアップから戻してください"),
            format!("the keys of {count} records are gone from the key ledger: attach a copy of the key medium, or restore a backup ('archiver restore')"),
        ));
    }
    if verified.copies > 0 {
        session.output.say(&lang.pick(
            format!(
                "読んだ区画の複製 {}、損傷 {}",
                grouped(verified.copies),
                grouped(verified.problems)
            ),
            format!(
                "read {} stored copies of segments: {} damages",
                grouped(verified.copies),
                grouped(verified.problems)
            ),
        ));
    }
}
