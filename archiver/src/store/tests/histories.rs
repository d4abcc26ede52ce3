//! A medium that was written elsewhere, and media that only look so.

#![allow(
    clippy::disallowed_methods,
    reason = "a test puts media in order by hand"
)]

use std::io;

use formats::roster::OutCause;
use formats::segment::{CommitMark, FrameHeader};

use super::compacting::{archive, compact, odd};
use super::replicas::{add, failing, upto};
use super::returning::{Files, copy_to, files, filled, restore};
use super::*;
use crate::store::durable::faults::{Call, Unreadable};
use crate::store::walk::Copy;

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

/// The frames before two marks that differ tell. What one source does not give back of them another one does; where none does, nobody knows.
#[test]
fn frames_that_cannot_be_read_are_asked_of_another_source() {
    let media = filled(3, 30);
    let last = newest(&media);
    let away = files(&media.directories[2]);
    let bytes = media.bytes(2, last);
    for medium in 0..2 {
        rewrite_mark(&media.segment(medium, last));
    }
    let (store, _) = media.open(2);
    (30..33).for_each(|number| add(&store, number));
    store.close().unwrap();
    restore(&media.directories[2], &away);
    let [.., frame, mark, _] = frame_ends(&bytes)[..] else {
        panic!("frames and a mark");
    };
    let within = frame as u64 + 20..mark as u64 - 1;
    let fault = |medium: usize| {
        let path = media.segment(medium, last);
        Unreadable::new(&path.to_string_lossy(), within.clone())
    };
    let target = &media.directories[2];
    for media_that_fail in [&[][..], &[0], &[1], &[0, 1], &[2]] {
        let faults: Vec<_> = media_that_fail.iter().map(|&one| fault(one)).collect();
        let copied = copy_to(&media, target);
        drop(faults);
        let named = match (media_that_fail, copied) {
            ([] | [0] | [1], copied) => {
                assert_eq!(copied.unwrap().damaged, [0; 0], "{media_that_fail:?}");
                continue;
            }
            (_, Err(StoreError::Io { path, .. })) => path,
            (_, other) => panic!("{media_that_fail:?}: {other:?}"),
        };
        let medium = media_that_fail.last().unwrap();
        assert_eq!(named, media.segment(*medium, last));
        assert!(files(target) == away, "{media_that_fail:?}");
    }
}

/// Where a compacted copy lacks frames, the marks between them are found all the same, from the last one on backwards.
#[test]
fn all_marks_of_a_compacted_copy_are_found() {
    let media = archive(1);
    let marks = |segment| {
        let file = std::fs::File::open(media.segment(0, segment)).unwrap();
        let mut copy = Copy::new(file).unwrap();
        let (mut marks, mut end) = (Vec::new(), u64::MAX);
        while let Some(mark) = copy.mark_before(segment, end).unwrap() {
            marks.push(mark);
            end = mark;
        }
        (copy.generation(), marks)
    };
    let (generation, before) = marks(2);
    assert_eq!(generation, 0);
    assert!(before.len() > 5, "{before:?}");
    let (store, _) = media.open(1);
    compact(&store, &odd).unwrap();
    store.close().unwrap();
    assert_eq!(marks(2), (1, before));
}

