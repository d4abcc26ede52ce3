//! A new medium joins while the archive works.

use std::io;

use super::replicas::{add, failing, upto};
use super::*;
use crate::store::durable::faults::{Call, Fault};

#[test]
fn a_new_medium_gets_everything_and_takes_part() {
    let mut media = Media::with_small_segments(1);
    let (store, _) = media.open(1);
    for number in 0..100 {
        add(&store, number);
    }
    let new = media.root().join("medium-new");
    let joining = joining::Joining::new(ARCHIVE, None);
    let disk: Arc<dyn Disk> = media.disk.clone();
    let begin = || joining::prepare(disk.as_ref(), &new, &joining, label(9)).unwrap();
    begin();
    let copy = || {
        copy_sealed(
            &media.directories,
            ARCHIVE,
            &media.copies,
            &disk,
            &new,
            &mut |_| (),
        )
    };
    // The first attempt fails in the middle, the second one goes on.
    media.disk.arm(Fault {
        after: 4,
        ..failing(Call::Write, "medium-new", io::ErrorKind::Other)
    });
    assert!(copy().is_err());
    media.disk.heal();
    begin();
    let report = copy().unwrap();
    assert!(report.progress.bytes < report.progress.segments_all as u64 * 4096);
    add(&store, 100);
    store.admit(&new).unwrap();
    joining::finish(disk.as_ref(), &new).unwrap();
    add(&store, 101);
    store.dismiss(label(1).medium).unwrap();
    add(&store, 102);
    store.close().unwrap();
    // The old medium is no member any more; the new one is the archive.
    let error = Store::open(&media.directories, ARCHIVE, &media.options(1));
    assert!(
        error.is_ok_and(|(store, _)| records(&store) == upto(102)),
        "without a note"
    );
    media.directories = vec![new.clone()];
    let (store, report) = media.open(2);
    assert!(report.media.is_empty());
    assert_eq!(records(&store), upto(103));
    let store = media.read_only_while(store);
    for segment in store.segments().unwrap() {
        assert!(store.verify_segment(segment).unwrap().is_intact());
    }
}

/// Both media of the archive fail at a commit mark, and the process dies while it cuts the commit off again. The new medium is not configured yet and
/// away at the next opening.
#[test]
fn a_medium_that_joins_is_never_ahead_of_the_others() {
    for cuts in 0..3 {
        let media = Media::new(2);
        let new = media.root().join("medium-new");
        let joining = joining::Joining::new(ARCHIVE, None);
        joining::prepare(media.disk.as_ref(), &new, &joining, label(9)).unwrap();
        let (store, _) = media.open(1);
        add(&store, 0);
        store.admit(&new).unwrap();
        let appender = store.appender().unwrap();
        let address = deposit(&appender, 1).unwrap();
        for medium in ["medium-1", "medium-2"] {
            media.disk.arm(Fault {
                after: 1,
                sticky: false,
                ..failing(Call::Write, medium, io::ErrorKind::Other)
            });
        }
        media.disk.arm(Fault {
            after: cuts,
            ..failing(Call::Truncate, "medium-", io::ErrorKind::Other)
        });
        appender.commit(address).unwrap_err();
        drop(store);
        media.disk.heal();
        let (store, _) = media.open(1);
        add(&store, 2);
        store.admit(&new).unwrap();
        add(&store, 3);
        let kept: &[u32] = if records(&store).contains(&1) {
            &[0, 1, 2, 3]
        } else {
            &[0, 2, 3]
        };
        assert_eq!(records(&store), kept, "{cuts}");
        store.close().unwrap();
    }
}

/// Its lock is still held: it may be admitted again all the same.
#[test]
fn a_medium_that_left_comes_back_to_the_same_store() {
    let mut media = Media::new(2);
    media.copies.min = Some(1);
    let (store, _) = media.open(1);
    add(&store, 0);
    let fault = failing(Call::Sync, "medium-2", io::ErrorKind::Other);
    media.disk.arm(fault);
    add(&store, 1);
    media.disk.heal();
    store.admit(&media.directories[1]).unwrap();
    assert!(store.replicas().iter().all(|one| one.state.is_in_service()));
    add(&store, 2);
    // Of another process it is still locked.
    let error = Store::open(&media.directories, ARCHIVE, &media.options(1)).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    store.close().unwrap();
    media.assert_replicas_equal();
}

/// Which media are good to copy from stands in it.
#[test]
fn nothing_is_copied_while_a_roster_that_counts_cannot_be_read() {
    let media = Media::with_small_segments(2);
    let (store, _) = media.open(1);
    (0..60).for_each(|number| add(&store, number));
    store.close().unwrap();
    let new = media.root().join("medium-new");
    let joining = joining::Joining::new(ARCHIVE, None);
    let disk: Arc<dyn Disk> = media.disk.clone();
    joining::prepare(disk.as_ref(), &new, &joining, label(9)).unwrap();
    let copy = || {
        let (directories, copies) = (&media.directories, &media.copies);
        copy_sealed(directories, ARCHIVE, copies, &disk, &new, &mut |_| ())
    };
    let roster = media.directories[0].join(formats::roster::ROSTER_FILE);
    let text = std::fs::read(&roster).unwrap();
    put(&roster, b"nothing");
    let error = copy().unwrap_err();
    assert!(
        matches!(error, StoreError::RosterUnreadable { .. }),
        "{error}"
    );
    let segments = std::fs::read_dir(new.join(SEGMENTS_DIRECTORY)).unwrap();
    assert_eq!(segments.count(), 0);
    put(&roster, &text);
    assert!(copy().unwrap().progress.segments > 1);
}
