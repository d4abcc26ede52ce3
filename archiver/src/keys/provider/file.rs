//! The key-encryption keys in a file of the key medium, sealed under a passphrase.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use argon2::{Algorithm, Argon2, Params, Version};
use firmware::entropy::Entropy;
use formats::id::ArchiveId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{KekProvider, ProviderDescription, ProviderFile, ProviderKind, WrappedSecret};
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
    archive: ArchiveId,
    /// Seals the key-encryption keys in the file: what the passphrase became.
    lock: DataKey,
    place: ProviderFile,
    opened: RwLock<Opened>,
    entropy: Arc<dyn Entropy>,
}

/// A file and the keys in it.
struct Opened {
    file: KekFile,
    keys: BTreeMap<u32, DataKey>,
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
    /// Makes the key-encryption key of epoch 1. Nothing is written before [`FileKek::write`].
    ///
    /// # Errors
    /// [`KeyError::Entropy`]; [`KeyError::KeyDerivation`] when `parameters` are not acceptable.
    pub fn create(
        place: ProviderFile,
        archive: ArchiveId,
        passphrase: &Passphrase,
        parameters: KdfParameters,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        let mut salt = [0; SALT_BYTES];
        entropy.fill(&mut salt)?;
        let lock = derive(passphrase, parameters, &salt)?;
        let file = KekFile {
            schema: SCHEMA.to_owned(),
            archive,
            sequence: 0,
            derivation: Derivation {
                algorithm: ALGORITHM.to_owned(),
                version: u32::from(Version::V0x13),
                parameters,
                salt: hex::encode(salt),
            },
            cipher: CIPHER.to_owned(),
            current_epoch: FIRST_EPOCH,
            keys: Vec::new(),
            checksum: String::new(),
        };
        let mut opened = Opened {
            file,
            keys: BTreeMap::new(),
        };
        opened.add(FIRST_EPOCH, &lock, &*entropy)?;
        Ok(Self {
            archive,
            lock,
            place,
            opened: RwLock::new(opened),
            entropy,
        })
    }

    /// Writes the file on each key medium, in place of what stands there.
    ///
    /// # Errors
    /// As [`ProviderFile::replace`].
    pub fn write(&self) -> Result<(), KeyError> {
        self.place.replace(&self.file()?)
    }

    /// Opens the key-encryption keys. Of several whole files that of the highest sequence number counts.
    ///
    /// # Errors
    /// Where no key medium holds a whole file, the error of the first: [`KeyError::MediumMissing`] when there is no such file;
    /// [`KeyError::Damaged`], [`KeyError::UnsupportedFormat`]. [`KeyError::OtherArchive`] before the passphrase is tried;
    /// [`KeyError::WrongPassphrase`] when the file is whole.
    pub fn open(
        place: ProviderFile,
        archive: ArchiveId,
        passphrase: &Passphrase,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        let (path, file) = latest(&place, archive)?;
        let salt = fixed::<SALT_BYTES>(&file.derivation.salt);
        let salt = salt.ok_or_else(|| damaged(&path, "salt"))?;
        let lock = derive(passphrase, file.derivation.parameters, &salt)?;
        let opened = Opened::new(file, &lock, &path)?;
        Ok(Self {
            archive,
            lock,
            place,
            opened: RwLock::new(opened),
            entropy,
        })
    }

    /// Whether another process has replaced the file since, under the same passphrase: takes it over.
    fn reload(&self) -> Result<bool, KeyError> {
        let (path, file) = latest(&self.place, self.archive)?;
        {
            let opened = self.opened();
            if file.sequence <= opened.file.sequence
                || file.derivation.salt != opened.file.derivation.salt
            {
                return Ok(false);
            }
        }
        let newer = Opened::new(file, &self.lock, &path)?;
        *self.opened_mut() = newer;
        Ok(true)
    }

    /// Changes the file and makes it durable; memory follows only then.
    fn change(
        &self,
        act: impl FnOnce(&mut Opened, &DataKey, &dyn Entropy) -> Result<(), KeyError>,
    ) -> Result<(), KeyError> {
        let mut opened = self.opened_mut();
        let mut next = Opened::new(opened.file.clone(), &self.lock, KEK_FILE.as_ref())?;
        act(&mut next, &self.lock, &*self.entropy)?;
        next.file.sequence += 1;
        self.place.replace(&next.file.clone().encode()?)?;
        *opened = next;
        Ok(())
    }

