//! The key-encryption keys under right and wrong passphrases.

use super::*;
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
    let entropy = Arc::new(SeededEntropy::new(1));
    FileKek::create(archive(), &passphrase("right"), CHEAP, entropy).unwrap()
}

fn open(bytes: &[u8], archive: ArchiveId, text: &str) -> Result<FileKek, KeyError> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(KEK_FILE);
    fs::write(&path, bytes).unwrap();
    let entropy = Arc::new(SeededEntropy::new(2));
    FileKek::open(&path, archive, &passphrase(text), entropy)
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
    let secret = hex::encode(kek.keys[&1].expose());
    let text = String::from_utf8(file.clone()).unwrap();
    assert!(!text.contains(&secret) && !text.contains("right"));
    let error = open(&file, archive(), "not the passphrase").unwrap_err();
    let shown = format!("{kek:?} {error:?} {error}");
    assert!(!shown.contains("not the passphrase") && !shown.contains(&secret[..8]));
}
