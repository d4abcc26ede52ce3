//! Packages that show some lines of a log: a good one passes, every way of tampering with one is found, and no renewal is in the way.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

#[path = "../support/mod.rs"]
mod support;
mod tampering;

use std::io::Cursor;

use formats::asic::{AsicReader, AsicWriter, MIMETYPE_ASIC_E};
use formats::digest::DigestAlgorithm;
use formats::lines::split_lines;
use formats::package::{LINE_PROOF, MANIFEST};
use proptest::prelude::*;
use support::authority::{Authority, Profile};
use support::log::{line_package, log_record, proof, shown};
use support::record::{ALGORITHM, RECEIVED, Record, batch, renew_time_stamp, renew_tree};
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::context::Context;
use verifier::finding::{Code, Language, Severity, lines as codes, package as package_codes};
use verifier::inspect::inspect;
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::{Report, text};
use verifier::source::{DataBytes, DigestSource, InputFile};
use verifier::verdict::{Conclusion, Integrity};

const NOW: OffsetDateTime = datetime!(2027-06-01 00:00 UTC);
const MEMBER: &str = "lines/app.log.txt";

fn authority() -> Authority {
    Authority::new(Profile {
        seed: 1,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2036-01-01 00:00 UTC),
        for_time_stamps: true,
    })
}

fn log(name: &str) -> Vec<u8> {
    let lines = (1..=2500).map(|number| format!("{number:06} {name} did something\n"));
    lines.collect::<String>().into_bytes()
}

fn records() -> Vec<Record> {
    vec![
        log_record(1, &log("alice")),
        log_record(2, &log("bob")),
        Record::new(3, &[("app.log", b"no line tree\n")]),
    ]
}

/// The evidence records of [`records`] under one token.
fn evidence(records: &[Record]) -> Vec<Vec<u8>> {
    let groups: Vec<_> = records.iter().map(|one| one.group(ALGORITHM)).collect();
    let evidence = batch(&groups, &authority(), RECEIVED);
    evidence.iter().map(|one| one.encode().unwrap()).collect()
}

/// A package of four lines on both sides of the end of a block.
fn good() -> Vec<u8> {
    let records = records();
    line_package(&records[0], &evidence(&records)[0], 1023, 1026)
}

fn judge_at(
    bytes: &[u8],
    anchors: &[TrustAnchor],
    data: &[&dyn DigestSource],
    time: OffsetDateTime,
) -> Report {
    let policy = Policy::default();
    let context = Context {
        anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time,
        cache: None,
        registry: None,
    };
    verify(&[InputFile::new("LINES.asice", bytes)], data, &context)
}

fn judge(bytes: &[u8]) -> Report {
    judge_at(bytes, &[authority().anchor()], &[], NOW)
}

fn has(report: &Report, code: Code) -> bool {
    report.findings.iter().any(|finding| finding.code() == code)
}

type Members = Vec<(String, Vec<u8>)>;

fn members(bytes: &[u8]) -> Members {
    let reader = AsicReader::open(bytes).unwrap();
    let entries = reader.entries().iter();
    entries
        .map(|entry| (entry.name().to_owned(), entry.read().unwrap().into_owned()))
        .collect()
}

