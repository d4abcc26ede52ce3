//! Read errors while a store is opened for writing: nothing that was acknowledged may be cut off for them.

use super::*;
use crate::store::durable::faults::{Call, Fault, Outcome, Unreadable};

const COMMITTED: u32 = 12;

/// Records 0..12 committed one by one, the process killed: nothing says how far to read but the segment itself.
fn committed(replicas: u32) -> Media {
    let mut media = Media::new(replicas);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    for number in 0..COMMITTED {
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
    }
    media.disk.kill();
    drop(store);
    media.disk = FaultyDisk::new();
    media
}

fn all() -> Vec<u32> {
    (0..COMMITTED).collect()
}

/// Places all over the growing segment: within each frame, at the borders of most.
fn places(media: &Media) -> impl Iterator<Item = u64> {
    (0..media.bytes(0, 1).len() as u64).step_by(41)
}

#[test]
fn the_only_medium_is_refused_and_left_as_it_is() {
    let media = committed(1);
    let before = media.bytes(0, 1);
    for boot in [1, 2] {
        for place in places(&media) {
            let fault = Unreadable::new("medium-1/segments/0000000001.seg", place..place + 1);
            let opened = Store::open(&media.directories, ARCHIVE, &media.options(boot));
            let error = opened.expect_err("the bytes cannot be read");
            assert!(
                matches!(&error, StoreError::Io { path, .. } if *path == media.segment(0, 1)),
                "byte {place}: {error:?}"
            );
            drop(fault);
            assert!(media.bytes(0, 1) == before, "byte {place}");
        }
    }
    let (store, report) = media.open(1);
    assert_eq!(report, RecoveryReport::default());
    assert_eq!(records(&store), all());
}

/// One of two media cannot be read at some place. Either the other one makes up for it, or the one is named.
#[test]
fn one_of_two_is_made_up_for_or_named() {
    let base = committed(2);
    let before = base.bytes(0, 1);
    let (mut named, mut repaired) = (0, 0);
    for boot in [1, 2] {
        for place in places(&base) {
            let medium = (place % 2) as usize;
            for other in 0..2 {
                put(&base.segment(other, 1), &before);
            }
            let text = format!("medium-{}/segments/0000000001.seg", medium + 1);
            let fault = Unreadable::new(&text, place..place + 1);
            match Store::open(&base.directories, ARCHIVE, &base.options(boot)) {
                Ok((store, report)) => {
                    repaired += 1;
                    assert_eq!(report.bytes_cut, 0, "byte {place}");
                    drop(fault);
                    assert_eq!(records(&store), all(), "byte {place}");
                }
                Err(StoreError::Io { path, .. }) => {
                    named += 1;
                    assert_eq!(path, base.segment(medium, 1), "byte {place}");
                    assert!(base.bytes(medium, 1) == before, "byte {place}");
                    assert!(base.bytes(1 - medium, 1) == before, "byte {place}");
                }
                Err(error) => panic!("byte {place}: {error}"),
            }
        }
    }
    assert!(named > 0, "{named} named, {repaired} repaired");
}

/// Where one copy is enough, the medium that cannot be read is put out of service, and the archive goes on.
#[test]
fn it_is_put_out_of_service_where_enough_others_remain() {
    let shared = committed(2);
    let before = shared.bytes(0, 1);
    for boot in [1, 2] {
        for place in places(&shared) {
            let mut media = Media::new(2);
            media.copies.min = Some(1);
            put(&media.segment(0, 1), &before);
            put(&media.segment(1, 1), &before);
            let medium = (place % 2) as usize;
            let text = format!("medium-{}/segments/0000000001.seg", medium + 1);
            let fault = Unreadable::new(&text, place..place + 1);
            let (store, report) = media.open(boot);
            drop(fault);
            assert_eq!(records(&store), all(), "byte {place}");
            assert_eq!(report.media.len(), 1, "byte {place}: {report:?}");
            assert_eq!(report.media[0].directory, media.directory(medium));
            assert!(media.bytes(medium, 1) == before, "byte {place}");
            let appender = store.appender().unwrap();
            let address = deposit(&appender, COMMITTED).unwrap();
            appender.commit(address).unwrap();
            store.close().unwrap();
        }
    }
}

