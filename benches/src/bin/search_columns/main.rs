//! What a search takes in a process that holds the archive open: `search-columns FOLDER [RECORDS[/NAMES]]…`, by default 10,000, 100,000 and
//! 1,000,000 records with a counterparty for every 50 of them.
//!
//! Makes an index of so many varied records, opens it in a process of its own, keeps the columns for searching in memory, and asks 1,000 questions for
//! their first page of 50: by date, by amount, by part of a counterparty, and by several of these. The index is sealed as always; contents and manifests
//! are left out, for no search reads them.
#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and stops where something is wrong"
)]

mod asking;
mod making;
#[path = "../renewal_scale/probe.rs"]
mod probe;

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// How large, and how varied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Records.
    pub(crate) records: u64,
    /// Counterparties.
    pub(crate) names: u64,
}

fn main() {
    // As the program does.
    firmware::process::keep_little_memory();
    let words: Vec<String> = env::args().skip(1).collect();
    match words.as_slice() {
        [mark, phase, folder, size] if mark == "--phase" => {
            let (folder, size) = (Path::new(folder), Size::parse(size));
            let cost = match phase.as_str() {
                "make" => making::make(folder, size),
                "ask-without" => asking::ask_without(folder, size),
                "ask" => asking::ask(folder, size),
                other => panic!("no such phase: {other}"),
            };
            println!("{cost}");
        }
        [] => panic!("usage: search-columns FOLDER [RECORDS[/NAMES]]…"),
        [folder] => measure(Path::new(folder), &["10000", "100000", "1000000"]),
        [folder, sizes @ ..] => {
            let sizes: Vec<&str> = sizes.iter().map(String::as_str).collect();
            measure(Path::new(folder), &sizes);
        }
    }
}

fn measure(folder: &Path, sizes: &[&str]) {
    fs::create_dir_all(folder).unwrap();
    for size in sizes {
        let archive = folder.join(format!("search-{}", size.replace('/', "-")));
        assert!(!archive.exists(), "{} exists", archive.display());
        for phase in ["make", "ask-without", "ask"] {
            let load = fs::read_to_string("/proc/loadavg").unwrap();
            println!("load {}", load.trim());
            let cost = child(phase, &archive, size);
            println!("{size} {phase} {cost:#}");
        }
        fs::remove_dir_all(&archive).unwrap();
    }
}

fn child(phase: &str, folder: &Path, size: &str) -> Value {
    let output = Command::new(env::current_exe().unwrap())
        .arg("--phase")
        .arg(phase)
        .arg(folder)
        .arg(size)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{phase}: {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

impl Size {
    fn parse(text: &str) -> Self {
        let number = |text: &str| text.parse().expect("a number");
        match text.split_once('/') {
            Some((records, names)) => Self {
                records: number(records),
                names: number(names),
            },
            None => Self {
                records: number(text),
                names: (number(text) / RECORDS_PER_NAME).max(1),
            },
        }
    }
}

/// Records to a counterparty, where nothing else is said.
const RECORDS_PER_NAME: u64 = 50;
