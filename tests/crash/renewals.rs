//! A process that dies while it stamps or renews: no evidence is lost, and the next run makes nothing twice.
//!
//! Two ways to die, both at places that a seed chooses and no clock decides. *At a byte*: no file may grow beyond so many bytes, and the
//! kernel kills the process in the middle of the write that would (`SIGXFSZ`, which nobody handles); the segment is the longest file of the
//! archive, so the place is one in the frames that the job appends. *At a demand*: `SIGKILL` when the process asks for random bytes the n-th
//! time, which it does before the authority is asked, before pages are appended, and for each entry of the index after the commit.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use archiver::config::Config;
use archiver::store::{OpenOptions, ScanScope, Store, durable};
use firmware::clock::SystemClock;
use formats::segment::{Frame, Leaves, TimeStampKind};
use tests::random::Random;
use tests::world::World;
use tests::{has_program, workspace_root};

const SEED: u64 = 0x7265_6e65_7761_6c73;
const START: &str = "2027-01-10T00:00:00Z";
/// Places in the bytes of the segment, beside the first and the last one.
const BYTES: usize = 4;
/// Signatures of ECDSA, and so tokens, are some bytes longer or shorter.
const TOKEN_LENGTH_VARIES: u64 = 12;
/// Steps from one demand for random bytes at which the process dies to the next: from 1 to this.
const DEMANDS_STEP_MAX: u64 = 5;
/// The exit code of a renewal that leaves something undone.
const PARTIAL: i32 = 1;
const SIGKILL: i32 = 9;
const SIGXFSZ: i32 = 25;

/// What is done again and again until it is done.
struct Job {
    time: &'static str,
    command: &'static str,
    /// The exit code of a run that finds the job done.
    again: i32,
    prepare: fn(&World),
}

/// How the process dies.
#[derive(Debug, Clone, Copy)]
enum Death {
    AtByte(u64),
    AtDemand(u64),
}

#[test]
fn stamping_dies_anywhere() {
    dies_anywhere(&Job {
        time: "2027-02-10T00:00:00Z",
        command: "stamp",
        again: 0,
        prepare: |world| deposit(world, "2027-02-09T00:00:00Z", "waiting"),
    });
}

#[test]
fn time_stamp_renewal_dies_anywhere() {
    dies_anywhere(&Job {
        time: "2028-01-10T00:00:00Z",
        command: "renew",
        again: 0,
        prepare: |world| configure(world, "", "[renewal]\nage_max_days = 300\n"),
    });
}

#[test]
fn hash_tree_renewal_dies_anywhere() {
    dies_anywhere(&Job {
        time: "2029-02-10T00:00:00Z",
        command: "renew",
        // The embedded authority signs with SHA-256, which a later renewal would have to mend.
        again: PARTIAL,
        prepare: retire_sha256,
    });
}

fn dies_anywhere(job: &Job) {
    let base = World::empty();
    let init = "init --data data-a --data data-b --keys keys --evaluation";
    base.archiver_at(START, init.split(' ')).expect_code(0);
    let mut random = Random::new(SEED);
    // Longer than every other file.
    base.file("first/long.bin", &random.bytes(600_000));
    for folder in ["first", "second"] {
        deposit(&base, START, folder);
        base.archiver_at(START, ["stamp"]).expect_code(0);
    }
    (job.prepare)(&base);
    let whole = copy_of(&base);
    let before = segment_bytes(&whole);
    whole.archiver_at(job.time, [job.command]).expect_code(0);
    let after = segment_bytes(&whole);
    let stamps = stamps(&whole);
    assert_eq!(stamps.len(), 3, "two batches, and what the job makes");

    let mut deaths = 0;
    if has_program("prlimit", "--version") {
        let end = after - TOKEN_LENGTH_VARIES;
        let mut places = vec![before, end];
        places.extend((0..BYTES).map(|_| before + random.below(end - before)));
        for place in places {
            let died = die_and_go_on(&base, job, Death::AtByte(place), &stamps);
            assert!(died, "{}: wrote beyond byte {place} and lives", job.command);
            deaths += 1;
        }
    } else {
        println!("left out: deaths in the middle of a write (prlimit is not installed)");
    }
    let mut demand = 1 + random.below(DEMANDS_STEP_MAX);
    while die_and_go_on(&base, job, Death::AtDemand(demand), &stamps) {
        demand += 1 + random.below(DEMANDS_STEP_MAX);
        deaths += 1;
    }
    println!(
        "{} at {}: {deaths} deaths, in {} bytes and at up to {demand} demands",
        job.command,
        job.time,
        after - before
    );
}