/// A reader goes on with what can be read, and says that there is more.
#[test]
fn a_scan_tells_of_what_it_cannot_read() {
    let media = committed(1);
    let store = media.read_only();
    for place in places(&media) {
        let _fault = Unreadable::new("medium-1/segments/0000000001.seg", place..place + 1);
        let scan = store.scan(None, ScanScope::Everything);
        let items: Vec<_> = scan.collect();
        assert!(items.iter().any(Result::is_err), "byte {place}: {items:?}");
    }
}

/// What stands behind a sector that cannot be read is found, up to the last commit mark, on the only medium that there is.
#[test]
fn a_reader_goes_on_behind_a_bad_sector() {
    const PAGE: u64 = 4096;
    let media = Media {
        segment_bytes_max: 1 << 24,
        ..Media::new(1)
    };
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    let mut places = Vec::new();
    // More than is read at once.
    for number in 0..300 {
        let from = appender.append(chunk(number, 5000)).unwrap();
        let address = appender.append(record(number, from)).unwrap();
        appender.commit(address).unwrap();
        places.push((from.offset, address.offset));
    }
    media.disk.kill();
    drop(store);
    let end = media.bytes(0, 1).len() as u64;
    let store = media.read_only();
    for page in [1, 2, 77, 255, 256, 257, 300, end / PAGE - 1, end / PAGE] {
        let range = page * PAGE..(page + 1) * PAGE;
        let _fault = Unreadable::new("medium-1/segments/0000000001.seg", range.clone());
        let items: Vec<_> = store.scan(None, ScanScope::Everything).collect();
        let found = |offset| {
            let is_it = |item: &ScanItem| item.address.offset == offset;
            items.iter().flatten().any(is_it)
        };
        // The frames that reach into the page are gone, and what no commit mark follows.
        let is_last = range.end >= end;
        for &(from, to) in &places {
            let chunk_is_there = to <= range.start || from >= range.end;
            if chunk_is_there && !is_last {
                assert!(found(from), "page {page}: no chunk at {from}");
            }
            if to + 400 <= range.start || to >= range.end {
                assert!(found(to), "page {page}: no record at {to}");
            }
        }
        assert!(items.iter().any(Result::is_err), "page {page}");
    }
}

/// The last commit mark is far behind the fault: the other copy has the frame, and the bytes are written anew.
#[test]
fn a_frame_that_another_copy_has_is_written_anew() {
    let mut media = Media {
        segment_bytes_max: 1 << 24,
        ..Media::new(2)
    };
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    for number in 0..8 {
        let address = appender.append(chunk(number, 300_000)).unwrap();
        appender.commit(address).unwrap();
    }
    media.disk.kill();
    drop(store);
    media.disk = FaultyDisk::new();
    let before = media.bytes(0, 1);
    for medium in 0..2 {
        let text = format!("medium-{}/segments/0000000001.seg", medium + 1);
        for place in [400_000, 900_000, 1_000_000] {
            let fault = Unreadable::new(&text, place..place + 4096);
            let (store, report) = media.open(2);
            drop(fault);
            assert!(report.bytes_repaired >= 300_000, "{report:?}");
            assert_eq!((report.bytes_cut, report.damaged.len()), (0, 0));
            store.close().unwrap();
            for medium in 0..2 {
                let bytes = media.bytes(medium, 1);
                assert!(bytes[..before.len()] == before, "byte {place}");
                // Without it the segment is read from its start again.
                let checkpoint = media.directory(medium).join("segments/growing");
                if checkpoint.exists() {
                    std::fs::remove_file(checkpoint).unwrap();
                }
            }
        }
    }
}

