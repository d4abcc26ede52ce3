//! What a host sealed opens for the archive alone, and for the host no more when its process has ended.

use std::fs;
use std::path::Path;

use firmware::entropy::SeededEntropy;

use super::*;
use crate::keys::provider::KEK_FILE;
use crate::store::durable::SystemDisk;

fn archive() -> ArchiveId {
    ArchiveId::from_bytes([1; 16])
}

fn catalog_key(byte: u8) -> DataKey {
    DataKey::from_bytes(&[byte; KEY_BYTES])
}

fn place(root: &Path) -> ProviderFile {
    ProviderFile::new(Arc::new(SystemDisk), [root])
}

fn make(root: &Path) {
    let public = IntakePublicKey::of(&catalog_key(7));
    let host = IntakeKek::create(
        place(root),
        archive(),
        &public,
        Arc::new(SeededEntropy::new(1)),
    )
    .unwrap();
    place(root).replace(&host.file().unwrap()).unwrap();
}

fn open(root: &Path, seed: u64) -> IntakeKek {
    IntakeKek::open(place(root), archive(), Arc::new(SeededEntropy::new(seed))).unwrap()
}

#[test]
fn what_a_host_took_in_opens_for_the_archive_alone() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    make(root);
    let mut all = Vec::new();
    for seed in 2..5 {
        let host = open(root, seed);
        let wrapped = host.wrap(b"place", b"data key").unwrap();
        let again = host.wrap(b"place", b"data key").unwrap();
        assert_eq!(wrapped.epoch, again.epoch, "one key for each process");
        let opened = host.unwrap(b"place", &wrapped).unwrap().unwrap();
        assert_eq!(
            opened.as_slice(),
            b"data key",
            "the process itself still can"
        );
        all.push(wrapped);
    }
    let host = open(root, 9);
    for wrapped in &all {
        assert!(matches!(
            host.unwrap(b"place", wrapped),
            Err(KeyError::WriteOnly)
        ));
    }
    let opened = OpenedIntake::open(&place(root), archive(), &catalog_key(7)).unwrap();
    assert_eq!(opened.epochs(), [1, 2, 3]);
    for wrapped in &all {
        let secret = opened.unwrap(b"place", wrapped).unwrap().unwrap();
        assert_eq!(secret.as_slice(), b"data key");
        assert!(opened.unwrap(b"elsewhere", wrapped).unwrap().is_none());
    }
    assert!(opened.is_whole() && opened.foreign_key().is_none());
    // Another archive's catalog key: nothing opens, and the public key is not its own.
    let opened = OpenedIntake::open(&place(root), archive(), &catalog_key(8)).unwrap();
    assert_eq!(opened.refused(), [1, 2, 3]);
    let digest = IntakePublicKey::of(&catalog_key(7)).digest();
    assert_eq!(opened.foreign_key(), Some(digest.as_str()));
    assert!(matches!(host.new_epoch(), Err(KeyError::WriteOnly)));
    assert!(matches!(host.destroy_epoch(1), Err(KeyError::WriteOnly)));
}

#[test]
fn a_key_that_is_not_durable_wraps_nothing() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    make(root);
    let read_only = ProviderFile::read_only([root]);
    let host = IntakeKek::open(read_only, archive(), Arc::new(SeededEntropy::new(2))).unwrap();
    assert!(matches!(
        host.wrap(b"place", b"data key"),
        Err(KeyError::ReadOnly)
    ));
    assert_eq!(host.epochs(), [HOST_EPOCH]);
}

#[test]
fn a_changed_medium_is_told() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    make(root);
    drop(open(root, 2).wrap(b"place", b"data key").unwrap());
    let path = root.join(KEK_FILE);
    let good = fs::read(&path).unwrap();
    for place_of_bit in (0..good.len() * 8).step_by(7) {
        let mut flipped = good.clone();
        flipped[place_of_bit / 8] ^= 1 << (place_of_bit % 8);
        fs::write(&path, &flipped).unwrap();
        let opened = OpenedIntake::open(&place(root), archive(), &catalog_key(7));
        assert!(
            opened.is_err() || opened.is_ok_and(|opened| !opened.is_whole()),
            "{place_of_bit}"
        );
    }
    // A sealed key that was changed, under a checksum that was made to fit.
    fs::write(&path, &good).unwrap();
    let mut file = IntakeFile::latest(&place(root), archive())
        .unwrap()
        .unwrap();
    for (from, to) in [("0", "1"), ("a", "b")] {
        let sealed = file.keys[0].sealed.clone();
        let at = sealed.rfind(from).unwrap();
        file.keys[0].sealed.replace_range(at..=at, to);
        fs::write(&path, file.encode().unwrap()).unwrap();
        let opened = OpenedIntake::open(&place(root), archive(), &catalog_key(7)).unwrap();
        assert_eq!(
            (opened.refused(), opened.epochs()),
            ([1].as_slice(), vec![])
        );
        file.keys[0].sealed = sealed;
    }
    file.public_key = "04ff".to_owned();
    fs::write(&path, file.encode().unwrap()).unwrap();
    let error = open(root, 3).wrap(b"place", b"data key").unwrap_err();
    assert!(
        matches!(
            error,
            KeyError::Damaged {
                part: "public key",
                ..
            }
        ),
        "{error}"
    );
    let other = ArchiveId::from_bytes([2; 16]);
    assert!(matches!(
        IntakeFile::latest(&place(root), other),
        Err(KeyError::OtherArchive { .. })
    ));
}

#[test]
fn a_damaged_run_keeps_no_other_from_opening() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    make(root);
    let wrapped: Vec<WrappedSecret> = (2..6)
        .map(|seed| open(root, seed).wrap(b"place", b"data key").unwrap())
        .collect();
    let path = root.join(KEK_FILE);
    let good = fs::read_to_string(&path).unwrap();
    let second = good.match_indices("\"sealed\":").nth(1).unwrap().0;
    // A changed digit, and a byte that is no JSON any more.
    for (offset, byte) in [(20, b'x'), (20, b'\\'), (9, b'!')] {
        let mut damaged = good.clone().into_bytes();
        damaged[second + offset] = byte;
        fs::write(&path, &damaged).unwrap();
        let opened = OpenedIntake::open(&place(root), archive(), &catalog_key(7)).unwrap();
        assert!(!opened.is_whole());
        assert_eq!(opened.epochs(), [1, 3, 4]);
        for (run, wrapped) in wrapped.iter().enumerate() {
            assert_eq!(opened.unwrap(b"place", wrapped).is_ok(), run != 1);
        }
    }
    // No key can be read, and another provider's file.
    let sealed_file = r#"{"keys":[{"epoch":1,"sealed":"00"}],"schema":"urn:fumikura:kek:1"}"#;
    for text in [r#"{"provider":"intake""#, sealed_file] {
        fs::write(&path, text).unwrap();
        let error = OpenedIntake::open(&place(root), archive(), &catalog_key(7)).unwrap_err();
        assert!(matches!(error, KeyError::NotAnIntake { .. }), "{error}");
    }
}

#[test]
fn a_full_medium_is_told_before_anything_is_lost() {
    let mut file = IntakeFile::new(archive(), &[4; 65], &[1; KEY_BYTES]);
    let key = IntakeKey {
        epoch: 1,
        sealed: "00".repeat(113),
    };
    file.keys = vec![key; 5_000];
    assert!(matches!(file.encode(), Err(KeyError::IntakeFull)));
    file.keys.truncate(3_000);
    assert!(file.encode().is_ok());
}
