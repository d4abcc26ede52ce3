//! Object identifiers of signature algorithms, and their parameters.

use formats::digest::DigestAlgorithm;
use formats::oid::{self, Oid};

use super::Unsupported;
use super::ml_dsa::ParameterSet;
use super::slh_dsa::{NIST_SIGNATURES, SlhParameterSet};
use crate::certificate::Algorithm;
use crate::der::{INTEGER, NULL, Reader, SEQUENCE, context_constructed};

/// How a signature is computed, as the AlgorithmIdentifier says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    RsaPkcs1(DigestAlgorithm),
    RsaPss(PssParameters),
    /// `r` and `s` in DER.
    Ecdsa(DigestAlgorithm),
    /// `r` and `s` one after the other (BSI TR-03111 §5.2.1).
    EcdsaPlain(DigestAlgorithm),
    Dsa(DigestAlgorithm),
    Ed25519,
    Ed448,
    MlDsa(ParameterSet),
    SlhDsa(SlhParameterSet),
}

/// ```text
/// RSASSA-PSS-params ::= SEQUENCE {
///      hashAlgorithm [0] HashAlgorithm DEFAULT sha1, maskGenAlgorithm [1] MaskGenAlgorithm DEFAULT mgf1SHA1,
///      saltLength [2] INTEGER DEFAULT 20, trailerField [3] TrailerField DEFAULT trailerFieldBC }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PssParameters {
    pub(super) digest: DigestAlgorithm,
    pub(super) mask_digest: DigestAlgorithm,
    pub(super) salt_length: u32,
}

/// Whether an identifier names its digest.
#[derive(Clone, Copy)]
enum Kind {
    RsaPkcs1,
    Ecdsa,
    EcdsaPlain,
    Dsa,
}

use DigestAlgorithm as D;
use Kind::{Dsa, Ecdsa, RsaPkcs1};

/// Identifiers that name the digest.
const NAMED: &[(Oid, Kind, D)] = &[
    (oid::MD5_WITH_RSA, RsaPkcs1, D::Md5),
    (oid::SHA1_WITH_RSA, RsaPkcs1, D::Sha1),
    (oid::RIPEMD160_WITH_RSA, RsaPkcs1, D::Ripemd160),
    (oid::SHA224_WITH_RSA, RsaPkcs1, D::Sha224),
    (oid::SHA256_WITH_RSA, RsaPkcs1, D::Sha256),
    (oid::SHA384_WITH_RSA, RsaPkcs1, D::Sha384),
    (oid::SHA512_WITH_RSA, RsaPkcs1, D::Sha512),
    (oid::SHA512_256_WITH_RSA, RsaPkcs1, D::Sha512_256),
    (oid::SHA3_224_WITH_RSA, RsaPkcs1, D::Sha3_224),
    (oid::SHA3_256_WITH_RSA, RsaPkcs1, D::Sha3_256),
    (oid::SHA3_384_WITH_RSA, RsaPkcs1, D::Sha3_384),
    (oid::SHA3_512_WITH_RSA, RsaPkcs1, D::Sha3_512),
    (oid::ECDSA_WITH_SHA1, Ecdsa, D::Sha1),
    (oid::ECDSA_WITH_SHA224, Ecdsa, D::Sha224),
    (oid::ECDSA_WITH_SHA256, Ecdsa, D::Sha256),
    (oid::ECDSA_WITH_SHA384, Ecdsa, D::Sha384),
    (oid::ECDSA_WITH_SHA512, Ecdsa, D::Sha512),
    (oid::ECDSA_WITH_SHA3_224, Ecdsa, D::Sha3_224),
    (oid::ECDSA_WITH_SHA3_256, Ecdsa, D::Sha3_256),
    (oid::ECDSA_WITH_SHA3_384, Ecdsa, D::Sha3_384),
    (oid::ECDSA_WITH_SHA3_512, Ecdsa, D::Sha3_512),
    (oid::DSA_WITH_SHA1, Dsa, D::Sha1),
    (oid::DSA_WITH_SHA256, Dsa, D::Sha256),
];

