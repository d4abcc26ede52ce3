//! OCSP responses: who may answer, about what, and when.

use crate::ocsp_response::*;
use crate::revocation::{AFTER, BEFORE, LATER, Revocation, crl};
use crate::support::*;
use formats::digest::DigestAlgorithm;
use rcgen::{RevocationReason, RevokedCertParams, SerialNumber};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use verifier::finding::{path as code, revocation as revocation_code};
use verifier::path::{Material, PathOptions, PathOutcome, Purpose};
use verifier::policy::RevocationRule;
use verifier::verdict::SubIndication;

/// The certificate of [`Revocation`], whose serial number is 77, and everything that may answer about it.
pub(crate) struct Case {
    pub(crate) inner: Revocation,
    pub(crate) issuer: Vec<u8>,
    pub(crate) stranger: Responder,
}

impl Case {
    pub(crate) fn new() -> Self {
        let inner = Revocation::new();
        let stranger = responder(&root(), |params| {
            params
                .distinguished_name
                .push(rcgen::DnType::OrganizationName, "Else");
        });
        let issuer = inner.root.der().to_vec();
        Self {
            inner,
            issuer,
            stranger,
        }
    }

    pub(crate) fn answer(&self) -> Answer {
        Answer {
            hash: DigestAlgorithm::Sha1,
            issuer: self.issuer.clone(),
            serial: 77,
            status: Status::Good,
            this_update: BEFORE,
            next_update: Some(AFTER),
            archive_cutoff: None,
        }
    }

    pub(crate) fn response(&self, answers: Vec<Answer>) -> Response {
        Response {
            answers,
            produced_at: BEFORE,
            by_key: false,
            certificates: Vec::new(),
            strange: false,
        }
    }

    /// A response by a responder that the issuer designated, after changes.
    pub(crate) fn designated(
        &self,
        params: impl FnOnce(&mut rcgen::CertificateParams),
        answer: impl FnOnce(&mut Answer),
        response: impl FnOnce(&mut Response),
    ) -> Vec<u8> {
        let responder = responder(&self.inner.root, params);
        let mut one = self.answer();
        answer(&mut one);
        let mut made = self.response(vec![one]);
        made.certificates = vec![responder.certificate.clone()];
        response(&mut made);
        made.signed_by(&responder)
    }

    pub(crate) fn answered(&self, answer: impl FnOnce(&mut Answer)) -> Vec<u8> {
        self.designated(|_| (), answer, |_| ())
    }

