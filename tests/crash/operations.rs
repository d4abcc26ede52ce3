//! `SIGKILL` at the writing calls of each operation: of all its calls, on whichever medium and by whichever thread, a seeded sample is chosen, half of them
//! in the middle of a write; with `FUMIKURA_EACH_CALL` each is. Then nothing acknowledged is lost, nothing else is visible, all evidence holds, and
//! the same command comes to its end. `calls` does the same from outside, with `strace`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use archiver::config::Config;
use serde_json::Value;
use tests::random::Random;
use tests::world::{Run, World};

use crate::renewals::copy_folder;

const SEED: u64 = 0x6361_6c6c_7321;
/// The first day; each command is run a second later than the one before.
const DAY: &str = "2027-01-10";
/// Calls of each operation in the short run, beside its first and its last one.
const CHOSEN: usize = 2;
/// So large that a few files fill a segment, and no smaller is taken.
const SEGMENT_BYTES: usize = 4_194_304;

/// What is killed.
struct Operation {
    command: &'static str,
    /// What the archive is before, beside the two segments that each has.
    prepare: fn(&World, &Known),
    /// Records that it may add.
    new: usize,
    /// Whether it destroys the record [`Known::large`].
    destroys: bool,
    /// What must be so at its end.
    done: fn(&World),
}

/// What the archive has and must keep.
struct Known {
    records: BTreeSet<String>,
    /// The record that fills most of the first segment.
    large: String,
    /// How many records have evidence.
    stamped: u64,
}

const OPERATION: Operation = Operation {
    command: "",
    prepare: |_, _| (),
    new: 0,
    destroys: false,
    done: |_| (),
};

#[test]
fn deposits_that_seal_a_segment_are_killed() {
    killed(&Operation {
        command: "deposit more --class general --json",
        prepare: |world, _| {
            let bytes = Random::new(SEED).bytes(SEGMENT_BYTES / 2);
            world.file("more/large.bin", &bytes);
            world.file("more/small.txt", b"small");
        },
        new: 2,
        done: |world| assert_eq!(world.segments("data-a").len(), 3),
        ..OPERATION
    });
}

#[test]
fn stamping_is_killed() {
    killed(&Operation {
        command: "stamp",
        done: |world| assert_eq!(summary(world, 0)["unstamped"], 0),
        ..OPERATION
    });
}

#[test]
fn a_rotation_of_keys_is_killed() {
    killed(&Operation {
        command: "keys rotate",
        ..OPERATION
    });
}

#[test]
fn healing_is_killed() {
    killed(&Operation {
        command: "scrub",
        prepare: |world, _| {
            let segment = &world.segments("data-b")[0];
            let mut bytes = fs::read(segment).expect("a segment");
            let middle = bytes.len() / 2;
            bytes[middle..middle + 5000].fill(0);
            replace(segment, &bytes);
        },
        ..OPERATION
    });
}

#[test]
fn adding_a_medium_is_killed() {
    killed(&Operation {
        command: "media add data-c",
        done: |world| assert_eq!(data(world), ["data-a", "data-b", "data-c"]),
        ..OPERATION
    });
}

#[test]
fn replacing_a_medium_is_killed() {
    killed(&Operation {
        command: "media replace data-2 data-c",
        prepare: |world, _| fs::remove_dir_all(world.at("data-b")).expect("removed"),
        done: |world| assert_eq!(data(world), ["data-a", "data-c"]),
        ..OPERATION
    });
}

#[test]
fn migrating_a_medium_is_killed() {
    killed(&Operation {
        command: "media migrate data-1 data-c",
        done: |world| assert_eq!(data(world), ["data-b", "data-c"]),
        ..OPERATION
    });
}

#[test]
fn destroying_a_record_is_killed() {
    killed(&Operation {
        command: "keys destroy LARGE --by Sato --approved-by Suzuki --reason test",
        destroys: true,
        done: |world| assert_eq!(summary(world, 0)["destroyed"], 1),
        ..OPERATION
    });
}

#[test]
fn compaction_is_killed() {
    killed(&Operation {
        command: "compact",
        prepare: |world, known| {
            let destroy = "keys destroy LARGE --by Sato --approved-by Suzuki --reason test";
            run(world, known, &[], destroy).expect_code(0);
        },
        destroys: true,
        done: |world| {
            let first = fs::metadata(&world.segments("data-b")[0]).expect("a segment");
            assert!(first.len() < SEGMENT_BYTES as u64 / 4, "its room is free");
        },
        ..OPERATION
    });
}

#[test]
fn a_rebuild_of_the_index_is_killed() {
    killed(&Operation {
        command: "rebuild --index fjall",
        ..OPERATION
    });
}

