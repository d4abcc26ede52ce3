//! The signature of a token: form of the SignedData, signed attributes, certificate of the signer, signature value.

use formats::cms::{EssCertId, SignedData, SignerIdentifier, SignerInfo};
use formats::digest::DigestAlgorithm;
use formats::oid;
use formats::tsp::TimeStampToken;
use formats::x509::Certificate;

use super::{EndReason, Judge, algorithm_name, carried};
use crate::budget::Resource;
use crate::bulk::cache::verify_signature;
use crate::crypto::{SignatureCheck, signs_its_algorithms};
use crate::finding::{path as path_codes, signature as signature_codes, timestamp as codes};
use crate::notes::NONE;
use crate::verdict::SubIndication;

/// Checks everything up to the signature value; gives the certificate of the signer if there is one.
pub(super) fn check(judge: &mut Judge<'_>, token: &TimeStampToken) -> Option<Certificate> {
    check_version(judge, &token.signed_data);
    let [signer] = token.signed_data.signers.as_slice() else {
        judge.notes.broken(
            SubIndication::FormatFailure,
            codes::TOKEN_SIGNER_COUNT,
            [token.signed_data.signers.len()],
        );
        return None;
    };
    check_signer_version(judge, signer);
    check_declared_digests(judge, &token.signed_data, signer);
    check_attributes(judge, token, signer);
    carried::check_unsigned(judge, signer);
    let certificate = find_certificate(judge, token, signer)?;
    check_signature(judge, signer, &certificate);
    Some(certificate)
}

/// The version follows from the content (RFC 5652 §5.1). It is not signed, so it must be right.
fn check_version(judge: &mut Judge<'_>, signed_data: &SignedData) {
    let demanded = carried::demanded_version(signed_data);
    match (signed_data.version, demanded) {
        (version, demanded) if version == demanded => {}
        (3, 5) => judge.notes.note(codes::CMS_VERSION_OLD, NONE),
        (version, demanded) => judge.notes.because(
            SubIndication::SigConstraintsFailure,
            codes::CMS_VERSION_WRONG,
            [version, demanded],
        ),
    }
}

fn check_signer_version(judge: &mut Judge<'_>, signer: &SignerInfo) {
    let demanded = match signer.identifier {
        SignerIdentifier::IssuerAndSerial { .. } => 1,
        SignerIdentifier::KeyIdentifier(_) => 3,
    };
    if signer.version != demanded {
        judge.notes.because(
            SubIndication::SigConstraintsFailure,
            codes::SIGNER_VERSION_WRONG,
            [signer.version, demanded],
        );
    }
}

/// The declared digest algorithms are not signed: they must be those that are used, and nothing else.
fn check_declared_digests(judge: &mut Judge<'_>, signed_data: &SignedData, signer: &SignerInfo) {
    let used = &signer.digest_algorithm;
    let declared = &signed_data.digest_algorithms;
    if !declared.iter().any(|algorithm| algorithm.oid == used.oid) {
        judge.notes.because(
            SubIndication::SigConstraintsFailure,
            codes::CMS_DIGEST_NOT_DECLARED,
            [algorithm_name(used)],
        );
    }
    for algorithm in declared {
        let known = algorithm.digest_algorithm().is_some();
        if algorithm.oid != used.oid {
            judge.notes.because(
                SubIndication::SigConstraintsFailure,
                codes::CMS_DIGEST_DECLARED_TOO_MUCH,
                [algorithm_name(algorithm)],
            );
        } else if !known && DigestAlgorithm::from_oid(&algorithm.oid).is_some() {
            judge.notes.because(
                SubIndication::SigConstraintsFailure,
                codes::ALGORITHM_PARAMETERS_WRONG,
                [algorithm_name(algorithm)],
            );
        }
    }
}

