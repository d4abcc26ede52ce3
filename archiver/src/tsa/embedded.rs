//! The embedded timestamp authority: RFC 3161 §2 for trials and tests, not accredited by anybody.
//!
//! What it refuses, and with which `PKIFailureInfo` (RFC 3161 §2.4.2):
//!
//! | request | answer |
//! |---|---|
//! | not a `TimeStampReq`, or a digest of the wrong length for its algorithm | `badDataFormat` |
//! | a version other than 1 | `badRequest` |
//! | a digest algorithm other than SHA-2 or SHA-3 with 256 bits or more, or with parameters | `badAlg` |
//! | a policy other than [`POLICY`] | `unacceptedPolicy` |
//! | any extension, critical or not ("SHALL NOT issue a token", §2.4.1) | `unacceptedExtension` |
//! | clock outside of the validity of the authority's certificate | `timeNotAvailable` |
//! | random source or encoding fails | `systemFailure` |

use std::sync::Arc;

use firmware::clock::Clock;
use firmware::entropy::Entropy;
use formats::cms::{
    AlgorithmIdentifier, Attribute, SignedDataBuilder, SignerIdentifier, SigningCertificates,
};
use formats::der::Integer;
use formats::digest::DigestAlgorithm;
use formats::oid::{self, Oid};
use formats::tsp::{Accuracy, Failure, TimeStampRequest, TimeStampResponse, TstInfo};
use formats::x509::{Certificate, encode_pem};
use time::OffsetDateTime;

use super::certificate;
use super::error::EmbeddedError;
use super::key::AuthorityKey;
use super::server::Responder;

/// Key and certificates of an embedded authority.
#[derive(Debug)]
pub struct AuthorityMaterial {
    /// The self-signed root, DER.
    pub root: Vec<u8>,
    /// The certificate of the authority, DER.
    pub certificate: Vec<u8>,
    /// The authority's private key.
    pub key: AuthorityKey,
}

/// An authority that is ready to answer.
#[derive(Debug)]
pub struct EmbeddedAuthority {
    root: Certificate,
    certificate: Certificate,
    valid_from: OffsetDateTime,
    valid_to: OffsetDateTime,
    key: AuthorityKey,
    policy: Oid,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl AuthorityMaterial {
    /// Makes an authority. `label` goes into the names of both certificates, to tell archives apart.
    ///
    /// The root's private key exists only inside this function.
    ///
    /// # Errors
    /// [`EmbeddedError`] when the random source fails or a certificate cannot be made.
    pub fn make(
        label: &str,
        now: OffsetDateTime,
        entropy: &dyn Entropy,
    ) -> Result<Self, EmbeddedError> {
        let root_key = AuthorityKey::generate(entropy)?;
        let key = AuthorityKey::generate(entropy)?;
        let certificates = certificate::issue(label, &root_key, &key, now, entropy)?;
        Ok(Self {
            root: certificates.root,
            certificate: certificates.authority,
            key,
        })
    }
}

impl EmbeddedAuthority {
    /// Prepares an authority from its key and certificates.
    ///
    /// # Errors
    /// [`EmbeddedError::Certificate`] when a certificate cannot be read, [`EmbeddedError::Key`] when the key is not that of the
    /// certificate.
    pub fn new(
        material: AuthorityMaterial,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, EmbeddedError> {
        let damaged = |_| EmbeddedError::Certificate;
        let root = Certificate::parse(&material.root).map_err(damaged)?;
        let certificate = Certificate::parse(&material.certificate).map_err(damaged)?;
        let (valid_from, valid_to) = {
            let parsed = certificate.x509().map_err(damaged)?;
            let validity = parsed.validity();
            (
                validity.not_before.to_datetime(),
                validity.not_after.to_datetime(),
            )
        };
        if rcgen::PublicKeyData::subject_public_key_info(&material.key) != certificate.spki() {
            return Err(EmbeddedError::Key);
        }
        let policy = POLICY.parse().map_err(|_| EmbeddedError::Encoding)?;
        Ok(Self {
            root,
            certificate,
            valid_from,
            valid_to,
            key: material.key,
            policy,
            clock,
            entropy,
        })
    }

    /// The root certificate, DER.
    #[must_use]
    pub fn root(&self) -> &[u8] {
        self.root.raw()
    }

    /// The authority's certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        self.certificate.raw()
    }

    /// Answers one request. A request that cannot be granted gets a response that says why.
    #[must_use]
    pub fn respond(&self, request: &[u8]) -> Vec<u8> {
        match self.grant(request) {
            Ok(token) => TimeStampResponse::granted(token).encode(),
            Err(rejection) => {
                TimeStampResponse::rejected(rejection.failure, rejection.text).encode()
            }
        }
    }

