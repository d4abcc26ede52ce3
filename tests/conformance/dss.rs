//! The same vectors, certificates and times, put before EU DSS.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use formats::x509::encode_pem;
use serde_json::Value;
use tests::peers::{Peers, Question};
use time::format_description::well_known::Rfc3339;
use verifier::verdict::{Conclusion, Integrity};

use crate::data::Datum;
use crate::differences::{compare, table};
use crate::stated::{Judged, judged};
use crate::vectors;

/// What a verifier says of a file as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    conclusion: Conclusion,
    reason: String,
    integrity: Integrity,
}

impl Said {
    fn ours(judged: &Judged) -> Self {
        let judgement = judged.trusted.judgement;
        let reason = judgement.sub_indication().map_or("", |sub| sub.name());
        Self {
            conclusion: judgement.conclusion(),
            reason: reason.to_owned(),
            integrity: judgement.integrity(),
        }
    }

    /// The worst of all that DSS found: what stands alone has an indication of its own; what is embedded counts by its integrity, since
    /// DSS's verdict on a signature says itself what it makes of a time-stamp that does not hold.
    fn theirs(answer: &Value) -> Option<Self> {
        let objects = answer["objects"].as_array()?;
        let mut whole: Option<Self> = None;
        for object in objects {
            let part = Self {
                conclusion: match object["indication"].as_str()? {
                    "TOTAL_PASSED" | "PASSED" => Conclusion::TotalPassed,
                    "TOTAL_FAILED" | "FAILED" => Conclusion::TotalFailed,
                    _ => Conclusion::Indeterminate,
                },
                reason: object["sub_indication"].as_str().unwrap_or("").to_owned(),
                integrity: integrity(object),
            };
            whole = Some(match whole {
                None => part,
                Some(before) => before.and(part),
            });
        }
        whole
    }

    fn and(self, other: Self) -> Self {
        let integrity = self.integrity.and(other.integrity);
        let worse = if other.conclusion > self.conclusion {
            other
        } else {
            self
        };
        Self { integrity, ..worse }
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let reason = if self.reason.is_empty() { "" } else { " " };
        write!(
            f,
            "{}{reason}{} {}",
            self.conclusion, self.reason, self.integrity
        )
    }
}

fn integrity(object: &Value) -> Integrity {
    let holds = |name: &str| object[name].as_bool();
    let broken = holds("data_intact") == Some(false)
        || (holds("signature_intact") == Some(false) && holds("data_found") != Some(false))
        || (holds("imprint_found") == Some(true) && holds("imprint_intact") == Some(false))
        || holds("hash_index_valid") == Some(false);
    if broken {
        return Integrity::Broken;
    }
    let not_found = object["sub_indication"] == "SIGNED_DATA_NOT_FOUND";
    if not_found || holds("data_found") == Some(false) || holds("imprint_found") == Some(false) {
        return Integrity::Unknown;
    }
    Integrity::Intact
}

/// The word by which the peers know this kind of evidence; `None` for kinds that are not compared.
fn kind_of(judged: &Judged) -> Option<&'static str> {
    let kind = judged.case.vector.kind.as_str();
    if judged.case.vector.is_named_only() || !judged.case.beside.is_empty() {
        None
    } else if kind.starts_with("ERS") || kind.starts_with("XMLERS") {
        Some("record")
    } else if kind.starts_with("ASiC") {
        Some("asic")
    } else if kind.starts_with("CAdES") || kind.starts_with("CMS") {
        Some("cades")
    } else if kind.starts_with("TimeStampToken") {
        Some("token")
    } else {
        None
    }
}

