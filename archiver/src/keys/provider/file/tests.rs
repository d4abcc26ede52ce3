//! The key-encryption keys under right and wrong passphrases.

use std::fs;

use super::*;
use crate::store::durable::SystemDisk;
use firmware::entropy::SeededEntropy;

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

fn create() -> (FileKek, Vec<u8>) {
    let place = ProviderFile::read_only(["nowhere"]);
    let entropy = Arc::new(SeededEntropy::new(1));
    let kek = FileKek::create(place, archive(), &passphrase("right"), CHEAP, entropy).unwrap();
    let file = kek.file().unwrap();
    (kek, file)
}

fn open(bytes: &[u8], archive: ArchiveId, text: &str) -> Result<FileKek, KeyError> {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join(KEK_FILE), bytes).unwrap();
    open_at(&[place.path()], archive, text)
}

fn open_at(roots: &[&Path], archive: ArchiveId, text: &str) -> Result<FileKek, KeyError> {
    let place = ProviderFile::new(Arc::new(SystemDisk), roots);
    let entropy = Arc::new(SeededEntropy::new(2));
    FileKek::open(place, archive, &passphrase(text), entropy)
}

/// The file with other text in it, and a checksum that holds.
fn changed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.contains(from), "{text}");
    let file: KekFile = serde_json::from_str(&text.replacen(from, to, 1)).unwrap();
    file.encode().unwrap()
}

#[test]
fn what_was_wrapped_opens_after_reopening() {
    let (kek, file) = create();
    let wrapped = kek.wrap(b"place", b"secret").unwrap();
    assert_eq!(wrapped.epoch, kek.current_epoch());
    let opened = open(&file, archive(), "right").unwrap();
    let secret = opened.unwrap(b"place", &wrapped).unwrap().unwrap();
    assert_eq!(secret.as_slice(), b"secret");
    assert_ne!(wrapped, opened.wrap(b"place", b"secret").unwrap());
}

#[test]
fn a_wrapped_secret_is_bound_to_its_place_and_epoch() {
    let (kek, _) = create();
    let wrapped = kek.wrap(b"place", b"secret").unwrap();
    assert!(kek.unwrap(b"elsewhere", &wrapped).unwrap().is_none());
    let mut other = wrapped.clone();
    other.sealed[0] ^= 1;
    assert!(kek.unwrap(b"place", &other).unwrap().is_none());
    let mut other = wrapped.clone();
    other.nonce[0] ^= 1;
    assert!(kek.unwrap(b"place", &other).unwrap().is_none());
    let mut other = wrapped;
    other.epoch = 2;
    assert!(matches!(
        kek.unwrap(b"place", &other),
        Err(KeyError::UnknownEpoch { epoch: 2 })
    ));
}

#[test]
fn a_wrong_passphrase_is_told_from_each_damaged_bit() {
    let (_, file) = create();
    for text in ["wrong", "righ", "right ", "Right"] {
        let error = open(&file, archive(), text).unwrap_err();
        assert!(matches!(error, KeyError::WrongPassphrase), "{text}");
    }
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = open(&flipped, archive(), "right").unwrap_err();
        assert!(matches!(error, KeyError::Damaged { .. }), "{bit}: {error}");
    }
    for length in 0..file.len() {
        let error = open(&file[..length], archive(), "right").unwrap_err();
        assert!(
            matches!(error, KeyError::Damaged { .. }),
            "{length}: {error}"
        );
    }
    let longer = [&file, b"\n".as_slice()].concat();
    assert!(open(&longer, archive(), "right").is_err());
}

#[test]
fn a_changed_file_with_a_corrected_checksum_opens_nothing() {
    let (_, file) = create();
    let refused = |from, to| open(&changed(&file, from, to), archive(), "right").unwrap_err();
    for (from, to) in [
        ("\"passes\":1", "\"passes\":2"),
        ("\"epoch\":1", "\"epoch\":2"),
    ] {
        assert!(
            matches!(refused(from, to), KeyError::WrongPassphrase),
            "{to}"
        );
    }
    for (from, to) in [
        ("\"passes\":1", "\"passes\":100000"),
        ("\"memory-kib\":8", "\"memory-kib\":4294967295"),
        ("\"lanes\":1", "\"lanes\":0"),
        ("\"memory-kib\":8", "\"memory-kib\":0"),
    ] {
        assert!(matches!(refused(from, to), KeyError::KeyDerivation), "{to}");
    }
    for (from, to) in [
        ("kek:1", "kek:2"),
        ("AES-256-GCM", "AES-128-GCM"),
        ("Argon2id", "Argon2i"),
        ("\"version\":19", "\"version\":16"),
    ] {
        assert!(
            matches!(refused(from, to), KeyError::UnsupportedFormat { .. }),
            "{to}"
        );
    }
    let error = refused("\"current-epoch\":1", "\"current-epoch\":2");
    assert!(matches!(error, KeyError::Damaged { .. }), "{error}");
}

