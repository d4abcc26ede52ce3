//! The addresses of services that a certificate names (RFC 5280 §4.2.1.13, §4.2.2.1).

use formats::oid;
use formats::x509::Certificate;
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};

/// What a certificate names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Services {
    /// Where its issuer's certificates are.
    pub(super) issuers: Vec<String>,
    /// Where its status can be asked.
    pub(super) ocsp: Vec<String>,
    /// Where its CRLs are.
    pub(super) crls: Vec<String>,
    /// It names services of revocation by other addresses than http too, or only.
    pub(super) others: bool,
    /// It is a responder of which its issuer says that it need not be asked about (RFC 6960 §4.2.2.2.1).
    pub(super) no_check: bool,
}

impl Services {
    /// Whether anything can tell of a revocation.
    pub(super) const fn name_revocation(&self) -> bool {
        !self.ocsp.is_empty() || !self.crls.is_empty() || self.others
    }
}

/// The services that a certificate names; none if it cannot be read.
pub(super) fn services(certificate: &Certificate) -> Services {
    let mut services = Services::default();
    let Ok(parsed) = certificate.x509() else {
        return services;
    };
    for extension in parsed.extensions() {
        if extension.oid.as_bytes() == oid::OCSP_NO_CHECK.as_bytes() {
            services.no_check = true;
        }
        if let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() {
            for description in access.iter() {
                let method = description.access_method.as_bytes();
                let list = if method == oid::ACCESS_OCSP.as_bytes() {
                    &mut services.ocsp
                } else if method == oid::ACCESS_CA_ISSUERS.as_bytes() {
                    &mut services.issuers
                } else {
                    continue;
                };
                let found = http(&description.access_location);
                services.others |= found.is_none() && method == oid::ACCESS_OCSP.as_bytes();
                list.extend(found);
            }
        }
        if let ParsedExtension::CRLDistributionPoints(points) = extension.parsed_extension() {
            for point in points.iter() {
                if let Some(DistributionPointName::FullName(names)) = &point.distribution_point {
                    services.crls.extend(names.iter().filter_map(http));
                }
            }
            services.others |= services.crls.is_empty();
        }
    }
    for list in [
        &mut services.issuers,
        &mut services.ocsp,
        &mut services.crls,
    ] {
        list.truncate(ADDRESSES_MAX);
    }
    services
}

/// An address of plain http, as is the custom: what is fetched is signed, and asking for a status must not need the status of a TLS certificate.
fn http(name: &GeneralName<'_>) -> Option<String> {
    let GeneralName::URI(address) = name else {
        return None;
    };
    let plain = address.to_ascii_lowercase().starts_with("http://");
    plain.then(|| (*address).to_owned())
}

/// Addresses of one kind that are tried for one certificate. Real ones name one to three.
const ADDRESSES_MAX: usize = 4;
