//! The page `META-INF/fumikura/report.html` of an evidence package: what it holds and what was found when it was made, in Japanese
//! and English, for a reader who has a browser and nothing else.
//!
//! The page proves nothing, and says so: it tells how to check the package without trust in whoever made it.

use std::fmt::Write as _;

use formats::manifest::{ContentObject, Manifest, Metadata};
use formats::package::{document_members, line_member};
use formats::raw::Raw;
use verifier::finding::Language;
use verifier::report::{Report, text};

use crate::cli::output::{grouped, grouped_amount};

/// The lines that a package shows.
#[derive(Debug, Clone, Copy)]
pub struct ShownLines {
    /// Number of the content object in the manifest.
    pub object: u32,
    /// Number of the first line, from 1.
    pub first: u64,
    /// Number of the last line.
    pub last: u64,
    /// How many lines the log has.
    pub lines: u64,
}

/// The page of a package with documents, UTF-8.
#[must_use]
pub fn render(manifest: &Raw<Manifest>, report: &Report, evaluation: bool) -> String {
    page(manifest, None, report, evaluation)
}

/// The page of a package that shows some lines of a log, UTF-8.
#[must_use]
pub fn render_lines(
    manifest: &Raw<Manifest>,
    shown: &ShownLines,
    report: &Report,
    evaluation: bool,
) -> String {
    page(manifest, Some(shown), report, evaluation)
}

fn page(
    manifest: &Raw<Manifest>,
    shown: Option<&ShownLines>,
    report: &Report,
    evaluation: bool,
) -> String {
    let mut page = String::from(HEAD);
    if evaluation {
        page.push_str(EVALUATION);
    }
    for (language, words) in [
        (Language::Japanese, &JAPANESE),
        (Language::English, &ENGLISH),
    ] {
        page.push_str(&section(manifest, shown, report, language, words));
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn section(
    manifest: &Raw<Manifest>,
    shown: Option<&ShownLines>,
    report: &Report,
    language: Language,
    words: &Words,
) -> String {
    let mut html = String::new();
    // Writing to a string cannot fail.
    let _infallible: std::fmt::Result = (|| {
        writeln!(html, "<section lang=\"{}\">", words.language)?;
        writeln!(html, "<h1>{}</h1>", words.title)?;
        writeln!(html, "<p>{}</p>", words.notice)?;
        writeln!(
            html,
            "<p><code>verifier verify FILE.asice --trust trust-anchors.pem</code></p>"
        )?;
        writeln!(html, "<h2>{}</h2>\n<table>", words.record)?;
        for (name, value) in facts(manifest, words) {
            writeln!(html, "<tr><th>{name}</th><td>{}</td></tr>", escape(&value))?;
        }
        let heading = shown.map_or(words.documents, |_| words.lines);
        writeln!(html, "</table>\n<h2>{heading}</h2>\n<table>")?;
        match shown {
            None => {
                for (object, member) in manifest.objects.iter().zip(document_members(manifest)) {
                    writeln!(html, "{}", document_row(object, &member))?;
                }
                writeln!(html, "</table>")?;
            }
            Some(shown) => writeln!(html, "{}", line_rows(manifest, shown, words))?,
        }
        writeln!(html, "<h2>{}</h2>", words.findings)?;
        writeln!(
            html,
            "<pre>{}</pre>\n</section>",
            escape(&text::to_text(report, language))
        )
    })();
    html
}

fn facts(manifest: &Manifest, words: &Words) -> Vec<(&'static str, String)> {
    let Metadata {
        date,
        amount,
        currency,
        counterparty,
        title,
        document_number,
        ..
    } = &manifest.metadata;
    let amount = amount.as_ref().map(|amount| {
        let currency = currency.as_ref().map_or("", |currency| currency.as_str());
        format!("{} {currency}", grouped_amount(amount.as_str()))
            .trim_end()
            .to_owned()
    });
    let optional = [
        (words.names[0], title.clone()),
        (words.names[1], date.map(|date| date.to_string())),
        (words.names[2], amount),
        (words.names[3], counterparty.clone()),
        (words.names[4], document_number.clone()),
    ];
    let mut facts = vec![
        (
            words.names[5],
            format!("{}/{}", manifest.record, manifest.version),
        ),
        (words.names[6], text::civil_time(manifest.received_at)),
    ];
    facts.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name, value))),
    );
    facts
}

