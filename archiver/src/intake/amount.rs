//! Amounts as people write them, to a plain decimal number.

use unicode_normalization::UnicodeNormalization;

/// An amount and whether it says what currency it is in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Amount {
    /// `-?\d+(\.\d+)?` without leading zeros.
    pub(super) decimal: String,
    /// Whether a yen sign or 円 stands with the amount.
    pub(super) has_yen: bool,
}

/// Reads `110000`, `110,000`, `¥110,000`, `110,000円`, `1,234.50`, negative with `-`, `▲` or `△`, in full or half width.
pub(super) fn parse(text: &str) -> Option<Amount> {
    let folded: String = text.nfkc().collect();
    let mut rest = folded.trim();
    let mut negative = false;
    let mut has_yen = false;
    if let Some(number) = rest.strip_suffix('円') {
        has_yen = true;
        rest = number.trim_end();
    }
    // Sign and yen sign come in either order.
    while let Some(first) = rest.chars().next() {
        match first {
            '-' | '\u{2212}' | '▲' | '△' if !negative => negative = true,
            '¥' | '\\' if !has_yen => has_yen = true,
            _ => break,
        }
        rest = rest.get(first.len_utf8()..)?.trim_start();
    }
    let (whole, fraction) = match rest.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (rest, None),
    };
    let whole = ungroup(whole)?;
    let fraction = fraction.filter(|digits| is_digits(digits)).map_or_else(
        || fraction.is_none().then(String::new),
        |digits| Some(format!(".{digits}")),
    )?;
    if whole.len() + fraction.len() > LENGTH_MAX {
        return None;
    }
    let significant = whole.trim_start_matches('0');
    let whole = if significant.is_empty() {
        "0"
    } else {
        significant
    };
    let is_zero = whole == "0" && fraction.bytes().all(|byte| matches!(byte, b'.' | b'0'));
    let sign = if negative && !is_zero { "-" } else { "" };
    Some(Amount {
        decimal: format!("{sign}{whole}{fraction}"),
        has_yen,
    })
}

/// Digits with their separators of thousands taken out; the separators must stand where they belong, because
/// `1,00` may be a decimal comma.
fn ungroup(text: &str) -> Option<String> {
    let mut groups = text.split(',');
    let first = groups.next().filter(|digits| is_digits(digits))?;
    let mut digits = first.to_owned();
    for group in groups {
        if first.len() > 3 || group.len() != 3 || !is_digits(group) {
            return None;
        }
        digits.push_str(group);
    }
    Some(digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// No amount of money needs more digits.
const LENGTH_MAX: usize = 30;

#[cfg(test)]
mod tests {
    use super::parse;

    fn decimal(text: &str) -> Option<String> {
        parse(text).map(|amount| amount.decimal)
    }

    #[test]
    fn the_usual_ways_of_writing_an_amount() {
        for text in [
            "110000",
            "110,000",
            "¥110,000",
            "￥１１０，０００",
            "110,000円",
            "１１００００円",
            " ¥ 110,000 ",
            "0110000",
        ] {
            assert_eq!(decimal(text).as_deref(), Some("110000"), "{text}");
        }
        for text in [
            "-5,000",
            "▲5,000",
            "△５，０００円",
            "¥-5000",
            "-¥5000",
            "−5000",
        ] {
            assert_eq!(decimal(text).as_deref(), Some("-5000"), "{text}");
        }
        assert_eq!(decimal("1,234.50").as_deref(), Some("1234.50"));
        assert_eq!(decimal("0").as_deref(), Some("0"));
        assert_eq!(decimal("-0").as_deref(), Some("0"));
        assert_eq!(decimal("-0.50").as_deref(), Some("-0.50"));
    }

    #[test]
    fn a_yen_sign_implies_the_currency() {
        assert!(parse("¥1").unwrap().has_yen);
        assert!(parse("1円").unwrap().has_yen);
        assert!(!parse("1").unwrap().has_yen);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "",
            "-",
            "¥",
            "1,00",
            "1,0000",
            "1000,000",
            ",100",
            "1.",
            ".5",
            "1.2.3",
            "1e3",
            "--1",
            "十万",
            "110000 yen",
            "12 34",
            "¥¥1",
            "¥1円円",
            "0x10",
            &"9".repeat(31),
        ] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
