//! General names (RFC 5280 §4.2.1.6).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use formats::oid::Oid;

use super::name::Name;
use crate::der::{Malformed, Reader, Result, SEQUENCE, context, context_constructed};

/// A general name.
///
/// ```text
/// GeneralName ::= CHOICE {
///      otherName [0] OtherName, rfc822Name [1] IA5String, dNSName [2] IA5String, x400Address [3] ORAddress, directoryName [4] Name,
///      ediPartyName [5] EDIPartyName, uniformResourceIdentifier [6] IA5String, iPAddress [7] OCTET STRING, registeredID [8] OBJECT IDENTIFIER }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GeneralName<'a> {
    /// otherName, as its DER.
    Other(&'a [u8]),
    /// rfc822Name, a mail address.
    Rfc822(&'a str),
    /// dNSName.
    Dns(&'a str),
    /// x400Address, as its DER.
    X400(&'a [u8]),
    /// directoryName.
    Directory(Name<'a>),
    /// ediPartyName, as its DER.
    EdiParty(&'a [u8]),
    /// uniformResourceIdentifier.
    Uri(&'a str),
    /// iPAddress: 4 or 16 octets, in a name constraint 8 or 32.
    Ip(&'a [u8]),
    /// registeredID, as the content octets of the object identifier.
    Registered(&'a [u8]),
}

/// Most general names in one list. The largest public certificates have some hundreds.
pub(super) const GENERAL_NAMES_MAX: usize = 4096;

const STRUCTURE: &str = "GeneralName";

fn ascii(content: &[u8]) -> Result<&str> {
    let error = Malformed {
        structure: STRUCTURE,
    };
    // A control character has no place in a mail address, host name or URI, and only serves to make two programs read different names.
    if !content.iter().all(|byte| matches!(byte, 0x20..=0x7e)) {
        return Err(error);
    }
    std::str::from_utf8(content).map_err(|_| error)
}

impl<'a> GeneralName<'a> {
    /// The next general name.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let element = reader.read()?;
        let error = Malformed {
            structure: STRUCTURE,
        };
        Ok(match element.tag {
            tag if tag == context_constructed(0) => Self::Other(element.raw),
            tag if tag == context(1) => Self::Rfc822(ascii(element.content)?),
            tag if tag == context(2) => Self::Dns(ascii(element.content)?),
            tag if tag == context_constructed(3) => Self::X400(element.raw),
            tag if tag == context_constructed(4) => {
                // The Name is a CHOICE, so its tag is explicit (X.680 §31.2.7).
                Self::Directory(Name::parse(element.content)?)
            }
            tag if tag == context_constructed(5) => Self::EdiParty(element.raw),
            tag if tag == context(6) => Self::Uri(ascii(element.content)?),
            tag if tag == context(7) => Self::Ip(element.content),
            tag if tag == context(8) => Self::Registered(element.content),
            _ => return Err(error),
        })
    }

    /// The names of a GeneralNames, from its content; at least one.
    pub(crate) fn list(content: &'a [u8]) -> Result<Vec<Self>> {
        let mut reader = Reader::new(content, "GeneralNames");
        let mut names = Vec::new();
        while !reader.is_empty() {
            if names.len() == GENERAL_NAMES_MAX {
                return Err(reader.error());
            }
            names.push(Self::read(&mut reader)?);
        }
        if names.is_empty() {
            return Err(reader.error());
        }
        Ok(names)
    }

    /// The names of a GeneralNames, from its DER.
    pub(crate) fn list_from_der(der: &'a [u8]) -> Result<Vec<Self>> {
        Self::list(Reader::single(der, SEQUENCE, "GeneralNames")?.content)
    }
}

impl fmt::Display for GeneralName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(_) => f.write_str("otherName"),
            Self::Rfc822(text) | Self::Dns(text) | Self::Uri(text) => f.write_str(text),
            Self::X400(_) => f.write_str("x400Address"),
            Self::Directory(name) => name.fmt(f),
            Self::EdiParty(_) => f.write_str("ediPartyName"),
            Self::Ip(octets) => {
                if let Ok(octets) = <[u8; 4]>::try_from(*octets) {
                    Ipv4Addr::from(octets).fmt(f)
                } else if let Ok(octets) = <[u8; 16]>::try_from(*octets) {
                    Ipv6Addr::from(octets).fmt(f)
                } else {
                    f.write_str(&hex::encode(octets))
                }
            }
            Self::Registered(content) => match Oid::from_content(content) {
                Ok(oid) => oid.fmt(f),
                Err(_) => f.write_str("registeredID"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(bytes: &[u8]) -> Result<Vec<GeneralName<'_>>> {
        GeneralName::list(bytes)
    }

    #[test]
    fn each_form_is_read() {
        assert_eq!(
            one(b"\x81\x03a@b\x82\x01h\x86\x03u:x\x87\x04\x7f\x00\x00\x01\x88\x01\x2a").unwrap(),
            [
                GeneralName::Rfc822("a@b"),
                GeneralName::Dns("h"),
                GeneralName::Uri("u:x"),
                GeneralName::Ip(&[127, 0, 0, 1]),
                GeneralName::Registered(&[0x2a]),
            ]
        );
        let directory = one(b"\xa4\x02\x30\x00").unwrap();
        assert!(matches!(&directory[..], [GeneralName::Directory(name)] if name.is_empty()));
        assert_eq!(
            one(b"\x87\x04\x7f\x00\x00\x01").unwrap()[0].to_string(),
            "127.0.0.1"
        );
    }

    #[test]
    fn malformed_names_are_refused() {
        for bad in [
            &b""[..],
            b"\x82\x02h\x00",
            b"\x82\x01\xff",
            b"\x82\x05h",
            b"\x89\x00",
            b"\xa4\x02\x31\x00",
            b"\x0c\x01a",
        ] {
            assert!(one(bad).is_err(), "{bad:x?}");
        }
    }
}