#[test]
fn a_backup_is_killed() {
    killed(&Operation {
        command: "backup --to backups --keep 1 --backup-passphrase-file passphrase.txt",
        done: |world| {
            // One that was not recorded is taken again, and one of which nobody was told is followed by the next.
            let kept = fs::read_dir(world.at("backups")).expect("backups");
            let names = kept.map(|one| one.expect("an entry").file_name());
            let mut names: Vec<_> = names.collect();
            names.sort();
            let expected = ["fumikura-00000001.backup", "fumikura-00000002.backup"];
            assert!(
                names == expected[..1] || names == expected[1..],
                "{names:?}"
            );
        },
        ..OPERATION
    });
}

/// Kills, looks, and does it again to its end.
fn killed(operation: &Operation) {
    let (base, known) = base();
    (operation.prepare)(&base, &known);
    let undisturbed = copy_of(&base);
    let run = run(
        &undisturbed,
        &known,
        &["--dies-at-call=1000000"],
        operation.command,
    );
    let run = run.expect_code(0);
    let calls = run.stderr.lines().last().and_then(|line| line.parse().ok());
    let calls: u64 = calls.unwrap_or_else(|| panic!("no count of calls: {}", run.stderr));
    look_after(operation, &undisturbed, &known);
    let mut random = Random::new(SEED);
    let mut chosen = BTreeSet::from([1, calls]);
    if std::env::var_os("FUMIKURA_EACH_CALL").is_some() {
        chosen.extend(1..=calls);
    }
    while chosen.len() < usize::try_from(calls).unwrap_or(0).min(CHOSEN + 2) {
        chosen.insert(1 + random.below(calls));
    }
    let mut died = 0;
    for number in &chosen {
        let how = ["at", "in"][usize::try_from(random.below(2)).unwrap_or(0)];
        let death = format!("--dies-{how}-call={number}");
        let what = format!("{}, {death} of {calls}", operation.command);
        died += u64::from(kill_and_go_on(operation, &base, &known, &death, &what));
    }
    println!(
        "{}: killed at {died} of {calls} calls: {chosen:?}",
        operation.command
    );
    // Threads take turns: a run may come to its end with a call less.
    assert!(died + 1 >= chosen.len() as u64, "{}", operation.command);
}

/// Whether it died.
fn kill_and_go_on(
    operation: &Operation,
    base: &World,
    known: &Known,
    death: &str,
    what: &str,
) -> bool {
    println!("{what}");
    let world = copy_of(base);
    let killed = run(&world, known, &[death], operation.command);
    let told = killed.stdout.lines();
    let told = told.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told: BTreeSet<String> = told
        .filter(|event| event["event"] == "deposited")
        .filter_map(|event| event["record"].as_str().map(str::to_owned))
        .collect();
    let there = records(&world);
    let lost: Vec<&String> = known
        .records
        .union(&told)
        .filter(|one| !there.contains(*one))
        .collect();
    assert!(lost.is_empty(), "{what}: acknowledged and lost: {lost:?}");
    // The group under way may be there before anybody was told.
    let new = there.len() - known.records.len();
    assert!(
        new <= operation.new,
        "{what}: {new} records nobody asked for"
    );
    // A copy may still be damaged or absent; no record is.
    let seen = summary(&world, EITHER);
    evidence_is_whole(&seen, known, operation, what);
    let again = run(&world, known, &[], operation.command);
    // Only what was to be destroyed, and is, may be refused: there is nothing left to confirm.
    let destroys = operation.command.starts_with("keys destroy");
    let is_done = destroys && seen["destroyed"] == 1 && again.code == REFUSED;
    assert!(is_done || again.code == 0, "{what}: {again:?}");
    look_after(operation, &world, known);
    killed.code == -1
}

fn look_after(operation: &Operation, world: &World, known: &Known) {
    let there = records(world);
    assert!(known.records.is_subset(&there), "{}", operation.command);
    assert_eq!(there.len(), known.records.len() + operation.new);
    let seen = summary(world, 0);
    assert_eq!(seen["damaged"], 0, "{}: {seen}", operation.command);
    evidence_is_whole(&seen, known, operation, operation.command);
    (operation.done)(world);
    // The copies are equal to the last byte.
    let media = data(world);
    for segment in world.segments(&media[0]) {
        let name = segment.file_name().expect("a name");
        let first = fs::read(&segment).expect("a segment");
        for other in &media[1..] {
            let other = world.at(other).join("segments").join(name);
            assert!(
                fs::read(&other).expect("a copy") == first,
                "{}",
                other.display()
            );
        }
    }
}

