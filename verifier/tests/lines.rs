//! Packages that show some lines of a log: a good one passes, every way of tampering with one is found, and no renewal is in the way.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use std::io::Cursor;

use formats::asic::{AsicReader, AsicWriter, MIMETYPE_ASIC_E};
use formats::digest::DigestAlgorithm;
use formats::limits::LINES_MAX;
use formats::lines::{LineProof, range_siblings, split_lines};
use formats::package::{EVIDENCE_RECORD, EVIDENCE_RECORD_MANIFEST, LINE_PROOF, MANIFEST};
use proptest::prelude::*;
use support::authority::{Authority, Profile};
use support::log::{line_package, log_record, proof, shown};
use support::record::{ALGORITHM, RECEIVED, Record, batch, renew_time_stamp, renew_tree};
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::context::Context;
use verifier::finding::{
    Code, Language, Severity, evidence as evidence_codes, lines as codes, package as package_codes,
};
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
    assert!(english.contains("; 4 lines of a log\n"), "{english}");
    assert!(english.contains("lines/app.log.txt: 1023 to 1026 (4) — TOTAL-PASSED"));
    let japanese = text::to_text(&report, Language::Japanese);
    assert!(japanese.contains("ログの 4 行"), "{japanese}");
    assert!(japanese.contains("1023 行目から 1026 行目(4 行)"));
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

/// One way of tampering, and a finding that must name it.
type Tampering = (&'static str, fn(&mut Members, &Other), Code);

/// What a forger has at hand beside the package.
struct Other {
    proof: LineProof,
    other_record: Members,
    bob: Record,
    without_tree: Record,
}

fn content<'m>(members: &'m mut Members, name: &str) -> &'m mut Vec<u8> {
    let member = members.iter_mut().find(|(member, _)| member == name);
    &mut member.unwrap().1
}

fn edit(members: &mut Members, other: &Other, change: impl FnOnce(&mut LineProof)) {
    let mut proof = other.proof.clone();
    change(&mut proof);
    *content(members, LINE_PROOF) = proof.encode().unwrap();
}

fn take(members: &mut Members, other: &Other, name: &str) {
    let taken = other.other_record.iter().find(|(member, _)| member == name);
    *content(members, name) = taken.unwrap().1.clone();
}

