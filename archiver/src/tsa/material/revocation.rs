//! What a CRL or an OCSP response is, as far as it must be known to tell a useful one from a useless one.

use formats::der::{Element, Reader, Tag};
use formats::error::{ErrorKind, FormatError};
use formats::ocsp::{BasicOcspResponse, SingleResponse};
use formats::x509::{AlgorithmIdentifier, Certificate};
use time::OffsetDateTime;
use verifier::crypto::verify_signature;

/// The head of a CRL (RFC 5280 §5.1).
#[derive(Debug)]
pub(super) struct CrlHead<'a> {
    /// The exact bytes of the issuer's Name.
    pub(super) issuer: &'a [u8],
    pub(super) this_update: OffsetDateTime,
    pub(super) next_update: Option<OffsetDateTime>,
    tbs: &'a [u8],
    algorithm: AlgorithmIdentifier,
    signature: &'a [u8],
}

impl<'a> CrlHead<'a> {
    /// Reads the head; the entries are not looked at.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut outer = Reader::single(bytes, Tag::SEQUENCE, STRUCTURE)?.children(STRUCTURE)?;
        let tbs = outer.expect(Tag::SEQUENCE)?;
        let algorithm = AlgorithmIdentifier::parse(outer.expect(Tag::SEQUENCE)?.raw())?;
        let (signature, _) = outer.expect(Tag::BIT_STRING)?.bit_string()?;
        outer.finish()?;
        let mut members = tbs.children(STRUCTURE)?;
        members.optional(Tag::INTEGER)?;
        members.expect(Tag::SEQUENCE)?;
        let issuer = members.expect(Tag::SEQUENCE)?.raw();
        let this_update = moment(&members.read()?)?;
        let next_update = match members.peek() {
            Some(Tag::UTC_TIME | Tag::GENERALIZED_TIME) => Some(moment(&members.read()?)?),
            _ => None,
        };
        Ok(Self {
            issuer,
            this_update,
            next_update,
            tbs: tbs.raw(),
            algorithm,
            signature,
        })
    }

    /// Whether the signature verifies, or cannot be computed here.
    pub(super) fn may_be_signed_by(&self, issuer: &Certificate) -> bool {
        may_be_valid(issuer, &self.algorithm, self.tbs, self.signature)
    }
}

/// Whether a response names this certificate of this issuer, and what it says about it.
pub(super) fn answer_about<'r>(
    response: &'r BasicOcspResponse<'_>,
    certificate: &Certificate,
    issuer: &Certificate,
) -> Option<&'r SingleResponse> {
    let (name, spki) = (certificate.issuer(), issuer.spki());
    let serial = certificate.serial().as_bytes();
    let mut answers = response.answers.iter();
    answers.find(|answer| answer.certificate.matches(name, spki, serial) == Ok(Some(true)))
}

/// The responder's certificate, if somebody who is at hand may have signed: the issuer itself, or one whose certificate the issuer signed.
pub(super) fn signer_of(
    response: &BasicOcspResponse<'_>,
    issuer: &Certificate,
) -> Option<Certificate> {
    let algorithm = AlgorithmIdentifier::parse(response.signature_algorithm).ok()?;
    let brought = response.certificates.iter();
    let brought = brought.filter_map(|bytes| Certificate::parse(bytes).ok());
    let designated = brought.filter(|responder| {
        responder.issuer() == issuer.subject()
            && may_be_valid(
                issuer,
                responder.signature_algorithm(),
                responder.tbs(),
                responder.signature(),
            )
    });
    std::iter::once(issuer.clone())
        .chain(designated)
        .find(|signer| {
            response.responder.names(signer.subject(), signer.spki()) == Ok(true)
                && may_be_valid(signer, &algorithm, response.signed, response.signature)
        })
}

fn may_be_valid(
    signer: &Certificate,
    algorithm: &AlgorithmIdentifier,
    message: &[u8],
    signature: &[u8],
) -> bool {
    use verifier::crypto::SignatureCheck;
    let parameters = algorithm.parameters.as_deref();
    let check = verify_signature(
        signer.spki(),
        &algorithm.oid,
        parameters,
        None,
        message,
        signature,
    );
    !matches!(check, SignatureCheck::Invalid)
}

fn moment(element: &Element<'_>) -> Result<OffsetDateTime, FormatError> {
    match element.tag() {
        Tag::UTC_TIME => element.utc_time(),
        Tag::GENERALIZED_TIME => element.generalized_time(),
        _ => Err(element.error(ErrorKind::UnexpectedTag)),
    }
}

const STRUCTURE: &str = "CertificateList";
