//! What a record is searched by.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use time::Date;

use super::place;
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{
    AMOUNT_CHARACTERS_MAX, KEY_BYTES_MAX, METADATA_ADDITIONAL_MAX, TEXT_BYTES_MAX,
};

/// Search keys of a record. Every one is optional; the class says which it wants.
///
/// Date, amount and counterparty are what the Japanese tax rules on electronic books demand of a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Date of the transaction.
    pub date: Option<Date>,
    /// Amount of the transaction.
    pub amount: Option<Amount>,
    /// Currency of the amount.
    pub currency: Option<Currency>,
    /// The other side of the transaction.
    pub counterparty: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Number of the document, such as an invoice number.
    pub document_number: Option<String>,
    /// Number of the supplier as a qualified invoice issuer.
    pub registration_number: Option<RegistrationNumber>,
    /// Who supplied.
    pub supplier: Option<String>,
    /// Who received.
    pub customer: Option<String>,
    /// Everything else: keys of lower-case letters, digits and hyphens.
    pub additional: BTreeMap<String, String>,
}

/// A decimal number as text, without exponent and without superfluous leading zeros: `-?(0|[1-9][0-9]*)(\.[0-9]+)?`.
///
/// Text, because binary fractions cannot hold 0.1 and RFC 8785 numbers are binary. Equality regards the text (`1.0` is not `1.00`,
/// because the document says one of them); [`Amount::numeric_order`] regards the value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Amount(String);

/// Three capital letters (ISO 4217).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// `T` and 13 digits: the registration number of a qualified invoice issuer (Japanese consumption tax law, article 57-2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistrationNumber(String);

impl Metadata {
    /// Whether nothing is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn check(&self) -> Result<()> {
        let texts = [
            (&self.counterparty, place::COUNTERPARTY),
            (&self.title, place::TITLE),
            (&self.document_number, place::DOCUMENT_NUMBER),
            (&self.supplier, place::SUPPLIER),
            (&self.customer, place::CUSTOMER),
        ];
        for (text, structure) in texts {
            if let Some(text) = text {
                check_line(text, structure)?;
            }
        }
        if self
            .date
            .is_some_and(|date| !(0..=9999).contains(&date.year()))
        {
            return Err(FormatError::new(ErrorKind::InvalidTime, place::DATE));
        }
        if self.additional.len() > METADATA_ADDITIONAL_MAX {
            return Err(FormatError::new(
                ErrorKind::LimitExceeded,
                place::ADDITIONAL,
            ));
        }
        for (key, value) in &self.additional {
            check_key(key, place::ADDITIONAL)?;
            check_line(value, place::ADDITIONAL)?;
        }
        Ok(())
    }
}