fn check_attributes(judge: &mut Judge<'_>, token: &TimeStampToken, signer: &SignerInfo) {
    if signer.signed_attributes.is_none() {
        judge.notes.broken(
            SubIndication::FormatFailure,
            codes::SIGNED_ATTRIBUTES_MISSING,
            NONE,
        );
        return;
    }
    match signer.content_type() {
        Ok(Some(content_type)) if content_type == oid::TST_INFO => {}
        Ok(Some(_)) => judge.notes.broken(
            SubIndication::FormatFailure,
            codes::CONTENT_TYPE_ATTRIBUTE_WRONG,
            NONE,
        ),
        Ok(None) | Err(_) => judge.notes.broken(
            SubIndication::FormatFailure,
            codes::SIGNED_ATTRIBUTE_COUNT,
            ["contentType"],
        ),
    }
    match signer.message_digest() {
        Ok(Some(signed)) => check_message_digest(judge, token, signer, &signed),
        Ok(None) | Err(_) => judge.notes.broken(
            SubIndication::FormatFailure,
            codes::SIGNED_ATTRIBUTE_COUNT,
            ["messageDigest"],
        ),
    }
    check_protection(judge, signer);
}

/// The algorithms that the signer states are those that it signed, where it signed any (RFC 6211 §3).
fn check_protection(judge: &mut Judge<'_>, signer: &SignerInfo) {
    match signs_its_algorithms(signer) {
        Ok(None | Some(true)) => {}
        Ok(Some(false)) => judge.notes.broken(
            SubIndication::SigCryptoFailure,
            signature_codes::SIGNED_ALGORITHMS_DIFFER,
            NONE,
        ),
        Err(error) => judge.notes.broken(
            SubIndication::FormatFailure,
            signature_codes::SIGNED_ALGORITHMS_MALFORMED,
            [error],
        ),
    }
}

fn check_message_digest(
    judge: &mut Judge<'_>,
    token: &TimeStampToken,
    signer: &SignerInfo,
    signed: &[u8],
) {
    let Some(algorithm) = signer.digest_algorithm.digest_algorithm() else {
        let name = algorithm_name(&signer.digest_algorithm);
        let code = if DigestAlgorithm::from_oid(&signer.digest_algorithm.oid).is_some() {
            codes::ALGORITHM_PARAMETERS_WRONG
        } else {
            codes::DIGEST_UNKNOWN
        };
        judge.notes.unknown(SubIndication::Custom, code, [name]);
        return;
    };
    if algorithm.digest(token.info.raw()).as_bytes() != signed {
        judge.notes.broken(
            SubIndication::HashFailure,
            codes::MESSAGE_DIGEST_MISMATCH,
            NONE,
        );
    }
    let judged = judge
        .context
        .policy
        .judge_digest(algorithm, judge.standing.judged_at);
    judge.check_algorithm(algorithm.name(), EndReason::Digest(algorithm), judged);
}

/// The certificate that the signer names and that the token signed as its own (RFC 5652 §5.3, RFC 5035 §5).
///
/// Two certificates may have the same issuer and serial number; the signed digest decides between them.
fn find_certificate(
    judge: &mut Judge<'_>,
    token: &TimeStampToken,
    signer: &SignerInfo,
) -> Option<Certificate> {
    let own = named_certificates(token.signed_data.x509_certificates(), signer);
    let references = match signer.signing_certificates() {
        Ok(references) => references,
        Err(error) => {
            judge.notes.broken(
                SubIndication::FormatFailure,
                codes::SIGNING_CERTIFICATE_MALFORMED,
                [error],
            );
            return own.into_iter().next();
        }
    };
    let ids: Vec<&EssCertId> = references.signer_ids().collect();
    let given = judge.context.certificates.iter().map(Vec::as_slice);
    let anchors = judge.context.anchors.iter();
    let anchors = anchors.map(|anchor| anchor.certificate());
    let others = named_certificates(given.chain(anchors), signer);
    if ids.is_empty() && !(own.is_empty() && others.is_empty()) {
        judge.notes.because(
            SubIndication::SigConstraintsFailure,
            codes::SIGNING_CERTIFICATE_ATTRIBUTE_MISSING,
            NONE,
        );
        return own.into_iter().chain(others).next();
    }
    let is_bound = |certificate: &&Certificate| {
        ids.iter()
            .all(|id| id.matches(certificate.raw()) == Some(true))
    };
    if let Some(certificate) = own.iter().chain(&others).find(is_bound) {
        check_reference(judge, &ids, certificate);
        return Some(certificate.clone());
    }
    let Some(first) = own.into_iter().next() else {
        judge.notes.unknown(
            SubIndication::NoSigningCertificateFound,
            codes::SIGNER_CERTIFICATE_NOT_FOUND,
            NONE,
        );
        return None;
    };
    if let Some(id) = ids.iter().find(|id| id.matches(first.raw()).is_none()) {
        let name = algorithm_name(&id.algorithm);
        judge
            .notes
            .unknown(SubIndication::Custom, codes::DIGEST_UNKNOWN, [name]);
    } else {
        judge.notes.broken(
            SubIndication::HashFailure,
            codes::SIGNING_CERTIFICATE_MISMATCH,
            NONE,
        );
    }
    Some(first)
}

