//! What the embedded authority grants, and how it says no (RFC 3161 §2.4.2).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use archiver::tsa::embedded::{AuthorityMaterial, EmbeddedAuthority, POLICY};
use archiver::tsa::error::EmbeddedError;
use archiver::tsa::key::AuthorityKey;
use firmware::clock::SimulatedClock;
use firmware::entropy::SeededEntropy;
use formats::der::Integer;
use formats::digest::DigestAlgorithm;
use formats::tsp::{
    Extension, Failure, MessageImprint, Status, TimeStampRequest, TimeStampResponse, TimeStampToken,
};
use formats::x509::AlgorithmIdentifier;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const BORN: OffsetDateTime = datetime!(2026-11-22 03:48:30.123456 UTC);

fn authority_at(now: OffsetDateTime) -> EmbeddedAuthority {
    let entropy = Arc::new(SeededEntropy::new(1));
    let material = AuthorityMaterial::make("test", BORN, entropy.as_ref()).unwrap();
    EmbeddedAuthority::new(material, Arc::new(SimulatedClock::new(now)), entropy).unwrap()
}

fn request() -> TimeStampRequest {
    TimeStampRequest {
        version: 1,
        imprint: MessageImprint::of(&DigestAlgorithm::Sha256.digest(b"x")),
        policy: None,
        nonce: None,
        certificate_wanted: true,
        extensions: Vec::new(),
    }
}

fn answer(authority: &EmbeddedAuthority, request: &TimeStampRequest) -> TimeStampResponse {
    TimeStampResponse::parse(&authority.respond(&request.encode()))
        .unwrap()
        .into_parts()
        .0
}

fn token(authority: &EmbeddedAuthority, request: &TimeStampRequest) -> TimeStampToken {
    let response = answer(authority, request);
    assert_eq!(response.status, Status::Granted, "{response:?}");
    TimeStampToken::parse(&response.token.unwrap()).unwrap()
}

#[test]
fn the_token_repeats_what_the_request_asked() {
    let authority = authority_at(BORN);
    for nonce in [
        None,
        Some(Integer::from(7u64)),
        Some(Integer::from_content(&[0xFF, 0x7F])),
    ] {
        for certificate_wanted in [true, false] {
            for policy in [None, Some(POLICY.parse().unwrap())] {
                let request = TimeStampRequest {
                    nonce: nonce.clone(),
                    certificate_wanted,
                    policy,
                    ..request()
                };
                let token = token(&authority, &request);
                assert_eq!(token.info.imprint, request.imprint);
                assert_eq!(token.info.nonce, nonce);
                assert_eq!(token.info.policy.to_string(), POLICY);
                assert_eq!(token.info.gen_time_text, "20261122034830.123Z");
                let expected = usize::from(certificate_wanted);
                assert_eq!(token.signed_data.x509_certificates().count(), expected);
                assert_eq!(token.signed_data.version, 3);
            }
        }
    }
}

#[test]
fn the_imprint_is_repeated_with_the_parameters_as_sent() {
    let mut request = request();
    request.imprint.algorithm.parameters = Some(vec![5, 0]);
    let token = token(&authority_at(BORN), &request);
    assert_eq!(token.info.imprint, request.imprint);
}

#[test]
fn serials_differ_at_a_standing_clock() {
    let authority = authority_at(BORN);
    let mut serials: Vec<Vec<u8>> = (0..200)
        .map(|_| {
            token(&authority, &request())
                .info
                .serial
                .as_bytes()
                .to_vec()
        })
        .collect();
    assert!(
        serials
            .iter()
            .all(|serial| serial.len() <= 20 && serial[0] < 0x80)
    );
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), 200);
}

#[test]
fn a_token_is_small() {
    let response = authority_at(BORN).respond(
        &TimeStampRequest {
            nonce: Some(Integer::from(u64::MAX)),
            ..request()
        }
        .encode(),
    );
    assert!(response.len() < 1650, "{} bytes", response.len());
}

fn assert_refused(request: &TimeStampRequest, failure: Failure) {
    let response = answer(&authority_at(BORN), request);
    assert_eq!(response.status, Status::Rejection, "{request:?}");
    assert_eq!(response.failures, [failure], "{request:?}");
    assert_eq!(response.token, None, "{request:?}");
    assert!(!response.texts.is_empty(), "{request:?}");
}

