//! SLH-DSA (FIPS 205) as CMS and certificates use it: the pure form, with an empty context (RFC 9814 §3, RFC 9909 §3).

use formats::oid::Oid;
use slh_dsa::{
    ParameterSet, Sha2_128f, Sha2_128s, Sha2_192f, Sha2_192s, Sha2_256f, Sha2_256s, Shake128f,
    Shake128s, Shake192f, Shake192s, Shake256f, Shake256s, Signature, VerifyingKey,
};

use super::Unsupported;
use crate::algorithm::{SignatureAlgorithm, SignatureFamily};

/// sigAlgs of NIST, 2.16.840.1.101.3.4.3; the last arc names the parameter set, the same for keys and signatures.
pub(super) const NIST_SIGNATURES: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03];

/// A parameter set (FIPS 205 §11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlhParameterSet {
    Sha2_128s,
    Sha2_128f,
    Sha2_192s,
    Sha2_192f,
    Sha2_256s,
    Sha2_256f,
    Shake128s,
    Shake128f,
    Shake192s,
    Shake192f,
    Shake256s,
    Shake256f,
}

/// The last arcs, 20 to 31.
const SETS: &[(u8, SlhParameterSet)] = &[
    (20, SlhParameterSet::Sha2_128s),
    (21, SlhParameterSet::Sha2_128f),
    (22, SlhParameterSet::Sha2_192s),
    (23, SlhParameterSet::Sha2_192f),
    (24, SlhParameterSet::Sha2_256s),
    (25, SlhParameterSet::Sha2_256f),
    (26, SlhParameterSet::Shake128s),
    (27, SlhParameterSet::Shake128f),
    (28, SlhParameterSet::Shake192s),
    (29, SlhParameterSet::Shake192f),
    (30, SlhParameterSet::Shake256s),
    (31, SlhParameterSet::Shake256f),
];

impl SlhParameterSet {
    /// The set of an object identifier.
    pub(super) fn of(identifier: &Oid) -> Option<Self> {
        let last = identifier.as_bytes().strip_prefix(NIST_SIGNATURES)?;
        let mut sets = SETS.iter();
        sets.find(|(arc, _)| *last == [*arc]).map(|(_, set)| *set)
    }

    /// Family and strength: the security categories 1, 3 and 5 (FIPS 205 §11) are those of keys of 128, 192 and 256 bits.
    pub(super) const fn algorithm(self) -> SignatureAlgorithm {
        let key_bits = match self {
            Self::Sha2_128s | Self::Sha2_128f | Self::Shake128s | Self::Shake128f => 128,
            Self::Sha2_192s | Self::Sha2_192f | Self::Shake192s | Self::Shake192f => 192,
            Self::Sha2_256s | Self::Sha2_256f | Self::Shake256s | Self::Shake256f => 256,
        };
        SignatureAlgorithm {
            family: SignatureFamily::SlhDsa,
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
            Self::Sha2_128s => verify::<Sha2_128s>(key, message, signature),
            Self::Sha2_128f => verify::<Sha2_128f>(key, message, signature),
            Self::Sha2_192s => verify::<Sha2_192s>(key, message, signature),
            Self::Sha2_192f => verify::<Sha2_192f>(key, message, signature),
            Self::Sha2_256s => verify::<Sha2_256s>(key, message, signature),
            Self::Sha2_256f => verify::<Sha2_256f>(key, message, signature),
            Self::Shake128s => verify::<Shake128s>(key, message, signature),
            Self::Shake128f => verify::<Shake128f>(key, message, signature),
            Self::Shake192s => verify::<Shake192s>(key, message, signature),
            Self::Shake192f => verify::<Shake192f>(key, message, signature),
            Self::Shake256s => verify::<Shake256s>(key, message, signature),
            Self::Shake256f => verify::<Shake256f>(key, message, signature),
        }
    }
}

fn verify<P: ParameterSet>(
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<bool, Unsupported> {
    let key = VerifyingKey::<P>::try_from(key).map_err(|_| Unsupported::Key)?;
    let signature = Signature::<P>::try_from(signature);
    Ok(signature.is_ok_and(|signature| {
        key.try_verify_with_context(message, &[], &signature)
            .is_ok()
    }))
}
