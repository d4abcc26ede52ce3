//! Evidence records in XML made by other people's tools, with the verdicts that their authors state.
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

use support::vectors::{Expectation, Vector, data_of, read_manifest, trust_everything};
use verifier::context::Context;
use verifier::finding::{Severity, xmlers as codes};
use verifier::judge::verify;
use verifier::policy::Policy;
use verifier::report::Report;
use verifier::source::{DigestSource, InputFile};
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

/// Judges a vector with nothing trusted, then with everything trusted at the time of its newest token.
fn judge(folder: &Path, vector: &Vector) -> (Report, Report) {
    let bytes = std::fs::read(folder.join(&vector.path)).unwrap();
    let data = data_of(folder, vector);
    let sources: Vec<&dyn DigestSource> = data.iter().map(AsRef::as_ref).collect();
    let files = [InputFile::new(vector.path.as_str(), bytes.as_slice())];
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
    let first = verify(&files, &sources, &untrusted);
    let permissive = Policy::parse(PERMISSIVE.as_bytes()).unwrap();
    let (anchors, newest) = trust_everything(&bytes);
    let trusted = Context {
        anchors: &anchors,
        policy: &permissive,
        time: newest.unwrap_or(untrusted.time),
        ..untrusted
    };
    (first, verify(&files, &sources, &trusted))
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

fn records(folder: &Path) -> Vec<Vector> {
    let mut rows = read_manifest(folder);
    rows.retain(|vector| vector.kind.starts_with("XMLERS"));
    rows
}

/// Those whose author says nothing of the data prove nothing of it, whatever else holds.
fn has_data(vector: &Vector) -> bool {
    vector.covers != "-" && !vector.covers.contains("not in repo")
}

#[test]
fn what_their_authors_state_holds() {
    let Some(folder) = vectors() else { return };
    let (mut holds, mut intact) = (0, 0);
    for vector in records(&folder) {
        let (untrusted, trusted) = judge(&folder, &vector);
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
            Expectation::Holds if data_of(&folder, &vector).is_empty() => {
                assert_ne!(untrusted.judgement.integrity(), Integrity::Broken, "{told}");
                assert!(!trusted.judgement.is_passed(), "{told}");
            }
            Expectation::Holds => {
                holds += 1;
                intact += usize::from(untrusted.judgement.integrity() == Integrity::Intact);
                assert_eq!(untrusted.judgement.integrity(), Integrity::Intact, "{told}");
                assert_ne!(
                    trusted.judgement.conclusion(),
                    Conclusion::TotalFailed,
                    "{told}"
                );
            }
            Expectation::Fails { .. } => {
                assert!(!trusted.judgement.is_passed(), "{told}");
                // What does not begin like XML at all is not recognised.
                let is_named = !vector.expected.contains("not well-formed");
                let broken = trusted.judgement.integrity() == Integrity::Broken;
                assert!(broken || !is_named, "{told}");
            }
            Expectation::Unstated => assert!(!trusted.judgement.is_passed(), "{told}"),
        }
    }
    println!("XML evidence records: {intact} of {holds} stated to hold are INTACT");
}

/// The records of products whose data is not at hand: what was recomputed by other means of their roots and links.
#[test]
fn roots_and_links_of_records_without_data_are_as_computed_elsewhere() {
    let Some(folder) = vectors() else { return };
    for vector in records(&folder).iter().filter(|vector| !has_data(vector)) {
        let (_, report) = judge(&folder, vector);
        let has = |code| report.findings.iter().any(|finding| finding.code() == code);
        let roots = has(codes::XML_EVIDENCE_ROOT_MISMATCH);
        let links = has(codes::XML_EVIDENCE_LINK_BROKEN);
        let notes = vector.notes.as_str();
        let told = format!("{}: {notes}: {}", vector.path, describe(&report));
        if notes.contains("root mismatch") || notes.contains("mismatches") {
            assert!(roots, "{told}");
        } else if notes.contains("OK") || notes.contains("hold") {
            assert!(!roots, "{told}");
        }
        if notes.contains("missing") || notes.contains("NOT in") {
            assert!(links, "{told}");
        } else if notes.contains("all links hold") {
            assert!(!links, "{told}");
        }
    }
}
