//! A data medium runs full: one clear line, nothing acknowledged is lost, and after more room the work goes on.

use std::path::PathBuf;
use std::process::Command;

use tests::world::World;

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

#[test]
fn a_full_medium_loses_nothing_and_work_goes_on_after_more_room() {
    let world = World::empty();
    let Some(medium) = SmallMedium::mount(world.at("data-b"), "6m") else {
        println!("left out: a full medium (this process may not mount file systems)");
        return;
    };
    world
        .archiver([
            "init",
            "--data",
            "data-a",
            "--data",
            "data-b",
            "--keys",
            "keys",
            "--evaluation",
        ])
        .expect_code(0);
    let mut seed = 7_u64;
    for number in 0..20 {
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33).to_le_bytes()[0]
        })
        .take(700_000)
        .collect();
        world.file(&format!("in/{number:02}.bin"), &bytes);
    }

    let run = world
        .archiver(["deposit", "in", "--class", "general", "--json"])
        .expect_code(5);
    assert!(
        run.stderr.contains("data-b") && run.stderr.contains("full"),
        "{}",
        run.stderr
    );
    let lines = run.json();
    let acknowledged = events(&lines, "deposited").len();
    assert!(acknowledged < 20, "the medium was not full: {}", run.stdout);
    assert_eq!(
        acknowledged + events(&lines, "failed").len(),
        20,
        "each document is named: {}",
        run.stdout
    );
    assert_eq!(
        world
            .archiver(["search", "--json"])
            .expect_code(0)
            .json()
            .len(),
        acknowledged
    );
    world.archiver(["verify"]).expect_code(0);

    medium.grow("64m");
    let again = world
        .archiver(["deposit", "in", "--class", "general", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(events(&again, "already-there").len(), acknowledged);
    assert_eq!(events(&again, "deposited").len(), 20 - acknowledged);
    world.archiver(["stamp"]).expect_code(0);
    world.archiver(["verify"]).expect_code(0);
}
