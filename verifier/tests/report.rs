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
fn the_first_lines_say_what_a_judge_needs() {
    let report = &reports()[0];
    let japanese = text::to_text(report, Language::Japanese);
    let lines: Vec<&str> = japanese.lines().take(6).collect();
    assert_eq!(
        lines,
        [
            "証明されています：下記の文書 2 件は、2026年11月22日 12:48:30（日本時間）には存在し、それ以後変更されていないことが証明されています。",
            "証明されていること：下記の時刻に存在していたこと、その後 1 ビットも変更されていないこと。",
            "証明された時刻：2026年11月22日 12:48:30（日本時間）、協定世界時では 2026年11月22日 03:48:30。遅くともこの時刻には存在していました。",
            "証明されていないこと：",
            "  - 内容が真実であること、誰が作ったか、この時刻より前のいつ作られたか。",
            "  - タイムスタンプ局（時刻を証明した機関）が国の認定を受けたものであること（確認していません）。",
        ]
    );
    let english = text::to_text(report, Language::English);
    let lines: Vec<&str> = english.lines().take(4).collect();
    assert_eq!(
        lines,
        [
            "Proven: The 2 documents below existed on 22 November 2026, 12:48:30 (Japan time) and have not been changed since. This is proven.",
            "What is proven: That it existed at the time below, and that not one bit was changed since.",
            "For what time: 22 November 2026, 12:48:30 (Japan time); 22 November 2026, 03:48:30 UTC. It existed at the latest then.",
            "What is not proven:",
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
            "== 証明の時系列と理由 ==",
            "2026-11-22 12:48:30 JST",
            "最初のアーカイブタイムスタンプ",
            "2026-12-01 09:00:00 JST (2026-12-01 00:00:00 UTC) に後の証明へ引き継ぎ",
            "再スタンプ（タイムスタンプの更新）",
            "2027-01-01 09:00:00 JST (2027-01-01 00:00:00 UTC) に後の証明へ引き継ぎ",
            "再スタンプ（ハッシュ木の更新）",
            "までに再スタンプが必要",
            "証拠記録",
            "成立 [TOTAL-PASSED]",
        ],
    );
    in_order(
        &english,
        &[
            "== The proofs in time, and the reasons ==",
            "First archive time-stamp",
            "taken over by a later proof at 2026-12-01",
            "Re-stamping (time-stamp renewal)",
            "taken over by a later proof at 2027-01-01",
            "Re-stamping (hash-tree renewal)",
            "renew before 20",
            "Evidence record",
            "holds [TOTAL-PASSED]",
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
            .starts_with("証明されています：下記の文書 2 件は、")
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
