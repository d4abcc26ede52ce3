//! The keys of an archive in a PKCS#11 token, rotated and destroyed: what is gone in the archive is gone in the token.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tests::world::{Run, World, put};

use crate::events;
use crate::keys::record;
use crate::token::TokenWorld;

/// An archive with its keys in a token, and the ids of two records in it.
fn archive(left_out: &str) -> Option<(TokenWorld, [String; 2])> {
    let token = TokenWorld::new(left_out)?;
    token.init("archive keys").expect_code(0);
    let ids = ["kept", "doomed"].map(|name| {
        let file = format!("{name}.txt");
        token.world.file(&file, name.as_bytes());
        let words = ["deposit", &file, "--class", "general", "--json"];
        record(&token.run(&words).expect_code(0))
    });
    Some((token, ids))
}

/// The keys in the token: SoftHSM keeps each in a file of its own.
fn keys_in(token: &TokenWorld) -> BTreeSet<OsString> {
    let mut folders = fs::read_dir(token.world.at("tokens")).unwrap();
    let folder = folders.next().unwrap().unwrap().path();
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    names
        .filter(|name| name != "token.object")
        .filter(|name| Path::new(name).extension().is_some_and(|e| e == "object"))
        .collect()
}

fn is_read(token: &TokenWorld, id: &str, text: &str) {
    let back = token.world.at("back.txt");
    token.run(&["get", id, "-o", "back.txt"]).expect_code(0);
    assert_eq!(fs::read_to_string(&back).unwrap(), text);
    fs::remove_file(back).unwrap();
}

fn destroy(token: &TokenWorld, id: &str) -> Run {
    destroy_command(token.command("pin.txt", &[]), id)
}