const TAMPERINGS: &[Tampering] = &[
    (
        "a line is changed",
        |m, _| content(m, MEMBER)[0] = b'2',
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "a line end is changed",
        |m, _| {
            let lines = content(m, MEMBER);
            let end = lines.len() - 1;
            lines.insert(end, b'\r');
        },
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "the last line is removed",
        |m, _| {
            let lines = content(m, MEMBER);
            let kept = lines.len()
                - lines
                    .split_inclusive(|b| *b == b'\n')
                    .next_back()
                    .unwrap()
                    .len();
            lines.truncate(kept);
        },
        codes::LINE_COUNT_MISMATCH,
    ),
    (
        "a line is added",
        |m, _| content(m, MEMBER).extend_from_slice(b"1027 x\n"),
        codes::LINE_COUNT_MISMATCH,
    ),
    (
        "an unfinished line is added",
        |m, _| content(m, MEMBER).push(b'x'),
        codes::LINE_COUNT_MISMATCH,
    ),
    (
        "the end of the last line is cut off",
        |m, _| {
            content(m, MEMBER).pop();
        },
        codes::LINE_WITHOUT_END,
    ),
    (
        "two lines are exchanged",
        |m, _| {
            let lines: Vec<Vec<u8>> = split_lines(content(m, MEMBER))
                .map(<[u8]>::to_vec)
                .collect();
            *content(m, MEMBER) = [&lines[1], &lines[0], &lines[2], &lines[3]]
                .map(Clone::clone)
                .concat();
        },
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "all lines are empty",
        |m, _| *content(m, MEMBER) = b"\n\n\n\n".to_vec(),
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "the lines are removed",
        |m, _| m.retain(|(name, _)| name != MEMBER),
        package_codes::PACKAGE_MEMBER_MISSING,
    ),
    (
        "the lines are renumbered",
        |m, o| edit(m, o, |p| p.first = 1025),
        codes::LINE_HASHES_WRONG,
    ),
    (
        "the lines are renumbered to the end of another block",
        |m, o| edit(m, o, |p| p.first = 511),
        codes::LINE_HASHES_WRONG,
    ),
    (
        "the lines are renumbered to where the proof has the right length",
        |m, o| {
            let hashes = |first| range_siblings(2500, first - 1, first + 2).unwrap().len();
            let same = (1..2000).find(|first| *first != 1023 && hashes(*first) == hashes(1023));
            edit(m, o, |p| p.first = same.unwrap());
        },
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "a salt is changed",
        |m, o| edit(m, o, |p| p.salts[2][15] ^= 1),
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "two salts are exchanged",
        |m, o| edit(m, o, |p| p.salts.swap(0, 1)),
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "a hash is changed",
        |m, o| {
            edit(m, o, |p| {
                p.proofs[1].hashes[3] = DigestAlgorithm::Sha512.digest(b"x")
            })
        },
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "two hashes are exchanged",
        |m, o| edit(m, o, |p| p.proofs[0].hashes.swap(0, 1)),
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "the proof is truncated",
        |m, o| {
            edit(m, o, |p| {
                p.proofs[0].hashes.pop();
            });
        },
        codes::LINE_HASHES_WRONG,
    ),
    (
        "the proof is too long",
        |m, o| {
            edit(m, o, |p| {
                let last = p.proofs[1].hashes[0];
                p.proofs[1].hashes.push(last);
            });
        },
        codes::LINE_HASHES_WRONG,
    ),
    (
        "the proof under one function is left out",
        |m, o| {
            edit(m, o, |p| {
                p.proofs.pop();
            });
        },
        codes::LINE_ROOT_WITHOUT_PROOF,
    ),
    (
        "the proof is under a function without a root",
        |m, o| {
            edit(m, o, |p| {
                p.proofs[0].algorithm = DigestAlgorithm::Sha3_256;
                p.proofs[0].hashes.clear();
            });
        },
        codes::LINE_ROOT_WITHOUT_PROOF,
    ),
    (
        "the range ends beyond the log",
        |m, o| edit(m, o, |p| p.first = 2498),
        codes::LINE_RANGE_BEYOND_END,
    ),
    (
        "the range ends beyond any log",
        |m, o| edit(m, o, |p| p.first = LINES_MAX - 3),
        codes::LINE_RANGE_BEYOND_END,
    ),
    (
        "the proof is for an object that is not there",
        |m, o| edit(m, o, |p| p.object = 1),
        codes::LINE_OBJECT_MISSING,
    ),
    (
        "the proof is for another record",
        |m, o| take(m, o, LINE_PROOF),
        codes::LINE_PROOF_OTHER_RECORD,
    ),
    (
        "the proof is for another version",
        |m, o| {
            edit(m, o, |p| {
                p.version = formats::id::VersionId::new(p.version.record(), 2).unwrap()
            })
        },
        codes::LINE_PROOF_OTHER_RECORD,
    ),
    (
        "the lines are those of another record",
        |m, o| take(m, o, MEMBER),
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "the manifest is that of another record",
        |m, o| take(m, o, MANIFEST),
        codes::LINE_PROOF_OTHER_RECORD,
    ),
    (
        "lines, proof and manifest are those of another record",
        |m, o| {
            [MEMBER, LINE_PROOF, MANIFEST]
                .iter()
                .for_each(|name| take(m, o, name))
        },
        evidence_codes::EVIDENCE_DATA_NOT_COVERED,
    ),
    (
        "the manifest has no line tree",
        |m, o| {
            *content(m, MANIFEST) = o.without_tree.manifest.raw().to_vec();
            edit(m, o, |p| p.version = o.without_tree.manifest.id().unwrap());
        },
        codes::LINE_TREE_MISSING,
    ),
    (
        "roots, salts and lines are a forger's own",
        |m, o| {
            let forged = log_record(1, &log("mallory"));
            *content(m, MANIFEST) = forged.manifest.raw().to_vec();
            *content(m, MEMBER) = shown(&forged, 1023, 1026);
            edit(m, o, |p| *p = proof(&forged, 1023, 1026));
        },
        evidence_codes::EVIDENCE_DATA_NOT_COVERED,
    ),
    (
        "the proof is removed",
        |m, _| m.retain(|(name, _)| name != LINE_PROOF),
        package_codes::PACKAGE_MEMBER_MISSING,
    ),
    (
        "the proof is not JSON any more",
        |m, _| content(m, LINE_PROOF)[0] = b'x',
        codes::LINE_PROOF_MALFORMED,
    ),
    (
        "the proof is not canonical any more",
        |m, _| content(m, LINE_PROOF).push(b'\n'),
        codes::LINE_PROOF_MALFORMED,
    ),
    (
        "the whole log is added",
        |m, o| m.push(("documents/app.log".to_owned(), o.bob.documents[0].clone())),
        package_codes::PACKAGE_MEMBER_UNLISTED,
    ),
    (
        "lines under another name are added",
        |m, _| m.push(("lines/b.txt".to_owned(), b"x\n".to_vec())),
        package_codes::PACKAGE_MEMBER_UNLISTED,
    ),
    (
        "the evidence record is removed",
        |m, _| m.retain(|(name, _)| name != EVIDENCE_RECORD),
        package_codes::PACKAGE_MEMBER_MISSING,
    ),
    (
        "the evidence record is that of another record",
        |m, o| take(m, o, EVIDENCE_RECORD),
        evidence_codes::EVIDENCE_DATA_NOT_COVERED,
    ),
    (
        "the evidence manifest is that of another record",
        |m, o| take(m, o, EVIDENCE_RECORD_MANIFEST),
        package_codes::PACKAGE_DIGEST_MISMATCH,
    ),
];

#[test]
fn every_tampering_is_found() {
    let mut records = records();
    let evidence = evidence(&records);
    let good = line_package(&records[0], &evidence[0], 1023, 1026);
    let other = Other {
        proof: proof(&records[0], 1023, 1026),
        other_record: members(&line_package(&records[1], &evidence[1], 1023, 1026)),
        without_tree: records.remove(2),
        bob: records.remove(1),
    };
    for (what, tamper, code) in TAMPERINGS {
        let mut members = members(&good);
        tamper(&mut members, &other);
        let report = judge(&packed(&members));
        assert!(!report.judgement.is_passed(), "{what}");
        assert_ne!(report.judgement.integrity(), Integrity::Intact, "{what}");
        assert!(has(&report, *code), "{what}: {:?}", report.findings);
        assert!(
            !has(&report, codes::LINES_PROVEN) || *code != codes::LINE_ROOT_MISMATCH,
            "{what}"
        );
        assert_eq!(report.best_signature_time, None, "{what}");
    }
}

/// The default policy without these digest algorithms.
fn policy_without(names: &[&str]) -> Policy {
    let default = include_str!("../policy/default.json");
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
