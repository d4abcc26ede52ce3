use proptest::prelude::*;
use time::macros::datetime;

use super::*;
use crate::id::ArchiveId;

fn archive() -> ArchiveId {
    ArchiveId::new(1, &[7; 10])
}

fn entry(place: ChainPlace, act: &str) -> AuditEntry {
    AuditEntry {
        sequence: place.sequence + 1,
        time: datetime!(2030-03-31 23:30:00.000001 UTC),
        person: "sato".to_owned(),
        client: "192.0.2.7".to_owned(),
        act: act.to_owned(),
        record: None,
        purpose: None,
        outcome: Outcome::Done,
        details: BTreeMap::new(),
        previous: place.digest,
    }
}

/// So many lines that hang together.
fn trail(count: usize) -> Vec<Vec<u8>> {
    let mut place = ChainPlace::start(archive());
    let mut lines = Vec::new();
    for number in 0..count {
        let one = entry(place, &format!("record.retrieve.{number}"));
        let line = one.to_line().unwrap();
        place = ChainPlace::behind(one.sequence, &line);
        lines.push(line);
    }
    lines
}

fn breaks(lines: &[Vec<u8>]) -> Vec<(u64, BreakKind)> {
    let mut checker = ChainChecker::new(Some(ChainPlace::start(archive())));
    let told = lines.iter().filter_map(|line| checker.line(line).err());
    told.map(|one| (one.line, one.kind)).collect()
}

#[test]
fn a_line_is_canonical_json_with_both_times() {
    let mut one = entry(ChainPlace::start(archive()), "record.retrieve");
    one.record = Some("0192f0c1-0000-7000-8000-000000000000/1".to_owned());
    one.purpose = Some("事件 17".to_owned());
    one.details.insert("bytes".to_owned(), "4711".to_owned());
    let line = one.to_line().unwrap();
    let text = String::from_utf8(line.clone()).unwrap();
    assert!(
        text.starts_with(
            r#"{"act":"record.retrieve","client":"192.0.2.7","details":{"bytes":"4711"},"jst":"2030-04-01T08:30:00.000001+09:00","outcome":"done","person":"sato","previous":""#
        ),
        "{text}"
    );
    assert!(text.ends_with("\"sequence\":1,\"time\":\"2030-03-31T23:30:00.000001Z\"}\n"));
    assert_eq!(AuditEntry::from_line(&line).unwrap(), one);
}

