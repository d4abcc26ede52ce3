use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use firmware::clock::SimulatedClock;
use formats::segment::{RecordVersion, SIDE_OBJECTS};
use time::macros::datetime;

use super::*;
use crate::record::fixture::{Fixture, request};
use crate::record::outcome::DepositEvent;
use crate::store::durable::system_disk;
use crate::store::scrub::{Pace, Scrub, ScrubMedia};

/// An archive with two records of one size, and where they stand.
struct Bench {
    fixture: Fixture,
    versions: Vec<(VersionId, FrameAddress)>,
    whole: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let fixture = Fixture::new();
        let one = fixture.file("one.log", "one\nand another line\n".repeat(400));
        let two = fixture.file("two.log", "two\nand another line\n".repeat(400));
        let (_, events) = fixture.deposit_as(&request("system-log", &[]), &[&one, &two]);
        let version = |event: &DepositEvent| {
            let DepositEvent::Deposited(record) = event else {
                panic!("{event:?}");
            };
            record.version
        };
        let versions = events.iter().map(version).map(|version| {
            let hit = fixture.catalog.version(version).unwrap().unwrap();
            (version, hit.address)
        });
        let versions = versions.collect();
        let mut bench = Self {
            fixture,
            versions,
            whole: Vec::new(),
        };
        bench.whole = bench.bytes(0);
        assert_eq!(bench.whole, bench.bytes(1));
        bench
    }

    fn segment(&self, medium: usize) -> PathBuf {
        let directory = &self.fixture.store.directories()[medium];
        directory.join("segments").join("0000000001.seg")
    }

    fn bytes(&self, medium: usize) -> Vec<u8> {
        std::fs::read(self.segment(medium)).unwrap()
    }

    fn write(&self, medium: usize, offset: u64, bytes: &[u8]) {
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(self.segment(medium))
            .unwrap();
        file.write_all_at(bytes, offset).unwrap();
    }

    /// Writes another frame of the same length, with a right checksum.
    fn forge(&self, medium: usize, address: FrameAddress, frame: Frame) {
        let old = self.fixture.store.read(address).unwrap();
        let length = |frame: &Frame| frame.clone().encode().unwrap().frame_bytes();
        assert_eq!(length(&old), length(&frame));
        assert_ne!(old, frame);
        self.write(
            medium,
            address.offset,
            &frame.encode().unwrap().into_bytes(),
        );
    }

    fn record(&self, number: usize) -> RecordVersion {
        let frame = self.fixture.store.read(self.versions[number].1).unwrap();
        let Frame::RecordVersion(record) = frame else {
            panic!("{frame:?}");
        };
        record
    }

    /// A changed chunk: the first one of the content, or of its line index.
    fn forged_chunk(&self, side: bool) -> (FrameAddress, Frame) {
        let record = self.record(0);
        let mut contents = record.contents.iter();
        let content = contents.find(|one| (one.object >= SIDE_OBJECTS) == side);
        let address = content.unwrap().chunks[0];
        let Frame::ContentChunk(mut chunk) = self.fixture.store.read(address).unwrap() else {
            panic!("no chunk at {address}");
        };
        chunk.sealed[3] ^= 1;
        (address, Frame::ContentChunk(chunk))
    }

    fn media(&self) -> ScrubMedia {
        ScrubMedia::of_store(&self.fixture.store).unwrap()
    }

    fn scrub(&self) -> (DeepFindings, DeepSegment) {
        let media = self.media().media();
        let store = &self.fixture.store;
        let deep = DeepScrub::of(self.fixture.retriever(), store, &media);
        let mut found = DeepFindings::default();
        let segment = deep.segment(1, &self.versions, &mut found);
        (found, segment)
    }

    fn heal(&self, suspects: &[Suspect], heal: bool) -> Vec<SegmentHealing> {
        let clock = SimulatedClock::new(datetime!(2026-11-22 03:48:30 UTC));
        let (media, disk) = (self.media(), system_disk());
        let scrub = Scrub {
            media: &media,
            pace: &Pace::unbounded(Arc::new(clock)),
            heal: false,
            parity: None,
            state_file: &self.fixture.path("state"),
            disk: disk.as_ref(),
        };
        if !heal {
            return scrub.heal_suspects(suspects).unwrap();
        }
        // The store of this test holds the locks.
        let mut segments: Vec<u32> = suspects.iter().map(|one| one.segment).collect();
        segments.dedup();
        let heal = |segment| media.heal(segment, suspects).unwrap();
        segments.into_iter().map(heal).collect()
    }

    fn places(&self, suspects: &[Suspect]) -> Vec<(usize, FrameAddress)> {
        let media = self.media().media();
        let place = |suspect: &Suspect| {
            let medium = media.iter().position(|one| *one == suspect.medium);
            let address = FrameAddress::new(suspect.segment, suspect.offset);
            (medium.unwrap(), address)
        };
        suspects.iter().map(place).collect()
    }

    fn assert_whole(&self) {
        assert!(self.bytes(0) == self.whole && self.bytes(1) == self.whole);
    }
}

/// The media that a segment proves.
fn proven(segment: &DeepSegment, found: &DeepFindings, healings: &[SegmentHealing]) -> usize {
    segment.done(&found.suspects, healings).whole.len()
}

