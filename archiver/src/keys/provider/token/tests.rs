//! Against SoftHSM, the token in software of Debian's package `softhsm2`.
//!
//! SoftHSM looks for its tokens where `SOFTHSM2_CONF` says when a process starts it, so each test starts this program again for itself, with
//! a token folder of its own. Where SoftHSM is not installed, one line says what is left out.

mod rotations;

use std::fs;
use std::process::Command;

use cryptoki::context::{CInitializeArgs, CInitializeFlags};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use firmware::entropy::SeededEntropy;

use super::*;
use crate::store::durable::SystemDisk;

const PIN: &str = "4711-fumikura";
const TOKEN: &str = "archive keys";
const FOLDER: &str = "FUMIKURA_TOKEN_TEST";

fn softhsm() -> Option<PathBuf> {
    let places = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
    ];
    let mut places = places.map(PathBuf::from).into_iter();
    places.find(|place| place.is_file())
}

/// Runs `test` in a process of its own, with the folder that it may use.
fn with_token(name: &str, test: impl FnOnce(&Path, &Path)) {
    let Some(module) = softhsm() else {
        // As in the suites of `tests`: where tests/run installed everything, nothing is left out unsaid.
        let lacking = std::env::var("FUMIKURA_LACKING").unwrap_or_default();
        assert!(
            std::env::var_os("FUMIKURA_REQUIRE_PEERS").is_none_or(|given| given != "1")
                || lacking.split(' ').any(|one| one == "softhsm"),
            "left out although SoftHSM is to be had here: {name}"
        );
        println!("left out: {name} (SoftHSM is not installed; tests/run installs it)");
        return;
    };
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = PathBuf::from(folder);
        make_token(&module, TOKEN);
        test(&module, &folder);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    fs::create_dir(&tokens).unwrap();
    fs::create_dir(folder.path().join("keys")).unwrap();
    let configuration = folder.path().join("softhsm2.conf");
    let text = format!(
        "directories.tokendir = {}\nlog.level = ERROR\n",
        tokens.display()
    );
    fs::write(&configuration, text).unwrap();
    let test = format!("{}::{name}", module_path!().split_once("::").unwrap().1);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &test, "--nocapture"])
        .env("SOFTHSM2_CONF", &configuration)
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{complained}"
    );
}

fn make_token(module: &Path, label: &str) {
    let library = Pkcs11::new(module).unwrap();
    start(&library, module).unwrap();
    let slot = *library.get_all_slots().unwrap().last().unwrap();
    let officer = AuthPin::new("officer-1234".into());
    library.init_token(slot, &officer, label).unwrap();
    let session = library.open_rw_session(slot).unwrap();
    session.login(UserType::So, Some(&officer)).unwrap();
    session.init_pin(&AuthPin::new(PIN.into())).unwrap();
}

fn archive() -> ArchiveId {
    ArchiveId::from_bytes([1; 16])
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(&Zeroizing::new(text.as_bytes().to_vec())).unwrap()
}

fn token(module: &Path) -> TokenPlace {
    TokenPlace {
        module: module.to_path_buf(),
        label: TOKEN.to_owned(),
        serial: String::new(),
    }
}

fn place(folder: &Path) -> ProviderFile {
    ProviderFile::new(Arc::new(SystemDisk), [folder.join("keys")])
}

fn create(module: &Path, folder: &Path) -> TokenKek {
    let place = place(folder);
    let entropy = Arc::new(SeededEntropy::new(1));
    let kek = TokenKek::create(
        place.clone(),
        archive(),
        &token(module),
        &passphrase(PIN),
        entropy,
    )
    .unwrap();
    place.replace(&kek.file().unwrap()).unwrap();
    kek
}

fn open(folder: &Path, pin: &str) -> Result<TokenKek, KeyError> {
    let entropy = Arc::new(SeededEntropy::new(2));
    TokenKek::open(place(folder), archive(), &passphrase(pin), entropy)
}

fn refused(result: Result<TokenKek, KeyError>) -> TokenError {
    let error = result.unwrap_err();
    let KeyError::Token(error) = error else {
        panic!("{error}");
    };
    error
}

