//! What RFC 5280 §4 and §5 demand of issuers and §6 does not look at; `openssl verify -x509_strict` knows some of it.

use verifier::finding::path as code;
use verifier::finding::revocation as revocation_code;
use verifier::path::ProfileRule::{Everything, Ignore};
use verifier::verdict::SubIndication as Sub;

use super::*;
use crate::der::*;
use crate::make::*;

pub(super) fn cases() -> Vec<Case> {
    let lenient = "OpenSSL does not look at it; RFC 5280 demands it of the issuer";
    let empty = |c: Cert| c.change(|c| c.subject = seq(&[]));
    let nameless = Cert::leaf("Leaf", "Root").change(|c| c.issuer = seq(&[]));
    let mut cases = vec![
        three(
            "names right, identifiers there, strictly",
            "§4.2.1",
            same,
            same,
        )
        .profile(Everything),
        Case::new("issuer without a name", "§4.1.2.4", &nameless, &[])
            .below(&[&Cert::ca("Root", "Root").change(|c| {
                c.subject = seq(&[]);
                c.issuer = seq(&[]);
            })])
            .fails(code::ISSUER_NAME_EMPTY)
            .differs(lenient),
        three("authority without a name", "§4.1.2.6", empty, |c| {
            c.change(|c| c.issuer = seq(&[]))
        })
        .fails(code::SUBJECT_NAME_EMPTY)
        .differs(lenient),
        three(
            "empty subject without an alternative",
            "§4.1.2.6",
            same,
            empty,
        )
        .fails(code::SUBJECT_NAME_EMPTY)
        .differs(lenient),
        three(
            "empty subject, alternative not critical",
            "§4.1.2.6",
            same,
            |c| empty(c).with(alternative(&[dns("a.example")])),
        )
        .fails(code::SUBJECT_NAME_EMPTY)
        .differs(lenient),
        three(
            "empty subject, alternative not critical, for evidence",
            "§6.1",
            same,
            |c| empty(c).with(alternative(&[dns("a.example")])),
        )
        .profile(Ignore),
        three("leaf that may sign certificates", "§4.2.1.9", same, |c| {
            c.with(basic(false, None))
                .with(usage(DIGITAL_SIGNATURE | KEY_CERT_SIGN))
        })
        .fails(code::AUTHORITY_WITHOUT_FLAG)
        .differs(lenient),
        three("leaf with a path length", "§4.2.1.9", same, |c| {
            c.with(basic(false, Some(0)))
        })
        .fails(code::AUTHORITY_WITHOUT_FLAG)
        .differs(lenient),
        three("leaf with name constraints", "§4.2.1.10", same, |c| {
            c.with(constraints(&[dns("a.example")], &[]))
        })
        .fails(code::AUTHORITY_WITHOUT_FLAG)
        .differs(lenient),
        Case::new(
            "trust anchor of version 3 without basic constraints",
            "§4.2.1.9",
            &Cert::leaf("Leaf", "Root"),
            &[],
        )
        .below(&[&Cert::ca("Root", "Root").without(BASIC)])
        .fails(code::ISSUER_NOT_CA)
        .differs("OpenSSL takes keyCertSign for the flag where basic constraints are missing"),
    ];
    cases.extend(criticality());
    cases.extend(habits());
    cases
}

