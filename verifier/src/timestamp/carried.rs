//! What a token carries without signing it: versions, unsigned attributes, certificates, revocation information.
//!
//! None of it can make a false token true. But nothing protects it either, and a token with a changed bit must not pass
//! unnoticed; so what is carried has to be needed, or proven by its own issuer, or covered by a later proof.

use formats::cms::{CertificateChoice, RevocationInfo, SignedData, SignerInfo};
use formats::der::{Element, Reader, Tag, has_indefinite_length};
use formats::ocsp::BasicOcspResponse;
use formats::oid;
use formats::tsp::TimeStampToken;
use formats::x509::{AlgorithmIdentifier, Certificate};

use super::Judge;
use crate::budget::Resource;
use crate::bulk::cache::verify_signature;
use crate::crypto::SignatureCheck;
use crate::finding::timestamp as codes;
use crate::path::VerifiedPath;
use crate::verdict::SubIndication;

/// The version that the content demands (RFC 5652 §5.1). The content of a token is never id-data, so it is at least 3.
pub(super) fn demanded_version(signed_data: &SignedData) -> u32 {
    let other_certificate = |choice: &CertificateChoice| matches!(choice, CertificateChoice::Other(bytes) if bytes.first() == Some(&0xa3));
    let attribute_certificate = |choice: &CertificateChoice| matches!(choice, CertificateChoice::Other(bytes) if bytes.first() == Some(&0xa2));
    let other_revocation = signed_data
        .revocations
        .iter()
        .any(|info| !matches!(info, RevocationInfo::Crl(_)));
    if other_revocation || signed_data.certificates.iter().any(other_certificate) {
        5
    } else if signed_data.certificates.iter().any(attribute_certificate) {
        4
    } else {
        3
    }
}

/// Unsigned attributes are allowed and unprotected.
pub(super) fn check_unsigned(judge: &mut Judge<'_>, signer: &SignerInfo) {
    let covered = judge.covered_attribute.as_ref();
    let attributes = signer.unsigned_attributes.iter();
    let count = attributes
        .filter(|attribute| Some(&attribute.oid) != covered)
        .count();
    if count == 0 {
        return;
    }
    if judge.standing.protected {
        judge
            .notes
            .note(codes::TOKEN_UNSIGNED_ATTRIBUTES_COVERED, [count]);
    } else {
        judge.notes.because(
            SubIndication::SigConstraintsFailure,
            codes::TOKEN_UNSIGNED_ATTRIBUTES,
            [count],
        );
    }
}

/// The OCSP responses in a token.
pub(super) fn ocsp_responses(token: &TimeStampToken) -> Vec<&[u8]> {
    let revocations = token.signed_data.revocations.iter();
    revocations
        .filter_map(|info| match info {
            RevocationInfo::Ocsp { bytes, .. } => Some(bytes.as_slice()),
            RevocationInfo::Crl(_) | RevocationInfo::Other { .. } => None,
        })
        .collect()
}

/// The subject key identifier of a certificate (RFC 5280 §4.2.1.2).
pub(super) fn key_identifier(certificate: &Certificate) -> Option<Vec<u8>> {
    let parsed = certificate.x509().ok()?;
    let extension = parsed
        .extensions()
        .iter()
        .find(|extension| extension.oid.as_bytes() == oid::CE_SUBJECT_KEY_IDENTIFIER.as_bytes())?;
    let octets = Reader::single(extension.value, Tag::OCTET_STRING, "SubjectKeyIdentifier").ok()?;
    Some(octets.octets().ok()?.into_owned())
}

/// Every certificate and CRL that the token carries is needed, known, or proven by its issuer.
pub(super) fn check(judge: &mut Judge<'_>, token: &TimeStampToken, path: Option<&VerifiedPath>) {
    if judge.standing.protected || !judge.notes.judgement.is_passed() {
        return;
    }
    let known = known_certificates(judge, path);
    let mut issuers = known.clone();
    let carried: Vec<&[u8]> = token.signed_data.x509_certificates().collect();
    issuers.extend(
        carried
            .iter()
            .filter_map(|bytes| Certificate::parse(bytes).ok()),
    );
    for choice in &token.signed_data.certificates {
        check_certificate(judge, choice, &known, &issuers);
    }
    for info in &token.signed_data.revocations {
        let name = match info {
            RevocationInfo::Crl(bytes) if is_crl_proven(judge, bytes, &issuers) => continue,
            RevocationInfo::Ocsp { bytes, .. }
                if is_ocsp_proven(judge, bytes, &known, &issuers) =>
            {
                continue;
            }
            RevocationInfo::Crl(_) => "CRL",
            RevocationInfo::Ocsp { .. } => "OCSP",
            RevocationInfo::Other { .. } => "unknown",
        };
        judge.notes.because(
            SubIndication::SigConstraintsFailure,
            codes::TOKEN_REVOCATION_UNPROVEN,
            [name],
        );
    }
}

