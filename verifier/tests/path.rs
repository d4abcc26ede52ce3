//! Paths made for one rule each, good and bad, and hostile ones.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "clippy sees only functions marked as tests as tests"
)]

use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CidrSubnet, CrlDistributionPoint, CustomExtension, DnType, GeneralSubtree, IsCa, KeyIdMethod,
    KeyPair, KeyUsagePurpose, NameConstraints, RevocationReason, RevokedCertParams, SanType,
    SerialNumber,
};
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::budget::{Budget, Limits};
use verifier::finding::{Code, Language, path as code, revocation as revocation_code};
use verifier::path::{
    AlgorithmRule, Material, PathOptions, PathOutcome, Purpose, TrustAnchor, validate_path,
};
use verifier::policy::{Policy, RevocationRule};
use verifier::verdict::SubIndication;

const START: OffsetDateTime = datetime!(2020-01-01 0:00 UTC);
const NOW: OffsetDateTime = datetime!(2025-06-01 0:00 UTC);
const END: OffsetDateTime = datetime!(2030-01-01 0:00 UTC);

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = START;
    params.not_after = END;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn ca(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn root() -> Issuer {
    Issuer::self_signed(ca("Root"), key()).unwrap()
}

fn below(issuer: &Issuer, params: CertificateParams) -> Issuer {
    Issuer::signed_by(params, key(), issuer).unwrap()
}

fn leaf(issuer: &Issuer, params: &CertificateParams) -> Vec<u8> {
    params.signed_by(&key(), issuer).unwrap().der().to_vec()
}

fn anchor(issuer: &Issuer) -> Vec<TrustAnchor> {
    vec![TrustAnchor::from_certificate(issuer.der()).unwrap()]
}

fn judge_with(
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

fn judge(target: &[u8], certificates: &[&[u8]], root: &Issuer) -> PathOutcome {
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

fn codes(outcome: &PathOutcome) -> Vec<Code> {
    outcome
        .findings()
        .iter()
        .map(|finding| finding.code())
        .collect()
}

#[track_caller]
fn passes(outcome: &PathOutcome) {
    let texts: Vec<_> = outcome
        .findings()
        .iter()
        .map(|finding| finding.text(Language::English))
        .collect();
    assert!(outcome.verified().is_some(), "{texts:#?}");
}

#[track_caller]
fn refuses(outcome: &PathOutcome, code: Code, sub_indication: SubIndication, definite: bool) {
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
fn chain(
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

#[test]
fn a_plain_chain_passes() {
    let outcome = chain(|_| (), |_| ());
    passes(&outcome);
    let path = outcome.verified().unwrap();
    assert_eq!(path.certificates().len(), 3);
    assert_eq!(path.period(), (START, END));
    assert_eq!((path.anchor(), path.time()), (0, NOW));
    assert_eq!(path.algorithms().len(), 1);
}

#[test]
fn each_broken_rule_is_named() {
    let rule = SubIndication::ChainConstraintsFailure;
    let outcome = chain(|ca| ca.is_ca = IsCa::ExplicitNoCa, |_| ());
    refuses(&outcome, code::ISSUER_NOT_CA, rule, true);
    let outcome = chain(|ca| ca.is_ca = IsCa::NoCa, |_| ());
    refuses(&outcome, code::ISSUER_NOT_CA, rule, true);
    let outcome = chain(|ca| ca.key_usages = vec![KeyUsagePurpose::CrlSign], |_| ());
    refuses(&outcome, code::KEY_CERT_SIGN_MISSING, rule, true);
    let unknown = || CustomExtension::from_oid_content(&[2, 999, 1], vec![5, 0]);
    let critical = || {
        let mut extension = unknown();
        extension.set_criticality(true);
        extension
    };
    let outcome = chain(|_| (), |leaf| leaf.custom_extensions.push(critical()));
    refuses(&outcome, code::EXTENSION_UNKNOWN_CRITICAL, rule, true);
    let outcome = chain(|ca| ca.custom_extensions.push(critical()), |_| ());
    refuses(&outcome, code::EXTENSION_UNKNOWN_CRITICAL, rule, true);
    passes(&chain(
        |_| (),
        |leaf| leaf.custom_extensions.push(unknown()),
    ));
    // keyUsage that is no BIT STRING
    let malformed = CustomExtension::from_oid_content(&[2, 5, 29, 15], vec![5, 0]);
    let outcome = chain(|_| (), |leaf| leaf.custom_extensions.push(malformed));
    refuses(
        &outcome,
        code::EXTENSION_MALFORMED,
        SubIndication::CertificateChainGeneralFailure,
        true,
    );
}

#[test]
fn periods_count_at_the_time_in_question() {
    let late = datetime!(2025-06-02 0:00 UTC);
    let early = datetime!(2025-05-31 0:00 UTC);
    let outcome = chain(|_| (), |leaf| leaf.not_before = late);
    refuses(
        &outcome,
        code::CERTIFICATE_NOT_YET_VALID,
        SubIndication::NotYetValid,
        true,
    );
    let outcome = chain(|_| (), |leaf| leaf.not_after = early);
    refuses(
        &outcome,
        code::CERTIFICATE_EXPIRED,
        SubIndication::Expired,
        true,
    );
    let general = SubIndication::CertificateChainGeneralFailure;
    let outcome = chain(|ca| ca.not_after = early, |_| ());
    refuses(&outcome, code::CERTIFICATE_EXPIRED, general, true);
    passes(&chain(|_| (), |leaf| leaf.not_after = NOW));
    passes(&chain(|_| (), |leaf| leaf.not_before = NOW));
}

#[test]
fn the_path_length_counts_authorities_in_between() {
    let root = root();
    let mut limited = ca("Limited");
    limited.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let limited = below(&root, limited);
    let direct = leaf(&limited, &params("Leaf"));
    passes(&judge(&direct, &[limited.der()], &root));
    let sub = below(&limited, ca("Sub"));
    let outcome = judge(
        &leaf(&sub, &params("Leaf")),
        &[limited.der(), sub.der()],
        &root,
    );
    refuses(
        &outcome,
        code::PATH_LENGTH_EXCEEDED,
        SubIndication::ChainConstraintsFailure,
        true,
    );
}

#[test]
fn the_trust_anchor_obeys_its_own_constraints() {
    let mut params_of_root = ca("Root");
    params_of_root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params_of_root.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("good.example".into())],
        excluded_subtrees: Vec::new(),
    });
    let root = Issuer::self_signed(params_of_root, key()).unwrap();
    let named = |host: &str| {
        let mut params = params("Leaf");
        params.subject_alt_names = vec![SanType::DnsName(host.try_into().unwrap())];
        params
    };
    passes(&judge(&leaf(&root, &named("a.good.example")), &[], &root));
    let outcome = judge(&leaf(&root, &named("bad.example")), &[], &root);
    refuses(
        &outcome,
        code::NAME_NOT_PERMITTED,
        SubIndication::ChainConstraintsFailure,
        true,
    );
    let ca = below(&root, ca("CA"));
    let outcome = judge(&leaf(&ca, &named("a.good.example")), &[ca.der()], &root);
    refuses(
        &outcome,
        code::PATH_LENGTH_EXCEEDED,
        SubIndication::ChainConstraintsFailure,
        true,
    );
}

#[test]
fn names_outside_of_the_constraints_are_refused() {
    let constrain = |ca: &mut CertificateParams| {
        ca.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![
                GeneralSubtree::DnsName("example.jp".into()),
                GeneralSubtree::IpAddress(CidrSubnet::V4([192, 0, 2, 0], [255, 255, 255, 0])),
            ],
            excluded_subtrees: vec![GeneralSubtree::DnsName("secret.example.jp".into())],
        });
    };
    let named =
        |san: SanType| move |leaf: &mut CertificateParams| leaf.subject_alt_names = vec![san];
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let ip = |octets: [u8; 4]| SanType::IpAddress(octets.into());
    passes(&chain(constrain, named(dns("www.example.jp"))));
    passes(&chain(constrain, named(ip([192, 0, 2, 1]))));
    passes(&chain(
        constrain,
        named(SanType::Rfc822Name("a@b.example".try_into().unwrap())),
    ));
    let rule = SubIndication::ChainConstraintsFailure;
    for (san, code) in [
        (dns("www.example.com"), code::NAME_NOT_PERMITTED),
        (dns("a.secret.example.jp"), code::NAME_EXCLUDED),
        (dns("*.example.jp"), code::NAME_EXCLUDED),
        (ip([198, 51, 100, 1]), code::NAME_NOT_PERMITTED),
        (
            SanType::IpAddress("2001:db8::1".parse().unwrap()),
            code::NAME_NOT_PERMITTED,
        ),
    ] {
        refuses(&chain(constrain, named(san)), code, rule, true);
    }
}

