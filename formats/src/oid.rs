//! Object identifiers (X.660), kept as their DER content octets, and the constants that evidence needs.
//!
//! An own type and not that of `rasn`, whose arcs are 32 bits wide: policy identifiers below `2.25` carry a UUID of 128 bits in one arc,
//! and a token with such a policy must still be read. Comparison is comparison of bytes.

mod constants;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

pub use constants::*;

use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::OID_BYTES_MAX;

/// An object identifier.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(Cow<'static, [u8]>);

impl Oid {
    /// From the content octets of an OBJECT IDENTIFIER (X.690 §8.19).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidOid`] if a subidentifier is padded or cut off, or there is none, or an arc is wider than 128 bits.
    pub fn from_content(content: &[u8]) -> Result<Self> {
        let invalid = FormatError::new(ErrorKind::InvalidOid, "OBJECT IDENTIFIER");
        if content.len() > OID_BYTES_MAX {
            return Err(FormatError::new(
                ErrorKind::LimitExceeded,
                "OBJECT IDENTIFIER",
            ));
        }
        match arcs_of(content) {
            Some(arcs) if !arcs.is_empty() => Ok(Self(Cow::Owned(content.to_vec()))),
            _ => Err(invalid),
        }
    }

    /// The content octets, without tag and length. The same notation as `x509_parser`'s `Oid::as_bytes`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The arcs, first to last.
    #[must_use]
    pub fn arcs(&self) -> Vec<u128> {
        arcs_of(&self.0).unwrap_or_default()
    }

    /// The name that people use for it, if it is one of the constants of this module.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        NAMES
            .iter()
            .find_map(|(oid, name)| (oid == self).then_some(*name))
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, arc) in self.arcs().iter().enumerate() {
            if position > 0 {
                f.write_str(".")?;
            }
            write!(f, "{arc}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

impl FromStr for Oid {
    type Err = FormatError;

    /// From dotted decimal text, without leading zeros.
    fn from_str(text: &str) -> Result<Self> {
        parse_dotted(text)
            .map(|content| Self(Cow::Owned(content)))
            .ok_or(FormatError::new(ErrorKind::InvalidOid, "dotted OID text"))
    }
}

fn parse_dotted(text: &str) -> Option<Vec<u8>> {
    let mut arcs = Vec::new();
    for part in text.split('.') {
        let padded = part.len() > 1 && part.starts_with('0');
        if part.is_empty() || padded || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        arcs.push(part.parse::<u128>().ok()?);
    }
    let (&first, rest) = arcs.split_first()?;
    let (&second, rest) = rest.split_first()?;
    if first > 2 || (first < 2 && second > 39) {
        return None;
    }
    let mut content = Vec::new();
    push_base128(&mut content, first.checked_mul(40)?.checked_add(second)?);
    for &arc in rest {
        push_base128(&mut content, arc);
    }
    (content.len() <= OID_BYTES_MAX).then_some(content)
}

fn push_base128(out: &mut Vec<u8>, value: u128) {
    let mut septets = Vec::with_capacity(19);
    let mut rest = value;
    loop {
        septets.push(u8::try_from(rest & 0x7f).unwrap_or(0));
        rest >>= 7_u32;
        if rest == 0 {
            break;
        }
    }
    let last = septets.first().copied();
    out.extend(septets.iter().skip(1).rev().map(|septet| septet | 0x80));
    out.extend(last);
}

/// The arcs of content octets; `None` where they are malformed.
fn arcs_of(content: &[u8]) -> Option<Vec<u128>> {
    let mut arcs = Vec::new();
    let mut value: u128 = 0;
    let mut inside = false;
    for &byte in content {
        if !inside && byte == 0x80 {
            return None;
        }
        value = value
            .checked_mul(128)?
            .checked_add(u128::from(byte & 0x7f))?;
        inside = byte & 0x80 != 0;
        if inside {
            continue;
        }
        if arcs.is_empty() {
            let first: u128 = match value {
                0..40 => 0,
                40..80 => 1,
                _ => 2,
            };
            arcs.push(first);
            arcs.push(value.checked_sub(first.checked_mul(40)?)?);
        } else {
            arcs.push(value);
        }
        value = 0;
    }
    (!inside).then_some(arcs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn constants_have_the_known_octets() {
        assert_eq!(
            SHA256.as_bytes(),
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]
        );
        assert_eq!(SHA256.to_string(), "2.16.840.1.101.3.4.2.1");
        assert_eq!(SHA1.as_bytes(), [0x2b, 0x0e, 0x03, 0x02, 0x1a]);
        assert_eq!(ARCHIVE_TIME_STAMP_V3.to_string(), "0.4.0.1733.2.4");
        for (oid, _) in NAMES {
            assert_eq!(&oid.to_string().parse::<Oid>().unwrap(), oid);
            assert_eq!(&Oid::from_content(oid.as_bytes()).unwrap(), oid);
        }
        assert_eq!(SHA256.name(), Some("SHA-256"));
    }

    #[test]
    fn no_constant_stands_twice() {
        for (position, (oid, _)) in NAMES.iter().enumerate() {
            assert!(
                NAMES
                    .iter()
                    .skip(position + 1)
                    .all(|(other, _)| other != oid)
            );
        }
    }

    #[test]
    fn a_uuid_arc_is_read() {
        let text = "2.25.329800735698586629295641978511506172918";
        let oid: Oid = text.parse().unwrap();
        assert_eq!(oid.to_string(), text);
        assert_eq!(Oid::from_content(oid.as_bytes()).unwrap(), oid);
    }

    #[test]
    fn malformed_octets_are_refused() {
        for content in [
            &[][..],
            &[0x80, 0x01],
            &[0x2a, 0x80, 0x01],
            &[0x2a, 0x86],
            &[0xff; 40],
            &[0x01; OID_BYTES_MAX + 1],
        ] {
            assert!(Oid::from_content(content).is_err(), "{content:x?}");
        }
    }

    #[test]
    fn malformed_text_is_refused() {
        for text in [
            "", "1", "3.1", "1.40", "1..2", "1.2.", "1.02", "1.+2", "1.2 ", "a.b",
        ] {
            assert!(text.parse::<Oid>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn octets_to_text_and_back(content in proptest::collection::vec(any::<u8>(), 0..24)) {
            if let Ok(oid) = Oid::from_content(&content) {
                prop_assert_eq!(oid.as_bytes(), &content[..]);
                prop_assert_eq!(oid.to_string().parse::<Oid>().unwrap(), oid);
            }
        }
    }
}
