//! Signatures, versions, periods, extensions as such: §4.1, §6.1.3 (a), §6.1.4 (o).

use time::Duration;
use time::macros::datetime;
use verifier::finding::path as code;
use verifier::verdict::SubIndication as Sub;

use super::*;
use crate::der::*;
use crate::make::*;

pub(super) fn cases() -> Vec<Case> {
    let general = Sub::CertificateChainGeneralFailure;
    let mut cases = vec![
        three("plain", "§6.1", same, same),
        three("leaf signature broken", "§6.1.3 (a)(1)", same, |c| {
            c.change(|c| c.broken = true)
        })
        .fails_as(code::CERTIFICATE_SIGNATURE_INVALID, general),
        three(
            "authority signature broken",
            "§6.1.3 (a)(1)",
            |c| c.change(|c| c.broken = true),
            same,
        )
        .fails_as(code::CERTIFICATE_SIGNATURE_INVALID, general),
        three("leaf signed by another key", "§6.1.3 (a)(1)", same, |c| {
            c.signed_by("Mallory")
        })
        .fails_as(code::CERTIFICATE_SIGNATURE_INVALID, general),
        three("algorithm differs inside", "§4.1.1.2", same, |c| {
            c.change(|c| c.inside = seq(&[oid("1.2.840.10045.4.3.3")]))
        })
        .fails_as(code::CERTIFICATE_ALGORITHM_MISMATCH, general),
        three("algorithm differs by NULL", "§4.1.1.2", same, |c| {
            c.change(|c| c.inside = seq(&[oid(ECDSA_SHA256), null()]))
        })
        .fails_as(code::CERTIFICATE_ALGORITHM_MISMATCH, general),
        three("algorithm nobody knows", "§6.1.3 (a)(1)", same, |c| {
            c.change(|c| {
                c.inside = seq(&[oid(STRANGE)]);
                c.outside = c.inside.clone();
            })
        })
        .stays_open(code::CERTIFICATE_SIGNATURE_UNSUPPORTED, general),
        three(
            "key of another type than the algorithm",
            "§6.1.3 (a)(1)",
            same,
            |c| {
                c.change(|c| {
                    c.inside = seq(&[oid("1.2.840.113549.1.1.11"), null()]);
                    c.outside = c.inside.clone();
                })
            },
        )
        .fails_as(code::CERTIFICATE_SIGNATURE_INVALID, general),
        three(
            "authority of version 1",
            "§6.1.4 (k)",
            |c| version(c, 1),
            same,
        )
        .fails(code::ISSUER_NOT_VERSION_3),
        three(
            "authority of version 2",
            "§6.1.4 (k)",
            |c| version(c, 2),
            same,
        )
        .fails(code::ISSUER_NOT_VERSION_3),
        three("leaf of version 1", "§4.1.2.1", same, |c| version(c, 1)),
        Case::new(
            "trust anchor of version 1",
            "§6.1.1 (d)",
            &Cert::leaf("Leaf", "Root"),
            &[],
        )
        .below(&[&version(Cert::ca("Root", "Root"), 1)]),
        three(
            "critical extension nobody knows in the leaf",
            "§6.1.5 (f)",
            same,
            |c| c.with(strange(true)),
        )
        .fails(code::EXTENSION_UNKNOWN_CRITICAL),
        three(
            "critical extension nobody knows in the authority",
            "§6.1.4 (o)",
            |c| c.with(strange(true)),
            same,
        )
        .fails(code::EXTENSION_UNKNOWN_CRITICAL),
        three(
            "extension nobody knows, not critical",
            "§4.2",
            |c| c.with(strange(false)),
            |c| c.with(strange(false)),
        ),
        Case::new(
            "critical extension nobody knows in the trust anchor",
            "RFC 5937 §3.2",
            &Cert::leaf("Leaf", "Root"),
            &[],
        )
        .below(&[&Cert::ca("Root", "Root").with(strange(true))])
        .fails(code::EXTENSION_UNKNOWN_CRITICAL),
        three("key usage that is no BIT STRING", "§4.2.1.3", same, |c| {
            c.with(extension(USAGE, true, null()))
        })
        .fails_as(code::EXTENSION_MALFORMED, general),
        three("alternative names that are none", "§4.2.1.6", same, |c| {
            c.with(extension(SAN, false, b"example.com".to_vec()))
        })
        .fails_as(code::EXTENSION_MALFORMED, general),
        three(
            "basic constraints with a negative length",
            "§4.2.1.9",
            |c| c.with(extension(BASIC, true, seq(&[flag(true), int(&[0xff])]))),
            same,
        )
        .fails_as(code::EXTENSION_MALFORMED, general),
        three(
            "basic constraints in BER",
            "§4.1",
            |c| c.with(extension(BASIC, true, seq(&[tlv(1, &[1])]))),
            same,
        )
        .fails_as(code::EXTENSION_MALFORMED, general)
        .differs("OpenSSL reads a BOOLEAN of BER; RFC 5280 §4.1 demands DER"),
    ];
    cases.extend(unreadable());
    cases.extend(periods());
    cases
}

