//! `archiver audit`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `archiver audit`
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Show entries of the audit trail, newest first
    List(AuditList),
    /// Write lines of the audit trail to a file, byte for byte, for 'verifier audit'
    Export(AuditExport),
    /// Analyse a month of the audit trail: what was done by whom, and what is to be reported
    Report(AuditReport),
}

/// `archiver audit list`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  archiver audit list --from 2026-11-01 --to 2026-11-30 --person sato
  archiver audit list --act session. --outcome denied     log-ins that failed")]
pub struct AuditList {
    /// Only entries at or after this time (RFC 3339, or a day in Japan)
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only entries before this time (RFC 3339, or up to and with a day in Japan)
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only of this account
    #[arg(long, value_name = "NAME")]
    pub person: Option<String>,
    /// Only acts whose code begins so
    #[arg(long, value_name = "CODE")]
    pub act: Option<String>,
    /// Only on this record, or RECORD/VERSION
    #[arg(long, value_name = "RECORD")]
    pub record: Option<String>,
    /// Only with this outcome
    #[arg(long, value_name = "done|denied|failed", value_parser = ["done", "denied", "failed"])]
    pub outcome: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,
}

/// `archiver audit export`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  archiver audit export -o november.jsonl --from 2026-11-01 --to 2026-11-30
  verifier audit november.jsonl

Without --from the lines begin with the first one of the archive: 'verifier audit FILE --from-start ARCHIVE-ID'.")]
pub struct AuditExport {
    /// Where to write them
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// From the first entry at or after this time (RFC 3339, or a day in Japan)
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// To the last entry before this time (RFC 3339, or up to and with a day in Japan)
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
}

/// `archiver audit report`
#[derive(Debug, Args)]
pub struct AuditReport {
    /// The month in Japan
    #[arg(long, value_name = "YYYY-MM")]
    pub month: String,
}
