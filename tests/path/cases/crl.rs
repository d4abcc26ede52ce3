//! CRLs: signature, time, entries (§5, §6.3).

use time::Duration;
use verifier::finding::path as code;
use verifier::finding::revocation as revocation_code;
use verifier::verdict::SubIndication as Sub;

use super::*;
use crate::der::*;
use crate::make::*;

/// The plain chain with the root's CRL and these of the authority.
fn with(name: &'static str, clause: &'static str, crls: &[&Crl]) -> Case {
    let root = of_root();
    let mut all = vec![&root];
    all.extend(crls);
    three(name, clause, same, same).crls(&all)
}

fn revoked(case: Case) -> Case {
    case.fails_as(code::CERTIFICATE_REVOKED, Sub::Revoked)
}

fn unknown(case: Case, code: verifier::finding::Code) -> Case {
    case.stays_open(code, Sub::TryLater)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = plain();
    cases.extend(times());
    cases.extend(entries());
    cases.extend(signers());
    cases
}

fn plain() -> Vec<Case> {
    let listed = Crl::of("CA").revokes(&leaf(), BEFORE, &[]);
    let authority = of_root().revokes(&ca(), BEFORE, &[]);
    let mut others = Crl::of("CA");
    for number in 1..200 {
        others = others.lists(&[0x10, number], BEFORE, &[]);
    }
    vec![
        with("nobody revoked", "§6.3.3", &[&Crl::of("CA")]),
        with("others revoked", "§6.3.3", &[&others]),
        revoked(with("leaf revoked", "§6.3.3 (j)", &[&listed])),
        three("authority revoked", "§6.3.3 (j)", same, same)
            .crls(&[&authority, &Crl::of("CA")])
            .fails_as(code::CERTIFICATE_REVOKED, Sub::RevokedCaNoPoe),
        unknown(
            with("no CRL for the leaf", "§6.3.3", &[]),
            revocation_code::REVOCATION_UNKNOWN,
        ),
        unknown(
            three("no CRL for the authority", "§6.3.3", same, same).crls(&[&Crl::of("CA")]),
            revocation_code::REVOCATION_UNKNOWN,
        ),
        with(
            "the serial number under another issuer",
            "§6.3.3 (b)(1)",
            &[
                &Crl::of("CA"),
                &Crl::of("Other").revokes(&leaf(), BEFORE, &[]),
            ],
        ),
        revoked(with(
            "a good CRL and a bad one",
            "§6.3.3",
            &[&Crl::of("CA"), &listed],
        ))
        .differs("OpenSSL asks one CRL of equal rank, the first; here any revocation counts"),
        with(
            "CRL of version 1",
            "§5.1.2.1",
            &[&{
                let mut old = Crl::of("CA");
                old.extensions.clear();
                old
            }],
        ),
    ]
}

fn times() -> Vec<Case> {
    let day = Duration::DAY;
    let listed = |at| Crl::of("CA").revokes(&leaf(), at, &[]);
    let later = |crl: Crl| crl.at(AFTER, Some(AFTER + Duration::weeks(4)));
    let known = |case: Case| case.change(|case| case.known_until = Some(AFTER + day));
    let not_in_time = "OpenSSL uses only what is current at -attime; here what was issued later answers too, and better";
    vec![
        unknown(with("newer CRL was due", "§6.3.3 (d)", &[&Crl::of("CA").at(START, Some(BEFORE))]), revocation_code::CRL_OUT_OF_DATE),
        unknown(with("no nextUpdate", "§5.1.2.5", &[&Crl::of("CA").at(BEFORE, None)]), revocation_code::CRL_WITHOUT_NEXT_UPDATE)
            .differs("OpenSSL takes a CRL without nextUpdate for current for ever; RFC 5280 §5.1.2.5 demands the field"),
        unknown(with("issued after the time in question", "§5.1.2.4", &[&later(Crl::of("CA"))]), revocation_code::CRL_NOT_YET_ISSUED),
        known(with("issued later, known now", "EN 319 102-1 §5.2.5", &[&later(Crl::of("CA"))])).differs(not_in_time),
        known(with("revoked later", "EN 319 102-1 §5.2.6.4", &[&later(listed(NOW + day))]))
            .notes(revocation_code::REVOKED_LATER)
            .differs(not_in_time),
        known(revoked(with("revoked before, told later", "§6.3.3 (j)", &[&later(listed(NOW - day))]))),
        revoked(with("listed with a date to come", "§6.3.3 (j)", &[&listed(AFTER)])),
        revoked(with("listed with a date before the certificate", "§6.3.3 (j)", &[&listed(START - day)])),
        revoked(with("revoked by a CRL that is out of date", "§5.3.1", &[&listed(BEFORE).at(START, Some(BEFORE))])),
        with("nextUpdate is this second", "§5.1.2.5", &[&Crl::of("CA").at(BEFORE, Some(NOW))])
            .differs("OpenSSL ends a CRL with the begin of that second"),
        with("thisUpdate is this second", "§5.1.2.4", &[&Crl::of("CA").at(NOW, Some(AFTER))]),
    ]
}

