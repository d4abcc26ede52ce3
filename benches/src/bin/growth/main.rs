//! How an archive behaves as it grows: `growth FOLDER [ENGINE…] [RECORDS…]`, by default each engine with 10,000, 100,000 and 1,000,000 records.
//! `growth --plot RESULTS.jsonl > growth.svg` draws what `growth` wrote to `FOLDER/growth.jsonl`.
//!
//! Makes an archive of small records by way of the product's own deposit, opens it, searches it, opens it as after a kill, makes the index anew,
//! reads every byte of the segments, and moves the index to the other engine. Each phase is a process of its own, so that memory is measured for it alone.
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
mod plot;
#[path = "../renewal_scale/probe.rs"]
mod probe;

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use archiver::store::catalog::IndexEngine;
use serde_json::Value;

/// The phases, in their order.
const PHASES: [&str; 6] = [
    "deposit",
    "open",
    "search",
    "open-killed",
    "rebuild",
    "read",
];

fn main() {
    // As the program does.
    firmware::process::keep_little_memory();
    let words: Vec<String> = env::args().skip(1).collect();
    match words.as_slice() {
        [mark, phase, folder, engine, records] if mark == "--phase" => {
            let engine = engine.parse().expect("an engine");
            let records = records.parse().expect("a number");
            let cost = phases::run(phase, Path::new(folder), engine, records);
            println!("{cost}");
        }
        [mark, files @ ..] if mark == "--plot" => println!("{}", plot::draw(&read(files))),
        [] => panic!("usage: growth FOLDER [sled|fjall]… [RECORDS]…, or growth --plot FILE…"),
        [folder, rest @ ..] => {
            let mut engines: Vec<IndexEngine> =
                rest.iter().filter_map(|word| word.parse().ok()).collect();
            if engines.is_empty() {
                engines = IndexEngine::ALL.to_vec();
            }
            let mut sizes: Vec<u64> = rest.iter().filter_map(|word| word.parse().ok()).collect();
            if sizes.is_empty() {
                sizes = vec![10_000, 100_000, 1_000_000];
            }
            measure(Path::new(folder), &engines, &sizes);
        }
    }
}

fn measure(folder: &Path, engines: &[IndexEngine], sizes: &[u64]) {
    fs::create_dir_all(folder).unwrap();
    let load = fs::read_to_string("/proc/loadavg").unwrap();
    println!("load {}", load.trim());
    println!(
        "| engine | records | phase | wall s | CPU s | µs CPU/record | memory MiB | index B/record | more |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut results = File::options()
        .create(true)
        .append(true)
        .open(folder.join("growth.jsonl"))
        .unwrap();
    for records in sizes {
        for engine in engines {
            let name = engine.name();
            let archive = folder.join(format!("growth-{name}-{records}"));
            assert!(!archive.exists(), "{} exists", archive.display());
            for phase in PHASES {
                let mut cost = child(phase, &archive, name, *records);
                cost["engine"] = name.into();
                cost["records"] = (*records).into();
                cost["phase"] = phase.into();
                show(&cost);
                writeln!(results, "{cost}").unwrap();
            }
            fs::remove_dir_all(&archive).unwrap();
        }
    }
}

fn child(phase: &str, folder: &Path, engine: &str, records: u64) -> Value {
    let output = Command::new(env::current_exe().unwrap())
        .arg("--phase")
        .arg(phase)
        .arg(folder)
        .arg(engine)
        .arg(records.to_string())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{phase}: {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn show(cost: &Value) {
    let number = |name: &str| cost[name].as_f64().unwrap_or_default();
    let records = number("records");
    let more: Vec<String> = MORE
        .iter()
        .filter_map(|name| Some(format!("{name} {:.2}", cost[*name].as_f64()?)))
        .collect();
    println!(
        "| {} | {records} | {} | {:.2} | {:.2} | {:.1} | {:.0} | {:.0} | {} |",
        cost["engine"].as_str().unwrap(),
        cost["phase"].as_str().unwrap(),
        number("wall_s"),
        number("cpu_s"),
        number("cpu_s") / records * 1e6,
        number("memory_peak") / 1_048_576.0,
        number("index_bytes") / records,
        more.join(", "),
    );
}

const MORE: [&str; 6] = [
    "date_ms",
    "amount_ms",
    "counterparty_ms",
    "id_ms",
    "hits",
    "read_mib",
];

fn read(files: &[String]) -> Vec<Value> {
    let lines = files
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .map(|line| serde_json::from_str(&line).unwrap());
    lines.collect()
}
