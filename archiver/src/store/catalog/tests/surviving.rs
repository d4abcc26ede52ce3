use std::path::Path;

use super::*;
use crate::store::ScanScope;
use crate::store::durable::faults::Random;
use crate::store::durable::replace_file;

/// 250 versions, 240 of them in two batches.
pub(super) fn filled() -> Archive {
    filled_in(EngineChoice::Auto)
}

pub(super) fn filled_in(engine: EngineChoice) -> Archive {
    let archive = Archive::with(engine);
    archive.deposit(0..200);
    archive.stamp(1);
    archive.deposit(200..240);
    archive.stamp(2);
    archive.deposit(240..250);
    archive
}

#[test]
fn a_deleted_index_is_made_anew() {
    for engine in IndexEngine::ALL {
        deleted(filled_in(EngineChoice::Use(engine)));
    }
}

fn deleted(mut archive: Archive) {
    let before = archive.answers();
    archive.catalog = None;
    std::fs::remove_dir_all(archive.index()).unwrap();
    let report = archive.open_catalog();
    assert!(report.rebuilt);
    assert_eq!((report.versions_applied, report.batches_applied), (250, 2));
    assert_eq!(archive.answers(), before);
    archive.catalog = None;
    let (catalog, report) = Catalog::rebuild(
        archive.store(),
        archive.catalog_options(),
        &TestOpener,
        &mut |_| {},
    )
    .unwrap();
    assert!(report.rebuilt);
    assert_eq!(answers(&catalog), before);
    drop(catalog);
    let report = archive.open_catalog();
    assert_eq!((report.rebuilt, report.versions_applied), (false, 0));
    let left = std::fs::read_dir(archive.index()).unwrap();
    assert_eq!(left.count(), 2, "the engine's files and its name");
}

#[test]
fn applying_twice_changes_nothing() {
    let archive = filled();
    let before = archive.answers();
    for item in archive.store().scan(None, ScanScope::Records) {
        let item = item.unwrap();
        let catalog = archive.catalog();
        catalog.apply(item.address, &item.frame).unwrap();
        if let Frame::RecordVersion(frame) = &item.frame {
            let manifest = TestOpener.open_manifest(frame).unwrap();
            catalog
                .apply_version(item.address, frame, &manifest)
                .unwrap();
        }
    }
    assert_eq!(archive.answers(), before);
}

#[test]
fn what_was_not_applied_is_read_from_the_segments() {
    let mut archive = Archive::new();
    archive.deposit(0..5);
    // Number 5 is committed and not applied, as when its depositor dies; number 6 is applied.
    let (address, ..) = archive.append(5);
    archive.appender().commit(address).unwrap();
    archive.deposit(6..8);
    assert_eq!(archive.catalog().counts().unwrap().versions, 7);
    archive.catalog().checkpoint().unwrap();
    let report = archive.open_catalog();
    assert_eq!(report.versions_applied, 3);
    assert_eq!(archive.catalog().counts().unwrap().versions, 8);
}

#[test]
fn versions_without_a_key_are_listed_without_metadata() {
    let mut archive = Archive::new();
    archive.deposit(0..2);
    let frame = frame(2, b"key destroyed, surely");
    let address = archive
        .appender()
        .append(Frame::RecordVersion(frame))
        .unwrap();
    archive.appender().commit(address).unwrap();
    let report = archive.open_catalog();
    assert_eq!(
        report.without_manifest,
        [(version(2), address, ManifestFailure::KeyMissing)]
    );
    let hit = archive.catalog().version(version(2)).unwrap().unwrap();
    assert!(!hit.readable);
    assert_eq!(archive.catalog().unstamped(9).unwrap()[2].leaf, None);
}

#[test]
fn two_processes_do_not_share_an_index() {
    let archive = Archive::new();
    assert!(matches!(
        archive.try_open(),
        Err(StoreError::IndexInUse { .. })
    ));
}

