//! ASN.1 basic and distinguished encoding rules (X.690): a walker over received bytes and a writer.
//!
//! Real evidence is not always DER: indefinite lengths, unsorted SET OF and constructed strings occur in tokens that thousands of
//! people rely on. A decoder that normalises would change what was signed. The [`Reader`] therefore only splits: every [`Element`]
//! is a slice of the input with its offset, and nothing here re-encodes received bytes except [`to_der_lengths`], which changes
//! lengths and nothing else. Leaf structures are decoded by `rasn` from those slices.

mod element;
mod header;
mod integer;
mod lengths;
mod reader;
mod time;
pub(crate) mod typed;
mod writer;

pub use element::Element;
pub use header::{Class, Tag};
pub use integer::Integer;
pub use lengths::{has_indefinite_length, to_der_lengths};
pub use reader::Reader;
pub use time::{format_generalized_time, parse_generalized_time, parse_utc_time};
pub use writer::{Writer, sort_set_of};
