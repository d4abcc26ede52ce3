//! Write-only intake: a host that takes records in and cannot read what it took in.
//!
//! Its key medium holds the archive's public key. Each time that it takes something in it makes a key-encryption key, seals it to the public key
//! (HPKE) into `kek.json`, durably, and wraps data keys under it as ever. When the process ends the key is gone from the host: only the archive
//! opens it again, and takes the data keys over into its own ledger. So a host that is stolen, or broken into later, gives nothing away; one that is
//! broken into while it takes something in gives away what it takes in from then on until it ends.

mod file;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use firmware::entropy::Entropy;
use formats::id::ArchiveId;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::hpke;
use super::key_file::KeyFile;
use super::{
    KekProvider, ProviderDescription, ProviderFile, ProviderKind, WrappedSecret, wrap_context,
};
use crate::keys::error::KeyError;
use crate::keys::secret::{DataKey, KEY_BYTES, NONCE_BYTES};
use file::{IntakeFile, IntakeKey};

/// The archive's public key for intake hosts. It follows from the archive's catalog key, so nothing has to be kept for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakePublicKey(Vec<u8>);

/// The write-only key-encryption keys of an intake host.
pub struct IntakeKek {
    place: ProviderFile,
    entropy: Arc<dyn Entropy>,
    host_key: DataKey,
    state: Mutex<State>,
}

struct State {
    file: IntakeFile,
    /// The key of this process; made when the first data key is wrapped.
    session: Option<(u32, DataKey)>,
    /// The medium is being made: what is wrapped is the host's own.
    is_new: bool,
}

/// What an intake host sealed, opened by the archive.
pub struct OpenedIntake {
    keys: BTreeMap<u32, DataKey>,
    refused: Vec<u32>,
    is_whole: bool,
    foreign_key: Option<String>,
}

impl IntakePublicKey {
    /// That of the archive with this catalog key.
    #[must_use]
    pub fn of(catalog_key: &DataKey) -> Self {
        Self(hpke::derive(&intake_secret(catalog_key)).1)
    }

    /// SHA-256 of the key as it stands on an intake host's medium, hexadecimal: by it people and events name the key.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(&self.0))
    }
}

impl IntakeKek {
    /// Makes the provider of a new intake host. Nothing is written: see [`KekProvider::file`].
    ///
    /// # Errors
    /// [`KeyError::Entropy`].
    pub fn create(
        place: ProviderFile,
        archive: ArchiveId,
        public: &IntakePublicKey,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        let host_key = DataKey::generate(&*entropy)?;
        let file = IntakeFile::new(archive, &public.0, host_key.expose());
        Ok(Self::of(place, file, host_key, true, entropy))
    }

    /// Opens the provider of an intake host. Nothing secret is needed: there is nothing that it could read.
    ///
    /// # Errors
    /// [`KeyError::Damaged`], [`KeyError::UnsupportedFormat`], [`KeyError::OtherArchive`].
    pub fn open(
        place: ProviderFile,
        archive: ArchiveId,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        let path = || place.paths().first().cloned().unwrap_or_default();
        let file = IntakeFile::latest(&place, archive)?
            .ok_or_else(|| KeyError::UnsupportedFormat { path: path() })?;
        let mut host_key = Zeroizing::new([0; KEY_BYTES]);
        hex::decode_to_slice(&file.host_key, host_key.as_mut_slice()).map_err(|_| {
            KeyError::Damaged {
                path: path(),
                part: "host key",
            }
        })?;
        let host_key = DataKey::from_bytes(&host_key);
        Ok(Self::of(place, file, host_key, false, entropy))
    }

