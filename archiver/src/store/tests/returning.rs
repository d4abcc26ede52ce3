//! What a medium holds before it joins or returns is looked at first: nothing that exists nowhere else is overwritten.

#![allow(
    clippy::disallowed_methods,
    reason = "a test puts media in order by hand"
)]

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;

use super::replicas::{add, failing, upto};
use super::*;
use crate::store::durable::faults::Call;

pub(super) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The segment files of a medium.
pub(super) fn files(directory: &Path) -> Files {
    let entries = std::fs::read_dir(directory.join(SEGMENTS_DIRECTORY)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

/// Puts segment files of another time on a medium.
pub(super) fn restore(directory: &Path, files: &Files) {
    let segments = directory.join(SEGMENTS_DIRECTORY);
    std::fs::remove_dir_all(&segments).unwrap();
    std::fs::create_dir(&segments).unwrap();
    for (path, bytes) in files {
        put(&segments.join(path.file_name().unwrap()), bytes);
    }
}

pub(super) fn filled(replicas: u32, records: u32) -> Media {
    let media = Media::with_small_segments(replicas);
    let (store, _) = media.open(1);
    (0..records).for_each(|number| add(&store, number));
    store.close().unwrap();
    media
}

pub(super) fn copy_to(media: &Media, target: &Path) -> Result<CopyReport, StoreError> {
    let disk: Arc<dyn Disk> = media.disk.clone();
    let (directories, copies) = (&media.directories, &media.copies);
    copy_sealed(directories, ARCHIVE, copies, &disk, target, &mut |_| ())
}

/// A medium that is being prepared.
fn prepared(media: &Media) -> PathBuf {
    let new = media.root().join("medium-new");
    let joining = joining::Joining::new(ARCHIVE, None);
    joining::prepare(media.disk.as_ref(), &new, &joining, label(9)).unwrap();
    new
}

#[test]
fn a_medium_that_is_none_of_the_archives_is_not_touched() {
    let media = filled(2, 100);
    let target = media.directories[1].clone();
    // It would get much.
    std::fs::remove_file(media.segment(1, 1)).unwrap();
    let before = files(&target);
    let mut strange = [label(2), label(2), label(2)];
    strange[0].archive = ArchiveId::from_bytes([9; 16]);
    strange[1].role = MediumRole::Keys;
    strange[2].medium = MediumId::from_bytes([77; 16]);
    let texts = ["another archive", "no data medium", "not one of this"];
    for (label, text) in strange.iter().zip(texts) {
        write_label(media.disk.as_ref(), &target, label).unwrap();
        let error = copy_to(&media, &target).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
        assert!(files(&target) == before, "{text}");
    }
    // A clone of the other medium.
    write_label(media.disk.as_ref(), &target, &label(1)).unwrap();
    let error = copy_to(&media, &target).unwrap_err();
    assert!(matches!(error, StoreError::MediumTwice { .. }), "{error}");
    assert!(files(&target) == before);
    write_label(media.disk.as_ref(), &target, &label(2)).unwrap();
    assert_eq!(copy_to(&media, &target).unwrap().damaged, [0; 0]);
    assert!(media.bytes(0, 1) == media.bytes(1, 1));
}

#[test]
fn a_medium_that_was_written_elsewhere_is_not_overwritten() {
    let media = filled(2, 30);
    let early: Vec<Files> = media.directories.iter().map(|one| files(one)).collect();
    let (store, _) = media.open(1);
    (30..90).for_each(|number| add(&store, number));
    store.close().unwrap();
    let elsewhere = files(&media.directories[1]);
    for (directory, early) in media.directories.iter().zip(&early) {
        restore(directory, early);
    }
    let (store, _) = media.open(1);
    (200..300).for_each(|number| add(&store, number));
    store.close().unwrap();
    restore(&media.directories[1], &elsewhere);
    // Also where its last segment was only begun: the commits before say it.
    let begun = *media.read_only().segments().unwrap().last().unwrap();
    for (segment, bytes) in [(begun, None), (begun - 1, Some(100))] {
        if let Some(bytes) = bytes {
            let header = media.bytes(0, segment)[..bytes].to_vec();
            put(&media.segment(1, segment), &header);
        }
        let before = files(&media.directories[1]);
        let error = copy_to(&media, &media.directories[1]).unwrap_err();
        assert!(error.to_string().contains("written elsewhere"), "{error}");
        assert!(files(&media.directories[1]) == before);
    }
}

#[test]
fn a_damaged_copy_never_replaces_a_whole_one() {
    let media = filled(2, 100);
    let whole = media.bytes(1, 2);
    flip(&media.segment(0, 2), 8 * 1500);
    // A crash after the seal leaves it writable; the source that could say that it is the same is damaged.
    let writable = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(media.segment(1, 2), writable).unwrap();
    let report = copy_to(&media, &media.directories[1]).unwrap();
    assert!(media.bytes(1, 2) == whole);
    assert_eq!(report.damaged, [0; 0]);
    // Whole on the second source only.
    let new = prepared(&media);
    assert_eq!(copy_to(&media, &new).unwrap().damaged, [0; 0]);
    let copied = files(&new);
    assert!(copied[&new.join("segments/0000000002.seg")] == whole);
    // On none, but each has the frame that the other one lacks.
    flip(&media.segment(1, 2), 8 * 700);
    std::fs::remove_file(new.join("segments/0000000002.seg")).unwrap();
    assert_eq!(copy_to(&media, &new).unwrap().damaged, [0; 0]);
    assert!(files(&new)[&new.join("segments/0000000002.seg")] == whole);
}

#[test]
fn nothing_is_passed_over() {
    let media = filled(1, 200);
    let seal = media.bytes(0, 2).len() * 8 - 100;
    flip(&media.segment(0, 2), seal);
    flip(&media.segment(0, 3), 8 * 1500);
    std::fs::remove_file(media.segment(0, 4)).unwrap();
    let new = prepared(&media);
    let report = copy_to(&media, &new).unwrap();
    assert_eq!(report.damaged, [2, 3]);
    assert_eq!(report.missing, [4..=4]);
    let copied = files(&new);
    for segment in [1, 2, 3, 5] {
        let path = new.join(format!("segments/{segment:010}.seg"));
        assert!(copied[&path] == media.bytes(0, segment), "{segment}");
    }
    // Again: what is damaged is not called whole.
    assert_eq!(copy_to(&media, &new).unwrap().damaged, [2, 3]);
}

#[test]
fn what_a_medium_has_already_is_read() {
    let media = filled(1, 100);
    let new = prepared(&media);
    copy_to(&media, &new).unwrap();
    let segment = new.join("segments/0000000002.seg");
    flip(&segment, 8 * 1500);
    let readonly = std::fs::Permissions::from_mode(0o444);
    std::fs::set_permissions(&segment, readonly).unwrap();
    let report = copy_to(&media, &new).unwrap();
    assert_eq!(report.progress.bytes, media.bytes(0, 2).len() as u64);
    assert!(std::fs::read(&segment).unwrap() == media.bytes(0, 2));
    assert_eq!(copy_to(&media, &new).unwrap().progress.bytes, 0);
}

#[test]
fn a_source_that_does_not_match_changes_nothing() {
    let mut media = Media::new(2);
    media.copies.min = Some(1);
    let (store, _) = media.open(1);
    add(&store, 0);
    let fault = failing(Call::Sync, "medium-2", io::ErrorKind::Other);
    media.disk.arm(fault);
    (1..20).for_each(|number| add(&store, number));
    media.disk.heal();
    store.close().unwrap();
    let (store, _) = media.open(1);
    let (right, before) = (media.bytes(0, 1), files(&media.directories[1]));
    flip(&media.segment(0, 1), 8 * 900);
    assert!(store.admit(&media.directories[1]).is_err());
    assert!(files(&media.directories[1]) == before);
    put(&media.segment(0, 1), &right);
    store.admit(&media.directories[1]).unwrap();
    assert!(media.bytes(1, 1) == right);
}

#[test]
fn the_only_copy_of_a_segment_is_not_given_up() {
    let mut media = filled(2, 100);
    media.copies.min = Some(1);
    let segment = media.bytes(0, 2);
    std::fs::remove_file(media.segment(0, 2)).unwrap();
    let (store, _) = media.open(1);
    let error = store.dismiss(label(2).medium).unwrap_err().to_string();
    assert!(error.contains("0000000002"), "{error}");
    put(&media.segment(0, 2), &segment[..700]);
    assert!(store.dismiss(label(2).medium).is_err());
    put(&media.segment(0, 2), &segment);
    store.dismiss(label(2).medium).unwrap();
}

#[test]
fn a_medium_in_preparation_is_no_copy() {
    let media = filled(2, 3);
    let place = &media.directories[1];
    std::fs::remove_dir_all(place).unwrap();
    let joining = joining::Joining::new(ARCHIVE, Some(label(2).medium));
    joining::prepare(media.disk.as_ref(), place, &joining, label(9)).unwrap();
    let error = Store::open(&media.directories, ARCHIVE, &media.options(1)).unwrap_err();
    assert!(error.to_string().contains("being prepared"), "{error}");
    let mut options = media.options(1);
    options.copies.min = Some(1);
    let (store, _) = Store::open(&media.directories, ARCHIVE, &options).unwrap();
    assert_eq!(records(&store), upto(3));
}
