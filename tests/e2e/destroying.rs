//! Destroying records through the program, and what everything else says of them afterwards.

use std::io::Write;
use std::process::Stdio;

use tests::world::{Run, World};

use crate::events;

/// Destroys a record as two people would, with the id typed again.
pub(crate) fn destroy(world: &World, record: &str, more: &[&str]) -> Run {
    let words = ["keys", "destroy", record, "--by", "佐藤"];
    let rest = ["--approved-by", "鈴木", "--reason", "a test", "--json"];
    let mut child = world
        .archiver_command(words.iter().chain(&rest).chain(more))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{record}").unwrap();
    Run::of(child.wait_with_output().unwrap())
}

/// Three records, none of them stamped, and their ids.
fn world() -> (World, Vec<String>) {
    let world = World::new();
    for name in ["a", "b", "c"] {
        world.file(&format!("in/{name}.txt"), name.as_bytes());
    }
    let run = world
        .archiver(["deposit", "in", "--class", "general", "--json"])
        .expect_code(0);
    let lines = run.json();
    let ids = events(&lines, "deposited");
    let ids = ids.iter().map(|line| line["record"].as_str().unwrap());
    let ids = ids.map(str::to_owned).collect();
    (world, ids)
}

#[test]
fn a_record_that_was_destroyed_before_its_timestamp_waits_for_none() {
    let (world, ids) = world();
    let refused = destroy(&world, &ids[1], &[]).expect_code(2);
    assert!(
        refused.stderr.contains("archiver stamp"),
        "{}",
        refused.stderr
    );
    destroy(&world, &ids[1], &["--without-timestamp"]).expect_code(0);
    let status = |world: &World| world.archiver(["status", "--json"]).expect_code(0).json();
    assert_eq!(status(&world)[0]["unstamped"], 2);
    let run = world.archiver(["stamp", "--json"]).expect_code(0);
    assert_eq!(events(&run.json(), "stamped")[0]["records"], 2);
    destroy(&world, &ids[0], &[]).expect_code(0);
    for _rebuilt in 0..2 {
        let status = status(&world);
        assert_eq!(status[0]["unstamped"], 0);
        assert!(status[0]["unstamped_since"].is_null());
        let run = world.archiver(["stamp"]).expect_code(0);
        assert!(!run.stderr.contains("cannot be stamped"), "{}", run.stderr);
        let run = world.archiver(["verify", "--json"]).expect_code(0);
        assert_eq!(events(&run.json(), "summary")[0]["destroyed"], 2);
        let run = world.archiver(["rebuild", "--json"]).expect_code(0);
        assert_eq!(events(&run.json(), "rebuilt")[0]["unstamped"], 0);
    }
}
