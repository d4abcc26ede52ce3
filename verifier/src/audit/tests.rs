use std::collections::BTreeMap;

use formats::audit::{AuditEntry, Outcome};
use proptest::prelude::*;
use time::macros::datetime;

use super::report::{to_text, to_value};
use super::*;
use crate::finding::Language;

fn archive() -> ArchiveId {
    ArchiveId::new(1, &[7; 10])
}

fn trail(count: u64) -> Vec<Vec<u8>> {
    let mut place = ChainPlace::start(archive());
    (0..count)
        .map(|number| {
            let entry = AuditEntry {
                sequence: place.sequence + 1,
                time: datetime!(2030-03-31 23:30 UTC) + time::Duration::hours(number as i64),
                person: "sato".to_owned(),
                client: "192.0.2.7".to_owned(),
                act: "record.read".to_owned(),
                record: None,
                purpose: Some("監査".to_owned()),
                outcome: Outcome::Done,
                details: BTreeMap::new(),
                previous: place.digest,
            };
            let line = entry.to_line().unwrap();
            place = ChainPlace::behind(entry.sequence, &line);
            line
        })
        .collect()
}

fn check(files: &[&[Vec<u8>]], start: Option<ArchiveId>, end: Option<[u8; 32]>) -> AuditReport {
    let mut check = AuditCheck::new(start);
    for (number, lines) in files.iter().enumerate() {
        check.begin_file(format!("{number}.jsonl"));
        lines.iter().for_each(|line| check.line(line));
    }
    check.finish(end)
}

#[test]
fn lines_over_several_files_hang_together() {
    let lines = trail(9);
    let end = ChainPlace::behind(9, &lines[8]);
    let report = check(
        &[&lines[..4], &lines[4..4], &lines[4..]],
        Some(archive()),
        Some(end.digest),
    );
    assert_eq!(report.conclusion(), Conclusion::TotalPassed);
    assert_eq!(report.end, Some(end));
    assert_eq!(report.lines(), 9);
    assert_eq!(report.files[2].first.unwrap().0, 5);
    assert_eq!(report.files[1].first, None);
    let value = to_value(&report);
    assert_eq!(value["conclusion"], "passed");
    assert_eq!(value["end"]["digest"], hex::encode(end.digest));
    assert_eq!(value["end-expected"], true);
    assert_eq!(value["files"][2]["last"], 9);
    for language in [Language::Japanese, Language::English] {
        let text = to_text(&report, language);
        assert!(text.contains(&hex::encode(end.digest)), "{text}");
    }
}

#[test]
fn lines_from_the_middle_say_behind_what_they_stand() {
    let lines = trail(6);
    let report = check(&[&lines[2..]], None, None);
    assert_eq!(report.conclusion(), Conclusion::TotalPassed);
    let behind = ChainPlace::behind(2, &lines[1]);
    assert_eq!(report.begin, Begin::Believed(Some(behind)));
    assert_eq!(to_value(&report)["begin"]["behind"]["sequence"], 2);
}

#[test]
fn a_missing_beginning_a_gap_and_another_order_of_files_are_told() {
    let lines = trail(6);
    let told = |report: &AuditReport| {
        assert_eq!(report.conclusion(), Conclusion::TotalFailed);
        let kinds = report.problems.iter();
        kinds
            .map(|one| (one.file, one.line, one.kind))
            .collect::<Vec<_>>()
    };
    let front = check(&[&lines[2..]], Some(archive()), None);
    assert_eq!(told(&front), [(0, 1, BreakKind::Missing)]);
    assert!(to_text(&front, Language::English).contains("beginning is missing: entries 1 to 2"));
    let gap = check(&[&lines[..2], &lines[3..]], None, None);
    assert_eq!(told(&gap), [(1, 1, BreakKind::Missing)]);
    assert!(to_text(&gap, Language::English).contains("1.jsonl:1: entries 3 to 3 are missing"));
    let swapped = check(&[&lines[3..], &lines[..3]], None, None);
    assert_eq!(told(&swapped), [(1, 1, BreakKind::OutOfOrder)]);
    let other = ArchiveId::new(2, &[7; 10]);
    let foreign = check(&[&lines], Some(other), None);
    assert_eq!(told(&foreign), [(0, 1, BreakKind::Changed)]);
    assert!(to_text(&foreign, Language::Japanese).contains("この保管庫の最初の行ではありません"));
}

#[test]
fn a_missing_end_is_told_by_whoever_holds_its_digest() {
    let lines = trail(6);
    let end = ChainPlace::behind(6, &lines[5]).digest;
    let cut = check(&[&lines[..5]], Some(archive()), Some(end));
    assert_eq!(cut.conclusion(), Conclusion::TotalFailed);
    assert_eq!(cut.problem_count, 0);
    assert_eq!(cut.is_expected_end, Some(false));
    assert!(to_text(&cut, Language::English).contains("NOT the one that was given"));
    let unknown = check(&[&lines[..5]], Some(archive()), None);
    assert_eq!(unknown.conclusion(), Conclusion::TotalPassed);
    assert!(to_text(&unknown, Language::English).contains("--end"));
}

#[test]
fn no_lines_are_undecided_and_lines_of_something_else_fail() {
    assert_eq!(
        check(&[&[]], None, None).conclusion(),
        Conclusion::Indeterminate
    );
    let foreign: Vec<Vec<u8>> = (0..PROBLEMS_MAX + 5)
        .map(|_| b"Nov 23 sshd[1]: no\n".to_vec())
        .collect();
    let report = check(&[&foreign], None, None);
    assert_eq!(report.conclusion(), Conclusion::TotalFailed);
    assert_eq!(report.problems.len(), PROBLEMS_MAX);
    assert_eq!(report.problem_count, PROBLEMS_MAX as u64 + 5);
    assert!(to_text(&report, Language::English).ends_with("and 5 more\n"));
}

proptest! {
    #[test]
    fn any_change_of_one_byte_is_found(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let lines = trail(5);
        let end = ChainPlace::behind(5, &lines[4]).digest;
        let mut bytes = lines.concat();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        let changed: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        for start in [None, Some(archive())] {
            let report = check(&[&changed], start, Some(end));
            prop_assert_eq!(report.conclusion(), Conclusion::TotalFailed);
        }
    }

    #[test]
    fn a_byte_put_in_or_taken_out_is_found(at in any::<prop::sample::Index>(), byte in any::<Option<u8>>()) {
        let lines = trail(4);
        let end = ChainPlace::behind(4, &lines[3]).digest;
        let mut bytes = lines.concat();
        let at = at.index(bytes.len());
        match byte {
            Some(byte) => bytes.insert(at, byte),
            None => drop(bytes.remove(at)),
        }
        let changed: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let report = check(&[&changed], None, Some(end));
        // The same byte beside itself is the same text.
        prop_assume!(bytes != lines.concat());
        prop_assert_eq!(report.conclusion(), Conclusion::TotalFailed);
    }
}