fn with_imprint(algorithm: AlgorithmIdentifier, length: usize) -> TimeStampRequest {
    let bytes = vec![1; length];
    TimeStampRequest {
        imprint: MessageImprint { algorithm, bytes },
        ..request()
    }
}

#[test]
fn other_digest_algorithms_are_bad_algorithms() {
    let unknown = AlgorithmIdentifier::bare("1.2.3".parse().unwrap());
    let with_parameters = AlgorithmIdentifier {
        parameters: Some(vec![0x02, 0x01, 0x00]),
        ..AlgorithmIdentifier::of_digest(DigestAlgorithm::Sha256)
    };
    for algorithm in [unknown, with_parameters] {
        assert_refused(&with_imprint(algorithm, 32), Failure::BadAlgorithm);
    }
    for weak in [
        DigestAlgorithm::Md5,
        DigestAlgorithm::Sha1,
        DigestAlgorithm::Ripemd160,
        DigestAlgorithm::Sha224,
        DigestAlgorithm::Sha3_224,
    ] {
        let algorithm = AlgorithmIdentifier::of_digest(weak);
        let request = with_imprint(algorithm, weak.len());
        assert_refused(&request, Failure::BadAlgorithm);
    }
}

#[test]
fn a_digest_of_another_length_is_bad_data() {
    for length in [0, 31, 33, 64] {
        let algorithm = AlgorithmIdentifier::of_digest(DigestAlgorithm::Sha256);
        assert_refused(&with_imprint(algorithm, length), Failure::BadDataFormat);
    }
}

#[test]
fn another_version_is_a_bad_request() {
    for version in [0, 2, u32::MAX] {
        let request = TimeStampRequest {
            version,
            ..request()
        };
        assert_refused(&request, Failure::BadRequest);
    }
}

#[test]
fn another_policy_and_any_extension_are_not_accepted() {
    let other_policy = TimeStampRequest {
        policy: Some("1.2.3".parse().unwrap()),
        ..request()
    };
    assert_refused(&other_policy, Failure::UnacceptedPolicy);
    for critical in [true, false] {
        let extension = Extension {
            oid: "1.2.3".parse().unwrap(),
            critical,
            value: vec![5, 0],
        };
        let request = TimeStampRequest {
            extensions: vec![extension],
            ..request()
        };
        assert_refused(&request, Failure::UnacceptedExtension);
    }
}

#[test]
fn what_is_no_request_is_called_so() {
    let authority = authority_at(BORN);
    let good = request().encode();
    let mut trailing = good.clone();
    trailing.push(0);
    for bytes in [
        &b""[..],
        b"GET / HTTP/1.1",
        &good[..good.len() - 1],
        &trailing,
        &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
    ] {
        let response = TimeStampResponse::parse(&authority.respond(bytes)).unwrap();
        assert_eq!(response.failures, [Failure::BadDataFormat]);
    }
}

#[test]
fn a_clock_outside_of_the_certificate_stamps_nothing() {
    for now in [
        BORN - Duration::days(1),
        BORN + Duration::days(365 * 10 + 1),
    ] {
        let response = answer(&authority_at(now), &request());
        assert_eq!(response.failures, [Failure::TimeNotAvailable]);
    }
}

#[test]
fn a_key_that_is_not_that_of_the_certificate_is_refused() {
    let entropy = Arc::new(SeededEntropy::new(1));
    let mut material = AuthorityMaterial::make("test", BORN, entropy.as_ref()).unwrap();
    material.key = AuthorityKey::generate(entropy.as_ref()).unwrap();
    let refused = EmbeddedAuthority::new(material, Arc::new(SimulatedClock::new(BORN)), entropy);
    assert_eq!(refused.err(), Some(EmbeddedError::Key));
}

#[test]
fn a_damaged_certificate_is_refused() {
    let entropy = Arc::new(SeededEntropy::new(1));
    for part in 0..2 {
        let mut material = AuthorityMaterial::make("test", BORN, entropy.as_ref()).unwrap();
        let damaged = if part == 0 {
            &mut material.root
        } else {
            &mut material.certificate
        };
        damaged.truncate(100);
        let refused = EmbeddedAuthority::new(
            material,
            Arc::new(SimulatedClock::new(BORN)),
            entropy.clone(),
        );
        assert_eq!(refused.err(), Some(EmbeddedError::Certificate));
    }
}
