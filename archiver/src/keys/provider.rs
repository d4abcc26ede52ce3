//! Key-encryption keys: who can wrap and unwrap data keys.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::KeyError;
use super::secret::NONCE_BYTES;

pub mod custodians;
mod file;
mod hpke;
pub mod intake;
mod key_file;
mod provider_file;
mod random;
pub mod token;
mod unlock;

pub(super) use file::{EARLIER_MAX, SealedBy, sealed_by, sealing_name};
pub use file::{FileKek, KEK_FILE, KdfParameters};
pub(super) use key_file::require_one_provider;
pub use provider_file::ProviderFile;
pub use token::{TokenKek, TokenPlace};
pub(super) use unlock::open;
pub use unlock::{Unlock, UnlockWith, ceremony, kind};

/// Wraps and unwraps secrets under the key-encryption key of an epoch.
///
/// A sealed file, M-of-N custodians and a PKCS#11 token all fit: the provider chooses the nonce (a token may insist on its
/// own), and never hands the key out.
///
/// The algorithm is AES-256-GCM. The associated data is `context` ‖ epoch as 32-bit big-endian: a wrapped secret opens only
/// in the place that it was made for.
///
/// **Epochs.** One epoch is current. During a rotation a second, older one stands beside it, until all that was wrapped under it
/// is wrapped anew. What the provider keeps on the key media is one file ([`KekProvider::file`]), the same on each of them; it
/// replaces that file itself, through its [`ProviderFile`], which overwrites what stood there before.
pub trait KekProvider: fmt::Debug + Send + Sync {
    /// The epoch under which new secrets are wrapped.
    fn current_epoch(&self) -> u32;

    /// Wraps `secret` under the current epoch.
    ///
    /// # Errors
    /// [`KeyError::Entropy`], or what the provider's device says.
    fn wrap(&self, context: &[u8], secret: &[u8]) -> Result<WrappedSecret, KeyError>;

    /// Unwraps what [`KekProvider::wrap`] wrapped under the same context; `None` when it was changed or belongs elsewhere. An
    /// epoch that another process has made since is looked for again.
    ///
    /// # Errors
    /// [`KeyError::UnknownEpoch`], or what the provider's device says.
    fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedSecret,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError>;

    /// The epochs that can be unwrapped, ascending.
    fn epochs(&self) -> Vec<u32>;

    /// Makes the key-encryption key of the epoch after the current one, and makes it current. It is durable on every key medium
    /// when this returns. The older epochs stay.
    ///
    /// # Errors
    /// [`KeyError::ReadOnly`] when opened without a place to write; [`KeyError::Entropy`], [`KeyError::Io`], [`KeyError::Full`],
    /// or what the provider's device says. Either the new epoch is current then, or nothing has changed.
    fn new_epoch(&self) -> Result<u32, KeyError>;

    /// Destroys the key-encryption key of an epoch that is not the current one, durably: nothing wrapped under it opens again.
    /// An epoch that is not there is no error: the call may be repeated after a crash.
    ///
    /// # Errors
    /// [`KeyError::EpochInUse`] for the current epoch; [`KeyError::ReadOnly`], [`KeyError::Io`], [`KeyError::Full`], or what
    /// the provider's device says.
    fn destroy_epoch(&self, epoch: u32) -> Result<(), KeyError>;

    /// Epochs whose key the provider's device holds though no file that is here names it: an interrupted rotation left it, or its file stands on
    /// a medium that is not here.
    ///
    /// # Errors
    /// What the provider's device says.
    fn unnamed_epochs(&self) -> Result<Vec<u32>, KeyError> {
        Ok(Vec::new())
    }

    /// The bytes of the provider's own file, [`KEK_FILE`], as they must stand on each key medium.
    ///
    /// # Errors
    /// [`KeyError::KeyDerivation`] when they cannot be encoded.
    fn file(&self) -> Result<Vec<u8>, KeyError>;

    /// What holds the keys, and where: for the inventory and for certificates of destruction.
    fn describe(&self) -> ProviderDescription;
}

/// What holds the key-encryption keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProviderKind {
    /// A file on the key medium, sealed under a passphrase.
    SealedFile,
    /// A file on the key medium, sealed under a secret that custodians share.
    Custodians,
    /// A PKCS#11 token.
    Token,
    /// Sealed to the archive's public key: an intake host, which cannot read what it took in.
    Intake,
}

/// A provider, for people who look after the keys. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ProviderDescription {
    /// What holds the keys.
    pub kind: ProviderKind,
    /// Where: the files, or the token's label and serial number.
    pub places: Vec<String>,
    /// How the keys are protected there: algorithm and parameters.
    pub protection: String,
    /// The epochs that can be unwrapped, ascending.
    pub epochs: Vec<u32>,
    /// The epoch under which new secrets are wrapped.
    pub current_epoch: u32,
}

/// A secret that only the key-encryption key of its epoch opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedSecret {
    /// The epoch of the key-encryption key.
    pub epoch: u32,
    /// The nonce, random.
    pub nonce: [u8; NONCE_BYTES],
    /// Ciphertext ‖ tag.
    pub sealed: Vec<u8>,
}

/// The associated data of a wrapped secret.
fn wrap_context(context: &[u8], epoch: u32) -> Vec<u8> {
    [context, &epoch.to_be_bytes()].concat()
}
