//! Bits of segments: `archiver verify` finds each, says on which medium and in whose record, and the other copy still serves.

use std::path::Path;

use formats::segment::FrameType;
use serde_json::Value;
use tests::random::Random;

use crate::archive::{Archive, Placed, flip, frames};

const SEED: u64 = 0x7365_676d;
/// Positions anywhere in the sealed segments, beside those that the structure suggests.
const POSITIONS: usize = 40;

#[test]
fn a_bit_of_a_sealed_segment_is_found_and_its_record_named() {
    let archive = Archive::sealed(SEED);
    let mut random = Random::new(SEED);
    let mut tried = 0;
    for number in 0..2 {
        let frames = frames(&archive.world.segments("data-a")[number]);
        let mut positions = structural(&frames);
        let end = frames.iter().map(|frame| frame.bytes).sum();
        positions.extend((0..POSITIONS / 2).map(|_| random.below(end)));
        for position in positions {
            let medium = ["data-a", "data-b"][tried % 2];
            let bit = u8::try_from(random.below(8)).expect("a bit");
            let segment = &archive.world.segments(medium)[number];
            let what = format!(
                "{medium}, segment {}, byte {position}, bit {bit}",
                number + 1
            );
            flip(segment, position, bit);
            let damage = archive.verify_finds_damage(&what);
            expect_named(&damage, &frames, medium, number + 1, position, &what);
            flip(segment, position, bit);
            tried += 1;
        }
    }
    archive.verify_finds_nothing();
    println!("{tried} bits of sealed segments, all found");
}

#[test]
fn a_bit_of_the_growing_segment_is_found_too() {
    let archive = Archive::sealed(SEED + 1);
    let mut random = Random::new(SEED);
    let frames = frames(&archive.world.segments("data-a")[2]);
    for (number, frame) in frames.iter().enumerate() {
        if frame.frame_type == FrameType::CommitMark {
            continue;
        }
        let medium = ["data-a", "data-b"][number % 2];
        let segment = &archive.world.segments(medium)[2];
        let position = frame.offset + random.below(frame.bytes);
        let what = format!("{medium}, growing segment, byte {position} of {frame:?}");
        flip(segment, position, 3);
        let damage = archive.verify_finds_damage(&what);
        expect_named(&damage, &frames, medium, 3, position, &what);
        archive.fetch_all(&what, &[]);
        flip(segment, position, 3);
    }
    archive.verify_finds_nothing();
}

/// First and last byte, header and body of the first frames, and of the index and the seal.
fn structural(frames: &[Placed]) -> Vec<u64> {
    let [.., index, seal] = frames else {
        panic!("a sealed segment ends with index and seal")
    };
    assert_eq!(index.frame_type, FrameType::SegmentIndex);
    assert_eq!(seal.frame_type, FrameType::SegmentSeal);
    let mut positions = Vec::new();
    for frame in [&frames[0], &frames[1], index, seal] {
        // Length, type, checksum, body, end.
        let inside = [0, 4, 8, 12, frame.bytes / 2, frame.bytes - 1];
        positions.extend(inside.map(|at| frame.offset + at));
    }
    positions
}

/// The damage is on that medium, in that segment and, where the byte belongs to a record, in that record.
fn expect_named(
    damage: &[Value],
    frames: &[Placed],
    medium: &str,
    segment: usize,
    position: u64,
    what: &str,
) {
    for event in damage {
        let at = Path::new(event["medium"].as_str().expect("a medium"));
        assert!(at.ends_with(medium), "{what}: {event}");
        assert_eq!(event["segment"], segment, "{what}");
    }
    let hit = |frame: &&Placed| (frame.offset..frame.offset + frame.bytes).contains(&position);
    let frame = frames.iter().find(hit).expect("a frame");
    if let Some(record) = &frame.record {
        assert!(
            damage
                .iter()
                .any(|event| event["record"] == record.as_str()),
            "{what}: record {record} is not named: {damage:?}"
        );
    }
}
