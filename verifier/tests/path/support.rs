//! What the tests of paths share: certificates made for one rule, and short ways to judge them.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair,
    KeyUsagePurpose,
};
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::budget::Budget;
use verifier::finding::{Code, Language};
use verifier::path::{Material, PathOptions, PathOutcome, TrustAnchor, validate_path};
use verifier::verdict::SubIndication;

pub(crate) const START: OffsetDateTime = datetime!(2020-01-01 0:00 UTC);
pub(crate) const NOW: OffsetDateTime = datetime!(2025-06-01 0:00 UTC);
pub(crate) const END: OffsetDateTime = datetime!(2030-01-01 0:00 UTC);

pub(crate) type Issuer = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = START;
    params.not_after = END;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

pub(crate) fn ca(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

pub(crate) fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

pub(crate) fn root() -> Issuer {
    Issuer::self_signed(ca("Root"), key()).unwrap()
}

pub(crate) fn below(issuer: &Issuer, params: CertificateParams) -> Issuer {
    Issuer::signed_by(params, key(), issuer).unwrap()
}

pub(crate) fn leaf(issuer: &Issuer, params: &CertificateParams) -> Vec<u8> {
    params.signed_by(&key(), issuer).unwrap().der().to_vec()
}

pub(crate) fn anchor(issuer: &Issuer) -> Vec<TrustAnchor> {
    vec![TrustAnchor::from_certificate(issuer.der()).unwrap()]
}

pub(crate) fn judge_with(
    target: &[u8],
    material: &Material<'_>,
    anchors: &[TrustAnchor],
    time: OffsetDateTime,
    options: &PathOptions<'_>,
) -> PathOutcome {
    validate_path(
        target,
        material,
        anchors,
        time,
        options,
        &mut Budget::default(),
    )
}

pub(crate) fn judge(target: &[u8], certificates: &[&[u8]], root: &Issuer) -> PathOutcome {
    let material = Material {
        certificates: certificates.to_vec(),
        ..Material::default()
    };
    judge_with(
        target,
        &material,
        &anchor(root),
        NOW,
        &PathOptions::default(),
    )
}

pub(crate) fn codes(outcome: &PathOutcome) -> Vec<Code> {
    outcome
        .findings()
        .iter()
        .map(|finding| finding.code())
        .collect()
}

#[track_caller]
pub(crate) fn passes(outcome: &PathOutcome) {
    let texts: Vec<_> = outcome
        .findings()
        .iter()
        .map(|finding| finding.text(Language::English))
        .collect();
    assert!(outcome.verified().is_some(), "{texts:#?}");
}

#[track_caller]
pub(crate) fn refuses(
    outcome: &PathOutcome,
    code: Code,
    sub_indication: SubIndication,
    definite: bool,
) {
    assert!(
        codes(outcome).contains(&code),
        "{code:?}: {:?}",
        codes(outcome)
    );
    let PathOutcome::Refused(failure) = outcome else {
        panic!("passed");
    };
    assert_eq!(
        (failure.sub_indication(), failure.is_definite()),
        (sub_indication, definite)
    );
}

/// A chain of three, and its answer, after one change to the certificate authority and one to the leaf.
pub(crate) fn chain(
    change_ca: impl FnOnce(&mut CertificateParams),
    change_leaf: impl FnOnce(&mut CertificateParams),
) -> PathOutcome {
    let root = root();
    let mut ca = ca("CA");
    change_ca(&mut ca);
    let ca = below(&root, ca);
    let mut params = params("Leaf");
    change_leaf(&mut params);
    judge(&leaf(&ca, &params), &[ca.der()], &root)
}

/// extKeyUsage with these last arcs of id-kp.
pub(crate) fn purposes(critical: bool, arcs: &[u8]) -> CustomExtension {
    let mut list = Vec::new();
    for arc in arcs {
        list.extend([0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, *arc]);
    }
    let mut content = vec![0x30, list.len() as u8];
    content.extend(list);
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 37], content);
    extension.set_criticality(critical);
    extension
}
