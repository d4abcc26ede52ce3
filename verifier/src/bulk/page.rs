//! The summary as one page, in Japanese and English.

use std::fmt::Write as _;

use super::summary::{NOT_PASSED_MAX, Summary};
use crate::finding::Language;

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n\
<title>一括検証の結果 / Bulk verification</title>\n<style>\n\
body{font-family:sans-serif;max-width:50em;margin:2em auto;padding:0 1em;line-height:1.5}\n\
table{border-collapse:collapse;width:100%}th,td{border:1px solid #999;padding:.2em .6em;text-align:left;vertical-align:top}\n\
th{width:17em;background:#f4f4f4;font-weight:normal}td{overflow-wrap:anywhere}\n\
@media print{body{margin:0;max-width:none;font-size:9pt}section+section{break-before:page}}\n\
</style>\n</head>\n<body>\n";

/// The page, UTF-8.
pub(super) fn page(summary: &Summary) -> String {
    let mut page = String::from(HEAD);
    for language in [Language::Japanese, Language::English] {
        // Writing to a string cannot fail.
        let _infallible = section(&mut page, summary, language);
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn section(page: &mut String, summary: &Summary, language: Language) -> std::fmt::Result {
    let (code, title, notice, list) = match language {
        Language::Japanese => (
            "ja",
            "一括検証の結果",
            "署名されるのは summary の JSON です。このページは同じ内容を読みやすくしたものです。",
            "合格しなかったもの",
        ),
        Language::English => (
            "en",
            "Result of a bulk verification",
            "The JSON form of this summary is what is signed; this page says the same for people.",
            "What did not pass",
        ),
    };
    writeln!(
        page,
        "<section lang=\"{code}\">\n<h1>{title}</h1>\n<p>{notice}</p>\n<table>"
    )?;
    for (name, value) in summary.facts(language) {
        writeln!(page, "<tr><th>{name}</th><td>{}</td></tr>", escape(&value))?;
    }
    writeln!(page, "</table>")?;
    let not_passed = &summary.tally.not_passed;
    if !not_passed.is_empty() {
        writeln!(page, "<h2>{list}</h2>\n<ul>")?;
        for (item, status) in not_passed {
            writeln!(
                page,
                "<li>{}: {}</li>",
                status.label(language),
                escape(item)
            )?;
        }
        if not_passed.len() >= NOT_PASSED_MAX {
            writeln!(page, "<li>…</li>")?;
        }
        writeln!(page, "</ul>")?;
    }
    writeln!(page, "</section>")
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
