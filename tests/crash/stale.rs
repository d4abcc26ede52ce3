//! A power loss takes the last commit mark, and the note of how far the segment was read survives: it is not of the mark that recovery writes.

use std::fs::{self, OpenOptions as FileOptions};
use std::path::Path;
use std::sync::Arc;

use archiver::store::{CopyPolicy, OpenOptions, Store, durable};
use firmware::clock::SimulatedClock;
use formats::id::{ArchiveId, BatchId, MediumId, RecordId, VersionId};
use formats::medium::{MediumLabel, MediumRole};
use formats::segment::{CommitMark, Frame, LeafPage, Leaves};
use time::OffsetDateTime;

fn options(boot: u8) -> OpenOptions {
    let start = OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000 + i64::from(boot));
    OpenOptions {
        writable: true,
        boot_id: [boot; 16],
        clock: Arc::new(SimulatedClock::new(start)),
        segment_bytes_max: 16 * 1024,
        disk: durable::system_disk(),
        copies: CopyPolicy::default(),
    }
}

fn append(store: &Store, frames: u64) {
    let appender = store.appender().unwrap();
    let mut last = None;
    for first in 0..frames {
        let versions = (0..50).map(|n| VersionId::first(RecordId::new(n, &[1; 10])));
        let page = LeafPage {
            batch: BatchId::new(1, &[2; 10]),
            first,
            leaves: Leaves::Versions(versions.collect()),
        };
        last = Some(appender.append(Frame::LeafPage(page)).unwrap());
    }
    appender.commit(last.unwrap()).unwrap();
}

fn cut_off_the_mark(segment: &Path) {
    let length = fs::metadata(segment).unwrap().len();
    let file = FileOptions::new().write(true).open(segment).unwrap();
    file.set_len(length - CommitMark::FRAME_BYTES as u64)
        .unwrap();
}

#[test]
fn a_note_of_a_mark_that_was_lost_is_not_relied_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let archive = ArchiveId::new(1, &[7; 10]);
    let label = MediumLabel {
        medium: MediumId::new(1, &[3; 10]),
        archive,
        role: MediumRole::Data,
        number: 1,
        created_at: OffsetDateTime::UNIX_EPOCH,
        classification: String::new(),
        capacity_bytes: 1 << 30,
        evaluation: true,
        format_version: 1,
    };
    let store = Store::create(&[(data.clone(), label)], &options(1)).unwrap();
    append(&store, 2);
    store.close().unwrap();
    let note = fs::read(data.join("segments/growing")).unwrap();
    cut_off_the_mark(&data.join("segments/0000000001.seg"));
    let open = |boot| {
        let opened = Store::open(std::slice::from_ref(&data), archive, &options(boot));
        opened.unwrap().0
    };
    // The power is back: another mark is written where the lost one stood. This process writes no note at its end.
    open(2).close().unwrap();
    fs::write(data.join("segments/growing"), note).unwrap();
    let store = open(2);
    append(&store, 40);
    assert!(store.segments().unwrap().len() > 1, "a segment was sealed");
    let fixity = store.verify_segment(1).unwrap();
    for copy in &fixity.replicas {
        assert!(copy.problems.is_empty(), "{:?}", copy.problems);
    }
    store.close().unwrap();
}