#[test]
fn what_was_wrapped_opens_only_unchanged_and_in_its_place() {
    with_token(
        "what_was_wrapped_opens_only_unchanged_and_in_its_place",
        |module, folder| {
            let kek = create(module, folder);
            let wrapped = kek
                .wrap(b"place", b"a data key of 32 bytes, or so...")
                .unwrap();
            assert_eq!((wrapped.epoch, wrapped.sealed.len()), (1, 48));
            drop(kek);
            let kek = open(folder, PIN).unwrap();
            let secret = kek.unwrap(b"place", &wrapped).unwrap().unwrap();
            assert_eq!(secret.as_slice(), b"a data key of 32 bytes, or so...");
            assert!(kek.unwrap(b"elsewhere", &wrapped).unwrap().is_none());
            for bit in 0..wrapped.sealed.len() * 8 {
                let mut other = wrapped.clone();
                other.sealed[bit / 8] ^= 1 << (bit % 8);
                assert!(kek.unwrap(b"place", &other).unwrap().is_none(), "{bit}");
            }
            for length in [0, 1, 15, 16, 47] {
                let mut other = wrapped.clone();
                other.sealed.truncate(length);
                assert!(kek.unwrap(b"place", &other).unwrap().is_none(), "{length}");
            }
            let mut other = wrapped.clone();
            other.nonce[0] ^= 1;
            assert!(kek.unwrap(b"place", &other).unwrap().is_none());
            other.epoch = 2;
            assert!(matches!(
                kek.unwrap(b"place", &other),
                Err(KeyError::UnknownEpoch { epoch: 2 })
            ));
            assert_ne!(
                kek.wrap(b"place", b"x").unwrap(),
                kek.wrap(b"place", b"x").unwrap()
            );
        },
    );
}

#[test]
fn the_key_never_leaves_the_token() {
    with_token("the_key_never_leaves_the_token", |module, folder| {
        let kek = create(module, folder);
        let state = kek.state();
        let name = state.file.key(1).unwrap();
        let (slot, _) = find(&state.library, TOKEN, "").unwrap();
        let session = state.library.open_ro_session(slot).unwrap();
        let keys = session
            .find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)])
            .unwrap();
        assert_eq!(keys.len(), 1);
        let asked = [
            AttributeType::Sensitive,
            AttributeType::AlwaysSensitive,
            AttributeType::Extractable,
            AttributeType::NeverExtractable,
            AttributeType::Private,
            AttributeType::KeyType,
            AttributeType::ValueLen,
            AttributeType::Label,
        ];
        let facts = session.get_attributes(keys[0], &asked).unwrap();
        for fact in [
            Attribute::Sensitive(true),
            Attribute::AlwaysSensitive(true),
            Attribute::Extractable(false),
            Attribute::NeverExtractable(true),
            Attribute::Private(true),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(32.into()),
            Attribute::Label(name.label.into_bytes()),
        ] {
            assert!(facts.contains(&fact), "{fact:?} of {facts:?}");
        }
        let value = session.get_attributes(keys[0], &[AttributeType::Value]);
        assert!(value.is_err() || value.unwrap().is_empty());
        drop(state);
        let file = fs::read_to_string(folder.join("keys/kek.json")).unwrap();
        assert!(
            file.contains("\"provider\":\"pkcs11\"") && !file.contains(PIN),
            "{file}"
        );
        assert!(!format!("{kek:?} {:?}", kek.describe()).contains(PIN));
        assert_eq!(kek.describe().kind, ProviderKind::Token);
    });
}

#[test]
fn a_wrong_pin_is_told_and_not_tried_again() {
    with_token(
        "a_wrong_pin_is_told_and_not_tried_again",
        |module, folder| {
            drop(create(module, folder));
            for pin in ["4711", "wrong", "4711-fumikur"] {
                let error = refused(open(folder, pin));
                assert!(matches!(error, TokenError::WrongPin { .. }), "{error}");
                assert!(!error.to_string().contains(pin) || pin == "wrong");
            }
            let shares: [super::super::custodians::Share; 0] = [];
            let unlock = super::super::UnlockWith::Shares(&shares);
            let entropy = Arc::new(SeededEntropy::new(2));
            let error = super::super::open(place(folder), archive(), unlock, entropy).unwrap_err();
            assert!(matches!(error, KeyError::Token(TokenError::PinNeeded)));
            // The PIN is wrong when the session must be opened anew: told, remembered, and the token is left alone.
            let mut kek = open(folder, PIN).unwrap();
            kek.pin = raw(&passphrase("wrong"));
            Pkcs11::new(module).unwrap().finalize().unwrap();
            for _ in 0..3 {
                let error = kek.wrap(b"place", b"x").unwrap_err();
                assert!(
                    matches!(error, KeyError::Token(TokenError::WrongPin { .. })),
                    "{error}"
                );
            }
            assert!(kek.state().refused.is_some());
        },
    );
}

