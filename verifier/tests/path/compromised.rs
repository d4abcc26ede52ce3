//! Keys of those who say what is revoked, compromised after the time in question; and lists that are badly made.

use crate::ocsp::Case;
use crate::ocsp_response::{Answer, Responder, Status, responder};
use crate::revocation::{AFTER, BEFORE, LATER, Revocation, crl, entry};
use crate::support::*;
use formats::der::{Integer, Reader, Tag, Writer};
use formats::oid;
use formats::x509::AlgorithmIdentifier;
use rcgen::{KeyUsagePurpose, RevocationReason, SerialNumber, SigningKey as _};
use time::OffsetDateTime;
use verifier::finding::{path as code, revocation as revocation_code};
use verifier::path::{Material, PathOptions, ProfileRule};
use verifier::verdict::SubIndication;

const KEY_COMPROMISE: u8 = 1;
const SUPERSEDED: u8 = 4;

/// The issuer's own answer about another certificate of it, given later.
fn later_answer(case: &Case, serial: u64, reason: u8) -> Vec<u8> {
    let about = Answer {
        serial,
        status: Status::Revoked(AFTER, Some(reason)),
        this_update: LATER,
        next_update: None,
        ..case.answer()
    };
    let mut response = case.response(vec![about]);
    response.produced_at = LATER;
    let issuer = Responder {
        certificate: case.issuer.clone(),
        key: key(),
    };
    response.signed_with(&issuer, case.inner.root.key())
}

fn known_later(options: &mut PathOptions<'_>) {
    options.material_time = Some(LATER);
}

/// Whoever has the key of a responder dates an answer back to before the key was stolen.
#[test]
fn a_responder_whose_key_was_compromised_later_says_nothing() {
    let case = Case::new();
    let judge = |reason| {
        let responder = responder(&case.inner.root, |params| {
            params.custom_extensions.pop();
            params.serial_number = Some(SerialNumber::from(99_u64));
        });
        let mut response = case.response(vec![case.answer()]);
        response.certificates = vec![responder.certificate.clone()];
        let about_target = response.signed_by(&responder);
        let responses = [about_target, later_answer(&case, 99, reason)];
        case.judge(&responses, &[], known_later)
    };
    passes(&judge(SUPERSEDED));
    refuses(
        &judge(KEY_COMPROMISE),
        revocation_code::OCSP_RESPONDER_INVALID,
        SubIndication::TryLater,
        false,
    );
}

/// The same with a list: signed with a second key of the issuer, which the first one has certified for lists alone.
#[test]
fn a_list_by_a_key_that_was_compromised_later_says_nothing() {
    let case = Case::new();
    let mut second = params("Root");
    second.key_usages = vec![KeyUsagePurpose::CrlSign];
    second.serial_number = Some(SerialNumber::from(98_u64));
    let second = below(&case.inner.root, second);
    let list = crl(&second, BEFORE, AFTER, None);
    let judge = |reason| {
        let about_second = later_answer(&case, 98, reason);
        let material = Material {
            certificates: vec![second.der()],
            crls: vec![&list],
            ocsp_responses: vec![&about_second],
        };
        let mut options = PathOptions::default();
        known_later(&mut options);
        let anchors = anchor(&case.inner.root);
        judge_with(&case.inner.target, &material, &anchors, NOW, &options)
    };
    passes(&judge(SUPERSEDED));
    refuses(
        &judge(KEY_COMPROMISE),
        revocation_code::CRL_ISSUER_UNTRUSTED,
        SubIndication::TryLater,
        false,
    );
}

/// The list with no extension but its number, which is marked critical against RFC 5280 §5.2.3.
fn badly_made(issuer: &Issuer, revoked: Option<(OffsetDateTime, RevocationReason)>) -> Vec<u8> {
    let revoked = revoked.and_then(|(time, reason)| entry(time, Some(reason)));
    let list = crl(issuer, BEFORE, AFTER, revoked);
    let list = Reader::single(&list, Tag::SEQUENCE, "CRL").unwrap();
    let signed = list.children("CRL").unwrap().expect(Tag::SEQUENCE).unwrap();
    let fields = signed.children("CRL").unwrap().all(8).unwrap();
    let mut value = Writer::new();
    value.integer(&Integer::from(1_u64));
    let value = value.into_bytes();
    let made = Writer::single(Tag::SEQUENCE, |w| {
        for field in fields.iter().filter(|field| field.tag() != Tag::context(0)) {
            w.raw(field.raw());
        }
        w.constructed(Tag::context(0), |w| {
            w.sequence(|w| {
                w.sequence(|w| {
                    w.oid(&oid::CE_CRL_NUMBER).boolean(true);
                    w.octet_string(&value);
                });
            });
        });
    });
    let signature = issuer.key().sign(&made).unwrap();
    Writer::single(Tag::SEQUENCE, |w| {
        w.raw(&made);
        AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA256).write(w);
        w.primitive(Tag::BIT_STRING, &[&[0], &signature[..]].concat());
    })
}

#[test]
fn a_badly_made_list_is_believed_about_whom_it_lists_alone() {
    let case = Case::new();
    let root = &case.inner.root;
    let good = case.answered(|_| ());
    let strict = |options: &mut PathOptions<'_>| options.profile = ProfileRule::Contradictions;
    let listing = badly_made(root, Some((START, RevocationReason::Superseded)));
    for responses in [&[][..], std::slice::from_ref(&good)] {
        refuses(
            &case.judge(responses, std::slice::from_ref(&listing), strict),
            code::CERTIFICATE_REVOKED,
            SubIndication::Revoked,
            true,
        );
    }
    // Nobody is taken off hold by it, or held by it: the answer of the service stands.
    let hold = badly_made(root, Some((START, RevocationReason::CertificateHold)));
    let silent = badly_made(root, None);
    for list in [&hold, &silent] {
        passes(&case.judge(
            std::slice::from_ref(&good),
            std::slice::from_ref(list),
            strict,
        ));
        refuses(
            &case.judge(&[], std::slice::from_ref(list), strict),
            revocation_code::CRL_FORM,
            SubIndication::TryLater,
            false,
        );
    }
    // Somebody else's counts for nothing.
    let foreign = badly_made(
        &Revocation::new().root,
        Some((START, RevocationReason::Superseded)),
    );
    passes(&case.judge(&[good], &[foreign], strict));
}
