//! What a judgement used: the objects, the algorithms, the process. The ETSI report shows them whole, the JSON report by their digests.

use std::sync::Arc;

use formats::digest::{DigestAlgorithm, DigestValue};
use time::OffsetDateTime;

use crate::algorithm::{AlgorithmJudgement, SignatureAlgorithm};
use crate::path::{PathOutcome, TrustAnchor};
use crate::revocation::Reason;

/// The process of EN 319 102-1 by which an object was judged.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ValidationProcess {
    /// Basic signatures (EN 319 102-1 §5.3).
    Basic,
    /// Time-stamps (EN 319 102-1 §5.4).
    Timestamp,
    /// Signatures with time and with long-term validation material (EN 319 102-1 §5.5).
    LongTermMaterial,
    /// Signatures that provide long-term availability and integrity of validation material (EN 319 102-1 §5.6).
    ArchiveMaterial,
}

impl ValidationProcess {
    /// The word in the JSON report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Timestamp => "timestamp",
            Self::LongTermMaterial => "long-term-material",
            Self::ArchiveMaterial => "archive-material",
        }
    }

    /// The identifier of TS 119 102-2 §4.3.11; that standard has none for time-stamps.
    #[must_use]
    pub const fn urn(self) -> Option<&'static str> {
        match self {
            Self::Basic => Some("urn:etsi:019102:validationprocess:Basic"),
            Self::LongTermMaterial => Some("urn:etsi:019102:validationprocess:LTVM"),
            Self::ArchiveMaterial => Some("urn:etsi:019102:validationprocess:LTA"),
            Self::Timestamp => None,
        }
    }
}

/// What a used object was used as.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum UsedRole {
    /// The certificate of the signer.
    SigningCertificate,
    /// Another certificate of the path.
    Certificate,
    /// The certificate of the trust anchor at the end of the path.
    TrustAnchor,
    /// A CRL on which the answer about a certificate rests.
    Crl,
    /// An OCSP response on which the answer about a certificate rests.
    OcspResponse,
    /// A time-stamp token.
    TimestampToken,
    /// An evidence record.
    EvidenceRecord,
    /// The octets of a signature value.
    Signature,
    /// What the signature value was computed over (the signed attributes), by its digest.
    ToBeSigned,
    /// The data that was signed or time-stamped, by the digest that the evidence states.
    SignedData,
}

impl UsedRole {
    /// The word in the JSON report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SigningCertificate => "signing-certificate",
            Self::Certificate => "certificate",
            Self::TrustAnchor => "trust-anchor",
            Self::Crl => "crl",
            Self::OcspResponse => "ocsp-response",
            Self::TimestampToken => "timestamp-token",
            Self::EvidenceRecord => "evidence-record",
            Self::Signature => "signature",
            Self::ToBeSigned => "to-be-signed",
            Self::SignedData => "signed-data",
        }
    }
}

/// CRLs and OCSP responses of more bytes are kept by their digest alone: every time-stamp of a file may rest on the same list, and lists of
/// 60 MB exist. The largest CRL in the collected evidence has 55 kB.
pub const USED_REVOCATION_BYTES_MAX: usize = 64 * 1024;

/// One object that a judgement used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UsedObject {
    /// As what.
    pub role: UsedRole,
    content: Content,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Content {
    Bytes(Arc<[u8]>),
    Digest(DigestValue),
}

impl UsedObject {
    /// An object with its bytes: DER where it is ASN.1.
    #[must_use]
    pub fn new(role: UsedRole, bytes: &[u8]) -> Self {
        let is_list = matches!(role, UsedRole::Crl | UsedRole::OcspResponse);
        let content = if is_list && bytes.len() > USED_REVOCATION_BYTES_MAX {
            Content::Digest(DigestAlgorithm::Sha256.digest(bytes))
        } else {
            Content::Bytes(Arc::from(bytes))
        };
        Self { role, content }
    }

