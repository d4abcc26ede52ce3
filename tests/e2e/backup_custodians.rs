//! Backups that custodians open: sealed with nobody there, restored by any two of three.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tests::world::{Run, World, put};

use crate::events;

/// An archive with records, and a ceremony for backups whose sheets lie in a folder.
fn world() -> World {
    let world = World::new();
    for number in 0..3 {
        world.file(&format!("in/{number}.txt"), b"kept for ten years");
    }
    let deposit = ["deposit", "in", "--class", "general"];
    world.archiver(deposit).expect_code(0);
    world.archiver(["stamp"]).expect_code(0);
    world
}

fn hold(world: &World, folder: &str, names: &str) -> Value {
    fs::create_dir(world.at(folder)).unwrap();
    let words = ["keys", "ceremony", "--backups", "--threshold", "2"];
    let rest = ["--shares", "3", "--names", names, "--out", folder, "--json"];
    let run = world.archiver(words.iter().chain(&rest)).expect_code(0);
    events(&run.json(), "backup-ceremony")[0].clone()
}

/// Takes a backup; gives its file.
fn take(world: &World) -> (String, Value) {
    let words = ["backup", "--to", "backups", "--custodians", "--json"];
    let run = world.archiver(words).expect_code(0);
    let taken = events(&run.json(), "backup-taken")[0].clone();
    (taken["file"].as_str().unwrap().to_owned(), taken)
}

fn restore(world: &World, from: &str, into: &str, shares: &[&str]) -> Run {
    let mut words = vec!["restore", "--from", from, "--data", "data-a", "--into"];
    words.extend([into, "--evaluation", "--json"]);
    for share in shares {
        words.extend(["--backup-share", share]);
    }
    world.archiver(words)
}

#[test]
fn two_of_three_restore_a_backup_and_nothing_less_does() {
    let world = world();
    let none = world.archiver(["backup", "--to", "backups", "--custodians"]);
    assert!(none.expect_code(3).stderr.contains("--backups"));
    hold(&world, "sheets", "佐藤,鈴木,高橋");
    let (file, taken) = take(&world);
    assert_eq!(taken["key_epoch"], 1);
    let sheet = |number: u8| format!("sheets/backup-share-0{number}.txt");
    let (first, second, third) = (sheet(1), sheet(2), sheet(3));
    let said = |into: &str, shares: &[&str]| {
        let run = restore(&world, &file, into, shares).expect_code(4);
        assert!(!world.at(into).exists(), "nothing is written");
        run.stderr
    };
    assert!(said("none", &[]).contains("2 more shares are needed"));
    assert!(said("one", &[&first]).contains("1 more share is needed"));
    assert!(said("twice", &[&first, &first]).contains("given already"));
    // The ceremony of the key medium has shares of its own.
    fs::create_dir(world.at("keys-sheets")).unwrap();
    let words = ["keys", "ceremony", "--threshold", "2", "--shares", "3"];
    let rest = ["--out", "keys-sheets"];
    world.archiver(words.iter().chain(&rest)).expect_code(0);
    let key_share = "keys-sheets/share-01.txt";
    assert!(said("mixed", &[&first, key_share]).contains("not backups"));
    let given = ["search", "--share", key_share, "--share", &second];
    let refused = world.archiver(given).expect_code(4).stderr;
    assert!(refused.contains("not the key medium"), "{refused}");

    let mut shares = vec!["--share", "keys-sheets/share-01.txt"];
    shares.extend(["--share", "keys-sheets/share-02.txt"]);
    let mut words = vec!["restore", "--from", &file, "--data", "data-a", "--into"];
    words.extend(["drill", "--evaluation", "--json", "--sample", "9"]);
    words.extend(["--backup-share", &third, "--backup-share", &first]);
    // The backup has the key medium as it was, which the passphrase opens.
    let run = world.archiver_command(&words).output().unwrap();
    let run = Run::of(run);
    // What opens the key medium now is asked for to record the drill.
    assert_eq!(run.code, 4, "{}", run.stderr);
    let drills = run.json();
    let drill = events(&drills, "restore-drilled")[0];
    assert_eq!(
        (&drill["passed"], &drill["good"]),
        (&3.into(), &true.into())
    );
    let listed = ["backup", "--list", "--json"];
    let run = world.archiver(listed.iter().chain(&shares)).expect_code(0);
    assert_eq!(events(&run.json(), "backup")[0]["key_epoch"], 1);
}

