mod crashes;

use std::collections::BTreeSet;

use formats::digest::DigestAlgorithm;
use formats::id::BatchId;
use formats::segment::{
    ArchiveTimeStamp, CompactionMap, Leaves, SegmentSeal, TimeStampKind, TreePage,
};

use super::*;
use crate::store::compaction::{Compacted, CompactionPlan, KeyFacts};
use crate::store::durable::faults::{Call, Fault, Outcome, Random};

const RECORDS: u32 = 60;

fn tree_page(batch: u8) -> Frame {
    Frame::TreePage(TreePage {
        batch: BatchId::from_bytes([batch; 16]),
        algorithm: DigestAlgorithm::Sha256,
        level: 0,
        first: 0,
        nodes: vec![batch; 320],
    })
}

fn stamp(tree: u8, page: FrameAddress) -> Frame {
    Frame::ArchiveTimeStamp(ArchiveTimeStamp {
        batch: BatchId::from_bytes([tree; 16]),
        kind: TimeStampKind::Initial,
        track: 0,
        algorithm: DigestAlgorithm::Sha256,
        stamped_at: datetime!(2026-11-22 03:48:30 UTC),
        leaf_count: 1,
        tree: BatchId::from_bytes([tree; 16]),
        tree_pages: vec![page],
        leaf_pages: vec![],
        leaves: Leaves::Versions(vec![version(0)]),
        tsa: "test".to_owned(),
        token: vec![0x30, 0],
    })
}

/// Sealed segments with records, chunks without a version, pages of a completed and of a failed batch.
pub(super) fn archive(replicas: u32) -> Media {
    let media = Media::with_small_segments(replicas);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    let page = appender.append(tree_page(1)).unwrap();
    appender.append(tree_page(2)).unwrap();
    appender.append(stamp(1, page)).unwrap();
    for number in 0..RECORDS {
        if number.is_multiple_of(7) {
            appender.append(chunk(1000 + number, 200)).unwrap();
        }
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
    }
    store.close().unwrap();
    media
}

pub(super) fn odd(version: VersionId) -> bool {
    let tail: [u8; 4] = version.record().as_bytes()[12..].try_into().unwrap();
    u32::from_be_bytes(tail) % 2 == 1
}

/// Records of low numbers: whole segments of them.
fn low(version: VersionId) -> bool {
    let tail: [u8; 4] = version.record().as_bytes()[12..].try_into().unwrap();
    u32::from_be_bytes(tail) < 40
}

/// What the key ledger would say.
pub(super) struct Keys<'a> {
    pub(super) destroyed: &'a dyn Fn(VersionId) -> bool,
    pub(super) held: &'a dyn Fn(VersionId) -> bool,
}

impl KeyFacts for Keys<'_> {
    fn is_destroyed(&self, version: VersionId) -> bool {
        (self.destroyed)(version)
    }

    fn is_held(&self, version: VersionId) -> bool {
        (self.held)(version)
    }
}

fn plan(store: &Store, destroyed: &dyn Fn(VersionId) -> bool) -> CompactionPlan {
    let held: &dyn Fn(VersionId) -> bool = &|_| false;
    let keys = Keys { destroyed, held };
    store.plan_compaction(&keys, &mut |_| {}).unwrap()
}

pub(super) fn compact(
    store: &Store,
    destroyed: &dyn Fn(VersionId) -> bool,
) -> Result<Vec<(u32, Compacted)>, StoreError> {
    let held: &dyn Fn(VersionId) -> bool = &|_| false;
    compact_with(store, &Keys { destroyed, held })
}

pub(super) fn compact_with(
    store: &Store,
    keys: &Keys<'_>,
) -> Result<Vec<(u32, Compacted)>, StoreError> {
    let planned = store.plan_compaction(keys, &mut |_| {})?;
    let segments: Vec<u32> = planned.segments.iter().map(|one| one.segment).collect();
    let mut results = Vec::new();
    store.compact(
        &segments,
        keys,
        &mut |_| {},
        &mut |_, _| Ok::<(), StoreError>(()),
        &mut |segment, compacted| {
            results.push((segment, compacted.clone()));
            Ok(())
        },
    )?;
    Ok(results)
}

/// Every frame that must stay, at its old address; every dropped chunk gone.
fn assert_kept(store: &Store, before: &[ScanItem], destroyed: &dyn Fn(VersionId) -> bool) {
    for item in before {
        let dropped = match &item.frame {
            Frame::ContentChunk(chunk) => {
                let tail = chunk.header.version.record();
                destroyed(chunk.header.version) || tail.as_bytes()[14] >= 3
            }
            Frame::TreePage(page) => page.batch == BatchId::from_bytes([2; 16]),
            Frame::SegmentHeader(_) | Frame::SegmentIndex(_) | Frame::SegmentSeal(_) => continue,
            Frame::RecordVersion(_)
            | Frame::ArchiveTimeStamp(_)
            | Frame::Event(_)
            | Frame::CommitMark(_)
            | Frame::LeafPage(_)
            | Frame::FurtherDigests(_)
            | Frame::ValidationMaterial(_)
            | Frame::Signature(_)
            | Frame::Receipt(_)
            | Frame::CompactionMap(_) => false,
        };
        let read = store.read(item.address);
        if dropped {
            assert!(
                matches!(read, Err(StoreError::NotFound { address }) if address == item.address),
                "{} {read:?}",
                item.address
            );
        } else {
            assert_eq!(read.unwrap(), item.frame);
        }
    }
}

