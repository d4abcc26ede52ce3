use std::io::ErrorKind;
use std::sync::Arc;

use formats::audit::{ChainChecker, ChainPlace, Outcome};
use time::OffsetDateTime;
use time::macros::datetime;

use super::*;
use crate::archive::{Access, Archive};
use crate::cli::fixture::Bench;
use crate::event::RecordedEvent;
use crate::store::durable::faults::{Call, Fault, Outcome as FaultOutcome};

/// When the first entry is made. The clock of the archive is the machine's, and never behind it.
const NOW: OffsetDateTime = datetime!(2026-01-05 00:00 UTC);

fn entry(person: &str, act: Act, seconds: i64) -> NewEntry {
    NewEntry {
        person: person.to_owned(),
        client: "192.0.2.7".to_owned(),
        act,
        record: None,
        purpose: None,
        outcome: Outcome::Done,
        details: [("n".to_owned(), seconds.to_string())].into(),
        time: NOW + time::Duration::seconds(seconds),
    }
}

/// The numbers on each page of so many lines.
fn pages(archive: &Archive, filter: &AuditFilter, count_max: usize) -> Vec<Vec<u64>> {
    let (mut pages, mut from) = (Vec::new(), None);
    loop {
        let page = page(archive, filter, from, count_max).unwrap();
        let numbers: Vec<u64> = page.lines.iter().map(|read| read.sequence).collect();
        assert!(numbers.len() <= count_max);
        if !numbers.is_empty() {
            pages.push(numbers);
        }
        match page.next {
            Some(next) => from = Some(next.to_string().parse().unwrap()),
            None => return pages,
        }
    }
}

/// All lines, checked from the first entry of the archive on.
fn checked(archive: &Archive) -> Vec<formats::audit::AuditEntry> {
    let mut checker = ChainChecker::new(Some(ChainPlace::start(archive.config().archive)));
    let mut entries = Vec::new();
    for_each_line(archive, &AuditFilter::default(), &mut |read| {
        entries.push(checker.line(&read.line).unwrap());
        true
    })
    .unwrap();
    entries
}

fn close(trail: AuditTrail, archive: Arc<Archive>) {
    trail.close();
    Arc::into_inner(archive).unwrap().close().unwrap();
}

#[test]
fn entries_of_many_hang_together_also_over_openings() {
    let bench = Bench::new();
    for opening in 0..3 {
        let archive = Arc::new(bench.open(Access::Write));
        let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
        std::thread::scope(|scope| {
            for person in ["sato", "suzuki", "tanaka", "kato"] {
                let trail = &trail;
                scope.spawn(move || {
                    for number in 0..25 {
                        trail.write(entry(person, Act::RecordRead, number)).unwrap();
                    }
                });
            }
        });
        let entries = checked(&archive);
        assert_eq!(entries.len(), (opening + 1) * 100);
        close(trail, archive);
    }
    let archive = bench.open(Access::Read);
    assert_eq!(checked(&archive).len(), 300);
    archive.close().unwrap();
}

#[test]
fn a_trail_that_cannot_be_written_refuses_everything_and_goes_on_without_a_gap_when_it_can() {
    let bench = Bench::new();
    let archive = Arc::new(bench.open(Access::Write));
    let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
    assert_eq!(trail.write(entry("sato", Act::SessionBegin, 0)), Ok(1));
    bench.disk.arm(Fault {
        call: Some(Call::Write),
        path: "segments".to_owned(),
        after: 0,
        sticky: true,
        error: ErrorKind::StorageFull,
        outcome: FaultOutcome::Lost,
    });
    let refused = trail.write(entry("sato", Act::RecordRead, 1));
    assert!(
        matches!(refused, Err(AuditError::Stopped(_))),
        "{refused:?}"
    );
    assert!(trail.is_broken().is_some());
    bench.disk.heal();
    // Room again is not enough: what became of the entry is known at the next opening.
    assert!(trail.write(entry("sato", Act::RecordRead, 2)).is_err());
    trail.close();
    drop(Arc::into_inner(archive).unwrap().close());

    let archive = Arc::new(bench.open(Access::Write));
    let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
    trail.write(entry("suzuki", Act::RecordRead, 3)).unwrap();
    let entries = checked(&archive);
    let first = entries.first().unwrap();
    let last = entries.last().unwrap();
    assert_eq!(
        (first.person.as_str(), last.person.as_str()),
        ("sato", "suzuki")
    );
    assert_eq!(last.sequence, entries.len() as u64);
    close(trail, archive);
}

#[test]
fn an_entry_that_is_no_line_is_refused_alone() {
    let bench = Bench::new();
    let archive = Arc::new(bench.open(Access::Write));
    let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
    let mut long = entry("sato", Act::RecordRead, 0);
    long.purpose = Some("x".repeat(formats::audit::ENTRY_BYTES_MAX));
    assert!(matches!(trail.write(long), Err(AuditError::Entry(_))));
    assert_eq!(trail.is_broken(), None);
    assert_eq!(trail.write(entry("sato", Act::RecordRead, 1)), Ok(1));
    close(trail, archive);
}

