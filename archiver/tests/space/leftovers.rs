//! Backups that no event names, and those that were begun and not finished.

use archiver::archive::Access;
use archiver::backup;
use archiver::backup::container::check;
use archiver::backup::ledger::{BackupBegun, Backups};
use formats::medium::LABEL_FILE;

use super::backups::{copy, take};
use super::*;

#[test]
fn a_backup_that_no_event_names_is_never_overwritten() {
    let world = World::new(12);
    let archive = world.open(Access::Write);
    archive.close().unwrap();
    copy(&world.path("data-a"), &world.path("before"));
    let archive = world.open(Access::Write);
    let cut = take(&archive, &world, None).unwrap().taken;
    archive.close().unwrap();
    // The event never came to the media.
    for medium in ["data-a", "data-b"] {
        let label = std::fs::read(world.path(medium).join(LABEL_FILE));
        std::fs::remove_dir_all(world.path(medium)).unwrap();
        copy(&world.path("before"), &world.path(medium));
        put(&world.path(medium).join(LABEL_FILE), &label.unwrap());
    }
    std::fs::remove_dir_all(world.path("index")).unwrap();
    let archive = world.open(Access::Write);
    let taken = take(&archive, &world, Some(1)).unwrap().taken;
    assert_eq!(taken.generation, cut.generation + 1);
    check(&cut.file, &passphrase("backup")).unwrap();
    check(&taken.file, &passphrase("backup")).unwrap();
    // Whatever else stands there stays.
    let whole = std::fs::read(&taken.file).unwrap();
    let mut number = taken.generation;
    for strange in [&whole[..], b"", b"no backup"] {
        number += 1;
        let next = world.path(&format!("backups/fumikura-{number:08}.backup"));
        put(&next, strange);
        number += 1;
        assert_eq!(
            take(&archive, &world, None).unwrap().taken.generation,
            number
        );
        assert_eq!(std::fs::read(&next).unwrap(), strange);
    }
}

#[test]
fn a_backup_that_was_begun_is_named_until_nothing_of_it_is_left() {
    let world = World::new(14);
    let archive = world.open(Access::Write);
    let versions = fill(&archive, &world, 2, 1000);
    let first = take(&archive, &world, None).unwrap().taken;
    // As a process leaves them that is killed: one before its first byte, one in the middle, one before its last event.
    let mut begun = Vec::new();
    for generation in 2..5 {
        let one = BackupBegun {
            generation,
            file: world.path(&format!("backups/fumikura-{generation:08}.backup")),
            created_at: first.created_at.clone(),
        };
        archive.record_event("tester", &one).unwrap();
        begun.push(one.file);
    }
    put(
        &begun[1].with_extension("backup.new"),
        b"the beginning of a backup",
    );
    let kept = |archive: &Archive| -> Vec<u32> {
        let backups = Backups::read(archive).unwrap();
        backups.kept().map(|one| one.generation).collect()
    };
    assert_eq!(kept(&archive), [1, 2, 3, 4]);
    world.wait();
    destroy(&archive, &versions[..1]);
    let pruned = backup::prune(&archive, "tester").unwrap();
    assert_eq!(
        pruned.removed.len(),
        2,
        "the first, and the beginning of the third"
    );
    assert_eq!(pruned.absent.len(), 2);
    assert!(!begun[1].with_extension("backup.new").exists());
    assert_eq!(kept(&archive), [2, 4]);
    let next = take(&archive, &world, None).unwrap().taken;
    assert_eq!(next.generation, 5);
    for generation in [2, 4] {
        backup::confirm_destroyed(&archive, "tester", generation).unwrap();
    }
    assert_eq!(kept(&archive), [5]);
}