    /// An object of which the digest is known.
    #[must_use]
    pub const fn of_digest(role: UsedRole, digest: DigestValue) -> Self {
        let content = Content::Digest(digest);
        Self { role, content }
    }

    /// Its bytes, unless it is known, or kept, by its digest alone.
    #[must_use]
    pub const fn bytes(&self) -> Option<&Arc<[u8]>> {
        match &self.content {
            Content::Bytes(bytes) => Some(bytes),
            Content::Digest(_) => None,
        }
    }

    /// Its digest: under SHA-256 where its bytes were at hand.
    #[must_use]
    pub fn digest(&self) -> DigestValue {
        match &self.content {
            Content::Bytes(bytes) => DigestAlgorithm::Sha256.digest(bytes),
            Content::Digest(digest) => *digest,
        }
    }
}

/// An algorithm that a judgement looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UsedAlgorithm {
    /// Which.
    pub name: AlgorithmName,
    /// Whether the policy trusts it at the time for which it was judged.
    pub trusted: bool,
    /// Until when the policy trusts it.
    pub until: Option<OffsetDateTime>,
}

impl UsedAlgorithm {
    /// As the policy judged it.
    #[must_use]
    pub const fn new(name: AlgorithmName, judged: &AlgorithmJudgement) -> Self {
        let (trusted, until) = match judged {
            AlgorithmJudgement::Trusted(trust) => (true, trust.until),
            AlgorithmJudgement::Ended(trust) => (false, trust.until),
            AlgorithmJudgement::NotListed => (false, None),
        };
        Self {
            name,
            trusted,
            until,
        }
    }
}

/// A digest or signature algorithm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AlgorithmName {
    /// A digest.
    Digest(DigestAlgorithm),
    /// A signature with a key.
    Signature(SignatureAlgorithm),
}

/// A revocation that was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UsedRevocation {
    /// The certificate that is revoked.
    pub certificate: UsedObject,
    /// Since when.
    pub time: OffsetDateTime,
    /// Why.
    pub reason: Reason,
    /// The CRL or OCSP response that says so.
    pub source: UsedObject,
}

/// What a certificate path rests on, and the algorithms that were judged beside it.
#[derive(Clone, Debug, Default)]
pub struct PathUse {
    /// The certificates, and the CRLs and OCSP responses on which the answers about them rest.
    pub objects: Vec<UsedObject>,
    /// The algorithms of the object whose signer the path is for.
    pub algorithms: Vec<UsedAlgorithm>,
    /// The revocations that were found.
    pub revoked: Vec<UsedRevocation>,
}

impl PathUse {
    /// What a path rests on, the one that holds or the best one that was tried.
    pub(crate) fn of(outcome: &PathOutcome, anchors: &[TrustAnchor]) -> Self {
        let certificates = outcome.certificates();
        let mut path = Self::default();
        for (position, certificate) in certificates.iter().enumerate() {
            let mut anchors = anchors.iter();
            let is_anchor = anchors.any(|anchor| anchor.certificate() == certificate.as_slice());
            if position == 0 {
                let role = UsedRole::SigningCertificate;
                path.objects.push(UsedObject::new(role, certificate));
            }
            if is_anchor {
                let role = UsedRole::TrustAnchor;
                path.objects.push(UsedObject::new(role, certificate));
            } else if position > 0 {
                let role = UsedRole::Certificate;
                path.objects.push(UsedObject::new(role, certificate));
            }
        }
        for information in outcome.revocation() {
            let role = if information.is_ocsp() {
                UsedRole::OcspResponse
            } else {
                UsedRole::Crl
            };
            let source = UsedObject::new(role, information.bytes());
            let certificate = certificates.get(information.position());
            if let (Some((time, reason)), Some(certificate)) = (information.revoked(), certificate)
            {
                path.revoked.push(UsedRevocation {
                    certificate: UsedObject::new(UsedRole::Certificate, certificate),
                    time,
                    reason,
                    source: source.clone(),
                });
            }
            if !path.objects.contains(&source) {
                path.objects.push(source);
            }
        }
        path
    }
}