fn packed(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let sink = Cursor::new(Vec::new());
    let mut writer = AsicWriter::new(sink, MIMETYPE_ASIC_E).unwrap();
    for (name, content) in members.iter().filter(|(name, _)| name != "mimetype") {
        writer.add_bytes(name, content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn content<'m>(members: &'m mut Members, name: &str) -> &'m mut Vec<u8> {
    let member = members.iter_mut().find(|(member, _)| member == name);
    &mut member.unwrap().1
}

#[test]
fn lines_are_proven_and_reported() {
    let bytes = good();
    let report = judge(&bytes);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
    assert_eq!(report.best_signature_time, Some(RECEIVED));
    assert!(
        report
            .findings
            .iter()
            .all(|f| f.severity() != Severity::Error)
    );
    let proven = report
        .findings
        .iter()
        .find(|f| f.code() == codes::LINES_PROVEN);
    assert_eq!(
        proven.unwrap().details(),
        ["1023", "1026", "app.log", "2500"]
    );
    let english = text::to_text(&report, Language::English);
    for said in [
        "Proven: The 4 lines of the log that are shown existed on 22 November 2026, 12:48:30",
        "What the lines say that are not shown.\n",
        "  app.log, lines 1023 to 1026\n    proven\n",
        "Verdict by the standard (ETSI EN 319 102-1): TOTAL-PASSED.",
    ] {
        assert!(english.contains(said), "{said}: {english}");
    }
    let japanese = text::to_text(&report, Language::Japanese);
    for said in [
        "示されたログの 4 行は、2026年11月22日 12:48:30",
        "示されていない行の内容。\n",
        "app.log の 1023 行目から 1026 行目",
    ] {
        assert!(japanese.contains(said), "{said}: {japanese}");
    }
    let inspected = inspect("LINES.asice", &bytes).to_text();
    assert!(inspected.contains("first line: 1023") && inspected.contains("line tree: 2500 lines"));
}

#[test]
fn the_lines_beside_it_are_recognised_and_the_whole_log_is_not() {
    let records = records();
    let bytes = good();
    let anchors = [authority().anchor()];
    let lines = DataBytes::new("lines.txt", shown(&records[0], 1023, 1026));
    assert!(
        judge_at(&bytes, &anchors, &[&lines], NOW)
            .judgement
            .is_passed()
    );
    let whole = DataBytes::new("app.log", records[0].documents[0].clone());
    let report = judge_at(&bytes, &anchors, &[&whole], NOW);
    assert!(has(&report, package_codes::DATA_NOT_COVERED));
}

#[test]
fn without_trust_they_are_intact_and_undecided() {
    let report = judge_at(&good(), &[], &[], NOW);
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
    assert_eq!(report.best_signature_time, None);
}

#[test]
fn nothing_of_the_other_lines_is_in_the_package() {
    let records = records();
    let bytes = good();
    let hidden = (1..).zip(split_lines(&records[0].documents[0]));
    for (number, line) in hidden.filter(|(number, _)| !(1023..=1026).contains(number)) {
        let salt = support::log::salt(number);
        for needle in [line, &salt, hex::encode(salt).as_bytes()] {
            let found = bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "line {number}");
        }
    }
}

#[test]
fn renewals_of_the_record_are_no_hindrance() {
    let record = log_record(1, &log("alice"));
    let group = |algorithm| record.group(algorithm);
    let first = batch(&[group(ALGORITHM)], &authority(), RECEIVED).remove(0);
    let later = datetime!(2026-12-01 00:00 UTC);
    let renewed = renew_time_stamp(&first, &authority(), later);
    let sha512 = group(DigestAlgorithm::Sha512);
    let rehashed = renew_tree(
        &renewed,
        &sha512,
        false,
        &authority(),
        datetime!(2027-01-01 00:00 UTC),
    );
    for evidence in [first, renewed, rehashed] {
        let package = line_package(&record, &evidence.encode().unwrap(), 7, 7);
        let report = judge(&package);
        assert!(report.judgement.is_passed(), "{:?}", report.findings);
        assert_eq!(report.best_signature_time, Some(RECEIVED));
    }
}

