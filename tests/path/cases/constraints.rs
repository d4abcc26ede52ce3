//! Name constraints of every form but host names (§4.2.1.10, §6.1.3 (b), (c), §6.1.4 (g)).

use verifier::finding::path as code;
use verifier::verdict::SubIndication as Sub;

use super::*;
use crate::der::*;

const NET: [u8; 8] = [192, 0, 2, 0, 255, 255, 255, 0];

/// A name of the leaf under what the authority permits and excludes.
pub(super) fn under(
    name: &'static str,
    permitted: &[Vec<u8>],
    excluded: &[Vec<u8>],
    names: &[Vec<u8>],
) -> Case {
    three(
        name,
        "§4.2.1.10",
        |c| c.with(constraints(permitted, excluded)),
        |c| c.with(alternative(names)),
    )
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = mailboxes();
    cases.extend(addresses_and_uris());
    cases.extend(directories());
    cases.extend(other_forms());
    cases.extend(along_the_path());
    cases
}

fn mailboxes() -> Vec<Case> {
    let subject = |address: &'static str| {
        move |c: Cert| {
            let kind = oid("1.2.840.113549.1.9.1");
            let attribute = seq(&[kind, tlv(0x16, address.as_bytes())]);
            c.change(|c| c.subject = seq(&[set(&[attribute])]))
        }
    };
    let permit = |c: Cert| c.with(constraints(&[mail("example.com")], &[]));
    vec![
        under(
            "mailbox on the host",
            &[mail("example.com")],
            &[],
            &[mail("a@example.com")],
        ),
        under(
            "mailbox on a host below",
            &[mail("example.com")],
            &[],
            &[mail("a@mx.example.com")],
        )
        .fails(code::NAME_NOT_PERMITTED),
        under(
            "mailbox in the domain",
            &[mail(".example.com")],
            &[],
            &[mail("a@mx.example.com")],
        ),
        under(
            "mailbox on the host of the domain",
            &[mail(".example.com")],
            &[],
            &[mail("a@example.com")],
        )
        .fails(code::NAME_NOT_PERMITTED),
        under(
            "this mailbox",
            &[mail("a@example.com")],
            &[],
            &[mail("a@EXAMPLE.com")],
        ),
        under(
            "mailbox in capitals",
            &[mail("a@example.com")],
            &[],
            &[mail("A@example.com")],
        )
        .fails(code::NAME_NOT_PERMITTED),
        under(
            "mailbox excluded",
            &[],
            &[mail("example.com")],
            &[mail("a@example.com")],
        )
        .fails(code::NAME_EXCLUDED),
        under(
            "mailbox with two at signs",
            &[mail("example.com")],
            &[],
            &[mail("a@b@example.com")],
        )
        .fails(code::NAME_CONSTRAINT_UNSUPPORTED).differs("OpenSSL takes the text behind the last at sign for the host; two programs need not agree about it"),
        under(
            "constraint with two at signs",
            &[mail("a@b@example.com")],
            &[],
            &[mail("b@example.com")],
        )
        .fails(code::NAME_NOT_PERMITTED),
        three(
            "mailbox in the subject",
            "§4.2.1.10",
            permit,
            subject("a@example.com"),
        ),
        three(
            "mailbox beside in the subject",
            "§4.2.1.10",
            permit,
            subject("a@example.org"),
        )
        .fails(code::NAME_NOT_PERMITTED),
    ]
}

