//! The scope of CRLs: distribution points, parts, indirect and delta CRLs (§5.2.4, §5.2.5, §6.3.3 (b) to (l)).

use verifier::finding::path as code;
use verifier::finding::revocation as revocation_code;
use verifier::verdict::SubIndication as Sub;

use super::*;
use crate::der::*;
use crate::make::*;

const HERE: &str = "http://ca.example/part.crl";

/// A chain whose leaf is changed, with the root's CRL and these.
fn with(
    name: &'static str,
    clause: &'static str,
    change: impl FnOnce(Cert) -> Cert,
    crls: &[&Crl],
) -> Case {
    let root = of_root();
    let mut all = vec![&root];
    all.extend(crls);
    three(name, clause, same, change).crls(&all)
}

fn revoked(case: Case) -> Case {
    case.fails_as(code::CERTIFICATE_REVOKED, Sub::Revoked)
}

fn out_of_scope(case: Case) -> Case {
    case.stays_open(revocation_code::CRL_OUT_OF_SCOPE, Sub::TryLater)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = parts();
    cases.extend(reasons());
    cases.extend(indirect());
    cases.extend(deltas());
    cases
}

fn parts() -> Vec<Case> {
    let part = |members: &[Vec<u8>]| Crl::of("CA").with(scope(members));
    let point = |c: Cert| c.with(point_at(&[uri(HERE)], None, None));
    let named = scope_name(&uri(HERE));
    let authority = |c: Cert| c.with(basic(true, None)).with(usage(KEY_CERT_SIGN));
    vec![
        with("for users only, a user", "§6.3.3 (b)(2)(ii)", same, &[&part(&[scope_flag(1)])]),
        out_of_scope(with("for users only, an authority", "§6.3.3 (b)(2)(ii)", authority, &[&part(&[scope_flag(1)])])),
        out_of_scope(with("for authorities only, a user", "§6.3.3 (b)(2)(iii)", same, &[&part(&[scope_flag(2)])])),
        with("for authorities only, an authority", "§6.3.3 (b)(2)(iii)", authority, &[&part(&[scope_flag(2)])]),
        out_of_scope(with("for attribute certificates only", "§6.3.3 (b)(2)(iv)", same, &[&part(&[scope_flag(5)])])),
        with("point of that name", "§6.3.3 (b)(2)(i)", point, &[&part(std::slice::from_ref(&named))]),
        out_of_scope(with("point of another name", "§6.3.3 (b)(2)(i)", point, &[&part(&[scope_name(&uri("http://ca.example/other.crl"))])])),
        out_of_scope(with("named part, certificate without a point", "§6.3.3 (b)(2)(i)", same, &[&part(std::slice::from_ref(&named))])),
        with("certificate with a point, full CRL", "§6.3.3 (b)", point, &[&Crl::of("CA")]),
        revoked(with("revoked in the part", "§6.3.3 (j)", point, &[&part(&[named]).revokes(&leaf(), BEFORE, &[])])),
        with("part named by the issuer's name", "§6.3.3", same, &[&part(&[scope_name(&directory(&cn("CA")))])])
            .differs("OpenSSL looks for the name among the points of the certificate; RFC 5280 §6.3.3 adds a point with the issuer's name"),
    ]
}

fn reasons() -> Vec<Case> {
    // Bits 1 to 8 of ReasonFlags: keyCompromise and cACompromise, and the rest.
    let some = Crl::of("CA").with(scope(&[tlv(0x83, &[5, 0x60])]));
    let rest = Crl::of("CA").with(scope(&[tlv(0x83, &[7, 0x1f, 0x80])]));
    let point = |c: Cert| c.with(point_at(&[uri(HERE)], Some(&[5, 0x60]), None));
    vec![
        with("some of the reasons", "§6.3.3 (l)", same, &[&some])
            .stays_open(revocation_code::CRL_REASONS_INCOMPLETE, Sub::TryLater),
        with(
            "all reasons in two CRLs",
            "§6.3.3 (l)",
            same,
            &[&some, &rest],
        ),
        revoked(with(
            "revoked in the second part",
            "§6.3.3 (l)",
            same,
            &[&some, &rest.clone().revokes(&leaf(), BEFORE, &[reason(4)])],
        )),
        with(
            "point for some of the reasons",
            "§6.3.3 (d)",
            point,
            &[&Crl::of("CA")],
        ).differs("OpenSSL asks the points of the certificate alone; RFC 5280 §6.3.3 adds one with the issuer's name, for every reason"),
    ]
}

