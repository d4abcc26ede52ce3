//! Verification of signatures. Computes, and does not judge: which algorithm may still be trusted is a question for the [policy](crate::policy).
//!
//! The crates of RustCrypto and dalek compute. What is here chooses among them by object identifier, bounds the keys that foreign evidence may ask for,
//! and tells what is wrong from what could not be computed.

mod dsa;
mod ecdsa;
mod eddsa;
mod ml_dsa;
mod protection;
mod rsa;
mod scheme;
mod slh_dsa;

use formats::digest::DigestAlgorithm;
use formats::oid::{self, Oid};

use crate::algorithm::{SignatureAlgorithm, SignatureFamily};
use crate::certificate::Algorithm;
use crate::der::{BIT_STRING, Malformed, NULL, Reader, SEQUENCE};
use dsa::DsaKey;
use ecdsa::{EcKey, Encoding};
use ml_dsa::ParameterSet;
pub(crate) use protection::signs_its_algorithms;
use rsa::RsaKey;
use scheme::{PssParameters, Scheme};
use slh_dsa::SlhParameterSet;

/// The answer about one signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureCheck {
    /// The signature verifies under the key.
    Valid(SignatureAlgorithm),
    /// It does not: wrong value, wrong encoding, or an algorithm that the key is not for.
    Invalid,
    /// It could not be computed. Never a reason to fail, and never one to pass: the verdict is `INDETERMINATE`.
    Unsupported(Unsupported),
}

impl SignatureCheck {
    /// Does the signature verify?
    #[must_use]
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Valid(_))
    }
}

/// Why a signature could not be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unsupported {
    /// The object identifier of the signature algorithm is not known here.
    SignatureAlgorithm,
    /// The digest algorithm is not known here, or is not named at all.
    Digest,
    /// The family is known but not implemented.
    Family(SignatureFamily),
    /// The elliptic curve is not known here, or is given by explicit parameters.
    Curve,
    /// The type of the public key is not known here.
    KeyType,
    /// The public key cannot be read, or is not on its curve or in its group.
    Key,
    /// The key is smaller or larger than this program computes with.
    KeySize,
    /// The parameters of the algorithm cannot be read.
    Parameters,
    /// A composite of two signatures (draft-ietf-lamps-pq-composite-sigs). Each half would have to be judged by its own rules.
    Composite,
    /// The pre-hashed form of ML-DSA or SLH-DSA, which X.509 and CMS do not use (RFC 9881 §3, RFC 9909 §3).
    PreHash,
    /// RSASSA-PSS whose mask is made with another digest than that of the message.
    MaskDigest,
}

impl Unsupported {
    /// A short English text, for the detail of a finding.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::SignatureAlgorithm => "unknown signature algorithm",
            Self::Digest => "unknown digest algorithm",
            Self::Family(family) => family.name(),
            Self::Curve => "unknown curve",
            Self::KeyType => "unknown type of key",
            Self::Key => "malformed key",
            Self::KeySize => "size of the key",
            Self::Parameters => "malformed parameters",
            Self::Composite => "composite of two signatures",
            Self::PreHash => "pre-hashed form of ML-DSA or SLH-DSA",
            Self::MaskDigest => "RSASSA-PSS with two digests",
        }
    }
}

/// Verifies `signature` over `message` under the key of `spki_der` (a SubjectPublicKeyInfo).
///
/// `algorithm` and `parameters` (its DER, tag included) are those of the AlgorithmIdentifier of the signature. `digest` is the digest algorithm that
/// stands beside it, as in a CMS SignerInfo; it is used where the signature algorithm names none.
#[must_use]
pub fn verify_signature(
    spki_der: &[u8],
    algorithm: &Oid,
    parameters: Option<&[u8]>,
    digest: Option<DigestAlgorithm>,
    message: &[u8],
    signature: &[u8],
) -> SignatureCheck {
    let parameters = own_parameters(spki_der, algorithm, parameters);
    let scheme = match Scheme::of(algorithm, parameters, digest) {
        Ok(scheme) => scheme,
        Err(unsupported) => return SignatureCheck::Unsupported(unsupported),
    };
    PublicKey::parse(spki_der, None)
        .and_then(|key| key.verify(scheme, message, signature))
        .unwrap_or_else(SignatureCheck::Unsupported)
}

/// What a verification costs, in those of usual size: the time for RSA grows with the square of the key, that of SLH-DSA with the signature. A key of 16,384 bits
/// costs 9, the longest signature of SLH-DSA 13.
pub(crate) fn cost(spki_der: &[u8], signature: &[u8]) -> u32 {
    let size = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    let key = size(spki_der.len() / 1024).saturating_add(1);
    key.saturating_mul(key)
        .saturating_add(size(signature.len() / 4096))
}

