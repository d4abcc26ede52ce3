//! `SIGKILL` at the system calls of a command, from the first on until the command ends by itself: at a seeded sample of them, and at each single one with
//! `FUMIKURA_EACH_CALL`. `operations` does the same to every other operation, from inside.
//!
//! `strace` stops the program before a writing call and kills it there: the bytes of the call are not written, all before are. It counts the
//! calls of each thread; each medium is traced for itself, so that the threads of both replicas are met.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tests::random::Random;
use tests::world::World;
use tests::{has_program, left_out};

use crate::renewals::copy_folder;

/// The writing calls of the program.
const CALLS: &str = "pwritev,pwritev2,pwrite64,fdatasync,fsync,rename,renameat,renameat2,unlink,unlinkat,ftruncate,fchmod,fchmodat,mkdir,mkdirat";
/// Calls on these places alone: the index engine writes for itself, and is derived.
const PLACES: &[&str] = &["data-a", "data-b", "keys"];
/// Stamping writes nothing to the key medium.
const DATA: &[&str] = &["data-a", "data-b"];
/// The most from one call to the next in the short run; `FUMIKURA_EACH_CALL` makes it one.
const STEP_MAX: u64 = 8;
const SEED: u64 = 0x0063_616c_6c73;

#[test]
fn a_deposit_is_killed_at_its_calls() {
    kill_at_calls(
        PLACES,
        "deposit",
        &["deposit", "in", "--class", "general", "--json"],
        3,
    );
}

#[test]
fn stamping_is_killed_at_its_calls() {
    kill_at_calls(DATA, "stamp", &["stamp"], 0);
}

/// Kills, looks, and does it again to its end.
fn kill_at_calls(places: &[&str], what: &str, command: &[&str], new: usize) {
    for place in places {
        kill_on(place, what, command, new);
    }
}

fn kill_on(place: &str, what: &str, command: &[&str], new: usize) {
    if !can_trace() {
        let what =
            format!("kill -9 at calls of {what} (strace is not installed, or may not trace)");
        left_out("ptrace", &what);
        return;
    }
    let base = base();
    let each = std::env::var_os("FUMIKURA_EACH_CALL").is_some();
    let mut random = Random::new(SEED);
    let mut step = || {
        let step = if each { 1 } else { 1 + random.below(STEP_MAX) };
        usize::try_from(step).unwrap_or(1)
    };
    let (mut number, mut kills) = (1, 0);
    loop {
        let world = World::empty();
        copy_folder(base.path(), world.path());
        let (died, acknowledged) = run_and_kill(&world, place, command, number);
        let there = records(&world);
        for record in &acknowledged {
            assert!(
                there.contains(record),
                "{what}, call {number}: acknowledged and lost: {record}"
            );
        }
        // In one write the group is told after its commit: at most that group is there and was not told.
        assert!(there.len() <= 2 + new, "{what}, call {number}");
        let verified = world.archiver(["verify", "--json"]).expect_code(0).json();
        let summary = verified.last().expect("a summary");
        assert_eq!(summary["failed"], 0, "{what}, call {number}: {summary}");
        assert_eq!(summary["damaged"], 0, "{what}, call {number}: {summary}");
        world.archiver(command).expect_code(0);
        assert_eq!(records(&world).len(), 2 + new, "{what}, call {number}");
        world.archiver(["verify"]).expect_code(0);
        if !died {
            break;
        }
        kills += 1;
        number += step();
    }
    println!(
        "{what}, calls on {place}: killed {kills} times, the last call was before the {number}th"
    );
    assert!(kills > 0, "{what}: it was never killed on {place}");
}

/// Whether `strace` is there and may trace.
pub(crate) fn can_trace() -> bool {
    has_program("strace", "--version")
        && Command::new("strace")
            .args(["-qq", "-o", "/dev/null", "true"])
            .status()
            .is_ok_and(|status| status.success())
}

/// Whether it was killed, and the records that it had told of.
fn run_and_kill(
    world: &World,
    place: &str,
    command: &[&str],
    number: usize,
) -> (bool, Vec<String>) {
    let traced = world.archiver_command(command);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null"]);
    strace.args(["-e", &format!("trace={CALLS}")]);
    strace.args([
        "-e",
        &format!("inject={CALLS}:signal=SIGKILL:when={number}"),
    ]);
    for path in paths(world, place) {
        strace.arg("-P").arg(path);
    }
    strace.arg(traced.get_program()).args(traced.get_args());
    let output = strace
        .current_dir(world.path())
        .output()
        .expect("strace runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let events = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told = events
        .filter(|event| event["event"] == "deposited")
        .filter_map(|event| event["record"].as_str().map(str::to_owned));
    (!output.status.success(), told.collect())
}

/// Every file and folder on a medium, with the names that may come.
fn paths(world: &World, place: &str) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut waiting = vec![world.at(place)];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder");
            waiting.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else {
            let mut new = path.clone().into_os_string();
            new.push(".new");
            paths.push(new.into());
        }
        paths.push(path);
    }
    paths
}

fn records(world: &World) -> Vec<String> {
    let hits = world.archiver(["search", "--json"]).expect_code(0).json();
    let records = hits
        .iter()
        .map(|hit| hit["record"].as_str().expect("an id"));
    records.map(str::to_owned).collect()
}

/// Two records, one of them stamped, and three files that wait.
fn base() -> World {
    let world = World::new();
    for (folder, name) in [("first", "one"), ("second", "two")] {
        world.file(&format!("{folder}/{name}.txt"), name.as_bytes());
        world
            .archiver(["deposit", folder, "--class", "general"])
            .expect_code(0);
        if name == "one" {
            world.archiver(["stamp"]).expect_code(0);
        }
    }
    for number in 0..3 {
        world.file(
            &format!("in/{number}.txt"),
            format!("text {number}").as_bytes(),
        );
    }
    world
}
