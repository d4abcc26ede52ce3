//! What the embedded authority grants, and how it says no (RFC 3161 §2.4.2).

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

#[test]
fn each_refusal_names_its_reason() {
    let unknown = AlgorithmIdentifier::bare("1.2.3".parse().unwrap());
    let with_parameters = AlgorithmIdentifier {
        parameters: Some(vec![0x02, 0x01, 0x00]),
        ..AlgorithmIdentifier::of_digest(DigestAlgorithm::Sha256)
    };
    let imprint = |algorithm: AlgorithmIdentifier, length: usize| MessageImprint {
        algorithm,
        bytes: vec![1; length],
    };
    let extension = |critical| Extension {
        oid: "1.2.3".parse().unwrap(),
        critical,
        value: vec![5, 0],
    };
    let sha256 = || AlgorithmIdentifier::of_digest(DigestAlgorithm::Sha256);
    let cases = [
        (
            "unknown algorithm",
            TimeStampRequest {
                imprint: imprint(unknown, 32),
                ..request()
            },
            Failure::BadAlgorithm,
        ),
        (
            "parameters",
            TimeStampRequest {
                imprint: imprint(with_parameters, 32),
                ..request()
            },
            Failure::BadAlgorithm,
        ),
        (
            "sha-1",
            TimeStampRequest {
                imprint: MessageImprint::of(&DigestAlgorithm::Sha1.digest(b"")),
                ..request()
            },
            Failure::BadAlgorithm,
        ),
        (
            "sha-224",
            TimeStampRequest {
                imprint: MessageImprint::of(&DigestAlgorithm::Sha224.digest(b"")),
                ..request()
            },
            Failure::BadAlgorithm,
        ),
        (
            "md5",
            TimeStampRequest {
                imprint: MessageImprint::of(&DigestAlgorithm::Md5.digest(b"")),
                ..request()
            },
            Failure::BadAlgorithm,
        ),
        (
            "short digest",
            TimeStampRequest {
                imprint: imprint(sha256(), 31),
                ..request()
            },
            Failure::BadDataFormat,
        ),
        (
            "long digest",
            TimeStampRequest {
                imprint: imprint(sha256(), 33),
                ..request()
            },
            Failure::BadDataFormat,
        ),
        (
            "no digest",
            TimeStampRequest {
                imprint: imprint(sha256(), 0),
                ..request()
            },
            Failure::BadDataFormat,
        ),
        (
            "version 2",
            TimeStampRequest {
                version: 2,
                ..request()
            },
            Failure::BadRequest,
        ),
        (
            "version 0",
            TimeStampRequest {
                version: 0,
                ..request()
            },
            Failure::BadRequest,
        ),
        (
            "policy",
            TimeStampRequest {
                policy: Some("1.2.3".parse().unwrap()),
                ..request()
            },
            Failure::UnacceptedPolicy,
        ),
        (
            "critical extension",
            TimeStampRequest {
                extensions: vec![extension(true)],
                ..request()
            },
            Failure::UnacceptedExtension,
        ),
        (
            "extension",
            TimeStampRequest {
                extensions: vec![extension(false)],
                ..request()
            },
            Failure::UnacceptedExtension,
        ),
    ];
    let authority = authority_at(BORN);
    for (name, request, failure) in cases {
        let response = answer(&authority, &request);
        assert_eq!(response.status, Status::Rejection, "{name}");
        assert_eq!(response.failures, [failure], "{name}");
        assert_eq!(response.token, None, "{name}");
        assert!(!response.texts.is_empty(), "{name}");
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