/// Verifies the signature on a certificate or CRL. `inherited` are the DSA parameters of the key above, for a key without (RFC 5280 §6.1.4 (e)).
pub(crate) fn verify_signed(
    spki_der: &[u8],
    inherited: Option<&[u8]>,
    signed: &crate::certificate::Signed<'_>,
) -> SignatureCheck {
    let algorithm = &signed.algorithm.oid;
    let parameters = own_parameters(spki_der, algorithm, signed.algorithm.parameters);
    let scheme = Scheme::of(algorithm, parameters, None);
    scheme
        .and_then(|scheme| {
            PublicKey::parse(spki_der, inherited)?.verify(scheme, signed.message, signed.signature)
        })
        .unwrap_or_else(SignatureCheck::Unsupported)
}

/// The parameters of a signature algorithm, without those that only repeat the key's.
///
/// CMS allows the identifier of a key as that of the signature (RFC 3370 §3.2), and some signers bring the key's parameters along, such as
/// its curve. Nobody signs them, so only an exact repetition is taken for one; anything else is left for [`Scheme::of`] to refuse.
fn own_parameters<'a>(
    spki_der: &[u8],
    algorithm: &Oid,
    parameters: Option<&'a [u8]>,
) -> Option<&'a [u8]> {
    let names_a_key = *algorithm == oid::EC_PUBLIC_KEY || *algorithm == oid::DSA;
    parameters.filter(|parameters| {
        let repeats = || {
            split_spki(spki_der)
                .is_ok_and(|(key, _)| key.oid == *algorithm && key.parameters == Some(*parameters))
        };
        !(names_a_key && repeats())
    })
}

/// The type and size of a key: its family (for RSA: PKCS#1 v1.5) and its bits.
///
/// # Errors
///
/// [`Unsupported`] if the key cannot be read or computed with.
pub fn key_size(spki_der: &[u8]) -> Result<(SignatureFamily, u32), Unsupported> {
    Ok(match PublicKey::parse(spki_der, None)? {
        PublicKey::Rsa(key) => (SignatureFamily::RsaPkcs1, key.bits()),
        PublicKey::RsaPss(key, _) => (SignatureFamily::RsaPss, key.bits()),
        PublicKey::Ec(key) => (SignatureFamily::Ecdsa, key.bits()),
        PublicKey::Dsa(key) => (SignatureFamily::Dsa, key.bits()),
        PublicKey::Ed25519(_) => (SignatureFamily::Ed25519, 256),
        PublicKey::Ed448(_) => (SignatureFamily::Ed448, 448),
        PublicKey::SlhDsa(set, _) => {
            let algorithm = set.algorithm();
            (algorithm.family, algorithm.key_bits)
        }
        PublicKey::MlDsa(set, _) => {
            let algorithm = set.algorithm();
            (algorithm.family, algorithm.key_bits)
        }
    })
}

/// The DSA parameters of a key, and whether it is a DSA key at all (RFC 5280 §6.1.4 (e), (f)).
pub(crate) fn dsa_parameters(spki_der: &[u8]) -> Option<Option<&[u8]>> {
    let (algorithm, _) = split_spki(spki_der).ok()?;
    (algorithm.oid == oid::DSA).then(|| present(algorithm.parameters))
}