/// Why no key is made at this place.
fn refused_to_create(folder: &Path, place: &TokenPlace) -> TokenError {
    let entropy = Arc::new(SeededEntropy::new(3));
    let other = ArchiveId::from_bytes([3; 16]);
    refused(TokenKek::create(
        ProviderFile::read_only([folder]),
        other,
        place,
        &passphrase(PIN),
        entropy,
    ))
}

#[test]
fn what_is_missing_is_named() {
    with_token("what_is_missing_is_named", |module, folder| {
        let kek = create(module, folder);
        let creating = |place: &TokenPlace| refused_to_create(folder, place);
        let place = token(module);
        let error = creating(&TokenPlace {
            label: "another".into(),
            ..place.clone()
        });
        assert!(matches!(error, TokenError::Missing { .. }), "{error}");
        let error = creating(&TokenPlace {
            serial: "0000".into(),
            ..place.clone()
        });
        assert!(matches!(error, TokenError::Missing { .. }), "{error}");
        make_token(module, TOKEN);
        let error = creating(&place);
        assert!(matches!(error, TokenError::Ambiguous { .. }), "{error}");
        let error = creating(&TokenPlace {
            module: "/nowhere/token.so".into(),
            ..place.clone()
        });
        assert!(matches!(error, TokenError::Module { .. }), "{error}");
        let error = creating(&TokenPlace {
            module: "/etc/passwd".into(),
            ..place.clone()
        });
        assert!(matches!(error, TokenError::Module { .. }), "{error}");
        let error = creating(&TokenPlace {
            module: "libsofthsm2.so".into(),
            ..place.clone()
        });
        assert!(
            matches!(error, TokenError::ModuleNotTrusted { .. }),
            "{error}"
        );
        let brought = folder.join("token.so");
        fs::copy(module, &brought).unwrap();
        let error = creating(&TokenPlace {
            module: brought,
            ..place
        });
        assert!(
            matches!(
                error,
                TokenError::ModuleNotTrusted {
                    reason: "it stands on the key medium",
                    ..
                }
            ),
            "{error}"
        );
        // The serial number tells two tokens of one label apart.
        let wrapped = kek.wrap(b"place", b"x").unwrap();
        drop(kek);
        let kek = open(folder, PIN).unwrap();
        assert!(kek.unwrap(b"place", &wrapped).unwrap().is_some());
        // The key is deleted by somebody else.
        let name = kek.state().file.key(1).unwrap();
        kek.state()
            .connection
            .as_mut()
            .unwrap()
            .destroy(1, &name, &name)
            .unwrap_err();
        drop(kek);
        let error = refused(open(folder, PIN));
        assert!(matches!(error, TokenError::KeyMissing { .. }), "{error}");
    });
}

#[test]
fn a_key_that_can_be_read_out_is_not_used() {
    with_token(
        "a_key_that_can_be_read_out_is_not_used",
        |module, folder| {
            let kek = create(module, folder);
            let name = kek.state().file.key(1).unwrap();
            let mut state = kek.state();
            let (slot, _) = find(&state.library, TOKEN, "").unwrap();
            state
                .connection
                .as_mut()
                .unwrap()
                .destroy(1, &name, &name)
                .unwrap_err();
            let session = state.library.open_rw_session(slot).unwrap();
            let template = [
                Attribute::Class(ObjectClass::SECRET_KEY),
                Attribute::KeyType(KeyType::AES),
                Attribute::Value(vec![7; 32]),
                Attribute::Token(true),
                Attribute::Private(true),
                Attribute::Sensitive(false),
                Attribute::Extractable(true),
                Attribute::Label(name.label.clone().into_bytes()),
                Attribute::Id(name.id),
            ];
            session.create_object(&template).unwrap();
            drop(state);
            drop(kek);
            let error = refused(open(folder, PIN));
            assert!(matches!(error, TokenError::KeyExposed { .. }), "{error}");
        },
    );
}

