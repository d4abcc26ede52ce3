//! What could still be fetched for a path, for a caller that may go online. Nothing is fetched here.

use std::collections::BTreeSet;

use formats::der::Integer;
use formats::digest::DigestAlgorithm;
use formats::ocsp::{BasicOcspResponse, CertificateId, OcspRequest};
use time::OffsetDateTime;

use super::{Crl, scope};
use crate::certificate::{Certificate, DistributionPointName, GeneralName};
use crate::crypto;
use crate::path::{Material, TrustAnchor};

/// One exchange that may bring something that a path lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The certificate that lacks something, as findings name it.
    pub certificate: String,
    /// What may be there.
    pub kind: ServiceKind,
    /// An address of the scheme http or https, as the certificate states it.
    pub address: String,
}

/// What may be at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceKind {
    /// Certificates of the issuer (RFC 5280 §4.2.2.1, id-ad-caIssuers).
    Issuer,
    /// A CRL (RFC 5280 §4.2.1.13).
    Crl,
    /// An OCSP responder, to which this request (DER) is posted (RFC 6960 §4.1, Appendix A.1).
    Ocsp {
        /// The OCSPRequest.
        request: Vec<u8>,
    },
}

/// Certificates that are looked at. Paths have up to 16 (`budget::PATH_CERTIFICATES_MAX`), and there may be several.
const CERTIFICATES_MAX: usize = 32;

/// Certificates of the material among which issuers are looked for: those of one SignedData (`formats::limits::CMS_CERTIFICATES_MAX`).
const CANDIDATES_MAX: usize = 1024;

/// Candidates whose signature is computed for one certificate.
const ISSUERS_MAX: usize = 8;

/// Addresses of one kind for one certificate. Real ones name one to three.
const ADDRESSES_MAX: usize = 4;

/// Exchanges in one answer.
const SERVICES_MAX: usize = 64;

/// Longest address: what browsers and servers agree about (RFC 9110 §4.1 asks for 8,000; services of authorities have some 60).
const ADDRESS_BYTES_MAX: usize = 2048;

/// What could be fetched on the ways from `target` to `anchors`: certificates of issuers that are not at hand, and for each certificate below an anchor about
/// which the material says nothing for `time`, its CRLs and OCSP services. `nonce` goes into the OCSP requests.
///
/// When something was fetched, the same question may have a longer answer: a new certificate has services of its own. What is fetched is not trusted;
/// [`crate::path::validate_path`] judges all of it.
#[must_use]
pub fn services(
    target: &[u8],
    material: &Material<'_>,
    anchors: &[TrustAnchor],
    time: OffsetDateTime,
    nonce: Option<&[u8]>,
) -> Vec<Service> {
    let parse = |der: &[u8]| Certificate::parse(der).ok().map(|_| ());
    if parse(target).is_none() {
        return Vec::new();
    }
    let read =
        |list: Vec<&'_ [u8]>| -> Vec<Vec<u8>> { list.into_iter().map(<[u8]>::to_vec).collect() };
    let anchors = read(anchors.iter().map(TrustAnchor::certificate).collect());
    let bag = read(
        material
            .certificates
            .iter()
            .copied()
            .take(CANDIDATES_MAX)
            .collect(),
    );
    let search = Search {
        anchors: certificates(&anchors),
        bag: certificates(&bag),
        crls: material
            .crls
            .iter()
            .filter_map(|der| Crl::parse(der).ok())
            .collect(),
        responses: material
            .ocsp_responses
            .iter()
            .filter_map(|der| BasicOcspResponse::parse_either(der).ok())
            .collect(),
        time,
        nonce,
    };
    search.run(target)
}

fn certificates(list: &[Vec<u8>]) -> Vec<Certificate<'_>> {
    list.iter()
        .filter_map(|der| Certificate::parse(der).ok())
        .collect()
}

struct Search<'a> {
    anchors: Vec<Certificate<'a>>,
    bag: Vec<Certificate<'a>>,
    crls: Vec<Crl<'a>>,
    responses: Vec<BasicOcspResponse<'a>>,
    time: OffsetDateTime,
    nonce: Option<&'a [u8]>,
}

impl<'a> Search<'a> {
    fn run(&self, target: &'a [u8]) -> Vec<Service> {
        let mut found = Vec::new();
        let mut seen: BTreeSet<&[u8]> = self.anchors.iter().map(Certificate::raw).collect();
        let mut queue: Vec<Certificate<'a>> = Certificate::parse(target).into_iter().collect();
        let mut looked_at: usize = 0;
        while let Some(certificate) = queue.pop() {
            if looked_at == CERTIFICATES_MAX || !seen.insert(certificate.raw()) {
                continue;
            }
            looked_at = looked_at.saturating_add(1);
            let issuers = self.issuers_of(&certificate);
            match issuers.first() {
                None => push(&mut found, &certificate, issuer_addresses(&certificate)),
                Some(issuer) if self.is_uninformed(&certificate, issuer) => {
                    let requests = self.ocsp(&certificate, issuer);
                    push(&mut found, &certificate, requests);
                    push(&mut found, &certificate, crls(&certificate));
                }
                Some(_) => {}
            }
            queue.extend(issuers.into_iter().cloned());
        }
        found.truncate(SERVICES_MAX);
        found
    }

