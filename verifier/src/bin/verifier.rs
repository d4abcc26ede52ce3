//! The independent verifier program: files in, report out. It needs no service, no network and nothing of the archive.
#![forbid(unsafe_code)]

#[path = "../cli/mod.rs"]
mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