#[test]
fn without_a_path_nothing_is_decided() {
    let (root, other) = (root(), root());
    let target = leaf(&root, &params("Leaf"));
    let options = PathOptions::default();
    let none = SubIndication::NoCertificateChainFound;
    let outcome = judge_with(&target, &Material::default(), &[], NOW, &options);
    refuses(&outcome, code::NO_TRUST_ANCHORS, none, false);
    let stranger = Issuer::self_signed(ca("Stranger"), key()).unwrap();
    refuses(
        &judge(&target, &[root.der()], &stranger),
        code::NO_PATH_FOUND,
        none,
        false,
    );
    // The right name and the wrong key.
    let general = SubIndication::CertificateChainGeneralFailure;
    refuses(
        &judge(&target, &[], &other),
        code::CERTIFICATE_SIGNATURE_INVALID,
        general,
        true,
    );
    // Of two anchors with one name the right one counts.
    let both: Vec<_> = [anchor(&other), anchor(&root)].concat();
    let outcome = judge_with(&target, &Material::default(), &both, NOW, &options);
    assert_eq!(outcome.verified().unwrap().anchor(), 1);
    let garbage = judge(b"not a certificate", &[], &root);
    refuses(&garbage, code::CERTIFICATE_MALFORMED, general, false);
}

