//! A medium that was written elsewhere, and media that only look so.

#![allow(
    clippy::disallowed_methods,
    reason = "a test puts media in order by hand"
)]

use std::io;

use formats::roster::OutCause;
use formats::segment::CommitMark;

use super::compacting::{archive, compact, odd};
use super::replicas::{add, failing, upto};
use super::returning::{Files, copy_to, files, filled, restore};
use super::*;
use crate::store::durable::faults::Call;

/// Two media of one history, and what medium 2 has when it is written apart from there; the archive is some segments further.
fn parted(from: u32, elsewhere: u32) -> (Media, Files) {
    let media = filled(2, 30);
    let early: Vec<Files> = media.directories.iter().map(|one| files(one)).collect();
    let (store, _) = media.open(2);
    add(&store, elsewhere);
    store.close().unwrap();
    let other = files(&media.directories[1]);
    assert_eq!(early[1].len(), other.len(), "the same segment grows");
    for (directory, early) in media.directories.iter().zip(&early) {
        restore(directory, early);
    }
    let begun = newest(&media);
    let (store, _) = media.open(3);
    for number in from.. {
        add(&store, number);
        if store.appender().unwrap().committed().segment > begun {
            break;
        }
    }
    store.close().unwrap();
    assert_eq!(newest(&media), begun + 1);
    (media, other)
}

fn newest(media: &Media) -> u32 {
    *media.read_only().segments().unwrap().last().unwrap()
}

#[test]
fn one_segment_back_nothing_is_overwritten_either() {
    // A commit at the same place, and one at another.
    for (from, elsewhere) in [(130, 230), (130, 171)] {
        let (mut media, other) = parted(from, elsewhere);
        restore(&media.directories[1], &other);
        let error = Store::open(&media.directories, ARCHIVE, &media.options(1)).unwrap_err();
        assert!(error.to_string().contains("written elsewhere"), "{error}");
        assert!(files(&media.directories[1]) == other);
        media.copies.min = Some(1);
        let (store, report) = media.open(1);
        assert_eq!(report.media.len(), 1, "{report:?}");
        assert_eq!(report.media[0].kind, MediumProblemKind::Diverged);
        let causes = store.replicas().into_iter().map(|one| match one.state {
            ReplicaCondition::InService => None,
            ReplicaCondition::OutOfService(out) => Some(out.cause),
        });
        assert_eq!(causes.collect::<Vec<_>>(), [None, Some(OutCause::Diverged)]);
        store.close().unwrap();
        assert!(files(&media.directories[1]) == other);
    }
}

/// Writes the last commit mark of a segment file as recovery after a power loss would.
fn rewrite_mark(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let place = bytes.len() - CommitMark::FRAME_BYTES;
    let Ok(Frame::CommitMark(mut mark)) = Frame::parse(&bytes[place..]) else {
        panic!("a mark is the last frame");
    };
    mark.boot = [9; 16];
    mark.replicas = 1;
    mark.time += time::Duration::HOUR;
    let mark = Frame::CommitMark(mark).encode().unwrap().into_bytes();
    bytes.splice(place.., mark);
    put(path, &bytes);
}

/// One medium lost its last mark and got another one, while the other medium was away with the first.
#[test]
fn a_mark_that_recovery_wrote_again_is_no_other_history() {
    for further in [0, 3, 60] {
        let media = filled(2, 30);
        let last = newest(&media);
        let away = files(&media.directories[1]);
        for medium in 0..2 {
            rewrite_mark(&media.segment(medium, last));
        }
        let (store, _) = media.open(2);
        (30..30 + further).for_each(|number| add(&store, number));
        store.close().unwrap();
        let whole = files(&media.directories[0]);
        if further == 60 {
            // Out of service, it comes back.
            restore(&media.directories[1], &away);
            assert_eq!(
                copy_to(&media, &media.directories[1]).unwrap().damaged,
                [0; 0]
            );
            // In service, it is at most one segment behind.
            let next = media.segment(0, last + 2);
            let further = whole.keys().filter(|path| **path >= next);
            for path in further.filter(|path| path.extension().is_some()) {
                std::fs::remove_file(path).unwrap();
            }
        }
        restore(&media.directories[1], &away);
        let (store, report) = media.open(3);
        assert!(report.media.is_empty(), "{further}: {report:?}");
        let found = records(&store);
        assert!(found.starts_with(&upto(30 + further.min(3))), "{found:?}");
        store.close().unwrap();
        media.assert_replicas_equal();
    }
}

/// What is damaged in the archive is no sign that another medium was written elsewhere.
#[test]
fn damage_in_the_archive_is_no_other_history() {
    for damage in 0..5 {
        let media = filled(2, 100);
        let whole = media.bytes(0, 3);
        assert!(newest(&media) > 4);
        for path in files(&media.directories[1]).keys() {
            if *path >= media.segment(1, 4) {
                std::fs::remove_file(path).unwrap();
            }
        }
        let source = media.segment(0, 3);
        let zeros = |from: usize| [&whole[..from], &vec![0; whole.len() - from]].concat();
        match damage {
            0 => std::fs::remove_file(&source).unwrap(),
            1 => put(&source, &whole[..whole.len() / 2]),
            2 => put(&source, &zeros(whole.len() / 2)),
            3 => put(&source, &zeros(0)),
            _ => put(&source, b""),
        }
        let report = copy_to(&media, &media.directories[1]);
        let report = report.unwrap_or_else(|error| panic!("{damage}: {error}"));
        assert_eq!(report.damaged, [0; 0], "{damage}");
        assert!(media.bytes(1, 3) == whole, "{damage}");
    }
}

#[test]
fn the_segment_in_which_a_medium_left_is_not_given_up() {
    let mut media = Media::with_small_segments(2);
    media.copies.min = Some(1);
    let (store, _) = media.open(1);
    (0..30).for_each(|number| add(&store, number));
    let left = store.appender().unwrap().committed().segment;
    let fault = failing(Call::Sync, "medium-2", io::ErrorKind::Other);
    media.disk.arm(fault);
    (30..100).for_each(|number| add(&store, number));
    media.disk.heal();
    store.close().unwrap();
    let whole = media.bytes(0, left);
    let (store, _) = media.open(1);
    assert!(store.appender().unwrap().committed().segment > left);
    flip(&media.segment(0, left), 8 * 900);
    let error = store.dismiss(label(2).medium).unwrap_err();
    assert!(
        matches!(error, StoreError::OnlyCopy { segment, .. } if segment == left),
        "{error}"
    );
    put(&media.segment(0, left), &whole);
    store.dismiss(label(2).medium).unwrap();
}

/// Copies of one segment that were compacted apart dropped other frames; the archive's count.
#[test]
fn copies_that_were_compacted_apart_are_of_one_history() {
    let media = archive(2);
    let early: Vec<Files> = media.directories.iter().map(|one| files(one)).collect();
    let (store, _) = media.open(1);
    compact(&store, &|version| !odd(version)).unwrap();
    store.close().unwrap();
    let other = files(&media.directories[1]);
    for (directory, early) in media.directories.iter().zip(&early) {
        restore(directory, early);
    }
    let (store, _) = media.open(1);
    compact(&store, &odd).unwrap();
    store.close().unwrap();
    restore(&media.directories[1], &other);
    assert!(media.bytes(0, 2) != media.bytes(1, 2));
    assert_eq!(
        copy_to(&media, &media.directories[1]).unwrap().damaged,
        [0; 0]
    );
    media.assert_replicas_equal();
}
