//! Is an answer of a service of use?

use formats::cms::SignedData;
use formats::error::FormatError;
use formats::ocsp::{BasicOcspResponse, CertificateStatus, OcspResponse};
use formats::x509::{Certificate, read_certificates, read_crls};
use time::OffsetDateTime;

use super::collected::MaterialError;
use super::revocation::{CrlHead, answer_about, signer_of};

/// The certificates in the file at a caIssuers address: DER, PEM, or a CMS with certificates only (RFC 5280 §4.2.2.1).
pub(super) fn certificates(body: &[u8]) -> Result<Vec<Certificate>, MaterialError> {
    let mut found = match SignedData::parse(body) {
        Ok(bag) => {
            let members = bag.x509_certificates();
            members
                .filter_map(|bytes| Certificate::parse(bytes).ok())
                .collect()
        }
        Err(_) => read_certificates(body).map_err(malformed)?,
    };
    if found.is_empty() {
        let reason = "no certificate in it".to_owned();
        return Err(MaterialError::Malformed { reason });
    }
    found.truncate(CERTIFICATES_MAX);
    Ok(found)
}

/// The CRL at a distribution point, if it says something about a signature of `moment` made with this certificate.
pub(super) fn crl(
    body: &[u8],
    issuer: &Certificate,
    moment: OffsetDateTime,
) -> Result<Vec<u8>, MaterialError> {
    let mut lists = read_crls(body).map_err(malformed)?;
    let Some(list) = lists.pop().filter(|_| lists.is_empty()) else {
        let reason = "not exactly one CRL in it".to_owned();
        return Err(MaterialError::Malformed { reason });
    };
    let head = CrlHead::read(&list).map_err(malformed)?;
    if head.issuer != issuer.subject() {
        return Err(MaterialError::WrongIssuer);
    }
    if !head.may_be_signed_by(issuer) {
        return Err(MaterialError::Signature);
    }
    if says_nothing(head.this_update, head.next_update, moment) {
        return Err(MaterialError::Stale);
    }
    Ok(list)
}

/// The answer of a responder about a certificate; with it the responder's certificate.
pub(super) fn ocsp(
    body: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    nonce: &[u8],
    moment: OffsetDateTime,
) -> Result<Certificate, MaterialError> {
    let response = OcspResponse::parse(body).map_err(malformed)?;
    let status = response.status.name();
    let basic = response.basic.ok_or(MaterialError::Responder { status })?;
    let basic = BasicOcspResponse::parse(basic).map_err(malformed)?;
    // Pre-produced answers have none (RFC 5019 §4.1); another one is the answer to another question.
    if basic.nonce.as_deref().is_some_and(|other| other != nonce) {
        return Err(MaterialError::NonceMismatch);
    }
    let about = answer_about(&basic, certificate, issuer).ok_or(MaterialError::WrongIssuer)?;
    let signer = signer_of(&basic, issuer).ok_or(MaterialError::Signature)?;
    if about.status == CertificateStatus::Unknown {
        let status = "the certificate is unknown to it";
        return Err(MaterialError::Responder { status });
    }
    if says_nothing(about.this_update, about.next_update, moment) {
        return Err(MaterialError::Stale);
    }
    Ok(signer)
}

/// Whether newer information was due before `moment`.
fn says_nothing(
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    moment: OffsetDateTime,
) -> bool {
    // Answers state whole seconds.
    let moment = moment.truncate_to_second();
    this_update < moment && next_update.is_none_or(|next| next < moment)
}

pub(super) fn malformed(error: FormatError) -> MaterialError {
    let reason = error.to_string();
    MaterialError::Malformed { reason }
}

/// Certificates taken from one file. Real ones hold one to five.
const CERTIFICATES_MAX: usize = 16;