#[test]
fn a_trust_anchor_needs_no_path() {
    let root = root();
    let outcome = judge(root.der(), &[], &root);
    passes(&outcome);
    assert_eq!(outcome.verified().unwrap().certificates().len(), 1);
    let options = PathOptions {
        purpose: Purpose::TimeStamping,
        ..PathOptions::default()
    };
    let stamping = judge_with(
        root.der(),
        &Material::default(),
        &anchor(&root),
        NOW,
        &options,
    );
    refuses(
        &stamping,
        code::EXTENDED_KEY_USAGE_MISSING,
        SubIndication::ChainConstraintsFailure,
        true,
    );
    let late = datetime!(2031-01-01 0:00 UTC);
    let expired = judge_with(
        root.der(),
        &Material::default(),
        &anchor(&root),
        late,
        &PathOptions::default(),
    );
    refuses(
        &expired,
        code::CERTIFICATE_EXPIRED,
        SubIndication::Expired,
        true,
    );
}

/// extKeyUsage with these last arcs of id-kp.
fn purposes(critical: bool, arcs: &[u8]) -> CustomExtension {
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

fn stamping(
    ca_change: impl FnOnce(&mut CertificateParams),
    extensions: Vec<CustomExtension>,
) -> PathOutcome {
    let root = root();
    let mut authority = ca("CA");
    ca_change(&mut authority);
    let authority = below(&root, authority);
    let mut params = params("TSA");
    params.custom_extensions = extensions;
    let target = leaf(&authority, &params);
    let material = Material {
        certificates: vec![authority.der()],
        ..Material::default()
    };
    let options = PathOptions {
        purpose: Purpose::TimeStamping,
        ..PathOptions::default()
    };
    judge_with(&target, &material, &anchor(&root), NOW, &options)
}

#[test]
fn time_stamping_must_be_the_critical_and_only_purpose() {
    let rule = SubIndication::ChainConstraintsFailure;
    passes(&stamping(|_| (), vec![purposes(true, &[8])]));
    let outcome = stamping(|_| (), vec![purposes(false, &[8])]);
    refuses(&outcome, code::EXTENDED_KEY_USAGE_NOT_CRITICAL, rule, true);
    let outcome = stamping(|_| (), vec![purposes(true, &[8, 1])]);
    refuses(&outcome, code::EXTENDED_KEY_USAGE_NOT_SOLE, rule, true);
    let outcome = stamping(|_| (), vec![purposes(true, &[1])]);
    refuses(&outcome, code::EXTENDED_KEY_USAGE_MISSING, rule, true);
    let outcome = stamping(|_| (), Vec::new());
    refuses(&outcome, code::EXTENDED_KEY_USAGE_MISSING, rule, true);
    let restricted = |ca: &mut CertificateParams| ca.custom_extensions.push(purposes(false, &[1]));
    let outcome = stamping(restricted, vec![purposes(true, &[8])]);
    refuses(&outcome, code::EXTENDED_KEY_USAGE_CA, rule, true);
    let fitting = |ca: &mut CertificateParams| ca.custom_extensions.push(purposes(false, &[1, 8]));
    passes(&stamping(fitting, vec![purposes(true, &[8])]));
}

#[test]
fn algorithms_end_by_the_policy() {
    let mut params_of_root = ca("Root");
    params_of_root.not_after = datetime!(2060-01-01 0:00 UTC);
    let mut params_of_leaf = params("Leaf");
    params_of_leaf.not_after = datetime!(2060-01-01 0:00 UTC);
    let root = Issuer::self_signed(params_of_root, key()).unwrap();
    let target = leaf(&root, &params_of_leaf);
    let policy = Policy::default();
    let judge = |algorithms, time| {
        let options = PathOptions {
            algorithms,
            ..PathOptions::default()
        };
        judge_with(
            &target,
            &Material::default(),
            &anchor(&root),
            time,
            &options,
        )
    };
    // P-256 with SHA-256 is trusted until the end of 2050.
    let late = datetime!(2051-01-02 0:00 UTC);
    passes(&judge(AlgorithmRule::Enforce(&policy), NOW));
    passes(&judge(AlgorithmRule::Ignore, late));
    passes(&judge(AlgorithmRule::Report(&policy), late));
    let ended = verifier::finding::crypto::ALGORITHM_NOT_TRUSTED;
    assert!(codes(&judge(AlgorithmRule::Report(&policy), late)).contains(&ended));
    let outcome = judge(AlgorithmRule::Enforce(&policy), late);
    refuses(
        &outcome,
        ended,
        SubIndication::CryptoConstraintsFailureNoPoe,
        false,
    );
}

/// A CRL of `issuer` about the serial number 77.
fn crl(
    issuer: &Issuer,
    this_update: OffsetDateTime,
    next_update: OffsetDateTime,
    entry: Option<RevokedCertParams>,
) -> Vec<u8> {
    let params = CertificateRevocationListParams {
        this_update,
        next_update,
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: entry.into_iter().collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).unwrap().der().to_vec()
}

fn entry(
    revocation_time: OffsetDateTime,
    reason_code: Option<RevocationReason>,
) -> Option<RevokedCertParams> {
    Some(RevokedCertParams {
        serial_number: SerialNumber::from(77_u64),
        revocation_time,
        reason_code,
        invalidity_date: None,
    })
}

struct Revocation {
    root: Issuer,
    target: Vec<u8>,
}

impl Revocation {
    fn new() -> Self {
        let root = root();
        let mut params = params("TSA");
        params.serial_number = Some(SerialNumber::from(77_u64));
        params.custom_extensions = vec![purposes(true, &[8])];
        params.crl_distribution_points = vec![CrlDistributionPoint {
            uris: vec!["http://crl.example/".into()],
        }];
        let target = leaf(&root, &params);
        Self { root, target }
    }

    fn judge(&self, crls: &[&[u8]], change: impl FnOnce(&mut PathOptions<'_>)) -> PathOutcome {
        let material = Material {
            crls: crls.to_vec(),
            ..Material::default()
        };
        let mut options = PathOptions::default();
        change(&mut options);
        judge_with(&self.target, &material, &anchor(&self.root), NOW, &options)
    }
}

const BEFORE: OffsetDateTime = datetime!(2025-05-01 0:00 UTC);
const AFTER: OffsetDateTime = datetime!(2025-07-01 0:00 UTC);
const LATER: OffsetDateTime = datetime!(2025-08-01 0:00 UTC);

#[test]
fn revocation_is_asked_for_where_it_is_named() {
    let case = Revocation::new();
    let unknown = SubIndication::TryLater;
    refuses(
        &case.judge(&[], |_| ()),
        revocation_code::REVOCATION_UNKNOWN,
        unknown,
        false,
    );
    passes(&case.judge(&[], |options| options.revocation = RevocationRule::Off));
    let good = crl(&case.root, BEFORE, AFTER, None);
    passes(&case.judge(&[&good], |_| ()));
    // A certificate that names no service passes, unless every one needs it.
    let plain = chain(|_| (), |_| ());
    assert!(codes(&plain).contains(&revocation_code::REVOCATION_NOT_NAMED));
    let options = PathOptions {
        revocation: RevocationRule::Required,
        ..PathOptions::default()
    };
    let target = leaf(&case.root, &params("Leaf"));
    let outcome = judge_with(
        &target,
        &Material::default(),
        &anchor(&case.root),
        NOW,
        &options,
    );
    refuses(
        &outcome,
        revocation_code::REVOCATION_UNKNOWN,
        unknown,
        false,
    );
}

#[test]
fn a_crl_must_say_something_about_the_time() {
    let case = Revocation::new();
    let unknown = SubIndication::TryLater;
    let old = crl(&case.root, START, BEFORE, None);
    refuses(
        &case.judge(&[&old], |_| ()),
        revocation_code::CRL_OUT_OF_DATE,
        unknown,
        false,
    );
    let later = crl(&case.root, AFTER, LATER, None);
    refuses(
        &case.judge(&[&later], |_| ()),
        revocation_code::CRL_NOT_YET_ISSUED,
        unknown,
        false,
    );
    passes(&case.judge(&[&later], |options| options.material_time = Some(LATER)));
    let after_end = crl(
        &case.root,
        datetime!(2030-02-01 0:00 UTC),
        datetime!(2030-03-01 0:00 UTC),
        None,
    );
    let outcome = case.judge(&[&after_end], |options| {
        options.material_time = Some(datetime!(2030-02-15 0:00 UTC))
    });
    refuses(
        &outcome,
        revocation_code::CRL_AFTER_CERTIFICATE,
        unknown,
        false,
    );
    let forged = crl(&root(), BEFORE, AFTER, None);
    refuses(
        &case.judge(&[&forged], |_| ()),
        revocation_code::CRL_SIGNATURE_INVALID,
        unknown,
        false,
    );
    refuses(
        &case.judge(&[b"\x30\x00"], |_| ()),
        revocation_code::CRL_MALFORMED,
        unknown,
        false,
    );
}

#[test]
fn a_revocation_counts_from_its_time() {
    let case = Revocation::new();
    let revoked = code::CERTIFICATE_REVOKED;
    let superseded = Some(RevocationReason::Superseded);
    let early = crl(&case.root, BEFORE, AFTER, entry(BEFORE, superseded));
    refuses(
        &case.judge(&[&early], |_| ()),
        revoked,
        SubIndication::Revoked,
        true,
    );
    let late = crl(&case.root, AFTER, LATER, entry(AFTER, superseded));
    let outcome = case.judge(&[&late], |options| options.material_time = Some(LATER));
    passes(&outcome);
    assert!(codes(&outcome).contains(&revocation_code::REVOKED_LATER));
}

/// RFC 3161 §4.
#[test]
fn a_compromised_stamping_key_taints_all_its_tokens() {
    let case = Revocation::new();
    for reason in [None, Some(RevocationReason::KeyCompromise)] {
        let late = crl(&case.root, AFTER, LATER, entry(AFTER, reason));
        let judge = |proof| {
            case.judge(&[&late], |options| {
                options.material_time = Some(LATER);
                options.purpose = Purpose::TimeStamping;
                options.proof_of_existence = proof;
            })
        };
        refuses(
            &judge(None),
            code::CERTIFICATE_REVOKED,
            SubIndication::Revoked,
            true,
        );
        refuses(
            &judge(Some(LATER)),
            code::CERTIFICATE_REVOKED,
            SubIndication::Revoked,
            true,
        );
        passes(&judge(Some(NOW)));
    }
}

#[test]
fn authorities_that_sign_each_other_make_no_endless_loop() {
    let root = root();
    let (one, two) = (below(&root, ca("One")), below(&root, ca("Two")));
    let stranger = Issuer::self_signed(ca("Stranger"), key()).unwrap();
    let one_by_two = ca("One").signed_by(one.key(), &two).unwrap();
    let two_by_one = ca("Two").signed_by(two.key(), &one).unwrap();
    let target = leaf(&one, &params("Leaf"));
    let mesh: [&[u8]; 2] = [one_by_two.der(), two_by_one.der()];
    let outcome = judge(&target, &mesh, &stranger);
    assert!(outcome.verified().is_none());
    // Through the mesh to the root, by the one certificate that leads there.
    passes(&judge(&target, &[mesh[0], mesh[1], two.der()], &root));
}

#[test]
fn the_right_issuer_is_found_among_many_of_its_name() {
    let root = root();
    let authority = below(&root, ca("CA"));
    let target = leaf(&authority, &params("Leaf"));
    let decoys: Vec<Issuer> = (0..60).map(|_| below(&root, ca("CA"))).collect();
    let mut all: Vec<&[u8]> = decoys.iter().map(|decoy| &decoy.der()[..]).collect();
    all.push(authority.der());
    passes(&judge(&target, &all, &root));
    // An expired certificate of the same key does not hide the one in its period.
    let mut expired = ca("CA");
    expired.not_after = BEFORE;
    let expired = expired.signed_by(authority.key(), &root).unwrap();
    passes(&judge(&target, &[expired.der(), authority.der()], &root));
}

/// Every authority signs every other: more paths than can be tried. The answer comes soon, and is not "passed".
#[test]
fn a_hostile_mesh_exhausts_the_budget_and_not_the_machine() {
    let stranger = Issuer::self_signed(ca("Stranger"), key()).unwrap();
    let root = root();
    let all: Vec<Issuer> = (0..20)
        .map(|number| below(&root, ca(&format!("CA {number}"))))
        .collect();
    let mut mesh = Vec::new();
    for (number, subject) in all.iter().enumerate() {
        for signer in &all {
            let certificate = ca(&format!("CA {number}"))
                .signed_by(subject.key(), signer)
                .unwrap();
            mesh.push(certificate.der().to_vec());
        }
    }
    let material = Material {
        certificates: mesh.iter().map(Vec::as_slice).collect(),
        ..Material::default()
    };
    let target = leaf(&all[0], &params("Leaf"));
    let outcome = judge_with(
        &target,
        &material,
        &anchor(&stranger),
        NOW,
        &PathOptions::default(),
    );
    let general = SubIndication::CertificateChainGeneralFailure;
    refuses(&outcome, code::BUDGET_EXHAUSTED, general, false);
    let mut tiny = Budget::new(Limits {
        certificates_max: 3,
        ..Limits::default()
    });
    let outcome = validate_path(
        &target,
        &material,
        &anchor(&root),
        NOW,
        &PathOptions::default(),
        &mut tiny,
    );
    refuses(&outcome, code::BUDGET_EXHAUSTED, general, false);
}

#[test]
fn a_path_of_the_greatest_length_passes_and_one_more_does_not() {
    let root = root();
    let mut authorities = vec![below(&root, ca("CA 0"))];
    for number in 1..15 {
        let next = below(authorities.last().unwrap(), ca(&format!("CA {number}")));
        authorities.push(next);
    }
    let ders: Vec<&[u8]> = authorities
        .iter()
        .map(|authority| &authority.der()[..])
        .collect();
    // 16 certificates: leaf, 14 authorities, trust anchor.
    passes(&judge(
        &leaf(&authorities[13], &params("Leaf")),
        &ders,
        &root,
    ));
    let outcome = judge(&leaf(&authorities[14], &params("Leaf")), &ders, &root);
    refuses(
        &outcome,
        code::PATH_TOO_LONG,
        SubIndication::NoCertificateChainFound,
        false,
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// No change of a certificate or a CRL makes a panic, and none passes that touches what was signed.
    #[test]
    fn damaged_bytes_never_pass(position in any::<prop::sample::Index>(), value: u8, cut in any::<prop::sample::Index>(), which in 0..4) {
        let case = case();
        let good = &case.1;
        let mut bytes = if which < 2 { case.0.target.clone() } else { good.clone() };
        match which {
            0 | 2 => {
                let place = position.index(bytes.len());
                if bytes[place] == value {
                    return Ok(());
                }
                bytes[place] = value;
            }
            _ => bytes.truncate(cut.index(bytes.len())),
        }
        let (target, list) = if which < 2 { (&bytes, good) } else { (&case.0.target, &bytes) };
        let material = Material { crls: vec![list], certificates: vec![&bytes], ..Material::default() };
        let outcome = judge_with(target, &material, &anchor(&case.0.root), NOW, &PathOptions::default());
        prop_assert!(outcome.verified().is_none());
    }

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let case = case();
        let material = Material { crls: vec![&bytes], certificates: vec![&bytes], ..Material::default() };
        let outcome = judge_with(&bytes, &material, &anchor(&case.0.root), NOW, &PathOptions::default());
        prop_assert!(outcome.verified().is_none());
        prop_assert!(TrustAnchor::from_certificate(&bytes).is_err());
    }
}

/// One case for all runs of a property, with a CRL that makes it pass.
fn case() -> &'static (Revocation, Vec<u8>) {
    static CASE: std::sync::OnceLock<(Revocation, Vec<u8>)> = std::sync::OnceLock::new();
    CASE.get_or_init(|| {
        let case = Revocation::new();
        let good = crl(&case.root, BEFORE, AFTER, None);
        passes(&case.judge(&[&good], |_| ()));
        (case, good)
    })
}
