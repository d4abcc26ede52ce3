//! The client accepts what is right and refuses everything else, each for its own reason.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use archiver::tsa::checks::Trust;
use archiver::tsa::client::{ClientOptions, Link, Timestamper, TsaClient};
use archiver::tsa::embedded::{AuthorityMaterial, EmbeddedAuthority};
use archiver::tsa::refusal::{Refusal, TsaError};
use archiver::tsa::transport::{HttpTransport, TransportError, TransportOptions};
use firmware::clock::SimulatedClock;
use firmware::entropy::SeededEntropy;
use formats::cms::{Attribute, SigningCertificates};
use formats::der::Integer;
use formats::digest::DigestAlgorithm;
use formats::oid;
use formats::tsp::{Failure, MessageImprint, TimeStampRequest, TimeStampResponse};
use support::authority::{Bent, CertificateOptions, GOOD, TIME_STAMPING, TWO_PURPOSES, granted};
use support::client::{NOW, client, digest, outcome, refusal, with_certificate};
use support::{send_reply, start};
use time::Duration;

/// How an authority answers.
type Bend = fn(&Bent, TimeStampRequest) -> Vec<u8>;

#[test]
fn an_honest_answer_is_accepted() {
    let token = outcome(|bent, request| {
        assert!(request.certificate_wanted);
        assert_eq!(request.imprint, MessageImprint::of(&digest()));
        assert!(request.nonce.is_some());
        bent.answer(&request, GOOD)
    })
    .unwrap();
    assert_eq!(token.gen_time(), NOW);
}

#[test]
fn every_digest_algorithm_in_use_is_accepted() {
    for algorithm in [
        DigestAlgorithm::Sha256,
        DigestAlgorithm::Sha384,
        DigestAlgorithm::Sha512,
        DigestAlgorithm::Sha3_256,
    ] {
        let root = Bent::new(NOW, 11).root;
        let address = start(|request, stream| {
            let request = TimeStampRequest::parse(&request.body)
                .unwrap()
                .into_parts()
                .0;
            send_reply(stream, &Bent::new(NOW, 11).answer(&request, GOOD));
        });
        let digest = algorithm.digest(b"a root");
        client(&format!("http://{address}"), root, NOW)
            .timestamp(&digest)
            .unwrap();
    }
}

#[test]
fn the_embedded_authority_is_accepted() {
    let clock = Arc::new(SimulatedClock::new(NOW));
    let entropy = Arc::new(SeededEntropy::new(1));
    let material = AuthorityMaterial::make("test", NOW, entropy.as_ref()).unwrap();
    let authority = EmbeddedAuthority::new(material, clock.clone(), entropy.clone()).unwrap();
    let client = TsaClient::embedded(Arc::new(authority), clock.clone(), entropy);
    let token = client.timestamp(&digest()).unwrap();
    assert!(token.bytes().len() < 1700);
    assert_eq!(token.gen_time(), NOW);
    clock.advance(Duration::days(365 * 11));
    let Err(TsaError::Refused(Refusal::Rejected { failures, .. })) = client.timestamp(&digest())
    else {
        panic!("an authority whose certificate ended");
    };
    assert_eq!(failures, [Failure::TimeNotAvailable]);
}

#[test]
fn a_timestamp_may_be_asked_for_inside_an_asynchronous_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let address = start(|request, stream| {
        let request = TimeStampRequest::parse(&request.body)
            .unwrap()
            .into_parts()
            .0;
        send_reply(stream, &Bent::new(NOW, 11).answer(&request, GOOD));
    });
    let client = client(&format!("http://{address}"), Bent::new(NOW, 11).root, NOW);
    runtime
        .block_on(async { client.timestamp(&digest()) })
        .unwrap();
}

#[test]
fn a_rejection_keeps_the_reason() {
    let found = refusal(|_, _| {
        TimeStampResponse::rejected(Failure::BadAlgorithm, "no\u{1b}[31m way").encode()
    });
    let Refusal::Rejected {
        status: 2,
        failures,
        text,
    } = found
    else {
        panic!("{found:?}");
    };
    assert_eq!(failures, [Failure::BadAlgorithm]);
    assert_eq!(text, "no[31m way");
}

#[test]
fn what_is_no_response_is_malformed() {
    for length in [0, 1, 40, 700] {
        let found = refusal(move |bent, request| {
            let mut answer = bent.answer(&request, GOOD);
            answer.truncate(length);
            answer
        });
        assert!(
            matches!(found, Refusal::Malformed(_)),
            "{length}: {found:?}"
        );
    }
    let garbage: [fn(Vec<u8>) -> Vec<u8>; 3] = [
        |_| b"<html>no</html>".to_vec(),
        |answer| {
            TimeStampResponse::parse(&answer)
                .unwrap()
                .into_parts()
                .0
                .token
                .unwrap()
        },
        |mut answer| {
            answer.push(0);
            answer
        },
    ];
    for bend in garbage {
        let found = refusal(move |bent, request| bend(bent.answer(&request, GOOD)));
        assert!(matches!(found, Refusal::Malformed(_)), "{found:?}");
    }
}