    fn opened(&self) -> RwLockReadGuard<'_, Opened> {
        self.opened.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened_mut(&self) -> RwLockWriteGuard<'_, Opened> {
        self.opened.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opened {
    fn new(file: KekFile, lock: &DataKey, path: &Path) -> Result<Self, KeyError> {
        let lock = lock.value_key();
        let mut keys = BTreeMap::new();
        for key in &file.keys {
            let sealed = hex::decode(&key.sealed).map_err(|_| damaged(path, "sealed key"))?;
            let opened = lock
                .open(&kek_context(file.archive, key.epoch), &sealed)
                .ok_or(KeyError::WrongPassphrase)?;
            let opened: &[u8; KEY_BYTES] = opened
                .as_slice()
                .try_into()
                .map_err(|_| damaged(path, "sealed key"))?;
            keys.insert(key.epoch, DataKey::from_bytes(opened));
        }
        if !keys.contains_key(&file.current_epoch) {
            return Err(damaged(path, "current epoch"));
        }
        Ok(Self { file, keys })
    }

    fn add(&mut self, epoch: u32, lock: &DataKey, entropy: &dyn Entropy) -> Result<(), KeyError> {
        let kek = DataKey::generate(entropy)?;
        let context = kek_context(self.file.archive, epoch);
        let sealed = lock.value_key().seal(entropy, &context, kek.expose())?;
        self.file.keys.push(SealedKek {
            epoch,
            sealed: hex::encode(sealed),
        });
        self.file.current_epoch = epoch;
        self.keys.insert(epoch, kek);
        Ok(())
    }
}

fn damaged(path: &Path, part: &'static str) -> KeyError {
    KeyError::Damaged {
        path: path.to_path_buf(),
        part,
    }
}

/// The latest whole file, and where it stands.
fn latest(place: &ProviderFile, archive: ArchiveId) -> Result<(PathBuf, KekFile), KeyError> {
    let mut latest: Option<(PathBuf, KekFile)> = None;
    let mut first_error = None;
    for (path, bytes) in place.read() {
        match bytes.and_then(|bytes| KekFile::read(path, &bytes)) {
            Ok(file) if file.archive != archive => {
                return Err(KeyError::OtherArchive {
                    path: path.to_path_buf(),
                    expected: archive,
                    found: file.archive,
                });
            }
            Ok(file) => {
                if latest
                    .as_ref()
                    .is_none_or(|(_, other)| file.sequence > other.sequence)
                {
                    latest = Some((path.to_path_buf(), file));
                }
            }
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    let missing = KeyError::MediumMissing {
        path: PathBuf::new(),
    };
    latest.ok_or_else(|| first_error.unwrap_or(missing))
}

impl KekProvider for FileKek {
    fn current_epoch(&self) -> u32 {
        self.opened().file.current_epoch
    }

    fn wrap(&self, context: &[u8], secret: &[u8]) -> Result<WrappedSecret, KeyError> {
        let opened = self.opened();
        let epoch = opened.file.current_epoch;
        let key = opened
            .keys
            .get(&epoch)
            .ok_or(KeyError::UnknownEpoch { epoch })?;
        let context = wrap_context(context, epoch);
        let mut sealed = key.value_key().seal(&*self.entropy, &context, secret)?;
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
        let epoch = wrapped.epoch;
        let key = || {
            let opened = self.opened();
            opened.keys.get(&epoch).map(DataKey::value_key)
        };
        let mut found = key();
        // A file that cannot be read any more says nothing about the epoch.
        if found.is_none() && self.reload().unwrap_or(false) {
            found = key();
        }
        let key = found.ok_or(KeyError::UnknownEpoch { epoch })?;
        let sealed = [wrapped.nonce.as_slice(), &wrapped.sealed].concat();
        Ok(key.open(&wrap_context(context, epoch), &sealed))
    }

    fn epochs(&self) -> Vec<u32> {
        self.opened().keys.keys().copied().collect()
    }

    fn new_epoch(&self) -> Result<u32, KeyError> {
        self.change(|opened, lock, entropy| {
            let last = opened.keys.keys().next_back().copied();
            let epoch = last.unwrap_or_default().max(opened.file.current_epoch);
            opened.add(epoch + 1, lock, entropy)
        })?;
        Ok(self.current_epoch())
    }

    fn destroy_epoch(&self, epoch: u32) -> Result<(), KeyError> {
        if epoch == self.current_epoch() {
            return Err(KeyError::EpochInUse { epoch });
        }
        if !self.epochs().contains(&epoch) {
            return Ok(());
        }
        self.change(|opened, _, _| {
            opened.keys.remove(&epoch);
            opened.file.keys.retain(|key| key.epoch != epoch);
            Ok(())
        })
    }

    fn file(&self) -> Result<Vec<u8>, KeyError> {
        self.opened().file.clone().encode()
    }

    fn describe(&self) -> ProviderDescription {
        let opened = self.opened();
        let KdfParameters {
            memory_kib,
            passes,
            lanes,
        } = opened.file.derivation.parameters;
        ProviderDescription {
            kind: ProviderKind::SealedFile,
            places: self
                .place
                .paths()
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            protection: format!(
                "{CIPHER} under {ALGORITHM} of a passphrase (memory {memory_kib} KiB, {passes} passes, {lanes} lanes)"
            ),
            epochs: opened.keys.keys().copied().collect(),
            current_epoch: opened.file.current_epoch,
        }
    }
}

impl fmt::Debug for FileKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileKek")
            .field("current_epoch", &self.current_epoch())
            .finish_non_exhaustive()
    }
}

/// `kek.json`. Its bytes are RFC 8785 canonical JSON.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct KekFile {
    schema: String,
    archive: ArchiveId,
    /// Counts the replacements of the file: of two copies the higher one counts. Absent for 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    sequence: u64,
    derivation: Derivation,
    cipher: String,
    current_epoch: u32,
    keys: Vec<SealedKek>,
    /// SHA-256 over the canonical JSON with this member empty. It tells damage from a wrong passphrase; it guards against
    /// nothing else, and covers nothing secret.
    checksum: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Derivation {
    algorithm: String,
    version: u32,
    parameters: KdfParameters,
    salt: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SealedKek {
    epoch: u32,
    /// Nonce ‖ ciphertext ‖ tag.
    sealed: String,
}

impl KekFile {
    fn encode(mut self) -> Result<Vec<u8>, KeyError> {
        let encoded = |file: &Self| file.canonical().ok_or(KeyError::KeyDerivation);
        self.checksum.clear();
        self.checksum = hex::encode(Sha256::digest(encoded(&self)?));
        encoded(&self)
    }

    fn canonical(&self) -> Option<Vec<u8>> {
        serde_json_canonicalizer::to_vec(self).ok()
    }

    fn read(path: &Path, bytes: &[u8]) -> Result<Self, KeyError> {
        let path_buf = || PathBuf::from(path);
        let file = Self::parse(bytes).ok_or_else(|| KeyError::Damaged {
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

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
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
