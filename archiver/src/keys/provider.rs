//! Key-encryption keys: who can wrap and unwrap data keys.

use std::fmt;

use zeroize::Zeroizing;

use super::error::KeyError;
use super::secret::NONCE_BYTES;

mod file;

pub use file::{FileKek, KEK_FILE, KdfParameters};

/// Wraps and unwraps secrets under the key-encryption key of an epoch.
///
/// A sealed file, M-of-N custodians and a PKCS#11 token all fit: the provider chooses the nonce (a token may insist on its
/// own), and never hands the key out.
///
/// The algorithm is AES-256-GCM. The associated data is `context` ‖ epoch as 32-bit big-endian: a wrapped secret opens only
/// in the place that it was made for.
pub trait KekProvider: fmt::Debug + Send + Sync {
    /// The epoch under which new secrets are wrapped.
    fn current_epoch(&self) -> u32;

    /// Wraps `secret` under the current epoch.
    ///
    /// # Errors
    /// [`KeyError::Entropy`], or what the provider's device says.
    fn wrap(&self, context: &[u8], secret: &[u8]) -> Result<WrappedSecret, KeyError>;

    /// Unwraps what [`KekProvider::wrap`] wrapped under the same context; `None` when it was changed or belongs elsewhere.
    ///
    /// # Errors
    /// [`KeyError::UnknownEpoch`], or what the provider's device says.
    fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedSecret,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError>;
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
