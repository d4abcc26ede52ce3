//! DER by hand (X.690), so that a certificate can also be wrong in one place.

use formats::oid::Oid;
use time::OffsetDateTime;
use time::macros::format_description;

pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(u8::try_from(length).unwrap());
    } else {
        let octets = length.to_be_bytes();
        let start = octets.iter().position(|octet| *octet != 0).unwrap();
        out.push(0x80 | u8::try_from(octets.len() - start).unwrap());
        out.extend(&octets[start..]);
    }
    out.extend_from_slice(content);
    out
}

pub(crate) fn seq(members: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &members.concat())
}

pub(crate) fn set(members: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x31, &members.concat())
}

pub(crate) fn oid(text: &str) -> Vec<u8> {
    let oid: Oid = text.parse().unwrap();
    tlv(0x06, oid.as_bytes())
}

/// The content octets of an INTEGER as they are.
pub(crate) fn int(octets: &[u8]) -> Vec<u8> {
    tlv(0x02, octets)
}

pub(crate) fn num(value: u64) -> Vec<u8> {
    let octets = value.to_be_bytes();
    let start = octets.iter().position(|octet| *octet != 0).unwrap_or(7);
    let sign = if octets[start] & 0x80 == 0 {
        &[][..]
    } else {
        &[0]
    };
    int(&[sign, &octets[start..]].concat())
}

pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    tlv(0x04, content)
}

pub(crate) fn bits(content: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], content].concat())
}

pub(crate) fn flag(value: bool) -> Vec<u8> {
    tlv(0x01, &[if value { 0xff } else { 0 }])
}

pub(crate) fn null() -> Vec<u8> {
    vec![0x05, 0]
}

/// A Time as RFC 5280 §4.1.2.5 demands: UTCTime until 2049.
pub(crate) fn time(at: OffsetDateTime) -> Vec<u8> {
    if (1950..2050).contains(&at.year()) {
        let format = format_description!("[year repr:last_two][month][day][hour][minute][second]Z");
        tlv(0x17, at.format(format).unwrap().as_bytes())
    } else {
        general_time(at)
    }
}

pub(crate) fn general_time(at: OffsetDateTime) -> Vec<u8> {
    let format = format_description!("[year][month][day][hour][minute][second]Z");
    tlv(0x18, at.format(format).unwrap().as_bytes())
}

/// A Name of one attribute for each pair of type and text (UTF8String).
pub(crate) fn name(attributes: &[(&str, &str)]) -> Vec<u8> {
    let sets: Vec<_> = attributes
        .iter()
        .map(|(kind, text)| set(&[seq(&[oid(kind), tlv(0x0c, text.as_bytes())])]))
        .collect();
    seq(&sets)
}

/// A Name with a common name alone.
pub(crate) fn cn(text: &str) -> Vec<u8> {
    name(&[("2.5.4.3", text)])
}

// General names.

pub(crate) fn dns(text: &str) -> Vec<u8> {
    tlv(0x82, text.as_bytes())
}

pub(crate) fn mail(text: &str) -> Vec<u8> {
    tlv(0x81, text.as_bytes())
}

pub(crate) fn uri(text: &str) -> Vec<u8> {
    tlv(0x86, text.as_bytes())
}

pub(crate) fn ip(octets: &[u8]) -> Vec<u8> {
    tlv(0x87, octets)
}

pub(crate) fn directory(name: &[u8]) -> Vec<u8> {
    tlv(0xa4, name)
}

pub(crate) fn other_name(kind: &str, text: &str) -> Vec<u8> {
    let value = tlv(0xa0, &tlv(0x0c, text.as_bytes()));
    tlv(0xa0, &[oid(kind), value].concat())
}

pub(crate) fn registered(kind: &str) -> Vec<u8> {
    let kind: Oid = kind.parse().unwrap();
    tlv(0x88, kind.as_bytes())
}