#[test]
fn epochs_are_made_and_destroyed_in_the_token() {
    with_token(
        "epochs_are_made_and_destroyed_in_the_token",
        |module, folder| {
            let kek = create(module, folder);
            let reader = open(folder, PIN).unwrap();
            let old = kek.wrap(b"place", b"secret").unwrap();
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
                    assert!(provider.unwrap(b"place", wrapped).unwrap().is_some());
                }
            }
            kek.destroy_epoch(1).unwrap();
            kek.destroy_epoch(1).unwrap();
            assert_eq!(kek.epochs(), [2]);
            drop((kek, reader));
            let kek = open(folder, PIN).unwrap();
            assert!(matches!(
                kek.unwrap(b"place", &old),
                Err(KeyError::UnknownEpoch { epoch: 1 })
            ));
            assert!(kek.unwrap(b"place", &new).unwrap().is_some());
            {
                let state = kek.state();
                let (slot, _) = find(&state.library, TOKEN, "").unwrap();
                let session = state.library.open_ro_session(slot).unwrap();
                let keys = session
                    .find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)])
                    .unwrap();
                assert_eq!(keys.len(), 1);
            }
            // Destroyed in the token, but the file could not be written any more: the file says so, and the next attempt ends it.
            assert_eq!(kek.new_epoch().unwrap(), 3);
            let name = kek.state().file.key(2).unwrap();
            kek.state()
                .connection
                .as_mut()
                .unwrap()
                .destroy(2, &name, &KeyName::new(archive(), 3))
                .unwrap();
            drop(kek);
            let kek = open(folder, PIN).unwrap();
            assert_eq!(kek.epochs(), [3]);
            kek.destroy_epoch(2).unwrap();
            let file = fs::read_to_string(folder.join("keys/kek.json")).unwrap();
            assert!(!file.contains("epoch 2"), "{file}");
            let read_only = ProviderFile::read_only([folder.join("keys")]);
            let entropy = Arc::new(SeededEntropy::new(2));
            let kek = TokenKek::open(read_only, archive(), &passphrase(PIN), entropy).unwrap();
            assert!(matches!(kek.new_epoch(), Err(KeyError::ReadOnly)));
            assert!(matches!(kek.destroy_epoch(3), Err(KeyError::ReadOnly)));
        },
    );
}

#[test]
fn a_lost_session_is_opened_anew_and_a_lost_token_is_told() {
    with_token(
        "a_lost_session_is_opened_anew_and_a_lost_token_is_told",
        |module, folder| {
            let kek = create(module, folder);
            let wrapped = kek.wrap(b"place", b"secret").unwrap();
            let works = |kek: &TokenKek| {
                kek.wrap(b"place", b"x").unwrap();
                assert!(kek.unwrap(b"place", &wrapped).unwrap().is_some());
            };
            // Somebody ends the library: CKR_CRYPTOKI_NOT_INITIALIZED.
            let library = Pkcs11::new(module).unwrap();
            library.clone().finalize().unwrap();
            works(&kek);
            // Ended and started again: CKR_SESSION_HANDLE_INVALID.
            library.clone().finalize().unwrap();
            library
                .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
                .unwrap();
            works(&kek);
            // Pulled out, and plugged in again.
            library.clone().finalize().unwrap();
            let (tokens, drawer) = (folder.join("tokens"), folder.join("drawer"));
            fs::rename(&tokens, &drawer).unwrap();
            fs::create_dir(&tokens).unwrap();
            for _ in 0..2 {
                let error = kek.wrap(b"place", b"x").unwrap_err();
                assert!(
                    matches!(error, KeyError::Token(TokenError::Gone { .. })),
                    "{error}"
                );
            }
            fs::remove_dir_all(&tokens).unwrap();
            fs::rename(&drawer, &tokens).unwrap();
            works(&kek);
        },
    );
}

#[test]
fn several_threads_share_a_token() {
    with_token("several_threads_share_a_token", |module, folder| {
        let kek = create(module, folder);
        std::thread::scope(|scope| {
            for number in 0..4_u8 {
                let kek = &kek;
                scope.spawn(move || {
                    for round in 0..50_u8 {
                        let wrapped = kek.wrap(&[number], &[round; 32]).unwrap();
                        let opened = kek.unwrap(&[number], &wrapped).unwrap().unwrap();
                        assert_eq!(opened.as_slice(), [round; 32]);
                    }
                });
            }
        });
    });
}
