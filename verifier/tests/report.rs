//! The reports: JSON follows its published schema, text says the same for people, and the program prints both.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use formats::digest::DigestAlgorithm;
use serde_json::Value;
use support::authority::{Authority, Profile};
use support::record::{ALGORITHM, RECEIVED, Record, batch, package, renew_time_stamp, renew_tree};
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::context::Context;
use verifier::finding::Language;
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::json::{REPORT_SCHEMA, to_value};
use verifier::report::{Report, text};
use verifier::source::InputFile;

const NOW: OffsetDateTime = datetime!(2027-06-01 00:00 UTC);

fn authority() -> Authority {
    Authority::new(Profile {
        seed: 1,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2036-01-01 00:00 UTC),
        for_time_stamps: true,
    })
}

fn good_package() -> Vec<u8> {
    let record = Record::new(
        1,
        &[("請求書.xml", b"<Invoice/>".as_slice()), ("b.txt", b"b")],
    );
    let evidence = batch(&[record.group(ALGORITHM)], &authority(), RECEIVED).remove(0);
    package(&record, &evidence.encode().unwrap())
}

fn judge(files: &[(&str, Vec<u8>)], anchors: &[TrustAnchor]) -> Report {
    let policy = Policy::default();
    let context = Context {
        anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time: NOW,
        cache: None,
        registry: None,
    };
    let files: Vec<_> = files
        .iter()
        .map(|(name, bytes)| InputFile::new(*name, bytes.as_slice()))
        .collect();
    verify(&files, &[], &context)
}

/// Reports of every kind of input and verdict.
fn reports() -> Vec<Report> {
    let good = good_package();
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let token = authority().token(&DigestAlgorithm::Sha256.digest(b"x"), RECEIVED);
    let anchors = [authority().anchor()];
    vec![
        judge(&[("good.asice", good.clone())], &anchors),
        judge(&[("good.asice", good)], &[]),
        judge(&[("damaged.asice", damaged)], &anchors),
        judge(&[("token.tst", token)], &anchors),
        judge(
            &[("a.pdf", b"%PDF-1.7".to_vec()), ("b", b"?".to_vec())],
            &[],
        ),
        judge(&[("empty", Vec::new())], &[]),
        judge(&[], &[]),
    ]
}