#[test]
fn after_a_new_ceremony_old_backups_are_named_with_their_key_and_open_with_their_shares() {
    let world = world();
    let old = hold(&world, "old", "佐藤,鈴木,高橋");
    let (first, _) = take(&world);
    let new = hold(&world, "new", "佐藤,鈴木,田中");
    assert_eq!(
        (&old["key_epoch"], &new["key_epoch"]),
        (&1.into(), &2.into())
    );
    let (second, taken) = take(&world);
    assert_eq!(taken["ceremony"], new["ceremony"]);
    let run = world
        .archiver(["backup", "--list", "--json"])
        .expect_code(0);
    let lines = run.json();
    let named: Vec<_> = events(&lines, "backup")
        .iter()
        .map(|one| (one["key_epoch"].clone(), one["ceremony"].clone()))
        .collect();
    let expected = [(1, &old), (2, &new)].map(|(n, one)| (Value::from(n), one["ceremony"].clone()));
    assert_eq!(named, expected);
    let shares = |folder: &str| [1, 3].map(|n| format!("{folder}/backup-share-0{n}.txt"));
    let (olds, news) = (shares("old"), shares("new"));
    let (olds, news) = (olds.each_ref(), news.each_ref());
    let strs = |shares: [&String; 2]| shares.map(|one| one.as_str().to_owned());
    let run = |from: &str, into: &str, shares: [String; 2]| {
        restore(&world, from, into, &shares.each_ref().map(String::as_str))
    };
    let refused = run(&second, "a", strs(olds)).expect_code(4).stderr;
    assert!(refused.contains("another ceremony"), "{refused}");
    run(&first, "b", strs(news)).expect_code(4);
    run(&second, "c", strs(news)).expect_code(0);
    run(&first, "d", strs(olds)).expect_code(0);
    let inventory = world.archiver(["keys", "inventory"]).expect_code(0).stdout;
    assert!(
        inventory.contains("ceremony of backup key 2"),
        "{inventory}"
    );
}

#[test]
fn changed_and_exchanged_backups_are_refused() {
    let world = world();
    hold(&world, "sheets", "a,b,c");
    let (file, _) = take(&world);
    let whole = fs::read(&file).unwrap();
    let shares = ["sheets/backup-share-01.txt", "sheets/backup-share-02.txt"];
    let refused = |bytes: &[u8], code: i32| {
        put(&world.at("bad.backup"), bytes);
        let run = restore(&world, "bad.backup", "bad", &shares).expect_code(code);
        assert!(!world.at("bad/fumikura.toml").exists());
        run.stderr
    };
    // The middle of the header's sealed key, then of the content.
    let text = String::from_utf8_lossy(&whole[..4096]).into_owned();
    for place in [text.find("\"sealed\":\"").unwrap() + 40, whole.len() / 2] {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        refused(&damaged, 7);
    }
    // A checksum says nothing about who made it.
    let mut forged = whole.clone();
    let place = text.find("\"sealed\":\"").unwrap() + 40;
    forged[place] = if forged[place] == b'0' { b'1' } else { b'0' };
    let end = forged.len() - 32;
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&forged[..end]);
    forged[end..].copy_from_slice(&digest);
    let said = refused(&forged, 4);
    assert!(said.contains("do not open this backup"), "{said}");
    // A passphrase where shares are asked for.
    let words = [
        "restore", "--from", &file, "--data", "data-a", "--into", "x",
    ];
    let secret = ["--backup-passphrase-file", "passphrase.txt"];
    let said = world.archiver(words.iter().chain(&secret)).expect_code(4);
    assert!(
        said.stderr.contains("sealed to custodians"),
        "{}",
        said.stderr
    );
}

#[test]
fn what_destroys_keys_destroys_backups_that_custodians_open() {
    let world = world();
    hold(&world, "sheets", "a,b,c");
    let (first, _) = take(&world);
    let (second, _) = take(&world);
    let away = world.at("elsewhere.backup");
    fs::rename(&second, &away).unwrap();
    let run = world.archiver(["search", "--json"]).expect_code(0);
    let lines = run.json();
    let id = lines
        .iter()
        .find_map(|line| line["record"].as_str())
        .unwrap()
        .to_owned();
    let run = crate::destroying::destroy(&world, &id, &[]);
    assert!(!Path::new(&first).exists(), "{}{}", run.stdout, run.stderr);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("backup 2"), "{}", run.stderr);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            put(&target, &fs::read(entry.path()).unwrap());
        }
    }
}

