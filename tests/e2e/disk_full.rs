//! A data medium runs full: one clear line, nothing acknowledged is lost, and after more room the work goes on.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use tests::random::Random;
use tests::world::{Run, World};

use crate::events;

/// A small file system of its own, gone at the end of the test.
struct SmallMedium(PathBuf);

impl SmallMedium {
    /// `None` where this process may not mount.
    fn mount(place: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&place).expect("a mount point");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"])
            .arg(&place);
        mount
            .output()
            .is_ok_and(|output| output.status.success())
            .then_some(Self(place))
    }

    /// Takes all the room that is left.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("of somebody else");
        let mut file = File::create(&path).expect("a file");
        for bytes in [1 << 16, 1 << 12, 1] {
            let piece = vec![0x55; bytes];
            while file.write_all(&piece).is_ok() {}
        }
        path
    }

    fn grow(&self, size: &str) {
        let options = format!("remount,size={size}");
        let status = Command::new("mount")
            .args(["-o", &options])
            .arg(&self.0)
            .status()
            .expect("mount runs");
        assert!(status.success());
    }
}

impl Drop for SmallMedium {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        assert!(
            unmounted.is_ok_and(|status| status.success()),
            "{} stays mounted",
            self.0.display()
        );
    }
}

/// A trial archive, one of whose folders is a small file system; `None` where this process may not mount.
fn small(folder: &str, size: &str) -> Option<(World, SmallMedium)> {
    let world = World::empty();
    let Some(medium) = SmallMedium::mount(world.at(folder), size) else {
        let what = "a full medium (this process may not mount file systems)";
        tests::left_out("mount", what);
        return None;
    };
    let media = [
        "init",
        "--data",
        "data-a",
        "--data",
        "data-b",
        "--keys",
        "keys",
        "--evaluation",
    ];
    world.archiver(media).expect_code(0);
    Some((world, medium))
}

/// One line, and it names the medium.
fn expect_full(run: &Run, medium: &str) {
    assert_eq!(run.code, 5, "{}{}", run.stdout, run.stderr);
    let lines = run.stderr.lines();
    let lines: Vec<&str> = lines.filter(|line| !line.contains("EVALUATION")).collect();
    assert_eq!(lines.len(), 1, "{}", run.stderr);
    assert!(
        lines[0].contains(medium) && lines[0].contains("full"),
        "{}",
        run.stderr
    );
}

fn deposit(world: &World, folder: &str) -> Run {
    world.archiver(["deposit", folder, "--class", "general", "--json"])
}

/// The records that were acknowledged in these runs verify, some are fetched back, and nothing else is visible.
fn expect_exactly(world: &World, runs: &[&Run]) {
    let lines: Vec<_> = runs.iter().flat_map(|run| run.json()).collect();
    let acknowledged = events(&lines, "deposited");
    let search = world.archiver(["search", "--json"]).expect_code(0);
    assert_eq!(search.json().len(), acknowledged.len());
    for event in acknowledged
        .iter()
        .step_by(acknowledged.len().div_ceil(20).max(1))
    {
        let record = event["record"].as_str().expect("a record id");
        world.archiver(["get", record, "-o", "back"]).expect_code(0);
        let name = event["name"].as_str().expect("a name");
        let back = std::fs::read(world.at("back")).expect("fetched");
        assert!(
            back == std::fs::read(world.at(name)).expect("a document"),
            "{name}"
        );
    }
    world.archiver(["verify"]).expect_code(0);
}

#[test]
fn a_full_medium_loses_nothing_and_work_goes_on_after_more_room() {
    let Some((world, medium)) = small("data-b", "6m") else {
        return;
    };
    let mut random = Random::new(7);
    for number in 0..20 {
        world.file(&format!("in/{number:02}.bin"), &random.bytes(700_000));
    }
    let run = deposit(&world, "in");
    expect_full(&run, "data-b");
    let lines = run.json();
    let acknowledged = events(&lines, "deposited").len();
    assert!(acknowledged < 20, "the medium was not full: {}", run.stdout);
    let failed = events(&lines, "failed").len();
    assert_eq!(
        acknowledged + failed,
        20,
        "each document is named: {}",
        run.stdout
    );
    expect_exactly(&world, &[&run]);

    medium.grow("64m");
    let again = deposit(&world, "in").expect_code(0);
    let lines = again.json();
    assert_eq!(events(&lines, "already-there").len(), acknowledged);
    assert_eq!(events(&lines, "deposited").len(), 20 - acknowledged);
    world.archiver(["stamp"]).expect_code(0);
    expect_exactly(&world, &[&run, &again]);
}

#[test]
fn stamping_on_a_full_medium_leaves_the_records_queued() {
    let Some((world, medium)) = small("data-a", "6m") else {
        return;
    };
    // A hash tree that is larger than what is left of the segment's last block.
    for number in 0..100 {
        world.file(&format!("in/{number}.txt"), format!("{number}").as_bytes());
    }
    let run = deposit(&world, "in").expect_code(0);
    let filler = medium.fill();
    expect_full(&world.archiver(["stamp"]), "data-a");
    let status = world.archiver(["status", "--json"]).expect_code(0).json();
    assert_eq!(status[0]["unstamped"], 100);
    expect_exactly(&world, &[&run]);
    std::fs::remove_file(filler).expect("removed");
    let stamped = world.archiver(["stamp", "--json"]).expect_code(0).json();
    assert_eq!(events(&stamped, "stamped")[0]["records"], 100);
    expect_exactly(&world, &[&run]);
}

#[test]
fn a_full_key_medium_acknowledges_no_record_without_its_key() {
    let Some((world, medium)) = small("keys", "1m") else {
        return;
    };
    // A key takes some hundred bytes, so many of them are needed to go beyond what is left of the last block.
    for number in 0..150 {
        world.file(&format!("in/{number}.txt"), format!("{number}").as_bytes());
    }
    let filler = medium.fill();
    let run = deposit(&world, "in");
    expect_full(&run, "keys");
    expect_exactly(&world, &[&run]);
    std::fs::remove_file(filler).expect("removed");
    let again = deposit(&world, "in").expect_code(0);
    world.archiver(["stamp"]).expect_code(0);
    expect_exactly(&world, &[&run, &again]);
}

#[test]
fn a_full_place_of_the_index_loses_nothing() {
    let Some((world, medium)) = small("index", "6m") else {
        return;
    };
    world.file("in/a.txt", b"a");
    world.file("more/b.txt", b"b");
    let run = deposit(&world, "in").expect_code(0);
    let filler = medium.fill();
    let full = deposit(&world, "more");
    assert!([0, 5].contains(&full.code), "{}", full.stderr);
    std::fs::remove_file(filler).expect("removed");
    let again = deposit(&world, "more").expect_code(0);
    world.archiver(["stamp"]).expect_code(0);
    let mut runs = vec![&run, &again];
    runs.extend((full.code == 0).then_some(&full));
    expect_exactly(&world, &runs);
}
