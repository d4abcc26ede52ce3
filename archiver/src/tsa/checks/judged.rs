//! The part of the checks that the verifier makes: signature, binding to the certificate, its purposes, its path to an anchor.

use time::OffsetDateTime;
use verifier::context::Context;
use verifier::finding::{Code, Finding, Place, Severity, crypto, path, revocation, timestamp};
use verifier::path::TrustAnchor;
use verifier::source::KnownDigests;
use verifier::timestamp::{Standing, TimestampReport, verify_token_standing};

use formats::tsp::{TimeStampRequest, TimeStampToken};

use super::{CLOCK_TOLERANCE, Check, Trust};
use crate::tsa::material::Collected;
use crate::tsa::refusal::Refusal;

/// What the verifier says about a token at a moment.
pub(super) fn judge(
    token: &TimeStampToken,
    request: &TimeStampRequest,
    trust: &Trust,
    collected: &Collected,
    moment: OffsetDateTime,
) -> TimestampReport {
    let anchors: Vec<TrustAnchor> = trust
        .anchors
        .iter()
        .filter_map(|anchor| TrustAnchor::from_certificate(anchor).ok())
        .collect();
    let certificates = [trust.certificates.as_slice(), &collected.certificates].concat();
    let crls = [trust.crls.as_slice(), &collected.crls].concat();
    let context = Context {
        anchors: &anchors,
        certificates: &certificates,
        crls: &crls,
        ocsp_responses: &collected.ocsp_responses,
        policy: &trust.policy,
        // A responder whose clock is a little ahead dates its answer into our future.
        time: moment.saturating_add(CLOCK_TOLERANCE),
        cache: None,
        registry: None,
    };
    let imprint = request.imprint.value();
    let data = KnownDigests::computed("imprint", imprint.into_iter().collect());
    let standing = Standing {
        judged_at: moment,
        protected: false,
    };
    let place = Place::root();
    verify_token_standing(token.raw(), Some(&data), standing, &context, &place)
}

/// Whether more material could turn the report: nothing is wrong but that a path or its revocation cannot be told.
pub(super) fn lacks_material(report: &TimestampReport) -> bool {
    let lacking = [path::NO_PATH_FOUND, revocation::REVOCATION_UNKNOWN];
    let findings = report.findings.iter();
    let mut errors = findings
        .filter(|finding| finding.severity() == Severity::Error)
        .peekable();
    errors.peek().is_some() && errors.all(|finding| lacking.contains(&finding.code()))
}

/// What the verifier says about CRLs and OCSP responses that it left out.
pub(super) fn left_out(report: &TimestampReport) -> Vec<Finding> {
    let about = |finding: &&Finding| {
        let id = finding.code().id();
        id.starts_with("CRL_") || id.starts_with("OCSP_")
    };
    report.findings.iter().filter(about).cloned().collect()
}

/// The refusal that the report gives for each check, if any.
pub(super) fn refusal_for(check: Check, report: &TimestampReport) -> Option<Refusal> {
    let rows = REFUSALS.iter().filter(|(of, _, _)| *of == check);
    rows.filter_map(|(_, refusal, codes)| {
        let findings = report.findings.iter();
        let mut errors = findings.filter(|finding| finding.severity() == Severity::Error);
        Some(refusal(
            errors.find(|finding| codes.contains(&finding.code()))?,
        ))
    })
    .next()
}

/// The refusal for an error that no other check names.
pub(super) fn other_refusal(report: &TimestampReport) -> Option<Refusal> {
    if report.judgement.is_passed() {
        return None;
    }
    let named = |code: Code| REFUSALS.iter().any(|(_, _, codes)| codes.contains(&code));
    let errors = || {
        let findings = report.findings.iter();
        findings.filter(|finding| finding.severity() == Severity::Error)
    };
    let unnamed = errors().find(|finding| !named(finding.code()));
    if unnamed.is_none() && errors().next().is_some() {
        return None;
    }
    Some(Refusal::Verification(unnamed.cloned().map(Box::new)))
}