    fn of(
        place: ProviderFile,
        file: IntakeFile,
        host_key: DataKey,
        is_new: bool,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            place,
            entropy,
            host_key,
            state: Mutex::new(State {
                file,
                session: None,
                is_new,
            }),
        }
    }

    /// Makes the key of this process, durably sealed to the archive before anything is wrapped under it.
    fn begin(&self, state: &mut State) -> Result<(), KeyError> {
        let key = DataKey::generate(&*self.entropy)?;
        let mut next = state.file.clone();
        let epoch = next.current_epoch + 1;
        let public = hex::decode(&next.public_key).unwrap_or_default();
        let sealed = hpke::seal(
            &public,
            &info(next.archive),
            &epoch.to_be_bytes(),
            &key,
            &*self.entropy,
        )?;
        let sealed = sealed.ok_or_else(|| KeyError::Damaged {
            path: self.place.paths().first().cloned().unwrap_or_default(),
            part: "public key",
        })?;
        next.keys.push(IntakeKey {
            epoch,
            sealed: hex::encode(sealed),
        });
        next.current_epoch = epoch;
        next.sequence += 1;
        self.place.replace(&next.encode()?)?;
        state.file = next;
        state.session = Some((epoch, key));
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KekProvider for IntakeKek {
    fn current_epoch(&self) -> u32 {
        self.state().file.current_epoch
    }

    fn wrap(&self, context: &[u8], secret: &[u8]) -> Result<WrappedSecret, KeyError> {
        let mut state = self.state();
        if state.is_new {
            return wrap(&self.host_key, HOST_EPOCH, context, secret, &*self.entropy);
        }
        if state.session.is_none() {
            self.begin(&mut state)?;
        }
        let (epoch, key) = state.session.as_ref().ok_or(KeyError::WriteOnly)?;
        wrap(key, *epoch, context, secret, &*self.entropy)
    }

    fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedSecret,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
        let state = self.state();
        match &state.session {
            _ if wrapped.epoch == HOST_EPOCH => Ok(unwrap(&self.host_key, context, wrapped)),
            Some((epoch, key)) if *epoch == wrapped.epoch => Ok(unwrap(key, context, wrapped)),
            Some(_) | None => Err(KeyError::WriteOnly),
        }
    }

    fn epochs(&self) -> Vec<u32> {
        let session = self.state().session.as_ref().map(|(epoch, _)| *epoch);
        [HOST_EPOCH].into_iter().chain(session).collect()
    }

    fn new_epoch(&self) -> Result<u32, KeyError> {
        Err(KeyError::WriteOnly)
    }

    fn destroy_epoch(&self, _epoch: u32) -> Result<(), KeyError> {
        Err(KeyError::WriteOnly)
    }

    fn file(&self) -> Result<Vec<u8>, KeyError> {
        self.state().file.encode()
    }

    fn describe(&self) -> ProviderDescription {
        ProviderDescription {
            kind: ProviderKind::Intake,
            places: self
                .place
                .paths()
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            protection: format!("sealed to the archive's public key ({})", hpke::SUITE),
            epochs: self.epochs(),
            current_epoch: self.current_epoch(),
        }
    }
}

impl OpenedIntake {
    /// Opens what the intake host whose file stands at `place` sealed to the archive with this catalog key. Each key is judged by itself: one
    /// that does not open keeps no other from opening, nor does a file of which a part is damaged.
    ///
    /// # Errors
    /// [`KeyError::NotAnIntake`] when it is no intake host's medium, [`KeyError::OtherArchive`]; [`KeyError::Damaged`] when nothing of it can be
    /// read any more.
    pub fn open(
        place: &ProviderFile,
        archive: ArchiveId,
        catalog_key: &DataKey,
    ) -> Result<Self, KeyError> {
        let (private, public) = hpke::derive(&intake_secret(catalog_key));
        let public = IntakePublicKey(public);
        let found = file::read(place, archive)?;
        let mut opened = Self {
            keys: BTreeMap::new(),
            refused: Vec::new(),
            is_whole: found.is_whole,
            foreign_key: found
                .public_key
                .map(IntakePublicKey)
                .filter(|key| *key != public)
                .map(|key| key.digest()),
        };
        for key in &found.keys {
            let sealed = hex::decode(&key.sealed).unwrap_or_default();
            match hpke::open(&private, &info(archive), &key.epoch.to_be_bytes(), &sealed) {
                Some(one) => drop(opened.keys.insert(key.epoch, one)),
                None => opened.refused.push(key.epoch),
            }
        }
        Ok(opened)
    }

