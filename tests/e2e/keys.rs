//! Who opens the key medium: custodians together, a key that is held, a passphrase that changes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use tests::world::{Run, World, put};

use crate::events;

const SHEETS: [&str; 3] = ["share-01.txt", "share-02.txt", "share-03.txt"];

/// An archive with one record, whose key medium three custodians open, two of them together.
fn world_of_custodians() -> World {
    let world = World::new();
    world.file("a.txt", b"what the custodians guard");
    world
        .archiver(["deposit", "a.txt", "--class", "general"])
        .expect_code(0);
    ceremony(&world, &[], "sheets");
    world
}

fn ceremony(world: &World, given: &[&str], folder: &str) -> Run {
    let words = ["keys", "ceremony", "--threshold", "2", "--shares", "3"];
    let rest = ["--names", "佐藤,鈴木,高橋", "--out", folder, "--json"];
    world
        .archiver(words.iter().chain(&rest).chain(given))
        .expect_code(0)
}

pub(crate) fn record(run: &Run) -> String {
    let found = run.json();
    let mut records = found.iter().filter_map(|line| line["record"].as_str());
    records.next().unwrap().to_owned()
}

/// The words of a sheet, without numbers.
fn words(sheet: &Path) -> Vec<String> {
    let text = fs::read_to_string(sheet).unwrap();
    let (_, rest) = text.split_once("-----BEGIN FUMIKURA SHARE-----\n").unwrap();
    let (inside, _) = rest.split_once("-----END").unwrap();
    let words = inside
        .split_whitespace()
        .filter(|word| !word.ends_with('.'));
    words.map(str::to_owned).collect()
}

#[test]
fn any_two_of_three_custodians_open_and_one_cannot() {
    let world = world_of_custodians();
    for sheet in SHEETS {
        let mode = fs::metadata(world.at("sheets").join(sheet))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{sheet}");
    }
    for (one, other) in [(0, 1), (0, 2), (1, 2), (2, 0)] {
        let [one, other] = [one, other].map(|n: usize| format!("sheets/{}", SHEETS[n]));
        let run = world
            .archiver(["search", "--json", "--share", &one, "--share", &other])
            .expect_code(0);
        let id = record(&run);
        world
            .archiver([
                "get", &id, "-o", "b.txt", "--share", &one, "--share", &other,
            ])
            .expect_code(0);
        assert_eq!(
            fs::read(world.at("b.txt")).unwrap(),
            b"what the custodians guard"
        );
        fs::remove_file(world.at("b.txt")).unwrap();
    }
    for sheet in SHEETS {
        let sheet = format!("sheets/{sheet}");
        let run = world.archiver(["search", "--share", &sheet]).expect_code(4);
        assert!(
            run.stderr.contains("1 more share is needed"),
            "{}",
            run.stderr
        );
        let run = world
            .archiver(["search", "--share", &sheet, "--share", &sheet])
            .expect_code(4);
        assert!(run.stderr.contains("was given already"), "{}", run.stderr);
    }
    // The passphrase of before is worth nothing.
    let run = world.archiver(["search"]).expect_code(4);
    assert!(
        run.stderr.contains("2 more shares are needed"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_wrong_share_is_named_and_nothing_of_it_is_told() {
    let world = world_of_custodians();
    let good = words(&world.at("sheets/share-01.txt"));
    assert_eq!(good.len(), 32);
    let mut wrong = good.clone();
    wrong[11] = if good[11] == "zoo" { "zone" } else { "zoo" }.to_owned();
    put(&world.at("mistyped.txt"), wrong.join(" ").as_bytes());
    wrong[11] = "bunko".to_owned();
    put(&world.at("unknown.txt"), wrong.join(" ").as_bytes());
    put(&world.at("short.txt"), good[..31].join(" ").as_bytes());
    for (file, what) in [
        ("mistyped.txt", "the check of this share does not hold"),
        ("unknown.txt", "word 12 is not in the word list"),
        ("short.txt", "these are 31"),
    ] {
        for command in ["search", "status"] {
            let run = world
                .archiver([command, "--share", "sheets/share-02.txt", "--share", file])
                .expect_code(4);
            assert!(
                run.stderr.contains(file) && run.stderr.contains(what),
                "{}",
                run.stderr
            );
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(
                good.windows(2).all(|two| !said.contains(&two.join(" "))),
                "{said}"
            );
        }
    }
    let run = world
        .archiver(["keys", "share", "--share", "sheets/share-03.txt"])
        .expect_code(0);
    assert!(run.stdout.contains("it is 高橋's"), "{}", run.stdout);
    world
        .archiver(["keys", "share", "--share", "mistyped.txt"])
        .expect_code(4);

    // New custodians: the old sheets are of another ceremony.
    let shares = [
        "--share",
        "sheets/share-01.txt",
        "--share",
        "sheets/share-03.txt",
    ];
    ceremony(&world, &shares, "later");
    let run = world
        .archiver(["search"].iter().chain(&shares))
        .expect_code(4);
    assert!(
        run.stderr.contains("is of another ceremony"),
        "{}",
        run.stderr
    );
    let run = world.archiver([
        "search",
        "--share",
        "later/share-02.txt",
        "--share",
        "later/share-03.txt",
    ]);
    run.expect_code(0);
}

#[test]
fn a_held_key_serves_other_commands_until_it_is_forgotten() {
    let world = world_of_custodians();
    let runtime = world.at("runtime");
    fs::create_dir(&runtime).unwrap();
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).unwrap();
    let command = |words: &[&str]| -> Command {
        let mut command = world.archiver_command(words);
        command.env("XDG_RUNTIME_DIR", &runtime);
        command
    };
    let run = |words: &[&str]| Run::of(command(words).output().unwrap());
    run(&["search"]).expect_code(4);
    let shares = [
        "--share",
        "sheets/share-01.txt",
        "--share",
        "sheets/share-02.txt",
    ];
    let hold = ["keys", "unlock", "--hold", "--json"];
    let mut holder = command(&[hold.as_slice(), &shares].concat());
    let mut holder = holder.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("\"holding\"")));
    assert_eq!(record(&run(&["search", "--json"]).expect_code(0)).len(), 36);
    world.file("c.txt", b"deposited with a held key");
    run(&["deposit", "c.txt", "--class", "general"]).expect_code(0);
    run(&["verify"]).expect_code(0);
    for entry in fs::read_dir(&runtime).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    run(&["keys", "lock"]).expect_code(0);
    assert!(holder.wait().unwrap().success());
    run(&["search"]).expect_code(4);
    assert_eq!(fs::read_dir(&runtime).unwrap().count(), 0);
}

