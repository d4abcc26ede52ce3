//! Who may issue: basic constraints, lengths, key usage, extended key usage (§4.2.1.3, §4.2.1.9, §4.2.1.12, §6.1.4 (k) to (n)).

use formats::oid as known;
use verifier::finding::path as code;
use verifier::path::{ProfileRule, Purpose};

use super::*;

const STAMPING: &str = "1.3.6.1.5.5.7.3.8";
const SERVER: &str = "1.3.6.1.5.5.7.3.1";
const CLIENT: &str = "1.3.6.1.5.5.7.3.2";
const ANY: &str = "2.5.29.37.0";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        three(
            "authority without the flag",
            "§6.1.4 (k)",
            |c| c.with(basic(false, None)),
            same,
        )
        .profile(ProfileRule::Ignore)
        .fails(code::ISSUER_NOT_CA),
        three(
            "authority without basic constraints",
            "§6.1.4 (k)",
            |c| c.without(BASIC),
            same,
        )
        .profile(ProfileRule::Ignore)
        .fails(code::ISSUER_NOT_CA),
        three(
            "authority without basic constraints or key usage",
            "§6.1.4 (k)",
            |c| c.without(BASIC).without(USAGE),
            same,
        )
        .fails(code::ISSUER_NOT_CA),
        three(
            "authority whose key usage lacks keyCertSign",
            "§6.1.4 (n)",
            |c| c.with(usage(CRL_SIGN)),
            same,
        )
        .fails(code::KEY_CERT_SIGN_MISSING),
        three(
            "authority whose key usage is not critical",
            "§4.2.1.3",
            |c| c.with(usage(KEY_CERT_SIGN).critical(false)),
            same,
        ),
        three(
            "authority without key usage",
            "§6.1.4 (n)",
            |c| c.without(USAGE),
            same,
        )
        .notes(code::EXTENSION_MISSING),
        three(
            "basic constraints that are not critical",
            "§6.1.4 (k)",
            |c| c.with(basic(true, None).critical(false)),
            same,
        )
        .notes(code::EXTENSION_CRITICALITY),
        three("basic constraints in the leaf", "§4.2.1.9", same, |c| {
            c.with(basic(false, None))
        }),
        three("an authority in question", "§6.1.5", same, |c| {
            c.with(basic(true, None)).with(usage(KEY_CERT_SIGN))
        }),
        Case::new(
            "trust anchor that is no authority",
            "§6.1.4 (k)",
            &Cert::leaf("Leaf", "Root"),
            &[],
        )
        .below(&[&Cert::leaf("Root", "Root").with(basic(false, None))])
        .fails(code::ISSUER_NOT_CA),
        Case::new(
            "trust anchor that may not sign certificates",
            "§6.1.4 (n)",
            &Cert::leaf("Leaf", "Root"),
            &[],
        )
        .below(&[&Cert::ca("Root", "Root").with(usage(CRL_SIGN))])
        .fails(code::KEY_CERT_SIGN_MISSING),
        Case::new(
            "a leaf that issues",
            "§6.1.4 (k)",
            &Cert::leaf("Below", "Leaf"),
            &[&leaf(), &ca()],
        )
        .fails(code::ISSUER_NOT_CA),
    ];
    cases.extend(lengths());
    cases.extend(purposes_of_paths());
    cases
}

fn limited(name: &str, issuer: &str, length: u64) -> Cert {
    Cert::ca(name, issuer).with(basic(true, Some(length)))
}

