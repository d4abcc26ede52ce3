//! Key media that went on apart from each other and come together again: the only key of something is never overwritten.

use super::*;
use crate::keys::{FileKek, KdfParameters, ProviderFile};

const CHEAP: KdfParameters = KdfParameters {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

/// The configuration in which only one of the key media is known.
fn alone(folder: &Path, root: &str) -> Config {
    let mut config = config(folder, false);
    config.keys = folder.join(root);
    config
}

fn try_open(config: Config, disk: Arc<dyn Disk>) -> Result<Archive, ArchiveError> {
    let environment = environment(disk);
    let opened = Archive::open(
        config,
        &passphrase(),
        Access::Write,
        environment,
        &mut |_| (),
    );
    Ok(opened?.0)
}

fn rotate(folder: &Path, root: &str) {
    let archive = try_open(alone(folder, root), Arc::new(SystemDisk)).unwrap();
    archive
        .rotate_keys("佐藤", DamagedEntries::Keep, &mut |_| ())
        .unwrap();
    archive.close().unwrap();
}

/// `archiver keys passphrase` with one key medium.
fn seal_anew(folder: &Path, root: &str, times: usize) {
    let config = alone(folder, root);
    let place = ProviderFile::new(Arc::new(SystemDisk), [&config.keys]);
    let entropy = Arc::new(SystemEntropy);
    let kek = FileKek::open(place, config.archive, &passphrase(), entropy).unwrap();
    for _ in 0..times {
        kek.seal_under_passphrase(&passphrase(), CHEAP).unwrap();
    }
}

/// Opens both for writing, whichever is named first: refused, without a single call that writes, and each alone gives what it held.
fn assert_refused(bench: &Bench, what: &str) {
    let folder = bench.folder();
    let before = ["keys", "copy"].map(|root| bytes(&folder.join(root)));
    for (first, second) in [("keys", "copy"), ("copy", "keys")] {
        let mut config = alone(folder, first);
        config.key_copies = vec![folder.join(second)];
        config.key_copies_min = Some(1);
        let disk = FaultyDisk::new();
        let Err(ArchiveError::Keys(error)) = try_open(config, disk.clone()) else {
            panic!("{what}: not refused");
        };
        let named = matches!(
            error,
            KeyError::KeysDiverge { .. }
                | KeyError::CopiesDiverge { .. }
                | KeyError::CustodyDiverges(_)
        );
        assert!(named, "{what}: {error}");
        disk.power_cut(1);
        let after = ["keys", "copy"].map(|root| bytes(&folder.join(root)));
        assert!(before == after, "{what}: something was written");
    }
    for root in ["keys", "copy"] {
        let archive = try_open(alone(folder, root), Arc::new(SystemDisk)).unwrap();
        assert!(
            archive.retriever().open(bench.kept).is_ok(),
            "{what}: {root}"
        );
        archive.close().unwrap();
    }
}

#[test]
fn a_medium_that_was_sealed_anew_does_not_overwrite_one_that_was_rotated() {
    for times in 0..4 {
        let bench = Bench::new();
        let folder = bench.folder();
        seal_anew(folder, "keys", times);
        rotate(folder, "copy");
        let what = format!("sealed anew {times} times");
        // Once: the rotated one is the later file, and its passphrase the older one.
        if times >= 1 {
            assert_refused(&bench, &what);
            continue;
        }
        // The rotated one is the later one, and tells that the old key was destroyed.
        let mut config = config(folder, true);
        config.key_copies_min = Some(1);
        let archive = try_open(config, Arc::new(SystemDisk)).unwrap();
        archive.close().unwrap();
        for root in ["keys", "copy"] {
            let archive = try_open(alone(folder, root), Arc::new(SystemDisk)).unwrap();
            assert_eq!(archive.keys().provider().epochs(), [2], "{what}");
            assert!(archive.retriever().open(bench.kept).is_ok(), "{what}");
            archive.close().unwrap();
        }
    }
}

#[test]
fn two_media_that_were_rotated_apart_are_refused() {
    for times in [0, 1] {
        let bench = Bench::new();
        rotate(bench.folder(), "keys");
        rotate(bench.folder(), "copy");
        seal_anew(bench.folder(), "keys", times);
        assert_refused(&bench, &format!("rotated apart, sealed anew {times} times"));
    }
}
