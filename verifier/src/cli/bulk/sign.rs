//! Signs a summary with a key of the user: CAdES B-B, detached (EN 319 122-1 §6).
//!
//! ECDSA only. The RSA crate has no protection of private-key operations against their timing (RUSTSEC-2023-0071), so that no RSA key
//! is taken; ECDSA signatures are deterministic (RFC 6979), so that no random source is needed.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use formats::cades::{mime_type, signing_time};
use formats::cms::{
    AlgorithmIdentifier, Attribute, SignedDataBuilder, SignerIdentifier, SigningCertificates,
};
use formats::digest::DigestAlgorithm;
use formats::oid::{self, Oid};
use formats::x509::{Certificate, read_certificates};
use p256::ecdsa::signature::Signer;
use pkcs8::DecodePrivateKey as _;
use time::OffsetDateTime;
use verifier::crypto::verify_signature;
use zeroize::Zeroizing;

use super::super::CannotJudge;
use super::super::files::read;

/// Most bytes of a file with a passphrase.
const PASSPHRASE_BYTES_MAX: u64 = 4096;

/// A key with its certificates.
pub(super) struct SummarySigner {
    key: Key,
    /// That of the key first.
    certificates: Vec<Certificate>,
}

enum Key {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
}

impl SummarySigner {
    /// Reads key and certificates, and makes sure that they belong together: before hours of work, not after.
    pub(super) fn open(
        key: &Path,
        certificate: &Path,
        passphrase: Option<&Path>,
    ) -> Result<Self, CannotJudge> {
        let refused = |why: &str| CannotJudge(format!("--sign-key {}: {why}", key.display()));
        let pem = Zeroizing::new(read(key)?);
        let pem = std::str::from_utf8(&pem).map_err(|_| refused("no PEM text"))?;
        let opened = if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") {
            let passphrase = read_passphrase(key, passphrase)?;
            Key::decrypt(pem, passphrase.as_bytes()).ok_or_else(|| {
                refused("the passphrase does not open it, or it is no key of P-256 or P-384 under AES (encrypt it anew with: openssl pkcs8 -topk8 -v2 aes256)")
            })?
        } else {
            Key::parse(pem).ok_or_else(|| {
                refused(
                    "no PKCS#8 key of P-256 or P-384 (make one of it with: openssl pkcs8 -topk8)",
                )
            })?
        };
        let certificates = read_certificates(&read(certificate)?).map_err(|error| {
            let path = certificate.display();
            CannotJudge(format!("{path} holds no certificate: {error}"))
        })?;
        let signer = Self {
            key: opened,
            certificates,
        };
        let probe = b"does this key belong to this certificate?";
        let (algorithm, _) = signer.key.algorithms();
        let holds = signer
            .certificates
            .first()
            .zip(signer.key.sign(probe))
            .is_some_and(|(own, signature)| {
                verify_signature(own.spki(), &algorithm, None, None, probe, &signature).is_valid()
            });
        if holds {
            Ok(signer)
        } else {
            Err(refused(
                "it is not the key of the first certificate of --sign-certificate",
            ))
        }
    }

    /// The signature over `content`, which it does not hold.
    pub(super) fn sign(&self, content: &str, at: OffsetDateTime) -> Result<Vec<u8>, CannotJudge> {
        let failed = |error: formats::error::FormatError| {
            CannotJudge(format!("the summary cannot be signed: {error}"))
        };
        let Some(own) = self.certificates.first() else {
            return Err(CannotJudge("--sign-certificate is empty".to_owned()));
        };
        let (signature_algorithm, digest) = self.key.algorithms();
        let ess = SigningCertificates::encode_v2(own, digest);
        let certificates = self.certificates.iter();
        let prepared = SignedDataBuilder {
            content_type: oid::DATA,
            content: content.as_bytes().to_vec(),
            identifier: SignerIdentifier::of(own),
            digest_algorithm: digest,
            signature_algorithm: AlgorithmIdentifier::bare(signature_algorithm),
            signed_attributes: vec![
                Attribute::new(oid::SIGNING_CERTIFICATE_V2, vec![ess]),
                signing_time(at).map_err(failed)?,
                mime_type("application/json"),
            ],
            certificates: certificates.map(|one| one.raw().to_vec()).collect(),
            revocations: Vec::new(),
        }
        .prepare()
        .detached();
        let signature = self
            .key
            .sign(prepared.signed_bytes())
            .ok_or_else(|| CannotJudge("the summary cannot be signed".to_owned()))?;
        let signed = prepared.finish(signature).map_err(failed)?;
        Ok(signed.raw().to_vec())
    }
}

impl Key {
    fn parse(pem: &str) -> Option<Self> {
        let p256 = p256::ecdsa::SigningKey::from_pkcs8_pem(pem).map(Self::P256);
        p256.or_else(|_| p384::ecdsa::SigningKey::from_pkcs8_pem(pem).map(Self::P384))
            .ok()
    }

    fn decrypt(pem: &str, passphrase: &[u8]) -> Option<Self> {
        let p256 =
            p256::ecdsa::SigningKey::from_pkcs8_encrypted_pem(pem, passphrase).map(Self::P256);
        p256.or_else(|_| {
            p384::ecdsa::SigningKey::from_pkcs8_encrypted_pem(pem, passphrase).map(Self::P384)
        })
        .ok()
    }

    const fn algorithms(&self) -> (Oid, DigestAlgorithm) {
        match self {
            Self::P256(_) => (oid::ECDSA_WITH_SHA256, DigestAlgorithm::Sha256),
            Self::P384(_) => (oid::ECDSA_WITH_SHA384, DigestAlgorithm::Sha384),
        }
    }

    /// DER (RFC 5480).
    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::DerSignature = key.try_sign(message).ok()?;
                Some(signature.as_bytes().to_vec())
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::DerSignature = key.try_sign(message).ok()?;
                Some(signature.as_bytes().to_vec())
            }
        }
    }
}

/// The passphrase: the first line of a file, or what is typed. Never an argument: the list of processes shows those.
fn read_passphrase(key: &Path, file: Option<&Path>) -> Result<Zeroizing<String>, CannotJudge> {
    let Some(path) = file else {
        let asked = rpassword::prompt_password(format!("Passphrase of {}: ", key.display()));
        return asked.map(Zeroizing::new).map_err(|error| {
            CannotJudge(format!(
                "the passphrase cannot be asked for ({error}): give --sign-passphrase-file"
            ))
        });
    };
    let unreadable = |why: &dyn std::fmt::Display| {
        CannotJudge(format!("{} cannot be read: {why}", path.display()))
    };
    let mut text = Zeroizing::new(String::new());
    File::open(path)
        .and_then(|file| file.take(PASSPHRASE_BYTES_MAX).read_to_string(&mut text))
        .map_err(|error| unreadable(&error))?;
    let line = text.lines().next().unwrap_or_default();
    Ok(Zeroizing::new(line.to_owned()))
}