fn lengths() -> Vec<Case> {
    let one = limited("CA", "Root", 0);
    let two = Cert::ca("Two", "CA");
    let below = Cert::leaf("Leaf", "Two");
    let again = Cert::ca("CA", "CA").keyed("CA new");
    let of_new = leaf().signed_by("CA new").with(aki("CA new"));
    let two_of_new = Cert::ca("Two", "CA")
        .signed_by("CA new")
        .with(aki("CA new"));
    vec![
        Case::new("length 0 above the leaf", "§6.1.4 (l)", &leaf(), &[&one]),
        Case::new(
            "length 0 above another authority",
            "§6.1.4 (l)",
            &below,
            &[&two, &one],
        )
        .fails(code::PATH_LENGTH_EXCEEDED),
        Case::new(
            "length 1 above another authority",
            "§6.1.4 (l)",
            &below,
            &[&two, &limited("CA", "Root", 1)],
        ),
        Case::new(
            "length 0 above an authority in question",
            "§4.2.1.9",
            &two,
            &[&one],
        ),
        Case::new(
            "length 0 above a self-issued certificate",
            "§6.1.4 (l)",
            &of_new,
            &[&again, &one],
        ),
        Case::new(
            "length 0 above a self-issued one and another",
            "§6.1.4 (l)",
            &below,
            &[&two_of_new, &again, &one],
        )
        .fails(code::PATH_LENGTH_EXCEEDED),
        Case::new(
            "length that grows on the way down",
            "§6.1.4 (m)",
            &Cert::leaf("Leaf", "Three"),
            &[
                &Cert::ca("Three", "Two"),
                &limited("Two", "CA", 5),
                &limited("CA", "Root", 1),
            ],
        )
        .fails(code::PATH_LENGTH_EXCEEDED),
        Case::new(
            "length that shrinks on the way down",
            "§6.1.4 (m)",
            &Cert::leaf("Leaf", "Three"),
            &[
                &Cert::ca("Three", "Two"),
                &limited("Two", "CA", 0),
                &limited("CA", "Root", 5),
            ],
        )
        .fails(code::PATH_LENGTH_EXCEEDED),
        Case::new(
            "length beyond 32 bits",
            "§4.2.1.9",
            &leaf(),
            &[&limited("CA", "Root", 0x7fff_ffff)],
        ),
        Case::new(
            "length 0 of the trust anchor above an authority",
            "RFC 5937 §3.2",
            &leaf(),
            &[&ca()],
        )
        .below(&[&limited("Root", "Root", 0)])
        .fails(code::PATH_LENGTH_EXCEEDED),
        Case::new(
            "length 0 of the trust anchor above the leaf",
            "RFC 5937 §3.2",
            &Cert::leaf("Leaf", "Root"),
            &[],
        )
        .below(&[&limited("Root", "Root", 0)]),
    ]
}

fn purposes_of_paths() -> Vec<Case> {
    let server = |case: Case| {
        case.change(|case| case.purpose = Purpose::ExtendedKeyUsage(SERVER.parse().unwrap()))
    };
    let stamping = |case: Case| case.change(|case| case.purpose = Purpose::TimeStamping);
    let sole = |c: Cert| c.with(purposes(&[STAMPING]).critical(true));
    assert_eq!(STAMPING.parse(), Ok(known::KP_TIME_STAMPING));
    vec![
        server(three("purpose named", "§4.2.1.12", same, |c| c.with(purposes(&[CLIENT, SERVER])))),
        server(three("no purpose named", "§4.2.1.12", same, same)),
        server(three("another purpose named", "§4.2.1.12", same, |c| c.with(purposes(&[CLIENT]))))
            .fails(code::EXTENDED_KEY_USAGE_MISSING),
        server(three("any purpose named", "§4.2.1.12", same, |c| c.with(purposes(&[ANY]))))
            .differs("OpenSSL does not take anyExtendedKeyUsage for the purpose; RFC 5280 §4.2.1.12 leaves it to the application, and here it is what it says"),
        server(three("authority for another purpose", "§4.2.1.12", |c| c.with(purposes(&[CLIENT])), |c| c.with(purposes(&[SERVER]))))
            .fails(code::EXTENDED_KEY_USAGE_CA),
        server(three("authority for this purpose", "§4.2.1.12", |c| c.with(purposes(&[SERVER])), |c| c.with(purposes(&[SERVER])))),
        three("empty list of purposes", "§4.2.1.12", same, |c| c.with(purposes(&[])))
            .fails_as(code::EXTENSION_MALFORMED, verifier::verdict::SubIndication::CertificateChainGeneralFailure)
            .differs("OpenSSL takes an empty list for no purpose at all and reads it only where it is asked for one; RFC 5280 demands one member"),
        stamping(three("time-stamping", "RFC 3161 §2.3", same, sole)),
        stamping(three("time-stamping that is not critical", "RFC 3161 §2.3", same, |c| c.with(purposes(&[STAMPING]))))
            .fails(code::EXTENDED_KEY_USAGE_NOT_CRITICAL),
        stamping(three("time-stamping and more", "RFC 3161 §2.3", same, |c| c.with(purposes(&[STAMPING, SERVER]).critical(true))))
            .fails(code::EXTENDED_KEY_USAGE_NOT_SOLE),
        stamping(three("time-stamping twice", "RFC 3161 §2.3", same, |c| c.with(purposes(&[STAMPING, STAMPING]).critical(true)))),
        stamping(three("no purpose for time-stamping", "RFC 3161 §2.3", same, same)).fails(code::EXTENDED_KEY_USAGE_MISSING),
        stamping(three("time-stamping with a key for encryption", "§4.2.1.3", same, |c| sole(c).with(usage(KEY_ENCIPHERMENT))))
            .fails(code::KEY_USAGE_NOT_SIGNATURE),
        stamping(three("time-stamping below an authority for servers", "§4.2.1.12", |c| c.with(purposes(&[SERVER])), sole))
            .fails(code::EXTENDED_KEY_USAGE_CA)
            .differs("OpenSSL asks of authorities for time-stamping nothing but that they are authorities"),
    ]
}