#[test]
fn json_reports_follow_the_schema() {
    let schema: Value = serde_json::from_str(REPORT_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for report in reports() {
        for language in [Language::Japanese, Language::English] {
            let value = to_value(&report, language);
            let errors: Vec<String> = validator
                .iter_errors(&value)
                .map(|error| format!("{error} at {}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{errors:?}\n{value:#}");
        }
    }
}

#[test]
fn the_schema_refuses_contradictions() {
    let schema: Value = serde_json::from_str(REPORT_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = to_value(&reports().remove(0), Language::English);
    assert!(validator.is_valid(&good));
    for (member, value) in [
        ("integrity", Value::from("BROKEN")),
        ("integrity", Value::from("UNKNOWN")),
        ("conclusion", Value::from("PASSED")),
        ("sub_indication", Value::from("HASH_FAILURE")),
        ("best_signature_time", Value::from("yesterday")),
        ("more", Value::from(1)),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        assert!(!validator.is_valid(&bad), "{member}");
    }
}

#[test]
fn the_first_three_lines_say_what_a_judge_needs() {
    let report = &reports()[0];
    let japanese = text::to_text(report, Language::Japanese);
    let lines: Vec<&str> = japanese.lines().take(3).collect();
    assert_eq!(
        lines,
        [
            "対象: good.asice (証拠コンテナ (ASiC))。文書 2 件",
            "判定: 合格。改ざんはなく、時刻の証明は信頼する認証局につながっています。 [TOTAL-PASSED]",
            "存在証明: 遅くとも 2026-11-22 12:48:30 JST (2026-11-22 03:48:30 UTC) には存在していました。",
        ]
    );
    let english = text::to_text(report, Language::English);
    let lines: Vec<&str> = english.lines().take(3).collect();
    assert_eq!(
        lines,
        [
            "Checked: good.asice (evidence container (ASiC)); 2 documents",
            "Verdict: PASSED. Nothing was altered, and the proof of time leads to a trusted authority. [TOTAL-PASSED]",
            "Existed: at the latest since 2026-11-22 12:48:30 JST (2026-11-22 03:48:30 UTC).",
        ]
    );
}

#[test]
fn the_time_line_tells_what_each_proof_proves_and_until_when() {
    let record = Record::new(1, &[("b.txt", b"b")]);
    let evidence = batch(&[record.group(ALGORITHM)], &authority(), RECEIVED).remove(0);
    let renewed = datetime!(2026-12-01 00:00 UTC);
    let evidence = renew_time_stamp(&evidence, &authority(), renewed);
    let again = datetime!(2027-01-01 00:00 UTC);
    let group = record.group(DigestAlgorithm::Sha512);
    let evidence = renew_tree(&evidence, &group, false, &authority(), again);
    let bytes = package(&record, &evidence.encode().unwrap());
    let report = judge(&[("RECORD.asice", bytes)], &[authority().anchor()]);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    let japanese = text::to_text(&report, Language::Japanese);
    let english = text::to_text(&report, Language::English);
    let in_order = |text: &str, parts: &[&str]| {
        let mut rest = text;
        for part in parts {
            rest = rest
                .split_once(part)
                .map(|(_, rest)| rest)
                .unwrap_or_else(|| panic!("{part} in {text}"));
        }
    };
    in_order(
        &japanese,
        &[
            "証拠記録: TOTAL-PASSED",
            "2026-11-22 12:48:30 JST",
            "最初のアーカイブタイムスタンプ",
            "2026-12-01 09:00:00 JST (2026-12-01 00:00:00 UTC) に後の証明へ引き継ぎ",
            "再スタンプ (タイムスタンプの更新)",
            "2027-01-01 09:00:00 JST (2027-01-01 00:00:00 UTC) に後の証明へ引き継ぎ",
            "再スタンプ (ハッシュ木の更新)",
            "までに再スタンプが必要",
        ],
    );
    in_order(
        &english,
        &[
            "Evidence record: TOTAL-PASSED",
            "first archive time-stamp",
            "taken over by a later proof at 2026-12-01",
            "re-stamping (time-stamp renewal)",
            "taken over by a later proof at 2027-01-01",
            "re-stamping (hash-tree renewal)",
            "renew before 20",
        ],
    );
    let value = to_value(&report, Language::English);
    let roles: Vec<&str> = value["objects"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|object| object["details"]["role"].as_str())
        .collect();
    assert_eq!(
        roles,
        ["initial", "time-stamp-renewal", "hash-tree-renewal"]
    );
}

fn verifier(arguments: &[&str], directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_verifier"))
        .args(arguments)
        .current_dir(directory)
        .env_remove("LC_ALL")
        .env("LANG", "C")
        .output()
        .unwrap()
}

/// A directory with a package, a token with its document, and the trust anchor.
fn handed_over() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let write = |name: &str, content: &[u8]| {
        #[allow(clippy::disallowed_methods)] // A test's own input, in a directory of its own.
        std::fs::write(path.join(name), content).unwrap();
    };
    let authority = authority();
    write("RECORD.asice", &good_package());
    write("document.txt", b"document");
    write(
        "stamp.tst",
        &authority.token(&ALGORITHM.digest(b"document"), RECEIVED),
    );
    write("anchor.der", authority.root());
    write("noise.bin", b"noise");
    (directory, path)
}

#[test]
fn the_program_answers_with_its_exit_code() {
    let (_directory, path) = handed_over();
    let at = ["--at", "2027-06-01"];
    let digest = format!("SHA-256:{}", ALGORITHM.digest(b"document").to_hex());
    let other = format!("SHA-256:{}", ALGORITHM.digest(b"other").to_hex());
    let cases: &[(&[&str], i32)] = &[
        (&["verify", "RECORD.asice", "--trust", "anchor.der"], 0),
        (&["verify", "RECORD.asice"], 2),
        (
            &[
                "verify",
                "stamp.tst",
                "--data",
                "document.txt",
                "--trust",
                "anchor.der",
            ],
            0,
        ),
        (
            &[
                "verify",
                "stamp.tst",
                "--data-digest",
                &digest,
                "--trust",
                "anchor.der",
            ],
            0,
        ),
        (
            &[
                "verify",
                "stamp.tst",
                "--data-digest",
                &other,
                "--trust",
                "anchor.der",
            ],
            1,
        ),
        (
            &[
                "verify",
                "stamp.tst",
                "--data",
                "noise.bin",
                "--trust",
                "anchor.der",
            ],
            1,
        ),
        (&["verify", "stamp.tst", "--trust", "anchor.der"], 2),
        (&["verify", "noise.bin"], 3),
        (&["verify", "absent.asice"], 3),
        (&["verify", "RECORD.asice", "--trust", "noise.bin"], 3),
        (&["verify"], 3),
        (&["verify", "RECORD.asice", "--format", "xml"], 3),
    ];
    for (arguments, code) in cases {
        let mut all = arguments.to_vec();
        all.extend(at);
        let output = verifier(&all, &path);
        assert_eq!(
            output.status.code(),
            Some(*code),
            "{arguments:?}: {output:?}"
        );
    }
    assert_eq!(verifier(&["--help"], &path).status.code(), Some(0));
}

#[test]
fn the_program_prints_json_that_follows_the_schema() {
    let (_directory, path) = handed_over();
    let schema: Value = serde_json::from_str(REPORT_SCHEMA).unwrap();
    let arguments = [
        "verify",
        "RECORD.asice",
        "--trust",
        "anchor.der",
        "--at",
        "2027-06-01",
    ];
    let mut json = arguments.to_vec();
    json.extend(["--format", "json"]);
    let output = verifier(&json, &path);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&value));
    assert_eq!(value["conclusion"], "TOTAL-PASSED");
    assert_eq!(value["integrity"], "INTACT");
    assert_eq!(value["best_signature_time"], "2026-11-22T03:48:30.000000Z");
    let mut japanese = arguments.to_vec();
    japanese.extend(["--lang", "ja"]);
    let output = verifier(&japanese, &path);
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .starts_with("対象: RECORD.asice")
    );
}

#[test]
fn inspect_shows_the_structure_of_everything() {
    let (_directory, path) = handed_over();
    for (file, words) in [
        (
            "RECORD.asice",
            &[
                "META-INF/evidencerecord.ers",
                "reduced hash tree",
                "CN=Test TSA 1",
            ][..],
        ),
        (
            "stamp.tst",
            &["timestamp-token", "SHA-256", "2026-11-22T03:48:30"],
        ),
        ("anchor.der", &["certificate", "CN=Test Root 1"]),
        ("noise.bin", &["unknown"]),
    ] {
        let output = verifier(&["inspect", file], &path);
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8(output.stdout).unwrap();
        for word in words {
            assert!(text.contains(word), "{file}: {word}\n{text}");
        }
        let output = verifier(&["inspect", file, "--format", "json"], &path);
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(value["name"], file);
    }
}
