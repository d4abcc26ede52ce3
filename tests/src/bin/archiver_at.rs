//! `archiver` at another time: `archiver-at 2031-04-01T00:00:00Z ARGUMENTS`. Everything but the clock is the program itself.

#![forbid(unsafe_code)]
#![allow(clippy::expect_used, reason = "a tool of the tests fails by panicking")]

use std::env;
use std::process::ExitCode;
use std::sync::Arc;

use archiver::archive::Environment;
use archiver::cli;
use archiver::cli::arguments::Arguments;
use archiver::cli::lang::Lang;
use archiver::cli::output::Output;
use archiver::cli::session::{Programs, Session};
use clap::Parser;
use firmware::clock::SimulatedClock;
use firmware::entropy::SystemEntropy;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fn main() -> ExitCode {
    let mut words = env::args();
    let program = words.next();
    let time = words.next().expect("a time comes first");
    let now = OffsetDateTime::parse(&time, &Rfc3339).expect("a time such as 2031-04-01T00:00:00Z");
    let Arguments { common, command } = Arguments::parse_from(program.into_iter().chain(words));
    let output = Output::new(common.lang.unwrap_or(Lang::En), common.json, false);
    let session = Session {
        common,
        output,
        environment: Environment {
            clock: Arc::new(SimulatedClock::new(now)),
            entropy: Arc::new(SystemEntropy),
            boot_id: firmware::media::boot_id().expect("the id of this boot"),
        },
        config_variable: None,
        credentials: None,
        user: "somebody".to_owned(),
        programs: Programs {
            archiver: "archiver".to_owned(),
            verifier: "verifier".to_owned(),
        },
        interactive: false,
    };
    cli::run(command, &session).into()
}
