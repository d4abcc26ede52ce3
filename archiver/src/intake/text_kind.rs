//! What kind of text a content is, and in which encoding: the encodings and forms that business documents in Japan come in.

use super::media_type::MediaType;

/// The encoding of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Ascii,
    Utf8,
    Utf16,
    Iso2022Jp,
    ShiftJis,
    EucJp,
    Latin1,
}

impl Text {
    /// The encoding, if the bytes are text.
    pub(super) fn detect(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            return Some(Self::Utf16);
        }
        let is_iso_2022 = head.contains(&0x1b)
            && head
                .windows(3)
                .any(|three| matches!(three, b"\x1b$B" | b"\x1b$@" | b"\x1b(J"));
        let is_control = |byte: &u8| {
            *byte < 0x20
                && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c)
                && !(is_iso_2022 && *byte == 0x1b)
        };
        if head.iter().filter(|byte| is_control(byte)).count() > head.len() / CONTROLS_PER_TEXT {
            return None;
        }
        if head.contains(&0) {
            return None;
        }
        if head.is_ascii() {
            return Some(if is_iso_2022 {
                Self::Iso2022Jp
            } else {
                Self::Ascii
            });
        }
        match std::str::from_utf8(head) {
            Ok(_) => Some(Self::Utf8),
            // The head may end inside a character.
            Err(error) if error.error_len().is_none() => Some(Self::Utf8),
            Err(_) => [
                (Self::EucJp, is_euc_jp as fn(&[u8]) -> bool),
                (Self::ShiftJis, is_shift_jis),
                (Self::Latin1, is_latin1),
            ]
            .into_iter()
            .find_map(|(text, matches)| matches(head).then_some(text)),
        }
    }

    fn charset(self) -> &'static str {
        match self {
            Self::Ascii => "us-ascii",
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Iso2022Jp => "iso-2022-jp",
            Self::ShiftJis => "shift_jis",
            Self::EucJp => "euc-jp",
            Self::Latin1 => "iso-8859-1",
        }
    }

    /// What kind of text it is.
    pub(super) fn media_type(self, head: &[u8]) -> MediaType {
        let text = head
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(head)
            .trim_ascii_start();
        if infer::is_mime(text, "text/html") {
            return self.with_charset("text/html");
        }
        if is_xhtml(text) {
            return MediaType::of("application/xhtml+xml");
        }
        if is_xml(text) {
            let mut xml = MediaType::of("application/xml");
            xml.is_xml = true;
            return xml;
        }
        if text.starts_with(b"-----BEGIN ") {
            return MediaType::of("application/x-pem-file");
        }
        if is_json(text) {
            return MediaType::of("application/json");
        }
        if is_mail(text) {
            return MediaType::of("message/rfc822");
        }
        if text.starts_with(b"#!") {
            return self.with_charset("text/x-script");
        }
        let plain = self.with_charset("text/plain");
        if is_log(text) {
            return plain.with("form", "log");
        }
        plain
    }

    fn with_charset(self, name: &str) -> MediaType {
        MediaType::of(&format!("{name}; charset={}", self.charset()))
    }
}

fn is_xhtml(text: &[u8]) -> bool {
    let start = text.get(..text.len().min(1024)).unwrap_or_default();
    let namespace = b"http://www.w3.org/1999/xhtml";
    let has = |words: &[u8]| start.windows(words.len()).any(|window| window == words);
    has(b"<html") && has(namespace)
}

fn is_xml(text: &[u8]) -> bool {
    if text.starts_with(b"<?xml") {
        return true;
    }
    let second = text.strip_prefix(b"<").and_then(|rest| rest.first());
    let is_name_start = second.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    is_name_start
        && text
            .windows(6)
            .take(1024)
            .any(|six| six == b"xmlns=" || six == b"xmlns:")
}

