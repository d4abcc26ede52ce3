use super::*;
use crate::store::durable::faults::Random;

/// An archive with records 0..10 committed, and 10..20 written after the last commit mark by a process that was killed.
fn killed(replicas: u32) -> Media {
    let mut media = Media::new(replicas);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    for number in 0..10 {
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
    }
    let committed = appender.committed().offset;
    let mut last = committed;
    for number in 10..20 {
        last = deposit(&appender, number).unwrap().offset;
    }
    // A commit writes them; the mark behind them is taken away below.
    appender.commit(FrameAddress::new(1, last)).unwrap();
    let end = appender.committed().offset - 49;
    media.disk.kill();
    drop(store);
    media.disk = FaultyDisk::new();
    for medium in 0..replicas as usize {
        let bytes = media.bytes(medium, 1);
        put(&media.segment(medium, 1), &bytes[..end as usize]);
    }
    media
}

fn upto(end: u32) -> Vec<u32> {
    (0..end).collect()
}

#[test]
fn after_a_kill_what_follows_the_mark_is_cut() {
    let media = killed(2);
    assert_eq!(records(&media.read_only()), upto(10));
    let (store, report) = media.open(1);
    assert!(report.bytes_cut > 1000);
    assert_eq!(report.bytes_kept, 0);
    assert_eq!(records(&store), upto(10));
    drop(store);
    media.assert_replicas_equal();
    assert_eq!(media.open(2).1, RecoveryReport::default());
}

#[test]
fn after_a_power_cut_whole_frames_are_kept() {
    let media = killed(2);
    let (store, report) = media.open(2);
    assert!(report.bytes_kept > 1000);
    assert_eq!(report.bytes_cut, 0);
    assert_eq!(records(&store), upto(20));
    drop(store);
    media.assert_replicas_equal();
    // They are committed now: a kill under the same boot does not take them away.
    let (store, report) = media.open(2);
    assert_eq!(report, RecoveryReport::default());
    assert_eq!(records(&store), upto(20));
}

#[test]
fn torn_garbage_and_zero_tails_are_cut() {
    let tails: [(&str, Vec<u8>); 4] = [
        ("zeros", vec![0; 5000]),
        (
            "garbage",
            (0..5000_u32).map(|n| ((n * 7919) >> 3) as u8).collect(),
        ),
        ("one byte", vec![9]),
        (
            "a header without a body",
            vec![0, 0, 1, 0, 2, 0, 0, 0, 1, 2, 3, 4],
        ),
    ];
    for (name, tail) in tails {
        for boot in [1, 2] {
            let media = killed(2);
            let mut bytes = media.bytes(1, 1);
            bytes.extend(&tail);
            put(&media.segment(1, 1), &bytes);
            let (store, report) = media.open(boot);
            let expected = if boot == 1 { 10 } else { 20 };
            assert_eq!(records(&store), upto(expected), "{name}, boot {boot}");
            assert!(report.bytes_cut >= tail.len() as u64);
            assert!(report.damaged.is_empty());
            let appender = store.appender().unwrap();
            let address = deposit(&appender, expected).unwrap();
            appender.commit(address).unwrap();
            store.close().unwrap();
            media.assert_replicas_equal();
            assert_eq!(records(&media.read_only()), upto(expected + 1));
        }
    }
}

#[test]
fn the_longest_replica_is_rolled_forward() {
    let media = killed(2);
    let whole = media.bytes(0, 1);
    for short in 0..2 {
        for cut in [1, 100, 500, 1500] {
            let media = killed(2);
            put(&media.segment(short, 1), &whole[..whole.len() - cut]);
            let (store, report) = media.open(2);
            assert_eq!(
                records(&store),
                upto(20),
                "medium {short}, {cut} bytes shorter"
            );
            assert!(report.bytes_repaired > 0);
            let bytes: u64 = report.repaired.iter().map(|one| one.bytes).sum();
            assert_eq!(bytes, report.bytes_repaired);
            assert!(report.repaired.iter().all(|one| one.directory != one.from));
            drop(store);
            media.assert_replicas_equal();
        }
    }
}

#[test]
fn a_replica_that_lost_the_segment_gets_it_again() {
    let media = killed(2);
    std::fs::remove_file(media.segment(1, 1)).unwrap();
    let (store, report) = media.open(1);
    assert!(report.bytes_repaired > 0);
    assert_eq!(records(&store), upto(10));
    drop(store);
    media.assert_replicas_equal();
}

#[test]
fn damage_on_one_replica_is_put_right() {
    let media = killed(2);
    let bits = media.bytes(0, 1).len() as u64 * 8;
    let mut random = Random(1);
    for _ in 0..40 {
        let media = killed(2);
        flip(&media.segment(0, 1), random.below(bits) as usize);
        flip(
            &media.segment(1, 1),
            random.below(bits / 2) as usize + bits as usize / 2,
        );
        let (store, report) = media.open(2);
        if report.damaged.is_empty() && report.bytes_cut == 0 {
            assert_eq!(records(&store), upto(20));
            assert!(report.bytes_repaired > 0);
        }
        drop(store);
        let (store, _) = media.open(2);
        assert!(records(&store).len() >= 10);
        drop(store);
    }
}

