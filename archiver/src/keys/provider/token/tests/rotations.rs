//! Two key media that know different rotations of one token, and a damaged one of them.

use formats::id::{RecordId, VersionId};

use super::*;
use crate::keys::{DataKey, KeyMedium, LedgerAccess, RotationStep};
use crate::store::durable::faults::{Fault, FaultyDisk, Outcome};

#[test]
fn a_key_whose_rotation_stands_on_an_absent_medium_is_kept() {
    with_token(
        "rotations::a_key_whose_rotation_stands_on_an_absent_medium_is_kept",
        |module, folder| {
            let kek = create(module, folder);
            let file = folder.join("keys/kek.json");
            let before = fs::read(&file).unwrap();
            assert_eq!(kek.new_epoch().unwrap(), 2);
            let wrapped = kek.wrap(b"place", b"secret").unwrap();
            drop(kek);
            let with_second_epoch = fs::read(&file).unwrap();
            // Only the medium from before is at hand, and is rotated.
            write(&file, &before);
            let kek = open(folder, PIN).unwrap();
            assert_eq!(kek.new_epoch().unwrap(), 3);
            drop(kek);
            write(&file, &with_second_epoch);
            let kek = open(folder, PIN).unwrap();
            assert!(kek.unwrap(b"place", &wrapped).unwrap().is_some());
        },
    );
}

#[test]
fn a_key_that_no_file_names_is_told() {
    with_token(
        "rotations::a_key_that_no_file_names_is_told",
        |module, folder| {
            drop(create(module, folder));
            let disk = FaultyDisk::new();
            let place = ProviderFile::new(disk.clone(), [folder.join("keys")]);
            let entropy = Arc::new(SeededEntropy::new(2));
            let kek = TokenKek::open(place, archive(), &passphrase(PIN), entropy).unwrap();
            assert!(kek.unnamed_epochs().unwrap().is_empty());
            disk.arm(Fault {
                call: None,
                path: "kek.json".to_owned(),
                after: 0,
                sticky: true,
                error: std::io::ErrorKind::Other,
                outcome: Outcome::Lost,
            });
            kek.new_epoch().unwrap_err();
            assert_eq!(kek.unnamed_epochs().unwrap(), [2]);
            disk.heal();
            assert_eq!(kek.new_epoch().unwrap(), 3);
            kek.destroy_epoch(1).unwrap();
            assert_eq!(kek.unnamed_epochs().unwrap(), [2]);
            drop(kek);
            let kek = open(folder, PIN).unwrap();
            assert_eq!(kek.epochs(), [3]);
        },
    );
}

#[test]
fn a_damaged_copy_of_the_file_locks_nobody_out() {
    with_token(
        "rotations::a_damaged_copy_of_the_file_locks_nobody_out",
        |module, folder| {
            let kek = create(module, folder);
            let wrapped = kek.wrap(b"place", b"secret").unwrap();
            drop(kek);
            let good = fs::read(folder.join("keys/kek.json")).unwrap();
            let text = String::from_utf8(good.clone()).unwrap();
            let damaged = text.replace("AES-256-GCM", "AES-256-GCN");
            assert_ne!(damaged, text);
            let roots = ["one", "other"].map(|name| folder.join(name));
            for (first, second) in [(0, 1), (1, 0)] {
                for (root, bytes) in [(first, good.as_slice()), (second, damaged.as_bytes())] {
                    fs::create_dir_all(&roots[root]).unwrap();
                    write(&roots[root].join("kek.json"), bytes);
                }
                let place = ProviderFile::new(Arc::new(SystemDisk), &roots);
                let entropy = Arc::new(SeededEntropy::new(2));
                let kek = TokenKek::open(place, archive(), &passphrase(PIN), entropy).unwrap();
                assert!(kek.unwrap(b"place", &wrapped).unwrap().is_some());
            }
        },
    );
}

