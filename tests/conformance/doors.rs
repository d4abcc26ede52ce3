//! The same input through every door gives the same verdict: the library, the program with files, the program with standard input, and
//! inside a container.

use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use formats::asic::AsicWriter;
use formats::tsp::TimeStampResponse;
use formats::x509::{Certificate, encode_pem};
use serde_json::Value;
use tests::programs;
use tests::world::Run;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::{ObjectKind, Report};
use verifier::source::InputFile;

use crate::data::Datum;
use crate::judge::{Case, PERMISSIVE, context};
use crate::stated::{Judged, judged};
use crate::vectors;

/// Vectors that are put before a process of their own.
const PROCESSES: usize = 150;
/// Of these, how many through standard input, too.
const STANDARD_INPUTS: usize = 40;

/// What every door must say alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    conclusion: String,
    reason: String,
    integrity: String,
    codes: Vec<String>,
}

impl Answer {
    /// What the library says.
    pub(crate) fn of(report: &Report) -> Self {
        let judgement = report.judgement;
        let codes = report.findings.iter();
        Self {
            conclusion: judgement.conclusion().name().to_owned(),
            reason: judgement
                .sub_indication()
                .map_or("", |sub| sub.name())
                .to_owned(),
            integrity: judgement.integrity().name().to_owned(),
            codes: codes
                .map(|finding| finding.code().id().to_owned())
                .collect(),
        }
    }

    /// What the program says, and that its exit code says the same.
    pub(crate) fn said(run: &Run) -> Self {
        let report: Value = serde_json::from_str(&run.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}\n{}", run.stdout, run.stderr));
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let findings = report["findings"].as_array().expect("findings");
        let answer = Self {
            conclusion: text(&report["conclusion"]),
            reason: text(&report["sub_indication"]),
            integrity: text(&report["integrity"]),
            codes: findings
                .iter()
                .map(|finding| text(&finding["code"]))
                .collect(),
        };
        let codes: &[i32] = match answer.conclusion.as_str() {
            "TOTAL-PASSED" => &[0],
            "TOTAL-FAILED" => &[1],
            // Nothing that is known as evidence cannot be judged: 3.
            _ => &[2, 3],
        };
        assert!(
            codes.contains(&run.code),
            "exit code {}: {answer:?}",
            run.code
        );
        answer
    }
}

/// A folder with what one vector is judged with.
struct Table {
    folder: tempfile::TempDir,
}

impl Table {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("policy.json"), PERMISSIVE).expect("a file");
        Self { folder }
    }

    /// The arguments after the evidence; `None` where the command line cannot say the same: several digests of one object.
    fn arguments(&self, case: &Case) -> Option<Vec<String>> {
        let beside = case.beside.iter();
        let mut arguments: Vec<String> = beside
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        let mut add = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        for (number, datum) in case.data.iter().enumerate() {
            match datum {
                Datum::File(path) => add("--data", path.to_string_lossy().into_owned()),
                Datum::Text(text) => {
                    let path = self.put(&format!("data-{number}"), text);
                    add("--data", path.to_string_lossy().into_owned());
                }
                Datum::Digests(digests) => {
                    let [digest] = digests[..] else { return None };
                    let hex = hex::encode(digest.as_bytes());
                    add(
                        "--data-digest",
                        format!("{}:{hex}", digest.algorithm().name()),
                    );
                }
            }
        }
        let anchors = case.anchors.iter();
        let usable = anchors.filter(|der| {
            TrustAnchor::from_certificate(der).is_ok() && Certificate::parse(der).is_ok()
        });
        let pem: String = usable.map(|der| encode_pem("CERTIFICATE", der)).collect();
        if !pem.is_empty() {
            let path = self.put("trust.pem", pem.as_bytes());
            add("--trust", path.to_string_lossy().into_owned());
        }
        let policy = self.folder.path().join("policy.json");
        add("--policy", policy.to_string_lossy().into_owned());
        add("--at", case.time.format(&Rfc3339).expect("a time"));
        add("--format", "json".to_owned());
        Some(arguments)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }
}

