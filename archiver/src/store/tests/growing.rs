use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::store::durable::faults::{Call, Fault, Outcome};

#[test]
fn what_is_committed_is_read_again() {
    let media = Media::new(2);
    let (store, report) = media.open(1);
    assert_eq!(report, RecoveryReport::default());
    let appender = store.appender().unwrap();
    let address = deposit(&appender, 1).unwrap();
    appender.commit(address).unwrap();
    assert!(appender.committed() > address);
    assert_eq!(records(&store), [1]);
    let last = deposit(&appender, 2).unwrap();
    appender.commit(last).unwrap();
    store.close().unwrap();
    media.assert_replicas_equal();
    assert_eq!(records(&media.read_only()), [1, 2]);
    assert_eq!(records(&media.open(2).0), [1, 2]);
}

#[test]
fn what_is_not_committed_is_not_visible() {
    let mut media = Media::new(2);
    media.segment_bytes_max = 1 << 30;
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    let address = deposit(&appender, 1).unwrap();
    appender.commit(address).unwrap();
    deposit(&appender, 2).unwrap();
    // Enough for the writer to write without being asked.
    for _ in 0..40 {
        appender.append(chunk(3, 100_000)).unwrap();
    }
    assert_eq!(records(&store), [1]);
    let length = appender.committed();
    store.close().unwrap();
    assert!(matches!(
        appender.append(chunk(1, 1)),
        Err(StoreError::Closed | StoreError::Stopped { .. })
    ));
    assert!(appender.commit(address).is_ok());
    assert_eq!(media.bytes(1, length.segment).len() as u64, length.offset);
    assert_eq!(records(&media.open(2).0), [1]);
}

#[test]
fn a_commit_of_what_was_never_appended_is_refused() {
    let media = Media::new(1);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    let error = appender.commit(FrameAddress::new(9, 0)).unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }));
    assert!(matches!(
        store.read(FrameAddress::new(1, 1 << 30)),
        Err(StoreError::NotFound { .. })
    ));
    assert!(matches!(
        store.read(FrameAddress::new(7, 0)),
        Err(StoreError::NotFound { .. })
    ));
    assert!(matches!(
        store.read(FrameAddress::new(1, 3)),
        Err(StoreError::Damaged { .. })
    ));
    assert!(matches!(
        media.read_only_while_written(),
        Err(StoreError::Locked { .. })
    ));
}

#[test]
fn full_segments_are_sealed_and_everything_is_found() {
    let media = Media::with_small_segments(2);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    for number in 0..200 {
        let address = deposit(&appender, number).unwrap();
        if number % 7 == 0 {
            appender.commit(address).unwrap();
        }
    }
    let large = appender.append(chunk(5, 10_000)).unwrap();
    appender.commit(large).unwrap();
    assert_eq!(store.read(large).unwrap(), chunk(5, 10_000));
    assert_eq!(records(&store), (0..200).collect::<Vec<_>>());
    let segments = store.segments().unwrap();
    assert!(segments.len() > 5);
    for &segment in &segments {
        let fixity = store.verify_segment(segment).unwrap();
        assert!(fixity.is_intact(), "{fixity:?}");
        let sealed = segment != *segments.last().unwrap();
        assert!(fixity.replicas.iter().all(|copy| copy.sealed == sealed));
        let metadata = std::fs::metadata(media.segment(1, segment)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o222 == 0, sealed);
        if segment != large.segment {
            assert!(metadata.len() <= 4096, "{} bytes", metadata.len());
        }
    }
    let everything = store
        .scan(None, ScanScope::Everything)
        .map(|item| item.unwrap())
        .collect::<Vec<_>>();
    assert!(
        everything
            .windows(2)
            .all(|pair| { pair[0].next == pair[1].address || pair[1].address.offset == 0 })
    );
    assert!(store.incidents().is_empty());
    store.close().unwrap();
    media.assert_replicas_equal();
}

#[test]
fn a_scan_goes_on_from_where_another_ended() {
    let media = Media::with_small_segments(1);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    let mut from = None;
    for round in 0..20_u32 {
        for number in 0..round {
            deposit(&appender, round * 100 + number).unwrap();
        }
        let address = deposit(&appender, round * 100 + 99).unwrap();
        appender.commit(address).unwrap();
        let mut seen = 0;
        for item in store.scan(from, ScanScope::Records) {
            let item = item.unwrap();
            from = Some(item.next);
            seen += 1;
        }
        assert_eq!(seen, round + 1);
    }
}

#[test]
fn concurrent_commits_share_a_synchronisation() {
    let media = Media::new(2);
    let (store, _) = media.open(1);
    let before = media.disk.count(Call::Sync, "medium-2");
    let threads = 8;
    let deposits = 50;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let appender = store.appender().unwrap();
            scope.spawn(move || {
                for number in 0..deposits {
                    let address = deposit(&appender, thread * 1000 + number).unwrap();
                    appender.commit(address).unwrap();
                    assert!(appender.committed() > address);
                }
            });
        }
    });
    assert_eq!(records(&store).len() as u32, threads * deposits);
    let syncs = media.disk.count(Call::Sync, "medium-2") - before;
    assert!(
        syncs as u32 <= threads * deposits,
        "{syncs} synchronisations"
    );
}

#[test]
fn a_commit_waits_for_every_replica() {
    let media = Media::new(2);
    let (store, _) = media.open(1);
    media.disk.arm(Fault {
        call: Some(Call::Sync),
        path: "medium-2".to_owned(),
        after: 0,
        sticky: false,
        error: std::io::ErrorKind::Other,
        outcome: Outcome::Lost,
    });
    let appender = store.appender().unwrap();
    let address = deposit(&appender, 1).unwrap();
    let error = appender.commit(address).unwrap_err();
    assert!(error.to_string().contains("medium-2"), "{error}");
    assert!(records(&store).is_empty());
}