/// A key as this module computes with it.
#[derive(Debug)]
enum PublicKey<'a> {
    Rsa(RsaKey),
    /// A key for RSASSA-PSS only, with the least that its parameters demand (RFC 4055 §3.3).
    RsaPss(RsaKey, Option<PssParameters>),
    Ec(EcKey<'a>),
    Dsa(DsaKey),
    Ed25519(&'a [u8]),
    Ed448(&'a [u8]),
    MlDsa(ParameterSet, &'a [u8]),
    SlhDsa(SlhParameterSet, &'a [u8]),
}

/// `SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }`
fn split_spki(der: &[u8]) -> Result<(Algorithm<'_>, &[u8]), Malformed> {
    const STRUCTURE: &str = "SubjectPublicKeyInfo";
    let mut fields = Reader::single(der, SEQUENCE, STRUCTURE)?.reader(STRUCTURE);
    let algorithm = Algorithm::parse(fields.expect(SEQUENCE)?.raw)?;
    let key = fields.expect(BIT_STRING)?.octet_aligned_bits(STRUCTURE)?;
    fields.finish()?;
    Ok((algorithm, key))
}

/// Parameters that say something.
fn present(parameters: Option<&[u8]>) -> Option<&[u8]> {
    parameters.filter(|parameters| *parameters != [NULL, 0])
}

impl<'a> PublicKey<'a> {
    fn parse(spki_der: &'a [u8], inherited: Option<&'a [u8]>) -> Result<Self, Unsupported> {
        let (algorithm, key) = split_spki(spki_der).map_err(|_| Unsupported::Key)?;
        let parameters = present(algorithm.parameters);
        if algorithm.oid == oid::RSA_ENCRYPTION {
            RsaKey::parse(key).map(Self::Rsa)
        } else if algorithm.oid == oid::RSASSA_PSS {
            let least = parameters.map(PssParameters::parse).transpose()?;
            Ok(Self::RsaPss(RsaKey::parse(key)?, least))
        } else if algorithm.oid == oid::EC_PUBLIC_KEY {
            EcKey::parse(parameters, key).map(Self::Ec)
        } else if algorithm.oid == oid::DSA {
            let parameters = parameters.or(inherited).ok_or(Unsupported::Parameters)?;
            DsaKey::parse(parameters, key).map(Self::Dsa)
        } else if algorithm.oid == oid::ED25519 {
            Ok(Self::Ed25519(key))
        } else if algorithm.oid == oid::ED448 {
            Ok(Self::Ed448(key))
        } else if let Some(set) = ParameterSet::of(&algorithm.oid) {
            // RFC 9881 §2: the parameters are absent.
            match algorithm.parameters {
                None => Ok(Self::MlDsa(set, key)),
                Some(_) => Err(Unsupported::Parameters),
            }
        } else if let Some(set) = SlhParameterSet::of(&algorithm.oid) {
            // RFC 9909 §4: the parameters are absent.
            match algorithm.parameters {
                None => Ok(Self::SlhDsa(set, key)),
                Some(_) => Err(Unsupported::Parameters),
            }
        } else {
            Err(scheme::named_unsupported(&algorithm.oid).unwrap_or(Unsupported::KeyType))
        }
    }

    fn verify(
        &self,
        scheme: Scheme,
        message: &[u8],
        signature: &[u8],
    ) -> Result<SignatureCheck, Unsupported> {
        let (holds, algorithm) = match (self, scheme) {
            (Self::Rsa(key), Scheme::RsaPkcs1(digest)) => (
                key.verify_pkcs1(&digest.digest(message), signature),
                used(SignatureFamily::RsaPkcs1, key.bits(), digest),
            ),
            (Self::Rsa(key), Scheme::RsaPss(parameters)) => (
                key.verify_pss(&parameters.digest.digest(message), parameters, signature)?,
                used(SignatureFamily::RsaPss, key.bits(), parameters.digest),
            ),
            (Self::RsaPss(key, least), Scheme::RsaPss(parameters)) => (
                least.is_none_or(|least| {
                    least.digest == parameters.digest
                        && least.mask_digest == parameters.mask_digest
                        && least.salt_length <= parameters.salt_length
                }) && key.verify_pss(&parameters.digest.digest(message), parameters, signature)?,
                used(SignatureFamily::RsaPss, key.bits(), parameters.digest),
            ),
            (Self::Ec(key), Scheme::Ecdsa(digest)) => (
                key.verify(&digest.digest(message), Encoding::Der, signature)?,
                used(SignatureFamily::Ecdsa, key.bits(), digest),
            ),
            (Self::Ec(key), Scheme::EcdsaPlain(digest)) => (
                key.verify(&digest.digest(message), Encoding::Plain, signature)?,
                used(SignatureFamily::Ecdsa, key.bits(), digest),
            ),
            (Self::Dsa(key), Scheme::Dsa(digest)) => (
                key.verify(&digest.digest(message), signature)?,
                used(SignatureFamily::Dsa, key.bits(), digest),
            ),
            (Self::Ed25519(key), Scheme::Ed25519) => (
                eddsa::verify_ed25519(key, message, signature)?,
                pure(SignatureFamily::Ed25519, 256),
            ),
            (Self::Ed448(key), Scheme::Ed448) => (
                eddsa::verify_ed448(key, message, signature)?,
                pure(SignatureFamily::Ed448, 448),
            ),
            (Self::MlDsa(set, key), Scheme::MlDsa(used)) if *set == used => {
                (used.verify(key, message, signature)?, used.algorithm())
            }
            (Self::SlhDsa(set, key), Scheme::SlhDsa(used)) if *set == used => {
                (used.verify(key, message, signature)?, used.algorithm())
            }
            // The key is not for this algorithm.
            _ => return Ok(SignatureCheck::Invalid),
        };
        Ok(if holds {
            SignatureCheck::Valid(algorithm)
        } else {
            SignatureCheck::Invalid
        })
    }
}

const fn used(
    family: SignatureFamily,
    key_bits: u32,
    digest: DigestAlgorithm,
) -> SignatureAlgorithm {
    SignatureAlgorithm {
        family,
        key_bits,
        digest: Some(digest),
    }
}

/// An algorithm that fixes its own digest.
const fn pure(family: SignatureFamily, key_bits: u32) -> SignatureAlgorithm {
    SignatureAlgorithm {
        family,
        key_bits,
        digest: None,
    }
}