impl Amount {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Order by value: `-2 < 0.50 = 0.5 < 10`.
    #[must_use]
    pub fn numeric_order(&self, other: &Self) -> Ordering {
        match (self.is_negative(), other.is_negative()) {
            (false, false) => self.magnitude_order(other),
            (true, true) => other.magnitude_order(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }

    fn is_negative(&self) -> bool {
        self.0.starts_with('-') && self.0.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
    }

    fn parts(&self) -> (&str, &str) {
        let digits = self.0.strip_prefix('-').unwrap_or(&self.0);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        (whole, fraction.trim_end_matches('0'))
    }

    /// Without leading zeros the longer whole part is the larger; equal lengths compare as text, and so do fractions without trailing zeros.
    fn magnitude_order(&self, other: &Self) -> Ordering {
        let ((whole, fraction), (other_whole, other_fraction)) = (self.parts(), other.parts());
        whole
            .len()
            .cmp(&other_whole.len())
            .then_with(|| whole.cmp(other_whole))
            .then_with(|| fraction.cmp(other_fraction))
    }
}

impl FromStr for Amount {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self> {
        if text.len() > AMOUNT_CHARACTERS_MAX {
            return Err(FormatError::new(ErrorKind::LimitExceeded, place::AMOUNT));
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if all_digits(whole) && all_digits(fraction) && (whole == "0" || !whole.starts_with('0')) {
            Ok(Self(text.to_owned()))
        } else {
            Err(FormatError::new(ErrorKind::InvalidValue, place::AMOUNT))
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Currency {
    /// Japanese yen.
    pub const JPY: Self = Self(*b"JPY");

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Currency {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            Ok(_) | Err(_) => Err(FormatError::new(ErrorKind::InvalidValue, place::CURRENCY)),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl RegistrationNumber {
    /// The text, with its `T`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the first digit checks the other twelve, as it does for corporate numbers (法人番号). The number of a natural
    /// person need not check, so a failure is a hint at a misprint and no proof of one.
    ///
    /// With the twelve digits counted from the right, odd places weigh 1 and even places 2; the check digit is 9 less the weighted sum modulo 9.
    #[must_use]
    pub fn checks(&self) -> bool {
        let mut digits = self
            .0
            .bytes()
            .skip(1)
            .map(|byte| u32::from(byte.saturating_sub(b'0')));
        let check = digits.next();
        let sum = digits
            .zip([2, 1].into_iter().cycle())
            .fold(0_u32, |sum, (digit, weight)| {
                sum.saturating_add(digit.saturating_mul(weight))
            });
        check == 9_u32.checked_sub(sum.checked_rem(9).unwrap_or(0))
    }
}

impl FromStr for RegistrationNumber {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self> {
        match text.strip_prefix('T') {
            Some(digits)
                if digits.len() == 13 && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                Ok(Self(text.to_owned()))
            }
            Some(_) | None => Err(FormatError::new(
                ErrorKind::InvalidValue,
                place::REGISTRATION_NUMBER,
            )),
        }
    }
}

impl fmt::Display for RegistrationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One line of text: not empty, no control characters, at most [`TEXT_BYTES_MAX`] bytes.
pub(super) fn check_line(text: &str, structure: &'static str) -> Result<()> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(FormatError::new(ErrorKind::LimitExceeded, structure));
    }
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(FormatError::new(ErrorKind::InvalidText, structure));
    }
    Ok(())
}

/// `[a-z][a-z0-9-]*`, at most [`KEY_BYTES_MAX`] bytes.
pub(super) fn check_key(key: &str, structure: &'static str) -> Result<()> {
    if key.len() > KEY_BYTES_MAX {
        return Err(FormatError::new(ErrorKind::LimitExceeded, structure));
    }
    let letters = key
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if letters && key.starts_with(|first: char| first.is_ascii_lowercase()) {
        Ok(())
    } else {
        Err(FormatError::new(ErrorKind::InvalidText, structure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        for text in [
            "0",
            "-0",
            "110000",
            "-1.50",
            "0.001",
            "99999999999999999999",
        ] {
            assert_eq!(text.parse::<Amount>().unwrap().as_str(), text);
        }
        for text in [
            "", "-", "+1", "01", "1.", ".5", "1e3", "1,000", "¥1", "１", "1 ", "--1", "1.2.3",
            "NaN",
        ] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
        let long = "9".repeat(AMOUNT_CHARACTERS_MAX + 1);
        assert_eq!(
            long.parse::<Amount>().unwrap_err().kind(),
            ErrorKind::LimitExceeded
        );
        assert!(long[1..].parse::<Amount>().is_ok());
    }

    #[test]
    fn amounts_order_by_value() {
        let order = [
            "-10.5", "-10", "-2", "-0.01", "0", "0.5", "0.51", "2", "10", "10.09", "10.1", "110000",
        ];
        for (i, a) in order.iter().enumerate() {
            for (j, b) in order.iter().enumerate() {
                let (a, b): (Amount, Amount) = (a.parse().unwrap(), b.parse().unwrap());
                assert_eq!(a.numeric_order(&b), i.cmp(&j), "{a} {b}");
            }
        }
        for (a, b) in [("1.0", "1.00"), ("1", "1.0"), ("-0", "0"), ("-0.0", "0")] {
            let (a, b): (Amount, Amount) = (a.parse().unwrap(), b.parse().unwrap());
            assert_eq!(a.numeric_order(&b), Ordering::Equal);
            assert_ne!(a, b);
        }
    }

    #[test]
    fn currencies() {
        assert_eq!("JPY".parse::<Currency>().unwrap(), Currency::JPY);
        assert_eq!(Currency::JPY.to_string(), "JPY");
        for text in ["", "JP", "JPYX", "jpy", "J1Y", "円"] {
            assert!(text.parse::<Currency>().is_err(), "{text}");
        }
    }

    #[test]
    fn registration_numbers() {
        // 700110005901 is the worked example of the ministerial ordinance on the check digit of corporate numbers.
        let number: RegistrationNumber = "T8700110005901".parse().unwrap();
        assert!(number.checks());
        assert!(
            !"T7700110005901"
                .parse::<RegistrationNumber>()
                .unwrap()
                .checks()
        );
        assert!(
            !"T8700110005902"
                .parse::<RegistrationNumber>()
                .unwrap()
                .checks()
        );
        for text in [
            "",
            "T",
            "8700110005901",
            "T870011000590",
            "T87001100059011",
            "t8700110005901",
            "T870011000590１",
        ] {
            assert!(text.parse::<RegistrationNumber>().is_err(), "{text}");
        }
    }

    #[test]
    fn lines_and_keys() {
        assert!(check_line("株式会社サンプル", "x").is_ok());
        for text in ["", "a\nb", "\u{7f}", "\u{85}"] {
            assert_eq!(
                check_line(text, "x").unwrap_err().kind(),
                ErrorKind::InvalidText
            );
        }
        assert_eq!(
            check_line(&"x".repeat(TEXT_BYTES_MAX + 1), "x")
                .unwrap_err()
                .kind(),
            ErrorKind::LimitExceeded
        );
        assert!(check_key("order-number-2", "x").is_ok());
        for key in ["", "2a", "-a", "A", "a_b", "a b", "鍵"] {
            assert_eq!(
                check_key(key, "x").unwrap_err().kind(),
                ErrorKind::InvalidText,
                "{key}"
            );
        }
        assert_eq!(
            check_key(&"k".repeat(KEY_BYTES_MAX + 1), "x")
                .unwrap_err()
                .kind(),
            ErrorKind::LimitExceeded
        );
    }
}
