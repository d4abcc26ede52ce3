//! `archiver evidence --lines`: some lines of a log, and no others.

use formats::id::VersionId;
use serde_json::json;

use crate::archive::Archive;
use crate::cli::arguments::Evidence;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{grouped, moment, sized};
use crate::cli::query::rfc3339;
use crate::cli::session::Session;
use crate::evidence::line_package::ExportedLines;
use crate::evidence::lines::{LineRange, LinesError};
use crate::evidence::package::Exporter;

use super::evidence::{Sink, failure, write_package};
use super::get::object_number;
use super::tsa::write_anchors;

pub(super) fn run(
    session: &Session,
    archive: &Archive,
    version: VersionId,
    range: &str,
    arguments: &Evidence,
) -> Result<Exit, Failure> {
    let range = LineRange::parse(range).ok_or_else(|| {
        Failure::said(
            Exit::Usage,
            session.output.lang,
            format!("--lines {range}: A..B、A..、..B 又は A の形で、1 から数えた行番号を指定してください"),
            format!("--lines {range}: give A..B, A.., ..B or A, with line numbers from 1"),
        )
    })?;
    let object = {
        let opened = archive.retriever().open(version)?;
        object_number(session, &opened, arguments.object.as_deref())?
    };
    let fill = |exporter: &Exporter<'_>, file: &mut Sink| {
        let exported = exporter.export_lines(version, object, range, file);
        exported.map(|(package, _)| package)
    };
    let exported = write_package(session, archive, &arguments.output, fill)?
        .map_err(|error| refusal(session, archive, version, error))?;
    if let Some(path) = &arguments.trust_anchors {
        write_anchors(session, &archive.anchors()?, path)?;
    }
    tell(session, arguments, &exported);
    Ok(if exported.judgement.is_passed() {
        Exit::Done
    } else {
        Exit::Integrity
    })
}

fn tell(session: &Session, arguments: &Evidence, exported: &ExportedLines) {
    let lang = session.output.lang;
    let ExportedLines {
        version,
        name,
        first,
        last,
        lines,
        ..
    } = exported;
    let conclusion = exported.judgement.conclusion();
    session.output.event(&json!({
        "event": "exported", "record": version.record().to_string(), "version": version.version(),
        "path": arguments.output, "object": name, "first_line": first, "last_line": last, "lines_in_all": lines,
        "shown_bytes": exported.shown_bytes, "evidence_bytes": exported.evidence_bytes,
        "conclusion": conclusion.to_string(), "best_signature_time": exported.existence.map(rfc3339),
    }));
    let path = arguments.output.display();
    let (evidence, all) = (sized(exported.evidence_bytes as u64), grouped(*lines));
    let [first, last] = [*first, *last].map(grouped);
    session.output.say(&lang.pick(
        format!(
            "証拠パッケージ {path} を書きました({name} の {first} 行目から {last} 行目。全 {all} 行。ほかの行は含みません。証拠記録 {evidence})"
        ),
        format!(
            "wrote the evidence package {path} (lines {first} to {last} of {all} of {name}, and no others; evidence record {evidence})"
        ),
    ));
    if let Some(since) = exported.existence {
        let since = moment(since);
        session.output.say(&lang.pick(
            format!("{conclusion}: これらの行は遅くとも {since} から存在し、変わっていません"),
            format!("{conclusion}: these lines existed at {since} and are unaltered since"),
        ));
    }
}

fn refusal(session: &Session, archive: &Archive, version: VersionId, error: LinesError) -> Failure {
    let lang = session.output.lang;
    let count = |lines: u64| grouped(lines);
    match error {
        LinesError::Export(error) => failure(session, error),
        LinesError::BeyondEnd { lines } => Failure::said(
            Exit::NotFound,
            lang,
            format!("{version}: 行は 1 から {} までです", count(lines)),
            format!("{version}: there are lines 1 to {} only", count(lines)),
        ),
        LinesError::TooMuch { lines } => Failure::said(
            Exit::Usage,
            lang,
            format!(
                "{version}: 一つのパッケージで示せる行数を超えています(全 {} 行)。範囲を狭めるか、--lines を付けずに記録全体を渡してください",
                count(lines)
            ),
            format!(
                "{version}: these are more lines than one package shows ({} in all): ask for fewer, or hand over the whole record without --lines",
                count(lines)
            ),
        ),
        LinesError::NoTree { reason } => without_tree(session, archive, version, reason),
    }
}

/// Says why single lines of a record cannot be proven, and which class would have given it.
fn without_tree(
    session: &Session,
    archive: &Archive,
    version: VersionId,
    reason: Option<String>,
) -> Failure {
    let classes = archive.classes().iter();
    let classes: Vec<&str> = classes
        .filter(|class| class.policy().line_tree)
        .map(|class| class.policy().id.as_str())
        .collect();
    let classes = classes.join(", ");
    let reason_ja = reason
        .as_ref()
        .map(|reason| format!("({reason})"))
        .unwrap_or_default();
    let reason_en = reason
        .map(|reason| format!(" ({reason})"))
        .unwrap_or_default();
    Failure::said(
        Exit::NotFound,
        session.output.lang,
        format!(
            "{version}: この記録は行ごとに証明できません{reason_ja}。行ごとの証明は保管要件 {classes} で預けたログにあります。--lines を付けなければ記録全体の証拠を書き出せます"
        ),
        format!(
            "{version}: single lines of this record cannot be proven{reason_en}: logs deposited under {classes} give that; without --lines the whole record can be handed over"
        ),
    )
}