fn addresses_and_uris() -> Vec<Case> {
    let six = |last: u8| {
        let mut octets = [0; 16];
        octets[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        octets[15] = last;
        octets
    };
    let net_6 = [&six(0)[..], &[0xff; 4], &[0; 12]].concat();
    let holes = [192, 0, 2, 0, 255, 0, 255, 0];
    vec![
        under(
            "address in the net",
            &[ip(&NET)],
            &[],
            &[ip(&[192, 0, 2, 7])],
        ),
        under(
            "address beside the net",
            &[ip(&NET)],
            &[],
            &[ip(&[192, 0, 3, 7])],
        )
        .fails(code::NAME_NOT_PERMITTED),
        under("address excluded", &[], &[ip(&NET)], &[ip(&[192, 0, 2, 7])])
            .fails(code::NAME_EXCLUDED),
        under(
            "address of version 6 in the net",
            &[ip(&net_6)],
            &[],
            &[ip(&six(9))],
        ),
        under(
            "address of version 6 beside the net",
            &[ip(&net_6)],
            &[],
            &[ip(&[0xfe; 16])],
        )
        .fails(code::NAME_NOT_PERMITTED),
        under(
            "address of version 6, net of version 4",
            &[ip(&NET)],
            &[],
            &[ip(&six(9))],
        )
        .fails(code::NAME_NOT_PERMITTED),
        under(
            "mask with holes",
            &[ip(&holes)],
            &[],
            &[ip(&[192, 0, 2, 7])],
        )
        .fails(code::NAME_CONSTRAINT_UNSUPPORTED)
        .differs("OpenSSL applies any mask; RFC 5280 wants a prefix in the style of RFC 4632"),
        under(
            "net without a mask",
            &[ip(&[192, 0, 2, 7])],
            &[],
            &[ip(&[192, 0, 2, 7])],
        )
        .fails(code::NAME_CONSTRAINT_UNSUPPORTED),
        under("address with a mask", &[ip(&NET)], &[], &[ip(&NET)])
            .fails(code::NAME_CONSTRAINT_UNSUPPORTED),
        under(
            "every address excluded",
            &[],
            &[ip(&[0; 8])],
            &[ip(&[10, 0, 0, 1])],
        )
        .fails(code::NAME_EXCLUDED),
        under(
            "URI on the host",
            &[uri("www.example.com")],
            &[],
            &[uri("http://www.example.com/x")],
        ),
        under(
            "URI on a host below",
            &[uri("example.com")],
            &[],
            &[uri("http://www.example.com/x")],
        )
        .fails(code::NAME_NOT_PERMITTED),
        under(
            "URI in the domain",
            &[uri(".example.com")],
            &[],
            &[uri("https://u@www.example.com:8443/x")],
        ),
        under(
            "URI on the host of the domain",
            &[uri(".example.com")],
            &[],
            &[uri("http://example.com/")],
        )
        .fails(code::NAME_NOT_PERMITTED),
        under(
            "URI excluded",
            &[],
            &[uri(".example.com")],
            &[uri("ldap://a.example.com/x")],
        )
        .fails(code::NAME_EXCLUDED),
        under(
            "URI without a host",
            &[uri(".example.com")],
            &[],
            &[uri("urn:isbn:1")],
        )
        .fails(code::NAME_CONSTRAINT_UNSUPPORTED),
        under(
            "URI with an address",
            &[uri(".example.com")],
            &[],
            &[uri("http://192.0.2.1/")],
        )
        .fails(code::NAME_CONSTRAINT_UNSUPPORTED),
        under(
            "URI whose host hides behind a user",
            &[uri(".example.com")],
            &[],
            &[uri("http://www.example.com@evil.test/")],
        )
        .fails(code::NAME_NOT_PERMITTED),
    ]
}

fn directories() -> Vec<Case> {
    let whole = |unit: &str| {
        name(&[
            ("2.5.4.6", "JP"),
            ("2.5.4.10", "Archive"),
            ("2.5.4.3", unit),
        ])
    };
    let base = directory(&name(&[("2.5.4.6", "jp"), ("2.5.4.10", "archive")]));
    let other = directory(&name(&[("2.5.4.6", "JP"), ("2.5.4.10", "Other")]));
    let subject = |name: Vec<u8>| move |c: Cert| c.change(|c| c.subject = name);
    let with = |permitted: &[Vec<u8>], excluded: &[Vec<u8>]| {
        let constraints = constraints(permitted, excluded);
        move |c: Cert| c.with(constraints)
    };
    let (permitted, excluded) = (std::slice::from_ref(&base), std::slice::from_ref(&base));
    vec![
        three(
            "subject in the subtree",
            "§4.2.1.10",
            with(permitted, &[]),
            subject(whole("A")),
        ),
        three(
            "subject beside the subtree",
            "§4.2.1.10",
            with(std::slice::from_ref(&other), &[]),
            subject(whole("A")),
        )
        .fails(code::NAME_NOT_PERMITTED),
        three(
            "subject excluded",
            "§4.2.1.10",
            with(&[], excluded),
            subject(whole("A")),
        )
        .fails(code::NAME_EXCLUDED),
        three(
            "subject above the subtree",
            "§4.2.1.10",
            with(&[directory(&whole("A"))], &[]),
            |c| c.change(|c| c.subject = name(&[("2.5.4.6", "JP"), ("2.5.4.10", "Archive")])),
        )
        .fails(code::NAME_NOT_PERMITTED),
        three(
            "alternative directory name beside the subtree",
            "§4.2.1.10",
            with(permitted, &[]),
            |c| {
                c.change(|c| c.subject = whole("A"))
                    .with(alternative(std::slice::from_ref(&other)))
            },
        )
        .fails(code::NAME_NOT_PERMITTED),
        three(
            "subject beside, alternative name in the subtree",
            "§4.2.1.10",
            with(permitted, &[]),
            |c| c.with(alternative(&[directory(&whole("A"))])),
        )
        .fails(code::NAME_NOT_PERMITTED),
        three(
            "empty subject under a subtree",
            "§4.2.1.10",
            with(permitted, &[]),
            |c| {
                c.change(|c| c.subject = seq(&[]))
                    .with(alternative(&[directory(&whole("A"))]).critical(true))
            },
        ),
    ]
}

fn other_forms() -> Vec<Case> {
    let kind = "1.3.6.1.4.1.32473.7";
    let general = Sub::CertificateChainGeneralFailure;
    let distance = |fields: Vec<u8>| {
        let subtree = seq(&[dns("example.com"), fields]);
        extension(NAMES, true, seq(&[tlv(0xa0, &subtree)]))
    };
    let host = |c: Cert| c.with(alternative(&[dns("a.example.com")]));
    vec![
        under(
            "otherName under a constraint of its form",
            &[other_name(kind, "a")],
            &[],
            &[other_name(kind, "a")],
        )
        .fails(code::NAME_CONSTRAINT_UNSUPPORTED),
        under(
            "otherName under an exclusion of its form",
            &[],
            &[other_name(kind, "a")],
            &[other_name(kind, "b")],
        )
        .fails(code::NAME_CONSTRAINT_UNSUPPORTED),
        under(
            "registeredID under a constraint of its form",
            &[registered(kind)],
            &[],
            &[registered(kind)],
        )
        .fails(code::NAME_CONSTRAINT_UNSUPPORTED),
        under(
            "constraint of a form that the leaf has not",
            &[ip(&NET)],
            &[other_name(kind, "a")],
            &[dns("a.example")],
        ),
        three(
            "minimum other than 0",
            "§4.2.1.10",
            |c| c.with(distance(tlv(0x80, &[1]))),
            host,
        )
        .fails_as(code::EXTENSION_MALFORMED, general),
        three(
            "maximum",
            "§4.2.1.10",
            |c| c.with(distance(tlv(0x81, &[2]))),
            host,
        )
        .fails_as(code::EXTENSION_MALFORMED, general),
        three(
            "minimum of 0, written",
            "§4.2.1.10",
            |c| c.with(distance(tlv(0x80, &[0]))),
            host,
        ),
        three(
            "empty constraints",
            "§4.2.1.10",
            |c| c.with(constraints(&[], &[])),
            same,
        )
        .fails_as(code::EXTENSION_MALFORMED, general)
        .differs("OpenSSL takes an empty sequence for no constraint; RFC 5280 forbids it"),
        three(
            "empty list of permitted names",
            "§4.2.1.10",
            |c| c.with(extension(NAMES, true, seq(&[tlv(0xa0, &[])]))),
            same,
        )
        .fails_as(code::EXTENSION_MALFORMED, general)
        .differs("OpenSSL takes an empty list for no constraint; RFC 5280 forbids it"),
    ]
}

fn along_the_path() -> Vec<Case> {
    let outer = ca().with(constraints(&[dns("a.example"), dns("b.example")], &[]));
    let inner = Cert::ca("Two", "CA").with(constraints(&[dns("b.example")], &[]));
    let target = |host: &str| Cert::leaf("Leaf", "Two").with(alternative(&[dns(host)]));
    let wider = Cert::ca("Two", "CA").with(constraints(&[dns("example")], &[]));
    let named = Cert::ca("Two", "CA").with(alternative(&[dns("c.example")]));
    let root = Cert::ca("Root", "Root").with(constraints(&[dns("a.example")], &[]));
    let again = Cert::ca("CA", "CA")
        .keyed("CA new")
        .with(alternative(&[dns("c.example")]));
    let of_new = leaf().signed_by("CA new").with(aki("CA new"));
    let last = Cert::leaf("CA", "CA")
        .keyed("Leaf")
        .with(alternative(&[dns("c.example")]));
    vec![
        Case::new(
            "narrowed on the way down",
            "§6.1.4 (g)",
            &target("a.example"),
            &[&inner, &outer],
        )
        .fails(code::NAME_NOT_PERMITTED),
        Case::new(
            "narrowed, within both",
            "§6.1.4 (g)",
            &target("x.b.example"),
            &[&inner, &outer],
        ),
        Case::new(
            "widened on the way down",
            "§6.1.4 (g)",
            &target("c.example"),
            &[&wider, &outer],
        )
        .fails(code::NAME_NOT_PERMITTED),
        Case::new(
            "an authority outside of the constraints",
            "§6.1.3 (b)",
            &target("a.example"),
            &[&named, &outer],
        )
        .fails(code::NAME_NOT_PERMITTED),
        Case::new(
            "constraints of the trust anchor",
            "RFC 5937 §3.2",
            &Cert::leaf("Leaf", "Root").with(alternative(&[dns("b.example")])),
            &[],
        )
        .below(&[&root])
        .fails(code::NAME_NOT_PERMITTED),
        Case::new(
            "self-issued authority outside of the constraints",
            "§6.1.3 (b)",
            &of_new,
            &[&again, &outer],
        ),
        Case::new(
            "self-issued target outside of the constraints",
            "§6.1.3 (b)",
            &last,
            &[&outer],
        )
        .fails(code::NAME_NOT_PERMITTED),
    ]
}
