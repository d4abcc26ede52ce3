//! Deposit → stamp → search → get → evidence → verify, by two programs.

use std::fs;

use tests::world::World;

use crate::{events, invoice};

#[test]
fn a_document_goes_in_is_stamped_found_fetched_and_proven_by_an_outsider() {
    let world = World::new();
    let bytes = invoice("INV-1", "2026-01-31", "110000", "株式会社文蔵商事");
    world.file("in/invoice.xml", &bytes);
    world.file(
        "in/app.log",
        "2026-01-31T00:00:00Z host app: started\n"
            .repeat(5000)
            .as_bytes(),
    );

    let run = world
        .archiver(["deposit", "in", "--class", "received-invoice", "--json"])
        .expect_code(0);
    let lines = run.json();
    assert_eq!(events(&lines, "deposited").len(), 2, "{}", run.stdout);

    let stamped = world.archiver(["stamp", "--json"]).expect_code(0).json();
    let stamped = events(&stamped, "stamped");
    assert_eq!(stamped.len(), 1);
    assert_eq!(stamped[0]["records"], 2);
    assert_eq!(stamped[0]["accredited"], false);

    // Three ways of asking, and one that must find nothing.
    for question in [
        vec![
            "--date",
            "2026-01-01..2026-01-31",
            "--amount",
            "100000..200000",
        ],
        vec!["--counterparty", "㈱文蔵商事"],
        vec!["--text", "INV-1", "--class", "received-invoice"],
    ] {
        let mut arguments = vec!["search", "--json"];
        arguments.extend(question);
        let hits = world.archiver(&arguments).expect_code(0).json();
        assert_eq!(hits.len(), 1, "{arguments:?}");
        assert_eq!(hits[0]["metadata"]["amount"], "110000");
    }
    assert!(
        world
            .archiver(["search", "--amount", "110001..", "--json"])
            .expect_code(0)
            .json()
            .is_empty()
    );

    let record = world
        .archiver(["search", "--counterparty", "文蔵", "--json"])
        .json()[0]["record"]
        .as_str()
        .expect("a record id")
        .to_owned();
    fetch_and_hand_over(&world, &record, &bytes);

    let summary = world.archiver(["verify", "--json"]).expect_code(0).json();
    let summary = events(&summary, "summary");
    assert_eq!(summary[0]["records"], 2);
    assert_eq!(summary[0]["passed"], 2);
}

/// What legal does: fetch the document, hand over its evidence, and let an outsider judge it.
fn fetch_and_hand_over(world: &World, record: &str, bytes: &[u8]) {
    world
        .archiver(["get", record, "-o", "back.xml"])
        .expect_code(0);
    assert_eq!(fs::read(world.at("back.xml")).expect("fetched"), bytes);

    world
        .archiver([
            "evidence",
            record,
            "-o",
            "handover.asice",
            "--trust-anchors",
            "anchors.pem",
        ])
        .expect_code(0);
    let report = world
        .verifier([
            "verify",
            "handover.asice",
            "--trust",
            "anchors.pem",
            "--format",
            "json",
        ])
        .expect_code(0);
    let report: serde_json::Value = serde_json::from_str(&report.stdout).expect("a JSON report");
    assert_eq!(report["conclusion"], "TOTAL-PASSED");
    assert_eq!(report["integrity"], "INTACT");
    assert!(report["best_signature_time"].is_string());

    // Without a trust anchor the same package is intact, but nobody vouches for it.
    let report = world
        .verifier(["verify", "handover.asice", "--format", "json"])
        .expect_code(2);
    let report: serde_json::Value = serde_json::from_str(&report.stdout).expect("a JSON report");
    assert_eq!(report["conclusion"], "INDETERMINATE");
    assert_eq!(report["integrity"], "INTACT");
}

#[test]
fn standard_input_is_a_document_too() {
    use std::io::Write;
    use std::process::Stdio;
    let world = World::new();
    let mut child = world
        .archiver_command([
            "deposit",
            "-",
            "--name",
            "journal.log",
            "--class",
            "system-log",
            "--json",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("archiver starts");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(b"one line\nanother\n")
        .expect("written");
    let output = child.wait_with_output().expect("ended");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let hits = world
        .archiver(["search", "--text", "journal.log", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(hits.len(), 1);
    let record = hits[0]["record"].as_str().expect("id").to_owned();
    let got = world.archiver(["get", &record, "-o", "-"]).expect_code(0);
    assert_eq!(got.stdout, "one line\nanother\n");
}

#[test]
fn the_same_deposit_twice_is_one_record() {
    let world = World::new();
    world.file("in/a.txt", b"text");
    let first = world
        .archiver(["deposit", "in", "--class", "general", "--json"])
        .expect_code(0)
        .json();
    let second = world
        .archiver(["deposit", "in", "--class", "general", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(events(&second, "deposited").len(), 0);
    let there = events(&second, "already-there");
    assert_eq!(there.len(), 1);
    assert_eq!(there[0]["record"], events(&first, "deposited")[0]["record"]);
    assert_eq!(world.archiver(["search", "--json"]).json().len(), 1);
}

#[test]
fn quickstart_does_the_main_job_and_a_second_run_does_no_harm() {
    let world = World::empty();
    world.file("mine/note.txt", "持ち込みの文書\n".as_bytes());
    let run = world
        .archiver(["quickstart", "trial", "--input", "mine"])
        .expect_code(0);
    assert!(run.stdout.contains("TOTAL-PASSED"), "{}", run.stdout);
    let handover: Vec<String> = fs::read_dir(world.at("trial/handover"))
        .expect("handover folder")
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(handover.len(), 2, "{handover:?}");
    let package = handover
        .iter()
        .find(|name| name.ends_with(".asice"))
        .expect("a package");
    let package = format!("trial/handover/{package}");
    world
        .verifier([
            "verify",
            &package,
            "--trust",
            "trial/handover/trust-anchors.pem",
        ])
        .expect_code(0);

    let sizes = |world: &World| -> Vec<u64> {
        world
            .segments("trial/data-a")
            .iter()
            .map(|p| fs::metadata(p).expect("segment").len())
            .collect()
    };
    let before = sizes(&world);
    let again = world.archiver(["quickstart", "trial"]);
    assert!(
        again.stdout.contains("already") || again.stderr.contains("already"),
        "{}{}",
        again.stdout,
        again.stderr
    );
    assert_eq!(sizes(&world), before);
}
