//! Damaged entries of the ledger: neither a rotation nor a destruction loses the key of another record unasked.

use super::*;
use crate::archive::OpeningReport;

/// Opens with the first key medium alone, or with both.
fn open_with(folder: &Path, copies: bool) -> (Archive, OpeningReport) {
    let environment = environment(Arc::new(SystemDisk));
    Archive::open(
        config(folder, copies),
        &passphrase(),
        Access::Write,
        environment,
        &mut |_| (),
    )
    .unwrap()
}

/// Changes the wrapped key of a version on one key medium; tells how the file was before.
fn damage(folder: &Path, root: &str, version: VersionId) -> (PathBuf, Vec<u8>) {
    let ledger = fs::read_dir(folder.join(root).join("ledger")).unwrap();
    let mut files: Vec<PathBuf> = ledger.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for path in files {
        let before = fs::read(&path).unwrap();
        let mut bytes = before.clone();
        for entry in bytes[64..].chunks_mut(96) {
            if entry[0] == 1 && entry[4..20] == *version.record().as_bytes() {
                entry[50] ^= 1;
            }
        }
        if bytes != before {
            replace_file(&SystemDisk, &path, &bytes).unwrap();
            return (path, before);
        }
    }
    panic!("{root} has no key of {version}");
}

fn is_refused<T>(result: Result<T, ArchiveError>) -> bool {
    let damaged = KeyError::EntriesDamaged {
        path: PathBuf::new(),
        entries: 1,
    };
    assert!(damaged.is_damage());
    matches!(
        result,
        Err(ArchiveError::Keys(KeyError::EntriesDamaged {
            entries: 1,
            ..
        }))
    )
}

#[test]
fn a_damaged_entry_of_another_record_stops_rotation_and_destruction_until_a_copy_is_there() {
    let bench = Bench::new();
    let folder = bench.folder();
    damage(folder, "keys", bench.kept);
    // The copy is elsewhere.
    let (archive, report) = open_with(folder, false);
    assert_eq!(report.keys.damaged_entries, 1);
    assert_eq!(archive.keys().ledger().copies()[0].damaged, 1);
    assert!(is_refused(archive.rotate_keys(
        "佐藤",
        DamagedEntries::Keep,
        &mut |_| ()
    )));
    assert!(is_refused(
        archive.destroy_keys(&bench.destruction(), &mut |_| ())
    ));
    assert_eq!(archive.keys().provider().epochs(), [1]);
    assert!(archive.keys().ledger().holds(bench.gone));
    let mut begun = 0;
    archive
        .catalog()
        .events(Topic::Records, &mut |event| {
            begun += u32::from(event.as_::<KeyDestructionBegun>().is_some());
            true
        })
        .unwrap();
    assert_eq!(begun, 0);
    archive.close().unwrap();
    // It is attached.
    let (archive, report) = open_with(folder, true);
    assert_eq!(report.keys.damaged_entries, 0);
    let report = archive
        .destroy_keys(&bench.destruction(), &mut |_| ())
        .unwrap();
    assert_eq!(report.facts.damaged_dropped, 0);
    assert!(archive.retriever().open(bench.kept).is_ok());
    archive.close().unwrap();
}

#[test]
fn what_is_given_up_is_named_in_the_facts() {
    for gone_too in [false, true] {
        let bench = Bench::new();
        let folder = bench.folder();
        damage(folder, "keys", bench.kept);
        if gone_too {
            // Its own entry is not missed.
            damage(folder, "keys", bench.gone);
        }
        let (archive, _) = open_with(folder, false);
        let destruction = Destruction {
            damaged: DamagedEntries::GiveUp,
            ..bench.destruction()
        };
        let facts = archive
            .destroy_keys(&destruction, &mut |_| ())
            .unwrap()
            .facts;
        assert_eq!(facts.damaged_dropped, 1);
        assert!(facts.verification.contains("given up"), "{facts:?}");
        assert_eq!(facts.other_copies.len(), 1);
        let report = archive
            .rotate_keys("佐藤", DamagedEntries::Keep, &mut |_| ())
            .unwrap();
        assert_eq!(report.damaged_dropped, 0);
        archive.close().unwrap();
    }
}

