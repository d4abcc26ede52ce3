//! Names of members.

use super::fields::error;
use super::layout::FLAG_UTF8;
use crate::error::{ErrorKind, Result};
use crate::limits::NAME_BYTES_MAX;

/// The text of a member's name, and whether it had to be guessed.
///
/// A name without the UTF-8 flag is in code page 437 (APPNOTE.TXT, appendix D). Many programs write UTF-8 without the flag,
/// so what is valid UTF-8 is read as such.
pub(super) fn decode(bytes: &[u8], flags: u16, offset: u64) -> Result<(String, bool)> {
    let fail = |kind| error(kind, PLACE, offset);
    if bytes.len() > NAME_BYTES_MAX {
        return Err(fail(ErrorKind::LimitExceeded));
    }
    let flagged = flags & FLAG_UTF8 != 0;
    let (text, guessed) = match str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), !flagged && !text.is_ascii()),
        Err(_) if flagged => return Err(fail(ErrorKind::InvalidText)),
        Err(_) => (
            bytes.iter().copied().filter_map(code_page_437).collect(),
            true,
        ),
    };
    if is_acceptable(&text) {
        Ok((text, guessed))
    } else {
        Err(fail(ErrorKind::InvalidName))
    }
}

/// A relative path with `/` between its components, perhaps `/` at its end for a folder.
///
/// Refused is what leaves the folder into which somebody unpacks on any system: a leading `/`, `.` and `..`, a drive letter, a backslash;
/// and control characters, which hide what a name is.
pub(super) fn is_acceptable(name: &str) -> bool {
    let path = name.strip_suffix('/').unwrap_or(name);
    let mut start = path.chars();
    let drive = start
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && start.next() == Some(':');
    let bad_part = |part: &str| matches!(part, "" | "." | "..");
    let bad_character = |character: char| character.is_control() || character == '\\';
    !drive && !path.split('/').any(bad_part) && !path.contains(bad_character)
}

fn code_page_437(byte: u8) -> Option<char> {
    match byte.checked_sub(128) {
        None => Some(byte.into()),
        Some(index) => CODE_PAGE_437.chars().nth(index.into()),
    }
}

/// The upper half of code page 437.
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

const PLACE: &str = "ZIP member name";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_guesses() {
        assert_eq!(
            decode(b"a/b.txt", 0, 0).unwrap(),
            ("a/b.txt".to_owned(), false)
        );
        assert_eq!(
            decode("領収書".as_bytes(), FLAG_UTF8, 0).unwrap(),
            ("領収書".to_owned(), false)
        );
        assert_eq!(
            decode("領収書".as_bytes(), 0, 0).unwrap(),
            ("領収書".to_owned(), true)
        );
        assert_eq!(
            decode(b"\x82\xa1\xff", 0, 0).unwrap(),
            ("éí\u{a0}".to_owned(), true)
        );
        assert_eq!(decode(b"META-INF/", 0, 0).unwrap().0, "META-INF/");
    }

    #[test]
    fn the_table_is_complete() {
        assert_eq!(CODE_PAGE_437.chars().count(), 128);
        assert_eq!(code_page_437(0xE1), Some('ß'));
        assert_eq!(code_page_437(0x9B), Some('¢'));
        assert_eq!(code_page_437(0xFE), Some('■'));
    }

    #[test]
    fn path_tricks_are_refused() {
        for name in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../a",
            "a/../../b",
            "./a",
            "a//b",
            "a/./b",
            "a\\b",
            "..\\a",
            "C:\\a",
            "c:a",
            "a\0b",
            "a\nb",
            "a//",
        ] {
            let error = decode(name.as_bytes(), FLAG_UTF8, 7).unwrap_err();
            assert_eq!(
                (error.kind(), error.place().offset),
                (ErrorKind::InvalidName, Some(7)),
                "{name:?}"
            );
        }
        assert_eq!(
            decode(b"\xff", FLAG_UTF8, 0).unwrap_err().kind(),
            ErrorKind::InvalidText
        );
        assert_eq!(
            decode(&[b'a'; NAME_BYTES_MAX + 1], 0, 0)
                .unwrap_err()
                .kind(),
            ErrorKind::LimitExceeded
        );
    }
}
