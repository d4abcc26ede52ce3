use std::collections::BTreeSet;

use archiver::archive::Access;
use archiver::backup::container::check;
use archiver::backup::drill::sample;
use archiver::backup::ledger::Backups;
use archiver::backup::report::Drill;
use archiver::backup::restore::{Restored, restore};
use archiver::backup::{self, BackupError, BackupOptions, BackupReport};
use archiver::keys::{DamagedEntries, Destruction, KdfParameters};
use archiver::space;

use super::*;

pub(crate) fn take(
    archive: &Archive,
    world: &World,
    keep: Option<u32>,
) -> Result<BackupReport, BackupError> {
    world.wait();
    let options = BackupOptions {
        to: world.path("backups"),
        keep,
        parameters: KdfParameters {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        },
    };
    backup::take(archive, "tester", &passphrase("backup"), &options)
}

pub(crate) fn restore_to(
    world: &World,
    from: &Path,
    secret: &str,
    into: &str,
) -> Result<Restored, BackupError> {
    let disk = durable::system_disk();
    let data = [world.path("data-a")];
    let into = world.path(into);
    restore(disk.as_ref(), from, &passphrase(secret), &data, &into, true)
}

#[test]
fn a_backup_and_one_data_medium_give_the_archive_back() {
    let world = World::new(3);
    let archive = world.open(Access::Write);
    let versions = fill(&archive, &world, 5, 10_000);
    let report = take(&archive, &world, None).unwrap();
    assert!(report.taken.files >= 4);
    archive.close().unwrap();
    for lost in ["keys", "data-b", "index"] {
        std::fs::remove_dir_all(world.path(lost)).unwrap();
    }
    let restored = restore_to(&world, &report.taken.file, "backup", "new").unwrap();
    assert_eq!(restored.files, report.taken.files);
    assert_eq!(hex::encode(restored.sha256), report.taken.sha256);
    let archive = world.open_config(restored.config.clone(), Access::Read);
    assert_eq!(passing(&archive, &versions), versions);
    let written = Config::read(&restored.config.path).unwrap();
    assert_eq!(written, restored.config);
    assert!(written.keys.starts_with(world.path("new")));
}

/// Copies a folder of files and folders.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            put(&target, &std::fs::read(entry.path()).unwrap());
        }
    }
}

#[test]
fn a_drill_tells_that_the_data_medium_lacks_records_of_the_backup() {
    let world = World::new(9);
    let archive = world.open(Access::Write);
    fill(&archive, &world, 3, 2000);
    // What an interrupted deposit leaves: a key and no record.
    let ledger = archive.keys().ledger();
    let record = formats::id::RecordId::from_bytes([9; 16]);
    let never = VersionId::new(record, 1).unwrap();
    ledger
        .commit(ledger.wrap_new(never).unwrap().ticket())
        .unwrap();
    archive.close().unwrap();
    copy(&world.path("data-a"), &world.path("old"));
    let archive = world.open(Access::Write);
    fill(&archive, &world, 2, 3000);
    let taken = take(&archive, &world, None).unwrap().taken;
    assert_eq!(taken.keys_without_record, 1);
    archive.close().unwrap();
    let drilled = |data: &str, count: u32| {
        let disk = durable::system_disk();
        let into = world.path(&format!("drill-{data}-{count}"));
        let (from, secret) = (&taken.file, passphrase("backup"));
        let data = [world.path(data)];
        let restored = restore(disk.as_ref(), from, &secret, &data, &into, true).unwrap();
        let mut drill = Drill {
            generation: restored.header.generation,
            sha256: hex::encode(restored.sha256),
            ..Drill::default()
        };
        let archive = world.open_config(restored.config, Access::Read);
        let versions = sample(&archive, count, &mut drill).unwrap();
        drill.sampled = versions.len() as u64;
        drill
    };
    let right = drilled("data-a", 2);
    assert_eq!((right.keys, right.sampled, right.without_record), (6, 2, 0));
    assert!(right.is_good());
    assert!(!drilled("data-a", 0).is_good());
    // The medium ends before the backup, and does not tell of it.
    let old = drilled("old", 2);
    assert_eq!((old.without_key, old.without_record), (0, 3));
    assert!(!old.is_good());
}

