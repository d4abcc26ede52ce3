//! The PDF form: A4 pages for a file or for paper, tagged, after PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1).
//!
//! `layout` decides what stands where, without knowing PDF; `draw` writes it down with `krilla`. The same document gives the same bytes:
//! the only time in the file is that of the judgement. What the embedded font cannot show is written as `U+XXXX`, never left out.

mod draw;
mod face;
mod layout;
mod page;
mod paragraph;

use self::face::Face;
use super::document::{Depth, Document};

/// Why no PDF could be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PdfError {
    /// The embedded font cannot be read: the program itself is damaged.
    Font,
    /// The file would not follow its standard, or would be too large for it (ISO 32000-1, annex C).
    Standard,
}

impl std::fmt::Display for PdfError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Font => "the embedded font cannot be read",
            Self::Standard => "the report does not fit into a PDF file",
        })
    }
}

impl std::error::Error for PdfError {}

/// A document as a PDF file, to a depth.
///
/// # Errors
/// [`PdfError`], where the embedded font is damaged or the report is too large.
pub fn write(document: &Document, depth: Depth) -> Result<Vec<u8>, PdfError> {
    let data = face::font_bytes().ok_or(PdfError::Font)?;
    let face = Face::new(&data).ok_or(PdfError::Font)?;
    let pages = layout::lay_out(document, depth, &face);
    draw::write(document, pages, &face, data.clone())
}
