//! The signing key of the embedded timestamp authority: ECDSA on P-256 (FIPS 186-5), signatures after RFC 6979.

use std::fmt;

use firmware::entropy::Entropy;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use zeroize::Zeroizing;

use super::error::EmbeddedError;

/// A P-256 key pair. The private scalar is wiped from memory when the value is dropped.
pub struct AuthorityKey {
    signing: SigningKey,
    public_point: Vec<u8>,
}

impl AuthorityKey {
    /// Makes a key from a random source (FIPS 186-5 A.2.2: draw 256 bits, try again when out of range).
    ///
    /// # Errors
    /// [`EmbeddedError::Entropy`] when the source fails, or gives no usable scalar in eight draws, which for a working
    /// source happens with a probability below 2⁻²⁵⁶.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EmbeddedError> {
        for _ in 0..DRAWS_MAX {
            let mut scalar = Zeroizing::new([0u8; 32]);
            entropy.fill(scalar.as_mut_slice())?;
            if let Ok(signing) = SigningKey::from_slice(scalar.as_slice()) {
                return Ok(Self::from_signing_key(signing));
            }
        }
        Err(EmbeddedError::Entropy)
    }

    /// Reads the key from PKCS #8 (RFC 5958).
    ///
    /// # Errors
    /// [`EmbeddedError::Key`] when the bytes are not a P-256 key.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, EmbeddedError> {
        let signing = SigningKey::from_pkcs8_der(bytes).map_err(|_| EmbeddedError::Key)?;
        Ok(Self::from_signing_key(signing))
    }

    /// The key as PKCS #8 (RFC 5958), to be sealed before it is stored.
    ///
    /// # Errors
    /// [`EmbeddedError::Key`] when the key cannot be encoded.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, EmbeddedError> {
        let document = self
            .signing
            .to_pkcs8_der()
            .map_err(|_| EmbeddedError::Key)?;
        Ok(Zeroizing::new(document.as_bytes().to_vec()))
    }

    /// `ecdsa-with-SHA256` over a message: `Ecdsa-Sig-Value` in DER (RFC 5480 Appendix A).
    #[must_use]
    pub fn sign_message(&self, message: &[u8]) -> Vec<u8> {
        let signature: DerSignature = self.signing.sign(message);
        signature.as_bytes().to_vec()
    }

    /// ECDSA over a digest that was computed elsewhere, its leftmost 256 bits (FIPS 186-5 §6.4.1). `None` for a digest below 128 bits.
    #[must_use]
    pub fn sign_digest(&self, digest: &[u8]) -> Option<Vec<u8>> {
        let signature: DerSignature = self.signing.sign_prehash(digest).ok()?;
        Some(signature.as_bytes().to_vec())
    }

    fn from_signing_key(signing: SigningKey) -> Self {
        let public_point = signing
            .verifying_key()
            .to_sec1_point(false)
            .as_bytes()
            .to_vec();
        Self {
            signing,
            public_point,
        }
    }
}

impl fmt::Debug for AuthorityKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AuthorityKey")
            .finish_non_exhaustive()
    }
}

impl rcgen::PublicKeyData for AuthorityKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public_point
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for AuthorityKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.sign_message(message))
    }
}

/// How often a random scalar may fall outside the range before the source is called broken.
const DRAWS_MAX: usize = 8;
