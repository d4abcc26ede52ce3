//! Intake media that come back damaged, changed, or from elsewhere; and what is told of them when records are destroyed.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tests::world::{World, put};

use crate::custody::key_events;
use crate::events;
use crate::intake::{host, world_with_a_host};
use crate::keys::record;
use crate::token_rotation::destroy_command;

/// Takes a file in on the host, in a run of its own, and gives its record.
fn take_in(world: &World, name: &str) -> String {
    world.file(name, name.as_bytes());
    record(&host(world, &["deposit", name, "--class", "general", "--json"]).expect_code(0))
}

fn accept(world: &World, folder: &str, code: i32) -> (Value, String) {
    let run = world
        .archiver(["keys", "intake", "accept", folder, "--json"])
        .expect_code(code);
    let lines = run.json();
    (events(&lines, "intake-accepted")[0].clone(), run.stderr)
}

fn is_read(world: &World, id: &str, text: &str) {
    let back = world.at("back.txt");
    world.archiver(["get", id, "-o", "back.txt"]).expect_code(0);
    assert_eq!(fs::read_to_string(&back).unwrap(), text);
    fs::remove_file(back).unwrap();
}

fn edit(path: &Path, change: impl FnOnce(&mut String)) {
    let mut text = fs::read_to_string(path).unwrap();
    change(&mut text);
    put(path, text.as_bytes());
}

/// The value of a member that is a text, in canonical JSON.
fn member(text: &str, name: &str) -> String {
    let (_, rest) = text.split_once(&format!("\"{name}\":\"")).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[test]
fn a_damaged_run_keeps_no_other_from_being_accepted_and_destruction_names_the_medium() {
    let world = world_with_a_host();
    let ids = ["one", "two", "three"].map(|name| take_in(&world, name));
    // It comes back on another device, at a place that nobody has heard of.
    fs::rename(world.at("intake"), world.at("stick")).unwrap();
    fs::rename(world.at("safe"), world.at("keys")).unwrap();
    // Until then it is the only place with these keys: no copy of the archive's is made over it.
    let sealed = fs::read(world.at("stick/kek.json")).unwrap();
    for words in [["stick"].as_slice(), &["stick", "--replace"]] {
        let run = world
            .archiver(["keys", "copy"].iter().chain(words))
            .expect_code(3);
        assert!(run.stderr.contains("different kinds"), "{}", run.stderr);
    }
    assert_eq!(fs::read(world.at("stick/kek.json")).unwrap(), sealed);
    edit(&world.at("stick/kek.json"), |text| {
        let (second, _) = text.match_indices("\"sealed\":\"").nth(1).unwrap();
        let digit = if text[second + 30..].starts_with('0') {
            "1"
        } else {
            "0"
        };
        text.replace_range(second + 30..=second + 30, digit);
    });
    let (accepted, said) = accept(&world, "stick", 7);
    assert_eq!(accepted["taken"], 2);
    assert_eq!(accepted["runs"], 2);
    assert_eq!(accepted["runs_refused"], serde_json::json!([2]));
    assert_eq!(accepted["damaged"].as_array().unwrap().len(), 1);
    assert_eq!(accepted["foreign_key_sha256"], Value::Null);
    assert!(said.contains("the key of run 2 does not open"), "{said}");
    assert!(!said.contains("no record that this medium"), "{said}");
    is_read(&world, &ids[0], "one");
    is_read(&world, &ids[2], "three");
    world
        .archiver(["get", &ids[1], "-o", "no.txt"])
        .expect_code(3);

    // It is recorded, with the public key that was recorded when the medium was made, and comes back with the index.
    let before = key_events(&world);
    let of = |kind: &str| -> Vec<&Value> {
        let of_kind = before.iter().filter(|event| event["kind"] == kind);
        of_kind.map(|event| &event["facts"]).collect()
    };
    let (created, taken) = (of("intake-created"), of("intake-accepted"));
    assert_eq!((created.len(), taken.len()), (1, 1));
    assert_eq!(taken[0]["taken"], 2);
    assert_eq!(taken[0]["intake"]["medium"], created[0]["intake"]["medium"]);
    assert!(created[0]["intake"]["medium"].is_string());
    assert_eq!(
        taken[0]["public-key-sha256"],
        created[0]["public-key-sha256"]
    );
    // One record stays unreadable.
    world.archiver(["rebuild"]).expect_code(7);
    assert_eq!(key_events(&world), before);

    // What is destroyed in the archive still stands on the medium that brought it, and on no other account is it named.
    let lines = destroy_command(world.archiver_command::<_, &str>([]), &ids[0])
        .expect_code(1)
        .json();
    let media = &events(&lines, "keys-destroyed")[0]["intake_media"];
    assert_eq!(media.as_array().unwrap().len(), 1, "{media}");
    assert_eq!(media[0]["medium"], created[0]["intake"]["medium"]);
    let found = world.archiver(["search", "--json"]).expect_code(0).json();
    let own = found
        .iter()
        .filter_map(|line| line["record"].as_str())
        .find(|id| !ids.iter().any(|taken_in| taken_in == id))
        .unwrap();
    let lines = destroy_command(world.archiver_command::<_, &str>([]), own)
        .expect_code(0)
        .json();
    let facts = events(&lines, "keys-destroyed")[0];
    assert_eq!(facts["intake-media"], Value::Null, "{facts}");
}

#[test]
fn a_public_key_that_was_replaced_is_told() {
    let world = world_with_a_host();
    let good = take_in(&world, "before");
    let other = world_with_a_host();
    let theirs = fs::read_to_string(other.at("intake/kek.json")).unwrap();
    edit(&world.at("intake/kek.json"), |text| {
        *text = text.replace(&member(text, "public-key"), &member(&theirs, "public-key"));
        let checksum = member(text, "checksum");
        let bare = text.replace(&checksum, "");
        *text = text.replace(&checksum, &hex::encode(Sha256::digest(bare)));
    });
    let lost = take_in(&world, "after");
    fs::rename(world.at("safe"), world.at("keys")).unwrap();
    let (accepted, said) = accept(&world, "intake", 7);
    assert_eq!(accepted["taken"], 1);
    assert_eq!(accepted["runs_refused"], serde_json::json!([2]));
    assert!(accepted["foreign_key_sha256"].is_string());
    assert_ne!(
        accepted["foreign_key_sha256"],
        accepted["public_key_sha256"]
    );
    assert!(said.contains("somebody replaced it"), "{said}");
    is_read(&world, &good, "before");
    world
        .archiver(["get", &lost, "-o", "no.txt"])
        .expect_code(3);
    // Another archive's medium is not accepted at all.
    fs::rename(other.at("intake"), world.at("theirs")).unwrap();
    world
        .archiver(["keys", "intake", "accept", "theirs"])
        .expect_code(3);
}
