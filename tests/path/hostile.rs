//! Input made to cost time: every answer comes soon, by a budget, and none is "passed" where it should not be.

use std::time::{Duration, Instant};

use verifier::budget::Budget;
use verifier::finding::{Code, path as code, revocation as revocation_code};
use verifier::path::{Material, PathOptions, PathOutcome, TrustAnchor, validate_path};
use verifier::policy::RevocationRule;

use crate::der::*;
use crate::extension::*;
use crate::make::*;

/// Far more than any of it takes on an idle machine, so that only a loss of the bound is noticed.
const LONGEST: Duration = Duration::from_secs(60);

fn judge(
    target: &[u8],
    chain: &[Vec<u8>],
    crls: &[Vec<u8>],
    revocation: RevocationRule,
) -> PathOutcome {
    let anchor = TrustAnchor::from_certificate(&Cert::ca("Root", "Root").der()).unwrap();
    let material = Material {
        certificates: chain.iter().map(Vec::as_slice).collect(),
        crls: crls.iter().map(Vec::as_slice).collect(),
        ocsp_responses: Vec::new(),
    };
    let options = PathOptions {
        revocation,
        ..PathOptions::default()
    };
    let start = Instant::now();
    let outcome = validate_path(
        target,
        &material,
        &[anchor],
        NOW,
        &options,
        &mut Budget::default(),
    );
    let took = start.elapsed();
    println!("{} candidates, {} CRLs: {took:?}", chain.len(), crls.len());
    assert!(took < LONGEST, "{took:?}");
    outcome
}

fn path(target: &Cert, chain: &[Vec<u8>]) -> PathOutcome {
    judge(&target.der(), chain, &[], RevocationRule::Off)
}

#[track_caller]
fn refused(outcome: &PathOutcome, code: Code) {
    let codes: Vec<_> = outcome
        .findings()
        .iter()
        .map(|finding| finding.code())
        .collect();
    assert!(outcome.verified().is_none());
    assert!(codes.contains(&code), "{codes:?}");
}

/// Everybody signs everybody: 45 × 45 certificates, and no way to the trust anchor.
#[test]
fn thousands_of_cross_signed_authorities() {
    let names: Vec<String> = (0..45).map(|number| format!("CA {number}")).collect();
    let mut mesh = Vec::new();
    for subject in &names {
        for issuer in &names {
            mesh.push(Cert::ca(subject, issuer).der());
        }
    }
    assert!(mesh.len() > 2000);
    let target = Cert::leaf("Leaf", "CA 0");
    refused(&path(&target, &mesh), code::BUDGET_EXHAUSTED);
    // With a way out of the mesh that is one step long, it is found or given up, and never wrong.
    mesh.push(Cert::ca("CA 0", "Root").der());
    let outcome = path(&target, &mesh);
    assert!(
        outcome.verified().is_some()
            || outcome
                .findings()
                .iter()
                .any(|finding| finding.code() == code::BUDGET_EXHAUSTED)
    );
}

/// 3,000 authorities of one name, all with another key than the one that signed.
#[test]
fn thousands_of_namesakes() {
    let bag: Vec<_> = (0..3000)
        .map(|number| {
            Cert::ca("CA", "Root")
                .keyed(&format!("namesake {number}"))
                .der()
        })
        .collect();
    let target = Cert::leaf("Leaf", "CA");
    refused(&path(&target, &bag), code::BUDGET_EXHAUSTED);
    let fitting: Vec<_> = bag
        .iter()
        .cloned()
        .chain([Cert::ca("CA", "Root").der()])
        .collect();
    assert!(
        path(&target, &fitting).verified().is_some(),
        "the key identifier leads to it"
    );
}

/// 1,000 constraints over 1,000 names, as in CVE-2024-0567 and its kin.
#[test]
fn explosions_of_name_constraints() {
    let hosts = |end: &str| -> Vec<_> {
        (0..1000)
            .map(|number| dns(&format!("h{number}.{end}")))
            .collect()
    };
    let authority =
        Cert::ca("CA", "Root").with(constraints(&hosts("a.example"), &hosts("b.example")));
    let target = Cert::leaf("Leaf", "CA").with(alternative(&hosts("c.example")));
    refused(&path(&target, &[authority.der()]), code::NAME_NOT_PERMITTED);
    let excluding = Cert::ca("CA", "Root").with(constraints(&[], &hosts("b.example")));
    refused(&path(&target, &[excluding.der()]), code::BUDGET_EXHAUSTED);
}