/// A copy of the index directory, as a killed process leaves it.
pub(super) fn copy_index(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_index(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(super) fn files_of(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_of(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn a_killed_process_loses_nothing_of_the_index() {
    for engine in IndexEngine::ALL {
        killed(&Archive::with(EngineChoice::Use(engine)));
    }
}

fn killed(archive: &Archive) {
    for round in 0..12 {
        archive.deposit(round * 20..round * 20 + 20);
        if round % 4 == 2 {
            archive.stamp(round as u8);
        }
        if round % 3 == 1 {
            archive.catalog().checkpoint().unwrap();
        }
        let copy = archive.root.path().join(format!("copy-{round}"));
        copy_index(&archive.index(), &copy);
        let options = CatalogOptions {
            directory: copy,
            ..archive.catalog_options()
        };
        let (catalog, report) =
            Catalog::open(archive.store(), options, &TestOpener, &mut |_| {}).unwrap();
        assert_eq!(report.set_aside, None);
        assert_eq!(answers(&catalog), archive.answers(), "round {round}");
    }
}

/// Files of the engine cut, emptied, filled with garbage, removed, or with a flipped bit: the answers are right, or the damage is noticed,
/// and then the next opening makes the index anew.
#[test]
fn a_damaged_index_is_noticed_and_made_anew() {
    for engine in IndexEngine::ALL {
        damaged(filled_in(EngineChoice::Use(engine)));
    }
}

fn damaged(mut archive: Archive) {
    let before = archive.answers();
    archive.catalog = None;
    let index = archive.index();
    let good = archive.root.path().join("good");
    system_disk().rename(&index, &good).unwrap();
    let mut random = Random(11);
    let mut set_aside = 0;
    for file in 0..files_of(&good).len() {
        for kind in 0..12 {
            copy_index(&good, &index);
            damage(&files_of(&index)[file], kind, &mut random);
            let report = archive.open_catalog();
            set_aside += u32::from(report.set_aside.is_some());
            let mut failed = false;
            archive
                .catalog()
                .for_each(&mut |_| true)
                .unwrap_or_else(|_| failed = true);
            if failed {
                assert!(archive.open_catalog().set_aside.is_some());
            }
            assert!(
                archive.answers() == before,
                "{:?}: file {file}, damage {kind}",
                archive.engine
            );
            archive.catalog = None;
            std::fs::remove_dir_all(&index).unwrap();
        }
    }
    assert!(set_aside > 3, "{:?}: {set_aside} set aside", archive.engine);
}

#[test]
fn an_engine_that_dies_of_its_files_is_not_asked_a_third_time() {
    let mut archive = filled();
    let before = archive.answers();
    archive.catalog = None;
    let note = archive.index().join("opening");
    for (died, set_aside) in [("x", false), ("xx", true), ("xxxx", true)] {
        replace_file(system_disk().as_ref(), &note, died.as_bytes()).unwrap();
        let report = archive.open_catalog();
        assert_eq!(report.set_aside.is_some(), set_aside, "{died}");
        assert!(!note.exists());
        assert_eq!(archive.answers(), before);
        archive.catalog = None;
    }
}

fn damage(path: &Path, kind: u32, random: &mut Random) {
    let mut bytes = std::fs::read(path).unwrap();
    let length = bytes.len();
    match kind {
        0 => bytes.truncate(length / 2),
        1 => bytes.clear(),
        2 => bytes
            .iter_mut()
            .for_each(|byte| *byte = random.below(256) as u8),
        3 => bytes.truncate(length.saturating_sub(1)),
        4 => bytes.fill(0),
        5 => bytes.extend([7; 100]),
        _ if length == 0 => {}
        _ => {
            let bit = random.below(length as u64 * 8) as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
    std::fs::remove_file(path).unwrap();
    if kind != 11 {
        replace_file(system_disk().as_ref(), path, &bytes).unwrap();
    }
}

#[test]
fn an_index_that_knows_more_than_the_segments_tells_the_loss() {
    let mut archive = filled();
    archive.catalog = None;
    let index = archive.index();
    let mut other = Archive::new();
    other.deposit(0..3);
    other.catalog = None;
    std::fs::remove_dir_all(other.index()).unwrap();
    system_disk().rename(&index, &other.index()).unwrap();
    for _ in 0..2 {
        let refused = other.try_open().unwrap_err();
        assert!(matches!(refused, StoreError::RecordsLost { lost: 1.., .. }));
    }
    let (catalog, _) = Catalog::rebuild(
        other.store(),
        other.catalog_options(),
        &TestOpener,
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(catalog.counts().unwrap().versions, 3);
}

#[test]
fn an_older_version_that_comes_late_is_not_forgotten() {
    let mut archive = Archive::new();
    archive.deposit(100..110);
    archive.stamp(1);
    assert_eq!(archive.catalog().unstamped(9).unwrap().len(), 0);
    // Clocks are set back, and media are put in by hand: ids are not always given in order.
    archive.deposit(50..52);
    archive.deposit(110..112);
    let waiting = |archive: &Archive| -> Vec<VersionId> {
        let waiting = archive.catalog().unstamped(9).unwrap();
        waiting.iter().map(|entry| entry.version).collect()
    };
    let expected = [50, 51, 110, 111].map(version);
    assert_eq!(waiting(&archive), expected);
    archive.open_catalog();
    assert_eq!(waiting(&archive), expected);
    archive.stamp(2);
    assert_eq!(waiting(&archive), []);
    assert_eq!(archive.catalog().counts().unwrap().unstamped, 0);
}