#[test]
fn a_new_passphrase_ends_the_old_one() {
    let world = World::new();
    put(&world.at("new.txt"), b"another passphrase\n");
    let change = [
        "keys",
        "passphrase",
        "--new-passphrase-file",
        "new.txt",
        "--passes",
        "2",
        "--memory",
        "8",
        "--json",
    ];
    let output = world.archiver(change).expect_code(0).json();
    assert_eq!(events(&output, "passphrase-changed")[0]["memory_kib"], 8192);
    let run = world.archiver(["status"]).expect_code(4);
    assert!(run.stderr.contains("wrong passphrase"), "{}", run.stderr);
    world
        .archiver(["status", "--passphrase-file", "new.txt"])
        .expect_code(0);
    put(&world.at("empty.txt"), b"\n");
    let again = [
        "keys",
        "passphrase",
        "--passphrase-file",
        "new.txt",
        "--new-passphrase-file",
        "empty.txt",
    ];
    world.archiver(again).expect_code(4);
    world
        .archiver(["status", "--passphrase-file", "new.txt"])
        .expect_code(0);
    let run = world
        .archiver([
            "search",
            "--passphrase-file",
            "new.txt",
            "--share",
            "new.txt",
        ])
        .expect_code(4);
    assert!(run.stderr.contains("not with shares"), "{}", run.stderr);
}

#[test]
fn an_impossible_ceremony_changes_nothing() {
    let world = World::new();
    fs::create_dir(world.at("sheets")).unwrap();
    for (threshold, shares, names) in [
        ("3", "2", "A,B"),
        ("2", "3", "A,B"),
        ("2", "2", "A,A"),
        ("1", "2", "A,B"),
        ("2", "99", "A"),
    ] {
        let words = [
            "keys",
            "ceremony",
            "--threshold",
            threshold,
            "--shares",
            shares,
            "--names",
            names,
            "--out",
            "sheets",
        ];
        world.archiver(words).expect_code(2);
    }
    // No terminal to show sheets on, and no folder for them.
    world
        .archiver(["keys", "ceremony", "--threshold", "2", "--shares", "2"])
        .expect_code(2);
    assert_eq!(fs::read_dir(world.at("sheets")).unwrap().count(), 0);
    // A sheet that stands there already is not overwritten, and the key medium stays as it was.
    put(&world.at("sheets/share-02.html"), b"somebody's");
    let words = [
        "keys",
        "ceremony",
        "--threshold",
        "2",
        "--shares",
        "2",
        "--out",
        "sheets",
    ];
    world.archiver(words).expect_code(3);
    world.archiver(["status"]).expect_code(0);
}
