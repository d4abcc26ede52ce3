//! Elements and text, in order, properly nested and escaped: a thin layer over the writer of `quick-xml`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::writer::Writer;
use time::macros::{datetime, format_description};
use time::{OffsetDateTime, UtcOffset};

/// The document on the way.
pub(super) struct Xml {
    writer: Writer<Vec<u8>>,
}

impl Xml {
    pub(super) fn new() -> Self {
        let mut xml = Self {
            writer: Writer::new_with_indent(Vec::new(), b' ', 1),
        };
        xml.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        xml
    }

    /// Writing to memory does not fail.
    fn event(&mut self, event: Event<'_>) {
        let _infallible = self.writer.write_event(event);
    }

    /// An element with attributes and what `inner` writes.
    pub(super) fn with(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        inner: impl FnOnce(&mut Self),
    ) {
        let mut start = BytesStart::new(name);
        for (name, value) in attributes {
            start.push_attribute((*name, clean(value).as_str()));
        }
        self.event(Event::Start(start));
        inner(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// An element with what `inner` writes.
    pub(super) fn element(&mut self, name: &str, inner: impl FnOnce(&mut Self)) {
        self.with(name, &[], inner);
    }

    /// An empty element with attributes.
    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let mut start = BytesStart::new(name);
        for (name, value) in attributes {
            start.push_attribute((*name, clean(value).as_str()));
        }
        self.event(Event::Empty(start));
    }

    /// An element with text.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.with(name, &[], |xml| {
            xml.event(Event::Text(BytesText::new(&clean(text))));
        });
    }

    /// An element with a time.
    pub(super) fn time(&mut self, name: &str, time: OffsetDateTime) {
        self.text(name, &date_time(time));
    }

    /// An element with bytes in base64.
    pub(super) fn base64(&mut self, name: &str, bytes: &[u8]) {
        self.text(name, &STANDARD.encode(bytes));
    }

    /// The document, which ends with a line feed.
    pub(super) fn into_text(self) -> String {
        let mut text = String::from_utf8(self.writer.into_inner()).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// xs:dateTime in UTC (XML Schema part 2 §3.2.7), which has no year 0 and none before it.
pub(super) fn date_time(time: OffsetDateTime) -> String {
    const FIRST: OffsetDateTime = datetime!(0001-01-01 00:00 UTC);
    const SECONDS: &[time::format_description::BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let time = time.to_offset(UtcOffset::UTC).max(FIRST);
    let mut text = time.format(SECONDS).unwrap_or_default();
    if time.microsecond() != 0 {
        text.push_str(&format!(".{:06}", time.microsecond()));
    }
    text.push('Z');
    text
}

/// An xs:anyURI: everything but unreserved characters and `/:#` is percent-encoded (RFC 3986 §2).
pub(super) fn uri(text: &str) -> String {
    use std::fmt::Write as _;
    let mut uri = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _infallible = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// Characters that XML 1.0 cannot hold (§2.2) become U+FFFD.
fn clean(text: &str) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars()
        .map(|c| {
            if allowed(c) {
                c
            } else {
                char::REPLACEMENT_CHARACTER
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped() {
        let mut xml = Xml::new();
        xml.with("a", &[("b", "\"<&\u{1}")], |xml| {
            xml.text("c", "<&>\u{fffe}\u{0}");
        });
        let text = xml.into_text();
        assert!(text.contains("b=\"&quot;&lt;&amp;\u{fffd}\""), "{text}");
        assert!(
            text.contains("<c>&lt;&amp;&gt;\u{fffd}\u{fffd}</c>"),
            "{text}"
        );
    }

    #[test]
    fn times_are_those_of_xml_schema() {
        assert_eq!(
            date_time(datetime!(2026-11-22 12:00:00.5 +9)),
            "2026-11-22T03:00:00.500000Z"
        );
        assert_eq!(
            date_time(datetime!(2026-11-22 12:00 UTC)),
            "2026-11-22T12:00:00Z"
        );
        assert_eq!(
            date_time(datetime!(0000-06-01 00:00 UTC)),
            "0001-01-01T00:00:00Z"
        );
        assert_eq!(
            date_time(datetime!(-0044-03-15 00:00 UTC)),
            "0001-01-01T00:00:00Z"
        );
    }

    #[test]
    fn uris_hold_no_strange_characters() {
        assert_eq!(uri("請.p7s/signer[0]"), "%E8%AB%8B.p7s/signer%5B0%5D");
        assert_eq!(uri("a b%\n"), "a%20b%25%0A");
    }
}
