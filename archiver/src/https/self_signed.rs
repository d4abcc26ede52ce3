//! A certificate that the service signs itself, for trying it out and for networks without an authority of their own.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// A certificate and its key, in PEM.
pub struct SelfSigned {
    /// The certificate.
    pub certificate: String,
    /// The private key (PKCS#8).
    pub key: Zeroizing<String>,
}

impl std::fmt::Debug for SelfSigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SelfSigned").finish_non_exhaustive()
    }
}

/// Makes one for these host names and addresses, valid for 397 days: longer ones are refused by browsers.
///
/// # Errors
/// In words: a name that no certificate can have.
pub fn self_signed(hosts: &[String], now: OffsetDateTime) -> Result<SelfSigned, String> {
    let mut params = CertificateParams::new(hosts).map_err(|error| error.to_string())?;
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Fumikura");
    if let Some(first) = hosts.first() {
        name.push(DnType::CommonName, first.as_str());
    }
    params.distinguished_name = name;
    params.not_before = now - Duration::hours(1);
    params.not_after = now + VALID_FOR;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().map_err(|error| error.to_string())?;
    let certificate = params
        .self_signed(&key)
        .map_err(|error| error.to_string())?;
    Ok(SelfSigned {
        certificate: certificate.pem(),
        key: Zeroizing::new(key.serialize_pem()),
    })
}

const VALID_FOR: Duration = Duration::days(397);
