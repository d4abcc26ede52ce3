//! Whole segment files that are cut off, gone, exchanged or of another archive; and damage to both copies at once.

use std::fs;
use std::path::{Path, PathBuf};

use formats::segment::{FRAME_HEADER_BYTES, FrameType};
use serde_json::Value;

use crate::archive::{Archive, Kept, Placed, flip, frames, text_of, writable};

const SEED: u64 = 0x6669_6c65;

/// What happened to a copy, and the medium and segment that must be told.
struct Case {
    what: &'static str,
    change: fn(&Archive),
    told: &'static [(&'static str, u64)],
}

const CASES: &[Case] = &[
    Case {
        what: "cut off by one byte",
        change: |archive| cut_off(archive, "data-a", 0, 1),
        told: &[("data-a", 1)],
    },
    Case {
        what: "cut off by half",
        change: |archive| cut_off(archive, "data-b", 1, 2_000_000),
        told: &[("data-b", 2)],
    },
    Case {
        what: "empty",
        change: |archive| cut_off(archive, "data-a", 1, u64::MAX),
        told: &[("data-a", 2)],
    },
    Case {
        what: "with bytes behind the seal",
        change: |archive| {
            let segment = file(archive, "data-b", 0);
            let longer = [fs::read(&segment).expect("read"), b"more".to_vec()].concat();
            replace(&segment, &longer);
        },
        told: &[("data-b", 1)],
    },
    Case {
        what: "gone",
        change: |archive| fs::remove_file(file(archive, "data-b", 0)).expect("removed"),
        told: &[("data-b", 1)],
    },
    Case {
        what: "exchanged with its neighbour",
        change: |archive| {
            let (first, second) = (file(archive, "data-a", 0), file(archive, "data-a", 1));
            let (one, two) = (
                fs::read(&first).expect("read"),
                fs::read(&second).expect("read"),
            );
            replace(&first, &two);
            replace(&second, &one);
        },
        told: &[("data-a", 1), ("data-a", 2)],
    },
    Case {
        what: "of another archive",
        change: |archive| {
            let other = Archive::sealed(SEED + 1);
            let foreign = fs::read(file(&other, "data-a", 0)).expect("read");
            replace(&file(archive, "data-b", 0), &foreign);
        },
        told: &[("data-b", 1)],
    },
];

#[test]
fn a_copy_that_is_not_the_segment_is_told_and_the_other_serves() {
    let archive = Archive::sealed(SEED);
    let kept = keep_all(&archive);
    for Case { what, change, told } in CASES {
        change(&archive);
        let damage = archive.verify_finds_damage(what);
        let found: Vec<(String, u64)> = damage.iter().map(place_of).collect();
        for (medium, segment) in *told {
            assert!(
                found
                    .iter()
                    .any(|(m, s)| m.ends_with(medium) && s == segment),
                "{what}: {found:?}"
            );
        }
        assert!(
            found.iter().all(|(m, s)| told
                .iter()
                .any(|(medium, segment)| m.ends_with(medium) && s == segment)),
            "{what}: {found:?}"
        );
        archive.fetch_all(what, &[]);
        kept.iter().for_each(Kept::put_back);
    }
    archive.verify_finds_nothing();
}

#[test]
fn a_segment_that_is_gone_everywhere_is_told_with_its_records() {
    let archive = Archive::sealed(SEED);
    let kept = keep_all(&archive);
    let lost: Vec<String> = versions_in(&frames(&file(&archive, "data-a", 1)));
    assert!(!lost.is_empty());
    for medium in ["data-a", "data-b"] {
        fs::remove_file(file(&archive, medium, 1)).expect("removed");
    }
    let run = archive.world.archiver(["verify", "--json"]);
    assert_eq!(run.code, 7, "{}{}", run.stdout, run.stderr);
    for record in &lost {
        let failed = run.json().into_iter().any(|event| {
            event["event"] == "record"
                && event["record"] == record.as_str()
                && event["result"] == "failed"
        });
        assert!(failed, "{record}: {}", run.stdout);
    }
    archive.fetch_all("segment 2 gone everywhere", &[7]);
    kept.iter().for_each(Kept::put_back);
    archive.verify_finds_nothing();
}

