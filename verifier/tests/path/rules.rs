//! One change, one rule.

use crate::support::*;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, CustomExtension, GeneralSubtree, IsCa,
    KeyUsagePurpose, NameConstraints, SanType,
};
use time::macros::datetime;
use verifier::finding::path as code;
use verifier::path::{AlgorithmRule, Material, PathOptions, PathOutcome, Purpose};
use verifier::policy::Policy;
use verifier::verdict::SubIndication;

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
