//! Compaction that is cut at any call.

use super::*;

/// Compacts with a fault at one call, and then as the next process does. Answers whether the fault came.
fn survives(after: usize, outcome: Outcome, error: std::io::ErrorKind, seed: u64) -> bool {
    let media = archive(2);
    let before = sealed_frames(&media);
    let (store, _) = media.open(1);
    let fault = Fault {
        call: None,
        path: "segments".to_owned(),
        after,
        sticky: seed == 0,
        error,
        outcome,
    };
    media.disk.arm(fault);
    let failed = compact(&store, &odd).is_err();
    // What is not dropped is there at any moment.
    for item in &before {
        if let Frame::ContentChunk(chunk) = &item.frame
            && (odd(chunk.header.version) || chunk.header.version.record().as_bytes()[14] >= 3)
        {
            continue;
        }
        if !matches!(
            &item.frame,
            Frame::TreePage(_)
                | Frame::SegmentHeader(_)
                | Frame::SegmentIndex(_)
                | Frame::SegmentSeal(_)
        ) {
            assert_eq!(store.read(item.address).unwrap(), item.frame);
        }
    }
    media.disk.kill();
    drop(store);
    media.disk.power_cut(seed);
    let media = Media {
        disk: FaultyDisk::new(),
        ..media
    };
    {
        let store = media.read_only();
        for segment in store.segments().unwrap() {
            let fixity = store.verify_segment(segment).unwrap();
            assert!(fixity.is_intact(), "call {after} {outcome:?}: {fixity:?}");
        }
    }
    let (store, report) = media.open(2);
    assert!(report.incomplete.is_empty(), "{report:?}");
    compact(&store, &odd).unwrap();
    assert_kept(&store, &before, &odd);
    store.close().unwrap();
    media.assert_replicas_equal();
    for directory in &media.directories {
        let names = std::fs::read_dir(directory.join("segments")).unwrap();
        let mut names = names.map(|entry| entry.unwrap().file_name());
        assert!(!names.any(|name| name.to_string_lossy().ends_with(".new")));
    }
    failed
}

#[test]
fn a_crash_at_any_call_leaves_old_or_new_copies_and_loses_nothing() {
    let calls = {
        let media = archive(2);
        let (store, _) = media.open(1);
        let before = media.disk.calls();
        compact(&store, &odd).unwrap();
        media.disk.calls() - before
    };
    assert!(calls > 40, "{calls}");
    let mut random = Random(20_261_122);
    let mut failures = 0;
    for call in 0..calls {
        let seed = random.below(u64::MAX);
        let outcome = match call % 3 {
            0 => Outcome::Lost,
            1 => Outcome::Done,
            _ => Outcome::Torn(random.below(600) as usize),
        };
        let error = if call % 2 == 0 {
            std::io::ErrorKind::Other
        } else {
            std::io::ErrorKind::StorageFull
        };
        failures += usize::from(survives(call, outcome, error, seed));
    }
    assert!(failures > calls / 2, "{failures} of {calls}");
    // Every call after a point fails, too: the process is dead.
    for call in (0..calls).step_by(9) {
        survives(call, Outcome::Lost, std::io::ErrorKind::Other, 0);
    }
    assert!(media_call_kinds().contains(&Call::Rename));
}

fn media_call_kinds() -> Vec<Call> {
    let media = archive(1);
    let (store, _) = media.open(1);
    compact(&store, &odd).unwrap();
    let kinds = [
        Call::Create,
        Call::Write,
        Call::Sync,
        Call::Protect,
        Call::Rename,
        Call::SyncDirectory,
    ];
    let made = kinds
        .into_iter()
        .filter(|&kind| media.disk.count(kind, "segments") > 0);
    made.collect()
}