fn indirect() -> Vec<Case> {
    let lists = Cert::ca("Lists", "Root")
        .with(usage(CRL_SIGN))
        .with(basic(false, None));
    let point = point_at(&[], None, Some(&cn("Lists")));
    let target = leaf().with(point.clone());
    let whole = || Crl::of("Lists").with(scope(&[scope_flag(4)]));
    let root = of_root();
    let case = |name, crl: &Crl| {
        Case::new(name, "§5.2.5, §5.3.3", &target, &[&ca(), &lists]).crls(&[&root, crl])
    };
    let mine = [certificate_issuer(&cn("CA"))];
    vec![
        case("indirect CRL", &whole()),
        revoked(case(
            "revoked in an indirect CRL",
            &whole().revokes(&target, BEFORE, &mine),
        )),
        case(
            "the serial number of its own in an indirect CRL",
            &whole().revokes(&target, BEFORE, &[]),
        ),
        revoked(case(
            "issuer that holds for the entries below",
            &whole()
                .lists(&[0x10], BEFORE, &mine)
                .revokes(&target, BEFORE, &[]),
        )),
        case(
            "issuer that changes before the entry",
            &whole().lists(&[0x10], BEFORE, &mine).revokes(
                &target,
                BEFORE,
                &[certificate_issuer(&cn("Other"))],
            ),
        ),
        case("CRL of the other that is not indirect", &Crl::of("Lists"))
            .stays_open(revocation_code::REVOCATION_UNKNOWN, Sub::TryLater),
        Case::new(
            "indirect CRL that no point names",
            "§6.3.3 (b)(1)",
            &leaf(),
            &[&ca(), &lists],
        )
        .crls(&[&root, &whole()])
        .stays_open(revocation_code::REVOCATION_UNKNOWN, Sub::TryLater),
    ]
}

fn deltas() -> Vec<Case> {
    let base = Crl::of("CA");
    let change = |number| {
        Crl::of("CA")
            .with(crl_number(number))
            .with(delta(5))
            .at(BEFORE + time::Duration::DAY, Some(AFTER))
    };
    let held = Crl::of("CA").revokes(&leaf(), BEFORE, &[reason(6)]);
    let released = change(7).revokes(&leaf(), BEFORE, &[reason(8)]);
    let only = "OpenSSL wants the extension freshestCRL in certificate or base before it looks at a delta CRL";
    vec![
        with(
            "delta that adds nothing",
            "§6.3.3 (c)",
            same,
            &[&base, &change(7)],
        ),
        revoked(with(
            "revoked in the delta",
            "§6.3.3 (i)",
            same,
            &[&base, &change(7).revokes(&leaf(), BEFORE, &[])],
        ))
        .differs(only),
        with(
            "released by the delta",
            "§6.3.3 (k)",
            same,
            &[&held, &released],
        )
        .differs(only),
        revoked(with("on hold, and no delta", "§5.3.1", same, &[&held])),
        with("delta alone", "§5.2.4", same, &[&change(7)])
            .stays_open(revocation_code::CRL_DELTA_WITHOUT_BASE, Sub::TryLater),
        revoked(with(
            "delta for a newer base does not release",
            "§5.2.4",
            same,
            &[&held, &released.clone().with(delta(6))],
        )),
        revoked(with(
            "delta older than the base does not release",
            "§5.2.4",
            same,
            &[&held, &released.clone().with(crl_number(4)).with(delta(3))],
        )),
        revoked(with(
            "delta of another scope does not release",
            "§6.3.3 (c)(2)",
            same,
            &[&held, &released.clone().with(scope(&[scope_flag(1)]))],
        )),
        revoked(with(
            "delta by a stranger does not release",
            "§6.3.3 (c)(3)",
            same,
            &[&held, &released.signed_by("Mallory")],
        )),
    ]
}
