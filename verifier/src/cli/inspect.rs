//! `verifier inspect`.

use std::path::PathBuf;

use clap::Args;
use verifier::inspect::inspect_file;

use super::input::OpenFile;
use super::{CannotJudge, Format, print};

/// The arguments of `verifier inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The file to look into; - is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &InspectArgs) -> Result<u8, CannotJudge> {
    let file = OpenFile::open(&arguments.file)?;
    let node = inspect_file(&file.input());
    file.check_unchanged()?;
    print(&match arguments.format {
        Format::Text => node.to_text(),
        Format::Json => format!("{:#}\n", node.to_json()),
    })?;
    Ok(0)
}
