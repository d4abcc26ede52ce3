//! Names of members as URI references (RFC 3986 §2.1, EN 319 162-1 §A.4): UTF-8, percent-encoded.

/// Everything but unreserved characters and `/` is encoded.
#[must_use]
pub fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(byte.into());
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 0x0F] {
                out.push(
                    char::from_digit(digit.into(), 16)
                        .unwrap_or('0')
                        .to_ascii_uppercase(),
                );
            }
        }
    }
    out
}

/// Undoes percent-encoding. `None` if a `%` is not followed by two hexadecimal digits, or the result is not UTF-8.
///
/// Characters that ought to be encoded and are not stay as they are: real containers have spaces and Japanese in their references.
#[must_use]
pub fn decode(uri: &str) -> Option<String> {
    let mut out = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'%' {
            let (digits, tail) = rest.split_first_chunk::<2>()?;
            let mut byte = [0];
            hex::decode_to_slice(digits, &mut byte).ok()?;
            out.extend_from_slice(&byte);
            rest = tail;
        } else {
            out.push(*first);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encoded_and_back() {
        for (name, uri) in [
            ("documents/a.txt", "documents/a.txt"),
            ("請求 書.pdf", "%E8%AB%8B%E6%B1%82%20%E6%9B%B8.pdf"),
            ("100%+~&#?.txt", "100%25%2B~%26%23%3F.txt"),
        ] {
            assert_eq!(encode(name), uri);
            assert_eq!(decode(uri).unwrap(), name);
        }
    }

    #[test]
    fn lenient_where_others_are() {
        assert_eq!(
            decode("hello world+日本.txt").unwrap(),
            "hello world+日本.txt"
        );
        assert_eq!(decode("%e3%81%82").unwrap(), "あ");
    }

    #[test]
    fn broken_encodings_are_refused() {
        for uri in [
            "%",
            "a%2",
            "%zz",
            "%%20",
            "%+1",
            "%FF",
            "%E3%81",
            "%e3%81あ",
        ] {
            assert_eq!(decode(uri), None, "{uri}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(name in ".{0,40}") {
            let uri = encode(&name);
            prop_assert!(uri.is_ascii());
            prop_assert_eq!(decode(&uri), Some(name));
        }
    }
}
