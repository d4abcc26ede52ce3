//! Key-encryption keys inside a PKCS#11 token: a smart card, a USB token, a hardware security module.
//!
//! The keys are made in the token and never leave it; it wraps and unwraps with `CKM_AES_GCM`. `kek.json` says which token and
//! which of its keys; it holds no key. A lost session is opened anew once. A wrong PIN is told and never tried again.

mod connection;
mod error;
mod file;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cryptoki::context::{Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::types::RawAuthPin;
use firmware::entropy::Entropy;
use formats::id::ArchiveId;
use zeroize::Zeroizing;

pub use error::TokenError;

use super::file::FIRST_EPOCH;
use super::key_file::KeyFile;
use super::{
    KekProvider, ProviderDescription, ProviderFile, ProviderKind, WrappedSecret, wrap_context,
};
use crate::keys::error::KeyError;
use crate::keys::passphrase::Passphrase;
use crate::keys::secret::NONCE_BYTES;
use connection::{Connection, code, find, is_lost, load, refusal, start};
use file::{KeyName, TokenFile, TokenKey};

/// Which token is to hold the keys of a new archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPlace {
    /// The token's library.
    pub module: PathBuf,
    /// The label of the token.
    pub label: String,
    /// Its serial number; empty: the only token of that label.
    pub serial: String,
}

/// Key-encryption keys in a token, whose PIN was accepted.
pub struct TokenKek {
    archive: ArchiveId,
    place: ProviderFile,
    pin: RawAuthPin,
    entropy: Arc<dyn Entropy>,
    state: Mutex<State>,
}

struct State {
    library: Pkcs11,
    file: TokenFile,
    connection: Option<Connection>,
    /// The token refused the PIN at a reconnection: it is not given again.
    refused: Option<TokenError>,
}

impl TokenKek {
    /// Makes the key-encryption key of epoch 1 in the token. Nothing is written: see [`KekProvider::file`].
    ///
    /// # Errors
    /// [`KeyError::Token`]; [`KeyError::AlreadyCreated`] when the token holds a key of this archive.
    pub fn create(
        place: ProviderFile,
        archive: ArchiveId,
        token: &TokenPlace,
        pin: &Passphrase,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        let library = load(&token.module, &roots(&place))?;
        start(&library, &token.module)?;
        let (_, name) = find(&library, &token.label, &token.serial)?;
        let mut file = TokenFile::new(archive, token.module.clone(), name);
        let pin = raw(pin);
        let mut connection = Connection::open(&library, &file.token, &pin)?;
        let name = KeyName::new(archive, FIRST_EPOCH);
        if connection.find_key(FIRST_EPOCH, &name)? {
            return Err(KeyError::AlreadyCreated {
                path: name.label.into(),
            });
        }
        connection.generate(FIRST_EPOCH, &name)?;
        file.keys.push(TokenKey::new(FIRST_EPOCH, &name));
        file.current_epoch = FIRST_EPOCH;
        Ok(Self::of(place, pin, entropy, library, file, connection))
    }

    /// Opens the token that the file at `place` names.
    ///
    /// # Errors
    /// [`KeyError::Token`]: the library, the token, the PIN or the key of the current epoch is not right.
    pub fn open(
        place: ProviderFile,
        archive: ArchiveId,
        pin: &Passphrase,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        let file = TokenFile::latest(&place, archive)?.ok_or_else(|| unsupported(&place))?;
        let library = load(&file.module, &roots(&place))?;
        start(&library, &file.module)?;
        let pin = raw(pin);
        let connection = connected(&library, &file, &pin)?;
        Ok(Self::of(place, pin, entropy, library, file, connection))
    }

    fn of(
        place: ProviderFile,
        pin: RawAuthPin,
        entropy: Arc<dyn Entropy>,
        library: Pkcs11,
        file: TokenFile,
        connection: Connection,
    ) -> Self {
        Self {
            archive: file.archive,
            place,
            pin,
            entropy,
            state: Mutex::new(State {
                library,
                file,
                connection: Some(connection),
                refused: None,
            }),
        }
    }

    /// Does something with the token; where the session was lost, connects anew, once, and does it again.
    fn with_token<T>(
        &self,
        state: &mut State,
        act: &'static str,
        mut work: impl FnMut(&mut Connection) -> Result<T, Error>,
    ) -> Result<T, KeyError> {
        let first = match state.connection.as_mut() {
            Some(connection) => work(connection),
            None => Err(Error::Pkcs11(RvError::SessionClosed, Function::OpenSession)),
        };
        let error = match first {
            Ok(done) => return Ok(done),
            Err(error) if !is_lost(&error) => return Err(refusal(act, &error).into()),
            Err(error) => error,
        };
        self.reconnect(state, &error)?;
        let Some(connection) = state.connection.as_mut() else {
            return Err(refusal(act, &error).into());
        };
        work(connection).map_err(|error| {
            let label = state.file.token.label.clone();
            if is_lost(&error) {
                let code = code(&error);
                return TokenError::Gone { label, code }.into();
            }
            refusal(act, &error).into()
        })
    }

