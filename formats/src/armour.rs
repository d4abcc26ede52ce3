//! Evidence that stands as text: one PEM block (RFC 7468 §2), or nothing but base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The bytes that a text stands for. `None` if it is not one PEM block alone, nor base64 alone.
///
/// Stricter than RFC 7468 §2, which lets anything stand around a block: what stands beside evidence could be taken for a part of it.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let text = text.trim_ascii();
    let body = match text.strip_prefix(BEGIN) {
        Some(rest) => block(rest)?,
        None => text,
    };
    // Every structure that is looked for is a SEQUENCE.
    if body.trim_ascii_start().first() != Some(&FIRST_CHARACTER) {
        return None;
    }
    let is_space = |byte: &u8| byte.is_ascii_whitespace();
    let body: Vec<u8> = body
        .iter()
        .copied()
        .filter(|byte| !is_space(byte))
        .collect();
    STANDARD.decode(body).ok()
}

/// The label of the first PEM block, if text begins with one.
#[must_use]
pub fn label(text: &[u8]) -> Option<&str> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let rest = text.trim_ascii_start().strip_prefix(BEGIN)?;
    let line = rest.split(|byte| *byte == b'\n').next()?.trim_ascii_end();
    str::from_utf8(line.strip_suffix(DASHES)?).ok()
}

/// What stands between the first line and the last.
fn block(rest: &[u8]) -> Option<&[u8]> {
    let end_of_line = rest.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = rest.split_at_checked(end_of_line)?;
    let label = line.trim_ascii_end().strip_suffix(DASHES)?;
    let body = rest.strip_suffix(DASHES)?.strip_suffix(label)?;
    body.strip_suffix(END)
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// Base64 of the tag of a SEQUENCE begins with it.
const FIRST_CHARACTER: u8 = b'M';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_plain_base64_are_decoded() {
        for text in [
            "-----BEGIN CMS-----\nMAMC\nAQE=\n-----END CMS-----\n",
            "\u{feff}\r\n-----BEGIN PKCS #7 SIGNED DATA-----\r\nMAMCAQE=\r\n-----END PKCS #7 SIGNED DATA-----",
            "MAMCAQE=",
            " MAMC\r\n AQE=\r\n",
        ] {
            assert_eq!(
                decode(text.as_bytes()).unwrap(),
                [0x30, 3, 2, 1, 1],
                "{text}"
            );
        }
        assert_eq!(label(b"-----BEGIN CMS-----\r\nMAMC"), Some("CMS"));
        assert_eq!(label(b"MAMC"), None);
    }

    #[test]
    fn anything_beside_a_block_is_refused() {
        for text in [
            "",
            "M",
            "hello",
            "-----BEGIN CMS-----",
            "-----BEGIN CMS-----\nMAMCAQE=\n-----END PKCS7-----\n",
            "-----BEGIN CMS-----\nMAMCAQE=\n-----END CMS-----\nmore",
            "before\n-----BEGIN CMS-----\nMAMCAQE=\n-----END CMS-----\n",
            "-----BEGIN CMS-----\nProc-Type: 4\n\nMAMCAQE=\n-----END CMS-----\n",
            "-----BEGIN CMS-----\nMAMCAQE=\n-----END CMS-----\n-----BEGIN CMS-----\nMAMCAQE=\n-----END CMS-----\n",
            "MAMCAQE=MAMCAQE=",
            "MAMCAQE",
            "MAMC-_E=",
            "\u{30}\u{3}",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