/// The default policy without these digest algorithms.
fn policy_without(names: &[&str]) -> Policy {
    let default = include_str!("../../policy/default.json");
    let row = |line: &&str| {
        !names
            .iter()
            .any(|name| line.contains(&format!(r#""algorithm": "{name}","#)))
    };
    let text: Vec<&str> = default.lines().filter(row).collect();
    Policy::parse(text.join("\n").as_bytes()).unwrap()
}

/// Nothing renews the lines shown: they stand under the line tree alone, which two functions make.
#[test]
fn one_trusted_function_is_enough_and_none_is_not() {
    let bytes = good();
    let lines = |policy: &Policy| {
        let anchors = [authority().anchor()];
        let context = Context {
            anchors: &anchors,
            certificates: &[],
            crls: &[],
            ocsp_responses: &[],
            policy,
            time: NOW,
            cache: None,
            registry: None,
        };
        let report = verify(
            &[InputFile::new("LINES.asice", bytes.as_slice())],
            &[],
            &context,
        );
        assert!(!report.judgement.is_passed());
        let codes: Vec<&str> = report.findings.iter().map(|f| f.code().id()).collect();
        codes
            .iter()
            .filter(|code| **code == "ALGORITHM_NOT_LISTED")
            .count()
    };
    // What the evidence record says about its own function is told as often either way.
    let one = lines(&policy_without(&["SHA-256"]));
    let both = lines(&policy_without(&["SHA-256", "SHA-512"]));
    assert_eq!(both, one + 2);
}

/// Every bit of what proves the lines counts, also for a forger who packs it anew: the lines, their proof, the manifest.
#[test]
fn no_flipped_bit_passes() {
    let record = log_record(1, b"one\ntwo\nthree\nfour\nfive\n");
    let evidence = batch(&[record.group(ALGORITHM)], &authority(), RECEIVED);
    let package = line_package(&record, &evidence[0].encode().unwrap(), 2, 3);
    assert!(judge(&package).judgement.is_passed());
    let every_bit = std::env::var_os("FUMIKURA_FLIPS").is_some_and(|value| value == "all");
    for name in [MEMBER, LINE_PROOF, MANIFEST] {
        let mut members = members(&package);
        for place in 0..content(&mut members, name).len() {
            for bit in 0..8_u8 {
                if !every_bit && usize::from(bit) != place.wrapping_mul(5) % 8 {
                    continue;
                }
                content(&mut members, name)[place] ^= 1 << bit;
                let report = judge(&packed(&members));
                assert!(
                    !report.judgement.is_passed(),
                    "{name}, byte {place}, bit {bit}"
                );
                content(&mut members, name)[place] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn no_flipped_bit_of_the_container_passes() {
    let record = log_record(1, b"one\ntwo\nthree\nfour\nfive\n");
    let evidence = batch(&[record.group(ALGORITHM)], &authority(), RECEIVED);
    let mut package = line_package(&record, &evidence[0].encode().unwrap(), 2, 3);
    for place in 0..package.len() {
        let bit = 1 << (place.wrapping_mul(5) % 8);
        package[place] ^= bit;
        assert!(!judge(&package).judgement.is_passed(), "byte {place}");
        package[place] ^= bit;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_range_of_any_log_verifies(
        lines in proptest::collection::vec("[a-z\r]{0,6}", 1..2200), ends in any::<bool>(), at in any::<(u64, u64)>(),
    ) {
        let mut log = lines.join("\n").into_bytes();
        if ends || log.is_empty() {
            log.push(b'\n');
        }
        let record = log_record(1, &log);
        let count = u64::try_from(split_lines(&log).count()).unwrap();
        let first = at.0 % count + 1;
        let last = first + at.1 % (count - first + 1);
        let evidence = batch(&[record.group(ALGORITHM)], &authority(), RECEIVED);
        let report = judge(&line_package(&record, &evidence[0].encode().unwrap(), first, last));
        prop_assert!(report.judgement.is_passed(), "{:?}", report.findings);
    }
}

#[test]
fn the_proof_follows_its_published_schema() {
    let schema: serde_json::Value = serde_json::from_str(formats::lines::SCHEMA_TEXT).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let proof = proof(&records()[0], 1023, 1026).encode().unwrap();
    let mut value: serde_json::Value = serde_json::from_slice(&proof).unwrap();
    assert!(validator.is_valid(&value));
    assert_eq!(schema["$id"], formats::lines::SCHEMA);
    let limit = |path: &str| schema.pointer(path).and_then(serde_json::Value::as_u64);
    let hashes = "/properties/proofs/items/properties/hashes/maxItems";
    assert_eq!(
        limit(hashes),
        u64::try_from(formats::limits::LINE_PROOF_HASHES_MAX).ok()
    );
    assert_eq!(
        limit("/properties/salts/maxItems"),
        u64::try_from(formats::limits::LINE_PROOF_LINES_MAX).ok()
    );
    value["key"] = serde_json::json!("00");
    assert!(!validator.is_valid(&value));
}
