//! Renewals of large archives: `renewal-scale FOLDER [RECORDS…]`, by default with 10,000, 100,000 and 1,000,000 records in 100 batches.
//!
//! Makes an archive of small records by way of the product's own deposit, renews the time-stamps of all chains, renews their hash trees
//! from SHA-256 to SHA-512 while no frame of content can be read, opens the archive with the index of before (as after a crash), makes the
//! index anew, and judges a sample of the evidence. Each phase is a process of its own, so that memory is measured for it alone.
#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and stops where something is wrong"
)]

mod phases;
mod probe;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The phases, in their order.
const PHASES: [&str; 6] = [
    "make",
    "time-stamp",
    "hash-tree",
    "open",
    "rebuild",
    "judge",
];
const BATCHES: u64 = 100;

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let number = |word: &String| word.parse::<u64>().expect("a number");
    match words.as_slice() {
        [mark, phase, folder, records] if mark == "--phase" => {
            let cost = phases::run(phase, Path::new(folder), number(records), BATCHES);
            println!("{cost}");
        }
        [] => panic!("usage: renewal-scale FOLDER [RECORDS…]"),
        [folder] => measure(Path::new(folder), &[10_000, 100_000, 1_000_000]),
        [folder, records @ ..] => {
            let records: Vec<u64> = records.iter().map(number).collect();
            measure(Path::new(folder), &records);
        }
    }
}

fn measure(folder: &Path, sizes: &[u64]) {
    println!(
        "load {}",
        fs::read_to_string("/proc/loadavg").unwrap().trim()
    );
    println!(
        "| records | phase | wall s | CPU s | µs CPU/record | memory MiB | above start | segments B/record | index B/record | written B/record | read B/record | more |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for records in sizes {
        let folder: PathBuf = folder.join(format!("renewal-scale-{records}"));
        assert!(!folder.exists(), "{} exists", folder.display());
        for phase in PHASES {
            let index = folder.join("index");
            let before = folder.join("index-before");
            if phase == "hash-tree" {
                copy(&index, &before);
            }
            if phase == "open" {
                fs::remove_dir_all(&index).unwrap();
                copy(&before, &index);
                fs::remove_dir_all(&before).unwrap();
            }
            let cost = child(phase, &folder, *records);
            show(phase, *records, &cost);
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

fn child(phase: &str, folder: &Path, records: u64) -> Value {
    let output = Command::new(env::current_exe().unwrap())
        .arg("--phase")
        .arg(phase)
        .arg(folder)
        .arg(records.to_string())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{phase}: {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn show(phase: &str, records: u64, cost: &Value) {
    let number = |name: &str| cost[name].as_f64().unwrap_or_default();
    let each = |name: &str| number(name) / records as f64;
    let mebibytes = |bytes: f64| bytes / 1_048_576.0;
    let more: Vec<String> = MORE
        .iter()
        .filter_map(|name| Some(format!("{name} {}", cost[*name].as_u64()?)))
        .collect();
    println!(
        "| {records} | {phase} | {:.2} | {:.2} | {:.1} | {:.0} | {:.0} | {:.1} | {:.1} | {:.1} | {:.1} | {} |",
        number("wall_s"),
        number("cpu_s"),
        each("cpu_s") * 1e6,
        mebibytes(number("memory_peak")),
        mebibytes(number("memory_peak") - number("memory_before")),
        each("segments"),
        each("index"),
        each("written"),
        each("read"),
        more.join(", "),
    );
}

const MORE: [&str; 5] = [
    "requests",
    "chains",
    "unreadable_chunks",
    "judged",
    "largest_record",
];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
