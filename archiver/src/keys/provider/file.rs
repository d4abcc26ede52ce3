//! The key-encryption keys in a file of the key medium, sealed under a passphrase.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use firmware::entropy::Entropy;
use formats::id::ArchiveId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{KekProvider, WrappedSecret};
use crate::keys::error::KeyError;
use crate::keys::passphrase::Passphrase;
use crate::keys::secret::{DataKey, KEY_BYTES, NONCE_BYTES};

/// The name of the file on the key medium.
pub const KEK_FILE: &str = "kek.json";

/// How a passphrase becomes a key: Argon2id (RFC 9106), version 0x13.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KdfParameters {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Parallel lanes.
    pub lanes: u32,
}

/// Key-encryption keys that were opened with a passphrase.
pub struct FileKek {
    keys: BTreeMap<u32, DataKey>,
    current_epoch: u32,
    entropy: Arc<dyn Entropy>,
}

impl Default for KdfParameters {
    /// 32 MiB, 4 passes, 1 lane: above the lowest choice of RFC 9106 §4 in work, and within the memory that the archive
    /// promises to keep to.
    fn default() -> Self {
        Self {
            memory_kib: 32 * 1024,
            passes: 4,
            lanes: 1,
        }
    }
}

impl FileKek {
    /// Makes the key-encryption key of epoch 1 and the bytes of its file. The caller writes them durably.
    ///
    /// # Errors
    /// [`KeyError::Entropy`]; [`KeyError::KeyDerivation`] when `parameters` are not acceptable.
    pub fn create(
        archive: ArchiveId,
        passphrase: &Passphrase,
        parameters: KdfParameters,
        entropy: Arc<dyn Entropy>,
    ) -> Result<(Self, Vec<u8>), KeyError> {
        let mut salt = [0; SALT_BYTES];
        entropy.fill(&mut salt)?;
        let lock = derive(passphrase, parameters, &salt)?;
        let kek = DataKey::generate(&*entropy)?;
        let sealed =
            lock.value_key()
                .seal(&*entropy, &kek_context(archive, FIRST_EPOCH), kek.expose())?;
        let file = KekFile {
            schema: SCHEMA.to_owned(),
            archive,
            derivation: Derivation {
                algorithm: ALGORITHM.to_owned(),
                version: u32::from(Version::V0x13),
                parameters,
                salt: hex::encode(salt),
            },
            cipher: CIPHER.to_owned(),
            current_epoch: FIRST_EPOCH,
            keys: vec![SealedKek {
                epoch: FIRST_EPOCH,
                sealed: hex::encode(sealed),
            }],
            checksum: String::new(),
        };
        let bytes = file.encode().ok_or(KeyError::KeyDerivation)?;
        let provider = Self {
            keys: BTreeMap::from([(FIRST_EPOCH, kek)]),
            current_epoch: FIRST_EPOCH,
            entropy,
        };
        Ok((provider, bytes))
    }

    /// Opens the key-encryption keys in `path`.
    ///
    /// # Errors
    /// [`KeyError::MediumMissing`] when there is no such file; [`KeyError::Damaged`], [`KeyError::UnsupportedFormat`],
    /// [`KeyError::OtherArchive`] before the passphrase is tried; [`KeyError::WrongPassphrase`] when the file is whole.
    pub fn open(
        path: &Path,
        archive: ArchiveId,
        passphrase: &Passphrase,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        let damaged = |part| KeyError::Damaged {
            path: path.to_path_buf(),
            part,
        };
        let file = KekFile::read(path)?;
        if file.archive != archive {
            return Err(KeyError::OtherArchive {
                path: path.to_path_buf(),
                expected: archive,
                found: file.archive,
            });
        }
        let salt = fixed::<SALT_BYTES>(&file.derivation.salt).ok_or_else(|| damaged("salt"))?;
        let lock = derive(passphrase, file.derivation.parameters, &salt)?.value_key();
        let mut keys = BTreeMap::new();
        for key in &file.keys {
            let sealed = hex::decode(&key.sealed).map_err(|_| damaged("sealed key"))?;
            let opened = lock
                .open(&kek_context(archive, key.epoch), &sealed)
                .ok_or(KeyError::WrongPassphrase)?;
            let opened: &[u8; KEY_BYTES] = opened
                .as_slice()
                .try_into()
                .map_err(|_| damaged("sealed key"))?;
            keys.insert(key.epoch, DataKey::from_bytes(opened));
        }
        if !keys.contains_key(&file.current_epoch) {
            return Err(damaged("current epoch"));
        }
        Ok(Self {
            keys,
            current_epoch: file.current_epoch,
            entropy,
        })
    }

    fn key(&self, epoch: u32) -> Result<&DataKey, KeyError> {
        self.keys
            .get(&epoch)
            .ok_or(KeyError::UnknownEpoch { epoch })
    }
}

impl KekProvider for FileKek {
    fn current_epoch(&self) -> u32 {
        self.current_epoch
    }