/// CVE-2023-0464: mappings of each policy to all others at every level, which make a tree grow without bound.
#[test]
fn explosions_of_policy_mappings() {
    let names: Vec<String> = (1..32)
        .map(|arc| format!("1.3.6.1.4.1.32473.1.{arc}"))
        .collect();
    let list: Vec<&str> = names.iter().map(String::as_str).collect();
    let pairs: Vec<_> = list
        .iter()
        .flat_map(|from| list.iter().map(move |to| (*from, *to)))
        .collect();
    let mut chain = Vec::new();
    for number in 1..14 {
        let issuer = if number == 1 {
            "Root".to_owned()
        } else {
            format!("CA {}", number - 1)
        };
        let authority = Cert::ca(&format!("CA {number}"), &issuer).with(policies(&list));
        chain.push(authority.with(mappings(&pairs)).der());
    }
    let target = Cert::leaf("Leaf", "CA 13").with(policies(&list));
    let outcome = path(&target, &chain);
    let exhausted = outcome
        .findings()
        .iter()
        .any(|finding| finding.code() == code::BUDGET_EXHAUSTED);
    assert!(outcome.verified().is_some() || exhausted);
}

/// A list of a million entries is read to its end.
#[test]
fn crls_of_a_million_entries() {
    let authority = Cert::ca("CA", "Root");
    let target = Cert::leaf("Leaf", "CA");
    let root = Crl::of("Root").der();
    let entries = a_million();
    let mut list = Crl::of("CA");
    list.entries.clone_from(&entries);
    let required = RevocationRule::Required;
    let good = list.der();
    let outcome = judge(
        &target.der(),
        &[authority.der()],
        &[root.clone(), good],
        required,
    );
    assert!(outcome.verified().is_some());
    let bad = list.revokes(&target, BEFORE, &[]).der();
    let outcome = judge(
        &target.der(),
        &[authority.der()],
        &[root.clone(), bad],
        required,
    );
    refused(&outcome, code::CERTIFICATE_REVOKED);
    // A dozen of them, each a little different, are more than anybody has to read.
    let many: Vec<_> = (0..12_u64)
        .map(|number| {
            let mut other = Crl::of("CA").with(crl_number(number + 100));
            other.entries.clone_from(&entries);
            other.der()
        })
        .chain([root])
        .collect();
    refused(
        &judge(&target.der(), &[authority.der()], &many, required),
        code::BUDGET_EXHAUSTED,
    );
}

fn a_million() -> Vec<u8> {
    let at = time(BEFORE);
    let mut entries = Vec::new();
    for number in 0..1_000_000_u32 {
        let serial = [&[0x10], &number.to_be_bytes()[..]].concat();
        entries.extend(seq(&[int(&serial), at.clone()]));
    }
    entries
}

/// An RSA key of this many octets, with an exponent of that many.
fn rsa(modulus: usize, exponent: usize) -> Vec<u8> {
    let number = |length: usize| int(&[&[0][..], &vec![0xff; length]].concat());
    let key = seq(&[number(modulus), number(exponent)]);
    seq(&[seq(&[oid("1.2.840.113549.1.1.1"), null()]), bits(&key)])
}

