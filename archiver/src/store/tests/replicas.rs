//! One medium fails, is away, comes back, is another one than it should be.

#![allow(
    clippy::disallowed_methods,
    reason = "a test moves media away and back"
)]

use std::io;

use formats::roster::{OutCause, ROSTER_FILE, Roster};

use super::*;
use crate::store::durable::faults::{Call, Fault, Outcome, Random};

/// An archive of so many media that goes on with one, and notes it in a place apart from them.
fn tolerant(replicas: u32) -> Media {
    let mut media = Media::new(replicas);
    media.copies = CopyPolicy {
        min: Some(1),
        note: Some(media.root().join("keys-replicas.json")),
    };
    media
}

pub(super) fn failing(call: Call, path: &str, error: io::ErrorKind) -> Fault {
    Fault {
        call: Some(call),
        path: path.to_owned(),
        after: 0,
        sticky: true,
        error,
        outcome: Outcome::Lost,
    }
}

pub(super) fn add(store: &Store, number: u32) {
    let appender = store.appender().unwrap();
    let address = deposit(&appender, number).unwrap();
    appender.commit(address).unwrap();
}

fn out(store: &Store) -> Vec<(u8, OutCause)> {
    let states = store.replicas().into_iter();
    states
        .filter_map(|replica| match replica.state {
            ReplicaCondition::InService => None,
            ReplicaCondition::OutOfService(out) => Some((replica.medium.as_bytes()[0], out.cause)),
        })
        .collect()
}

#[test]
fn a_failing_medium_leaves_and_the_archive_goes_on() {
    for (call, error, cause) in [
        (Call::Write, io::ErrorKind::StorageFull, OutCause::Full),
        (Call::Write, io::ErrorKind::Other, OutCause::Failed),
        (Call::Sync, io::ErrorKind::Other, OutCause::Failed),
        (
            Call::Write,
            io::ErrorKind::ReadOnlyFilesystem,
            OutCause::ReadOnly,
        ),
    ] {
        for medium in [1_u8, 2] {
            let media = tolerant(2);
            let (store, _) = media.open(1);
            add(&store, 0);
            let name = format!("medium-{medium}");
            media.disk.arm(failing(call, &name, error));
            add(&store, 1);
            assert_eq!(out(&store), [(medium, cause)], "{call:?} on {name}");
            let before = media.disk.count(call, &name);
            add(&store, 2);
            assert_eq!(media.disk.count(call, &name), before, "it is never retried");
            assert_eq!(records(&store), upto(3));
            let watch = store.watch();
            store.close().unwrap();
            assert_eq!(watch.lost().len(), 1);
            // The medium works again; it stays out of service until it was brought up to date.
            media.disk.heal();
            let (store, report) = media.open(2);
            assert_eq!(out(&store), [(medium, cause)]);
            assert_eq!(report.media.len(), 1);
            assert_eq!(records(&store), upto(3));
            add(&store, 3);
            store
                .admit(&media.directories[medium as usize - 1])
                .unwrap();
            assert!(out(&store).is_empty());
            add(&store, 4);
            assert_eq!(records(&store), upto(5));
            store.close().unwrap();
            media.assert_replicas_equal();
        }
    }
}

#[test]
fn without_leave_a_failing_medium_stops_the_writer() {
    let mut media = tolerant(2);
    media.copies.min = None;
    let (store, _) = media.open(1);
    media
        .disk
        .arm(failing(Call::Sync, "medium-2", io::ErrorKind::Other));
    let appender = store.appender().unwrap();
    let address = deposit(&appender, 0).unwrap();
    assert!(appender.commit(address).is_err());
    assert!(out(&store).is_empty());
}

/// The place apart from the media cannot be written: nobody would know that the other medium is behind.
#[test]
fn nothing_is_acknowledged_that_a_stale_medium_could_take_back() {
    let media = tolerant(2);
    let (store, _) = media.open(1);
    add(&store, 0);
    media
        .disk
        .arm(failing(Call::Sync, "medium-2", io::ErrorKind::Other));
    media
        .disk
        .arm(failing(Call::Write, "keys-replicas", io::ErrorKind::Other));
    let appender = store.appender().unwrap();
    let address = deposit(&appender, 1).unwrap();
    assert!(appender.commit(address).is_err());
    drop(store);
    media.disk.heal();
    assert_eq!(records(&media.open(1).0), [0]);
}