/// Segment 1 sealed on both media, segment 2 growing.
fn sealed() -> Media {
    let media = Media::with_small_segments(2);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    for number in 0.. {
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
        if appender.committed().segment == 2 {
            break;
        }
    }
    store.close().unwrap();
    media
}

#[test]
fn a_seal_that_cannot_be_read_is_left_to_a_scrub() {
    let media = sealed();
    let before = media.bytes(1, 1);
    let end = before.len() as u64;
    let fault = Unreadable::new("medium-2/segments/0000000001.seg", end - 10..end);
    let writes = media
        .disk
        .count(Call::Create, "medium-2/segments/0000000001.seg");
    let (store, report) = media.open(2);
    drop(fault);
    assert_eq!(report.incomplete, [(media.directory(1).to_owned(), 1)]);
    assert_eq!(report.bytes_repaired, 0);
    assert_eq!(
        media
            .disk
            .count(Call::Create, "medium-2/segments/0000000001.seg"),
        writes
    );
    assert!(media.bytes(1, 1) == before);
    assert!(!records(&store).is_empty());
}

#[test]
fn a_damaged_copy_does_not_replace_one_without_its_seal() {
    let media = sealed();
    let before = media.bytes(0, 1);
    let target = before[..before.len() - 30].to_vec();
    put(&media.segment(1, 1), &target);
    flip(&media.segment(0, 1), 2000);
    let (store, report) = media.open(2);
    assert_eq!(report.incomplete, [(media.directory(1).to_owned(), 1)]);
    assert_eq!(report.bytes_repaired, 0);
    assert!(media.bytes(1, 1) == target);
    store.close().unwrap();
    // What the two have between them is whole; where one is whole again, the other one gets it.
    put(&media.segment(0, 1), &before);
    let (store, report) = media.open(2);
    assert_eq!(report.bytes_repaired, before.len() as u64);
    assert!(report.incomplete.is_empty(), "{report:?}");
    assert!(media.bytes(1, 1) == before);
    drop(store);
}

/// The copy is made beside what stands there: an interrupted one changes nothing.
#[test]
fn a_copy_that_fails_leaves_what_was_there() {
    let media = sealed();
    let before = media.bytes(0, 1);
    let target = before[..before.len() - 30].to_vec();
    put(&media.segment(1, 1), &target);
    for call in [Call::Create, Call::Write, Call::Sync, Call::Rename] {
        media.disk.arm(Fault {
            call: Some(call),
            path: "medium-2/segments/0000000001.seg".to_owned(),
            after: 0,
            sticky: false,
            error: std::io::ErrorKind::Other,
            outcome: Outcome::Lost,
        });
        let opened = Store::open(&media.directories, ARCHIVE, &media.options(2));
        assert!(matches!(opened, Err(StoreError::Io { .. })), "{call:?}");
        assert!(media.bytes(1, 1) == target, "{call:?}");
    }
    drop(media.open(2));
    assert!(media.bytes(1, 1) == before);
}

/// A medium that gives back something else than what was written to it is out, as one is that fails.
#[test]
fn a_medium_that_spoils_what_is_written_does_not_stop_the_others() {
    for min in [None, Some(1)] {
        let mut media = sealed();
        media.copies.min = min;
        let before = media.bytes(0, 1);
        let target = before[..before.len() - 30].to_vec();
        put(&media.segment(1, 1), &target);
        media.disk.arm(Fault {
            call: Some(Call::Write),
            path: "medium-2/segments/0000000001.seg".to_owned(),
            after: 0,
            sticky: true,
            error: std::io::ErrorKind::Other,
            outcome: Outcome::Spoilt,
        });
        let opened = Store::open(&media.directories, ARCHIVE, &media.options(2));
        assert!(media.bytes(1, 1) == target);
        if min.is_none() {
            assert!(matches!(opened, Err(StoreError::NotWhole { .. })));
            continue;
        }
        let (store, report) = opened.unwrap();
        assert_eq!(report.media.len(), 1, "{report:?}");
        assert_eq!(report.media[0].directory, media.directory(1));
        assert!(!records(&store).is_empty());
    }
}
