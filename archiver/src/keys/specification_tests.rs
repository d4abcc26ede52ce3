//! A stranger's reader of the key medium, written from chapter 5 of `SPEC.md` with nothing of this module, and the bytes that
//! format version 1 wrote: neither may ever change.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use argon2::Argon2;
use firmware::entropy::SeededEntropy;
use formats::id::{ArchiveId, RecordId, VersionId};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{DataKey, KdfParameters, KeyMedium, Passphrase};

const ARCHIVE: [u8; 16] = [0xa1; 16];
const RECORD: [u8; 16] = [0xb2; 16];
const PASSPHRASE: &str = "鍵のかかった文蔵";

/// Makes a key medium of which every byte is known, with one data key and one sealed secret.
fn make(root: &Path) -> (KeyMedium, Vec<u8>) {
    let parameters = KdfParameters {
        memory_kib: 64,
        passes: 2,
        lanes: 1,
    };
    let passphrase = Passphrase::new(&Zeroizing::new(PASSPHRASE.into())).unwrap();
    let archive = ArchiveId::from_bytes(ARCHIVE);
    let entropy = Arc::new(SeededEntropy::new(20_261_122));
    let keys = KeyMedium::create(
        crate::store::durable::system_disk(),
        root,
        archive,
        &passphrase,
        parameters,
        entropy,
    )
    .unwrap();
    let staged = keys.ledger().wrap_new(version()).unwrap();
    keys.ledger().commit(staged.ticket()).unwrap();
    let secret = keys.seal_secret("label", b"another secret").unwrap();
    (keys, secret)
}

fn version() -> VersionId {
    VersionId::new(RecordId::from_bytes(RECORD), 1).unwrap()
}

#[test]
fn a_stranger_can_follow_the_specification() {
    let place = tempfile::tempdir().unwrap();
    let (keys, secret) = make(place.path());
    let kek = stranger::kek(&fs::read(place.path().join("kek.json")).unwrap());
    let ledger = fs::read(place.path().join("ledger/0000000001.led")).unwrap();

    let data_key = stranger::data_key(&ledger, &kek, RECORD, 1).unwrap();
    let ours = keys.ledger().data_key(version()).unwrap();
    assert_eq!(ours.expose().as_slice(), data_key);

    let catalog_key = stranger::data_key(&ledger, &kek, ARCHIVE, 0).unwrap();
    let ours = keys.catalog_key().unwrap();
    assert_eq!(ours.expose().as_slice(), catalog_key);
    let subkey = stranger::subkey(&catalog_key, "record index");
    assert_eq!(ours.subkey("record index").expose().as_slice(), subkey);

    assert_eq!(stranger::secret(&secret, &kek, "label"), b"another secret");
    assert!(stranger::data_key(&ledger, &kek, RECORD, 2).is_none());
}

#[test]
fn the_bytes_of_format_version_1_stay_as_they_are() {
    let place = tempfile::tempdir().unwrap();
    let (keys, secret) = make(place.path());
    let digest = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let kek = digest(&fs::read(place.path().join("kek.json")).unwrap());
    let ledger = digest(&fs::read(place.path().join("ledger/0000000001.led")).unwrap());
    assert_eq!(kek, KEK_FILE_DIGEST);
    assert_eq!(ledger, LEDGER_FILE_DIGEST);
    assert_eq!(digest(&secret), SECRET_DIGEST);
    let subkey: DataKey = keys.catalog_key().unwrap().subkey("record index");
    assert_eq!(digest(subkey.expose()), SUBKEY_DIGEST);
}

/// Only byte arithmetic, JSON and the named algorithms.
mod stranger {
    use super::*;

    fn open(key: &[u8], nonce: &[u8], sealed: &[u8], associated: &[&[u8]]) -> Option<Vec<u8>> {
        let payload = Payload {
            msg: sealed,
            aad: &associated.concat(),
        };
        let nonce = Nonce::try_from(nonce).unwrap();
        Aes256Gcm::new_from_slice(key)
            .unwrap()
            .decrypt(&nonce, payload)
            .ok()
    }