/// Both replicas fail one after the other: the second failure stops the writer.
#[test]
fn the_last_medium_is_never_given_up() {
    let media = tolerant(2);
    let (store, _) = media.open(1);
    add(&store, 0);
    media
        .disk
        .arm(failing(Call::Sync, "medium-1", io::ErrorKind::Other));
    add(&store, 1);
    media
        .disk
        .arm(failing(Call::Sync, "medium-2", io::ErrorKind::Other));
    let appender = store.appender().unwrap();
    let address = deposit(&appender, 2).unwrap();
    assert!(appender.commit(address).is_err());
    drop(store);
    media.disk.heal();
    let (store, _) = media.open(1);
    assert_eq!(records(&store), upto(2));
    assert_eq!(out(&store).len(), 1);
}

#[test]
fn an_absent_medium_is_left_out_only_with_leave() {
    let mut media = tolerant(2);
    media.open(1).0.close().unwrap();
    let away = media.root().join("away");
    std::fs::rename(&media.directories[1], &away).unwrap();
    media.copies.min = None;
    let error = Store::open(&media.directories, ARCHIVE, &media.options(1)).unwrap_err();
    assert!(matches!(error, StoreError::MediumMissing { .. }));
    media.copies.min = Some(1);
    let (store, report) = media.open(1);
    assert_eq!(out(&store), [(2, OutCause::Absent)]);
    assert_eq!(report.absent, [media.directories[1].clone()]);
    add(&store, 0);
    store.close().unwrap();

    // It comes back, alone: what was committed without it is known, so it does not pass for the archive.
    std::fs::rename(&away, &media.directories[1]).unwrap();
    let other = media.root().join("other");
    std::fs::rename(&media.directories[0], &other).unwrap();
    let error = Store::open(&media.directories, ARCHIVE, &media.options(1)).unwrap_err();
    assert!(matches!(error, StoreError::MediumMissing { .. }), "{error}");
    // For reading it is better than nothing.
    assert!(records(&media.read_only()).is_empty());
    std::fs::rename(&other, &media.directories[0]).unwrap();
    let (store, _) = media.open(1);
    assert_eq!(records(&store), [0]);
    store.admit(&media.directories[1]).unwrap();
    store.close().unwrap();
    media.assert_replicas_equal();
}

/// A stale medium holds frames that nobody committed, where the others hold frames that were acknowledged. It comes first in the
/// configuration, and comes back after a kill and after a power cut.
#[test]
fn frames_of_a_stale_medium_never_replace_acknowledged_ones() {
    for boot in [1, 2] {
        for with_note in [true, false] {
            let media = tolerant(2);
            let (store, _) = media.open(1);
            add(&store, 0);
            // Medium 1 gets the frames of record 50 and fails before they are synchronised.
            media
                .disk
                .arm(failing(Call::Sync, "medium-1", io::ErrorKind::Other));
            add(&store, 1);
            add(&store, 2);
            drop(store);
            media.disk.heal();
            // Bytes of another deposit stand where record 1 stands on the other medium.
            let strange = {
                let other = tolerant(1);
                let (store, _) = other.open(1);
                add(&store, 0);
                add(&store, 50);
                store.close().unwrap();
                other.bytes(0, 1)
            };
            let committed = media.bytes(1, 1);
            let start = media.bytes(0, 1).len().min(strange.len());
            let own = media.bytes(0, 1);
            let common = own
                .iter()
                .zip(&committed)
                .take_while(|(a, b)| a == b)
                .count();
            let mut bytes = own[..common].to_vec();
            bytes.extend(&strange[common.min(start)..]);
            put(&media.segment(0, 1), &bytes);
            if !with_note {
                std::fs::remove_file(media.root().join("keys-replicas.json")).unwrap();
            }
            let (store, _) = media.open(boot);
            assert_eq!(records(&store), upto(3), "boot {boot}, note {with_note}");
            assert_eq!(media.bytes(1, 1)[..committed.len()], committed);
        }
    }
}

