//! The cases, by area.

mod authority;
mod building;
mod constraints;
mod crl;
mod crl_scope;
mod form;
mod hosts;
mod names;
mod ocsp;
mod policies;
mod profile;

use crate::case::Case;
use crate::extension::*;
use crate::make::{Cert, Crl};

/// Every case, with the area that it belongs to.
pub(crate) fn all() -> Vec<(&'static str, Case)> {
    let areas = [
        ("form", form::cases()),
        ("names", names::cases()),
        ("authority", authority::cases()),
        ("host names", hosts::cases()),
        ("constraints", constraints::cases()),
        ("policies", policies::cases()),
        ("profile", profile::cases()),
        ("building", building::cases()),
        ("crl", crl::cases()),
        ("crl scope", crl_scope::cases()),
        ("ocsp", ocsp::cases()),
    ];
    let one =
        |(area, cases): (&'static str, Vec<Case>)| cases.into_iter().map(move |case| (area, case));
    areas.into_iter().flat_map(one).collect()
}

/// The authority below the root.
fn ca() -> Cert {
    Cert::ca("CA", "Root")
}

/// The certificate in question, below it.
fn leaf() -> Cert {
    Cert::leaf("Leaf", "CA")
}

/// A chain of three with one change to the authority and one to the leaf.
fn three(
    name: &'static str,
    clause: &'static str,
    authority: impl FnOnce(Cert) -> Cert,
    target: impl FnOnce(Cert) -> Cert,
) -> Case {
    Case::new(name, clause, &target(leaf()), &[&authority(ca())])
}

fn same(cert: Cert) -> Cert {
    cert
}

/// A current CRL of the root that lists nobody, for the authority below.
fn of_root() -> Crl {
    Crl::of("Root")
}
