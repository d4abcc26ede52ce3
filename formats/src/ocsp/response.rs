//! What a responder answers.

use ::time::OffsetDateTime;

use super::certificate_id::key_bits;
use super::single::{SingleResponse, enumerated, read_extensions};
use crate::cms::OcspForm;
use crate::der::typed::FromElement as _;
use crate::der::{Element, Reader, Tag, Writer};
use crate::digest::DigestAlgorithm;
use crate::error::{ErrorKind, Result};
use crate::limits::{OCSP_ANSWERS_MAX, OCSP_CERTIFICATES_MAX};
use crate::oid::{self, Oid};
use crate::x509::{AlgorithmIdentifier, Extension};

/// A response (RFC 6960 §4.2.1): a status, and if it is successful a signed answer.
///
/// ```text
/// OCSPResponse ::= SEQUENCE {
///    responseStatus         OCSPResponseStatus,
///    responseBytes          [0] EXPLICIT ResponseBytes OPTIONAL }
/// ResponseBytes ::=       SEQUENCE {
///    responseType   OBJECT IDENTIFIER,
///    response       OCTET STRING }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OcspResponse<'a> {
    /// What became of the request.
    pub status: ResponseStatus,
    /// The exact bytes of the BasicOCSPResponse.
    pub basic: Option<&'a [u8]>,
}

/// OCSPResponseStatus (RFC 6960 §4.2.1). It is not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponseStatus {
    /// There is an answer.
    Successful,
    /// The request cannot be read.
    MalformedRequest,
    /// The responder has a fault.
    InternalError,
    /// The responder cannot answer just now.
    TryLater,
    /// The request has to be signed.
    SignatureRequired,
    /// The responder does not answer this client, or not about this certificate.
    Unauthorized,
    /// A number that RFC 6960 does not define.
    Other(u32),
}

/// Who signed a response (RFC 6960 §4.2.1).
///
/// ```text
/// ResponderID ::= CHOICE {
///    byName               [1] Name,
///    byKey                [2] KeyHash }
/// KeyHash ::= OCTET STRING -- SHA-1 hash of responder's public key
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponderId<'a> {
    /// The exact bytes of the responder's Name.
    ByName(&'a [u8]),
    /// The SHA-1 digest of the bits of the responder's public key.
    ByKey(&'a [u8]),
}

/// The signed answer (RFC 6960 §4.2.1).
///
/// ```text
/// BasicOCSPResponse       ::= SEQUENCE {
///    tbsResponseData      ResponseData,
///    signatureAlgorithm   AlgorithmIdentifier,
///    signature            BIT STRING,
///    certs            [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
/// ResponseData ::= SEQUENCE {
///    version              [0] EXPLICIT Version DEFAULT v1,
///    responderID              ResponderID,
///    producedAt               GeneralizedTime,
///    responses                SEQUENCE OF SingleResponse,
///    responseExtensions   [1] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicOcspResponse<'a> {
    /// All of it.
    pub raw: &'a [u8],
    /// The exact bytes of ResponseData, over which the responder signed.
    pub signed: &'a [u8],
    /// The exact bytes of the AlgorithmIdentifier of the signature.
    pub signature_algorithm: &'a [u8],
    /// The octets of the signature.
    pub signature: &'a [u8],
    /// The exact bytes of the certificates that came along. They are not signed.
    pub certificates: Vec<&'a [u8]>,
    /// Who signed.
    pub responder: ResponderId<'a>,
    /// When.
    pub produced_at: OffsetDateTime,
    /// The answers.
    pub answers: Vec<SingleResponse>,
    /// The nonce of the request, if it is repeated (§4.4.1): the octets inside the inner OCTET STRING.
    pub nonce: Option<Vec<u8>>,
    /// A critical extension that is not known here.
    pub unknown_critical: Option<Oid>,
}

impl<'a> OcspResponse<'a> {
    /// Reads one response and nothing else.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`] of malformed input; [`ErrorKind::InvalidEncoding`] if the frame is not DER; [`ErrorKind::WrongType`] for another
    /// type of response than id-pkix-ocsp-basic.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        const STRUCTURE: &str = "OCSPResponse";
        let outer = Reader::single(bytes, Tag::SEQUENCE, STRUCTURE)?;
        let mut members = outer.children(STRUCTURE)?;
        let number = enumerated(&members.expect(Tag::ENUMERATED)?)?;
        let wrapped = members.optional(Tag::context(0))?;
        members.finish()?;
        let status = ResponseStatus::of(number);
        let basic = wrapped.as_ref().map(response_bytes).transpose()?;
        // What is not signed must have one form only.
        let canonical = u8::try_from(number).is_ok_and(|octet| envelope(octet, basic) == bytes);
        if !canonical {
            return Err(outer.error(ErrorKind::InvalidEncoding));
        }
        match (status, basic) {
            (ResponseStatus::Successful, None) => Err(outer.error(ErrorKind::MissingElement)),
            (ResponseStatus::Successful, Some(_)) | (_, None) => Ok(Self { status, basic }),
            (_, Some(_)) => Err(outer.error(ErrorKind::InvalidValue)),
        }
    }
}

