//! Form and mathematics of one signature (RFC 5652 §5.4 to §5.6, §11; EN 319 122-1 §5.1, §5.2; EN 319 102-1 §5.2).

use formats::cades::SignaturePolicy;
use formats::cms::{EssCertId, SignerIdentifier, SignerInfo};
use formats::digest::DigestAlgorithm;
use formats::x509::Certificate;

use super::subject::Subject;
use crate::algorithm::{SignatureAlgorithm, SignatureFamily};
use crate::bulk::cache::verify_signature;
use crate::context::Context;
use crate::crypto::{SignatureCheck, signs_its_algorithms};
use crate::finding::signature as codes;
use crate::notes::{NONE, Notes};
use crate::source::DigestSource;
use crate::timestamp::{algorithm_name, named_certificates};
use crate::verdict::SubIndication;

/// What the trust in a signer is judged by.
pub(super) struct Basic {
    pub(super) certificate: Certificate,
    pub(super) algorithm: Option<SignatureAlgorithm>,
    pub(super) digest: Option<DigestAlgorithm>,
}

/// Checks everything up to the signature value; gives the signer's certificate if there is one.
pub(super) fn check(
    notes: &mut Notes<'_>,
    subject: &Subject<'_>,
    target: Option<&dyn DigestSource>,
    context: &Context<'_>,
) -> Option<Basic> {
    check_version(notes, subject.signer);
    check_attributes(notes, subject, target);
    let certificate = find_certificate(notes, subject, context)?;
    let algorithm = check_value(notes, subject, target, &certificate, context);
    Some(Basic {
        certificate,
        algorithm,
        digest: subject.signer.digest_algorithm.digest_algorithm(),
    })
}

fn check_version(notes: &mut Notes<'_>, signer: &SignerInfo) {
    let demanded = match signer.identifier {
        SignerIdentifier::IssuerAndSerial { .. } => 1,
        SignerIdentifier::KeyIdentifier(_) => 3,
    };
    if signer.version != demanded {
        notes.note(codes::SIGNATURE_VERSION_ODD, [signer.version, demanded]);
    }
}

fn check_attributes(
    notes: &mut Notes<'_>,
    subject: &Subject<'_>,
    target: Option<&dyn DigestSource>,
) {
    let signer = subject.signer;
    if signer.signed_attributes.is_none() {
        notes.because(
            SubIndication::SigConstraintsFailure,
            codes::SIGNATURE_WITHOUT_ATTRIBUTES,
            NONE,
        );
        return;
    }
    match signer.content_type() {
        // A countersignature has none: it is over octets that have no type (RFC 5652 §11.4).
        Ok(None) if subject.is_countersignature() => {}
        Ok(Some(stated)) if subject.is_countersignature() => {
            notes.note(codes::COUNTERSIGNATURE_CONTENT_TYPE, [stated]);
        }
        Ok(Some(stated)) if stated == subject.signed_data.content_type => {}
        Ok(Some(stated)) => notes.broken(
            SubIndication::FormatFailure,
            codes::SIGNATURE_CONTENT_TYPE_WRONG,
            [stated, subject.signed_data.content_type.clone()],
        ),
        Ok(None) | Err(_) => notes.broken(
            SubIndication::FormatFailure,
            codes::SIGNATURE_ATTRIBUTE_COUNT,
            ["contentType"],
        ),
    }
    match signer.message_digest() {
        Ok(Some(signed)) => check_digest(notes, subject, target, &signed),
        Ok(None) | Err(_) => notes.broken(
            SubIndication::FormatFailure,
            codes::SIGNATURE_ATTRIBUTE_COUNT,
            ["messageDigest"],
        ),
    }
    check_policy(notes, signer);
    check_protection(notes, signer);
}

/// The algorithms that the signer states are those that it signed, where it signed any (RFC 6211 §3).
fn check_protection(notes: &mut Notes<'_>, signer: &SignerInfo) {
    match signs_its_algorithms(signer) {
        Ok(None | Some(true)) => {}
        Ok(Some(false)) => notes.broken(
            SubIndication::SigCryptoFailure,
            codes::SIGNED_ALGORITHMS_DIFFER,
            NONE,
        ),
        Err(error) => notes.broken(
            SubIndication::FormatFailure,
            codes::SIGNED_ALGORITHMS_MALFORMED,
            [error],
        ),
    }
}

