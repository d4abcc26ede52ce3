//! Judging a vector by the library: as an outsider at first would, and with everything trusted that can be.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::macros::datetime;
use verifier::context::Context;
use verifier::finding::Severity;
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::Report;
use verifier::source::{DigestSource, InputFile};
use verifier::verdict::Integrity;

use crate::data::{Datum, candidates, holds_its_content, stand_in};
use crate::trust::Found;
use crate::vectors::{Stated, Vector};

/// Every algorithm is trusted for ever, and revocation is not asked for.
pub(crate) const PERMISSIVE: &str = include_str!("permissive-policy.json");
/// When outsiders judge.
pub(crate) const TODAY: OffsetDateTime = datetime!(2026-11-22 00:00 UTC);

/// A vector with all that it is judged with.
#[derive(Debug)]
pub(crate) struct Case {
    /// The row.
    pub(crate) vector: Vector,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// Other evidence together with which the author judges it.
    pub(crate) beside: Vec<PathBuf>,
    /// What it covers.
    pub(crate) data: Vec<Datum>,
    /// Whether the data is not there, and the digest in the evidence stands in for it.
    pub(crate) has_stand_in: bool,
    /// Certificates that belong to it and are not in it.
    pub(crate) chain: Vec<Vec<u8>>,
    /// Certificates that are trusted in the second judgement.
    pub(crate) anchors: Vec<Vec<u8>>,
    /// The time of the second judgement.
    pub(crate) time: OffsetDateTime,
}

impl Case {
    /// Reads a vector, and of several data objects that it may be over takes the first under which nothing is broken.
    pub(crate) fn read(folder: &Path, vector: &Vector, rows: &[Vector]) -> Self {
        let bytes = std::fs::read(folder.join(&vector.path)).expect("a vector");
        let mut found = Found::within(&bytes);
        let chain = chain_of(folder, vector);
        chain.iter().for_each(|certificate| found.add(certificate));
        // Where only a folder says "invalid", an expired certificate may be the reason.
        let time = found
            .time()
            .filter(|_| !vector.expected.starts_with("INVALID"))
            .unwrap_or(TODAY);
        let mut case = Self {
            vector: vector.clone(),
            beside: together(folder, vector, rows),
            data: Vec::new(),
            has_stand_in: false,
            chain,
            anchors: found.certificates,
            time,
            bytes,
        };
        if !case.beside.is_empty() {
            case.data = vec![Datum::File(folder.join(&vector.path))];
            return case;
        }
        if holds_its_content(&case.bytes) {
            return case;
        }
        let mut candidates = candidates(folder, vector, rows);
        let holds = |data: &Vec<Datum>| {
            let report = case.judge(data, &[], &Policy::default(), TODAY);
            report.judgement.integrity() != Integrity::Broken
        };
        let right = (candidates.len() > 1).then(|| candidates.iter().position(holds));
        case.data = candidates.swap_remove(right.flatten().unwrap_or(0));
        // Without its data, what must fail cannot pass; the digest in it is no data.
        if case.data.is_empty() && vector.stated() != Stated::Fails {
            case.data.extend(stand_in(&case.bytes));
            case.has_stand_in = !case.data.is_empty();
        }
        case
    }

    /// Nothing is trusted.
    pub(crate) fn untrusted(&self) -> Report {
        self.judge(&self.data, &[], &Policy::default(), TODAY)
    }

    /// Everything is trusted.
    pub(crate) fn trusted(&self) -> Report {
        let policy = Policy::parse(PERMISSIVE.as_bytes()).expect("a policy");
        self.judge(&self.data, &self.trust_anchors(), &policy, self.time)
    }

    /// The same with the digest that the evidence itself names, in the place of data that is not there.
    pub(crate) fn trusted_with_stand_in(&self) -> Option<Report> {
        let absent = self.data.is_empty() && !holds_its_content(&self.bytes);
        let data = [stand_in(&self.bytes).filter(|_| absent)?];
        let policy = Policy::parse(PERMISSIVE.as_bytes()).expect("a policy");
        Some(self.judge(&data, &self.trust_anchors(), &policy, self.time))
    }

    pub(crate) fn trust_anchors(&self) -> Vec<TrustAnchor> {
        let anchors = self.anchors.iter();
        anchors
            .filter_map(|der| TrustAnchor::from_certificate(der).ok())
            .collect()
    }

    fn judge(
        &self,
        data: &[Datum],
        anchors: &[TrustAnchor],
        policy: &Policy,
        time: OffsetDateTime,
    ) -> Report {
        let names = (0..).map(|number: usize| format!("data-{number}"));
        let data: Vec<Box<dyn DigestSource>> = data
            .iter()
            .zip(names)
            .map(|(datum, name)| datum.source(&name))
            .collect();
        let sources: Vec<&dyn DigestSource> = data.iter().map(AsRef::as_ref).collect();
        let mut files = vec![InputFile::new("evidence", self.bytes.as_slice())];
        for path in &self.beside {
            let name = path.to_string_lossy();
            files.push(InputFile::new(name, std::fs::read(path).expect("a file")));
        }
        let context = context(anchors, &self.chain, policy, time);
        verify(&files, &sources, &context)
    }
}

/// A judgement with these anchors and certificates, and nothing else beside the evidence.
pub(crate) fn context<'a>(
    anchors: &'a [TrustAnchor],
    certificates: &'a [Vec<u8>],
    policy: &'a Policy,
    time: OffsetDateTime,
) -> Context<'a> {
    Context {
        anchors,
        certificates,
        crls: &[],
        ocsp_responses: &[],
        policy,
        time,
        cache: None,
        registry: None,
    }
}

/// Evidence records together with which the author judges a signature: a row that is over several signatures and must fail over one of
/// them says so in its own words.
fn together(folder: &Path, vector: &Vector, rows: &[Vector]) -> Vec<PathBuf> {
    if vector.stated() != Stated::Fails || !vector.kind.contains("(ER target)") {
        return Vec::new();
    }
    let stem = vector.path.rsplit_once('.').map_or("", |(stem, _)| stem);
    let id = stem.rsplit('-').take(5).collect::<Vec<_>>();
    let id: Vec<&str> = id.into_iter().rev().collect();
    let id = id.join("-");
    rows.iter()
        .filter(|row| {
            row.path.contains(&id) && row.expected.contains("; FAIL (HASH_FAILURE) over ")
        })
        .map(|row| folder.join(&row.path))
        .collect()
}

/// Certificates that belong to a vector and are not in it: a chain in a file of its own.
fn chain_of(folder: &Path, vector: &Vector) -> Vec<Vec<u8>> {
    let Some((prefix, _)) = vector.path.split_once("__") else {
        return Vec::new();
    };
    let pem = std::fs::read(folder.join(format!("{prefix}__ts_chain.pem")));
    let certificates = pem
        .ok()
        .and_then(|pem| formats::x509::read_certificates(&pem).ok())
        .unwrap_or_default();
    let certificates = certificates.iter();
    certificates
        .map(|certificate| certificate.raw().to_vec())
        .collect()
}

/// One line on a report, for the message of a test that fails.
pub(crate) fn describe(report: &Report) -> String {
    let judgement = report.judgement;
    let findings: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.severity() > Severity::Info)
        .map(|finding| finding.code().id())
        .collect();
    format!(
        "{} {} {} [{}]",
        judgement.conclusion(),
        judgement.sub_indication().map_or("-", |sub| sub.name()),
        judgement.integrity(),
        findings.join(" ")
    )
}