/// Keys that cost seconds each: too large ones are not computed with, and those at the limit cost more of the budget.
#[test]
fn enormous_keys() {
    let rsa_signed = |c: Cert| {
        c.change(|c| {
            c.inside = seq(&[oid("1.2.840.113549.1.1.11"), null()]);
            c.outside = c.inside.clone();
        })
    };
    let target = rsa_signed(Cert::leaf("Leaf", "CA"));
    for (modulus, exponent) in [(2049, 3), (8192, 8192), (2048, 2048), (384, 384)] {
        let authority = Cert::ca("CA", "Root").change(|c| c.key = rsa(modulus, exponent));
        let outcome = path(&target, &[authority.der()]);
        refused(&outcome, code::CERTIFICATE_SIGNATURE_UNSUPPORTED);
    }
    // As many authorities as the budget lets a small key have, all with the largest key and exponent that are computed with.
    let bag: Vec<_> = (0..500_u16)
        .map(|number| {
            let mut key = rsa(2048, 8);
            let place = key.len() / 2;
            key[place..place + 2].copy_from_slice(&number.to_be_bytes());
            Cert::ca("CA", "Root").change(|c| c.key = key).der()
        })
        .collect();
    refused(&path(&target, &bag), code::BUDGET_EXHAUSTED);
}

#[test]
fn enormous_numbers_names_and_nests() {
    let huge = |c: Cert| c.change(|c| c.serial = vec![0x7f; 100_000]);
    assert!(
        path(&huge(Cert::leaf("Leaf", "Root")), &[])
            .verified()
            .is_some()
    );
    let too_long = Cert::leaf("Leaf", "Root").change(|c| c.serial = vec![0x7f; 2_000_000]);
    refused(&path(&too_long, &[]), code::CERTIFICATE_MALFORMED);
    let long_name = Cert::leaf("Leaf", "Root").change(|c| c.subject = cn(&"x".repeat(500_000)));
    assert!(path(&long_name, &[]).verified().is_some());
    let attributes: Vec<_> = (0..2000).map(|_| ("2.5.4.3", "x")).collect();
    let many = Cert::leaf("Leaf", "Root").change(|c| c.subject = name(&attributes));
    refused(&path(&many, &[]), code::CERTIFICATE_MALFORMED);
    let mut nest = Vec::new();
    for _ in 0..50_000 {
        // Lengths in the long form throughout: the whole is short enough to be read.
        nest = if nest.len() < 200_000 {
            tlv(0x30, &nest)
        } else {
            nest
        };
    }
    for extension in [
        extension(
            SAN,
            false,
            seq(&[tlv(0xa0, &[oid(STRANGE), tlv(0xa0, &nest)].concat())]),
        ),
        extension(NAMES, true, nest.clone()),
        extension("2.5.29.32", false, nest.clone()),
        extension(STRANGE, false, nest.clone()),
    ] {
        let _answered = path(&Cert::leaf("Leaf", "Root").with(extension), &[]);
    }
    let crowd = (0..2000_u32).fold(Cert::leaf("Leaf", "Root"), |c, _| c.and(strange(false)));
    refused(&path(&crowd, &[]), code::CERTIFICATE_MALFORMED);
}

#[test]
fn deep_chains_are_given_up() {
    let mut chain = vec![Cert::ca("CA 0", "Root").der()];
    for number in 1..200 {
        chain.push(Cert::ca(&format!("CA {number}"), &format!("CA {}", number - 1)).der());
    }
    refused(
        &path(&Cert::leaf("Leaf", "CA 199"), &chain),
        code::PATH_TOO_LONG,
    );
    assert!(
        path(&Cert::leaf("Leaf", "CA 13"), &chain)
            .verified()
            .is_some()
    );
    refused(
        &path(&Cert::leaf("Leaf", "CA 14"), &chain),
        code::PATH_TOO_LONG,
    );
}

/// Thousands of lists of one issuer, none of which is signed by it.
#[test]
fn thousands_of_forged_crls() {
    let target = Cert::leaf("Leaf", "Root");
    let forged: Vec<_> = (0..2000)
        .map(|number| {
            Crl::of("Root")
                .signed_by("Mallory")
                .with(crl_number(number))
                .der()
        })
        .collect();
    let outcome = judge(&target.der(), &[], &forged, RevocationRule::Required);
    assert!(outcome.verified().is_none());
    let codes: Vec<_> = outcome
        .findings()
        .iter()
        .map(|finding| finding.code())
        .collect();
    assert!(
        codes.contains(&code::BUDGET_EXHAUSTED)
            || codes.contains(&revocation_code::CRL_SIGNATURE_INVALID)
    );
}
