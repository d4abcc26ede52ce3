//! Evidence made by other people's tools, with the verdicts that their authors state.
//!
//! The vectors are not part of the project. Where the folder is absent (FUMIKURA_VECTORS, by default `shared/vectors` beside
//! the workspace), the test says so in one line and passes.
//!
//! Each vector is judged twice: without any trust, as an outsider would at first, and with everything trusted that can be
//! (all certificates of its tokens, all algorithms, no revocation, at the time of its newest token), so that a vector that
//! must fail has every chance to pass.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use support::vectors::{Expectation, Vector, chain_of, data_of, read_manifest, trust_everything};
use verifier::context::Context;
use verifier::finding::{Code, evidence as codes, signature as signature_codes};
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::{ObjectKind, Report};
use verifier::source::{DigestSource, InputFile};
use verifier::verdict::{Conclusion, Integrity};

const PERMISSIVE: &str = include_str!("data/permissive-policy.json");

/// Two containers that their author calls valid: the imprint of the first time-stamp is not that of the document, a later time-stamp
/// covers the document as it is now. Proofs of the same data are alternatives here too, but only what has aged is passed over, never
/// what contradicts the data. A container whose document was exchanged after it was time-stamped, and time-stamped anew by whoever
/// exchanged it, looks exactly like these two. "Passed" tells a reader that nothing was altered since the first proof, which nobody can
/// know here; so the whole is BROKEN, and the document is shown with the time of the proof that holds (ADR 0015).
const OTHER_OPINION: &[&str] = &["1st-tst-invalid-2nd-tst-no-coverage-3rd-tst-valid"];

/// What their authors state is not about the mathematics: digidoc4j refuses CAdES in containers altogether, and in the last one the
/// digest that was signed is not that of the only document.
const STATED_OF_SOMETHING_ELSE: &[&str] = &[
    "asic/ddj/testFiles__CAdES-baseline-lt",
    "asic/dss/cades-containerWithCounterSig.asics",
];

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

/// Judges a vector with nothing trusted, then with everything trusted.
fn judge(folder: &Path, vector: &Vector) -> (Report, Report) {
    let bytes = std::fs::read(folder.join(&vector.path)).unwrap();
    let data = data_of(folder, vector);
    let sources: Vec<&dyn DigestSource> = data.iter().map(AsRef::as_ref).collect();
    let files = [InputFile::new(vector.path.as_str(), bytes.as_slice())];
    let chain = chain_of(folder, vector);
    let policy = Policy::default();
    let untrusted = Context {
        anchors: &[],
        certificates: &chain,
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time: time::macros::datetime!(2026-11-22 00:00 UTC),
        cache: None,
        registry: None,
    };
    let first = verify(&files, &sources, &untrusted);
    let permissive = Policy::parse(PERMISSIVE.as_bytes()).unwrap();
    let (mut anchors, newest) = trust_everything(&bytes);
    anchors.extend(
        chain
            .iter()
            .filter_map(|der| TrustAnchor::from_certificate(der).ok()),
    );
    let trusted = Context {
        anchors: &anchors,
        policy: &permissive,
        // Where only a folder says "invalid", an expired certificate may be the reason.
        time: newest
            .filter(|_| !vector.expected.starts_with("INVALID"))
            .unwrap_or(untrusted.time),
        ..untrusted
    };
    let second = verify(&files, &sources, &trusted);
    (first, second)
}

/// Why the answer contradicts what the author of the vector states; `None` if it does not.
fn contradiction(vector: &Vector, reports: &(Report, Report), has_data: bool) -> Option<String> {
    let (untrusted, trusted) = reports;
    let integrity = untrusted.judgement.integrity();
    if untrusted.judgement.is_passed() {
        return Some("passed without trust".to_owned());
    }
    if integrity != trusted.judgement.integrity() {
        return Some(format!(
            "integrity depends on trust: {integrity} and {}",
            trusted.judgement.integrity()
        ));
    }
    match vector.expectation() {
        Expectation::Holds if has_data && integrity != Integrity::Intact => {
            Some(format!("{integrity} instead of INTACT"))
        }
        Expectation::Holds if integrity == Integrity::Broken => Some("BROKEN".to_owned()),
        Expectation::Holds
            if untrusted.judgement.conclusion() == Conclusion::TotalFailed
                || trusted.judgement.conclusion() == Conclusion::TotalFailed =>
        {
            Some("TOTAL-FAILED".to_owned())
        }
        Expectation::Fails {
            cryptographic: true,
        } if integrity != Integrity::Broken && !names_only(untrusted) => {
            Some(format!("{integrity} instead of BROKEN"))
        }
        Expectation::Fails { .. } if trusted.judgement.is_passed() => Some("passed".to_owned()),
        Expectation::Holds | Expectation::Fails { .. } | Expectation::Unstated => None,
    }
}