#[test]
fn the_keys_of_another_archive_are_refused_before_the_passphrase_is_tried() {
    let (_, file) = create();
    let other = ArchiveId::from_bytes([2; 16]);
    assert!(matches!(
        open(&file, other, "wrong"),
        Err(KeyError::OtherArchive { .. })
    ));
}

#[test]
fn the_default_derivation_is_the_documented_one() {
    let parameters = KdfParameters::default();
    assert_eq!(
        (parameters.memory_kib, parameters.passes, parameters.lanes),
        (32 * 1024, 4, 1)
    );
}

#[test]
fn neither_the_file_nor_a_message_tells_a_secret() {
    let (kek, file) = create();
    let secret = hex::encode(kek.opened().keys[&1].expose());
    let text = String::from_utf8(file.clone()).unwrap();
    assert!(!text.contains(&secret) && !text.contains("right"));
    let error = open(&file, archive(), "not the passphrase").unwrap_err();
    let shown = format!("{kek:?} {error:?} {error}");
    assert!(!shown.contains("not the passphrase") && !shown.contains(&secret[..8]));
}

#[test]
fn two_epochs_stand_side_by_side_until_one_is_destroyed() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let roots = [one.path(), two.path()];
    let (first, file) = create();
    for root in roots {
        fs::write(root.join(KEK_FILE), &file).unwrap();
    }
    let kek = open_at(&roots, archive(), "right").unwrap();
    let reader = open_at(&roots, archive(), "right").unwrap();
    let old = first.wrap(b"place", b"secret").unwrap();
    assert!(matches!(
        kek.destroy_epoch(1),
        Err(KeyError::EpochInUse { epoch: 1 })
    ));
    assert_eq!(kek.new_epoch().unwrap(), 2);
    assert_eq!(kek.epochs(), [1, 2]);
    let new = kek.wrap(b"place", b"secret").unwrap();
    assert_eq!(new.epoch, 2);
    for provider in [&kek, &reader] {
        for wrapped in [&old, &new] {
            let secret = provider.unwrap(b"place", wrapped).unwrap().unwrap();
            assert_eq!(secret.as_slice(), b"secret");
        }
    }
    kek.destroy_epoch(1).unwrap();
    kek.destroy_epoch(1).unwrap();
    assert_eq!(kek.describe().epochs, [2]);
    let reopened = open_at(&roots, archive(), "right").unwrap();
    for provider in [&kek, &reopened] {
        assert!(matches!(
            provider.unwrap(b"place", &old),
            Err(KeyError::UnknownEpoch { epoch: 1 })
        ));
        assert!(provider.unwrap(b"place", &new).unwrap().is_some());
    }
    let [one, two] = roots.map(|root| fs::read(root.join(KEK_FILE)).unwrap());
    assert_eq!(one, two);
    assert_eq!(one, kek.file().unwrap());
    assert_eq!(
        roots.map(|root| fs::read_dir(root).unwrap().count()),
        [1, 1]
    );
}

#[test]
fn of_two_files_the_later_one_counts_and_a_foreign_one_is_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let roots = [one.path(), two.path()];
    let (_, file) = create();
    for root in roots {
        fs::write(root.join(KEK_FILE), &file).unwrap();
    }
    open_at(&[two.path()], archive(), "right")
        .unwrap()
        .new_epoch()
        .unwrap();
    let kek = open_at(&roots, archive(), "right").unwrap();
    assert_eq!((kek.current_epoch(), kek.epochs()), (2, vec![1, 2]));
    fs::remove_file(one.path().join(KEK_FILE)).unwrap();
    assert_eq!(
        open_at(&roots, archive(), "right").unwrap().current_epoch(),
        2
    );
    fs::write(two.path().join(KEK_FILE), b"damaged").unwrap();
    assert!(open_at(&roots, archive(), "right").is_err());
    fs::write(two.path().join(KEK_FILE), &file).unwrap();
    let other = changed(
        &file,
        &archive().to_string(),
        &ArchiveId::from_bytes([3; 16]).to_string(),
    );
    fs::write(one.path().join(KEK_FILE), other).unwrap();
    assert!(matches!(
        open_at(&roots, archive(), "right"),
        Err(KeyError::OtherArchive { .. })
    ));
}

#[test]
fn a_provider_that_was_opened_to_read_changes_nothing() {
    let (kek, file) = create();
    assert!(matches!(kek.new_epoch(), Err(KeyError::ReadOnly)));
    assert_eq!(kek.file().unwrap(), file);
    assert_eq!(kek.epochs(), [1]);
}
