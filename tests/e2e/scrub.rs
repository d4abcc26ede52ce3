//! Bits flip on one medium: a scrub finds them, heals them from the other, and says so.

use std::fs;

use tests::random::Random;
use tests::world::World;

use crate::events;

/// Twelve records in several segments.
pub(crate) fn filled() -> World {
    let world = World::new();
    let mut random = Random::new(25);
    for number in 0..12 {
        let bytes: Vec<u8> = (0..400_000).map(|_| random.below(256) as u8).collect();
        world.file(&format!("in/{number:02}.bin"), &bytes);
    }
    let text = fs::read_to_string(world.at("fumikura.toml")).expect("configuration");
    let text = text.replace("max_bytes = 268435456", "max_bytes = 4194304");
    tests::world::put(&world.at("fumikura.toml"), text.as_bytes());
    world
        .archiver(["deposit", "in", "--class", "general"])
        .expect_code(0);
    world
}

fn copies(world: &World) -> Vec<(Vec<u8>, Vec<u8>)> {
    let names = world.segments("data-a").into_iter();
    names
        .map(|path| {
            let name = path.file_name().expect("a name").to_owned();
            let other = world.at("data-b").join("segments").join(name);
            (fs::read(path).expect("a"), fs::read(other).expect("b"))
        })
        .collect()
}

fn assert_equal(world: &World) {
    for (number, (a, b)) in copies(world).into_iter().enumerate() {
        assert!(a == b, "segment {} differs", number + 1);
    }
}

#[test]
fn flipped_bits_are_healed_and_both_media_are_equal_again() {
    let world = filled();
    assert_equal(&world);
    let mut random = Random::new(7);
    for medium in ["data-a", "data-b"] {
        for (number, path) in world.segments(medium).iter().enumerate() {
            if (number % 2 == 0) != (medium == "data-a") {
                continue;
            }
            let mut bytes = fs::read(path).expect("a segment");
            let place = 100 + random.below(bytes.len() as u64 / 2) as usize;
            bytes[place] ^= 0x40;
            fs::remove_file(path).expect("removed");
            tests::world::put(path, &bytes);
        }
    }
    world
        .archiver(["scrub", "--no-heal", "--no-record"])
        .expect_code(7);
    let lines = world.archiver(["scrub", "--json"]).expect_code(0).json();
    assert!(!events(&lines, "damaged").is_empty(), "{lines:?}");
    let summary = events(&lines, "summary")[0].clone();
    assert_eq!(summary["damaged"], 0, "{summary}");
    assert_eq!(summary["lost"], 0, "{summary}");
    assert_equal(&world);
    world.archiver(["verify"]).expect_code(0);
    // Every record is proven now, and the report says so.
    for hit in world.archiver(["search", "--json"]).expect_code(0).json() {
        assert!(hit["proven_at"].is_string(), "{hit}");
        assert!(hit["content_proven_at"].is_null(), "{hit}");
    }
    let report = world.archiver(["scrub", "--report", "--json"]);
    let report = report.expect_code(0).json();
    assert_eq!(report[0]["overdue"]["segments"], 0, "{report:?}");
    world.archiver(["scrub", "--deep"]).expect_code(0);
    for hit in world.archiver(["search", "--json"]).expect_code(0).json() {
        assert!(hit["content_proven_at"].is_string(), "{hit}");
    }
}

#[test]
fn parity_heals_a_single_medium_and_what_is_lost_is_named() {
    let world = filled();
    let text = fs::read_to_string(world.at("fumikura.toml")).expect("configuration");
    let text = text.replace(
        "max_bytes = 4194304",
        "max_bytes = 4194304\nparity = \"10+2\"",
    );
    tests::world::put(&world.at("fumikura.toml"), text.as_bytes());
    world.archiver(["scrub", "--add-parity"]).expect_code(0);
    let first = &world.segments("data-a")[0];
    let whole = fs::read(first).expect("a segment");
    let other = world
        .at("data-b/segments")
        .join(first.file_name().expect("a name"));
    // The same hole on both media: only parity has the bytes.
    let hole = |from: usize, bytes: usize| {
        let mut damaged = whole.clone();
        damaged[from..from + bytes].fill(0xEE);
        for path in [first, &other] {
            fs::remove_file(path).expect("removed");
            tests::world::put(path, &damaged);
        }
    };
    hole(500_000, 600_000);
    world.archiver(["scrub"]).expect_code(0);
    assert!(fs::read(first).expect("a") == whole && fs::read(&other).expect("b") == whole);
    hole(500_000, 1_500_000);
    let lines = world.archiver(["scrub", "--json"]).expect_code(7).json();
    let lost = events(&lines, "lost");
    assert!(!lost.is_empty(), "{lines:?}");
    let named = lost
        .iter()
        .any(|one| one["records"].to_string().contains(".bin"));
    assert!(named, "{lost:?}");
}

/// Changes a byte of the first content chunk and mends its checksum: only the keys can tell.
fn forge(path: &std::path::Path) {
    let mut bytes = fs::read(path).expect("a segment");
    let mut at = 0;
    while bytes[at + 4] != 2 {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        at += 12 + length as usize;
    }
    let length = u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
    bytes[at + 12 + 1000] ^= 1;
    let checksum = crc32c::crc32c_append(
        crc32c::crc32c(&bytes[at..at + 8]),
        &bytes[at + 12..at + 12 + length],
    );
    bytes[at + 8..at + 12].copy_from_slice(&checksum.to_be_bytes());
    fs::remove_file(path).expect("removed");
    tests::world::put(path, &bytes);
}

#[test]
fn a_forged_chunk_is_read_from_the_other_medium_and_healed_by_the_deep_scrub() {
    let world = filled();
    forge(&world.segments("data-a")[0]);
    let hits = world.archiver(["search", "--json"]).expect_code(0).json();
    for hit in &hits {
        let record = hit["record"].as_str().expect("an id");
        world
            .archiver(["get", record, "-o", "out.bin"])
            .expect_code(0);
        fs::remove_file(world.at("out.bin")).expect("written");
    }
    let lines = world
        .archiver(["scrub", "--deep", "--json"])
        .expect_code(0)
        .json();
    assert!(!events(&lines, "damaged").is_empty(), "{lines:?}");
    assert_equal(&world);
}

#[test]
fn bad_arguments_are_refused() {
    let world = World::new();
    for bad in [
        ["scrub", "--part", "0/30"],
        ["scrub", "--part", "31/30"],
        ["scrub", "--oldest", "none"],
        ["scrub", "--pace", "fast"],
        ["scrub", "--hours", "22-22"],
        ["scrub", "--hours", "25-3"],
    ] {
        world.archiver(bad).expect_code(2);
    }
    world.archiver(["scrub", "--add-parity"]).expect_code(2);
}
