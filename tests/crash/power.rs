//! The power fails, or the process is killed, at random points of everything that an archive does (`tests::endurance`).
//!
//! `FUMIKURA_SEED` and `FUMIKURA_POINTS` give another run; the long one is `cargo run -p tests --bin power -- --points 10000 --seed 1`.

use std::fs;
use std::io::IoSlice;
use std::panic::{AssertUnwindSafe, catch_unwind};

use archiver::store::durable::Disk;
use tests::endurance::{Plan, Step, run};
use tests::power::{Call, Cut, Effect, Fault, Names, PowerDisk};
use tests::random::Random;

const SEED: u64 = 0x0070_6f77_6572;
const POINTS: u64 = 1000;
const LIVES_WITH_A_LIAR: u64 = 400;

fn given(variable: &str, otherwise: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

#[test]
fn the_power_fails_anywhere() {
    let plan = Plan {
        seed: given("FUMIKURA_SEED", SEED),
        points: given("FUMIKURA_POINTS", POINTS),
        points_per_life: 40,
        honest: true,
        often: None,
    };
    println!("seed {}", plan.seed);
    let tally = run(plan).unwrap_or_else(|broken| panic!("{broken}"));
    println!("{tally:#?}");
    assert!(tally.points >= plan.points);
    assert!(tally.kills > 0 && tally.while_opening > 0 && tally.segments > 0);
    assert!(tally.evidence > 0 && tally.rebuilt > 0);
    let missed: Vec<&str> = Step::ALL
        .iter()
        .map(|step| step.name())
        .filter(|name| !tally.by_step.contains_key(name))
        .collect();
    assert!(
        plan.points < POINTS || missed.is_empty(),
        "no cut fell into {missed:?}"
    );
}

/// The oracle is worth something: on a disk that only says that it synchronises, it sees that what was acknowledged is lost.
#[test]
fn a_disk_that_lies_is_found_out() {
    let mut told = Vec::new();
    for number in 0..LIVES_WITH_A_LIAR {
        let plan = Plan {
            seed: SEED + number,
            points: 40,
            points_per_life: 40,
            honest: false,
            often: None,
        };
        // Most such archives do not even open again, which is not the oracle's merit.
        let ended = catch_unwind(AssertUnwindSafe(|| run(plan)));
        let lost =
            ended.unwrap_or_else(|_| Err("a file that the archive needs is lost".to_owned()));
        told.push(lost.expect_err("a disk that synchronises nothing loses something"));
        let last = told.last().map_or("", String::as_str);
        if last.contains("acknowledged and lost") || last.contains("and gone") {
            return;
        }
    }
    panic!("no loss was seen by the oracle:\n{}", told.join("\n"));
}

/// What was synchronised stays, whatever the seed says; what was not is old, new, or torn at sectors.
#[test]
fn a_power_loss_takes_only_what_was_not_synchronised() {
    let (mut old, mut new, mut torn, mut gone) = (0, 0, 0, 0);
    for seed in 0..400 {
        let names = if seed % 2 == 0 {
            Names::Any
        } else {
            Names::Ordered
        };
        let folder = tempfile::tempdir().unwrap();
        let disk = PowerDisk::new(folder.path().join("graves"), names, true);
        let path = folder.path().join("file");
        let file = disk.create(&path).unwrap();
        disk.write_at(&file, &mut [IoSlice::new(&[1; 4096])], 0)
            .unwrap();
        disk.sync(&file).unwrap();
        disk.sync_directory(folder.path()).unwrap();
        disk.write_at(&file, &mut [IoSlice::new(&[2; 2048])], 2048)
            .unwrap();
        let other = folder.path().join("other");
        drop(disk.create(&other).unwrap());
        drop(file);
        disk.lose_power(&mut Random::new(seed));
        let content = fs::read(&path).unwrap();
        assert_eq!(content.len(), 4096, "seed {seed}");
        assert_eq!(content[..2048], [1; 2048], "seed {seed}");
        let sectors: Vec<u8> = content[2048..].chunks(512).map(|s| s[0]).collect();
        assert!(content[2048..].chunks(512).all(|s| s == [s[0]; 512]));
        match sectors.as_slice() {
            [1, 1, 1, 1] => old += 1,
            [2, 2, 2, 2] => new += 1,
            _ => torn += 1,
        }
        gone += u64::from(!other.exists());
        assert!(!folder.path().join("graves").exists());
    }
    assert!(old > 0 && new > 0 && torn > 0, "{old} {new} {torn}");
    assert!(gone > 0 && gone < 400, "{gone}");
}

#[test]
fn names_go_back_to_what_they_were() {
    let (mut before, mut after) = (0, 0);
    for seed in 0..100 {
        let folder = tempfile::tempdir().unwrap();
        let disk = PowerDisk::new(folder.path().join("graves"), Names::Ordered, true);
        let (path, new) = (folder.path().join("file"), folder.path().join("file.new"));
        fs::copy("/proc/self/stat", &path).unwrap();
        let old = fs::read(&path).unwrap();
        let file = disk.create(&new).unwrap();
        disk.write_at(&file, &mut [IoSlice::new(b"new")], 0)
            .unwrap();
        disk.sync(&file).unwrap();
        disk.rename(&new, &path).unwrap();
        drop(file);
        disk.lose_power(&mut Random::new(seed));
        let content = fs::read(&path).unwrap();
        before += u64::from(content == old);
        after += u64::from(content == b"new");
    }
    assert_eq!(before + after, 100, "never anything else");
    assert!(before > 0 && after > 0, "{before} {after}");
}

#[test]
fn a_dead_disk_does_nothing_and_faults_fail_where_they_are_armed() {
    let folder = tempfile::tempdir().unwrap();
    let disk = PowerDisk::new(folder.path().join("graves"), Names::Any, true);
    disk.restart(Some(Cut {
        on: None,
        after: 1,
        effect: Effect::Part(2),
    }));
    let file = disk.create(&folder.path().join("file")).unwrap();
    let write = |bytes: &[u8]| disk.write_at(&file, &mut [IoSlice::new(bytes)], 0);
    assert!(write(b"four").is_err());
    assert!(disk.is_dead());
    assert!(disk.sync(&file).is_err());
    assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"fo");
    disk.restart(None);
    disk.arm(Fault {
        call: Call::Sync,
        path: "file".to_owned(),
        after: 0,
        sticky: false,
        errno: 5,
        effect: Effect::None,
    });
    write(b"four").unwrap();
    assert_eq!(disk.sync(&file).unwrap_err().raw_os_error(), Some(5));
    disk.sync(&file).unwrap();
    assert_eq!(disk.calls().len(), 3);
}
