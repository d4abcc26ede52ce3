//! CAdES signatures of other people's tools, with the verdicts that their authors state.
//!
//! The vectors are not part of the project; where they are absent the test says so and passes. Each is judged without any trust, and with
//! everything trusted that can be.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use formats::cms::SignedData;
use support::judging;
use support::vectors::{Vector, read_manifest, trust_everything};
use verifier::finding::Severity;
use verifier::judge::verify;
use verifier::policy::Policy;
use verifier::report::Report;
use verifier::source::{DataBytes, DigestSource, InputFile};
use verifier::verdict::Integrity;

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

/// Their authors state a verdict together with another file, which is wrong; by itself the signature holds.
const TOGETHER_WITH_ANOTHER: &[&str] = &["evidence-record__Signature-C-LTA-d233a2d9"];

/// Their authors call it intact; it has an empty set of unsigned attributes, which RFC 5652 §5.3 does not allow and this program does not read.
const MALFORMED_HERE: &[&str] = &["cades-double-signing-certificate.p7m"];

/// What detached signatures may be over: the files that the row names, and those that were collected with it; nothing for those that hold
/// their content.
fn candidates(
    folder: &Path,
    vectors: &[Vector],
    vector: &Vector,
    bytes: &[u8],
) -> Vec<Option<DataBytes<'static>>> {
    let detached = SignedData::parse(bytes).is_ok_and(|signed_data| signed_data.content.is_none());
    let beside = folder.join(&vector.path);
    let words = vector.covers.split([' ', ',', '/']);
    let stem = vector.path.rsplit_once("__").map_or("", |(stem, _)| stem);
    let objects = vectors.iter().filter(|other| {
        let together = other
            .path
            .rsplit_once("__")
            .is_some_and(|(other, _)| other == stem);
        detached && other.kind == "data-object" && together
    });
    let objects = objects.filter_map(|other| std::fs::read(folder.join(&other.path)).ok());
    let objects: Vec<Vec<u8>> = objects.collect();
    let mut found: Vec<Option<DataBytes<'static>>> = words
        .filter(|_| detached)
        .flat_map(|word| {
            let name = stem.rsplit('/').next().unwrap_or_default();
            [word.to_owned(), format!("{name}__{word}")]
        })
        .filter_map(|name| std::fs::read(beside.with_file_name(&name)).ok())
        .chain(objects)
        .map(|content| Some(DataBytes::new("data", content)))
        .collect();
    found.push(None);
    found
}

/// Judges a vector with nothing trusted, then with everything trusted; of several data objects that it may be over, with the right one.
fn judge(folder: &Path, vectors: &[Vector], vector: &Vector) -> (Report, Report) {
    let bytes = std::fs::read(folder.join(&vector.path)).unwrap();
    let files = [InputFile::new(vector.path.as_str(), bytes.as_slice())];
    let now = time::macros::datetime!(2026-11-22 00:00 UTC);
    let policy = Policy::default();
    let permissive = Policy::parse(PERMISSIVE.as_bytes()).unwrap();
    let (anchors, newest) = trust_everything(&bytes);
    let mut answers: Vec<(Report, Report)> = candidates(folder, vectors, vector, &bytes)
        .iter()
        .map(|data| {
            let data: Vec<&dyn DigestSource> = data.iter().map(|data| data as _).collect();
            let first = verify(&files, &data, &judging(&[], &policy, now));
            let time = newest.unwrap_or(now);
            let second = verify(&files, &data, &judging(&anchors, &permissive, time));
            (first, second)
        })
        .collect();
    let whole = answers
        .iter()
        .position(|(first, _)| first.judgement.integrity() != Integrity::Broken);
    answers.swap_remove(whole.unwrap_or(0))
}

fn describe(report: &Report) -> String {
    let judgement = report.judgement;
    let findings: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| finding.severity() > Severity::Info)
        .map(|finding| {
            let place = finding.place().as_str().rsplit('/').next().unwrap();
            format!("{}@{place}", finding.code().id())
        })
        .collect();
    let sub_indication = judgement.sub_indication().map_or("-", |sub| sub.name());
    format!(
        "{} {sub_indication} {} [{}]",
        judgement.conclusion(),
        judgement.integrity(),
        findings.join(" ")
    )
}

/// Agreement with a stated verdict, a question left open, or a contradiction.
fn compare(vector: &Vector, first: &Report, second: &Report) -> &'static str {
    let integrity = first.judgement.integrity();
    let is_alone = TOGETHER_WITH_ANOTHER
        .iter()
        .all(|name| !vector.path.contains(name));
    let stated_twice = vector.expected.contains("|| INTACT");
    if vector.expected.starts_with("INTACT") {
        match integrity {
            Integrity::Intact => "stated intact: agreed",
            Integrity::Unknown => "stated intact: open",
            Integrity::Broken
                if MALFORMED_HERE
                    .iter()
                    .any(|name| vector.path.ends_with(name)) =>
            {
                "stated intact: malformed"
            }
            Integrity::Broken => "stated intact: contradicted",
        }
    } else if vector.expected.starts_with("FAIL") && is_alone && !stated_twice {
        match integrity {
            _ if second.judgement.is_passed() => "stated failed: contradicted",
            Integrity::Broken => "stated failed: agreed",
            Integrity::Intact | Integrity::Unknown => "stated failed: not passed",
        }
    } else {
        "not stated"
    }
}

#[test]
fn cades_of_other_tools() {
    let Some(folder) = vectors() else { return };
    let wanted = |vector: &&Vector| {
        ["CAdES", "CMS"]
            .iter()
            .any(|kind| vector.kind.starts_with(kind))
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut contradictions = Vec::new();
    let vectors = read_manifest(&folder);
    for vector in vectors.iter().filter(wanted) {
        let (first, second) = judge(&folder, &vectors, vector);
        assert!(!first.judgement.is_passed(), "{}", vector.path);
        let integrity = [&first, &second].map(|report| report.judgement.integrity());
        assert_eq!(integrity[0], integrity[1], "{}", vector.path);
        let answer = compare(vector, &first, &second);
        *counts.entry(answer).or_default() += 1;
        let told = format!(
            "{}: {answer}; stated: {}\n    {}\n    {}",
            vector.path,
            vector.expected,
            describe(&first),
            describe(&second)
        );
        if std::env::var_os("FUMIKURA_SHOW").is_some() {
            println!("{told}");
        }
        if answer.ends_with("contradicted") {
            contradictions.push(told);
        }
    }
    println!("CAdES: {counts:?}");
    assert!(contradictions.is_empty(), "{}", contradictions.join("\n"));
}
