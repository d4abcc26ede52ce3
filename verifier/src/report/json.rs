//! The JSON report. Its schema is `verifier/report.schema.json`, published with the program.

use formats::digest::DigestAlgorithm;
use serde::Serialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::{
    AlgorithmName, FileEntry, ObjectReport, Report, SCHEMA, UsedAlgorithm, UsedObject,
    UsedRevocation, ValidationProcess,
};
use crate::finding::{Finding, Language};

/// The JSON schema of the report, as text.
pub const REPORT_SCHEMA: &str = include_str!("../../report.schema.json");

const RFC_3339_MICROSECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

#[derive(Serialize)]
struct JsonReport<'a> {
    schema: &'static str,
    tool: JsonTool,
    verified_at: Option<String>,
    conclusion: &'static str,
    sub_indication: Option<&'static str>,
    integrity: &'static str,
    best_signature_time: Option<String>,
    files: Vec<JsonFile<'a>>,
    objects: Vec<JsonObject<'a>>,
    findings: Vec<JsonFinding<'a>>,
    rules: JsonRules<'a>,
}

#[derive(Serialize)]
struct JsonRules<'a> {
    policy: &'a str,
    revocation: &'static str,
    trust_anchors: usize,
}

#[derive(Serialize)]
struct JsonTool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct JsonFile<'a> {
    name: &'a str,
    size: Option<u64>,
    role: &'static str,
    kind: Option<&'static str>,
}

#[derive(Serialize)]
struct JsonObject<'a> {
    kind: &'static str,
    place: &'a str,
    conclusion: &'static str,
    sub_indication: Option<&'static str>,
    integrity: &'static str,
    time: Option<String>,
    judged_at: Option<String>,
    covers: &'a [String],
    details: Map<String, Value>,
    process: Option<&'static str>,
    used: Vec<JsonUsed>,
    algorithms: Vec<JsonAlgorithm>,
    revoked: Vec<JsonRevocation>,
}

#[derive(Serialize)]
struct JsonUsed {
    role: &'static str,
    /// Of what stood in its bytes; what is known by its digest alone may have another algorithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

#[derive(Serialize)]
struct JsonAlgorithm {
    name: String,
    trusted: bool,
    until: Option<String>,
}

#[derive(Serialize)]
struct JsonRevocation {
    certificate_sha256: String,
    time: Option<String>,
    reason: &'static str,
    source_sha256: String,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    code: &'static str,
    clause: &'a str,
    place: &'a str,
    severity: &'static str,
    text: String,
}

/// The report as a JSON value, with the texts of its findings in `language`.
#[must_use]
pub fn to_value(report: &Report, language: Language) -> Value {
    let json = JsonReport {
        schema: SCHEMA,
        tool: JsonTool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        verified_at: rfc3339(report.verified_at),
        conclusion: report.judgement.conclusion().name(),
        sub_indication: report.judgement.sub_indication().map(|sub| sub.name()),
        integrity: report.judgement.integrity().name(),
        best_signature_time: report.best_signature_time.and_then(rfc3339),
        files: report.files.iter().map(file).collect(),
        objects: report.objects.iter().map(object).collect(),
        findings: report
            .findings
            .iter()
            .map(|found| finding(found, language))
            .collect(),
        rules: JsonRules {
            policy: &report.rules.policy,
            revocation: report.rules.revocation.name(),
            trust_anchors: report.rules.anchors,
        },
    };
    // A struct of strings, numbers and lists always becomes a value; `Null` is unreachable and would fail the schema.
    serde_json::to_value(json).unwrap_or(Value::Null)
}

/// The report as indented JSON text that ends with a line feed.
#[must_use]
pub fn to_text(report: &Report, language: Language) -> String {
    format!("{:#}\n", to_value(report, language))
}

/// A time as RFC 3339 text in UTC with microseconds.
#[must_use]
pub fn rfc3339(time: OffsetDateTime) -> Option<String> {
    time.to_offset(time::UtcOffset::UTC)
        .format(RFC_3339_MICROSECONDS)
        .ok()
}

fn file(entry: &FileEntry) -> JsonFile<'_> {
    JsonFile {
        name: &entry.name,
        size: entry.size,
        role: entry.role.name(),
        kind: entry.kind.map(|kind| kind.name()),
    }
}

fn object(object: &ObjectReport) -> JsonObject<'_> {
    JsonObject {
        kind: object.kind.name(),
        place: object.place.as_str(),
        conclusion: object.judgement.conclusion().name(),
        sub_indication: object.judgement.sub_indication().map(|sub| sub.name()),
        integrity: object.judgement.integrity().name(),
        time: object.time.and_then(rfc3339),
        judged_at: object.judged_at.and_then(rfc3339),
        covers: &object.covers,
        details: object
            .details
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::String(value.clone())))
            .collect(),
        process: object.process.map(ValidationProcess::name),
        used: object.used.iter().map(used).collect(),
        algorithms: object.algorithms.iter().map(algorithm).collect(),
        revoked: object.revoked.iter().map(revocation).collect(),
    }
}

fn used(used: &UsedObject) -> JsonUsed {
    let digest = used.digest();
    let is_sha256 = digest.algorithm() == DigestAlgorithm::Sha256;
    JsonUsed {
        role: used.role.name(),
        sha256: is_sha256.then(|| digest.to_hex()),
        digest: (!is_sha256).then(|| format!("{}:{}", digest.algorithm().name(), digest.to_hex())),
    }
}

fn algorithm(used: &UsedAlgorithm) -> JsonAlgorithm {
    JsonAlgorithm {
        name: match used.name {
            AlgorithmName::Digest(digest) => digest.name().to_owned(),
            AlgorithmName::Signature(signature) => signature.to_string(),
        },
        trusted: used.trusted,
        until: used.until.and_then(rfc3339),
    }
}

fn revocation(revocation: &UsedRevocation) -> JsonRevocation {
    JsonRevocation {
        certificate_sha256: revocation.certificate.digest().to_hex(),
        time: rfc3339(revocation.time),
        reason: revocation.reason.name(),
        source_sha256: revocation.source.digest().to_hex(),
    }
}

fn finding(finding: &Finding, language: Language) -> JsonFinding<'_> {
    JsonFinding {
        code: finding.code().id(),
        clause: finding.code().clause(),
        place: finding.place().as_str(),
        severity: finding.severity().name(),
        text: finding.text(language),
    }
}