fn evidence_is_whole(seen: &Value, known: &Known, operation: &Operation, what: &str) {
    for wrong in ["failed", "indeterminate", "lost_keys"] {
        assert_eq!(seen[wrong], 0, "{what}: {wrong}: {seen}");
    }
    let destroyed = seen["destroyed"].as_u64().unwrap_or(0);
    assert!(destroyed <= u64::from(operation.destroys), "{what}: {seen}");
    let passed = seen["passed"].as_u64().unwrap_or(0);
    assert!(passed + destroyed >= known.stamped, "{what}: {seen}");
}

/// 0, or 7: a copy is damaged.
const EITHER: i32 = -1;

/// The last line of a verification.
fn summary(world: &World, code: i32) -> Value {
    let run = world.archiver_at(&time(), ["verify", "--json"]);
    let expected = if code == EITHER && run.code == 7 {
        7
    } else {
        code.max(0)
    };
    run.expect_code(expected).json().pop().expect("a summary")
}

fn records(world: &World) -> BTreeSet<String> {
    let hits = world
        .archiver_at(&time(), ["search", "--json"])
        .expect_code(0)
        .json();
    let records = hits.iter().filter_map(|hit| hit["record"].as_str());
    records.map(str::to_owned).collect()
}

/// The folders of the data media, by their names.
fn data(world: &World) -> Vec<String> {
    let config = Config::read(&world.at("fumikura.toml")).expect("a configuration");
    let names = config.data.iter().filter_map(|path| path.file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

fn time() -> String {
    static SECONDS: AtomicU64 = AtomicU64::new(0);
    let seconds = SECONDS.fetch_add(1, Ordering::Relaxed);
    format!(
        "{DAY}T{:02}:{:02}:{:02}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Runs a command; `LARGE` stands for the large record, whose id is also what is typed.
fn run(world: &World, known: &Known, deadly: &[&str], command: &str) -> Run {
    let words = command
        .split(' ')
        .map(|word| if word == "LARGE" { &known.large } else { word });
    let ready = world.archiver_at_command(&time(), words);
    let mut command = Command::new(ready.get_program());
    command.args(deadly).args(ready.get_args());
    let mut child = command
        .current_dir(world.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // Who does not ask does not read it.
    writeln!(child.stdin.take().expect("a pipe"), "{}", known.large).ok();
    Run::of(child.wait_with_output().expect("ended"))
}

/// A sealed segment and one that grows; two records have evidence, and two wait for it.
fn base() -> (World, Known) {
    let world = World::empty();
    let init = "init --data data-a --data data-b --keys keys --evaluation";
    world.archiver_at(&time(), init.split(' ')).expect_code(0);
    let text = fs::read_to_string(world.at("fumikura.toml")).expect("a configuration");
    let small = text.replace(
        "max_bytes = 268435456",
        &format!("max_bytes = {SEGMENT_BYTES}"),
    );
    assert_ne!(text, small);
    world.file("fumikura.toml", small.as_bytes());
    let mut random = Random::new(SEED);
    let deposit = |world: &World, folder: &str| -> String {
        let words = ["deposit", folder, "--class", "general", "--json"];
        let told = world.archiver_at(&time(), words).expect_code(0).json();
        let event = told.iter().find(|event| event["event"] == "deposited");
        let record = event.and_then(|event| event["record"].as_str());
        record.expect("a record").to_owned()
    };
    world.file("one/large.bin", &random.bytes(SEGMENT_BYTES - 600_000));
    let large = deposit(&world, "one");
    world.file("two/text.txt", b"text");
    deposit(&world, "two");
    world.archiver_at(&time(), ["stamp"]).expect_code(0);
    world.file("three/large.bin", &random.bytes(SEGMENT_BYTES / 2));
    world.file("three/text.txt", b"another text");
    deposit(&world, "three");
    assert_eq!(world.segments("data-a").len(), 2);
    let records = records(&world);
    let stamped = summary(&world, 0)["passed"].as_u64().expect("a number");
    assert_eq!((records.len(), stamped), (4, 2));
    let known = Known {
        records,
        large,
        stamped,
    };
    (world, known)
}

fn copy_of(world: &World) -> World {
    let copy = World::empty();
    copy_folder(world.path(), copy.path());
    copy
}

/// Puts other bytes in the place of a file that may be protected.
fn replace(path: &PathBuf, bytes: &[u8]) {
    fs::remove_file(path).expect("removed");
    fs::write(path, bytes).expect("written");
}

/// The exit code of wrong usage: a record without a timestamp is not destroyed unasked, and one that was destroyed has none to show.
const REFUSED: i32 = 2;
