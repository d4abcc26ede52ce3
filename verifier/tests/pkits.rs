//! The NIST Public Key Interoperability Test Suite, from the shared vectors.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "clippy sees only functions marked as tests as tests"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use time::macros::datetime;
use verifier::budget::Budget;
use verifier::finding::Language;
use verifier::path::{Material, PathOptions, PathOutcome, TrustAnchor, validate_path};
use verifier::policy::RevocationRule;

#[derive(Deserialize)]
struct Case {
    id: String,
    name: String,
    cert: String,
    other_certs: Vec<String>,
    crls: Vec<String>,
    valid: bool,
    revocation_required: bool,
    #[serde(default)]
    params: Parameters,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Parameters {
    #[serde(default)]
    user_initial_policy_set: Vec<String>,
    #[serde(default)]
    initial_explicit_policy: bool,
    #[serde(default)]
    initial_policy_mapping_inhibit: bool,
    #[serde(default)]
    initial_any_policy_inhibit: bool,
}

fn vectors() -> Option<PathBuf> {
    let root = std::env::var_os("FUMIKURA_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    let folder = root.join("pkits");
    if folder.is_dir() {
        Some(folder)
    } else {
        println!("left out: no PKITS vectors");
        None
    }
}

struct Suite {
    certificates: BTreeMap<String, Vec<u8>>,
    crls: BTreeMap<String, Vec<u8>>,
    anchors: Vec<TrustAnchor>,
    cases: Vec<Case>,
}

impl Suite {
    fn load(folder: &Path) -> Self {
        let read_all = |name: &str| {
            std::fs::read_dir(folder.join(name))
                .unwrap()
                .map(|entry| entry.unwrap())
                .map(|entry| {
                    let name = entry.file_name().into_string().unwrap();
                    (name, std::fs::read(entry.path()).unwrap())
                })
                .collect::<BTreeMap<_, _>>()
        };
        let certificates = read_all("certs");
        let root = &certificates["TrustAnchorRootCertificate.crt"];
        let anchors = vec![TrustAnchor::from_certificate(root).unwrap()];
        let cases = std::fs::read(folder.join("cases.json")).unwrap();
        Self {
            certificates,
            crls: read_all("crls"),
            anchors,
            cases: serde_json::from_slice(&cases).unwrap(),
        }
    }

    fn judge(&self, case: &Case, material: &Material<'_>) -> PathOutcome {
        let options = PathOptions {
            policies: case
                .params
                .user_initial_policy_set
                .iter()
                .map(|oid| oid.parse().unwrap())
                .collect(),
            require_explicit_policy: case.params.initial_explicit_policy,
            inhibit_policy_mapping: case.params.initial_policy_mapping_inhibit,
            inhibit_any_policy: case.params.initial_any_policy_inhibit,
            revocation: if case.revocation_required {
                RevocationRule::Required
            } else {
                RevocationRule::IfNamed
            },
            ..PathOptions::default()
        };
        validate_path(
            &self.certificates[&case.cert],
            material,
            &self.anchors,
            datetime!(2020-01-01 0:00 UTC),
            &options,
            &mut Budget::default(),
        )
    }

    /// What the case gives, and the CRL of the trust anchor, which every case shares.
    fn material<'a>(&'a self, case: &Case) -> Material<'a> {
        let crls = case.crls.iter().map(String::as_str);
        Material {
            certificates: case
                .other_certs
                .iter()
                .map(|name| &self.certificates[name][..])
                .collect(),
            crls: crls
                .chain(["TrustAnchorRootCRL.crl"])
                .map(|name| &self.crls[name][..])
                .collect(),
            ocsp_responses: Vec::new(),
        }
    }

    /// Every certificate and CRL of the suite: many candidates, most of them of no use.
    fn everything(&self) -> Material<'_> {
        Material {
            certificates: self.certificates.values().map(Vec::as_slice).collect(),
            crls: self.crls.values().map(Vec::as_slice).collect(),
            ocsp_responses: Vec::new(),
        }
    }
}

fn explain(outcome: &PathOutcome) -> String {
    let texts = outcome.findings().iter().map(|finding| {
        let (code, text) = (finding.code().id(), finding.text(Language::English));
        format!("    {} {code}: {text}\n", finding.severity().name())
    });
    texts.collect()
}