/// Issuer and serial number in the signed reference, where they stand, are those of the certificate (RFC 5035 §4).
fn check_reference(judge: &mut Judge<'_>, ids: &[&EssCertId], certificate: &Certificate) {
    for id in ids {
        if id.algorithm.digest_algorithm() == Some(DigestAlgorithm::Sha1) && ids.len() == 1 {
            judge.notes.note(codes::SIGNING_CERTIFICATE_SHA1, NONE);
        }
        let Some(named) = &id.issuer_serial else {
            continue;
        };
        let same_issuer = named
            .issuer_name
            .as_deref()
            .is_some_and(|name| name == certificate.issuer());
        if named.serial != *certificate.serial() || !same_issuer {
            judge
                .notes
                .note(codes::SIGNING_CERTIFICATE_NAME_DIFFERS, NONE);
        }
    }
}

/// Every certificate that has the issuer and serial number, or the key identifier, of the signer.
pub(crate) fn named_certificates<'c>(
    certificates: impl Iterator<Item = &'c [u8]>,
    signer: &SignerInfo,
) -> Vec<Certificate> {
    certificates
        .filter_map(|bytes| Certificate::parse(bytes).ok())
        .filter(|certificate| is_named(certificate, &signer.identifier))
        .collect()
}

fn is_named(certificate: &Certificate, identifier: &SignerIdentifier) -> bool {
    match identifier {
        SignerIdentifier::IssuerAndSerial { issuer, serial } => {
            certificate.issuer() == issuer && certificate.serial() == serial
        }
        SignerIdentifier::KeyIdentifier(wanted) => {
            carried::key_identifier(certificate).is_some_and(|own| own == *wanted)
        }
    }
}

fn check_signature(judge: &mut Judge<'_>, signer: &SignerInfo, certificate: &Certificate) {
    let Some(attributes) = &signer.signed_attributes else {
        return;
    };
    if let Err(exhausted) = judge.budget.spend(Resource::Signatures, 2) {
        judge.notes.unknown(
            SubIndication::Custom,
            path_codes::BUDGET_EXHAUSTED,
            [exhausted],
        );
        return;
    }
    let verify = |message: &[u8]| {
        verify_signature(
            judge.context.cache,
            certificate.spki(),
            &signer.signature_algorithm.oid,
            signer.signature_algorithm.parameters.as_deref(),
            signer.digest_algorithm.digest_algorithm(),
            message,
            &signer.signature,
        )
    };
    // RFC 5652 §5.4: over the DER encoding, however they are stored.
    let mut answer = verify(&attributes.signed_bytes_der_sorted());
    if answer == SignatureCheck::Invalid {
        answer = verify(attributes.signed_bytes());
        if !attributes.is_der_sorted() && answer.is_valid() {
            judge.notes.because(
                SubIndication::SigConstraintsFailure,
                codes::SIGNED_ATTRIBUTES_UNSORTED,
                NONE,
            );
        }
    } else if !attributes.is_der_sorted() {
        judge.notes.note(codes::SIGNED_ATTRIBUTES_SORTED, NONE);
    }
    match answer {
        SignatureCheck::Valid(algorithm) => {
            judge.signature_algorithm = Some(algorithm);
            let judged = judge
                .context
                .policy
                .judge_signature(algorithm, judge.standing.judged_at);
            judge.check_algorithm(
                &algorithm.to_string(),
                EndReason::Signature(algorithm),
                judged,
            );
        }
        SignatureCheck::Invalid => judge.notes.broken(
            SubIndication::SigCryptoFailure,
            codes::SIGNATURE_INVALID,
            [certificate.subject_text()],
        ),
        SignatureCheck::Unsupported(reason) => judge.notes.unknown(
            SubIndication::Custom,
            codes::SIGNATURE_UNSUPPORTED,
            [reason.text()],
        ),
    }
}
