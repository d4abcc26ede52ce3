use std::collections::BTreeSet;

use archiver::archive::Access;
use archiver::event::Topic;
use archiver::space::{self, ContentsDropped, SpaceFreed};
use formats::id::RecordId;
use formats::segment::{FRAME_HEADER_BYTES, FrameHeader, FrameType};

use super::*;

#[test]
fn destroyed_records_give_their_room_back_and_their_neighbours_stay_proven() {
    let world = World::new(1);
    let archive = world.open(Access::Write);
    let versions = fill(&archive, &world, 30, 700_000);
    let (kept, destroyed): (Vec<_>, Vec<_>) = versions
        .iter()
        .partition(|version| version.record().as_bytes()[15] % 4 == 0);
    assert!(kept.len() > 2 && destroyed.len() > 10);
    assert_eq!(passing(&archive, &versions), versions);
    assert!(
        space::plan(&archive, &mut |_| {})
            .unwrap()
            .segments
            .is_empty()
    );
    destroy(&archive, &destroyed);
    let plan = space::plan(&archive, &mut |_| {}).unwrap();
    let expected: u64 = plan.segments.iter().map(|one| one.freed_bytes()).sum();
    assert!(expected > destroyed.len() as u64 * 500_000, "{expected}");
    let segments = plan.segments.iter().filter(|one| one.is_due(95));
    let expected_named: BTreeSet<RecordId> = segments
        .flat_map(|one| with_chunks(&world, one.segment))
        .filter(|record| destroyed.iter().any(|version| version.record() == *record))
        .collect();
    let report = space::compact(&archive, "tester", &plan, 95, &mut |_| {}).unwrap();
    assert!(report.unhealthy.is_empty());
    for medium in &report.freed.media {
        let freed = medium.stored_before - medium.stored_after;
        assert!(
            freed + 65_536 > report.freed.bytes,
            "{medium:?} {}",
            report.freed.bytes
        );
    }
    assert_kept(&archive, &kept, &destroyed);
    assert_named(&archive, &expected_named, report.freed.bytes);
    archive.close().unwrap();

    // One medium alone, without the index.
    std::fs::remove_dir_all(world.path("index")).unwrap();
    let alone = Config {
        data: vec![world.path("data-b")],
        ..world.config.clone()
    };
    let archive = world.open_config(alone, Access::Read);
    assert_kept(&archive, &kept, &destroyed);
    archive.close().unwrap();

    // The archive goes on.
    let archive = world.open(Access::Write);
    let more = fill(&archive, &world, 3, 1000);
    assert_eq!(passing(&archive, &more), more);
    assert_kept(&archive, &kept, &destroyed);
    let again = space::plan(&archive, &mut |_| {}).unwrap();
    assert!(
        !again.segments.iter().any(|one| one.is_due(95)),
        "{again:?}"
    );
    archive.close().unwrap();
}

fn assert_kept(archive: &Archive, kept: &[VersionId], destroyed: &[VersionId]) {
    assert_eq!(passing(archive, kept), kept);
    for version in kept {
        export(archive, *version).unwrap();
    }
    assert!(passing(archive, destroyed).is_empty());
    for version in destroyed {
        // The record version frame and the leaf stay: the proof of what was destroyed.
        let hit = archive.catalog().version(*version).unwrap().unwrap();
        assert!(archive.store().read(hit.address).is_ok());
        assert!(archive.catalog().batch_of(*version).unwrap().is_some());
    }
    for segment in archive.store().segments().unwrap() {
        assert!(archive.store().verify_segment(segment).unwrap().is_intact());
    }
}

/// The records that have content in a segment.
fn with_chunks(world: &World, segment: u32) -> BTreeSet<RecordId> {
    let path = world.path(&format!("data-a/segments/{segment:010}.seg"));
    let bytes = std::fs::read(path).unwrap();
    let mut found = BTreeSet::new();
    let mut at = 0;
    while at < bytes.len() {
        let header = FrameHeader::parse(&bytes[at..]).unwrap();
        if header.frame_type == FrameType::ContentChunk {
            let body = &bytes[at + FRAME_HEADER_BYTES..];
            found.insert(RecordId::from_bytes(*body.first_chunk().unwrap()));
        }
        at += header.frame_bytes();
    }
    found
}

/// What was dropped stands in events, version by version: these, and no others.
fn assert_named(archive: &Archive, destroyed: &BTreeSet<RecordId>, bytes: u64) {
    let mut named = BTreeSet::new();
    let mut freed = None;
    let mut each = |event: archiver::event::RecordedEvent| {
        if let Some(dropped) = event.as_::<ContentsDropped>() {
            named.extend(dropped.versions);
        }
        freed = event.as_::<SpaceFreed>().or(freed.take());
        true
    };
    archive.catalog().events(Topic::Records, &mut each).unwrap();
    let destroyed: BTreeSet<String> = destroyed
        .iter()
        .map(|record| format!("{record}/1"))
        .collect();
    assert_eq!(named, destroyed);
    assert!(named.len() > 10);
    assert_eq!(freed.unwrap().bytes, bytes);
}

#[test]
fn nothing_of_a_key_that_is_only_missing_is_dropped() {
    let world = World::new(2);
    let archive = world.open(Access::Write);
    fill(&archive, &world, 8, 700_000);
    archive.close().unwrap();
    // The ledger lost its entries, and no destruction is on record.
    for entry in std::fs::read_dir(world.path("keys/ledger")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        // The catalog's key is the first entry behind the header.
        put(&path, &bytes[..64 + 96]);
    }
    let archive = world.open(Access::Read);
    let plan = space::plan(&archive, &mut |_| {}).unwrap();
    assert!(plan.segments.is_empty());
    assert!(plan.sealed > 0);
}
