//! `archiver` at another time: `archiver-at 2031-04-01T00:00:00Z ARGUMENTS`. Everything but the clock is the program itself.
//!
//! `archiver-at --dies-at=7 TIME ARGUMENTS` is killed when it asks for random bytes the seventh time, and does nothing after that.
//! `--dies-at-call=7` is killed at its seventh writing call, before that does anything, and `--dies-in-call=7` in the middle of it; the last line of
//! standard error of one that lives is the number of calls that it made.

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a tool of the tests fails by panicking"
)]

use std::env;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use archiver::archive::Environment;
use archiver::cli;
use archiver::cli::arguments::Arguments;
use archiver::cli::lang::Lang;
use archiver::cli::output::Output;
use archiver::cli::session::{Programs, Session};
use archiver::store::durable::{self, Disk};
use clap::Parser;
use firmware::clock::SimulatedClock;
use firmware::entropy::{Entropy, EntropyError, SystemEntropy};
use tests::deadly::{DeadlyDisk, Last, kill_this_process};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fn main() -> ExitCode {
    let mut words = env::args();
    let program = words.next();
    let mut time = words.next().expect("a time comes first");
    let mut entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    if let Some(number) = time.strip_prefix("--dies-at=") {
        let left = number.parse::<u64>().expect("a number").into();
        entropy = Arc::new(Deadly { left });
        time = words.next().expect("then a time");
    }
    let deadly = last_call(&time).map(DeadlyDisk::new).map(Arc::new);
    if deadly.is_some() {
        time = words.next().expect("then a time");
    }
    let mut disk = durable::system_disk();
    if let Some(deadly) = &deadly {
        disk = Arc::clone(deadly) as Arc<dyn Disk>;
    }
    let now = OffsetDateTime::parse(&time, &Rfc3339).expect("a time such as 2031-04-01T00:00:00Z");
    let Arguments { common, command } = Arguments::parse_from(program.into_iter().chain(words));
    let output = Output::new(common.lang.unwrap_or(Lang::En), common.json, false);
    let session = Session {
        common,
        output,
        environment: Environment {
            clock: Arc::new(SimulatedClock::new(now)),
            entropy,
            boot_id: firmware::media::boot_id().expect("the id of this boot"),
            disk,
        },
        config_variable: None,
        credentials: None,
        runtime: None,
        remote: Default::default(),
        user: "somebody".to_owned(),
        programs: Programs {
            archiver: "archiver".to_owned(),
            verifier: "verifier".to_owned(),
        },
        interactive: false,
        watches: std::cell::RefCell::default(),
        at_work: std::cell::RefCell::default(),
    };
    let ended = cli::run(command, &session).into();
    if let Some(deadly) = deadly {
        eprintln!("{}", deadly.made());
    }
    ended
}

fn last_call(option: &str) -> Option<Last> {
    let before = option.strip_prefix("--dies-at-call=");
    let number = before.or_else(|| option.strip_prefix("--dies-in-call="))?;
    Some(Last {
        number: number.parse().expect("a number"),
        torn: before.is_none(),
    })
}

/// Gives random bytes so often; the last time it kills the process (`SIGKILL`) instead.
#[derive(Debug)]
struct Deadly {
    left: AtomicU64,
}

impl Entropy for Deadly {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) > 1 {
            return SystemEntropy.fill(bytes);
        }
        kill_this_process()
    }
}