#[test]
fn a_grant_without_token_is_refused() {
    let found = refusal(|bent, request| {
        let mut response = TimeStampResponse::parse(&bent.answer(&request, GOOD))
            .unwrap()
            .into_parts()
            .0;
        response.token = None;
        response.encode()
    });
    assert_eq!(found, Refusal::NoToken);
}

#[test]
fn an_answer_to_another_request_is_refused() {
    let cases: [(Bend, Refusal); 6] = [
        (
            |bent, request| {
                bent.answer(
                    &TimeStampRequest {
                        nonce: Some(Integer::from(1u64)),
                        ..request
                    },
                    GOOD,
                )
            },
            Refusal::NonceMismatch,
        ),
        (
            |bent, request| {
                bent.answer(
                    &TimeStampRequest {
                        nonce: None,
                        ..request
                    },
                    GOOD,
                )
            },
            Refusal::NonceMissing,
        ),
        (
            |bent, request| {
                let imprint = MessageImprint::of(&DigestAlgorithm::Sha256.digest(b"another"));
                bent.answer(&TimeStampRequest { imprint, ..request }, GOOD)
            },
            Refusal::Imprint,
        ),
        (
            |bent, mut request| {
                request.imprint.bytes.push(0);
                bent.answer(&request, GOOD)
            },
            Refusal::Imprint,
        ),
        (
            |bent, request| {
                let imprint = MessageImprint::of(&DigestAlgorithm::Sha512.digest(b"a root"));
                bent.answer(&TimeStampRequest { imprint, ..request }, GOOD)
            },
            Refusal::DigestAlgorithm,
        ),
        (
            |bent, request| {
                // The right bytes under the name of an algorithm of the same length.
                let sha3 = DigestAlgorithm::Sha3_256.digest(b"");
                let imprint = MessageImprint {
                    bytes: request.imprint.bytes.clone(),
                    ..MessageImprint::of(&sha3)
                };
                bent.answer(&TimeStampRequest { imprint, ..request }, GOOD)
            },
            Refusal::DigestAlgorithm,
        ),
    ];
    for (bend, expected) in cases {
        assert_eq!(refusal(bend), expected);
    }
}

#[test]
fn another_policy_than_the_one_asked_for_is_refused() {
    let address = start(|request, stream| {
        let request = TimeStampRequest::parse(&request.body)
            .unwrap()
            .into_parts()
            .0;
        assert_eq!(request.policy, Some("1.2.3".parse().unwrap()));
        let other = TimeStampRequest {
            policy: Some("1.2.4".parse().unwrap()),
            ..request
        };
        send_reply(stream, &Bent::new(NOW, 11).answer(&other, GOOD));
    });
    let transport =
        HttpTransport::new(&format!("http://{address}"), TransportOptions::default()).unwrap();
    let options = ClientOptions {
        policy: Some("1.2.3".parse().unwrap()),
        ..ClientOptions::new("test", Trust::anchors(vec![Bent::new(NOW, 11).root]))
    };
    let clock = Arc::new(SimulatedClock::new(NOW));
    let client = TsaClient::new(
        Link::Http(Box::new(transport)),
        options,
        clock,
        Arc::new(SeededEntropy::new(5)),
    );
    assert_eq!(
        client.timestamp(&digest()),
        Err(TsaError::Refused(Refusal::Policy))
    );
}

