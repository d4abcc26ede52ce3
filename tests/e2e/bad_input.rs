//! What users and broken machines hand in: each gets one clear line, a documented exit code, and loses nothing.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Command;

use tests::world::World;

use crate::events;

/// The lines on standard error, which must be exactly one and say what to do.
fn one_line(stderr: &str) -> &str {
    let lines: Vec<&str> = stderr
        .lines()
        .filter(|l| !l.trim().is_empty() && !l.contains("EVALUATION"))
        .collect();
    assert_eq!(lines.len(), 1, "one clear line expected:\n{stderr}");
    lines[0]
}

#[test]
fn single_inputs_that_cannot_be_deposited() {
    let world = World::new();
    world.file("fine.txt", b"fine");
    symlink("loop-b", world.at("loop-a")).expect("link");
    symlink("loop-a", world.at("loop-b")).expect("link");
    assert!(
        Command::new("mkfifo")
            .arg(world.at("pipe"))
            .status()
            .expect("mkfifo")
            .success()
    );
    for (path, says) in [
        ("absent.txt", "absent.txt"),
        ("loop-a", "link"),
        ("pipe", "named pipe"),
        ("/dev/null", "device"),
    ] {
        let run = world.archiver(["deposit", path, "fine.txt", "--class", "general"]);
        assert_eq!(run.code, 1, "{path}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(says), "{path}: {}", run.stderr);
    }
    // The good one beside each bad one went in, once.
    assert_eq!(world.archiver(["search", "--json"]).json().len(), 1);
}

#[test]
fn usage_errors_deposit_nothing() {
    let world = World::new();
    world.file("a.txt", b"a");
    for arguments in [
        vec!["deposit", "a.txt", "--class", "no-such-class"],
        vec![
            "deposit",
            "a.txt",
            "--class",
            "general",
            "--meta",
            "date=yesterday",
        ],
        vec![
            "deposit",
            "a.txt",
            "--class",
            "general",
            "--meta",
            "amount=12x",
        ],
        vec![
            "deposit", "a.txt", "--class", "general", "--meta", "nonsense",
        ],
        vec![
            "deposit",
            "a.txt",
            "--class",
            "general",
            "--meta",
            "Bad Key=1",
        ],
        vec![
            "deposit",
            "a.txt",
            "--class",
            "general",
            "--meta",
            "currency=yen!",
        ],
        vec!["search", "--date", "2026-13-01"],
        vec!["search", "--amount", "ten..twenty"],
    ] {
        let run = world.archiver(&arguments).expect_code(2);
        one_line(&run.stderr);
    }
    assert!(world.archiver(["search", "--json"]).json().is_empty());
}

#[test]
fn names_and_contents_that_are_unusual_go_in_and_come_back() {
    let world = World::new();
    world.file("in/empty.txt", b"");
    world.file("in/two\nlines.txt", b"newline in the name");
    let odd = world
        .at("in")
        .join(std::ffi::OsStr::from_bytes(b"caf\xe9.txt"));
    tests::world::put(&odd, b"latin-1 name");
    let run = world
        .archiver(["deposit", "in", "--class", "general", "--json"])
        .expect_code(0);
    let lines = run.json();
    assert_eq!(events(&lines, "deposited").len(), 3, "{}", run.stdout);
    assert_eq!(
        events(&lines, "warning").len(),
        1,
        "the empty file is warned of: {}",
        run.stdout
    );
    world.archiver(["stamp"]).expect_code(0);
    for event in events(&lines, "deposited") {
        let record = event["record"].as_str().expect("id");
        world.archiver(["get", record, "-o", "back"]).expect_code(0);
        let size = event["size"].as_u64().expect("size");
        assert_eq!(fs::metadata(world.at("back")).expect("fetched").len(), size);
        world
            .archiver([
                "evidence",
                record,
                "-o",
                "e.asice",
                "--trust-anchors",
                "a.pem",
            ])
            .expect_code(0);
        world
            .verifier(["verify", "e.asice", "--trust", "a.pem"])
            .expect_code(0);
    }
    world.archiver(["verify"]).expect_code(0);
}

#[test]
fn links_in_a_folder_follow_the_rules() {
    let world = World::new();
    world.file("in/real.txt", b"real");
    world.file("outside.txt", b"outside");
    symlink("real.txt", world.at("in/inside-link.txt")).expect("link");
    symlink("../outside.txt", world.at("in/outside-link.txt")).expect("link");
    symlink(".", world.at("in/loop")).expect("link");
    let run = world
        .archiver(["deposit", "in", "--class", "general", "--json"])
        .expect_code(0);
    assert_eq!(events(&run.json(), "deposited").len(), 2, "{}", run.stdout);

    symlink("nowhere", world.at("in/dangling")).expect("link");
    let run = world
        .archiver(["deposit", "in", "--class", "general", "--json"])
        .expect_code(1);
    let lines = run.json();
    assert_eq!(events(&lines, "failed").len(), 1);
    assert_eq!(events(&lines, "already-there").len(), 2);
}

#[test]
fn an_archive_that_cannot_be_opened_says_why() {
    let world = World::new();
    world.file("a.txt", b"a");
    world
        .archiver(["deposit", "a.txt", "--class", "general"])
        .expect_code(0);

    world.file("passphrase.txt", b"wrong\n");
    one_line(&world.archiver(["search"]).expect_code(4).stderr);
    world.file("passphrase.txt", b"correct horse battery staple\n");

    fs::rename(world.at("keys"), world.at("keys-away")).expect("moved");
    let run = world.archiver(["search"]).expect_code(3);
    assert!(
        one_line(&run.stderr).contains("key medium"),
        "{}",
        run.stderr
    );
    fs::rename(world.at("keys-away"), world.at("keys")).expect("moved");

    fs::rename(world.at("data-b"), world.at("data-b-away")).expect("moved");
    let run = world
        .archiver(["deposit", "a.txt", "--class", "general"])
        .expect_code(3);
    assert!(one_line(&run.stderr).contains("data-b"), "{}", run.stderr);
    fs::rename(world.at("data-b-away"), world.at("data-b")).expect("moved");

    let run = world
        .archiver(["--config", "absent.toml", "search"])
        .expect_code(3);
    one_line(&run.stderr);
    assert_eq!(
        world
            .archiver(["search", "--json"])
            .expect_code(0)
            .json()
            .len(),
        1
    );
}

#[test]
fn what_is_not_there_is_not_found() {
    let world = World::new();
    let unknown = "01935e7a-1111-7222-8333-444455556666";
    one_line(
        &world
            .archiver(["get", unknown, "-o", "x"])
            .expect_code(8)
            .stderr,
    );
    one_line(
        &world
            .archiver(["evidence", unknown, "-o", "x"])
            .expect_code(8)
            .stderr,
    );
    one_line(
        &world
            .archiver(["get", "nonsense", "-o", "x"])
            .expect_code(2)
            .stderr,
    );
    assert!(!world.at("x").exists());
}

#[test]
fn init_refuses_to_overwrite_and_to_mix_keys_with_data() {
    let world = World::new();
    let again = world.archiver([
        "init",
        "--data",
        "data-a",
        "--data",
        "data-b",
        "--keys",
        "keys",
        "--evaluation",
    ]);
    assert_eq!(again.code, 3, "{}", again.stderr);

    let world = World::empty();
    let run = world
        .archiver(["init", "--data", "d1", "--keys", "k"])
        .expect_code(3);
    assert!(
        one_line(&run.stderr).contains("--evaluation"),
        "{}",
        run.stderr
    );
    assert!(!world.at("fumikura.toml").exists());
}