    /// The runs whose key does not open: it was changed, or sealed to somebody else's public key.
    #[must_use]
    pub fn refused(&self) -> &[u32] {
        &self.refused
    }

    /// Whether the file is as the host left it.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// SHA-256 of the public key on the medium, where it is not the archive's: what was taken in under it opens for somebody else.
    #[must_use]
    pub fn foreign_key(&self) -> Option<&str> {
        self.foreign_key.as_deref()
    }
}

impl KekProvider for OpenedIntake {
    fn current_epoch(&self) -> u32 {
        self.keys.keys().next_back().copied().unwrap_or_default()
    }

    fn wrap(&self, _context: &[u8], _secret: &[u8]) -> Result<WrappedSecret, KeyError> {
        Err(KeyError::ReadOnly)
    }

    fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedSecret,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
        let epoch = wrapped.epoch;
        let key = self
            .keys
            .get(&epoch)
            .ok_or(KeyError::UnknownEpoch { epoch })?;
        Ok(unwrap(key, context, wrapped))
    }

    fn epochs(&self) -> Vec<u32> {
        self.keys.keys().copied().collect()
    }

    fn new_epoch(&self) -> Result<u32, KeyError> {
        Err(KeyError::ReadOnly)
    }

    fn destroy_epoch(&self, _epoch: u32) -> Result<(), KeyError> {
        Err(KeyError::ReadOnly)
    }

    fn file(&self) -> Result<Vec<u8>, KeyError> {
        Err(KeyError::ReadOnly)
    }

    fn describe(&self) -> ProviderDescription {
        ProviderDescription {
            kind: ProviderKind::Intake,
            places: Vec::new(),
            protection: hpke::SUITE.to_owned(),
            epochs: self.epochs(),
            current_epoch: self.current_epoch(),
        }
    }
}

impl fmt::Debug for IntakeKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntakeKek").finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenedIntake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedIntake")
            .field("epochs", &self.epochs())
            .finish_non_exhaustive()
    }
}

/// Whether the file at `place` is that of an intake host.
pub(super) fn is_named(place: &ProviderFile, archive: ArchiveId) -> Result<bool, KeyError> {
    Ok(IntakeFile::latest(place, archive)?.is_some())
}

/// What binds a sealed key to the intake of an archive.
fn info(archive: ArchiveId) -> Vec<u8> {
    [b"fumikura intake 1\0".as_slice(), archive.as_bytes()].concat()
}

fn intake_secret(catalog_key: &DataKey) -> DataKey {
    catalog_key.subkey("intake")
}

fn wrap(
    key: &DataKey,
    epoch: u32,
    context: &[u8],
    secret: &[u8],
    entropy: &dyn Entropy,
) -> Result<WrappedSecret, KeyError> {
    let mut sealed = key
        .value_key()
        .seal(entropy, &wrap_context(context, epoch), secret)?;
    let body = sealed.split_off(NONCE_BYTES);
    let nonce = sealed.try_into().map_err(|_| KeyError::KeyDerivation)?;
    Ok(WrappedSecret {
        epoch,
        nonce,
        sealed: body,
    })
}

fn unwrap(key: &DataKey, context: &[u8], wrapped: &WrappedSecret) -> Option<Zeroizing<Vec<u8>>> {
    let sealed = [wrapped.nonce.as_slice(), &wrapped.sealed].concat();
    key.value_key()
        .open(&wrap_context(context, wrapped.epoch), &sealed)
}

/// The epoch of what is the host's own: its key stands in the clear on its medium.
const HOST_EPOCH: u32 = 0;

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "a test writes into a directory of its own"
)]
mod tests;
