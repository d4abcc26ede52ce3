//! Extensions of certificates, CRLs and OCSP responses.

use crate::der::*;
use crate::make::key_identifier;
use time::OffsetDateTime;

/// One extension.
#[derive(Clone)]
pub(crate) struct Extension {
    pub(crate) oid: &'static str,
    pub(crate) critical: bool,
    pub(crate) value: Vec<u8>,
}

impl Extension {
    pub(crate) fn der(&self) -> Vec<u8> {
        let critical = if self.critical {
            flag(true)
        } else {
            Vec::new()
        };
        seq(&[oid(self.oid), critical, octets(&self.value)])
    }

    pub(crate) fn critical(mut self, critical: bool) -> Self {
        self.critical = critical;
        self
    }
}

pub(crate) const fn extension(oid: &'static str, critical: bool, value: Vec<u8>) -> Extension {
    Extension {
        oid,
        critical,
        value,
    }
}

pub(crate) const SKI: &str = "2.5.29.14";
pub(crate) const USAGE: &str = "2.5.29.15";
pub(crate) const SAN: &str = "2.5.29.17";
pub(crate) const BASIC: &str = "2.5.29.19";
pub(crate) const CRL_NUMBER: &str = "2.5.29.20";
pub(crate) const NAMES: &str = "2.5.29.30";
pub(crate) const AKI: &str = "2.5.29.35";
pub(crate) const EKU: &str = "2.5.29.37";
pub(crate) const ANY_POLICY: &str = "2.5.29.32.0";
/// An extension that nobody knows.
pub(crate) const STRANGE: &str = "1.3.6.1.4.1.32473.5.1";

pub(crate) const DIGITAL_SIGNATURE: u8 = 0x80;
pub(crate) const KEY_ENCIPHERMENT: u8 = 0x20;
pub(crate) const KEY_CERT_SIGN: u8 = 0x04;
pub(crate) const CRL_SIGN: u8 = 0x02;

pub(crate) fn ski(word: &str) -> Extension {
    extension(SKI, false, octets(&key_identifier(word)))
}

pub(crate) fn aki(word: &str) -> Extension {
    extension(AKI, false, seq(&[tlv(0x80, &key_identifier(word))]))
}

pub(crate) fn basic(ca: bool, length: Option<u64>) -> Extension {
    let ca = if ca { flag(true) } else { Vec::new() };
    let length = length.map(num).unwrap_or_default();
    extension(BASIC, true, seq(&[ca, length]))
}

pub(crate) fn usage(bits: u8) -> Extension {
    let unused = u8::try_from(bits.trailing_zeros()).unwrap();
    extension(USAGE, true, tlv(0x03, &[unused, bits]))
}

pub(crate) fn purposes(list: &[&str]) -> Extension {
    let list: Vec<_> = list.iter().map(|purpose| oid(purpose)).collect();
    extension(EKU, false, seq(&list))
}

pub(crate) fn alternative(names: &[Vec<u8>]) -> Extension {
    extension(SAN, false, seq(names))
}

pub(crate) fn constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Extension {
    let subtrees = |tag: u8, bases: &[Vec<u8>]| {
        let list: Vec<_> = bases
            .iter()
            .map(|base| seq(std::slice::from_ref(base)))
            .collect();
        if list.is_empty() {
            Vec::new()
        } else {
            tlv(tag, &list.concat())
        }
    };
    let value = seq(&[subtrees(0xa0, permitted), subtrees(0xa1, excluded)]);
    extension(NAMES, true, value)
}

pub(crate) fn policies(list: &[&str]) -> Extension {
    let list: Vec<_> = list.iter().map(|policy| seq(&[oid(policy)])).collect();
    extension("2.5.29.32", false, seq(&list))
}

pub(crate) fn mappings(list: &[(&str, &str)]) -> Extension {
    let list: Vec<_> = list
        .iter()
        .map(|(from, to)| seq(&[oid(from), oid(to)]))
        .collect();
    extension("2.5.29.33", true, seq(&list))
}

pub(crate) fn policy_constraints(explicit: Option<u64>, mapping: Option<u64>) -> Extension {
    let member = |number: u8, value: Option<u64>| {
        value
            .map(|value| tlv(0x80 | number, &num(value)[2..]))
            .unwrap_or_default()
    };
    extension(
        "2.5.29.36",
        true,
        seq(&[member(0, explicit), member(1, mapping)]),
    )
}

pub(crate) fn inhibit_any(skip: u64) -> Extension {
    extension("2.5.29.54", true, num(skip))
}

pub(crate) const fn strange(critical: bool) -> Extension {
    extension(STRANGE, critical, Vec::new())
}

/// cRLDistributionPoints with one point: its names, reasons and cRLIssuer.
pub(crate) fn point_at(
    names: &[Vec<u8>],
    reasons: Option<&[u8]>,
    issuer: Option<&[u8]>,
) -> Extension {
    let name = if names.is_empty() {
        Vec::new()
    } else {
        tlv(0xa0, &tlv(0xa0, &names.concat()))
    };
    let reasons = reasons.map(|bits| tlv(0x81, bits)).unwrap_or_default();
    let issuer = issuer
        .map(|name| tlv(0xa2, &directory(name)))
        .unwrap_or_default();
    extension("2.5.29.31", false, seq(&[seq(&[name, reasons, issuer])]))
}

// CRLs.

pub(crate) fn crl_number(number: u64) -> Extension {
    extension(CRL_NUMBER, false, num(number))
}

pub(crate) fn delta(base: u64) -> Extension {
    extension("2.5.29.27", true, num(base))
}

/// issuingDistributionPoint of these members.
pub(crate) fn scope(members: &[Vec<u8>]) -> Extension {
    extension("2.5.29.28", true, seq(members))
}

pub(crate) fn scope_name(name: &[u8]) -> Vec<u8> {
    tlv(0xa0, &tlv(0xa0, name))
}

pub(crate) fn scope_flag(number: u8) -> Vec<u8> {
    tlv(0x80 | number, &[0xff])
}

pub(crate) fn reason(code: u8) -> Extension {
    extension("2.5.29.21", false, tlv(0x0a, &[code]))
}

pub(crate) fn invalid_since(at: OffsetDateTime) -> Extension {
    extension("2.5.29.24", false, general_time(at))
}

pub(crate) fn certificate_issuer(name: &[u8]) -> Extension {
    extension("2.5.29.29", true, seq(&[directory(name)]))
}

// OCSP.

pub(crate) fn archive_cutoff(at: OffsetDateTime) -> Extension {
    extension("1.3.6.1.5.5.7.48.1.6", false, general_time(at))
}

pub(crate) fn no_check() -> Extension {
    extension("1.3.6.1.5.5.7.48.1.5", false, null())
}
