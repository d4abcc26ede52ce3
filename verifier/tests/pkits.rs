//! The NIST Public Key Interoperability Test Suite, from the shared vectors.

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