/// The constraints come from the policy of whoever judges (EN 319 102-1 §5.2.4); one that the signature names is told. One that cannot be read at
/// all cannot be told either.
fn check_policy(notes: &mut Notes<'_>, signer: &SignerInfo) {
    let Some(attributes) = &signer.signed_attributes else {
        return;
    };
    match SignaturePolicy::of(attributes) {
        Ok(None) => {}
        Ok(Some(_)) => {
            let name = policy_of(signer).unwrap_or_default();
            notes.note(codes::SIGNATURE_POLICY_NAMED, [name]);
        }
        Err(error) => notes.because(
            SubIndication::PolicyProcessingError,
            codes::SIGNATURE_POLICY_MALFORMED,
            [error],
        ),
    }
}

/// The signature policy that a signer names.
pub(super) fn policy_of(signer: &SignerInfo) -> Option<String> {
    let attributes = signer.signed_attributes.as_ref()?;
    match SignaturePolicy::of(attributes).ok()?? {
        SignaturePolicy::Explicit { oid, .. } => Some(oid.to_string()),
        SignaturePolicy::Implied => Some("implied".to_owned()),
    }
}

fn check_digest(
    notes: &mut Notes<'_>,
    subject: &Subject<'_>,
    target: Option<&dyn DigestSource>,
    signed: &[u8],
) {
    let identifier = &subject.signer.digest_algorithm;
    let Some(algorithm) = identifier.digest_algorithm() else {
        let name = algorithm_name(identifier);
        notes.unknown(
            SubIndication::Custom,
            codes::SIGNATURE_DIGEST_UNKNOWN,
            [name],
        );
        return;
    };
    let Some(target) = target else {
        notes.unknown(
            SubIndication::SignedDataNotFound,
            codes::SIGNATURE_DATA_MISSING,
            NONE,
        );
        return;
    };
    match target.digest(algorithm) {
        None => notes.unknown(
            SubIndication::SignedDataNotFound,
            codes::SIGNATURE_DATA_DIGEST_NOT_GIVEN,
            [target.name(), algorithm.name()],
        ),
        Some(digest) if digest.as_bytes() != signed => notes.broken(
            SubIndication::HashFailure,
            codes::SIGNATURE_DIGEST_MISMATCH,
            [target.name()],
        ),
        Some(_) if !target.is_data() => {
            notes.note(codes::SIGNATURE_BARE_DIGEST, [target.name()]);
        }
        Some(_) => {}
    }
}

/// The certificate that the signer names and has signed as its own (EN 319 102-1 §5.2.3).
///
/// A reference that fits none of the certificates at hand leaves the question open who signed, even where a certificate of the named
/// issuer and serial number verifies the signature.
fn find_certificate(
    notes: &mut Notes<'_>,
    subject: &Subject<'_>,
    context: &Context<'_>,
) -> Option<Certificate> {
    let anchors = context.anchors.iter().map(|anchor| anchor.certificate());
    let certificates = context.certificates.iter().map(Vec::as_slice);
    let named = named_certificates(certificates.chain(anchors), subject.signer);
    let references = match subject.signer.signing_certificates() {
        Ok(references) => references,
        Err(error) => {
            notes.because(
                SubIndication::SigConstraintsFailure,
                codes::SIGNING_REFERENCE_MALFORMED,
                [error],
            );
            return named.into_iter().next();
        }
    };
    let ids: Vec<&EssCertId> = references.signer_ids().collect();
    let fits = |certificate: &&Certificate| {
        ids.iter()
            .all(|id| id.matches(certificate.raw()) == Some(true))
    };
    if ids.is_empty() && !named.is_empty() {
        notes.because(
            SubIndication::SigConstraintsFailure,
            codes::SIGNING_REFERENCE_MISSING,
            NONE,
        );
    } else if let Some(certificate) = named.iter().find(fits) {
        check_names(notes, &ids, certificate);
        return Some(certificate.clone());
    } else if !named.is_empty() {
        notes.because(
            SubIndication::NoSigningCertificateFound,
            codes::SIGNING_REFERENCE_MISMATCH,
            NONE,
        );
    }
    if named.is_empty() {
        notes.unknown(
            SubIndication::NoSigningCertificateFound,
            codes::SIGNER_CERTIFICATE_MISSING,
            NONE,
        );
    }
    named.into_iter().next()
}

