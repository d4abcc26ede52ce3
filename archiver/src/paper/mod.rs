//! What a PDF says of itself: its text, and the date, amount, counterparty and number that stand in it.
//!
//! A guess, made before a deposit for the fields of a person, who looks at it. Nothing of it goes into a record by itself. A foreign file can make a parser
//! panic, eat memory or never end; so the text is read by a process of its own, which has no key, no environment and little of either.

mod facts;
mod process;

pub use facts::PaperFacts;
pub use process::{PaperReader, serve};

/// A PDF begins so (ISO 32000-2 §7.5.2).
#[must_use]
pub fn is_pdf(bytes: &[u8]) -> bool {
    bytes.starts_with(b"%PDF-")
}
