//! What somebody opens a key medium with.

use std::sync::Arc;

use firmware::entropy::Entropy;
use formats::id::ArchiveId;

use super::custodians::{Ceremony, Share};
use super::file::FileKek;
use super::intake::{self, IntakeKek};
use super::key_file::require_one_provider;
use super::token::{self, TokenError, TokenKek};
use super::{KekProvider, ProviderFile, ProviderKind};
use crate::keys::error::KeyError;
use crate::keys::passphrase::Passphrase;
use crate::keys::secret::DataKey;

/// What opens a key medium. Zeroised when it is dropped.
#[derive(Debug)]
pub enum Unlock {
    /// The passphrase of the sealed file, or the PIN of a token.
    Passphrase(Passphrase),
    /// Shares of custodians.
    Shares(Vec<Share>),
    /// The key that seals the file, as `keys unlock --hold` holds it.
    Lock(DataKey),
    /// Nothing: an intake host's key medium has nothing to open.
    Nothing,
}

/// The same, borrowed.
#[derive(Debug, Clone, Copy)]
pub enum UnlockWith<'a> {
    /// The passphrase of the sealed file, or the PIN of a token.
    Passphrase(&'a Passphrase),
    /// Shares of custodians.
    Shares(&'a [Share]),
    /// The key that seals the file, as `keys unlock --hold` holds it.
    Lock(&'a DataKey),
    /// Nothing: an intake host's key medium has nothing to open.
    Nothing,
}

impl<'a> From<&'a Passphrase> for UnlockWith<'a> {
    fn from(passphrase: &'a Passphrase) -> Self {
        Self::Passphrase(passphrase)
    }
}

impl<'a> From<&'a Unlock> for UnlockWith<'a> {
    fn from(unlock: &'a Unlock) -> Self {
        match unlock {
            Unlock::Passphrase(passphrase) => Self::Passphrase(passphrase),
            Unlock::Shares(shares) => Self::Shares(shares),
            Unlock::Lock(lock) => Self::Lock(lock),
            Unlock::Nothing => Self::Nothing,
        }
    }
}

/// What holds the key-encryption keys of the key medium at `place`. Nothing secret is needed for it.
///
/// # Errors
/// As [`FileKek::ceremony`].
pub fn kind(place: &ProviderFile, archive: ArchiveId) -> Result<ProviderKind, KeyError> {
    require_one_provider(place)?;
    if token::is_named(place, archive)? {
        return Ok(ProviderKind::Token);
    }
    if intake::is_named(place, archive)? {
        return Ok(ProviderKind::Intake);
    }
    Ok(match FileKek::ceremony(place, archive)? {
        Some(_) => ProviderKind::Custodians,
        None => ProviderKind::SealedFile,
    })
}

/// The ceremony whose shares open the key medium at `place`; `None` where something else does. Nothing secret is needed for it.
///
/// # Errors
/// As [`FileKek::ceremony`].
pub fn ceremony(place: &ProviderFile, archive: ArchiveId) -> Result<Option<Ceremony>, KeyError> {
    if token::is_named(place, archive)? || intake::is_named(place, archive)? {
        return Ok(None);
    }
    FileKek::ceremony(place, archive)
}

/// Opens the provider whose file stands at `place`.
///
/// # Errors
/// As [`FileKek::open`], and what a token says.
pub(in crate::keys) fn open(
    place: ProviderFile,
    archive: ArchiveId,
    unlock: UnlockWith<'_>,
    entropy: Arc<dyn Entropy>,
) -> Result<Arc<dyn KekProvider>, KeyError> {
    require_one_provider(&place)?;
    if token::is_named(&place, archive)? {
        let UnlockWith::Passphrase(pin) = unlock else {
            return Err(TokenError::PinNeeded.into());
        };
        return Ok(Arc::new(TokenKek::open(place, archive, pin, entropy)?));
    }
    if intake::is_named(&place, archive)? {
        return Ok(Arc::new(IntakeKek::open(place, archive, entropy)?));
    }
    Ok(Arc::new(FileKek::open(place, archive, unlock, entropy)?))
}
