//! Single lines of a log, through the programs: what is handed out, what an outsider's verifier says, and every way to ask wrongly.

use std::process::Command;

use serde_json::Value;
use tests::world::World;

use crate::events;

const LINES: usize = 5000;

fn line(number: usize) -> String {
    format!(
        "{number:05} Nov 22 12:48:30 host sshd[{}]: session opened for user u{number:05}\n",
        number * 7
    )
}

/// An archive with one log and one document, and their records' identifiers.
fn world() -> (World, String, String) {
    let world = World::new();
    let log: String = (1..=LINES).map(line).collect();
    world.file("logs/auth.log", log.as_bytes());
    world.file("docs/contract.txt", b"one\ntwo\n");
    let record = |class: &str, path: &str, lines: Value| {
        let run = world.archiver(["deposit", path, "--class", class, "--json"]);
        let output = run.expect_code(0).json();
        let deposited = events(&output, "deposited");
        assert_eq!(deposited[0]["lines"], lines);
        deposited[0]["record"].as_str().unwrap().to_owned()
    };
    let log = record("system-log", "logs", LINES.into());
    let document = record("general", "docs", Value::Null);
    (world, log, document)
}

#[test]
fn lines_are_handed_out_and_pass_an_outsiders_verifier() {
    let (world, log, _) = world();
    world.archiver(["stamp"]).expect_code(0);
    let run = world.archiver([
        "evidence",
        &log,
        "--lines",
        "1200..1203",
        "-o",
        "lines.asice",
        "--trust-anchors",
        "anchors.pem",
        "--json",
    ]);
    let output = run.expect_code(0).json();
    let exported = events(&output, "exported");
    assert_eq!(exported[0]["first_line"], 1200);
    assert_eq!(exported[0]["last_line"], 1203);
    assert_eq!(exported[0]["lines_in_all"], LINES);
    assert_eq!(exported[0]["conclusion"], "TOTAL-PASSED");
    let package = std::fs::read(world.at("lines.asice")).unwrap();
    let is_in = |text: &str| {
        package
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    for number in 1..=LINES {
        let user = format!("u{number:05}");
        assert_eq!(is_in(&user), (1200..=1203).contains(&number), "{number}");
    }
    let run = world.verifier([
        "verify",
        "lines.asice",
        "--trust",
        "anchors.pem",
        "--lang",
        "ja",
    ]);
    let text = run.expect_code(0).stdout;
    assert!(
        text.contains("ログの 4 行") && text.contains("1200 行目から 1203 行目"),
        "{text}"
    );
    let shown: String = (1200..=1203).map(line).collect();
    world.file("shown.txt", shown.as_bytes());
    let data = [
        "verify",
        "lines.asice",
        "--data",
        "shown.txt",
        "--trust",
        "anchors.pem",
    ];
    world.verifier(data).expect_code(0);
    world.file("shown.txt", shown.replace("u01201", "u99999").as_bytes());
    world.verifier(data).expect_code(1);
    let inspected = world
        .verifier(["inspect", "lines.asice"])
        .expect_code(0)
        .stdout;
    assert!(inspected.contains("last line: 1203") && inspected.contains("line tree: 5000 lines"));
    if let Ok(listed) = Command::new("unzip")
        .arg("-tq")
        .arg(world.at("lines.asice"))
        .output()
    {
        assert!(listed.status.success());
    }
}

#[test]
fn every_form_of_a_range_is_understood() {
    let (world, log, _) = world();
    world.archiver(["stamp"]).expect_code(0);
    for (range, first, last) in [
        ("7", 7, 7),
        ("4999..", 4999, 5000),
        ("..2", 1, 2),
        ("1..5000", 1, 5000),
    ] {
        let run = world.archiver([
            "evidence", &log, "--lines", range, "-o", "l.asice", "--json",
        ]);
        let output = run.expect_code(0).json();
        let exported = events(&output, "exported");
        assert_eq!(
            (&exported[0]["first_line"], &exported[0]["last_line"]),
            (&first.into(), &last.into())
        );
    }
    let named = [
        "evidence",
        &log,
        "--lines",
        "1",
        "--object",
        "logs/auth.log",
        "-o",
        "l.asice",
    ];
    world.archiver(named).expect_code(0);
}

#[test]
fn who_asks_wrongly_is_told_what_there_is() {
    let (world, log, document) = world();
    let refused = |record: &str, range: &str, code: i32, words: &[&str]| {
        let run = world.archiver([
            "evidence", record, "--lines", range, "-o", "no.asice", "--lang", "en",
        ]);
        let error = run.expect_code(code).stderr;
        for word in words {
            assert!(error.contains(word), "{word}: {error}");
        }
        assert!(!world.at("no.asice").exists());
        assert!(!world.at("no.asice.part").exists());
    };
    refused(&log, "1", 6, &["stamp"]);
    world.archiver(["stamp"]).expect_code(0);
    refused(&log, "5001", 8, &["lines 1 to 5,000"]);
    refused(&log, "4999..5001", 8, &["lines 1 to 5,000"]);
    refused(&log, "0", 2, &["A..B"]);
    refused(&log, "3..2", 2, &["A..B"]);
    refused(&log, "..", 2, &["A..B"]);
    refused(&document, "1", 8, &["system-log"]);
    let other = [
        "evidence",
        &log,
        "--lines",
        "1",
        "--object",
        "other.log",
        "-o",
        "no.asice",
    ];
    world.archiver(other).expect_code(8);
    let without = ["evidence", &log, "--object", "auth.log", "-o", "no.asice"];
    world.archiver(without).expect_code(2);
}
