//! Text of any of the encodings that business documents in Japan come in, as lines for a page.

use encoding_rs::{Encoding, UTF_8};

/// The beginning of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    lines: Vec<String>,
    is_cut: bool,
    has_errors: bool,
}

/// Bytes of a text that are read for a preview.
pub const BYTES_MAX: u64 = 512 * 1024;

/// Whether a content of this media type is read as text.
#[must_use]
pub fn is_text(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/")
        || matches!(
            kind,
            "application/json"
                | "message/rfc822"
                | "application/xhtml+xml"
                | "application/x-pem-file"
        )
}

impl Text {
    /// Reads the first bytes of a content in the encoding that its media type names (UTF-8 where it names none).
    #[must_use]
    pub fn read(media_type: &str, head: &[u8], is_whole: bool) -> Self {
        let limit = usize::try_from(BYTES_MAX).unwrap_or(usize::MAX);
        let is_cut = !is_whole || head.len() > limit;
        let head = head.get(..limit).unwrap_or(head);
        let (text, _, has_errors) = encoding(media_type).decode(head);
        let mut lines: Vec<String> = text.lines().take(LINES_MAX + 1).map(line).collect();
        let is_long = lines.len() > LINES_MAX;
        lines.truncate(LINES_MAX);
        if is_cut && !is_long && lines.len() > 1 {
            // It may end inside a line, or inside a character.
            lines.pop();
        }
        Self {
            lines,
            is_cut: is_cut || is_long,
            has_errors: has_errors && !is_cut,
        }
    }

    /// Its lines, as they are: control characters included.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Whether there is more of it than this.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether some bytes are no text in the encoding.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.has_errors
    }
}

fn encoding(media_type: &str) -> &'static Encoding {
    media_type
        .split(';')
        .filter_map(|part| part.trim().strip_prefix("charset="))
        .find_map(|label| Encoding::for_label(label.as_bytes()))
        .unwrap_or(UTF_8)
}

/// One line; long ones are cut with a mark.
fn line(text: &str) -> String {
    let mut shown = text.to_owned();
    if let Some((place, _)) = shown.char_indices().nth(LINE_CHARS_MAX) {
        shown.truncate(place);
        shown.push('…');
    }
    shown
}

/// Lines of a preview.
const LINES_MAX: usize = 5000;

/// Characters of a line in a preview.
const LINE_CHARS_MAX: usize = 4000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn japanese_texts_are_read_in_their_encodings() {
        let (sjis, _, _) = encoding_rs::SHIFT_JIS.encode("請求書\r\n合計 1,000円");
        let text = Text::read("text/plain; charset=shift_jis", &sjis, true);
        assert_eq!(text.lines(), ["請求書", "合計 1,000円"]);
        let (jis, _, _) = encoding_rs::ISO_2022_JP.encode("領収書");
        let text = Text::read("text/plain; charset=iso-2022-jp", &jis, true);
        assert_eq!(text.lines(), ["領収書"]);
        let (euc, _, _) = encoding_rs::EUC_JP.encode("契約書");
        let text = Text::read("text/plain; charset=euc-jp", &euc, true);
        assert_eq!(
            (text.lines(), text.has_errors()),
            (&["契約書".to_owned()][..], false)
        );
    }

    #[test]
    fn what_is_no_text_in_its_encoding_is_told() {
        let text = Text::read("text/plain; charset=utf-8", b"a\xff\xffb", true);
        assert!(text.has_errors() && !text.is_cut());
    }

    #[test]
    fn a_long_text_is_cut_at_a_line() {
        let long = "1234567\n".repeat(100_000);
        let text = Text::read("text/plain; charset=us-ascii", long.as_bytes(), true);
        assert!(text.is_cut());
        assert_eq!(text.lines().len(), LINES_MAX);
        let cut = Text::read("text/plain", "一行目\n二行".as_bytes(), false);
        assert_eq!(
            (cut.lines(), cut.is_cut()),
            (&["一行目".to_owned()][..], true)
        );
        let wide = "字".repeat(LINE_CHARS_MAX + 5);
        let text = Text::read("text/plain", wide.as_bytes(), true);
        assert_eq!(text.lines()[0].chars().count(), LINE_CHARS_MAX + 1);
    }
}
