//! The text form, in Japanese or English: for a terminal, and for programs that read text.
//!
//! Everything in it comes from the [`Document`]; here it is only written down, line by line.

use std::fmt::{self, Write as _};

use super::Report;
pub use super::calendar::civil_time;
use super::document::{Block, Chart, Depth, Document, Fact, Row, Table};
use crate::finding::Language;

/// Characters of a row that stands on one line.
const ROW_CHARS_MAX: usize = 100;

/// The report as text in `language`, to the depth of the time line; it ends with a line feed.
#[must_use]
pub fn to_text(report: &Report, language: Language) -> String {
    write(&Document::of(report, None, language), Depth::Timeline)
}

/// A document as text, to a depth; it ends with a line feed.
#[must_use]
pub fn write(document: &Document, depth: Depth) -> String {
    let mut out = String::new();
    // Writing into a `String` cannot fail.
    let _infallible = write_parts(&mut out, document, depth);
    out
}

fn write_parts(out: &mut String, document: &Document, depth: Depth) -> fmt::Result {
    for part in document.parts_to(depth) {
        if part.depth != Depth::Brief {
            writeln!(out, "\n== {} ==", part.title)?;
        }
        for block in &part.blocks {
            write_block(out, block, document.language)?;
        }
    }
    if depth > Depth::Brief {
        writeln!(out, "\n{}", document.footer)?;
    }
    Ok(())
}

fn write_block(out: &mut String, block: &Block, language: Language) -> fmt::Result {
    let colon = colon(language);
    match block {
        Block::Heading(text) => writeln!(out, "\n{text}"),
        Block::Answer { word, text, .. } => writeln!(out, "{word}{colon}{text}"),
        Block::Text(text) => writeln!(out, "\n{text}"),
        Block::Facts(facts) => facts
            .iter()
            .try_for_each(|fact| write_fact(out, fact, colon)),
        Block::Table(table) => write_table(out, table),
        // The table below it has all that the chart shows.
        Block::Chart(Chart { .. }) => Ok(()),
    }
}

const fn colon(language: Language) -> &'static str {
    match language {
        Language::Japanese => "：",
        Language::English => ": ",
    }
}

fn write_fact(out: &mut String, fact: &Fact, colon: &str) -> fmt::Result {
    if let [line] = fact.lines.as_slice() {
        return writeln!(out, "{}{colon}{line}", fact.label);
    }
    writeln!(out, "{}{}", fact.label, colon.trim_end())?;
    fact.lines
        .iter()
        .try_for_each(|line| writeln!(out, "  - {line}"))
}

fn write_table(out: &mut String, table: &Table) -> fmt::Result {
    writeln!(out, "\n{}", table.caption)?;
    table.rows.iter().try_for_each(|row| write_row(out, row))
}

/// A short row stands on one line, a long one below its first cell.
fn write_row(out: &mut String, row: &Row) -> fmt::Result {
    let cells: Vec<&str> = row
        .cells
        .iter()
        .map(String::as_str)
        .filter(|cell| !cell.is_empty())
        .collect();
    let line = cells.join(" — ");
    if line.chars().count() <= ROW_CHARS_MAX && !line.contains('\n') {
        return writeln!(out, "  {line}");
    }
    let mut lines = cells.iter().flat_map(|cell| cell.lines());
    if let Some(first) = lines.next() {
        writeln!(out, "  {first}")?;
    }
    lines.try_for_each(|line| writeln!(out, "    {line}"))
}