/// A check, the refusal, and the verifier's codes that lead to it.
type Row = (Check, fn(&Finding) -> Refusal, &'static [Code]);

/// Which of the verifier's codes lead to which refusal.
const REFUSALS: &[Row] = &[
    // These two were compared before; the rows keep their codes from being told twice.
    (
        Check::Imprint,
        |_| Refusal::Imprint,
        &[
            timestamp::IMPRINT_MISMATCH,
            timestamp::IMPRINT_LENGTH_WRONG,
            timestamp::IMPRINT_DIGEST_UNKNOWN,
        ],
    ),
    (
        Check::Signers,
        |_| Refusal::SignerCount { count: 0 },
        &[timestamp::TOKEN_SIGNER_COUNT],
    ),
    (
        Check::Certificate,
        |_| Refusal::CertificateMissing,
        &[timestamp::SIGNER_CERTIFICATE_NOT_FOUND],
    ),
    (
        Check::Signature,
        |_| Refusal::ContentChanged,
        &[timestamp::MESSAGE_DIGEST_MISMATCH],
    ),
    (
        Check::Signature,
        |_| Refusal::SignedAttributes,
        &[
            timestamp::SIGNED_ATTRIBUTES_MISSING,
            timestamp::SIGNED_ATTRIBUTE_COUNT,
            timestamp::CONTENT_TYPE_ATTRIBUTE_WRONG,
        ],
    ),
    (
        Check::Signature,
        |_| Refusal::Signature,
        &[timestamp::SIGNATURE_INVALID],
    ),
    (
        Check::Binding,
        |_| Refusal::CertificateBinding,
        &[
            timestamp::SIGNING_CERTIFICATE_ATTRIBUTE_MISSING,
            timestamp::SIGNING_CERTIFICATE_MALFORMED,
            timestamp::SIGNING_CERTIFICATE_MISMATCH,
        ],
    ),
    (
        Check::Algorithm,
        |finding| Refusal::Algorithm(Box::new(finding.clone())),
        &[
            timestamp::SIGNATURE_UNSUPPORTED,
            timestamp::DIGEST_UNKNOWN,
            timestamp::ALGORITHM_PARAMETERS_WRONG,
            path::CERTIFICATE_SIGNATURE_UNSUPPORTED,
            crypto::ALGORITHM_NOT_TRUSTED,
            crypto::ALGORITHM_NOT_LISTED,
        ],
    ),
    (
        Check::Usage,
        |_| Refusal::UsageMissing,
        &[path::EXTENDED_KEY_USAGE_MISSING],
    ),
    (
        Check::Usage,
        |_| Refusal::UsageNotCritical,
        &[path::EXTENDED_KEY_USAGE_NOT_CRITICAL],
    ),
    (
        Check::Usage,
        |_| Refusal::UsageNotAlone,
        &[path::EXTENDED_KEY_USAGE_NOT_SOLE],
    ),
    (
        Check::Validity,
        |_| Refusal::CertificateNotValidThen,
        &[
            timestamp::TOKEN_BEFORE_CERTIFICATE,
            timestamp::TOKEN_EXPIRED_NO_POE,
            path::CERTIFICATE_EXPIRED,
            path::CERTIFICATE_NOT_YET_VALID,
        ],
    ),
    (
        Check::Path,
        |_| Refusal::NotTrusted,
        &[
            path::NO_TRUST_ANCHORS,
            path::NO_PATH_FOUND,
            path::CERTIFICATE_SIGNATURE_INVALID,
        ],
    ),
    (
        Check::Revocation,
        |finding| Refusal::Revoked(Box::new(finding.clone())),
        &[path::CERTIFICATE_REVOKED],
    ),
    (
        Check::Revocation,
        |_| Refusal::RevocationUnknown {
            tried: Vec::new(),
            left_out: Vec::new(),
        },
        &[revocation::REVOCATION_UNKNOWN],
    ),
];