#[test]
fn a_drill_from_before_a_destruction_counts_no_loss_and_names_the_backup() {
    let world = World::new(11);
    let archive = world.open(Access::Write);
    const GONE: usize = 5;
    let versions = fill(&archive, &world, 9, 600_000);
    let taken = take(&archive, &world, None).unwrap().taken;
    world.wait();
    let destruction = Destruction {
        versions: versions[..GONE].to_vec(),
        by: "tester".into(),
        approved_by: "another".into(),
        reason: "a test".into(),
        damaged: DamagedEntries::Keep,
    };
    archive.destroy_keys(&destruction, &mut |_| {}).unwrap();
    let drilled = |into: &str| {
        let restored = restore_to(&world, &taken.file, "backup", into).unwrap();
        let archive = world.open_config(restored.config, Access::Read);
        let doomed = archive.keys().ledger().shut_out_versions();
        assert_eq!(doomed, versions[..GONE]);
        let mut drill = Drill::default();
        let sample = sample(&archive, 10, &mut drill).unwrap();
        assert_eq!(sample, versions[GONE..]);
        drill.sampled = passing(&archive, &sample).len() as u64;
        assert_eq!((drill.keys, drill.destroyed_keys), (4, 5));
        assert_eq!((drill.without_key, drill.without_record), (0, 0));
        assert!(drill.is_good() && drill.sampled == 4);
    };
    archive.close().unwrap();
    drilled("before");
    let archive = world.open(Access::Write);
    let plan = space::plan(&archive, &mut |_| {}).unwrap();
    assert!(!plan.segments.is_empty());
    let report = space::compact(&archive, "tester", &plan, 100, &mut |_| {}).unwrap();
    assert!(report.freed.bytes > 0);
    archive.close().unwrap();
    drilled("after");
}

#[test]
fn wrong_damaged_foreign_and_strange_backups_are_told_apart() {
    let world = World::new(4);
    let archive = world.open(Access::Write);
    let taken = take(&archive, &world, None).unwrap().taken;
    archive.close().unwrap();
    let into = |number: usize| format!("into-{number}");
    assert!(matches!(
        restore_to(&world, &taken.file, "keys", "wrong"),
        Err(BackupError::WrongPassphrase { .. })
    ));
    assert!(!world.path("wrong").exists(), "nothing is written");
    let whole = std::fs::read(&taken.file).unwrap();
    let bad = world.path("bad.backup");
    for (number, place) in (0..whole.len()).step_by(whole.len() / 97 + 1).enumerate() {
        let mut damaged = whole.clone();
        damaged[place] ^= 1 << (number % 8);
        put(&bad, &damaged);
        let error = restore_to(&world, &bad, "backup", &into(number)).unwrap_err();
        let named = matches!(
            error,
            BackupError::Damaged { .. }
                | BackupError::NotABackup { .. }
                | BackupError::UnsupportedVersion { .. }
                | BackupError::Foreign { .. }
        );
        assert!(named, "byte {place}: {error}");
        assert!(!world.path(&into(number)).exists());
    }
    for length in [0, 7, 13, 100, whole.len() - 33, whole.len() - 1] {
        put(&bad, &whole[..length]);
        assert!(restore_to(&world, &bad, "backup", "cut").is_err());
        assert!(check(&bad, &passphrase("backup")).is_err());
    }
    let other = World::new(5);
    assert!(matches!(
        restore_to(&other, &taken.file, "backup", "foreign"),
        Err(BackupError::Foreign { .. })
    ));
    restore_to(&world, &taken.file, "backup", "full").unwrap();
    assert!(matches!(
        restore_to(&world, &taken.file, "backup", "full"),
        Err(BackupError::NotEmpty { .. })
    ));
}

