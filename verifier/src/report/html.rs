//! The HTML form: one file without anything from elsewhere, for a browser and for A4 paper.
//!
//! Page 1 is the brief part. Every foreign text is escaped; nothing in the page can run or load, and the content security policy says so to
//! the browser as well: only the style sheet below, named by its digest, is applied.

mod figure;

use std::fmt::{self, Write as _};

use super::document::{Block, Depth, Document, Fact, Part, Table, Tone};
use crate::finding::Language;

/// The style sheet.
pub const STYLE: &str = include_str!("html.css");

/// The SHA-256 digest of the style sheet in Base64, for the content security policy (CSP Level 3, §6.7.3.3). A test compares them.
pub const STYLE_DIGEST: &str = "L0zsSaVinR16LF16uZUcu7rfWX1XsKHaUrcOPdZJVLU=";

/// A document as an HTML page, to a depth.
#[must_use]
pub fn write(document: &Document, depth: Depth) -> String {
    let mut out = String::new();
    // Writing into a `String` cannot fail.
    let _infallible = write_page(&mut out, document, depth);
    out
}

/// Foreign text as the content of an element or of a quoted attribute.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

const fn lang(language: Language) -> &'static str {
    match language {
        Language::Japanese => "ja",
        Language::English => "en",
    }
}

const fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Open => "open",
        Tone::Bad => "bad",
        Tone::Plain => "plain",
    }
}

fn write_page(out: &mut String, document: &Document, depth: Depth) -> fmt::Result {
    let lang = lang(document.language);
    let title = Escaped(&document.title);
    let subtitle = Escaped(&document.subtitle);
    writeln!(out, "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>")?;
    writeln!(out, "<meta charset=\"utf-8\">")?;
    writeln!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{STYLE_DIGEST}'; base-uri 'none'; form-action 'none'\">"
    )?;
    writeln!(
        out,
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    )?;
    writeln!(out, "<meta name=\"referrer\" content=\"no-referrer\">")?;
    writeln!(out, "<title>{title}</title>")?;
    writeln!(out, "<style>{STYLE}</style>\n</head>\n<body>")?;
    writeln!(
        out,
        "<header>\n<h1>{title}</h1>\n<p class=\"subtitle\">{subtitle}</p>\n</header>\n<main>"
    )?;
    for part in document.parts_to(depth) {
        write_part(out, part)?;
    }
    let footer = Escaped(&document.footer);
    writeln!(
        out,
        "</main>\n<footer><p>{footer}</p></footer>\n</body>\n</html>"
    )
}

fn write_part(out: &mut String, part: &Part) -> fmt::Result {
    let name = match part.depth {
        Depth::Brief => "brief",
        Depth::Timeline => "timeline",
        Depth::Full => "full",
    };
    let title = Escaped(&part.title);
    writeln!(
        out,
        "<section class=\"{name}\" aria-labelledby=\"{name}\">\n<h2 id=\"{name}\">{title}</h2>"
    )?;
    for block in &part.blocks {
        write_block(out, block)?;
    }
    writeln!(out, "</section>")
}

fn write_block(out: &mut String, block: &Block) -> fmt::Result {
    match block {
        Block::Heading(text) => writeln!(out, "<h3>{}</h3>", Escaped(text)),
        Block::Answer { tone, word, text } => {
            let symbol = match tone {
                Tone::Good => "✓ ",
                Tone::Open => "？ ",
                Tone::Bad => "✕ ",
                Tone::Plain => "",
            };
            let (class, word, text) = (class(*tone), Escaped(word), Escaped(text));
            writeln!(
                out,
                "<div class=\"answer {class}\">\n<p class=\"word\"><span aria-hidden=\"true\">{symbol}</span>{word}</p>\n<p class=\"sentence\">{text}</p>\n</div>"
            )
        }
        Block::Text(text) => writeln!(out, "<p>{}</p>", Escaped(text)),
        Block::Facts(facts) => write_facts(out, facts),
        Block::Table(table) => write_table(out, table),
        Block::Chart(chart) => figure::write(out, chart),
    }
}

fn write_facts(out: &mut String, facts: &[Fact]) -> fmt::Result {
    writeln!(out, "<dl>")?;
    for fact in facts {
        write!(out, "<dt>{}</dt><dd>", Escaped(&fact.label))?;
        match fact.lines.as_slice() {
            [line] => write!(out, "{}", Escaped(line))?,
            lines => {
                write!(out, "<ul>")?;
                for line in lines {
                    write!(out, "<li>{}</li>", Escaped(line))?;
                }
                write!(out, "</ul>")?;
            }
        }
        writeln!(out, "</dd>")?;
    }
    writeln!(out, "</dl>")
}

/// The first cell of a row is its heading. A table that is wider than a telephone can be moved by keyboard, too.
fn write_table(out: &mut String, table: &Table) -> fmt::Result {
    let caption = Escaped(&table.caption);
    writeln!(
        out,
        "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\n<table>\n<caption>{caption}</caption>\n<thead><tr>"
    )?;
    for (column, _) in &table.columns {
        write!(out, "<th scope=\"col\">{}</th>", Escaped(column))?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for row in &table.rows {
        write!(out, "<tr class=\"{}\">", class(row.tone))?;
        for (number, cell) in row.cells.iter().enumerate() {
            let (open, close) = match number {
                0 => ("<th scope=\"row\">", "</th>"),
                _ => ("<td>", "</td>"),
            };
            write!(out, "{open}")?;
            write_cell(out, cell)?;
            write!(out, "{close}")?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody>\n</table>\n</div>")
}

fn write_cell(out: &mut String, cell: &str) -> fmt::Result {
    if !cell.contains('\n') {
        return write!(out, "{}", Escaped(cell));
    }
    for line in cell.lines() {
        write!(out, "<span>{}</span>", Escaped(line))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use formats::digest::DigestAlgorithm;

    use super::*;

    #[test]
    fn the_policy_names_the_style_sheet() {
        let digest = DigestAlgorithm::Sha256.digest(STYLE.as_bytes());
        let digest = base64::engine::general_purpose::STANDARD.encode(digest.as_bytes());
        assert_eq!(digest, STYLE_DIGEST, "write this value into STYLE_DIGEST");
        for foreign in ["url(", "@import", "</"] {
            assert!(!STYLE.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn foreign_text_is_escaped() {
        let text = Escaped("<script>alert(\"x\" & 'y')</script>").to_string();
        assert_eq!(
            text,
            "&lt;script&gt;alert(&quot;x&quot; &amp; &#39;y&#39;)&lt;/script&gt;"
        );
    }
}