/// The certificates that do not come from the token alone: those on the path, the trust anchors, and what the caller gave.
fn known_certificates(judge: &Judge<'_>, path: Option<&VerifiedPath>) -> Vec<Certificate> {
    let on_path = path.map(VerifiedPath::certificates).unwrap_or_default();
    let given = judge.context.certificates.iter().map(Vec::as_slice);
    let anchors = judge
        .context
        .anchors
        .iter()
        .map(|anchor| anchor.certificate());
    on_path
        .iter()
        .map(Vec::as_slice)
        .chain(given)
        .chain(anchors)
        .filter_map(|bytes| Certificate::parse(bytes).ok())
        .collect()
}

fn check_certificate(
    judge: &mut Judge<'_>,
    choice: &CertificateChoice,
    known: &[Certificate],
    issuers: &[Certificate],
) {
    let parsed = match choice {
        CertificateChoice::Certificate(bytes) => Certificate::parse(bytes).ok(),
        CertificateChoice::Other(_) => None,
    };
    let name = match &parsed {
        Some(certificate) => certificate.subject_text(),
        None => "-".to_owned(),
    };
    let accounted =
        parsed.is_some_and(|certificate| is_accounted(judge, &certificate, known, issuers));
    if !accounted {
        judge.notes.because(
            SubIndication::SigConstraintsFailure,
            codes::TOKEN_CERTIFICATE_UNPROVEN,
            [name],
        );
    }
}

fn is_accounted(
    judge: &mut Judge<'_>,
    certificate: &Certificate,
    known: &[Certificate],
    issuers: &[Certificate],
) -> bool {
    let frame = signature_fills_its_octets(certificate.raw());
    let is_known = known.iter().any(|other| other.raw() == certificate.raw());
    // A cross certificate names a key that the path has under the same name, by another issuer: an alternative way, whose
    // own issuer need not be at hand. A copy of a known certificate with some bits changed is none.
    let alternative = known.iter().any(|other| {
        other.subject() == certificate.subject() && other.spki() == certificate.spki()
    }) && !known
        .iter()
        .any(|other| is_damaged_copy(certificate, other));
    frame && (is_known || alternative || is_signed_by(judge, certificate, issuers))
}

/// Whether a certificate is another one but for a few bytes. Two certificates that were really issued differ in their whole
/// signature, which has 64 bytes and more.
fn is_damaged_copy(certificate: &Certificate, known: &Certificate) -> bool {
    const BYTES_DIFFERENT_MAX: usize = 16;
    let (one, other) = (certificate.raw(), known.raw());
    let different = || one.iter().zip(other).filter(|(a, b)| a != b).count();
    one.len() == other.len() && (1..=BYTES_DIFFERENT_MAX).contains(&different())
}

fn is_signed_by(judge: &mut Judge<'_>, certificate: &Certificate, issuers: &[Certificate]) -> bool {
    issuers
        .iter()
        .filter(|issuer| issuer.subject() == certificate.issuer())
        .any(|issuer| {
            verifies(
                judge,
                issuer,
                certificate.signature_algorithm(),
                certificate.tbs(),
                certificate.signature(),
            )
        })
}

fn verifies(
    judge: &mut Judge<'_>,
    issuer: &Certificate,
    algorithm: &AlgorithmIdentifier,
    message: &[u8],
    signature: &[u8],
) -> bool {
    if judge.budget.spend(Resource::Signatures, 1).is_err() {
        return false;
    }
    let answer = verify_signature(
        judge.context.cache,
        issuer.spki(),
        &algorithm.oid,
        algorithm.parameters.as_deref(),
        None,
        message,
        signature,
    );
    matches!(answer, SignatureCheck::Valid(_))
}

