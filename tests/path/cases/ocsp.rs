//! OCSP responses (RFC 6960). `openssl verify` does not read them.

use time::Duration;
use verifier::finding::path as code;
use verifier::finding::revocation as revocation_code;
use verifier::verdict::SubIndication as Sub;

use super::*;
use crate::der::*;
use crate::make::{AFTER, BEFORE, END, NOW, Ocsp, START, Says};

const SIGNING: &str = "1.3.6.1.5.5.7.3.9";

/// A leaf below the root with this response.
fn with(name: &'static str, clause: &'static str, change: impl FnOnce(Ocsp) -> Ocsp) -> Case {
    let target = target();
    let response = change(Ocsp::about(&target, "Root", Says::Good));
    Case::new(name, clause, &target, &[]).ocsp(&[&response])
}

fn target() -> Cert {
    Cert::leaf("Leaf", "Root")
}

fn responder() -> Cert {
    Cert::leaf("Responder", "Root")
        .with(purposes(&[SIGNING]))
        .with(no_check())
}

fn unknown(case: Case, code: verifier::finding::Code) -> Case {
    case.stays_open(code, Sub::TryLater)
}

fn revoked(case: Case) -> Case {
    case.fails_as(code::CERTIFICATE_REVOKED, Sub::Revoked)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = answers();
    cases.extend(times());
    cases.extend(responders());
    cases
}

fn answers() -> Vec<Case> {
    let says = |says| move |ocsp: Ocsp| ocsp.change(|ocsp| ocsp.says = says);
    let listed = Crl::of("Root").revokes(&target(), BEFORE, &[]);
    let good = Ocsp::about(&target(), "Root", Says::Good);
    let other = Ocsp::about(&Cert::leaf("Other", "Root"), "Root", Says::Good);
    let namesake =
        Ocsp::about(&target(), "CA", Says::Good).change(|ocsp| "Root".clone_into(&mut ocsp.signer));
    vec![
        with("good by the issuer", "RFC 6960 §4.2.2.2", same_answer),
        revoked(with(
            "revoked by the issuer",
            "RFC 6960 §2.2",
            says(Says::Revoked(BEFORE, Some(4))),
        )),
        revoked(with(
            "revoked without a reason",
            "RFC 6960 §2.2",
            says(Says::Revoked(BEFORE, None)),
        )),
        revoked(with(
            "on hold",
            "RFC 6960 §2.2",
            says(Says::Revoked(BEFORE, Some(6))),
        )),
        unknown(
            with(
                "unknown to the responder",
                "RFC 6960 §2.2",
                says(Says::Unknown),
            ),
            revocation_code::OCSP_STATUS_UNKNOWN,
        ),
        unknown(
            Case::new(
                "about another certificate",
                "RFC 6960 §3.2 (1)",
                &target(),
                &[],
            )
            .ocsp(&[&other]),
            revocation_code::OCSP_OTHER_CERTIFICATE,
        ),
        unknown(
            Case::new(
                "about the number under another issuer",
                "RFC 6960 §3.2 (1)",
                &target(),
                &[],
            )
            .ocsp(&[&namesake]),
            revocation_code::OCSP_OTHER_CERTIFICATE,
        ),
        revoked(
            Case::new("good by OCSP, revoked by the CRL", "§6.3", &target(), &[])
                .crls(&[&listed])
                .ocsp(&[&good]),
        ),
        unknown(
            with("signature broken", "RFC 6960 §3.2 (2)", |ocsp| {
                ocsp.change(|ocsp| ocsp.broken = true)
            }),
            revocation_code::OCSP_SIGNATURE_INVALID,
        ),
        unknown(
            with(
                "critical extension nobody knows in a response",
                "RFC 6960 §4.4",
                |ocsp| ocsp.change(|ocsp| ocsp.extensions = vec![strange(true)]),
            ),
            revocation_code::OCSP_UNKNOWN_CRITICAL,
        ),
        unknown(
            with(
                "critical extension nobody knows in an answer",
                "RFC 6960 §4.4",
                |ocsp| ocsp.change(|ocsp| ocsp.single_extensions = vec![strange(true)]),
            ),
            revocation_code::OCSP_UNKNOWN_CRITICAL,
        ),
    ]
}

fn same_answer(ocsp: Ocsp) -> Ocsp {
    ocsp
}

