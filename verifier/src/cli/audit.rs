//! `verifier audit`: whether lines of an audit trail hang together.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use formats::audit::ENTRY_BYTES_MAX;
use formats::id::ArchiveId;
use verifier::audit::{AuditCheck, report};

use super::input::STANDARD_INPUT;
use super::{CannotJudge, Format, Lang, exit_code, print};

const EXAMPLES: &str = "\
Examples:
  Lines of several days, in the order of the days:
    verifier audit audit-2030-04-01.jsonl audit-2030-04-02.jsonl

  The whole trail of an archive, up to an end that you took down before:
    verifier audit trail.jsonl --from-start 01935e7a-1111-7222-8333-444455556666 --end 5f70bf18…

Exit codes: 0 everything hangs together, 1 something does not, 2 there is no line, 3 a file cannot be read (also wrong usage).";

/// The arguments of `verifier audit`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AuditArgs {
    /// Files of lines, oldest first; - is standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// The lines must begin with the first entry of this archive.
    #[arg(long, value_name = "ARCHIVE-ID")]
    from_start: Option<ArchiveId>,

    /// The SHA-256 of the last line, LF included, where you hold it from elsewhere: lines taken away or changed at the end show by it.
    #[arg(long, value_name = "SHA-256", value_parser = parse_digest)]
    end: Option<[u8; 32]>,

    /// The form of the report.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// The language of the report; without it, that of the environment.
    #[arg(long, value_enum)]
    lang: Option<Lang>,
}

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &AuditArgs) -> Result<u8, CannotJudge> {
    let mut check = AuditCheck::new(arguments.from_start);
    for path in &arguments.files {
        let name = path.to_string_lossy().into_owned();
        check.begin_file(name.clone());
        read_lines(path, &mut |line| check.line(line))
            .map_err(|error| CannotJudge(format!("{name} cannot be read: {error}")))?;
    }
    let found = check.finish(arguments.end);
    print(&match arguments.format {
        Format::Text => report::to_text(&found, Lang::or_environment(arguments.lang)),
        Format::Json => format!("{:#}\n", report::to_value(&found)),
    })?;
    Ok(exit_code(found.conclusion()))
}

fn read_lines(path: &Path, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    if path.as_os_str() == STANDARD_INPUT {
        return lines_of(io::stdin().lock(), each);
    }
    lines_of(BufReader::new(File::open(path)?), each)
}

/// Gives each line with its LF. Of one that is too long, only so much that it is seen to be.
fn lines_of(mut input: impl BufRead, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let most = u64::try_from(ENTRY_BYTES_MAX).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    loop {
        line.clear();
        input
            .by_ref()
            .take(most.saturating_add(1))
            .read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        each(&line);
        if line.len() > ENTRY_BYTES_MAX && !line.ends_with(b"\n") {
            input.skip_until(b'\n')?;
        }
    }
}

fn parse_digest(text: &str) -> Result<[u8; 32], String> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest)
        .map_err(|_| "a SHA-256 digest has 64 hexadecimal digits".to_owned())?;
    Ok(digest)
}
