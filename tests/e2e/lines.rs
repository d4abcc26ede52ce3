//! Single lines of a log, through the programs: what is handed out, what an outsider's verifier says, and every way to ask wrongly.

use std::io::Cursor;
use std::process::Command;

use formats::asic::{AsicReader, AsicWriter};
use formats::package::{EVIDENCE_RECORD, SECOND_EVIDENCE_RECORD};
use serde_json::Value;
use tests::authority::EmbeddedAuthority;
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

/// A package with a bit of the last byte of a member changed.
fn damaged(package: &[u8], member: &str) -> Vec<u8> {
    let reader = AsicReader::open(package).unwrap();
    let empty = Cursor::new(Vec::new());
    let mut writer = AsicWriter::new(empty, reader.mimetype().unwrap()).unwrap();
    for entry in reader
        .entries()
        .iter()
        .filter(|entry| entry.name() != "mimetype")
    {
        let mut content = entry.read().unwrap().into_owned();
        if entry.name() == member {
            *content.last_mut().unwrap() ^= 1;
        }
        writer.add_bytes(entry.name(), &content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The records of two authorities over one batch.
#[test]
fn lines_stamped_by_two_authorities_are_proven_by_either() {
    let (world, log, _) = world();
    let keepers = [World::new(), World::new()];
    let authorities = [0, 1].map(|number| EmbeddedAuthority::serve(&keepers[number]));
    let text = std::fs::read_to_string(world.at("fumikura.toml")).unwrap();
    let (head, _) = text.split_once("[[tsa]]").unwrap();
    let mut text = head.to_owned();
    for (number, (keeper, authority)) in keepers.iter().zip(&authorities).enumerate() {
        let root = std::fs::read(keeper.at("keys/tsa/root.pem")).unwrap();
        world.file(&format!("root-{number}.pem"), &root);
        let url = authority.url();
        text.push_str(&format!(
            "[[tsa]]\nname = \"number {number}\"\nurl = \"{url}\"\ntrust = \"root-{number}.pem\"\n"
        ));
    }
    world.file("fumikura.toml", format!("{text}second = true\n").as_bytes());
    world.archiver(["stamp"]).expect_code(0);
    let export = [
        "evidence",
        &log,
        "--lines",
        "7..9",
        "-o",
        "l.asice",
        "--trust-anchors",
        "both.pem",
    ];
    world.archiver(export).expect_code(0);
    let judge = |package: &str, trust: &str, code: i32| -> Value {
        let arguments = ["verify", package, "--trust", trust, "--format", "json"];
        let run = world.verifier(arguments).expect_code(code);
        serde_json::from_str(&run.stdout).unwrap()
    };
    let both = judge("l.asice", "both.pem", 0);
    let is_passed = |object: &&Value| object["conclusion"] == "TOTAL-PASSED";
    let count = |report: &Value, kind: &str| {
        let objects = report["objects"].as_array().unwrap().iter();
        let of_kind: Vec<&Value> = objects.filter(|object| object["kind"] == kind).collect();
        (
            of_kind.len(),
            of_kind
                .iter()
                .copied()
                .filter(|object| is_passed(object))
                .count(),
        )
    };
    assert_eq!(count(&both, "evidence-record"), (2, 2), "{both}");
    let has = |report: &Value, code: &str| {
        let mut findings = report["findings"].as_array().unwrap().iter();
        findings.any(|finding| finding["code"] == code)
    };
    assert!(!has(&both, "PROOF_PASSED_OVER"));
    for trust in ["root-0.pem", "root-1.pem"] {
        let one = judge("l.asice", trust, 0);
        assert_eq!(count(&one, "evidence-record"), (2, 1), "{trust}: {one}");
        assert!(has(&one, "PROOF_PASSED_OVER"), "{trust}: {one}");
        assert!(one["best_signature_time"].is_string());
    }
    let stranger = std::fs::read(World::new().at("keys/tsa/root.pem")).unwrap();
    world.file("stranger.pem", &stranger);
    judge("l.asice", "stranger.pem", 2);
    // What is damaged is not passed over, whatever the other one proves.
    for record in [EVIDENCE_RECORD, SECOND_EVIDENCE_RECORD] {
        world.file(
            "damaged.asice",
            &damaged(&std::fs::read(world.at("l.asice")).unwrap(), record),
        );
        for trust in ["root-0.pem", "root-1.pem", "both.pem"] {
            judge("damaged.asice", trust, 1);
        }
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