/// An old image of a medium says that it is in service. It does not overwrite what came later.
#[test]
fn an_old_image_is_brought_up_to_date_and_never_wins() {
    let mut media = Media::new(2);
    let (store, _) = media.open(1);
    add(&store, 0);
    // The image holds the frames of a deposit that was never committed.
    let appender = store.appender().unwrap();
    deposit(&appender, 70).unwrap();
    drop(store);
    let image = media.bytes(0, 1);
    let (store, _) = media.open(1);
    for number in 1..6 {
        add(&store, number);
    }
    store.close().unwrap();
    let right = media.bytes(1, 1);
    for extra in [0, 300, 3000] {
        for boot in [1, 2] {
            let mut old = image.clone();
            old.extend(right.iter().take(extra).rev());
            put(&media.segment(0, 1), &old);
            let (store, report) = media.open(boot);
            assert!(report.bytes_repaired > 0);
            assert_eq!(records(&store), upto(6));
            store.close().unwrap();
            media.assert_replicas_equal();
        }
    }
    media.copies.min = Some(1);
}

#[test]
fn an_image_that_is_behind_by_segments_is_named() {
    let mut media = Media::with_small_segments(2);
    let image = media.bytes(0, 1);
    let (store, _) = media.open(1);
    for number in 0..120 {
        add(&store, number);
    }
    assert!(store.appender().unwrap().committed().segment > 3);
    store.close().unwrap();
    for segment in media.read_only().segments().unwrap() {
        std::fs::remove_file(media.segment(0, segment)).unwrap();
    }
    put(&media.segment(0, 1), &image);
    let error = Store::open(&media.directories, ARCHIVE, &media.options(1)).unwrap_err();
    assert!(error.to_string().contains("old copy"), "{error}");
    assert!(error.to_string().contains("medium-1"), "{error}");
    let disk: Arc<dyn Disk> = media.disk.clone();
    let copied = copy_sealed(
        &media.directories,
        ARCHIVE,
        &media.copies,
        &disk,
        &media.directories[0],
        &mut |_| (),
    )
    .unwrap();
    assert!(copied.progress.segments >= 3 && copied.damaged.is_empty());
    media.copies.min = None;
    let (store, _) = media.open(1);
    assert_eq!(records(&store), upto(120));
    store.close().unwrap();
    media.assert_replicas_equal();
}

#[test]
fn a_medium_that_was_written_elsewhere_is_left_alone() {
    let media = tolerant(2);
    let (store, _) = media.open(1);
    add(&store, 0);
    store.close().unwrap();
    let elsewhere = {
        let (store, _) = media.open(1);
        add(&store, 80);
        store.close().unwrap();
        media.bytes(0, 1)
    };
    // The same medium, in another history.
    let bytes = media.bytes(1, 1);
    let before = bytes.len() - 500;
    for medium in 0..2 {
        let cut = media.bytes(medium, 1);
        put(&media.segment(medium, 1), &cut[..before]);
    }
    let (store, _) = media.open(1);
    for number in 1..4 {
        add(&store, number);
    }
    store.close().unwrap();
    put(&media.segment(0, 1), &elsewhere);
    let (store, _) = media.open(1);
    assert_eq!(out(&store), [(1, OutCause::Diverged)]);
    store.close().unwrap();
    let (store, report) = media.open(1);
    let text = report.media[0].to_string();
    assert!(text.contains("keep it"), "{text}");
    assert!(!text.contains("media return"), "{text}");
    let error = store.admit(&media.directories[0]).unwrap_err();
    assert!(error.to_string().contains("written elsewhere"), "{error}");
    assert!(media.bytes(0, 1) == elsewhere);
    assert!(records(&store).contains(&3));
    drop(store);
}

/// What makes a label wrong.
type Wrong = dyn Fn(&mut MediumLabel);

