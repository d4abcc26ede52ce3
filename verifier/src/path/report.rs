//! The report about one path: JSON and text. The schema of the JSON is `verifier/path-report.schema.json`.

use std::fmt::{self, Write as _};

use formats::digest::DigestAlgorithm;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{PathOutcome, ValidPolicies};
use crate::certificate::Certificate;
use crate::finding::{Language, Severity, printable};
use crate::report::json::rfc3339;
use crate::report::text::civil_time;
use crate::verdict::Conclusion;

/// The schema id of [`to_value`].
pub const SCHEMA: &str = "urn:fumikura:path-report:1";

/// The JSON schema, as text.
pub const REPORT_SCHEMA: &str = include_str!("../../path-report.schema.json");

/// One exchange with a service, for the report. Only a program that goes online has any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where.
    pub address: String,
    /// The certificate that named the address, as findings name it.
    pub certificate: String,
    /// When.
    pub at: OffsetDateTime,
    /// How many bytes came, or why none did.
    pub result: Result<usize, String>,
}

/// The exchanges as a JSON value.
#[must_use]
pub fn fetched_value(fetched: &[Fetched]) -> Value {
    let one = |one: &Fetched| {
        json!({
            "address": printable(&one.address),
            "certificate": printable(&one.certificate),
            "at": rfc3339(one.at),
            "bytes": one.result.as_ref().ok(),
            "error": one.result.as_ref().err().map(|why| printable(why)),
        })
    };
    fetched.iter().map(one).collect()
}

/// The exchanges for people; nothing if there were none.
#[must_use]
pub fn fetched_text(fetched: &[Fetched], language: Language) -> String {
    let mut out = String::new();
    for one in fetched {
        let (address, at) = (printable(&one.address), civil_time(one.at));
        let line = match (&one.result, language) {
            (Ok(bytes), Language::English) => {
                format!("Fetched at {at} from {address}: {bytes} bytes")
            }
            (Ok(bytes), Language::Japanese) => {
                format!("{at} に {address} から取得: {bytes} バイト")
            }
            (Err(why), Language::English) => {
                format!("Not fetched at {at} from {address}: {}", printable(why))
            }
            (Err(why), Language::Japanese) => {
                format!("{at} に {address} から取得できず: {}", printable(why))
            }
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// The report as a JSON value, with the texts of its findings in `language`.
#[must_use]
pub fn to_value(outcome: &PathOutcome, time: OffsetDateTime, language: Language) -> Value {
    let verdict = outcome.verdict();
    let findings: Vec<Value> = outcome
        .findings()
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code().id(),
                "clause": finding.code().clause(),
                "place": finding.place().as_str(),
                "severity": finding.severity().name(),
                "text": finding.text(language),
            })
        })
        .collect();
    let certificates: Vec<Value> = certificates(outcome)
        .iter()
        .map(|certificate| certificate_value(certificate))
        .collect();
    let policies = match outcome.verified().map(super::VerifiedPath::policies) {
        None => Value::Null,
        Some(ValidPolicies::Any) => json!("any"),
        Some(ValidPolicies::Only(list)) => list.iter().map(ToString::to_string).collect(),
    };
    json!({
        "schema": SCHEMA,
        "tool": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
        "verified_at": rfc3339(time),
        "conclusion": verdict.conclusion().name(),
        "sub_indication": verdict.sub_indication().map(|sub| sub.name()),
        "certificates": certificates,
        "policies": policies,
        "findings": findings,
    })
}

fn certificates(outcome: &PathOutcome) -> &[Vec<u8>] {
    match outcome {
        PathOutcome::Verified(path) => path.certificates(),
        PathOutcome::Refused(failure) => failure.certificates(),
    }
}

fn certificate_value(der: &[u8]) -> Value {
    let digest = DigestAlgorithm::Sha256.digest(der).to_hex();
    match Certificate::parse(der) {
        Ok(certificate) => json!({
            "subject": printable(&certificate.subject().to_string()),
            "issuer": printable(&certificate.issuer().to_string()),
            "serial": hex::encode(certificate.serial()),
            "not_before": rfc3339(certificate.not_before()),
            "not_after": rfc3339(certificate.not_after()),
            "sha256": digest,
        }),
        Err(_) => json!({ "sha256": digest }),
    }
}

/// The report for people: what, the verdict, the path, the reasons.
#[must_use]
pub fn to_text(outcome: &PathOutcome, time: OffsetDateTime, language: Language) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _infallible = write_text(&mut out, outcome, time, language);
    out
}

fn write_text(
    out: &mut String,
    outcome: &PathOutcome,
    time: OffsetDateTime,
    language: Language,
) -> fmt::Result {
    let verdict = outcome.verdict();
    let (path, judged) = match language {
        Language::English => ("Certification path", "Judged as of"),
        Language::Japanese => ("認証パス", "検証の基準時刻"),
    };
    let meaning = match (verdict.conclusion(), language) {
        (Conclusion::TotalPassed, Language::English) => "the path is valid",
        (Conclusion::TotalPassed, Language::Japanese) => "有効です",
        (Conclusion::Indeterminate, Language::English) => "cannot be decided",
        (Conclusion::Indeterminate, Language::Japanese) => "判断できません",
        (Conclusion::TotalFailed, Language::English) => "no valid path",
        (Conclusion::TotalFailed, Language::Japanese) => "無効です",
    };
    write!(out, "{path}: {} ({meaning})", verdict.conclusion())?;
    if let Some(reason) = verdict.sub_indication() {
        write!(out, " [{reason}]")?;
    }
    writeln!(out)?;
    writeln!(out, "{judged}: {}", civil_time(time))?;
    writeln!(out)?;
    for (depth, der) in certificates(outcome).iter().enumerate() {
        let title = Certificate::parse(der).map(|certificate| certificate.title());
        let title = title.unwrap_or_else(|error| error.to_string());
        writeln!(
            out,
            "{:indent$}{}",
            "",
            printable(&title),
            indent = depth.saturating_mul(2)
        )?;
    }
    writeln!(out)?;
    for finding in outcome.findings() {
        let mark = match finding.severity() {
            Severity::Error => "✗",
            Severity::Warning => "!",
            Severity::Info => "·",
        };
        let (code, text) = (finding.code(), finding.text(language));
        writeln!(out, "{mark} {text} [{}, {}]", code.id(), code.clause())?;
    }
    Ok(())
}