fn version(cert: Cert, version: u8) -> Cert {
    cert.change(|cert| {
        cert.version = version;
        cert.extensions.clear();
    })
}

/// What is no certificate of RFC 5280 at all: nothing can be said about it, and an authority like that is none.
fn unreadable() -> Vec<Case> {
    let general = Sub::CertificateChainGeneralFailure;
    let twice = |c: Cert| {
        c.and(alternative(&[dns("a.example")]))
            .and(alternative(&[dns("a.example")]))
    };
    let version_2 = |c: Cert| c.change(|c| c.version = 2);
    vec![
        three("extension twice in the leaf", "§4.2", same, twice)
            .stays_open(code::CERTIFICATE_MALFORMED, general),
        three("unknown extension twice in the leaf", "§4.2", same, |c| {
            c.and(strange(false)).and(strange(false))
        })
        .stays_open(code::CERTIFICATE_MALFORMED, general)
        .differs("OpenSSL looks for doubles only among the extensions that it reads"),
        three(
            "extension twice in the authority",
            "§4.2",
            |c| c.and(basic(true, None)),
            same,
        )
        .stays_open(code::NO_PATH_FOUND, Sub::NoCertificateChainFound),
        three("extensions in version 2", "§4.1.2.9", same, version_2)
            .stays_open(code::CERTIFICATE_MALFORMED, general)
            .differs(
                "OpenSSL reads extensions of any version; RFC 5280 has them in version 3 only",
            ),
        three("period without seconds", "§4.1.2.5.1", same, |c| {
            c.change(|c| c.from = tlv(0x17, b"2001010000Z"))
        })
        .stays_open(code::CERTIFICATE_MALFORMED, general),
        three("period with an offset", "§4.1.2.5.1", same, |c| {
            c.change(|c| c.from = tlv(0x17, b"200101000000+0000"))
        })
        .stays_open(code::CERTIFICATE_MALFORMED, general),
        three("period with fractions", "§4.1.2.5.2", same, |c| {
            c.change(|c| c.from = tlv(0x18, b"20200101000000.5Z"))
        })
        .stays_open(code::CERTIFICATE_MALFORMED, general),
        three("serial number with leading zeros", "§4.1", same, |c| {
            c.change(|c| c.serial = vec![0, 0, 1])
        })
        .stays_open(code::CERTIFICATE_MALFORMED, general),
    ]
}

fn periods() -> Vec<Case> {
    let general = Sub::CertificateChainGeneralFailure;
    let second = Duration::SECOND;
    vec![
        three("leaf expired", "§6.1.3 (a)(2)", same, |c| c.valid(START, BEFORE))
            .fails_as(code::CERTIFICATE_EXPIRED, Sub::Expired),
        three("leaf not yet valid", "§6.1.3 (a)(2)", same, |c| c.valid(AFTER, END))
            .fails_as(code::CERTIFICATE_NOT_YET_VALID, Sub::NotYetValid),
        three("authority expired", "§6.1.3 (a)(2)", |c| c.valid(START, BEFORE), same)
            .fails_as(code::CERTIFICATE_EXPIRED, general),
        three("authority not yet valid", "§6.1.3 (a)(2)", |c| c.valid(AFTER, END), same)
            .fails_as(code::CERTIFICATE_NOT_YET_VALID, general),
        three("in the first second", "§4.1.2.5", same, |c| c.valid(NOW, END)),
        three("in the last second", "§4.1.2.5", same, |c| c.valid(START, NOW))
            .differs("OpenSSL ends the period with the begin of its last second; RFC 5280 §4.1.2.5 says inclusive"),
        three("one second late", "§4.1.2.5", same, |c| c.valid(START, NOW - second))
            .fails_as(code::CERTIFICATE_EXPIRED, Sub::Expired),
        three("one second early", "§4.1.2.5", same, |c| c.valid(NOW + second, END))
            .fails_as(code::CERTIFICATE_NOT_YET_VALID, Sub::NotYetValid),
        three("a fraction into the last second", "§4.1.2.5", same, |c| c.valid(START, NOW))
            .at(NOW + Duration::milliseconds(5))
            .alone(), // -attime knows whole seconds.
        three("at a past time, all expired today", "§6.1.3 (a)(2)", |c| c.valid(START, datetime!(2022-01-01 0:00 UTC)), |c| {
            c.valid(START, datetime!(2021-01-01 0:00 UTC))
        })
        .at(datetime!(2020-06-01 0:00 UTC)),
        three("for ever", "§4.1.2.5", same, |c| c.change(|c| c.until = tlv(0x18, b"99991231235959Z"))),
        three("GeneralizedTime before 2050", "§4.1.2.5", same, |c| c.change(|c| c.from = general_time(START))),
        Case::new("trust anchor expired", "§6.1.1 (d)", &Cert::leaf("Leaf", "Root"), &[])
            .below(&[&Cert::ca("Root", "Root").valid(START, BEFORE)])
            .notes(code::ANCHOR_OUT_OF_PERIOD)
            .differs("OpenSSL looks at the period of the trust anchor; by RFC 5280 §6.1.1 (d) it is a name and a key, trusted by decision"),
    ]
}