/// A flipped bit in the middle of the only copy must not look like a torn tail: nothing behind it may be lost.
#[test]
fn damage_before_a_commit_mark_is_never_cut_off() {
    let media = killed(1);
    let bits = media.bytes(0, 1).len() * 8;
    for bit in (66 * 8..bits / 2).step_by(101) {
        let media = killed(1);
        flip(&media.segment(0, 1), bit);
        let before = media.bytes(0, 1);
        let (store, report) = media.open(1);
        assert_eq!(report.damaged.len(), 1, "bit {bit}: {report:?}");
        let fixity = store.verify_segment(1).unwrap();
        assert!(!fixity.is_intact());
        let appender = store.appender().unwrap();
        let address = deposit(&appender, 30).unwrap();
        appender.commit(address).unwrap();
        let mut found = 0;
        let mut damaged = 0;
        for item in store.scan(None, ScanScope::Records) {
            match item {
                Ok(_) => found += 1,
                Err(StoreError::Damaged { .. }) => damaged += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(found >= 10 && damaged == 1, "bit {bit}: {found} records");
        let after = media.bytes(0, 1);
        let kept = after.len().min(before.len()) / 2;
        assert_eq!(before[..kept], after[..kept]);
    }
}

#[test]
fn a_damaged_header_is_not_overwritten() {
    let media = killed(1);
    flip(&media.segment(0, 1), 100);
    let before = media.bytes(0, 1);
    let error = Store::open(&media.directories, ARCHIVE, &media.options(1)).unwrap_err();
    assert!(matches!(error, StoreError::SegmentDamaged { segment: 1 }));
    assert_eq!(media.bytes(0, 1), before);
}

#[test]
fn a_torn_new_segment_is_begun_again() {
    for length in [0, 1, 30, 65, 66] {
        let media = Media::new(2);
        let whole = media.bytes(0, 1);
        put(&media.segment(0, 1), &whole[..length]);
        std::fs::remove_file(media.segment(1, 1)).unwrap();
        let (store, _) = media.open(2);
        let appender = store.appender().unwrap();
        let address = deposit(&appender, 0).unwrap();
        appender.commit(address).unwrap();
        store.close().unwrap();
        media.assert_replicas_equal();
        assert_eq!(records(&media.read_only()), [0]);
    }
}

#[test]
fn an_unfinished_seal_is_finished_or_taken_back() {
    let media = Media::with_small_segments(2);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    let mut number = 0;
    while appender.committed().segment < 2 {
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
        number += 1;
    }
    drop(store);
    let whole = media.bytes(0, 1);
    // The seal: the index is longer than the mark, so cuts reach into it and into the frames before.
    for cut in [0, 1, 59, 60, 61, 100] {
        for boot in [1, 2] {
            for keep_next in [true, false] {
                let mut media = Media::with_small_segments(2);
                media.segment_bytes_max = 1 << 20;
                put(&media.segment(0, 1), &whole);
                put(&media.segment(1, 1), &whole[..whole.len() - cut]);
                if keep_next {
                    put(&media.segment(0, 2), &[]);
                } else {
                    put(&media.segment(0, 1), &whole[..whole.len() - cut]);
                }
                let (store, _) = media.open(boot);
                assert!(records(&store).len() as u32 >= number - 1);
                let appender = store.appender().unwrap();
                let address = deposit(&appender, 500).unwrap();
                appender.commit(address).unwrap();
                store.close().unwrap();
                media.assert_replicas_equal();
                let store = media.read_only();
                for segment in store.segments().unwrap() {
                    assert!(store.verify_segment(segment).unwrap().is_intact());
                }
            }
        }
    }
}

/// After a power cut at any moment, what was acknowledged is there, on both replicas.
#[test]
fn power_cuts_lose_nothing_acknowledged() {
    for seed in 0..100 {
        let mut media = Media::with_small_segments(2);
        let (store, _) = media.open(1);
        let appender = store.appender().unwrap();
        let mut random = Random(seed);
        let mut acknowledged = 0;
        for number in 0..random.below(60) as u32 {
            let address = deposit(&appender, number).unwrap();
            if random.below(3) > 0 {
                appender.commit(address).unwrap();
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
        assert!(report.damaged.is_empty(), "seed {seed}: {report:?}");
        drop(store);
        media.assert_replicas_equal();
        assert_eq!(records(&media.open(2).0), found, "seed {seed}");
    }
}

/// The last commit mark is as dear as what stands before it: a flipped bit in it must not look like a killed process.
#[test]
fn a_damaged_last_mark_still_counts() {
    let whole = killed(1);
    let length = {
        let (store, _) = whole.open(1);
        let end = store.appender().unwrap().committed().offset;
        store.close().unwrap();
        end as usize
    };
    let bytes = whole.bytes(0, 1);
    for bit in (length - 49) * 8..length * 8 {
        let media = Media::new(1);
        put(&media.segment(0, 1), &bytes);
        flip(&media.segment(0, 1), bit);
        assert_eq!(records(&media.read_only()), upto(10), "bit {bit}");
        assert!(!media.read_only().verify_segment(1).unwrap().is_intact());
        let (store, report) = media.open(1);
        assert_eq!(report.damaged.len(), 1, "bit {bit}");
        assert_eq!(records(&store), upto(10), "bit {bit}");
        drop(store);
        assert!(media.read_only().verify_segment(1).unwrap().is_intact());
    }
    // Cut anywhere, it is a mark that was being written.
    for cut in 1..49 {
        let media = Media::new(1);
        put(&media.segment(0, 1), &bytes[..length - cut]);
        let (store, report) = media.open(1);
        assert!(report.damaged.is_empty());
        assert_eq!(records(&store), upto(9), "{cut} bytes cut");
    }
}
