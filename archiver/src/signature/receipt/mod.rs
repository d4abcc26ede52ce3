//! Receipts: what the archive signs for the one who deposited, or fetched (004 §2-I-1-6(3)).
//!
//! A receipt is an attached CAdES over canonical JSON, so that either side can show it without asking the other.

mod content;
mod desk;

pub use content::{ReceiptFacts, ReceiptKind, SCHEMA, kind_of};
pub use desk::{IssuedReceipt, Occasion, RECORDS_MAX, ReceiptDesk};
