//! Passphrases that change and ceremonies that follow one another: what opened before opens no more.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use firmware::entropy::SeededEntropy;
use formats::id::ArchiveId;
use time::macros::datetime;
use zeroize::Zeroizing;

use super::*;
use crate::keys::provider::custodians::{Share, ShareError};
use crate::keys::provider::{self, Unlock};
use crate::store::durable::SystemDisk;

const CHEAP: KdfParameters = KdfParameters {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

fn archive() -> ArchiveId {
    ArchiveId::from_bytes([1; 16])
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(&Zeroizing::new(text.as_bytes().to_vec())).unwrap()
}

fn place(root: &Path) -> ProviderFile {
    ProviderFile::new(Arc::new(SystemDisk), [root])
}

fn create(root: &Path) -> FileKek {
    let entropy = Arc::new(SeededEntropy::new(1));
    let kek = FileKek::create(place(root), archive(), &passphrase("right"), CHEAP, entropy);
    let kek = kek.unwrap();
    kek.write().unwrap();
    kek
}

fn open<'a>(root: &Path, unlock: impl Into<UnlockWith<'a>>) -> Result<FileKek, KeyError> {
    FileKek::open(
        place(root),
        archive(),
        unlock,
        Arc::new(SeededEntropy::new(2)),
    )
}

fn ceremony(kek: &FileKek, seed: u64) -> Held {
    let names = ["A", "B", "C"].map(str::to_owned);
    let now = datetime!(2026-11-22 5:00 UTC);
    let held = Ceremony::hold(archive(), 2, &names, now, &SeededEntropy::new(seed)).unwrap();
    kek.seal_under_custodians(&held).unwrap();
    held
}

fn chosen(held: &Held, numbers: &[usize]) -> Unlock {
    Unlock::Shares(
        numbers
            .iter()
            .map(|n| held.shares[*n].again())
            .collect::<Vec<Share>>(),
    )
}

#[test]
fn every_pair_of_three_custodians_opens_and_no_single_one_does() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let kek = create(root);
    let wrapped = kek.wrap(b"place", b"secret").unwrap();
    let held = ceremony(&kek, 3);
    for pair in [[0, 1], [0, 2], [1, 2], [1, 0], [2, 0], [2, 1]] {
        let opened = open(root, &chosen(&held, &pair)).unwrap();
        let secret = opened.unwrap(b"place", &wrapped).unwrap().unwrap();
        assert_eq!(secret.as_slice(), b"secret", "{pair:?}");
    }
    for single in 0..3 {
        let error = open(root, &chosen(&held, &[single])).unwrap_err();
        assert!(
            matches!(error, KeyError::Share(ShareError::Missing { missing: 1 })),
            "{error}"
        );
        let error = open(root, &chosen(&held, &[single, single])).unwrap_err();
        assert!(
            matches!(error, KeyError::Share(ShareError::Twice { .. })),
            "{error}"
        );
    }
    let error = open(root, &passphrase("right")).unwrap_err();
    assert!(
        matches!(error, KeyError::Share(ShareError::Missing { missing: 2 })),
        "{error}"
    );
    assert_eq!(
        provider::kind(&place(root), archive()).unwrap(),
        ProviderKind::Custodians
    );
    let opened = open(root, &chosen(&held, &[0, 1])).unwrap();
    assert!(
        opened
            .describe()
            .protection
            .contains("any 2 of 3 (A, B, C)")
    );
    let file = fs::read_to_string(root.join(KEK_FILE)).unwrap();
    assert!(!file.contains(&hex::encode(held.lock.expose())));
}

#[test]
fn a_new_ceremony_and_a_new_passphrase_end_what_opened_before() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let kek = create(root);
    let wrapped = kek.wrap(b"place", b"secret").unwrap();
    let first = ceremony(&kek, 3);
    let opened = open(root, &chosen(&first, &[0, 1])).unwrap();
    assert_eq!(opened.new_epoch().unwrap(), 2);
    let second = ceremony(&opened, 4);
    let error = open(root, &chosen(&first, &[0, 1])).unwrap_err();
    assert!(
        matches!(
            error,
            KeyError::Share(ShareError::OtherCeremony { number: 1, .. })
        ),
        "{error}"
    );

    let opened = open(root, &chosen(&second, &[1, 2])).unwrap();
    assert_eq!(opened.epochs(), [1, 2]);
    let more = KdfParameters { passes: 2, ..CHEAP };
    opened
        .seal_under_passphrase(&passphrase("new"), more)
        .unwrap();
    let error = open(root, &chosen(&second, &[1, 2])).unwrap_err();
    assert!(matches!(error, KeyError::NoCustodians), "{error}");
    assert!(matches!(
        open(root, &passphrase("right")),
        Err(KeyError::WrongPassphrase)
    ));
    let opened = open(root, &passphrase("new")).unwrap();
    assert_eq!(opened.parameters(), Some(more));
    assert!(opened.unwrap(b"place", &wrapped).unwrap().is_some());
}

#[test]
fn a_held_key_opens_until_the_sealing_changes() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let kek = create(root);
    let held = ceremony(&kek, 3);
    let lock = Unlock::Lock(kek.lock_to_hold());
    let service = open(root, &lock).unwrap();
    ceremony(&open(root, &chosen(&held, &[0, 2])).unwrap(), 4);
    assert!(matches!(open(root, &lock), Err(KeyError::HeldKeyStale)));
    // A process that opened the file before must not bring the old sealing back.
    assert!(matches!(service.new_epoch(), Err(KeyError::HeldKeyStale)));
    assert!(matches!(open(root, &lock), Err(KeyError::HeldKeyStale)));
}

#[test]
fn a_changed_share_is_named_and_a_changed_file_opens_nothing() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let held = ceremony(&create(root), 3);
    let file = fs::read_to_string(root.join(KEK_FILE)).unwrap();
    for (from, to) in [
        ("\"threshold\":2", "\"threshold\":1"),
        ("Shamir-GF256", "Shamir-GF16"),
        ("kek:2", "kek:1"),
        ("\"provider\":\"custodians\"", "\"provider\":\"pkcs11\""),
    ] {
        let changed: KekFile = serde_json::from_str(&file.replacen(from, to, 1)).unwrap();
        fs::write(root.join(KEK_FILE), changed.encode().unwrap()).unwrap();
        let error = open(root, &chosen(&held, &[0, 1])).unwrap_err();
        assert!(
            matches!(error, KeyError::UnsupportedFormat { .. }),
            "{to}: {error}"
        );
    }
    let renamed: KekFile =
        serde_json::from_str(&file.replacen("\"commitment\":\"", "\"commitment\":\"00", 1))
            .unwrap();
    fs::write(root.join(KEK_FILE), renamed.encode().unwrap()).unwrap();
    let error = open(root, &chosen(&held, &[0, 1])).unwrap_err();
    assert!(
        matches!(error, KeyError::Share(ShareError::Wrong { number: 1, .. })),
        "{error}"
    );
    let words = held.shares[0].words();
    assert!(
        !error
            .to_string()
            .contains(words.split(' ').nth(12).unwrap())
    );
}