/// Which lines of what are shown, and where they stand.
fn line_rows(manifest: &Manifest, shown: &ShownLines, words: &Words) -> String {
    let place = usize::try_from(shown.object).ok();
    let object = place.and_then(|place| manifest.objects.get(place));
    let name = object.map_or("", |object| object.name.as_str());
    let member = line_member(manifest, shown.object).unwrap_or_default();
    format!(
        "<tr><th>{}</th><td>{}</td></tr>\n<tr><th>{}</th><td>{}–{} / {}</td></tr>\n<tr><th>{}</th><td><a href=\"../../{}\">{}</a></td></tr>\n</table>\n<p>{}</p>",
        words.line_names[0],
        escape(name),
        words.line_names[1],
        grouped(shown.first),
        grouped(shown.last),
        grouped(shown.lines),
        words.line_names[2],
        escape(&formats::asic::uri::encode(&member)),
        escape(&member),
        words.other_lines,
    )
}

fn document_row(object: &ContentObject, member: &str) -> String {
    let mut row = format!(
        "<tr><td><a href=\"../../{}\">{}</a></td><td class=\"whole\">{}</td><td class=\"number whole\">{}</td><td><code>",
        escape(&formats::asic::uri::encode(member)),
        escape(object.name.as_str()),
        escape(&object.media_type),
        grouped(object.size)
    );
    for digest in object.digests.values() {
        row.push_str(&escape(&format!(
            "{}: {}",
            digest.algorithm().name(),
            digest.to_hex()
        )));
        row.push_str("<br>");
    }
    row.push_str("</code></td></tr>");
    row
}

/// Text of the record inside HTML. Characters that turn the direction of writing, or that control a terminal, are shown as numbers.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push('\n'),
            '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                escaped.push_str(&format!("U+{:04X}", u32::from(character)));
            }
            character if character.is_control() => {
                escaped.push_str(&format!("U+{:04X}", u32::from(character)));
            }
            character => escaped.push(character),
        }
    }
    escaped
}

/// The words of one language.
struct Words {
    language: &'static str,
    title: &'static str,
    notice: &'static str,
    record: &'static str,
    documents: &'static str,
    lines: &'static str,
    line_names: [&'static str; 3],
    other_lines: &'static str,
    findings: &'static str,
    names: [&'static str; 7],
}

const JAPANESE: Words = Words {
    language: "ja",
    title: "証拠パッケージ",
    notice: "このページは案内であり、証拠ではありません。証拠は証拠記録 (META-INF/evidencerecord.ers, RFC 4998) です。信頼できる認証局の証明書があれば、次の手順で、作成者を信頼することなく確認できます。",
    record: "記録",
    documents: "文書",
    lines: "証明される行",
    line_names: ["ログ", "行番号 / 全行数", "行の内容"],
    other_lines: "このパッケージはこれらの行だけを示します。ほかの行の内容は含まれず、何も示されません。",
    findings: "作成時の検証結果",
    names: [
        "表題",
        "日付",
        "金額",
        "取引先",
        "文書番号",
        "記録番号",
        "受領日時",
    ],
};

const ENGLISH: Words = Words {
    language: "en",
    title: "Evidence package",
    notice: "This page is a guide and not evidence. The evidence is the evidence record (META-INF/evidencerecord.ers, RFC 4998). With the certificate of an authority that you trust, check it like this, without trust in whoever made the package:",
    record: "Record",
    documents: "Documents",
    lines: "Lines that are proven",
    line_names: ["Log", "Lines / of", "Content"],
    other_lines: "The package shows these lines alone. It holds nothing of the others, and says nothing about them.",
    findings: "What was found when the package was made",
    names: [
        "Title",
        "Date",
        "Amount",
        "Counterparty",
        "Document number",
        "Record",
        "Received",
    ],
};

/// Above everything else where the archive is for trying the product out.
const EVALUATION: &str = "<p><strong>EVALUATION / 試用</strong>: 製品を試すための保管庫から作られました。 / Made from an archive that is for trying the product out.</p>\n";

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"ja\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<title>証拠パッケージ / Evidence package</title>
<style>
body { font-family: sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #111; background: #fff; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3em .6em; border-bottom: 1px solid #bbb; overflow-wrap: anywhere; }
.number { text-align: right; }
.whole { white-space: nowrap; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f4f4; padding: 1em; }
section + section { margin-top: 4em; border-top: 3px solid #888; }
</style>
</head>
<body>
";
