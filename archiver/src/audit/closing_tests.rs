use std::io::ErrorKind;

use formats::audit::ChainChecker;
use proptest::prelude::*;
use time::Duration;
use time::macros::{date, datetime};

use super::*;
use crate::archive::Access;
use crate::cli::fixture::Bench;
use crate::store::catalog::Query;
use crate::store::durable::faults::{Call, Fault, Outcome as FaultOutcome};

/// 9 o'clock in Japan.
const NOW: OffsetDateTime = datetime!(2026-01-05 00:00 UTC);

fn numbered(times: &[OffsetDateTime]) -> Vec<(u64, OffsetDateTime)> {
    (1..).zip(times.iter().copied()).collect()
}

fn days(
    last: Option<Closing>,
    times: &[OffsetDateTime],
    now: OffsetDateTime,
) -> Vec<(Date, u64, u64)> {
    let due = due(last, &numbered(times), now);
    due.iter()
        .map(|due| (due.day, due.first, due.last))
        .collect()
}

#[test]
fn a_day_is_due_when_it_is_over_in_japan() {
    let times = [
        datetime!(2026-01-05 14:59:59 UTC),
        datetime!(2026-01-05 15:00:00 UTC),
        datetime!(2026-01-08 01:00:00 UTC),
        datetime!(2026-01-09 01:00:00 UTC),
    ];
    assert_eq!(days(None, &times, datetime!(2026-01-05 14:59:59 UTC)), []);
    let first = (date!(2026 - 01 - 05), 1, 1);
    assert_eq!(
        days(None, &times[..1], datetime!(2026-01-05 15:00 UTC)),
        [first]
    );
    let all = [
        first,
        (date!(2026 - 01 - 06), 2, 2),
        (date!(2026 - 01 - 08), 3, 3),
    ];
    assert_eq!(days(None, &times, datetime!(2026-01-09 02:00 UTC)), all);
    let due = due(None, &numbered(&times), datetime!(2026-01-09 02:00 UTC));
    assert_eq!(due[0].before, None);
    assert_eq!(
        due[2].before,
        Some(date!(2026 - 01 - 06)),
        "the 7th had no entries"
    );
    assert_eq!(days(None, &[], NOW), []);
}

#[test]
fn a_clock_that_was_wrong_takes_no_entry_out_of_its_order() {
    let (monday, tuesday) = (
        datetime!(2026-01-05 03:00 UTC),
        datetime!(2026-01-06 03:00 UTC),
    );
    let ahead = datetime!(2031-01-01 00:00 UTC);
    let now = datetime!(2026-01-07 03:00 UTC);
    assert_eq!(
        days(None, &[monday, ahead, monday, tuesday, monday, now], now),
        [(date!(2026 - 01 - 05), 1, 3), (date!(2026 - 01 - 06), 4, 5)]
    );
    // Nothing behind it shows that the clock was wrong: it waits.
    assert_eq!(
        days(None, &[monday, ahead], now),
        [(date!(2026 - 01 - 05), 1, 1)]
    );
    let last = Closing {
        day: date!(2026 - 01 - 06),
        last: 9,
    };
    let late = due(Some(last), &[(10, monday)], now);
    assert_eq!(
        (late[0].day, late[0].before),
        (date!(2026 - 01 - 06), Some(date!(2026 - 01 - 06)))
    );
    assert_eq!(file_name(late[0]), "audit-2026-01-06-10.jsonl");
}

proptest! {
    #[test]
    fn days_that_are_due_hold_each_finished_entry_once(hours in proptest::collection::vec(0_i64..240, 0..40), now in 0_i64..240) {
        let times: Vec<OffsetDateTime> = hours.iter().map(|hours| NOW + Duration::hours(*hours)).collect();
        let now = NOW + Duration::hours(now);
        let due = due(None, &numbered(&times), now);
        let mut next = 1;
        for (place, one) in due.iter().enumerate() {
            prop_assert_eq!(one.first, next);
            prop_assert!(one.first <= one.last && one.day < day_of(now));
            prop_assert!(place == 0 || due[place - 1].day < one.day);
            next = one.last + 1;
        }
        let open = &times[usize::try_from(next - 1).unwrap()..];
        prop_assert!(open.iter().all(|time| day_of(*time) >= day_of(now)));
    }
}

