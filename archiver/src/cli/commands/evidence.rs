//! `archiver evidence`

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use formats::id::VersionId;
use serde_json::json;
use verifier::context::Context;

use crate::archive::{Access, Archive};
use crate::cli::arguments::Evidence;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{moment, sized};
use crate::cli::query::{self, rfc3339};
use crate::cli::session::Session;
use crate::evidence::package::{ExportError, ExportedPackage, Exporter};

use super::evidence_lines;
use super::get::{resolve, write_beside};
use super::tsa::write_anchors;

pub(in crate::cli) fn run(session: &Session, arguments: &Evidence) -> Result<Exit, Failure> {
    let lang = session.output.lang;
    let wanted = query::record(&arguments.record, lang)?;
    if arguments.purpose.is_some() {
        return Err(Failure::said(
            Exit::Usage,
            lang,
            "--purpose は --server と併せて指定してください".to_owned(),
            "--purpose goes with --server".to_owned(),
        ));
    }
    let archive = session.open(Access::Read)?;
    let version = resolve(&archive, wanted)?;
    if let Some(range) = &arguments.lines {
        return evidence_lines::run(session, &archive, version, range, arguments);
    }
    let exported = export(session, &archive, version, &arguments.output)?;
    if let Some(path) = &arguments.trust_anchors {
        write_anchors(session, &archive.anchors()?, path)?;
    }
    let conclusion = exported.judgement.conclusion();
    session.output.event(&json!({
        "event": "exported", "record": version.record().to_string(), "version": version.version(),
        "path": arguments.output, "documents": exported.documents, "evidence_bytes": exported.evidence_bytes,
        "conclusion": conclusion.to_string(), "best_signature_time": exported.existence.map(rfc3339),
    }));
    let path = arguments.output.display();
    let evidence = sized(exported.evidence_bytes as u64);
    session.output.say(&lang.pick(
        format!(
            "証拠パッケージ {path} を書きました(文書 {} 件、証拠記録 {evidence})",
            exported.documents
        ),
        format!(
            "wrote the evidence package {path} ({} documents, evidence record {evidence})",
            exported.documents
        ),
    ));
    if let Some(since) = exported.existence {
        session.output.say(&lang.pick(
            format!(
                "{conclusion}: 遅くとも {} から存在し、変わっていません",
                moment(since)
            ),
            format!(
                "{conclusion}: existed at {} and unaltered since",
                moment(since)
            ),
        ));
    }
    Ok(if exported.judgement.is_passed() {
        Exit::Done
    } else {
        Exit::Integrity
    })
}

/// Writes the package of a version.
pub(super) fn export(
    session: &Session,
    archive: &Archive,
    version: VersionId,
    output: &Path,
) -> Result<ExportedPackage, Failure> {
    let fill = |exporter: &Exporter<'_>, file: &mut Sink| {
        let exported = exporter.export(version, file);
        exported.map(|(package, _)| package)
    };
    write_package(session, archive, output, fill)?.map_err(|error| failure(session, error))
}

/// The file that a package is written to.
pub(super) type Sink = BufWriter<File>;

/// Writes a package with what `fill` makes of it; nothing stays of one that is not whole.
pub(super) fn write_package<T, E>(
    session: &Session,
    archive: &Archive,
    output: &Path,
    fill: impl FnOnce(&Exporter<'_>, &mut Sink) -> Result<T, E>,
) -> Result<Result<T, E>, Failure> {
    let anchors = archive.trust()?;
    let policy = archive.policy();
    let registry = archive.registry()?;
    let exporter = Exporter {
        retriever: archive.retriever(),
        catalog: archive.catalog(),
        frames: archive.store(),
        context: Context {
            anchors: &anchors,
            certificates: &[],
            crls: &[],
            ocsp_responses: &[],
            policy,
            time: archive.environment().clock.now(),
            cache: None,
            registry: registry.as_ref(),
        },
        exported_by: &session.user,
        evaluation: archive.notice().is_some(),
    };
    let mut exported = None;
    write_beside(session.environment.disk.as_ref(), output, |file| {
        let result = fill(&exporter, file);
        let whole = result.is_ok();
        exported = Some(result);
        whole
    })?;
    exported.ok_or(Failure::Said {
        exit: Exit::Medium,
        text: output.display().to_string(),
    })
}

pub(super) fn failure(session: &Session, error: ExportError) -> Failure {
    let lang = session.output.lang;
    match error {
        ExportError::Retrieve(error) => error.into(),
        ExportError::Signature(error) => error.into(),
        ExportError::NotStamped { version } => Failure::said(
            Exit::Tsa,
            lang,
            format!(
                "記録 {version} はまだタイムスタンプを待っています。先に archiver stamp を実行してください"
            ),
            format!("record {version} still waits for its timestamp: run 'archiver stamp' first"),
        ),
        ExportError::Assemble(error) => Failure::Said {
            exit: Exit::Integrity,
            text: error.to_string(),
        },
        other @ (ExportError::Write(_) | ExportError::Machine(_) | ExportError::Audit(_)) => {
            Failure::Said {
                exit: Exit::Medium,
                text: other.to_string(),
            }
        }
    }
}