fn everything(store: &Store) -> Vec<ScanItem> {
    let items = store.scan(None, ScanScope::Everything);
    items.map(|item| item.unwrap()).collect()
}

pub(super) fn sealed_frames(media: &Media) -> Vec<ScanItem> {
    let store = media.read_only();
    let last = *store.segments().unwrap().last().unwrap();
    let mut items = everything(&store);
    items.retain(|item| item.address.segment < last);
    items
}

#[test]
fn destroyed_contents_go_and_everything_else_stays_at_its_address() {
    for destroyed in [odd as fn(VersionId) -> bool, |version| {
        low(version) || odd(version)
    }] {
        let media = archive(2);
        let before = sealed_frames(&media);
        let bytes_before: u64 = (1..=3)
            .map(|segment| media.bytes(0, segment).len() as u64)
            .sum();
        let (store, _) = media.open(1);
        let results = compact(&store, &destroyed).unwrap();
        assert!(
            results
                .iter()
                .any(|(_, one)| matches!(one, Compacted::Done(_)))
        );
        let versions: BTreeSet<VersionId> = results
            .iter()
            .filter_map(|(_, one)| match one {
                Compacted::Done(done) => Some(done.versions.clone()),
                Compacted::Nothing | Compacted::BroughtUp | Compacted::Unhealthy { .. } => None,
            })
            .flatten()
            .collect();
        assert!(versions.iter().all(|&version| destroyed(version)));
        assert_kept(&store, &before, &destroyed);
        store.close().unwrap();
        media.assert_replicas_equal();
        let bytes_after: u64 = (1..=3)
            .map(|segment| media.bytes(0, segment).len() as u64)
            .sum();
        assert!(bytes_after < bytes_before);
        for boot in [None, Some(2)] {
            let store = boot.map_or_else(|| media.read_only(), |boot| media.open(boot).0);
            assert_kept(&store, &before, &destroyed);
            for segment in store.segments().unwrap() {
                assert!(store.verify_segment(segment).unwrap().is_intact());
            }
            let records = store.scan(None, ScanScope::Records);
            let found = records.filter(|item| {
                matches!(
                    item,
                    Ok(ScanItem {
                        frame: Frame::RecordVersion(_),
                        ..
                    })
                )
            });
            assert_eq!(found.count(), RECORDS as usize);
            assert!(plan(&store, &destroyed).segments.is_empty());
        }
    }
}

#[test]
fn the_plan_says_what_compacting_does() {
    let media = archive(2);
    let (store, _) = media.open(1);
    let planned = plan(&store, &odd);
    let sizes: Vec<u64> = planned
        .segments
        .iter()
        .map(|one| media.bytes(0, one.segment).len() as u64)
        .collect();
    compact(&store, &odd).unwrap();
    for (one, before) in planned.segments.iter().zip(sizes) {
        assert_eq!(one.bytes, before);
        assert_eq!(one.bytes_after, media.bytes(1, one.segment).len() as u64);
        assert!(one.freed_bytes() > 0 && one.live_percent() <= 100);
    }
    assert!(planned.sealed >= planned.segments.len() as u64);
}

#[test]
fn a_segment_is_compacted_again() {
    let media = archive(2);
    let before = sealed_frames(&media);
    let (store, _) = media.open(1);
    compact(&store, &|version| odd(version) && low(version)).unwrap();
    let results = compact(&store, &odd).unwrap();
    let again = results.iter().any(
        |(_, one)| matches!(one, Compacted::Done(done) if done.generation == 2 && !done.versions.is_empty()),
    );
    assert!(again, "{results:?}");
    assert_kept(&store, &before, &odd);
    store.close().unwrap();
    media.assert_replicas_equal();
    assert_kept(&media.open(3).0, &before, &odd);
}

#[test]
fn what_a_running_process_may_still_name_stays() {
    let media = Media::with_small_segments(1);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    let unnamed = appender.append(chunk(1, 2000)).unwrap();
    appender.append(tree_page(2)).unwrap();
    let mut last = unnamed;
    for number in 2..40 {
        last = deposit(&appender, number).unwrap();
    }
    appender.commit(last).unwrap();
    assert!(last.segment > unnamed.segment);
    assert!(plan(&store, &|_| false).segments.is_empty());
    let named = appender.append(record(1, unnamed)).unwrap();
    appender.commit(named).unwrap();
    store.close().unwrap();
    let planned = plan(&media.read_only(), &|_| false);
    assert_eq!(
        planned.segments.len(),
        1,
        "the page of the batch that failed"
    );
    assert_eq!(planned.segments[0].orphans, 1);
    assert_eq!(planned.segments[0].destroyed_chunks, 0);
}