fn question(judged: &Judged, kind: &str, folder: &Path, scratch: &Path) -> Question {
    let case = &judged.case;
    let mut question = Question::new("dss-vector")
        .with("kind", kind)
        .with("policy", "permissive")
        .with("time", &case.time.format(&Rfc3339).expect("a time"))
        .file("file", &folder.join(&case.vector.path));
    for datum in &case.data {
        question = match datum {
            Datum::File(path) => question.file("data", path),
            Datum::Text(text) => question.with("text", &hex::encode(text)),
            Datum::Digests(digests) => {
                let named = digests.iter().map(|digest| {
                    format!(
                        "{}:{}",
                        digest.algorithm().name(),
                        hex::encode(digest.as_bytes())
                    )
                });
                question.with("digests", &named.collect::<Vec<_>>().join(","))
            }
        };
    }
    if !case.anchors.is_empty() {
        let pem: String = case
            .anchors
            .iter()
            .map(|der| encode_pem("CERTIFICATE", der))
            .collect();
        let file = scratch.join("trust.pem");
        std::fs::write(&file, pem).expect("a file");
        question = question.file("trust", &file);
    }
    question
}

/// One row of the table.
#[derive(Debug, Default)]
struct Count {
    files: usize,
    not_read: usize,
    same_conclusion: usize,
    same_reason: usize,
    same_integrity: usize,
    differ: usize,
    only_we_pass: usize,
    only_they_pass: usize,
}

const HEAD: [&str; 2] = [
    "| family | files | read by DSS | same conclusion | and reason | same integrity | differ | only we pass | only DSS passes |",
    "|---|---|---|---|---|---|---|---|---|",
];

impl Count {
    fn add(&mut self, ours: &Said, theirs: Option<&Said>) {
        self.files += 1;
        let Some(theirs) = theirs else {
            self.not_read += 1;
            self.differ += usize::from(ours.conclusion == Conclusion::TotalPassed);
            return;
        };
        let same = ours.conclusion == theirs.conclusion;
        self.same_conclusion += usize::from(same);
        self.same_reason += usize::from(same && ours.reason == theirs.reason);
        self.same_integrity += usize::from(ours.integrity == theirs.integrity);
        self.differ += usize::from(!same || ours.integrity != theirs.integrity);
        let passed = |said: &Said| said.conclusion == Conclusion::TotalPassed;
        self.only_we_pass += usize::from(passed(ours) && !passed(theirs));
        self.only_they_pass += usize::from(passed(theirs) && !passed(ours));
    }

    fn row(&self, name: &str) -> String {
        format!(
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |",
            self.files,
            self.files - self.not_read,
            self.same_conclusion,
            self.same_reason,
            self.same_integrity,
            self.differ,
            self.only_we_pass,
            self.only_they_pass
        )
    }
}

#[test]
fn differences_from_dss_are_those_that_are_listed() {
    let left_out = "the comparison with EU DSS";
    let Some(all) = judged(left_out) else { return };
    let Some((folder, _)) = vectors::all(left_out) else {
        return;
    };
    let Some(peers) = Peers::found(left_out) else {
        return;
    };
    let scratch = tempfile::tempdir().expect("a folder");
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut found = BTreeMap::new();
    let mut there = BTreeSet::new();
    for judged in all {
        let Some(kind) = kind_of(judged) else {
            continue;
        };
        let answer = peers.ask(&question(judged, kind, folder, scratch.path()));
        let (ours, theirs) = (Said::ours(judged), Said::theirs(&answer));
        if std::env::var_os("FUMIKURA_SHOW").is_some() {
            println!("{}\n    ours {ours}\n    DSS {answer}", judged.path());
        }
        there.insert(judged.path());
        for name in [judged.case.vector.family(), "whole"] {
            counts.entry(name).or_default().add(&ours, theirs.as_ref());
        }
        let differs = theirs
            .as_ref()
            .map_or(ours.conclusion == Conclusion::TotalPassed, |theirs| {
                theirs.conclusion != ours.conclusion || theirs.integrity != ours.integrity
            });
        if differs {
            let theirs = theirs.map_or_else(|| "not read".to_owned(), |said| said.to_string());
            found.insert(judged.path().to_owned(), vec![ours.to_string(), theirs]);
        }
    }
    let mut lines = HEAD.map(str::to_owned).to_vec();
    lines.extend(
        counts
            .iter()
            .filter(|(name, _)| **name != "whole")
            .map(|(name, count)| count.row(name)),
    );
    lines.extend(counts.get("whole").map(|count| count.row("whole")));
    table("dss", &lines);
    compare("dss", &found, &there);
}