/// Whether some of the evidence is of a kind that is only named.
fn names_only(report: &Report) -> bool {
    let mut objects = report.objects.iter();
    objects.any(|object| object.kind == ObjectKind::NotJudged)
}

fn describe(report: &Report) -> String {
    let judgement = report.judgement;
    let findings: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| finding.severity() > verifier::finding::Severity::Info)
        .map(|finding| format!("{}@{}", finding.code().id(), finding.place()))
        .collect();
    format!(
        "{} {:?} {} [{}]",
        judgement.conclusion(),
        judgement.sub_indication().map(|sub| sub.name()),
        judgement.integrity(),
        findings.join(" ")
    )
}

fn walk(family: &str, wanted: impl Fn(&Vector) -> bool) {
    let Some(folder) = vectors() else { return };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut contradictions = Vec::new();
    let mut passed = 0;
    for vector in read_manifest(&folder)
        .iter()
        .filter(|vector| wanted(vector))
    {
        let reports = judge(&folder, vector);
        let has_data = knows_all(&folder, vector, &reports.0);
        passed += usize::from(reports.1.judgement.is_passed());
        *counts
            .entry(reports.0.judgement.integrity().name())
            .or_default() += 1;
        if std::env::var_os("FUMIKURA_SHOW").is_some() {
            println!(
                "{} | {} | {} || {}",
                vector.path,
                vector.expected,
                describe(&reports.0),
                describe(&reports.1)
            );
        }
        if OTHER_OPINION
            .iter()
            .any(|words| vector.path.contains(words))
        {
            assert_eq!(reports.0.judgement.integrity(), Integrity::Broken);
            let mut documents = reports.1.objects.iter();
            let document = documents.find(|object| object.kind == ObjectKind::Document);
            assert!(document.unwrap().time.is_some(), "{}", vector.path);
            continue;
        }
        let elsewhere = STATED_OF_SOMETHING_ELSE.iter();
        if !elsewhere
            .clone()
            .any(|start| vector.path.starts_with(start))
            && let Some(why) = contradiction(vector, &reports, has_data)
        {
            contradictions.push(format!(
                "{}: {why}; stated: {}\n    {}\n    {}",
                vector.path,
                vector.expected,
                describe(&reports.0),
                describe(&reports.1)
            ));
        }
    }
    println!("{family}: {counts:?}, {passed} pass with everything trusted");
    assert!(
        contradictions.is_empty(),
        "{} contradictions:\n{}",
        contradictions.len(),
        contradictions.join("\n")
    );
}

/// Whether everything that integrity depends on was there: the data under every digest, and no evidence that is only named.
fn knows_all(folder: &Path, vector: &Vector, report: &Report) -> bool {
    let kinds = |kind: ObjectKind| report.objects.iter().any(|object| object.kind == kind);
    let is_open = |code: Code| report.findings.iter().any(|finding| finding.code() == code);
    let has_evidence = kinds(ObjectKind::Timestamp)
        && !kinds(ObjectKind::NotJudged)
        && !is_open(signature_codes::SIGNATURE_PART_NOT_JUDGED);
    let has_data = !data_of(folder, vector).is_empty() || kinds(ObjectKind::Package);
    let lacks_digest = report
        .findings
        .iter()
        .any(|finding| finding.code() == codes::EVIDENCE_DIGEST_NOT_GIVEN);
    has_evidence && has_data && !lacks_digest
}

#[test]
fn evidence_records_of_other_tools() {
    walk("evidence records", |vector| {
        vector.kind.starts_with("ERS-RFC4998") && !vector.path.ends_with(".xml")
    });
}

#[test]
fn containers_of_other_tools() {
    walk("containers", |vector| vector.kind.starts_with("ASiC"));
}

#[test]
fn time_stamps_of_other_tools() {
    walk("time-stamps", |vector| {
        vector.kind.starts_with("TimeStampToken") || vector.kind.starts_with("TimeStampResp")
    });
}

#[test]
fn everything_else_is_named_and_not_passed() {
    let Some(folder) = vectors() else { return };
    let others = |vector: &&Vector| {
        ["XAdES", "PAdES", "TimeStampReq"]
            .iter()
            .any(|kind| vector.kind.starts_with(kind))
    };
    for vector in read_manifest(&folder).iter().filter(others) {
        let (untrusted, trusted) = judge(&folder, vector);
        assert!(!untrusted.judgement.is_passed(), "{}", vector.path);
        assert!(!trusted.judgement.is_passed(), "{}", vector.path);
    }
}