/// Lets the job die, looks at what is there, runs it again, and compares it with what an undisturbed run makes. Whether it died.
fn die_and_go_on(
    base: &World,
    job: &Job,
    death: Death,
    stamps: &[(TimeStampKind, Leaves)],
) -> bool {
    let world = copy_of(base);
    let status = death
        .of(world.archiver_at_command(job.time, [job.command]))
        .current_dir(world.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("it starts");
    let died = status.signal();
    match death {
        Death::AtByte(_) => assert_eq!(died, Some(SIGXFSZ), "{death:?}: {status}"),
        Death::AtDemand(_) if died.is_none() => assert!(status.success(), "{death:?}: {status}"),
        Death::AtDemand(_) => assert_eq!(died, Some(SIGKILL), "{death:?}: {status}"),
    }
    // No record has less proof than before; what waits for its first token may wait still.
    assert_eq!(verified(&world, job.time)["failed"], 0, "{death:?}");
    // Where the job was done before the death, there is nothing left to do.
    let done = self::stamps(&world) == stamps;
    let code = if done { job.again } else { 0 };
    world.archiver_at(job.time, [job.command]).expect_code(code);
    assert_eq!(self::stamps(&world), stamps, "seed {SEED:#x}, {death:?}");
    let summary = verified(&world, job.time);
    assert_eq!(
        summary["passed"], summary["records"],
        "{death:?}: {summary}"
    );
    died.is_some()
}

impl Death {
    fn of(self, command: Command) -> Command {
        let mut dying = match self {
            Self::AtByte(bytes) => {
                let mut limited = Command::new("prlimit");
                limited.arg(format!("--fsize={bytes}")).arg("--core=0");
                limited.arg(command.get_program());
                limited
            }
            Self::AtDemand(number) => {
                let mut deadly = Command::new(command.get_program());
                deadly.arg(format!("--dies-at={number}"));
                deadly
            }
        };
        dying.args(command.get_args());
        dying
    }
}

fn deposit(world: &World, time: &str, folder: &str) {
    for number in 0..3 {
        let text = format!("{folder} {number}\n");
        world.file(&format!("{folder}/{number}.txt"), text.as_bytes());
    }
    world
        .archiver_at(time, ["deposit", folder, "--class", "general"])
        .expect_code(0);
}

/// Gives the archive a policy under which SHA-256 ends soon.
fn retire_sha256(world: &World) {
    let policy = workspace_root().join("verifier/policy/default.json");
    let policy = fs::read_to_string(policy).expect("the built-in policy");
    let built_in = r#""SHA-256", "trusted_until": "2050-"#;
    assert!(policy.contains(built_in), "{policy}");
    let ending = policy.replace(built_in, r#""SHA-256", "trusted_until": "2029-"#);
    world.file("policy.json", ending.as_bytes());
    configure(world, "policy = \"policy.json\"\n", "");
}

/// Adds to the configuration, at its beginning and at its end.
fn configure(world: &World, first: &str, last: &str) {
    let configuration = fs::read_to_string(world.at("fumikura.toml")).expect("readable");
    let configuration = format!("{first}{configuration}\n{last}");
    world.file("fumikura.toml", configuration.as_bytes());
}

/// The last line of a verification of everything.
fn verified(world: &World, time: &str) -> serde_json::Value {
    let run = world.archiver_at(time, ["verify", "--json"]).expect_code(0);
    run.json().pop().expect("a summary")
}

/// The archive time-stamps that are committed, each with its leaves.
fn stamps(world: &World) -> Vec<(TimeStampKind, Leaves)> {
    let config = Config::read(&world.at("fumikura.toml")).expect("a configuration");
    let options = OpenOptions {
        writable: false,
        boot_id: [0; 16],
        clock: Arc::new(SystemClock),
        segment_bytes_max: config.segment_bytes_max,
        disk: durable::system_disk(),
        copies: archiver::store::CopyPolicy::default(),
    };
    let (store, _) = Store::open(&config.data, config.archive, &options).expect("it opens");
    let frames = store.scan(None, ScanScope::Records);
    frames
        .filter_map(|item| {
            if let Frame::ArchiveTimeStamp(stamp) = item.expect("a whole frame").frame {
                return Some((stamp.kind, stamp.leaves));
            }
            None
        })
        .collect()
}

fn segment_bytes(world: &World) -> u64 {
    let segments = world.segments("data-a");
    let newest = segments.last().expect("a segment");
    fs::metadata(newest).expect("its length").len()
}

fn copy_of(world: &World) -> World {
    let copy = World::empty();
    copy_folder(world.path(), copy.path());
    copy
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
