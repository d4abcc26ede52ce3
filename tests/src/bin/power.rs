//! Cuts the power of an archive as often as is asked: `power --points 10000 --seed 7`.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a tool of the tests says what it saw")]

use std::process::ExitCode;

use clap::Parser;
use tests::endurance::{Plan, run};

/// Cuts the power of an archive at random points, and looks at it after each.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many cuts.
    #[arg(long, default_value_t = 1000)]
    points: u64,
    /// The seed of the first archive; the next one has the next number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many cuts each archive goes through.
    #[arg(long, default_value_t = 40)]
    per_life: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    println!("seed {}", arguments.seed);
    let tally = run(Plan {
        seed: arguments.seed,
        points: arguments.points,
        points_per_life: arguments.per_life,
        honest: true,
    });
    match tally {
        Ok(tally) => {
            println!("{tally:#?}");
            ExitCode::SUCCESS
        }
        Err(broken) => {
            println!("BROKEN: {broken}");
            ExitCode::FAILURE
        }
    }
}