fn criticality() -> Vec<Case> {
    let lenient = "OpenSSL does not look at it; RFC 5280 demands it of the issuer";
    let inhibit = |c: Cert| {
        c.with(policies(&[ANY_POLICY]))
            .with(inhibit_any(0).critical(false))
    };
    let wrong = code::EXTENSION_CRITICALITY;
    vec![
        three(
            "name constraints that are not critical",
            "§4.2.1.10",
            |c| c.with(constraints(&[dns("a.example")], &[]).critical(false)),
            same,
        )
        .fails(wrong)
        .differs(lenient),
        three(
            "policy constraints that are not critical",
            "§4.2.1.11",
            |c| c.with(policy_constraints(Some(5), None).critical(false)),
            same,
        )
        .notes(wrong),
        three(
            "policy constraints that are not critical, strictly",
            "§4.2.1.11",
            |c| c.with(policy_constraints(Some(5), None).critical(false)),
            same,
        )
        .profile(Everything)
        .fails(wrong)
        .differs(lenient),
        three(
            "inhibitAnyPolicy that is not critical",
            "§4.2.1.14",
            inhibit,
            same,
        )
        .fails(wrong)
        .differs(lenient),
        three(
            "critical subject key identifier",
            "§4.2.1.2",
            |c| c.with(ski("CA").critical(true)),
            same,
        )
        .profile(Everything)
        .fails(wrong),
        three(
            "critical authority key identifier",
            "§4.2.1.1",
            same,
            |c| c.with(aki("CA").critical(true)),
        )
        .profile(Everything)
        .fails(wrong),
        three("critical authorityInfoAccess", "§4.2.2.1", same, |c| {
            let access = seq(&[oid("1.3.6.1.5.5.7.48.2"), uri("http://ca.example/")]);
            c.with(extension("1.3.6.1.5.5.7.1.1", true, seq(&[access])))
        })
        .fails(code::EXTENSION_UNKNOWN_CRITICAL),
        three(
            "basic constraints that are not critical, strictly",
            "§4.2.1.9",
            |c| c.with(basic(true, None).critical(false)),
            same,
        )
        .profile(Everything)
        .fails(wrong),
        three("critical CRL number", "§5.2.3", same, same)
            .crls(&[
                &of_root(),
                &Crl::of("CA").with(crl_number(5).critical(true)),
            ])
            .stays_open(revocation_code::CRL_FORM, Sub::TryLater),
        three(
            "issuing distribution point that is not critical",
            "§5.2.5",
            same,
            same,
        )
        .crls(&[
            &of_root(),
            &Crl::of("CA").with(scope(&[scope_flag(1)]).critical(false)),
        ])
        .stays_open(revocation_code::CRL_FORM, Sub::TryLater)
        .differs(lenient),
    ]
}

fn habits() -> Vec<Case> {
    let lenient = "OpenSSL does not look at it, not even with -x509_strict; RFC 5280 demands it of the issuer";
    let missing = code::EXTENSION_MISSING;
    let serial = |octets: &'static [u8]| move |c: Cert| c.change(|c| c.serial = octets.to_vec());
    let form = code::SERIAL_NUMBER_FORM;
    vec![
        three(
            "leaf without authority key identifier, strictly",
            "§4.2.1.1",
            same,
            |c| c.without(AKI),
        )
        .profile(Everything)
        .fails(missing),
        three(
            "authority without subject key identifier, strictly",
            "§4.2.1.2",
            |c| c.without(SKI),
            same,
        )
        .profile(Everything)
        .fails(missing),
        three(
            "authority without key usage, strictly",
            "§4.2.1.3",
            |c| c.without(USAGE),
            same,
        )
        .profile(Everything)
        .fails(missing),
        Case::new(
            "trust anchor without authority key identifier, strictly",
            "§4.2.1.1",
            &Cert::leaf("Leaf", "Root"),
            &[],
        )
        .below(&[&Cert::ca("Root", "Root").without(AKI)])
        .profile(Everything),
        Case::new(
            "trust anchor expired, strictly",
            "§6.1.1 (d)",
            &Cert::leaf("Leaf", "Root"),
            &[],
        )
        .below(&[&Cert::ca("Root", "Root").valid(START, BEFORE)])
        .profile(Everything)
        .fails_as(
            code::CERTIFICATE_EXPIRED,
            Sub::CertificateChainGeneralFailure,
        ),
        three("serial number 0", "§4.1.2.2", same, serial(&[0])).notes(form),
        three("negative serial number", "§4.1.2.2", same, serial(&[0x80])).notes(form),
        three(
            "serial number of 21 octets",
            "§4.1.2.2",
            same,
            serial(&[0x7f; 21]),
        )
        .notes(form),
        three(
            "serial number of 20 octets",
            "§4.1.2.2",
            same,
            serial(&[0x7f; 20]),
        )
        .profile(Everything),
        three(
            "serial number of 21 octets, strictly",
            "§4.1.2.2",
            same,
            serial(&[0x7f; 21]),
        )
        .profile(Everything)
        .fails(form)
        .differs(lenient),
        three("serial number 0, strictly", "§4.1.2.2", same, serial(&[0]))
            .profile(Everything)
            .fails(form)
            .differs(lenient),
        three("CRL without a number", "§5.2.3", same, same)
            .crls(&[&of_root(), &Crl::of("CA").without(CRL_NUMBER)]),
        three("CRL without a number, strictly", "§5.2.3", same, same)
            .crls(&[&of_root(), &Crl::of("CA").without(CRL_NUMBER)])
            .profile(Everything)
            .stays_open(revocation_code::CRL_FORM, Sub::TryLater)
            .differs(lenient),
    ]
}
