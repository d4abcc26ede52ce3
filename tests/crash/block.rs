//! A real file system on a real block layer: ext4 on a loop device.
//!
//! The process is killed after the k-th acknowledged line, and the device is copied at once: the copy holds what the file system had written by
//! then, and not what still stood in the page cache. It is mounted as after a power loss (the journal is replayed, and the program is told of
//! another boot), and everything that was acknowledged must be there.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tests::left_out;
use tests::programs;
use tests::random::Random;
use tests::world::{Run, put};

const SEED: u64 = 0x0062_6c6f_636b;
const ROUNDS: u64 = 8;
const FILES: u64 = 40;
/// A file system writes back within half a minute; a copy takes a second.
const COPIES_MAX: usize = 60;

/// A mounted image, unmounted at the end.
struct Mounted(PathBuf);

impl Mounted {
    fn of(image: &Path, place: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&place).expect("a mount point");
        let mounted = runs(
            Command::new("mount")
                .args(["-o", "loop"])
                .arg(image)
                .arg(&place),
        );
        mounted.then_some(Self(place))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if !runs(Command::new("umount").arg(&self.0)) {
            println!("stays mounted: {}", self.0.display());
        }
    }
}

/// Copies an image whose file system may still write by itself: until two copies, one after the other, are equal. No medium shows its blocks
/// as they were at different moments.
fn copy_at_rest(image: &Path, copy: &Path) {
    let again = copy.with_extension("again");
    for _ in 0..COPIES_MAX {
        for target in [copy, &again] {
            let mut cp = Command::new("cp");
            let cp = cp.arg("--sparse=always").arg(image).arg(target);
            assert!(runs(cp), "the image is copied");
        }
        let equal = runs(Command::new("cmp").arg("-s").arg(copy).arg(&again));
        std::fs::remove_file(&again).expect("removed");
        if equal {
            return;
        }
    }
    panic!("the image was another one in each of {COPIES_MAX} copies");
}

fn runs(command: &mut Command) -> bool {
    let output = command.stdin(Stdio::null()).output();
    output.is_ok_and(|output| output.status.success())
}

/// `archiver` in a folder; with `boot`, as if it were another start of the machine.
fn archiver(folder: &Path, boot: Option<&Path>, arguments: &[&str]) -> Command {
    let program = programs::archiver();
    let mut command = match boot {
        None => Command::new(program),
        Some(boot) => {
            let mut command = Command::new("unshare");
            let script = "mount --bind \"$0\" /proc/sys/kernel/random/boot_id && exec \"$@\"";
            command
                .args(["-m", "sh", "-c", script])
                .arg(boot)
                .arg(program);
            command
        }
    };
    let common = "--config fumikura.toml --passphrase-file passphrase.txt --lang en --quiet";
    command
        .args(common.split(' '))
        .args(arguments)
        .current_dir(folder);
    command.stdin(Stdio::null());
    command
}

fn run(folder: &Path, boot: Option<&Path>, arguments: &[&str]) -> Run {
    Run::of(
        archiver(folder, boot, arguments)
            .output()
            .expect("it starts"),
    )
}

#[test]
fn ext4_loses_its_power_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("image");
    let made = runs(Command::new("truncate").args(["-s", "400M"]).arg(&image))
        && runs(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image));
    let disk = if made {
        Mounted::of(&image, folder.path().join("disk"))
    } else {
        None
    };
    let Some(disk) = disk else {
        let why = "mkfs.ext4 is missing, or this process may not mount a loop device";
        left_out("loop", &format!("a power loss under ext4 ({why})"));
        return;
    };
    let boot = folder.path().join("boot");
    put(&boot, b"0b1d0b1d-0b1d-4b1d-8b1d-0b1d0b1d0b1d\n");
    if !runs(Command::new("unshare").args(["-m", "true"])) {
        let why = "this process may not have another boot id";
        left_out("loop", &format!("a power loss under ext4 ({why})"));
        return;
    }
    put(
        &disk.0.join("passphrase.txt"),
        b"correct horse battery staple\n",
    );
    // The archive synchronises what it writes; this file is somebody else's.
    assert!(runs(Command::new("sync").arg("-f").arg(&disk.0)));
    let init = "init --data data-a --data data-b --keys keys --evaluation";
    let init: Vec<&str> = init.split(' ').collect();
    run(&disk.0, None, &init).expect_code(0);
    let mut random = Random::new(SEED);
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let sources = format!("in-{round}");
        for number in 0..FILES {
            let length = usize::try_from(random.below(60_000)).expect("small");
            put(
                &folder.path().join(&sources).join(format!("{number}.bin")),
                &random.bytes(length),
            );
        }
        let sources = folder.path().join(&sources);
        let lines = 1 + random.below(FILES - 1);
        acknowledged.extend(deposit_and_kill(&disk.0, &sources, lines));
        let copy = folder.path().join("copy");
        copy_at_rest(&image, &copy);
        let after = Mounted::of(&copy, folder.path().join("after"));
        let after = after.expect("the journal is replayed");
        // A deposit recovers, and is acknowledged.
        let one = folder.path().join("one");
        put(&one, format!("after {round}").as_bytes());
        let one = one.to_str().expect("a name");
        let deposit = ["deposit", one, "--class", "general"];
        run(&after.0, Some(&boot), &deposit).expect_code(0);
        nothing_is_lost(&after.0, &boot, &acknowledged, round);
        drop(after);
        std::fs::remove_file(copy).expect("removed");
    }
    println!(
        "{ROUNDS} power losses under ext4: {} acknowledged, all there",
        acknowledged.len()
    );
}

/// What was acknowledged is there, and all that is there verifies.
fn nothing_is_lost(disk: &Path, boot: &Path, acknowledged: &BTreeSet<String>, round: u64) {
    let there = records(disk, boot);
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(
        lost.is_empty(),
        "seed {SEED:#x}, round {round}: acknowledged and lost: {lost:?}"
    );
    let verified = run(disk, Some(boot), &["verify", "--json"]).expect_code(0);
    let summary = verified.json().pop().expect("a summary");
    assert_eq!(summary["failed"], 0, "round {round}: {summary}");
}

fn deposit_and_kill(disk: &Path, sources: &Path, lines: u64) -> BTreeSet<String> {
    let sources = sources.to_str().expect("a name");
    let mut child = archiver(
        disk,
        None,
        &["deposit", sources, "--class", "general", "--json"],
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::null())
    .spawn()
    .expect("it starts");
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (mut acknowledged, mut seen) = (BTreeSet::new(), 0);
    for line in output.lines().map_while(Result::ok) {
        let Ok(event) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        if event["event"] == "deposited" {
            acknowledged.insert(event["record"].as_str().expect("an id").to_owned());
            seen += 1;
            if seen == lines {
                child.kill().expect("killed");
            }
        }
    }
    child.wait().expect("ended");
    acknowledged
}

fn records(folder: &Path, boot: &Path) -> BTreeSet<String> {
    let hits = run(folder, Some(boot), &["search", "--json"])
        .expect_code(0)
        .json();
    hits.iter()
        .map(|hit| hit["record"].as_str().expect("an id").to_owned())
        .collect()
}