#[test]
fn a_time_far_from_our_clock_is_refused() {
    for (offset, accepted) in [
        (Duration::minutes(4), true),
        (Duration::minutes(-4), true),
        (Duration::minutes(6), false),
        (Duration::minutes(-6), false),
        (Duration::days(400), false),
    ] {
        let found = outcome(move |bent, request| {
            let mut info = bent.info(&request);
            info.gen_time += offset;
            let options = CertificateOptions {
                starts: Duration::days(-900),
                ends: Duration::days(900),
                ..GOOD
            };
            bent.answer_info(&info, options)
        });
        match found {
            Ok(_) => assert!(accepted, "{offset}"),
            Err(TsaError::Refused(Refusal::ClockDisagrees { gen_time, now })) => {
                assert!(!accepted, "{offset}");
                assert_eq!((gen_time, now), (NOW + offset, NOW));
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_generous_accuracy_does_not_excuse_a_wrong_clock() {
    let found = refusal(|bent, request| {
        let mut info = bent.info(&request);
        info.gen_time += Duration::minutes(30);
        info.accuracy = Some(formats::tsp::Accuracy {
            seconds: Some(3600),
            ..Default::default()
        });
        bent.answer_info(&info, GOOD)
    });
    assert!(matches!(found, Refusal::ClockDisagrees { .. }));
}

#[test]
fn two_signers_or_none_are_refused() {
    for count in [0, 2] {
        let found = refusal(move |bent, request| {
            let certificate = bent.certificate(GOOD);
            let mut token = bent.sign(bent.builder(&bent.info(&request), &certificate));
            let mut second = token.signers[0].clone();
            second.signature[8] ^= 1;
            token.signers.push(second);
            token.signers.truncate(count);
            granted(&token)
        });
        assert_eq!(found, Refusal::SignerCount { count });
    }
}

#[test]
fn a_missing_certificate_is_refused() {
    let found = refusal(|bent, request| {
        let certificate = bent.certificate(GOOD);
        let mut token = bent.sign(bent.builder(&bent.info(&request), &certificate));
        token.certificates.clear();
        granted(&token)
    });
    assert_eq!(found, Refusal::CertificateMissing);
}

#[test]
fn a_certificate_that_is_not_for_timestamping_alone_is_refused() {
    let cases = [
        (
            CertificateOptions {
                purposes: None,
                ..GOOD
            },
            Refusal::UsageMissing,
        ),
        (
            CertificateOptions {
                critical: false,
                ..GOOD
            },
            Refusal::UsageNotCritical,
        ),
        (
            CertificateOptions {
                purposes: Some(TWO_PURPOSES),
                ..GOOD
            },
            Refusal::UsageNotAlone,
        ),
        (
            CertificateOptions {
                purposes: Some(&[0x30, 0x0A, 0x06, 0x08, 0x2B, 6, 1, 5, 5, 7, 3, 3]),
                ..GOOD
            },
            Refusal::UsageMissing,
        ),
    ];
    assert_eq!(GOOD.purposes, Some(TIME_STAMPING));
    for (options, expected) in cases {
        assert_eq!(with_certificate(options), expected);
    }
}

#[test]
fn a_certificate_outside_of_its_validity_is_refused() {
    for (starts, ends) in [
        (Duration::days(-2), Duration::days(-1)),
        (Duration::days(1), Duration::days(2)),
    ] {
        let found = with_certificate(CertificateOptions {
            starts,
            ends,
            ..GOOD
        });
        assert_eq!(found, Refusal::CertificateNotValidThen);
    }
}

#[test]
fn an_authority_that_nobody_trusts_is_refused() {
    // Another authority with a root of its own.
    let found = refusal(|_, request| Bent::new(NOW, 12).answer(&request, GOOD));
    assert_eq!(found, Refusal::NotTrusted);
    // A certificate that carries the root's name but not its signature.
    let found = with_certificate(CertificateOptions {
        by_root: false,
        ..GOOD
    });
    assert_eq!(found, Refusal::NotTrusted);
}

#[test]
fn a_signature_by_another_key_is_refused() {
    let found = refusal(|bent, request| {
        let certificate = bent.certificate(GOOD);
        granted(&bent.sign_with_another_key(bent.builder(&bent.info(&request), &certificate)))
    });
    assert_eq!(found, Refusal::Signature);
}

#[test]
fn a_token_whose_content_was_changed_is_refused() {
    let found = refusal(|bent, request| {
        let certificate = bent.certificate(GOOD);
        let mut token = bent.sign(bent.builder(&bent.info(&request), &certificate));
        let mut info = bent.info(&request);
        info.serial = Integer::from(2u64);
        token.content = Some(info.encode().unwrap());
        granted(&token)
    });
    assert_eq!(found, Refusal::ContentChanged);
}

#[test]
fn a_token_that_does_not_name_its_certificate_is_refused() {
    let missing = refusal(|bent, request| {
        let certificate = bent.certificate(GOOD);
        let mut builder = bent.builder(&bent.info(&request), &certificate);
        builder.signed_attributes.clear();
        granted(&bent.sign(builder))
    });
    assert_eq!(missing, Refusal::CertificateBinding);
    let other = refusal(|bent, request| {
        let certificate = bent.certificate(GOOD);
        let another = bent.certificate(CertificateOptions {
            ends: Duration::days(9),
            ..GOOD
        });
        let mut builder = bent.builder(&bent.info(&request), &certificate);
        let binding = SigningCertificates::encode_v2(&another, DigestAlgorithm::Sha256);
        builder.signed_attributes =
            vec![Attribute::new(oid::SIGNING_CERTIFICATE_V2, vec![binding])];
        granted(&bent.sign(builder))
    });
    assert_eq!(other, Refusal::CertificateBinding);
}

#[test]
fn a_failed_exchange_is_told_as_such() {
    let address = start(|_, stream| support::send(stream, "503 Busy", &[], b""));
    let client = client(&format!("http://{address}"), Vec::new(), NOW);
    let found = client.timestamp(&digest());
    assert_eq!(
        found,
        Err(TsaError::Transport(TransportError::HttpStatus {
            status: 503,
            retry_after: None,
        }))
    );
}

#[test]
fn every_refusal_says_what_to_do() {
    let found = with_certificate(CertificateOptions {
        critical: false,
        ..GOOD
    })
    .to_string();
    assert!(found.contains("ask its operator"), "{found}");
    let found = TsaError::Transport(TransportError::TimeOut).to_string();
    assert!(found.contains("try later"), "{found}");
}
