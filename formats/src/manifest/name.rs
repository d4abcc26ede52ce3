//! The name that a content object had where it came from.

use std::fmt;

use super::place;
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::NAME_BYTES_MAX;

/// A relative path, with `/` between its components: no leading `/`, no empty component, neither `.` nor `..`, no NUL.
///
/// File systems do not promise UTF-8. A name that is not UTF-8 keeps its exact bytes, and shows U+FFFD where they are not text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    text: String,
    /// Only if the bytes are not UTF-8.
    bytes: Option<Vec<u8>>,
}

impl ObjectName {
    /// A name in UTF-8.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidName`] or [`ErrorKind::LimitExceeded`].
    pub fn new(text: &str) -> Result<Self> {
        Self::from_bytes(text.as_bytes())
    }

    /// A name as the file system gives it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidName`] or [`ErrorKind::LimitExceeded`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > NAME_BYTES_MAX {
            return Err(FormatError::new(ErrorKind::LimitExceeded, place::NAME));
        }
        let bad =
            |part: &[u8]| part.is_empty() || part == b"." || part == b".." || part.contains(&0);
        if bytes.split(|byte| *byte == b'/').any(bad) {
            return Err(FormatError::new(ErrorKind::InvalidName, place::NAME));
        }
        let text = String::from_utf8_lossy(bytes).into_owned();
        let exact = text.as_bytes() == bytes;
        Ok(Self {
            text,
            bytes: (!exact).then(|| bytes.to_vec()),
        })
    }

    /// The name as text, with U+FFFD for what is not UTF-8. It may hold line breaks and other control characters: print it with `Display`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The exact bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// Whether the exact bytes are UTF-8.
    #[must_use]
    pub const fn is_utf8(&self) -> bool {
        self.bytes.is_none()
    }

    pub(super) fn bytes_unless_utf8(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }
}

/// Writes the name on one line: control characters and those that change the direction of text are escaped as `\n` or `\u{202e}`,
/// so that a name can neither break a line of a report nor look like another name.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.text.chars() {
            if character.is_control() || changes_layout(character) || character == '\\' {
                write!(f, "{}", character.escape_default())?;
            } else {
                fmt::Write::write_char(f, character)?;
            }
        }
        Ok(())
    }
}

/// Line separators, bidirectional controls (UAX #9) and the byte order mark.
pub(crate) const fn changes_layout(character: char) -> bool {
    matches!(character,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names() {
        for text in [
            "a",
            "請求書/2026年1月.pdf",
            "a b/..c/d..",
            "...",
            "line\nbreak",
            "back\\slash",
            "C:x",
        ] {
            let name = ObjectName::new(text).unwrap();
            assert_eq!(name.as_str(), text);
            assert_eq!(name.as_bytes(), text.as_bytes());
            assert!(name.is_utf8());
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_kept() {
        let name = ObjectName::from_bytes(b"\x90\xbf\x8b\x81\x8f\x91.txt").unwrap();
        assert!(!name.is_utf8());
        assert_eq!(name.as_bytes(), b"\x90\xbf\x8b\x81\x8f\x91.txt");
        assert!(name.as_str().ends_with(".txt"));
        assert_ne!(name, ObjectName::new(name.as_str()).unwrap());
    }

    #[test]
    fn path_tricks_are_refused() {
        for text in [
            "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/.", "./a", "a\0b",
        ] {
            let kind = ObjectName::new(text).unwrap_err().kind();
            assert_eq!(kind, ErrorKind::InvalidName, "{text:?}");
        }
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        assert_eq!(
            ObjectName::new(&long).unwrap_err().kind(),
            ErrorKind::LimitExceeded
        );
        assert!(ObjectName::new(&long[1..]).is_ok());
    }

    #[test]
    fn shown_on_one_line() {
        let name = ObjectName::new("a\nb\u{202E}fdp.exe\\領収書").unwrap();
        assert_eq!(name.to_string(), "a\\nb\\u{202e}fdp.exe\\\\領収書");
    }
}
