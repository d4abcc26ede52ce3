//! Certificates for the archive's signing key: an authority of its own, its lists of revoked certificates, and requests to others.
//!
//! The authority's key is kept, unlike that of the embedded timestamp authority: without a list of revoked certificates that it signs now and then,
//! nobody could be told that the signing key was lost, and a signature could not be raised to B-LT.

use firmware::entropy::Entropy;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, SerialNumber,
};
use time::{Duration, OffsetDateTime};

use super::error::SignatureError;
use crate::tsa::key::AuthorityKey;

/// Issues the self-signed certificate of the archive's authority.
///
/// # Errors
/// [`SignatureError::Entropy`]; [`SignatureError::Damaged`] when it cannot be encoded.
pub fn issue_authority(
    label: &str,
    key: &AuthorityKey,
    now: OffsetDateTime,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SignatureError> {
    let mut params = params("Signing CA", label, now, AUTHORITY_YEARS, entropy)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(key).map_err(encoding)?;
    Ok(certificate.der().to_vec())
}

/// Issues the certificate of the signing key: digital signature and content commitment, as EN 319 412-2 §4.3.2 has it for signatures that
/// are meant to bind.
///
/// # Errors
/// As [`issue_authority`].
pub fn issue_signer(
    label: &str,
    authority: &[u8],
    authority_key: &AuthorityKey,
    key: &AuthorityKey,
    now: OffsetDateTime,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SignatureError> {
    let mut params = params("Archive Signature", label, now, SIGNER_YEARS, entropy)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::ContentCommitment,
    ];
    let issuer = issuer(authority, authority_key)?;
    let certificate = params.signed_by(key, &issuer).map_err(encoding)?;
    Ok(certificate.der().to_vec())
}

/// A list of revoked certificates of the archive's authority, as of now. Nothing has been revoked.
///
/// # Errors
/// [`SignatureError::Damaged`] when it cannot be encoded.
pub fn issue_crl(
    authority: &[u8],
    authority_key: &AuthorityKey,
    now: OffsetDateTime,
) -> Result<Vec<u8>, SignatureError> {
    let this_update = whole_second(now)?;
    // RFC 5280 §5.2.3: the numbers grow; the seconds since 1970 do, too.
    let number = u64::try_from(this_update.unix_timestamp()).unwrap_or_default();
    let params = CertificateRevocationListParams {
        this_update,
        next_update: this_update
            .checked_add(CRL_VALIDITY)
            .ok_or(SignatureError::Damaged { what: CLOCK })?,
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let issuer = issuer(authority, authority_key)?;
    let crl = params.signed_by(&issuer).map_err(encoding)?;
    Ok(crl.der().to_vec())
}

/// A request for a certificate (PKCS #10) for a key, with the archive's name as its subject.
///
/// # Errors
/// [`SignatureError::Damaged`] when it cannot be encoded.
pub fn request(label: &str, key: &AuthorityKey) -> Result<Vec<u8>, SignatureError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("Archive Signature", label);
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::ContentCommitment,
    ];
    let request = params.serialize_request(key).map_err(encoding)?;
    Ok(request.der().to_vec())
}

fn issuer<'a>(
    authority: &[u8],
    key: &'a AuthorityKey,
) -> Result<Issuer<'static, &'a AuthorityKey>, SignatureError> {
    Issuer::from_ca_cert_der(&authority.into(), key).map_err(encoding)
}

fn params(
    role: &str,
    label: &str,
    now: OffsetDateTime,
    years: i64,
    entropy: &dyn Entropy,
) -> Result<CertificateParams, SignatureError> {
    let out_of_range = SignatureError::Damaged { what: CLOCK };
    let start = whole_second(now)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = name(role, label);
    let end = start.checked_add(Duration::days(years.saturating_mul(DAYS_PER_YEAR)));
    params.not_before = start
        .checked_sub(CLOCK_STEP_BACK)
        .ok_or(SignatureError::Damaged { what: CLOCK })?;
    params.not_after = end.ok_or(out_of_range)?;
    params.serial_number = Some(serial(entropy)?);
    Ok(params)
}

fn name(role: &str, label: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Fumikura");
    name.push(DnType::OrganizationalUnitName, SELF_ISSUED);
    name.push(DnType::CommonName, format!("Fumikura {role} {label}"));
    name
}

/// A positive serial of 16 octets (RFC 5280 §4.1.2.2 allows 20).
fn serial(entropy: &dyn Entropy) -> Result<SerialNumber, SignatureError> {
    let mut bytes = [0u8; 16];
    entropy.fill(&mut bytes)?;
    let [first, ..] = &mut bytes;
    *first = (*first & 0x3F) | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn whole_second(now: OffsetDateTime) -> Result<OffsetDateTime, SignatureError> {
    now.replace_nanosecond(0)
        .map_err(|_| SignatureError::Damaged { what: CLOCK })
}

fn encoding(_: rcgen::Error) -> SignatureError {
    SignatureError::Damaged {
        what: "a signing certificate",
    }
}

/// Stands in the subjects of certificates that the archive has issued to itself, and of requests until an authority replaces it.
pub const SELF_ISSUED: &str = "archive signature";
/// Validity of the authority.
const AUTHORITY_YEARS: i64 = 30;
/// Validity of the signing certificate. What it signed stays provable after that by the timestamps over the signature.
const SIGNER_YEARS: i64 = 10;
/// Mean Gregorian year, rounded down; a certificate may end some hours early but never late.
const DAYS_PER_YEAR: i64 = 365;
/// A clock that is set back a little must not make the certificate one of the future.
const CLOCK_STEP_BACK: Duration = Duration::hours(1);
/// How long a list of revoked certificates counts as current. A new one is signed whenever a signature is raised.
const CRL_VALIDITY: Duration = Duration::days(365);
const CLOCK: &str = "the clock";
