//! Foreign XML as a tree that can be written in a canonical form (Canonical XML 1.0 and 1.1, Exclusive XML Canonicalization 1.0).
//!
//! The reader is `quick-xml`; what it leaves to its caller is checked here: characters, names, namespaces, duplicates, and that there
//! is one root. A document type is refused, and with it every entity but the five predefined ones: what a document says must not
//! depend on anything outside of it, nor grow while it is read.

mod canonical;
mod characters;
mod reader;
#[cfg(test)]
mod tests;
mod tree;

pub use self::canonical::{Canonicalization, CanonicalizationKind};
pub use self::tree::{Content, Document, Element, NodeId};

/// The namespace that the prefix `xml` is bound to (Namespaces in XML 1.0 §3).
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// Whether `bytes` look like an XML document, whether or not it can be read here: markup comes first, in UTF-8 or UTF-16.
#[must_use]
pub fn looks_like_xml(bytes: &[u8]) -> bool {
    const UTF_16: [&[u8]; 4] = [b"\xfe\xff\0<", b"\xff\xfe<\0", b"\0<\0?", b"<\0?\0"];
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    text.trim_ascii_start().starts_with(b"<") || UTF_16.iter().any(|start| bytes.starts_with(start))
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
