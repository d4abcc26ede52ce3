use std::io;

use super::*;
use crate::store::durable::faults::{Call, Fault, Outcome};

fn fault(call: Option<Call>, path: &str, after: usize, outcome: Outcome) -> Fault {
    Fault {
        call,
        path: path.to_owned(),
        after,
        sticky: false,
        error: io::ErrorKind::Other,
        outcome,
    }
}

#[test]
fn a_full_medium_is_named_and_shows_nothing() {
    for medium in ["medium-1", "medium-2"] {
        for torn in [0, 1, 200] {
            let media = Media::new(2);
            let (store, _) = media.open(1);
            let appender = store.appender().unwrap();
            let address = deposit(&appender, 0).unwrap();
            appender.commit(address).unwrap();
            media.disk.arm(Fault {
                sticky: true,
                error: io::ErrorKind::StorageFull,
                ..fault(Some(Call::Write), medium, 0, Outcome::Torn(torn))
            });
            let address = deposit(&appender, 1).unwrap();
            let error = appender.commit(address).unwrap_err();
            assert!(matches!(error, StoreError::MediumFull { .. }), "{error}");
            assert!(error.to_string().contains(medium), "{error}");
            assert_eq!(records(&store), [0]);
            // The writer has stopped, and says why.
            let error = deposit(&appender, 2).unwrap_err();
            assert!(matches!(error, StoreError::Stopped { .. }));
            assert!(error.is_medium_full());
            drop(store);
            // Space was freed. Even another boot finds nothing of the failed deposit.
            media.disk.heal();
            let (store, report) = media.open(2);
            assert_eq!(report, RecoveryReport::default());
            assert_eq!(records(&store), [0]);
            let appender = store.appender().unwrap();
            let address = deposit(&appender, 3).unwrap();
            appender.commit(address).unwrap();
            assert_eq!(records(&store), [0, 3]);
        }
    }
}

#[test]
fn a_failed_synchronisation_stops_the_writer() {
    for outcome in [Outcome::Lost, Outcome::Done] {
        let media = Media::new(2);
        let (store, _) = media.open(1);
        media
            .disk
            .arm(fault(Some(Call::Sync), "medium-1", 0, outcome));
        let appender = store.appender().unwrap();
        let address = deposit(&appender, 0).unwrap();
        assert!(matches!(
            appender.commit(address),
            Err(StoreError::Io { .. })
        ));
        assert!(matches!(
            appender.commit(address),
            Err(StoreError::Stopped { .. })
        ));
        assert!(matches!(
            deposit(&appender, 1),
            Err(StoreError::Stopped { .. })
        ));
        assert!(store.close().is_err());
        assert!(records(&media.open(2).0).is_empty());
    }
}

/// A run of deposits over several segments; answers the records whose commit was acknowledged.
fn run(media: &Media, boot: u8) -> Result<Vec<u32>, StoreError> {
    let mut acknowledged = Vec::new();
    let (store, _) = Store::open(&media.directories, ARCHIVE, &media.options(boot))?;
    let appender = store.appender()?;
    for number in 0..12 {
        let committed = deposit(&appender, number).and_then(|address| appender.commit(address));
        if committed.is_err() {
            break;
        }
        acknowledged.push(number);
    }
    Ok(acknowledged)
}

/// Each call of a run fails once, without effect and with its effect done. Whatever was acknowledged is there afterwards, the
/// replicas are equal, and the archive goes on.
#[test]
fn every_fault_is_survived_twice() {
    let calls = {
        let media = Media::with_small_segments(2);
        let before = media.disk.calls();
        run(&media, 1).unwrap();
        media.disk.calls() - before
    };
    assert!(calls > 40, "{calls} calls");
    for after in 0..calls {
        survive(fault(None, "", after, Outcome::Lost), 1 + after as u8 % 2);
        survive(fault(None, "", after, Outcome::Done), 2 - after as u8 % 2);
        let torn = fault(Some(Call::Write), "", after / 2, Outcome::Torn(after));
        survive(torn, 1 + after as u8 % 2);
    }
}

fn survive(fault: Fault, boot: u8) {
    let media = Media::with_small_segments(2);
    media.disk.arm(fault.clone());
    let acknowledged = run(&media, 1).unwrap_or_default();
    media.disk.heal();
    let (store, report) = media.open(boot);
    let found = records(&store);
    assert!(
        found.starts_with(&acknowledged) && found.len() <= acknowledged.len() + 1,
        "{fault:?}: {acknowledged:?} acknowledged, {found:?} found"
    );
    assert!(report.damaged.is_empty());
    let appender = store.appender().unwrap();
    let address = deposit(&appender, 99).unwrap();
    appender.commit(address).unwrap();
    store.close().unwrap();
    media.assert_replicas_equal();
    let store = media.read_only();
    for segment in store.segments().unwrap() {
        let fixity = store.verify_segment(segment).unwrap();
        assert!(fixity.is_intact(), "{fault:?}: {fixity:?}");
    }
}

/// The process dies at any call: under the same boot, exactly what was acknowledged is there (or one more, whose mark was written
/// when the process died before it could say so).
#[test]
fn a_kill_at_any_call_loses_nothing() {
    for after in 0..60 {
        let mut media = Media::with_small_segments(2);
        media.disk.arm(Fault {
            sticky: true,
            ..fault(None, "", after, Outcome::Lost)
        });
        let acknowledged = run(&media, 1).unwrap_or_default();
        media.disk = FaultyDisk::new();
        let (store, _) = media.open(1);
        let found = records(&store);
        assert!(
            found.starts_with(&acknowledged) && found.len() <= acknowledged.len() + 1,
            "call {after}: {acknowledged:?} acknowledged, {found:?} found"
        );
        drop(store);
        media.assert_replicas_equal();
    }
}