#[test]
fn kept_runs_are_pieces_of_the_original() {
    let media = archive(1);
    let original = media.bytes(0, 1);
    let (store, _) = media.open(1);
    compact(&store, &odd).unwrap();
    let new = media.bytes(0, 1);
    let map = &new[CompactionMap::OFFSET as usize..];
    let length = formats::segment::FrameHeader::parse(map)
        .unwrap()
        .frame_bytes();
    let Frame::CompactionMap(map) = Frame::parse(&map[..length]).unwrap() else {
        panic!("no map");
    };
    assert_eq!(map.original_length, original.len() as u64);
    let seal = &original[original.len() - SegmentSeal::FRAME_BYTES..];
    let Frame::SegmentSeal(seal) = Frame::parse(seal).unwrap() else {
        panic!("no seal");
    };
    assert_eq!(
        (map.original_digest, map.original_index_offset),
        (seal.digest, seal.index_offset)
    );
    for run in map.runs {
        use sha2::{Digest, Sha256};
        let kept = &original[run.offset as usize..(run.offset + run.length) as usize];
        assert_eq!(run.digest, <[u8; 32]>::from(Sha256::digest(kept)));
    }
}

#[test]
fn a_damaged_map_is_read_from_its_second_place() {
    let media = archive(1);
    let before = sealed_frames(&media);
    let (store, _) = media.open(1);
    compact(&store, &odd).unwrap();
    store.close().unwrap();
    let whole = media.bytes(0, 1);
    for byte in [
        CompactionMap::OFFSET as usize + 3,
        CompactionMap::OFFSET as usize + 40,
    ] {
        flip(&media.segment(0, 1), byte * 8);
        let store = media.read_only();
        assert_kept(&store, &before, &odd);
        assert!(!store.verify_segment(1).unwrap().is_intact());
        put(&media.segment(0, 1), &whole);
    }
    // Both maps: nothing is read at a wrong place.
    let second = whole.len() - SegmentSeal::FRAME_BYTES - 20;
    flip(&media.segment(0, 1), second * 8);
    flip(
        &media.segment(0, 1),
        (CompactionMap::OFFSET as usize + 40) * 8,
    );
    let store = media.read_only();
    for item in before.iter().filter(|item| item.address.segment == 1) {
        assert!(matches!(
            store.read(item.address),
            Err(StoreError::Damaged { .. })
        ));
    }
    assert!(
        store
            .scan(None, ScanScope::Everything)
            .any(|item| item.is_err())
    );
}

#[test]
fn any_flipped_bit_of_a_compacted_segment_is_found_and_worked_around() {
    let media = archive(2);
    let before = sealed_frames(&media);
    let (store, _) = media.open(1);
    compact(&store, &odd).unwrap();
    store.close().unwrap();
    let whole = media.bytes(0, 1);
    let mut random = Random(11);
    for byte in (0..whole.len()).step_by(5) {
        let bit = byte * 8 + random.below(8) as usize;
        flip(&media.segment(0, 1), bit);
        let store = media.read_only();
        let fixity = store.verify_segment(1).unwrap();
        assert!(!fixity.replicas[0].problems.is_empty(), "bit {bit}");
        assert!(fixity.replicas[1].problems.is_empty());
        if byte % 50 == 0 {
            assert_kept(&store, &before, &odd);
        }
        put(&media.segment(0, 1), &whole);
    }
}

#[test]
fn a_damaged_or_absent_copy_is_healed_first() {
    let media = archive(2);
    let whole = media.bytes(1, 1);
    flip(&media.segment(1, 1), 3000 * 8);
    let (store, _) = media.open(1);
    let results = compact(&store, &odd).unwrap();
    assert!(
        matches!(&results[0], (1, Compacted::Unhealthy { directory, .. }) if *directory == media.directories[1])
    );
    assert_eq!(media.bytes(0, 1), media.bytes(0, 1));
    store.close().unwrap();
    std::fs::remove_file(media.segment(1, 1)).unwrap();
    let (store, _) = media.open(1);
    let results = compact(&store, &odd).unwrap();
    assert!(matches!(&results[0], (1, Compacted::Unhealthy { .. })));
    store.close().unwrap();
    put(&media.segment(1, 1), &whole);
    let (store, _) = media.open(1);
    let results = compact(&store, &odd).unwrap();
    assert!(matches!(&results[0], (1, Compacted::Done(_))));
}

#[test]
fn readers_compact_nothing() {
    let media = archive(1);
    let store = media.read_only();
    assert!(!plan(&store, &odd).segments.is_empty());
    assert!(matches!(compact(&store, &odd), Err(StoreError::ReadOnly)));
}