/// Identifiers without a name in `formats::oid`, as content octets.
const UNNAMED: &[(&[u8], Kind, D)] = &[
    // 1.3.14.3.2.29, sha1WithRSASignature of OIW, in certificates of the 1990s
    (&[0x2b, 0x0e, 0x03, 0x02, 0x1d], RsaPkcs1, D::Sha1),
    // dsa-with-sha224 (RFC 5758), dsa-with-sha384 and -sha512 (NIST)
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x01],
        Dsa,
        D::Sha224,
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x03],
        Dsa,
        D::Sha384,
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x04],
        Dsa,
        D::Sha512,
    ),
];

/// ecdsa-plain-signatures, 0.4.0.127.0.7.1.1.4.1 (BSI TR-03111 §5.2.1.1); the last arc names the digest.
const ECDSA_PLAIN: &[u8] = &[0x04, 0x00, 0x7f, 0x00, 0x07, 0x01, 0x01, 0x04, 0x01];
const ECDSA_PLAIN_DIGESTS: &[(u8, D)] = &[
    (1, D::Sha1),
    (2, D::Sha224),
    (3, D::Sha256),
    (4, D::Sha384),
    (5, D::Sha512),
    (6, D::Ripemd160),
    (8, D::Sha3_224),
    (9, D::Sha3_256),
    (10, D::Sha3_384),
    (11, D::Sha3_512),
];

impl Kind {
    const fn with(self, digest: DigestAlgorithm) -> Scheme {
        match self {
            Self::RsaPkcs1 => Scheme::RsaPkcs1(digest),
            Self::Ecdsa => Scheme::Ecdsa(digest),
            Self::EcdsaPlain => Scheme::EcdsaPlain(digest),
            Self::Dsa => Scheme::Dsa(digest),
        }
    }
}

impl Scheme {
    /// The scheme of an AlgorithmIdentifier. `digest` is used where the identifier is only that of a key type, as CMS allows (RFC 3370 §3.2).
    pub(super) fn of(
        algorithm: &Oid,
        parameters: Option<&[u8]>,
        digest: Option<DigestAlgorithm>,
    ) -> Result<Self, Unsupported> {
        if *algorithm == oid::RSASSA_PSS {
            let parameters = parameters.ok_or(Unsupported::Parameters)?;
            return PssParameters::parse(parameters).map(Self::RsaPss);
        }
        if *algorithm == oid::ED25519 || *algorithm == oid::ED448 {
            // RFC 8410 §3: the parameters must be absent.
            return match parameters {
                Some(_) => Err(Unsupported::Parameters),
                None if *algorithm == oid::ED25519 => Ok(Self::Ed25519),
                None => Ok(Self::Ed448),
            };
        }
        if let Some(set) = ParameterSet::of(algorithm) {
            // RFC 9881 §2, RFC 9882 §3: the parameters are absent.
            return match parameters {
                Some(_) => Err(Unsupported::Parameters),
                None => Ok(Self::MlDsa(set)),
            };
        }
        if let Some(set) = SlhParameterSet::of(algorithm) {
            // RFC 9814 §4, RFC 9909 §3: the parameters are absent.
            return match parameters {
                Some(_) => Err(Unsupported::Parameters),
                None => Ok(Self::SlhDsa(set)),
            };
        }
        let (kind, named) = kind_of(algorithm).ok_or_else(|| {
            named_unsupported(algorithm).unwrap_or(Unsupported::SignatureAlgorithm)
        })?;
        // RFC 3279 §2.2, RFC 3370 §3.2: NULL or nothing. ECDSA and DSA say nothing, but NULL is found.
        if parameters.is_some_and(|parameters| parameters != [NULL, 0]) {
            return Err(Unsupported::Parameters);
        }
        let digest = named.or(digest).ok_or(Unsupported::Digest)?;
        Ok(kind.with(digest))
    }
}

