//! The time line of the text report: what proves what, from when, until when.

use std::fmt::{self, Write as _};

use super::text::{civil_time, heading};
use super::{ObjectKind, ObjectReport, Report};
use crate::finding::{Language, printable};
use crate::verdict::Conclusion;

/// Writes every evidence record and signature with its time-stamps, and every time-stamp that stands alone.
///
/// Inside a record the oldest comes first, as the record has them; the time-stamps of a signature are told from the newest inwards, as they were
/// judged.
pub(super) fn write(out: &mut String, report: &Report, language: Language) -> fmt::Result {
    let is_proof = |object: &&ObjectReport| {
        matches!(
            object.kind,
            ObjectKind::EvidenceRecord | ObjectKind::Signature | ObjectKind::Timestamp
        )
    };
    let proofs: Vec<&ObjectReport> = report.objects.iter().filter(is_proof).collect();
    if proofs.is_empty() {
        return Ok(());
    }
    heading(out, language, "時刻の証明", "Proofs of time")?;
    for object in proofs {
        if object.kind == ObjectKind::Timestamp {
            write_stamp(out, object, report, language)?;
        } else {
            write_proof(out, object, language)?;
        }
    }
    Ok(())
}

fn verdict(object: &ObjectReport) -> String {
    let reason = object.judgement.sub_indication();
    let reason = reason.map(|sub| format!(" / {}", sub.name()));
    let conclusion = object.judgement.conclusion().name();
    format!("{conclusion}{}", reason.unwrap_or_default())
}

/// An evidence record or a signature as a whole.
fn write_proof(out: &mut String, object: &ObjectReport, language: Language) -> fmt::Result {
    let name = match (object.kind, language) {
        (ObjectKind::Signature, Language::Japanese) => "署名",
        (ObjectKind::Signature, Language::English) => "Signature",
        (_, Language::Japanese) => "証拠記録",
        (_, Language::English) => "Evidence record",
    };
    let level = match (object.detail("level"), object.detail("baseline-level")) {
        (Some(level), Some(baseline)) => format!(" {level} = {baseline}"),
        (Some(level), None) => format!(" {level}"),
        _ => String::new(),
    };
    writeln!(out, "  {name}{level}: {}", verdict(object))?;
    writeln!(out, "    {}", object.place)?;
    match object.detail("signer") {
        Some(signer) if object.kind == ObjectKind::Signature => {
            writeln!(out, "    {}", printable(signer))
        }
        _ => Ok(()),
    }
}

/// What a time-stamp is, in words.
fn role(object: &ObjectReport, language: Language) -> Option<String> {
    let known = object.detail("role").or_else(|| object.detail("kind"))?;
    let (ja, en) = match known {
        "initial" => (
            "最初のアーカイブタイムスタンプ: 文書を証明",
            "first archive time-stamp: proves the documents",
        ),
        "time-stamp-renewal" => (
            "再スタンプ (タイムスタンプの更新): 前のタイムスタンプを証明",
            "re-stamping (time-stamp renewal): proves the time-stamp before it",
        ),
        "hash-tree-renewal" => (
            "再スタンプ (ハッシュ木の更新): 文書とそれまでの全証明を新しいハッシュ関数で証明",
            "re-stamping (hash-tree renewal): proves the documents and all proofs before it under a new hash function",
        ),
        other => return Some(printable(other)),
    };
    let text = match language {
        Language::Japanese => ja,
        Language::English => en,
    };
    Some(text.to_owned())
}

fn write_stamp(
    out: &mut String,
    object: &ObjectReport,
    report: &Report,
    language: Language,
) -> fmt::Result {
    let time = object.time.map_or_else(|| "—".to_owned(), civil_time);
    writeln!(out, "  {time}  {}", verdict(object))?;
    if let Some(role) = role(object, language) {
        writeln!(out, "    {role}")?;
    }
    writeln!(out, "    {}", object.place)?;
    if let Some(signer) = object.detail("signer") {
        writeln!(out, "    {}", printable(signer))?;
    }
    let Some(judged) = object.judged_at else {
        return Ok(());
    };
    let at = civil_time(judged);
    match (judged < report.verified_at, language) {
        (true, Language::Japanese) => {
            writeln!(out, "    {at} に後の証明へ引き継ぎ (その時点で判定)")
        }
        (true, Language::English) => writeln!(
            out,
            "    taken over by a later proof at {at} (judged as of then)"
        ),
        (false, Language::Japanese) => {
            writeln!(out, "    {at} の時点で判定")?;
            write_until(out, object, language)
        }
        (false, Language::English) => {
            writeln!(out, "    judged as of {at}")?;
            write_until(out, object, language)
        }
    }
}

/// Until when nothing has to be done.
fn write_until(out: &mut String, object: &ObjectReport, language: Language) -> fmt::Result {
    let (Some(until), Conclusion::TotalPassed) =
        (object.detail("holds-until"), object.judgement.conclusion())
    else {
        return Ok(());
    };
    let what = object.detail("holds-until-because-of").unwrap_or_default();
    match (what, language) {
        ("", Language::Japanese) => {
            writeln!(out, "    {until} までに再スタンプが必要 (証明書の有効期間)")
        }
        ("", Language::English) => writeln!(out, "    renew before {until}: its certificates end"),
        (what, Language::Japanese) => {
            writeln!(
                out,
                "    {until} までに再スタンプが必要 ({what} の信頼期間)"
            )
        }
        (what, Language::English) => writeln!(out, "    renew before {until}: {what} ends"),
    }
}
