//! XML archive packages (XAIP, BSI TR-03125) made by other people's tools, with the verdicts that their authors state.
//!
//! See `vectors.rs` for where the vectors are and how each is judged.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use support::vectors::{Expectation, Vector, read_manifest, trust_everything};
use verifier::context::Context;
use verifier::finding::Severity;
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::Report;
use verifier::source::InputFile;
use verifier::verdict::{Conclusion, Integrity};

const PERMISSIVE: &str = include_str!("data/permissive-policy.json");

fn vectors() -> Option<PathBuf> {
    let folder = std::env::var_os("FUMIKURA_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    if folder.join("MANIFEST.tsv").is_file() {
        return Some(folder);
    }
    println!("left out: no vectors at {}", folder.display());
    None
}

/// The evidence records in a package.
fn records(text: &str) -> Vec<Vec<u8>> {
    let parts = text.split("asn1EvidenceRecord>").skip(1).step_by(2);
    let values = parts.map(|part| part.split('<').next().unwrap());
    values
        .map(|value| {
            let mut value = value.to_owned();
            value.retain(|character| !character.is_ascii_whitespace());
            STANDARD.decode(value).unwrap()
        })
        .collect()
}

/// Judges a package with nothing trusted, then with everything trusted at the time of its newest token.
fn judge(name: &str, bytes: &[u8]) -> (Report, Report) {
    let files = [InputFile::new(name, bytes)];
    let policy = Policy::default();
    let untrusted = Context {
        anchors: &[],
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time: time::macros::datetime!(2026-11-22 00:00 UTC),
        cache: None,
        registry: None,
    };
    let first = verify(&files, &[], &untrusted);
    let permissive = Policy::parse(PERMISSIVE.as_bytes()).unwrap();
    let mut anchors: Vec<TrustAnchor> = Vec::new();
    let mut newest = None;
    for record in records(std::str::from_utf8(bytes).unwrap()) {
        let (more, time) = trust_everything(&record);
        anchors.extend(more);
        newest = newest.max(time);
    }
    let trusted = Context {
        anchors: &anchors,
        policy: &permissive,
        time: newest.unwrap_or(untrusted.time),
        ..untrusted
    };
    (first, verify(&files, &[], &trusted))
}

fn describe(report: &Report) -> String {
    let judgement = report.judgement;
    let told = report.findings.iter();
    let told = told.filter(|finding| finding.severity() > Severity::Info);
    let told: Vec<String> = told
        .map(|finding| format!("{}@{}", finding.code().id(), finding.place()))
        .collect();
    format!(
        "{} {:?} {} [{}]",
        judgement.conclusion(),
        judgement.sub_indication().map(|sub| sub.name()),
        judgement.integrity(),
        told.join(" ")
    )
}

fn packages(folder: &Path) -> Vec<(Vector, Vec<u8>)> {
    let mut rows = read_manifest(folder);
    rows.retain(|vector| vector.kind.contains("XAIP"));
    rows.into_iter()
        .map(|vector| {
            let bytes = std::fs::read(folder.join(&vector.path)).unwrap();
            (vector, bytes)
        })
        .collect()
}

#[test]
fn what_their_authors_state_holds() {
    let Some(folder) = vectors() else { return };
    let (mut holds, mut intact, mut passed) = (0, 0, 0);
    for (vector, bytes) in packages(&folder) {
        let (untrusted, trusted) = judge(&vector.path, &bytes);
        let told = format!(
            "{}: stated {}\n    {}\n    {}",
            vector.path,
            vector.expected,
            describe(&untrusted),
            describe(&trusted)
        );
        if std::env::var_os("FUMIKURA_SHOW").is_some() {
            println!("{told}");
        }
        assert!(!untrusted.judgement.is_passed(), "{told}");
        match vector.expectation() {
            Expectation::Holds => {
                holds += 1;
                let integrity = untrusted.judgement.integrity();
                assert_eq!(integrity, Integrity::Intact, "{told}");
                let conclusion = trusted.judgement.conclusion();
                assert_ne!(conclusion, Conclusion::TotalFailed, "{told}");
                intact += usize::from(untrusted.judgement.integrity() == Integrity::Intact);
                passed += usize::from(trusted.judgement.is_passed());
            }
            Expectation::Fails { .. } => {
                let conclusion = trusted.judgement.conclusion();
                assert_eq!(conclusion, Conclusion::TotalFailed, "{told}");
            }
            // A condition: a reading that is accepted here under its name.
            Expectation::Unstated if vector.expected.starts_with("PASS") => {}
            Expectation::Unstated => assert!(!trusted.judgement.is_passed(), "{told}"),
        }
    }
    println!("XAIP: {intact} of {holds} stated to hold are INTACT, {passed} pass");
}
