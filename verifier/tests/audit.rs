//! `verifier audit` by the real program: files, standard input, both forms and languages, exit codes.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, in its helpers too, and writes files that are not the archive's"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use formats::audit::{AuditEntry, ChainPlace, ENTRY_BYTES_MAX, Outcome};
use formats::id::ArchiveId;
use serde_json::Value;
use time::macros::datetime;

struct Place(tempfile::TempDir);

fn archive() -> ArchiveId {
    ArchiveId::new(1, &[7; 10])
}

/// So many lines, and the digest of the last one.
fn trail(count: u64) -> (Vec<Vec<u8>>, String) {
    let mut place = ChainPlace::start(archive());
    let mut lines = Vec::new();
    for _ in 0..count {
        let entry = AuditEntry {
            sequence: place.sequence + 1,
            time: datetime!(2030-03-31 23:30 UTC),
            person: "sato".to_owned(),
            client: "192.0.2.7".to_owned(),
            act: "record.read".to_owned(),
            record: None,
            purpose: None,
            outcome: Outcome::Done,
            details: BTreeMap::new(),
            previous: place.digest,
        };
        let line = entry.to_line().unwrap();
        place = ChainPlace::behind(entry.sequence, &line);
        lines.push(line);
    }
    (lines, hex::encode(place.digest))
}

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn audit(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verifier"));
        command
            .current_dir(self.0.path())
            .arg("audit")
            .args(arguments);
        command.output().unwrap()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn lines_of_two_files_pass_from_the_start_to_the_end() {
    let place = Place::new();
    let (lines, end) = trail(7);
    place.file("1.jsonl", &lines[..3].concat());
    place.file("2.jsonl", &lines[3..].concat());
    let start = archive().to_string();
    let known = ["1.jsonl", "2.jsonl", "--from-start", &start, "--end", &end];
    let output = place.audit(&[&known[..], &["--lang", "en"]].concat());
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).starts_with("PASSED: the 7 lines of the audit trail hang together\n"));
    assert!(text(&output).contains(&format!("ends: entry 7, SHA-256 {end}")));
    let output = place.audit(&[&known[..], &["--lang", "ja"]].concat());
    assert!(text(&output).starts_with("合格: 監査証跡の 7 行はつながっています\n"));
    let output = place.audit(&[&known[..], &["--format", "json"]].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["conclusion"], "passed");
    assert_eq!(report["end"]["digest"], end);
    assert_eq!(report["files"][1]["first"], 4);
}

#[test]
fn standard_input_is_read() {
    let (lines, _) = trail(3);
    let mut child = Command::new(env!("CARGO_BIN_EXE_verifier"))
        .args(["audit", "-", "--lang", "en"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&lines.concat())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).contains("-: 3 lines, entry 1"));
}

#[test]
fn what_does_not_hang_together_fails_with_its_place() {
    let place = Place::new();
    let (lines, end) = trail(6);
    let start = archive().to_string();
    place.file(
        "gap.jsonl",
        &[lines[..2].concat(), lines[4..].concat()].concat(),
    );
    place.file("front.jsonl", &lines[1..].concat());
    place.file("cut.jsonl", &lines[..5].concat());
    let changed = String::from_utf8(lines.concat()).unwrap();
    place.file(
        "changed.jsonl",
        changed.replacen("sato", "kato", 1).as_bytes(),
    );
    place.file("torn.jsonl", &changed.as_bytes()[..changed.len() - 1]);
    for (arguments, words) in [
        (
            &["gap.jsonl"][..],
            "gap.jsonl:3: entries 3 to 4 are missing",
        ),
        (
            &["front.jsonl", "--from-start", &start],
            "front.jsonl:1: the beginning is missing: entries 1 to 1",
        ),
        (
            &["changed.jsonl"],
            "changed.jsonl:2: entry 1 or entry 2 was changed",
        ),
        (&["torn.jsonl"], "torn.jsonl:6: no entry of an audit trail"),
        (
            &["cut.jsonl", "--end", &end],
            "is NOT the one that was given",
        ),
        (
            &["cut.jsonl", "gap.jsonl"],
            "gap.jsonl:1: out of order: entry 1 stands where entry 6 should be",
        ),
    ] {
        let output = place.audit(&[arguments, &["--lang", "en"]].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output).contains(words), "{}", text(&output));
    }
}

#[test]
fn a_line_that_is_too_long_is_one_bad_line() {
    let place = Place::new();
    let (lines, _) = trail(2);
    let long = [vec![b'x'; 3 * ENTRY_BYTES_MAX], b"\n".to_vec()].concat();
    place.file(
        "long.jsonl",
        &[lines[0].clone(), long, lines[1].clone()].concat(),
    );
    let output = place.audit(&["long.jsonl", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["lines"], 3);
    assert_eq!(report["problems"][0]["kind"], "malformed");
    assert_eq!(report["problems"][0]["line"], 2);
}

#[test]
fn nothing_to_check_is_undecided_and_wrong_usage_is_not_judged() {
    let place = Place::new();
    place.file("empty.jsonl", b"");
    assert_eq!(place.audit(&["empty.jsonl"]).status.code(), Some(2));
    assert_eq!(place.audit(&["none.jsonl"]).status.code(), Some(3));
    assert_eq!(place.audit(&[]).status.code(), Some(3));
    assert_eq!(
        place.audit(&["empty.jsonl", "--end", "12"]).status.code(),
        Some(3)
    );
    assert_eq!(
        place
            .audit(&["empty.jsonl", "--from-start", "me"])
            .status
            .code(),
        Some(3)
    );
}
