//! ML-DSA (FIPS 204) as CMS and certificates use it: the pure form, with an empty context (RFC 9881 §3, RFC 9882 §3).

use formats::oid::{self, Oid};
use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, MlDsaParams, VerifyingKey};

use super::Unsupported;
use crate::algorithm::{SignatureAlgorithm, SignatureFamily};

/// A parameter set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParameterSet {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

impl ParameterSet {
    /// The set of an object identifier, which is the same for keys and signatures.
    pub(super) fn of(identifier: &Oid) -> Option<Self> {
        [
            (oid::ML_DSA_44, Self::MlDsa44),
            (oid::ML_DSA_65, Self::MlDsa65),
            (oid::ML_DSA_87, Self::MlDsa87),
        ]
        .into_iter()
        .find_map(|(known, set)| (known == *identifier).then_some(set))
    }

    /// Family and strength: the security categories 2, 3 and 5 (FIPS 204 §4) are those of a digest of 256 bits and keys of 192 and 256 bits.
    pub(super) const fn algorithm(self) -> SignatureAlgorithm {
        let (family, key_bits) = match self {
            Self::MlDsa44 => (SignatureFamily::MlDsa44, 128),
            Self::MlDsa65 => (SignatureFamily::MlDsa65, 192),
            Self::MlDsa87 => (SignatureFamily::MlDsa87, 256),
        };
        SignatureAlgorithm {
            family,
            key_bits,
            digest: None,
        }
    }

    /// Does the signature verify under the key?
    pub(super) fn verify(
        self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Unsupported> {
        match self {
            Self::MlDsa44 => verify::<MlDsa44>(key, message, signature),
            Self::MlDsa65 => verify::<MlDsa65>(key, message, signature),
            Self::MlDsa87 => verify::<MlDsa87>(key, message, signature),
        }
    }
}

fn verify<P: MlDsaParams>(
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<bool, Unsupported> {
    let encoded = key.try_into().map_err(|_| Unsupported::Key)?;
    let key = VerifyingKey::<P>::decode(&encoded);
    let signature = ml_dsa::Signature::<P>::try_from(signature);
    Ok(signature.is_ok_and(|signature| key.verify_with_context(message, &[], &signature)))
}
