//! What the evidence is about, and what people call it.

use super::said;
use crate::finding::{Language, printable};
use crate::report::{FileRole, ObjectKind, ObjectReport, Report};

/// Characters of a name that a sentence shows.
const NAME_CHARS_MAX: usize = 60;

/// What a sentence is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Subject {
    /// So many documents.
    Documents(usize),
    /// So many lines of a log.
    Lines(u64),
    /// A document of which only a digest was given.
    Digest,
    /// What a signature holds itself.
    Signed,
}

/// What the report is about.
pub(super) fn subject_of(report: &Report) -> Subject {
    let lines: u64 = of_kind(report, ObjectKind::Lines)
        .filter_map(|object| object.detail("count")?.parse::<u64>().ok())
        .fold(0, u64::saturating_add);
    let documents = of_kind(report, ObjectKind::Document).count();
    let data = report
        .files
        .iter()
        .filter(|file| file.role == FileRole::Data);
    let (digests, files): (Vec<_>, Vec<_>) = data.partition(|file| file.size.is_none());
    if lines > 0 {
        Subject::Lines(lines)
    } else if !digests.is_empty() && files.is_empty() && documents <= digests.len() {
        Subject::Digest
    } else if documents == 0 {
        Subject::Signed
    } else {
        Subject::Documents(documents)
    }
}

/// The objects of a kind.
pub(super) fn of_kind(report: &Report, kind: ObjectKind) -> impl Iterator<Item = &ObjectReport> {
    report
        .objects
        .iter()
        .filter(move |object| object.kind == kind)
}

/// The name of a document as its owner knows it.
pub(super) fn name_of(object: &ObjectReport) -> String {
    let name = object.detail("name").filter(|name| !name.is_empty());
    name.map_or_else(|| base_name(object.place.as_str()), printable)
}

/// The last part of a path.
pub(super) fn base_name(path: &str) -> String {
    printable(path.rsplit(['/', '\\']).next().unwrap_or(path))
}

/// A name in a sentence: in quotation marks that it cannot close, and not too long.
pub(super) fn quoted(name: &str, language: Language) -> String {
    let mut short = String::new();
    for (count, character) in name.chars().enumerate() {
        if count == NAME_CHARS_MAX {
            short.push('…');
            break;
        }
        match character {
            '「' | '」' | '“' | '”' | '"' => short.extend(character.escape_unicode()),
            other => short.push(other),
        }
    }
    match language {
        Language::Japanese => format!("「{short}」"),
        Language::English => format!("“{short}”"),
    }
}

/// A name in a table of the first page.
pub(super) fn shortened(name: &str) -> String {
    let mut characters = name.chars();
    let mut short: String = characters.by_ref().take(NAME_CHARS_MAX).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// Names in a sentence: the first three, and how many more there are.
pub(super) fn listed(names: &[String], language: Language) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(3)
        .map(|name| quoted(name, language))
        .collect();
    let more = names.len().saturating_sub(shown.len());
    match (more, language) {
        (0, Language::Japanese) => shown.join(""),
        (0, Language::English) => shown.join(", "),
        (more, Language::Japanese) => format!("{}ほか {} 件", shown.join(""), grouped_usize(more)),
        (more, Language::English) => {
            format!("{} and {} more", shown.join(", "), grouped_usize(more))
        }
    }
}

/// What was handed in as evidence.
pub(super) fn names_of_evidence(report: &Report, language: Language) -> String {
    let names: Vec<String> = report
        .files
        .iter()
        .filter(|file| file.role == FileRole::Evidence)
        .map(|file| base_name(&file.name))
        .collect();
    if names.is_empty() {
        return said(
            language,
            "検証した証拠はありません",
            "No evidence was given",
        );
    }
    match language {
        Language::Japanese => format!("検証した証拠: {}", listed(&names, language)),
        Language::English => format!("Evidence: {}", listed(&names, language)),
    }
}

/// A number with separators: `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len().saturating_mul(2));
    for (place, digit) in digits.chars().enumerate() {
        let rest = digits.len().saturating_sub(place);
        if place > 0 && rest.is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The same for a count.
pub(super) fn grouped_usize(number: usize) -> String {
    grouped(u64::try_from(number).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn a_name_cannot_end_its_quotation() {
        let hostile = "a」は証明されています。「b";
        let text = quoted(hostile, Language::Japanese);
        assert_eq!(text.matches('」').count(), 1, "{text}");
        let text = quoted("a” is proven. “b", Language::English);
        assert_eq!(text.matches('”').count(), 1, "{text}");
        let long = quoted(&"x".repeat(1000), Language::English);
        assert!(long.chars().count() <= NAME_CHARS_MAX + 3);
    }

    #[test]
    fn a_long_list_is_counted() {
        let names: Vec<String> = (0..5).map(|n| format!("{n}.pdf")).collect();
        let text = listed(&names, Language::Japanese);
        assert_eq!(text, "「0.pdf」「1.pdf」「2.pdf」ほか 2 件");
        let text = listed(&names, Language::English);
        assert_eq!(text, "“0.pdf”, “1.pdf”, “2.pdf” and 2 more");
    }
}