#[test]
fn every_case_is_right() {
    let Some(folder) = vectors() else { return };
    let suite = Suite::load(&folder);
    let mut wrong = String::new();
    for case in &suite.cases {
        let outcome = suite.judge(case, &suite.material(case));
        if outcome.verified().is_some() != case.valid {
            wrong += &format!(
                "{} {} should be {}\n{}",
                case.id,
                case.name,
                case.valid,
                explain(&outcome)
            );
        }
    }
    assert_eq!(suite.cases.len(), 161);
    assert!(wrong.is_empty(), "{wrong}");
}

/// The same answers when every certificate and CRL of the suite lies in one bag: the right ones must be found, and no wrong one may help.
#[test]
fn every_case_is_right_in_a_crowd() {
    let Some(folder) = vectors() else { return };
    let suite = Suite::load(&folder);
    let everything = suite.everything();
    let wrong: String = suite
        .cases
        .iter()
        .map(|case| (case, suite.judge(case, &everything)))
        .filter(|(case, outcome)| outcome.verified().is_some() != case.valid)
        .map(|(case, outcome)| format!("{} {}\n{}", case.id, case.name, explain(&outcome)))
        .collect();
    assert!(wrong.is_empty(), "{wrong}");
}

/// No certificate with a flipped bit validates, whether it is the target or one above it.
#[test]
fn no_flipped_bit_passes() {
    let Some(folder) = vectors() else { return };
    let suite = Suite::load(&folder);
    let mut flips = 0;
    for case in suite.cases.iter().filter(|case| case.valid) {
        let material = suite.material(case);
        let target = &suite.certificates[&case.cert];
        // A stride that is prime to 8 meets every bit position; another start for each case.
        for bit in (flips % 197..target.len() * 8).step_by(197) {
            let mut changed = target.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !passes(&suite, &changed, &material),
                "{} bit {bit}",
                case.name
            );
            flips += 1;
        }
        let Some(issuer) = material.certificates.first() else {
            continue;
        };
        for bit in (flips % 661..issuer.len() * 8).step_by(661) {
            let mut changed = issuer.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            let mut material = material.clone();
            material.certificates[0] = &changed;
            assert!(
                !passes(&suite, target, &material),
                "{} issuer bit {bit}",
                case.name
            );
            flips += 1;
        }
    }
    println!("{flips} bits flipped");
}

fn passes(suite: &Suite, target: &[u8], material: &Material<'_>) -> bool {
    let options = PathOptions {
        revocation: RevocationRule::IfNamed,
        ..PathOptions::default()
    };
    let time = datetime!(2020-01-01 0:00 UTC);
    let mut budget = Budget::default();
    validate_path(
        target,
        material,
        &suite.anchors,
        time,
        &options,
        &mut budget,
    )
    .verified()
    .is_some()
}

/// The same answers through the program, by its exit code.
#[test]
fn every_case_is_right_through_the_program() {
    let Some(folder) = vectors() else { return };
    let suite = Suite::load(&folder);
    let mut wrong = Vec::new();
    for case in &suite.cases {
        let (certs, crls) = (folder.join("certs"), folder.join("crls"));
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_verifier"));
        command.args(["path", "--at", "2020-01-01", "--format", "json"]);
        command
            .arg("--trust")
            .arg(certs.join("TrustAnchorRootCertificate.crt"));
        for name in &case.other_certs {
            command.arg("--chain").arg(certs.join(name));
        }
        for name in case
            .crls
            .iter()
            .map(String::as_str)
            .chain(["TrustAnchorRootCRL.crl"])
        {
            command.arg("--crl").arg(crls.join(name));
        }
        for policy in &case.params.user_initial_policy_set {
            command.args(["--policy-oid", policy]);
        }
        for (given, flag) in [
            (
                case.params.initial_explicit_policy,
                "--require-explicit-policy",
            ),
            (
                case.params.initial_policy_mapping_inhibit,
                "--inhibit-policy-mapping",
            ),
            (
                case.params.initial_any_policy_inhibit,
                "--inhibit-any-policy",
            ),
            (!case.revocation_required, "--no-revocation"),
        ] {
            if given {
                command.arg(flag);
            }
        }
        let output = command.arg(certs.join(&case.cert)).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let passed = report["conclusion"] == "TOTAL-PASSED";
        let code = output.status.code().unwrap();
        if (code == 0) != case.valid || passed != case.valid || code > 2 {
            wrong.push(format!("{} {} exit {code} {report}", case.id, case.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