#[test]
fn wrong_media_are_named() {
    let mut media = tolerant(2);
    media.open(1).0.close().unwrap();
    let label_of = |medium: usize, change: &Wrong| {
        let mut label = label(medium as u32 + 1);
        change(&mut label);
        write_label(media.disk.as_ref(), &media.directories[medium], &label).unwrap();
    };
    let cases: [(&str, &Wrong); 4] = [
        ("another archive", &|label| {
            label.archive = ArchiveId::from_bytes([9; 16]);
        }),
        ("no data medium", &|label| label.role = MediumRole::Keys),
        ("not one of this archive's media", &|label| {
            label.medium = MediumId::from_bytes([77; 16]);
        }),
        ("already given", &|label| {
            label.medium = MediumId::from_bytes([1; 16]);
        }),
    ];
    for (text, change) in cases {
        label_of(1, change);
        let mut strict = media.options(1);
        strict.copies.min = None;
        let error = Store::open(&media.directories, ARCHIVE, &strict).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        assert!(error.to_string().contains("medium-2"), "{error}");
    }
    std::fs::remove_file(media.directories[1].join("MEDIUM.json")).unwrap();
    put(&media.directories[1].join("MEDIUM.json"), b"{}");
    media.copies.min = None;
    let error = Store::open(&media.directories, ARCHIVE, &media.options(1)).unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
}

#[test]
fn a_read_only_medium_is_named() {
    let media = tolerant(2);
    media.open(1).0.close().unwrap();
    media.disk.arm(failing(
        Call::Open,
        "medium-2",
        io::ErrorKind::ReadOnlyFilesystem,
    ));
    let (store, report) = media.open(1);
    assert_eq!(out(&store), [(2, OutCause::ReadOnly)]);
    assert!(
        report.media[0].to_string().contains("only be read"),
        "{:?}",
        report.media
    );
    add(&store, 0);
    drop(store);
    let mut strict = media.options(1);
    strict.copies.min = None;
    let error = Store::open(&media.directories, ARCHIVE, &strict).unwrap_err();
    assert!(matches!(error, StoreError::MediumUnusable { .. }));
}

/// Power cuts while one of two media fails and comes back: what was acknowledged is there.
#[test]
fn power_cuts_with_a_failing_medium_lose_nothing() {
    for seed in 0..60 {
        let mut media = tolerant(2);
        media.segment_bytes_max = 4096;
        let (store, _) = media.open(1);
        let mut random = Random(seed);
        let medium = 1 + random.below(2);
        media.disk.arm(Fault {
            after: random.below(60) as usize,
            call: None,
            ..failing(
                Call::Write,
                &format!("medium-{medium}"),
                io::ErrorKind::Other,
            )
        });
        let appender = store.appender().unwrap();
        let mut acknowledged = 0;
        for number in 0..random.below(60) as u32 {
            let Ok(address) = deposit(&appender, number) else {
                break;
            };
            if random.below(3) > 0 {
                if appender.commit(address).is_err() {
                    break;
                }
                acknowledged = number + 1;
            }
        }
        media.disk.kill();
        drop(store);
        media.disk.power_cut(seed);
        media.disk = FaultyDisk::new();
        let (store, report) = media.open(2);
        let found = records(&store);
        assert_eq!(found, upto(found.len() as u32), "seed {seed}");
        assert!(
            found.len() as u32 >= acknowledged,
            "seed {seed}: {report:?}"
        );
        for state in store.replicas() {
            if !state.state.is_in_service() {
                store.admit(&state.directory.unwrap()).unwrap();
            }
        }
        add(&store, found.len() as u32);
        store.close().unwrap();
        media.assert_replicas_equal();
    }
}

#[test]
fn each_medium_says_which_media_there_are() {
    let media = tolerant(2);
    media.open(1).0.close().unwrap();
    let places = [
        media.directories[0].join(ROSTER_FILE),
        media.directories[1].join(ROSTER_FILE),
        media.root().join("keys-replicas.json"),
    ];
    let texts = places.map(|place| std::fs::read(place).unwrap());
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[0], texts[2]);
    let roster = Roster::parse(&texts[0]).unwrap();
    assert_eq!(roster.in_service().count(), 2);
    // Opening again changes nothing.
    media.open(1).0.close().unwrap();
    assert_eq!(
        std::fs::read(media.directories[0].join(ROSTER_FILE)).unwrap(),
        texts[0]
    );
}

pub(super) fn upto(end: u32) -> Vec<u32> {
    (0..end).collect()
}