/// The contents of ResponseBytes.
fn response_bytes<'a>(wrapped: &Element<'a>) -> Result<&'a [u8]> {
    const STRUCTURE: &str = "ResponseBytes";
    let sequence = wrapped.explicit(Tag::SEQUENCE, STRUCTURE)?;
    let mut members = sequence.children(STRUCTURE)?;
    let kind = members.expect(Tag::OID)?;
    if kind.oid()? != oid::OCSP_BASIC {
        return Err(kind.error(ErrorKind::WrongType));
    }
    let octets = members.expect(Tag::OCTET_STRING)?;
    members.finish()?;
    if octets.is_constructed() {
        return Err(octets.error(ErrorKind::InvalidEncoding));
    }
    Ok(octets.content())
}

/// The DER of an OCSPResponse.
fn envelope(status: u8, basic: Option<&[u8]>) -> Vec<u8> {
    Writer::single(Tag::SEQUENCE, |w| {
        w.primitive(Tag::ENUMERATED, &[status]);
        if let Some(basic) = basic {
            w.constructed(Tag::context(0), |w| {
                w.sequence(|w| {
                    w.oid(&oid::OCSP_BASIC).octet_string(basic);
                });
            });
        }
    })
}

impl ResponseStatus {
    const fn of(number: u32) -> Self {
        match number {
            0 => Self::Successful,
            1 => Self::MalformedRequest,
            2 => Self::InternalError,
            3 => Self::TryLater,
            5 => Self::SignatureRequired,
            6 => Self::Unauthorized,
            other => Self::Other(other),
        }
    }

    /// The name in RFC 6960.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Successful => "successful",
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SignatureRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
            Self::Other(_) => "undefined status",
        }
    }
}

impl ResponderId<'_> {
    /// Does it name the certificate with this subject (exact bytes) and key (exact bytes of SubjectPublicKeyInfo)? A Name is compared
    /// octet by octet.
    ///
    /// # Errors
    ///
    /// A [`crate::error::FormatError`] if `spki` is no SubjectPublicKeyInfo.
    pub fn names(&self, subject: &[u8], spki: &[u8]) -> Result<bool> {
        match self {
            Self::ByName(name) => Ok(*name == subject),
            Self::ByKey(digest) => {
                Ok(DigestAlgorithm::Sha1.digest(key_bits(spki)?).as_bytes() == *digest)
            }
        }
    }
}

impl<'a> BasicOcspResponse<'a> {
    /// Reads one basic response and nothing else.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`] of malformed input; [`ErrorKind::InvalidEncoding`] if the frame is not DER.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let outer = Reader::single(bytes, Tag::SEQUENCE, STRUCTURE)?;
        let mut members = outer.children(STRUCTURE)?;
        let data = members.expect(Tag::SEQUENCE)?;
        let algorithm = members.expect(Tag::SEQUENCE)?;
        let (signature, unused) = members.expect(Tag::BIT_STRING)?.bit_string()?;
        let wrapped = members.optional(Tag::context(0))?;
        members.finish()?;
        let certificates = wrapped.as_ref().map(read_certificates).transpose()?;
        let frame = frame(data.raw(), &algorithm, signature, certificates.as_deref())?;
        // What is not signed must have one form only.
        if unused != 0 || frame != bytes {
            return Err(outer.error(ErrorKind::InvalidEncoding));
        }
        let mut response = read_data(&data)?;
        response.raw = bytes;
        response.signature_algorithm = algorithm.raw();
        response.signature = signature;
        response.certificates = certificates.unwrap_or_default();
        Ok(response)
    }

    /// Reads a basic response, bare or in its OCSPResponse: both occur under both identifiers (RFC 5940 §2, and older archives).
    ///
    /// # Errors
    ///
    /// Those of [`OcspResponse::parse`] and [`parse`](Self::parse); [`ErrorKind::MissingElement`] for a response that is not successful.
    pub fn parse_either(bytes: &'a [u8]) -> Result<Self> {
        match OcspForm::of(bytes)? {
            OcspForm::Basic => Self::parse(bytes),
            OcspForm::Response => {
                let outer = Reader::single(bytes, Tag::SEQUENCE, STRUCTURE)?;
                let basic = OcspResponse::parse(bytes)?.basic;
                Self::parse(basic.ok_or(outer.error(ErrorKind::MissingElement))?)
            }
        }
    }
}

