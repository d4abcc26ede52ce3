//! Nothing is freed that something out of sight may name.

use super::compacting::{Keys, archive, compact, compact_with, odd, sealed_frames};
use super::*;

#[test]
fn nothing_is_dropped_while_a_segment_is_on_no_medium() {
    for lost in [1, 3] {
        let media = archive(2);
        let newest = *media.read_only().segments().unwrap().last().unwrap();
        assert!(newest > 4, "{newest}");
        for medium in [0, 1] {
            std::fs::remove_file(media.segment(medium, lost)).unwrap();
        }
        let before: Vec<_> = (lost + 1..newest).map(|n| media.bytes(0, n)).collect();
        let store = media.read_only();
        let keys = Keys {
            destroyed: &odd,
            held: &|_| false,
        };
        let planned = store.plan_compaction(&keys, &mut |_| {});
        assert!(
            matches!(planned, Err(StoreError::SegmentMissing { segment }) if segment == lost),
            "{planned:?}"
        );
        drop(store);
        let opened = Store::open(&media.directories, ARCHIVE, &media.options(1));
        if let Ok((store, _)) = opened {
            compact(&store, &odd).unwrap_err();
            store.close().unwrap();
        }
        let after: Vec<_> = (lost + 1..newest).map(|n| media.bytes(0, n)).collect();
        assert!(before == after);
    }
}

#[test]
fn nothing_is_dropped_while_a_segment_lacks_its_end() {
    let media = archive(2);
    let whole = media.bytes(0, 2);
    let marks: Vec<usize> = sealed_frames(&media)
        .iter()
        .filter(|item| item.address.segment == 2 && matches!(item.frame, Frame::CommitMark(_)))
        .map(|item| item.next.offset as usize)
        .collect();
    // Cut behind a mark, and with the last mark before the cut damaged.
    let cut = marks[marks.len() - 2];
    for is_mark_damaged in [false, true] {
        let mut bytes = whole[..cut].to_vec();
        if is_mark_damaged {
            bytes[cut - 1] ^= 1;
        }
        for medium in [0, 1] {
            put(&media.segment(medium, 2), &bytes);
        }
        let store = media.read_only();
        assert!(
            store
                .scan(None, ScanScope::Records)
                .any(|item| item.is_err())
        );
        let keys = Keys {
            destroyed: &odd,
            held: &|_| false,
        };
        let planned = store.plan_compaction(&keys, &mut |_| {});
        assert!(
            matches!(planned, Err(StoreError::Damaged { address, .. }) if address.segment == 2),
            "{planned:?}"
        );
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test takes the segments away from a medium"
)]
fn a_medium_that_cannot_say_what_it_has_stops_the_survey() {
    let media = archive(2);
    let store = media.read_only();
    let segments = media.directories[1].join("segments");
    std::fs::rename(&segments, media.directories[1].join("away")).unwrap();
    let keys = Keys {
        destroyed: &odd,
        held: &|_| false,
    };
    let planned = store.plan_compaction(&keys, &mut |_| {});
    assert!(matches!(planned, Err(StoreError::Io { .. })), "{planned:?}");
}

#[test]
fn contents_with_a_key_stay_although_nothing_names_them() {
    let media = archive(1);
    let unnamed = |keys: &Keys<'_>| {
        let store = media.read_only();
        let planned = store.plan_compaction(keys, &mut |_| {}).unwrap();
        planned.segments.iter().map(|one| one.orphans).sum::<u64>()
    };
    let none: &dyn Fn(VersionId) -> bool = &|_| false;
    let kept: &dyn Fn(VersionId) -> bool = &|one| one == version(1007);
    let all = unnamed(&Keys {
        destroyed: none,
        held: none,
    });
    let keys = Keys {
        destroyed: none,
        held: kept,
    };
    assert_eq!(unnamed(&keys), all - 1);
    let before = sealed_frames(&media);
    let (store, _) = media.open(1);
    compact_with(&store, &keys).unwrap();
    let chunk = before.iter().find(|item| {
        matches!(&item.frame, Frame::ContentChunk(chunk) if chunk.header.version == version(1007))
    });
    let chunk = chunk.unwrap();
    assert_eq!(store.read(chunk.address).unwrap(), chunk.frame);
}
