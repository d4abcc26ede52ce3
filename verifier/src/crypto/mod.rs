//! Verification of signatures. Computes, and does not judge: which algorithm may still be trusted is a question for the [policy](crate::policy).

use formats::digest::DigestAlgorithm;
use formats::oid::Oid;

use crate::algorithm::{SignatureAlgorithm, SignatureFamily};

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
    /// The public key cannot be read, or is not on its curve.
    Key,
    /// The key is smaller or larger than this program computes with.
    KeySize,
    /// The parameters of the algorithm cannot be read.
    Parameters,
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
        }
    }
}

/// Verifies `signature` over `message` under the key of `spki_der` (a SubjectPublicKeyInfo).
///
/// `algorithm` and `parameters` (its DER, tag included) are those of the AlgorithmIdentifier of the signature. `digest` is the digest algorithm that
/// stands beside it, as in a CMS SignerInfo; it is used where the signature algorithm names none, and must agree where it names one.
#[must_use]
pub fn verify_signature(
    spki_der: &[u8],
    algorithm: &Oid,
    parameters: Option<&[u8]>,
    digest: Option<DigestAlgorithm>,
    message: &[u8],
    signature: &[u8],
) -> SignatureCheck {
    let _ = (spki_der, algorithm, parameters, digest, message, signature);
    SignatureCheck::Unsupported(Unsupported::SignatureAlgorithm)
}
