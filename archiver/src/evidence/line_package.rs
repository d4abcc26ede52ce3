//! Handing out: the package that proves some lines of a log and shows no others.

use std::io::{Cursor, Seek, Write};

use formats::id::VersionId;
use formats::manifest::Manifest;
use formats::package::{EvidenceMembers, write_line_package};
use formats::raw::Raw;
use time::OffsetDateTime;
use verifier::judge;
use verifier::judgement::Judgement;
use verifier::source::InputFile;

use super::assemble::EvidenceAssembler;
use super::leaves::group_of;
use super::lines::{Disclosure, LineRange, LinesError, disclose};
use super::package::{ExportError, Exporter, usable};
use super::report_page::{self, ShownLines};

/// What went into a package of lines.
#[derive(Debug, Clone)]
pub struct ExportedLines {
    /// The version.
    pub version: VersionId,
    /// The name of the log.
    pub name: String,
    /// Number of the first line shown, from 1.
    pub first: u64,
    /// Number of the last line shown.
    pub last: u64,
    /// How many lines the log has.
    pub lines: u64,
    /// Bytes of the lines shown.
    pub shown_bytes: usize,
    /// Since when the lines are proven to exist; only if the judgement has passed.
    pub existence: Option<OffsetDateTime>,
    /// What the verifier says about the package.
    pub judgement: Judgement,
    /// Bytes of the evidence records.
    pub evidence_bytes: usize,
}

impl Exporter<'_> {
    /// Writes the package of some lines of a content object.
    ///
    /// # Errors
    /// [`LinesError`].
    pub fn export_lines<W: Write + Seek>(
        &self,
        version: VersionId,
        object: u32,
        range: LineRange,
        sink: W,
    ) -> Result<(ExportedLines, W), LinesError> {
        let mut opened = self.retriever.open(version)?;
        let manifest = opened.manifest().clone();
        let assembler = EvidenceAssembler::new(self.frames, self.catalog);
        let algorithm = assembler.algorithms(version)?.first().copied();
        let algorithm = algorithm.ok_or(ExportError::NotStamped { version })?;
        let disclosure = disclose(&mut opened, object, range)?;
        // The content is not read: its digests are those of the manifest, or those that a re-hash took.
        let group = |algorithm| group_of(&opened, self.catalog, self.frames, algorithm);
        let tracks = assembler.tracks(version)?.into_iter();
        let assembled = tracks.map(|track| assembler.evidence_record(version, track, &group));
        let records = usable(assembled.collect())?;
        let audit = self.audit(&manifest, version, &assembler)?.to_json()?;
        let mut members = EvidenceMembers {
            records: &records,
            algorithm,
            audit: &audit,
            report: &[],
        };
        let name = object_name(&manifest, object);
        let last = disclosure.proof.last().unwrap_or_default();
        // The report says what the verifier finds in the package, so there is one without it first.
        let draft = write(Cursor::new(Vec::new()), &manifest, &disclosure, &members)?;
        let files = [InputFile::new(DRAFT, draft.into_inner())];
        let report = judge::verify(&files, &[], &self.context);
        let shown = ShownLines {
            object,
            first: disclosure.proof.first,
            last,
            lines: disclosure.lines,
        };
        let page = report_page::render_lines(&manifest, &shown, &report, self.evaluation);
        members.report = page.as_bytes();
        let sink = write(sink, &manifest, &disclosure, &members)?;
        let exported = ExportedLines {
            version,
            name,
            first: disclosure.proof.first,
            last,
            lines: disclosure.lines,
            shown_bytes: disclosure.bytes.len(),
            existence: report.best_signature_time,
            judgement: report.judgement,
            evidence_bytes: records.iter().map(Vec::len).sum(),
        };
        Ok((exported, sink))
    }
}

fn write<W: Write + Seek>(
    sink: W,
    manifest: &Raw<Manifest>,
    disclosure: &Disclosure,
    members: &EvidenceMembers<'_>,
) -> Result<W, LinesError> {
    let Disclosure { bytes, proof, .. } = disclosure;
    Ok(write_line_package(sink, manifest, bytes, proof, members)?)
}

fn object_name(manifest: &Manifest, object: u32) -> String {
    let place = usize::try_from(object).ok();
    let object = place.and_then(|place| manifest.objects.get(place));
    object.map_or_else(String::new, |object| object.name.to_string())
}

/// What the report in the package calls the package.
const DRAFT: &str = "LINES.asice";
