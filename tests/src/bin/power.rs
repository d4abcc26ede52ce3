//! Cuts the power of an archive as often as is asked: `power --points 10000 --seed 7`.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a tool of the tests says what it saw")]

use std::process::ExitCode;

use clap::Parser;
use tests::endurance::{Plan, Step, run};

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
    /// Half of all steps are this one: deposit, compact, heal, change-medium and so on.
    #[arg(long, value_parser = step)]
    often: Option<Step>,
}

fn step(name: &str) -> Result<Step, String> {
    let mut all = Step::ALL.iter();
    let found = all.find(|step| step.name() == name).copied();
    found.ok_or_else(|| {
        let names: Vec<&str> = Step::ALL.iter().map(|step| step.name()).collect();
        format!("one of {}", names.join(", "))
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    println!("seed {}", arguments.seed);
    let tally = run(Plan {
        seed: arguments.seed,
        points: arguments.points,
        points_per_life: arguments.per_life,
        honest: true,
        often: arguments.often,
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