/// Issuer and serial number in the signed reference, where they stand, are those of the certificate (RFC 5035 §4).
fn check_names(notes: &mut Notes<'_>, ids: &[&EssCertId], certificate: &Certificate) {
    let differs = ids
        .iter()
        .filter_map(|id| id.issuer_serial.as_ref())
        .any(|named| {
            let issuer = named.issuer_name.as_deref();
            named.serial != *certificate.serial()
                || issuer.is_some_and(|issuer| issuer != certificate.issuer())
        });
    if differs {
        notes.note(codes::SIGNING_REFERENCE_NAME_DIFFERS, NONE);
    }
}

/// The signature value, over the signed attributes, or over the content where there are none.
fn check_value(
    notes: &mut Notes<'_>,
    subject: &Subject<'_>,
    target: Option<&dyn DigestSource>,
    certificate: &Certificate,
    context: &Context<'_>,
) -> Option<SignatureAlgorithm> {
    let signer = subject.signer;
    let verify = |message: &[u8]| {
        verify_signature(
            context.cache,
            certificate.spki(),
            &signer.signature_algorithm.oid,
            signer.signature_algorithm.parameters.as_deref(),
            signer.digest_algorithm.digest_algorithm(),
            message,
            &signer.signature,
        )
    };
    let answer = match (&signer.signed_attributes, subject.octets) {
        (Some(attributes), _) => {
            if attributes.is_der_sorted() {
                verify(attributes.signed_bytes())
            } else {
                // RFC 5652 §5.4: over the DER encoding, however they are stored.
                let answer = verify(&attributes.signed_bytes_der_sorted());
                if answer == SignatureCheck::Invalid && verify(attributes.signed_bytes()).is_valid()
                {
                    notes.because(
                        SubIndication::SigConstraintsFailure,
                        codes::SIGNATURE_OVER_UNSORTED,
                        NONE,
                    );
                    verify(attributes.signed_bytes())
                } else {
                    notes.note(codes::SIGNATURE_ATTRIBUTES_UNSORTED, NONE);
                    answer
                }
            }
        }
        (None, Some(content)) => verify(content),
        (None, None) => {
            let name = target.map_or("-", |target| target.name()).to_owned();
            notes.unknown(
                SubIndication::SignedDataNotFound,
                codes::SIGNATURE_OVER_DATA_ITSELF,
                [name],
            );
            return None;
        }
    };
    match answer {
        SignatureCheck::Valid(algorithm) => {
            check_same_digest(notes, signer, algorithm);
            Some(algorithm)
        }
        SignatureCheck::Invalid => {
            notes.broken(
                SubIndication::SigCryptoFailure,
                codes::SIGNATURE_VALUE_INVALID,
                [certificate.subject_text()],
            );
            None
        }
        SignatureCheck::Unsupported(reason) => {
            notes.unknown(
                SubIndication::Custom,
                codes::SIGNATURE_VALUE_UNSUPPORTED,
                [reason.text()],
            );
            None
        }
    }
}

/// One digest for content and signed attributes (RFC 5652 §5.4). RSASSA-PSS names its own in its parameters, and others are found there.
fn check_same_digest(notes: &mut Notes<'_>, signer: &SignerInfo, algorithm: SignatureAlgorithm) {
    let stated = signer.digest_algorithm.digest_algorithm();
    let (Some(used), Some(stated)) = (algorithm.digest, stated) else {
        return;
    };
    if used == stated {
        return;
    }
    if algorithm.family == SignatureFamily::RsaPss {
        notes.note(
            codes::SIGNATURE_DIGESTS_DIFFER_PSS,
            [used.name(), stated.name()],
        );
    } else {
        notes.because(
            SubIndication::SigConstraintsFailure,
            codes::SIGNATURE_DIGESTS_DIFFER,
            [used.name(), stated.name()],
        );
    }
}
