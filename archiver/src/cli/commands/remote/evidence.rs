//! `archiver evidence --server`, `archiver verify --server`, `archiver status --server`, `archiver receipt --server`

use serde_json::json;

use super::get::{Wanted, purpose, record};
use super::{At, said};
use crate::cli::arguments::{Evidence, Receipt, Verify};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{grouped, sized};
use crate::remote::{FoundRecord, SystemAnswer, VerdictTable};

/// Writes the evidence package of a record.
pub(super) fn package(at: &At<'_>, arguments: &Evidence) -> Result<Exit, Failure> {
    let session = at.session;
    let lang = session.output.lang;
    if arguments.lines.is_some() || arguments.trust_anchors.is_some() {
        return Err(Failure::said(
            Exit::Usage,
            lang,
            "--lines と --trust-anchors は --server では使えません".to_owned(),
            "--lines and --trust-anchors do not go with --server".to_owned(),
        ));
    }
    let purpose = purpose(session, arguments.purpose.as_deref())?;
    let client = at.client()?;
    let found = record(session, &client, &arguments.record)?;
    let wanted = Wanted {
        session,
        client: &client,
        path: place(&found, "evidence"),
        purpose: Some(purpose),
        size: 0,
        // The package proves itself: whoever gets it runs `verifier verify`.
        sha256: None,
    };
    let fetched = wanted.to_file(&arguments.output)?;
    session.output.event(&json!({
        "event": "exported", "record": found.version.record, "version": found.version.version,
        "path": arguments.output, "documents": found.version.objects.len(), "bytes": fetched.bytes,
    }));
    let (path, size) = (arguments.output.display(), sized(fetched.bytes));
    session.output.say(&lang.pick(
        format!("証拠パッケージ {path} を書きました({size})。verifier verify で確かめられます"),
        format!("wrote the evidence package {path} ({size}): 'verifier verify' judges it"),
    ));
    Ok(Exit::Done)
}

/// Writes the deposit receipt of a record.
pub(super) fn receipt(at: &At<'_>, arguments: &Receipt) -> Result<Exit, Failure> {
    let session = at.session;
    let client = at.client()?;
    // A depositor may fetch the receipt and not search: the first version is asked for where none is named.
    let (record, version) = crate::cli::query::record(&arguments.record, session.output.lang)?;
    let (record, version) = (record.to_string(), version.unwrap_or(1));
    let number = version.to_string();
    let path = ["records", &record, "versions", &number, "receipt"];
    let wanted = Wanted {
        session,
        client: &client,
        path: path.map(str::to_owned).into(),
        purpose: None,
        size: 0,
        sha256: None,
    };
    wanted.to_file(&arguments.output)?;
    let path = arguments.output.display();
    session.output.event(&json!({
        "event": "receipt", "record": record, "version": version, "records": 1, "path": arguments.output,
    }));
    session.output.say(&session.output.lang.pick(
        format!("受領証を {path} に書きました"),
        format!("wrote the receipt to {path}"),
    ));
    Ok(Exit::Done)
}

fn place(found: &FoundRecord, what: &str) -> Vec<String> {
    let number = found.version.version.to_string();
    let path = ["records", &found.version.record, "versions", &number, what];
    path.map(str::to_owned).into()
}

/// Has the service verify the records that are named.
pub(super) fn verify(at: &At<'_>, arguments: &Verify) -> Result<Exit, Failure> {
    let session = at.session;
    let lang = session.output.lang;
    if arguments.records.is_empty() {
        return Err(Failure::said(
            Exit::Usage,
            lang,
            "--server では記録を指定してください。期間の検証はブラウザの「検証」で、すべての写しの検証はサービスを止めてからできます".to_owned(),
            "with --server, name the records: a period is verified in the browser, and every copy of everything locally while the service is stopped".to_owned(),
        ));
    }
    let client = at.client()?;
    let mut counts = Counts::default();
    for text in &arguments.records {
        let found = record(session, &client, text)?;
        let path = place(&found, "verification");
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let table: VerdictTable = client.post(&path).map_err(|error| said(session, &error))?;
        for verdict in table.verdicts {
            counts.add(&verdict.result, verdict.is_integrity_failure);
            let detail = match verdict.existence {
                Some(existence) => json!({ "best_signature_time": existence }),
                None => json!({ "text": verdict.text }),
            };
            session.output.event(&json!({
                "event": "record", "record": verdict.record, "version": verdict.version,
                "result": verdict.result, "detail": detail,
            }));
            if !matches!(verdict.result.as_str(), "passed" | "unstamped") {
                let id = format!("{}/{}", verdict.record, verdict.version);
                session.output.say(&format!("{id}: {}", verdict.text));
            }
        }
    }
    session.output.event(&json!({
        "event": "summary", "records": counts.records, "passed": counts.passed, "unstamped": counts.unstamped,
        "failed": counts.failed, "unreadable": counts.unreadable,
    }));
    let [records, passed, unstamped, failed, unreadable] = [
        counts.records,
        counts.passed,
        counts.unstamped,
        counts.failed,
        counts.unreadable,
    ]
    .map(grouped);
    session.output.say(&lang.pick(
        format!("検証した記録 {records} 件: 合格 {passed}、タイムスタンプ待ち {unstamped}、不合格 {failed}、読めないもの {unreadable}"),
        format!("verified {records} records: {passed} passed, {unstamped} wait for a timestamp, {failed} failed, {unreadable} unreadable"),
    ));
    Ok(counts.exit())
}

/// What a verification found.
#[derive(Default)]
struct Counts {
    records: u64,
    passed: u64,
    unstamped: u64,
    failed: u64,
    unreadable: u64,
}

impl Counts {
    fn add(&mut self, result: &str, is_integrity_failure: bool) {
        self.records += 1;
        match result {
            "passed" => self.passed += 1,
            "unstamped" => self.unstamped += 1,
            "unreadable" if !is_integrity_failure => self.unreadable += 1,
            // What a newer service calls it: it did not pass.
            _ => self.failed += 1,
        }
    }

    fn exit(&self) -> Exit {
        match (self.failed, self.unreadable) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::Partial,
            _ => Exit::Integrity,
        }
    }
}

/// What the service holds.
pub(super) fn status(at: &At<'_>) -> Result<Exit, Failure> {
    let session = at.session;
    let client = at.client()?;
    let system: SystemAnswer = client
        .get(&["system"], &[])
        .map_err(|error| said(session, &error))?;
    if system.evaluation {
        session.output.mark_evaluation();
    }
    session.output.event(&json!({
        "event": "status", "archive": system.archive, "evaluation": system.evaluation,
        "versions": system.versions, "unstamped": system.unstamped,
        "server": client.server(), "server_version": system.version,
    }));
    let (versions, unstamped) = (grouped(system.versions), grouped(system.unstamped));
    let (archive, server) = (system.archive, client.server());
    let output = &session.output;
    output.say(&output.lang.pick(
        format!(
            "保管庫 {archive}: {versions} 版({server}、版 {})",
            system.version
        ),
        format!(
            "archive {archive}: {versions} versions ({server}, version {})",
            system.version
        ),
    ));
    output.say(&match system.unstamped {
        0 => output
            .lang
            .pick("すべてタイムスタンプ済みです", "all are stamped")
            .to_owned(),
        _ => output.lang.pick(
            format!("タイムスタンプ待ち {unstamped} 版"),
            format!("{unstamped} wait for a timestamp"),
        ),
    });
    Ok(Exit::Done)
}