#[test]
fn finishing_a_destruction_loses_no_damaged_entry_of_another_record() {
    let bench = Bench::new();
    let folder = bench.folder();
    let disk = FaultyDisk::new();
    let archive = open_on(folder, disk.clone(), Access::Write).unwrap();
    // The tombstones are written, and nothing after them.
    disk.arm(Fault {
        call: None,
        path: ".led.new".to_owned(),
        after: 0,
        sticky: true,
        error: io::ErrorKind::Other,
        outcome: Outcome::Lost,
    });
    archive
        .destroy_keys(&bench.destruction(), &mut |_| ())
        .unwrap_err();
    disk.kill();
    drop(archive);
    damage(folder, "keys", bench.kept);
    let (path, whole) = damage(folder, "copy", bench.kept);
    for _ in 0..2 {
        let (archive, report) = open_with(folder, true);
        assert_eq!(report.keys.destructions_pending, 1);
        assert_eq!(report.keys.damaged_entries, 1);
        assert!(
            report.keys.failures[0].contains("damaged entries"),
            "{:?}",
            report.keys.failures
        );
        archive.close().unwrap();
    }
    replace_file(&SystemDisk, &path, &whole).unwrap();
    let (archive, report) = open_with(folder, true);
    assert_eq!(report.keys.destructions_finished, 1);
    assert_eq!(report.keys.failures, Vec::<String>::new());
    assert!(archive.retriever().open(bench.kept).is_ok());
    assert!(archive.keys().ledger().destroyed_at(bench.gone).is_some());
    archive.close().unwrap();
}

/// Destroys with a damaged entry of another record given up, and is killed behind the tombstones.
fn give_up_and_stop(bench: &Bench) {
    let disk = FaultyDisk::new();
    let archive = open_on(bench.folder(), disk.clone(), Access::Write).unwrap();
    disk.arm(Fault {
        call: None,
        path: ".led.new".to_owned(),
        after: 0,
        sticky: true,
        error: io::ErrorKind::Other,
        outcome: Outcome::Lost,
    });
    let destruction = Destruction {
        damaged: DamagedEntries::GiveUp,
        ..bench.destruction()
    };
    archive.destroy_keys(&destruction, &mut |_| ()).unwrap_err();
    disk.kill();
}

fn given_up(archive: &Archive) -> Vec<u64> {
    let mut all = Vec::new();
    archive
        .catalog()
        .events(Topic::Records, &mut |event| {
            all.extend(event.as_::<KeysDestroyed>().map(|one| one.damaged_dropped));
            true
        })
        .unwrap();
    all
}

#[test]
fn what_was_damaged_after_the_decision_is_not_given_up_with_it() {
    let bench = Bench::new();
    let folder = bench.folder();
    let archive = open(folder, Access::Write);
    let later = deposit(&archive, folder, "later.txt", "damaged later").unwrap();
    archive.close().unwrap();
    for root in ["keys", "copy"] {
        damage(folder, root, bench.kept);
    }
    give_up_and_stop(&bench);
    damage(folder, "keys", later);
    let (path, whole) = damage(folder, "copy", later);
    let (archive, report) = open_with(folder, true);
    assert_eq!(report.keys.destructions_finished, 0);
    assert_eq!(report.keys.destructions_pending, 1);
    assert_eq!(report.keys.damaged_entries, 2);
    archive.close().unwrap();
    replace_file(&SystemDisk, &path, &whole).unwrap();
    let (archive, report) = open_with(folder, true);
    assert_eq!(report.keys.destructions_finished, 1);
    assert!(archive.retriever().open(later).is_ok());
    assert_eq!(given_up(&archive), [1]);
    archive.close().unwrap();
}

#[test]
fn what_comes_back_with_old_key_media_is_destroyed_without_giving_anything_up() {
    let bench = Bench::new();
    let folder = bench.folder();
    let mut healing = Vec::new();
    for root in ["keys", "copy"] {
        healing.push(damage(folder, root, bench.kept));
    }
    let before = tempfile::tempdir().unwrap();
    for root in ["keys", "copy"] {
        copy_folder(&folder.join(root), &before.path().join(root));
    }
    let archive = open(folder, Access::Write);
    let destruction = Destruction {
        damaged: DamagedEntries::GiveUp,
        ..bench.destruction()
    };
    archive.destroy_keys(&destruction, &mut |_| ()).unwrap();
    archive.close().unwrap();
    for root in ["keys", "copy"] {
        fs::remove_dir_all(folder.join(root)).unwrap();
        copy_folder(&before.path().join(root), &folder.join(root));
    }
    let (archive, report) = open_with(folder, true);
    assert_eq!(report.keys.destructions_finished, 0);
    assert_eq!(report.keys.destructions_pending, 1);
    archive.close().unwrap();
    let (path, whole) = &healing[1];
    replace_file(&SystemDisk, path, whole).unwrap();
    let (archive, report) = open_with(folder, true);
    assert_eq!(report.keys.destructions_finished, 1);
    assert!(archive.retriever().open(bench.kept).is_ok());
    assert!(archive.keys().ledger().destroyed_at(bench.gone).is_some());
    // The first certificate names what it lost; the second one lost nothing.
    assert_eq!(given_up(&archive), [1, 0]);
    archive.close().unwrap();
}