    fn grant(&self, request: &[u8]) -> Result<Vec<u8>, Rejection> {
        let request = TimeStampRequest::parse(request).map_err(|_| {
            Rejection::new(
                Failure::BadDataFormat,
                "this is not a TimeStampReq of RFC 3161",
            )
        })?;
        self.check(&request)?;
        let now = self.clock.now();
        if now < self.valid_from || now > self.valid_to {
            return Err(Rejection::new(
                Failure::TimeNotAvailable,
                "the clock is outside of the validity of the authority's certificate",
            ));
        }
        let info = TstInfo {
            version: 1,
            policy: self.policy.clone(),
            imprint: request.imprint.clone(),
            serial: self.serial(now)?,
            gen_time: truncate_to_millisecond(now),
            gen_time_text: String::new(),
            accuracy: Some(Accuracy {
                seconds: Some(ACCURACY_SECONDS),
                ..Accuracy::default()
            }),
            ordering: false,
            nonce: request.nonce.clone(),
            tsa: None,
            extensions: Vec::new(),
        };
        self.sign(&info, request.certificate_wanted)
            .ok_or(Rejection::SYSTEM)
    }

    fn check(&self, request: &TimeStampRequest) -> Result<(), Rejection> {
        if request.version != 1 {
            return Err(Rejection::new(
                Failure::BadRequest,
                "only version 1 of TimeStampReq is known",
            ));
        }
        let algorithm = request.imprint.digest_algorithm();
        if !algorithm.is_some_and(|algorithm| ACCEPTED.contains(&algorithm)) {
            return Err(Rejection::new(
                Failure::BadAlgorithm,
                "the digest algorithm is not accepted: use SHA-2 or SHA-3 with 256 bits or more",
            ));
        }
        if request.imprint.value().is_none() {
            return Err(Rejection::new(
                Failure::BadDataFormat,
                "the digest does not have the length of its algorithm",
            ));
        }
        if !request.extensions.is_empty() {
            return Err(Rejection::new(
                Failure::UnacceptedExtension,
                "no extension of TimeStampReq is known",
            ));
        }
        if request
            .policy
            .as_ref()
            .is_some_and(|policy| *policy != self.policy)
        {
            return Err(Rejection::new(
                Failure::UnacceptedPolicy,
                "the requested policy is not that of this authority",
            ));
        }
        Ok(())
    }

    /// Microseconds since 1970 and 64 random bits: unique also over restarts and set-back clocks, at most 128 bits (§2.4.2 allows 160).
    fn serial(&self, now: OffsetDateTime) -> Result<Integer, Rejection> {
        let mut random = [0u8; 8];
        self.entropy
            .fill(&mut random)
            .map_err(|_| Rejection::SYSTEM)?;
        let micros = now.unix_timestamp_nanos().unsigned_abs() / 1000;
        let magnitude = (micros << 64) | u128::from(u64::from_be_bytes(random));
        Ok(Integer::from_unsigned(&magnitude.to_be_bytes()))
    }

    fn sign(&self, info: &TstInfo, with_certificate: bool) -> Option<Vec<u8>> {
        let binding = SigningCertificates::encode_v2(&self.certificate, DigestAlgorithm::Sha256);
        let builder = SignedDataBuilder {
            content_type: oid::TST_INFO,
            content: info.encode().ok()?,
            identifier: SignerIdentifier::of(&self.certificate),
            digest_algorithm: DigestAlgorithm::Sha256,
            signature_algorithm: AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA256),
            signed_attributes: vec![Attribute::new(oid::SIGNING_CERTIFICATE_V2, vec![binding])],
            certificates: if with_certificate {
                vec![self.certificate.raw().to_vec()]
            } else {
                Vec::new()
            },
            revocations: Vec::new(),
        };
        let token = builder
            .build(|message| Some(self.key.sign_message(message)))
            .ok()?;
        Some(token.raw().to_vec())
    }
}

impl Responder for EmbeddedAuthority {
    fn respond(&self, request: &[u8]) -> Vec<u8> {
        Self::respond(self, request)
    }

    fn root_pem(&self) -> String {
        encode_pem("CERTIFICATE", self.root())
    }
}

/// Why a request is not granted.
#[derive(Debug, Clone, Copy)]
struct Rejection {
    failure: Failure,
    text: &'static str,
}

impl Rejection {
    const SYSTEM: Self = Self::new(Failure::SystemFailure, "the authority is out of order");

    const fn new(failure: Failure, text: &'static str) -> Self {
        Self { failure, text }
    }
}

/// `GeneralizedTime` with three decimals at most: more would promise more than the accuracy says.
fn truncate_to_millisecond(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_millisecond(time.millisecond()).unwrap_or(time)
}

/// The policy of the embedded authority. It stands in the arc for documentation (RFC 5612), so that nobody takes it for a real one.
pub const POLICY: &str = "1.3.6.1.4.1.32473.1.1";

/// How far the operating system's clock is trusted to be right.
const ACCURACY_SECONDS: u32 = 1;

/// Digest algorithms that may still be stamped for the first time (CRYPTREC list, ETSI TS 119 312).
const ACCEPTED: &[DigestAlgorithm] = &[
    DigestAlgorithm::Sha256,
    DigestAlgorithm::Sha384,
    DigestAlgorithm::Sha512,
    DigestAlgorithm::Sha512_256,
    DigestAlgorithm::Sha3_256,
    DigestAlgorithm::Sha3_384,
    DigestAlgorithm::Sha3_512,
];