fn times() -> Vec<Case> {
    let at = |this, next, produced| {
        move |ocsp: Ocsp| {
            ocsp.change(|ocsp| {
                ocsp.this = this;
                ocsp.next = next;
                ocsp.produced = produced;
            })
        }
    };
    let late = END + Duration::weeks(1);
    let known = |case: Case| case.change(|case| case.known_until = Some(late));
    let remembers = |since| {
        move |ocsp: Ocsp| {
            at(late, None, late)(ocsp)
                .change(|ocsp| ocsp.single_extensions = vec![archive_cutoff(since)])
        }
    };
    vec![
        unknown(
            with(
                "newer answer was due",
                "RFC 6960 §3.2 (6)",
                at(START, Some(BEFORE), START),
            ),
            revocation_code::OCSP_OUT_OF_DATE,
        ),
        unknown(
            with(
                "newer answer is always there",
                "RFC 6960 §4.2.2.1",
                at(BEFORE, None, BEFORE),
            ),
            revocation_code::OCSP_WITHOUT_NEXT_UPDATE,
        ),
        unknown(
            with(
                "answer from the future",
                "RFC 6960 §3.2 (5)",
                at(AFTER, None, AFTER),
            ),
            revocation_code::OCSP_NOT_YET_ISSUED,
        ),
        unknown(
            with(
                "produced in the future",
                "RFC 6960 §3.2 (5)",
                at(BEFORE, Some(AFTER), AFTER),
            ),
            revocation_code::OCSP_NOT_YET_ISSUED,
        ),
        unknown(
            with(
                "next update before its own time",
                "RFC 6960 §4.2.2.1",
                at(BEFORE, Some(START), BEFORE),
            ),
            revocation_code::OCSP_TIMES_CONTRADICT,
        ),
        known(with(
            "good later, known now",
            "EN 319 102-1 §5.2.5",
            at(AFTER, None, AFTER),
        )),
        known(unknown(
            with(
                "good after the end of the certificate",
                "RFC 6960 §4.4.4",
                at(late, None, late),
            ),
            revocation_code::OCSP_AFTER_CERTIFICATE,
        )),
        known(with(
            "good after the end, remembered",
            "RFC 6960 §4.4.4",
            remembers(START),
        )),
        known(unknown(
            with(
                "good after the end, forgotten",
                "RFC 6960 §4.4.4",
                remembers(late),
            ),
            revocation_code::OCSP_AFTER_CERTIFICATE,
        )),
        known(with(
            "revoked after the time in question",
            "EN 319 102-1 §5.2.6.4",
            |ocsp| {
                at(AFTER, None, AFTER)(ocsp)
                    .change(|ocsp| ocsp.says = Says::Revoked(NOW + Duration::DAY, Some(4)))
            },
        ))
        .notes(revocation_code::REVOKED_LATER),
    ]
}

fn responders() -> Vec<Case> {
    let by = |certificate: Cert| move |ocsp: Ocsp| ocsp.by("Responder", &certificate);
    let wrong = revocation_code::OCSP_RESPONDER_NOT_AUTHORIZED;
    let invalid = revocation_code::OCSP_RESPONDER_INVALID;
    let by_name = |ocsp: Ocsp| {
        ocsp.by("Responder", &responder())
            .change(|ocsp| ocsp.by_name = Some(cn("Responder")))
    };
    let asked = responder().without("1.3.6.1.5.5.7.48.1.5");
    let stranger = Cert::leaf("Responder", "Stranger")
        .with(purposes(&[SIGNING]))
        .with(no_check());
    vec![
        with("good by a delegate", "RFC 6960 §4.2.2.2", by(responder())),
        with("good by a delegate, by name", "RFC 6960 §4.2.2.2", by_name),
        unknown(
            with(
                "delegate without the purpose",
                "RFC 6960 §4.2.2.2",
                by(responder().without(EKU)),
            ),
            revocation_code::OCSP_RESPONDER_UNKNOWN,
        ),
        unknown(
            with(
                "delegate for any purpose",
                "RFC 6960 §4.2.2.2",
                by(responder().with(purposes(&["2.5.29.37.0"]))),
            ),
            wrong,
        ),
        unknown(
            with("delegate of a stranger", "RFC 6960 §4.2.2.2", by(stranger)),
            wrong,
        ),
        unknown(
            with(
                "delegate without digitalSignature",
                "§4.2.1.3",
                by(responder().with(usage(KEY_CERT_SIGN))),
            ),
            wrong,
        ),
        unknown(
            with(
                "delegate that was expired",
                "RFC 6960 §4.2.2.2",
                by(responder().valid(START, BEFORE - Duration::DAY)),
            ),
            invalid,
        ),
        unknown(
            with(
                "delegate whose status nobody knows",
                "RFC 6960 §4.2.2.2.1",
                by(asked.clone()),
            ),
            invalid,
        ),
        Case::new(
            "delegate whose status a CRL tells",
            "RFC 6960 §4.2.2.2.1",
            &target(),
            &[],
        )
        .crls(&[&of_root()])
        .ocsp(&[&Ocsp::about(&target(), "Root", Says::Good).by("Responder", &asked)]),
        unknown(
            with(
                "responder without its certificate",
                "RFC 6960 §3.2 (3)",
                |ocsp| ocsp.change(|ocsp| "Responder".clone_into(&mut ocsp.signer)),
            ),
            revocation_code::OCSP_RESPONDER_UNKNOWN,
        ),
        unknown(
            with(
                "the certificate in question answers for itself",
                "RFC 6960 §4.2.2.2",
                |ocsp| ocsp.by("Leaf", &target()),
            ),
            revocation_code::OCSP_RESPONDER_UNKNOWN,
        ),
    ]
}
