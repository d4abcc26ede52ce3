//! What kind of document it is, by its content. File names are not trusted for it.

use std::collections::BTreeMap;

use super::text_kind::Text;

/// The media type of a content and the facts that its first bytes tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// A media type as RFC 6838 writes it, with the character encoding of a text.
    pub name: String,
    /// Facts for the manifest, by key.
    pub facts: BTreeMap<String, String>,
    /// Whether the content may be XML, and so worth reading for its metadata.
    pub is_xml: bool,
}

/// How much of the beginning [`MediaType::detect`] is to be given.
pub const HEAD_BYTES: usize = 16 * 1024;

impl MediaType {
    /// Detects the type from the first [`HEAD_BYTES`] of a content (or all of a shorter one).
    #[must_use]
    pub fn detect(head: &[u8]) -> Self {
        if head.is_empty() {
            return Self::of("application/x-empty");
        }
        if let Some(found) = container(head).or_else(|| image_or_pdf(head)) {
            return found;
        }
        if let Some(text) = Text::detect(head) {
            return text.media_type(head);
        }
        let known = infer::get(head).filter(|known| !TOO_SHORT.contains(&known.mime_type()));
        Self::of(known.map_or("application/octet-stream", |known| known.mime_type()))
    }

    pub(super) fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            facts: BTreeMap::new(),
            is_xml: false,
        }
    }

    pub(super) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.facts.insert(key.to_owned(), value.into());
        self
    }
}

/// A zip container that says in its first member what it is (EN 319 162-1 A.1, OpenDocument, EPUB).
fn container(head: &[u8]) -> Option<MediaType> {
    let header = head
        .get(..30)
        .filter(|header| header.starts_with(b"PK\x03\x04"))?;
    let number = |at: usize| {
        Some(usize::from(u16::from_le_bytes([
            *header.get(at)?,
            *header.get(at + 1)?,
        ])))
    };
    let size = usize::try_from(u32::from_le_bytes(header.get(18..22)?.try_into().ok()?)).ok()?;
    let (method, name_length, extra_length) = (number(8)?, number(26)?, number(28)?);
    let name = head.get(30..)?.get(..name_length)?;
    let start = 30 + name_length + extra_length;
    let content = head.get(start..)?.get(..size)?;
    let text = std::str::from_utf8(content).ok()?.trim();
    let is_media_type = method == 0
        && name == b"mimetype"
        && text.len() <= 127
        && text
            .split_once('/')
            .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
    is_media_type.then(|| MediaType::of(text))
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
}

fn image_or_pdf(head: &[u8]) -> Option<MediaType> {
    // ISO 32000-1 Annex H: readers accept the header within the first 1024 bytes.
    let window = head.get(..head.len().min(1024))?;
    if let Some(at) = window.windows(5).position(|five| five == b"%PDF-") {
        let version: String = head
            .get(at + 5..)?
            .iter()
            .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
            .take(8)
            .map(|byte| char::from(*byte))
            .collect();
        return Some(MediaType::of("application/pdf").with("pdf-version", version));
    }
    if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        let image = MediaType::of("image/png");
        return Some(match (big_endian_u32(head, 16), big_endian_u32(head, 20)) {
            (Some(width), Some(height)) => image.with("pixels", format!("{width}x{height}")),
            _ => image,
        });
    }
    if head.starts_with(b"\xff\xd8\xff") {
        let image = MediaType::of("image/jpeg");
        return Some(match jpeg_resolution(head) {
            Some((across, down)) => image.with("resolution-dpi", format!("{across}x{down}")),
            None => image,
        });
    }
    None
}

fn big_endian_u32(head: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(
        head.get(at..at.checked_add(4)?)?.try_into().ok()?,
    ))
}

/// The JFIF density (JFIF 1.02) in dots per inch, if it is given in them.
fn jpeg_resolution(head: &[u8]) -> Option<(u16, u16)> {
    let is_jfif = head.get(6..11) == Some(b"JFIF\0") && head.get(13) == Some(&1);
    let number = |at: usize| Some(u16::from_be_bytes([*head.get(at)?, *head.get(at + 1)?]));
    if is_jfif {
        Some((number(14)?, number(16)?))
    } else {
        None
    }
}

/// Signatures of one or two bytes that ordinary data meets by chance.
const TOO_SHORT: [&str; 2] = ["application/x-executable", "application/x-unix-archive"];

#[cfg(test)]
#[path = "media_type_tests.rs"]
mod tests;
