//! Keys in memory: what they may do, without ever being shown.

use std::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use firmware::entropy::Entropy;
use firmware::memory::LockedSecret;
use formats::id::{ArchiveId, RecordId, VersionId};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::error::KeyError;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a GCM nonce (SP 800-38D §8.2).
pub const NONCE_BYTES: usize = 12;
/// Bytes of a GCM tag.
pub const TAG_BYTES: usize = 16;

/// Whose key it is: a record version, or the archive itself (its catalog, as version 0 of the archive's id).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyOwner {
    id: [u8; 16],
    version: u32,
}

/// A random 256-bit key of one record version, or of the archive's catalog.
///
/// It stands in locked memory that no core dump shows, cannot be printed or cloned, and is zeroised when it is dropped.
pub struct DataKey {
    bytes: LockedSecret,
}

/// A key for small values with random nonces: index entries, events.
///
/// At most 2³² values may be sealed under one key (SP 800-38D §8.3), so derive one per use and lifetime with
/// [`DataKey::subkey`].
pub struct ValueKey {
    cipher: Aes256Gcm,
}

impl KeyOwner {
    /// The owner of the key that seals the archive's catalog and events.
    #[must_use]
    pub const fn catalog(archive: ArchiveId) -> Self {
        Self {
            id: *archive.as_bytes(),
            version: 0,
        }
    }

    /// The record id, or the archive id for version 0.
    #[must_use]
    pub const fn id(&self) -> &[u8; 16] {
        &self.id
    }

    /// The version, or 0 for the catalog.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The record version; `None` for the catalog.
    #[must_use]
    pub fn to_version(&self) -> Option<VersionId> {
        VersionId::new(RecordId::from_bytes(self.id), self.version)
    }

    pub(super) const fn from_parts(id: [u8; 16], version: u32) -> Self {
        Self { id, version }
    }
}

impl From<VersionId> for KeyOwner {
    fn from(id: VersionId) -> Self {
        Self {
            id: *id.record().as_bytes(),
            version: id.version(),
        }
    }
}

impl fmt::Display for KeyOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = ArchiveId::from_bytes(self.id);
        if self.version == 0 {
            return write!(f, "the catalog of archive {id}");
        }
        write!(f, "{id}/{}", self.version)
    }
}

impl DataKey {
    /// A new random key.
    ///
    /// # Errors
    /// [`KeyError::Entropy`].
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        entropy.fill(bytes.as_mut_slice())?;
        Ok(Self::from_bytes(&bytes))
    }

    /// The key with these bytes. The caller zeroises its own copy.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        Self {
            bytes: LockedSecret::new(bytes),
        }
    }

    /// A key for one purpose, derived from this one: HMAC-SHA-256(key, `"fumikura subkey 1"` ‖ 0x00 ‖ `purpose`).
    ///
    /// One key must not serve two algorithms or two kinds of value; this gives each its own.
    #[must_use]
    pub fn subkey(&self, purpose: &str) -> Self {
        let code = Zeroizing::new(self.keyed_digest(&[b"fumikura subkey 1\0", purpose.as_bytes()]));
        Self::from_bytes(&code)
    }

    /// HMAC-SHA-256 (RFC 2104) over the joined `parts`, for example the deposit identity. The caller makes the parts
    /// unambiguous. Use a [`DataKey::subkey`] for it.
    #[must_use]
    pub fn keyed_digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        // RFC 2104 §2: a key shorter than the block is filled with zeros.
        let mut block = Zeroizing::new([0; 64]);
        for (target, source) in block.iter_mut().zip(self.expose()) {
            *target = *source;
        }
        let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// This key as a key for small values.
    #[must_use]
    pub fn value_key(&self) -> ValueKey {
        ValueKey {
            cipher: self.cipher(),
        }
    }

    pub(crate) fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(self.expose().into())
    }

    pub(super) fn expose(&self) -> &[u8; KEY_BYTES] {
        self.bytes.expose()
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(secret)")
    }
}

