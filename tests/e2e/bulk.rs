//! Verifying a period at once: the archive's table and signed summary, and what an outsider makes of them.

use serde_json::Value;
use tests::random::Random;
use tests::world::World;

use crate::events;

/// An archive with three documents and a log, stamped. It has a signing key from its beginning.
fn world() -> World {
    let world = World::new();
    for name in ["a", "b", "c"] {
        world.file(&format!("docs/{name}.txt"), name.as_bytes());
    }
    let log: String = (0..3000).map(|number| format!("line {number}\n")).collect();
    world.file("logs/auth.log", log.as_bytes());
    world
        .archiver(["deposit", "docs", "--class", "general"])
        .expect_code(0);
    world
        .archiver(["deposit", "logs", "--class", "system-log"])
        .expect_code(0);
    world.archiver(["stamp"]).expect_code(0);
    world
}

fn summary_of(world: &World, name: &str) -> Value {
    let text = std::fs::read_to_string(world.at(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_period_is_verified_at_once_and_the_summary_is_signed() {
    let world = world();
    let verify = |more: &[&str]| {
        let arguments = [
            "verify",
            "--from",
            "2000-01-01",
            "--to",
            "2099-12-31",
            "--json",
        ];
        world.archiver(arguments.iter().chain(more))
    };
    let run = verify(&["--csv", "all.csv", "--summary", "all.json"]).expect_code(0);
    let output = run.json();
    assert_eq!(events(&output, "summary")[0]["passed"], 4);
    assert_eq!(events(&output, "summary-written")[0]["level"], "B-T");
    let table = std::fs::read_to_string(world.at("all.csv")).unwrap();
    assert!(table.starts_with('\u{feff}'));
    assert_eq!(table.lines().count(), 5);
    assert_eq!(table.matches("\"TOTAL-PASSED\"").count(), 4, "{table}");
    let summary = summary_of(&world, "all.json");
    assert_eq!(summary["conclusions"]["TOTAL-PASSED"], 4);
    assert_eq!(summary["table"]["bytes"], table.len());
    assert!(!world.at("all.csv.run").exists());

    // Nothing is overwritten, and what was not interrupted does not go on.
    verify(&["--csv", "all.csv"]).expect_code(2);
    assert_ne!(verify(&["--csv", "all.csv", "--resume"]).code, 0);
    let class = [
        "--class",
        "system-log",
        "--csv",
        "log.csv",
        "--summary",
        "log.json",
    ];
    verify(&class).expect_code(0);
    assert_eq!(summary_of(&world, "log.json")["items"], 1);
    verify(&["--class", "no-such", "--summary", "none.json"]).expect_code(0);
    assert_eq!(summary_of(&world, "none.json")["conclusion"], "NOT-JUDGED");

    world
        .archiver(["keys", "signing", "trust-anchor", "-o", "signer.pem"])
        .expect_code(0);
    world
        .archiver(["tsa", "trust-anchors", "-o", "tsa.pem"])
        .expect_code(0);
    let judge = |data: &str| {
        world.verifier([
            "verify",
            "all.json.p7s",
            "--data",
            data,
            "--trust",
            "signer.pem",
            "--trust",
            "tsa.pem",
            "--format",
            "json",
        ])
    };
    let report: Value = serde_json::from_str(&judge("all.json").stdout).unwrap();
    assert_eq!(report["integrity"], "INTACT", "{report:#}");
    assert_ne!(report["conclusion"], "TOTAL-FAILED");
    judge("log.json").expect_code(1);
}

/// An item and its conclusion for each row.
fn conclusions(table: &str) -> Vec<(String, String)> {
    let rows = table.lines().skip(1).map(|line| {
        let columns: Vec<&str> = line.trim_matches('"').split("\",\"").collect();
        (columns[0].to_owned(), columns[3].to_owned())
    });
    rows.collect()
}

fn flip(path: &std::path::Path, position: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[position] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_run_that_was_interrupted_goes_on_and_ends_as_its_worst_row() {
    let world = World::new();
    world.file("first/large.bin", &Random::new(7).bytes(300_000));
    world
        .archiver(["deposit", "first", "--class", "general"])
        .expect_code(0);
    for number in 0..300 {
        let content = format!("document {number}");
        world.file(&format!("docs/{number:03}.txt"), content.as_bytes());
    }
    world
        .archiver(["deposit", "docs", "--class", "general"])
        .expect_code(0);
    world.archiver(["stamp"]).expect_code(0);
    let damage = || {
        for medium in ["data-a", "data-b"] {
            flip(&world.segments(medium)[0], 150_000);
        }
    };
    damage();
    let verify = |more: &[&str]| {
        let arguments = ["verify", "--from", "2000-01-01"];
        world.archiver(arguments.iter().chain(more))
    };
    verify(&["--csv", "whole.csv"]).expect_code(7);
    let whole = std::fs::read_to_string(world.at("whole.csv")).unwrap();
    let first = whole.lines().nth(1).unwrap();
    assert!(first.contains("\"TOTAL-FAILED\""), "{first}");
    assert!(
        first.contains("\"BROKEN\"") && !first.ends_with("\"\""),
        "{first}"
    );
    assert_eq!(whole.matches("\"TOTAL-PASSED\"").count(), 300);

    let arguments = ["verify", "--from", "2000-01-01", "--csv", "part.csv"];
    let mut child = world.archiver_command(arguments).spawn().unwrap();
    let size = || std::fs::metadata(world.at("part.csv")).map_or(0, |metadata| metadata.len());
    while size() < 20_000 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(world.at("part.csv.run").exists(), "it was interrupted");
    // As after a power failure: the last row is there in part.
    let file = std::fs::File::options()
        .write(true)
        .open(world.at("part.csv"));
    file.unwrap().set_len(size() - 10).unwrap();

    verify(&["--csv", "part.csv"]).expect_code(2);
    verify(&["--csv", "part.csv", "--resume", "--class", "general"]).expect_code(2);
    // Even if what is left is as it should be, a row tells of a failure.
    damage();
    verify(&["--csv", "part.csv", "--resume", "--summary", "part.json"]).expect_code(7);
    let part = std::fs::read_to_string(world.at("part.csv")).unwrap();
    assert_eq!(conclusions(&part), conclusions(&whole));
    let summary = summary_of(&world, "part.json");
    assert_eq!(summary["items"], 301);
    assert_eq!(summary["conclusion"], "TOTAL-FAILED");
    assert!(
        summary["resumed_rows"].as_u64().unwrap() > 10,
        "{summary:#}"
    );
    assert!(world.at("part.json.p7s").exists());
    assert!(!world.at("part.csv.run").exists());
    verify(&["--csv", "good.csv"]).expect_code(0);
}
