//! The checks that every answer passes before it becomes evidence (RFC 3161 §2.2: "Upon receiving the response … the requesting
//! entity SHALL verify").
//!
//! A token that was accepted once will be asked for in 30 years, and the authority cannot be asked again then. So what a verifier
//! would hold against it later is held against it now, while another one can still be had.

use std::fmt;

use formats::tsp::{TimeStampRequest, TimeStampResponse, TimeStampToken};
use time::{Duration, OffsetDateTime};
use verifier::context::Context;
use verifier::finding::{Code, Place, Severity, crypto, path, revocation, timestamp};
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::source::KnownDigests;
use verifier::timestamp::{TimestampReport, verify_token};

use super::refusal::Refusal;
use super::transport::printable;

/// A token that passed every check, byte for byte as the authority sent it.
#[derive(Clone, PartialEq, Eq)]
pub struct AcceptedToken {
    bytes: Vec<u8>,
    gen_time: OffsetDateTime,
    authority: String,
}

/// Whom and what a client trusts.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Root certificates, DER.
    pub anchors: Vec<Vec<u8>>,
    /// Further certificates for the path, DER.
    pub certificates: Vec<Vec<u8>>,
    /// Certificate revocation lists, DER.
    pub crls: Vec<Vec<u8>>,
    /// Which algorithms are trusted, and what is demanded of certificates.
    pub policy: Policy,
}

/// What an answer is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    /// The request.
    pub request: &'a TimeStampRequest,
    /// Our clock when it was sent.
    pub sent_at: OffsetDateTime,
    /// Our clock when the answer was there.
    pub answered_at: OffsetDateTime,
    /// How far the token's time may lie outside of these two, beside its own accuracy.
    pub clock_tolerance: Duration,
}

impl Trust {
    /// Trust in some roots, with nothing else at hand.
    #[must_use]
    pub fn anchors(anchors: Vec<Vec<u8>>) -> Self {
        Self {
            anchors,
            certificates: Vec::new(),
            crls: Vec::new(),
            policy: Policy::default(),
        }
    }
}

impl AcceptedToken {
    /// Checks an answer of the authority with this name in the configuration.
    ///
    /// # Errors
    /// The first check that fails, in the order of [`Refusal`].
    pub fn check(
        answer: &[u8],
        expectation: &Expectation<'_>,
        trust: &Trust,
        authority: &str,
    ) -> Result<Self, Refusal> {
        let token = granted_token(answer)?;
        compare(&token, expectation)?;
        verify(&token, expectation, trust)?;
        Ok(Self {
            gen_time: token.info.gen_time,
            bytes: token.raw().to_vec(),
            authority: authority.to_owned(),
        })
    }

    /// The exact bytes of the token (`ContentInfo`).
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name of the authority in the configuration.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The time in the token.
    #[must_use]
    pub const fn gen_time(&self) -> OffsetDateTime {
        self.gen_time
    }
}

impl fmt::Debug for AcceptedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptedToken")
            .field("authority", &self.authority)
            .field("gen_time", &self.gen_time)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

fn granted_token(answer: &[u8]) -> Result<TimeStampToken, Refusal> {
    let response = TimeStampResponse::parse(answer).map_err(Refusal::Malformed)?;
    if !response.is_granted() {
        return Err(Refusal::Rejected {
            status: response.status.number(),
            failures: response.failures.clone(),
            text: printable(&response.texts.join("; ")),
        });
    }
    let token = response.token.as_ref().ok_or(Refusal::NoToken)?;
    TimeStampToken::parse(token).map_err(Refusal::Malformed)
}

fn compare(token: &TimeStampToken, expectation: &Expectation<'_>) -> Result<(), Refusal> {
    let request = expectation.request;
    let info = &token.info;
    if info.imprint.digest_algorithm() != request.imprint.digest_algorithm() {
        return Err(Refusal::DigestAlgorithm);
    }
    if info.imprint.bytes != request.imprint.bytes {
        return Err(Refusal::Imprint);
    }
    match (&request.nonce, &info.nonce) {
        (Some(_), None) => return Err(Refusal::NonceMissing),
        (Some(sent), Some(received)) if sent != received => return Err(Refusal::NonceMismatch),
        _ => {}
    }
    if request
        .policy
        .as_ref()
        .is_some_and(|policy| *policy != info.policy)
    {
        return Err(Refusal::Policy);
    }
    let accuracy = info
        .accuracy
        .map_or(Duration::ZERO, |accuracy| accuracy.duration());
    let slack = expectation
        .clock_tolerance
        .saturating_add(accuracy.min(ACCURACY_MAX));
    let earliest = expectation.sent_at.saturating_sub(slack);
    let latest = expectation.answered_at.saturating_add(slack);
    if info.gen_time < earliest || info.gen_time > latest {
        return Err(Refusal::ClockDisagrees {
            gen_time: info.gen_time,
            now: expectation.answered_at,
        });
    }
    let count = token.signed_data.signers.len();
    if count != 1 {
        return Err(Refusal::SignerCount { count });
    }
    if request.certificate_wanted && token.signed_data.x509_certificates().next().is_none() {
        return Err(Refusal::CertificateMissing);
    }
    Ok(())
}

