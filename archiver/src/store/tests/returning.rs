//! What a medium holds before it joins or returns is looked at first: nothing that exists nowhere else is overwritten.

#![allow(
    clippy::disallowed_methods,
    reason = "a test puts media in order by hand"
)]

use std::collections::BTreeMap;

use super::replicas::add;
use super::*;

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The segment files of a medium.
fn files(directory: &Path) -> Files {
    let entries = std::fs::read_dir(directory.join(SEGMENTS_DIRECTORY)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

/// Puts segment files of another time on a medium.
fn restore(directory: &Path, files: &Files) {
    let segments = directory.join(SEGMENTS_DIRECTORY);
    std::fs::remove_dir_all(&segments).unwrap();
    std::fs::create_dir(&segments).unwrap();
    for (path, bytes) in files {
        put(&segments.join(path.file_name().unwrap()), bytes);
    }
}

fn filled(replicas: u32, records: u32) -> Media {
    let media = Media::with_small_segments(replicas);
    let (store, _) = media.open(1);
    (0..records).for_each(|number| add(&store, number));
    store.close().unwrap();
    media
}

fn copy_to(media: &Media, target: &Path) -> Result<CopyReport, StoreError> {
    let disk: Arc<dyn Disk> = media.disk.clone();
    let (directories, copies) = (&media.directories, &media.copies);
    copy_sealed(directories, ARCHIVE, copies, &disk, target, &mut |_| ())
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