    pub(super) fn kek(file: &[u8]) -> Vec<u8> {
        let json: Value = serde_json::from_slice(file).unwrap();
        let mut unsigned = json.clone();
        unsigned["checksum"] = Value::from("");
        let canonical = serde_json_canonicalizer::to_vec(&unsigned).unwrap();
        assert_eq!(json["checksum"], hex::encode(Sha256::digest(canonical)));

        let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
        let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
        let derivation = &json["derivation"];
        assert_eq!(derivation["algorithm"], "Argon2id");
        assert_eq!(derivation["version"], 19);
        let parameters = &derivation["parameters"];
        let parameters = argon2::Params::new(
            number(&parameters["memory-kib"]),
            number(&parameters["passes"]),
            number(&parameters["lanes"]),
            Some(32),
        );
        let mut lock = [0; 32];
        Argon2::new(
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x13,
            parameters.unwrap(),
        )
        .hash_password_into(
            PASSPHRASE.as_bytes(),
            &bytes(&derivation["salt"]),
            &mut lock,
        )
        .unwrap();

        let entry = &json["keys"][0];
        let sealed = bytes(&entry["sealed"]);
        let epoch = number(&entry["epoch"]).to_be_bytes();
        let associated: [&[u8]; 3] = [b"fumikura kek 1\0", &ARCHIVE, &epoch];
        open(&lock, &sealed[..12], &sealed[12..], &associated).unwrap()
    }

    pub(super) fn data_key(file: &[u8], kek: &[u8], id: [u8; 16], version: u32) -> Option<Vec<u8>> {
        let whole = |part: &[u8]| {
            let (rest, checksum) = part.split_last_chunk::<4>().unwrap();
            crc32c::crc32c(rest).to_be_bytes() == *checksum
        };
        let header = &file[..64];
        assert_eq!(&header[..8], b"FUMIKEYS");
        assert_eq!(header[8..10], [0, 1]);
        assert_eq!(header[12..16], [0, 0, 0, 1]);
        assert_eq!(header[16..32], ARCHIVE);
        assert!(whole(header));
        let owner = [id.as_slice(), &version.to_be_bytes()].concat();
        let entry = file[64..]
            .chunks_exact(96)
            .rfind(|entry| whole(entry) && entry[0] == 1 && entry[4..24] == owner)?;
        let associated: [&[u8]; 4] = [b"fumikura ledger 1\0", &ARCHIVE, &owner, &entry[24..28]];
        open(kek, &entry[28..40], &entry[40..88], &associated)
    }

    pub(super) fn subkey(key: &[u8], purpose: &str) -> Vec<u8> {
        let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.chain_update(b"fumikura subkey 1\0")
            .chain_update(purpose)
            .finalize()
            .into_bytes()
            .to_vec()
    }

    pub(super) fn secret(sealed: &[u8], kek: &[u8], label: &str) -> Vec<u8> {
        let (epoch, rest) = sealed.split_at(4);
        let associated: [&[u8]; 5] = [
            b"fumikura secret 1\0",
            &ARCHIVE,
            label.as_bytes(),
            b"\0",
            epoch,
        ];
        open(kek, &rest[..12], &rest[12..], &associated).unwrap()
    }
}

const KEK_FILE_DIGEST: &str = "b605610f412189c12b83568eceb860251e78a0c7fc5c985cf23d7d5e4ba80f48";
const LEDGER_FILE_DIGEST: &str = "83e102c9fbc7242e7f7ce678c868d1c14a8fba32cea09ffb062f571e8bf0672f";
const SECRET_DIGEST: &str = "30329154739949966c22540b16536baf5f8381d1fc06c2f08e89e909464400f2";
const SUBKEY_DIGEST: &str = "3092567a4871f23f94b45733fc2fd3a87f3e351f3b1ea317bf33b20d09ba9a21";