/// A segment is sealed behind a mark of its own, which commits nothing where the one before did all. A power loss took it and what follows from one
/// medium, and let them be on the other, which was away when the archive went on.
#[test]
fn a_mark_that_commits_nothing_is_no_other_history() {
    // What is committed later, and how much of the seal the other medium has; only out of service it may have all of it.
    for (further, seals) in [(0, 0), (1, 0), (1, 1), (60, 0), (60, 2)] {
        let media = Media::with_small_segments(2);
        let (store, _) = media.open(1);
        commit_chunks(&store, 0, 3);
        store.close().unwrap();
        let whole = media.bytes(1, 2);
        let ends = frame_ends(&whole);
        let [.., record, before, last, index, seal] = ends[..] else {
            panic!("{ends:?}");
        };
        let marks = [before - record, last - before];
        assert_eq!(marks, [CommitMark::FRAME_BYTES; 2], "nothing between them");
        for medium in 0..2 {
            let segments = media.directories[medium].join(SEGMENTS_DIRECTORY);
            for name in ["0000000002.seg", "0000000003.seg", "growing"] {
                std::fs::remove_file(segments.join(name)).ok();
            }
            put(&media.segment(medium, 2), &whole[..before]);
        }
        let mut away = files(&media.directories[1]);
        let end = [last, index, seal][seals];
        away.insert(media.segment(1, 2), whole[..end].to_vec());
        let (store, _) = media.open(2);
        (0..further).for_each(|number| add(&store, number));
        store.close().unwrap();
        restore(&media.directories[1], &away);
        let copied = copy_to(&media, &media.directories[1]);
        let copied = copied.unwrap_or_else(|error| panic!("{further}, {seals}: {error}"));
        assert_eq!(copied.damaged, [0; 0]);
        if further == 1 {
            restore(&media.directories[1], &away);
        }
        let (store, report) = media.open(3);
        assert!(report.media.is_empty(), "{further}, {seals}: {report:?}");
        assert_eq!(records(&store), upto(further));
        store.close().unwrap();
        media.assert_replicas_equal();
    }
}

/// Commits chunks one by one until a segment is begun.
fn commit_chunks(store: &Store, from: u32, segment: u32) {
    let appender = store.appender().unwrap();
    for number in from.. {
        let address = appender.append(chunk(number, 50)).unwrap();
        appender.commit(address).unwrap();
        if address.segment == segment {
            break;
        }
    }
}

/// Where each frame ends.
fn frame_ends(segment: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while at < segment.len() {
        let header = FrameHeader::parse(&segment[at..]).unwrap();
        at += header.frame_bytes();
        ends.push(at);
    }
    ends
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

#[test]
fn the_only_whole_copy_of_a_segment_does_not_leave() {
    let media = Media::with_small_segments(2);
    let (store, _) = media.open(1);
    (0..60).for_each(|number| add(&store, number));
    store.require_dispensable(label(2).medium).unwrap();
    // Far from the seal, which can still be read.
    flip(&media.segment(0, 1), 8 * 900);
    let error = store.require_dispensable(label(2).medium).unwrap_err();
    assert!(
        matches!(error, StoreError::OnlyCopy { segment: 1, .. }),
        "{error}"
    );
    store.require_dispensable(label(1).medium).unwrap();
    // What is damaged on both is no reason to keep either.
    flip(&media.segment(1, 1), 8 * 900);
    store.require_dispensable(label(2).medium).unwrap();
    store.require_dispensable(label(1).medium).unwrap();
}

#[test]
fn a_medium_that_has_what_a_damaged_copy_lacks_does_not_leave() {
    let media = Media::with_small_segments(2);
    let (store, _) = media.open(1);
    (0..60).for_each(|number| add(&store, number));
    // Each is damaged, and has what the other lacks.
    flip(&media.segment(0, 1), 8 * 900);
    flip(&media.segment(1, 1), 8 * 300);
    for number in [1, 2] {
        let error = store.require_dispensable(label(number).medium).unwrap_err();
        assert!(
            matches!(error, StoreError::OnlyCopy { segment: 1, .. }),
            "{error}"
        );
    }
    // A whole copy behind a damaged seal, and one that cannot be read for a moment: neither is known to have nothing.
    flip(&media.segment(1, 1), 8 * 300);
    let end = media.bytes(1, 1).len();
    flip(&media.segment(1, 1), 8 * (end - 20));
    store.require_dispensable(label(2).medium).unwrap_err();
    flip(&media.segment(1, 1), 8 * (end - 20));
    let text = "medium-2/segments/0000000001.seg";
    let fault = Unreadable::new(text, 900..901);
    store.require_dispensable(label(2).medium).unwrap_err();
    drop(fault);
    store.require_dispensable(label(1).medium).unwrap();
}