#[test]
fn a_filter_takes_what_it_names_and_pages_go_backwards() {
    let bench = Bench::new();
    let archive = Arc::new(bench.open(Access::Write));
    let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
    for number in 0..20 {
        let person = if number % 2 == 0 { "sato" } else { "suzuki" };
        let act = if number < 10 {
            Act::RecordRead
        } else {
            Act::SessionBegin
        };
        trail.write(entry(person, act, number)).unwrap();
    }
    let filter = AuditFilter {
        person: Some("sato".to_owned()),
        act: Some("record.".to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(
        pages(&archive, &filter, 2),
        [vec![9, 7], vec![5, 3], vec![1]]
    );
    assert_eq!(
        pages(&archive, &AuditFilter::default(), 7).concat(),
        (1..=20).rev().collect::<Vec<u64>>()
    );
    let now = NOW;
    for (filter, first) in [
        (
            AuditFilter {
                from: Some(now + time::Duration::hours(1)),
                ..AuditFilter::default()
            },
            None,
        ),
        (
            AuditFilter {
                to: Some(now - time::Duration::hours(1)),
                ..AuditFilter::default()
            },
            None,
        ),
        (
            AuditFilter {
                outcome: Some(Outcome::Denied),
                ..AuditFilter::default()
            },
            None,
        ),
        (
            AuditFilter {
                record: Some("0192".to_owned()),
                ..AuditFilter::default()
            },
            None,
        ),
        (
            AuditFilter {
                from: Some(now - time::Duration::hours(1)),
                to: Some(now + time::Duration::hours(1)),
                ..AuditFilter::default()
            },
            Some(20),
        ),
    ] {
        let found = page(&archive, &filter, None, 9).unwrap().lines;
        assert_eq!(found.first().map(|read| read.sequence), first, "{filter:?}");
    }
    close(trail, archive);
}

/// Writes until a fault at the call with this number ends everything, as a kill does, and opens the archive again. `false`: it came too late.
fn killed_at(call: usize, outcome: FaultOutcome, is_power_loss: bool) -> bool {
    let mut bench = Bench::new();
    let archive = Arc::new(bench.open(Access::Write));
    let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
    trail.write(entry("sato", Act::SessionBegin, 0)).unwrap();
    for (after, sticky, outcome) in [(call, false, outcome), (call + 1, true, FaultOutcome::Lost)] {
        bench.disk.arm(Fault {
            call: None,
            path: "segments".to_owned(),
            after,
            sticky,
            error: ErrorKind::Other,
            outcome,
        });
    }
    let mut acknowledged = 1;
    while acknowledged < 4 && trail.write(entry("sato", Act::RecordRead, 1)).is_ok() {
        acknowledged += 1;
    }
    let is_killed = trail.is_broken().is_some();
    drop(trail);
    drop(archive);
    if is_power_loss {
        bench.session.environment.boot_id = [6; 16];
        bench.disk.power_cut(call as u64);
    }
    bench.disk.heal();

    let archive = Arc::new(bench.open(Access::Write));
    let told = format!("{outcome:?} at call {call}, power loss: {is_power_loss}");
    let found = checked(&archive).len();
    assert!(
        found == acknowledged || found == acknowledged + 1,
        "{told}: {found}"
    );
    let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
    let next = trail.write(entry("suzuki", Act::RecordRead, 2));
    assert_eq!(next, Ok(found as u64 + 1), "{told}");
    assert_eq!(checked(&archive).len(), found + 1, "{told}");
    close(trail, archive);
    is_killed
}

#[test]
fn a_trail_that_is_killed_between_append_and_commit_goes_on_without_gap_or_repeat() {
    for (outcome, is_power_loss) in [
        (FaultOutcome::Lost, false),
        (FaultOutcome::Done, true),
        (FaultOutcome::Torn(40), true),
    ] {
        let killed = (0..8).take_while(|call| killed_at(*call, outcome, is_power_loss));
        assert!(
            killed.count() > 3,
            "an entry takes a write and a sync at least"
        );
    }
}

#[test]
fn an_archive_that_is_open_for_reading_has_no_trail_to_write() {
    let bench = Bench::new();
    let archive = Arc::new(bench.open(Access::Write));
    let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
    trail.write(entry("sato", Act::SessionBegin, 0)).unwrap();
    close(trail, archive);
    let archive = Arc::new(bench.open(Access::Read));
    assert!(AuditTrail::open(Arc::clone(&archive)).is_err());
    assert_eq!(checked(&archive).len(), 1);
}

#[test]
fn a_large_group_is_more_than_one_event() {
    let bench = Bench::new();
    let archive = Arc::new(bench.open(Access::Write));
    let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                let mut long = entry("sato", Act::RecordRead, 0);
                long.purpose = Some("x".repeat(60_000));
                trail.write(long).unwrap();
            });
        }
    });
    assert_eq!(checked(&archive).len(), 24);
    let mut largest = 0;
    let each = &mut |event: RecordedEvent| {
        let lines = event.as_::<AuditLines>().unwrap().lines;
        largest = largest.max(lines.iter().map(String::len).sum());
        true
    };
    let topic = Topic::Audit;
    archive.catalog().events(topic, each).unwrap();
    assert!(
        largest < 256 * 1024 + formats::audit::ENTRY_BYTES_MAX,
        "{largest}"
    );
    close(trail, archive);
}

#[test]
fn a_text_that_is_no_cursor_is_refused() {
    for text in ["", "7", "x.1", ".x", "0192.1", "..1"] {
        assert_eq!(text.parse::<PageCursor>(), Err(BadCursor), "{text}");
    }
}