/// Has a command, ready but for its words, destroy the keys of a record, as two people agreed.
pub(crate) fn destroy_command(mut command: Command, id: &str) -> Run {
    let mut child = command
        .args(["keys", "destroy", id, "--without-timestamp", "--by", "佐藤"])
        .args(["--approved-by", "鈴木", "--reason", "a test", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{id}").unwrap();
    drop(input);
    Run::of(child.wait_with_output().unwrap())
}

/// The epochs of the key-encryption key in the inventory, by state.
fn epochs(token: &TokenWorld, state: &str) -> Vec<u64> {
    let lines = token
        .run(&["keys", "inventory", "--json"])
        .expect_code(0)
        .json();
    let keys = events(&lines, "key");
    let of_state = keys
        .iter()
        .filter(|key| key["role"] == "key-encryption" && key["state"] == state);
    of_state.map(|key| key["epoch"].as_u64().unwrap()).collect()
}

/// What a command said on standard error, without the notice of a trial.
fn complaints(run: &Run) -> Vec<&str> {
    let lines = run.stderr.lines().filter(|line| !line.trim().is_empty());
    lines
        .filter(|line| !line.starts_with("EVALUATION"))
        .collect()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn rotating_and_destroying_reach_into_the_token() {
    let Some((token, [kept, doomed])) = archive("rotation and destruction in a token") else {
        return;
    };
    let world = &token.world;
    let first = keys_in(&token);
    assert_eq!(first.len(), 1);
    copy_folder(&world.at("keys"), &world.at("old-keys"));

    let lines = token
        .run(&["keys", "rotate", "--json"])
        .expect_code(0)
        .json();
    let rotated = events(&lines, "keys-rotated")[0];
    assert_eq!(rotated["epoch"], 2);
    assert_eq!(rotated["epochs_destroyed"], serde_json::json!([1]));
    let second = keys_in(&token);
    assert_eq!(second.len(), 1);
    assert!(
        first.is_disjoint(&second),
        "the key of epoch 1 is in the token"
    );
    assert_eq!(epochs(&token, "active"), [2]);
    assert_eq!(epochs(&token, "destroyed"), [1]);
    is_read(&token, &kept, "kept");
    is_read(&token, &doomed, "doomed");

    let lines = destroy(&token, &doomed).expect_code(0).json();
    let destroyed = events(&lines, "keys-destroyed")[0];
    assert_eq!(destroyed["provider"]["kind"], "token");
    assert_eq!(destroyed["epochs_destroyed"], serde_json::json!([2]));
    let third = keys_in(&token);
    assert_eq!(third.len(), 1);
    assert!(
        second.is_disjoint(&third),
        "the key of epoch 2 is in the token"
    );
    assert_eq!(epochs(&token, "active"), [3]);
    assert_eq!(epochs(&token, "destroyed"), [1, 2]);

    // Everything else goes on, and what was destroyed stays so.
    token.run(&["get", &doomed, "-o", "no.txt"]).expect_code(8);
    is_read(&token, &kept, "kept");
    token.run(&["verify"]).expect_code(0);
    token.run(&["keys", "audit"]).expect_code(0);
    world.file("later.txt", b"deposited under the third epoch");
    token
        .run(&["deposit", "later.txt", "--class", "general"])
        .expect_code(0);

    // The key medium as it was before is no way back: its key is not in the token any more.
    fs::rename(world.at("keys"), world.at("keys-now")).unwrap();
    fs::rename(world.at("old-keys"), world.at("keys")).unwrap();
    let run = token.run(&["get", &doomed, "-o", "no.txt"]).expect_code(3);
    assert!(
        run.stderr.contains("holds no key") && run.stderr.contains("epoch 1"),
        "{}",
        run.stderr
    );
    assert!(!world.at("no.txt").exists());
}

#[test]
fn a_wrong_pin_changes_no_key() {
    let Some((token, [kept, _])) = archive("a wrong PIN for a rotation") else {
        return;
    };
    put(&token.world.at("wrong.txt"), b"00000000\n");
    let keys = keys_in(&token);
    for words in [["keys", "rotate"], ["keys", "inventory"]] {
        let run = Run::of(token.command("wrong.txt", &words).output().unwrap()).expect_code(4);
        assert!(run.stderr.contains("wrong PIN"), "{}", run.stderr);
        assert_eq!(complaints(&run).len(), 1, "{}", run.stderr);
    }
    assert_eq!(keys_in(&token), keys);
    assert_eq!(epochs(&token, "active"), [1]);
    is_read(&token, &kept, "kept");
}

#[test]
fn a_token_that_is_pulled_out_in_the_middle_costs_nothing_that_was_acknowledged() {
    let Some((token, [kept, _])) = archive("a token pulled out in the middle") else {
        return;
    };
    let world = &token.world;
    for number in 0..FILES {
        world.file(&format!("in/{number}.txt"), number.to_string().as_bytes());
    }
    let words = ["deposit", "in", "--class", "general", "--json"];
    let mut command = token.command("pin.txt", &words);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The command waits for its reader when the pipe is full, long before the last file.
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    output.read_line(&mut said).unwrap();
    fs::rename(world.at("tokens"), world.at("drawer")).unwrap();
    output.read_to_string(&mut said).unwrap();
    let run = Run {
        stdout: said,
        ..Run::of(child.wait_with_output().unwrap())
    };
    let run = run.expect_code(5);
    assert!(
        matches!(complaints(&run)[..], [line] if line.contains("token \"archive keys\" is gone")),
        "{}",
        run.stderr
    );
    let said = run.json();
    let acknowledged: Vec<&str> = said
        .iter()
        .filter_map(|line| line["record"].as_str())
        .collect();
    assert!(
        !acknowledged.is_empty() && acknowledged.len() < FILES,
        "{}",
        acknowledged.len()
    );

    // Plugged in again: everything that was acknowledged is there, and the rest goes in.
    fs::rename(world.at("drawer"), world.at("tokens")).unwrap();
    let found = token.run(&["search", "--json"]).expect_code(0).json();
    let found: BTreeSet<&str> = found
        .iter()
        .filter_map(|line| line["record"].as_str())
        .collect();
    assert!(acknowledged.iter().all(|id| found.contains(id)));
    is_read(&token, &kept, "kept");
    token.run(&words).expect_code(0);
    token.run(&["verify"]).expect_code(0);
    let found = token.run(&["search", "--json"]).expect_code(0).json();
    let records = found.iter().filter(|line| line["record"].is_string());
    assert_eq!(records.count(), FILES + 2);
}

#[test]
fn a_rotation_that_stopped_in_the_middle_is_brought_to_its_end() {
    let Some((token, [kept, doomed])) = archive("a rotation in a token, resumed") else {
        return;
    };
    let first = keys_in(&token);
    // One wrapped key does not open: nothing is begun.
    let ledger = ledger_file(&token.world);
    let good = fs::read(&ledger).unwrap();
    put(&ledger, &with_a_changed_key(&good));
    let run = token.run(&["keys", "rotate"]).expect_code(7);
    assert_eq!(complaints(&run).len(), 1, "{}", run.stderr);
    assert_eq!(keys_in(&token), first);
    put(&ledger, &good);

    // Nothing can be written where the new ledger is to be: the rotation stops after the new epoch was made, and before the old one is destroyed.
    let hindrance = next_ledger_file(&token.world);
    fs::create_dir_all(hindrance.join("in the way")).unwrap();
    let run = token.run(&["keys", "rotate"]).expect_code(3);
    assert_eq!(complaints(&run).len(), 1, "{}", run.stderr);
    let both = keys_in(&token);
    assert_eq!(both.len(), 2);
    assert!(first.is_subset(&both), "the old key is gone too early");

    // The hindrance is taken away: reading goes on between the two epochs, and the rotation ends where it stopped.
    fs::remove_dir_all(&hindrance).unwrap();
    let run = token.run(&["stamp"]).expect_code(0);
    assert!(
        run.stderr
            .contains("a rotation of the keys was interrupted"),
        "{}",
        run.stderr
    );
    is_read(&token, &kept, "kept");
    let lines = token
        .run(&["keys", "rotate", "--json"])
        .expect_code(0)
        .json();
    let rotated = events(&lines, "keys-rotated")[0];
    assert_eq!(rotated["resumed"], true);
    // The interrupted one ends, and a fresh epoch follows: whom the first was to shut out may know its key.
    assert_eq!(rotated["epoch"], 3);
    assert_eq!(rotated["epochs_destroyed"], serde_json::json!([1, 2]));
    let second = keys_in(&token);
    assert_eq!(second.len(), 1);
    assert!(first.is_disjoint(&second));
    is_read(&token, &kept, "kept");
    is_read(&token, &doomed, "doomed");
    token.run(&["verify"]).expect_code(0);
}

fn ledger_file(world: &World) -> PathBuf {
    let mut files: Vec<PathBuf> = fs::read_dir(world.at("keys/ledger"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "led"))
        .collect();
    files.sort();
    files.pop().unwrap()
}

/// Where a rotation writes the ledger anew.
fn next_ledger_file(world: &World) -> PathBuf {
    let current = ledger_file(world);
    let number: u64 = current
        .file_stem()
        .unwrap()
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    current.with_file_name(format!("{:010}.led.new", number + 1))
}

/// The ledger with another tag in its last entry, under a checksum that fits.
fn with_a_changed_key(ledger: &[u8]) -> Vec<u8> {
    let mut changed = ledger.to_vec();
    let end = HEADER_BYTES + (ledger.len() - HEADER_BYTES) / ENTRY_BYTES * ENTRY_BYTES;
    let entry = &mut changed[end - ENTRY_BYTES..end];
    assert_eq!(entry[0], 1, "the last entry is that of a key");
    entry[80] ^= 1;
    let checksum = crc32c::crc32c(&entry[..ENTRY_BYTES - 4]);
    entry[ENTRY_BYTES - 4..].copy_from_slice(&checksum.to_be_bytes());
    changed
}

/// More than a pipe holds lines of.
const FILES: usize = 700;
const HEADER_BYTES: usize = 64;
const ENTRY_BYTES: usize = 96;
