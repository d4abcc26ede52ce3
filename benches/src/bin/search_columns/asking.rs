//! Asks the index.

use std::fs;
use std::path::Path;
use std::time::Instant;

use archiver::archive::Access;
use archiver::store::catalog::{Catalog, Query, ValueMatch};
use formats::manifest::Amount;
use serde_json::{Value, json};
use time::Duration;

use crate::Size;
use crate::making::{DAYS, PLACES, Random, TRADES, first_day, open};
use crate::probe::Probe;

/// What it takes to ask without columns: a few of the same questions.
pub(crate) fn ask_without(folder: &Path, size: Size) -> Value {
    let archive = open(folder, Access::Read);
    let questions = questions(KINDS.len() * 2, size);
    let probe = Probe::begin(folder);
    let asked = asked(archive.catalog(), &questions);
    let cost = probe.end(folder);
    archive.close().unwrap();
    json!({
        "cpu_ms_per_question": cpu_ms(&cost, asked.len()),
        "memory_peak": cost["memory_peak"],
        "all": figures(&asked, |_| true),
    })
}

/// What it takes to make columns and to ask with them.
pub(crate) fn ask(folder: &Path, size: Size) -> Value {
    let archive = open(folder, Access::Read);
    let catalog = archive.catalog();
    let questions = questions(QUESTIONS, size);
    let before = resident();
    let probe = Probe::begin(folder);
    let columns = catalog.keep_columns(&mut |_| {}).unwrap();
    let made = probe.end(folder);
    let after = resident();
    assert_eq!(columns.versions, size.records);
    let probe = Probe::begin(folder);
    let asked = asked(catalog, &questions);
    let with = probe.end(folder);
    let mut cost = json!({
        "columns_bytes_per_version": per(columns.column_bytes, size.records),
        "texts_bytes_per_version": per(columns.text_bytes, size.records),
        "resident_before": before,
        "resident_after": after,
        "memory_peak": with["memory_peak"],
        "making_wall_s": made["wall_s"],
        "making_cpu_s": made["cpu_s"],
        "cpu_ms_per_question": cpu_ms(&with, asked.len()),
        "all": figures(&asked, |_| true),
    });
    for kind in KINDS {
        cost[kind] = figures(&asked, |one| one == kind);
    }
    // Going through the index finds as many.
    for ((_, query), (kind, total, _)) in questions.iter().zip(&asked).take(KINDS.len()) {
        let (hits, _) = catalog.search_known(query).unwrap();
        assert_eq!(hits.len() as u64, *total, "{kind}");
    }
    archive.close().unwrap();
    cost
}

fn questions(count: usize, size: Size) -> Vec<(&'static str, Query)> {
    let mut random = Random(2);
    let kinds = KINDS.iter().copied().cycle().take(count);
    kinds
        .map(|kind| (kind, question(kind, &mut random, size)))
        .collect()
}

/// Of each question its kind, how many match, and what it took.
fn asked(catalog: &Catalog, questions: &[(&'static str, Query)]) -> Vec<(&'static str, u64, f64)> {
    let asked = questions.iter().map(|(kind, query)| {
        let (total, took) = page(catalog, query);
        (*kind, total, took)
    });
    asked.collect()
}

/// How many match, and how many milliseconds the first page took.
fn page(catalog: &Catalog, query: &Query) -> (u64, f64) {
    let began = Instant::now();
    let page = catalog.search_page(query, None, PAGE).unwrap();
    let took = began.elapsed().as_secs_f64() * 1e3;
    let least = page.total.min(PAGE as u64);
    assert_eq!(page.hits.len() as u64, least);
    (page.total, took)
}

fn question(kind: &str, random: &mut Random, size: Size) -> Query {
    let mut query = Query::default();
    if kind.contains("date") {
        let from = first_day() + Duration::days(random.below(DAYS).cast_signed());
        let to = from + Duration::days(random.below(365).cast_signed());
        query.date = ValueMatch::Between(Some(from), Some(to));
    }
    if kind.contains("amount") {
        let amount = |number: u64| -> Amount { number.to_string().parse().unwrap() };
        let from = random.below(1_000_000);
        let to = from + random.below(1_000_000);
        query.amount = ValueMatch::Between(Some(amount(from)), Some(amount(to)));
    }
    if kind.contains("counterparty") {
        let place = PLACES[random.below(PLACES.len() as u64) as usize];
        let trade = TRADES[random.below(TRADES.len() as u64) as usize];
        let number = random.below(size.names);
        let part = match random.below(4) {
            0 => place.to_owned(),
            1 => format!("{place}{trade}"),
            2 => number.to_string(),
            _ => "(株)".to_owned(),
        };
        query.counterparty = Some(part);
    }
    query
}

fn figures(asked: &[(&str, u64, f64)], is_meant: impl Fn(&str) -> bool) -> Value {
    let meant = asked.iter().filter(|(kind, ..)| is_meant(kind));
    let (totals, mut took): (Vec<u64>, Vec<f64>) =
        meant.map(|(_, total, took)| (*total, *took)).unzip();
    took.sort_by(f64::total_cmp);
    let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
    json!({
        "questions": took.len(),
        "p50_ms": at(50),
        "p99_ms": at(99),
        "max_ms": took[took.len() - 1],
        "matching_mean": totals.iter().sum::<u64>() / totals.len() as u64,
    })
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn cpu_ms(cost: &Value, questions: usize) -> f64 {
    cost["cpu_s"].as_f64().unwrap() * 1e3 / questions as f64
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn per(bytes: u64, records: u64) -> f64 {
    bytes as f64 / records as f64
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: u64 = line
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    kilobytes * 1024
}

const KINDS: [&str; 5] = [
    "date",
    "amount",
    "counterparty",
    "date and counterparty",
    "date, amount and counterparty",
];
const QUESTIONS: usize = 1000;
/// Hits of a page.
const PAGE: usize = 50;
