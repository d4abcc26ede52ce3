//! Names of files, kept exactly and shown safely.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;

/// The name of a source, relative to where the deposit started: the exact bytes that the file system holds.
///
/// `Display` shows it on one line: control and formatting characters and bytes that are not UTF-8 appear as escapes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(Vec<u8>);

impl SourceName {
    /// A name from its bytes.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The name of an entry of the directory that has this name.
    #[must_use]
    pub fn join(&self, entry: &OsStr) -> Self {
        let mut bytes = Vec::with_capacity(self.0.len() + 1 + entry.len());
        bytes.extend_from_slice(&self.0);
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(entry.as_bytes());
        Self(bytes)
    }

    /// The exact bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name as text, for the manifest; bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The exact bytes if the name is not UTF-8, so that [`text`](Self::text) is not all of it.
    #[must_use]
    pub fn bytes_if_not_text(&self) -> Option<&[u8]> {
        std::str::from_utf8(&self.0).is_err().then_some(&self.0)
    }
}

impl From<&OsStr> for SourceName {
    fn from(name: &OsStr) -> Self {
        Self(name.as_bytes().to_vec())
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if is_plain(character) {
                    f.write_char(character)?;
                } else {
                    write!(f, "{}", character.escape_default())?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Whether a character can stand in a line of output without changing how the line reads: no controls, no line or
/// paragraph separators, and no bidirectional controls, which can make a name look like another one.
fn is_plain(character: char) -> bool {
    !character.is_control()
        && character != '\\'
        && !matches!(character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> String {
        SourceName::from_bytes(bytes).to_string()
    }

    #[test]
    fn japanese_names_show_as_they_are() {
        assert_eq!(
            shown("請求書/㈱文蔵 1月.pdf".as_bytes()),
            "請求書/㈱文蔵 1月.pdf"
        );
    }

    #[test]
    fn newline_escape_sequence_and_bidi_are_shown_escaped() {
        assert_eq!(shown(b"a\nb\x1b[2J"), "a\\nb\\u{1b}[2J");
        assert_eq!(shown("gpj.\u{202e}exe".as_bytes()), "gpj.\\u{202e}exe");
        assert_eq!(shown(b"a\\nb"), "a\\\\nb");
    }

    #[test]
    fn invalid_utf8_is_kept_and_shown_escaped() {
        let name = SourceName::from_bytes(*b"f\xff.txt");
        assert_eq!(name.to_string(), "f\\xff.txt");
        assert_eq!(name.text(), "f\u{fffd}.txt");
        assert_eq!(name.bytes_if_not_text(), Some(&b"f\xff.txt"[..]));
        assert_eq!(SourceName::from_bytes(*b"f.txt").bytes_if_not_text(), None);
    }

    #[test]
    fn entries_join_with_one_slash() {
        let root = SourceName::from_bytes(*b"docs");
        assert_eq!(root.join(OsStr::new("a")).as_bytes(), b"docs/a");
        let nameless = SourceName::from_bytes(*b"");
        assert_eq!(nameless.join(OsStr::new("a")).as_bytes(), b"a");
    }
}