/// Runs `verifier verify`; with `input`, the evidence comes in by standard input.
pub(crate) fn verifier(evidence: &str, arguments: &[String], input: Option<&[u8]>) -> Run {
    let mut command = Command::new(programs::verifier());
    command.arg("verify").arg(evidence).args(arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the verifier starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let bytes = input.unwrap_or_default().to_vec();
    // What does not fit into the pipe waits until it is read; a program that reads nothing closes it.
    let writer = std::thread::spawn(move || pipe.write_all(&bytes).is_ok());
    let output = child.wait_with_output().expect("the verifier ends");
    writer.join().expect("written");
    Run::of(output)
}

/// Every so-manieth vector, so that all families are among them.
fn sample(all: &[Judged], count: usize) -> impl Iterator<Item = &Judged> {
    let step = all.len().div_ceil(count).max(1);
    all.iter().step_by(step)
}

#[test]
fn library_and_program_say_the_same_of_foreign_vectors() {
    let left_out = "library and program on the same foreign evidence";
    let Some(all) = judged(left_out) else { return };
    let Some((folder, _)) = vectors::all(left_out) else {
        return;
    };
    let table = Table::new();
    let mut compared = [0, 0];
    let step = PROCESSES.div_ceil(STANDARD_INPUTS);
    for (number, judged) in sample(all, PROCESSES).enumerate() {
        let Some(arguments) = table.arguments(&judged.case) else {
            continue;
        };
        let expected = Answer::of(&judged.trusted);
        let file = folder.join(&judged.case.vector.path);
        let run = verifier(&file.to_string_lossy(), &arguments, None);
        assert_eq!(
            Answer::said(&run),
            expected,
            "{}, by the program",
            judged.path()
        );
        compared[0] += 1;
        if number % step == 0 {
            let run = verifier("-", &arguments, Some(&judged.case.bytes));
            assert_eq!(
                Answer::said(&run),
                expected,
                "{}, by standard input",
                judged.path()
            );
            compared[1] += 1;
        }
    }
    let [files, inputs] = compared;
    println!(
        "the same by library and program: {files} vectors, {inputs} of them by standard input, too"
    );
}

#[test]
fn evidence_in_a_container_is_judged_like_evidence_beside_its_data() {
    let Some(all) = judged("foreign evidence put into containers") else {
        return;
    };
    let mut compared = 0;
    let mut wrong = Vec::new();
    for judged in all {
        let Some(container) = container_of(&judged.case) else {
            continue;
        };
        let report = judge_container(&judged.case, &container);
        let (alone, inside) = (Answer::of(&judged.trusted), Answer::of(&report));
        let verdict = |answer: &Answer| {
            (
                answer.conclusion.clone(),
                answer.reason.clone(),
                answer.integrity.clone(),
            )
        };
        // Which data object nothing covers, a container says in words of its own.
        let codes = |answer: &Answer| {
            let codes = answer
                .codes
                .iter()
                .filter(|code| *code != "DATA_NOT_COVERED");
            codes.cloned().collect::<BTreeSet<_>>()
        };
        compared += 1;
        if verdict(&alone) != verdict(&inside) || !codes(&inside).is_superset(&codes(&alone)) {
            wrong.push(format!(
                "{}\n    alone:  {alone:?}\n    inside: {inside:?}",
                judged.path()
            ));
        }
    }
    println!("the same in a container: {compared} vectors");
    assert!(
        wrong.is_empty(),
        "{} of {compared}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The evidence in an ASiC-S container (EN 319 162-1 §4.3) with the one data object that it covers; `None` for evidence that such a
/// container cannot hold.
fn container_of(case: &Case) -> Option<Vec<u8>> {
    let [datum] = &case.data[..] else { return None };
    if !case.beside.is_empty() {
        return None;
    }
    let content = match datum {
        Datum::File(path) => std::fs::read(path).ok()?,
        Datum::Text(text) => text.clone(),
        Datum::Digests(_) => return None,
    };
    let kind = case.vector.kind.as_str();
    let (name, evidence) = if kind.starts_with("ERS") {
        ("META-INF/evidencerecord.ers", case.bytes.clone())
    } else if kind.starts_with("XMLERS") {
        ("META-INF/evidencerecord.xml", case.bytes.clone())
    } else if kind.starts_with("TimeStampToken") {
        ("META-INF/timestamp.tst", case.bytes.clone())
    } else if kind.starts_with("TimeStampResp") {
        let response = TimeStampResponse::parse(&case.bytes).ok()?;
        ("META-INF/timestamp.tst", response.token.clone()?)
    } else if kind.starts_with("CAdES") {
        ("META-INF/signature.p7s", case.bytes.clone())
    } else {
        return None;
    };
    let mut writer =
        AsicWriter::new(Cursor::new(Vec::new()), "application/vnd.etsi.asic-s+zip").ok()?;
    writer.add_bytes("data.bin", &content).ok()?;
    writer.add_bytes(name, &evidence).ok()?;
    writer.finish().ok().map(Cursor::into_inner)
}

fn judge_container(case: &Case, container: &[u8]) -> Report {
    let policy = Policy::parse(PERMISSIVE.as_bytes()).expect("a policy");
    let anchors = case.trust_anchors();
    let context = context(&anchors, &case.chain, &policy, case.time);
    verify(&[InputFile::new("container", container)], &[], &context)
}

/// What `verify` says of a file with these anchors at this time, by library, program and standard input; the three have to agree.
pub(crate) fn through_all_doors(file: &Path, trust: &Path, time: OffsetDateTime) -> Report {
    let bytes = std::fs::read(file).expect("a file");
    let pem = std::fs::read(trust).expect("a file");
    let certificates = formats::x509::read_certificates(&pem).expect("certificates");
    let anchors: Vec<TrustAnchor> = certificates
        .iter()
        .filter_map(|certificate| TrustAnchor::from_certificate(certificate.raw()).ok())
        .collect();
    let policy = Policy::default();
    let context = context(&anchors, &[], &policy, time);
    let report = verify(
        &[InputFile::new("evidence", bytes.as_slice())],
        &[],
        &context,
    );
    let arguments = [
        ("--trust", trust.to_string_lossy().into_owned()),
        ("--at", time.format(&Rfc3339).expect("a time")),
        ("--format", "json".to_owned()),
    ];
    let arguments: Vec<String> = arguments
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value])
        .collect();
    let run = verifier(&file.to_string_lossy(), &arguments, None);
    assert_eq!(
        Answer::said(&run),
        Answer::of(&report),
        "{}, by the program",
        file.display()
    );
    let run = verifier("-", &arguments, Some(&bytes));
    assert_eq!(
        Answer::said(&run),
        Answer::of(&report),
        "{}, by standard input",
        file.display()
    );
    assert!(
        report
            .objects
            .iter()
            .all(|object| object.kind != ObjectKind::NotJudged)
    );
    report
}