/// The index then knows more than any medium holds. To build it anew would hide that records are gone.
#[test]
fn the_newest_segment_gone_everywhere_is_told_until_it_is_back() {
    let archive = Archive::sealed(SEED);
    let kept = keep_all(&archive);
    for medium in ["data-a", "data-b"] {
        let newest = archive.world.segments(medium).into_iter().max();
        fs::remove_file(newest.expect("a segment")).expect("removed");
    }
    for command in [&["verify", "--json"][..], &["search", "--json"], &["stamp"]] {
        let run = archive.world.archiver(command);
        assert_eq!(run.code, 7, "{command:?}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains("LOST"), "{command:?}: {}", run.stderr);
    }
    kept.iter().for_each(Kept::put_back);
    archive.verify_finds_nothing();
}

#[test]
fn damage_to_both_copies_is_the_record_s_failure_and_never_wrong_bytes() {
    let archive = Archive::sealed(SEED);
    let frames = frames(&file(&archive, "data-a", 0));
    for frame_type in [FrameType::ContentChunk, FrameType::RecordVersion] {
        let frame = frames.iter().find(|frame| frame.frame_type == frame_type);
        let frame = frame.expect("a frame");
        let record = frame.record.as_deref().expect("its record");
        let what = format!("both copies of {frame:?}");
        let middle = frame.offset + frame.bytes / 2;
        // As the disk may do it, and as somebody does who mends the checksum.
        for mended in [false, true] {
            let change = || {
                for medium in ["data-a", "data-b"] {
                    flip(&file(&archive, medium, 0), middle, 0);
                    if mended {
                        mend_checksum(&file(&archive, medium, 0), frame);
                    }
                }
            };
            change();
            archive.verify_finds_damage(&what);
            let run = archive.world.archiver(["verify", record, "--json"]);
            assert_eq!(run.code, 7, "{what}: {}{}", run.stdout, run.stderr);
            let verdict = &run.json()[0];
            assert_eq!(verdict["record"], record);
            assert_eq!(verdict["result"], "failed", "{what}: {verdict}");
            let run = archive.get(record);
            assert_eq!(run.code, 7, "{what}: {}", run.stderr);
            archive.fetch_all(&what, &[7]);
            change();
        }
    }
    archive.verify_finds_nothing();
}

#[test]
fn one_good_copy_of_each_frame_is_enough_to_rebuild() {
    let archive = Archive::sealed(SEED);
    let search = || {
        archive
            .world
            .archiver(["search", "--json"])
            .expect_code(0)
            .stdout
    };
    let before = search();
    // Every second frame is damaged on one medium, the others on the other; only the segments' headers stay.
    for number in 0..3 {
        let frames = frames(&file(&archive, "data-a", number));
        for (place, frame) in frames.iter().enumerate().skip(1) {
            let medium = ["data-a", "data-b"][place % 2];
            flip(
                &file(&archive, medium, number),
                frame.offset + frame.bytes / 2,
                5,
            );
        }
    }
    archive.world.archiver(["rebuild"]).expect_code(0);
    assert_eq!(search(), before);
    archive.fetch_all("a damaged frame on either medium", &[]);
    let damage = archive.verify_finds_damage("a damaged frame on either medium");
    let named: Vec<String> = damage
        .iter()
        .map(|event| event["record"].to_string())
        .collect();
    for record in archive.records.keys() {
        assert!(
            named.contains(&format!("\"{record}\"")),
            "{record}: {damage:?}"
        );
    }
}

fn file(archive: &Archive, medium: &str, number: usize) -> PathBuf {
    archive
        .world
        .at(medium)
        .join(format!("segments/{:010}.seg", number + 1))
}

fn keep_all(archive: &Archive) -> Vec<Kept> {
    let media = ["data-a", "data-b"];
    let files = media
        .iter()
        .flat_map(|medium| archive.world.segments(medium));
    files.map(|path| Kept::of(&path)).collect()
}

fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).expect("removed");
    tests::world::put(path, bytes);
}

/// Takes so many bytes off the end.
fn cut_off(archive: &Archive, medium: &str, number: usize, bytes: u64) {
    let file = writable(&file(archive, medium, number));
    let length = file.metadata().expect("metadata").len();
    file.set_len(length.saturating_sub(bytes)).expect("cut off");
}

/// Makes the checksum of a frame right for the bytes that stand there.
fn mend_checksum(segment: &Path, frame: &Placed) {
    use std::os::unix::fs::FileExt;
    let file = writable(segment);
    let mut bytes = vec![0; usize::try_from(frame.bytes).expect("small")];
    file.read_exact_at(&mut bytes, frame.offset).expect("read");
    let (header, body) = bytes.split_at(FRAME_HEADER_BYTES);
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&header[..8]), body);
    file.write_all_at(&checksum.to_be_bytes(), frame.offset + 8)
        .expect("written");
}

fn place_of(event: &Value) -> (String, u64) {
    (
        text_of(&event["medium"]),
        event["segment"].as_u64().expect("a number"),
    )
}

/// The records whose version frame stands here.
fn versions_in(frames: &[Placed]) -> Vec<String> {
    let versions = frames
        .iter()
        .filter(|frame| frame.frame_type == FrameType::RecordVersion);
    versions.filter_map(|frame| frame.record.clone()).collect()
}
