//! The key-encryption keys in a file of the key medium, sealed under a passphrase or under a key that custodians share.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use firmware::entropy::Entropy;
use formats::id::ArchiveId;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::custodians::{Ceremony, Held, ShareKind};
use super::{
    KekProvider, ProviderDescription, ProviderFile, ProviderKind, UnlockWith, WrappedSecret,
    wrap_context,
};
use crate::keys::error::KeyError;
use crate::keys::passphrase::Passphrase;
use crate::keys::secret::{DataKey, KEY_BYTES, NONCE_BYTES};

mod format;

use format::{ALGORITHM, Derivation, KekFile, SALT_BYTES, SealedKek, Sealing, derive, latest};
pub(super) use format::{
    CIPHER, CUSTODIANS, FILE_BYTES_MAX, FIRST_EPOCH, SCHEMA_PROVIDER, is_zero,
};
pub(in crate::keys) use format::{EARLIER_MAX, sealing_name};
pub(in crate::keys) use format::{SealedBy, sealed_by};

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

/// Key-encryption keys that were opened with a passphrase or with shares.
pub struct FileKek {
    archive: ArchiveId,
    place: ProviderFile,
    opened: RwLock<Opened>,
    entropy: Arc<dyn Entropy>,
}

/// A file and the keys in it.
struct Opened {
    file: KekFile,
    /// Seals the key-encryption keys in the file: what the passphrase, or the shares, became.
    lock: DataKey,
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
        let (sealing, lock) = passphrase_sealing(passphrase, parameters, &*entropy)?;
        let mut opened = Opened {
            file: KekFile::new(archive, sealing),
            lock,
            keys: BTreeMap::new(),
        };
        opened.add(FIRST_EPOCH, &*entropy)?;
        Ok(Self {
            archive,
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
    /// [`KeyError::Damaged`], [`KeyError::UnsupportedFormat`]. [`KeyError::OtherArchive`] before anything is tried; when the file
    /// is whole: [`KeyError::WrongPassphrase`], [`KeyError::Share`], [`KeyError::HeldKeyStale`].
    pub fn open<'a>(
        place: ProviderFile,
        archive: ArchiveId,
        unlock: impl Into<UnlockWith<'a>>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        let unlock = unlock.into();
        let (path, file) = latest(&place, archive)?;
        let lock = file.lock(&path, unlock)?;
        let opened = Opened::new(file, lock, &path, || KekFile::refusal(unlock))?;
        Ok(Self {
            archive,
            place,
            opened: RwLock::new(opened),
            entropy,
        })
    }

    /// The ceremony whose shares open the file at `place`; `None` where a passphrase does. Nothing secret is needed for it.
    ///
    /// # Errors
    /// As [`FileKek::open`], but for the secret.
    pub fn ceremony(
        place: &ProviderFile,
        archive: ArchiveId,
    ) -> Result<Option<Ceremony>, KeyError> {
        Ok(latest(place, archive)?.1.custodians)
    }

    /// Seals the same keys under a new passphrase, with fresh salt, on every key medium. What opened the file before opens it
    /// no more.
    ///
    /// # Errors
    /// [`KeyError::KeyDerivation`] when `parameters` are not acceptable; [`KeyError::Entropy`]; as [`ProviderFile::replace`].
    pub fn seal_under_passphrase(
        &self,
        passphrase: &Passphrase,
        parameters: KdfParameters,
    ) -> Result<(), KeyError> {
        let (sealing, lock) = passphrase_sealing(passphrase, parameters, &*self.entropy)?;
        self.reseal(sealing, lock)
    }

    /// Seals the same keys under the key of a ceremony, on every key medium. What opened the file before, shares included, opens
    /// it no more.
    ///
    /// # Errors
    /// [`KeyError::Entropy`]; as [`ProviderFile::replace`].
    pub fn seal_under_custodians(&self, held: &Held) -> Result<(), KeyError> {
        held.require(ShareKind::Keys)?;
        let lock = DataKey::from_bytes(held.lock.expose());
        self.reseal(Sealing::Custodians(held.ceremony.clone()), lock)
    }

    /// The key that seals the file: to be held in memory for other processes of the same user, and nothing else.
    #[must_use]
    pub fn lock_to_hold(&self) -> DataKey {
        DataKey::from_bytes(self.opened().lock.expose())
    }

    /// The derivation's parameters, where a passphrase seals the file.
    #[must_use]
    pub fn parameters(&self) -> Option<KdfParameters> {
        self.opened().file.derivation.as_ref().map(|d| d.parameters)
    }

    fn reseal(&self, sealing: Sealing, lock: DataKey) -> Result<(), KeyError> {
        self.change(|opened, entropy| {
            opened.file.set_sealing(sealing);
            opened.lock = lock;
            opened.seal_all(entropy)
        })
    }

    /// Whether another process has replaced the file since, under the same sealing: takes it over.
    fn reload(&self) -> Result<bool, KeyError> {
        let (path, file) = latest(&self.place, self.archive)?;
        let newer = {
            let opened = self.opened();
            if file.sequence <= opened.file.sequence || !file.is_sealed_like(&opened.file) {
                return Ok(false);
            }
            let lock = DataKey::from_bytes(opened.lock.expose());
            Opened::new(file, lock, &path, || KeyError::HeldKeyStale)?
        };
        *self.opened_mut() = newer;
        Ok(true)
    }

    /// Changes the file and makes it durable; memory follows only then.
    fn change(
        &self,
        act: impl FnOnce(&mut Opened, &dyn Entropy) -> Result<(), KeyError>,
    ) -> Result<(), KeyError> {
        let mut opened = self.opened_mut();
        let (path, file) = match latest(&self.place, self.archive) {
            Ok((path, file)) if file.sequence > opened.file.sequence => (path, file),
            Ok(_) | Err(_) => (KEK_FILE.into(), opened.file.clone()),
        };
        if !file.is_sealed_like(&opened.file) {
            return Err(KeyError::HeldKeyStale);
        }
        let lock = DataKey::from_bytes(opened.lock.expose());
        let mut next = Opened::new(file, lock, &path, || KeyError::HeldKeyStale)?;
        act(&mut next, &*self.entropy)?;
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
    fn new(
        file: KekFile,
        lock: DataKey,
        path: &Path,
        refusal: impl Fn() -> KeyError,
    ) -> Result<Self, KeyError> {
        let mut keys = BTreeMap::new();
        let value_key = lock.value_key();
        for key in &file.keys {
            let sealed = hex::decode(&key.sealed).map_err(|_| damaged(path, "sealed key"))?;
            let opened = value_key
                .open(&kek_context(file.archive, key.epoch), &sealed)
                .ok_or_else(&refusal)?;
            let opened: &[u8; KEY_BYTES] = opened
                .as_slice()
                .try_into()
                .map_err(|_| damaged(path, "sealed key"))?;
            keys.insert(key.epoch, DataKey::from_bytes(opened));
        }
        if !keys.contains_key(&file.current_epoch) {
            return Err(damaged(path, "current epoch"));
        }
        Ok(Self { file, lock, keys })
    }

    fn add(&mut self, epoch: u32, entropy: &dyn Entropy) -> Result<(), KeyError> {
        let kek = DataKey::generate(entropy)?;
        let sealed = self.sealed(epoch, &kek, entropy)?;
        self.file.keys.push(sealed);
        self.file.current_epoch = epoch;
        self.keys.insert(epoch, kek);
        Ok(())
    }

    fn seal_all(&mut self, entropy: &dyn Entropy) -> Result<(), KeyError> {
        let seal = |(epoch, kek): (&u32, &DataKey)| self.sealed(*epoch, kek, entropy);
        self.file.keys = self.keys.iter().map(seal).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn sealed(
        &self,
        epoch: u32,
        kek: &DataKey,
        entropy: &dyn Entropy,
    ) -> Result<SealedKek, KeyError> {
        let context = kek_context(self.file.archive, epoch);
        let sealed = self
            .lock
            .value_key()
            .seal(entropy, &context, kek.expose())?;
        Ok(SealedKek {
            epoch,
            sealed: hex::encode(sealed),
        })
    }
}

fn passphrase_sealing(
    passphrase: &Passphrase,
    parameters: KdfParameters,
    entropy: &dyn Entropy,
) -> Result<(Sealing, DataKey), KeyError> {
    let mut salt = [0; SALT_BYTES];
    entropy.fill(&mut salt)?;
    let lock = derive(passphrase, parameters, &salt)?;
    Ok((Sealing::Passphrase(Derivation::new(parameters, salt)), lock))
}

fn damaged(path: &Path, part: &'static str) -> KeyError {
    KeyError::Damaged {
        path: path.to_path_buf(),
        part,
    }
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
        self.change(|opened, entropy| {
            let last = opened.keys.keys().next_back().copied();
            let epoch = last.unwrap_or_default().max(opened.file.current_epoch);
            opened.add(epoch + 1, entropy)
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
        self.change(|opened, _| {
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
        let (kind, protection) = match (&opened.file.derivation, &opened.file.custodians) {
            (Some(derivation), _) => {
                let KdfParameters {
                    memory_kib,
                    passes,
                    lanes,
                } = derivation.parameters;
                let protection = format!(
                    "{CIPHER} under {ALGORITHM} of a passphrase (memory {memory_kib} KiB, {passes} passes, {lanes} lanes)"
                );
                (ProviderKind::SealedFile, protection)
            }
            (None, ceremony) => (
                ProviderKind::Custodians,
                ceremony.as_ref().map_or_else(String::new, |ceremony| {
                    format!("{CIPHER} under a key that custodians share: {ceremony}")
                }),
            ),
        };
        ProviderDescription {
            kind,
            places: self
                .place
                .paths()
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            protection,
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

fn kek_context(archive: ArchiveId, epoch: u32) -> Vec<u8> {
    [
        b"fumikura kek 1\0".as_slice(),
        archive.as_bytes(),
        &epoch.to_be_bytes(),
    ]
    .concat()
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "a test writes into a directory of its own"
)]
mod tests;

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "a test writes into a directory of its own"
)]
mod resealing_tests;