#[test]
fn a_reader_is_content_with_one_medium_and_a_writer_is_not() {
    let media = Media::new(2);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    let address = deposit(&appender, 1).unwrap();
    appender.commit(address).unwrap();
    store.close().unwrap();
    std::fs::remove_dir_all(&media.directories[0]).unwrap();
    let options = OpenOptions {
        writable: false,
        ..media.options(1)
    };
    let (store, report) = Store::open(&media.directories, ARCHIVE, &options).unwrap();
    assert_eq!(report.absent, [media.directories[0].clone()]);
    assert_eq!(records(&store), [1]);
    assert!(matches!(store.appender(), Err(StoreError::ReadOnly)));
    drop(store);
    let error = Store::open(&media.directories, ARCHIVE, &media.options(1)).unwrap_err();
    assert!(matches!(error, StoreError::MediumMissing { .. }));
}

#[test]
fn wrong_media_are_refused() {
    let media = Media::new(2);
    let twice = [media.directories[0].clone(), media.directories[0].clone()];
    let error = Store::open(&twice, ARCHIVE, &media.options(1)).unwrap_err();
    assert!(matches!(error, StoreError::MediumTwice { .. }));
    let other = ArchiveId::from_bytes([1; 16]);
    let error = Store::open(&media.directories, other, &media.options(1)).unwrap_err();
    assert!(matches!(error, StoreError::MediumUnusable { .. }));
    let keys = MediumLabel {
        role: MediumRole::Keys,
        ..label(1)
    };
    write_label(media.disk.as_ref(), &media.directories[1], &keys).unwrap();
    let error = Store::open(&media.directories, ARCHIVE, &media.options(1)).unwrap_err();
    assert!(matches!(error, StoreError::MediumUnusable { .. }));
    std::fs::remove_file(media.directories[1].join("MEDIUM.json")).unwrap();
    let error = create_medium(media.disk.as_ref(), &media.directories[1], &keys).unwrap_err();
    assert!(matches!(error, StoreError::MediumNotEmpty { .. }));
}

impl Media {
    fn read_only_while_written(&self) -> Result<Store, StoreError> {
        let options = OpenOptions {
            writable: false,
            ..self.options(1)
        };
        Store::open(&self.directories, ARCHIVE, &options).map(|(store, _)| store)
    }
}

#[test]
fn a_segment_grows_over_many_openings() {
    let media = Media::with_small_segments(2);
    for number in 0..60 {
        let (store, report) = media.open(1 + number as u8 / 9);
        assert_eq!(report, RecoveryReport::default());
        let appender = store.appender().unwrap();
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
        if number % 3 == 0 {
            deposit(&appender, 1000).unwrap();
        }
        store.close().unwrap();
        // Every other opening finds no checkpoint, or a damaged one, and reads the segment from its start.
        let checkpoint = media.directories[0].join("segments/growing");
        match number % 5 {
            1 => flip(&checkpoint, 333),
            2 => put(&checkpoint, &[]),
            4 => std::fs::remove_file(&checkpoint).unwrap_or_default(),
            _ => {}
        }
    }
    let store = media.read_only();
    assert_eq!(records(&store), (0..60).collect::<Vec<_>>());
    for segment in store.segments().unwrap() {
        let fixity = store.verify_segment(segment).unwrap();
        assert!(fixity.is_intact(), "{fixity:?}");
    }
    media.assert_replicas_equal();
}

#[test]
fn a_checkpoint_of_another_state_is_not_believed() {
    let media = Media::new(2);
    let checkpoint = media.directories[0].join("segments/growing");
    let deposit_one = |number| {
        let (store, _) = media.open(1);
        let appender = store.appender().unwrap();
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
        store.close().unwrap();
        let bytes = std::fs::read(&checkpoint).unwrap();
        (bytes, media.bytes(0, 1))
    };
    let (_, first) = deposit_one(0);
    let (newer, _) = deposit_one(1);
    // Both media were set back to an earlier copy, the checkpoint was not.
    put(&media.segment(0, 1), &first);
    put(&media.segment(1, 1), &first);
    put(&checkpoint, &newer);
    let (store, report) = media.open(1);
    assert_eq!(report, RecoveryReport::default());
    assert_eq!(records(&store), [0]);
    drop(store);
    deposit_one(2);
    assert!(media.read_only().verify_segment(1).unwrap().is_intact());
    assert_eq!(records(&media.open(1).0), [0, 2]);
}

#[test]
fn a_commit_costs_one_synchronisation() {
    let media = Media::new(2);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    let before = media.disk.count(Call::Sync, "medium-2");
    for number in 0..20 {
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
        // What is committed already costs nothing.
        appender.commit(address).unwrap();
    }
    assert_eq!(media.disk.count(Call::Sync, "medium-2") - before, 20);
}

/// Somebody else's frame goes over the border of the segment before the commit of a frame before it is asked for, and asks for none itself.
#[test]
fn a_commit_before_a_border_waits_for_nobody_behind_it() {
    let media = Media {
        segment_bytes_max: 4096,
        ..Media::new(1)
    };
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    let first = deposit(&appender, 0).unwrap();
    let behind = appender.append(chunk(1, 4000)).unwrap();
    assert!(behind.segment > first.segment);
    let (done, answer) = std::sync::mpsc::channel();
    let waiting = store.appender().unwrap();
    std::thread::spawn(move || done.send(waiting.commit(first)));
    let committed = answer.recv_timeout(std::time::Duration::from_secs(60));
    committed.expect("it ends").unwrap();
    assert!(appender.committed() > first);
    store.close().unwrap();
}
