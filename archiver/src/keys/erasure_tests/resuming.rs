//! Key media in an old state, away, or with a rotation that was interrupted.

#![allow(clippy::disallowed_methods, reason = "a test moves a key medium away")]

use super::*;
use crate::backup::{self, BackupOptions};
use crate::keys::KdfParameters;
use crate::store::durable::faults::Call;

#[test]
fn what_was_destroyed_is_destroyed_again_after_all_key_media_were_restored() {
    let bench = Bench::new();
    let folder = bench.folder();
    let before = tempfile::tempdir().unwrap();
    for root in ["keys", "copy"] {
        copy_folder(&folder.join(root), &before.path().join(root));
    }
    let archive = open(folder, Access::Write);
    archive
        .destroy_keys(&bench.destruction(), &mut |_| ())
        .unwrap();
    archive.close().unwrap();
    for root in ["keys", "copy"] {
        fs::remove_dir_all(folder.join(root)).unwrap();
        copy_folder(&before.path().join(root), &folder.join(root));
    }
    let environment = environment(Arc::new(SystemDisk));
    let (archive, report) = Archive::open(
        config(folder, true),
        &passphrase(),
        Access::Write,
        environment,
        &mut |_| (),
    )
    .unwrap();
    assert_eq!(report.keys.destructions_finished, 1);
    assert!(archive.keys().ledger().destroyed_at(bench.gone).is_some());
    assert!(archive.retriever().open(bench.kept).is_ok());
    archive.close().unwrap();
    let (archive, report) = Archive::open(
        config(folder, true),
        &passphrase(),
        Access::Write,
        super::environment(Arc::new(SystemDisk)),
        &mut |_| (),
    )
    .unwrap();
    assert_eq!(report.keys.destructions_finished, 0);
    archive.close().unwrap();
}

#[test]
fn a_rotation_after_an_interrupted_one_begins_a_fresh_epoch() {
    let bench = Bench::new();
    let disk = FaultyDisk::new();
    let archive = open_on(bench.folder(), disk.clone(), Access::Write).unwrap();
    disk.arm(Fault {
        call: Some(Call::Create),
        path: ".led.new".to_owned(),
        after: 0,
        sticky: true,
        error: io::ErrorKind::Other,
        outcome: Outcome::Lost,
    });
    archive
        .rotate_keys("佐藤", DamagedEntries::Keep, &mut |_| ())
        .unwrap_err();
    disk.kill();
    drop(archive);
    let archive = open(bench.folder(), Access::Write);
    assert_eq!(archive.keys().provider().epochs(), [1, 2]);
    let report = archive
        .rotate_keys("佐藤", DamagedEntries::Keep, &mut |_| ())
        .unwrap();
    assert!(report.resumed);
    assert_eq!((report.epoch, report.epochs_destroyed), (3, vec![1, 2]));
    archive.close().unwrap();
}

#[test]
fn a_backup_holds_the_keys_of_a_medium_that_is_there() {
    let bench = Bench::new();
    let folder = bench.folder();
    let options = BackupOptions {
        to: folder.join("backups"),
        keep: Some(1),
        parameters: KdfParameters {
            memory_kib: 8,
            passes: 1,
            lanes: 1,
        },
    };
    let take = |config: Config| {
        let environment = environment(Arc::new(SystemDisk));
        let archive = Archive::open(
            config,
            &passphrase(),
            Access::Write,
            environment,
            &mut |_| (),
        );
        let (archive, _) = archive.unwrap();
        let report = backup::take(&archive, "佐藤", &passphrase(), &options).unwrap();
        archive.close().unwrap();
        report.taken.files
    };
    let mut config = config(folder, true);
    let files = take(config.clone());
    // The first key medium is away, and its mount point empty.
    fs::rename(folder.join("keys"), folder.join("away")).unwrap();
    fs::create_dir(folder.join("keys")).unwrap();
    config.key_copies_min = Some(1);
    assert_eq!(take(config), files);
}

#[test]
fn an_index_that_is_being_made_gives_nothing_back_that_was_destroyed() {
    let bench = Bench::new();
    let folder = bench.folder();
    let before = tempfile::tempdir().unwrap();
    copy_folder(&folder.join("keys"), before.path());
    let archive = open(folder, Access::Write);
    archive
        .destroy_keys(&bench.destruction(), &mut |_| ())
        .unwrap();
    archive.close().unwrap();
    fs::remove_dir_all(folder.join("keys")).unwrap();
    copy_folder(before.path(), &folder.join("keys"));
    let environment = environment(Arc::new(SystemDisk));
    let (archive, _) =
        Archive::open_beside(config(folder, false), &passphrase(), environment, false).unwrap();
    assert!(archive.catalog().filling().is_some());
    assert!(archive.retriever().open(bench.kept).is_ok());
    let refused = archive.retriever().open(bench.gone).unwrap_err();
    assert!(matches!(
        refused,
        crate::record::error::RetrieveError::Keys(KeyError::KeyDestroyed { .. })
    ));
    archive.close().unwrap();
}
