//! Who could open the keys, and when that changed, stands in the archive.

use std::fs;

use serde_json::Value;
use tests::world::{World, put};

use crate::events;

/// What happened to the keys, as the inventory lists it.
pub(crate) fn key_events(world: &World) -> Vec<Value> {
    listed(world, &[])
}

fn listed(world: &World, unlocking: &[&str]) -> Vec<Value> {
    let words = ["keys", "inventory", "--json"];
    let lines = world
        .archiver(words.iter().chain(unlocking))
        .expect_code(0)
        .json();
    events(&lines, "key-event").into_iter().cloned().collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let kinds = events.iter().map(|event| event["kind"].as_str().unwrap());
    kinds.collect()
}

/// The ceremony is held where no data medium is: it is recorded as soon as the archive is written again.
fn ceremony_without_data_media(world: &World, unlocking: &[&str]) {
    for medium in ["data-a", "data-b"] {
        fs::rename(world.at(medium), world.at(&format!("{medium}-away"))).unwrap();
    }
    fs::create_dir(world.at("sheets")).unwrap();
    let words = ["keys", "ceremony", "--threshold", "2", "--shares", "3"];
    let rest = ["--names", "佐藤,鈴木,高橋", "--out", "sheets"];
    let run = world
        .archiver(words.iter().chain(&rest).chain(unlocking))
        .expect_code(0);
    assert!(
        run.stderr.contains("not recorded in the archive yet"),
        "{}",
        run.stderr
    );
    for medium in ["data-a", "data-b"] {
        fs::rename(world.at(&format!("{medium}-away")), world.at(medium)).unwrap();
    }
}

#[test]
fn ceremonies_and_passphrases_are_recorded_and_come_back_with_the_index() {
    let world = World::new();
    world.file("a.txt", b"kept");
    world
        .archiver(["deposit", "a.txt", "--class", "general"])
        .expect_code(0);
    put(&world.at("new.txt"), b"another passphrase\n");
    let change = ["keys", "passphrase", "--new-passphrase-file", "new.txt"];
    world
        .archiver(change.iter().chain(&["--memory", "8"]))
        .expect_code(0);
    let new = ["--passphrase-file", "new.txt"];
    let before = listed(&world, &new);
    assert_eq!(kinds(&before), ["passphrase-set", "passphrase-set"]);
    assert_eq!(before[0]["facts"]["changed"], false);
    assert_eq!(before[1]["facts"]["changed"], true);
    assert_eq!(before[1]["facts"]["memory-kib"], 8192);

    ceremony_without_data_media(&world, &new);
    let shares = [
        "--share",
        "sheets/share-01.txt",
        "--share",
        "sheets/share-03.txt",
    ];
    assert_eq!(kinds(&listed(&world, &shares)).len(), 2);
    world
        .archiver(["stamp"].iter().chain(&shares))
        .expect_code(0);
    world
        .archiver(["stamp"].iter().chain(&shares))
        .expect_code(0);
    let all = listed(&world, &shares);
    assert_eq!(
        kinds(&all),
        ["passphrase-set", "passphrase-set", "ceremony-held"]
    );
    let held = &all[2]["facts"];
    assert_eq!(
        (&held["threshold"], &held["shares"]),
        (&2.into(), &3.into())
    );
    assert_eq!(
        held["custodians"],
        serde_json::json!(["佐藤", "鈴木", "高橋"])
    );
    let sheet = fs::read_to_string(world.at("sheets/share-01.txt")).unwrap();
    assert!(sheet.contains(held["ceremony"].as_str().unwrap()));
    let said = serde_json::to_string(&all).unwrap();
    let (_, words) = sheet
        .split_once("-----BEGIN FUMIKURA SHARE-----\n")
        .unwrap();
    let mut words = words.split_whitespace().filter(|word| !word.ends_with('.'));
    let first = format!("{} {}", words.next().unwrap(), words.next().unwrap());
    assert!(!said.contains(&first), "{said}");

    let japanese = world
        .archiver(["--lang", "ja", "keys", "inventory"].iter().chain(&shares))
        .expect_code(0)
        .stdout;
    for said in [
        "3 人(佐藤、鈴木、高橋)のうち 2 人で開く",
        "パスフレーズを変更",
        "データ鍵",
    ] {
        assert!(japanese.contains(said), "{japanese}");
    }
    world
        .archiver(["rebuild"].iter().chain(&shares))
        .expect_code(0);
    assert_eq!(listed(&world, &shares), all);
}