    fn wrap(&self, context: &[u8], secret: &[u8]) -> Result<WrappedSecret, KeyError> {
        let epoch = self.current_epoch;
        let mut sealed = self.key(epoch)?.value_key().seal(
            &*self.entropy,
            &wrap_context(context, epoch),
            secret,
        )?;
        let body = sealed.split_off(NONCE_BYTES);
        let nonce = sealed.try_into().map_err(|_| KeyError::KeyDerivation)?;
        Ok(WrappedSecret {
            epoch,
            nonce,
            sealed: body,
        })
    }

    fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedSecret,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
        let key = self.key(wrapped.epoch)?.value_key();
        let sealed = [wrapped.nonce.as_slice(), &wrapped.sealed].concat();
        Ok(key.open(&wrap_context(context, wrapped.epoch), &sealed))
    }
}

impl fmt::Debug for FileKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileKek")
            .field("current_epoch", &self.current_epoch)
            .finish_non_exhaustive()
    }
}

/// `kek.json`. Its bytes are RFC 8785 canonical JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct KekFile {
    schema: String,
    archive: ArchiveId,
    derivation: Derivation,
    cipher: String,
    current_epoch: u32,
    keys: Vec<SealedKek>,
    /// SHA-256 over the canonical JSON with this member empty. It tells damage from a wrong passphrase; it guards against
    /// nothing else, and covers nothing secret.
    checksum: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Derivation {
    algorithm: String,
    version: u32,
    parameters: KdfParameters,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SealedKek {
    epoch: u32,
    /// Nonce ‖ ciphertext ‖ tag.
    sealed: String,
}

impl KekFile {
    fn encode(mut self) -> Option<Vec<u8>> {
        self.checksum.clear();
        self.checksum = hex::encode(Sha256::digest(self.canonical()?));
        self.canonical()
    }

    fn canonical(&self) -> Option<Vec<u8>> {
        serde_json_canonicalizer::to_vec(self).ok()
    }

    fn read(path: &Path) -> Result<Self, KeyError> {
        let path_buf = || PathBuf::from(path);
        let medium = path.parent().unwrap_or(path);
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(KeyError::io(path, "read", error));
            }
            Err(_) if medium.join("ledger").exists() => {
                return Err(KeyError::Damaged {
                    path: path_buf(),
                    part: "the file is missing",
                });
            }
            Err(_) => {
                return Err(KeyError::MediumMissing {
                    path: medium.to_path_buf(),
                });
            }
        };
        let file = Self::parse(&bytes).ok_or_else(|| KeyError::Damaged {
            path: path_buf(),
            part: "checksum",
        })?;
        if file.schema != SCHEMA
            || file.cipher != CIPHER
            || file.derivation.algorithm != ALGORITHM
            || file.derivation.version != u32::from(Version::V0x13)
        {
            return Err(KeyError::UnsupportedFormat { path: path_buf() });
        }
        Ok(file)
    }

    /// The file, when its checksum holds and its bytes are the canonical ones, so that no changed bit goes unnoticed.
    fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > FILE_BYTES_MAX {
            return None;
        }
        let mut file: Self = serde_json::from_slice(bytes).ok()?;
        let checksum = std::mem::take(&mut file.checksum);
        if checksum != hex::encode(Sha256::digest(file.canonical()?)) {
            return None;
        }
        file.checksum = checksum;
        (file.canonical()? == bytes).then_some(file)
    }
}

/// The key that seals the key-encryption keys.
fn derive(
    passphrase: &Passphrase,
    parameters: KdfParameters,
    salt: &[u8; SALT_BYTES],
) -> Result<DataKey, KeyError> {
    if parameters.memory_kib > KDF_MEMORY_KIB_MAX || parameters.passes > KDF_PASSES_MAX {
        return Err(KeyError::KeyDerivation);
    }
    let params = Params::new(
        parameters.memory_kib,
        parameters.passes,
        parameters.lanes,
        Some(KEY_BYTES),
    )
    .map_err(|_| KeyError::KeyDerivation)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose(), salt, key.as_mut_slice())
        .map_err(|_| KeyError::KeyDerivation)?;
    Ok(DataKey::from_bytes(&key))
}

fn kek_context(archive: ArchiveId, epoch: u32) -> Vec<u8> {
    [
        b"fumikura kek 1\0".as_slice(),
        archive.as_bytes(),
        &epoch.to_be_bytes(),
    ]
    .concat()
}

fn wrap_context(context: &[u8], epoch: u32) -> Vec<u8> {
    [context, &epoch.to_be_bytes()].concat()
}

fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

const SCHEMA: &str = "urn:fumikura:kek:1";
const ALGORITHM: &str = "Argon2id";
const CIPHER: &str = "AES-256-GCM";
const FIRST_EPOCH: u32 = 1;
/// RFC 9106 §3.1 recommends 16 bytes.
const SALT_BYTES: usize = 16;
/// A few epochs fit many times.
const FILE_BYTES_MAX: usize = 1024 * 1024;
/// RFC 9106 §4, first recommended choice: a changed file must not be able to ask for more.
const KDF_MEMORY_KIB_MAX: u32 = 2 * 1024 * 1024;
/// Keeps a changed file from holding the program for hours.
const KDF_PASSES_MAX: u32 = 64;

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "a test writes into a directory of its own"
)]
mod tests;
