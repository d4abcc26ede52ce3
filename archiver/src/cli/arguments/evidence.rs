//! The arguments of `archiver evidence`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `archiver evidence`: a package, or the forecast.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct EvidenceCommand {
    /// The forecast.
    #[command(subcommand)]
    pub view: Option<EvidenceView>,
    /// The package.
    #[command(flatten)]
    pub package: Option<Evidence>,
}

/// What is to be seen of the archive's evidence as a whole.
#[derive(Debug, Subcommand)]
pub enum EvidenceView {
    /// The timetable of the years ahead: what ends when and why, and what will be done about it
    Forecast(EvidenceForecast),
}

/// `archiver evidence forecast`
#[derive(Debug, Args)]
pub struct EvidenceForecast {
    /// How many years ahead
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub years: u32,
}

/// `archiver evidence RECORD`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver evidence RECORD -o evidence.asice
  archiver evidence RECORD --lines 1200..1203 -o lines.asice     these four lines of a log, and no others
  archiver evidence RECORD --lines 1200.. --object app.log -o lines.asice

Single lines can be proven of records whose class asks for it, such as system-log.")]
pub struct Evidence {
    /// The record, or RECORD/VERSION
    #[arg(value_name = "RECORD")]
    pub record: String,
    /// The evidence package to write
    #[arg(short, long, value_name = "FILE.asice")]
    pub output: PathBuf,
    /// Prove only these lines of a log, and show no others: A..B, A.., ..B or A, from 1
    #[arg(long, value_name = "A..B")]
    pub lines: Option<String>,
    /// Whose lines, where the record has several objects
    #[arg(long, value_name = "NAME", requires = "lines")]
    pub object: Option<String>,
    /// Also write the trust anchors that the package's timestamps chain to
    #[arg(long, value_name = "FILE.pem")]
    pub trust_anchors: Option<PathBuf>,
    /// With --server: for what purpose it is handed over; stands in the audit trail
    #[arg(long, value_name = "TEXT")]
    pub purpose: Option<String>,
}
