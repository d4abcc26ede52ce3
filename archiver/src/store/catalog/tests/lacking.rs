//! What no medium gave when the index was made is read when it is there again.

use std::path::PathBuf;

use super::surviving::filled;
use super::*;
use crate::store::ScanScope;
use crate::store::durable::faults::Unreadable;
use crate::store::durable::replace_file;

/// The file of the only segment, and where its tenth version stands.
fn place(archive: &Archive) -> (PathBuf, usize) {
    let versions = archive.store().scan(None, ScanScope::Records);
    let version = versions
        .map(Result::unwrap)
        .filter(|item| matches!(item.frame, Frame::RecordVersion(_)))
        .nth(10)
        .unwrap();
    let states = archive.store().replicas();
    let directory = states[0].directory.clone().unwrap();
    let file = directory.join("segments/0000000001.seg");
    (file, usize::try_from(version.address.offset).unwrap() + 40)
}

/// Changes a bit where the file is, and with it the time of its change.
#[allow(
    clippy::disallowed_methods,
    reason = "a medium that goes bad does so in place"
)]
fn flip((file, offset): &(PathBuf, usize)) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[*offset] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

fn without_index(archive: &mut Archive) -> CatalogReport {
    archive.catalog = None;
    std::fs::remove_dir_all(archive.index()).unwrap();
    archive.open_catalog()
}

#[test]
fn a_place_that_was_damaged_is_read_when_it_is_whole_again() {
    let mut archive = filled();
    let before = archive.answers();
    let place = place(&archive);
    flip(&place);
    let report = without_index(&mut archive);
    assert_eq!((report.damaged.len(), report.versions_applied), (1, 249));
    // As long as it stays so, nothing is read again.
    for _ in 0..2 {
        archive.catalog = None;
        let report = archive.open_catalog();
        assert_eq!((report.rebuilt, report.returned.len()), (false, 0));
    }
    // Somebody wrote the file anew, and it is no better.
    flip(&place);
    flip(&place);
    archive.catalog = None;
    let report = archive.open_catalog();
    assert_eq!((report.rebuilt, report.returned.len()), (false, 0));

    flip(&place);
    archive.catalog = None;
    let report = archive.open_catalog();
    assert_eq!((report.rebuilt, report.returned), (true, vec![1]));
    assert_eq!(archive.answers(), before);
    archive.catalog = None;
    let report = archive.open_catalog();
    assert_eq!((report.rebuilt, report.versions_applied), (false, 0));
}

#[test]
fn what_could_not_be_read_for_a_moment_is_read_though_no_file_changed() {
    let mut archive = filled();
    let before = archive.answers();
    let (_, offset) = place(&archive);
    let offset = offset as u64;
    let fault = Unreadable::new("segments/0000000001.seg", offset..offset + 1);
    let report = without_index(&mut archive);
    assert!(!report.damaged.is_empty() && report.versions_applied < 250);
    drop(fault);
    archive.catalog = None;
    let report = archive.open_catalog();
    assert_eq!((report.rebuilt, report.returned), (true, vec![1]));
    assert_eq!(archive.answers(), before);
}

/// Dies at the first version.
struct Dying;

impl ManifestOpener for Dying {
    fn open_manifest(&self, _version: &RecordVersion) -> Result<Raw<Manifest>, ManifestFailure> {
        panic!("killed")
    }

    fn open_event(&self, _event: &Event) -> Option<RecordedEvent> {
        None
    }
}

#[test]
fn a_rebuild_that_is_killed_forgets_nothing_that_the_index_lacks() {
    let mut archive = filled();
    let before = archive.answers();
    let place = place(&archive);
    flip(&place);
    without_index(&mut archive);
    flip(&place);
    archive.catalog = None;
    let rebuild = || {
        let options = archive.catalog_options();
        Catalog::rebuild(archive.store(), options, &Dying, &mut |_| {}).map(drop)
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(rebuild)).unwrap_err();
    let report = archive.open_catalog();
    assert_eq!((report.rebuilt, report.returned), (true, vec![1]));
    assert_eq!(archive.answers(), before);
}

#[test]
fn an_index_with_a_note_that_is_none_is_made_anew() {
    let mut archive = filled();
    let before = archive.answers();
    archive.catalog = None;
    let note = archive.index().join("gaps");
    replace_file(system_disk().as_ref(), &note, b"seven").unwrap();
    let report = archive.open_catalog();
    assert!(report.rebuilt && report.set_aside.is_some());
    assert_eq!(archive.answers(), before);
    archive.catalog = None;
    assert!(!archive.open_catalog().rebuilt);
}