fn write(trail: &AuditTrail, hours: i64) {
    let entry = NewEntry {
        person: "sato".to_owned(),
        client: "192.0.2.7".to_owned(),
        act: Act::RecordRead,
        record: None,
        purpose: None,
        outcome: Outcome::Done,
        details: std::collections::BTreeMap::new(),
        time: NOW + Duration::hours(hours),
    };
    trail.write(entry).unwrap();
}

fn records(archive: &Archive) -> Vec<(String, Vec<u8>)> {
    let hits = archive.catalog().search(&Query::default()).unwrap();
    let mut found: Vec<(String, Vec<u8>)> = hits
        .iter()
        .map(|hit| {
            let mut opened = archive.retriever().open(hit.version).unwrap();
            let name = opened.manifest().objects[0].name.to_string();
            let mut bytes = Vec::new();
            opened.write_object(0, &mut bytes).unwrap();
            (name, bytes)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn finished_days_become_records_once_and_hang_together() {
    let bench = Bench::new();
    let archive = Arc::new(bench.open(Access::Write));
    let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
    for hours in [0, 1, 14, 15, 16, 70] {
        write(&trail, hours);
    }
    let now = NOW + Duration::hours(48);
    let closed = close_days(&archive, &trail, now).unwrap();
    let told: Vec<(u64, u64)> = closed
        .iter()
        .map(|day| (day.due.first, day.due.last))
        .collect();
    assert_eq!(told, [(1, 3), (4, 5)]);
    assert!(close_days(&archive, &trail, now).unwrap().is_empty());
    let found = records(&archive);
    assert_eq!(found[0].0, "audit-2026-01-05.jsonl");
    assert_eq!(found[1].0, "audit-2026-01-06.jsonl");
    let mut checker = ChainChecker::new(Some(ChainPlace::start(bench.config.archive)));
    for (_, bytes) in &found {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            checker.line(line).unwrap();
        }
    }
    assert_eq!(checker.end(), Some(closed[1].end));
    let hit = archive
        .catalog()
        .version(closed[1].version)
        .unwrap()
        .unwrap();
    assert_eq!(hit.metadata.date, Some(date!(2026 - 01 - 06)));
    assert_eq!(hit.metadata.additional["day-before"], "2026-01-05");
    assert_eq!(hit.class, CLASS);
}

#[test]
fn a_closing_that_was_interrupted_makes_no_second_record() {
    let bench = Bench::new();
    for entry_is_lost in [true, false] {
        let archive = Arc::new(bench.open(Access::Write));
        let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
        if entry_is_lost {
            write(&trail, 0);
            let open = since_closing(&archive).unwrap();
            let due = due(None, &open.entries, NOW + Duration::hours(24));
            // What a process does that is killed before it writes that the day is closed.
            deposit(&archive, open.after, due[0]).unwrap();
        } else {
            let closed = close_days(&archive, &trail, NOW + Duration::hours(30)).unwrap();
            assert_eq!(closed.len(), 1);
        }
        assert_eq!(records(&archive).len(), 1);
        trail.close();
        Arc::into_inner(archive).unwrap().close().unwrap();
    }
}

#[test]
fn a_full_medium_leaves_the_day_to_be_closed_later() {
    let bench = Bench::new();
    let archive = Arc::new(bench.open(Access::Write));
    let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
    write(&trail, 0);
    bench.disk.arm(Fault {
        call: Some(Call::Write),
        path: "segments".to_owned(),
        after: 0,
        sticky: true,
        error: ErrorKind::StorageFull,
        outcome: FaultOutcome::Lost,
    });
    let later = NOW + Duration::hours(24);
    assert!(close_days(&archive, &trail, later).is_err());
    bench.disk.heal();
    trail.close();
    drop(Arc::into_inner(archive).unwrap().close());
    let archive = Arc::new(bench.open(Access::Write));
    let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
    assert_eq!(close_days(&archive, &trail, later).unwrap().len(), 1);
    assert_eq!(records(&archive).len(), 1);
    trail.close();
}