#[test]
fn whole_records_are_proven_on_every_medium() {
    let bench = Bench::new();
    let (found, segment) = bench.scrub();
    assert_eq!((found.versions, found.suspects.len()), (2, 0));
    assert!(found.wrong.is_empty() && found.bytes > 0);
    assert_eq!(proven(&segment, &found, &[]), 2);
}

#[test]
fn a_record_version_that_names_other_chunks_is_healed_from_the_right_one() {
    for medium in [0, 1] {
        let bench = Bench::new();
        let (mut record, other) = (bench.record(0), bench.record(1));
        record.contents = other.contents;
        let address = bench.versions[0].1;
        bench.forge(medium, address, Frame::RecordVersion(record));
        let (found, segment) = bench.scrub();
        assert_eq!(bench.places(&found.suspects), [(medium, address)]);
        assert!(found.wrong.is_empty(), "{found:?}");
        assert_eq!(found.versions, 2);
        assert_eq!(proven(&segment, &found, &[]), 1);
        let seen = bench.heal(&found.suspects, false);
        assert_eq!(proven(&segment, &found, &seen), 1);
        let healings = bench.heal(&found.suspects, true);
        assert_eq!(proven(&segment, &found, &healings), 2);
        bench.assert_whole();
    }
}

#[test]
fn nobody_is_suspected_where_frames_differ_in_what_is_not_sealed() {
    for medium in [0, 1] {
        let bench = Bench::new();
        let mut record = bench.record(0);
        record.identity[5] ^= 1;
        let address = bench.versions[0].1;
        bench.forge(medium, address, Frame::RecordVersion(record));
        let (found, segment) = bench.scrub();
        assert!(found.suspects.is_empty(), "{found:?}");
        assert_eq!((found.versions, found.wrong.len()), (1, 1));
        assert_eq!(found.wrong[0].offset, address.offset);
        assert_eq!(proven(&segment, &found, &[]), 0);
    }
}

#[test]
fn nothing_is_healed_where_no_medium_has_the_contents() {
    let bench = Bench::new();
    let (address, chunk) = bench.forged_chunk(false);
    bench.forge(0, address, chunk.clone());
    bench.write(1, address.offset, &chunk.encode().unwrap().into_bytes());
    let mut record = bench.record(0);
    record.identity[5] ^= 1;
    bench.forge(1, bench.versions[0].1, Frame::RecordVersion(record));
    let (found, segment) = bench.scrub();
    assert!(found.suspects.is_empty(), "{found:?}");
    assert_eq!((found.versions, found.wrong.len()), (1, 1));
    assert_eq!(proven(&segment, &found, &[]), 0);
}

#[test]
fn a_forged_chunk_of_content_or_lines_is_healed_on_whichever_medium_it_is() {
    for (side, medium) in [(false, 0), (false, 1), (true, 0), (true, 1)] {
        let bench = Bench::new();
        let (address, chunk) = bench.forged_chunk(side);
        bench.forge(medium, address, chunk);
        let (found, segment) = bench.scrub();
        assert_eq!(bench.places(&found.suspects), [(medium, address)]);
        assert_eq!(proven(&segment, &found, &[]), 1);
        bench.heal(&found.suspects, true);
        bench.assert_whole();
    }
}

#[test]
fn a_copy_that_was_healed_since_is_not_suspected_any_more() {
    let bench = Bench::new();
    let (address, chunk) = bench.forged_chunk(false);
    bench.forge(0, address, chunk);
    let (found, segment) = bench.scrub();
    assert_eq!(bench.places(&found.suspects), [(0, address)]);
    // Before the media are locked, another process heals this copy, and then the other one is damaged.
    bench.write(0, 0, &bench.whole);
    let healings = bench.heal(&found.suspects, true);
    assert!(healings[0].was_whole(), "{healings:?}");
    assert_eq!(proven(&segment, &found, &healings), 1);
    let place = usize::try_from(address.offset).unwrap() + 40;
    bench.write(1, address.offset + 40, &[bench.whole[place] ^ 1]);
    let healings = bench.heal(&found.suspects, true);
    assert!(healings[0].losses.is_empty(), "{healings:?}");
    bench.assert_whole();
}

#[test]
fn a_record_version_without_its_key_proves_nothing() {
    let bench = Bench::new();
    let media = bench.media().media();
    let store = &bench.fixture.store;
    let deep = DeepScrub::of(bench.fixture.retriever(), store, &media);
    let mut found = DeepFindings::default();
    let mut record = bench.record(0);
    let (version, address) = bench.versions[0];
    let strange = VersionId::new(version.record(), 7).unwrap();
    record.version = strange;
    for medium in [0, 1] {
        let bytes = Frame::RecordVersion(record.clone()).encode().unwrap();
        bench.write(medium, address.offset, &bytes.into_bytes());
    }
    let segment = deep.segment(1, &[(strange, address)], &mut found);
    assert_eq!((found.without_key, found.key_missing), (1, 1));
    assert!(found.wrong.is_empty() && found.suspects.is_empty());
    assert_eq!(proven(&segment, &found, &[]), 0);
}
