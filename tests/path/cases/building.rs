//! Finding the path: several candidates, cross-certificates, bridges, loops (RFC 4158).

use verifier::finding::path as code;
use verifier::verdict::SubIndication as Sub;

use super::*;
use crate::der::*;
use crate::make::*;

pub(super) fn cases() -> Vec<Case> {
    let general = Sub::CertificateChainGeneralFailure;
    let none = Sub::NoCertificateChainFound;
    let direct = Cert::leaf("Leaf", "Root");
    let expired = ca().valid(START, BEFORE);
    let namesake = ca().keyed("Other CA");
    let stranger = Cert::ca("Stranger", "Stranger");
    let cross = Cert::ca("CA", "Stranger");
    let one_path =
        "OpenSSL follows one candidate for each name and key identifier and does not come back";
    let mut cases = vec![
        Case::new("leaf below the trust anchor", "§6.1", &direct, &[]),
        Case::new("no issuer at hand", "§6.1", &leaf(), &[]).stays_open(code::NO_PATH_FOUND, none),
        Case::new("no trust anchor of that name", "§6.1", &leaf(), &[&ca()]).below(&[&stranger]).stays_open(code::NO_PATH_FOUND, none),
        Case::new("root among the untrusted", "§6.1.1 (d)", &leaf(), &[&ca(), &Cert::ca("Root", "Root")])
            .below(&[&stranger])
            .stays_open(code::NO_PATH_FOUND, none),
        Case::new("trust anchor of the name with another key", "§6.1.3 (a)(1)", &direct, &[])
            .below(&[&Cert::ca("Root", "Root").keyed("Other")])
            .fails_as(code::CERTIFICATE_SIGNATURE_INVALID, general),
        Case::new("two trust anchors of one name", "§6.1.1 (d)", &direct, &[])
            .below(&[&Cert::ca("Root", "Root").keyed("Other"), &Cert::ca("Root", "Root")]),
        Case::new("target that is the trust anchor", "EN 319 102-1 §5.2.6.4", &Cert::ca("Root", "Root"), &[])
            .notes(code::ANCHOR_IS_TARGET),
        Case::new("an authority as trust anchor", "§6.1.1 (d)", &leaf(), &[])
            .below(&[&ca()])
            .differs("OpenSSL ends a path at a self-signed certificate unless -partial_chain is given; for RFC 5280 any key may be the trust anchor"),
        Case::new("self-signed target that nobody trusts", "§6.1", &Cert::ca("Self", "Self"), &[]).stays_open(code::NO_PATH_FOUND, none),
        Case::new("expired candidate before the good one", "RFC 4158 §3.5", &leaf(), &[&expired, &ca()]),
        Case::new("good candidate before the expired one", "RFC 4158 §3.5", &leaf(), &[&ca(), &expired]),
        Case::new("candidate with another key first", "RFC 4158 §3.5", &leaf(), &[&namesake, &ca()]),
        Case::new("candidate that is no authority first", "RFC 4158 §3.5", &leaf(), &[&ca().with(basic(false, None)), &ca()])
            .differs(one_path),
        Case::new("candidate without keyCertSign first", "RFC 4158 §3.5", &leaf(), &[&ca().with(usage(CRL_SIGN)), &ca()]).differs(one_path),
        Case::new("candidate with bad constraints first", "RFC 4158 §3.5", &leaf().with(alternative(&[dns("a.example")])), &[
            &ca().with(constraints(&[dns("b.example")], &[])),
            &ca(),
        ])
        .differs(one_path),
        Case::new("candidate below a stranger first", "RFC 4158 §2.4", &leaf(), &[&cross, &ca()]).differs(one_path),
        Case::new("candidate below a stranger last", "RFC 4158 §2.4", &leaf(), &[&ca(), &cross]),
        Case::new("only the best of two failures is told", "RFC 4158 §3.5", &leaf(), &[&expired, &ca().with(strange(true))])
            .change(|case| case.expected = crate::case::Expected::Fails(code::EXTENSION_UNKNOWN_CRITICAL, Sub::ChainConstraintsFailure)),
    ];
    cases.extend(crossed());
    cases
}

fn crossed() -> Vec<Case> {
    let none = Sub::NoCertificateChainFound;
    let one_path =
        "OpenSSL follows one candidate for each name and key identifier and does not come back";
    let mine = Cert::ca("Root", "Root");
    let theirs = Cert::ca("Their root", "Their root");
    let over = Cert::ca("Their root", "Root");
    let their_ca = Cert::ca("Their CA", "Their root");
    let their_leaf = Cert::leaf("Leaf", "Their CA");
    let to_bridge = Cert::ca("Bridge", "Root");
    let from_bridge = Cert::ca("Their root", "Bridge");
    let back = Cert::ca("Root", "Their root");
    let narrow = Cert::ca("Bridge", "Root").with(constraints(&[dns("ours.example")], &[]));
    let named = their_leaf
        .clone()
        .with(alternative(&[dns("theirs.example")]));
    let old_with_new = Cert::ca("Root", "Root").keyed("Root new").signed_by("Root");
    let of_new = Cert::leaf("Leaf", "Root")
        .signed_by("Root new")
        .with(aki("Root new"));
    let loop_one = Cert::ca("One", "Two");
    let loop_two = Cert::ca("Two", "One");
    vec![
        Case::new(
            "over a cross-certificate",
            "§3.2",
            &their_leaf,
            &[&their_ca, &over],
        )
        .below(&[&mine]),
        Case::new(
            "over a cross-certificate beside the foreign root",
            "§3.2",
            &their_leaf,
            &[&their_ca, &theirs, &over],
        )
        .below(&[&mine])
        .differs(one_path),
        Case::new(
            "over a bridge",
            "RFC 4158 §1.5.4",
            &their_leaf,
            &[&their_ca, &from_bridge, &to_bridge],
        ),
        Case::new(
            "over a bridge with certificates in both directions",
            "RFC 4158 §1.5.4",
            &their_leaf,
            &[
                &back,
                &Cert::ca("Bridge", "Their root"),
                &their_ca,
                &from_bridge,
                &to_bridge,
            ],
        )
        .differs(one_path),
        Case::new(
            "over a bridge that narrows names",
            "RFC 4158 §1.5.4",
            &named,
            &[&their_ca, &from_bridge, &narrow],
        )
        .fails(code::NAME_NOT_PERMITTED),
        Case::new(
            "new key of the root under the old one",
            "§3.2",
            &of_new,
            &[&old_with_new],
        ),
        Case::new(
            "two that sign each other",
            "RFC 4158 §2.4.2",
            &Cert::leaf("Leaf", "One"),
            &[&loop_one, &loop_two],
        )
        .stays_open(code::NO_PATH_FOUND, none),
        Case::new(
            "two that sign each other, and a way out",
            "RFC 4158 §2.4.2",
            &Cert::leaf("Leaf", "One"),
            &[&loop_one, &loop_two, &Cert::ca("Two", "Root")],
        )
        .differs(one_path),
    ]
}