impl ValueKey {
    /// Seals a value with a random nonce: nonce ‖ ciphertext ‖ tag. `context` is the associated data that says where the
    /// value belongs, and must be given again to open it.
    ///
    /// # Errors
    /// [`KeyError::Entropy`].
    pub fn seal(
        &self,
        entropy: &dyn Entropy,
        context: &[u8],
        value: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce)?;
        let mut sealed = Vec::with_capacity(NONCE_BYTES + value.len() + TAG_BYTES);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(value);
        let (_, body) = sealed.split_at_mut(NONCE_BYTES);
        let tag = self
            .cipher
            .encrypt_inout_detached(&Nonce::from(nonce), context, body.into())
            .map_err(|_| KeyError::KeyDerivation)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens a value that [`ValueKey::seal`] sealed under the same context. `None`: it was changed, belongs elsewhere, or
    /// was sealed under another key.
    #[must_use]
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let (body, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
        let mut value = Zeroizing::new(body.to_vec());
        self.cipher
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                context,
                value.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .ok()?;
        Some(value)
    }
}

impl fmt::Debug for ValueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ValueKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firmware::entropy::{EntropyError, SeededEntropy};

    #[derive(Debug)]
    struct NoEntropy;

    impl Entropy for NoEntropy {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError::default())
        }
    }

    #[test]
    fn keys_are_never_shown() {
        let key = DataKey::from_bytes(&[0xab; KEY_BYTES]);
        assert_eq!(format!("{key:?}"), "DataKey(secret)");
        assert_eq!(format!("{:#?}", key.value_key()), "ValueKey(secret)");
    }

    #[test]
    fn without_randomness_there_is_no_key() {
        assert!(matches!(
            DataKey::generate(&NoEntropy),
            Err(KeyError::Entropy(_))
        ));
        let key = DataKey::from_bytes(&[1; KEY_BYTES]).value_key();
        assert!(key.seal(&NoEntropy, b"", b"").is_err());
    }

    #[test]
    fn a_keyed_digest_is_that_of_rfc_2104() {
        // The reference is the crate with a key of any length; its own known answer stands in the power-on self-test.
        let digest = DataKey::from_bytes(&[0x0b; KEY_BYTES]).keyed_digest(&[b"Hi ", b"There"]);
        let expected = Hmac::<Sha256>::new_from_slice(&[0x0b; KEY_BYTES])
            .unwrap()
            .chain_update(b"Hi There")
            .finalize()
            .into_bytes();
        assert_eq!(digest.as_slice(), expected.as_slice());
    }

    #[test]
    fn subkeys_differ_by_purpose_and_from_their_key() {
        let key = DataKey::from_bytes(&[1; KEY_BYTES]);
        let subkeys = [key.subkey("a"), key.subkey("b"), key.subkey("")];
        assert_eq!(key.subkey("a").expose(), subkeys[0].expose());
        for (place, subkey) in subkeys.iter().enumerate() {
            assert_ne!(subkey.expose(), key.expose());
            for other in &subkeys[place + 1..] {
                assert_ne!(subkey.expose(), other.expose());
            }
        }
    }

    #[test]
    fn a_value_opens_only_unchanged_in_its_place_and_under_its_key() {
        let entropy = SeededEntropy::new(1);
        let key = DataKey::from_bytes(&[1; KEY_BYTES]).value_key();
        let sealed = key.seal(&entropy, b"here", b"value").unwrap();
        assert_eq!(key.open(b"here", &sealed).unwrap().as_slice(), b"value");
        assert_ne!(sealed, key.seal(&entropy, b"here", b"value").unwrap());
        assert!(key.open(b"there", &sealed).is_none());
        let other = DataKey::from_bytes(&[2; KEY_BYTES]).value_key();
        assert!(other.open(b"here", &sealed).is_none());
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open(b"here", &flipped).is_none(), "{bit}");
        }
        for length in 0..sealed.len() {
            assert!(key.open(b"here", &sealed[..length]).is_none(), "{length}");
        }
        let empty = key.seal(&entropy, b"", b"").unwrap();
        assert!(key.open(b"", &empty).unwrap().is_empty());
    }

    #[test]
    fn owners_read_as_what_they_are() {
        let archive = ArchiveId::from_bytes([1; 16]);
        let catalog = KeyOwner::catalog(archive);
        assert!(
            catalog
                .to_string()
                .starts_with("the catalog of archive 0101")
        );
        let version = VersionId::first(RecordId::from_bytes([2; 16]));
        assert_eq!(KeyOwner::from(version).to_string(), version.to_string());
    }
}