#[test]
fn a_token_pulled_out_at_any_step_of_a_rotation_loses_nothing() {
    with_token(
        "rotations::a_token_pulled_out_at_any_step_of_a_rotation_loses_nothing",
        |module, folder| {
            let keys = make_medium(module, folder);
            let (tokens, drawer) = (folder.join("tokens"), folder.join("drawer"));
            for at in [
                RotationStep::Wrapping,
                RotationStep::Secrets,
                RotationStep::Erasing,
            ] {
                let medium = open_medium(folder);
                let before = medium.provider().current_epoch();
                let mut pulled = false;
                let rotated = medium.rotate(&mut |progress| {
                    if progress.step == at && !pulled {
                        pulled = true;
                        fs::rename(&tokens, &drawer).unwrap();
                        fs::create_dir(&tokens).unwrap();
                    }
                });
                assert!(pulled, "{at:?}");
                if let Err(error) = &rotated {
                    let is_gone = matches!(error, KeyError::Token(TokenError::Gone { .. }));
                    assert!(is_gone, "{at:?}: {error}");
                    drop(medium);
                    fs::remove_dir_all(&tokens).unwrap();
                    fs::rename(&drawer, &tokens).unwrap();
                    // Another process: it starts the library itself.
                    drop(Pkcs11::new(module).unwrap().finalize());
                    let medium = open_medium(folder);
                    all_open(&medium, &keys);
                    let report = medium.rotate(&mut |_| ()).unwrap();
                    assert!(report.resumed, "{at:?}");
                    assert_eq!((report.epoch, report.keys), (before + 1, 4), "{at:?}");
                } else {
                    panic!("{at:?}: rotated without a token");
                }
                let medium = open_medium(folder);
                all_open(&medium, &keys);
                assert_eq!(medium.provider().epochs(), [before + 1]);
                drop(medium);
                assert_eq!(keys_in(module), 1, "{at:?}");
            }
        },
    );
}

/// A key medium with the keys of three records, and these keys.
fn make_medium(module: &Path, folder: &Path) -> Vec<(VersionId, [u8; 32])> {
    let entropy = Arc::new(SeededEntropy::new(7));
    let root = folder.join("keys");
    let medium = KeyMedium::create_in_token(
        Arc::new(SystemDisk),
        &root,
        archive(),
        &token(module),
        &passphrase(PIN),
        entropy,
    )
    .unwrap();
    let versions = (1..=3).map(|n| VersionId::first(RecordId::from_bytes([n; 16])));
    versions
        .map(|version| {
            let key = DataKey::from_bytes(&[version.record().as_bytes()[0]; 32]);
            let bytes = *key.expose();
            let ticket = medium.ledger().adopt(version, key).unwrap();
            medium.ledger().commit(ticket).unwrap();
            (version, bytes)
        })
        .collect()
}

fn open_medium(folder: &Path) -> KeyMedium {
    KeyMedium::open(
        Arc::new(SystemDisk),
        &folder.join("keys"),
        archive(),
        &passphrase(PIN),
        LedgerAccess::Write,
        Arc::new(SeededEntropy::new(8)),
    )
    .unwrap()
}

fn all_open(medium: &KeyMedium, keys: &[(VersionId, [u8; 32])]) {
    for (version, key) in keys {
        assert_eq!(medium.ledger().data_key(*version).unwrap().expose(), key);
    }
}

/// How many keys the token holds.
fn keys_in(module: &Path) -> usize {
    let library = Pkcs11::new(module).unwrap();
    start(&library, module).unwrap();
    let (slot, _) = find(&library, TOKEN, "").unwrap();
    let session = library.open_ro_session(slot).unwrap();
    session
        .login(UserType::User, Some(&AuthPin::new(PIN.into())))
        .unwrap();
    let found = session
        .find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)])
        .unwrap();
    found.len()
}

fn write(path: &Path, bytes: &[u8]) {
    crate::store::durable::replace_file(&SystemDisk, path, bytes).unwrap();
}