    /// Makes or destroys keys; where the token refuses, connects anew, once, and does it again.
    fn with_keys<T>(
        &self,
        state: &mut State,
        mut work: impl FnMut(&mut Connection) -> Result<T, TokenError>,
    ) -> Result<T, KeyError> {
        let first = state.connection.as_mut().map(&mut work);
        match first {
            Some(Ok(done)) => return Ok(done),
            Some(Err(TokenError::Refused { .. })) | None => {}
            Some(Err(error)) => return Err(error.into()),
        }
        let lost = Error::Pkcs11(RvError::DeviceError, Function::OpenSession);
        self.reconnect(state, &lost)?;
        let connection = state.connection.as_mut().ok_or(TokenError::PinNeeded)?;
        Ok(work(connection)?)
    }

    /// Drops the session, starts the library anew so that it looks at its slots again, and gives the PIN once.
    fn reconnect(&self, state: &mut State, lost: &Error) -> Result<(), KeyError> {
        if let Some(refused) = &state.refused {
            return Err(refused.clone().into());
        }
        state.connection = None;
        // It may have been ended already; then there is nothing to end.
        drop(state.library.clone().finalize());
        let started = start(&state.library, &state.file.module);
        let connected = started
            .map_err(KeyError::from)
            .and_then(|()| connected(&state.library, &state.file, &self.pin));
        match connected {
            Ok(connection) => {
                state.connection = Some(connection);
                Ok(())
            }
            Err(KeyError::Token(
                error @ (TokenError::WrongPin { .. } | TokenError::PinLocked { .. }),
            )) => {
                state.refused = Some(error.clone());
                Err(error.into())
            }
            // The library worked before: one that does not start any more has lost its token, or its reader.
            Err(KeyError::Token(TokenError::Missing { .. } | TokenError::Module { .. })) => {
                Err(TokenError::Gone {
                    label: state.file.token.label.clone(),
                    code: code(lost),
                }
                .into())
            }
            Err(error) => Err(error),
        }
    }

