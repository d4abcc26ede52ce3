//! The index is only derived: throw it away, or all but one data medium, and everything comes back.

use std::fs;

use tests::world::World;

use crate::invoice;

fn filled() -> World {
    let world = World::new();
    for number in 0..20 {
        let day = number % 28 + 1;
        let bytes = invoice(
            &format!("INV-{number}"),
            &format!("2026-02-{day:02}"),
            &format!("{}", 1000 * number),
            "合同会社試験",
        );
        world.file(&format!("in/{number:02}.xml"), &bytes);
    }
    world
        .archiver(["deposit", "in", "--class", "received-invoice"])
        .expect_code(0);
    world.archiver(["stamp"]).expect_code(0);
    world.file("late/late.txt", b"not stamped yet");
    world
        .archiver(["deposit", "late", "--class", "general"])
        .expect_code(0);
    world
}

fn everything(world: &World) -> (Vec<String>, String) {
    let mut hits: Vec<String> = world
        .archiver(["search", "--json"])
        .expect_code(0)
        .stdout
        .lines()
        .map(str::to_owned)
        .collect();
    hits.sort();
    (
        hits,
        world.archiver(["status", "--json"]).expect_code(0).stdout,
    )
}

#[test]
fn rebuild_brings_everything_back() {
    let world = filled();
    let before = everything(&world);
    assert_eq!(before.0.len(), 21);
    fs::remove_dir_all(world.at("index")).expect("the index is a folder");
    world.archiver(["rebuild"]).expect_code(0);
    assert_eq!(everything(&world), before);
    world.archiver(["verify"]).expect_code(0);
    world.archiver(["stamp"]).expect_code(0);
}

#[test]
fn a_deleted_index_needs_no_command_at_all() {
    let world = filled();
    let before = everything(&world);
    fs::remove_dir_all(world.at("index")).expect("the index is a folder");
    assert_eq!(everything(&world), before);
}

#[test]
fn a_damaged_index_is_set_aside_and_built_anew() {
    let world = filled();
    let before = everything(&world);
    let mut damaged = 0;
    let mut pending = vec![world.at("index")];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).expect("index folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let length =
                    usize::try_from(fs::metadata(&path).expect("file").len()).expect("fits");
                tests::world::put(&path, &vec![0x5a; length.min(1 << 20)]);
                damaged += 1;
            }
        }
    }
    assert!(damaged > 0, "the index has files");
    assert_eq!(everything(&world), before);
}

#[test]
fn one_data_medium_and_the_key_medium_are_enough() {
    let world = filled();
    let before = everything(&world).0;
    fs::remove_dir_all(world.at("index")).expect("the index is a folder");
    fs::remove_dir_all(world.at("data-a")).expect("a data medium is a folder");
    let text = fs::read_to_string(world.at("fumikura.toml")).expect("configuration");
    let text = text.replace("\"data-a\", \"data-b\"", "\"data-b\"");
    tests::world::put(&world.at("fumikura.toml"), text.as_bytes());
    world.archiver(["rebuild"]).expect_code(0);
    assert_eq!(everything(&world).0, before);
    world.archiver(["verify"]).expect_code(0);
}
