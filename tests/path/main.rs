//! Certification paths of our own, one for each rule of RFC 5280 that decides, and hostile ones; `openssl verify` gives a second opinion.
//!
//! Each case says which clause it is about, what must come out, and where OpenSSL sees it differently, why. Keys are deterministic.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test suite fails by panicking, and says what is left out; a table is as long as it has cases"
)]

mod case;
mod cases;
mod der;
mod extension;
mod hostile;
mod make;
mod online;
mod second;

use std::collections::{BTreeMap, BTreeSet};

use case::{Case, Second};

#[test]
fn every_case_comes_out_as_expected() {
    let all = cases::all();
    let mut wrong = String::new();
    let mut totals: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (area, case) in &all {
        let outcome = case.judge();
        wrong.extend(case.mistake(&outcome));
        let total = totals.entry(area).or_default();
        if case.passes() {
            total.0 += 1;
        } else {
            total.1 += 1;
        }
    }
    let names: BTreeSet<_> = all.iter().map(|(_, case)| case.name).collect();
    assert_eq!(names.len(), all.len(), "a name stands twice");
    assert!(wrong.is_empty(), "{wrong}");
    println!("area            valid  invalid");
    for (area, (valid, invalid)) in &totals {
        println!("{area:<15} {valid:>5} {invalid:>8}");
    }
    println!("{} chains", all.len());
    assert!(all.len() >= 120, "{}", all.len());
}

#[test]
fn openssl_agrees_but_for_the_deviations_that_are_argued() {
    if !second::is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut wrong, mut deviations) = (String::new(), String::new());
    let (mut same, mut different, mut left_out) = (0, 0, 0);
    for (_, case) in &cases::all() {
        let expected = match case.second {
            Second::NotAsked => {
                left_out += 1;
                continue;
            }
            Second::Same => case.passes(),
            Second::Differs(_) => !case.passes(),
        };
        let (accepted, said) = second::verify(folder.path(), case);
        if accepted != expected {
            wrong += &format!("{}: openssl accepted: {accepted}\n{said}\n", case.name);
        }
        if let Second::Differs(why) = case.second {
            different += 1;
            deviations += &line(case, why);
        } else {
            same += 1;
        }
    }
    println!("{deviations}");
    println!("{same} the same, {different} different and argued, {left_out} not asked");
    assert!(wrong.is_empty(), "{wrong}");
}

fn line(case: &Case, why: &str) -> String {
    let ours = if case.passes() { "valid" } else { "not valid" };
    format!("| {} | {} | {ours} | {why} |\n", case.name, case.clause)
}