#[test]
fn what_the_media_do_not_tell_of_is_taken_back_unless_it_is_asked_for() {
    let world = world();
    hold(&world, "sheets", "a,b,c");
    // As somebody with the public half would make one: the media know of the key, and not of the backup.
    copy_folder(&world.at("data-a"), &world.at("before"));
    let (file, _) = take(&world);
    let run = |into: &str, more: &[&str]| {
        let mut words = vec!["restore", "--from", &file, "--data", "before", "--into"];
        words.extend([into, "--evaluation", "--json"]);
        words.extend(["--backup-share", "sheets/backup-share-01.txt"]);
        words.extend(["--backup-share", "sheets/backup-share-02.txt"]);
        world.archiver(words.iter().chain(more)).expect_code(1)
    };
    let refused = run("refused", &[]).stderr;
    assert!(refused.contains("--unrecorded"), "{refused}");
    assert_eq!(fs::read_dir(world.at("refused")).unwrap().count(), 0);
    let taken = run("taken", &["--unrecorded"]).stderr;
    assert!(taken.contains("do not tell of backup 1"), "{taken}");
    assert!(world.at("taken/fumikura.toml").exists());
}

#[test]
fn the_report_of_a_trial_says_so_and_what_was_verified() {
    let world = world();
    hold(&world, "sheets", "a,b,c");
    let (file, _) = take(&world);
    let shares = ["sheets/backup-share-01.txt", "sheets/backup-share-03.txt"];
    restore(&world, &file, "drill", &shares).expect_code(0);
    let text = fs::read(world.at("drill/restore-report.json")).unwrap();
    let report: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(report["result"], "passed");
    assert_eq!(report["evaluation"], true);
    assert_eq!(report["sample"].as_array().unwrap().len(), 3);
    let started = report["started_at"].as_str().unwrap();
    assert!(started.contains('T') && started.ends_with('Z'), "{started}");
    let page = fs::read_to_string(world.at("drill/restore-report.en.html")).unwrap();
    assert!(page.contains("for evaluation"), "{page}");
    let listed = world.archiver(["backup", "--list"]).expect_code(0).stdout;
    assert!(listed.contains(" JST"), "{listed}");
}

/// The bytes of all files below a folder.
fn bytes_below(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => bytes_below(&path),
            false => vec![fs::read(&path).unwrap()],
        })
        .collect()
}

#[test]
fn an_old_backup_gives_nothing_back_that_was_destroyed() {
    let world = world();
    hold(&world, "sheets", "a,b,c");
    let (file, _) = take(&world);
    let away = world.at("elsewhere.backup");
    fs::rename(&file, &away).unwrap();
    let lines = world.archiver(["search", "--json"]).expect_code(0).json();
    let ids = lines.iter().filter_map(|line| line["record"].as_str());
    let ids: Vec<&str> = ids.collect();
    // An entry of the ledger: 4 bytes, the record, number of the version, epoch, nonce, and the wrapped key with its tag.
    let id = uuid_bytes(ids[0]);
    let ledger = bytes_below(&world.at("keys/ledger")).concat();
    let at = ledger.windows(16).position(|found| found == id).unwrap();
    let wrapped = &ledger[at + 40..at + 80];
    let holds = |folder: &str| {
        let files = bytes_below(&world.at(folder));
        let is_there = |bytes: &Vec<u8>| bytes.windows(wrapped.len()).any(|found| found == wrapped);
        files.iter().any(is_there)
    };
    assert!(holds("keys"));
    crate::destroying::destroy(&world, ids[0], &[]).expect_code(1);
    assert!(!holds("keys"));
    let refused = world.archiver(["get", ids[0], "-o", "back"]);
    assert_ne!(refused.code, 0);
    let told = world.archiver(["search", "--json"]).expect_code(0);
    let mut hits = told.json().into_iter();
    let hit = hits.find(|hit| hit["record"] == ids[0]).unwrap();
    assert!(hit["destroyed_at"].is_string(), "{hit}");
    let told = world.archiver(["search"]).expect_code(0);
    let mut lines = told.stdout.lines();
    let line = lines.find(|line| line.contains(ids[0])).unwrap();
    assert!(line.contains("[destroyed 20"), "{line}");
    let shares = ["sheets/backup-share-01.txt", "sheets/backup-share-02.txt"];
    let away = away.to_str().unwrap();
    let run = restore(&world, away, "old", &shares).expect_code(1);
    assert!(run.stderr.contains("destroyed since"), "{}", run.stderr);
    assert!(!holds("old"));
    let passphrase = fs::read(world.at("passphrase.txt")).unwrap();
    put(&world.at("old/passphrase.txt"), &passphrase);
    let get = |id: &str| {
        let mut command = world.archiver_command(["get", id, "-o", "back"]);
        Run::of(command.current_dir(world.at("old")).output().unwrap())
    };
    assert_eq!(get(ids[0]).code, refused.code);
    assert_eq!(get(ids[1]).code, 0);
}

fn uuid_bytes(text: &str) -> Vec<u8> {
    let digits = text.replace('-', "");
    let pairs = (0..digits.len()).step_by(2);
    let bytes = pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap());
    bytes.collect()
}