    /// Those who signed it, the trust anchors first.
    fn issuers_of(&self, certificate: &Certificate<'_>) -> Vec<&Certificate<'a>> {
        let all = self.anchors.iter().chain(&self.bag);
        all.filter(|issuer| issuer.subject() == certificate.issuer())
            .take(ISSUERS_MAX)
            .filter(|issuer| {
                crypto::verify_signed(issuer.spki(), None, certificate.signed()).is_valid()
            })
            .collect()
    }

    /// Does nothing in the material speak about the certificate for the time in question? This looks at names and times alone, and judges nothing.
    fn is_uninformed(&self, certificate: &Certificate<'a>, issuer: &Certificate<'_>) -> bool {
        if certificate.extensions().ocsp_no_check {
            return false;
        }
        let speaks = |this: OffsetDateTime, next: Option<OffsetDateTime>| {
            this > self.time || next.is_some_and(|next| next >= self.time)
        };
        let points = scope::points(certificate);
        let by_crl = self.crls.iter().any(|crl| {
            speaks(crl.this_update, crl.next_update)
                && points
                    .iter()
                    .any(|point| scope::reasons_covered(certificate, point, crl).is_some())
        });
        let (name, spki, serial) = (
            certificate.issuer().raw(),
            issuer.spki(),
            certificate.serial(),
        );
        let by_ocsp = || {
            let mut answers = self.responses.iter().flat_map(|response| &response.answers);
            answers.any(|single| {
                speaks(single.this_update, single.next_update)
                    && single.certificate.matches(name, spki, serial) == Ok(Some(true))
            })
        };
        !by_crl && !by_ocsp()
    }

    /// The OCSP services with the request for them. SHA-1 names the certificate: the one digest that every responder knows (RFC 5019 §2.1.1).
    fn ocsp(
        &self,
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
    ) -> Vec<(ServiceKind, String)> {
        let Some(request) = request(certificate, issuer, self.nonce) else {
            return Vec::new();
        };
        addresses(certificate.extensions().ocsp_addresses.iter().copied())
            .into_iter()
            .map(|address| {
                let request = request.clone();
                (ServiceKind::Ocsp { request }, address)
            })
            .collect()
    }
}

/// An OCSP request about one certificate.
fn request(
    certificate: &Certificate<'_>,
    issuer: &Certificate<'_>,
    nonce: Option<&[u8]>,
) -> Option<Vec<u8>> {
    let serial = Integer::from_content(certificate.serial());
    let name = certificate.issuer().raw();
    let id = CertificateId::new(DigestAlgorithm::Sha1, name, issuer.spki(), serial).ok()?;
    let request = OcspRequest {
        certificates: vec![id],
        nonce: nonce.map(<[u8]>::to_vec),
    };
    Some(request.encode())
}

fn issuer_addresses(certificate: &Certificate<'_>) -> Vec<(ServiceKind, String)> {
    addresses(certificate.extensions().issuer_addresses.iter().copied())
        .into_iter()
        .map(|address| (ServiceKind::Issuer, address))
        .collect()
}

/// The addresses of CRLs, those of indirect ones (cRLIssuer) included.
fn crls(certificate: &Certificate<'_>) -> Vec<(ServiceKind, String)> {
    let mut list: Vec<&str> = Vec::new();
    for point in &certificate.extensions().crl_distribution_points {
        if let Some(DistributionPointName::Full(names)) = &point.name {
            list.extend(names.iter().filter_map(|name| match name {
                GeneralName::Uri(address) => Some(*address),
                GeneralName::Other(..)
                | GeneralName::Rfc822(_)
                | GeneralName::Dns(_)
                | GeneralName::X400(_)
                | GeneralName::Directory(_)
                | GeneralName::EdiParty(_)
                | GeneralName::Ip(_)
                | GeneralName::Registered(_) => None,
            }));
        }
    }
    addresses(list.into_iter())
        .into_iter()
        .map(|address| (ServiceKind::Crl, address))
        .collect()
}

/// Those of the schemes http and https, as many as are tried.
fn addresses<'x>(list: impl Iterator<Item = &'x str>) -> Vec<String> {
    list.filter(|address| is_web_address(address))
        .take(ADDRESSES_MAX)
        .map(str::to_owned)
        .collect()
}

fn is_web_address(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
        && !host.is_empty()
        && address.len() <= ADDRESS_BYTES_MAX
        && address.bytes().all(|octet| octet.is_ascii_graphic())
}

fn push(
    found: &mut Vec<Service>,
    certificate: &Certificate<'_>,
    services: Vec<(ServiceKind, String)>,
) {
    for (kind, address) in services {
        let known = |other: &Service| other.kind == kind && other.address == address;
        if !found.iter().any(known) {
            found.push(Service {
                certificate: certificate.title(),
                kind,
                address,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_are_named() {
        for good in [
            "http://a.example/x.crl",
            "HTTPS://a.example",
            "http://192.0.2.1:8080/?x",
        ] {
            assert!(is_web_address(good), "{good}");
        }
        let long = format!("http://a.example/{}", "x".repeat(ADDRESS_BYTES_MAX));
        for bad in [
            "ldap://a.example/cn=x",
            "file:///etc/passwd",
            "http:///x",
            "http:a.example",
            "http://a.example/ x",
            "http://a.example/\u{e9}",
            "",
            &long,
        ] {
            assert!(!is_web_address(bad), "{bad}");
        }
    }
}