#[test]
fn generations_are_kept_and_older_ones_removed() {
    let world = World::new(6);
    let archive = world.open(Access::Write);
    for generation in 1..=4 {
        let report = take(&archive, &world, Some(2)).unwrap();
        assert_eq!(report.taken.generation, generation);
        let removed: Vec<u32> = report
            .older
            .removed
            .iter()
            .map(|one| one.generation)
            .collect();
        let expected: Vec<u32> = generation
            .checked_sub(2)
            .into_iter()
            .filter(|&g| g > 0)
            .collect();
        assert_eq!(removed, expected);
    }
    let backups = Backups::read(&archive).unwrap();
    let kept: Vec<u32> = backups.kept().map(|one| one.generation).collect();
    assert_eq!(kept, [3, 4]);
    assert_eq!(std::fs::read_dir(world.path("backups")).unwrap().count(), 2);
    assert!(matches!(
        backup::confirm_destroyed(&archive, "tester", 1),
        Err(BackupError::Unknown { generation: 1 })
    ));
}

#[test]
fn a_named_file_is_in_the_backup_or_told_to_be_missing() {
    let mut world = World::new(14);
    let registry = world.path("registry.toml");
    world.config.registry = Some(registry.clone());
    let taken = |number: u32| {
        let archive = world.open(Access::Write);
        let report = take(&archive, &world, None).unwrap();
        archive.close().unwrap();
        let into = format!("new-{number}");
        let restored = restore_to(&world, &report.taken.file, "backup", &into).unwrap();
        let place = restored.config.registry.unwrap();
        (report.gaps.files, std::fs::read(place).ok())
    };
    assert_eq!(taken(1), (vec![registry.clone()], None));
    put(&registry, &vec![b'#'; 5 << 20]);
    assert_eq!(taken(2), (vec![registry.clone()], None));
    put(&registry, b"# whole");
    assert_eq!(taken(3), (Vec::new(), Some(b"# whole".to_vec())));
    // It is gone, and was recorded.
    std::fs::remove_file(&registry).unwrap();
    assert_eq!(taken(4), (Vec::new(), Some(b"# whole".to_vec())));
}

#[test]
fn no_backup_that_held_a_key_is_removed_once_the_key_rotted() {
    let world = World::new(10);
    let archive = world.open(Access::Write);
    let versions = fill(&archive, &world, 3, 1000);
    let first = take(&archive, &world, Some(1)).unwrap();
    assert!(first.gaps.is_empty());
    archive.close().unwrap();
    let ledger = world.path("keys/ledger");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&ledger)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "led"))
        .collect();
    files.sort();
    let file = files.pop().unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let place = bytes.len() - 20;
    bytes[place] ^= 1;
    put(&file, &bytes);
    let archive = world.open(Access::Write);
    for _ in 0..2 {
        let report = take(&archive, &world, Some(1)).unwrap();
        assert_eq!(report.gaps.versions_without_key, 1);
        assert_eq!(report.gaps.ledger_damaged, 1);
        assert_eq!(report.older.removed, []);
    }
    archive.close().unwrap();
    let restored = restore_to(&world, &first.taken.file, "backup", "new").unwrap();
    let archive = world.open_config(restored.config, Access::Read);
    assert_eq!(passing(&archive, &versions), versions);
}

