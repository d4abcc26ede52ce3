//! The command line. This is the only part of the program that opens files, reads the clock and prints.

mod audit;
mod bulk;
mod files;
mod input;
mod inspect;
#[cfg(feature = "online")]
mod online;
mod output;
mod path;
mod verify;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};
use verifier::finding::Language;
use verifier::verdict::Conclusion;

const EXAMPLES: &str = "\
Examples:
  A package that somebody handed over, with the anchors that you trust:
    verifier verify RECORD.asice --trust trust-anchors.pem

  An evidence record and the document that it covers, in Japanese:
    verifier verify proof.ers --data invoice.pdf --trust anchors/ --lang ja

  A time-stamp over a document of which only the digest is known, as JSON:
    verifier verify stamp.tsr --data-digest SHA-256:2cf2… --trust tsa.pem --format json

  A detached signature (CAdES) and what it signs:
    verifier verify contract.p7s --data contract.pdf --trust roots/

  A package from a pipe:
    curl https://example.jp/RECORD.asice | verifier verify - --trust trust-anchors.pem

  As it stood at the end of 2030:
    verifier verify RECORD.asice --trust trust-anchors.pem --at 2030-12-31

  A report on paper, whose first page is for a judge:
    verifier verify RECORD.asice --trust trust-anchors.pem --format pdf -o report.pdf --lang ja

  Everything in a directory (一括検証), as a table for Excel and a signed summary:
    verifier verify archive/2026 --trust anchors/ --tsa-registry tsa-registry.toml \\
      --csv 2026.csv --summary 2026.json --sign-key me.key --sign-certificate me.pem

  What is in a file, without judging it:
    verifier inspect RECORD.asice

Exit codes: 0 passed, 1 failed, 2 undecided, 3 could not be judged (also wrong usage).";

/// Checks electronic evidence: packages, evidence records and time-stamps. Offline, with nothing but the files given.
#[derive(Debug, Parser)]
#[command(name = "verifier", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge evidence: passed, failed or undecided, with every reason.
    Verify(verify::VerifyArgs),
    /// Show what is in a file, without judging it.
    Inspect(inspect::InspectArgs),
    /// Judge one certification path by RFC 5280.
    Path(path::PathArgs),
    /// Check whether lines of an archive's audit trail hang together: gaps, changes, another order.
    Audit(audit::AuditArgs),
}

/// The form of what a command other than `verify` tells.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs; the schema is report.schema.json.
    Json,
}

/// The language of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Lang {
    /// Japanese.
    Ja,
    /// English.
    En,
}

impl Lang {
    /// The language asked for, or that of the environment: Japanese if it says so, otherwise English.
    pub(crate) fn or_environment(lang: Option<Self>) -> Language {
        let from_environment = || {
            ["LC_ALL", "LC_MESSAGES", "LANG"]
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
                .is_some_and(|value| value.starts_with("ja"))
        };
        match lang {
            Some(Self::Ja) => Language::Japanese,
            Some(Self::En) => Language::English,
            None if from_environment() => Language::Japanese,
            None => Language::English,
        }
    }
}

/// Why a command could not judge. It is told on standard error, and the exit code is 3.
#[derive(Debug)]
pub(crate) struct CannotJudge(pub(crate) String);

/// Could not judge, or wrong usage.
const EXIT_CANNOT_JUDGE: u8 = 3;

/// Runs the command of the process's arguments.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked_for = !error.use_stderr();
            let _unprintable = error.print();
            return ExitCode::from(if asked_for { 0 } else { EXIT_CANNOT_JUDGE });
        }
    };
    let result = match cli.command {
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Path(arguments) => path::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(CannotJudge(why)) => {
            let _unprintable = writeln!(io::stderr(), "verifier: {why}");
            ExitCode::from(EXIT_CANNOT_JUDGE)
        }
    }
}

/// The exit code of a conclusion.
pub(crate) const fn exit_code(conclusion: Conclusion) -> u8 {
    match conclusion {
        Conclusion::TotalPassed => 0,
        Conclusion::TotalFailed => 1,
        Conclusion::Indeterminate => 2,
    }
}

/// Prints a report. A closed pipe is not worth a word: the exit code says what matters.
pub(crate) fn print(text: &str) -> Result<(), CannotJudge> {
    print_bytes(text.as_bytes())
}

/// The same for bytes.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), CannotJudge> {
    match io::stdout().lock().write_all(bytes) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CannotJudge(format!(
            "the report cannot be written: {error}"
        ))),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The time to judge as of: `--at`, or the clock.
pub(crate) fn judgement_time(at: Option<OffsetDateTime>) -> OffsetDateTime {
    #[allow(clippy::disallowed_methods)]
    // The one place where the program reads the clock; everything below takes the time as an argument.
    at.unwrap_or_else(OffsetDateTime::now_utc)
}

/// Reads `2030-12-31T23:59:59+09:00`, or `2030-12-31` for the start of that day in UTC.
pub(crate) fn parse_time(text: &str) -> Result<OffsetDateTime, String> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(time);
    }
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map(|date| date.midnight().assume_utc())
        .map_err(|_| "a time looks like 2030-12-31 or 2030-12-31T23:59:59+09:00".to_owned())
}