/// The frame of a certificate or CRL: what is signed, with what, and the signature.
struct SignedFrame<'a> {
    tbs: Element<'a>,
    algorithm: AlgorithmIdentifier,
    signature: &'a [u8],
}

/// Reads `SEQUENCE { tbs, AlgorithmIdentifier, BIT STRING }` in DER. The last octet of a signature has no unused bits: a
/// count of them would be a bit that nobody signed.
fn signed_frame(bytes: &[u8]) -> Option<SignedFrame<'_>> {
    if has_indefinite_length(bytes).ok()? {
        return None;
    }
    let mut members = Reader::single(bytes, Tag::SEQUENCE, "signed structure")
        .ok()?
        .children("signed structure")
        .ok()?;
    let tbs = members.expect(Tag::SEQUENCE).ok()?;
    let algorithm = members.expect(Tag::SEQUENCE).ok()?;
    let algorithm = AlgorithmIdentifier::parse(algorithm.raw()).ok()?;
    let (signature, unused) = members.expect(Tag::BIT_STRING).ok()?.bit_string().ok()?;
    members.finish().ok()?;
    (unused == 0).then_some(SignedFrame {
        tbs,
        algorithm,
        signature,
    })
}

/// Whether the frame around a certificate has no bit that the signature leaves open.
fn signature_fills_its_octets(bytes: &[u8]) -> bool {
    let Some(frame) = signed_frame(bytes) else {
        return false;
    };
    // The algorithm stands a second time inside of what is signed (RFC 5280 §4.1.2.3): version, serial number, algorithm.
    let inner = || {
        let mut members = frame.tbs.children("TBSCertificate").ok()?;
        members.optional(Tag::context(0)).ok()?;
        members.expect(Tag::INTEGER).ok()?;
        let algorithm = members.expect(Tag::SEQUENCE).ok()?;
        AlgorithmIdentifier::parse(algorithm.raw()).ok()
    };
    inner().is_some_and(|algorithm| algorithm == frame.algorithm)
}

fn is_crl_proven(judge: &mut Judge<'_>, bytes: &[u8], issuers: &[Certificate]) -> bool {
    let Some(frame) = signed_frame(bytes) else {
        return false;
    };
    let inner = || {
        let mut members = frame.tbs.children("TBSCertList").ok()?;
        members.optional(Tag::INTEGER).ok()?;
        let algorithm = members.expect(Tag::SEQUENCE).ok()?;
        let algorithm = AlgorithmIdentifier::parse(algorithm.raw()).ok()?;
        let issuer = members.expect(Tag::SEQUENCE).ok()?;
        (algorithm == frame.algorithm).then(|| issuer.raw())
    };
    let Some(issuer_name) = inner() else {
        return false;
    };
    issuers
        .iter()
        .filter(|issuer| issuer.subject() == issuer_name)
        .any(|issuer| {
            verifies(
                judge,
                issuer,
                &frame.algorithm,
                frame.tbs.raw(),
                frame.signature,
            )
        })
}

/// Whether an OCSP response is signed by a certificate that is at hand, and brings none that is not accounted for.
fn is_ocsp_proven(
    judge: &mut Judge<'_>,
    bytes: &[u8],
    known: &[Certificate],
    issuers: &[Certificate],
) -> bool {
    let Ok(response) = BasicOcspResponse::parse_either(bytes) else {
        return false;
    };
    let Ok(algorithm) = AlgorithmIdentifier::parse(response.signature_algorithm) else {
        return false;
    };
    let parsed = response.certificates.iter();
    let brought: Result<Vec<Certificate>, _> =
        parsed.map(|bytes| Certificate::parse(bytes)).collect();
    let Ok(brought) = brought else { return false };
    let mut signers: Vec<Certificate> = issuers.to_vec();
    signers.extend(brought.iter().cloned());
    let accounted = brought
        .iter()
        .all(|certificate| is_accounted(judge, certificate, known, &signers));
    accounted
        && signers
            .iter()
            .filter(|signer| response.responder.names(signer.subject(), signer.spki()) == Ok(true))
            .any(|signer| {
                verifies(
                    judge,
                    signer,
                    &algorithm,
                    response.signed,
                    response.signature,
                )
            })
}