    /// Whether another process has made or destroyed an epoch since: takes the file over and looks for its keys.
    fn reload(&self, state: &mut State) -> Result<(), KeyError> {
        let Some(file) = TokenFile::latest(&self.place, self.archive)? else {
            return Ok(());
        };
        if file.sequence > state.file.sequence && file.token == state.file.token {
            state.file = file;
            state.connection = Some(connected(&state.library, &state.file, &self.pin)?);
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KekProvider for TokenKek {
    fn current_epoch(&self) -> u32 {
        self.state().file.current_epoch
    }

    fn wrap(&self, context: &[u8], secret: &[u8]) -> Result<WrappedSecret, KeyError> {
        let mut nonce = [0; NONCE_BYTES];
        self.entropy.fill(&mut nonce)?;
        let mut state = self.state();
        let epoch = state.file.current_epoch;
        let context = wrap_context(context, epoch);
        let (nonce, sealed) = self.with_token(&mut state, "wrap a key", |token| {
            token.encrypt(epoch, nonce, &context, secret)
        })?;
        Ok(WrappedSecret {
            epoch,
            nonce,
            sealed,
        })
    }

    fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedSecret,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
        let epoch = wrapped.epoch;
        let mut state = self.state();
        let known = |state: &State| {
            state
                .connection
                .as_ref()
                .is_none_or(|c| c.epochs().contains(&epoch))
        };
        if !known(&state) {
            self.reload(&mut state)?;
        }
        if !known(&state) {
            return Err(KeyError::UnknownEpoch { epoch });
        }
        let context = wrap_context(context, epoch);
        let sample = (self.archive.as_bytes().as_slice(), b"sample".as_slice());
        // No nonce comes twice under a key, not for a sample either.
        let mut fresh = [0; NONCE_BYTES];
        self.entropy.fill(&mut fresh)?;
        self.with_token(&mut state, "unwrap a key", |token| {
            let error = match token.decrypt(epoch, wrapped.nonce, &context, &wrapped.sealed) {
                Ok(opened) => return Ok(Some(opened)),
                Err(error) => error,
            };
            // Libraries differ in what they say of a wrong tag. A token that opens what it has just sealed is well, so the
            // wrapped key is not.
            let well = token
                .encrypt(epoch, fresh, sample.0, sample.1)
                .and_then(|(nonce, sealed)| token.decrypt(epoch, nonce, sample.0, &sealed));
            match well {
                Ok(_) => Ok(None),
                Err(_) => Err(error),
            }
        })
    }

    fn epochs(&self) -> Vec<u32> {
        let state = self.state();
        state
            .connection
            .as_ref()
            .map_or_else(Vec::new, Connection::epochs)
    }

    fn new_epoch(&self) -> Result<u32, KeyError> {
        if !self.place.is_writable() {
            return Err(KeyError::ReadOnly);
        }
        let mut state = self.state();
        self.reload(&mut state)?;
        let last = state.file.keys.iter().map(|key| key.epoch).max();
        let last = last.unwrap_or_default().max(state.file.current_epoch);
        let mut next = state.file.clone();
        let (epoch, name) = self.with_keys(&mut state, |token| {
            let epoch = token.free_epoch(self.archive, last)?;
            let name = KeyName::new(self.archive, epoch);
            token.generate(epoch, &name)?;
            Ok((epoch, name))
        })?;
        next.keys.push(TokenKey::new(epoch, &name));
        next.current_epoch = epoch;
        next.sequence += 1;
        // Where this fails, the file may stand on one of the media already, so the key stays.
        self.place.replace(&next.encode_checked()?)?;
        state.file = next;
        Ok(epoch)
    }

    fn destroy_epoch(&self, epoch: u32) -> Result<(), KeyError> {
        if !self.place.is_writable() {
            return Err(KeyError::ReadOnly);
        }
        let mut state = self.state();
        self.reload(&mut state)?;
        if epoch == state.file.current_epoch {
            return Err(KeyError::EpochInUse { epoch });
        }
        let Some(name) = state.file.key(epoch) else {
            return Ok(());
        };
        // First the key: a file that still names a destroyed key says so, a key that no file names would be forgotten.
        let witness = KeyName::new(self.archive, state.file.current_epoch);
        self.with_keys(&mut state, |token| token.destroy(epoch, &name, &witness))?;
        let mut next = state.file.clone();
        next.keys.retain(|key| key.epoch != epoch);
        next.sequence += 1;
        self.place.replace(&next.encode_checked()?)?;
        state.file = next;
        Ok(())
    }

    fn unnamed_epochs(&self) -> Result<Vec<u32>, KeyError> {
        let mut state = self.state();
        let named: Vec<u32> = state.file.keys.iter().map(|key| key.epoch).collect();
        let current = state.file.current_epoch;
        self.with_keys(&mut state, |token| {
            token.unnamed(self.archive, current, &named)
        })
    }

    fn file(&self) -> Result<Vec<u8>, KeyError> {
        self.state().file.encode_checked()
    }

    fn describe(&self) -> ProviderDescription {
        let state = self.state();
        let TokenFile { token, module, .. } = &state.file;
        ProviderDescription {
            kind: ProviderKind::Token,
            places: vec![format!(
                "token \"{}\", serial number {}, through {}",
                token.label,
                token.serial,
                module.display()
            )],
            protection: "AES-256 keys in a PKCS#11 token, sensitive and not extractable; AES-256-GCM in the token, under its PIN"
                .to_owned(),
            epochs: state.connection.as_ref().map_or_else(Vec::new, Connection::epochs),
            current_epoch: state.file.current_epoch,
        }
    }
}

impl fmt::Debug for TokenKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKek")
            .field("token", &self.state().file.token)
            .finish_non_exhaustive()
    }
}

/// Whether the file at `place` is that of a token.
pub(super) fn is_named(place: &ProviderFile, archive: ArchiveId) -> Result<bool, KeyError> {
    Ok(TokenFile::latest(place, archive)?.is_some())
}

/// A session with every key of the file that the token holds; that of the current epoch must be among them.
fn connected(library: &Pkcs11, file: &TokenFile, pin: &RawAuthPin) -> Result<Connection, KeyError> {
    let mut connection = Connection::open(library, &file.token, pin)?;
    for key in &file.keys {
        let name = key.name();
        let found = connection.find_key(key.epoch, &name)?;
        if !found && key.epoch == file.current_epoch {
            return Err(TokenError::KeyMissing {
                token: file.token.label.clone(),
                key: name.label,
            }
            .into());
        }
    }
    Ok(connection)
}

fn roots(place: &ProviderFile) -> Vec<&Path> {
    place
        .paths()
        .iter()
        .filter_map(|path| path.parent())
        .collect()
}

fn unsupported(place: &ProviderFile) -> KeyError {
    KeyError::UnsupportedFormat {
        path: place.paths().first().cloned().unwrap_or_default(),
    }
}

fn raw(pin: &Passphrase) -> RawAuthPin {
    RawAuthPin::new(Box::new(pin.expose().to_vec()))
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "a test writes into a directory of its own"
)]
mod tests;