#[test]
fn lines_of_another_form_are_refused() {
    let line = entry(ChainPlace::start(archive()), "a").to_line().unwrap();
    let text = String::from_utf8(line).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1).into_bytes()
    };
    for (line, kind) in [
        (Vec::new(), ErrorKind::Truncated),
        (text.trim_end().as_bytes().to_vec(), ErrorKind::Truncated),
        (b"{}\n".to_vec(), ErrorKind::InvalidJson),
        (changed("{\"act\"", "{ \"act\""), ErrorKind::NotCanonical),
        (changed("\"act\"", "\"acts\""), ErrorKind::InvalidJson),
        (changed("{", "{\"more\":1,"), ErrorKind::InvalidJson),
        // The same moment told in two ways that differ.
        (changed("T08:30", "T09:30"), ErrorKind::NotCanonical),
        (changed("Z\"", "\""), ErrorKind::InvalidTime),
        (
            changed("\"sequence\":1", "\"sequence\":0"),
            ErrorKind::InvalidValue,
        ),
        (
            changed("\"sequence\":1", "\"sequence\":1.0"),
            ErrorKind::InvalidJson,
        ),
        (
            changed("\"outcome\":\"done\"", "\"outcome\":\"perhaps\""),
            ErrorKind::InvalidJson,
        ),
        (
            changed("\"previous\":\"", "\"previous\":\"zz"),
            ErrorKind::InvalidText,
        ),
    ] {
        let refused = AuditEntry::from_line(&line).unwrap_err();
        assert_eq!(refused.kind(), kind, "{}", String::from_utf8_lossy(&line));
    }
    let mut long = entry(ChainPlace::start(archive()), "a");
    long.purpose = Some("x".repeat(ENTRY_BYTES_MAX));
    assert_eq!(long.to_line().unwrap_err().kind(), ErrorKind::LimitExceeded);
    long.purpose = None;
    long.sequence = SEQUENCE_MAX + 1;
    assert_eq!(long.to_line().unwrap_err().kind(), ErrorKind::InvalidValue);
    long.sequence = 1;
    long.details = (0..=DETAILS_MAX)
        .map(|one| (one.to_string(), String::new()))
        .collect();
    assert_eq!(long.to_line().unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn a_whole_trail_has_no_breaks_and_belongs_to_its_archive() {
    let lines = trail(5);
    assert!(breaks(&lines).is_empty());
    // From the middle on, knowing or believing where it begins.
    let place = ChainPlace::behind(2, &lines[1]);
    for begin in [Some(place), None] {
        let mut checker = ChainChecker::new(begin);
        for line in &lines[2..] {
            checker.line(line).unwrap();
        }
        assert_eq!(checker.end(), Some(ChainPlace::behind(5, &lines[4])));
        assert_eq!(checker.lines(), 3);
    }
    let other = ChainPlace::start(ArchiveId::new(2, &[7; 10]));
    let told = ChainChecker::new(Some(other)).line(&lines[0]).unwrap_err();
    assert_eq!(told.kind, BreakKind::Changed);
}

#[test]
fn what_is_taken_out_put_in_moved_or_changed_is_found() {
    let lines = trail(5);
    let mut gap = lines.clone();
    gap.remove(2);
    assert_eq!(breaks(&gap), [(3, BreakKind::Missing)]);
    let mut twice = lines.clone();
    twice.insert(2, lines[1].clone());
    assert_eq!(breaks(&twice), [(3, BreakKind::OutOfOrder)]);
    let mut moved = lines.clone();
    moved.swap(1, 2);
    let told = [
        (2, BreakKind::Missing),
        (3, BreakKind::OutOfOrder),
        (4, BreakKind::Missing),
    ];
    assert_eq!(breaks(&moved), told);
    let mut changed = lines.clone();
    let text = String::from_utf8(lines[2].clone()).unwrap();
    changed[2] = text.replace("sato", "kato").into_bytes();
    assert_eq!(breaks(&changed), [(4, BreakKind::Changed)]);
    let mut damaged = lines.clone();
    damaged[2] = b"\n".to_vec();
    let told = breaks(&damaged);
    assert!(matches!(
        told[..],
        [(3, BreakKind::Malformed(_)), (4, BreakKind::Changed)]
    ));
}

proptest! {
    #[test]
    fn any_entry_is_read_back_as_it_was(
        person in ".{0,40}", client in "[ -~]{0,40}", act in "[a-z.]{1,30}",
        purpose in proptest::option::of(".{0,60}"),
        details in proptest::collection::btree_map("[a-z-]{1,12}", ".{0,40}", 0..8),
        seconds in 0_i64..253_402_300_799 - 9 * 3600, sequence in 1_u64..SEQUENCE_MAX,
    ) {
        let one = AuditEntry {
            sequence, person, client, act, purpose, details,
            time: OffsetDateTime::from_unix_timestamp(seconds).unwrap(),
            record: None,
            outcome: Outcome::Denied,
            previous: [3; 32],
        };
        let line = one.to_line().unwrap();
        prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        prop_assert_eq!(AuditEntry::from_line(&line).unwrap(), one);
    }

    #[test]
    fn foreign_lines_never_panic_and_one_flipped_bit_is_found(
        noise in proptest::collection::vec(any::<u8>(), 0..200), place in 0_usize..400, bit in 0_u32..8,
    ) {
        drop(AuditEntry::from_line(&noise));
        let mut lines = trail(3);
        let length = lines[1].len();
        lines[1][place % length] ^= 1 << bit;
        prop_assert!(!breaks(&lines).is_empty());
    }
}
