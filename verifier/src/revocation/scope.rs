//! Is a certificate in the scope of a CRL (RFC 5280 §6.3.3 (b), (d))?

use super::crl::{ALL_REASONS, Crl};
use crate::certificate::{
    Certificate, DistributionPoint, DistributionPointName, GeneralName, Name,
};

/// The distribution points of a certificate, the one that §6.3.3 adds included: the name of its issuer, for CRLs that none of the others names.
pub(super) fn points<'a>(certificate: &Certificate<'a>) -> Vec<DistributionPoint<'a>> {
    let mut points = certificate.extensions().crl_distribution_points.clone();
    points.push(DistributionPoint {
        name: Some(DistributionPointName::Full(vec![GeneralName::Directory(
            certificate.issuer().clone(),
        )])),
        reasons: None,
        crl_issuer: Vec::new(),
    });
    points
}

/// The reasons that `crl` covers for `certificate` by `point`, as bits; `None` if the certificate is not in its scope.
pub(super) fn reasons_covered(
    certificate: &Certificate<'_>,
    point: &DistributionPoint<'_>,
    crl: &Crl<'_>,
) -> Option<u16> {
    // (b)(1)
    if point.crl_issuer.is_empty() {
        if crl.issuer != *certificate.issuer() {
            return None;
        }
    } else if !crl.scope.indirect || !names(&point.crl_issuer).any(|name| *name == crl.issuer) {
        return None;
    }
    // (b)(2)(i)
    if let Some(name) = &crl.scope.name {
        let of_crl = full_names(name, &crl.issuer);
        let of_point = match &point.name {
            Some(name) => {
                let base = names(&point.crl_issuer).next();
                full_names(name, base.unwrap_or_else(|| certificate.issuer()))
            }
            None => point.crl_issuer.clone(),
        };
        if !of_crl.iter().any(|name| of_point.contains(name)) {
            return None;
        }
    }
    // (b)(2)(ii) to (iv)
    if crl.scope.only_attribute_certificates
        || (crl.scope.only_user_certificates && certificate.is_ca())
        || (crl.scope.only_ca_certificates && !certificate.is_ca())
    {
        return None;
    }
    // (d)
    let reasons = point.reasons.unwrap_or(ALL_REASONS)
        & crl.scope.only_some_reasons.unwrap_or(ALL_REASONS)
        & ALL_REASONS;
    (reasons != 0).then_some(reasons)
}

fn names<'x, 'a>(list: &'x [GeneralName<'a>]) -> impl Iterator<Item = &'x Name<'a>> {
    list.iter().filter_map(|name| {
        if let GeneralName::Directory(name) = name {
            Some(name)
        } else {
            None
        }
    })
}

fn full_names<'a>(name: &DistributionPointName<'a>, base: &Name<'a>) -> Vec<GeneralName<'a>> {
    match name {
        DistributionPointName::Full(names) => names.clone(),
        DistributionPointName::Relative(relative) => {
            vec![GeneralName::Directory(base.extended(relative))]
        }
    }
}
