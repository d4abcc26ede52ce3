//! The report in the form, language and depth that were asked for, to where it was asked for.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use verifier::bulk::Summary;
use verifier::context::Context;
use verifier::finding::Language;
use verifier::report::document::{Depth, Document};
use verifier::report::{Report, etsi, html, json, pdf, text};

use super::{CannotJudge, Lang, print_bytes};

/// How the report is written.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// The form of the report.
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,

    /// How much a report for people says: the answer; also the proofs in time; everything. Without it text stops at the proofs, and html and pdf say everything.
    #[arg(long, value_enum)]
    depth: Option<DepthArgument>,

    /// The language of the report; without it, that of the environment.
    #[arg(long, value_enum)]
    lang: Option<Lang>,

    /// Write the report to this file instead of printing it.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The form of a verification report.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum ReportFormat {
    /// For people, on a terminal.
    #[default]
    Text,
    /// For programs; the schema is report.schema.json.
    Json,
    /// For other people's programs: the XML of ETSI TS 119 102-2.
    Etsi,
    /// For people, in a browser and on A4 paper: one file without anything from elsewhere.
    Html,
    /// For people, on A4 paper.
    Pdf,
}

/// How much a report for people says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum DepthArgument {
    /// What is proven, for what time, and what is not.
    Brief,
    /// Also what proves what, from when, until when, and why.
    Timeline,
    /// Everything.
    Full,
}

impl DepthArgument {
    const fn depth(self) -> Depth {
        match self {
            Self::Brief => Depth::Brief,
            Self::Timeline => Depth::Timeline,
            Self::Full => Depth::Full,
        }
    }
}

impl OutputArgs {
    /// The language asked for, or that of the environment.
    pub(crate) fn language(&self) -> Language {
        Lang::or_environment(self.lang)
    }

    /// Writes the summary of a directory.
    pub(crate) fn write_summary(&self, summary: &Summary) -> Result<(), CannotJudge> {
        let text = if self.format == ReportFormat::Text {
            summary.to_text(self.language())
        } else if self.format == ReportFormat::Json {
            summary.to_json()
        } else if self.format == ReportFormat::Html {
            summary.to_html()
        } else {
            return Err(CannotJudge(
                "the summary of a directory is text, json or html".to_owned(),
            ));
        };
        match self.output.as_deref() {
            Some(path) if path != Path::new("-") => write_file(path, text.as_bytes()),
            _ => print_bytes(text.as_bytes()),
        }
    }

    /// Writes the report.
    pub(crate) fn write(&self, report: &Report, context: &Context<'_>) -> Result<(), CannotJudge> {
        let language = Lang::or_environment(self.lang);
        let document = || Document::of(report, Some(context), language);
        let depth = |usual: Depth| self.depth.map_or(usual, DepthArgument::depth);
        let bytes = match self.format {
            ReportFormat::Text => text::write(&document(), depth(Depth::Timeline)).into_bytes(),
            ReportFormat::Json => json::to_text(report, language).into_bytes(),
            ReportFormat::Etsi => etsi::to_text(report, language).into_bytes(),
            ReportFormat::Html => html::write(&document(), depth(Depth::Full)).into_bytes(),
            ReportFormat::Pdf => pdf::write(&document(), depth(Depth::Full))
                .map_err(|error| CannotJudge(format!("the report cannot be written: {error}")))?,
        };
        match self.output.as_deref() {
            Some(path) if path != Path::new("-") => write_file(path, &bytes),
            None if self.format == ReportFormat::Pdf && io::stdout().is_terminal() => Err(
                CannotJudge("a PDF is not for a terminal: name a file with --output".to_owned()),
            ),
            _ => print_bytes(&bytes),
        }
    }
}

/// A report can be made again, so it is written plainly; it is no part of an archive.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CannotJudge> {
    File::create(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|error| CannotJudge(format!("{} cannot be written: {error}", path.display())))
}