/// What a known identifier that is not computed here stands for.
pub(super) fn named_unsupported(algorithm: &Oid) -> Option<Unsupported> {
    // id-alg of PKIX, 1.3.6.1.5.5.7.6: 37 to 54 are the composites; before, an arc of Entrust, 2.16.840.1.114027.80.8.1.
    const PKIX: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x06];
    const ENTRUST: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x86, 0xfa, 0x6b, 0x50, 0x08, 0x01];
    let octets = algorithm.as_bytes();
    match (
        octets.strip_prefix(PKIX),
        octets.strip_prefix(NIST_SIGNATURES),
    ) {
        (Some([37..=54]), _) => Some(Unsupported::Composite),
        (_, Some([32..=46])) => Some(Unsupported::PreHash),
        _ => octets.strip_prefix(ENTRUST).map(|_| Unsupported::Composite),
    }
}

fn kind_of(algorithm: &Oid) -> Option<(Kind, Option<DigestAlgorithm>)> {
    for (oid, kind) in [
        (oid::RSA_ENCRYPTION, RsaPkcs1),
        (oid::EC_PUBLIC_KEY, Ecdsa),
        (oid::DSA, Dsa),
    ] {
        if *algorithm == oid {
            return Some((kind, None));
        }
    }
    if let Some([last]) = algorithm.as_bytes().strip_prefix(ECDSA_PLAIN) {
        let found = ECDSA_PLAIN_DIGESTS.iter().find(|(arc, _)| arc == last);
        return found.map(|(_, digest)| (Kind::EcdsaPlain, Some(*digest)));
    }
    let named = NAMED
        .iter()
        .map(|(oid, kind, digest)| (oid.as_bytes(), *kind, *digest));
    let unnamed = UNNAMED.iter().copied();
    named
        .chain(unnamed)
        .find(|(oid, _, _)| *oid == algorithm.as_bytes())
        .map(|(_, kind, digest)| (kind, Some(digest)))
}

impl PssParameters {
    pub(super) fn parse(der: &[u8]) -> Result<Self, Unsupported> {
        Self::read(der).unwrap_or(Err(Unsupported::Parameters))
    }

    fn read(der: &[u8]) -> crate::der::Result<Result<Self, Unsupported>> {
        const STRUCTURE: &str = "RSASSA-PSS-params";
        let mut fields = Reader::single(der, SEQUENCE, STRUCTURE)?.reader(STRUCTURE);
        let mut member = |number| fields.optional(context_constructed(number));
        let (digest, mask, salt, trailer) = (member(0)?, member(1)?, member(2)?, member(3)?);
        fields.finish()?;
        let digest = match digest {
            None => Some(DigestAlgorithm::Sha1),
            Some(element) => digest_of(&Algorithm::parse(element.content)?),
        };
        let mask_digest = match mask {
            None => Some(DigestAlgorithm::Sha1),
            Some(element) => {
                let function = Algorithm::parse(element.content)?;
                if function.oid != oid::MGF1 {
                    return Ok(Err(Unsupported::SignatureAlgorithm));
                }
                digest_of(&Algorithm::parse(
                    function.parameters.ok_or(fields.error())?,
                )?)
            }
        };
        let number = |element: crate::der::Element<'_>| {
            Reader::single(element.content, INTEGER, STRUCTURE)?.small_unsigned(STRUCTURE)
        };
        let salt_length = salt.map_or(Ok(20), number)?;
        if trailer.map_or(Ok(1), number)? != 1 {
            return Err(fields.error());
        }
        let (Some(digest), Some(mask_digest)) = (digest, mask_digest) else {
            return Ok(Err(Unsupported::Digest));
        };
        Ok(Ok(Self {
            digest,
            mask_digest,
            salt_length,
        }))
    }
}

/// The digest of an AlgorithmIdentifier, with parameters absent or NULL.
fn digest_of(algorithm: &Algorithm<'_>) -> Option<DigestAlgorithm> {
    match algorithm.parameters {
        None | Some([NULL, 0]) => DigestAlgorithm::from_oid(&algorithm.oid),
        Some(_) => None,
    }
}
