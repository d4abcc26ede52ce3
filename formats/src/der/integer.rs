//! INTEGER values of any size: serial numbers and nonces.

use std::fmt;

/// An INTEGER as its content octets (X.690 §8.3): two's complement, most significant octet first.
///
/// The octets are kept as received, because a serial number is compared octet by octet with that of a certificate.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Integer(Vec<u8>);

impl Integer {
    /// From content octets.
    #[must_use]
    pub fn from_content(content: &[u8]) -> Self {
        Self(content.to_vec())
    }

    /// From the octets of a number that is not negative, most significant first, in the shortest form.
    #[must_use]
    pub fn from_unsigned(magnitude: &[u8]) -> Self {
        let mut content: Vec<u8> = magnitude
            .iter()
            .copied()
            .skip_while(|octet| *octet == 0)
            .collect();
        if content.first().is_none_or(|octet| octet & 0x80 != 0) {
            content.insert(0, 0);
        }
        Self(content)
    }

    /// The content octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the number is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.first().is_some_and(|octet| octet & 0x80 != 0)
    }

    /// The octets of a number that is not negative, without leading zeros. `None` if it is negative.
    #[must_use]
    pub fn to_unsigned(&self) -> Option<&[u8]> {
        if self.is_negative() {
            return None;
        }
        let zeros = self.0.iter().take_while(|octet| **octet == 0).count();
        self.0.get(zeros..)
    }

    /// The value, if it is not negative and fits.
    #[must_use]
    pub fn to_u64(&self) -> Option<u64> {
        let magnitude = self.to_unsigned()?;
        if magnitude.len() > 8 {
            return None;
        }
        Some(
            magnitude
                .iter()
                .fold(0, |value, octet| (value << 8_u32) | u64::from(*octet)),
        )
    }

    /// Whether the octets are the shortest form (X.690 §8.3.2). Old certificates break this rule.
    #[must_use]
    pub fn is_shortest(&self) -> bool {
        match self.0.as_slice() {
            [] => false,
            [0x00, second, ..] => second & 0x80 != 0,
            [0xff, second, ..] => second & 0x80 == 0,
            _ => true,
        }
    }
}

impl From<u64> for Integer {
    fn from(value: u64) -> Self {
        Self::from_unsigned(&value.to_be_bytes())
    }
}

/// The content octets in lower-case hexadecimal: the form in which serial numbers are compared by eye.
impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Integer({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sign_and_form() {
        assert_eq!(Integer::from(0).as_bytes(), [0]);
        assert_eq!(Integer::from(128).as_bytes(), [0, 128]);
        assert_eq!(Integer::from_unsigned(&[]).as_bytes(), [0]);
        assert!(Integer::from_content(&[0xff]).to_unsigned().is_none());
        assert!(!Integer::from_content(&[0, 1]).is_shortest());
        assert!(!Integer::from_content(&[0xff, 0x80]).is_shortest());
        assert!(!Integer::from_content(&[]).is_shortest());
        assert_eq!(Integer::from_content(&[1; 9]).to_u64(), None);
    }

    proptest! {
        #[test]
        fn numbers_and_back(value: u64) {
            let integer = Integer::from(value);
            prop_assert!(integer.is_shortest());
            prop_assert_eq!(integer.to_u64(), Some(value));
        }
    }
}
