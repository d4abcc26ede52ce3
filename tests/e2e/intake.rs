//! A host that takes records in and cannot read them.

use std::fs;

use tests::world::{Run, World, put};

use crate::events;
use crate::keys::record;

/// An archive with a record, and the host: the same data media, its own key medium and index, and no passphrase.
pub(crate) fn world_with_a_host() -> World {
    let world = World::new();
    world.file("before.txt", b"what stood there before");
    world
        .archiver(["deposit", "before.txt", "--class", "general"])
        .expect_code(0);
    world
        .archiver(["keys", "intake", "create", "intake"])
        .expect_code(0);
    world
        .archiver(["keys", "intake", "create", "intake"])
        .expect_code(3);
    let text = fs::read_to_string(world.at("fumikura.toml")).unwrap();
    let text = text
        .replace("\"keys\"", "\"intake\"")
        .replace("\"index\"", "\"host-index\"");
    put(&world.at("host.toml"), text.as_bytes());
    fs::rename(world.at("keys"), world.at("safe")).unwrap();
    world
}

/// Runs `archiver` as the host does.
pub(crate) fn host(world: &World, words: &[&str]) -> Run {
    world.archiver(words.iter().chain(&["--config", "host.toml"]))
}

#[test]
fn an_intake_host_takes_records_in_that_only_the_archive_reads() {
    let world = world_with_a_host();
    let host = |words: &[&str]| host(&world, words);
    world.file("a.txt", b"taken in by the host");
    let big: Vec<u8> = (0..300_000_u32).flat_map(|n| n.to_be_bytes()).collect();
    world.file("b.bin", &big);
    let run = host(&["deposit", "a.txt", "b.bin", "--class", "general"]).expect_code(0);
    assert!(
        run.stderr.contains("write-only key medium"),
        "{}",
        run.stderr
    );
    world.file("c.txt", b"taken in later");
    host(&[
        "deposit",
        "c.txt",
        "--class",
        "general",
        "--meta",
        "counterparty=Himitsu",
    ])
    .expect_code(0);
    the_host_reads_nothing(&world);

    // The archive: nothing of it before its keys are accepted, all of it afterwards.
    fs::rename(world.at("safe"), world.at("keys")).unwrap();
    status_before_accepting(&world);
    world
        .archiver(["keys", "intake", "accept", "keys"])
        .expect_code(3);
    let run = world
        .archiver(["keys", "intake", "accept", "intake", "--json"])
        .expect_code(0);
    let output = run.json();
    let taken = events(&output, "intake-accepted")[0]["taken"]
        .as_u64()
        .unwrap();
    assert!(taken >= 3, "{taken}");
    // The index met the records before it had their keys, and reads them by itself.
    let reread = events(&output, "index-reread")[0]["versions"].as_u64();
    assert!(reread.unwrap() >= 3, "{reread:?}");
    assert!(!run.stderr.contains("rebuild"), "{}", run.stderr);
    let output = world
        .archiver(["keys", "intake", "accept", "intake", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(events(&output, "intake-accepted")[0]["taken"], 0);
    world.archiver(["verify"]).expect_code(0);
    world.archiver(["stamp"]).expect_code(0);
    let output = world
        .archiver(["export", "out", "--json"])
        .expect_code(0)
        .json();
    assert!(events(&output, "exported")[0]["records"].as_u64().unwrap() >= 4);
    let run = world
        .archiver(["search", "--counterparty", "Himitsu", "--json"])
        .expect_code(0);
    let id = record(&run);
    world
        .archiver(["get", &id, "-o", "back.txt"])
        .expect_code(0);
    assert_eq!(fs::read(world.at("back.txt")).unwrap(), b"taken in later");
}

/// What nobody can open yet waits since it came in, and not for a stamp that cannot be had.
fn status_before_accepting(world: &World) {
    let status = world.archiver(["status", "--json"]).expect_code(0).json();
    assert_eq!(status[0]["unstamped"], 1, "{status:?}");
    assert!(status[0]["unopened"].as_u64().unwrap() >= 3, "{status:?}");
    let year = &status[0]["unopened_since"].as_str().unwrap()[..4];
    assert!(year.parse::<u32>().unwrap() >= 2026, "{status:?}");
    let run = world.archiver(["status", "--lang", "ja"]).expect_code(0);
    assert!(!run.stdout.contains("1970"), "{}", run.stdout);
    assert!(run.stdout.contains("keys intake accept"), "{}", run.stdout);
}

fn the_host_reads_nothing(world: &World) {
    for words in [
        ["search"].as_slice(),
        &["status"],
        &["stamp"],
        &["verify"],
        &["get", "01935e7a-1111-7222-8333-444455556666", "-o", "y"],
    ] {
        let run = host(world, words).expect_code(3);
        assert!(
            run.stderr.contains("takes records in and reads none"),
            "{}",
            run.stderr
        );
    }
    let receipt = [
        "deposit",
        "c.txt",
        "--class",
        "general",
        "--receipt",
        "r.p7m",
    ];
    host(world, &receipt).expect_code(3);
}
