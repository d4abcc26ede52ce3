//! The certificates of the embedded timestamp authority: one self-signed root and one certificate under it.
//!
//! They are made once, when the archive is made. Both say in their subject that nobody has accredited them.

use firmware::entropy::Entropy;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DistinguishedName, DnType,
    IsCa, Issuer, KeyUsagePurpose, SerialNumber,
};
use time::{Duration, OffsetDateTime};

use super::error::EmbeddedError;
use super::key::AuthorityKey;

/// What an embedded authority consists of, fresh from the press.
#[derive(Debug)]
pub struct AuthorityCertificates {
    /// The self-signed root, DER: the trust anchor that is handed over with evidence.
    pub root: Vec<u8>,
    /// The certificate of the authority, DER, signed by the root.
    pub authority: Vec<u8>,
}

/// Words that stand in the subject of both certificates.
pub const NOT_ACCREDITED: &str = "NOT ACCREDITED - trial use only";

/// Issues the root and the authority certificate (RFC 3161 §2.3: critical and sole extended key usage
/// `id-kp-timeStamping`).
///
/// The root's key is thrown away by the caller afterwards, so that nobody can ever issue a second certificate under it.
///
/// # Errors
/// [`EmbeddedError::Certificate`] when the certificate cannot be encoded or the years overflow,
/// [`EmbeddedError::Entropy`] when the random source fails.
pub fn issue(
    label: &str,
    root_key: &AuthorityKey,
    authority_key: &AuthorityKey,
    now: OffsetDateTime,
    entropy: &dyn Entropy,
) -> Result<AuthorityCertificates, EmbeddedError> {
    let mut root_params = params("Trial Root", label, now, ROOT_YEARS, entropy)?;
    root_params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root_params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let root = root_params.self_signed(root_key).map_err(encoding)?;

    let mut authority_params = params("Trial TSA", label, now, AUTHORITY_YEARS, entropy)?;
    authority_params.is_ca = IsCa::ExplicitNoCa;
    authority_params.use_authority_key_identifier_extension = true;
    authority_params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    authority_params.custom_extensions = vec![time_stamping_only()];
    let issuer = Issuer::from_params(&root_params, root_key);
    let authority = authority_params
        .signed_by(authority_key, &issuer)
        .map_err(encoding)?;

    Ok(AuthorityCertificates {
        root: der(&root),
        authority: der(&authority),
    })
}

fn params(
    role: &str,
    label: &str,
    now: OffsetDateTime,
    years: i64,
    entropy: &dyn Entropy,
) -> Result<CertificateParams, EmbeddedError> {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Fumikura");
    name.push(DnType::OrganizationalUnitName, NOT_ACCREDITED);
    name.push(DnType::CommonName, format!("Fumikura {role} {label}"));
    params.distinguished_name = name;
    let start = now
        .replace_nanosecond(0)
        .map_err(|_| EmbeddedError::Certificate)?;
    params.not_before = start
        .checked_sub(CLOCK_STEP_BACK)
        .ok_or(EmbeddedError::Certificate)?;
    params.not_after = start
        .checked_add(Duration::days(years.saturating_mul(DAYS_PER_YEAR)))
        .ok_or(EmbeddedError::Certificate)?;
    params.serial_number = Some(serial(entropy)?);
    Ok(params)
}

/// A positive serial of 16 octets (RFC 5280 §4.1.2.2 allows 20).
fn serial(entropy: &dyn Entropy) -> Result<SerialNumber, EmbeddedError> {
    let mut bytes = [0u8; 16];
    entropy.fill(&mut bytes)?;
    let [first, ..] = &mut bytes;
    *first = (*first & 0x3F) | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// `ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId` with `id-kp-timeStamping` alone, critical.
///
/// rcgen writes its own extended key usage as not critical, which RFC 3161 §2.3 forbids.
fn time_stamping_only() -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(
        &[2, 5, 29, 37],
        vec![
            0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08,
        ],
    );
    extension.set_criticality(true);
    extension
}

fn der(certificate: &Certificate) -> Vec<u8> {
    certificate.der().to_vec()
}

fn encoding(_: rcgen::Error) -> EmbeddedError {
    EmbeddedError::Certificate
}

/// Validity of the root: it has to outlive every token made under it until the first renewal.
const ROOT_YEARS: i64 = 20;
/// Validity of the authority certificate.
const AUTHORITY_YEARS: i64 = 10;
/// Mean Gregorian year, rounded down; a certificate may end some hours early but never late.
const DAYS_PER_YEAR: i64 = 365;
/// A clock that is set back a little after `init` must not put the authority out of service.
const CLOCK_STEP_BACK: Duration = Duration::hours(1);

#[cfg(test)]
mod tests {
    use ::time::macros::datetime;
    use firmware::entropy::{EntropyError, SeededEntropy};
    use x509_parser::prelude::*;

    use super::*;

    fn issued() -> AuthorityCertificates {
        let entropy = SeededEntropy::new(1);
        let root_key = AuthorityKey::generate(&entropy).unwrap();
        let key = AuthorityKey::generate(&entropy).unwrap();
        let now = datetime!(2026-11-22 04:00:00.5 UTC);
        issue("abc", &root_key, &key, now, &entropy).unwrap()
    }

    #[derive(Debug)]
    struct Constant(u8);

    impl Entropy for Constant {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn authority_certificate_is_fit_for_timestamping_alone() {
        let certificates = issued();
        let (_, root) = X509Certificate::from_der(&certificates.root).unwrap();
        let (_, authority) = X509Certificate::from_der(&certificates.authority).unwrap();
        authority.verify_signature(Some(root.public_key())).unwrap();
        root.verify_signature(None).unwrap();
        assert_eq!(authority.issuer().as_raw(), root.subject().as_raw());
        let usage = authority
            .get_extension_unique(&oid_registry::OID_X509_EXT_EXTENDED_KEY_USAGE)
            .unwrap()
            .unwrap();
        assert!(usage.critical);
        let ParsedExtension::ExtendedKeyUsage(usage) = usage.parsed_extension() else {
            panic!("not an extended key usage");
        };
        assert!(usage.time_stamping && usage.other.is_empty());
        assert!(!usage.any && !usage.server_auth && !usage.client_auth && !usage.code_signing);
        assert!(authority.subject().to_string().contains("NOT ACCREDITED"));
        assert!(root.subject().to_string().contains("NOT ACCREDITED"));
        assert!(
            certificates.authority.len() < 700,
            "{}",
            certificates.authority.len()
        );
    }

    #[test]
    fn the_same_randomness_gives_the_same_certificates() {
        assert_eq!(issued().authority, issued().authority);
        assert_eq!(issued().root, issued().root);
    }

    #[test]
    fn a_random_source_of_zeros_is_refused() {
        assert!(AuthorityKey::generate(&Constant(0)).is_err());
        assert!(AuthorityKey::generate(&Constant(0xFF)).is_err());
    }

    #[test]
    fn the_key_survives_pkcs8_and_garbage_does_not_pass() {
        let key = AuthorityKey::generate(&SeededEntropy::new(2)).unwrap();
        let stored = key.to_pkcs8().unwrap();
        let again = AuthorityKey::from_pkcs8(&stored).unwrap();
        assert_eq!(key.sign_message(b"x"), again.sign_message(b"x"));
        assert!(AuthorityKey::from_pkcs8(b"").is_err());
        assert!(AuthorityKey::from_pkcs8(&stored[1..]).is_err());
    }
}