fn entries() -> Vec<Case> {
    let entry = |extensions: &[Extension]| Crl::of("CA").revokes(&leaf(), BEFORE, extensions);
    let other = |extensions: &[Extension]| Crl::of("CA").lists(&[0x10], BEFORE, extensions);
    let names = [
        "reason 0, unspecified",
        "reason 1, keyCompromise",
        "reason 2, cACompromise",
        "reason 3, affiliationChanged",
        "reason 4, superseded",
        "reason 5, cessationOfOperation",
        "reason 6, certificateHold",
        "reason 7, which is not used",
        "reason 8, removeFromCRL in a full CRL",
        "reason 9, privilegeWithdrawn",
        "reason 10, aACompromise",
    ];
    let mut cases: Vec<Case> = names
        .into_iter()
        .zip(0..)
        .map(|(name, number)| {
            let case = revoked(with(name, "§5.3.1", &[&entry(&[reason(number)])]));
            if number == 8 {
                case.differs("OpenSSL takes removeFromCRL for not listed in any CRL; RFC 5280 §5.3.1 knows it in delta CRLs only, and a list that says so is wrong")
            } else {
                case
            }
        })
        .collect();
    let since = Crl::of("CA")
        .at(AFTER, Some(AFTER + Duration::weeks(4)))
        .revokes(&leaf(), AFTER, &[reason(1), invalid_since(BEFORE)]);
    cases.extend([
        unknown(
            with(
                "critical entry extension nobody knows",
                "§5.3",
                &[&entry(&[strange(true)])],
            ),
            revocation_code::REVOCATION_UNKNOWN,
        ),
        unknown(
            with(
                "critical entry extension nobody knows, of another",
                "§5.3",
                &[&other(&[strange(true)])],
            ),
            revocation_code::REVOCATION_UNKNOWN,
        ),
        revoked(with(
            "entry extension nobody knows",
            "§5.3",
            &[&entry(&[strange(false)])],
        )),
        revoked(with(
            "listed twice",
            "§6.3.3 (j)",
            &[&Crl::of("CA")
                .revokes(&leaf(), BEFORE, &[reason(6)])
                .revokes(&leaf(), BEFORE, &[])],
        )),
        revoked(with(
            "invalid since before, revoked later",
            "§5.3.2",
            &[&since],
        ))
        .change(|case| case.known_until = Some(AFTER + Duration::DAY)),
        unknown(
            with(
                "critical extension nobody knows",
                "§5.2",
                &[&Crl::of("CA").with(strange(true))],
            ),
            revocation_code::CRL_UNKNOWN_CRITICAL,
        ),
        with(
            "extension nobody knows",
            "§5.2",
            &[&Crl::of("CA").with(strange(false))],
        ),
        unknown(
            with(
                "entry that cannot be read",
                "§5.1",
                &[&{
                    let mut crl = Crl::of("CA");
                    crl.entries = seq(&[octets(&[1]), time(BEFORE)]);
                    crl
                }],
            ),
            revocation_code::REVOCATION_UNKNOWN,
        ),
    ]);
    cases
}

fn signers() -> Vec<Case> {
    let mut broken = Crl::of("CA");
    broken.broken = true;
    let without_sign = ca().with(usage(KEY_CERT_SIGN));
    let second_key = Cert::ca("CA", "Root").keyed("CA lists");
    let listing = Crl::of("CA").signed_by("CA lists").with(aki("CA lists"));
    let root = of_root();
    vec![
        unknown(
            with("CRL signature broken", "§6.3.3 (g)", &[&broken]),
            revocation_code::CRL_SIGNATURE_INVALID,
        ),
        unknown(
            with(
                "CRL signed by a stranger",
                "§6.3.3 (f)",
                &[&Crl::of("CA").signed_by("Mallory")],
            ),
            revocation_code::CRL_SIGNATURE_INVALID,
        ),
        unknown(
            three(
                "CRL of an authority without cRLSign",
                "§6.3.3 (f)",
                |_| without_sign,
                same,
            )
            .crls(&[&root, &Crl::of("CA")]),
            revocation_code::REVOCATION_UNKNOWN,
        ),
        three(
            "CRL of an authority without key usage",
            "§6.3.3 (f)",
            |c| c.without(USAGE),
            same,
        )
        .crls(&[&root, &Crl::of("CA")]),
        Case::new(
            "CRL under a second key of the authority",
            "§6.3.3 (f)",
            &leaf(),
            &[&ca(), &second_key],
        )
        .crls(&[&root, &listing]),
        unknown(
            Case::new(
                "CRL under a second key below a stranger",
                "§6.3.3 (f)",
                &leaf(),
                &[
                    &ca(),
                    &Cert::ca("CA", "Stranger").keyed("CA lists"),
                    &Cert::ca("Stranger", "Stranger"),
                ],
            )
            .crls(&[&root, &listing]),
            revocation_code::CRL_ISSUER_UNTRUSTED,
        ),
    ]
}
