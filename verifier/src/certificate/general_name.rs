//! General names (RFC 5280 §4.2.1.6).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use formats::oid::Oid;

use x509_parser::asn1_rs::FromDer as _;
use x509_parser::extensions;

use super::name::Name;
use super::schema::{GENERAL_NAME, GENERAL_NAMES, GENERAL_NAMES_MAX};
use super::whole;
use crate::der::{Malformed, Reader, Result, SEQUENCE};

/// A general name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GeneralName<'a> {
    /// otherName: its type, and the DER of its value with the tag around it.
    Other(Oid, &'a [u8]),
    /// rfc822Name, a mail address.
    Rfc822(&'a str),
    /// dNSName.
    Dns(&'a str),
    /// x400Address, its content.
    X400(&'a [u8]),
    /// directoryName.
    Directory(Name<'a>),
    /// ediPartyName, its content.
    EdiParty(&'a [u8]),
    /// uniformResourceIdentifier.
    Uri(&'a str),
    /// iPAddress: 4 or 16 octets, in a name constraint 8 or 32.
    Ip(&'a [u8]),
    /// registeredID.
    Registered(Oid),
}

const STRUCTURE: &str = "GeneralName";

impl<'a> GeneralName<'a> {
    /// A name that has been read, in a structure whose shape was checked.
    pub(super) fn of(read: &extensions::GeneralName<'a>) -> Result<Self> {
        use extensions::GeneralName as Read;
        let error = Malformed {
            structure: STRUCTURE,
        };
        let oid = |oid: &x509_parser::asn1_rs::Oid<'_>| {
            Oid::from_content(oid.as_bytes()).map_err(|_| error)
        };
        Ok(match read {
            Read::OtherName(kind, value) => Self::Other(oid(kind)?, value),
            Read::RFC822Name(text) => Self::Rfc822(text),
            Read::DNSName(text) => Self::Dns(text),
            Read::X400Address(any) => Self::X400(any.data),
            Read::DirectoryName(name) => Self::Directory(Name::of(name)?),
            Read::EDIPartyName(any) => Self::EdiParty(any.data),
            Read::URI(text) => Self::Uri(text),
            Read::IPAddress(octets) => Self::Ip(octets),
            Read::RegisteredID(identifier) => Self::Registered(oid(identifier)?),
            Read::Invalid(..) => return Err(error),
        })
    }

    /// The next general name.
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let der = reader.read()?.raw;
        GENERAL_NAME.check(der, STRUCTURE)?;
        Self::of(&whole(extensions::GeneralName::from_der(der), STRUCTURE)?)
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
        GENERAL_NAMES.check(der, "GeneralNames")?;
        Self::list(Reader::single(der, SEQUENCE, "GeneralNames")?.content)
    }
}

impl fmt::Display for GeneralName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(..) => f.write_str("otherName"),
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
            Self::Registered(oid) => oid.fmt(f),
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
                GeneralName::Registered(Oid::from_content(&[0x2a]).unwrap()),
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