fn read_data<'a>(data: &Element<'a>) -> Result<BasicOcspResponse<'a>> {
    const STRUCTURE: &str = "ResponseData";
    let mut members = data.children(STRUCTURE)?;
    if let Some(version) = members.optional(Tag::context(0))? {
        let number = version.explicit(Tag::INTEGER, STRUCTURE)?.small_integer()?;
        if number != 0 {
            return Err(version.error(ErrorKind::UnsupportedVersion));
        }
    }
    let responder = read_responder(&members.read()?)?;
    let produced_at = members.expect(Tag::GENERALIZED_TIME)?.generalized_time()?;
    let list = members.expect(Tag::SEQUENCE)?;
    let extensions = read_extensions(members.optional(Tag::context(1))?)?;
    members.finish()?;
    let answers = list.children(STRUCTURE)?.all(OCSP_ANSWERS_MAX)?;
    if let Some(other) = answers.iter().find(|answer| answer.tag() != Tag::SEQUENCE) {
        return Err(other.error(ErrorKind::UnexpectedTag));
    }
    let answers: Result<Vec<_>> = answers.iter().map(SingleResponse::from_element).collect();
    let unknown = extensions
        .iter()
        .find(|extension| extension.critical && extension.oid != oid::OCSP_NONCE);
    Ok(BasicOcspResponse {
        raw: &[],
        signed: data.raw(),
        signature_algorithm: &[],
        signature: &[],
        certificates: Vec::new(),
        responder,
        produced_at,
        answers: answers?,
        nonce: read_nonce(&extensions)?,
        unknown_critical: unknown.map(|extension| extension.oid.clone()),
    })
}

fn read_responder<'a>(element: &Element<'a>) -> Result<ResponderId<'a>> {
    const STRUCTURE: &str = "ResponderID";
    match element.tag() {
        tag if tag == Tag::context(1) => {
            let name = element.explicit(Tag::SEQUENCE, STRUCTURE)?;
            Ok(ResponderId::ByName(name.raw()))
        }
        tag if tag == Tag::context(2) => {
            let digest = element.explicit(Tag::OCTET_STRING, STRUCTURE)?;
            if digest.is_constructed() {
                return Err(digest.error(ErrorKind::InvalidEncoding));
            }
            Ok(ResponderId::ByKey(digest.content()))
        }
        _ => Err(element.error(ErrorKind::UnexpectedTag)),
    }
}

/// The nonce. Before RFC 8954 some responders left out the inner OCTET STRING; then the octets themselves are it.
fn read_nonce(extensions: &[Extension]) -> Result<Option<Vec<u8>>> {
    let Some(extension) = extensions
        .iter()
        .find(|extension| extension.oid == oid::OCSP_NONCE)
    else {
        return Ok(None);
    };
    match Reader::single(&extension.value, Tag::OCTET_STRING, "Nonce") {
        Ok(inner) => Ok(Some(inner.octets()?.into_owned())),
        Err(_) => Ok(Some(extension.value.clone())),
    }
}

fn read_certificates<'a>(wrapped: &Element<'a>) -> Result<Vec<&'a [u8]>> {
    let list = wrapped.explicit(Tag::SEQUENCE, "BasicOCSPResponse.certs")?;
    let members = list
        .children("BasicOCSPResponse.certs")?
        .all(OCSP_CERTIFICATES_MAX)?;
    members
        .iter()
        .map(|member| match member.tag() {
            Tag::SEQUENCE => Ok(member.raw()),
            _ => Err(member.error(ErrorKind::UnexpectedTag)),
        })
        .collect()
}

/// The DER of a basic response with these members.
fn frame(
    data: &[u8],
    algorithm: &Element<'_>,
    signature: &[u8],
    certificates: Option<&[&[u8]]>,
) -> Result<Vec<u8>> {
    let algorithm = AlgorithmIdentifier::from_element(algorithm)?;
    Ok(Writer::single(Tag::SEQUENCE, |w| {
        w.raw(data);
        algorithm.write(w);
        w.primitive(Tag::BIT_STRING, &[&[0], signature].concat());
        if let Some(certificates) = certificates {
            w.constructed(Tag::context(0), |w| {
                w.sequence(|w| {
                    certificates.iter().for_each(|certificate| {
                        w.raw(certificate);
                    });
                });
            });
        }
    }))
}

const STRUCTURE: &str = "BasicOCSPResponse";

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
