//! A sealed segment is gone from every medium: it is a loss that every command names, until it is back or somebody accepts it.

use std::fs;
use std::path::PathBuf;

use tests::world::World;

use crate::events;
use crate::scrub::filled;

/// Takes the first segment off both media. Answers where it is, and where it was.
fn take_away(world: &World) -> Vec<(PathBuf, PathBuf)> {
    ["data-a", "data-b"]
        .map(|medium| {
            let from = world.segments(medium)[0].clone();
            let to = world.at(&format!("away-{medium}"));
            fs::rename(&from, &to).expect("moved");
            (to, from)
        })
        .to_vec()
}

#[test]
fn a_segment_that_is_gone_from_all_media_is_a_loss_until_it_is_back() {
    let world = filled();
    let away = take_away(&world);
    world.archiver(["scrub", "--no-record"]).expect_code(7);
    let lines = world.archiver(["scrub", "--json"]).expect_code(7).json();
    let lost = events(&lines, "lost");
    assert_eq!(lost.len(), 1, "{lines:?}");
    assert_eq!(lost[0]["segment"], 1);
    let records = lost[0]["records"].as_array().expect("a list");
    assert!(records.len() > 3, "{lost:?}");
    assert!(lost[0]["records"].to_string().contains(".bin"), "{lost:?}");
    assert_eq!(events(&lines, "summary")[0]["lost"], 1);
    // The index is made anew: the loss does not vanish with it.
    fs::remove_dir_all(world.at("index")).expect("an index");
    world.archiver(["search"]).expect_code(0);
    for command in [
        &["status"][..],
        &["verify"],
        &["scrub", "--report"],
        &["rebuild"],
        &["scrub"],
    ] {
        world.archiver(command).expect_code(7);
    }
    let lines = world.archiver(["status", "--json"]).expect_code(7).json();
    let missing = events(&lines, "missing-segment");
    assert_eq!(missing[0]["segment"], 1, "{lines:?}");
    let keys = events(&lines, "keys-without-record");
    assert!(keys[0]["keys"].as_u64() > Some(3), "{lines:?}");
    world.file("later.bin", b"later");
    world
        .archiver(["deposit", "later.bin", "--class", "general"])
        .expect_code(0);
    for (from, to) in away {
        fs::rename(from, to).expect("moved back");
    }
    let hits = world.archiver(["search", "--json"]).expect_code(0).json();
    assert_eq!(hits.len(), 13, "{hits:?}");
    world.archiver(["status"]).expect_code(0);
    world.archiver(["verify"]).expect_code(0);
    world.archiver(["scrub"]).expect_code(0);
}

#[test]
fn a_loss_that_a_person_accepted_is_told_and_is_no_failure() {
    let world = filled();
    take_away(&world);
    world.archiver(["rebuild"]).expect_code(7);
    world.archiver(["rebuild", "--accept-loss"]).expect_code(0);
    let lines = world.archiver(["status", "--json"]).expect_code(0).json();
    let missing = events(&lines, "missing-segment");
    assert_eq!(missing[0]["accepted"], true, "{lines:?}");
    for command in ["rebuild", "scrub"] {
        world.archiver([command]).expect_code(0);
    }
    // A record of which a part stood there, if one lay across the border, is known and damaged.
    let verify = world.archiver(["verify", "--json"]);
    let lines = verify.json();
    let told = events(&lines, "record");
    assert!(!told.is_empty(), "{lines:?}");
    let is_cut = told.iter().any(|record| record["result"] == "failed");
    verify.expect_code(if is_cut { 7 } else { 0 });
}

#[test]
fn damage_that_no_copy_heals_is_remembered_until_it_is_healed() {
    let world = filled();
    let paths = ["data-a", "data-b"].map(|medium| world.segments(medium)[0].clone());
    let whole = fs::read(&paths[0]).expect("a segment");
    let mut damaged = whole.clone();
    damaged[500_000..600_000].fill(0xEE);
    let put = |bytes: &[u8]| {
        for path in &paths {
            fs::remove_file(path).expect("removed");
            tests::world::put(path, bytes);
        }
    };
    put(&damaged);
    world.archiver(["scrub"]).expect_code(7);
    for command in ["status", "scrub"] {
        let report = if command == "scrub" {
            "--report"
        } else {
            "--json"
        };
        world.archiver([command, report]).expect_code(7);
    }
    let lines = world.archiver(["status", "--json"]).expect_code(7).json();
    assert!(!events(&lines, "standing-loss").is_empty(), "{lines:?}");
    assert!(!events(&lines, "standing-damage").is_empty(), "{lines:?}");
    put(&whole);
    world.archiver(["scrub"]).expect_code(0);
    world.archiver(["status"]).expect_code(0);
}
