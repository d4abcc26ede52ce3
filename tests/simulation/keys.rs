//! Keys of simulated authorities: of three kinds, and the same for the same seed.

use std::convert::Infallible;

use firmware::entropy::{Entropy, SeededEntropy};
use formats::digest::DigestAlgorithm;
use formats::oid;
use formats::x509::AlgorithmIdentifier;
use p384::ecdsa::signature::Signer;
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::signature::SignatureEncoding;
use rsa::traits::PublicKeyParts;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::calendar::SHA256_END;

/// What a key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// RSA with 2,048 bits and SHA-256: refused after 2030.
    Rsa2048,
    /// ECDSA on P-256 with SHA-256.
    P256,
    /// ECDSA on P-384 with SHA-384.
    P384,
}

/// A private key.
pub(crate) struct SimulatedKey {
    private: Private,
    public: Vec<u8>,
}

enum Private {
    Rsa(Box<rsa::pkcs1v15::SigningKey<sha2::Sha256>>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
}

impl SimulatedKey {
    pub(crate) fn generate(kind: KeyKind, entropy: &SeededEntropy) -> Self {
        match kind {
            KeyKind::Rsa2048 => {
                let mut random = Random(entropy);
                let key = rsa::RsaPrivateKey::new(&mut random, 2048).expect("an RSA key");
                assert_eq!(key.size(), 256);
                let public = key.to_public_key().to_pkcs1_der().expect("a public key");
                Self {
                    public: public.as_bytes().to_vec(),
                    private: Private::Rsa(Box::new(rsa::pkcs1v15::SigningKey::new(key))),
                }
            }
            KeyKind::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&scalar::<32>(entropy));
                let key = key.expect("a scalar below the order");
                Self {
                    public: key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
                    private: Private::P256(key),
                }
            }
            KeyKind::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(&scalar::<48>(entropy));
                let key = key.expect("a scalar below the order");
                Self {
                    public: key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
                    private: Private::P384(key),
                }
            }
        }
    }

    /// The digest that is signed.
    pub(crate) fn digest(&self) -> DigestAlgorithm {
        match self.private {
            Private::Rsa(_) | Private::P256(_) => DigestAlgorithm::Sha256,
            Private::P384(_) => DigestAlgorithm::Sha384,
        }
    }

    /// The last moment at which its signatures are trusted: CRYPTREC's year for RSA-2048, and that of SHA-256 in the simulation.
    pub(crate) fn end(&self) -> OffsetDateTime {
        match self.private {
            Private::Rsa(_) => RSA_2048_END,
            Private::P256(_) => SHA256_END,
            Private::P384(_) => FOREVER,
        }
    }

    /// The algorithm of its signatures.
    pub(crate) fn signature_algorithm(&self) -> AlgorithmIdentifier {
        match self.private {
            // RFC 4055 §5: with NULL as parameters.
            Private::Rsa(_) => AlgorithmIdentifier {
                oid: oid::SHA256_WITH_RSA,
                parameters: Some(vec![0x05, 0x00]),
            },
            Private::P256(_) => AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA256),
            Private::P384(_) => AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA384),
        }
    }

    pub(crate) fn sign_message(&self, message: &[u8]) -> Vec<u8> {
        match &self.private {
            Private::Rsa(key) => key.sign(message).to_vec(),
            Private::P256(key) => {
                let signature: p256::ecdsa::DerSignature = key.sign(message);
                signature.as_bytes().to_vec()
            }
            Private::P384(key) => {
                let signature: p384::ecdsa::DerSignature = key.sign(message);
                signature.as_bytes().to_vec()
            }
        }
    }
}

impl std::fmt::Debug for SimulatedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedKey").finish_non_exhaustive()
    }
}

impl rcgen::PublicKeyData for SimulatedKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        match self.private {
            Private::Rsa(_) => &rcgen::PKCS_RSA_SHA256,
            Private::P256(_) => &rcgen::PKCS_ECDSA_P256_SHA256,
            Private::P384(_) => &rcgen::PKCS_ECDSA_P384_SHA384,
        }
    }
}

impl rcgen::SigningKey for SimulatedKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.sign_message(message))
    }
}

/// CRYPTREC LS-0003-2022: the end of 2030 in Japan.
const RSA_2048_END: OffsetDateTime = datetime!(2030-12-31 14:59:59 UTC);
const FOREVER: OffsetDateTime = datetime!(9999-12-31 00:00 UTC);

/// A scalar that is below the order of its curve: its first bit is zero.
fn scalar<const BYTES: usize>(entropy: &SeededEntropy) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    entropy.fill(&mut bytes).expect("seeded");
    bytes[0] &= 0x7f;
    bytes
}

/// The seeded source as the RSA key generation wants it.
struct Random<'a>(&'a SeededEntropy);

impl TryRng for Random<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes).expect("seeded");
        Ok(())
    }
}

impl TryCryptoRng for Random<'_> {}