/// A whole JSON text, or the beginning of an object or array whose first member is complete.
fn is_json(text: &[u8]) -> bool {
    if !matches!(text.first(), Some(b'{' | b'[')) {
        return false;
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(text) {
        Ok(_) => true,
        Err(error) => error.is_eof() && text.len() > JSON_SURE_BYTES,
    }
}

/// At least two header lines of RFC 5322 that mails begin with.
fn is_mail(text: &[u8]) -> bool {
    let mut known = 0;
    for line in text.split(|byte| *byte == b'\n').take(40) {
        if line.trim_ascii().is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            continue;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return false;
        };
        let Some(name) = line.get(..colon) else {
            return false;
        };
        if !name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        {
            return false;
        }
        let is_known = MAIL_HEADERS
            .iter()
            .any(|header| name.eq_ignore_ascii_case(header));
        known += usize::from(is_known);
    }
    known >= 2
}

/// Most lines begin with something like a time: four or more digits among the first twenty-four characters, with a
/// colon, or a run of ten digits (seconds since 1970).
fn is_log(text: &[u8]) -> bool {
    let has_time = |line: &&[u8]| {
        let start = line
            .get(..line.len().min(LOG_TIME_BYTES))
            .unwrap_or_default();
        let digits = start.iter().filter(|byte| byte.is_ascii_digit()).count();
        let run = start
            .split(|byte| !byte.is_ascii_digit())
            .map(<[u8]>::len)
            .max();
        digits >= 4 && (start.contains(&b':') || run >= Some(10))
    };
    let lines: Vec<&[u8]> = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .take(LOG_LINES)
        .collect();
    lines.len() >= LOG_LINES_MIN
        && lines.iter().filter(|line| has_time(line)).count() * 10 >= lines.len() * 8
}

/// Valid Shift_JIS, of which at least half of the characters of two bytes lie in the rows of kana and common kanji. Bytes of
/// Latin-1 make valid Shift_JIS too, but of the other rows.
fn is_shift_jis(head: &[u8]) -> bool {
    let mut bytes = head.iter();
    let (mut common, mut other) = (0_usize, 0_usize);
    while let Some(byte) = bytes.next() {
        match byte {
            0x00..=0x7f => {}
            0xa1..=0xdf => other += 1,
            0x81..=0x9f | 0xe0..=0xfc => {
                let is_common = *byte < 0xa0;
                common += usize::from(is_common);
                other += usize::from(!is_common);
                match bytes.next() {
                    Some(0x40..=0x7e | 0x80..=0xfc) | None => {}
                    Some(_) => return false,
                }
            }
            _ => return false,
        }
    }
    common >= other
}

/// No byte of the range that ISO 8859-1 leaves to control characters.
fn is_latin1(head: &[u8]) -> bool {
    !head.iter().any(|byte| (0x80..=0x9f).contains(byte))
}

fn is_euc_jp(head: &[u8]) -> bool {
    let mut bytes = head.iter();
    while let Some(byte) = bytes.next() {
        let following = match byte {
            0x00..=0x7f => 0,
            0x8e | 0xa1..=0xfe => 1,
            0x8f => 2,
            _ => return false,
        };
        for _ in 0..following {
            match bytes.next() {
                Some(0xa1..=0xfe) | None => {}
                Some(_) => return false,
            }
        }
    }
    true
}

const MAIL_HEADERS: [&[u8]; 12] = [
    b"From",
    b"To",
    b"Cc",
    b"Date",
    b"Subject",
    b"Received",
    b"Return-Path",
    b"Delivered-To",
    b"Message-ID",
    b"MIME-Version",
    b"Content-Type",
    b"DKIM-Signature",
];

/// One control character in this many bytes is still a text (old printers' form feeds, colour escapes).
const CONTROLS_PER_TEXT: usize = 64;

/// A JSON text that is still well-formed after this much is JSON.
const JSON_SURE_BYTES: usize = 256;

const LOG_TIME_BYTES: usize = 40;

const LOG_LINES: usize = 20;

const LOG_LINES_MIN: usize = 3;
