//! No single bit of an answer can be changed without the client refusing it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use archiver::tsa::checks::{AcceptedToken, Demands, Expectation, Trust};
use archiver::tsa::embedded::{AuthorityMaterial, EmbeddedAuthority};
use archiver::tsa::refusal::Refusal;
use firmware::clock::SimulatedClock;
use firmware::entropy::SeededEntropy;
use formats::der::Integer;
use formats::digest::DigestAlgorithm;
use formats::tsp::{MessageImprint, TimeStampRequest, TimeStampResponse};
use time::OffsetDateTime;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-22 03:48:30 UTC);

struct Exchange {
    request: TimeStampRequest,
    answer: Vec<u8>,
    trust: Trust,
}

impl Exchange {
    fn new() -> Self {
        let entropy = Arc::new(SeededEntropy::new(1));
        let material = AuthorityMaterial::make("test", NOW, entropy.as_ref()).unwrap();
        let trust = Trust::anchors(vec![material.root.clone()]);
        let clock = Arc::new(SimulatedClock::new(NOW));
        let authority = EmbeddedAuthority::new(material, clock, entropy).unwrap();
        let request = TimeStampRequest {
            version: 1,
            imprint: MessageImprint::of(&DigestAlgorithm::Sha256.digest(b"a root")),
            policy: None,
            nonce: Some(Integer::from(77u64)),
            certificate_wanted: true,
            extensions: Vec::new(),
        };
        let answer = authority.respond(&request.encode());
        Self {
            request,
            answer,
            trust,
        }
    }

    fn check(&self, answer: &[u8]) -> Result<AcceptedToken, Refusal> {
        let expectation = Expectation {
            request: &self.request,
            sent_at: NOW,
            answered_at: NOW,
            demands: Demands::default(),
            earlier: None,
        };
        AcceptedToken::check(answer, &expectation, &self.trust, "test")
    }
}

/// Every bit of every byte would take minutes without optimisation; three bits of each byte, other ones in each byte, do not.
#[test]
fn no_bit_of_the_token_can_be_flipped() {
    let exchange = Exchange::new();
    let good = exchange.check(&exchange.answer).unwrap();
    let start = exchange.answer.len() - good.bytes().len();
    for place in 0..exchange.answer.len() {
        for bit in [place % 8, (place + 3) % 8, (place + 6) % 8] {
            let mut answer = exchange.answer.clone();
            if let Some(byte) = answer.get_mut(place) {
                *byte ^= 1 << bit;
            }
            match exchange.check(&answer) {
                Err(_) => {}
                // Outside of the token stand the status and lengths: a status of grantedWithMods leaves the token as it was.
                Ok(token) => assert!(
                    place < start && token.bytes() == good.bytes(),
                    "byte {place} bit {bit}"
                ),
            }
        }
    }
}

#[test]
fn no_cut_answer_is_accepted() {
    let exchange = Exchange::new();
    for length in 0..exchange.answer.len() {
        let cut = exchange.answer.get(..length).unwrap();
        assert!(
            matches!(exchange.check(cut), Err(Refusal::Malformed(_))),
            "{length}"
        );
    }
}

#[test]
fn a_token_that_was_accepted_can_be_read_again() {
    let exchange = Exchange::new();
    let response = TimeStampResponse::parse(&exchange.answer).unwrap();
    let accepted = exchange.check(&exchange.answer).unwrap();
    assert_eq!(response.token.as_deref(), Some(accepted.bytes()));
    assert_eq!(accepted.authority(), "test");
}