    pub(crate) fn judge(
        &self,
        responses: &[Vec<u8>],
        crls: &[Vec<u8>],
        change: impl FnOnce(&mut PathOptions<'_>),
    ) -> PathOutcome {
        let material = Material {
            ocsp_responses: responses.iter().map(Vec::as_slice).collect(),
            crls: crls.iter().map(Vec::as_slice).collect(),
            ..Material::default()
        };
        let mut options = PathOptions::default();
        change(&mut options);
        judge_with(
            &self.inner.target,
            &material,
            &anchor(&self.inner.root),
            NOW,
            &options,
        )
    }

    fn passes(&self, response: Vec<u8>) {
        let outcome = self.judge(&[response], &[], |_| ());
        passes(&outcome);
        assert!(codes(&outcome).contains(&revocation_code::REVOCATION_CHECKED_OCSP));
    }
}

pub(crate) fn hours(count: i64) -> Duration {
    Duration::hours(count)
}

#[test]
fn a_right_answer_passes_however_it_is_named() {
    let case = Case::new();
    for hash in [
        DigestAlgorithm::Sha1,
        DigestAlgorithm::Sha256,
        DigestAlgorithm::Sha512,
    ] {
        case.passes(case.answered(|answer| answer.hash = hash));
    }
    for by_key in [false, true] {
        case.passes(case.designated(|_| (), |_| (), |response| response.by_key = by_key));
        // The issuer itself.
        let own = Response {
            by_key,
            ..case.response(vec![case.answer()])
        };
        let name = Responder {
            certificate: case.issuer.clone(),
            key: key(),
        };
        case.passes(own.signed_with(&name, case.inner.root.key()));
    }
    // Later material also answers, and better.
    let later = case.designated(
        |_| (),
        |answer| (answer.this_update, answer.next_update) = (AFTER, None),
        |response| response.produced_at = AFTER,
    );
    passes(&case.judge(&[later], &[], |options| options.material_time = Some(LATER)));
    // A responder that has ended since answers for what it said before.
    case.passes(case.designated(
        |params| params.not_after = BEFORE + hours(1),
        |_| (),
        |_| (),
    ));
    // One of several answers.
    let mut others = vec![case.answer(); 3];
    others[0].serial = 1;
    others[2].serial = 2;
    case.passes(case.designated(|_| (), |_| (), |response| response.answers = others));
}

fn revoked(time: OffsetDateTime, reason: Option<u8>) -> Status {
    Status::Revoked(time, reason)
}

#[test]
fn any_revocation_wins() {
    let case = Case::new();
    let bad = case.answered(|answer| answer.status = revoked(START, Some(4)));
    let good = case.answered(|_| ());
    let good_crl = crl(&case.inner.root, BEFORE, AFTER, None);
    for (responses, crls) in [
        (vec![bad.clone()], vec![]),
        (vec![good.clone(), bad.clone()], vec![]),
        (vec![bad.clone(), good.clone()], vec![]),
        (vec![bad], vec![good_crl]),
    ] {
        let outcome = case.judge(&responses, &crls, |_| ());
        refuses(
            &outcome,
            code::CERTIFICATE_REVOKED,
            SubIndication::Revoked,
            true,
        );
    }
    let entry = RevokedCertParams {
        serial_number: SerialNumber::from(77_u64),
        revocation_time: START,
        reason_code: Some(RevocationReason::Superseded),
        invalidity_date: None,
    };
    let bad_crl = crl(&case.inner.root, BEFORE, AFTER, Some(entry));
    let outcome = case.judge(&[good], &[bad_crl], |_| ());
    refuses(
        &outcome,
        code::CERTIFICATE_REVOKED,
        SubIndication::Revoked,
        true,
    );
    // Two answers about the same certificate in one response.
    let mut two = vec![case.answer(); 2];
    two[1].status = revoked(START, None);
    let both = case.designated(|_| (), |_| (), |response| response.answers = two);
    let outcome = case.judge(&[both], &[], |_| ());
    refuses(
        &outcome,
        code::CERTIFICATE_REVOKED,
        SubIndication::Revoked,
        true,
    );
}

#[test]
fn a_hold_ends_with_a_later_good_answer() {
    let case = Case::new();
    let hold = case.answered(|answer| answer.status = revoked(START, Some(6)));
    let outcome = case.judge(std::slice::from_ref(&hold), &[], |_| ());
    refuses(
        &outcome,
        code::CERTIFICATE_REVOKED,
        SubIndication::Revoked,
        true,
    );
    let released = case.designated(
        |_| (),
        |answer| answer.this_update = BEFORE + hours(24),
        |response| response.produced_at = BEFORE + hours(24),
    );
    passes(&case.judge(&[hold.clone(), released], &[], |_| ()));
    let before = case.answered(|answer| answer.this_update = BEFORE - hours(24));
    let outcome = case.judge(&[hold, before], &[], |_| ());
    refuses(
        &outcome,
        code::CERTIFICATE_REVOKED,
        SubIndication::Revoked,
        true,
    );
}

#[test]
fn a_revocation_after_the_time_in_question_is_told() {
    let case = Case::new();
    let later = |reason| {
        case.designated(
            |_| (),
            |answer| {
                answer.status = revoked(AFTER, reason);
                (answer.this_update, answer.next_update) = (LATER, None);
            },
            |response| response.produced_at = LATER,
        )
    };
    let judge = |response: Vec<u8>, purpose: Purpose| {
        case.judge(&[response], &[], |options| {
            options.material_time = Some(LATER);
            options.purpose = purpose;
        })
    };
    let outcome = judge(later(Some(4)), Purpose::TimeStamping);
    passes(&outcome);
    assert!(codes(&outcome).contains(&revocation_code::REVOKED_LATER));
    // RFC 3161 §4: a compromised key reaches back.
    for reason in [Some(1), None] {
        let outcome = judge(later(reason), Purpose::TimeStamping);
        refuses(
            &outcome,
            code::CERTIFICATE_REVOKED,
            SubIndication::Revoked,
            true,
        );
        passes(&judge(later(reason), Purpose::Any));
    }
}

#[test]
fn after_the_end_of_the_certificate_only_a_remembering_responder_says_good() {
    let case = Case::new();
    let after = datetime!(2030-02-01 0:00 UTC);
    let response = |status: Status, cutoff: Option<OffsetDateTime>| {
        case.designated(
            |params| params.not_after = after + hours(24),
            |answer| {
                answer.status = status;
                (answer.this_update, answer.next_update) = (after, None);
                answer.archive_cutoff = cutoff;
            },
            |response| response.produced_at = after,
        )
    };
    let judge = |response: Vec<u8>| {
        case.judge(&[response], &[], |options| {
            options.material_time = Some(after + hours(1));
        })
    };
    let (later, unknown) = (after - hours(24), SubIndication::TryLater);
    for cutoff in [None, Some(later)] {
        let outcome = judge(response(Status::Good, cutoff));
        refuses(
            &outcome,
            revocation_code::OCSP_AFTER_CERTIFICATE,
            unknown,
            false,
        );
    }
    // A revocation is remembered by whoever tells it.
    let outcome = judge(response(revoked(START, Some(4)), None));
    refuses(
        &outcome,
        code::CERTIFICATE_REVOKED,
        SubIndication::Revoked,
        true,
    );
}

#[test]
fn information_since_the_signature_is_enough_for_it() {
    let case = Case::new();
    let stale = case.answered(|answer| answer.next_update = Some(BEFORE + hours(1)));
    let without = case.answered(|answer| answer.next_update = None);
    let stale_crl = crl(&case.inner.root, BEFORE, BEFORE + hours(1), None);
    for (responses, crls) in [
        (vec![stale], vec![]),
        (vec![without], vec![]),
        (vec![], vec![stale_crl]),
    ] {
        let judge =
            |signed_at| case.judge(&responses, &crls, |options| options.signed_at = signed_at);
        let outcome = judge(Some(BEFORE - hours(1)));
        passes(&outcome);
        assert!(codes(&outcome).contains(&revocation_code::REVOCATION_KNOWN_UNTIL));
        for signed_at in [None, Some(BEFORE + hours(1))] {
            let unknown = SubIndication::TryLater;
            refuses(
                &judge(signed_at),
                revocation_code::REVOCATION_UNKNOWN,
                unknown,
                false,
            );
        }
    }
}

#[test]
fn a_responder_without_exemption_is_asked_about() {
    let case = Case::new();
    let answered = |status: Option<Status>| {
        let responder = responder(&case.inner.root, |params| {
            params.custom_extensions.pop();
            params.serial_number = Some(SerialNumber::from(99_u64));
        });
        let mut response = case.response(vec![case.answer()]);
        response.certificates = vec![responder.certificate.clone()];
        let mut all = vec![response.signed_by(&responder)];
        all.extend(status.map(|status| {
            let about = Answer {
                serial: 99,
                status,
                ..case.answer()
            };
            let name = Responder {
                certificate: case.issuer.clone(),
                key: key(),
            };
            case.response(vec![about])
                .signed_with(&name, case.inner.root.key())
        }));
        all
    };
    let required = |responses: &[Vec<u8>]| {
        case.judge(responses, &[], |options| {
            options.revocation = RevocationRule::Required;
        })
    };
    passes(&case.judge(&answered(None), &[], |_| ()));
    let unknown = SubIndication::TryLater;
    let invalid = revocation_code::OCSP_RESPONDER_INVALID;
    refuses(&required(&answered(None)), invalid, unknown, false);
    passes(&required(&answered(Some(Status::Good))));
    for outcome in [
        required(&answered(Some(revoked(START, None)))),
        case.judge(&answered(Some(revoked(START, None))), &[], |_| ()),
    ] {
        refuses(&outcome, invalid, unknown, false);
    }
}