/// Everything that a verifier would look at: signature, binding to the certificate, its purposes, and its path to an anchor.
fn verify(
    token: &TimeStampToken,
    expectation: &Expectation<'_>,
    trust: &Trust,
) -> Result<(), Refusal> {
    let anchors: Vec<TrustAnchor> = trust
        .anchors
        .iter()
        .filter_map(|anchor| TrustAnchor::from_certificate(anchor).ok())
        .collect();
    let context = Context {
        anchors: &anchors,
        certificates: &trust.certificates,
        crls: &trust.crls,
        ocsp_responses: &[],
        policy: &trust.policy,
        time: expectation.answered_at,
    };
    let imprint = expectation.request.imprint.value();
    let data = KnownDigests::computed("imprint", imprint.into_iter().collect());
    let report = verify_token(token.raw(), Some(&data), &context, &Place::root());
    if report.judgement.is_passed() {
        return Ok(());
    }
    Err(refusal_of(&report))
}

/// The refusal for the gravest error that the verifier found.
fn refusal_of(report: &TimestampReport) -> Refusal {
    for (refusal, codes) in REFUSALS {
        if codes.iter().any(|code| report.has(*code)) {
            return refusal.clone();
        }
    }
    let code = report
        .findings
        .iter()
        .find(|finding| finding.severity() == Severity::Error)
        .map_or("NO_CONCLUSION", |finding| finding.code().id());
    Refusal::Verification { code }
}

/// Which of the verifier's codes lead to which refusal. The first line with a code that was found decides.
const REFUSALS: &[(Refusal, &[Code])] = &[
    (
        Refusal::Signature,
        &[
            timestamp::MESSAGE_DIGEST_MISMATCH,
            timestamp::SIGNATURE_INVALID,
            timestamp::CONTENT_TYPE_ATTRIBUTE_WRONG,
        ],
    ),
    (
        Refusal::CertificateMissing,
        &[timestamp::SIGNER_CERTIFICATE_NOT_FOUND],
    ),
    (
        Refusal::CertificateBinding,
        &[
            timestamp::SIGNING_CERTIFICATE_ATTRIBUTE_MISSING,
            timestamp::SIGNING_CERTIFICATE_MALFORMED,
            timestamp::SIGNING_CERTIFICATE_MISMATCH,
        ],
    ),
    (
        Refusal::Algorithm,
        &[
            timestamp::SIGNATURE_UNSUPPORTED,
            timestamp::DIGEST_UNKNOWN,
            crypto::ALGORITHM_NOT_TRUSTED,
            crypto::ALGORITHM_NOT_LISTED,
        ],
    ),
    (Refusal::UsageMissing, &[path::EXTENDED_KEY_USAGE_MISSING]),
    (
        Refusal::UsageNotCritical,
        &[path::EXTENDED_KEY_USAGE_NOT_CRITICAL],
    ),
    (Refusal::UsageNotAlone, &[path::EXTENDED_KEY_USAGE_NOT_SOLE]),
    (
        Refusal::CertificateNotValidThen,
        &[
            timestamp::TOKEN_BEFORE_CERTIFICATE,
            timestamp::TOKEN_EXPIRED_NO_POE,
            path::CERTIFICATE_EXPIRED,
            path::CERTIFICATE_NOT_YET_VALID,
        ],
    ),
    (Refusal::Revoked, &[path::CERTIFICATE_REVOKED]),
    (
        Refusal::RevocationUnknown,
        &[revocation::REVOCATION_UNKNOWN],
    ),
    (
        Refusal::NotTrusted,
        &[
            path::NO_TRUST_ANCHORS,
            path::NO_PATH_FOUND,
            path::CERTIFICATE_SIGNATURE_INVALID,
        ],
    ),
];

/// An authority that is less sure of its time than this is not believed to be so exact by our clock check.
const ACCURACY_MAX: Duration = Duration::minutes(1);
