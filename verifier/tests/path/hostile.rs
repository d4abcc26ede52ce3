//! Many candidates, loops, meshes and damaged bytes.

use crate::revocation::{AFTER, BEFORE, Revocation, crl};
use crate::support::*;
use proptest::prelude::*;
use verifier::budget::{Budget, Limits, Resource};
use verifier::finding::path as code;
use verifier::path::{Material, PathOptions, TrustAnchor, validate_path};
use verifier::verdict::SubIndication;

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

/// What a search for a path costs, by what the budget counts: eight times as many candidates, not more than eight times as many steps.
#[test]
fn a_search_grows_with_the_candidates_and_not_with_their_square() {
    let root = root();
    let spent = |count: usize| {
        let authority = below(&root, ca("CA"));
        let target = leaf(&authority, &params("Leaf"));
        let decoys: Vec<Issuer> = (0..count).map(|_| below(&root, ca("CA"))).collect();
        let material = Material {
            certificates: decoys.iter().map(|decoy| &decoy.der()[..]).collect(),
            ..Material::default()
        };
        let mut budget = Budget::default();
        let options = PathOptions::default();
        let outcome = validate_path(
            &target,
            &material,
            &anchor(&root),
            NOW,
            &options,
            &mut budget,
        );
        assert!(outcome.verified().is_none());
        [
            Resource::PathSteps,
            Resource::Certificates,
            Resource::Signatures,
            Resource::Paths,
        ]
        .map(|resource| budget.spent(resource))
    };
    let (few, many) = (spent(4), spent(32));
    for (few, many) in few.into_iter().zip(many) {
        assert!(many <= 8 * few + 8, "{few} {many}");
    }
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