#[test]
fn pruning_goes_on_after_a_failure_and_names_it() {
    let world = World::new(13);
    let archive = world.open(Access::Write);
    let versions = fill(&archive, &world, 2, 1000);
    let taken: Vec<_> = (0..3)
        .map(|_| take(&archive, &world, None).unwrap().taken)
        .collect();
    world.wait();
    destroy(&archive, &versions[..1]);
    // A folder in the place of the first: it is there, and it cannot be read.
    let first = std::fs::read(&taken[0].file).unwrap();
    std::fs::remove_file(&taken[0].file).unwrap();
    std::fs::create_dir(&taken[0].file).unwrap();
    let pruned = backup::prune(&archive, "tester").unwrap();
    let failed: Vec<u32> = pruned.failed.iter().map(|one| one.0.generation).collect();
    assert_eq!((failed, pruned.removed.len()), (vec![1], 2));
    assert!(!taken[1].file.exists() && !taken[2].file.exists());
    // Nobody may say that it is gone while it is there, or while that cannot be read.
    let unread = backup::confirm_destroyed(&archive, "tester", 1);
    assert!(matches!(unread, Err(BackupError::Io { .. })), "{unread:?}");
    std::fs::remove_dir(&taken[0].file).unwrap();
    put(&taken[0].file, &first);
    assert!(matches!(
        backup::confirm_destroyed(&archive, "tester", 1),
        Err(BackupError::StillThere { generation: 1, .. })
    ));
    let pruned = backup::prune(&archive, "tester").unwrap();
    assert_eq!(pruned.removed.len(), 1);
    assert!(pruned.failed.is_empty() && !taken[0].file.exists());
}

/// A power loss between the two renames of a rotation leaves the key medium's own file without its name.
#[test]
fn a_backup_holds_the_keys_of_a_replacement_that_was_cut() {
    let world = World::new(9);
    let archive = world.open(Access::Write);
    let versions = fill(&archive, &world, 3, 500);
    let path = world.path("keys/kek.json");
    let before = std::fs::read(&path).unwrap();
    archive
        .rotate_keys("tester", DamagedEntries::Keep, &mut |_| ())
        .unwrap();
    archive.close().unwrap();
    put(
        &world.path("keys/kek.json.new"),
        &std::fs::read(&path).unwrap(),
    );
    put(&world.path("keys/kek.json.old"), &before);
    std::fs::remove_file(&path).unwrap();
    let archive = world.open(Access::Write);
    let taken = take(&archive, &world, None).unwrap().taken;
    archive.close().unwrap();
    let restored = restore_to(&world, &taken.file, "backup", "new").unwrap();
    let archive = world.open_config(restored.config, Access::Read);
    assert_eq!(passing(&archive, &versions), versions);
}

#[test]
fn a_backup_holds_no_plain_key_and_no_passphrase() {
    let world = World::new(8);
    let archive = world.open(Access::Write);
    fill(&archive, &world, 3, 500);
    let taken = take(&archive, &world, None).unwrap().taken;
    let (_, header) = backup::header::read_header(&taken.file).unwrap();
    let header = usize::try_from(header).unwrap();
    let bytes = std::fs::read(&taken.file).unwrap();
    let sealed: BTreeSet<&[u8]> = bytes[header..].windows(WINDOW).collect();
    assert!(sealed.len() > 1000, "{}", sealed.len());
    let mut files = vec![world.config.path.clone()];
    files.retain(|path| path.is_file());
    let mut waiting = vec![world.path("keys")];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 5, "{files:?}");
    for file in &files {
        let plain = std::fs::read(file).unwrap();
        // Zeros and other fill stand anywhere.
        let told = plain.windows(WINDOW).find(|window| {
            let is_fill = window.iter().all(|byte| *byte == window[0]);
            !is_fill && sealed.contains(window)
        });
        assert!(told.is_none(), "{}: {told:?}", file.display());
    }
    // The passphrases of the archive and of the backup, and what a name or a configuration would show.
    for secret in [&b"keys"[..], b"backup", b"kek.json", b"data-a", b"fumikura"] {
        let mut windows = bytes[header..].windows(secret.len());
        let is_there = windows.any(|window| window == secret);
        assert!(!is_there, "{}", String::from_utf8_lossy(secret));
    }
}

/// Bytes that do not stand in noise by chance.
const WINDOW: usize = 16;
