//! Everything that an OCSP response can be wrong about, and what is told then.

use crate::ocsp::{Case, hours};
use crate::ocsp_response::*;
use crate::revocation::BEFORE;
use crate::support::*;
use verifier::finding::{Code, revocation as revocation_code};
use verifier::verdict::SubIndication;

type Row = (&'static str, Box<dyn Fn(&Case) -> Vec<Vec<u8>>>, Code);

fn row(name: &'static str, make: impl Fn(&Case) -> Vec<u8> + 'static, code: Code) -> Row {
    (name, Box::new(move |case| vec![make(case)]), code)
}

/// Everything that a response can be wrong about, and what is told then.
fn wrong_ones() -> Vec<Row> {
    use revocation_code::*;
    let mut rows = about_the_answer();
    rows.extend(about_the_responder());
    rows.extend(about_the_path_of_the_responder());
    rows.extend([
        row(
            "cut off",
            |c| {
                let mut r = c.answered(|_| ());
                r.pop();
                r
            },
            OCSP_MALFORMED,
        ),
        row(
            "one byte more",
            |c| {
                let mut r = c.answered(|_| ());
                r.push(0);
                r
            },
            OCSP_MALFORMED,
        ),
        row("garbage", |_| b"<html>".to_vec(), OCSP_MALFORMED),
        row("empty", |_| Vec::new(), OCSP_MALFORMED),
        row(
            "no answers",
            |c| c.designated(|_| (), |_| (), |r| r.answers.clear()),
            OCSP_MALFORMED,
        ),
        row("try later", |_| status_only(3), OCSP_NO_ANSWER),
        row("unauthorized", |_| status_only(6), OCSP_NO_ANSWER),
        row("malformed request", |_| status_only(1), OCSP_NO_ANSWER),
        row(
            "critical extension",
            |c| c.designated(|_| (), |_| (), |r| r.strange = true),
            OCSP_UNKNOWN_CRITICAL,
        ),
    ]);
    rows
}

fn about_the_answer() -> Vec<Row> {
    use revocation_code::*;
    vec![
        row(
            "another serial number",
            |c| c.answered(|a| a.serial = 78),
            OCSP_OTHER_CERTIFICATE,
        ),
        row(
            "another issuer of the same name",
            |c| c.answered(|a| a.issuer = root().der().to_vec()),
            OCSP_OTHER_CERTIFICATE,
        ),
        row(
            "another issuer",
            |c| c.answered(|a| a.issuer = c.stranger.certificate.clone()),
            OCSP_OTHER_CERTIFICATE,
        ),
        row(
            "unknown",
            |c| c.answered(|a| a.status = Status::Unknown),
            OCSP_STATUS_UNKNOWN,
        ),
        row(
            "stale",
            |c| c.answered(|a| a.next_update = Some(BEFORE + hours(1))),
            OCSP_OUT_OF_DATE,
        ),
        row(
            "old, without next update",
            |c| c.answered(|a| a.next_update = None),
            OCSP_WITHOUT_NEXT_UPDATE,
        ),
        row(
            "of the future",
            |c| c.answered(|a| a.this_update = NOW + hours(1)),
            OCSP_NOT_YET_ISSUED,
        ),
        row(
            "made in the future",
            |c| c.designated(|_| (), |_| (), |r| r.produced_at = NOW + hours(1)),
            OCSP_NOT_YET_ISSUED,
        ),
        row(
            "times contradict",
            |c| c.answered(|a| a.next_update = Some(BEFORE - hours(1))),
            OCSP_TIMES_CONTRADICT,
        ),
    ]
}

fn about_the_responder() -> Vec<Row> {
    use revocation_code::*;
    vec![
        row(
            "signed by a stranger",
            |c| c.response(vec![c.answer()]).signed_by(&c.stranger),
            OCSP_RESPONDER_UNKNOWN,
        ),
        row(
            "a stranger with certificate",
            |c| {
                let certificates = vec![c.stranger.certificate.clone()];
                Response {
                    certificates,
                    ..c.response(vec![c.answer()])
                }
                .signed_by(&c.stranger)
            },
            OCSP_RESPONDER_NOT_AUTHORIZED,
        ),
        row(
            "in the issuer's name by a stranger",
            |c| {
                let name = Responder {
                    certificate: c.issuer.clone(),
                    key: key(),
                };
                c.response(vec![c.answer()]).signed_by(&name)
            },
            OCSP_SIGNATURE_INVALID,
        ),
        row(
            "designated without purpose",
            |c| {
                c.designated(
                    |p| {
                        p.custom_extensions.remove(0);
                    },
                    |_| (),
                    |_| (),
                )
            },
            OCSP_RESPONDER_NOT_AUTHORIZED,
        ),
        row(
            "designated for time-stamps",
            |c| {
                c.designated(
                    |p| p.custom_extensions[0] = purposes(false, &[8]),
                    |_| (),
                    |_| (),
                )
            },
            OCSP_RESPONDER_NOT_AUTHORIZED,
        ),
        row(
            "key not for signing",
            |c| {
                c.designated(
                    |p| p.key_usages = vec![rcgen::KeyUsagePurpose::KeyAgreement],
                    |_| (),
                    |_| (),
                )
            },
            OCSP_RESPONDER_NOT_AUTHORIZED,
        ),
    ]
}

fn about_the_path_of_the_responder() -> Vec<Row> {
    use revocation_code::*;
    vec![
        row(
            "expired responder",
            |c| c.designated(|p| p.not_after = BEFORE - hours(1), |_| (), |_| ()),
            OCSP_RESPONDER_INVALID,
        ),
        row(
            "responder not yet valid",
            |c| c.designated(|p| p.not_before = BEFORE + hours(1), |_| (), |_| ()),
            OCSP_RESPONDER_INVALID,
        ),
        row(
            "designated by a subordinate",
            |c| {
                let below = below(&c.inner.root, ca("CA"));
                let responder = responder(&below, |_| ());
                let certificates = vec![responder.certificate.clone(), below.der().to_vec()];
                Response {
                    certificates,
                    ..c.response(vec![c.answer()])
                }
                .signed_by(&responder)
            },
            OCSP_RESPONDER_NOT_AUTHORIZED,
        ),
        row(
            "answers for himself",
            |c| {
                let responder = Responder {
                    certificate: c.inner.target.clone(),
                    key: key(),
                };
                c.response(vec![c.answer()]).signed_by(&responder)
            },
            OCSP_RESPONDER_UNKNOWN,
        ),
        row(
            "tampered answer",
            |c| {
                let mut response = c.answered(|a| a.status = Status::Unknown);
                let position = response
                    .windows(2)
                    .position(|two| two == [0x82, 0x00])
                    .unwrap();
                response[position] = 0x80;
                response
            },
            OCSP_SIGNATURE_INVALID,
        ),
        row(
            "its revocation is not told",
            |c| {
                c.designated(
                    |p| {
                        p.custom_extensions.pop();
                        p.crl_distribution_points = vec![rcgen::CrlDistributionPoint {
                            uris: vec!["http://crl.example/".into()],
                        }];
                    },
                    |_| (),
                    |_| (),
                )
            },
            OCSP_RESPONDER_INVALID,
        ),
    ]
}

#[test]
fn a_wrong_response_is_told_and_does_not_pass() {
    let case = Case::new();
    let rows = wrong_ones();
    assert!(rows.len() >= 20);
    for (name, make, code) in rows {
        println!("{name}");
        let responses = make(&case);
        let outcome = case.judge(&responses, &[], |_| ());
        let unknown = SubIndication::TryLater;
        refuses(&outcome, code, unknown, false);
        refuses(
            &outcome,
            revocation_code::REVOCATION_UNKNOWN,
            unknown,
            false,
        );
        // Beside a right one it does no harm.
        let both = [responses, vec![case.answered(|_| ())]].concat();
        passes(&case.judge(&both, &[], |_| ()));
    }
}
